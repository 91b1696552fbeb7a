// Kind `diag`: output of a diagnostic (DIAG), asked of the compiled network of the case; `flowLog` watches a connection
// of the emulator's own guests.

import { z } from 'zod';
import type { Compiled } from '../../control/compile/compiled.ts';
import { NotAvailable } from '../../control/diagnose/attached-nic.ts';
import { effectiveRoutesOfNic, effectiveRoutesTable } from '../../control/diagnose/effective-routes-table.ts';
import { ipFlowVerify } from '../../control/diagnose/ip-flow-verify.ts';
import { nextHop } from '../../control/diagnose/next-hop.ts';
import { decidingRule, nsgDiagnostics } from '../../control/diagnose/nsg-diagnostics.ts';
import { FlowLogRecorder } from '../../control/flow-log/recorder.ts';
import { formatIpv4 } from '../../wire/index.ts';
import { includesValue } from '../compare.ts';
import type { CaseOutcome, Comparator } from '../compare.ts';
import { judgeExpect, NotYet, topologyOf } from '../kind.ts';
import type { CaseInput, Kind } from '../kind.ts';
import { LiveNetwork } from '../live.ts';
import { networkOf } from '../network.ts';
import { parsePart } from '../notation.ts';
import type { Topology } from '../notation.ts';
import { resourceId } from '../resources.ts';

const fieldsSchema = z.strictObject({ tool: z.string(), input: z.unknown() });
const direction = z.enum(['Inbound', 'Outbound']);
const port = z.coerce.number().int().min(0).max(65_535);

const verifySchema = z.strictObject({
  direction,
  protocol: z
    .string()
    .toUpperCase()
    .pipe(z.enum(['TCP', 'UDP'])),
  localIPAddress: z.string(),
  localPort: port,
  remoteIPAddress: z.string(),
  remotePort: port,
});
const hopSchema = z.strictObject({ sourceIPAddress: z.string(), destinationIPAddress: z.string() });
const groupsSchema = z.strictObject({
  direction,
  protocol: z
    .string()
    .transform((text) => (/^(any|\*)$/i.test(text) ? 'Any' : text.toUpperCase()))
    .pipe(z.enum(['TCP', 'UDP', 'ICMP', 'Any'])),
  source: z.string(),
  destination: z.string(),
  destinationPort: z.coerce.string(),
});
const routesSchema = z.strictObject({ nicOf: z.string() });
const flowLogSchema = z.strictObject({ flow: z.tuple([z.string(), z.string(), port]) });

/** One expected line is among the lines of the table; widths of columns and the last, empty ones do not count. */
const hasRow: Comparator = (expected, rows) => {
  const words = folded(String(expected));
  return Array.isArray(rows) && rows.some((row) => `${folded(String(row))} `.startsWith(`${words} `));
};

export const diag: Kind = {
  run: runDiagnostic,
  judge: judgeExpect({ json: includesValue, tableRow: hasRow }),
};

function folded(text: string): string {
  return text.trim().toLowerCase().split(/\s+/).join(' ');
}

function runDiagnostic(context: CaseInput): CaseOutcome {
  const { tool, input } = parsePart(fieldsSchema, context.fields, 'case');
  const run = TOOLS[tool];
  if (run === undefined) throw new NotYet(`diagnostic ${tool} is not supported yet`);
  const topology = topologyOf(context);
  const live = new LiveNetwork(networkOf(topology, context.behaviour), context.behaviour);
  try {
    return { error: undefined, ...run(input, live, topology) };
  } catch (error) {
    if (error instanceof NotAvailable) return { error: 'notAvailable' };
    throw error;
  }
}

type Tool = (input: unknown, live: LiveNetwork, topology: Topology) => CaseOutcome;

const TOOLS: Readonly<Record<string, Tool | undefined>> = {
  ipFlowVerify: (input, live) => {
    const json = ipFlowVerify(compiledOf(live), parsePart(verifySchema, input, 'input'));
    return { access: json.access, ruleName: json.ruleName, json };
  },
  nextHop: (input, live) => {
    const json = nextHop(compiledOf(live), parsePart(hopSchema, input, 'input'));
    const { nextHopType, nextHopIpAddress, routeTableId } = json;
    return { nextHopType, nextHopIpAddress, routeTableId, json };
  },
  nsgDiagnostics: (input, live) => {
    const json = nsgDiagnostics(compiledOf(live), parsePart(groupsSchema, input, 'input'));
    const [answer] = json.results;
    const access = answer?.networkSecurityGroupResult.securityRuleAccessResult;
    return { access, matchedRule: answer === undefined ? undefined : decidingRule(answer), json };
  },
  effectiveRoutes: (input, live, topology) => {
    const { nicOf } = parsePart(routesSchema, input, 'input');
    if (topology.nics[nicOf] === undefined && topology.pes[nicOf] === undefined) {
      throw new Error(`${nicOf} is neither a NIC nor an endpoint of the topology`);
    }
    const type = topology.nics[nicOf] === undefined ? 'privateEndpoints' : 'networkInterfaces';
    const json = effectiveRoutesOfNic(compiledOf(live), resourceId(`Microsoft.Network/${type}`, nicOf));
    return { json, tableRow: effectiveRoutesTable(json.value) };
  },
  flowLog: runFlowLog,
};

function compiledOf(live: LiveNetwork): Compiled {
  return live.session.simulation.compiled;
}

/** One connection with data; every NIC is logged, and every record that Azure itself would write counts. */
function runFlowLog(input: unknown, live: LiveNetwork): CaseOutcome {
  const [from, to, targetPort] = parsePart(flowLogSchema, input, 'input').flow;
  const recorder = new FlowLogRecorder(compiledOf(live).network);
  live.session.simulation.observe((event) => recorder.note(event));
  live.step('connect', { from, to: `${to}:${targetPort}`, data: { request: 100, response: 100 } });
  const { records } = recorder;
  const [first] = records;
  return {
    recordsAt: [...new Set(records.map(({ nic }) => nic.name))],
    destinationLogged: first === undefined ? undefined : formatIpv4(first.dst),
    sourceLogged: first === undefined ? undefined : formatIpv4(first.src),
  };
}
