// A connection by hand: frames of a client and whoever they reach, one at a time, so that both ends can be looked at.

import { TCP_ACK, TCP_PSH, TCP_SYN, buildFrame, formatIpv4, parseFrame, parseIpv4 } from '../../../wire/index.ts';
import type { PacketEvent } from '../../../scenario/simulation/simulation-api.ts';
import type { Fabric } from '../../fabric.ts';

export interface ExchangePlan {
  /** Attachment that the client sends from. */
  readonly from: string;
  readonly src: string;
  readonly srcPort: number;
  readonly dst: string;
  readonly dstPort: number;
  readonly protocol: 'Tcp' | 'Udp';
}

/** The addresses that an end of the connection sees. */
export interface Seen {
  readonly srcIp: string;
  readonly dstIp: string;
  readonly srcPort: number;
  readonly dstPort: number;
}

export interface Opened {
  /** The pass of the first packet. */
  readonly first: PacketEvent;
  /** Attachment id that the first packet reached, and what stood in it there. */
  readonly backend: number | undefined;
  readonly backendSees: Seen | undefined;
  /** What stood in the answer at the client. */
  readonly clientSees: Seen | undefined;
  /** Every packet arrived where it should, with the addresses that the other end expects. */
  readonly connects: boolean;
}

/** Opens a connection: SYN, SYN/ACK, ACK, or a datagram and its answer. */
export function open(fabric: Fabric, plan: ExchangePlan): Opened {
  const first = lastPass(fabric, plan.from, frameOf(plan, TCP_SYN));
  const backendSees = seenOf(first);
  const backend = backendSees === undefined ? undefined : first.egress;
  if (backend === undefined || backendSees === undefined) {
    return { first, backend, backendSees, clientSees: undefined, connects: false };
  }
  const name = first.sideTable.attachments[backend]?.name ?? '';
  const answer = lastPass(fabric, name, answerTo(plan, backendSees));
  const clientSees = seenOf(answer);
  const isExpected =
    answer.egress === fabric.attachment(plan.from) &&
    clientSees?.srcIp === plan.dst &&
    clientSees.srcPort === plan.dstPort &&
    clientSees.dstIp === plan.src &&
    clientSees.dstPort === plan.srcPort;
  const connects = isExpected && (plan.protocol === 'Udp' || staysWith(fabric, plan, backend, backendSees));
  return { first, backend, backendSees, clientSees, connects };
}

/** Sends the client's next packet; true when it arrives at the same end with the same addresses. */
export function staysWith(fabric: Fabric, plan: ExchangePlan, backend: number, before: Seen): boolean {
  const pass = lastPass(fabric, plan.from, frameOf(plan, TCP_ACK | TCP_PSH));
  const seen = seenOf(pass);
  return pass.egress === backend && seen?.srcIp === before.srcIp && seen.srcPort === before.srcPort;
}

function lastPass(fabric: Fabric, from: string, frame: Uint8Array): PacketEvent {
  const pass = fabric.send(from, frame).passes.at(-1);
  if (pass === undefined) throw new Error(`a packet of ${from} never entered the fabric`);
  return pass;
}

function frameOf(plan: ExchangePlan, flags: number): Uint8Array {
  const addresses = { src: parseIpv4(plan.src), dst: parseIpv4(plan.dst) };
  const ports = { srcPort: plan.srcPort, dstPort: plan.dstPort };
  const payload = new Uint8Array((flags & TCP_PSH) !== 0 || plan.protocol === 'Udp' ? 8 : 0);
  if (plan.protocol === 'Udp') return buildFrame({ ...addresses, udp: ports, payload });
  return buildFrame({ ...addresses, tcp: { ...ports, flags, seq: 1 }, payload });
}

function answerTo(plan: ExchangePlan, seen: Seen): Uint8Array {
  const addresses = { src: parseIpv4(seen.dstIp), dst: parseIpv4(seen.srcIp) };
  const ports = { srcPort: seen.dstPort, dstPort: seen.srcPort };
  if (plan.protocol === 'Udp') return buildFrame({ ...addresses, udp: ports, payload: new Uint8Array(8) });
  return buildFrame({ ...addresses, tcp: { ...ports, flags: TCP_SYN | TCP_ACK, seq: 1, ack: 2 } });
}

function seenOf(pass: PacketEvent): Seen | undefined {
  if (pass.after === undefined || pass.egress < 0) return undefined;
  const parsed = parseFrame(pass.after);
  if (parsed.kind !== 'ipv4') return undefined;
  const ports = parsed.tcp ?? parsed.udp;
  if (ports === undefined) return undefined;
  const { srcPort, dstPort } = ports;
  return { srcIp: formatIpv4(parsed.src), dstIp: formatIpv4(parsed.dst), srcPort, dstPort };
}
