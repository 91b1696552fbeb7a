// A loaded program as ready-to-index tables. A worker swaps them between two batches. What the hit path reads per
// packet stands apart in `hot`, an array that outlives programs and is overwritten at the switch.

import { ATTACHMENT, ATTACHMENT_TAP, ENDPOINT_TAP, OWNER, type Program } from '../abi/program.ts';
import { AddressMap } from './address-map.ts';

/** Words per attachment of the hot table. */
export const HOT_WORDS = 8;
/** The Ethernet header that the guest gets, as the hit path writes it over the first four words of a frame: MAC bytes
 * 0-1 in the high half (the low half lies before the frame), bytes 2-5; the fabric's MAC, and EtherType IPv4. */
export const HOT_MAC_HIGH = 0;
export const HOT_MAC_LOW = 1;
export const HOT_FABRIC_HIGH = 2;
export const HOT_FABRIC_LOW = 3;
export const HOT_GENERATION = 4;
export const HOT_IDLE_MS = 5;
/** Largest frame to and from the guest, bytes. */
export const HOT_FRAME_MAX = 6;

/** 12:34:56:78 and 9a:bc with EtherType 0x0800, as little-endian loads (WIRE-2). */
const FABRIC_HIGH = 0x78563412;
const FABRIC_LOW_IPV4 = 0x0008bc9a;

export interface Tables {
  readonly program: Program;
  /** (network, address) -> owner: reference << 2 | OWNER. */
  readonly owners: AddressMap;
  /** (0, public address) -> row of program.publicIps. */
  readonly publicIps: AddressMap;
  /** from * networks + to -> 1 peered, 3 peered and forwarded traffic accepted; absent: not peered. */
  readonly peers: ReadonlyMap<number, number>;
  /** (network, address) of configured DNS servers -> 1. */
  readonly dnsServers: AddressMap;
  /** Endpoint whose service side an attachment is, -1 for others. */
  readonly endpointOfProvider: Int32Array;
  readonly attachmentCount: number;
  /** 1 where a point of an attachment, or of the endpoint it serves, is captured. */
  readonly tapped: Uint8Array;
}

/** Tables of a checked program. */
export function buildTables(program: Program): Tables {
  const owners = new AddressMap(program.owners.vnet.length);
  for (let i = 0; i < program.owners.vnet.length; i++) {
    const value = (program.owners.ref[i] << 2) | program.owners.kind[i];
    owners.set(program.owners.vnet[i], program.owners.address[i], value);
  }
  const publicIps = new AddressMap(program.publicIps.address.length);
  for (let i = 0; i < program.publicIps.address.length; i++) publicIps.set(0, program.publicIps.address[i], i);
  const peers = new Map<number, number>();
  for (let i = 0; i < program.vnets.peerFrom.length; i++) {
    const key = program.vnets.peerFrom[i] * program.vnets.count + program.vnets.peerTo[i];
    peers.set(key, program.vnets.peerForwarded[i] === 0 ? 1 : 3);
  }
  const dnsServers = new AddressMap(program.vnets.dnsVnet.length);
  for (let i = 0; i < program.vnets.dnsVnet.length; i++) {
    dnsServers.set(program.vnets.dnsVnet[i], program.vnets.dnsAddress[i], 1);
  }
  const attachmentCount = program.attachments.kind.length;
  const endpointOfProvider = new Int32Array(attachmentCount).fill(-1);
  program.endpoints.provider.forEach((attachment, endpoint) => {
    endpointOfProvider[attachment] = endpoint;
  });
  const tapped = new Uint8Array(attachmentCount);
  for (let a = 0; a < attachmentCount; a++) {
    const endpoint = endpointOfProvider[a];
    const isOwn = (program.attachments.flags[a] & ATTACHMENT_TAP) !== 0;
    const isEndpoint = endpoint >= 0 && (program.endpoints.flags[endpoint] & ENDPOINT_TAP) !== 0;
    tapped[a] = isOwn || isEndpoint ? 1 : 0;
  }
  return { program, owners, publicIps, peers, dnsServers, endpointOfProvider, attachmentCount, tapped };
}

/** Overwrites the hot table with a program's facts. */
export function loadHot(hot: Int32Array, tables: Tables): void {
  const { attachments, endpoints } = tables.program;
  if (tables.attachmentCount * HOT_WORDS > hot.length) {
    throw new Error(`${tables.attachmentCount} attachments do not fit ${hot.length / HOT_WORDS} rows`);
  }
  hot.fill(0);
  for (let a = 0; a < tables.attachmentCount; a++) {
    const row = a * HOT_WORDS;
    const mac = attachments.macLow[a];
    const endpoint = tables.endpointOfProvider[a];
    hot[row + HOT_GENERATION] = attachments.generation[a];
    hot[row + HOT_MAC_HIGH] = swap16(attachments.macHigh[a]) << 16;
    hot[row + HOT_MAC_LOW] = swap32(mac);
    hot[row + HOT_FABRIC_HIGH] = FABRIC_HIGH;
    hot[row + HOT_FABRIC_LOW] = FABRIC_LOW_IPV4;
    hot[row + HOT_IDLE_MS] = endpoint < 0 ? attachments.idleMs[a] : endpoints.idleMs[endpoint];
    hot[row + HOT_FRAME_MAX] = attachments.mtu[a] + 14;
  }
}

/** 1 for each attachment that is there in one program and gone in the next; undefined when there is none. */
export function goneSince(before: Program, after: Program): Uint8Array | undefined {
  const { kind } = before.attachments;
  const gone = new Uint8Array(kind.length);
  for (let a = 0; a < kind.length; a++) {
    const isGone = (after.attachments.kind[a] ?? ATTACHMENT.gone) === ATTACHMENT.gone;
    if (isGone && kind[a] !== ATTACHMENT.gone) gone[a] = 1;
  }
  return gone.includes(1) ? gone : undefined;
}

/** Attachment that owns an address in a network, or -1 (also for endpoints). */
export function ownerAttachment(tables: Tables, network: number, address: number): number {
  const owner = tables.owners.get(network, address);
  return owner < 0 || (owner & 3) !== OWNER.attachment ? -1 : owner >> 2;
}

/** True when `from` may send into `to`: the same network, or a Connected peering (PEER-1). */
export function areConnected(tables: Tables, from: number, to: number): boolean {
  return from === to || tables.peers.has(from * tables.program.vnets.count + to);
}

/** True when a network's address space holds an address. */
export function inAddressSpace(tables: Tables, network: number, address: number): boolean {
  const { rangeVnet, rangeFirst, rangeLast } = tables.program.vnets;
  const unsigned = address >>> 0;
  for (let i = 0; i < rangeVnet.length; i++) {
    if (rangeVnet[i] === network && unsigned >= rangeFirst[i] >>> 0 && unsigned <= rangeLast[i] >>> 0) return true;
  }
  return false;
}

/** True for attachments whose deliveries count as exits. */
export function isExit(kind: number): boolean {
  return kind >= ATTACHMENT.internet;
}

/** Byte order of a 32-bit word. */
export function swap32(x: number): number {
  return (x << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24);
}

/** Byte order of a 16-bit value. */
export function swap16(x: number): number {
  return ((x & 0xff) << 8) | ((x >>> 8) & 0xff);
}
