// Packets of the notation: who sends, from which address and attachment, to which address. Names are resolved against
// the topology; the frame itself is built by the wire layer.

import { z } from 'zod';
import {
  ICMP_ECHO_REQUEST,
  PROTOCOL_AH,
  PROTOCOL_ESP,
  PROTOCOL_GRE,
  PROTOCOL_IPIP,
  TCP_ACK,
  TCP_FIN,
  TCP_PSH,
  TCP_RST,
  TCP_SYN,
  TCP_URG,
  buildFrame,
  parseIpv4,
} from '../wire/index.ts';
import { backendAddress } from './network.ts';
import type { Topology } from './notation.ts';

const DEFAULT_SOURCE_PORT = 50_000;

/** The `packet:` of a case or of a step. */
export const packetSchema = z.strictObject({
  from: z.string(),
  to: z.string(),
  /** A name, or the number of a protocol without one here. */
  proto: z.union([z.string(), z.int().min(0).max(255)]).transform(String),
  sport: z.int().min(0).max(65_535).default(DEFAULT_SOURCE_PORT),
  dport: z.int().min(0).max(65_535).optional(),
  flags: z.string().optional(),
  srcIp: z.string().optional(),
});
export type PacketNotation = z.output<typeof packetSchema>;

/** Where a packet enters the fabric and what its sender writes. */
export interface PlannedPacket {
  /** Attachment by the names of Simulation.attachment. */
  readonly attachment: string;
  readonly frame: Uint8Array;
}

/** A sender or receiver of the notation. */
export type Party =
  | { readonly kind: 'nic' | 'endpoint' | 'provider'; readonly name: string }
  | { readonly kind: 'inet' | 'onprem' | 'ip' | 'probe'; readonly address: string };

const OUTSIDE = ['inet', 'onprem', 'ip', 'probe'] as const;

/** Plans a packet. Throws an Error when a name is unknown or the packet cannot be sent as written. */
export function planPacket(packet: PacketNotation, topology: Topology): PlannedPacket {
  const from = parseParty(packet.from, topology);
  const to = parseParty(packet.to, topology);
  const src = packet.srcIp ?? addressOf(from, topology);
  const dst = from.kind === 'inet' && to.kind === 'nic' ? publicAddress(to.name, topology) : addressOf(to, topology);
  return { attachment: senderAttachment(from, to, topology), frame: frameOf(packet, src, dst) };
}

/** Reads a sender or receiver. Throws an Error for a name that the topology does not have. */
export function parseParty(text: string, topology: Topology): Party {
  const separator = text.indexOf(':');
  const prefix = separator === -1 ? '' : text.slice(0, separator);
  const rest = text.slice(separator + 1);
  const outside = OUTSIDE.find((kind) => kind === prefix);
  if (outside !== undefined) {
    parseIpv4(rest);
    return { kind: outside, address: rest };
  }
  if (prefix === 'provider') {
    if (!Object.hasOwn(topology.pes, rest)) throw new Error(`endpoint ${rest} is not in the topology`);
    return { kind: 'provider', name: rest };
  }
  if (Object.hasOwn(topology.nics, text)) return { kind: 'nic', name: text };
  if (Object.hasOwn(topology.pes, text)) return { kind: 'endpoint', name: text };
  throw new Error(`${text} is neither a NIC nor an endpoint of the topology`);
}

/** The private address of a party as its own network knows it. */
export function addressOf(party: Party, topology: Topology): string {
  if ('address' in party) return party.address;
  if (party.kind === 'provider') return backendAddress(topology, party.name);
  const owner = party.kind === 'nic' ? topology.nics[party.name] : topology.pes[party.name];
  if (owner === undefined) throw new Error(`${party.name} is not in the topology`);
  return owner.ip;
}

function publicAddress(nic: string, topology: Topology): string {
  const pip = topology.nics[nic]?.pip;
  if (pip === undefined) throw new Error(`${nic} has no public address that the Internet could send to`);
  return pip;
}

/** Attachment that a party sends from, by the names of Simulation.attachment. */
export function senderAttachment(from: Party, to: Party, topology: Topology): string {
  switch (from.kind) {
    case 'nic':
      return from.name;
    case 'endpoint':
      throw new Error(`endpoint ${from.name} sends nothing itself; the service behind it is provider:${from.name}`);
    case 'provider':
      return `provider:${from.name}`;
    case 'inet':
      return 'internet';
    case 'probe':
      return 'platform';
    case 'onprem':
    case 'ip':
      return `onprem:${onPremisesVnet(to, topology)}`;
    default:
      return from satisfies never;
  }
}

/**
 * The network whose gateway on-premises traffic towards `to` comes through: the receiver's own network when it has one
 * or when no network has, else a network with a gateway that is peered with it, else the first with a gateway.
 */
export function onPremisesVnet(to: Party, topology: Topology): string {
  const own = vnetOf(to, topology);
  const withGateway = Object.keys(topology.bgp);
  if (own !== undefined && (withGateway.includes(own) || withGateway.length === 0)) return own;
  const peered = withGateway.find((vnet) =>
    topology.peers.some(([a, b]) => (a === own && b === vnet) || (b === own && a === vnet)),
  );
  const chosen = peered ?? withGateway[0] ?? Object.keys(topology.vnets)[0];
  if (chosen === undefined) throw new Error('the topology has no network');
  return chosen;
}

/** The network that a NIC or an endpoint stands in. */
export function vnetOf(party: Party, topology: Topology): string | undefined {
  if ('address' in party) return undefined;
  const subnet = topology.nics[party.name]?.subnet ?? topology.pes[party.name]?.subnet;
  return subnet === undefined ? undefined : topology.subnets[subnet]?.vnet;
}

const FLAG_BITS: Readonly<Record<string, number>> = {
  S: TCP_SYN,
  A: TCP_ACK,
  F: TCP_FIN,
  R: TCP_RST,
  P: TCP_PSH,
  U: TCP_URG,
};

/** Protocols of the notation that carry no ports of their own here. */
const PLAIN_PROTOCOLS: Readonly<Record<string, number>> = {
  esp: PROTOCOL_ESP,
  ah: PROTOCOL_AH,
  gre: PROTOCOL_GRE,
  ipip: PROTOCOL_IPIP,
};

function frameOf(packet: PacketNotation, src: string, dst: string): Uint8Array {
  const addresses = { src: parseIpv4(src), dst: parseIpv4(dst) };
  const protocol = packet.proto.toLowerCase();
  if (protocol !== 'tcp' && packet.flags !== undefined) throw new Error(`${packet.proto} has no flags`);
  if (protocol === 'icmp') {
    return buildFrame({ ...addresses, icmp: { type: ICMP_ECHO_REQUEST, id: packet.sport, sequence: 1 } });
  }
  const plain = PLAIN_PROTOCOLS[protocol] ?? (/^\d+$/.test(protocol) ? Number(protocol) : undefined);
  if (plain !== undefined) return buildFrame({ ...addresses, protocol: plain, payload: new Uint8Array(16) });
  if (protocol !== 'tcp' && protocol !== 'udp') throw new Error(`protocol not understood: ${packet.proto}`);
  if (packet.dport === undefined) throw new Error(`a ${packet.proto} packet needs dport`);
  const ports = { srcPort: packet.sport, dstPort: packet.dport };
  if (protocol === 'udp') return buildFrame({ ...addresses, udp: ports, payload: new Uint8Array(8) });
  return buildFrame({ ...addresses, tcp: { ...ports, flags: flagBits(packet.flags ?? 'S'), seq: 1 } });
}

function flagBits(flags: string): number {
  let bits = 0;
  for (const letter of flags) {
    const bit = FLAG_BITS[letter];
    if (bit === undefined) throw new Error(`TCP flags not understood: ${flags}`);
    bits |= bit;
  }
  return bits;
}
