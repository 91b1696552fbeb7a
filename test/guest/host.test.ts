// A host on its link: ARP, ICMP, UDP, fragments, and what it drops.
import { describe, expect, test } from 'vitest';
import type { PingOutcome } from '../../src/guest/ping.ts';
import { Service } from '../../src/guest/service.ts';
import type { UdpOutcome } from '../../src/guest/udp-endpoint.ts';
import {
  ARP_REPLY,
  ARP_REQUEST,
  BROADCAST_MAC,
  FABRIC_MAC,
  ICMP_FRAGMENTATION_NEEDED,
  ICMP_PORT_UNREACHABLE,
  ICMP_UNREACHABLE,
  TCP_SYN,
  buildArp,
  buildFrame,
  buildIcmpError,
  fragmentFrame,
  parseIpv4,
  type FrameSpec,
} from '../../src/wire/index.ts';
import { Lab, MS, SECOND, tcpFrames } from './lab.ts';
import { APP, APP_MAC, GATEWAY, SQL, SQL_MAC, twoHosts, type TwoHosts } from './two-hosts.ts';

const NOBODY = parseIpv4('10.0.0.200');
const FAR = parseIpv4('10.9.0.10');

describe('ARP', () => {
  test('a neighbour is asked for once, however many packets wait', () => {
    const { lab, app } = twoHosts();
    for (let port = 1; port <= 20; port++) app.connect({ dst: SQL, dstPort: port });
    lab.run();
    app.connect({ dst: SQL, dstPort: 21 });
    lab.run();
    expect(arpTargets(lab, 'app')).toEqual([SQL]);
    expect([...app.connections].every((connection) => connection.state === 'established')).toBe(true);
  });

  test('what is not on the link goes to the gateway', () => {
    const { lab, app } = twoHosts();
    app.sendUdp({ dst: FAR, dstPort: 53, payload: new Uint8Array(4) });
    app.sendUdp({ dst: FAR + 1, dstPort: 53, payload: new Uint8Array(4) });
    lab.run();
    expect(arpTargets(lab, 'app')).toEqual([GATEWAY]);
    const dstMacs = lab.sent.flatMap(({ parsed }) => (parsed.kind === 'ipv4' ? [parsed.dstMac] : []));
    expect(dstMacs).toEqual([FABRIC_MAC, FABRIC_MAC]);
  });

  test('without a reply the request is repeated twice, then the packets are dropped and counted', () => {
    const { lab, app } = twoHosts();
    const asked: number[] = [];
    lab.arp = (target) => {
      asked.push(lab.nowNs);
      return target !== SQL;
    };
    app.sendUdp({ dst: SQL, dstPort: 53, payload: new Uint8Array(4) });
    app.sendUdp({ dst: SQL, dstPort: 53, payload: new Uint8Array(4) });
    lab.run();
    expect(asked).toEqual([0, SECOND, 2 * SECOND]);
    expect(lab.drops).toEqual(new Map([['no arp reply', 2]]));
  });

  test('requests for the own address are answered, for another not', () => {
    const { lab } = twoHosts();
    const ask = (targetIp: number): void => {
      const sender = { senderMac: 7, senderIp: GATEWAY, srcMac: 7 };
      lab.deliver(
        'sql',
        buildArp({ ...sender, operation: ARP_REQUEST, dstMac: BROADCAST_MAC, targetMac: 0, targetIp }),
      );
    };
    ask(SQL);
    ask(APP);
    expect(lab.sent.map((sent) => sent.parsed)).toEqual([
      {
        kind: 'arp',
        operation: ARP_REPLY,
        dstMac: 7,
        srcMac: SQL_MAC,
        senderMac: SQL_MAC,
        senderIp: SQL,
        targetMac: 7,
        targetIp: GATEWAY,
      },
    ]);
  });

  test('a reply that nobody asked for changes nothing', () => {
    const { lab, app } = twoHosts();
    app.ping(SQL, {}, () => {});
    lab.run();
    const forged = { senderMac: 666, senderIp: SQL, srcMac: 666, dstMac: APP_MAC, targetMac: APP_MAC, targetIp: APP };
    lab.deliver('app', buildArp({ operation: ARP_REPLY, ...forged }));
    lab.sent.length = 0;
    app.ping(SQL, {}, () => {});
    expect(lab.sent[0].parsed).toMatchObject({ dstMac: FABRIC_MAC });
  });

  test('the provider side of an endpoint never asks', () => {
    const lab = new Lab();
    const service = lab.add('backend', { mac: 9, addresses: [FAR] }, (port) => {
      return new Service(port, { mac: 9, backendAddress: FAR, ports: [1433] });
    });
    service.sendUdp({ dst: APP, dstPort: 53, payload: new Uint8Array(1) });
    expect(lab.sent.map((sent) => sent.parsed)).toMatchObject([{ kind: 'ipv4', src: FAR, dstMac: FABRIC_MAC }]);
  });
});

describe('ping', () => {
  test('is answered with the same identifier, sequence and payload, TTL untouched by the wire (WIRE-6)', () => {
    const hosts = twoHosts();
    const payload = Uint8Array.of(1, 2, 3);
    const outcome = ping(hosts, { id: 7, sequence: 3, payload });
    expect(outcome).toMatchObject({ kind: 'reply', from: SQL, receivedTtl: 64, payload });
    expect(hosts.lab.texts('sql').at(-1)).toContain('echo reply');
  });

  test('of a Windows host comes back with TTL 128', () => {
    expect(ping(twoHosts({ sql: { initialTtl: 128 } }), {})).toMatchObject({ receivedTtl: 128 });
  });

  test('without an answer times out', () => {
    const hosts = twoHosts({ sql: { answerPing: false } });
    expect(ping(hosts, { timeoutNs: 300 * MS })).toEqual({ kind: 'timeout' });
    expect(hosts.lab.nowNs).toBe(300 * MS);
  });

  test('of 4,000 bytes travels in fragments, both ways', () => {
    const hosts = twoHosts();
    const payload = Uint8Array.from({ length: 4000 }, (_, index) => index * 7);
    expect(ping(hosts, { payload })).toMatchObject({ kind: 'reply', payload });
    const sizes = hosts.lab.sent.flatMap(({ parsed }) => (parsed.kind === 'ipv4' ? [parsed.totalLength] : []));
    expect(sizes).toEqual([1500, 1500, 1068, 1500, 1500, 1068]);
  });

  test('that must not be fragmented and is too long is not sent', () => {
    const hosts = twoHosts();
    const outcome = ping(hosts, { payload: new Uint8Array(1473), dontFragment: true });
    expect(outcome).toEqual({ kind: 'tooLong', mtu: 1500 });
    expect(hosts.lab.sent).toEqual([]);
  });
});

describe('UDP', () => {
  test('is echoed by a port that is served', () => {
    const hosts = twoHosts();
    const outcome = udp(hosts, { dstPort: 53, payload: Uint8Array.of(9, 8) });
    expect(outcome).toMatchObject({ kind: 'reply', datagram: { src: SQL, srcPort: 53, payload: Uint8Array.of(9, 8) } });
  });

  test('to a port that is not served: ICMP port unreachable', () => {
    const hosts = twoHosts({ sql: { listen: [1433] } });
    const outcome = udp(hosts, { dstPort: 53, payload: Uint8Array.of(1) });
    expect(outcome).toMatchObject({
      kind: 'error',
      error: { kind: 'refused', type: ICMP_UNREACHABLE, code: ICMP_PORT_UNREACHABLE, from: SQL },
    });
    expect(hosts.lab.drops).toEqual(new Map([['port closed', 1]]));
  });

  test('to a port that is not served, errors switched off: silence', () => {
    const hosts = twoHosts({ sql: { listen: [], answerUnreachable: false } });
    expect(udp(hosts, { dstPort: 53, payload: Uint8Array.of(1), timeoutNs: SECOND })).toEqual({ kind: 'timeout' });
  });

  test('echoes are not echoed, even when the request came from nowhere', () => {
    const { lab } = twoHosts();
    const ports = { srcPort: 40_000, dstPort: 53 };
    lab.deliver('sql', buildFrame({ src: APP, dst: SQL, dstMac: SQL_MAC, udp: ports, payload: Uint8Array.of(1) }));
    lab.run();
    expect(lab.sent.filter(({ parsed }) => parsed.kind === 'ipv4' && parsed.udp !== undefined)).toHaveLength(1);
  });

  test('of 60,000 bytes travels in fragments', () => {
    const hosts = twoHosts();
    const payload = Uint8Array.from({ length: 60_000 }, (_, index) => index >> 3);
    expect(udp(hosts, { dstPort: 53, payload })).toMatchObject({ kind: 'reply', datagram: { payload } });
  });

  test('a handler hears first, and may keep the datagram to itself', () => {
    const { lab, app, sql } = twoHosts();
    const heard: number[] = [];
    sql.onUdp((datagram) => {
      heard.push(datagram.dstPort);
      return datagram.dstPort === 5353;
    });
    app.sendUdp({ dst: SQL, dstPort: 53, payload: Uint8Array.of(1) });
    app.sendUdp({ dst: SQL, dstPort: 5353, payload: Uint8Array.of(1) });
    lab.run();
    expect(heard).toEqual([53, 5353]);
    expect(lab.sent.filter(({ from, parsed }) => from === 'sql' && parsed.kind === 'ipv4')).toHaveLength(1);
  });

  test('source ports skip the one that the platform keeps for itself (WIRE-11)', () => {
    const { app } = twoHosts();
    const ports = new Set<number>();
    for (let i = 0; i < 15_536; i++) ports.add(app.sendUdp({ dst: SQL, dstPort: 53, payload: new Uint8Array(0) }));
    expect(ports.has(65_330)).toBe(false);
    expect(ports.size).toBe(15_535);
  });
});

describe('path MTU (RFC 1191)', () => {
  test('a connection goes on with smaller segments after fragmentation needed', () => {
    const { lab, app } = twoHosts();
    // A router in the middle that carries 1,000 bytes.
    lab.filter = ({ from, parsed, frame }) => {
      if (parsed.kind !== 'ipv4' || parsed.totalLength <= 1000 || from !== 'app') return true;
      const error = { type: ICMP_UNREACHABLE, code: ICMP_FRAGMENTATION_NEEDED, rest: 1000, from: GATEWAY };
      lab.schedule(lab.nowNs + MS, () => lab.deliver('app', buildIcmpError(error, frame)));
      return false;
    };
    const client = app.connect({ dst: SQL, dstPort: 1433 });
    client.write({ fill: 20_000 });
    lab.advance(150 * MS);
    expect(client.stats.timeouts).toBe(0);
    const sizes = tcpFrames(lab, 'app').map((frame) => frame.totalLength);
    expect(Math.max(...sizes.slice(-15))).toBe(1000);
    lab.run();
    expect(client.stats.bytesSent).toBe(20_000);
    // What comes after knows it from the beginning.
    app.connect({ dst: SQL, dstPort: 1433 }).write({ fill: 5000 });
    lab.sent.length = 0;
    lab.run();
    expect(Math.max(...tcpFrames(lab, 'app').map((frame) => frame.totalLength))).toBe(1000);
  });

  test('an error about a segment that is not in flight is not believed', () => {
    const { lab, app } = twoHosts();
    const client = app.connect({ dst: SQL, dstPort: 1433 });
    lab.run();
    const [syn] = tcpFrames(lab, 'app');
    const { srcPort, seq } = syn.tcp ?? { srcPort: 0, seq: 0 };
    const offending = buildFrame({ src: APP, dst: SQL, tcp: { srcPort, dstPort: 1433, seq: seq + 9_999, flags: 16 } });
    const error = { type: ICMP_UNREACHABLE, code: ICMP_PORT_UNREACHABLE, from: SQL, srcMac: SQL_MAC, dstMac: APP_MAC };
    lab.deliver('app', buildIcmpError(error, offending));
    expect(client.state).toBe('established');
  });

  test('a destination that refuses the SYN by ICMP ends the attempt; a router that cannot go on does not', () => {
    const { lab, app } = twoHosts();
    lab.filter = ({ parsed }) => parsed.kind !== 'ipv4' || parsed.tcp === undefined;
    const client = app.connect({ dst: SQL, dstPort: 1433 });
    lab.advance(MS);
    const syn = lab.sent.find((sent) => sent.parsed.kind === 'ipv4')?.frame ?? new Uint8Array(0);
    const error = { type: ICMP_UNREACHABLE, from: GATEWAY, srcMac: SQL_MAC, dstMac: APP_MAC };
    lab.deliver('app', buildIcmpError({ ...error, code: 1 }, syn));
    expect(client.state).toBe('synSent');
    lab.deliver('app', buildIcmpError({ ...error, code: ICMP_PORT_UNREACHABLE }, syn));
    expect([client.state, client.result, client.icmpError?.from]).toEqual(['closed', 'reset', GATEWAY]);
  });
});

describe('received frames', () => {
  const good: FrameSpec = { src: APP, dst: SQL, dstMac: SQL_MAC, tcp: { srcPort: 1, dstPort: 2, flags: TCP_SYN } };
  const cases: Record<string, { frame: Uint8Array; drop: string }> = {
    'another MAC address': { frame: buildFrame({ ...good, dstMac: APP_MAC }), drop: 'not for me' },
    'another IPv4 address': { frame: buildFrame({ ...good, dst: NOBODY }), drop: 'not for me' },
    'a wrong header checksum': { frame: flipped(buildFrame(good), 24), drop: 'bad checksum' },
    'a wrong TCP checksum': { frame: flipped(buildFrame(good), 50), drop: 'bad checksum' },
    'a frame cut short': { frame: buildFrame(good).subarray(0, 40), drop: 'malformed' },
    'a frame without a header': { frame: new Uint8Array(5), drop: 'malformed' },
    'another EtherType': { frame: ethertype(buildFrame(good), 0x86dd), drop: 'protocol not supported' },
    'another IP protocol': {
      frame: buildFrame({ src: APP, dst: SQL, dstMac: SQL_MAC, protocol: 50, payload: new Uint8Array(8) }),
      drop: 'protocol not supported',
    },
    'a TCP header that claims too much': { frame: longTcpHeader(buildFrame(good)), drop: 'malformed' },
    'an ARP message cut short': { frame: ethertype(new Uint8Array(20), 0x0806), drop: 'malformed' },
  };
  for (const [name, { frame, drop }] of Object.entries(cases)) {
    test(`${name}: counted as '${drop}'`, () => {
      const { lab } = twoHosts({ sql: { addresses: [SQL] } });
      const bytes = frame.slice();
      if (drop !== 'not for me' && bytes.length > 6) bytes.set([0, 0x0d, 0x3a, 0, 0, 5]);
      lab.deliver('sql', bytes);
      expect(lab.drops).toEqual(new Map([[drop, 1]]));
      expect(lab.sent.filter(({ parsed }) => parsed.kind === 'ipv4' && parsed.tcp !== undefined)).toEqual([]);
    });
  }

  test('a host for any address answers as the one that was asked', () => {
    const lab = twoHosts({ sql: { addresses: [], anyAddress: true, arp: false } }).lab;
    lab.deliver('sql', buildFrame({ ...good, dst: FAR }));
    expect(tcpFrames(lab, 'sql')).toMatchObject([{ src: FAR, dst: APP, tcp: { srcPort: 2, flags: 18 } }]);
  });

  test('a silent host answers nothing, but its own connections work', () => {
    const hosts = twoHosts({ app: { respond: 'silent' } });
    hosts.lab.deliver('app', buildFrame({ ...good, src: SQL, dst: APP, dstMac: APP_MAC }));
    hosts.lab.deliver('app', buildFrame({ src: SQL, dst: APP, dstMac: APP_MAC, icmp: { type: 8 } }));
    hosts.lab.deliver('app', buildFrame({ src: SQL, dst: APP, dstMac: APP_MAC, udp: { srcPort: 9, dstPort: 8 } }));
    hosts.lab.run();
    expect(hosts.lab.sent).toEqual([]);
    const client = hosts.app.connect({ dst: SQL, dstPort: 1433 });
    hosts.lab.run();
    expect(client.result).toBe('established');
  });

  test('fragments out of order are dropped and counted, in order put together', () => {
    const { lab, sql } = twoHosts();
    const heard: number[] = [];
    sql.onUdp((datagram) => heard.push(datagram.payload.length) > 0);
    const pieces = (id: number): Uint8Array[] => {
      const udpPorts = { srcPort: 5, dstPort: 4 };
      const spec = { src: APP, dst: SQL, dstMac: SQL_MAC, id, udp: udpPorts, payload: new Uint8Array(3000) };
      return fragmentFrame(buildFrame(spec), 1500);
    };
    for (const fragment of pieces(1)) lab.deliver('sql', fragment);
    for (const fragment of pieces(2).reverse()) lab.deliver('sql', fragment);
    expect(heard).toEqual([3000]);
    expect(lab.drops).toEqual(new Map([['fragment out of order', 2]]));
  });

  test('an unfinished datagram is given up after 30 s', () => {
    const { lab, sql } = twoHosts();
    const heard: number[] = [];
    sql.onUdp((datagram) => heard.push(datagram.payload.length) > 0);
    const spec = {
      src: APP,
      dst: SQL,
      dstMac: SQL_MAC,
      udp: { srcPort: 5, dstPort: 4 },
      payload: new Uint8Array(2000),
    };
    const [first, second] = fragmentFrame(buildFrame(spec), 1500);
    lab.deliver('sql', first);
    lab.advance(30 * SECOND);
    lab.deliver('sql', second);
    expect(heard).toEqual([]);
  });
});

function ping(hosts: TwoHosts, options: Parameters<TwoHosts['app']['ping']>[1]): PingOutcome | undefined {
  const outcomes: PingOutcome[] = [];
  hosts.app.ping(SQL, options, (outcome) => outcomes.push(outcome));
  hosts.lab.run();
  expect(outcomes).toHaveLength(1);
  return outcomes[0];
}

function udp(
  hosts: TwoHosts,
  options: { dstPort: number; payload: Uint8Array; timeoutNs?: number },
): UdpOutcome | undefined {
  const outcomes: UdpOutcome[] = [];
  hosts.app.sendUdp({ dst: SQL, ...options, onOutcome: (outcome) => outcomes.push(outcome) });
  hosts.lab.run();
  expect(outcomes).toHaveLength(1);
  return outcomes[0];
}

function arpTargets(lab: Lab, from: string): number[] {
  return lab.sent.flatMap((sent) => (sent.from === from && sent.parsed.kind === 'arp' ? [sent.parsed.targetIp] : []));
}

function flipped(frame: Uint8Array, at: number): Uint8Array {
  frame[at] ^= 0xff;
  return frame;
}

function ethertype(frame: Uint8Array, type: number): Uint8Array {
  frame[12] = type >> 8;
  frame[13] = type & 0xff;
  return frame;
}

/** Data offset 15 words in a segment of 5, with the checksum made right again. */
function longTcpHeader(frame: Uint8Array): Uint8Array {
  const view = new DataView(frame.buffer);
  const before = view.getUint16(46);
  frame[46] = 0xf0;
  const sum = (~view.getUint16(50) & 0xffff) + (~before & 0xffff) + view.getUint16(46);
  const folded = (sum & 0xffff) + (sum >>> 16);
  view.setUint16(50, ~((folded & 0xffff) + (folded >>> 16)) & 0xffff);
  return frame;
}
