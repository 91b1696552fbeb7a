// Every way to make a frame, in one import: from a record of fields (build-ipv4.ts, and ARP here) and from another
// frame (derive.ts: fragments, ICMP errors). For tests, guests and generators, not the hit path.
import { ARP_LENGTH, setArpOperation, setArpSenderIp, setArpSenderMac, setArpTargetIp } from './arp.ts';
import { setArpTargetMac, setIpv4OverEthernetArp } from './arp.ts';
import { viewOf, writeEthernet } from './build-ipv4.ts';
import { ETHERNET_HEADER, ETHERTYPE_ARP } from './ethernet.ts';

export * from './build-ipv4.ts';
export * from './derive.ts';

export interface ArpSpec {
  readonly operation: number;
  readonly senderMac: number;
  readonly senderIp: number;
  readonly targetMac: number;
  readonly targetIp: number;
  /** Ethernet addresses. */
  readonly dstMac: number;
  readonly srcMac: number;
}

/** An ARP frame of 42 bytes, RFC 826. */
export function buildArp(spec: ArpSpec): Uint8Array {
  const frame = new Uint8Array(ETHERNET_HEADER + ARP_LENGTH);
  const frames = viewOf(frame);
  writeEthernet(frames, 0, spec.dstMac, spec.srcMac, ETHERTYPE_ARP);
  setIpv4OverEthernetArp(frames, ETHERNET_HEADER);
  setArpOperation(frames, ETHERNET_HEADER, spec.operation);
  setArpSenderMac(frames, ETHERNET_HEADER, spec.senderMac);
  setArpSenderIp(frames, ETHERNET_HEADER, spec.senderIp);
  setArpTargetMac(frames, ETHERNET_HEADER, spec.targetMac);
  setArpTargetIp(frames, ETHERNET_HEADER, spec.targetIp);
  return frame;
}
