// TCP header, RFC 9293 section 3.1. `at` is the byte offset of the header in the frame arena.
// Callers have already checked that TCP_HEADER_MIN bytes are there.
// Options are read and written in cold code only; see tcp-options.ts.

export * from './tcp-options.ts';

export const TCP_FIN = 0x01;
export const TCP_SYN = 0x02;
export const TCP_RST = 0x04;
export const TCP_PSH = 0x08;
export const TCP_ACK = 0x10;
export const TCP_URG = 0x20;
export const TCP_ECE = 0x40;
export const TCP_CWR = 0x80;

const SRC_PORT = 0; // u16
const DST_PORT = 2; // u16
const SEQ = 4; // u32
const ACK = 8; // u32
const DATA_OFFSET = 12; // high nibble, in 32-bit words; low nibble reserved
const FLAGS = 13; // u8
const WINDOW = 14; // u16
const CHECKSUM = 16; // u16
const URGENT = 18; // u16

const FLAG_TEXT: readonly (readonly [number, string])[] = [
  [TCP_FIN, 'F'],
  [TCP_SYN, 'S'],
  [TCP_RST, 'R'],
  [TCP_PSH, 'P'],
  [TCP_ACK, '.'],
  [TCP_URG, 'U'],
  [TCP_ECE, 'E'],
  [TCP_CWR, 'W'],
];

export function tcpSrcPort(frames: DataView, at: number): number {
  return frames.getUint16(at + SRC_PORT);
}

export function tcpDstPort(frames: DataView, at: number): number {
  return frames.getUint16(at + DST_PORT);
}

/** Sequence number, unsigned 32-bit. */
export function tcpSeq(frames: DataView, at: number): number {
  return frames.getUint32(at + SEQ);
}

/** Acknowledgement number, unsigned 32-bit; meaningful only with TCP_ACK. */
export function tcpAck(frames: DataView, at: number): number {
  return frames.getUint32(at + ACK);
}

/** Bytes, options included: 20…60 in a valid header. */
export function tcpHeaderLength(frames: DataView, at: number): number {
  return (frames.getUint8(at + DATA_OFFSET) >> 4) * 4;
}

/** Eight flag bits, TCP_…. */
export function tcpFlags(frames: DataView, at: number): number {
  return frames.getUint8(at + FLAGS);
}

/** As on the wire: not yet multiplied by the window scale. */
export function tcpWindow(frames: DataView, at: number): number {
  return frames.getUint16(at + WINDOW);
}

export function tcpChecksum(frames: DataView, at: number): number {
  return frames.getUint16(at + CHECKSUM);
}

/** Urgent pointer; meaningful only with TCP_URG. */
export function tcpUrgent(frames: DataView, at: number): number {
  return frames.getUint16(at + URGENT);
}

export function setTcpSrcPort(frames: DataView, at: number, port: number): void {
  frames.setUint16(at + SRC_PORT, port);
}

export function setTcpDstPort(frames: DataView, at: number, port: number): void {
  frames.setUint16(at + DST_PORT, port);
}

/** Taken modulo 2^32, so callers may add without wrapping. */
export function setTcpSeq(frames: DataView, at: number, seq: number): void {
  frames.setUint32(at + SEQ, seq);
}

/** Taken modulo 2^32, so callers may add without wrapping. */
export function setTcpAck(frames: DataView, at: number, ack: number): void {
  frames.setUint32(at + ACK, ack);
}

/** `lengthBytes` is a multiple of 4 in 20…60. Clears the four reserved bits. */
export function setTcpHeaderLength(frames: DataView, at: number, lengthBytes: number): void {
  frames.setUint8(at + DATA_OFFSET, (lengthBytes >> 2) << 4);
}

export function setTcpFlags(frames: DataView, at: number, flags: number): void {
  frames.setUint8(at + FLAGS, flags);
}

export function setTcpWindow(frames: DataView, at: number, window: number): void {
  frames.setUint16(at + WINDOW, window);
}

export function setTcpChecksum(frames: DataView, at: number, checksum: number): void {
  frames.setUint16(at + CHECKSUM, checksum);
}

export function setTcpUrgent(frames: DataView, at: number, urgent: number): void {
  frames.setUint16(at + URGENT, urgent);
}

/** Flags as tcpdump prints them: `S`, `S.`, `P.`, `F.`, `R`, `.`; `none` when no flag is set. */
export function tcpFlagsText(flags: number): string {
  let text = '';
  for (const [bit, letter] of FLAG_TEXT) if ((flags & bit) !== 0) text += letter;
  return text === '' ? 'none' : text;
}
