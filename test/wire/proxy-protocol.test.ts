// The PROXY header of Private Link services: published bytes, every length, and what is not a header.

import { describe, expect, it } from 'vitest';
import { parseIpv4 } from '../../src/wire/index.ts';
import { decodeProxyHeader, encodeProxyHeader, LOCAL_HEADER } from '../../src/wire/proxy-protocol.ts';
import type { ProxyHeader } from '../../src/wire/proxy-protocol.ts';

const HEADER: ProxyHeader = {
  src: parseIpv4('10.0.0.4'),
  srcPort: 50_000,
  dst: parseIpv4('10.0.1.5'),
  dstPort: 443,
  linkId: 0x01020304,
};
const { linkId, ...ADDRESSES } = HEADER;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').toUpperCase();

describe('encoding', () => {
  it('gives the published bytes: lengths big endian, the LinkID little endian (PLS-16, PLS-17)', () => {
    expect(hex(encodeProxyHeader(HEADER))).toBe(
      '0D0A0D0A000D0A515549540A211100140A0000040A000105C35001BBEE00050104030201',
    );
  });

  it('names nobody in the header of a probe (PLS-18)', () => {
    expect(hex(LOCAL_HEADER)).toBe('0D0A0D0A000D0A515549540A20000000');
  });

  it.each([
    ['srcPort', 65_536],
    ['dst', -1],
    ['linkId', 2 ** 32],
    ['linkId', 0.5],
  ])('refuses %s %d', (field, value) => {
    expect(() => encodeProxyHeader({ ...HEADER, [field]: value })).toThrow(RangeError);
  });
});

describe('decoding', () => {
  it('reads back what was written, with what follows it left alone', () => {
    const bytes = Uint8Array.from([...encodeProxyHeader(HEADER), 1, 2, 3]);
    expect(decodeProxyHeader(bytes)).toEqual({ command: 'proxy', addresses: ADDRESSES, linkId, length: 36 });
    expect(decodeProxyHeader(LOCAL_HEADER)).toEqual({ command: 'local', length: 16 });
  });

  it('waits for the rest at every length', () => {
    const bytes = encodeProxyHeader(HEADER);
    for (let length = 0; length < bytes.length; length++) {
      expect(decodeProxyHeader(bytes.subarray(0, length)), `${length} bytes`).toBe('incomplete');
    }
  });

  it('knows at the first wrong byte that it is none', () => {
    expect(decodeProxyHeader(Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0b))).toBe('invalid');
    const version1 = encodeProxyHeader(HEADER);
    version1[12] = 0x11;
    expect(decodeProxyHeader(version1.subarray(0, 13))).toBe('invalid');
  });

  it('refuses a TLV that ends behind the header, and addresses that do not fit', () => {
    const longTlv = encodeProxyHeader(HEADER);
    longTlv[30] = 6;
    expect(decodeProxyHeader(longTlv)).toBe('invalid');
    const noRoom = encodeProxyHeader(HEADER);
    noRoom[15] = 8;
    expect(decodeProxyHeader(noRoom)).toBe('invalid');
  });

  it('skips families and TLVs that it does not know', () => {
    const ipv6 = encodeProxyHeader(HEADER);
    ipv6[13] = 0x21;
    expect(decodeProxyHeader(ipv6)).toEqual({ command: 'proxy', length: 36 });
    const other = encodeProxyHeader(HEADER);
    other[28] = 0xe0;
    expect(decodeProxyHeader(other)).toEqual({ command: 'proxy', addresses: ADDRESSES, linkId: undefined, length: 36 });
  });
});
