// The check of a rule table: what the compiler writes passes, every broken invariant is named, and whatever damage
// passes is harmless to whoever matches with it.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProgramError } from '../../src/abi/program.ts';
import {
  checkRuleTable,
  RULE_COUNT,
  RULE_DST,
  RULE_END,
  RULE_FIRST,
  RULE_NEXT,
  RULE_NODES,
  RULE_PROTOCOLS,
  RULE_ROWS,
  RULE_SEGMENTS,
  RULE_SEGMENTS_END,
  RULE_SUMMARY_WORDS,
} from '../../src/abi/rule-table.ts';
import { setOfPrefixes } from '../../src/control/compile/address-set.ts';
import { compileRules } from '../../src/control/compile/rule-set.ts';
import { matchRule } from '../../src/dataplane/rule-match.ts';
import { resolvedRule } from '../dataplane/rule-lists.ts';

const SEED = 20_260_203;
const RULES = 40;

/** 40 rules with a /28 each, neighbours in 10.0.0.0/16. */
function sample(rowWordsMax?: number): Int32Array {
  const rules = Array.from({ length: RULES }, (_, i) =>
    resolvedRule({ destination: setOfPrefixes([{ address: 0x0a00_0000 + i * 64, length: 28 }]) }),
  );
  return compileRules(rules, () => 0, rowWordsMax).table;
}

test('tables of one part and of two pass', () => {
  expect(() => checkRuleTable(sample(), RULES)).not.toThrow();
  const parts = sample(0);
  expect(() => checkRuleTable(parts, RULES)).not.toThrow();
  expect(parts[RULE_NEXT]).toBeGreaterThan(0);
});

describe('a table is refused', () => {
  const set = (position: number, value: number) => (table: Int32Array) => table.fill(value, position, position + 1);
  const at = (header: number, offset: number, value: number) => (table: Int32Array) =>
    table.fill(value, table[header] + offset, table[header] + offset + 1);
  test.each<[string, (table: Int32Array) => Int32Array, RegExp]>([
    ['that is empty', () => new Int32Array(0), /ends inside a header/],
    ['that was cut', (table) => table.slice(0, -1), /sections out of order/],
    ['that is too long', (table) => Int32Array.of(...table, 0), /has \d+ words/],
    ['whose first part begins at another rule', set(RULE_FIRST, 1), /does not go on at rule 0/],
    ['that decides over fewer rules', set(RULE_COUNT, 39), /decides over 39 of 40|rules that do not exist/],
    ['whose next part is itself', set(RULE_NEXT, 32), /next part at 32/],
    ['whose sections overlap', set(RULE_SEGMENTS_END, 1), /sections out of order/],
    ['that ends behind itself', (table) => set(RULE_END, table.length + 32)(table), /sections out of order/],
    ['with rows of another size', set(RULE_SUMMARY_WORDS, 2), /rows of another size/],
    ['with a row of a rule too many', set(RULE_ROWS + 2, -1), /rules that do not exist/],
    ['with a summary of a word too many', set(RULE_ROWS, -1), /rules that do not exist/],
    ['with a protocol that has no row', set(RULE_PROTOCOLS + 6, RULE_ROWS + 1), /protocol \d+ has no row/],
    ['whose segments do not ascend', at(RULE_SEGMENTS, 4, 0), /not ascending/],
    ['whose segments have no end', at(RULE_SEGMENTS_END, -2, 7), /does not end its dimension/],
    ['with a segment without a row', at(RULE_SEGMENTS, 1, 0), /segment \d+ has no row/],
    ['whose root is half a segment', (table) => set(RULE_DST, table[RULE_SEGMENTS] + 1)(table), /is no segment/],
    ['with an entry outside the segments', at(RULE_NODES, 3, 5), /is no segment/],
    ['with a node that leads back', (table) => at(RULE_NODES, 40, table[RULE_DST])(table), /is no node/],
    ['with a node behind the end', at(RULE_NODES, 0, -1), /is no node/],
  ])('%s', (_, damage, message) => {
    const check = () => checkRuleTable(damage(sample()), RULES);
    expect(check).toThrow(ProgramError);
    expect(check).toThrow(message);
  });
});

test('damage that passes harms nobody: every walk ends at a rule of the list or at none', () => {
  const tables = [sample(), sample(0)];
  const change = fc.record({ at: fc.nat(), bit: fc.nat(31) });
  let passed = 0;
  fc.assert(
    fc.property(fc.boolean(), fc.array(change, { minLength: 1, maxLength: 3 }), (isParts, changes) => {
      const table = tables[isParts ? 1 : 0].slice();
      for (const { at, bit } of changes) table[at % table.length] ^= 1 << bit;
      try {
        checkRuleTable(table, RULES);
      } catch (error) {
        expect(error).toBeInstanceOf(ProgramError);
        return;
      }
      passed++;
      for (const dst of [0, 0x0a00_0000, 0x0a00_0345, 0x0a00_0a00, -1]) {
        const position = matchRule({ table }, dst & 255, dst * 3, dst, 1, 0xffff);
        expect(position >= -1 && position < RULES).toBe(true);
      }
    }),
    { seed: SEED, numRuns: 4000 },
  );
  expect(passed).toBeGreaterThan(200);
});
