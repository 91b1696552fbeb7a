// ARP for IPv4 over Ethernet, RFC 826. `at` is the byte offset of the ARP message, after the Ethernet header.
// Callers have already checked that ARP_LENGTH bytes are there and, for anything but the operation, that
// isIpv4OverEthernetArp() holds: other address kinds have other lengths and the offsets below do not apply.
import { ETHERTYPE_IPV4, readMac, writeMac } from './ethernet.ts';

export const ARP_LENGTH = 28;
export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;

const HARDWARE_TYPE = 0; // u16, 1 = Ethernet
const PROTOCOL_TYPE = 2; // u16, an EtherType
const HARDWARE_LENGTH = 4; // u8
const PROTOCOL_LENGTH = 5; // u8
const OPERATION = 6; // u16
const SENDER_MAC = 8; // u48
const SENDER_IP = 14; // u32
const TARGET_MAC = 18; // u48
const TARGET_IP = 24; // u32

const HARDWARE_ETHERNET = 1;
const MAC_BYTES = 6;
const IPV4_BYTES = 4;

/** Whether the first four fields say 48-bit Ethernet and 32-bit IPv4 addresses. */
export function isIpv4OverEthernetArp(frames: DataView, at: number): boolean {
  return (
    frames.getUint16(at + HARDWARE_TYPE) === HARDWARE_ETHERNET &&
    frames.getUint16(at + PROTOCOL_TYPE) === ETHERTYPE_IPV4 &&
    frames.getUint8(at + HARDWARE_LENGTH) === MAC_BYTES &&
    frames.getUint8(at + PROTOCOL_LENGTH) === IPV4_BYTES
  );
}

/** ARP_REQUEST, ARP_REPLY, or another 16-bit number. */
export function arpOperation(frames: DataView, at: number): number {
  return frames.getUint16(at + OPERATION);
}

export function arpSenderMac(frames: DataView, at: number): number {
  return readMac(frames, at + SENDER_MAC);
}

export function arpSenderIp(frames: DataView, at: number): number {
  return frames.getUint32(at + SENDER_IP);
}

/** Zero in a request: it is what is asked for. */
export function arpTargetMac(frames: DataView, at: number): number {
  return readMac(frames, at + TARGET_MAC);
}

export function arpTargetIp(frames: DataView, at: number): number {
  return frames.getUint32(at + TARGET_IP);
}

/** Writes the first four fields: Ethernet and IPv4 addresses. */
export function setIpv4OverEthernetArp(frames: DataView, at: number): void {
  frames.setUint16(at + HARDWARE_TYPE, HARDWARE_ETHERNET);
  frames.setUint16(at + PROTOCOL_TYPE, ETHERTYPE_IPV4);
  frames.setUint8(at + HARDWARE_LENGTH, MAC_BYTES);
  frames.setUint8(at + PROTOCOL_LENGTH, IPV4_BYTES);
}

export function setArpOperation(frames: DataView, at: number, operation: number): void {
  frames.setUint16(at + OPERATION, operation);
}

export function setArpSenderMac(frames: DataView, at: number, mac: number): void {
  writeMac(frames, at + SENDER_MAC, mac);
}

export function setArpSenderIp(frames: DataView, at: number, address: number): void {
  frames.setUint32(at + SENDER_IP, address);
}

export function setArpTargetMac(frames: DataView, at: number, mac: number): void {
  writeMac(frames, at + TARGET_MAC, mac);
}

export function setArpTargetIp(frames: DataView, at: number, address: number): void {
  frames.setUint32(at + TARGET_IP, address);
}
