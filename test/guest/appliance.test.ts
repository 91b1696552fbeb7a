// Appliances: forwarding, source NAT, and what a stateful one makes of half a connection (ROUTE-31, ROUTE-34, CAP-4).
import { describe, expect, test } from 'vitest';
import type { Host } from '../../src/guest/host.ts';
import type { PingOutcome } from '../../src/guest/ping.ts';
import type { TcpConnection, TcpHandlers } from '../../src/guest/tcp/connection.ts';
import type { TracerouteResult } from '../../src/guest/traceroute.ts';
import { requestResponse, type ExchangeResult } from '../../src/guest/traffic-service.ts';
import type { UdpOutcome } from '../../src/guest/udp-endpoint.ts';
import {
  ICMP_FRAGMENTATION_NEEDED,
  ICMP_TIME_EXCEEDED,
  TCP_ACK,
  TCP_PSH,
  TCP_RST,
  TCP_SYN,
  buildFrame,
  type ParsedIpv4,
} from '../../src/wire/index.ts';
import { MS, SECOND, tcpFrames, type Lab } from './lab.ts';
import { CLIENT, NVA, SERVER, throughAppliance, type ThreeHosts } from './three-hosts.ts';

const NVA_MAC = 0x000d3a010204;
const KINDS = {
  plain: {},
  stateful: { stateful: true },
  snat: { snat: true },
  'stateful with snat': { snat: true, stateful: true },
};

for (const [kind, options] of Object.entries(KINDS)) {
  describe(`an appliance, ${kind}`, () => {
    test('lets a whole connection through', () => {
      const hosts = throughAppliance(options);
      expect(exchange(hosts)).toEqual({ how: 'completed', established: true, responseBytes: 5000 });
      expect(hosts.lab.drops).toEqual(new Map());
    });

    test('counts the TTL down and leaves the rest of the packet alone', () => {
      const hosts = throughAppliance(options);
      exchange(hosts);
      const sent = tcpFrames(hosts.lab, 'client');
      const forwarded = tcpFrames(hosts.lab, 'nva').filter((frame) => frame.dst === SERVER);
      expect(forwarded.map((frame) => frame.ttl)).toEqual(sent.map(() => 63));
      const facts = (frame: ParsedIpv4): unknown => [
        frame.tcp?.seq,
        frame.tcp?.ack,
        frame.tcp?.flags,
        frame.payloadLength,
      ];
      expect(forwarded.map(facts)).toEqual(sent.map(facts));
    });

    test('keeps the id of a packet that it forwards', () => {
      const hosts = throughAppliance(options);
      exchange(hosts);
      const forwarded = hosts.lab.sent.filter(({ from, parsed }) => from === 'nva' && parsed.kind === 'ipv4');
      expect(forwarded.every(({ meta }) => meta !== undefined && meta.hops === 1)).toBe(true);
      expect(new Set(forwarded.map(({ meta }) => meta?.packetId)).size).toBe(forwarded.length);
    });

    test('lets ping and UDP through, both ways', () => {
      const hosts = throughAppliance(options);
      const outcomes: (PingOutcome | UdpOutcome)[] = [];
      const onOutcome = (outcome: UdpOutcome): void => void outcomes.push(outcome);
      hosts.client.ping(SERVER, { id: 7 }, (outcome) => outcomes.push(outcome));
      hosts.client.sendUdp({ dst: SERVER, dstPort: 53, payload: Uint8Array.of(1), onOutcome });
      hosts.lab.run();
      expect(outcomes).toMatchObject([
        { kind: 'reply', from: SERVER, receivedTtl: 63 },
        { kind: 'reply', datagram: { src: SERVER, payload: Uint8Array.of(1) } },
      ]);
    });

    test('passes fragments on in order', () => {
      const hosts = throughAppliance(options);
      const payload = Uint8Array.from({ length: 5000 }, (_, index) => index * 3);
      const outcomes: PingOutcome[] = [];
      hosts.client.ping(SERVER, { payload }, (outcome) => outcomes.push(outcome));
      hosts.lab.run();
      expect(outcomes).toMatchObject([{ kind: 'reply', payload }]);
    });

    test('answers for itself', () => {
      const hosts = throughAppliance(options);
      const outcomes: PingOutcome[] = [];
      hosts.client.ping(NVA, {}, (outcome) => outcomes.push(outcome));
      const connection = hosts.client.connect({ dst: NVA, dstPort: 22 });
      hosts.lab.run();
      expect(outcomes).toMatchObject([{ kind: 'reply', from: NVA, receivedTtl: 64 }]);
      expect(connection.result).toBe('established');
    });

    test('opens connections of its own', () => {
      const hosts = throughAppliance(options);
      const connection = hosts.nva.connect({ dst: SERVER, dstPort: 1433 });
      hosts.lab.setRoute('server', NVA, 'nva');
      hosts.lab.run();
      expect(connection.result).toBe('established');
    });

    test('reports an expired TTL to the sender (WIRE-7)', () => {
      const hosts = throughAppliance(options);
      const outcomes: PingOutcome[] = [];
      hosts.client.ping(SERVER, { ttl: 1 }, (outcome) => outcomes.push(outcome));
      hosts.lab.run();
      expect(outcomes).toMatchObject([{ kind: 'error', error: { type: ICMP_TIME_EXCEEDED, from: NVA } }]);
      expect(hosts.lab.drops).toEqual(new Map([['ttl expired', 1]]));
    });

    test('says what it can carry, and the connection goes on with that (RFC 1191)', () => {
      const hosts = throughAppliance({ ...options, mtu: 1400, host: { mtu: 1500 } });
      const result = exchange(hosts, 200, 20_000);
      expect(result.how).toBe('completed');
      const errors = hosts.lab.sent.filter(({ from, parsed }) => {
        return from === 'nva' && parsed.kind === 'ipv4' && parsed.icmp?.code === ICMP_FRAGMENTATION_NEEDED;
      });
      expect(errors.length).toBeGreaterThan(0);
      expect(hosts.lab.drops.get('mtu exceeded')).toBe(errors.length);
      expect(hosts.lab.sent.at(-1)?.timeNs).toBeLessThan(SECOND);
    });

    test('fragments what may be fragmented', () => {
      const hosts = throughAppliance({ ...options, mtu: 1000 });
      const outcomes: PingOutcome[] = [];
      hosts.client.ping(SERVER, { payload: new Uint8Array(1400) }, (outcome) => outcomes.push(outcome));
      hosts.lab.run();
      expect(outcomes).toMatchObject([{ kind: 'reply' }]);
    });

    test('brings an ICMP error of the server back to the client', () => {
      const hosts = throughAppliance({ ...options, host: { listen: [1433] } });
      const outcomes: UdpOutcome[] = [];
      const onOutcome = (outcome: UdpOutcome): void => void outcomes.push(outcome);
      hosts.client.sendUdp({ dst: SERVER, dstPort: 53, payload: Uint8Array.of(1), onOutcome });
      hosts.lab.run();
      expect(outcomes).toMatchObject([{ kind: 'error', error: { kind: 'refused', from: SERVER } }]);
    });

    test('survives loss and reordering on all links', () => {
      const hosts = throughAppliance({ ...options, seed: 11 });
      hosts.lab.impairment = { loss: 0.05, duplicate: 0.05, reorder: 0.1 };
      expect(exchange(hosts, 200, 60_000).how).toBe('completed');
    });
  });
}

describe('source NAT', () => {
  test('the server sees the appliance, the client sees the server', () => {
    const hosts = throughAppliance({ snat: true });
    exchange(hosts);
    const atServer = tcpFrames(hosts.lab, 'nva').filter((frame) => frame.dst === SERVER);
    expect(new Set(atServer.map((frame) => `${frame.src === NVA} ${frame.tcp?.srcPort}`))).toEqual(
      new Set(['true 50000']),
    );
    const atClient = tcpFrames(hosts.lab, 'nva').filter((frame) => frame.dst === CLIENT);
    expect(new Set(atClient.map((frame) => `${frame.src === SERVER} ${frame.tcp?.dstPort}`))).toEqual(
      new Set(['true 50000']),
    );
  });

  test('makes replies come back whatever the routes of the server say (ROUTE-45)', () => {
    const hosts = throughAppliance({ snat: true, stateful: true, returnDirectly: true });
    expect(exchange(hosts).how).toBe('completed');
    expect(tcpFrames(hosts.lab, 'server').every((frame) => frame.dst === NVA)).toBe(true);
  });

  test('the source port stays when it is free: of two clients with the same port the second gets another', () => {
    const hosts = throughAppliance({ snat: true });
    const other = CLIENT + 1;
    for (const src of [CLIENT, other]) {
      const tcp = { srcPort: 50_000, dstPort: 1433, flags: TCP_SYN, seq: 5 };
      hosts.lab.deliver('nva', buildFrame({ src, dst: SERVER, dstMac: NVA_MAC, tcp }));
    }
    hosts.lab.run(50 * MS);
    const syns = tcpFrames(hosts.lab, 'nva').filter((frame) => frame.dst === SERVER && frame.tcp?.flags === TCP_SYN);
    expect(syns.map((frame) => frame.tcp?.srcPort)).toEqual([50_000, 1024]);
  });

  test('runs out of ports for one destination only, and says so', () => {
    const hosts = throughAppliance({ snat: true });
    const send = (client: number, dst: number): void => {
      const udp = { srcPort: 7, dstPort: 53 };
      hosts.lab.deliver('nva', buildFrame({ src: CLIENT + client, dst, dstMac: NVA_MAC, udp }));
    };
    send(0, SERVER);
    hosts.lab.run();
    for (let client = 1; client <= 48_976; client++) send(client, SERVER);
    expect(hosts.lab.drops).toEqual(new Map());
    send(48_977, SERVER);
    expect(hosts.lab.drops).toEqual(new Map([['nat ports exhausted', 1]]));
    send(48_977, SERVER + 1);
    expect(hosts.lab.drops).toEqual(new Map([['nat ports exhausted', 1]]));
  });

  test('keeps connections of the appliance itself and translated ones apart, whichever came first', () => {
    const hosts = throughAppliance({ snat: true });
    const connect = (host: Host): TcpConnection => host.connect({ dst: SERVER, dstPort: 1433 });
    const all: TcpConnection[] = [];
    for (const host of [hosts.nva, hosts.client, hosts.client, hosts.nva]) {
      all.push(connect(host));
      hosts.lab.run();
    }
    expect(all.map((connection) => connection.result)).toEqual(Array(4).fill('established'));
    for (const connection of all) connection.write({ fill: 10 });
    hosts.lab.run();
    expect([...hosts.server.connections].map((connection) => connection.stats.bytesReceived)).toEqual([10, 10, 10, 10]);
    const outcomes: PingOutcome['kind'][] = [];
    for (const host of [hosts.nva, hosts.client]) host.ping(SERVER, { id: 5 }, ({ kind }) => outcomes.push(kind));
    hosts.lab.run();
    expect(outcomes).toEqual(['reply', 'reply']);
  });
});

describe('a stateful appliance', () => {
  test('that sees only the client half drops the ACK of the handshake (ROUTE-34, CAP-4)', () => {
    const hosts = throughAppliance({ stateful: true, returnDirectly: true });
    const client = hosts.client.connect({ dst: SERVER, dstPort: 1433 });
    hosts.lab.run(100 * MS);
    // The client has its SYN-ACK, the server never gets the ACK.
    expect(client.result).toBe('established');
    expect([...hosts.server.connections].map((connection) => connection.state)).toEqual(['synReceived']);
    expect(flagsOf(hosts.lab, 'nva')).toEqual([TCP_SYN]);
    expect(hosts.lab.drops).toEqual(new Map([['no state', 1]]));
    // Nor does any data ever arrive.
    client.write({ fill: 100 });
    hosts.lab.run(20 * SECOND);
    expect(client.stats.retransmissions).toBeGreaterThan(0);
    expect([...hosts.server.connections].map((connection) => connection.stats.bytesReceived)).toEqual([0]);
  });

  test('the same way without state works (ROUTE-34)', () => {
    const hosts = throughAppliance({ returnDirectly: true });
    expect(exchange(hosts).how).toBe('completed');
    expect(tcpFrames(hosts.lab, 'nva').every((frame) => frame.dst === SERVER)).toBe(true);
  });

  test('that sees only the server half drops the SYN-ACK', () => {
    const hosts = throughAppliance({ stateful: true });
    hosts.lab.setRoute('client', SERVER, 'server');
    const client = hosts.client.connect({ dst: SERVER, dstPort: 1433, retries: 0 });
    hosts.lab.run(100 * MS);
    expect(client.result).toBe('connecting');
    expect(hosts.lab.drops).toEqual(new Map([['no state', 1]]));
  });

  const inject = (hosts: ThreeHosts, flags: number, reply = false): void => {
    const [src, dst] = reply ? [SERVER, CLIENT] : [CLIENT, SERVER];
    const ports = reply ? { srcPort: 1433, dstPort: 40_000 } : { srcPort: 40_000, dstPort: 1433 };
    hosts.lab.deliver('nva', buildFrame({ src, dst, dstMac: NVA_MAC, tcp: { ...ports, flags, seq: 1, ack: 1 } }));
  };
  const C = 'client';
  const table: [string, [string, number][], boolean][] = [
    ['SYN', [[C, TCP_SYN]], true],
    [
      'SYN, SYN again',
      [
        [C, TCP_SYN],
        [C, TCP_SYN],
      ],
      true,
    ],
    ['ACK without anything', [[C, TCP_ACK]], false],
    ['RST without anything', [[C, TCP_RST]], false],
    ['SYN-ACK without anything', [['server', TCP_SYN | TCP_ACK]], false],
    [
      'SYN, ACK',
      [
        [C, TCP_SYN],
        [C, TCP_ACK],
      ],
      false,
    ],
    [
      'SYN, answer without SYN',
      [
        [C, TCP_SYN],
        ['server', TCP_ACK],
      ],
      false,
    ],
    [
      'SYN, SYN-ACK',
      [
        [C, TCP_SYN],
        ['server', TCP_SYN | TCP_ACK],
      ],
      true,
    ],
    [
      'SYN, SYN-ACK, something without ACK',
      [
        [C, TCP_SYN],
        ['server', TCP_SYN | TCP_ACK],
        [C, TCP_PSH],
      ],
      false,
    ],
    [
      'SYN, SYN-ACK, data of the server',
      [
        [C, TCP_SYN],
        ['server', TCP_SYN | TCP_ACK],
        ['server', TCP_ACK],
      ],
      false,
    ],
    [
      'SYN, SYN-ACK, ACK',
      [
        [C, TCP_SYN],
        ['server', TCP_SYN | TCP_ACK],
        [C, TCP_ACK],
      ],
      true,
    ],
    [
      'SYN, RST of the server',
      [
        [C, TCP_SYN],
        ['server', TCP_RST | TCP_ACK],
      ],
      true,
    ],
    [
      'SYN, RST, ACK',
      [
        [C, TCP_SYN],
        ['server', TCP_RST | TCP_ACK],
        [C, TCP_ACK],
      ],
      false,
    ],
    [
      'SYN, SYN-ACK, ACK, data of the server',
      [
        [C, TCP_SYN],
        ['server', TCP_SYN | TCP_ACK],
        [C, TCP_ACK],
        ['server', TCP_ACK],
      ],
      true,
    ],
  ];
  for (const [name, packets, passes] of table) {
    test(`${name}: the last packet ${passes ? 'passes' : 'is dropped'}`, () => {
      const hosts = throughAppliance({ stateful: true });
      for (const [from, flags] of packets) inject(hosts, flags, from === 'server');
      expect(hosts.lab.drops).toEqual(passes ? new Map() : new Map([['no state', 1]]));
    });
  }

  test('forgets a SYN that was never answered after two minutes', () => {
    const hosts = throughAppliance({ stateful: true });
    inject(hosts, TCP_SYN);
    hosts.lab.advance(121 * SECOND);
    inject(hosts, TCP_SYN | TCP_ACK, true);
    expect(hosts.lab.drops.get('no state')).toBe(1);
  });

  test('drops an echo reply to a request that it has not seen', () => {
    const hosts = throughAppliance({ stateful: true });
    hosts.lab.setRoute('client', SERVER, 'server');
    const outcomes: PingOutcome[] = [];
    hosts.client.ping(SERVER, {}, (outcome) => outcomes.push(outcome));
    hosts.lab.run();
    expect(outcomes).toEqual([{ kind: 'timeout' }]);
    expect(hosts.lab.drops).toEqual(new Map([['no state', 1]]));
  });
});

describe('traceroute', () => {
  for (const protocol of ['icmp', 'udp', 'tcp'] as const) {
    test(`by ${protocol} shows the appliance and nothing of the fabric: hops 2 back 1 (WIRE-7, ROUTE-34)`, () => {
      const hosts = throughAppliance({ returnDirectly: true });
      const trace = traceTo(hosts, protocol);
      expect(trace.reached).toBe(true);
      expect(trace.hops.map((hop) => [hop.ttl, hop.address])).toEqual([
        [1, NVA],
        [2, SERVER],
      ]);
      expect(trace.hops.map((hop) => hop.back)).toEqual([1, 1]);
    });

    test(`by ${protocol} directly, with the answer through the appliance: hops 1 back 2`, () => {
      const hosts = throughAppliance();
      hosts.lab.setRoute('client', SERVER, 'server');
      const trace = traceTo(hosts, protocol);
      expect(trace.hops).toMatchObject([{ ttl: 1, address: SERVER, back: 2 }]);
    });
  }

  test('gives up after three silent hops', () => {
    const hosts = throughAppliance({ host: { answerPing: false } });
    const trace = traceTo(hosts, 'icmp');
    expect(trace.reached).toBe(false);
    expect(trace.hops.map((hop) => hop.address)).toEqual([NVA, undefined, undefined, undefined]);
  });
});

function traceTo(hosts: ThreeHosts, protocol: 'icmp' | 'udp' | 'tcp'): TracerouteResult {
  const results: TracerouteResult[] = [];
  hosts.client.traceroute(SERVER, { protocol }, (result) => results.push(result));
  hosts.lab.run(60 * SECOND);
  expect(results).toHaveLength(1);
  return results[0];
}

function exchange(hosts: ThreeHosts, requestLength = 200, responseLength = 5000): ExchangeResult {
  const results: ExchangeResult[] = [];
  const connect = (handlers: TcpHandlers): TcpConnection => {
    return hosts.client.connect({ dst: SERVER, dstPort: 1433, handlers });
  };
  requestResponse({ requestLength, responseLength }, connect, (result) => results.push(result));
  hosts.lab.run(500 * SECOND);
  expect(results).toHaveLength(1);
  return results[0];
}

function flagsOf(lab: Lab, from: string): (number | undefined)[] {
  return tcpFrames(lab, from).map((frame) => frame.tcp?.flags);
}
