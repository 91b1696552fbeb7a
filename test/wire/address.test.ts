// IPv4 addresses, prefixes and MAC addresses: what is accepted, what is refused and with which words.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as wire from '../../src/wire/index.ts';

const { parseIpv4, formatIpv4, parsePrefix, parsePrefixOrAddress, parseMac, formatMac } = wire;

function errorOf(parse: () => unknown): wire.AddressError {
  try {
    parse();
  } catch (error) {
    if (error instanceof wire.AddressError) return error;
    throw error;
  }
  throw new Error('expected an AddressError');
}

describe('IPv4 addresses', () => {
  test.each([
    ['0.0.0.0', 0],
    ['10.0.0.4', 0x0a000004],
    ['168.63.129.16', 0xa83f8110],
    ['255.255.255.255', 0xffffffff],
  ])('%s is read as an unsigned number and printed back', (text, address) => {
    expect(parseIpv4(text)).toBe(address);
    expect(formatIpv4(address)).toBe(text);
  });

  test.each([
    ['', 'write four decimal numbers'],
    ['10.0.0', 'write four decimal numbers'],
    ['10.0.0.4.5', 'write four decimal numbers'],
    ['10.0.0.4.5.6', 'write four decimal numbers'],
    ['10.0.0.', 'write four decimal numbers'],
    ['10..0.4', 'write four decimal numbers'],
    ['10.0.0.256', 'write four decimal numbers'],
    ['10.0.0.1000', 'write four decimal numbers'],
    ['10.0.0.-1', 'write four decimal numbers'],
    ['10.0.0.+4', 'write four decimal numbers'],
    ['10.0.0.0x4', 'write four decimal numbers'],
    ['10.0.0.4e0', 'write four decimal numbers'],
    ['167772164', 'write four decimal numbers'],
    ['10.0.0.٤', 'write four decimal numbers'],
    ['app.contoso.com', 'write four decimal numbers'],
    ['010.0.0.4', 'leading zeros'],
    ['10.0.0.04', 'leading zeros'],
    ['10.00.0.4', 'leading zeros'],
    [' 10.0.0.4', 'spaces'],
    ['10.0.0.4\n', 'spaces'],
    ['fd00::4', 'only IPv4'],
    ['10.0.0.4/32', 'without a length'],
  ])('%j is not an address, and the hint says why', (text, hint) => {
    const error = errorOf(() => parseIpv4(text));
    expect(error).toMatchObject({ name: 'AddressError', code: 'ADDRESS_SYNTAX' });
    expect(error.message).toContain(wire.quoteText(text));
    expect(error.hint).toContain(hint);
    expect(wire.tryParseIpv4(text)).toBeUndefined();
  });

  test('every address survives printing and reading, also as a signed number', () => {
    const anyAddress = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(anyAddress, (address) => {
        expect(parseIpv4(formatIpv4(address))).toBe(address);
        expect(formatIpv4(address | 0)).toBe(formatIpv4(address));
      }),
    );
  });

  test('no text makes the reader throw anything but an AddressError', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const parse of [parseIpv4, parsePrefix, parsePrefixOrAddress, parseMac, wire.parseIpv6]) {
          try {
            parse(text);
          } catch (error) {
            expect(error).toBeInstanceOf(wire.AddressError);
          }
        }
      }),
    );
  });

  test('a long text is cut in the message', () => {
    expect(errorOf(() => parseIpv4('9'.repeat(5000))).message.length).toBeLessThan(120);
  });
});

describe('IPv4 prefixes', () => {
  test.each([
    ['0.0.0.0/0', 0, 0],
    ['10.0.0.0/8', 0x0a000000, 8],
    ['10.0.1.0/24', 0x0a000100, 24],
    ['10.0.1.4/32', 0x0a000104, 32],
    ['128.0.0.0/1', 0x80000000, 1],
  ])('%s is read and printed back', (text, address, length) => {
    expect(parsePrefix(text)).toEqual({ address, length });
    expect(parsePrefixOrAddress(text)).toEqual({ address, length });
    expect(wire.formatPrefix({ address, length })).toBe(text);
  });

  test.each([
    ['10.0.0.4', 'write 10.0.0.4/32 for one host'],
    ['', 'like 10.0.0.0/24'],
    ['VirtualNetwork', 'like 10.0.0.0/24'],
    ['10.0.0.0/', 'from 0 to 32'],
    ['10.0.0.0/33', 'from 0 to 32'],
    ['10.0.0.0/-1', 'from 0 to 32'],
    ['10.0.0.0/08', 'from 0 to 32'],
    ['10.0.0.0/8 ', 'from 0 to 32'],
    ['10.0.0.0/8/8', 'from 0 to 32'],
    ['10.0.0.0/255.0.0.0', 'from 0 to 32'],
    ['010.0.0.0/8', 'leading zeros'],
    ['10.0.0/8', 'four decimal numbers'],
    ['/8', 'four decimal numbers'],
    ['fd00::/8', 'only IPv4'],
  ])('%j is not a prefix, and the hint says why', (text, hint) => {
    const error = errorOf(() => parsePrefix(text));
    expect(error.code).toBe('PREFIX_SYNTAX');
    expect(error.hint).toContain(hint);
  });

  test.each([
    ['10.0.0.4/24', '10.0.0.0/24'],
    ['10.0.0.1/0', '0.0.0.0/0'],
    ['255.255.255.255/31', '255.255.255.254/31'],
  ])('%s has host bits set and %s is offered', (text, meant) => {
    const error = errorOf(() => parsePrefix(text));
    expect(error.code).toBe('PREFIX_HOST_BITS');
    expect(error.message).toContain(`host bits set: did you mean ${meant}?`);
    expect(error.hint).toContain(meant);
  });

  test('a bare address is a prefix of length 32 where that is allowed', () => {
    expect(parsePrefixOrAddress('10.0.0.4')).toEqual({ address: 0x0a000004, length: 32 });
    expect(errorOf(() => parsePrefixOrAddress('10.0.0')).code).toBe('PREFIX_SYNTAX');
  });

  test.each([
    [0, 0],
    [1, 0x80000000],
    [24, 0xffffff00],
    [31, 0xfffffffe],
    [32, 0xffffffff],
  ])('the mask of length %i is unsigned', (length, mask) => {
    expect(wire.prefixMask(length)).toBe(mask);
  });

  test('containment and overlap agree with first and last address', () => {
    const anyPrefix = fc
      .tuple(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 0, max: 32 }))
      .map(([address, length]) => ({ address: (address & wire.prefixMask(length)) >>> 0, length }));
    fc.assert(
      fc.property(anyPrefix, anyPrefix, fc.integer({ min: 0, max: 0xffffffff }), (a, b, address) => {
        const [first, last] = [wire.prefixFirst(a), wire.prefixLast(a)];
        const [otherFirst, otherLast] = [wire.prefixFirst(b), wire.prefixLast(b)];
        expect(last - first + 1).toBe(wire.prefixSize(a));
        expect(wire.prefixContains(a, address)).toBe(first <= address && address <= last);
        expect(wire.prefixCovers(a, b)).toBe(first <= otherFirst && otherLast <= last);
        expect(wire.prefixesOverlap(a, b)).toBe(first <= otherLast && otherFirst <= last);
        expect(parsePrefix(wire.formatPrefix(a))).toEqual(a);
      }),
    );
  });
});

describe('MAC addresses', () => {
  test.each(['00:0d:3a:00:00:04', '00-0D-3A-00-00-04', '000D3A000004'])('%s is read', (text) => {
    expect(parseMac(text)).toBe(0x000d3a000004);
  });

  test.each(['', '00:0d:3a:00:00', '00:0d:3a:00:00:04:05', '00:0d-3a:00:00:04', '0:d:3a:0:0:4', '000d3a00000g', 'x'])(
    '%j is not a MAC address',
    (text) => {
      const error = errorOf(() => parseMac(text));
      expect(error.code).toBe('MAC_SYNTAX');
      expect(error.hint).toContain('twelve hex digits');
    },
  );

  test('the address is printed in lower case with colons', () => {
    expect(formatMac(wire.FABRIC_MAC)).toBe('12:34:56:78:9a:bc');
    expect(formatMac(0)).toBe('00:00:00:00:00:00');
    expect(formatMac(0xffffffffffff)).toBe('ff:ff:ff:ff:ff:ff');
  });

  test.each([-1, 2 ** 48, 1.5, Number.NaN])('%d is refused as a MAC number', (mac) => {
    expect(() => formatMac(mac)).toThrow(RangeError);
  });
});
