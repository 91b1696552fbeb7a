// The fields of a frame that a capture filter can ask for. A frame may be cut or malformed: what is not there matches
// nothing.

import { ARP_LENGTH, arpSenderIp, arpTargetIp, isIpv4OverEthernetArp } from '../../wire/arp.ts';
import { ETHERNET_HEADER, ETHERTYPE_ARP, ETHERTYPE_IPV4, ethernetType } from '../../wire/ethernet.ts';
import {
  IPV4_HEADER_MIN,
  ipv4Dst,
  ipv4FragmentOffset,
  ipv4HeaderLength,
  ipv4Protocol,
  ipv4Src,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from '../../wire/ipv4.ts';

/** -1 where a frame has no such field. Addresses are unsigned numbers. */
export interface FrameFacts {
  readonly isArp: boolean;
  readonly protocol: number;
  readonly src: number;
  readonly dst: number;
  readonly srcPort: number;
  readonly dstPort: number;
}

const NOTHING: FrameFacts = { isArp: false, protocol: -1, src: -1, dst: -1, srcPort: -1, dstPort: -1 };

/** Reads the facts of a frame from its Ethernet header on. */
export function readFacts(frame: Uint8Array): FrameFacts {
  if (frame.length < ETHERNET_HEADER) return NOTHING;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const etherType = ethernetType(view, 0);
  if (etherType === ETHERTYPE_IPV4) return ipv4Facts(view);
  if (etherType === ETHERTYPE_ARP) return arpFacts(view);
  return NOTHING;
}

function arpFacts(view: DataView): FrameFacts {
  const isReadable = view.byteLength >= ETHERNET_HEADER + ARP_LENGTH && isIpv4OverEthernetArp(view, ETHERNET_HEADER);
  if (!isReadable) return { ...NOTHING, isArp: true };
  const src = arpSenderIp(view, ETHERNET_HEADER);
  const dst = arpTargetIp(view, ETHERNET_HEADER);
  return { ...NOTHING, isArp: true, src, dst };
}

function ipv4Facts(view: DataView): FrameFacts {
  if (view.byteLength < ETHERNET_HEADER + IPV4_HEADER_MIN) return NOTHING;
  const protocol = ipv4Protocol(view, ETHERNET_HEADER);
  const src = ipv4Src(view, ETHERNET_HEADER);
  const dst = ipv4Dst(view, ETHERNET_HEADER);
  const l4 = ETHERNET_HEADER + ipv4HeaderLength(view, ETHERNET_HEADER);
  // Later fragments carry no ports.
  const hasPorts = (protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP) && view.byteLength >= l4 + 4;
  if (!hasPorts || ipv4FragmentOffset(view, ETHERNET_HEADER) !== 0) {
    return { isArp: false, protocol, src, dst, srcPort: -1, dstPort: -1 };
  }
  return { isArp: false, protocol, src, dst, srcPort: view.getUint16(l4), dstPort: view.getUint16(l4 + 2) };
}
