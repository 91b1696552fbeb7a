// Whole frames to fields: the samples, every way to be malformed, and bytes that nobody meant to send.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as wire from '../../src/wire/index.ts';
import { ascii, hex } from './bytes.ts';
import { ALL_SAMPLES, SAMPLES } from './sample-frames.ts';

const { describeFrame, parseFrame, payloadOf, viewOf } = wire;
const L3 = 14;
const L4 = 34;

/** A sample with some bytes replaced, its IPv4 checksum made right again. */
function changed(name: keyof typeof SAMPLES, at: number, text: string): Uint8Array {
  const bytes = SAMPLES[name].bytes.slice();
  bytes.set(hex(text), at);
  const frames = viewOf(bytes);
  wire.setIpv4Checksum(frames, L3, 0);
  wire.setIpv4Checksum(frames, L3, wire.internetChecksum(frames, L3, 20));
  return bytes;
}

describe('valid frames', () => {
  test('a TCP segment gives all its fields', () => {
    expect(parseFrame(SAMPLES.data.bytes)).toEqual({
      kind: 'ipv4',
      dstMac: 0x123456789abc,
      srcMac: 0x000d3a000004,
      src: 0x0a000004,
      dst: 0x0a000105,
      protocol: 6,
      ttl: 64,
      tos: 0,
      id: 0,
      totalLength: 45,
      dontFragment: false,
      moreFragments: false,
      fragmentOffset: 0,
      l3: 14,
      l4: 34,
      payloadOffset: 54,
      payloadLength: 5,
      tcp: {
        srcPort: 50000,
        dstPort: 1433,
        seq: 1001,
        ack: 5001,
        headerLength: 20,
        flags: wire.TCP_PSH | wire.TCP_ACK,
        window: 512,
        checksum: 0x7491,
        urgent: 0,
        options: {},
      },
      checksumsOk: true,
    });
  });

  test('a UDP datagram gives ports, length and checksum', () => {
    expect(parseFrame(SAMPLES.udp.bytes)).toMatchObject({
      ttl: 128,
      payloadLength: 3,
      udp: { srcPort: 53001, dstPort: 53, length: 11, checksum: 0x38e3 },
    });
  });

  test('an echo request gives identifier and sequence', () => {
    expect(parseFrame(SAMPLES.ping.bytes)).toMatchObject({
      payloadLength: 4,
      icmp: { type: 8, code: 0, checksum: 0x1927, id: 7, sequence: 1, rest: 0x00070001 },
    });
  });

  test('an ARP request gives both pairs of addresses', () => {
    expect(parseFrame(SAMPLES.arp.bytes)).toEqual({
      kind: 'arp',
      dstMac: 0xffffffffffff,
      srcMac: 0x000d3a000004,
      operation: 1,
      senderMac: 0x000d3a000004,
      senderIp: 0x0a000004,
      targetMac: 0,
      targetIp: 0x0a000001,
    });
  });

  test('a later fragment has data but no transport header', () => {
    const parsed = parseFrame(SAMPLES.lastFragment.bytes);
    expect(parsed).toMatchObject({ fragmentOffset: 72, moreFragments: false, payloadOffset: 38, payloadLength: 36 });
    expect(parsed).not.toHaveProperty('udp');
  });

  test('a first fragment too short for its TCP header has data only', () => {
    const frame = wire.buildFrame({ src: 1, dst: 2, protocol: 6, moreFragments: true, payload: new Uint8Array(8) });
    const parsed = parseFrame(frame);
    expect(parsed).toMatchObject({ kind: 'ipv4', payloadOffset: L4, payloadLength: 8 });
    expect(parsed).not.toHaveProperty('tcp');
  });

  test('another EtherType is named and left alone', () => {
    expect(parseFrame(hex('333300000001 000d3a000004 86dd 6000'))).toEqual({
      kind: 'other',
      dstMac: 0x333300000001,
      srcMac: 0x000d3a000004,
      etherType: wire.ETHERTYPE_IPV6,
    });
  });

  test('a view and shared memory give the same as an array', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(100), 2, SAMPLES.syn.bytes.length);
    shared.set(SAMPLES.syn.bytes);
    expect(parseFrame(shared)).toEqual(parseFrame(SAMPLES.syn.bytes));
    expect(parseFrame(viewOf(shared))).toEqual(parseFrame(SAMPLES.syn.bytes));
  });

  test('link padding belongs to no payload', () => {
    const padded = new Uint8Array(80).fill(0xee);
    padded.set(SAMPLES.data.bytes);
    expect(parseFrame(padded)).toEqual(parseFrame(SAMPLES.data.bytes));
    expect(payloadOf(padded, parseFrame(padded))).toEqual(ascii('hello'));
  });

  test('a wrong checksum is reported, not malformed', () => {
    const wrongTransport = SAMPLES.data.bytes.slice();
    wrongTransport[58] ^= 1;
    expect(parseFrame(wrongTransport)).toMatchObject({ kind: 'ipv4', checksumsOk: false });
    const wrongHeader = SAMPLES.data.bytes.slice();
    wrongHeader[L3 + 8] ^= 1;
    expect(parseFrame(wrongHeader)).toMatchObject({ kind: 'ipv4', checksumsOk: false });
  });

  test('only IPv4 frames have a payload', () => {
    expect(payloadOf(SAMPLES.arp.bytes, parseFrame(SAMPLES.arp.bytes))).toHaveLength(0);
  });
});

describe('malformed frames say why', () => {
  test.each([
    ['no bytes', new Uint8Array(0), 'the frame ends before its Ethernet header does'],
    ['half an ARP message', SAMPLES.arp.bytes.subarray(0, 41), 'the frame ends before its ARP message does'],
    ['ARP about IPv6', changedArp(L3 + 2, '86dd'), 'the ARP message is not about IPv4 over Ethernet'],
    ['half a datagram', SAMPLES.syn.bytes.subarray(0, 50), 'the frame ends before the IPv4 datagram does'],
    ['IP version 6', changed('syn', L3, '65'), 'the IP version is not 4'],
    ['an IPv4 header of 16 bytes', changed('syn', L3, '44'), 'the IPv4 header length is below 20 bytes'],
    ['a total length of 19', changed('syn', L3 + 2, '0013'), 'the IPv4 total length is below the header length'],
    ['19 bytes of TCP', changed('data', L3 + 2, '0027'), 'the datagram ends before its TCP header does'],
    ['a TCP header of 16 bytes', changed('data', L4 + 12, '40'), 'the TCP header length is below 20 bytes'],
    ['a TCP header of 60 bytes', changed('data', L4 + 12, 'f0'), 'the datagram ends before its TCP options do'],
    ['7 bytes of UDP', changed('udp', L3 + 2, '001b'), 'the datagram ends before its UDP header does'],
    ['a UDP length of 7', changed('udp', L4 + 4, '0007'), 'the UDP length is below 8 bytes'],
    ['a UDP length of 12', changed('udp', L4 + 4, '000c'), 'the UDP length is longer than the datagram'],
    ['7 bytes of ICMP', changed('ping', L3 + 2, '001b'), 'the datagram ends before its ICMP header does'],
  ])('%s', (_, frame, why) => {
    expect(parseFrame(frame)).toEqual({ kind: 'malformed', why });
    expect(describeFrame(frame)).toBe(`malformed: ${why}`);
  });

  function changedArp(at: number, text: string): Uint8Array {
    const bytes = SAMPLES.arp.bytes.slice();
    bytes.set(hex(text), at);
    return bytes;
  }
});

describe('hostile bytes', () => {
  test.each(ALL_SAMPLES)('every truncation of %s is malformed', (_, { bytes }) => {
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.slice(0, length);
      expect(parseFrame(cut).kind, `${length} bytes`).toBe('malformed');
      expect(describeFrame(cut)).toMatch(/^malformed: /);
    }
  });

  function parseAndUse(bytes: Uint8Array): void {
    const parsed = parseFrame(bytes);
    expect(payloadOf(bytes, parsed).length).toBeLessThanOrEqual(bytes.length);
    expect(describeFrame(bytes)).not.toBe('');
    if (parsed.kind !== 'ipv4') return;
    expect(parsed.payloadOffset + parsed.payloadLength).toBeLessThanOrEqual(bytes.length);
    wire.readFiveTuple(viewOf(bytes), parsed.l3);
    wire.ipv4Options(viewOf(bytes), parsed.l3);
  }

  test('random bytes never make the parser throw or look outside the frame', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 120 }), parseAndUse), { numRuns: 500 });
  });

  test('random bytes after a real Ethernet header do not either', () => {
    const start = fc.constantFrom(SAMPLES.syn.bytes.subarray(0, 15), SAMPLES.arp.bytes.subarray(0, 22));
    const frame = fc.tuple(start, fc.uint8Array({ maxLength: 120 })).map(([head, tail]) => {
      return Uint8Array.from([...head, ...tail]);
    });
    fc.assert(fc.property(frame, parseAndUse), { numRuns: 1000 });
  });

  test('changed bytes anywhere in a valid frame do not either', () => {
    const sample = fc.constantFrom(...ALL_SAMPLES.map(([, { bytes }]) => bytes));
    const changes = fc.array(fc.tuple(fc.nat({ max: 200 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(sample, changes, fc.nat({ max: 120 }), (bytes, edits, length) => {
        const mutant = bytes.slice(0, length);
        for (const [at, value] of edits) if (at < mutant.length) mutant[at] = value;
        expect(() => parseAndUse(mutant)).not.toThrow();
      }),
      { numRuns: 2000 },
    );
  });
});
