// IPv6 text: the forms of RFC 4291 are read, RFC 5952 decides how an address is printed.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AddressError, formatIpv6, parseIpv6 } from '../../src/wire/index.ts';

test.each([
  ['::', '::', 0n],
  ['::1', '::1', 1n],
  ['1::', '1::', 1n << 112n],
  ['fd00:108:0:d204:0:200:a01:101', 'fd00:108:0:d204:0:200:a01:101', 0xfd0001080000d204000002000a010101n],
  ['FD41:0108:0020:CB3A::', 'fd41:108:20:cb3a::', 0xfd4101080020cb3a0000000000000000n],
  ['2603:10e1:100:2::50.1.2.1', '2603:10e1:100:2::3201:201', 0x260310e1010000020000000032010201n],
  ['::ffff:10.0.0.4', '::ffff:10.0.0.4', 0xffff0a000004n],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1', 0x20010db8000000000001000000000001n],
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1', 0x20010000000000010000000000000001n],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0', 0x00010002000300040005000600070000n],
  ['1:2:3:4:5:6:0.7.0.8', '1:2:3:4:5:6:7:8', 0x00010002000300040005000600070008n],
])('%s is read and printed as %s', (text, canonical, value) => {
  expect(parseIpv6(text)).toBe(value);
  expect(formatIpv6(value)).toBe(canonical);
});

test.each([
  '',
  ':',
  ':::',
  '1::2::3',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7:8::',
  ':1:2:3:4:5:6:7',
  '12345::',
  'g::',
  'fe80::1%eth0',
  'fd00::/8',
  '10.0.0.4',
  '10.0.0.4::',
  '::10.0.0.256',
  '::10.0.0.4:1',
  ' ::1',
])('%j is not an IPv6 address', (text) => {
  expect(() => parseIpv6(text)).toThrow(AddressError);
});

test('every value survives printing and reading', () => {
  const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      const value = groups.reduce((sum, next) => (sum << 16n) | BigInt(next), 0n);
      expect(parseIpv6(formatIpv6(value))).toBe(value);
    }),
  );
});

test.each([-1n, 1n << 128n])('%d is refused as an IPv6 number', (value) => {
  expect(() => formatIpv6(value)).toThrow(RangeError);
});
