// DNS behind the platform, the Internet and the NICs of DNS servers (DNS-7, DNS-15, DNS-16). What they answer is the
// resolver's word on the network as it is when the question arrives; what they do not know they ask others, in frames.

import { formatIpv4, parseIpv4 } from '../../wire/index.ts';
import { longestSuffix, nameKey } from '../../control/dns/names.ts';
import { resolveAzure, resolvePublic } from '../../control/dns/resolve.ts';
import { idKey } from '../../control/model/resources.ts';
import { dnsServer } from '../../guest/dns-server.ts';
import type { DnsMessageRecord, DnsQuestion } from '../../wire/dns.ts';
import type { Compiled } from '../../control/compile/compiled.ts';
import type { DnsResult } from '../../control/dns/resolve.ts';
import type { DnsServer } from '../../control/model/dns.ts';
import type { DnsDecision } from '../../guest/dns-server.ts';
import type { Host } from '../../guest/host.ts';
import type { UdpDatagram } from '../../guest/udp-endpoint.ts';
import type { ExtrasOf, GuestWorld } from './guest-extras.ts';
import type { GuestFacts } from './guests.ts';

/** Azure's own server in every network (DNS-6), and a root server of the public name space. */
export const AZURE_DNS = parseIpv4('168.63.129.16');
const ROOT_DNS = parseIpv4('198.41.0.4');

export const dnsExtras: ExtrasOf = (facts, world) => {
  switch (facts.kind) {
    case 'platform':
      return { serveUdp: dnsServer((question, datagram) => platformDecision(world, question, datagram)) };
    case 'nic':
      return { serveUdp: dnsServer((question, datagram) => serverDecision(facts, world, question, datagram)) };
    case 'internet':
    case 'onPremises':
      return { serveUdp: dnsServer((question, datagram) => exitDecision(facts, world, question, datagram)) };
    default:
      return {};
  }
};

const configured = new WeakMap<Host, readonly number[]>();

/** Remembers what DHCP told a guest when it started: later changes reach it at its next start (DNS-6). */
export function rememberDnsServers(host: Host, facts: GuestFacts): void {
  configured.set(host, facts.dnsServers ?? (facts.settings.dnsServers ?? []).map(parseIpv4));
}

/** Where the guest asks for names; empty: it is outside, and knows the public name space. */
export function dnsServersOf(host: Host): readonly number[] {
  return configured.get(host) ?? [];
}

/** The network whose NIC an attachment is; undefined for exits and services. */
export function vnetOfAttachment(compiled: Compiled, attachment: number): string | undefined {
  const info = compiled.sideTable.attachments[attachment];
  if (info?.kind !== 'nic') return undefined;
  const nic = compiled.network.networkInterfaces.find((entry) => idKey(entry.id) === idKey(info.id));
  const subnet = idKey(nic?.properties.ipConfigurations[0]?.properties.subnet.id ?? '');
  return compiled.network.virtualNetworks.find((vnet) => subnet.startsWith(`${idKey(vnet.id)}/subnets/`))?.id;
}

/** The DNS server that stands on a NIC. */
export function dnsServerAt(compiled: Compiled, attachment: number): DnsServer | undefined {
  const info = compiled.sideTable.attachments[attachment];
  if (info?.kind !== 'nic') return undefined;
  return compiled.network.dnsServers.find((server) => idKey(server.nic.id) === idKey(info.id));
}

/** Where a server sends what it does not know itself: its conditional forwarders first, the longest suffix of them. */
export function forwardersOf(server: DnsServer, name: string): readonly number[] {
  const rule = longestSuffix(nameKey(name), server.conditional, ({ suffix }) => (suffix === '.' ? '' : suffix));
  const forward = rule?.forward ?? server.forward;
  if (forward === 'azure') return [AZURE_DNS];
  return forward === 'root' ? [ROOT_DNS] : forward.map(parseIpv4);
}

// DNS-16: only who is inside a network gets an answer; which network tells equal addresses apart.
function platformDecision(world: GuestWorld, question: DnsQuestion, datagram: UdpDatagram): DnsDecision {
  const { compiled } = world;
  const vnet = vnetOfAttachment(compiled, datagram.ingress ?? -1);
  if (vnet === undefined) return { status: 'REFUSED', answers: [] };
  const result = resolveAzure(compiled.network, compiled.behaviour, vnet, question.name, question.type);
  const { forward } = result;
  if (forward === undefined) return decisionOf(question, result);
  const outbound = forward.outboundEndpoint;
  const info = compiled.sideTable.attachments.find(
    (entry) => entry?.kind === 'nic' && outbound !== undefined && idKey(entry.id) === idKey(outbound),
  );
  if (info === undefined) return { status: 'SERVFAIL', answers: result.records };
  return {
    servers: forward.servers.map(parseIpv4),
    question: { ...question, name: forward.name },
    answers: answersOf(question, result),
    through: world.host(info.attachment),
  };
}

function serverDecision(
  facts: GuestFacts,
  world: GuestWorld,
  question: DnsQuestion,
  datagram: UdpDatagram,
): DnsDecision | undefined {
  const server = dnsServerAt(world.compiled, facts.attachment);
  if (server === undefined) return undefined;
  const answers: DnsMessageRecord[] = [];
  const seen = new Set<string>();
  let { name } = question;
  while (!seen.has(nameKey(name))) {
    seen.add(nameKey(name));
    const own = ownRecords(server, name);
    const found = own.filter((record) => record.type === question.type);
    const alias = own.find((record) => record.type === 'CNAME');
    if (own.length > 0 && (found.length > 0 || alias === undefined)) {
      return { status: 'NOERROR', answers: [...answers, ...found], isAuthoritative: true };
    }
    if (alias === undefined) break;
    answers.push(alias);
    name = alias.value;
  }
  const through = world.host(facts.attachment);
  return { servers: forwardersOf(server, name), question: { ...question, name }, answers, through, src: datagram.dst };
}

function exitDecision(facts: GuestFacts, world: GuestWorld, question: DnsQuestion, datagram: UdpDatagram): DnsDecision {
  const through = world.host(facts.attachment);
  const servers = dnsServersOf(through);
  // A server is none of its own forwarders.
  if (servers.length > 0 && !servers.includes(datagram.dst)) {
    return { servers, question, answers: [], through, src: datagram.dst };
  }
  return decisionOf(question, resolvePublic(world.compiled.network, question.name, question.type));
}

const TTL_OWN = 3600;

/** The records of a server under a full name. */
export function ownRecords(server: DnsServer, name: string): DnsMessageRecord[] {
  return server.records
    .filter((record) => nameKey(record.name) === nameKey(name))
    .flatMap(({ type, values }) => values.map((value) => ({ name, type, ttl: TTL_OWN, value })));
}

function decisionOf(question: DnsQuestion, result: DnsResult): DnsDecision {
  return { status: result.status, answers: answersOf(question, result) };
}

/** The answer in the spelling of the question. */
function answersOf(question: DnsQuestion, result: DnsResult): DnsMessageRecord[] {
  return result.records.map((record) =>
    record.name === nameKey(question.name) ? { ...record, name: question.name } : record,
  );
}

/** A server's address as users know it: the name of the NIC when there is one. */
export function serverLabel(compiled: Compiled, attachment: number, address: number): string {
  const info = compiled.sideTable.attachments[attachment];
  return info?.kind === 'nic' ? info.name : formatIpv4(address);
}
