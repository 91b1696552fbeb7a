// Compiles resolved rules to bit rows (abi/program.ts, RuleSetProgram): per dimension, a sweep over the sorted bounds
// of all rules keeps the row of rules that match the current value, so that every segment costs one comparison of
// rows. Equal rows are stored once.

import type { RuleSetProgram } from '../../abi/program.ts';
import type { AddressSet } from './address-set.ts';
import { ANY_PROTOCOL, type ResolvedRule } from './resolved-rules.ts';
import { PORT_MAX } from './port-ranges.ts';

const PROTOCOLS = 256;
const ADDRESS_MAX = 0xffffffff;
/** Event = value * EVENT_SCALE + rule * 2 + (1 at the start, 0 behind the end); exact below 2^53. */
const EVENT_SCALE = 2 ** 20;

/** A rule set from rules in evaluation order; `indexOf` gives the side-table index of a rule. */
export function compileRules(rules: readonly ResolvedRule[], indexOf: (rule: ResolvedRule) => number): RuleSetProgram {
  const words = Math.max(1, Math.ceil(rules.length / 32));
  const rows = new RowStore(words);
  const [srcStart, srcRow] = segments(
    rules.map((rule) => rule.source),
    ADDRESS_MAX,
    rows,
  );
  const [dstStart, dstRow] = segments(
    rules.map((rule) => rule.destination),
    ADDRESS_MAX,
    rows,
  );
  const [srcPortStart, srcPortRow] = segments(
    rules.map((rule) => rule.sourcePorts),
    PORT_MAX,
    rows,
  );
  const [dstPortStart, dstPortRow] = segments(
    rules.map((rule) => rule.destinationPorts),
    PORT_MAX,
    rows,
  );
  const protocolRow = protocolRows(rules, rows);
  return {
    access: Int32Array.from(rules, (rule) => (rule.allow ? 1 : 0)),
    ruleIndex: Int32Array.from(rules, indexOf),
    words,
    srcStart,
    srcRow,
    dstStart,
    dstRow,
    srcPortStart,
    srcPortRow,
    dstPortStart,
    dstPortRow,
    protocolRow,
    bits: rows.bits(),
  };
}

/** Segment starts and their row offsets, for one set of values per rule. */
function segments(sets: readonly AddressSet[], valueMax: number, rows: RowStore): [Int32Array, Int32Array] {
  const events = sortedEvents(sets, valueMax);
  const current = new Int32Array(rows.words);
  const starts: number[] = [];
  const offsets: number[] = [];
  for (let i = 0, value = 0; ;) {
    for (; i < events.length && Math.floor((events[i] as number) / EVENT_SCALE) === value; i++) {
      toggle(current, ((events[i] as number) % EVENT_SCALE) >> 1);
    }
    const offset = rows.store(current);
    if (offset !== offsets.at(-1)) {
      starts.push(value | 0);
      offsets.push(offset);
    }
    if (i >= events.length) return [Int32Array.from(starts), Int32Array.from(offsets)];
    value = Math.floor((events[i] as number) / EVENT_SCALE);
  }
}

/** Where rules begin and cease to match, by value. A rule's ranges never touch, so its events alternate. */
function sortedEvents(sets: readonly AddressSet[], valueMax: number): Float64Array {
  const events = new Float64Array(sets.reduce((sum, set) => sum + set.length, 0));
  let count = 0;
  sets.forEach((set, rule) => {
    for (let i = 0; i < set.length; i += 2) {
      events[count++] = (set[i] as number) * EVENT_SCALE + rule * 2 + 1;
      const behind = (set[i + 1] as number) + 1;
      if (behind <= valueMax) events[count++] = behind * EVENT_SCALE + rule * 2;
    }
  });
  return events.subarray(0, count).sort();
}

function protocolRows(rules: readonly ResolvedRule[], rows: RowStore): Int32Array {
  const named = new Set(rules.map((rule) => rule.protocol));
  const rowOf = (protocol: number): number => {
    const row = new Int32Array(rows.words);
    rules.forEach((rule, i) => {
      if (rule.protocol === ANY_PROTOCOL || rule.protocol === protocol) toggle(row, i);
    });
    return rows.store(row);
  };
  const unnamed = rowOf(ANY_PROTOCOL);
  return Int32Array.from({ length: PROTOCOLS }, (_, protocol) => (named.has(protocol) ? rowOf(protocol) : unnamed));
}

/** Rule i is bit 31 - (i % 32) of word i / 32: the first rule is what clz32 finds first. */
function toggle(row: Int32Array, rule: number): void {
  const word = rule >> 5;
  row[word] = (row[word] as number) ^ (0x80000000 >>> (rule & 31));
}

/** All bit rows of a rule set, each stored once. */
class RowStore {
  readonly words: number;
  private readonly offsetsByHash = new Map<number, number[]>();
  private stored = new Int32Array(1024);
  private length = 0;

  constructor(words: number) {
    this.words = words;
  }

  /** Offset of a row equal to the given one; the row is copied if it is new. */
  store(row: Int32Array): number {
    let hash = 0;
    for (let i = 0; i < row.length; i++) hash = Math.imul(hash ^ (row[i] as number), 0x9e3779b1) ^ (hash >>> 15);
    const candidates = this.offsetsByHash.get(hash);
    const known = candidates?.find((offset) => this.equals(offset, row));
    if (known !== undefined) return known;
    const offset = this.length;
    this.length += this.words;
    if (this.length > this.stored.length) {
      const grown = new Int32Array(Math.max(this.length, this.stored.length * 2));
      grown.set(this.stored);
      this.stored = grown;
    }
    this.stored.set(row, offset);
    if (candidates === undefined) this.offsetsByHash.set(hash, [offset]);
    else candidates.push(offset);
    return offset;
  }

  bits(): Int32Array {
    return this.stored.slice(0, this.length);
  }

  private equals(offset: number, row: Int32Array): boolean {
    for (let i = 0; i < row.length; i++) if (this.stored[offset + i] !== row[i]) return false;
    return true;
  }
}
