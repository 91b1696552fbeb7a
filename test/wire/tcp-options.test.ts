// TCP options: bytes and fields, bounds, and what happens to options that lie about their length.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { viewOf } from '../../src/wire/build.ts';
import { TCP_HEADER_MIN, encodeTcpOptions, parseTcpOptions } from '../../src/wire/tcp.ts';
import type { TcpOptions } from '../../src/wire/tcp.ts';
import { hex, poisoned } from './bytes.ts';

function parseOptions(text: string): TcpOptions {
  return parseBytes(hex(text));
}

function parseBytes(options: Uint8Array): TcpOptions {
  const { bytes, frames } = poisoned(TCP_HEADER_MIN + options.length + 12);
  bytes.set(options, TCP_HEADER_MIN);
  return parseTcpOptions(frames, 0, TCP_HEADER_MIN + options.length);
}

const KNOWN: readonly (readonly [string, string, TcpOptions])[] = [
  ['no options', '', {}],
  ['mss 1460', '020405b4', { mss: 1460 }],
  ['mss 1460, nop, wscale 7', '020405b4 01030307', { mss: 1460, windowScale: 7 }],
  [
    'mss 1460, sackOK, TS val 1 ecr 2, nop, wscale 7',
    '020405b4 0402 080a 00000001 00000002 01 030307',
    { mss: 1460, sackPermitted: true, timestamps: { value: 1, echoReply: 2 }, windowScale: 7 },
  ],
  ['sackOK, end, end', '04020000', { sackPermitted: true }],
  ['nop, nop, sack 1 {4294967295:1}', '0101 050a ffffffff 00000001', { sackBlocks: [{ start: 0xffffffff, end: 1 }] }],
];

test.each(KNOWN)('%s: bytes to fields', (_, bytes, options) => {
  expect(parseOptions(bytes)).toEqual(options);
});

test.each(KNOWN)('%s: fields to bytes', (_, bytes, options) => {
  expect(encodeTcpOptions(options)).toEqual(hex(bytes));
});

test.each([
  ['an unknown option is skipped', '1e04aaaa 020405b4', { mss: 1460 }],
  ['a known option of the wrong length is skipped', '0203ff 030307 00', { windowScale: 7 }],
  ['a SACK option with half a block is skipped', '0506 00000001 020405b4', { mss: 1460 }],
  ['a SACK option without blocks is skipped', '0502 020405b4', { mss: 1460 }],
  ['length zero ends the options', '0200 020405b4', {}],
  ['length one ends the options', '0201 020405b4', {}],
  ['an option beyond the header ends the options', '01010204', {}],
  ['a kind without length at the end of the header is ignored', '01010102', {}],
  ['nothing after End is an option', '00 020405b4', {}],
  ['the last of a repeated option counts', '02040001 02040002', { mss: 2 }],
])('%s', (_, bytes, options) => {
  expect(parseOptions(bytes)).toEqual(options);
});

test('a header length beyond the frame is cut to the frame', () => {
  const bytes = new Uint8Array(24);
  bytes.set(hex('020405b4'), 20);
  expect(parseTcpOptions(viewOf(bytes), 0, 60)).toEqual({ mss: 1460 });
  expect(parseTcpOptions(viewOf(bytes.subarray(0, 22)), 0, 60)).toEqual({});
  expect(parseTcpOptions(viewOf(bytes.subarray(0, 10)), 0, 60)).toEqual({});
});

test('random bytes never make the parser throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.integer({ min: 0, max: 60 }), (bytes, headerLength) => {
      expect(() => parseTcpOptions(viewOf(bytes), 0, headerLength)).not.toThrow();
    }),
  );
});

test('whatever is encoded is parsed back and fits the header in whole words', () => {
  const u32 = fc.integer({ min: 0, max: 0xffffffff });
  const anyOptions = fc.record(
    {
      mss: fc.integer({ min: 0, max: 0xffff }),
      windowScale: fc.integer({ min: 0, max: 255 }),
      sackPermitted: fc.constant(true),
      timestamps: fc.record({ value: u32, echoReply: u32 }, { noNullPrototype: true }),
      sackBlocks: fc.array(fc.record({ start: u32, end: u32 }, { noNullPrototype: true }), {
        minLength: 1,
        maxLength: 1,
      }),
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  fc.assert(
    fc.property(anyOptions, (options) => {
      const bytes = encodeTcpOptions(options);
      expect(bytes.length % 4).toBe(0);
      expect(parseBytes(bytes)).toEqual(options);
    }),
  );
});

test('four SACK blocks fit, five do not', () => {
  const block = { start: 1, end: 2 };
  expect(encodeTcpOptions({ sackBlocks: [block, block, block, block] })).toHaveLength(36);
  expect(() => encodeTcpOptions({ sackBlocks: [block, block, block, block, block] })).toThrow(RangeError);
});
