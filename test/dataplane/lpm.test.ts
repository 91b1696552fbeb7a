// Longest-prefix match: one suite of behaviours on the trie and on a linear scan, then random tables through both.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RouteInfo } from '../../src/control/compile/compiled.ts';
import { selectRoute } from '../../src/control/compile/effective-routes.ts';
import { buildRouteTrie } from '../../src/control/compile/route-trie.ts';
import { lookupRoute } from '../../src/dataplane/lpm.ts';
import { formatPrefix, parseIpv4, parsePrefix, prefixMask } from '../../src/wire/index.ts';

const SEED = 20_260_103;
type Lookup = (address: number) => string | undefined;

const linear = (rows: readonly RouteInfo[], tcp = true): Lookup => {
  return (address) => selectRoute(rows, address, { tcp })?.name ?? undefined;
};
const trie = (rows: readonly RouteInfo[], tcp = true): Lookup => {
  const candidates = rows.map((info) => ({ info, prefix: parsePrefix(info.prefix) }));
  const table = buildRouteTrie(candidates, tcp, (candidate) => candidates.indexOf(candidate));
  return (address) => rows[lookupRoute(table, address)]?.name ?? undefined;
};

function user(prefix: string, name = prefix): RouteInfo {
  return { name, source: 'User', state: 'Active', prefix, nextHopType: 'None' };
}

describe.each([
  ['a linear scan', linear],
  ['the trie', trie],
])('longest-prefix match with %s', (_name, lookupIn) => {
  it('10.0.0.5 takes the /24 and 10.0.1.5 the /16 (ROUTE-21)', () => {
    const lookup = lookupIn([user('10.0.0.0/16'), user('10.0.0.0/24')]);
    expect(lookup(parseIpv4('10.0.0.5'))).toBe('10.0.0.0/24');
    expect(lookup(parseIpv4('10.0.1.5'))).toBe('10.0.0.0/16');
  });

  it('every length from /0 to /32 counts', () => {
    const address = parseIpv4('203.0.113.85');
    const rows = Array.from({ length: 33 }, (_, length) =>
      user(formatPrefix({ address: (address & prefixMask(length)) >>> 0, length })),
    );
    for (let length = 0; length <= 32; length++) {
      expect(lookupIn(rows.slice(0, length + 1))(address)).toBe(rows[length].name);
    }
  });

  it('an address that no route covers has none', () => {
    expect(lookupIn([user('10.0.0.0/8')])(parseIpv4('11.0.0.0'))).toBeUndefined();
    expect(lookupIn([])(0)).toBeUndefined();
  });

  it('the ends of a prefix belong to it and their neighbours do not', () => {
    const lookup = lookupIn([user('10.0.1.0/24'), user('255.255.255.255/32')]);
    expect(lookup(parseIpv4('10.0.0.255'))).toBeUndefined();
    expect(lookup(parseIpv4('10.0.1.0'))).toBe('10.0.1.0/24');
    expect(lookup(parseIpv4('10.0.1.255'))).toBe('10.0.1.0/24');
    expect(lookup(parseIpv4('10.0.2.0'))).toBeUndefined();
    expect(lookup(parseIpv4('255.255.255.255'))).toBe('255.255.255.255/32');
  });
});

const kinds: readonly Pick<RouteInfo, 'source' | 'nextHopType'>[] = [
  { source: 'User', nextHopType: 'VirtualAppliance' },
  { source: 'User', nextHopType: 'VnetLocal' },
  { source: 'VirtualNetworkGateway', nextHopType: 'VirtualNetworkGateway' },
  { source: 'Default', nextHopType: 'VnetLocal' },
  { source: 'Default', nextHopType: 'VNetPeering' },
  { source: 'Default', nextHopType: 'None' },
  { source: 'Default', nextHopType: 'Internet' },
  { source: 'Default', nextHopType: 'InterfaceEndpoint' },
  { source: 'Default', nextHopType: 'VirtualNetworkServiceEndpoint' },
];

/** Routes whose prefixes nest and coincide often: all contain or lie near a handful of addresses. */
const anyRow = fc
  .record({
    near: fc.constantFrom('10.0.0.4', '10.0.0.5', '10.0.128.4', '10.64.0.4', '200.0.0.1', '255.255.255.255'),
    length: fc.integer({ min: 0, max: 32 }),
    kind: fc.constantFrom(...kinds),
    state: fc.constantFrom('Active' as const, 'Active' as const, 'Invalid' as const),
  })
  .map(({ near, length, kind, state }) => ({
    ...kind,
    state,
    prefix: formatPrefix({ address: (parseIpv4(near) & prefixMask(length)) >>> 0, length }),
  }));

describe('the trie', () => {
  it.each([true, false])('chooses what the reference chooses among random routes (tcp: %s)', (tcp) => {
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 40 }), fc.array(fc.integer({ min: 0, max: 31 })), (drawn, flips) => {
        const rows = drawn.map((row, i): RouteInfo => ({ ...row, name: `row ${i}` }));
        const [slow, fast] = [linear(rows, tcp), trie(rows, tcp)];
        const probes = ['10.0.0.4', '10.0.0.5', '10.0.128.4', '10.64.0.4', '200.0.0.1', '255.255.255.255', '0.0.0.0'];
        for (const probe of probes.map(parseIpv4)) {
          expect(fast(probe)).toBe(slow(probe));
          for (const bit of flips) expect(fast((probe ^ (1 << bit)) >>> 0)).toBe(slow((probe ^ (1 << bit)) >>> 0));
        }
      }),
      { seed: SEED, numRuns: 300 },
    );
  });
});
