import { beforeEach, describe, expect, test } from 'vitest';
import {
  TCP_ACK,
  TCP_FIN,
  TCP_RST,
  TCP_SYN,
  buildArp,
  buildFrame,
  fragmentFrame,
  parseFrame,
  parseIpv4,
} from '../../src/wire/index.ts';
import type { Words } from '../control/compile/networks.ts';
import { Lab, packet } from './lab.ts';

const WORDS: Words = {
  vnets: { a: ['10.0.0.0/16'], b: ['10.1.0.0/16'] },
  peers: [['a', 'b', {}]],
  subnets: {
    app: { vnet: 'a', cidr: '10.0.0.0/24', nsg: 'appNsg', defaultOutboundAccess: false },
    pe: { vnet: 'a', cidr: '10.0.1.0/24' },
    spoke: { vnet: 'b', cidr: '10.1.0.0/24' },
  },
  nics: {
    app: { subnet: 'app', ip: '10.0.0.4', pip: '20.0.0.1' },
    web: { subnet: 'app', ip: '10.0.0.5' },
    far: { subnet: 'spoke', ip: '10.1.0.4' },
  },
  nsgs: { appNsg: [[100, 'In', 'Tcp', '*', '*', '*', '22', 'Deny', 'NoSsh']] },
  pes: { mi: { subnet: 'pe', ip: '10.0.1.5', ports: ['1433'], state: 'Approved' } },
};

const SYN = { srcPort: 50000, dstPort: 80, flags: TCP_SYN };

let lab: Lab;
beforeEach(() => {
  lab = new Lab(WORDS);
});

describe('a connection between two NICs', () => {
  test('is admitted by its first packet, in both directions, and denied packets create nothing', () => {
    expect(lab.fate('far', { src: '10.1.0.4', dst: '10.0.0.5', tcp: { ...SYN, dstPort: 22 } })).toBe(
      'dropped NSG_DENY web:subnetNsg',
    );
    expect(lab.fate('web', { src: '10.0.0.5', dst: '10.1.0.4', tcp: SYN })).toMatch(/^delivered far IP 10\.0\.0\.5/);
    const reply = { srcPort: 80, dstPort: 50000, flags: TCP_SYN | TCP_ACK };
    expect(lab.fate('far', { src: '10.1.0.4', dst: '10.0.0.5', tcp: reply })).toMatch(/^delivered web/);
    const data = { srcPort: 50000, dstPort: 80, flags: TCP_ACK };
    expect(lab.fate('web', { src: '10.0.0.5', dst: '10.1.0.4', tcp: data })).toMatch(/^delivered far/);
  });

  test('leaves with the fabric MAC, the receiver MAC, an untouched TTL and right checksums', () => {
    const result = lab.send('web', packet({ src: '10.0.0.5', dst: '10.1.0.4', ttl: 17, tcp: SYN }));
    const parsed = parseFrame(result.frame!);
    expect(parsed).toMatchObject({ kind: 'ipv4', ttl: 17, checksumsOk: true });
    expect(result.frame!.slice(6, 12)).toEqual(Uint8Array.of(0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc));
  });

  test('idle for four minutes it is a new connection to the rules (NSG-33, NSG-36)', () => {
    lab.fate('web', { src: '10.0.0.5', dst: '10.1.0.4', tcp: { ...SYN, srcPort: 22 } });
    const reply = { srcPort: 80, dstPort: 22, flags: TCP_ACK };
    lab.nowMs += 239_000;
    expect(lab.fate('far', { src: '10.1.0.4', dst: '10.0.0.5', tcp: reply })).toMatch(/^delivered web/);
    lab.nowMs += 241_000;
    expect(lab.fate('far', { src: '10.1.0.4', dst: '10.0.0.5', tcp: reply })).toBe('dropped NSG_DENY web:subnetNsg');
  });

  test('a RST leaves it five seconds (NSG-35)', () => {
    lab.fate('web', { src: '10.0.0.5', dst: '10.1.0.4', tcp: { ...SYN, srcPort: 22 } });
    lab.fate('web', { src: '10.0.0.5', dst: '10.1.0.4', tcp: { srcPort: 22, dstPort: 80, flags: TCP_RST } });
    const reply = { srcPort: 80, dstPort: 22, flags: TCP_ACK };
    lab.nowMs += 4_000;
    expect(lab.fate('far', { src: '10.1.0.4', dst: '10.0.0.5', tcp: reply })).toMatch(/^delivered/);
    lab.nowMs += 1_500;
    expect(lab.fate('far', { src: '10.1.0.4', dst: '10.0.0.5', tcp: reply })).toMatch(/^dropped NSG_DENY/);
  });

  test('FINs from both sides close it', () => {
    lab.fate('web', { src: '10.0.0.5', dst: '10.1.0.4', tcp: { ...SYN, srcPort: 22 } });
    lab.fate('far', { src: '10.1.0.4', dst: '10.0.0.5', tcp: { srcPort: 80, dstPort: 22, flags: TCP_FIN | TCP_ACK } });
    lab.fate('web', { src: '10.0.0.5', dst: '10.1.0.4', tcp: { srcPort: 22, dstPort: 80, flags: TCP_FIN | TCP_ACK } });
    lab.nowMs += 61_000;
    expect(
      lab.fate('far', { src: '10.1.0.4', dst: '10.0.0.5', tcp: { srcPort: 80, dstPort: 22, flags: TCP_ACK } }),
    ).toMatch(/^dropped NSG_DENY/);
  });
});

describe('a private endpoint', () => {
  const open = { srcPort: 50000, dstPort: 1433, flags: TCP_SYN };
  const answer = { srcPort: 1433, dstPort: 50000, flags: TCP_SYN | TCP_ACK };

  test('carries its port one way only, and answers come from its own address', () => {
    expect(lab.fate('provider:mi', { src: '10.255.0.10', dst: '10.0.0.4', tcp: { ...answer, flags: TCP_SYN } })).toBe(
      'dropped NO_REVERSE_FLOW mi:egress',
    );
    expect(lab.fate('app', { src: '10.0.0.4', dst: '10.0.1.5', tcp: open })).toBe(
      'delivered mi IP 10.0.0.4.50000 > 10.255.0.10.1433: Flags [S]',
    );
    expect(lab.fate('provider:mi', { src: '10.255.0.10', dst: '10.0.0.4', tcp: answer })).toBe(
      'delivered app IP 10.0.1.5.1433 > 10.0.0.4.50000: Flags [S.]',
    );
    expect(lab.fate('app', { src: '10.0.0.4', dst: '10.0.1.5', tcp: { ...open, dstPort: 5022 } })).toBe(
      'dropped PE_PORT_NOT_SERVED mi:admission',
    );
  });

  test('every translated frame has right checksums, on the slow path and on the hit path', () => {
    const data = { ...open, flags: TCP_ACK };
    for (let i = 0; i < 3; i++) {
      const payload = new Uint8Array(i * 7 + 1).fill(i);
      const there = lab.send('app', packet({ src: '10.0.0.4', dst: '10.0.1.5', tcp: i === 0 ? open : data, payload }));
      expect(parseFrame(there.frame!)).toMatchObject({ checksumsOk: true });
      const back = lab.send(
        'provider:mi',
        packet({ src: '10.255.0.10', dst: '10.0.0.4', tcp: { ...answer, flags: TCP_ACK } }),
      );
      expect(parseFrame(back.frame!)).toMatchObject({ checksumsOk: true, src: parseIpv4('10.0.1.5') });
    }
  });

  test('rejection ends new connections, not established ones (PE-20, PE-21)', () => {
    lab.fate('app', { src: '10.0.0.4', dst: '10.0.1.5', tcp: open });
    lab.push({ ...WORDS, pes: { mi: { ...WORDS.pes!['mi'], state: 'Rejected' } } });
    expect(lab.fate('app', { src: '10.0.0.4', dst: '10.0.1.5', tcp: { ...open, flags: TCP_ACK } })).toMatch(
      /^delivered mi/,
    );
    expect(lab.fate('provider:mi', { src: '10.255.0.10', dst: '10.0.0.4', tcp: answer })).toMatch(/^delivered app/);
    expect(lab.fate('app', { src: '10.0.0.4', dst: '10.0.1.5', tcp: { ...open, srcPort: 50001 } })).toBe(
      'dropped PE_NOT_APPROVED mi:admission',
    );
    expect(lab.fate('app', { src: '10.0.0.4', dst: '10.0.1.5', tcp: open })).toBe(
      'dropped PE_NOT_APPROVED mi:admission',
    );
  });

  test('a RST ends its binding after five seconds: the service has nobody to answer (NSG-35, PE-23)', () => {
    lab.fate('app', { src: '10.0.0.4', dst: '10.0.1.5', tcp: open });
    lab.fate('app', { src: '10.0.0.4', dst: '10.0.1.5', tcp: { ...open, flags: TCP_RST } });
    lab.nowMs += 4_000;
    expect(lab.fate('provider:mi', { src: '10.255.0.10', dst: '10.0.0.4', tcp: answer })).toMatch(/^delivered app/);
    lab.nowMs += 2_000;
    expect(lab.fate('provider:mi', { src: '10.255.0.10', dst: '10.0.0.4', tcp: answer })).toBe(
      'dropped NO_REVERSE_FLOW mi:egress',
    );
  });

  test('ICMP to it is not carried (PE-24)', () => {
    expect(lab.fate('app', { src: '10.0.0.4', dst: '10.0.1.5', icmp: { type: 8, id: 1, sequence: 1 } })).toBe(
      'dropped PE_PROTOCOL mi:admission',
    );
  });
});

describe('the Internet', () => {
  test('sees the public IP, and its replies come back; strangers meet the rules', () => {
    const open = { srcPort: 50000, dstPort: 443, flags: TCP_SYN };
    expect(lab.fate('app', { src: '10.0.0.4', dst: '203.0.113.5', tcp: open })).toBe(
      'exited internet IP 20.0.0.1.50000 > 203.0.113.5.443: Flags [S]',
    );
    const reply = { srcPort: 443, dstPort: 50000, flags: TCP_SYN | TCP_ACK };
    expect(lab.fate('internet', { src: '203.0.113.5', dst: '20.0.0.1', tcp: reply })).toBe(
      'delivered app IP 203.0.113.5.443 > 10.0.0.4.50000: Flags [S.]',
    );
    expect(lab.fate('internet', { src: '203.0.113.5', dst: '20.0.0.1', tcp: { ...reply, srcPort: 444 } })).toBe(
      'dropped NSG_DENY app:subnetNsg',
    );
    expect(lab.fate('web', { src: '10.0.0.5', dst: '203.0.113.5', tcp: open })).toBe(
      'dropped NO_OUTBOUND_PATH web:publicIp',
    );
  });

  test('a NAT gateway shares its address by port, pings included', () => {
    lab = new Lab({
      ...WORDS,
      subnets: { ...WORDS.subnets, app: { ...WORDS.subnets['app'], nat: 'ng' } },
      nats: { ng: ['20.9.9.9'] },
    });
    const one = lab.send('app', packet({ src: '10.0.0.4', dst: '203.0.113.5', tcp: { ...SYN } }));
    const two = lab.send('web', packet({ src: '10.0.0.5', dst: '203.0.113.5', tcp: { ...SYN } }));
    const [a, b] = [parseFrame(one.frame!), parseFrame(two.frame!)];
    if (a.kind !== 'ipv4' || b.kind !== 'ipv4') throw new Error('not IPv4');
    expect([a.src, b.src]).toEqual([parseIpv4('20.9.9.9'), parseIpv4('20.9.9.9')]);
    expect([a.checksumsOk, b.checksumsOk]).toEqual([true, true]);
    const back = { srcPort: 80, flags: TCP_SYN | TCP_ACK };
    expect(
      lab.fate('internet', { src: '203.0.113.5', dst: '20.9.9.9', tcp: { ...back, dstPort: b.tcp!.srcPort } }),
    ).toMatch(/^delivered web IP 203\.0\.113\.5\.80 > 10\.0\.0\.5\.50000/);
    const ping = lab.send(
      'app',
      packet({ src: '10.0.0.4', dst: '203.0.113.5', icmp: { type: 8, id: 77, sequence: 1 } }),
    );
    const echo = parseFrame(ping.frame!);
    if (echo.kind !== 'ipv4') throw new Error('not IPv4');
    expect(echo.checksumsOk).toBe(true);
    const id = echo.icmp!.id;
    const pong = lab.send(
      'internet',
      packet({ src: '203.0.113.5', dst: '20.9.9.9', icmp: { type: 0, id, sequence: 1 } }),
    );
    expect(lab.describe(pong)).toMatch(/^delivered app/);
    expect(parseFrame(pong.frame!)).toMatchObject({ checksumsOk: true, icmp: { id: 77 } });
  });
});

describe('the wire', () => {
  test('every ARP request is answered by the fabric, used address or not (WIRE-2, WIRE-4)', () => {
    for (const target of ['10.0.0.1', '10.0.0.5', '10.0.0.200']) {
      const ask = buildArp({
        operation: 1,
        senderMac: 0x000d3a000004,
        senderIp: parseIpv4('10.0.0.4'),
        targetMac: 0,
        targetIp: parseIpv4(target),
        srcMac: 0x000d3a000004,
        dstMac: 0xffffffffffff,
      });
      const result = lab.send('app', ask);
      expect(result.outcome).toBe('answered');
      expect(parseFrame(result.frame!)).toMatchObject({
        kind: 'arp',
        senderMac: 0x123456789abc,
        senderIp: parseIpv4(target),
      });
    }
  });

  test('fragments follow the first one, in order (WIRE-15)', () => {
    const whole = buildFrame({
      src: parseIpv4('10.0.0.5'),
      dst: parseIpv4('10.1.0.4'),
      id: 7,
      udp: { srcPort: 1, dstPort: 2 },
      payload: new Uint8Array(3000),
    });
    const [first, second, third] = fragmentFrame(whole, 1500) as [Uint8Array, Uint8Array, Uint8Array];
    expect(lab.describe(lab.send('web', second))).toBe('dropped OUT_OF_ORDER_FRAGMENT web:egress');
    expect(lab.send('web', first).outcome).toBe('delivered');
    expect(lab.describe(lab.send('web', third))).toBe('dropped OUT_OF_ORDER_FRAGMENT web:egress');
    expect(lab.send('web', second).outcome).toBe('delivered');
    expect(lab.send('web', third).outcome).toBe('delivered');
    expect(lab.describe(lab.send('web', third))).toBe('dropped OUT_OF_ORDER_FRAGMENT web:egress');
  });

  test('what the fabric does not carry is dropped where it starts', () => {
    const table: [string, Parameters<typeof packet>[0]][] = [
      ['dropped PROTOCOL_NOT_SUPPORTED web:egress', { src: '10.0.0.5', dst: '10.1.0.4', protocol: 47 }],
      ['dropped SPOOFED_SOURCE web:egress', { src: '10.0.0.77', dst: '10.1.0.4', tcp: SYN }],
      [
        'dropped BROADCAST_MULTICAST web:egress',
        { src: '10.0.0.5', dst: '224.0.0.5', udp: { srcPort: 1, dstPort: 2 } },
      ],
      ['dropped RESERVED_PORT web:egress', { src: '10.0.0.5', dst: '10.1.0.4', udp: { srcPort: 1, dstPort: 65330 } }],
      ['consumed -', { src: '10.0.0.5', dst: '10.1.0.4', udp: { srcPort: 68, dstPort: 67 } }],
      ['dropped NO_SUCH_DESTINATION web:route', { src: '10.0.0.5', dst: '10.0.0.99', tcp: SYN }],
    ];
    for (const [fate, spec] of table) expect(lab.fate('web', spec), fate).toBe(fate);
    expect(lab.fate('far', { src: '10.1.0.4', dst: '10.99.0.1', tcp: SYN })).toBe('dropped ROUTE_NONE far:route');
    expect(lab.describe(lab.send('web', packet({ src: '10.0.0.5', dst: '10.1.0.4', tcp: SYN }), 33))).toBe(
      'dropped ROUTING_LOOP web:route',
    );
  });

  test('no truncation and no flipped bit of a frame escapes the parser', () => {
    const frame = packet({ src: '10.0.0.5', dst: '10.1.0.4', tcp: SYN });
    for (let length = 0; length < frame.length; length++) {
      const result = lab.send('web', frame.slice(0, length));
      expect(result.outcome, `length ${length}`).toBe('dropped');
    }
    const counters = lab.engine.counters();
    expect(counters.received).toBe(frame.length);
    expect(counters.dropped.reduce((sum, n) => sum + n, 0)).toBe(frame.length);
  });
});
