// ICMP errors (types 3, 11, 12) belong to the connection whose packet they quote: they pass where that connection's
// state does, and are translated outside and inside where its packets are.
//
// Reads   the quoted header, connection records.   Writes  icmpError = 2, established, egress, new addresses.

import { ATTACHMENT } from '../../abi/program.ts';
import { PROV_ENDPOINT, PROV_ESTABLISHED, PROV_TRANSLATION, TRANSLATION } from '../../abi/provenance.ts';
import { RECORD_WORDS } from '../../abi/regions.ts';
import { internetChecksum, updateChecksum32 } from '../../wire/checksum.ts';
import { ICMP_HEADER, setIcmpChecksum } from '../../wire/icmp.ts';
import {
  IPV4_HEADER_MIN,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  ipv4Checksum,
  ipv4Dst,
  ipv4HeaderLength,
  ipv4Protocol,
  ipv4Src,
  ipv4Version,
  setIpv4Checksum,
  setIpv4Dst,
  setIpv4Src,
} from '../../wire/ipv4.ts';
import type { Context } from '../context.ts';
import { EGRESS_MASK, R_DST, R_EGRESS, R_NEW_DST, R_NEW_PORTS, R_NEW_SRC, R_PORTS, R_SRC } from '../flow-table.ts';
import type { Pass } from '../pass.ts';
import { translateQuotedSegment } from './proxy.ts';
import { swap16, swap32 } from '../tables.ts';

/** Ports lie in the first four bytes after the quoted IPv4 header. */
const QUOTED_MIN = IPV4_HEADER_MIN + 8;

/** Matches an ICMP error to the connection it quotes; leaves the pass alone when there is none. */
export function relatedStage(pass: Pass, context: Context): void {
  const { connections, frames, tables } = context;
  const record = quotedRecord(pass, context, frames);
  if (record === 0) return;
  const isLive = connections.isLive(record, pass.now) || connections.isBound(record, pass.now, tables);
  if (!isLive) return;
  pass.record = record;
  pass.icmpError = 2;
  pass.established = 1;
  pass.provenance[PROV_ESTABLISHED] |= 3;
  const { records } = connections.table;
  const e = record * RECORD_WORDS;
  if (pass.kind === ATTACHMENT.internet) {
    pass.egress = records[e + R_EGRESS] & EGRESS_MASK;
    pass.newDst = swap32(records[e + R_NEW_DST]);
    pass.provenance[PROV_TRANSLATION] = TRANSLATION.natIn;
  } else if (pass.kind === ATTACHMENT.provider) {
    pass.provenance[PROV_ENDPOINT] = tables.endpointOfProvider[pass.ingress];
  }
}

/** The record at this attachment of the connection that is quoted: the quoted packet came from the other side. */
function quotedRecord(pass: Pass, context: Context, frames: DataView): number {
  const inner = pass.l4 + ICMP_HEADER;
  const available = pass.l3 + pass.totalLength - inner;
  if (available < QUOTED_MIN || ipv4Version(frames, inner) !== 4) return 0;
  const header = ipv4HeaderLength(frames, inner);
  if (header < IPV4_HEADER_MIN || available < header + 8) return 0;
  const protocol = ipv4Protocol(frames, inner);
  const src = ipv4Src(frames, inner) | 0;
  const dst = ipv4Dst(frames, inner) | 0;
  let srcPort = 0;
  let dstPort = 0;
  if (protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP) {
    srcPort = frames.getUint16(inner + header);
    dstPort = frames.getUint16(inner + header + 2);
  } else if (protocol === PROTOCOL_ICMP) {
    srcPort = frames.getUint16(inner + header + 4);
    dstPort = srcPort;
  }
  return context.connections.find(pass.ingress, protocol, dst, src, dstPort, srcPort);
}

/** Rewrites the quoted header the way the connection's own packets are, so that the receiver knows it again. The ICMP
 * checksum covers the quotation and is computed anew. */
export function rewriteQuoted(pass: Pass, context: Context): void {
  const { connections, frames } = context;
  const { records } = connections.table;
  const e = pass.record * RECORD_WORDS;
  const inner = pass.l4 + ICMP_HEADER;
  const newSrc = swap32(records[e + R_NEW_DST]);
  const newDst = swap32(records[e + R_NEW_SRC]);
  const isSame = records[e + R_NEW_DST] === records[e + R_DST] && records[e + R_NEW_SRC] === records[e + R_SRC];
  if (isSame && records[e + R_NEW_PORTS] === records[e + R_PORTS]) return;
  let checksum = ipv4Checksum(frames, inner);
  checksum = updateChecksum32(checksum, ipv4Src(frames, inner), newSrc >>> 0);
  checksum = updateChecksum32(checksum, ipv4Dst(frames, inner), newDst >>> 0);
  setIpv4Checksum(frames, inner, checksum);
  setIpv4Src(frames, inner, newSrc >>> 0);
  setIpv4Dst(frames, inner, newDst >>> 0);
  const ports = inner + ipv4HeaderLength(frames, inner);
  const protocol = ipv4Protocol(frames, inner);
  // The reply's source port is the quoted packet's destination port, and the other way round.
  const srcPort = swap16(records[e + R_NEW_PORTS] >>> 16);
  const dstPort = swap16(records[e + R_NEW_PORTS] & 0xffff);
  if (protocol === PROTOCOL_ICMP) {
    frames.setUint16(ports + 4, srcPort);
  } else if (protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP) {
    frames.setUint16(ports, srcPort);
    frames.setUint16(ports + 2, dstPort);
    if (protocol === PROTOCOL_TCP) translateQuotedSegment(pass, context, ports, pass.l3 + pass.totalLength - ports);
  }
  setIcmpChecksum(frames, pass.l4, 0);
  setIcmpChecksum(frames, pass.l4, internetChecksum(frames, pass.l4, pass.l3 + pass.totalLength - pass.l4));
}
