// PROXY protocol v2 (PLS-15 to PLS-19): the first segment of the consumer after the handshake's SYN/ACK becomes the
// segment with the header; data in it comes again, because nobody acknowledges it. From then on sequence,
// acknowledgement and SACK numbers are shifted by the header's length, so that what each side sees is whole. A header
// that was lost shows in what the backend says (SYN/ACK again, or an acknowledgement that ends before the header), and
// the consumer's next segment becomes the header again: the fabric needs no timer. Such connections never ride on a
// cached path.
//
// Reads   the frame, record, endpoint, frontend.   Writes  the frame, length, totalLength; the caller writes fate.

import { SETTING_PROXY_FRONTEND } from '../../abi/program.ts';
import { PROV_TRANSLATION, TRANSLATION } from '../../abi/provenance.ts';
import { COLD_WORDS } from '../../abi/regions.ts';
import { onesComplementSum, transportChecksum, updateChecksum16, updateChecksum32 } from '../../wire/checksum.ts';
import { ETHERNET_HEADER } from '../../wire/ethernet.ts';
import { ipv4Checksum, setIpv4Checksum, setIpv4TotalLength } from '../../wire/ipv4.ts';
import { PROXY_HEADER, writeProxyHeader } from '../../wire/proxy-protocol.ts';
import {
  TCP_ACK,
  TCP_FIN,
  TCP_HEADER_MIN,
  TCP_OPTION_END,
  TCP_OPTION_NOP,
  TCP_OPTION_SACK,
  TCP_PSH,
  TCP_RST,
  TCP_SYN,
  setTcpAck,
  setTcpChecksum,
  setTcpFlags,
  setTcpSeq,
  tcpAck,
  tcpChecksum,
  tcpFlags,
  tcpHeaderLength,
  tcpSeq,
} from '../../wire/tcp.ts';
import type { Context } from '../context.ts';
import { C_PEER, C_STATE, STATE_PROXIED, STATE_SERVICE } from '../flow-table.ts';
import type { Pass } from '../pass.ts';

/** What the fabric knows of one connection with a header. */
interface ProxyState {
  /** Sequence number of the consumer's SYN, unsigned. */
  initial: number;
  /** The consumer's next segment becomes the header. */
  isDue: boolean;
  /** The backend has acknowledged the header. */
  isDone: boolean;
}

/** What each connection with a header has seen, by the backend's record; forgotten with it. */
export class ProxyConnections {
  readonly #states = new Map<number, ProxyState>();

  /** The state of a connection, undefined when its SYN was not seen. */
  get(record: number): Readonly<ProxyState> | undefined {
    return this.#states.get(record);
  }

  /** The consumer opens a connection; a SYN that comes again changes nothing. */
  open(record: number, initial: number): void {
    if (this.#states.get(record)?.initial === initial) return;
    this.#states.set(record, { initial, isDue: true, isDone: false });
  }

  /** The header is on its way, or due again, or has arrived. */
  mark(record: number, isDue: boolean, isDone: boolean): void {
    const state = this.#states.get(record);
    if (state === undefined) return;
    state.isDue = isDue;
    state.isDone = isDone;
  }

  forget(record: number): void {
    this.#states.delete(record);
  }
}

/** Before the addresses are rewritten; may replace the payload and change `pass.length`. False: the packet was for the
 * service itself and goes no further. */
export function proxyStage(pass: Pass, context: Context): boolean {
  if (pass.provenance[PROV_TRANSLATION] === TRANSLATION.serviceReply) return fromBackend(pass, context);
  fromConsumer(pass, context);
  return true;
}

function fromConsumer(pass: Pass, context: Context): void {
  const { frames, proxies } = context;
  const { l4 } = pass;
  const backend = context.connections.table.cold[pass.record * COLD_WORDS + C_PEER];
  const flags = tcpFlags(frames, l4);
  if ((flags & (TCP_SYN | TCP_ACK)) === TCP_SYN) {
    proxies.open(backend, tcpSeq(frames, l4));
    // Data in a SYN would stand before the header: it is not acknowledged, and comes again.
    if (payloadLength(pass, frames) > 0) setPayload(pass, frames, 0);
    return;
  }
  const state = proxies.get(backend);
  if (state === undefined) return;
  if (!state.isDue) return shiftSequence(pass, frames);
  // A consumer that gives up before the header was sent resets what the backend has seen.
  if ((flags & (TCP_RST | TCP_ACK)) !== TCP_ACK) return;
  writeHeaderSegment(pass, context, state.initial);
  proxies.mark(backend, false, state.isDone);
}

/** PLS-16: the segment becomes the header at the start of the stream; its acknowledgement and window stay. */
function writeHeaderSegment(pass: Pass, context: Context, initial: number): void {
  const { frames } = context;
  const { endpoints, flags, frontends } = context.tables.program;
  const { l4 } = pass;
  const dst = (flags & SETTING_PROXY_FRONTEND) === 0 ? pass.dst : frontends.address[pass.frontend];
  setTcpSeq(frames, l4, initial + 1);
  setTcpFlags(frames, l4, TCP_ACK | TCP_PSH);
  const at = l4 + tcpHeaderLength(frames, l4);
  writeProxyHeader(frames, at, pass.src, pass.srcPort, dst, pass.dstPort, endpoints.linkId[pass.endpoint]);
  pass.tcpFlags = TCP_ACK | TCP_PSH;
  setPayload(pass, frames, PROXY_HEADER);
}

/** PLS-19: the backend counts the header, the consumer does not. */
function shiftSequence(pass: Pass, frames: DataView): void {
  const { l4 } = pass;
  const seq = tcpSeq(frames, l4);
  const shifted = (seq + PROXY_HEADER) >>> 0;
  setTcpSeq(frames, l4, shifted);
  setTcpChecksum(frames, l4, updateChecksum32(tcpChecksum(frames, l4), seq, shifted));
}

function fromBackend(pass: Pass, context: Context): boolean {
  const { frames, proxies } = context;
  const { l4 } = pass;
  const flags = tcpFlags(frames, l4);
  const state = proxies.get(pass.record);
  if (state === undefined || (flags & TCP_ACK) === 0) return true;
  if ((flags & TCP_SYN) !== 0) {
    proxies.mark(pass.record, true, false);
    return true;
  }
  const ack = tcpAck(frames, l4);
  const acknowledged = (ack - state.initial) | 0;
  if (acknowledged <= PROXY_HEADER) {
    // Not all of the header has arrived: blocks of data behind it would only confuse the consumer.
    if (!state.isDone && (flags & TCP_RST) === 0) proxies.mark(pass.record, true, false);
    if (acknowledged > 1) shiftAcknowledgement(pass, frames, ack, (state.initial + 1) >>> 0);
    translateBlocks(pass, frames, state.initial, false);
    return true;
  }
  const isFirst = !state.isDone;
  if (isFirst) proxies.mark(pass.record, false, true);
  shiftAcknowledgement(pass, frames, ack, (ack - PROXY_HEADER) >>> 0);
  translateBlocks(pass, frames, state.initial, true);
  // The bare acknowledgement of the header answers nothing that the consumer has sent.
  const isBare = (flags & (TCP_FIN | TCP_RST)) === 0 && payloadLength(pass, frames) === 0;
  return !(isFirst && isBare && acknowledged === PROXY_HEADER + 1);
}

function shiftAcknowledgement(pass: Pass, frames: DataView, ack: number, shifted: number): void {
  setTcpAck(frames, pass.l4, shifted);
  setTcpChecksum(frames, pass.l4, updateChecksum32(tcpChecksum(frames, pass.l4), ack, shifted));
}

/** SACK blocks in the consumer's numbers. An option with a block that lies in the header, or all of them with `keep`
 * false, gives way to No-Operations: blocks are advice (RFC 2018 section 8). */
function translateBlocks(pass: Pass, frames: DataView, initial: number, keep: boolean): void {
  const first = pass.l4 + TCP_HEADER_MIN;
  const end = pass.l4 + tcpHeaderLength(frames, pass.l4);
  const before = onesComplementSum(frames, first, end - first);
  for (let at = first; at < end;) {
    const kind = frames.getUint8(at);
    if (kind === TCP_OPTION_END) break;
    if (kind === TCP_OPTION_NOP) {
      at++;
      continue;
    }
    const length = at + 1 < end ? frames.getUint8(at + 1) : 0;
    if (length < 2 || at + length > end) break;
    if (kind === TCP_OPTION_SACK) translateOption(frames, at, length, initial, keep);
    at += length;
  }
  const after = onesComplementSum(frames, first, end - first);
  if (after !== before) setTcpChecksum(frames, pass.l4, updateChecksum16(tcpChecksum(frames, pass.l4), before, after));
}

function translateOption(frames: DataView, at: number, length: number, initial: number, keep: boolean): void {
  let isWhole = keep && (length - 2) % 8 === 0;
  for (let edge = at + 2; isWhole && edge < at + length; edge += 8) {
    isWhole = ((frames.getUint32(edge) - initial) | 0) > PROXY_HEADER;
  }
  if (!isWhole) {
    for (let i = 0; i < length; i++) frames.setUint8(at + i, TCP_OPTION_NOP);
    return;
  }
  for (let edge = at + 2; edge < at + length; edge += 4) {
    frames.setUint32(edge, frames.getUint32(edge) - PROXY_HEADER);
  }
}

/** An ICMP error quotes a segment of such a connection, of which `length` bytes from byte `at` are there: its
 * numbers are translated as the segment's own were, so that its sender knows it again. */
export function translateQuotedSegment(pass: Pass, context: Context, at: number, length: number): void {
  const { frames, proxies } = context;
  const { cold } = context.connections.table;
  const c = pass.record * COLD_WORDS;
  if ((cold[c + C_STATE] & STATE_PROXIED) === 0) return;
  const isToConsumer = (cold[c + C_STATE] & STATE_SERVICE) !== 0;
  const state = proxies.get(isToConsumer ? pass.record : cold[c + C_PEER]);
  if (state === undefined) return;
  if (!isToConsumer) {
    // The backend's own numbers stay; what it acknowledged comes back with the header in it.
    const isAck = length >= QUOTED_ACK_END && state.isDone;
    if (isAck) setTcpAck(frames, at, tcpAck(frames, at) + PROXY_HEADER);
    return;
  }
  const position = (tcpSeq(frames, at) - state.initial) | 0;
  if (position > PROXY_HEADER) setTcpSeq(frames, at, tcpSeq(frames, at) - PROXY_HEADER);
}

/** Bytes of a TCP header up to the end of its acknowledgement number. */
const QUOTED_ACK_END = 12;

/** Bytes of data in the segment. */
function payloadLength(pass: Pass, frames: DataView): number {
  return pass.l3 + pass.totalLength - pass.l4 - tcpHeaderLength(frames, pass.l4);
}

/** Makes the packet end after `bytes` of data; the TCP checksum is right for what is there now. */
function setPayload(pass: Pass, frames: DataView, bytes: number): void {
  const { l3, l4 } = pass;
  const totalLength = l4 - l3 + tcpHeaderLength(frames, l4) + bytes;
  setIpv4Checksum(frames, l3, updateChecksum16(ipv4Checksum(frames, l3), pass.totalLength, totalLength));
  setIpv4TotalLength(frames, l3, totalLength);
  pass.totalLength = totalLength;
  pass.length = ETHERNET_HEADER + totalLength;
  setTcpChecksum(frames, l4, transportChecksum(frames, l3, l4, l3 + totalLength - l4));
}
