// What the writers write the reader reads back; files of other tools in both byte orders; and damage of every kind ends
// in issues, never in an exception.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { memorySink } from '../../../src/control/capture/byte-sink.ts';
import { readCapture } from '../../../src/control/capture/capture-reader.ts';
import { CAPTURE_ISSUE_CODES } from '../../../src/control/capture/issue-codes.ts';
import { PcapFile } from '../../../src/control/capture/pcap-writer.ts';
import { encodePacketOptions, PcapngFile } from '../../../src/control/capture/pcapng-writer.ts';
import { capturedFrame } from './capture-fixture.ts';
import type { CaptureFile } from '../../../src/control/capture/capture-file.ts';

const SEED = 20_260_101;

const FRAMES = [
  {
    timeNs: 1_767_225_600_000_000_001n,
    bytes: Uint8Array.of(1, 2, 3),
    length: 3,
    direction: 'inbound',
    packetId: 1,
    comments: ['a', 'bc'],
  },
  {
    timeNs: 1_767_225_600_123_456_789n,
    bytes: Uint8Array.of(4, 5, 6, 7),
    length: 60,
    direction: 'outbound',
    packetId: 2 ** 31 - 1,
    comments: [],
  },
] as const;

function fileOf(make: (sink: ReturnType<typeof memorySink>) => CaptureFile): Uint8Array {
  const sink = memorySink();
  const file = make(sink);
  const interfaces = [file.addInterface('app', 'NIC app'), file.addInterface('nva.in', 'NIC nva')];
  FRAMES.forEach(({ timeNs, bytes, length, packetId, direction, comments }, i) => {
    const frame = capturedFrame(timeNs, bytes, length, packetId);
    file.writeFrame(interfaces[i] as number, frame, encodePacketOptions(direction, comments));
  });
  file.finish(0n, [{ interface: 0, received: 1, lost: 0 }]);
  return sink.contents() as Uint8Array;
}

const PCAPNG = fileOf(
  (sink) => new PcapngFile(sink, { filter: 'tcp', snapLength: 96, names: [{ address: '10.0.0.4', names: ['app'] }] }),
);
const PCAP = fileOf((sink) => new PcapFile(sink));

test('pcapng frames come back with time, lengths, interface, comments, packet id and direction', () => {
  const read = readCapture(PCAPNG, 'app.pcapng');
  expect(read.issues).toEqual([]);
  expect(read.interfaces).toEqual([
    { linkType: 1, snapLength: 96, name: 'app', description: 'NIC app', filter: 'tcp' },
    { linkType: 1, snapLength: 96, name: 'nva.in', description: 'NIC nva', filter: 'tcp' },
  ]);
  expect(read.frames).toEqual([
    {
      timeNs: FRAMES[0].timeNs,
      bytes: FRAMES[0].bytes,
      originalLength: 3,
      interface: 0,
      comments: ['a', 'bc'],
      packetId: 1n,
      direction: 'inbound',
    },
    {
      timeNs: FRAMES[1].timeNs,
      bytes: FRAMES[1].bytes,
      originalLength: 60,
      interface: 1,
      comments: [],
      packetId: 2147483647n,
      direction: 'outbound',
    },
  ]);
});

test('pcap frames come back with nanoseconds and both lengths', () => {
  const read = readCapture(PCAP, 'app.pcap');
  expect(read.issues).toEqual([]);
  expect(read.frames.map(({ timeNs, originalLength, bytes }) => [timeNs, originalLength, [...bytes]])).toEqual([
    [FRAMES[0].timeNs, 3, [1, 2, 3]],
    [FRAMES[1].timeNs, 60, [4, 5, 6, 7]],
  ]);
});

/** A classic pcap file with one frame of two bytes, written by hand. */
function handMadePcap(magic: number, littleEndian: boolean, linkType = 1): Uint8Array {
  const bytes = new Uint8Array(24 + 16 + 2);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic, littleEndian);
  view.setUint16(4, 2, littleEndian);
  view.setUint16(6, 4, littleEndian);
  view.setUint32(16, 65_535, littleEndian);
  view.setUint32(20, linkType, littleEndian);
  [10, 7, 2, 100].forEach((value, i) => view.setUint32(24 + 4 * i, value, littleEndian));
  bytes.set([0xaa, 0xbb], 40);
  return bytes;
}

test.each([
  ['microseconds, little-endian', 0xa1b2c3d4, true, 10_000_007_000n],
  ['microseconds, big-endian', 0xa1b2c3d4, false, 10_000_007_000n],
  ['nanoseconds, little-endian', 0xa1b23c4d, true, 10_000_000_007n],
  ['nanoseconds, big-endian', 0xa1b23c4d, false, 10_000_000_007n],
])('pcap with %s is read', (_name, magic, littleEndian, timeNs) => {
  const read = readCapture(handMadePcap(magic, littleEndian), 'x.pcap');
  expect(read.issues).toEqual([]);
  expect(read.frames).toEqual([
    { timeNs, bytes: Uint8Array.of(0xaa, 0xbb), originalLength: 100, interface: 0, comments: [] },
  ]);
});

/** One pcapng block; `body` is a list of [size, value]. */
function blockOf(
  littleEndian: boolean,
  type: number,
  body: readonly (readonly [1 | 2 | 4 | 8, number | bigint])[],
): Uint8Array {
  const size = body.reduce((sum, [bytes]) => sum + bytes, 12);
  const view = new DataView(new ArrayBuffer(size));
  view.setUint32(0, type, littleEndian);
  view.setUint32(4, size, littleEndian);
  let at = 8;
  for (const [bytes, value] of body) {
    if (bytes === 1) view.setUint8(at, Number(value));
    if (bytes === 2) view.setUint16(at, Number(value), littleEndian);
    if (bytes === 4) view.setUint32(at, Number(value), littleEndian);
    if (bytes === 8) view.setBigInt64(at, BigInt(value), littleEndian);
    at += bytes;
  }
  view.setUint32(size - 4, size, littleEndian);
  return new Uint8Array(view.buffer);
}

const concat = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const section = (le: boolean) =>
  blockOf(le, 0x0a0d0d0a, [
    [4, 0x1a2b3c4d],
    [2, 1],
    [2, 0],
    [8, -1n],
  ]);
const packet = (le: boolean, index: number, high: number, low: number) =>
  blockOf(le, 6, [
    [4, index],
    [4, high],
    [4, low],
    [4, 2],
    [4, 2],
    [1, 0xaa],
    [1, 0xbb],
    [2, 0],
  ]);

describe.each([
  ['little-endian', true],
  ['big-endian', false],
])('pcapng of other tools, %s', (_name, le) => {
  const times = (bytes: Uint8Array) => readCapture(bytes, 'x.pcapng').frames.map(({ timeNs }) => timeNs);

  test('stamps without a resolution are microseconds', () => {
    const bytes = concat(
      section(le),
      blockOf(le, 1, [
        [2, 1],
        [2, 0],
        [4, 0],
      ]),
      packet(le, 0, 1, 5),
    );
    expect(readCapture(bytes, 'x').issues).toEqual([]);
    expect(times(bytes)).toEqual([(2n ** 32n + 5n) * 1000n]);
  });

  test('every interface has its own resolution, powers of 2 included, and offset', () => {
    const halves = blockOf(le, 1, [
      [2, 1],
      [2, 0],
      [4, 0],
      [2, 9],
      [2, 1],
      [1, 0x81],
      [1, 0],
      [2, 0],
    ]);
    const shifted = blockOf(le, 1, [
      [2, 1],
      [2, 0],
      [4, 0],
      [2, 14],
      [2, 8],
      [8, 100n],
    ]);
    expect(times(concat(section(le), halves, shifted, packet(le, 0, 0, 3), packet(le, 1, 0, 2)))).toEqual([
      1_500_000_000n,
      100_000_002_000n,
    ]);
  });

  test('simple and obsolete packets count, unknown blocks do not', () => {
    const bytes = concat(
      section(le),
      blockOf(le, 1, [
        [2, 1],
        [2, 0],
        [4, 0],
      ]),
      blockOf(le, 0x0bad, [[4, 99]]),
      blockOf(le, 3, [
        [4, 3],
        [1, 1],
        [1, 2],
        [1, 3],
        [1, 0],
      ]),
      blockOf(le, 2, [
        [2, 0],
        [2, 9],
        [4, 0],
        [4, 8],
        [4, 1],
        [4, 1],
        [1, 4],
        [1, 0],
        [2, 0],
      ]),
    );
    const read = readCapture(bytes, 'x');
    expect(read.issues).toEqual([]);
    expect(read.frames.map(({ bytes: frame, timeNs }) => [[...frame], timeNs])).toEqual([
      [[1, 2, 3], 0n],
      [[4], 8000n],
    ]);
  });

  test('a second section numbers its interfaces anew', () => {
    const part = concat(
      section(le),
      blockOf(le, 1, [
        [2, 1],
        [2, 0],
        [4, 0],
      ]),
      packet(le, 0, 0, 1),
    );
    const other = concat(
      section(!le),
      blockOf(!le, 1, [
        [2, 1],
        [2, 0],
        [4, 7],
      ]),
      packet(!le, 0, 0, 2),
    );
    const read = readCapture(concat(part, other), 'x');
    expect(read.issues).toEqual([]);
    expect(read.frames.map(({ interface: index }) => index)).toEqual([0, 1]);
    expect(times(concat(part, other))).toEqual([1000n, 2000n]);
  });

  test('a packet of an interface that nobody described is damage', () => {
    const read = readCapture(concat(section(le), packet(le, 0, 0, 1)), 'x');
    expect(read.issues).toMatchObject([{ code: 'CAPTURE_FORMAT' }]);
  });
});

test('frames of another link type are left out with one issue', () => {
  const read = readCapture(handMadePcap(0xa1b2c3d4, true, 113), 'any.pcap');
  expect(read.frames).toEqual([]);
  expect(read.issues).toMatchObject([{ code: 'CAPTURE_LINK_TYPE', severity: 'error' }]);
});

test.each([
  ['an empty file', new Uint8Array(0), 'empty', 'pcap'],
  ['text', new TextEncoder().encode('name: hub'), '6e 61 6d 65', 'pcap'],
  ['two bytes', Uint8Array.of(1, 2), '01 02', 'pcap'],
  ['a compressed file', Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0), '1f 8b', 'gunzip'],
])('%s is refused with a hint', (_name, bytes, found, hint) => {
  const read = readCapture(bytes, 'x.pcap');
  expect(read.frames).toEqual([]);
  expect(read.issues).toHaveLength(1);
  expect(read.issues[0]).toMatchObject({ code: 'CAPTURE_FORMAT', source: { file: 'x.pcap', line: 1, column: 1 } });
  expect(read.issues[0]?.message).toContain(found);
  expect(read.issues[0]?.hint).toContain(hint);
});

function blockEnds(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const ends: number[] = [];
  for (let at = 0; at < bytes.length; ends.push(at)) at += view.getUint32(at + 4, true);
  return ends;
}

test.each([
  ['pcap', PCAP, [24, 24 + 16 + 3]],
  ['pcapng', PCAPNG, blockEnds(PCAPNG)],
] as const)(
  '%s cut at every length gives the frames before the cut and an issue with its place',
  (_name, whole, ends) => {
    for (let length = 0; length < whole.length; length++) {
      const read = readCapture(whole.slice(0, length), 'cut');
      const expected = readCapture(whole, 'whole').frames.slice(0, read.frames.length);
      expect(read.frames).toEqual(expected);
      if (read.issues.length === 0) {
        // Only between two records or blocks is a cut file a whole one.
        expect(ends).toContain(length);
        continue;
      }
      expect(read.issues).toHaveLength(1);
      const code = length < 4 ? 'CAPTURE_FORMAT' : 'CAPTURE_TRUNCATED';
      expect({ length, code: read.issues[0]?.code }).toEqual({ length, code });
      expect(read.issues[0]?.message).toMatch(/^at byte \d+: /);
    }
  },
);

test.each([
  ['a wrong trailing length', (view: DataView) => view.setUint32(view.byteLength - 4, 8, true), 'CAPTURE_FORMAT'],
  ['a block length of 0', (view: DataView) => view.setUint32(4, 0, true), 'CAPTURE_FORMAT'],
  ['a block length that is no multiple of 4', (view: DataView) => view.setUint32(4, 69, true), 'CAPTURE_FORMAT'],
  ['no byte-order magic', (view: DataView) => view.setUint32(8, 1, true), 'CAPTURE_FORMAT'],
])('pcapng with %s ends there', (_name, damage, code) => {
  const bytes = PCAPNG.slice();
  damage(new DataView(bytes.buffer));
  expect(readCapture(bytes, 'x').issues).toMatchObject([{ code }]);
});

test('a frame that claims more than any capture holds is damage, not memory', () => {
  const bytes = handMadePcap(0xa1b2c3d4, true);
  new DataView(bytes.buffer).setUint32(32, 0x7fff_ffff, true);
  expect(readCapture(bytes, 'x').issues).toMatchObject([{ code: 'CAPTURE_FORMAT' }]);
});

test('random bytes and random damage never throw and never invent an issue code', () => {
  const check = (bytes: Uint8Array): void => {
    for (const issue of readCapture(bytes, 'x').issues) expect(CAPTURE_ISSUE_CODES).toHaveProperty(issue.code);
  };
  const magics = [[], [0x0a, 0x0d, 0x0d, 0x0a], [0xd4, 0xc3, 0xb2, 0xa1], [0x4d, 0x3c, 0xb2, 0xa1]];
  const random = fc.tuple(fc.constantFrom(...magics), fc.uint8Array({ maxLength: 300 }));
  fc.assert(
    fc.property(random, ([magic, rest]) => check(Uint8Array.of(...magic, ...rest))),
    { seed: SEED, numRuns: 500 },
  );
  const flips = fc.array(fc.tuple(fc.nat(PCAPNG.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(flips, (changes) => {
      const bytes = PCAPNG.slice();
      for (const [at, value] of changes) bytes[at] = value;
      check(bytes);
    }),
    { seed: SEED, numRuns: 500 },
  );
});

test('a capture inside a larger buffer is read from its own start', () => {
  const outer = new Uint8Array(PCAPNG.length + 9);
  outer.set(PCAPNG, 5);
  expect(readCapture(outer.subarray(5, 5 + PCAPNG.length), 'x').frames).toHaveLength(2);
});
