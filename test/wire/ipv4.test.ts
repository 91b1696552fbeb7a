// The IPv4 header: fields, the checks at the edge, fragments' fields and options.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as wire from '../../src/wire/index.ts';
import { hex, poisoned } from './bytes.ts';

const AT = 3;
// IP (tos 0xb8, ttl 63, id 4660, offset 1480, flags [DF, MF], proto UDP) 192.168.0.1 > 255.0.0.199, 24 bytes of header
const BYTES = '46b80073 123460b9 3f11aaaa c0a80001 ff0000c7 01010000';
// A valid header of a datagram of 115 bytes: IP 192.168.0.1 > 192.168.0.199
const VALID = '45000073 00004000 4011b861 c0a80001 c0a800c7';

function framesOf(text: string): DataView {
  const { bytes, frames } = poisoned(AT + 200);
  bytes.set(hex(text), AT);
  return frames;
}

describe('fields', () => {
  test('the fields are read', () => {
    const frames = framesOf(BYTES);
    expect(wire.ipv4Version(frames, AT)).toBe(4);
    expect(wire.ipv4HeaderLength(frames, AT)).toBe(24);
    expect(wire.ipv4Tos(frames, AT)).toBe(0xb8);
    expect(wire.ipv4TotalLength(frames, AT)).toBe(115);
    expect(wire.ipv4Id(frames, AT)).toBe(0x1234);
    expect(wire.ipv4Flags(frames, AT)).toBe(3);
    expect(wire.ipv4DontFragment(frames, AT)).toBe(true);
    expect(wire.ipv4MoreFragments(frames, AT)).toBe(true);
    expect(wire.ipv4FragmentOffset(frames, AT)).toBe(1480);
    expect(wire.ipv4Ttl(frames, AT)).toBe(63);
    expect(wire.ipv4Protocol(frames, AT)).toBe(wire.PROTOCOL_UDP);
    expect(wire.ipv4Checksum(frames, AT)).toBe(0xaaaa);
    expect(wire.ipv4Src(frames, AT)).toBe(0xc0a80001);
    expect(wire.ipv4Dst(frames, AT)).toBe(0xff0000c7);
  });

  test('the fields are written', () => {
    const { bytes, frames } = poisoned(AT + 20 + 3);
    wire.setIpv4Version(frames, AT, 4);
    wire.setIpv4HeaderLength(frames, AT, 24);
    wire.setIpv4Tos(frames, AT, 0xb8);
    wire.setIpv4TotalLength(frames, AT, 115);
    wire.setIpv4Id(frames, AT, 0x1234);
    wire.setIpv4Flags(frames, AT, 0);
    wire.setIpv4FragmentOffset(frames, AT, 1480);
    wire.setIpv4DontFragment(frames, AT, true);
    wire.setIpv4MoreFragments(frames, AT, true);
    wire.setIpv4Ttl(frames, AT, 63);
    wire.setIpv4Protocol(frames, AT, wire.PROTOCOL_UDP);
    wire.setIpv4Checksum(frames, AT, 0xaaaa);
    wire.setIpv4Src(frames, AT, 0xc0a80001);
    wire.setIpv4Dst(frames, AT, 0xff0000c7);
    expect(bytes.subarray(AT, AT + 20)).toEqual(hex(BYTES).subarray(0, 20));
    expect([...bytes.subarray(0, AT), ...bytes.subarray(AT + 20)]).toEqual(Array(6).fill(0xa5));
  });

  test('flags and fragment offset share a word and leave each other alone', () => {
    const anyOffset = fc.integer({ min: 0, max: 8191 }).map((units) => units * 8);
    fc.assert(
      fc.property(fc.boolean(), fc.boolean(), anyOffset, fc.integer({ min: 0, max: 7 }), (df, mf, offset, flags) => {
        const frames = framesOf(BYTES);
        wire.setIpv4FragmentOffset(frames, AT, offset);
        wire.setIpv4Flags(frames, AT, flags);
        wire.setIpv4DontFragment(frames, AT, df);
        wire.setIpv4MoreFragments(frames, AT, mf);
        expect(wire.ipv4FragmentOffset(frames, AT)).toBe(offset);
        expect(wire.ipv4Flags(frames, AT)).toBe((flags & 4) | (df ? 2 : 0) | (mf ? 1 : 0));
        expect(wire.ipv4IsFragment(frames, AT)).toBe(mf || offset !== 0);
      }),
    );
  });
});

describe('checks', () => {
  test('a valid header is fine, with and without link padding', () => {
    expect(wire.checkIpv4Header(framesOf(VALID), AT, 115)).toBe(wire.IPV4_OK);
    expect(wire.checkIpv4Header(framesOf(VALID), AT, 120)).toBe(wire.IPV4_OK);
  });

  test.each([
    ['a version other than 4', '65', wire.IPV4_BAD_VERSION],
    ['a header of 16 bytes', '44', wire.IPV4_BAD_HEADER_LENGTH],
    ['a total length below the header length', '45000013', wire.IPV4_BAD_TOTAL_LENGTH],
    ['a total length beyond the frame', '45000074', wire.IPV4_TRUNCATED],
    ['a wrong checksum', '45000072', wire.IPV4_BAD_CHECKSUM],
  ])('%s is found', (_, firstBytes, problem) => {
    const frames = framesOf(VALID);
    for (const [index, byte] of hex(firstBytes).entries()) frames.setUint8(AT + index, byte);
    expect(wire.checkIpv4Header(frames, AT, 115)).toBe(problem);
  });

  test('a header with options that end after the frame is truncated', () => {
    const frames = framesOf(VALID);
    frames.setUint8(AT, 0x4f);
    expect(wire.checkIpv4Header(frames, AT, 59)).toBe(wire.IPV4_TRUNCATED);
  });

  test('every length below the datagram is truncated', () => {
    for (let available = 0; available < 115; available++) {
      expect(wire.checkIpv4Header(framesOf(VALID), AT, available)).toBe(wire.IPV4_TRUNCATED);
    }
  });

  test('every flipped bit of the header is found', () => {
    for (let bit = 0; bit < 160; bit++) {
      const frames = framesOf(VALID);
      frames.setUint8(AT + (bit >> 3), frames.getUint8(AT + (bit >> 3)) ^ (1 << (bit & 7)));
      expect(wire.checkIpv4Header(frames, AT, 115), `bit ${bit}`).not.toBe(wire.IPV4_OK);
    }
  });
});

describe('options', () => {
  function optionsOf(text: string): wire.Ipv4Option[] {
    const options = hex(text);
    const { bytes, frames } = poisoned(AT + 20 + options.length);
    bytes.set(options, AT + 20);
    wire.setIpv4HeaderLength(frames, AT, 20 + options.length);
    return wire.ipv4Options(frames, AT);
  }

  test('router alert and record route are found behind padding', () => {
    expect(optionsOf('01 94040000 070704 00000000')).toEqual([
      { type: 0x94, copied: true, at: AT + 21, length: 4 },
      { type: wire.IPV4_OPTION_RECORD_ROUTE, copied: false, at: AT + 25, length: 7 },
    ]);
  });

  test('nothing after End is an option', () => {
    expect(optionsOf('00940400')).toEqual([]);
  });

  test.each(['94000000', '94010000', '94050000', '01010194'])('the malformed option %s ends the list', (text) => {
    expect(optionsOf(text)).toEqual([]);
  });

  test('random bytes never make the walk throw or leave the header', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 64 }), (bytes) => {
        const end = Math.min((bytes[0] & 0x0f) * 4, bytes.length);
        for (const option of wire.ipv4Options(wire.viewOf(bytes), 0)) {
          expect(option.at + option.length).toBeLessThanOrEqual(end);
        }
      }),
    );
  });
});
