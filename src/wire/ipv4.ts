// IPv4 header, RFC 791 section 3.1. `at` is the byte offset of the header in the frame arena.
// checkIpv4Header() is the one check at the edge; every other function here trusts that it returned IPV4_OK
// (or at least that IPV4_HEADER_MIN bytes are there). Lengths and fragment offsets are in bytes, not in words.
import { onesComplementSum } from './sum.ts';

export const IPV4_HEADER_MIN = 20;
export const IPV4_HEADER_MAX = 60;
export const IPV4_TOTAL_LENGTH_MAX = 65535;

export const PROTOCOL_ICMP = 1;
export const PROTOCOL_IPIP = 4;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;
export const PROTOCOL_GRE = 47;
export const PROTOCOL_ESP = 50;
export const PROTOCOL_AH = 51;

export const IPV4_OK = 0;
export const IPV4_TRUNCATED = 1;
export const IPV4_BAD_VERSION = 2;
export const IPV4_BAD_HEADER_LENGTH = 3;
export const IPV4_BAD_TOTAL_LENGTH = 4;
export const IPV4_BAD_CHECKSUM = 5;

/** What checkIpv4Header found: IPV4_OK or the first problem. */
export type Ipv4Problem = 0 | 1 | 2 | 3 | 4 | 5;

export const IPV4_OPTION_END = 0;
export const IPV4_OPTION_NOP = 1;
export const IPV4_OPTION_RECORD_ROUTE = 7;
export const IPV4_OPTION_LOOSE_SOURCE_ROUTE = 131;
export const IPV4_OPTION_STRICT_SOURCE_ROUTE = 137;

const VERSION_AND_HEADER_LENGTH = 0; // version: high nibble; header length: low nibble, in 32-bit words
const TOS = 1; // u8
const TOTAL_LENGTH = 2; // u16
const ID = 4; // u16
const FLAGS_AND_OFFSET = 6; // u16: reserved, DF, MF, 13 bits of offset in units of 8 bytes
const TTL = 8; // u8
const PROTOCOL = 9; // u8
const CHECKSUM = 10; // u16
const SRC = 12; // u32
const DST = 16; // u32

const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;
const OFFSET_MASK = 0x1fff;
const COPIED_FLAG = 0x80;

/**
 * The checks of RFC 1122 section 3.2.1 that need only the header, in this order: length, version, header length,
 * total length, checksum. `available` is the number of bytes from `at` to the end of the frame; a datagram that
 * claims more than that is IPV4_TRUNCATED. Link padding after the datagram is fine.
 */
export function checkIpv4Header(frames: DataView, at: number, available: number): Ipv4Problem {
  if (available < IPV4_HEADER_MIN) return IPV4_TRUNCATED;
  if (ipv4Version(frames, at) !== 4) return IPV4_BAD_VERSION;
  const headerLength = ipv4HeaderLength(frames, at);
  if (headerLength < IPV4_HEADER_MIN) return IPV4_BAD_HEADER_LENGTH;
  const totalLength = ipv4TotalLength(frames, at);
  if (totalLength < headerLength) return IPV4_BAD_TOTAL_LENGTH;
  if (totalLength > available) return IPV4_TRUNCATED;
  return onesComplementSum(frames, at, headerLength) === 0xffff ? IPV4_OK : IPV4_BAD_CHECKSUM;
}

/** 4, or something else in a malformed header. */
export function ipv4Version(frames: DataView, at: number): number {
  return frames.getUint8(at + VERSION_AND_HEADER_LENGTH) >> 4;
}

/** Bytes, options included: 20…60 in a valid header. */
export function ipv4HeaderLength(frames: DataView, at: number): number {
  return (frames.getUint8(at + VERSION_AND_HEADER_LENGTH) & 0x0f) * 4;
}

/** Type of service: DSCP in the high six bits (RFC 2474), ECN in the low two (RFC 3168). */
export function ipv4Tos(frames: DataView, at: number): number {
  return frames.getUint8(at + TOS);
}

/** Bytes of header and data together. */
export function ipv4TotalLength(frames: DataView, at: number): number {
  return frames.getUint16(at + TOTAL_LENGTH);
}

export function ipv4Id(frames: DataView, at: number): number {
  return frames.getUint16(at + ID);
}

/** The three flag bits: 4 reserved, 2 don't fragment, 1 more fragments. */
export function ipv4Flags(frames: DataView, at: number): number {
  return frames.getUint16(at + FLAGS_AND_OFFSET) >> 13;
}

export function ipv4DontFragment(frames: DataView, at: number): boolean {
  return (frames.getUint16(at + FLAGS_AND_OFFSET) & DONT_FRAGMENT) !== 0;
}

export function ipv4MoreFragments(frames: DataView, at: number): boolean {
  return (frames.getUint16(at + FLAGS_AND_OFFSET) & MORE_FRAGMENTS) !== 0;
}

/** Bytes, a multiple of 8. */
export function ipv4FragmentOffset(frames: DataView, at: number): number {
  return (frames.getUint16(at + FLAGS_AND_OFFSET) & OFFSET_MASK) * 8;
}

/** Whether this is a piece of a larger datagram: more fragments follow, or the offset is not zero. */
export function ipv4IsFragment(frames: DataView, at: number): boolean {
  return (frames.getUint16(at + FLAGS_AND_OFFSET) & (MORE_FRAGMENTS | OFFSET_MASK)) !== 0;
}

export function ipv4Ttl(frames: DataView, at: number): number {
  return frames.getUint8(at + TTL);
}

/** One of PROTOCOL_… or another 8-bit number. */
export function ipv4Protocol(frames: DataView, at: number): number {
  return frames.getUint8(at + PROTOCOL);
}

export function ipv4Checksum(frames: DataView, at: number): number {
  return frames.getUint16(at + CHECKSUM);
}

export function ipv4Src(frames: DataView, at: number): number {
  return frames.getUint32(at + SRC);
}

export function ipv4Dst(frames: DataView, at: number): number {
  return frames.getUint32(at + DST);
}

export function setIpv4Version(frames: DataView, at: number, version: number): void {
  const lengthNibble = frames.getUint8(at + VERSION_AND_HEADER_LENGTH) & 0x0f;
  frames.setUint8(at + VERSION_AND_HEADER_LENGTH, (version << 4) | lengthNibble);
}

/** `lengthBytes` is a multiple of 4 in 20…60. */
export function setIpv4HeaderLength(frames: DataView, at: number, lengthBytes: number): void {
  const versionNibble = frames.getUint8(at + VERSION_AND_HEADER_LENGTH) & 0xf0;
  frames.setUint8(at + VERSION_AND_HEADER_LENGTH, versionNibble | (lengthBytes >> 2));
}

export function setIpv4Tos(frames: DataView, at: number, tos: number): void {
  frames.setUint8(at + TOS, tos);
}

export function setIpv4TotalLength(frames: DataView, at: number, lengthBytes: number): void {
  frames.setUint16(at + TOTAL_LENGTH, lengthBytes);
}

export function setIpv4Id(frames: DataView, at: number, id: number): void {
  frames.setUint16(at + ID, id);
}

/** All three flag bits at once, as ipv4Flags reads them; the offset stays. */
export function setIpv4Flags(frames: DataView, at: number, flags: number): void {
  const offset = frames.getUint16(at + FLAGS_AND_OFFSET) & OFFSET_MASK;
  frames.setUint16(at + FLAGS_AND_OFFSET, (flags << 13) | offset);
}

export function setIpv4DontFragment(frames: DataView, at: number, on: boolean): void {
  const others = frames.getUint16(at + FLAGS_AND_OFFSET) & ~DONT_FRAGMENT;
  frames.setUint16(at + FLAGS_AND_OFFSET, on ? others | DONT_FRAGMENT : others);
}

export function setIpv4MoreFragments(frames: DataView, at: number, on: boolean): void {
  const others = frames.getUint16(at + FLAGS_AND_OFFSET) & ~MORE_FRAGMENTS;
  frames.setUint16(at + FLAGS_AND_OFFSET, on ? others | MORE_FRAGMENTS : others);
}

/** `offsetBytes` is a multiple of 8 in 0…65528; the flags stay. */
export function setIpv4FragmentOffset(frames: DataView, at: number, offsetBytes: number): void {
  const flags = frames.getUint16(at + FLAGS_AND_OFFSET) & ~OFFSET_MASK;
  frames.setUint16(at + FLAGS_AND_OFFSET, flags | (offsetBytes >> 3));
}

export function setIpv4Ttl(frames: DataView, at: number, ttl: number): void {
  frames.setUint8(at + TTL, ttl);
}

export function setIpv4Protocol(frames: DataView, at: number, protocol: number): void {
  frames.setUint8(at + PROTOCOL, protocol);
}

export function setIpv4Checksum(frames: DataView, at: number, checksum: number): void {
  frames.setUint16(at + CHECKSUM, checksum);
}

export function setIpv4Src(frames: DataView, at: number, address: number): void {
  frames.setUint32(at + SRC, address);
}

export function setIpv4Dst(frames: DataView, at: number, address: number): void {
  frames.setUint32(at + DST, address);
}

/** One IPv4 option; `at` is the byte offset of its type, `length` counts type, length and data. */
export interface Ipv4Option {
  readonly type: number;
  /** Whether the option is repeated in every fragment (the high bit of the type). */
  readonly copied: boolean;
  readonly at: number;
  readonly length: number;
}

/**
 * The options in order, without End and No-Operation. Stops at the first malformed option, at the end of the
 * header and at the end of `frames`; never throws. Allocates: not for the hit path.
 */
export function ipv4Options(frames: DataView, at: number): Ipv4Option[] {
  const options: Ipv4Option[] = [];
  const end = Math.min(at + ipv4HeaderLength(frames, at), frames.byteLength);
  let next = at + IPV4_HEADER_MIN;
  while (next < end) {
    const type = frames.getUint8(next);
    if (type === IPV4_OPTION_END) break;
    if (type === IPV4_OPTION_NOP) {
      next += 1;
      continue;
    }
    const length = next + 1 < end ? frames.getUint8(next + 1) : 0;
    if (length < 2 || next + length > end) break;
    options.push({ type, copied: (type & COPIED_FLAG) !== 0, at: next, length });
    next += length;
  }
  return options;
}
