// vnetem explain: what happens to one packet and to its answer, stage by stage, and what decided.

import { InputError } from '../../control/issues.ts';
import { explain as explainTraffic, explanationText } from '../../scenario/explain.ts';
import { JSON_OUTPUT, UsageError, numberOption } from '../args.ts';
import type { Command } from '../command.ts';
import { EXIT_OK } from '../exit.ts';
import { NETWORK_OPTIONS, readNetworkInput } from '../input.ts';
import { printIssues } from '../output.ts';

const PROTOCOLS = ['tcp', 'udp', 'icmp'] as const;
const STATES = ['new', 'established'] as const;

export const explain: Command = {
  spec: {
    name: 'explain',
    operands: 'INPUT… --from NIC --to HOST[:PORT]',
    summary: 'Traces one packet and the answer to it, stage by stage, with rule, route and source line.',
    details: [
      'NIC is a NIC, or an outside sender: internet@203.0.113.5, onprem@172.16.0.9. HOST is a NIC, a private endpoint,',
      'a name of the topology, or an IPv4 address. The exit status is 0 whether the packet arrives or not.',
    ],
    options: [
      { name: 'from', kind: 'value', value: 'NIC', text: 'who sends' },
      { name: 'to', kind: 'value', value: 'HOST[:PORT]', text: 'who is meant; the port of TCP and UDP' },
      { name: 'protocol', kind: 'value', value: 'P', text: 'tcp (default), udp or icmp' },
      { name: 'source-port', kind: 'value', value: 'N', text: 'source port (default 50000)' },
      {
        name: 'state',
        kind: 'value',
        value: 'S',
        text: 'new (default), or established: a packet of a known connection',
      },
      ...NETWORK_OPTIONS,
      JSON_OUTPUT,
    ],
    operandsMin: 1,
    operandsMax: Infinity,
  },
  run(args, output) {
    const from = args.value('from');
    const to = args.value('to');
    if (from === undefined) throw new UsageError('--from is missing', 'name the NIC that sends, e.g. --from app');
    if (to === undefined) throw new UsageError('--to is missing', 'name the destination, e.g. --to pe-sqlmi:1433');
    const protocol = choice(args.value('protocol') ?? 'tcp', PROTOCOLS, 'protocol');
    const state = choice(args.value('state') ?? 'new', STATES, 'state');
    const sourcePort = numberOption(args, 'source-port', 1, 65535);
    const { network, behaviour, issues } = readNetworkInput(args, args.operands);
    const { explanation, issues: problems } = explainTraffic(network, behaviour, {
      from,
      to,
      protocol,
      state,
      ...(sourcePort === undefined ? {} : { sourcePort }),
    });
    if (explanation === undefined) throw new InputError(problems);
    if (args.flag('json')) output.json(explanation);
    else {
      printIssues(output, issues);
      for (const line of explanationText(explanation)) output.line(line);
    }
    return EXIT_OK;
  },
};

function choice<T extends string>(text: string, known: readonly T[], name: string): T {
  const found = known.find((candidate) => candidate === text.toLowerCase());
  if (found !== undefined) return found;
  throw new UsageError(`--${name} is '${text}'`, `expected ${known.join(', ')}`);
}
