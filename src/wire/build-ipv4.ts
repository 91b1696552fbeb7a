// Whole IPv4 frames from a record of fields: Ethernet + IPv4 + TCP, UDP, ICMP or raw payload.
// Every length and checksum is computed. Frames have their exact length: no padding to the 60-byte minimum of
// Ethernet, because no link of an emulated network needs it. For tests, guests and generators, not the hit path.
import { internetChecksum, transportChecksum } from './checksum.ts';
import { ETHERNET_HEADER, ETHERTYPE_IPV4 } from './ethernet.ts';
import { setEthernetDst, setEthernetSrc, setEthernetType } from './ethernet.ts';
import * as icmp from './icmp.ts';
import * as ipv4 from './ipv4.ts';
import * as tcp from './tcp.ts';
import { UDP_HEADER, setUdpChecksum, setUdpDstPort, setUdpLength, setUdpSrcPort } from './udp.ts';

/** The MAC address that stands for the fabric on every link: it answers every ARP request with it. */
export const FABRIC_MAC = 0x123456789abc;

export interface TcpSpec {
  readonly srcPort: number;
  readonly dstPort: number;
  /** Default 0; taken modulo 2^32, as is `ack`. */
  readonly seq?: number | undefined;
  readonly ack?: number | undefined;
  readonly flags: number;
  /** Default 65535. */
  readonly window?: number | undefined;
  readonly options?: tcp.TcpOptions | undefined;
  readonly urgent?: number | undefined;
}

export interface UdpSpec {
  readonly srcPort: number;
  readonly dstPort: number;
}

export interface IcmpSpec {
  readonly type: number;
  /** Default 0. */
  readonly code?: number | undefined;
  /** Bytes 4 and 5, bytes 6 and 7: default 0. */
  readonly id?: number | undefined;
  readonly sequence?: number | undefined;
  /** Bytes 4 to 7 as one number, instead of `id` and `sequence`. */
  readonly rest?: number | undefined;
}

/** An IPv4 frame. At most one of `tcp`, `udp` and `icmp`; without them `payload` follows the IPv4 header as it is. */
export interface FrameSpec {
  /** Default 00:0d:3a and the low 24 bits of `src`. */
  readonly srcMac?: number | undefined;
  /** Default FABRIC_MAC. */
  readonly dstMac?: number | undefined;
  readonly src: number;
  readonly dst: number;
  /** Default 64. */
  readonly ttl?: number | undefined;
  readonly id?: number | undefined;
  readonly tos?: number | undefined;
  readonly dontFragment?: boolean | undefined;
  readonly moreFragments?: boolean | undefined;
  /** Bytes, a multiple of 8. For fragments with right transport checksums use fragmentFrame() instead. */
  readonly fragmentOffset?: number | undefined;
  /** At most 40 bytes; padded with End to a multiple of 4. */
  readonly ipOptions?: Uint8Array | undefined;
  /** Needed when there is no `tcp`, `udp` or `icmp`. */
  readonly protocol?: number | undefined;
  readonly tcp?: TcpSpec | undefined;
  readonly udp?: UdpSpec | undefined;
  readonly icmp?: IcmpSpec | undefined;
  readonly payload?: Uint8Array | undefined;
}

interface Layout {
  readonly protocol: number;
  readonly ipHeader: number;
  readonly tcpOptions: Uint8Array;
  readonly l4Header: number;
  readonly totalLength: number;
}

const NO_BYTES = new Uint8Array(0);
const AZURE_MAC = 0x000d3a000000;

/** The frame as a new array of its exact length. Throws RangeError when the fields do not make a frame. */
export function buildFrame(spec: FrameSpec): Uint8Array {
  const layout = layOut(spec);
  const frame = new Uint8Array(ETHERNET_HEADER + layout.totalLength);
  writeFrame(spec, layout, viewOf(frame), 0);
  return frame;
}

/** Writes the frame at `at` and returns its length in bytes. Throws RangeError as buildFrame does, or without room. */
export function buildFrameInto(spec: FrameSpec, frames: DataView, at: number): number {
  const layout = layOut(spec);
  const length = ETHERNET_HEADER + layout.totalLength;
  if (at < 0 || at + length > frames.byteLength) {
    throw new RangeError(`a frame of ${length} bytes does not fit at ${at} of ${frames.byteLength}`);
  }
  writeFrame(spec, layout, frames, at);
  return length;
}

/** A view of exactly the bytes of `bytes`, whatever buffer they live in. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function layOut(spec: FrameSpec): Layout {
  const optionBytes = spec.ipOptions?.length ?? 0;
  const ipHeader = ipv4.IPV4_HEADER_MIN + Math.ceil(optionBytes / 4) * 4;
  if (ipHeader > ipv4.IPV4_HEADER_MAX) throw new RangeError(`${optionBytes} bytes of IPv4 options: the limit is 40`);
  const fragmentOffset = spec.fragmentOffset ?? 0;
  if (fragmentOffset % 8 !== 0 || fragmentOffset < 0 || fragmentOffset > 65528) {
    throw new RangeError(`fragment offset ${fragmentOffset} is not a multiple of 8 in 0...65528`);
  }
  const protocol = protocolOf(spec);
  const tcpOptions = spec.tcp?.options === undefined ? NO_BYTES : tcp.encodeTcpOptions(spec.tcp.options);
  let l4Header = 0;
  if (spec.tcp !== undefined) l4Header = tcp.TCP_HEADER_MIN + tcpOptions.length;
  else if (spec.udp !== undefined) l4Header = UDP_HEADER;
  else if (spec.icmp !== undefined) l4Header = icmp.ICMP_HEADER;
  const totalLength = ipHeader + l4Header + (spec.payload?.length ?? 0);
  if (totalLength > ipv4.IPV4_TOTAL_LENGTH_MAX) {
    throw new RangeError(`a datagram of ${totalLength} bytes: the limit is ${ipv4.IPV4_TOTAL_LENGTH_MAX}`);
  }
  return { protocol, ipHeader, tcpOptions, l4Header, totalLength };
}

function protocolOf(spec: FrameSpec): number {
  const named: number[] = [];
  if (spec.tcp !== undefined) named.push(ipv4.PROTOCOL_TCP);
  if (spec.udp !== undefined) named.push(ipv4.PROTOCOL_UDP);
  if (spec.icmp !== undefined) named.push(ipv4.PROTOCOL_ICMP);
  if (named.length > 1) throw new RangeError('a frame has at most one of tcp, udp and icmp');
  const protocol = named[0] ?? spec.protocol;
  if (protocol === undefined) throw new RangeError('a frame needs tcp, udp, icmp or a protocol number');
  if (spec.protocol !== undefined && spec.protocol !== protocol) {
    throw new RangeError(`protocol ${spec.protocol} contradicts the transport header of protocol ${protocol}`);
  }
  return protocol;
}

function writeFrame(spec: FrameSpec, layout: Layout, frames: DataView, at: number): void {
  const l3 = at + ETHERNET_HEADER;
  const l4 = l3 + layout.ipHeader;
  const l4Length = layout.totalLength - layout.ipHeader;
  const srcMac = spec.srcMac ?? AZURE_MAC + (spec.src & 0xffffff);
  writeEthernet(frames, at, spec.dstMac ?? FABRIC_MAC, srcMac, ETHERTYPE_IPV4);
  writeIpv4(spec, layout, frames, l3);
  if (spec.payload !== undefined) copyInto(frames, l4 + layout.l4Header, spec.payload);
  if (spec.tcp !== undefined) writeTcp(spec.tcp, layout, frames, l3, l4, l4Length);
  else if (spec.udp !== undefined) writeUdp(spec.udp, frames, l3, l4, l4Length);
  else if (spec.icmp !== undefined) writeIcmp(spec.icmp, frames, l3, l4, l4Length);
}

/** Writes the Ethernet header at `at`. */
export function writeEthernet(frames: DataView, at: number, dst: number, src: number, etherType: number): void {
  setEthernetDst(frames, at, dst);
  setEthernetSrc(frames, at, src);
  setEthernetType(frames, at, etherType);
}

function writeIpv4(spec: FrameSpec, layout: Layout, frames: DataView, l3: number): void {
  ipv4.setIpv4Version(frames, l3, 4);
  ipv4.setIpv4HeaderLength(frames, l3, layout.ipHeader);
  ipv4.setIpv4Tos(frames, l3, spec.tos ?? 0);
  ipv4.setIpv4TotalLength(frames, l3, layout.totalLength);
  ipv4.setIpv4Id(frames, l3, spec.id ?? 0);
  ipv4.setIpv4Flags(frames, l3, 0);
  ipv4.setIpv4DontFragment(frames, l3, spec.dontFragment ?? false);
  ipv4.setIpv4MoreFragments(frames, l3, spec.moreFragments ?? false);
  ipv4.setIpv4FragmentOffset(frames, l3, spec.fragmentOffset ?? 0);
  ipv4.setIpv4Ttl(frames, l3, spec.ttl ?? 64);
  ipv4.setIpv4Protocol(frames, l3, layout.protocol);
  ipv4.setIpv4Src(frames, l3, spec.src);
  ipv4.setIpv4Dst(frames, l3, spec.dst);
  const options = new Uint8Array(layout.ipHeader - ipv4.IPV4_HEADER_MIN);
  if (spec.ipOptions !== undefined) options.set(spec.ipOptions);
  copyInto(frames, l3 + ipv4.IPV4_HEADER_MIN, options);
  ipv4.setIpv4Checksum(frames, l3, 0);
  ipv4.setIpv4Checksum(frames, l3, internetChecksum(frames, l3, layout.ipHeader));
}

function writeTcp(spec: TcpSpec, layout: Layout, frames: DataView, l3: number, l4: number, length: number): void {
  tcp.setTcpSrcPort(frames, l4, spec.srcPort);
  tcp.setTcpDstPort(frames, l4, spec.dstPort);
  tcp.setTcpSeq(frames, l4, spec.seq ?? 0);
  tcp.setTcpAck(frames, l4, spec.ack ?? 0);
  tcp.setTcpHeaderLength(frames, l4, layout.l4Header);
  tcp.setTcpFlags(frames, l4, spec.flags);
  tcp.setTcpWindow(frames, l4, spec.window ?? 65535);
  tcp.setTcpUrgent(frames, l4, spec.urgent ?? 0);
  copyInto(frames, l4 + tcp.TCP_HEADER_MIN, layout.tcpOptions);
  tcp.setTcpChecksum(frames, l4, transportChecksum(frames, l3, l4, length));
}

function writeUdp(spec: UdpSpec, frames: DataView, l3: number, l4: number, length: number): void {
  setUdpSrcPort(frames, l4, spec.srcPort);
  setUdpDstPort(frames, l4, spec.dstPort);
  setUdpLength(frames, l4, length);
  setUdpChecksum(frames, l4, transportChecksum(frames, l3, l4, length));
}

function writeIcmp(spec: IcmpSpec, frames: DataView, l3: number, l4: number, length: number): void {
  icmp.setIcmpType(frames, l4, spec.type);
  icmp.setIcmpCode(frames, l4, spec.code ?? 0);
  icmp.setIcmpId(frames, l4, spec.id ?? 0);
  icmp.setIcmpSequence(frames, l4, spec.sequence ?? 0);
  if (spec.rest !== undefined) icmp.setIcmpRest(frames, l4, spec.rest);
  icmp.setIcmpChecksum(frames, l4, transportChecksum(frames, l3, l4, length));
}

function copyInto(frames: DataView, at: number, bytes: Uint8Array): void {
  new Uint8Array(frames.buffer, frames.byteOffset + at, bytes.length).set(bytes);
}
