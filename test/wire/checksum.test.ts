// Checksums: the published vectors, agreement of the incremental form with a full computation, and the rules around
// UDP's zero.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as wire from '../../src/wire/index.ts';
import { hex } from './bytes.ts';
import { ALL_SAMPLES, SAMPLES } from './sample-frames.ts';

const { onesComplementSum, internetChecksum, updateChecksum16, updateChecksum32, viewOf } = wire;
const L3 = wire.ETHERNET_HEADER;

/** Ten lines straight from RFC 1071 section 4.1, byte by byte. */
function referenceSum(bytes: Uint8Array): number {
  let sum = 0;
  for (const [index, byte] of bytes.entries()) {
    sum += index % 2 === 0 ? byte * 256 : byte;
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}

describe('the sum', () => {
  test('is ddf2 for the example of RFC 1071', () => {
    const frames = viewOf(hex('0001 f203 f4f5 f6f7'));
    expect(onesComplementSum(frames, 0, 8)).toBe(0xddf2);
    expect(internetChecksum(frames, 0, 8)).toBe(0x220d);
  });

  test('is b861 as checksum of a well-known IPv4 header', () => {
    const frames = viewOf(hex('45000073 00004000 40110000 c0a80001 c0a800c7'));
    expect(internetChecksum(frames, 0, 20)).toBe(0xb861);
  });

  test('equals the byte-by-byte reference for any bytes at any offset', () => {
    const bytesAndStart = fc
      .uint8Array({ maxLength: 200 })
      .chain((bytes) => fc.tuple(fc.constant(bytes), fc.nat({ max: bytes.length })));
    fc.assert(
      fc.property(bytesAndStart, ([bytes, at]) => {
        expect(onesComplementSum(viewOf(bytes), at, bytes.length - at)).toBe(referenceSum(bytes.subarray(at)));
      }),
    );
  });

  test('can be taken in pieces when all but the last are even', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat({ max: 50 }), (bytes, words) => {
        const cut = Math.min(2 * words, bytes.length - (bytes.length % 2));
        const first = onesComplementSum(viewOf(bytes), 0, cut);
        const whole = onesComplementSum(viewOf(bytes), 0, bytes.length);
        expect(onesComplementSum(viewOf(bytes), cut, bytes.length - cut, first)).toBe(whole);
      }),
    );
  });

  test('does not overflow on the longest datagram of all ones', () => {
    const bytes = new Uint8Array(65535).fill(0xff);
    expect(onesComplementSum(viewOf(bytes), 0, 65534)).toBe(0xffff);
    expect(onesComplementSum(viewOf(bytes), 0, 65535, 0xffff)).toBe(0xff00);
  });

  test('works on shared memory', () => {
    const bytes = new Uint8Array(new SharedArrayBuffer(16), 4, 8);
    bytes.set(hex('0001 f203 f4f5 f6f7'));
    expect(onesComplementSum(viewOf(bytes), 0, 8)).toBe(0xddf2);
  });

  test('of the pseudo header is the sum of its twelve bytes', () => {
    const pseudo = hex('ffff0004 a83f8110 00 11 ffff');
    expect(wire.pseudoHeaderSum(0xffff0004, 0xa83f8110, 17, 0xffff)).toBe(referenceSum(pseudo));
  });
});

describe('the incremental update', () => {
  test('gives the corrected example of RFC 1624: 0000, not ffff', () => {
    // HC = dd2f, m = 5555, m' = 3285: the older equation of RFC 1141 would give ffff.
    expect(updateChecksum16(0xdd2f, 0x5555, 0x3285)).toBe(0x0000);
  });

  test('goes from 0000 to the checksum of the old word and back', () => {
    expect(updateChecksum16(0x0000, 0x3285, 0x5555)).toBe(0xdd2f);
  });

  test('of a word by itself changes nothing', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xfffe }), fc.integer({ min: 0, max: 0xffff }), (checksum, word) => {
        expect(updateChecksum16(checksum, word, word)).toBe(checksum);
      }),
    );
  });

  // Words of all zeros and all ones are where one's complement has two zeros.
  const word = fc.oneof(fc.constantFrom(0, 1, 0x7fff, 0x8000, 0xfffe, 0xffff), fc.integer({ min: 0, max: 0xffff }));
  const words = fc.array(word, { minLength: 2, maxLength: 12 });

  function viewOfWords(values: readonly number[]): DataView {
    const frames = new DataView(new ArrayBuffer(2 * values.length));
    for (const [index, value] of values.entries()) frames.setUint16(2 * index, value);
    return frames;
  }

  test('of a 16-bit word equals a full computation', () => {
    fc.assert(
      fc.property(words, word, fc.nat(), (values, newWord, pick) => {
        // A non-zero word stays in place, as the version nibble or the pseudo header does in a real packet.
        const frames = viewOfWords([0x4500, ...values]);
        const at = 2 + 2 * (pick % values.length);
        const before = internetChecksum(frames, 0, frames.byteLength);
        const oldWord = frames.getUint16(at);
        frames.setUint16(at, newWord);
        expect(updateChecksum16(before, oldWord, newWord)).toBe(internetChecksum(frames, 0, frames.byteLength));
      }),
      { numRuns: 2000 },
    );
  });

  test('of a 32-bit field equals a full computation', () => {
    fc.assert(
      fc.property(words, word, word, (values, high, low) => {
        const frames = viewOfWords([0x4500, ...values]);
        const before = internetChecksum(frames, 0, frames.byteLength);
        const oldValue = frames.getUint32(2);
        const newValue = high * 65536 + low;
        frames.setUint32(2, newValue);
        const after = internetChecksum(frames, 0, frames.byteLength);
        expect(updateChecksum32(before, oldValue, newValue)).toBe(after);
        expect(updateChecksum32(before, oldValue | 0, newValue | 0)).toBe(after);
      }),
      { numRuns: 2000 },
    );
  });

  test('of a UDP checksum sent as ffff is as good as of the computed 0000', () => {
    fc.assert(
      fc.property(word, word, (oldWord, newWord) => {
        const fromWire = updateChecksum16(0xffff, oldWord, newWord);
        const fromZero = updateChecksum16(0x0000, oldWord, newWord);
        expect(fromWire % 0xffff).toBe(fromZero % 0xffff);
      }),
    );
  });
});

describe('checksums of whole frames', () => {
  test.each(ALL_SAMPLES.filter(([name]) => name !== 'arp'))('of the sample %s are right', (_, { bytes }) => {
    expect(wire.verifyIpv4Checksum(viewOf(bytes), L3)).toBe(true);
    expect(wire.verifyTransportChecksum(viewOf(bytes), L3)).toBe(true);
  });

  test.each(['syn', 'data', 'selectiveAck', 'udp', 'ping', 'fragmentationNeeded'] as const)(
    'of %s: every flipped bit of the transport part is found',
    (name) => {
      const start = L3 + 20;
      for (let bit = 8 * start; bit < 8 * SAMPLES[name].bytes.length; bit++) {
        const bytes = SAMPLES[name].bytes.slice();
        bytes[bit >> 3] ^= 1 << (bit & 7);
        expect(wire.verifyTransportChecksum(viewOf(bytes), L3), `bit ${bit}`).toBe(false);
      }
    },
  );

  test.each([
    ['syn', 16],
    ['data', 16],
    ['udp', 6],
    ['ping', 2],
  ] as const)('%s: the computed checksum does not depend on what is in the field', (name, field) => {
    const bytes = SAMPLES[name].bytes.slice();
    const frames = viewOf(bytes);
    const l4 = L3 + 20;
    const right = frames.getUint16(l4 + field);
    for (const garbage of [0, 1, 0xa5a5, 0xffff]) {
      frames.setUint16(l4 + field, garbage);
      expect(wire.transportChecksum(frames, L3, l4, bytes.length - l4)).toBe(right);
    }
  });

  test('a protocol without a known checksum is refused to compute and accepted to verify', () => {
    const bytes = wire.buildFrame({ src: 1, dst: 2, protocol: wire.PROTOCOL_ESP, payload: hex('0102030405') });
    expect(() => wire.transportChecksum(viewOf(bytes), L3, L3 + 20, 5)).toThrow(RangeError);
    expect(wire.verifyTransportChecksum(viewOf(bytes), L3)).toBe(true);
  });

  test('a header cut short is refused to compute', () => {
    const bytes = wire.buildFrame({ src: 1, dst: 2, protocol: wire.PROTOCOL_TCP, payload: new Uint8Array(17) });
    expect(() => wire.transportChecksum(viewOf(bytes), L3, L3 + 20, 17)).toThrow(RangeError);
  });

  test.each([
    [wire.PROTOCOL_TCP, 19],
    [wire.PROTOCOL_UDP, 7],
    [wire.PROTOCOL_ICMP, 7],
  ])('protocol %i with %i bytes does not verify', (protocol, length) => {
    const bytes = wire.buildFrame({ src: 1, dst: 2, protocol, payload: new Uint8Array(length) });
    expect(wire.verifyTransportChecksum(viewOf(bytes), L3)).toBe(false);
  });
});

describe('UDP', () => {
  const l4 = L3 + 20;

  test('a checksum of zero means that there is none', () => {
    const bytes = SAMPLES.udp.bytes.slice();
    wire.setUdpChecksum(viewOf(bytes), l4, 0);
    expect(wire.verifyTransportChecksum(viewOf(bytes), L3)).toBe(true);
  });

  test('a computed checksum of zero is sent as ffff and verifies', () => {
    const spec = { src: 0x0a000004, dst: 0x0a000105, udp: { srcPort: 1, dstPort: 2 } };
    const plain = wire.buildFrame({ ...spec, payload: hex('0000') });
    // Putting the checksum itself into the payload makes the sum all ones, and so the checksum zero.
    const word = wire.udpChecksum(viewOf(plain), l4);
    const corner = wire.buildFrame({ ...spec, payload: Uint8Array.of(word >> 8, word & 0xff) });
    expect(wire.udpChecksum(viewOf(corner), l4)).toBe(0xffff);
    expect(wire.verifyTransportChecksum(viewOf(corner), L3)).toBe(true);
  });

  test('only zero is changed for the wire', () => {
    expect([0, 1, 0x8000, 0xffff].map((checksum) => wire.udpWireChecksum(checksum))).toEqual([
      0xffff, 1, 0x8000, 0xffff,
    ]);
  });

  test.each([7, 12])('a length field of %i does not verify', (length) => {
    const bytes = SAMPLES.udp.bytes.slice();
    wire.setUdpLength(viewOf(bytes), l4, length);
    wire.setUdpChecksum(viewOf(bytes), l4, 0);
    expect(wire.verifyTransportChecksum(viewOf(bytes), L3)).toBe(false);
  });
});
