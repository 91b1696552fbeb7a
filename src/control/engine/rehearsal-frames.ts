// The frames of the rehearsal (dataplane/rehearsal.ts), in steps. Together they take every branch of the data plane
// that real traffic can take within a run of ordinary length.

import { NAT_PORT_FIRST, NAT_PORTS_PER_SHARD, PASSES_MAX } from '../../abi/limits.ts';
import type { Program } from '../../abi/program.ts';
import {
  INGRESS_WORDS,
  IN_ATTACHMENT,
  IN_FACTS,
  IN_FACT_DUPLICATE,
  IN_LENGTH,
  IN_NOW_MS,
  IN_PACKET,
} from '../../abi/regions.ts';
import {
  ARP_REPLY,
  ARP_REQUEST,
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
  ICMP_UNREACHABLE,
  TCP_ACK,
  TCP_RST,
  TCP_SYN,
  buildArp,
  parseIpv4,
} from '../../wire/index.ts';
import type { RehearsalFrame, RehearsalStep } from '../../dataplane/rehearsal.ts';
import type { Places, RehearsalNetwork } from './rehearsal-network.ts';
import {
  SYN_ACK,
  FIN_ACK,
  PAYLOAD,
  ADDRESSES,
  PE,
  SERVICE,
  ON_INTERNET,
  RESOLVER,
  STORAGE,
  type Shot,
  talk,
  toEndpoint,
  opening,
  tcp,
  udp,
  echo,
  shot,
  unsummed,
  changed,
  fragments,
  related,
  rivals,
} from './rehearsal-shots.ts';

/** Longer than any connection may be idle. */
const LONG_MS = 2_000_000;
/** Longer than a closed connection or a datagram in fragments is remembered, and than a sweep takes. */
const LINGER_MS = 70_000;
/** A flow table that is soon full. */
const FEW_RECORDS = 16;

/** A round, for flow indexes of `indexEntries` entries. */
export function rehearsalSteps(
  { places, first, second }: RehearsalNetwork,
  indexEntries: number,
): RehearsalStep<Program>[] {
  const near = neighbours(places);
  const served = endpoint(places);
  const known = hits(places);
  const opened = [...near, ...served, ...internet(places), ...shared(places)];
  const [one, rival] = rivals(places, indexEntries);
  const crowd = [one.there(TCP_SYN), rival.there(TCP_SYN), one.there(TCP_ACK), rival.there(TCP_ACK)];
  return [
    { program: first, jams: true, frames: at(0, near) },
    { frames: at(0, [...opened, ...crowd]) },
    { frames: at(1, [...routes(places), ...oddFrames(places), ...otherProtocols(places)]) },
    { frames: at(2, [...known, ...ends(places), ...drops(places), one.there(TCP_RST)]) },
    { frames: at(LINGER_MS, [...near, ...lateFragments(places), rival.there(TCP_ACK)]) },
    { frames: at(LINGER_MS + 1, crowd) }, // into the place that the first one has left
    { program: second, frames: at(LINGER_MS + 2, [...opened, ...portsTaken(places)]) }, // a NIC has gone
    { frames: at(LINGER_MS + LONG_MS, [...portsDead(places), ...known]) },
    { program: first, frames: at(LINGER_MS + 2 * LONG_MS, [...near, ...served, ...known]) },
    { frames: at(LINGER_MS + 3 * LONG_MS, known) },
    { program: first, records: FEW_RECORDS, frames: at(0, [...near, ...known]) },
  ];
}

function at(timeMs: number, shots: readonly Shot[]): RehearsalFrame[] {
  return shots.map(({ attachment, bytes, shard = 0, hops = 0, duplicate = false }, i) => {
    const descriptor = new Int32Array(INGRESS_WORDS);
    descriptor[IN_LENGTH] = bytes.length;
    descriptor[IN_PACKET] = i + 1;
    descriptor[IN_ATTACHMENT] = attachment;
    descriptor[IN_NOW_MS] = timeMs;
    descriptor[IN_FACTS] = hops | (shard << 8) | (duplicate ? IN_FACT_DUPLICATE : 0);
    return { bytes, descriptor };
  });
}

/** Inside the networks, captured and not. */
function neighbours(places: Places): Shot[] {
  const { client, other, worker } = places.nics;
  const query = udp(client, ADDRESSES.client, ADDRESSES.other, 40_000, 53); // its network's own DNS server: NSG-31
  const reply = udp(other, ADDRESSES.other, ADDRESSES.client, 53, 40_000);
  return [
    opening(talk(places, 'client', 'other', 30_000)),
    opening(talk(places, 'other', 'second', 30_001)),
    opening(talk(places, 'other', 'worker', 30_002)),
    opening(talk(places, 'worker', 'plain', 30_003)),
    opening(talk(places, 'leaver', 'second', 30_004)),
    opening(talk(places, 'second', 'second', 30_005, 30_005)),
    [query, reply, unsummed(query), reply],
    [echo(worker, ADDRESSES.worker, ADDRESSES.other, ICMP_ECHO_REQUEST, 9)],
    [echo(other, ADDRESSES.other, ADDRESSES.worker, ICMP_ECHO_REPLY, 9)],
  ].flat();
}

function endpoint(places: Places): Shot[] {
  return [
    opening(toEndpoint(places, 'client', 31_000)),
    opening(toEndpoint(places, 'other', 31_001)),
    opening(toEndpoint(places, 'worker', 31_002)),
    opening(toEndpoint(places, 'leaver', 31_003)),
  ].flat();
}

/** First port of a shard at a NAT address. */
function natPort(shard: number): number {
  return NAT_PORT_FIRST + shard * NAT_PORTS_PER_SHARD;
}

/** Public addresses, out and in. */
function internet(places: Places): Shot[] {
  const { client, web, second } = places.nics;
  const outside = places.internet;
  const own = ADDRESSES.client;
  const nat = '20.0.0.9';
  const datagram = udp(client, own, ON_INTERNET, 32_001, 123, 4);
  const answer = udp(outside, ON_INTERNET, nat, 123, natPort(4), 4);
  return [
    tcp(client, own, ON_INTERNET, 32_000, 443, TCP_SYN),
    tcp(outside, ON_INTERNET, nat, 443, natPort(0), SYN_ACK),
    tcp(client, own, ON_INTERNET, 32_000, 443, TCP_ACK),
    tcp(outside, ON_INTERNET, nat, 443, natPort(0), TCP_ACK),
    tcp(second, ADDRESSES.second, ON_INTERNET, 32_009, 443, TCP_SYN, 20),
    tcp(client, own, ON_INTERNET, 32_010, 443, TCP_SYN, 24),
    datagram,
    answer,
    unsummed(datagram),
    unsummed(answer),
    echo(client, own, ON_INTERNET, ICMP_ECHO_REQUEST, 7, 8),
    echo(outside, ON_INTERNET, nat, ICMP_ECHO_REPLY, natPort(8), 8),
    echo(client, own, ON_INTERNET, ICMP_ECHO_REQUEST, 7, 8),
    related(outside, ON_INTERNET, udp(outside, nat, ON_INTERNET, natPort(4), 123), 4),
    related(outside, ON_INTERNET, echo(outside, nat, ON_INTERNET, ICMP_ECHO_REQUEST, natPort(8)), 8),
    tcp(outside, ON_INTERNET, '20.0.0.5', 33_000, 443, TCP_SYN),
    tcp(web, ADDRESSES.web, ON_INTERNET, 443, 33_000, SYN_ACK),
    tcp(outside, ON_INTERNET, '20.0.0.5', 33_000, 443, TCP_ACK),
    tcp(web, ADDRESSES.web, ON_INTERNET, 33_001, 443, TCP_SYN),
    tcp(outside, ON_INTERNET, '20.0.0.5', 443, 33_001, SYN_ACK),
    udp(web, ADDRESSES.web, ON_INTERNET, 33_002, 53),
    udp(outside, ON_INTERNET, '20.0.0.5', 53, 33_002),
  ];
}

/** Exits that networks share: the platform and public services. `twin` uses the very tuple that `worker` uses. */
function shared(places: Places): Shot[] {
  const { client, plain, twin, worker } = places.nics;
  const probed = ADDRESSES.other;
  return [
    udp(client, ADDRESSES.client, RESOLVER, 34_000, 53),
    udp(places.platform, RESOLVER, ADDRESSES.client, 53, 34_000),
    udp(client, ADDRESSES.client, RESOLVER, 34_000, 53),
    udp(worker, ADDRESSES.worker, RESOLVER, 65_535, 53),
    udp(twin, ADDRESSES.twin, RESOLVER, 65_535, 53),
    udp(places.platform, RESOLVER, ADDRESSES.twin, 53, 1024),
    udp(twin, ADDRESSES.twin, RESOLVER, 65_535, 53),
    tcp(places.platform, RESOLVER, probed, 34_001, 80, TCP_SYN), // a probe
    tcp(places.nics.other, probed, RESOLVER, 80, 34_001, SYN_ACK),
    tcp(client, ADDRESSES.client, '169.254.169.254', 34_002, 80, TCP_SYN), // denied by a rule with an AzurePlatform tag
    tcp(plain, ADDRESSES.plain, STORAGE, 34_003, 443, TCP_SYN),
    tcp(places.service, STORAGE, ADDRESSES.plain, 443, 34_003, SYN_ACK),
    tcp(plain, ADDRESSES.plain, STORAGE, 34_003, 443, TCP_ACK),
    tcp(places.service, STORAGE, ADDRESSES.plain, 443, 34_009, SYN_ACK), // nobody's
    udp(plain, ADDRESSES.plain, STORAGE, 34_004, 443), // SEP-3
  ];
}

/** Appliances, peerings, on-premises. */
function routes(places: Places): Shot[] {
  const { appliance, client, plain } = places.nics;
  const far = '192.168.7.7';
  return [
    tcp(plain, ADDRESSES.plain, '10.200.0.1', 35_000, 80, TCP_SYN),
    tcp(plain, ADDRESSES.plain, '10.200.0.1', 35_000, 80, TCP_ACK),
    tcp(appliance, ADDRESSES.plain, ADDRESSES.worker, 35_001, 80, TCP_SYN),
    tcp(appliance, ADDRESSES.plain, PE, 35_002, 1433, TCP_SYN), // ROUTE-44: replies go past it
    tcp(appliance, ADDRESSES.worker, PE, 35_003, 1433, TCP_SYN),
    tcp(appliance, '10.77.0.1', PE, 35_004, 1433, TCP_SYN),
    tcp(appliance, '10.77.0.1', ADDRESSES.worker, 35_004, 80, TCP_SYN),
    tcp(places.nics.worker, ADDRESSES.worker, ADDRESSES.appliance, 35_005, 80, TCP_SYN),
    tcp(appliance, '255.0.0.1', ADDRESSES.client, 35_006, 80, TCP_SYN), // a source that cannot be
    tcp(client, ADDRESSES.client, far, 35_007, 80, TCP_SYN),
    tcp(places.onPremises, far, ADDRESSES.client, 80, 35_007, SYN_ACK),
    tcp(places.onPremises, far, ADDRESSES.client, 35_008, 80, TCP_SYN),
    tcp(places.onPremises, far, PE, 35_009, 1433, TCP_SYN),
    tcp(places.onPremises, far, ON_INTERNET, 35_010, 80, TCP_SYN),
  ];
}

/** Packets of known connections. */
function hits(places: Places): Shot[] {
  const pairs = [
    talk(places, 'client', 'other', 30_000),
    talk(places, 'other', 'second', 30_001),
    toEndpoint(places, 'other', 31_001),
    toEndpoint(places, 'client', 31_000),
  ];
  const packets = pairs.flatMap(({ there, back }) => [there(TCP_ACK), back(TCP_ACK)]);
  const doubled = packets.map((packet) => ({ ...packet, duplicate: true }));
  const out = udp(places.nics.client, ADDRESSES.client, ON_INTERNET, 32_001, 123, 4);
  return [...packets, ...doubled, ...packets, out, unsummed(out), ...packets];
}

/** Connections that end in every way, on hits and on other packets. */
function ends(places: Places): Shot[] {
  const connections = [talk(places, 'other', 'client', 36_000), toEndpoint(places, 'client', 36_001)];
  return connections.flatMap((connection) => {
    const { there, back } = connection;
    return [
      ...opening(connection),
      there(FIN_ACK),
      back(TCP_ACK),
      back(FIN_ACK),
      there(TCP_ACK),
      back(TCP_RST),
      there(TCP_SYN),
      back(SYN_ACK),
      there(TCP_ACK),
      there(TCP_SYN),
      back(SYN_ACK),
      there(TCP_ACK),
      back(TCP_ACK),
      there(TCP_RST),
      there(TCP_ACK),
      back(TCP_ACK),
      there(FIN_ACK),
      there(TCP_SYN),
      back(TCP_RST | TCP_ACK),
      there(TCP_SYN),
      there(FIN_ACK),
      back(FIN_ACK),
      there(TCP_SYN),
      back(SYN_ACK),
    ];
  });
}

/** A packet for each reason to drop that frames alone can give. */
function drops(places: Places): Shot[] {
  const { client, other, plain, worker } = places.nics;
  const own = ADDRESSES.client;
  const near = ADDRESSES.other;
  const outside = places.internet;
  const long = { tcp: { srcPort: 37_000, dstPort: 80, flags: TCP_ACK }, payload: new Uint8Array(1600) };
  return [
    tcp(client, own, near, 37_000, 22, TCP_SYN), // outbound rule
    tcp(plain, ADDRESSES.plain, own, 37_000, 22, TCP_SYN), // inbound rule
    tcp(worker, ADDRESSES.worker, PE, 37_000, 22, TCP_SYN), // rule of an endpoint's subnet
    tcp(client, near, own, 37_001, 80, TCP_SYN), // spoofed
    tcp(client, own, '172.16.1.99', 37_002, 80, TCP_SYN),
    tcp(worker, ADDRESSES.worker, '10.7.7.7', 37_003, 25, TCP_SYN),
    tcp(client, own, ON_INTERNET, 37_004, 25, TCP_SYN), // SMTP
    tcp(worker, ADDRESSES.worker, ON_INTERNET, 37_005, 80, TCP_SYN),
    tcp(plain, ADDRESSES.plain, '10.201.0.1', 37_006, 80, TCP_SYN), // nowhere
    tcp(plain, ADDRESSES.plain, '10.202.0.1', 37_007, 80, TCP_SYN), // an appliance that is not there
    tcp(plain, ADDRESSES.plain, '172.16.0.5', 37_008, 1433, TCP_SYN), // not approved
    tcp(plain, ADDRESSES.plain, PE, 37_008, 5022, TCP_SYN), // not served
    udp(plain, ADDRESSES.plain, PE, 37_008, 1433),
    toEndpoint(places, 'other', 37_009).back(TCP_ACK), // the service side opens nothing
    tcp(outside, ON_INTERNET, '20.0.0.9', 37_010, 443, TCP_SYN), // no binding
    tcp(outside, ON_INTERNET, '20.0.0.4', 37_011, 443, TCP_SYN), // NET-18
    tcp(outside, ON_INTERNET, '20.0.0.77', 37_011, 443, TCP_SYN),
    shot(plain, ADDRESSES.plain, own, long), // MTU of the receiver
    shot(client, own, near, long), // MTU of the sender
    shot(plain, ADDRESSES.plain, ON_INTERNET, long),
    shot(plain, ADDRESSES.plain, PE, long),
    udp(client, own, '224.0.0.5', 37_012, 80),
    udp(client, own, near, 37_013, 65330),
    udp(client, own, near, 4791, 37_013),
    udp(client, own, '172.16.1.1', 68, 67), // DHCP
    { ...tcp(client, own, near, 37_014, 80, TCP_SYN), hops: PASSES_MAX + 1 },
    tcp(other, near, own, 37_015, 80, TCP_ACK),
  ];
}

/** Frames that are no packets, or broken ones. */
function oddFrames(places: Places): Shot[] {
  const { client } = places.nics;
  const good = toEndpoint(places, 'client', 31_000).there(TCP_ACK);
  const datagram = udp(client, ADDRESSES.client, ADDRESSES.other, 40_000, 53);
  const asking = {
    operation: ARP_REQUEST,
    senderMac: 0x000d3a100104,
    senderIp: parseIpv4(ADDRESSES.client),
    targetMac: 0,
  };
  const arp = (more: Partial<typeof asking> & { targetIp: number }): Shot => ({
    attachment: client,
    bytes: buildArp({ ...asking, ...more, dstMac: 0xffffffffffff, srcMac: asking.senderMac }),
  });
  const request = arp({ targetIp: parseIpv4('172.16.1.1') });
  return [
    request,
    arp({ targetIp: parseIpv4(ADDRESSES.other) }),
    arp({ targetIp: asking.senderIp }), // gratuitous
    arp({ targetIp: asking.senderIp, operation: ARP_REPLY }),
    { ...request, attachment: places.internet },
    changed(request, 14, 9), // hardware nobody knows
    { ...request, bytes: request.bytes.slice(0, 30) },
    { ...good, bytes: good.bytes.slice(0, 10) },
    { ...good, bytes: good.bytes.slice(0, 40) },
    changed(good, 12, 0x86), // EtherType nobody knows
    changed(good, 14, 0x65), // IP version 6
    changed(good, 14, 0x44), // header shorter than 20 bytes
    changed(good, 24, ~(good.bytes[24] ?? 0)), // header checksum
    changed(good, 17, 0xff), // longer than its frame
    changed(good, 46, 0x10), // TCP header shorter than 20 bytes
    changed(good, 46, 0xf0), // TCP header longer than the packet
    { ...good, attachment: 999 }, // nobody is there
    shot(client, ADDRESSES.client, ADDRESSES.other, { protocol: 6, payload: new Uint8Array(4) }),
    shot(client, ADDRESSES.client, ADDRESSES.other, { protocol: 17, payload: new Uint8Array(4) }),
    shot(client, ADDRESSES.client, ADDRESSES.other, { protocol: 1, payload: new Uint8Array(4) }),
    shot(client, ADDRESSES.client, ADDRESSES.other, { protocol: 47, payload: PAYLOAD }), // GRE
    datagram,
  ];
}

/** ICMP, ESP, IP options, fragments. */
function otherProtocols(places: Places): Shot[] {
  const { client, other, worker } = places.nics;
  const [own, near] = [ADDRESSES.client, ADDRESSES.other];
  const ipOptions = new Uint8Array([1, 1, 1, 1]);
  const datagram = udp(client, own, near, 40_000, 53);
  const served = toEndpoint(places, 'client', 31_000);
  const ports = { srcPort: 31_000, dstPort: 1433 };
  const quoted = shot(places.provider, own, SERVICE, { tcp: { ...ports, flags: TCP_ACK } });
  const pieces = fragments(client, own, near, 1);
  const translatedPieces = fragments(client, own, ON_INTERNET, 2, 4);
  const [first, middle, last] = fragments(client, own, near, 3) as [Shot, Shot, Shot];
  return [
    related(other, near, datagram),
    related(places.provider, SERVICE, quoted),
    related(other, near, udp(client, own, near, 44_444, 53)), // about nothing known
    related(other, near, echo(client, own, near, ICMP_ECHO_REQUEST, 77)),
    related(worker, ADDRESSES.worker, echo(other, near, ADDRESSES.worker, ICMP_ECHO_REPLY, 9)),
    shot(other, near, own, { icmp: { type: ICMP_UNREACHABLE }, payload: new Uint8Array(8) }),
    shot(client, own, near, { ipOptions, udp: { srcPort: 40_000, dstPort: 53 }, payload: PAYLOAD }),
    shot(client, own, PE, { ipOptions, tcp: { ...ports, flags: TCP_ACK } }),
    shot(client, own, near, { protocol: 50, payload: PAYLOAD }),
    shot(client, own, near, { protocol: 50, payload: PAYLOAD }),
    shot(client, own, near, { icmp: { type: 13, id: 1, sequence: 1 }, payload: PAYLOAD }),
    served.there(TCP_ACK),
    ...pieces,
    ...translatedPieces,
    ...translatedPieces,
    ...pieces.slice(1), // their first one has gone by
    first,
    last,
    middle,
    last,
    ...fragments(client, own, near, 4).slice(0, 1), // the others come too late
  ];
}

function lateFragments(places: Places): Shot[] {
  const late = fragments(places.nics.client, ADDRESSES.client, ADDRESSES.other, 4).slice(1);
  return [...late, ...late];
}

/** The gateways have exchanged their addresses: ports that connections still hold are tried again. */
function portsTaken(places: Places): Shot[] {
  const { client, second } = places.nics;
  return [
    tcp(second, ADDRESSES.second, ON_INTERNET, 38_000, 443, TCP_SYN, 0),
    tcp(client, ADDRESSES.client, ON_INTERNET, 38_001, 443, TCP_SYN, 20),
  ];
}

/** The same, when the connections that had them are dead and not reclaimed yet. */
function portsDead(places: Places): Shot[] {
  return [tcp(places.nics.second, ADDRESSES.second, ON_INTERNET, 38_002, 443, TCP_SYN, 24)];
}
