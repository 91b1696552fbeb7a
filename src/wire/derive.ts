// Frames made from other frames: the fragments of a datagram (RFC 791 section 3.2) and the ICMP error about it
// (RFC 792, RFC 1812 section 4.3). For guests and tests; the fabric itself never fragments.
import { buildFrame, viewOf } from './build-ipv4.ts';
import { internetChecksum } from './checksum.ts';
import { ETHERNET_HEADER, ETHERTYPE_IPV4, ethernetDst, ethernetSrc, ethernetType } from './ethernet.ts';
import * as ipv4 from './ipv4.ts';

export interface IcmpErrorSpec {
  readonly type: number;
  readonly code: number;
  /** Bytes 4 to 7, for example the next-hop MTU of ICMP_FRAGMENTATION_NEEDED. Default 0. */
  readonly rest?: number | undefined;
  /** Address of who reports. */
  readonly from: number;
  /** Default: the MAC address that the offending frame was sent to, and the one it came from. */
  readonly srcMac?: number | undefined;
  readonly dstMac?: number | undefined;
  /** Default 64. */
  readonly ttl?: number | undefined;
}

const ICMP_ERROR_MAX = 576; // bytes of the whole datagram, RFC 1812 section 4.3.2.3
const ERROR_HEADERS = ipv4.IPV4_HEADER_MIN + 8;

/**
 * Splits an IPv4 frame so that no datagram is longer than `mtu` bytes (the Ethernet header does not count). A frame
 * that fits comes back alone, as a copy; a fragment may be split again. Options without the copy bit stay in the first
 * fragment. Throws RangeError when the frame is not valid IPv4, must not be fragmented, or `mtu` has no room for 8
 * bytes of data.
 */
export function fragmentFrame(frame: Uint8Array, mtu: number): Uint8Array[] {
  const frames = viewOf(frame);
  checkIpv4Frame(frames);
  const l3 = ETHERNET_HEADER;
  const end = l3 + ipv4.ipv4TotalLength(frames, l3);
  if (end - l3 <= mtu) return [frame.slice(0, end)];
  if (ipv4.ipv4DontFragment(frames, l3)) throw new RangeError('the frame is longer than the MTU but has DF set');

  const fragments: Uint8Array[] = [];
  const dataStart = l3 + ipv4.ipv4HeaderLength(frames, l3);
  let header: Uint8Array = frame.slice(0, dataStart);
  let next = dataStart;
  while (next < end) {
    const room = mtu - (header.length - l3);
    if (room < 8) throw new RangeError(`an MTU of ${mtu} has no room for a header and 8 bytes of data`);
    const isLast = end - next <= room;
    const length = isLast ? end - next : room - (room % 8);
    fragments.push(makeFragment(frames, header, frame.subarray(next, next + length), next - dataStart, isLast));
    next += length;
    if (fragments.length === 1) header = headerOfLaterFragments(frames, frame);
  }
  return fragments;
}

/**
 * The ICMP error about `offending`, addressed to its source. Quotes as much of the datagram as fits in 576 bytes
 * (at least its header and 8 bytes, if it has them). Whether an error may be sent at all (not about other errors, not
 * about later fragments: RFC 1122 section 3.2.2) is the caller's decision. Throws RangeError when `offending` is not
 * a valid IPv4 frame.
 */
export function buildIcmpError(spec: IcmpErrorSpec, offending: Uint8Array): Uint8Array {
  const frames = viewOf(offending);
  checkIpv4Frame(frames);
  const quoted = Math.min(ipv4.ipv4TotalLength(frames, ETHERNET_HEADER), ICMP_ERROR_MAX - ERROR_HEADERS);
  return buildFrame({
    srcMac: spec.srcMac ?? ethernetDst(frames, 0),
    dstMac: spec.dstMac ?? ethernetSrc(frames, 0),
    src: spec.from,
    dst: ipv4.ipv4Src(frames, ETHERNET_HEADER),
    ttl: spec.ttl,
    icmp: { type: spec.type, code: spec.code, rest: spec.rest ?? 0 },
    payload: offending.subarray(ETHERNET_HEADER, ETHERNET_HEADER + quoted),
  });
}

function checkIpv4Frame(frames: DataView): void {
  const isIpv4 = frames.byteLength >= ETHERNET_HEADER && ethernetType(frames, 0) === ETHERTYPE_IPV4;
  if (!isIpv4) throw new RangeError('not an IPv4 frame');
  const problem = ipv4.checkIpv4Header(frames, ETHERNET_HEADER, frames.byteLength - ETHERNET_HEADER);
  if (problem !== ipv4.IPV4_OK) throw new RangeError(`not a valid IPv4 frame (problem ${problem})`);
}

function makeFragment(
  original: DataView,
  header: Uint8Array,
  data: Uint8Array,
  offsetBytes: number,
  isLast: boolean,
): Uint8Array {
  const fragment = new Uint8Array(header.length + data.length);
  fragment.set(header);
  fragment.set(data, header.length);
  const frames = viewOf(fragment);
  const l3 = ETHERNET_HEADER;
  // The last piece of a fragment that was not the last one still has more after it.
  const more = !isLast || ipv4.ipv4MoreFragments(original, l3);
  ipv4.setIpv4HeaderLength(frames, l3, header.length - l3);
  ipv4.setIpv4TotalLength(frames, l3, fragment.length - l3);
  ipv4.setIpv4MoreFragments(frames, l3, more);
  ipv4.setIpv4FragmentOffset(frames, l3, ipv4.ipv4FragmentOffset(original, l3) + offsetBytes);
  ipv4.setIpv4Checksum(frames, l3, 0);
  ipv4.setIpv4Checksum(frames, l3, internetChecksum(frames, l3, header.length - l3));
  return fragment;
}

/** Ethernet and IPv4 header with only the options that belong into every fragment; lengths are set later. */
function headerOfLaterFragments(frames: DataView, frame: Uint8Array): Uint8Array {
  const kept = ipv4.ipv4Options(frames, ETHERNET_HEADER).filter((option) => option.copied);
  const optionBytes = kept.reduce((sum, option) => sum + option.length, 0);
  const fixed = ETHERNET_HEADER + ipv4.IPV4_HEADER_MIN;
  const header = new Uint8Array(fixed + Math.ceil(optionBytes / 4) * 4);
  header.set(frame.subarray(0, fixed));
  let at = fixed;
  for (const option of kept) {
    header.set(frame.subarray(option.at, option.at + option.length), at);
    at += option.length;
  }
  return header;
}
