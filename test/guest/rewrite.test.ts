// Address and port translation in place: the checksums must come out as if the frame had been built that way.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decrementTtl, rewriteDatagram, type Rewrite } from '../../src/guest/rewrite.ts';
import { ETHERNET_HEADER, ICMP_ECHO_REQUEST, buildFrame, viewOf, type FrameSpec } from '../../src/wire/index.ts';

const SEED = 20_260_104;
const L3 = ETHERNET_HEADER;

describe('a rewritten frame equals one that was built with the new fields', () => {
  const address = fc.nat(2 ** 32 - 1);
  const portNumber = fc.nat(65_535);
  const fields = fc.record({ src: address, dst: address, srcPort: portNumber, dstPort: portNumber });
  const payload = fc.uint8Array({ maxLength: 30 });

  for (const protocol of ['tcp', 'udp', 'icmp'] as const) {
    test(`for ${protocol}`, () => {
      const property = fc.property(fields, fields, payload, fc.boolean(), (before, after, data, both) => {
        const frame = buildFrame(specOf(protocol, before, data));
        const change: Rewrite = both ? after : { src: after.src, srcPort: after.srcPort };
        rewriteDatagram(viewOf(frame), L3, frame.length, change);
        expect(frame).toEqual(buildFrame(specOf(protocol, { ...before, ...change }, data)));
      });
      fc.assert(property, { seed: SEED, numRuns: 500 });
    });
  }

  test('TTL', () => {
    const property = fc.property(fc.integer({ min: 2, max: 255 }), address, (ttl, src) => {
      const spec = { src, dst: 1, srcMac: 5, protocol: 50 };
      const frame = buildFrame({ ...spec, ttl });
      decrementTtl(viewOf(frame), L3);
      expect(frame).toEqual(buildFrame({ ...spec, ttl: ttl - 1 }));
    });
    fc.assert(property, { seed: SEED });
  });
});

test('UDP without a checksum stays without', () => {
  const frame = buildFrame({ src: 1, dst: 2, udp: { srcPort: 3, dstPort: 4 } });
  frame.fill(0, L3 + 26, L3 + 28);
  rewriteDatagram(viewOf(frame), L3, frame.length, { src: 9, srcPort: 8 });
  expect(viewOf(frame).getUint16(L3 + 26)).toBe(0);
});

test('a quoted TCP header of eight bytes is changed without touching what follows', () => {
  const frame = buildFrame({ src: 1, dst: 2, tcp: { srcPort: 3, dstPort: 4, flags: 2 } });
  const before = frame.slice();
  rewriteDatagram(viewOf(frame), L3, L3 + 28, { srcPort: 77 });
  expect(viewOf(frame).getUint16(L3 + 20)).toBe(77);
  expect(frame.subarray(L3 + 22)).toEqual(before.subarray(L3 + 22));
});

interface Fields {
  readonly src: number;
  readonly dst: number;
  readonly srcPort: number;
  readonly dstPort: number;
}

function specOf(protocol: 'tcp' | 'udp' | 'icmp', fields: Fields, payload: Uint8Array): FrameSpec {
  const { src, dst, srcPort, dstPort } = fields;
  const base = { src, dst, srcMac: 5, payload };
  if (protocol === 'tcp') return { ...base, tcp: { srcPort, dstPort, flags: 16, seq: 7 } };
  if (protocol === 'udp') return { ...base, udp: { srcPort, dstPort } };
  return { ...base, icmp: { type: ICMP_ECHO_REQUEST, id: srcPort, sequence: 3 } };
}
