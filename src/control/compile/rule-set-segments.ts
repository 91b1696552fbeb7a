// The segments of one dimension of a rule list: a sweep over the sorted bounds of all rules' values keeps the row of
// rules that take the current value. Neighbours with the same rules are one segment.

import { VALUE_MAX } from '../../abi/rule-table.ts';
import type { AddressSet } from './address-set.ts';
import type { ResolvedRule } from './resolved-rules.ts';
import type { RowStore } from './rule-set-rows.ts';

/** Segments in ascending order: their last values (unsigned, the last one is VALUE_MAX) and their rows' numbers. */
export interface Segments {
  readonly count: number;
  readonly lasts: Uint32Array;
  readonly rows: Int32Array;
}

/** Segments of the values that `valuesOf` gives for each rule, shifted left by `shift`. Stops when rows are full. */
export function segmentsOf(
  rules: readonly ResolvedRule[],
  valuesOf: (rule: ResolvedRule) => AddressSet,
  shift: number,
  rows: RowStore,
): Segments {
  const bounds = sortedBounds(rules.map(valuesOf), shift);
  const lasts = new Uint32Array(bounds.count + 1);
  const rowOf = new Int32Array(bounds.count + 1);
  let count = 0;
  rows.clear();
  for (let i = 0, value = 0; ;) {
    for (; i < bounds.count && bounds.values[i] === value; i++) rows.toggle(bounds.rules[i] as number);
    const row = rows.store();
    if (rows.isFull) return { count: 0, lasts, rows: rowOf };
    if (count === 0 || row !== rowOf[count - 1]) {
      if (count > 0) lasts[count - 1] = value - 1;
      rowOf[count++] = row;
    }
    if (i >= bounds.count) break;
    value = bounds.values[i] as number;
  }
  lasts[count - 1] = VALUE_MAX;
  return { count, lasts, rows: rowOf };
}

/** Values at which a rule begins or ceases to match. A rule's ranges never touch, so its bounds alternate. */
interface Bounds {
  readonly count: number;
  readonly values: Uint32Array;
  readonly rules: Int32Array;
}

function sortedBounds(sets: readonly AddressSet[], shift: number): Bounds {
  const scale = 2 ** shift;
  const { values, rules } = emptyBounds(sets.reduce((sum, set) => sum + set.length, 0));
  let count = 0;
  for (const [rule, set] of sets.entries()) {
    for (let i = 0; i < set.length; i++) {
      // A range begins at its first value and ceases behind its last one.
      const value = ((set[i] as number) + (i & 1)) * scale;
      if (value > VALUE_MAX) continue;
      values[count] = value;
      rules[count++] = rule;
    }
  }
  return sortByValue({ count, values, rules });
}

const DIGIT_BITS = 8;
const DIGITS = 1 << DIGIT_BITS;

/** Radix sort, a byte at a time. */
function sortByValue(bounds: Bounds): Bounds {
  let from = bounds;
  let to = emptyBounds(bounds.count);
  for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
    const next = digitStarts(from, shift);
    if (next === undefined) continue;
    for (let i = 0; i < from.count; i++) {
      const value = from.values[i] as number;
      const digit = (value >>> shift) & (DIGITS - 1);
      const at = next[digit] as number;
      next[digit] = at + 1;
      to.values[at] = value;
      to.rules[at] = from.rules[i] as number;
    }
    [from, to] = [to, from];
  }
  return from;
}

function emptyBounds(count: number): Bounds {
  return { count, values: new Uint32Array(count), rules: new Int32Array(count) };
}

/** Where the values with each digit begin; undefined where all have the same one. */
function digitStarts({ count, values }: Bounds, shift: number): Int32Array | undefined {
  const starts = new Int32Array(DIGITS);
  for (let i = 0; i < count; i++) {
    const digit = ((values[i] as number) >>> shift) & (DIGITS - 1);
    starts[digit] = (starts[digit] as number) + 1;
  }
  let next = 0;
  for (let digit = 0; digit < DIGITS; digit++) {
    const size = starts[digit] as number;
    if (size === count) return undefined;
    starts[digit] = next;
    next += size;
  }
  return starts;
}
