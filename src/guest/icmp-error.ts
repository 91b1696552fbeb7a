// ICMP errors as a host understands them: what is said about which packet of ours, and by whom (RFC 792, RFC 1191).
import * as wire from '../wire/index.ts';

/** `refused`: the destination itself has no such port or protocol. `unreachable`: somebody on the way says so. */
export type IcmpErrorKind = 'refused' | 'unreachable' | 'fragmentationNeeded' | 'timeExceeded' | 'other';

export interface IcmpErrorReport {
  readonly kind: IcmpErrorKind;
  readonly type: number;
  readonly code: number;
  /** Who reports. */
  readonly from: number;
  /** TTL of the error as it arrived. */
  readonly receivedTtl: number;
  /** Bytes; 0 except for `fragmentationNeeded`. */
  readonly nextHopMtu: number;
  /** The packet that the error is about, as we sent it. */
  readonly quoted: wire.FiveTuple;
  /** TCP sequence number of that packet. */
  readonly quotedSeq?: number;
  /** Sequence number of an echo request. */
  readonly quotedEcho?: number;
  /** Where the quoted IPv4 header starts in the frame. */
  readonly quotedAt: number;
}

/** Reads the ICMP error at `l4` of an IPv4 frame; undefined when it is none, or does not quote enough of a packet. */
export function readIcmpError(frames: DataView, l3: number, l4: number): IcmpErrorReport | undefined {
  const type = wire.icmpType(frames, l4);
  const quotedAt = l4 + wire.ICMP_HEADER;
  const end = l3 + wire.ipv4TotalLength(frames, l3);
  if (!wire.isIcmpError(type) || end - quotedAt < wire.IPV4_HEADER_MIN) return undefined;
  const headerLength = wire.ipv4HeaderLength(frames, quotedAt);
  const quotedL4 = quotedAt + headerLength;
  // RFC 792: at least the header and 64 bits of the data.
  if (headerLength < wire.IPV4_HEADER_MIN || quotedL4 + wire.ICMP_HEADER > end) return undefined;
  const quoted = wire.readFiveTuple(frames, quotedAt);
  if (quoted === undefined) return undefined;
  const code = wire.icmpCode(frames, l4);
  const kind = kindOf(type, code);
  return {
    kind,
    type,
    code,
    from: wire.ipv4Src(frames, l3),
    receivedTtl: wire.ipv4Ttl(frames, l3),
    nextHopMtu: kind === 'fragmentationNeeded' ? wire.icmpNextHopMtu(frames, l4) : 0,
    quoted,
    ...(quoted.protocol === wire.PROTOCOL_TCP ? { quotedSeq: wire.tcpSeq(frames, quotedL4) } : {}),
    ...(quoted.protocol === wire.PROTOCOL_ICMP ? { quotedEcho: wire.icmpSequence(frames, quotedL4) } : {}),
    quotedAt,
  };
}

/**
 * Whether an ICMP error may be sent about this IPv4 frame (RFC 1122 section 3.2.2): not about another error, not about
 * a fragment other than the first, not about a packet to or from something that is not one host.
 */
export function mayReportError(frames: DataView, l3: number): boolean {
  if (wire.ipv4FragmentOffset(frames, l3) !== 0) return false;
  if (wire.ipv4Dst(frames, l3) >= MULTICAST_FIRST || wire.ipv4Src(frames, l3) >= MULTICAST_FIRST) return false;
  if (wire.ipv4Src(frames, l3) === 0) return false;
  if (wire.ipv4Protocol(frames, l3) !== wire.PROTOCOL_ICMP) return true;
  return wire.isIcmpEcho(wire.icmpType(frames, l3 + wire.ipv4HeaderLength(frames, l3)));
}

/** 224.0.0.0: multicast, reserved and broadcast addresses start here. */
export const MULTICAST_FIRST = 0xe0000000;

function kindOf(type: number, code: number): IcmpErrorKind {
  if (type === wire.ICMP_TIME_EXCEEDED) return 'timeExceeded';
  if (type !== wire.ICMP_UNREACHABLE) return 'other';
  if (code === wire.ICMP_FRAGMENTATION_NEEDED) return 'fragmentationNeeded';
  const refused = code === wire.ICMP_PORT_UNREACHABLE || code === wire.ICMP_PROTOCOL_UNREACHABLE;
  return refused ? 'refused' : 'unreachable';
}
