// Frames for questions about single packets: the first packet of a conversation, what its receiver would answer, and
// the acknowledgement that completes a handshake.

import { buildFrame, ICMP_ECHO_REPLY, ICMP_ECHO_REQUEST, parseFrame, payloadOf } from '../wire/index.ts';
import { TCP_ACK, TCP_SYN } from '../wire/index.ts';
import type { ParsedIpv4 } from '../wire/index.ts';

export interface ProbeSpec {
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly src: number;
  readonly dst: number;
  /** The identifier of an ICMP echo request. */
  readonly srcPort: number;
  readonly dstPort: number;
}

const INITIAL_SEQUENCE = 1_000_000;
const REPLY_SEQUENCE = 2_000_000;

/** A SYN, a datagram or an echo request. */
export function firstFrame(spec: ProbeSpec): Uint8Array {
  const { protocol, src, dst, srcPort, dstPort } = spec;
  if (protocol === 'tcp') {
    const tcp = { srcPort, dstPort, flags: TCP_SYN, seq: INITIAL_SEQUENCE, options: { mss: 1460 } };
    return buildFrame({ src, dst, tcp });
  }
  const payload = new Uint8Array(32);
  if (protocol === 'udp') return buildFrame({ src, dst, udp: { srcPort, dstPort }, payload });
  return buildFrame({ src, dst, icmp: { type: ICMP_ECHO_REQUEST, id: srcPort, sequence: 1 }, payload });
}

/** What the receiver of a probe sends back: SYN/ACK or ACK, a datagram, an echo reply. `frame` is as it arrived. */
export function replyFrame(frame: Uint8Array): Uint8Array {
  const got = probeIn(frame);
  const { tcp, udp, icmp } = got;
  const ends = { srcMac: got.dstMac, dstMac: got.srcMac, src: got.dst, dst: got.src };
  if (tcp !== undefined) {
    const isSyn = (tcp.flags & TCP_SYN) !== 0;
    const flags = isSyn ? TCP_SYN | TCP_ACK : TCP_ACK;
    const seq = isSyn ? REPLY_SEQUENCE : tcp.ack;
    const ack = tcp.seq + got.payloadLength + (isSyn ? 1 : 0);
    return buildFrame({ ...ends, tcp: { srcPort: tcp.dstPort, dstPort: tcp.srcPort, flags, seq, ack } });
  }
  const payload = payloadOf(frame, got);
  if (udp !== undefined) return buildFrame({ ...ends, udp: { srcPort: udp.dstPort, dstPort: udp.srcPort }, payload });
  if (icmp === undefined) throw new Error('a probe is TCP, UDP or ICMP');
  return buildFrame({ ...ends, icmp: { type: ICMP_ECHO_REPLY, id: icmp.id, sequence: icmp.sequence }, payload });
}

/** The ACK with which the sender of the SYN answers a SYN/ACK. */
export function ackFrame(frame: Uint8Array): Uint8Array {
  const got = probeIn(frame);
  if (got.tcp === undefined) throw new Error('only TCP is acknowledged');
  const { srcPort, dstPort, seq, ack } = got.tcp;
  return buildFrame({
    srcMac: got.dstMac,
    dstMac: got.srcMac,
    src: got.dst,
    dst: got.src,
    tcp: { srcPort: dstPort, dstPort: srcPort, flags: TCP_ACK, seq: ack, ack: seq + 1 },
  });
}

function probeIn(frame: Uint8Array): ParsedIpv4 {
  const parsed = parseFrame(frame);
  if (parsed.kind !== 'ipv4') throw new Error(`a probe arrived as ${parsed.kind}`);
  return parsed;
}
