// Rewriting of a frame by the slow path: MACs, addresses, ports, and both checksums by RFC 1624. The hit path has the
// same effect in its own form; a property test holds the two together.

import { setEthernetDst, setEthernetSrc } from '../wire/ethernet.ts';
import { FABRIC_MAC } from '../wire/build.ts';
import { updateChecksum16, updateChecksum32 } from '../wire/checksum.ts';
import {
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  ipv4Checksum,
  setIpv4Checksum,
  setIpv4Dst,
  setIpv4Src,
} from '../wire/ipv4.ts';
import { icmpChecksum, setIcmpChecksum, setIcmpId } from '../wire/icmp.ts';
import { setTcpChecksum, setTcpDstPort, setTcpSrcPort, tcpChecksum } from '../wire/tcp.ts';
import { setUdpChecksum, setUdpDstPort, setUdpSrcPort, udpChecksum } from '../wire/udp.ts';
import { ARP_REPLY, arpSenderIp, arpSenderMac, arpTargetIp } from '../wire/arp.ts';
import { setArpOperation, setArpSenderIp, setArpSenderMac, setArpTargetIp, setArpTargetMac } from '../wire/arp.ts';
import type { Pass } from './pass.ts';

/** Writes the decided addresses and ports into the frame. */
export function rewriteFrame(pass: Pass, frames: DataView): void {
  const { l3, src, dst, newSrc, newDst } = pass;
  if (pass.fragment !== 2) rewriteTransport(pass, frames);
  if (newSrc === src && newDst === dst) return;
  let checksum = ipv4Checksum(frames, l3);
  checksum = updateChecksum32(checksum, src >>> 0, newSrc >>> 0);
  checksum = updateChecksum32(checksum, dst >>> 0, newDst >>> 0);
  setIpv4Checksum(frames, l3, checksum);
  setIpv4Src(frames, l3, newSrc >>> 0);
  setIpv4Dst(frames, l3, newDst >>> 0);
}

function rewriteTransport(pass: Pass, frames: DataView): void {
  const { l4 } = pass;
  if (pass.protocol === PROTOCOL_TCP) {
    setTcpChecksum(frames, l4, translated(pass, tcpChecksum(frames, l4)));
    setTcpSrcPort(frames, l4, pass.newSrcPort);
    setTcpDstPort(frames, l4, pass.newDstPort);
  } else if (pass.protocol === PROTOCOL_UDP) {
    const old = udpChecksum(frames, l4);
    if (old !== 0) {
      const checksum = translated(pass, old);
      setUdpChecksum(frames, l4, checksum === 0 ? 0xffff : checksum); // RFC 768: 0 means no checksum
    }
    setUdpSrcPort(frames, l4, pass.newSrcPort);
    setUdpDstPort(frames, l4, pass.newDstPort);
  } else if (pass.protocol === PROTOCOL_ICMP && pass.icmpError === 0 && pass.newSrcPort !== pass.srcPort) {
    // Echo: no pseudo-header, the identifier stands for both ports.
    setIcmpChecksum(frames, l4, updateChecksum16(icmpChecksum(frames, l4), pass.srcPort, pass.newSrcPort));
    setIcmpId(frames, l4, pass.newSrcPort);
  }
}

/** A transport checksum after the translation of pseudo-header and ports. */
function translated(pass: Pass, checksum: number): number {
  let sum = checksum;
  if (pass.newSrc !== pass.src) sum = updateChecksum32(sum, pass.src >>> 0, pass.newSrc >>> 0);
  if (pass.newDst !== pass.dst) sum = updateChecksum32(sum, pass.dst >>> 0, pass.newDst >>> 0);
  if (pass.newSrcPort !== pass.srcPort) sum = updateChecksum16(sum, pass.srcPort, pass.newSrcPort);
  if (pass.newDstPort !== pass.dstPort) sum = updateChecksum16(sum, pass.dstPort, pass.newDstPort);
  return sum;
}

/** Turns an ARP request into the fabric's reply, in place (WIRE-2). */
export function answerArp(pass: Pass, frames: DataView): void {
  const { l2, l3 } = pass;
  const asker = arpSenderMac(frames, l3);
  const askerIp = arpSenderIp(frames, l3);
  const target = arpTargetIp(frames, l3);
  setEthernetDst(frames, l2, asker);
  setEthernetSrc(frames, l2, FABRIC_MAC);
  setArpOperation(frames, l3, ARP_REPLY);
  setArpSenderMac(frames, l3, FABRIC_MAC);
  setArpSenderIp(frames, l3, target);
  setArpTargetMac(frames, l3, asker);
  setArpTargetIp(frames, l3, askerIp);
}
