// ICMP header, RFC 792. `at` is the byte offset of the header in the frame arena.
// Bytes 4 to 7 mean different things for different types: identifier and sequence (echo), next-hop MTU
// (fragmentation needed, RFC 1191), pointer, gateway. icmpRest() reads them as one number.
// Callers have already checked that ICMP_HEADER bytes are there.

export const ICMP_HEADER = 8;

export const ICMP_ECHO_REPLY = 0;
export const ICMP_UNREACHABLE = 3;
export const ICMP_SOURCE_QUENCH = 4;
export const ICMP_REDIRECT = 5;
export const ICMP_ECHO_REQUEST = 8;
export const ICMP_TIME_EXCEEDED = 11;
export const ICMP_PARAMETER_PROBLEM = 12;

// Codes of ICMP_UNREACHABLE.
export const ICMP_NET_UNREACHABLE = 0;
export const ICMP_HOST_UNREACHABLE = 1;
export const ICMP_PROTOCOL_UNREACHABLE = 2;
export const ICMP_PORT_UNREACHABLE = 3;
export const ICMP_FRAGMENTATION_NEEDED = 4;
export const ICMP_ADMIN_PROHIBITED = 13;

const TYPE = 0; // u8
const CODE = 1; // u8
const CHECKSUM = 2; // u16
const REST = 4; // u32, or the following two
const ID = 4; // u16
const SEQUENCE = 6; // u16
const NEXT_HOP_MTU = 6; // u16

/** Whether messages of this type quote the datagram that caused them (RFC 1122 section 3.2.2). */
export function isIcmpError(type: number): boolean {
  return (
    type === ICMP_UNREACHABLE ||
    type === ICMP_SOURCE_QUENCH ||
    type === ICMP_REDIRECT ||
    type === ICMP_TIME_EXCEEDED ||
    type === ICMP_PARAMETER_PROBLEM
  );
}

/** Whether the type is echo request or echo reply, the two whose identifier names a flow. */
export function isIcmpEcho(type: number): boolean {
  return type === ICMP_ECHO_REQUEST || type === ICMP_ECHO_REPLY;
}

export function icmpType(frames: DataView, at: number): number {
  return frames.getUint8(at + TYPE);
}

export function icmpCode(frames: DataView, at: number): number {
  return frames.getUint8(at + CODE);
}

export function icmpChecksum(frames: DataView, at: number): number {
  return frames.getUint16(at + CHECKSUM);
}

/** Echo only. */
export function icmpId(frames: DataView, at: number): number {
  return frames.getUint16(at + ID);
}

/** Echo only. */
export function icmpSequence(frames: DataView, at: number): number {
  return frames.getUint16(at + SEQUENCE);
}

/** Unreachable with code ICMP_FRAGMENTATION_NEEDED only (RFC 1191 section 4); 0 from routers older than that. */
export function icmpNextHopMtu(frames: DataView, at: number): number {
  return frames.getUint16(at + NEXT_HOP_MTU);
}

/** Bytes 4 to 7 as an unsigned 32-bit number. */
export function icmpRest(frames: DataView, at: number): number {
  return frames.getUint32(at + REST);
}

export function setIcmpType(frames: DataView, at: number, type: number): void {
  frames.setUint8(at + TYPE, type);
}

export function setIcmpCode(frames: DataView, at: number, code: number): void {
  frames.setUint8(at + CODE, code);
}

export function setIcmpChecksum(frames: DataView, at: number, checksum: number): void {
  frames.setUint16(at + CHECKSUM, checksum);
}

export function setIcmpId(frames: DataView, at: number, id: number): void {
  frames.setUint16(at + ID, id);
}

export function setIcmpSequence(frames: DataView, at: number, sequence: number): void {
  frames.setUint16(at + SEQUENCE, sequence);
}

export function setIcmpNextHopMtu(frames: DataView, at: number, mtu: number): void {
  frames.setUint16(at + NEXT_HOP_MTU, mtu);
}

export function setIcmpRest(frames: DataView, at: number, rest: number): void {
  frames.setUint32(at + REST, rest);
}
