// A plan: everything a process needs to measure one kind of path, as frames and a program. It is made by sending every
// frame through the forwarder once; played back in the same order on a fresh one, NAT gives out the same ports.

import { type Program, encodeProgram } from '../abi/program.ts';
import type { Compiled } from '../control/compile/compiled.ts';
import { OUTCOME } from '../abi/regions.ts';
import { TCP_ACK, TCP_SYN, parseIpv4 } from '../wire/index.ts';
import type { Params } from './figures.ts';
import { createLane, type Lane, type Template } from './lane.ts';
import { destinationOf, replyTemplate, tcpTemplate } from './topology-frames.ts';
import type { Pair } from './topology-survey.ts';
import { shuffle } from './traffic.ts';

export interface Plan {
  /** `flow-hit`: templates are packets of known connections. `first-packet`: SYNs nobody has seen. `denied`: SYNs that
   * are dropped, every one. */
  readonly measures: 'flow-hit' | 'first-packet' | 'denied';
  readonly program: Uint8Array;
  /** Connections that the flow table has room for. */
  readonly connections: number;
  /** Frames that open the connections, in order. */
  readonly opening: readonly Template[];
  readonly templates: readonly Template[];
  /** Milliseconds of the lane's clock per packet. */
  readonly msPerPacket: number;
  readonly packets: number;
  readonly params: Params;
  readonly extra: Readonly<Record<string, number>>;
}

export type PlanHead = Pick<Plan, 'packets' | 'params' | 'extra'>;

/** Ports from here on, one per connection of a pair. */
const PORT_FIRST = 10_000;

/** Packets of about `flows` known flows over the given pairs, both directions where an answer comes back. */
export function planFlowHits(compiled: Compiled, pairs: readonly Pair[], flows: number, head: PlanHead): Plan {
  const connections = Math.max(1, flows >> 1);
  const lane = createLane({ program: compiled.program, connections: connections + 64 });
  const addresses = addressesOf(compiled);
  const opening: Template[] = [];
  const templates: Template[] = [];
  for (let i = 0; i < connections; i++) {
    const pair = pairs[i % pairs.length];
    const ports = { srcPort: PORT_FIRST + Math.floor(i / pairs.length), dstPort: pair.port };
    const syn = tcpTemplate(pair.from, pair, { ...ports, flags: TCP_SYN });
    const arrived = pass(lane, syn);
    if (arrived === undefined) continue; // no port of the NAT gateway is left
    opening.push(syn);
    templates.push(tcpTemplate(pair.from, pair, { ...ports, flags: TCP_ACK }));
    const { attachment, frame } = arrived;
    // An appliance passes the frame on instead of answering it: its leg is measured one way.
    const isForOther = addresses.has(attachment) && addresses.get(attachment) !== destinationOf(frame);
    if (isForOther) continue;
    const reply = (flags: number): Template => replyTemplate(attachment, frame, syn.shard ?? 0, flags);
    const answer = reply(TCP_SYN | TCP_ACK);
    if (pass(lane, answer)?.attachment !== pair.from) continue;
    opening.push(answer);
    templates.push(reply(TCP_ACK));
  }
  const params: Params = { ...head.params, flows: templates.length };
  const order = Int32Array.from(templates.keys());
  shuffle(order, Number(params['seed'] ?? 1));
  return {
    measures: 'flow-hit',
    program: encodeProgram(compiled.program),
    connections: connections + 64,
    opening,
    templates: [...order].map((index) => templates[index]),
    msPerPacket: 0,
    ...head,
    params,
  };
}

/** New connections of the pairs; `active` are alive at any time. */
export function planFirstPackets(program: Program, pairs: readonly Pair[], active: number, head: PlanHead): Plan {
  const idleMs = Math.max(
    ...[program.attachments.idleMs, program.endpoints.idleMs, program.natPools.idleMs].flatMap((column) => [...column]),
  );
  return {
    measures: 'first-packet',
    program: encodeProgram(program),
    // The dead stay until the sweep comes by.
    connections: active * 3 + 64,
    opening: [],
    // When a tuple comes again, its connection has been idle for three times as long as it lives.
    templates: syns(pairs, active * 4),
    msPerPacket: idleMs / active,
    ...head,
    params: { ...head.params, active },
  };
}

/** New connections of pairs that may not talk. */
export function planDenied(program: Program, pairs: readonly Pair[], head: PlanHead): Plan {
  return {
    measures: 'denied',
    program: encodeProgram(program),
    connections: 64,
    opening: [],
    templates: syns(pairs, Math.max(DENIED_LEAST, pairs.length)),
    msPerPacket: 0,
    ...head,
  };
}

const DENIED_LEAST = 1024;

function syns(pairs: readonly Pair[], count: number): Template[] {
  return Array.from({ length: count }, (_, i) => {
    const pair = pairs[i % pairs.length];
    const srcPort = PORT_FIRST + (Math.floor(i / pairs.length) % (65_536 - PORT_FIRST));
    return tcpTemplate(pair.from, pair, { srcPort, dstPort: pair.port, flags: TCP_SYN });
  });
}

/** Primary addresses of NICs by attachment. */
function addressesOf({ sideTable }: Compiled): Map<number, number> {
  const nics = sideTable.attachments.flatMap((info) =>
    info?.address === undefined ? [] : [[info.attachment, parseIpv4(info.address)] as const],
  );
  return new Map(nics);
}

interface Arrival {
  readonly attachment: number;
  readonly frame: Uint8Array;
}

/** Sends one frame; undefined when it arrives nowhere. */
function pass(lane: Lane, template: Template): Arrival | undefined {
  lane.inject(template, 0);
  lane.turn();
  let arrival: Arrival | undefined;
  lane.inspect(({ attachment, verdict, at, length }) => {
    const outcome = verdict >>> 8;
    if (outcome !== OUTCOME.delivered && outcome !== OUTCOME.exited) return;
    arrival = { attachment, frame: lane.regions.frameBytes.slice(at * 4 + 2, at * 4 + 2 + length) };
  });
  return arrival;
}
