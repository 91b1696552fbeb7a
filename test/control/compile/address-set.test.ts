// Set algebra on ranges against plain sets of small numbers, and prefixes against their ranges.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AddressSet,
  contains,
  intersect,
  setOfPrefixes,
  setOfRanges,
  subtract,
  toPrefixes,
  union,
} from '../../../src/control/compile/address-set.ts';
import { formatPrefix, parsePrefix } from '../../../src/wire/index.ts';

const SEED = 20_260_101;
const ADDRESS_MAX = 0xffffffff;

/** Small universes at both ends of the address space, where arithmetic would overflow. */
const bases = [0, ADDRESS_MAX - 63];

const ranges = fc.array(fc.tuple(fc.integer({ min: 0, max: 63 }), fc.integer({ min: 0, max: 63 })), { maxLength: 12 });
type Ranges = readonly (readonly [number, number])[];

function boundsOf(pairs: Ranges, base: number): number[] {
  return pairs.flatMap(([a, b]) => [base + Math.min(a, b), base + Math.max(a, b)]);
}

function membersOf(pairs: Ranges): Set<number> {
  return new Set(pairs.flatMap(([a, b]) => Array.from({ length: Math.abs(a - b) + 1 }, (_, i) => Math.min(a, b) + i)));
}

/** What is wrong with a set that should have exactly these members; empty when it is right. */
function wrongs(set: AddressSet, members: ReadonlySet<number>, base: number): string[] {
  const wrong: string[] = [];
  for (let i = 0; i < 64; i++) if (contains(set, base + i) !== members.has(i)) wrong.push(`address ${base + i}`);
  for (let i = 2; i < set.length; i += 2) if (set[i] - set[i - 1] <= 1) wrong.push(`no gap before ${set[i]}`);
  return wrong;
}

describe('address sets', () => {
  it.each(bases)('agree with plain sets in union, intersection and difference (from %i)', (base) => {
    fc.assert(
      fc.property(ranges, ranges, (a, b) => {
        const [setA, setB] = [setOfRanges(boundsOf(a, base)), setOfRanges(boundsOf(b, base))];
        const [inA, inB] = [membersOf(a), membersOf(b)];
        expect(wrongs(setA, inA, base)).toEqual([]);
        expect(wrongs(union(setA, setB), new Set([...inA, ...inB]), base)).toEqual([]);
        expect(wrongs(intersect(setA, setB), new Set([...inA].filter((i) => inB.has(i))), base)).toEqual([]);
        expect(wrongs(subtract(setA, setB), new Set([...inA].filter((i) => !inB.has(i))), base)).toEqual([]);
      }),
      { seed: SEED },
    );
  });

  it('equal sets have equal bounds, however they were made', () => {
    const halves = setOfPrefixes([parsePrefix('10.0.0.128/25'), parsePrefix('10.0.0.0/25')]);
    expect(halves).toEqual(setOfPrefixes([parsePrefix('10.0.0.0/24')]));
  });

  it.each(bases)('come back from prefixes unchanged, with the fewest prefixes (from %i)', (base) => {
    fc.assert(
      fc.property(ranges, (pairs) => {
        const set = setOfRanges(boundsOf(pairs, base));
        const prefixes = toPrefixes(set);
        expect(setOfPrefixes(prefixes)).toEqual(set);
        for (const prefix of prefixes) expect(parsePrefix(formatPrefix(prefix))).toEqual(prefix);
        const texts = new Set(prefixes.map(formatPrefix));
        for (const { address, length } of prefixes) {
          const sibling = { address: (address ^ (2 ** (32 - length))) >>> 0, length };
          expect(texts.has(formatPrefix(sibling)), `${formatPrefix({ address, length })} and sibling`).toBe(false);
        }
      }),
      { seed: SEED },
    );
  });

  it('the whole address space is 0.0.0.0/0', () => {
    expect(toPrefixes(setOfRanges([0, ADDRESS_MAX])).map(formatPrefix)).toEqual(['0.0.0.0/0']);
  });
});
