// What the fabric itself says: ARP replies, and where a switch asks for it TCP resets and ICMP errors (Q-4b,
// Q-9, PIPE-3). An answer takes the place of the packet in its own frame slot and goes back to the sender, from the
// address that the packet was sent to.

import { DROP } from '../abi/drop-reasons.ts';
import { MTU_DEFAULT } from '../abi/limits.ts';
import {
  SETTING_CLOSED_PORT_RESET,
  SETTING_DROP_REPLY,
  SETTING_FRAGMENTATION_NEEDED,
  SETTING_NOT_APPROVED_RESET,
  SETTING_OTHER_PROTOCOL_UNREACHABLE,
} from '../abi/program.ts';
import { PROV_DROP, PROV_DROP_AT, PROV_EGRESS, PROV_REFUSED, PROV_STAGE, STAGE } from '../abi/provenance.ts';
import { FABRIC_MAC } from '../wire/build.ts';
import { internetChecksum, transportChecksum } from '../wire/checksum.ts';
import { ETHERNET_HEADER, ethernetSrc, setEthernetDst, setEthernetSrc } from '../wire/ethernet.ts';
import {
  ICMP_ADMIN_PROHIBITED,
  ICMP_FRAGMENTATION_NEEDED,
  ICMP_HEADER,
  ICMP_PROTOCOL_UNREACHABLE,
  ICMP_UNREACHABLE,
  setIcmpChecksum,
  setIcmpCode,
  setIcmpNextHopMtu,
  setIcmpRest,
  setIcmpType,
} from '../wire/icmp.ts';
import {
  IPV4_HEADER_MIN,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  ipv4DontFragment,
  setIpv4Checksum,
  setIpv4Dst,
  setIpv4Flags,
  setIpv4FragmentOffset,
  setIpv4HeaderLength,
  setIpv4Id,
  setIpv4Protocol,
  setIpv4Src,
  setIpv4Tos,
  setIpv4TotalLength,
  setIpv4Ttl,
  setIpv4Version,
} from '../wire/ipv4.ts';
import {
  TCP_ACK,
  TCP_FIN,
  TCP_HEADER_MIN,
  TCP_RST,
  TCP_SYN,
  setTcpAck,
  setTcpChecksum,
  setTcpDstPort,
  setTcpFlags,
  setTcpHeaderLength,
  setTcpSeq,
  setTcpSrcPort,
  setTcpUrgent,
  setTcpWindow,
  tcpAck,
  tcpFlags,
  tcpHeaderLength,
  tcpSeq,
} from '../wire/tcp.ts';
import type { Context } from './context.ts';
import { ANSWER, FATE, type Pass } from './pass.ts';
import { answerArp } from './rewrite.ts';
import type { Tables } from './tables.ts';

/** RFC 1812 section 4.3.2.3: an error with its quotation is at most this long, bytes. */
const ERROR_BYTES_MAX = 576;
const TTL = 64;

/** Turns a drop into an answer where a switch says so: fate, `pass.answer`, PROV_REFUSED. */
export function refuse(pass: Pass, context: Context): void {
  const { flags } = context.tables.program;
  if ((flags & ANSWERING) === 0) return;
  const answer = answerOf(pass, flags, context.frames);
  if (answer === ANSWER.arp) return;
  const { provenance } = pass;
  pass.fate = FATE.answer;
  pass.answer = answer;
  provenance[PROV_REFUSED] = provenance[PROV_DROP];
  provenance[PROV_DROP] = DROP.NONE;
  provenance[PROV_EGRESS] = pass.ingress;
}

const ANSWERING =
  SETTING_CLOSED_PORT_RESET |
  SETTING_DROP_REPLY |
  SETTING_FRAGMENTATION_NEEDED |
  SETTING_NOT_APPROVED_RESET |
  SETTING_OTHER_PROTOCOL_UNREACHABLE;

/** The answer to a dropped packet by the program's settings; ANSWER.arp stands for none. */
function answerOf(pass: Pass, settings: number, frames: DataView): number {
  if (!mayBeAnswered(pass)) return ANSWER.arp;
  const isTcp = pass.protocol === PROTOCOL_TCP;
  const mayReset = isTcp && (pass.tcpFlags & TCP_RST) === 0;
  switch (pass.provenance[PROV_DROP]) {
    case DROP.PE_NOT_APPROVED:
      return mayReset && (settings & SETTING_NOT_APPROVED_RESET) !== 0 ? ANSWER.reset : ANSWER.arp; // PE-20, Q-1
    case DROP.PE_PORT_NOT_SERVED:
      return mayReset && (settings & SETTING_CLOSED_PORT_RESET) !== 0 ? ANSWER.reset : ANSWER.arp; // PE-25, Q-3
    case DROP.PE_PROTOCOL:
      return (settings & SETTING_OTHER_PROTOCOL_UNREACHABLE) !== 0 ? ANSWER.protocolUnreachable : ANSWER.arp; // Q-4b
    case DROP.MTU_EXCEEDED: {
      const isWanted = (settings & SETTING_FRAGMENTATION_NEEDED) !== 0 && ipv4DontFragment(frames, pass.l3);
      return isWanted ? ANSWER.fragmentationNeeded : ANSWER.arp; // WIRE-14, Q-9
    }
    case DROP.NSG_DENY:
    case DROP.ADMIN_RULE_DENY:
    case DROP.ROUTE_NONE:
    case DROP.NEXT_HOP_UNREACHABLE:
    case DROP.NO_SUCH_DESTINATION:
      return (settings & SETTING_DROP_REPLY) !== 0 ? ANSWER.prohibited : ANSWER.arp; // PIPE-3
    default:
      return ANSWER.arp;
  }
}

/** RFC 1122 section 3.2.2: nothing is said about an error, a later fragment, or a packet from no single host. */
function mayBeAnswered(pass: Pass): boolean {
  if (pass.icmpError !== 0 || pass.fragment === LATER_FRAGMENT) return false;
  return pass.src !== 0 && pass.src >>> 28 < FIRST_MULTICAST_NIBBLE;
}

const LATER_FRAGMENT = 2;
const FIRST_MULTICAST_NIBBLE = 0xe;

/** Writes the answer over the packet; returns the frame's new length. */
export function writeAnswer(pass: Pass, context: Context): number {
  const { frames } = context;
  if (pass.answer === ANSWER.arp) {
    answerArp(pass, frames);
    return pass.length;
  }
  setEthernetDst(frames, pass.l2, ethernetSrc(frames, pass.l2));
  setEthernetSrc(frames, pass.l2, FABRIC_MAC);
  if (pass.answer === ANSWER.reset) return writeReset(pass, frames);
  const mtu = pass.answer === ANSWER.fragmentationNeeded ? nextHopMtu(pass, context.tables) : 0;
  return writeError(pass, frames, mtu);
}

/** RFC 9293 section 3.10.7.1: the reset of a segment that belongs to no connection. */
function writeReset(pass: Pass, frames: DataView): number {
  const { l3, l4 } = pass;
  const flags = tcpFlags(frames, l4);
  const hasAck = (flags & TCP_ACK) !== 0;
  const controls = ((flags & TCP_SYN) === 0 ? 0 : 1) + ((flags & TCP_FIN) === 0 ? 0 : 1);
  const data = l3 + pass.totalLength - l4 - tcpHeaderLength(frames, l4);
  const seq = hasAck ? tcpAck(frames, l4) : 0;
  const ack = hasAck ? 0 : tcpSeq(frames, l4) + data + controls;
  const at = l3 + IPV4_HEADER_MIN;
  writeIpv4(pass, frames, PROTOCOL_TCP, IPV4_HEADER_MIN + TCP_HEADER_MIN);
  setTcpSrcPort(frames, at, pass.dstPort);
  setTcpDstPort(frames, at, pass.srcPort);
  setTcpSeq(frames, at, seq);
  setTcpAck(frames, at, ack);
  setTcpHeaderLength(frames, at, TCP_HEADER_MIN);
  setTcpFlags(frames, at, hasAck ? TCP_RST : TCP_RST | TCP_ACK);
  setTcpWindow(frames, at, 0);
  setTcpUrgent(frames, at, 0);
  setTcpChecksum(frames, at, transportChecksum(frames, l3, at, TCP_HEADER_MIN));
  return ETHERNET_HEADER + IPV4_HEADER_MIN + TCP_HEADER_MIN;
}

/** RFC 792, RFC 1812 section 4.3.2.3: an error that quotes as much of the packet as fits. */
function writeError(pass: Pass, frames: DataView, mtu: number): number {
  const { l3 } = pass;
  const at = l3 + IPV4_HEADER_MIN;
  const quotedAt = at + ICMP_HEADER;
  const quoted = Math.min(pass.totalLength, ERROR_BYTES_MAX - IPV4_HEADER_MIN - ICMP_HEADER);
  for (let i = quoted - 1; i >= 0; i--) frames.setUint8(quotedAt + i, frames.getUint8(l3 + i));
  const totalLength = IPV4_HEADER_MIN + ICMP_HEADER + quoted;
  writeIpv4(pass, frames, PROTOCOL_ICMP, totalLength);
  setIcmpType(frames, at, ICMP_UNREACHABLE);
  setIcmpCode(frames, at, codeOf(pass.answer));
  setIcmpRest(frames, at, 0);
  setIcmpNextHopMtu(frames, at, mtu);
  setIcmpChecksum(frames, at, 0);
  setIcmpChecksum(frames, at, internetChecksum(frames, at, ICMP_HEADER + quoted));
  return ETHERNET_HEADER + totalLength;
}

function codeOf(answer: number): number {
  if (answer === ANSWER.fragmentationNeeded) return ICMP_FRAGMENTATION_NEEDED;
  return answer === ANSWER.protocolUnreachable ? ICMP_PROTOCOL_UNREACHABLE : ICMP_ADMIN_PROHIBITED;
}

/** WIRE-13: what the receiver or the sender's own link takes, 1,500 bytes on every other way. */
function nextHopMtu(pass: Pass, tables: Tables): number {
  const { mtu } = tables.program.attachments;
  const stage = pass.provenance[PROV_STAGE];
  if (stage === STAGE.ingress) return mtu[pass.provenance[PROV_DROP_AT]];
  const isOwnLink = stage === STAGE.egress && pass.totalLength > mtu[pass.ingress];
  return isOwnLink ? mtu[pass.ingress] : MTU_DEFAULT;
}

/** A plain header from the packet's destination to its source. */
function writeIpv4(pass: Pass, frames: DataView, protocol: number, totalLength: number): void {
  const { l3 } = pass;
  setIpv4Version(frames, l3, 4);
  setIpv4HeaderLength(frames, l3, IPV4_HEADER_MIN);
  setIpv4Tos(frames, l3, 0);
  setIpv4TotalLength(frames, l3, totalLength);
  setIpv4Id(frames, l3, 0);
  setIpv4Flags(frames, l3, 0);
  setIpv4FragmentOffset(frames, l3, 0);
  setIpv4Ttl(frames, l3, TTL);
  setIpv4Protocol(frames, l3, protocol);
  setIpv4Src(frames, l3, pass.dst >>> 0);
  setIpv4Dst(frames, l3, pass.src >>> 0);
  setIpv4Checksum(frames, l3, 0);
  setIpv4Checksum(frames, l3, internetChecksum(frames, l3, IPV4_HEADER_MIN));
}
