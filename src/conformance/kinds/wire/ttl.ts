// Shapes about TTL and ICMP: what the fabric leaves alone, what traceroute shows, who answers (WIRE-6, WIRE-7, WIRE-9).

import { z } from 'zod';
import {
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
  ICMP_TIME_EXCEEDED,
  buildFrame,
  formatIpv4,
  parseFrame,
  parseIpv4,
} from '../../../wire/index.ts';
import type { ParsedIpv4 } from '../../../wire/index.ts';
import type { CaseOutcome } from '../../compare.ts';
import { Fabric } from '../../fabric.ts';
import { topologyOf } from '../../kind.ts';
import type { CaseInput } from '../../kind.ts';
import { networkOf } from '../../network.ts';
import type { Topology } from '../../notation.ts';
import { shape } from '../../shape.ts';
import { oneSubnet, twoGuests } from './topologies.ts';

const TTL_MAX = 255;
const HOPS_MAX = 30;
/** Initial values that guests use; the smallest that is not below what arrives was the sender's. */
const INITIAL_TTLS = [64, 128, 255];
const ECHO_ID = 7;

const names = { from: z.string(), to: z.string(), sentTtl: z.int().min(1).max(TTL_MAX) };

export const receivedTtl = shape(
  z.union([
    z.strictObject({ ...names, sameVnet: z.literal(true) }),
    z.strictObject({ ...names, peered: z.literal(true) }),
  ]),
  (input, { behaviour }) => {
    const topology = twoGuests('peered' in input);
    const fabric = new Fabric(networkOf(topology, behaviour), behaviour);
    fabric.send('a', echo(topology, 'a', topology.nics['b']?.ip, input.sentTtl, 1));
    const arrived = fabric.received('b').map(({ frame }) => datagram(frame));
    return { receivedTtl: arrived[0]?.ttl };
  },
);

export const tracePath = shape(
  z.strictObject({ tracepath: z.tuple([z.string(), z.string()]) }),
  ({ tracepath: [from, to] }, context) => trace(from, to, context),
);

export const silentGateway = shape(
  z.strictObject({ from: z.string(), icmpEchoTo: z.string() }),
  ({ from, icmpEchoTo }, { behaviour }) => {
    const topology = oneSubnet({ guest: from });
    const fabric = new Fabric(networkOf(topology, behaviour), behaviour);
    fabric.send('guest', echo(topology, 'guest', icmpEchoTo, INITIAL_TTLS[0] ?? TTL_MAX, 1));
    const frames = fabric.received('guest').map(({ frame }) => datagram(frame));
    return { reply: frames.some((frame) => frame?.icmp?.type === ICMP_ECHO_REPLY) };
  },
);

// Echo requests with a growing TTL, as traceroute sends them; `back` is read from the TTL of the last answer.
function trace(from: string, to: string, context: CaseInput): CaseOutcome {
  const topology = topologyOf(context);
  const target = topology.nics[to]?.ip;
  const hosts = Object.keys(topology.nics).filter((name) => name !== from);
  const fabric = new Fabric(networkOf(topology, context.behaviour), context.behaviour, { hosts });
  const hops: string[] = [];
  for (let ttl = 1; ttl <= HOPS_MAX; ttl++) {
    const before = fabric.received(from).length;
    fabric.send(from, echo(topology, from, target, ttl, ttl));
    const answer = fabric
      .received(from)
      .slice(before)
      .map(({ frame }) => datagram(frame))
      .find((frame) => isAnswer(frame));
    hops.push(answer === undefined ? '*' : nameOf(answer.src, topology));
    if (answer?.icmp?.type === ICMP_ECHO_REPLY) return { hops, hopCount: hops.length, back: hopsBack(answer.ttl) };
  }
  return { hops, hopCount: undefined, back: undefined };
}

function echo(topology: Topology, from: string, target: string | undefined, ttl: number, sequence: number): Uint8Array {
  const source = topology.nics[from]?.ip;
  if (source === undefined || target === undefined) throw new Error('a name of the case is not a NIC of its topology');
  return buildFrame({
    src: parseIpv4(source),
    dst: parseIpv4(target),
    ttl,
    icmp: { type: ICMP_ECHO_REQUEST, id: ECHO_ID, sequence },
  });
}

function isAnswer(frame: ParsedIpv4 | undefined): frame is ParsedIpv4 {
  return frame?.icmp?.type === ICMP_ECHO_REPLY || frame?.icmp?.type === ICMP_TIME_EXCEEDED;
}

function hopsBack(ttl: number): number {
  const initial = INITIAL_TTLS.find((value) => value >= ttl) ?? TTL_MAX;
  return initial - ttl + 1;
}

function nameOf(address: number, topology: Topology): string {
  const text = formatIpv4(address);
  return Object.keys(topology.nics).find((name) => topology.nics[name]?.ip === text) ?? text;
}

function datagram(frame: Uint8Array): ParsedIpv4 | undefined {
  const parsed = parseFrame(frame);
  return parsed.kind === 'ipv4' ? parsed : undefined;
}
