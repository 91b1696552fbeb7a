// TCP frames of 60 bytes, the least that a lane replays, and the answer to one as it arrived.

import { SHARDS } from '../abi/limits.ts';
import { buildFrame, parseFrame, type TcpSpec } from '../wire/index.ts';
import type { Template } from './lane.ts';

const PAYLOAD = new Uint8Array(6);

/** A frame from `attachment`; the client's port decides the shard, so that both directions have the same. */
export function tcpTemplate(attachment: number, ends: { src: number; dst: number }, tcp: TcpSpec): Template {
  const { src, dst } = ends;
  const frame = buildFrame({ src, dst, tcp: { seq: 1, ack: 1, ...tcp }, payload: PAYLOAD });
  return { frame, attachment, shard: tcp.srcPort % SHARDS };
}

/** What the receiver of a frame sends back, in the shard of the connection. */
export function replyTemplate(attachment: number, received: Uint8Array, shard: number, flags: number): Template {
  const { src, dst, tcp } = tcpPartsOf(received);
  const reply = { srcPort: tcp.dstPort, dstPort: tcp.srcPort, flags };
  return { ...tcpTemplate(attachment, { src: dst, dst: src }, reply), shard };
}

/** Where a frame is going. */
export function destinationOf(frame: Uint8Array): number {
  return tcpPartsOf(frame).dst;
}

function tcpPartsOf(frame: Uint8Array): { src: number; dst: number; tcp: { srcPort: number; dstPort: number } } {
  const parsed = parseFrame(frame);
  if (parsed.kind !== 'ipv4' || parsed.tcp === undefined) throw new Error('a TCP frame left as something else');
  return { src: parsed.src, dst: parsed.dst, tcp: parsed.tcp };
}
