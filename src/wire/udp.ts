// UDP header, RFC 768. `at` is the byte offset of the header in the frame arena.
// Callers have already checked that UDP_HEADER bytes are there.
// A checksum of zero means that the sender computed none; see checksum.ts before changing one.

export const UDP_HEADER = 8;

const SRC_PORT = 0; // u16
const DST_PORT = 2; // u16
const LENGTH = 4; // u16
const CHECKSUM = 6; // u16

export function udpSrcPort(frames: DataView, at: number): number {
  return frames.getUint16(at + SRC_PORT);
}

export function udpDstPort(frames: DataView, at: number): number {
  return frames.getUint16(at + DST_PORT);
}

/** Bytes of header and payload together, at least 8 in a valid datagram. */
export function udpLength(frames: DataView, at: number): number {
  return frames.getUint16(at + LENGTH);
}

export function udpChecksum(frames: DataView, at: number): number {
  return frames.getUint16(at + CHECKSUM);
}

export function setUdpSrcPort(frames: DataView, at: number, port: number): void {
  frames.setUint16(at + SRC_PORT, port);
}

export function setUdpDstPort(frames: DataView, at: number, port: number): void {
  frames.setUint16(at + DST_PORT, port);
}

export function setUdpLength(frames: DataView, at: number, lengthBytes: number): void {
  frames.setUint16(at + LENGTH, lengthBytes);
}

export function setUdpChecksum(frames: DataView, at: number, checksum: number): void {
  frames.setUint16(at + CHECKSUM, checksum);
}
