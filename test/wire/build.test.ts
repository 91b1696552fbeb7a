// Building frames: the sample frames byte for byte, defaults, options, and specifications that make no frame.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as wire from '../../src/wire/index.ts';
import { ascii, hex, poisoned, toHex } from './bytes.ts';
import { SAMPLES } from './sample-frames.ts';

const { buildFrame, buildFrameInto, parseFrame, parseIpv4 } = wire;
const APP = parseIpv4('10.0.0.4');
const PE = parseIpv4('10.0.1.5');

const SPECS: readonly (readonly [keyof typeof SAMPLES, wire.FrameSpec])[] = [
  [
    'syn',
    {
      src: APP,
      dst: PE,
      id: 0x1234,
      dontFragment: true,
      tcp: {
        srcPort: 50000,
        dstPort: 1433,
        seq: 1000,
        flags: wire.TCP_SYN,
        options: { mss: 1460, sackPermitted: true, timestamps: { value: 0x01020304, echoReply: 0 }, windowScale: 7 },
      },
    },
  ],
  [
    'data',
    {
      src: APP,
      dst: PE,
      tcp: { srcPort: 50000, dstPort: 1433, seq: 1001, ack: 5001, flags: wire.TCP_PSH | wire.TCP_ACK, window: 512 },
      payload: ascii('hello'),
    },
  ],
  [
    'udp',
    {
      src: APP,
      dst: parseIpv4('168.63.129.16'),
      ttl: 128,
      udp: { srcPort: 53001, dstPort: 53 },
      payload: ascii('abc'),
    },
  ],
  [
    'ping',
    {
      src: APP,
      dst: parseIpv4('10.0.0.5'),
      icmp: { type: wire.ICMP_ECHO_REQUEST, id: 7, sequence: 1 },
      payload: ascii('ping'),
    },
  ],
];

describe('a frame from fields', () => {
  test.each(SPECS)('is the sample %s', (name, spec) => {
    expect(toHex(buildFrame(spec))).toBe(toHex(SAMPLES[name].bytes));
  });

  test.each(SPECS)('%s is written whole into a poisoned buffer, and nothing around it', (name, spec) => {
    const { bytes, frames } = poisoned(120);
    const length = buildFrameInto(spec, frames, 10);
    expect(length).toBe(SAMPLES[name].bytes.length);
    expect(bytes.subarray(10, 10 + length)).toEqual(SAMPLES[name].bytes);
    expect([...bytes.subarray(0, 10), ...bytes.subarray(10 + length)]).toEqual(Array(120 - length).fill(0xa5));
  });

  test('is written into shared memory behind an offset', () => {
    const memory = new SharedArrayBuffer(256);
    const length = buildFrameInto(SPECS[0][1], new DataView(memory, 64, 128), 2);
    expect(new Uint8Array(memory, 66, length).slice()).toEqual(SAMPLES.syn.bytes);
  });

  test('an ARP request is the sample arp', () => {
    const frame = wire.buildArp({
      operation: wire.ARP_REQUEST,
      senderMac: 0x000d3a000004,
      senderIp: APP,
      targetMac: 0,
      targetIp: parseIpv4('10.0.0.1'),
      dstMac: wire.BROADCAST_MAC,
      srcMac: 0x000d3a000004,
    });
    expect(toHex(frame)).toBe(toHex(SAMPLES.arp.bytes));
  });

  test('goes to the MAC address of the fabric from one made of the source address', () => {
    const frame = buildFrame({ src: parseIpv4('10.1.2.3'), dst: PE, udp: { srcPort: 1, dstPort: 2 } });
    expect(parseFrame(frame)).toMatchObject({ dstMac: wire.FABRIC_MAC, srcMac: 0x000d3a010203 });
  });

  test('goes between the given MAC addresses', () => {
    const frame = buildFrame({ srcMac: 1, dstMac: 0xffffffffffff, src: APP, dst: PE, udp: { srcPort: 1, dstPort: 2 } });
    expect(parseFrame(frame)).toMatchObject({ dstMac: 0xffffffffffff, srcMac: 1 });
  });

  test('pads IPv4 options to whole words', () => {
    const frame = buildFrame({ src: APP, dst: PE, ipOptions: hex('9404000001'), udp: { srcPort: 1, dstPort: 2 } });
    expect(toHex(frame.subarray(34, 42))).toBe('9404000001000000');
    expect(parseFrame(frame)).toMatchObject({ l4: 42, udp: { srcPort: 1 }, checksumsOk: true });
  });

  test('carries any payload of another protocol as it is', () => {
    const frame = buildFrame({ src: APP, dst: PE, protocol: wire.PROTOCOL_ESP, payload: ascii('sealed') });
    const parsed = parseFrame(frame);
    expect(parsed).toMatchObject({ protocol: wire.PROTOCOL_ESP, payloadLength: 6 });
    expect(wire.payloadOf(frame, parsed)).toEqual(ascii('sealed'));
  });

  test('may use the four bytes after the ICMP checksum as one number', () => {
    const frame = buildFrame({ src: APP, dst: PE, icmp: { type: 12, rest: 0x14000000 } });
    expect(parseFrame(frame)).toMatchObject({ icmp: { rest: 0x14000000, id: 0x1400 }, checksumsOk: true });
  });
});

describe('a specification that makes no frame is refused', () => {
  const udp = { srcPort: 1, dstPort: 2 };
  const bad: readonly (readonly [string, wire.FrameSpec, string])[] = [
    ['two transport headers', { src: 1, dst: 2, udp, icmp: { type: 8 } }, 'at most one'],
    ['no protocol', { src: 1, dst: 2 }, 'needs tcp, udp, icmp or a protocol'],
    ['a protocol that contradicts the header', { src: 1, dst: 2, udp, protocol: 6 }, 'contradicts'],
    ['41 bytes of options', { src: 1, dst: 2, udp, ipOptions: new Uint8Array(41) }, 'the limit is 40'],
    ['a datagram too long', { src: 1, dst: 2, udp, payload: new Uint8Array(65508) }, 'the limit is 65535'],
    ['a fragment offset between units', { src: 1, dst: 2, protocol: 17, fragmentOffset: 12 }, 'multiple of 8'],
    ['a fragment offset too large', { src: 1, dst: 2, protocol: 17, fragmentOffset: 65536 }, 'multiple of 8'],
  ];

  test.each(bad)('%s', (_, spec, message) => {
    expect(() => buildFrame(spec)).toThrow(RangeError);
    expect(() => buildFrame(spec)).toThrow(message);
  });

  test.each([-1, 1, 100])('no room at offset %i', (at) => {
    const length = SAMPLES.data.bytes.length;
    expect(() => buildFrameInto(SPECS[1][1], poisoned(length).frames, at)).toThrow('does not fit');
  });
});

test('whatever is built parses to the same fields with right checksums', () => {
  const u16 = fc.integer({ min: 0, max: 0xffff });
  const u32 = fc.integer({ min: 0, max: 0xffffffff });
  const ports = { srcPort: u16, dstPort: u16 };
  const tcpFields = { ...ports, seq: u32, ack: u32, flags: fc.integer({ min: 0, max: 255 }), window: u16, urgent: u16 };
  const transport = fc.oneof(
    fc.record({ tcp: fc.record(tcpFields) }),
    fc.record({ udp: fc.record(ports) }),
    fc.record({ icmp: fc.record({ type: fc.nat({ max: 255 }), code: fc.nat({ max: 255 }), id: u16, sequence: u16 }) }),
  );
  const ip = fc.record({ src: u32, dst: u32, ttl: fc.nat({ max: 255 }), tos: fc.nat({ max: 255 }), id: u16 });
  fc.assert(
    fc.property(ip, transport, fc.boolean(), fc.uint8Array({ maxLength: 60 }), (header, l4, dontFragment, payload) => {
      const spec = { ...header, ...l4, dontFragment };
      const frame = buildFrame({ ...spec, payload });
      const parsed = parseFrame(frame);
      expect(parsed).toMatchObject({ kind: 'ipv4', ...structuredClone(spec), checksumsOk: true });
      expect(wire.payloadOf(frame, parsed)).toEqual(payload);
    }),
  );
});
