// The published vectors of the translation (PE-32), and what each mask lets through.

import { describe, expect, it } from 'vitest';
import { privateLinkTransform } from '../../src/abi/private-link-transform.ts';
import { formatIpv6, parseIpv4, parseIpv6 } from '../../src/wire/index.ts';

const nic = {
  address: parseIpv6('::cb3a:16e5:ff71:0:0'),
  mask: parseIpv6('::ffff:ffff:ffff:0:0'),
};

function prefix(address: string, mask: string): { address: bigint; mask: bigint } {
  return { address: parseIpv6(address), mask: parseIpv6(mask) };
}

const SLASH_96 = 'ffff:ffff:ffff:ffff:ffff:ffff::';

describe('the translation of private endpoints', () => {
  it('gives vector (a) of PE-32: NIC identity over a /96 source prefix', () => {
    const { src6, dst6 } = privateLinkTransform(parseIpv4('10.1.1.1'), parseIpv4('52.1.2.3'), {
      source: prefix('fd41:108:20:abc:abc::', SLASH_96),
      nic,
      destination: prefix('2603:10e1:100:2::', SLASH_96),
    });
    expect(formatIpv6(src6)).toBe('fd41:108:20:cb3a:16e5:ff71:a01:101');
    expect(formatIpv6(dst6)).toBe('2603:10e1:100:2::3401:203');
  });

  it('gives vector (b) of PE-32: NIC identity over a /48 source prefix', () => {
    const { src6, dst6 } = privateLinkTransform(parseIpv4('10.1.1.2'), parseIpv4('10.2.0.6'), {
      source: prefix('ccc4:ac57:2546::', 'ffff:ffff:ffff::'),
      nic,
      destination: prefix('3332:f1c:2878:c130:d6a0:a997::', SLASH_96),
    });
    expect(formatIpv6(src6)).toBe('ccc4:ac57:2546:cb3a:16e5:ff71:a01:102');
    expect(formatIpv6(dst6)).toBe('3332:f1c:2878:c130:d6a0:a997:a02:6');
  });

  it('keeps the source prefix as it is for service endpoints, which have no NIC identity (SEP-5)', () => {
    const { src6 } = privateLinkTransform(parseIpv4('255.255.255.255'), 0, {
      source: prefix('fd00:108:0:d204:0:200::', SLASH_96),
      destination: prefix('::', '::'),
    });
    expect(formatIpv6(src6)).toBe('fd00:108:0:d204:0:200:ffff:ffff');
  });

  it('hides the destination address behind a /128', () => {
    const { dst6 } = privateLinkTransform(1, parseIpv4('10.0.1.1'), {
      source: prefix('::', '::'),
      destination: prefix('1122:3344:5566:7788::303:301', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'),
    });
    expect(formatIpv6(dst6)).toBe('1122:3344:5566:7788::303:301');
  });
});
