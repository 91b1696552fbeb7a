// Five-tuples: what names a flow, its reverse and its text; and how evenly the hash spreads structured networks.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as wire from '../../src/wire/index.ts';
import { SAMPLES } from './sample-frames.ts';

const { buildFrame, formatFiveTuple, hashFiveTuple, parseIpv4, readFiveTuple, reverseFiveTuple, viewOf } = wire;
const L3 = wire.ETHERNET_HEADER;
const APP = parseIpv4('10.0.0.4');
const PE = parseIpv4('10.0.1.5');

function textOf(frame: Uint8Array, l3 = L3): string | undefined {
  const tuple = readFiveTuple(viewOf(frame), l3);
  return tuple === undefined ? undefined : formatFiveTuple(tuple);
}

describe('reading', () => {
  test.each([
    ['syn', 'tcp 10.0.0.4:50000 > 10.0.1.5:1433'],
    ['udp', 'udp 10.0.0.4:53001 > 168.63.129.16:53'],
    ['ping', 'icmp 10.0.0.4 > 10.0.0.5 id 7'],
    ['fragmentationNeeded', 'icmp 10.0.0.9 > 10.0.0.4'],
    ['firstFragment', 'udp 10.0.0.4:1 > 10.0.1.5:2'],
    ['lastFragment', undefined],
  ] as const)('%s is %s', (name, text) => {
    expect(textOf(SAMPLES[name].bytes)).toBe(text);
  });

  test('the header quoted in an ICMP error has the five-tuple of the offending frame', () => {
    expect(textOf(SAMPLES.fragmentationNeeded.bytes, L3 + 28)).toBe(textOf(SAMPLES.syn.bytes));
    // RFC 792 promises only eight bytes of it, which hold the ports.
    expect(textOf(SAMPLES.fragmentationNeeded.bytes.subarray(0, L3 + 28 + 28), L3 + 28)).toBe(
      textOf(SAMPLES.syn.bytes),
    );
  });

  test.each([
    [wire.PROTOCOL_ESP, 'esp 10.0.0.4 > 10.0.1.5'],
    [wire.PROTOCOL_AH, 'ah 10.0.0.4 > 10.0.1.5'],
    [wire.PROTOCOL_GRE, 'gre 10.0.0.4 > 10.0.1.5'],
    [132, 'proto-132 10.0.0.4 > 10.0.1.5'],
  ])('protocol %i has no ports', (protocol, text) => {
    const frame = buildFrame({ src: APP, dst: PE, protocol, payload: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) });
    expect(readFiveTuple(viewOf(frame), L3)).toEqual({ protocol, src: APP, dst: PE, srcPort: 0, dstPort: 0 });
    expect(textOf(frame)).toBe(text);
  });

  test('an echo reply is the exact reverse of its request', () => {
    const request = buildFrame({ src: APP, dst: PE, icmp: { type: wire.ICMP_ECHO_REQUEST, id: 9, sequence: 1 } });
    const reply = buildFrame({ src: PE, dst: APP, icmp: { type: wire.ICMP_ECHO_REPLY, id: 9, sequence: 1 } });
    const tuple = readFiveTuple(viewOf(request), L3);
    expect(tuple).toBeDefined();
    if (tuple !== undefined) expect(readFiveTuple(viewOf(reply), L3)).toEqual(reverseFiveTuple(tuple));
  });

  test.each([
    [wire.PROTOCOL_TCP, 3],
    [wire.PROTOCOL_UDP, 0],
    [wire.PROTOCOL_ICMP, 5],
  ])('protocol %i with only %i bytes after the header has no five-tuple', (protocol, length) => {
    const frame = buildFrame({ src: APP, dst: PE, protocol, payload: new Uint8Array(length) });
    expect(textOf(frame)).toBeUndefined();
  });
});

describe('the hash', () => {
  const address = fc.integer({ min: 0, max: 0xffffffff });
  const port = fc.integer({ min: 0, max: 0xffff });

  test('is an unsigned 32-bit number and the same for both directions', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 255 }),
        address,
        address,
        port,
        port,
        (protocol, src, dst, sport, dport) => {
          const hash = hashFiveTuple(protocol, src, dst, sport, dport);
          expect(hash).toBe(hashFiveTuple(protocol, dst, src, dport, sport));
          expect(hash).toBe(hash >>> 0);
          expect(hash).toBe(hashFiveTuple(protocol, src | 0, dst | 0, sport, dport));
        },
      ),
    );
  });

  const SHARDS = 64;

  type Plan = () => Iterable<readonly [number, number, number, number]>;
  const PLANS: readonly (readonly [string, Plan])[] = [
    [
      'one client, one server, consecutive ports',
      function* plan() {
        for (let i = 0; i < 12800; i++) yield [APP, PE, 40000 + i, 1433];
      },
    ],
    [
      'a subnet of clients with the same port',
      function* plan() {
        for (let i = 0; i < 12800; i++) yield [0x0a000000 + i, PE, 50000, 1433];
      },
    ],
    [
      'clients and servers that count up together',
      function* plan() {
        for (let i = 0; i < 12800; i++) yield [0x0a000000 + i, 0x0a010000 + i, 50000, 443];
      },
    ],
    [
      'two ends that differ in one bit',
      function* plan() {
        for (let i = 0; i < 12800; i++) yield [0x0a000000 + 2 * i, 0x0a000000 + 2 * i + 1, 1000, 1000];
      },
    ],
    [
      'hosts of many /16 networks, ports in steps of 64',
      function* plan() {
        for (let net = 0; net < 128; net++) {
          for (let i = 0; i < 100; i++) yield [0x0a000004 + net * 65536, PE, 1024 + 64 * i, 443];
        }
      },
    ],
    [
      'pings of all hosts of a /16 with one identifier',
      function* plan() {
        for (let i = 0; i < 12800; i++) yield [APP, 0x0a010000 + 5 * i, 7, 7];
      },
    ],
    [
      'address and port that rise together',
      function* plan() {
        for (let i = 0; i < 12800; i++) yield [0x0a000000 + i, PE, 1024 + i, 1433];
      },
    ],
  ];

  /** Pearson's statistic of the bucket counts; its mean is buckets - 1 for a fair hash, whatever the number of keys. */
  function chiSquare(hashes: readonly number[], bucketOf: (hash: number) => number): number {
    const counts = Array.from({ length: SHARDS }, () => 0);
    for (const hash of hashes) counts[bucketOf(hash)]++;
    const expected = hashes.length / SHARDS;
    return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  }

  // 63 degrees of freedom: a fair hash exceeds 120 once in about 60,000 times. The plans are fixed, so no flakes.
  test.each(PLANS)('spreads "%s" evenly over 64 shards, by low and by high bits', (_, plan) => {
    const hashes = Array.from(plan(), ([src, dst, sport, dport]) => hashFiveTuple(6, src, dst, sport, dport));
    expect(chiSquare(hashes, (hash) => hash & 63)).toBeLessThan(120);
    expect(chiSquare(hashes, (hash) => (hash >>> 10) & 63)).toBeLessThan(120);
    expect(chiSquare(hashes, (hash) => hash >>> 26)).toBeLessThan(120);
  });

  test.each(PLANS)('hardly ever collides in "%s"', (_, plan) => {
    const keys = Array.from(plan());
    const distinct = new Set(keys.map(([src, dst, sport, dport]) => hashFiveTuple(6, src, dst, sport, dport)));
    // 12,800 keys in 2^32 values: 0.02 collisions expected.
    expect(keys.length - distinct.size).toBeLessThanOrEqual(1);
  });

  test('changes about half of its bits with every bit of its input', () => {
    const inputs = Array.from({ length: 200 }, (_, i) => [APP + i, PE + 7 * i, 40000 + i, 1433] as const);
    for (let field = 0; field < 4; field++) {
      for (let bit = 0; bit < (field < 2 ? 32 : 16); bit++) {
        let changed = 0;
        for (const input of inputs) {
          const flipped = input.map((value, index) => (index === field ? (value ^ (1 << bit)) >>> 0 : value));
          changed += bitCount(
            hashFiveTuple(6, ...input) ^ hashFiveTuple(6, flipped[0], flipped[1], flipped[2], flipped[3]),
          );
        }
        const mean = changed / inputs.length;
        expect(Math.abs(mean - 16), `field ${field} bit ${bit}: ${mean} bits`).toBeLessThan(2);
      }
    }
  });

  test('differs between protocols', () => {
    const hashes = [1, 6, 17, 50, 51].map((protocol) => hashFiveTuple(protocol, APP, PE, 7, 7));
    expect(new Set(hashes).size).toBe(5);
  });
});

function bitCount(value: number): number {
  let count = 0;
  for (let rest = value >>> 0; rest !== 0; rest &= rest - 1) count++;
  return count;
}
