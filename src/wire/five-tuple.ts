// The five-tuple that names a flow: read it from a datagram, reverse it, print it, hash it.
// `l3` is the byte offset of an IPv4 header that the caller has checked (checkIpv4Header, or the same minus the
// total length for the header quoted inside an ICMP error).
// ICMP echo has no ports: its identifier stands for both, so that a reply is the exact reverse of its request.
import { formatIpv4 } from './address.ts';
import { icmpId, icmpType, isIcmpEcho } from './icmp.ts';
import { PROTOCOL_AH, PROTOCOL_ESP, PROTOCOL_GRE, PROTOCOL_ICMP, PROTOCOL_IPIP } from './ipv4.ts';
import { PROTOCOL_TCP, PROTOCOL_UDP } from './ipv4.ts';
import { ipv4Dst, ipv4FragmentOffset, ipv4HeaderLength, ipv4Protocol, ipv4Src, ipv4TotalLength } from './ipv4.ts';

/** Addresses are unsigned 32-bit numbers; ports are 0 where the protocol has none. */
export interface FiveTuple {
  readonly protocol: number;
  readonly src: number;
  readonly dst: number;
  readonly srcPort: number;
  readonly dstPort: number;
}

const PORTS_BYTES = 4; // both ports of TCP and UDP
const ECHO_BYTES = 6; // type, code, checksum, identifier

const PROTOCOL_NAMES: ReadonlyMap<number, string> = new Map([
  [PROTOCOL_ICMP, 'icmp'],
  [PROTOCOL_IPIP, 'ipip'],
  [PROTOCOL_TCP, 'tcp'],
  [PROTOCOL_UDP, 'udp'],
  [PROTOCOL_GRE, 'gre'],
  [PROTOCOL_ESP, 'esp'],
  [PROTOCOL_AH, 'ah'],
]);

/**
 * Five-tuple of the datagram at `l3`; undefined when it does not carry one: a fragment other than the first, or a
 * transport header cut short. ICMP other than echo, ESP, AH and the rest have ports 0. Reads only inside `frames`.
 */
export function readFiveTuple(frames: DataView, l3: number): FiveTuple | undefined {
  if (ipv4FragmentOffset(frames, l3) !== 0) return undefined;
  const protocol = ipv4Protocol(frames, l3);
  const src = ipv4Src(frames, l3);
  const dst = ipv4Dst(frames, l3);
  const l4 = l3 + ipv4HeaderLength(frames, l3);
  const available = Math.min(l3 + ipv4TotalLength(frames, l3), frames.byteLength) - l4;
  if (protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP) {
    if (available < PORTS_BYTES) return undefined;
    return { protocol, src, dst, srcPort: frames.getUint16(l4), dstPort: frames.getUint16(l4 + 2) };
  }
  if (protocol === PROTOCOL_ICMP) {
    if (available < ECHO_BYTES) return undefined;
    const id = isIcmpEcho(icmpType(frames, l4)) ? icmpId(frames, l4) : 0;
    return { protocol, src, dst, srcPort: id, dstPort: id };
  }
  return { protocol, src, dst, srcPort: 0, dstPort: 0 };
}

/** The five-tuple of the other direction. */
export function reverseFiveTuple(tuple: FiveTuple): FiveTuple {
  return {
    protocol: tuple.protocol,
    src: tuple.dst,
    dst: tuple.src,
    srcPort: tuple.dstPort,
    dstPort: tuple.srcPort,
  };
}

/** `tcp 10.0.0.4:50000 > 10.0.1.5:1433`; `icmp 10.0.0.4 > 10.0.1.5 id 7`; `esp 10.0.0.4 > 10.0.1.5`. */
export function formatFiveTuple(tuple: FiveTuple): string {
  const { protocol, srcPort, dstPort } = tuple;
  const src = formatIpv4(tuple.src);
  const dst = formatIpv4(tuple.dst);
  const name = protocolName(protocol);
  if (protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP) return `${name} ${src}:${srcPort} > ${dst}:${dstPort}`;
  if (protocol === PROTOCOL_ICMP && srcPort !== 0) return `${name} ${src} > ${dst} id ${srcPort}`;
  return `${name} ${src} > ${dst}`;
}

/** `tcp`, `udp`, `icmp`, …, or `proto-47`-like text for the rest. */
export function protocolName(protocol: number): string {
  return PROTOCOL_NAMES.get(protocol) ?? `proto-${protocol}`;
}

/**
 * Unsigned 32-bit hash with the same value for a five-tuple and its reverse. Each end is mixed on its own, the two
 * are added (which forgets their order), and the sum is mixed again, so that address plans with few changing bits
 * still spread over any power-of-two number of buckets. Not keyed: no defence against chosen collisions.
 */
export function hashFiveTuple(protocol: number, src: number, dst: number, srcPort: number, dstPort: number): number {
  let hash = (mixEnd(src, srcPort) + mixEnd(dst, dstPort) + Math.imul(protocol, 0x9e3779b1)) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** One end to 32 mixed bits; the address is mixed before the port joins, so that near ends do not cancel out. */
function mixEnd(address: number, port: number): number {
  let mixed = Math.imul(address ^ (address >>> 16), 0x85ebca6b);
  mixed = Math.imul((mixed ^ (mixed >>> 13)) + port, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
