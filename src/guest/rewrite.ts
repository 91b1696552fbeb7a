// Changes addresses and ports of a datagram in place and keeps its checksums right by their differences (RFC 1624), so
// that a wrong checksum stays wrong. Also for the datagram quoted inside an ICMP error, which may be cut short.
import * as wire from '../wire/index.ts';

/** What to change; for ICMP echo the identifier is either port. */
export interface Rewrite {
  readonly src?: number;
  readonly dst?: number;
  readonly srcPort?: number;
  readonly dstPort?: number;
}

interface ChecksumField {
  readonly at: number;
  /** Whether it covers the addresses (the pseudo header). */
  readonly coversAddresses: boolean;
  /** UDP: zero would mean "no checksum" (RFC 768). */
  readonly neverZero: boolean;
}

const TCP_CHECKSUM = 16;
const UDP_CHECKSUM = 6;
const ICMP_CHECKSUM = 2;
const DST_PORT = 2;
const ICMP_ID = 4;

/** Rewrites the datagram at `l3`, whose bytes are there up to `end`. Later fragments have no ports to change. */
export function rewriteDatagram(frames: DataView, l3: number, end: number, rewrite: Rewrite): void {
  const protocol = wire.ipv4Protocol(frames, l3);
  const l4 = l3 + wire.ipv4HeaderLength(frames, l3);
  const isFirst = wire.ipv4FragmentOffset(frames, l3) === 0;
  const field = isFirst ? checksumField(frames, protocol, l4, end) : undefined;
  const addressField = field?.coversAddresses === true ? field : undefined;
  if (rewrite.src !== undefined) {
    changeAddress(frames, l3, addressField, wire.ipv4Src(frames, l3), rewrite.src);
    wire.setIpv4Src(frames, l3, rewrite.src);
  }
  if (rewrite.dst !== undefined) {
    changeAddress(frames, l3, addressField, wire.ipv4Dst(frames, l3), rewrite.dst);
    wire.setIpv4Dst(frames, l3, rewrite.dst);
  }
  if (!isFirst) return;
  if (protocol === wire.PROTOCOL_ICMP) {
    const id = rewrite.srcPort ?? rewrite.dstPort;
    if (id !== undefined) changeWord(frames, field, l4 + ICMP_ID, id);
  } else if (protocol === wire.PROTOCOL_TCP || protocol === wire.PROTOCOL_UDP) {
    if (rewrite.srcPort !== undefined) changeWord(frames, field, l4, rewrite.srcPort);
    if (rewrite.dstPort !== undefined) changeWord(frames, field, l4 + DST_PORT, rewrite.dstPort);
  }
}

/** One off the TTL, which the caller has seen to be above 1. */
export function decrementTtl(frames: DataView, l3: number): void {
  const ttl = wire.ipv4Ttl(frames, l3);
  const protocol = wire.ipv4Protocol(frames, l3);
  const checksum = wire.updateChecksum16(
    wire.ipv4Checksum(frames, l3),
    (ttl << 8) | protocol,
    ((ttl - 1) << 8) | protocol,
  );
  wire.setIpv4Ttl(frames, l3, ttl - 1);
  wire.setIpv4Checksum(frames, l3, checksum);
}

/** Undefined when there is no checksum to keep: another protocol, UDP without one, or cut off. */
function checksumField(frames: DataView, protocol: number, l4: number, end: number): ChecksumField | undefined {
  let at = -1;
  if (protocol === wire.PROTOCOL_TCP) at = l4 + TCP_CHECKSUM;
  else if (protocol === wire.PROTOCOL_UDP) at = l4 + UDP_CHECKSUM;
  else if (protocol === wire.PROTOCOL_ICMP) at = l4 + ICMP_CHECKSUM;
  if (at < 0 || at + 2 > end) return undefined;
  if (protocol === wire.PROTOCOL_UDP && frames.getUint16(at) === 0) return undefined;
  return {
    at,
    coversAddresses: protocol !== wire.PROTOCOL_ICMP,
    neverZero: protocol === wire.PROTOCOL_UDP,
  };
}

function changeAddress(
  frames: DataView,
  l3: number,
  field: ChecksumField | undefined,
  before: number,
  after: number,
): void {
  wire.setIpv4Checksum(frames, l3, wire.updateChecksum32(wire.ipv4Checksum(frames, l3), before, after));
  if (field === undefined) return;
  setChecksum(frames, field, wire.updateChecksum32(frames.getUint16(field.at), before, after));
}

function changeWord(frames: DataView, field: ChecksumField | undefined, at: number, after: number): void {
  const before = frames.getUint16(at);
  frames.setUint16(at, after);
  if (field !== undefined) {
    setChecksum(frames, field, wire.updateChecksum16(frames.getUint16(field.at), before, after));
  }
}

function setChecksum(frames: DataView, field: ChecksumField, checksum: number): void {
  frames.setUint16(field.at, field.neverZero ? wire.udpWireChecksum(checksum) : checksum);
}
