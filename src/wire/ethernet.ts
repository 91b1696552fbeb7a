// Ethernet II header (IEEE 802.3, RFC 894): destination, source, EtherType. No VLAN tags.
// `at` is the byte offset of the header in the frame arena; MAC addresses are numbers below 2^48.
// Callers have already checked that ETHERNET_HEADER bytes are there.

export const ETHERNET_HEADER = 14;
export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_IPV6 = 0x86dd;
export const BROADCAST_MAC = 0xffffffffffff;

const DST = 0; // u48
const SRC = 6; // u48
const TYPE = 12; // u16
const TWO_TO_32 = 0x100000000;

/** Destination MAC. */
export function ethernetDst(frames: DataView, at: number): number {
  return readMac(frames, at + DST);
}

/** Source MAC. */
export function ethernetSrc(frames: DataView, at: number): number {
  return readMac(frames, at + SRC);
}

/** EtherType, one of ETHERTYPE_… or anything else. */
export function ethernetType(frames: DataView, at: number): number {
  return frames.getUint16(at + TYPE);
}

export function setEthernetDst(frames: DataView, at: number, mac: number): void {
  writeMac(frames, at + DST, mac);
}

export function setEthernetSrc(frames: DataView, at: number, mac: number): void {
  writeMac(frames, at + SRC, mac);
}

export function setEthernetType(frames: DataView, at: number, etherType: number): void {
  frames.setUint16(at + TYPE, etherType);
}

/** Six bytes at `at` as a number; also used for the addresses inside ARP. */
export function readMac(frames: DataView, at: number): number {
  return frames.getUint16(at) * TWO_TO_32 + frames.getUint32(at + 2);
}

/** Inverse of readMac; `mac` is an integer in 0…2^48-1. */
export function writeMac(frames: DataView, at: number, mac: number): void {
  frames.setUint16(at, Math.floor(mac / TWO_TO_32));
  frames.setUint32(at + 2, mac % TWO_TO_32);
}
