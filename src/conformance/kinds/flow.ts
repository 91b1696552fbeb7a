// Kind `flow`: packets and control-plane changes in order, with all state kept between them.

import { z } from 'zod';
import { checksSomething, differences } from '../compare.ts';
import type { CaseOutcome } from '../compare.ts';
import { Fabric } from '../fabric.ts';
import { topologyOf } from '../kind.ts';
import type { CaseInput, Kind } from '../kind.ts';
import { isMapping } from '../merge.ts';
import { appliancesOf, networkOf } from '../network.ts';
import { connectionState, parsePart, peerRow, peerRows, routeRows, ruleRows } from '../notation.ts';
import type { PeerRow, RawCase, Topology } from '../notation.ts';
import { packetSchema, planPacket } from '../packets.ts';
import { PACKET_COMPARATORS, switchedOutcome } from '../verdict.ts';

const note = z.string().optional();
const packetStep = z.strictObject({ packet: packetSchema, note });
const eventStep = z.discriminatedUnion('event', [
  z.strictObject({ event: z.literal('setNsg'), nsg: z.string(), rulesList: ruleRows, note }),
  z.strictObject({ event: z.literal('advance'), minutes: z.number().min(0), note }),
  z.strictObject({ event: z.literal('setPeState'), pe: z.string(), state: connectionState, note }),
  z.strictObject({ event: z.literal('setRoutes'), rt: z.string(), routes: routeRows, note }),
  // The whole list, one row of it, or the flags of one network's own link.
  z.strictObject({
    event: z.literal('setPeering'),
    peers: peerRows.optional(),
    peering: peerRow.optional(),
    vnet: z.string().optional(),
    remote: z.string().optional(),
    access: z.boolean().optional(),
    forwarded: z.boolean().optional(),
    note,
  }),
  z.strictObject({ event: z.literal('removeNic'), nic: z.string(), note }),
]);
type FlowEvent = z.output<typeof eventStep>;

const fieldsSchema = z.strictObject({
  steps: z.array(z.record(z.string(), z.unknown())),
  flush: z.array(z.string()).default([]),
  nsgOnly: z.boolean().default(false),
  firstHopOnly: z.boolean().default(false),
});

export const flow: Kind = { run: runFlow, judge: judgeFlow };

function runFlow(input: CaseInput): CaseOutcome {
  const fields = parsePart(fieldsSchema, input.fields, 'case');
  const steps = fields.steps.map((step, i) =>
    parsePart('packet' in step ? packetStep : eventStep, step, `step ${i + 1}`),
  );
  let topology = topologyOf(input);
  const network = () => networkOf(topology, input.behaviour, fields.flush);
  const fabric = new Fabric(network(), input.behaviour, { appliances: appliancesOf(topology) });
  const outcomes = steps.map((step) => {
    if ('packet' in step) {
      const { attachment, frame } = planPacket(step.packet, topology);
      return switchedOutcome(fabric.send(attachment, frame), topology, fields);
    }
    if (step.event === 'advance') {
      fabric.advance(step.minutes);
    } else {
      topology = changedTopology(topology, step);
      fabric.change(network());
    }
    return {};
  });
  return { steps: outcomes };
}

/** Every step's expectation against that step's outcome; events have none. */
function judgeFlow(raw: RawCase, outcome: CaseOutcome): readonly string[] {
  const steps = Array.isArray(raw['steps']) ? (raw['steps'] as readonly unknown[]) : [];
  const outcomes = outcome['steps'] as readonly CaseOutcome[];
  const lines = raw.expect === undefined ? [] : differences(raw.expect, {}).map((line) => `case: ${line}`);
  let checks = 0;
  for (const [i, step] of steps.entries()) {
    const expected = isMapping(step) ? step['expect'] : undefined;
    if (expected === undefined) continue;
    if (checksSomething(expected)) checks++;
    const found = differences(expected, outcomes[i] ?? {}, PACKET_COMPARATORS);
    lines.push(...found.map((line) => `step ${i + 1}: ${line}`));
  }
  if (checks === 0 && lines.length === 0) throw new Error('the case has nothing to check');
  return lines;
}

/** The topology after a control-plane event. Throws an Error when the event names something unknown. */
export function changedTopology(topology: Topology, event: FlowEvent): Topology {
  switch (event.event) {
    case 'advance':
      return topology;
    case 'setNsg':
      known(topology.nsgs, event.nsg, 'network security group');
      return { ...topology, nsgs: { ...topology.nsgs, [event.nsg]: event.rulesList } };
    case 'setRoutes':
      known(topology.rts, event.rt, 'route table');
      return { ...topology, rts: { ...topology.rts, [event.rt]: event.routes } };
    case 'setPeState': {
      const endpoint = known(topology.pes, event.pe, 'endpoint');
      return { ...topology, pes: { ...topology.pes, [event.pe]: { ...endpoint, state: event.state } } };
    }
    case 'setPeering':
      return { ...topology, peers: changedPeers(topology.peers, event) };
    case 'removeNic':
      return withoutNic(topology, event.nic);
    default:
      return event satisfies never;
  }
}

function known<T>(entries: Readonly<Record<string, T>>, name: string, what: string): T {
  const entry = entries[name];
  if (entry === undefined) throw new Error(`${what} ${name} is not in the topology`);
  return entry;
}

function changedPeers(rows: readonly PeerRow[], event: FlowEvent & { event: 'setPeering' }): PeerRow[] {
  const { peers, peering, vnet, remote, access, forwarded } = event;
  if (peers !== undefined) return peers;
  const between = (x: string, y: string, [a, b]: PeerRow) => (a === x && b === y) || (a === y && b === x);
  if (peering !== undefined) return [...rows.filter((row) => !between(peering[0], peering[1], row)), peering];
  if (vnet === undefined || remote === undefined) {
    throw new Error('setPeering needs peers, peering, or vnet and remote');
  }
  const isLink = (row: PeerRow) => between(vnet, remote, row);
  if (!rows.some(isLink)) throw new Error(`${vnet} and ${remote} are not peered`);
  return rows.map((row) => {
    if (!isLink(row)) return row;
    const [a, b, ...flags] = row;
    const old = flags.map((entry) => entry[vnet]).find((entry) => entry !== undefined);
    const others = flags.map((entry) => Object.fromEntries(Object.entries(entry).filter(([name]) => name !== vnet)));
    const own = {
      ...old,
      ...(access === undefined ? {} : { access }),
      ...(forwarded === undefined ? {} : { forwarded }),
    };
    return [a, b, ...others, { [vnet]: own }];
  });
}

function withoutNic(topology: Topology, nic: string): Topology {
  known(topology.nics, nic, 'NIC');
  return {
    ...topology,
    nics: Object.fromEntries(Object.entries(topology.nics).filter(([name]) => name !== nic)),
    asgs: Object.fromEntries(
      Object.entries(topology.asgs).map(([name, members]) => [name, members.filter((member) => member !== nic)]),
    ),
  };
}
