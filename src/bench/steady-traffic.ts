// Traffic with everything in it, for the proof that the steady state neither allocates nor deoptimises
// (steady-state.ts): known flows, and a round of events that takes every branch of the data plane: connections that
// open, end by FIN or RST and come again, drops of every stage, UDP, NAT, fragments, ICMP, ARP, IP options, frames that
// are no packets.

import { OUTCOME } from '../abi/regions.ts';
import { compileNetwork, createRegistry } from '../control/compile/compile.ts';
import type { Compiled } from '../control/compile/compiled.ts';
import { readNetworkValue } from '../control/input/read.ts';
import { hasErrors, InputError } from '../control/issues.ts';
import { behaviourOf } from '../control/model/profile.ts';
import { ARP_REQUEST, FABRIC_MAC, ICMP_ECHO_REPLY, ICMP_ECHO_REQUEST, buildArp } from '../wire/index.ts';
import {
  ICMP_PORT_UNREACHABLE,
  ICMP_UNREACHABLE,
  TCP_ACK,
  TCP_FIN,
  TCP_RST,
  TCP_SYN,
  buildFrame,
} from '../wire/index.ts';
import { buildIcmpError, fragmentFrame, ipv4Src, tcpSrcPort, type FrameSpec } from '../wire/index.ts';
import { createLane, type Lane, type Template } from './lane.ts';

const CLIENTS = 16;
const ENDPOINTS = 4;
/** Clients whose traffic is captured. */
const TAPPED = ['client14', 'client15'];
const CLIENT_FIRST = 0x0a00_0104; // 10.0.1.4
const ENDPOINT_FIRST = 0x0a00_0004; // 10.0.0.4
const SERVICE_FIRST = 0xc000_0201; // 192.0.2.1
const GATEWAY = 0x0a00_0101; // 10.0.1.1
const ON_INTERNET = 0xc633_6407; // 198.51.100.7
const RESOLVER = 0xa83f_8110; // 168.63.129.16
const SQL_PORT = 1433;

export interface SteadyTraffic {
  readonly lane: Lane;
  /** Packets of known connections: hits, and nothing else. */
  readonly hits: readonly Template[];
  /** The round of events, in order. Frames of the same connection follow each other. */
  readonly events: readonly Template[];
}

/** Makes the network and its lane, opens `connections` connections, and renders all frames. */
export function createSteadyTraffic(connections: number): SteadyTraffic {
  const places = placesOf(compileSteadyNetwork());
  const talks = Array.from({ length: connections }, (_, i) =>
    toEndpoint(places, i % CLIENTS, i % ENDPOINTS, 20_000 + i),
  );
  const hits = talks.flatMap((talk) => [talk.forward(TCP_ACK), talk.back(TCP_ACK)]);
  const lane = createLane({
    program: places.compiled.program,
    connections: 2 * connections + 256,
    capture: true,
    snapLength: 96,
    templates: { count: hits.length, at: (index) => hits[index] },
  });
  for (const talk of talks) {
    lane.send(talk.forward(TCP_SYN), 0);
    lane.send(talk.back(TCP_SYN | TCP_ACK), 0);
  }
  const [first, ...rest] = fragments(places, 1);
  const events = [
    first, // a long wait for the others: some of them come too late
    ...connectionEvents(places),
    ...dropEvents(places),
    ...internetEvents(places, lane),
    ...otherProtocols(places),
    ...oddFrames(places),
    ...fragments(places, 2),
    ...fragments(places, 2).slice(1), // their first one has gone by
    ...rest,
  ];
  return { lane, hits, events };
}

/** One virtual network with two gates, private endpoints and a NAT gateway. */
function compileSteadyNetwork(): Compiled {
  const numbered = (count: number, name: string, value: (i: number) => unknown): Record<string, unknown> =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`${name}${i}`, value(i)]));
  const deny = { priority: 100, access: 'Deny', protocol: 'Tcp', destinationPorts: [22] };
  const topology = {
    virtualNetworks: {
      vnet: {
        addressSpace: ['10.0.0.0/16'],
        subnets: {
          endpoints: {
            addressPrefix: '10.0.0.0/24',
            networkSecurityGroup: 'gate',
            privateEndpointNetworkPolicies: 'Enabled',
          },
          clients: { addressPrefix: '10.0.1.0/24', networkSecurityGroup: 'gate', natGateway: 'nat' },
        },
      },
    },
    networkSecurityGroups: {
      gate: {
        rules: [
          { ...deny, name: 'NoSshOut', direction: 'Outbound' },
          { ...deny, name: 'NoSshIn', direction: 'Inbound' },
        ],
      },
    },
    networkInterfaces: numbered(CLIENTS, 'client', (i) => ({
      subnet: 'vnet/clients',
      privateIPAddress: `10.0.1.${4 + i}`,
    })),
    natGateways: { nat: { publicIPAddresses: ['20.0.0.9'] } },
    services: numbered(ENDPOINTS, 'mi', (i) => ({
      type: 'Microsoft.Sql/managedInstances',
      backendAddress: `192.0.2.${i + 1}`,
      ports: [SQL_PORT],
    })),
    privateEndpoints: numbered(ENDPOINTS, 'pe', (i) => ({
      subnet: 'vnet/endpoints',
      privateIPAddress: `10.0.0.${4 + i}`,
      service: `mi${i}`,
    })),
  };
  const { network, issues } = readNetworkValue(topology, 'steady state');
  if (network === undefined || hasErrors(issues)) throw new InputError(issues);
  const taps = { attachments: new Set(TAPPED), endpoints: new Set<string>() };
  return compileNetwork(network, behaviourOf(), { epoch: 1, registry: createRegistry(), taps });
}

interface Places {
  readonly compiled: Compiled;
  readonly clients: readonly number[];
  readonly providers: readonly number[];
  readonly internet: number;
  readonly platform: number;
}

function placesOf(compiled: Compiled): Places {
  const find = (kind: string, name: string): number => {
    const info = compiled.sideTable.attachments.find((entry) => entry?.kind === kind && entry.name === name);
    if (info === undefined) throw new Error(`the network has no ${kind} ${name}`);
    return info.attachment;
  };
  return {
    compiled,
    clients: Array.from({ length: CLIENTS }, (_, i) => find('nic', `client${i}`)),
    providers: Array.from({ length: ENDPOINTS }, (_, i) => find('provider', `pe${i}`)),
    internet: find('internet', 'internet'),
    platform: find('platform', 'platform'),
  };
}

/** A conversation: frames of its two sides. */
interface Talk {
  readonly forward: (flags: number) => Template;
  readonly back: (flags: number) => Template;
}

function toEndpoint(places: Places, client: number, endpoint: number, srcPort: number, dstPort = SQL_PORT): Talk {
  const shard = srcPort % 64;
  const from = CLIENT_FIRST + client;
  const request = { src: from, dst: ENDPOINT_FIRST + endpoint };
  const reply = { src: SERVICE_FIRST + endpoint, dst: from };
  return {
    forward: (flags) => tcp(places.clients[client], request, srcPort, dstPort, flags, shard),
    back: (flags) => tcp(places.providers[endpoint], reply, dstPort, srcPort, flags, shard),
  };
}

type Ends = Pick<FrameSpec, 'src' | 'dst'>;

function tcp(from: number, ends: Ends, srcPort: number, dstPort: number, flags: number, shard = 0): Template {
  return template(from, { ...ends, tcp: { srcPort, dstPort, flags, seq: 1, ack: 1 } }, shard);
}

/** Frames have 60 bytes at least, as on a wire. */
function template(attachment: number, spec: FrameSpec, shard = 0): Template {
  return padded(attachment, buildFrame(spec), shard);
}

function padded(attachment: number, bytes: Uint8Array, shard = 0): Template {
  const frame = new Uint8Array(Math.max(60, bytes.length));
  frame.set(bytes);
  return { frame, attachment, shard };
}

/** Connections that open, talk and end in every way; the next round opens them anew on the same ports. */
function connectionEvents(places: Places): Template[] {
  const opened = (talk: Talk): Template[] => [
    talk.forward(TCP_SYN),
    talk.back(TCP_SYN | TCP_ACK),
    talk.forward(TCP_ACK),
    talk.back(TCP_ACK),
  ];
  const [closed, aborted, refused, again] = [0, 1, 2, 3].map((i) => toEndpoint(places, i, i, 50_000 + i));
  const tapped = toEndpoint(places, CLIENTS - 1, 0, 50_010);
  const fin = TCP_FIN | TCP_ACK;
  return [
    opened(closed),
    [closed.forward(fin), closed.back(TCP_ACK), closed.back(fin), closed.forward(TCP_ACK)],
    opened(aborted),
    [aborted.forward(TCP_RST), aborted.forward(TCP_ACK), aborted.back(TCP_ACK)],
    [refused.forward(TCP_SYN), refused.back(TCP_RST | TCP_ACK)],
    opened(again),
    [again.forward(TCP_SYN), again.back(TCP_SYN | TCP_ACK)], // on a living connection: NSG-35
    opened(tapped),
    [tapped.forward(fin), tapped.back(TCP_RST)],
  ].flat();
}

/** A packet that each stage drops. */
function dropEvents(places: Places): Template[] {
  const [first, second] = places.clients;
  const between = { src: CLIENT_FIRST, dst: CLIENT_FIRST + 1 };
  const spoofed = { src: CLIENT_FIRST + 9, dst: CLIENT_FIRST + 1 };
  const nobody = { src: CLIENT_FIRST, dst: CLIENT_FIRST + 200 };
  const inward = { src: ON_INTERNET, dst: 0x1400_0009 };
  return [
    tcp(first, between, 40_000, 22, TCP_SYN), // outbound rule
    tcp(second, spoofed, 40_000, 80, TCP_SYN),
    tcp(first, nobody, 40_000, 80, TCP_SYN),
    toEndpoint(places, 0, 0, 40_001, 5022).forward(TCP_SYN), // port not served
    toEndpoint(places, 0, 0, 40_002).back(TCP_SYN), // the service side opens nothing
    tcp(places.internet, inward, 40_000, 443, TCP_SYN), // no binding
  ];
}

/** Through the NAT gateway and back, TCP and UDP, with and without a UDP checksum; and to the platform's resolver. */
function internetEvents(places: Places, lane: Lane): Template[] {
  const from = places.clients[4];
  const own = CLIENT_FIRST + 4;
  const out = { src: own, dst: ON_INTERNET };
  const payload = new Uint8Array(24);
  const syn = tcp(from, out, 41_000, 443, TCP_SYN);
  const dns = template(from, { ...out, udp: { srcPort: 41_001, dstPort: 53 }, payload });
  const plain = padded(from, dns.frame.slice().fill(0, 40, 42)); // RFC 768: no checksum
  const viaTcp = publicEnd(lane, syn);
  const viaUdp = publicEnd(lane, dns);
  const reply = { src: ON_INTERNET, dst: viaTcp.address };
  const udpReply = { src: ON_INTERNET, dst: viaUdp.address, udp: { srcPort: 53, dstPort: viaUdp.port }, payload };
  const query = { src: own, dst: RESOLVER, udp: { srcPort: 41_002, dstPort: 53 }, payload };
  const answer = { src: RESOLVER, dst: own, udp: { srcPort: 53, dstPort: 41_002 }, payload };
  return [
    [syn, tcp(places.internet, reply, 443, viaTcp.port, TCP_SYN | TCP_ACK)],
    [tcp(from, out, 41_000, 443, TCP_ACK), tcp(places.internet, reply, 443, viaTcp.port, TCP_ACK)],
    [dns, plain, dns, plain, template(places.internet, udpReply)],
    [template(from, query), template(places.platform, answer), template(from, query)],
  ].flat();
}

/** The public address and port that a packet leaves with. */
function publicEnd(lane: Lane, leaving: Template): { address: number; port: number } {
  lane.inject(leaving, 0);
  lane.turn();
  let end = { address: 0, port: 0 };
  lane.inspect(({ at, verdict }) => {
    if (verdict >>> 8 !== OUTCOME.exited) throw new Error(`a packet for the Internet ended as ${verdict}`);
    const { frames } = lane.regions;
    end = { address: ipv4Src(frames, at * 4 + 16), port: tcpSrcPort(frames, at * 4 + 36) };
  });
  return end;
}

function otherProtocols(places: Places): Template[] {
  const { one, other, there, back } = neighbours(places);
  const payload = new Uint8Array(24);
  const request = template(one, { ...there, udp: { srcPort: 42_000, dstPort: 9_000 }, payload });
  const reply = template(other, { ...back, udp: { srcPort: 9_000, dstPort: 42_000 }, payload });
  const echo = { id: 7, sequence: 1 };
  const error = { type: ICMP_UNREACHABLE, code: ICMP_PORT_UNREACHABLE, from: back.src };
  const options = { ...there, ipOptions: new Uint8Array([1, 1, 1, 1]), payload };
  return [
    request,
    reply,
    request,
    reply,
    template(one, { ...there, icmp: { type: ICMP_ECHO_REQUEST, ...echo }, payload }),
    template(other, { ...back, icmp: { type: ICMP_ECHO_REPLY, ...echo }, payload }),
    padded(other, buildIcmpError(error, request.frame)),
    template(one, { ...options, udp: { srcPort: 42_000, dstPort: 9_000 } }),
    template(one, { ...there, protocol: 50, payload }), // ESP
  ];
}

/** Two clients that talk to each other. */
function neighbours(places: Places): { one: number; other: number; there: Ends; back: Ends } {
  const there = { src: CLIENT_FIRST + 5, dst: CLIENT_FIRST + 6 };
  return { one: places.clients[5], other: places.clients[6], there, back: { src: there.dst, dst: there.src } };
}

/** A datagram in fragments. */
function fragments(places: Places, id: number): Template[] {
  const { one, there } = neighbours(places);
  const frame = buildFrame({ ...there, id, udp: { srcPort: 42_001, dstPort: 9_000 }, payload: new Uint8Array(400) });
  return fragmentFrame(frame, 220).map((fragment) => padded(one, fragment));
}

/** Frames that are no packets, or broken ones. */
function oddFrames(places: Places): Template[] {
  const [from] = places.clients;
  const good = toEndpoint(places, 0, 0, 20_000).forward(TCP_ACK);
  const changed = (at: number, value: number): Template => {
    const frame = good.frame.slice();
    frame[at] = value;
    return padded(good.attachment, frame);
  };
  const arp = {
    operation: ARP_REQUEST,
    senderMac: 0x000d3a000104,
    senderIp: CLIENT_FIRST,
    targetMac: 0,
  };
  return [
    padded(
      from,
      buildArp({
        ...arp,
        targetIp: GATEWAY,
        dstMac: 0xffffffffffff,
        srcMac: arp.senderMac,
      }),
    ),
    changed(12, 0x86), // EtherType nobody knows
    changed(14, 0x65), // IP version 6
    changed(24, 0xff), // header checksum
    changed(17, 0xff), // longer than its frame
    changed(46, 0x10), // TCP header shorter than 20 bytes
    padded(from, good.frame.slice().fill(FABRIC_MAC & 0xff, 6, 12)), // a source address of somebody else
  ];
}
