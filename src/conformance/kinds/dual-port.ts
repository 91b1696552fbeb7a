// Kind `dualport`: what one rule with several port ranges means in front of private endpoints (PNSG-10). Single packets
// tell: the rule stands alone above a rule that decides the other way.

import { z } from 'zod';
import { behaviourOf } from '../../control/model/profile.ts';
import type { CaseOutcome, Comparator } from '../compare.ts';
import { Fabric } from '../fabric.ts';
import { judgeExpect } from '../kind.ts';
import type { CaseInput, Kind } from '../kind.ts';
import { isMapping } from '../merge.ts';
import { networkOf } from '../network.ts';
import { parsePart, parseTopology } from '../notation.ts';
import { planPacket } from '../packets.ts';
import { journeyOutcome } from '../verdict.ts';

const PORT_MAX = 65_535;
/** Name of the rule in question; the rule below it is called otherwise. */
const RULE = 'Asked';

const portRange = z.union([z.string(), z.number()]).transform(String);
const fieldsSchema = z.strictObject({
  rule: z.strictObject({ src: z.array(portRange), dst: z.array(portRange), access: z.enum(['Allow', 'Deny']) }),
});
type Rule = z.output<typeof fieldsSchema>['rule'];

const probeSchema = z.object({ sport: z.int().min(0).max(PORT_MAX), dport: z.int().min(0).max(PORT_MAX) });
type Probe = z.output<typeof probeSchema>;

const sameRanges: Comparator = (expected, got) =>
  (typeof expected === 'string' || typeof expected === 'number') && rangesText(readRanges([String(expected)])) === got;

export const dualPort: Kind = {
  questions: askedProbes,
  run: runDualPort,
  judge: judgeExpect({ src: sameRanges, dst: sameRanges }),
};

/** The ports of the probes; what they are expected to show stays behind. */
function askedProbes(expected: unknown): readonly Probe[] {
  const probes = isMapping(expected) ? (expected['probes'] ?? []) : [];
  return parsePart(z.array(probeSchema), probes, 'probes');
}

function runDualPort(input: CaseInput): CaseOutcome {
  const { rule } = parsePart(fieldsSchema, input.fields, 'case');
  const behaviour = input.profileGiven ? input.behaviour : behaviourOf('preview-2022');
  const fabric = new Fabric(networkOf(topologyWith(rule), behaviour), behaviour);
  const matches = (sport: number, dport: number) => probeMatches(fabric, rule, sport, dport);
  const probes = input.questions as readonly Probe[];
  return {
    probes: probes.map(({ sport, dport }) => ({ sport, dport, match: matches(sport, dport) })),
    ...effectiveRanges(rule, matches),
  };
}

function topologyWith({ src, dst, access }: Rule): ReturnType<typeof parseTopology> {
  const other = access === 'Allow' ? 'Deny' : 'Allow';
  return parseTopology({
    vnets: { vnet: ['10.0.0.0/16'] },
    subnets: {
      clients: { vnet: 'vnet', cidr: '10.0.0.0/24' },
      endpoints: { vnet: 'vnet', cidr: '10.0.1.0/24', nsg: 'group', pePolicy: 'Enabled' },
    },
    nics: { client: { subnet: 'clients', ip: '10.0.0.4' } },
    pes: { endpoint: { subnet: 'endpoints', ip: '10.0.1.4', ports: [`0-${PORT_MAX}`] } },
    nsgs: {
      group: [
        [100, 'In', 'Tcp', '*', src.join(','), '*', dst.join(','), access, RULE],
        [200, 'In', '*', '*', '*', '*', '*', other, 'Otherwise'],
      ],
    },
  });
}

/** True when the rule decided about a packet with these ports; what became of the packet has to agree. */
function probeMatches(fabric: Fabric, rule: Rule, sport: number, dport: number): boolean {
  const topology = topologyWith(rule);
  const notation = { from: 'client', to: 'endpoint', proto: 'Tcp', sport, dport };
  const { attachment, frame } = planPacket(notation, topology);
  const outcome = journeyOutcome(fabric.send(attachment, frame), topology);
  const isMatch = (outcome['verdict'] === 'deliver') === (rule.access === 'Allow');
  const isNamed = outcome['by'] === `group/${RULE}`;
  if (isMatch !== isNamed) throw new Error(`ports ${sport} to ${dport}: ${JSON.stringify(outcome)}`);
  return isMatch;
}

/** The ranges in which the rule matches, found with packets at and around every end of the ranges written in it. */
function effectiveRanges(rule: Rule, matches: (sport: number, dport: number) => boolean): CaseOutcome {
  const sports = probePorts(rule.src);
  const dports = probePorts(rule.dst);
  for (const sport of sports) {
    const dport = dports.find((candidate) => matches(sport, candidate));
    if (dport === undefined) continue;
    return {
      src: runsText(sports, (port) => matches(port, dport)),
      dst: runsText(dports, (port) => matches(sport, port)),
    };
  }
  return { src: '', dst: '' };
}

/** Ports at which an effective range could begin or end, with their neighbours, ascending. */
function probePorts(ranges: readonly string[]): number[] {
  const ends = readRanges(ranges).flatMap(([first, last]) => [first - 1, first, last, last + 1]);
  const inRange = [0, ...ends, PORT_MAX].filter((port) => port >= 0 && port <= PORT_MAX);
  return [...new Set(inRange)].toSorted((a, b) => a - b);
}

function runsText(ports: readonly number[], matches: (port: number) => boolean): string {
  const runs: [number, number][] = [];
  let isInRun = false;
  for (const port of ports) {
    const isMatch = matches(port);
    const run = runs.at(-1);
    if (isMatch && isInRun && run !== undefined) run[1] = port;
    else if (isMatch) runs.push([port, port]);
    isInRun = isMatch;
  }
  return rangesText(runs);
}

function readRanges(ranges: readonly string[]): [number, number][] {
  return ranges
    .flatMap((range) => range.split(','))
    .map((range) => {
      if (range.trim() === '*') return [0, PORT_MAX];
      const ends = /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?$/.exec(range);
      if (ends?.[1] === undefined) throw new Error(`port range not understood: ${range}`);
      return [Number(ends[1]), Number(ends[2] ?? ends[1])];
    });
}

function rangesText(ranges: readonly (readonly [number, number])[]): string {
  return ranges.map(([first, last]) => `${first}-${last}`).join(',');
}
