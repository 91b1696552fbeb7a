// TCP segments as frames: reads one that a host received, and builds one around bytes of a send buffer.
// A segment is written straight into its frame, because most frames of a run are TCP.
import * as wire from '../../wire/index.ts';
import type { SendBuffer } from './send-buffer.ts';

/** A received segment. `payload` is a view of the frame. */
export interface TcpSegment {
  readonly seq: number;
  readonly ack: number;
  readonly flags: number;
  /** As on the wire, not yet scaled. */
  readonly window: number;
  readonly options: wire.TcpOptions;
  readonly payload: Uint8Array;
  /** Of its packet, as it arrived. */
  readonly ttl: number;
}

/** A segment to be sent. */
export interface SegmentSpec {
  readonly src: number;
  readonly dst: number;
  readonly srcPort: number;
  readonly dstPort: number;
  readonly seq: number;
  readonly ack: number;
  readonly flags: number;
  /** As on the wire. */
  readonly window: number;
  readonly options: Uint8Array;
  readonly ttl: number;
  /** IPv4 identification. */
  readonly id: number;
}

export const NO_BYTES = new Uint8Array(0);
const NO_OPTIONS: wire.TcpOptions = {};

/** The segment in an IPv4 frame whose lengths were checked; undefined when its TCP header contradicts itself. */
export function readSegment(frame: Uint8Array, frames: DataView, l3: number): TcpSegment | undefined {
  const l4 = l3 + wire.ipv4HeaderLength(frames, l3);
  const end = l3 + wire.ipv4TotalLength(frames, l3);
  if (end - l4 < wire.TCP_HEADER_MIN) return undefined;
  const headerLength = wire.tcpHeaderLength(frames, l4);
  if (headerLength < wire.TCP_HEADER_MIN || l4 + headerLength > end) return undefined;
  return {
    seq: wire.tcpSeq(frames, l4),
    ack: wire.tcpAck(frames, l4),
    flags: wire.tcpFlags(frames, l4),
    window: wire.tcpWindow(frames, l4),
    options: headerLength === wire.TCP_HEADER_MIN ? NO_OPTIONS : wire.parseTcpOptions(frames, l4, headerLength),
    payload: frame.subarray(l4 + headerLength, end),
    ttl: wire.ipv4Ttl(frames, l3),
  };
}

/** A frame around `length` bytes of `data` from `offset`. Its MAC addresses are left zero; DF is set (RFC 1191). */
export function buildSegment(spec: SegmentSpec, data?: SendBuffer, offset = 0, length = 0): Uint8Array {
  const l3 = wire.ETHERNET_HEADER;
  const l4 = l3 + wire.IPV4_HEADER_MIN;
  const headerLength = wire.TCP_HEADER_MIN + spec.options.length;
  const frame = new Uint8Array(l4 + headerLength + length);
  const frames = wire.viewOf(frame);
  writeIpv4Header(spec, frames, l3, frame.length - l3);

  wire.setTcpSrcPort(frames, l4, spec.srcPort);
  wire.setTcpDstPort(frames, l4, spec.dstPort);
  wire.setTcpSeq(frames, l4, spec.seq);
  wire.setTcpAck(frames, l4, spec.ack);
  wire.setTcpHeaderLength(frames, l4, headerLength);
  wire.setTcpFlags(frames, l4, spec.flags);
  wire.setTcpWindow(frames, l4, spec.window);
  frame.set(spec.options, l4 + wire.TCP_HEADER_MIN);
  data?.copyInto(frame, l4 + headerLength, offset, length);
  wire.setTcpChecksum(frames, l4, wire.transportChecksum(frames, l3, l4, headerLength + length));
  return frame;
}

function writeIpv4Header(spec: SegmentSpec, frames: DataView, l3: number, totalLength: number): void {
  wire.setEthernetType(frames, 0, wire.ETHERTYPE_IPV4);
  wire.setIpv4Version(frames, l3, 4);
  wire.setIpv4HeaderLength(frames, l3, wire.IPV4_HEADER_MIN);
  wire.setIpv4TotalLength(frames, l3, totalLength);
  wire.setIpv4Id(frames, l3, spec.id);
  wire.setIpv4DontFragment(frames, l3, true);
  wire.setIpv4Ttl(frames, l3, spec.ttl);
  wire.setIpv4Protocol(frames, l3, wire.PROTOCOL_TCP);
  wire.setIpv4Src(frames, l3, spec.src);
  wire.setIpv4Dst(frames, l3, spec.dst);
  wire.setIpv4Checksum(frames, l3, wire.internetChecksum(frames, l3, wire.IPV4_HEADER_MIN));
}
