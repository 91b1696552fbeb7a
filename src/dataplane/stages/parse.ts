// Parse and egress checks: lengths, version, header checksum, protocol, anti-spoofing, reserved ports. The fabric
// never touches TTL (WIRE-6). ARP and DHCP end here: the fabric answers or consumes them.
//
// Reads   the frame, ingress.     Writes  l3, l4, addresses, ports, protocol, fragment, fate.
// Drops   FRAME_MALFORMED, PROTOCOL_NOT_SUPPORTED, BROADCAST_MULTICAST, RESERVED_PORT, SPOOFED_SOURCE, ROUTING_LOOP,
//         MTU_EXCEEDED, ATTACHMENT_GONE.

import { DROP } from '../../abi/drop-reasons.ts';
import { PASSES_MAX } from '../../abi/limits.ts';
import { ATTACHMENT, NIC_IP_FORWARDING, SETTING_ARP_ANSWER_UNUSED } from '../../abi/program.ts';
import { PROV_EGRESS, STAGE } from '../../abi/provenance.ts';
import { FATE, dropAt, type Pass } from '../pass.ts';
import { ownerAttachment, swap16, swap32, type Tables } from '../tables.ts';
import {
  ARP_LENGTH,
  ARP_REQUEST,
  arpOperation,
  arpSenderIp,
  arpTargetIp,
  isIpv4OverEthernetArp,
} from '../../wire/arp.ts';
import { ETHERNET_HEADER, ETHERTYPE_ARP, ETHERTYPE_IPV4, ethernetType } from '../../wire/ethernet.ts';
import {
  IPV4_HEADER_MIN,
  IPV4_OK,
  PROTOCOL_AH,
  PROTOCOL_ESP,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  checkIpv4Header,
  ipv4Dst,
  ipv4FragmentOffset,
  ipv4HeaderLength,
  ipv4MoreFragments,
  ipv4Protocol,
  ipv4Src,
  ipv4TotalLength,
} from '../../wire/ipv4.ts';
import { TCP_HEADER_MIN, tcpDstPort, tcpFlags, tcpHeaderLength, tcpSrcPort } from '../../wire/tcp.ts';
import { UDP_HEADER, udpDstPort, udpSrcPort } from '../../wire/udp.ts';
import { ICMP_ECHO_REPLY, ICMP_ECHO_REQUEST, ICMP_HEADER, icmpId, icmpType, isIcmpError } from '../../wire/icmp.ts';

const DHCP_SERVER = 67;
const DHCP_CLIENT = 68;

/** Fills the pass from the frame; a decided `fate` ends it. */
export function parseStage(pass: Pass, frames: DataView, tables: Tables): void {
  const { attachments } = tables.program;
  pass.kind = pass.ingress < tables.attachmentCount ? attachments.kind[pass.ingress] : ATTACHMENT.gone;
  if (pass.kind === ATTACHMENT.gone) return dropAt(pass, DROP.ATTACHMENT_GONE, STAGE.egress, pass.ingress);
  pass.network = attachments.vnet[pass.ingress];
  if (pass.length < ETHERNET_HEADER) return malformed(pass);
  const type = ethernetType(frames, pass.l2);
  pass.l3 = pass.l2 + ETHERNET_HEADER;
  if (type === ETHERTYPE_ARP) return arp(pass, frames, tables);
  if (type !== ETHERTYPE_IPV4) return dropAt(pass, DROP.PROTOCOL_NOT_SUPPORTED, STAGE.egress, pass.ingress);
  if (checkIpv4Header(frames, pass.l3, pass.length - ETHERNET_HEADER) !== IPV4_OK) return malformed(pass);
  pass.totalLength = ipv4TotalLength(frames, pass.l3);
  pass.l4 = pass.l3 + ipv4HeaderLength(frames, pass.l3);
  pass.protocol = ipv4Protocol(frames, pass.l3);
  pass.src = ipv4Src(frames, pass.l3) | 0;
  pass.dst = ipv4Dst(frames, pass.l3) | 0;
  if (!readPorts(pass, frames)) return malformed(pass);
  checkPass(pass, tables);
}

/** The same for a packet that the hit path has found plain: TCP or UDP, whole, its header without options and its
 * lengths and checksum right. `p`: the frame's first word. */
export function parsePlain(pass: Pass, words: Int32Array, p: number, tables: Tables): void {
  const { attachments } = tables.program;
  pass.kind = pass.ingress < tables.attachmentCount ? attachments.kind[pass.ingress] : ATTACHMENT.gone;
  if (pass.kind === ATTACHMENT.gone) return dropAt(pass, DROP.ATTACHMENT_GONE, STAGE.egress, pass.ingress);
  pass.network = attachments.vnet[pass.ingress];
  pass.l3 = pass.l2 + ETHERNET_HEADER;
  pass.l4 = pass.l3 + IPV4_HEADER_MIN;
  pass.totalLength = swap16(words[p + 4] >>> 16);
  pass.protocol = (words[p + 6] >>> 8) & 0xff;
  pass.src = swap32(words[p + 7]);
  pass.dst = swap32(words[p + 8]);
  pass.srcPort = swap16(words[p + 9] & 0xffff);
  pass.dstPort = swap16(words[p + 9] >>> 16);
  if (pass.protocol === PROTOCOL_TCP) pass.tcpFlags = (words[p + 12] >>> 8) & 0x3f;
  checkPass(pass, tables);
}

/** What both ways of parsing end with: hop limit, MTU, and the egress checks. */
function checkPass(pass: Pass, tables: Tables): void {
  const { attachments } = tables.program;
  pass.newSrc = pass.src;
  pass.newDst = pass.dst;
  pass.newSrcPort = pass.srcPort;
  pass.newDstPort = pass.dstPort;
  if ((pass.facts & 0xff) > PASSES_MAX) return dropAt(pass, DROP.ROUTING_LOOP, STAGE.route, pass.ingress);
  if (pass.totalLength > attachments.mtu[pass.ingress]) {
    return dropAt(pass, DROP.MTU_EXCEEDED, STAGE.egress, pass.ingress);
  }
  checkEgress(pass, tables);
}

function malformed(pass: Pass): void {
  dropAt(pass, DROP.FRAME_MALFORMED, STAGE.egress, pass.ingress);
}

/** Ports of the first or only fragment; false when the transport header is cut short. */
function readPorts(pass: Pass, frames: DataView): boolean {
  const offset = ipv4FragmentOffset(frames, pass.l3);
  if (offset > 0) {
    pass.fragment = 2;
    return true;
  }
  pass.fragment = ipv4MoreFragments(frames, pass.l3) ? 1 : 0;
  const available = pass.l3 + pass.totalLength - pass.l4;
  if (pass.protocol === PROTOCOL_TCP) {
    if (available < TCP_HEADER_MIN) return false;
    const header = tcpHeaderLength(frames, pass.l4);
    if (header < TCP_HEADER_MIN || header > available) return false;
    pass.srcPort = tcpSrcPort(frames, pass.l4);
    pass.dstPort = tcpDstPort(frames, pass.l4);
    pass.tcpFlags = tcpFlags(frames, pass.l4);
  } else if (pass.protocol === PROTOCOL_UDP) {
    if (available < UDP_HEADER) return false;
    pass.srcPort = udpSrcPort(frames, pass.l4);
    pass.dstPort = udpDstPort(frames, pass.l4);
  } else if (pass.protocol === PROTOCOL_ICMP) {
    if (available < ICMP_HEADER) return false;
    const type = icmpType(frames, pass.l4);
    pass.icmpError = isIcmpError(type) ? 1 : 0;
    if (type === ICMP_ECHO_REQUEST || type === ICMP_ECHO_REPLY) {
      pass.srcPort = icmpId(frames, pass.l4);
      pass.dstPort = pass.srcPort;
    }
  }
  return true;
}

/** WIRE-2, WIRE-4: every ARP request is answered with the fabric's MAC; nothing else of ARP has an effect. */
function arp(pass: Pass, frames: DataView, tables: Tables): void {
  pass.fate = FATE.consume;
  if (pass.length < ETHERNET_HEADER + ARP_LENGTH || !isIpv4OverEthernetArp(frames, pass.l3)) return malformed(pass);
  if (pass.kind !== ATTACHMENT.nic || arpOperation(frames, pass.l3) !== ARP_REQUEST) return;
  const target = arpTargetIp(frames, pass.l3) | 0;
  if (target === (arpSenderIp(frames, pass.l3) | 0)) return;
  if ((tables.program.flags & SETTING_ARP_ANSWER_UNUSED) === 0) {
    if (tables.owners.get(pass.network, target) < 0) return;
  }
  pass.fate = FATE.answer;
  pass.provenance[PROV_EGRESS] = pass.ingress;
}

function checkEgress(pass: Pass, tables: Tables): void {
  const { protocol } = pass;
  if (protocol === PROTOCOL_UDP && pass.srcPort === DHCP_CLIENT && pass.dstPort === DHCP_SERVER) {
    if (pass.kind === ATTACHMENT.nic) {
      pass.fate = FATE.consume; // WIRE-12: the platform is the DHCP server
      return;
    }
  }
  // WIRE-10: 224.0.0.0/4 and above are multicast, reserved and broadcast; 0.0.0.0/8 is no destination.
  if (pass.dst >>> 28 >= 0xe || pass.dst >>> 24 === 0) return reject(pass, DROP.BROADCAST_MULTICAST);
  if (
    protocol !== PROTOCOL_TCP &&
    protocol !== PROTOCOL_UDP &&
    protocol !== PROTOCOL_ICMP &&
    protocol !== PROTOCOL_ESP &&
    protocol !== PROTOCOL_AH
  ) {
    return reject(pass, DROP.PROTOCOL_NOT_SUPPORTED);
  }
  if (protocol === PROTOCOL_UDP && (isReserved(pass.srcPort) || isReserved(pass.dstPort))) {
    return reject(pass, DROP.RESERVED_PORT);
  }
  if (pass.kind !== ATTACHMENT.nic) return;
  // NET-9: a source that is not the NIC's own needs IP forwarding (NET-8); other ipConfigs are own addresses (NET-10).
  if ((tables.program.attachments.flags[pass.ingress] & NIC_IP_FORWARDING) !== 0) {
    if (pass.src >>> 28 >= 0xe || pass.src === 0) reject(pass, DROP.SPOOFED_SOURCE);
    return;
  }
  if (ownerAttachment(tables, pass.network, pass.src) !== pass.ingress) reject(pass, DROP.SPOOFED_SOURCE);
}

function reject(pass: Pass, reason: number): void {
  dropAt(pass, reason, STAGE.egress, pass.ingress);
}

// WIRE-11; which port field is meant is not published: either.
function isReserved(port: number): boolean {
  return port === 65330 || port === 4791;
}
