// Internet checksums: RFC 1071 in full, RFC 1624 incrementally for address and port translation.
// UDP (RFC 768) differs in one point: zero on the wire means "no checksum", so a computed zero is sent as 0xffff
// (the same value in one's complement) and a zero must never be updated: whoever rewrites a UDP header checks
// for zero first and passes the result of an update through udpWireChecksum().
import { ICMP_HEADER } from './icmp.ts';
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from './ipv4.ts';
import { ipv4Dst, ipv4HeaderLength, ipv4IsFragment, ipv4Protocol, ipv4Src, ipv4TotalLength } from './ipv4.ts';
import { foldSum, onesComplementSum } from './sum.ts';
import { TCP_HEADER_MIN } from './tcp.ts';
import { UDP_HEADER, udpChecksum, udpLength } from './udp.ts';

export { foldSum, onesComplementSum } from './sum.ts';

const TCP_CHECKSUM = 16; // offsets of the checksum field in each header
const UDP_CHECKSUM = 6;
const ICMP_CHECKSUM = 2;

/** The complement of onesComplementSum: what goes into a header whose checksum field was zero. */
export function internetChecksum(frames: DataView, at: number, length: number, initial = 0): number {
  return ~onesComplementSum(frames, at, length, initial) & 0xffff;
}

/** Folded sum of the pseudo header of TCP and UDP (RFC 9293 section 3.1, RFC 768); `length` of the segment in bytes. */
export function pseudoHeaderSum(src: number, dst: number, protocol: number, length: number): number {
  return foldSum((src >>> 16) + (src & 0xffff) + (dst >>> 16) + (dst & 0xffff) + protocol + length);
}

/**
 * The checksum that belongs into the TCP, UDP or ICMP header at `l4`, whatever is in the field now. `l4Length` is
 * header and payload in bytes, at least the protocol's header. For UDP the result is never 0 (see above).
 * Throws RangeError for other protocols and for a header cut short.
 */
export function transportChecksum(frames: DataView, l3: number, l4: number, l4Length: number): number {
  const protocol = ipv4Protocol(frames, l3);
  if (protocol === PROTOCOL_ICMP) return checksumAround(frames, l4, l4Length, ICMP_CHECKSUM, 0);
  const pseudo = pseudoHeaderSum(ipv4Src(frames, l3), ipv4Dst(frames, l3), protocol, l4Length);
  if (protocol === PROTOCOL_TCP) return checksumAround(frames, l4, l4Length, TCP_CHECKSUM, pseudo);
  if (protocol === PROTOCOL_UDP) return udpWireChecksum(checksumAround(frames, l4, l4Length, UDP_CHECKSUM, pseudo));
  throw new RangeError(`protocol ${protocol} has no transport checksum`);
}

/** Whether the header checksum is right. The header length must be inside `frames` (see checkIpv4Header). */
export function verifyIpv4Checksum(frames: DataView, l3: number): boolean {
  return onesComplementSum(frames, l3, ipv4HeaderLength(frames, l3)) === 0xffff;
}

/**
 * Whether the checksum of the TCP, UDP or ICMP message in the datagram at `l3` is right. True where nothing can be
 * said: fragments, other protocols, UDP without checksum. False when the message is too short for its header or its
 * lengths contradict each other.
 */
export function verifyTransportChecksum(frames: DataView, l3: number): boolean {
  if (ipv4IsFragment(frames, l3)) return true;
  const protocol = ipv4Protocol(frames, l3);
  const l4 = l3 + ipv4HeaderLength(frames, l3);
  const length = l3 + ipv4TotalLength(frames, l3) - l4;
  if (l4 + length > frames.byteLength) return false;
  if (protocol === PROTOCOL_UDP) return verifyUdp(frames, l3, l4, length);
  if (protocol === PROTOCOL_ICMP) return length >= ICMP_HEADER && onesComplementSum(frames, l4, length) === 0xffff;
  if (protocol !== PROTOCOL_TCP) return true;
  if (length < TCP_HEADER_MIN) return false;
  const pseudo = pseudoHeaderSum(ipv4Src(frames, l3), ipv4Dst(frames, l3), PROTOCOL_TCP, length);
  return onesComplementSum(frames, l4, length, pseudo) === 0xffff;
}

/**
 * The checksum after one 16-bit word that it covers changed from `oldWord` to `newWord`: RFC 1624 equation 3,
 * HC' = ~(~HC + ~m + m'). Equal to a full computation unless all covered words become zero, which no IPv4, TCP or
 * UDP header can.
 */
export function updateChecksum16(checksum: number, oldWord: number, newWord: number): number {
  return ~foldSum((~checksum & 0xffff) + (~oldWord & 0xffff) + newWord) & 0xffff;
}

/** updateChecksum16 for an aligned 32-bit field, such as an address or a sequence number. */
export function updateChecksum32(checksum: number, oldValue: number, newValue: number): number {
  const removed = (~oldValue >>> 16) + (~oldValue & 0xffff);
  const added = (newValue >>> 16) + (newValue & 0xffff);
  return ~foldSum((~checksum & 0xffff) + removed + added) & 0xffff;
}

/** What UDP puts on the wire for a computed checksum: 0 becomes 0xffff (RFC 768). */
export function udpWireChecksum(checksum: number): number {
  return checksum === 0 ? 0xffff : checksum;
}

function verifyUdp(frames: DataView, l3: number, l4: number, available: number): boolean {
  if (available < UDP_HEADER) return false;
  const length = udpLength(frames, l4);
  if (length < UDP_HEADER || length > available) return false;
  if (udpChecksum(frames, l4) === 0) return true;
  const pseudo = pseudoHeaderSum(ipv4Src(frames, l3), ipv4Dst(frames, l3), PROTOCOL_UDP, length);
  return onesComplementSum(frames, l4, length, pseudo) === 0xffff;
}

/** Checksum of `length` bytes from `at`, with the 16-bit field at `at + field` (an even offset) taken as zero. */
function checksumAround(frames: DataView, at: number, length: number, field: number, initial: number): number {
  if (length < field + 2) throw new RangeError(`${length} bytes end before the checksum field at ${field}`);
  const before = onesComplementSum(frames, at, field, initial);
  return internetChecksum(frames, at + field + 2, length - field - 2, before);
}
