// A frame as a record of everything in it, for tests, guests, captures and messages. Allocates; the data plane
// uses the accessors instead. parseFrame() never throws and trusts nothing: what contradicts itself is 'malformed'
// with the reason in words. A wrong checksum alone is not malformed: see `checksumsOk`.
import { ARP_LENGTH, arpOperation, arpSenderIp, arpSenderMac, arpTargetIp, arpTargetMac } from './arp.ts';
import { isIpv4OverEthernetArp } from './arp.ts';
import { viewOf } from './build-ipv4.ts';
import { verifyIpv4Checksum, verifyTransportChecksum } from './checksum.ts';
import { ETHERNET_HEADER, ETHERTYPE_ARP, ETHERTYPE_IPV4 } from './ethernet.ts';
import { ethernetDst, ethernetSrc, ethernetType } from './ethernet.ts';
import * as icmp from './icmp.ts';
import * as ipv4 from './ipv4.ts';
import { parseTcpOptions, type TcpOptions } from './tcp-options.ts';
import * as tcp from './tcp.ts';
import { UDP_HEADER, udpChecksum, udpDstPort, udpLength, udpSrcPort } from './udp.ts';

export interface ParsedArp {
  readonly kind: 'arp';
  readonly dstMac: number;
  readonly srcMac: number;
  readonly operation: number;
  readonly senderMac: number;
  readonly senderIp: number;
  readonly targetMac: number;
  readonly targetIp: number;
}

export interface ParsedTcp {
  readonly srcPort: number;
  readonly dstPort: number;
  readonly seq: number;
  readonly ack: number;
  /** Bytes. */
  readonly headerLength: number;
  readonly flags: number;
  readonly window: number;
  readonly checksum: number;
  readonly urgent: number;
  readonly options: TcpOptions;
}

export interface ParsedUdp {
  readonly srcPort: number;
  readonly dstPort: number;
  /** Bytes, header included. */
  readonly length: number;
  readonly checksum: number;
}

/** `id` and `sequence` are the two halves of `rest`, whatever the type. */
export interface ParsedIcmp {
  readonly type: number;
  readonly code: number;
  readonly checksum: number;
  readonly id: number;
  readonly sequence: number;
  readonly rest: number;
}

/** At most one of `tcp`, `udp`, `icmp`: none in later fragments and other protocols. Offsets, lengths in bytes. */
export interface ParsedIpv4 {
  readonly kind: 'ipv4';
  readonly dstMac: number;
  readonly srcMac: number;
  readonly src: number;
  readonly dst: number;
  readonly protocol: number;
  readonly ttl: number;
  readonly tos: number;
  readonly id: number;
  readonly totalLength: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  readonly fragmentOffset: number;
  readonly l3: number;
  readonly l4: number;
  readonly payloadOffset: number;
  readonly payloadLength: number;
  readonly tcp?: ParsedTcp;
  readonly udp?: ParsedUdp;
  readonly icmp?: ParsedIcmp;
  /** IPv4 header and, where it can be told, transport. */
  readonly checksumsOk: boolean;
}

export interface ParsedOther {
  readonly kind: 'other';
  readonly dstMac: number;
  readonly srcMac: number;
  readonly etherType: number;
}

export interface MalformedFrame {
  readonly kind: 'malformed';
  readonly why: string;
}

export type ParsedFrame = ParsedArp | ParsedIpv4 | ParsedOther | MalformedFrame;

interface Transport {
  readonly payloadOffset: number;
  readonly payloadLength: number;
  readonly tcp?: ParsedTcp;
  readonly udp?: ParsedUdp;
  readonly icmp?: ParsedIcmp;
}

const PROBLEM_TEXT: Record<Exclude<ipv4.Ipv4Problem, 0 | 5>, string> = {
  [ipv4.IPV4_TRUNCATED]: 'the frame ends before the IPv4 datagram does',
  [ipv4.IPV4_BAD_VERSION]: 'the IP version is not 4',
  [ipv4.IPV4_BAD_HEADER_LENGTH]: 'the IPv4 header length is below 20 bytes',
  [ipv4.IPV4_BAD_TOTAL_LENGTH]: 'the IPv4 total length is below the header length',
};

/** The frame in words of its fields. Never throws. */
export function parseFrame(frame: Uint8Array | DataView): ParsedFrame {
  const frames = frame instanceof DataView ? frame : viewOf(frame);
  if (frames.byteLength < ETHERNET_HEADER) return malformed('the frame ends before its Ethernet header does');
  const dstMac = ethernetDst(frames, 0);
  const srcMac = ethernetSrc(frames, 0);
  const etherType = ethernetType(frames, 0);
  if (etherType === ETHERTYPE_IPV4) return parseIpv4Frame(frames, dstMac, srcMac);
  if (etherType !== ETHERTYPE_ARP) return { kind: 'other', dstMac, srcMac, etherType };

  const at = ETHERNET_HEADER;
  if (frames.byteLength < at + ARP_LENGTH) return malformed('the frame ends before its ARP message does');
  if (!isIpv4OverEthernetArp(frames, at)) return malformed('the ARP message is not about IPv4 over Ethernet');
  return {
    kind: 'arp',
    dstMac,
    srcMac,
    operation: arpOperation(frames, at),
    senderMac: arpSenderMac(frames, at),
    senderIp: arpSenderIp(frames, at),
    targetMac: arpTargetMac(frames, at),
    targetIp: arpTargetIp(frames, at),
  };
}

/** The bytes after all headers, without link padding: a view, not a copy. Empty unless `parsed` is IPv4. */
export function payloadOf(frame: Uint8Array, parsed: ParsedFrame): Uint8Array {
  if (parsed.kind !== 'ipv4') return frame.subarray(0, 0);
  return frame.subarray(parsed.payloadOffset, parsed.payloadOffset + parsed.payloadLength);
}

function malformed(why: string): MalformedFrame {
  return { kind: 'malformed', why };
}

function parseIpv4Frame(frames: DataView, dstMac: number, srcMac: number): ParsedIpv4 | MalformedFrame {
  const l3 = ETHERNET_HEADER;
  const problem = ipv4.checkIpv4Header(frames, l3, frames.byteLength - l3);
  if (problem !== ipv4.IPV4_OK && problem !== ipv4.IPV4_BAD_CHECKSUM) return malformed(PROBLEM_TEXT[problem]);
  const l4 = l3 + ipv4.ipv4HeaderLength(frames, l3);
  const transport = parseTransport(frames, l3, l4);
  if (typeof transport === 'string') return malformed(transport);
  return {
    kind: 'ipv4',
    dstMac,
    srcMac,
    src: ipv4.ipv4Src(frames, l3),
    dst: ipv4.ipv4Dst(frames, l3),
    protocol: ipv4.ipv4Protocol(frames, l3),
    ttl: ipv4.ipv4Ttl(frames, l3),
    tos: ipv4.ipv4Tos(frames, l3),
    id: ipv4.ipv4Id(frames, l3),
    totalLength: ipv4.ipv4TotalLength(frames, l3),
    dontFragment: ipv4.ipv4DontFragment(frames, l3),
    moreFragments: ipv4.ipv4MoreFragments(frames, l3),
    fragmentOffset: ipv4.ipv4FragmentOffset(frames, l3),
    l3,
    l4,
    ...transport,
    checksumsOk: verifyIpv4Checksum(frames, l3) && verifyTransportChecksum(frames, l3),
  };
}

/** The transport header, or what is wrong with it. A first fragment may be too short to hold it: then it has none. */
function parseTransport(frames: DataView, l3: number, l4: number): Transport | string {
  const length = l3 + ipv4.ipv4TotalLength(frames, l3) - l4;
  const raw: Transport = { payloadOffset: l4, payloadLength: length };
  if (ipv4.ipv4FragmentOffset(frames, l3) !== 0) return raw;
  const isFirstFragment = ipv4.ipv4MoreFragments(frames, l3);
  let transport: Transport | string = raw;
  const protocol = ipv4.ipv4Protocol(frames, l3);
  if (protocol === ipv4.PROTOCOL_TCP) transport = parseTcp(frames, l4, length);
  else if (protocol === ipv4.PROTOCOL_UDP) transport = parseUdp(frames, l4, length, isFirstFragment);
  else if (protocol === ipv4.PROTOCOL_ICMP) transport = parseIcmp(frames, l4, length);
  return typeof transport === 'string' && isFirstFragment ? raw : transport;
}

function parseTcp(frames: DataView, at: number, length: number): Transport | string {
  if (length < tcp.TCP_HEADER_MIN) return 'the datagram ends before its TCP header does';
  const headerLength = tcp.tcpHeaderLength(frames, at);
  if (headerLength < tcp.TCP_HEADER_MIN) return 'the TCP header length is below 20 bytes';
  if (headerLength > length) return 'the datagram ends before its TCP options do';
  const header: ParsedTcp = {
    srcPort: tcp.tcpSrcPort(frames, at),
    dstPort: tcp.tcpDstPort(frames, at),
    seq: tcp.tcpSeq(frames, at),
    ack: tcp.tcpAck(frames, at),
    headerLength,
    flags: tcp.tcpFlags(frames, at),
    window: tcp.tcpWindow(frames, at),
    checksum: tcp.tcpChecksum(frames, at),
    urgent: tcp.tcpUrgent(frames, at),
    options: parseTcpOptions(frames, at, headerLength),
  };
  return { payloadOffset: at + headerLength, payloadLength: length - headerLength, tcp: header };
}

function parseUdp(frames: DataView, at: number, available: number, isFirstFragment: boolean): Transport | string {
  if (available < UDP_HEADER) return 'the datagram ends before its UDP header does';
  const length = udpLength(frames, at);
  if (length < UDP_HEADER) return 'the UDP length is below 8 bytes';
  if (length > available && !isFirstFragment) return 'the UDP length is longer than the datagram';
  const header: ParsedUdp = {
    srcPort: udpSrcPort(frames, at),
    dstPort: udpDstPort(frames, at),
    length,
    checksum: udpChecksum(frames, at),
  };
  return { payloadOffset: at + UDP_HEADER, payloadLength: Math.min(length, available) - UDP_HEADER, udp: header };
}

function parseIcmp(frames: DataView, at: number, length: number): Transport | string {
  if (length < icmp.ICMP_HEADER) return 'the datagram ends before its ICMP header does';
  const header: ParsedIcmp = {
    type: icmp.icmpType(frames, at),
    code: icmp.icmpCode(frames, at),
    checksum: icmp.icmpChecksum(frames, at),
    id: icmp.icmpId(frames, at),
    sequence: icmp.icmpSequence(frames, at),
    rest: icmp.icmpRest(frames, at),
  };
  return { payloadOffset: at + icmp.ICMP_HEADER, payloadLength: length - icmp.ICMP_HEADER, icmp: header };
}
