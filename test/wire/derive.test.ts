// Frames made from frames: fragments that add up to the original, and ICMP errors that quote it.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as wire from '../../src/wire/index.ts';
import { hex, toHex } from './bytes.ts';
import { SAMPLES } from './sample-frames.ts';

const { buildFrame, buildIcmpError, fragmentFrame, parseFrame, payloadOf, viewOf } = wire;
const APP = wire.parseIpv4('10.0.0.4');
const PE = wire.parseIpv4('10.0.1.5');

function ipv4Of(frame: Uint8Array): wire.ParsedIpv4 {
  const parsed = parseFrame(frame);
  if (parsed.kind !== 'ipv4') throw new Error(`not IPv4: ${wire.describeFrame(frame)}`);
  return parsed;
}

function ipDataOf(frame: Uint8Array): Uint8Array {
  const { l3, l4, totalLength } = ipv4Of(frame);
  return frame.subarray(l4, l3 + totalLength);
}

/** The data of the datagram, put together by offset; every byte must be written exactly once. */
function reassemble(fragments: readonly Uint8Array[], startOffset = 0): Uint8Array {
  const length = fragments.reduce((sum, fragment) => sum + ipDataOf(fragment).length, 0);
  const data = new Uint8Array(length);
  let next = startOffset;
  for (const fragment of fragments) {
    expect(ipv4Of(fragment).fragmentOffset).toBe(next);
    data.set(ipDataOf(fragment), next - startOffset);
    next += ipDataOf(fragment).length;
  }
  return data;
}

function moreFlags(fragments: readonly Uint8Array[]): boolean[] {
  return fragments.map((fragment) => ipv4Of(fragment).moreFragments);
}

describe('fragments', () => {
  // Router alert (copied into every fragment), then record route (only in the first).
  const withOptions = buildFrame({
    src: APP,
    dst: PE,
    ipOptions: hex('94040000 070704 00000000'),
    udp: { srcPort: 1, dstPort: 2 },
    payload: new Uint8Array(100).fill(1),
  });

  test('carry only the options that belong into each of them', () => {
    const fragments = fragmentFrame(withOptions, 68);
    expect(fragments).toHaveLength(3);
    expect(toHex(fragments[0])).toBe(toHex(SAMPLES.firstFragment.bytes));
    expect(toHex(fragments[2])).toBe(toHex(SAMPLES.lastFragment.bytes));
    expect(moreFlags(fragments)).toEqual([true, true, false]);
  });

  test('of any datagram fit the MTU, keep the header fields and add up to the datagram', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.integer({ min: 28, max: 500 }), (payload, mtu) => {
        const frame = buildFrame({
          src: APP,
          dst: PE,
          id: 77,
          ttl: 9,
          tos: 4,
          udp: { srcPort: 1, dstPort: 2 },
          payload,
        });
        const fragments = fragmentFrame(frame, mtu);
        expect(toHex(reassemble(fragments))).toBe(toHex(ipDataOf(frame)));
        expect(moreFlags(fragments)).toEqual(fragments.map((_, index) => index < fragments.length - 1));
        for (const fragment of fragments) {
          const same = { kind: 'ipv4', src: APP, dst: PE, id: 77, ttl: 9, tos: 4, protocol: 17, checksumsOk: true };
          expect(parseFrame(fragment)).toMatchObject(same);
          expect(fragment.length - wire.ETHERNET_HEADER).toBeLessThanOrEqual(mtu);
        }
      }),
    );
  });

  test('can be fragmented again, and the last piece of a middle fragment still has more after it', () => {
    const [, middle] = fragmentFrame(withOptions, 68);
    const pieces = fragmentFrame(middle, 40);
    expect(moreFlags(pieces)).toEqual([true, true, true]);
    expect(toHex(reassemble(pieces, 32))).toBe(toHex(ipDataOf(middle)));
  });

  test('a frame that fits comes back as a copy without its link padding', () => {
    const padded = new Uint8Array(80);
    padded.set(SAMPLES.data.bytes);
    const fragments = fragmentFrame(padded, 1500);
    expect(fragments).toEqual([SAMPLES.data.bytes]);
    expect(fragments[0].buffer).not.toBe(padded.buffer);
  });

  test('a frame with DF set is refused only when it does not fit', () => {
    expect(fragmentFrame(SAMPLES.syn.bytes, 60)).toEqual([SAMPLES.syn.bytes]);
    expect(() => fragmentFrame(SAMPLES.syn.bytes, 59)).toThrow('DF');
  });

  test('an MTU without room for eight bytes of data is refused', () => {
    expect(() => fragmentFrame(SAMPLES.data.bytes, 27)).toThrow('no room');
  });

  test('what is not valid IPv4 is refused', () => {
    expect(() => fragmentFrame(SAMPLES.arp.bytes, 1500)).toThrow('not an IPv4 frame');
    expect(() => fragmentFrame(new Uint8Array(5), 1500)).toThrow('not an IPv4 frame');
    expect(() => fragmentFrame(SAMPLES.syn.bytes.subarray(0, 60), 1500)).toThrow('not a valid IPv4 frame');
  });
});

describe('ICMP errors', () => {
  test('fragmentation needed about a SYN is the sample', () => {
    const from = wire.parseIpv4('10.0.0.9');
    const code = wire.ICMP_FRAGMENTATION_NEEDED;
    const error = buildIcmpError({ type: wire.ICMP_UNREACHABLE, code, rest: 1400, from }, SAMPLES.syn.bytes);
    expect(toHex(error)).toBe(toHex(SAMPLES.fragmentationNeeded.bytes));
  });

  test('port unreachable about a query is the sample', () => {
    const from = wire.parseIpv4('168.63.129.16');
    const code = wire.ICMP_PORT_UNREACHABLE;
    const error = buildIcmpError({ type: wire.ICMP_UNREACHABLE, code, from }, SAMPLES.udp.bytes);
    expect(toHex(error)).toBe(toHex(SAMPLES.portUnreachable.bytes));
  });

  test('use the given MAC addresses and TTL', () => {
    const spec = { type: wire.ICMP_TIME_EXCEEDED, code: 0, from: PE, srcMac: 1, dstMac: 2, ttl: 9 };
    expect(parseFrame(buildIcmpError(spec, SAMPLES.udp.bytes))).toMatchObject({ srcMac: 1, dstMac: 2, ttl: 9 });
  });

  test('quote a long datagram up to 576 bytes in total', () => {
    const long = buildFrame({ src: APP, dst: PE, udp: { srcPort: 1, dstPort: 2 }, payload: new Uint8Array(1400) });
    const error = buildIcmpError({ type: wire.ICMP_TIME_EXCEEDED, code: 0, from: PE }, long);
    expect(error).toHaveLength(wire.ETHERNET_HEADER + 576);
    const parsed = ipv4Of(error);
    expect(parsed.checksumsOk).toBe(true);
    expect(payloadOf(error, parsed)).toEqual(long.subarray(wire.ETHERNET_HEADER, wire.ETHERNET_HEADER + 548));
    expect(wire.readFiveTuple(viewOf(error), parsed.payloadOffset)).toMatchObject({ srcPort: 1, dstPort: 2 });
  });

  test('do not quote link padding', () => {
    const padded = new Uint8Array(60).fill(0xee);
    padded.set(SAMPLES.udp.bytes);
    const spec = {
      type: wire.ICMP_UNREACHABLE,
      code: wire.ICMP_PORT_UNREACHABLE,
      from: wire.parseIpv4('168.63.129.16'),
    };
    expect(buildIcmpError(spec, padded)).toEqual(SAMPLES.portUnreachable.bytes);
  });

  test('about something that is not valid IPv4 are refused', () => {
    const spec = { type: wire.ICMP_UNREACHABLE, code: 0, from: PE };
    expect(() => buildIcmpError(spec, SAMPLES.arp.bytes)).toThrow(RangeError);
  });
});
