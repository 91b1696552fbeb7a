// Sets of IPv4 addresses (and of ports) as sorted ranges, with the algebra that tags and rules need. A set is never
// changed after it was made. Bounds are unsigned and inclusive.

import type { Ipv4Prefix } from '../../wire/index.ts';
import { prefixFirst, prefixLast } from '../../wire/index.ts';

/** Disjoint ranges in ascending order with a gap between any two: first, last, first, last, … */
export type AddressSet = Uint32Array;

const ADDRESS_MAX = 0xffffffff;

export const NO_ADDRESSES: AddressSet = new Uint32Array(0);
export const ALL_ADDRESSES: AddressSet = Uint32Array.of(0, ADDRESS_MAX);

/** The set of all given ranges, first and last alternating; ranges may overlap and stand in any order. */
export function setOfRanges(bounds: ArrayLike<number>): AddressSet {
  const count = bounds.length / 2;
  const firsts = new Uint32Array(count);
  const lasts = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    firsts[i] = at(bounds, i * 2);
    lasts[i] = at(bounds, i * 2 + 1);
  }
  if (count <= 1) return Uint32Array.from(bounds);
  return mergeSorted(firsts.sort(), lasts.sort());
}

/** The union of prefixes. */
export function setOfPrefixes(prefixes: Iterable<Ipv4Prefix>): AddressSet {
  const bounds: number[] = [];
  for (const prefix of prefixes) bounds.push(prefixFirst(prefix), prefixLast(prefix));
  return setOfRanges(bounds);
}

export function union(...sets: readonly AddressSet[]): AddressSet {
  if (sets.length === 1) return sets[0] ?? NO_ADDRESSES;
  const bounds = new Uint32Array(sets.reduce((sum, set) => sum + set.length, 0));
  let offset = 0;
  for (const set of sets) {
    bounds.set(set, offset);
    offset += set.length;
  }
  return setOfRanges(bounds);
}

/** What is in `set` and not in `removed`. */
export function subtract(set: AddressSet, removed: AddressSet): AddressSet {
  const bounds: number[] = [];
  let r = 0;
  for (let i = 0; i < set.length; i += 2) {
    let first = at(set, i);
    const last = at(set, i + 1);
    while (r < removed.length && at(removed, r + 1) < first) r += 2;
    for (let k = r; k < removed.length && at(removed, k) <= last; k += 2) {
      if (at(removed, k) > first) bounds.push(first, at(removed, k) - 1);
      first = at(removed, k + 1) + 1;
    }
    if (first <= last) bounds.push(first, last);
  }
  return Uint32Array.from(bounds);
}

/** What is in both. */
export function intersect(a: AddressSet, b: AddressSet): AddressSet {
  const bounds: number[] = [];
  for (let i = 0, k = 0; i < a.length && k < b.length;) {
    const first = Math.max(at(a, i), at(b, k));
    const last = Math.min(at(a, i + 1), at(b, k + 1));
    if (first <= last) bounds.push(first, last);
    if (at(a, i + 1) < at(b, k + 1)) i += 2;
    else k += 2;
  }
  return Uint32Array.from(bounds);
}

export function contains(set: AddressSet, address: number): boolean {
  for (let i = 0; i < set.length && at(set, i) <= address; i += 2) {
    if (address <= at(set, i + 1)) return true;
  }
  return false;
}

/** The fewest prefixes that make up the set, ascending. */
export function toPrefixes(set: AddressSet): Ipv4Prefix[] {
  const prefixes: Ipv4Prefix[] = [];
  for (let i = 0; i < set.length; i += 2) {
    const last = at(set, i + 1);
    for (let address = at(set, i); address <= last;) {
      let length = address === 0 ? 0 : Math.clz32(address & -address) + 1;
      while (2 ** (32 - length) > last - address + 1) length++;
      prefixes.push({ address, length });
      address += 2 ** (32 - length);
    }
  }
  return prefixes;
}

function mergeSorted(firsts: Uint32Array, lasts: Uint32Array): AddressSet {
  const bounds: number[] = [];
  let opened = 0;
  let openedAt = 0;
  for (let closed = 0; closed < lasts.length;) {
    const last = at(lasts, closed);
    if (opened < firsts.length && at(firsts, opened) <= last) {
      if (opened === closed) openedAt = at(firsts, opened);
      opened++;
      continue;
    }
    closed++;
    if (opened !== closed) continue;
    // Touching ranges become one, so that equal sets have equal bounds.
    if (bounds.length > 0 && at(bounds, bounds.length - 1) + 1 === openedAt) bounds[bounds.length - 1] = last;
    else bounds.push(openedAt, last);
  }
  return Uint32Array.from(bounds);
}

/** Element of an array at an index known to exist. */
function at(values: ArrayLike<number>, index: number): number {
  return values[index] as number;
}
