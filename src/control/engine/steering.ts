// Steering: which of the 64 shards a frame belongs to. The five-tuple is hashed symmetrically; where a translated
// connection shows another five-tuple at another attachment, the directory knows its shard. Later fragments and the
// headers quoted in ICMP errors are looked up the same way. Shards, not workers, are what a frame is assigned to: the
// answer is the same whatever the number of workers.

import { SHARDS } from '../../abi/limits.ts';
import {
  ICMP_HEADER,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  hashFiveTuple,
  icmpType,
  ipv4FragmentOffset,
  ipv4HeaderLength,
  ipv4Id,
  ipv4MoreFragments,
  ipv4Protocol,
  ipv4Src,
  ipv4Dst,
  isIcmpError,
} from '../../wire/index.ts';

const FRAGMENTS_MAX = 8192;

export class Steering {
  /** `attachment src dst ports protocol` -> shard, of translated connections. */
  private readonly directory = new Map<string, number>();
  private readonly fragments = new Map<string, number>();

  /** Shard of a frame that `attachment` sends; frames that are not IPv4 belong to shard 0. */
  shardOf(attachment: number, bytes: Uint8Array): number {
    if (bytes.length < 34) return 0;
    const frame = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (frame.getUint16(12) !== 0x0800) return 0;
    const header = ipv4HeaderLength(frame, 14);
    const l4 = 14 + header;
    if (header < 20 || bytes.length < l4 + 8) return 0;
    const protocol = ipv4Protocol(frame, 14);
    const src = ipv4Src(frame, 14);
    const dst = ipv4Dst(frame, 14);
    if (ipv4FragmentOffset(frame, 14) > 0) {
      return this.fragments.get(`${attachment} ${src} ${dst} ${protocol} ${ipv4Id(frame, 14)}`) ?? 0;
    }
    const shard = this.shardOfHeaders(attachment, frame, l4, protocol, src, dst);
    if (ipv4MoreFragments(frame, 14)) {
      if (this.fragments.size >= FRAGMENTS_MAX) this.fragments.clear();
      this.fragments.set(`${attachment} ${src} ${dst} ${protocol} ${ipv4Id(frame, 14)}`, shard);
    }
    return shard;
  }

  /** Takes a worker's notice: a record of a translated connection came or went. */
  notice(attachment: number, src: number, dst: number, ports: number, protocolAndShard: number): void {
    const key = `${attachment} ${src} ${dst} ${ports} ${protocolAndShard & 0xff}`;
    if (protocolAndShard >>> 16 === 0) this.directory.delete(key);
    else this.directory.set(key, (protocolAndShard >>> 8) & 0xff);
  }

  private shardOfHeaders(
    attachment: number,
    frame: DataView,
    l4: number,
    protocol: number,
    src: number,
    dst: number,
  ): number {
    let srcPort = 0;
    let dstPort = 0;
    if (protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP) {
      srcPort = frame.getUint16(l4);
      dstPort = frame.getUint16(l4 + 2);
    } else if (protocol === PROTOCOL_ICMP) {
      const type = icmpType(frame, l4);
      if (isIcmpError(type)) return this.shardOfQuoted(attachment, frame, l4 + ICMP_HEADER);
      srcPort = type === 0 || type === 8 ? frame.getUint16(l4 + 4) : 0;
      dstPort = srcPort;
    }
    return this.shard(attachment, protocol, src, dst, srcPort, dstPort);
  }

  /** The quoted packet came from the other side: the connection here is its reverse. */
  private shardOfQuoted(attachment: number, frame: DataView, l3: number): number {
    if (frame.byteLength < l3 + 28) return 0;
    const l4 = l3 + ipv4HeaderLength(frame, l3);
    const protocol = ipv4Protocol(frame, l3);
    if (frame.byteLength < l4 + 8) return 0;
    let srcPort = 0;
    let dstPort = 0;
    if (protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP) {
      srcPort = frame.getUint16(l4 + 2);
      dstPort = frame.getUint16(l4);
    } else if (protocol === PROTOCOL_ICMP) {
      srcPort = frame.getUint16(l4 + 4);
      dstPort = srcPort;
    }
    return this.shard(attachment, protocol, ipv4Dst(frame, l3), ipv4Src(frame, l3), srcPort, dstPort);
  }

  private shard(
    attachment: number,
    protocol: number,
    src: number,
    dst: number,
    srcPort: number,
    dstPort: number,
  ): number {
    if (this.directory.size > 0) {
      const ports = swap16(srcPort) | (swap16(dstPort) << 16);
      const known = this.directory.get(`${attachment} ${swap32(src)} ${swap32(dst)} ${ports} ${protocol}`);
      if (known !== undefined) return known;
    }
    return hashFiveTuple(protocol, src, dst, srcPort, dstPort) % SHARDS;
  }
}

// Notices carry addresses and ports as the frame's little-endian loads.
function swap16(x: number): number {
  return ((x & 0xff) << 8) | ((x >>> 8) & 0xff);
}

function swap32(x: number): number {
  return (x << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24);
}
