// What compiled rule lists look like: rows are shared, memory follows the rules' bounds, and a list whose rows would be
// too large is cut into parts. What they decide is tested beside matchRule.

import { describe, expect, it } from 'vitest';
import {
  checkRuleTable,
  RULE_COUNT,
  RULE_END,
  RULE_FIRST,
  RULE_NEXT,
  RULE_NODES,
  RULE_ROWS,
  RULE_SEGMENTS,
  RULE_SEGMENTS_END,
  RULE_SRC_PORT,
} from '../../../src/abi/rule-table.ts';
import { Random } from '../../../src/bench/random.ts';
import { setOfPrefixes } from '../../../src/control/compile/address-set.ts';
import { portSet } from '../../../src/control/compile/port-ranges.ts';
import type { ResolvedRule } from '../../../src/control/compile/resolved-rules.ts';
import { compileRules } from '../../../src/control/compile/rule-set.ts';
import type { Ipv4Prefix } from '../../../src/wire/index.ts';
import { resolvedRule } from '../../dataplane/rule-lists.ts';

const SEED = 20_260_204;

function tableOf(rules: readonly ResolvedRule[], rowWordsMax?: number): Int32Array {
  const { table } = compileRules(rules, () => 0, rowWordsMax);
  checkRuleTable(table, rules.length);
  return table;
}

/** Sizes of all parts' rows, segments and nodes, in words. */
function sizesOf(table: Int32Array): { parts: number; rows: number; segments: number; nodes: number } {
  const sizes = { parts: 0, rows: 0, segments: 0, nodes: 0 };
  for (let part = 0, isLast = false; !isLast; part = table[part + RULE_NEXT]) {
    sizes.parts++;
    sizes.rows += table[part + RULE_SEGMENTS] - part - RULE_ROWS;
    sizes.segments += (table[part + RULE_SEGMENTS_END] - table[part + RULE_SEGMENTS]) / 2;
    sizes.nodes += table[part + RULE_END] - table[part + RULE_NODES];
    isLast = table[part + RULE_NEXT] === 0;
  }
  return sizes;
}

function toPrefix(random: Random, length: number): Ipv4Prefix {
  return { address: ((random.next() >>> (32 - length)) << (32 - length)) >>> 0, length };
}

describe('a compiled rule list', () => {
  it('names its rules and what they do, in order', () => {
    const rules = [resolvedRule({ allow: false }), resolvedRule({}), resolvedRule({ allow: false })];
    const set = compileRules(rules, (rule) => 10 + rules.indexOf(rule));
    expect([...set.access]).toEqual([0, 1, 0]);
    expect([...set.ruleIndex]).toEqual([10, 11, 12]);
  });

  it('is the same for the same rules', () => {
    const rules = (): ResolvedRule[] => {
      const random = new Random(SEED);
      return Array.from({ length: 50 }, () => resolvedRule({ source: setOfPrefixes([toPrefix(random, 24)]) }));
    };
    expect(tableOf(rules())).toEqual(tableOf(rules()));
  });

  it('stores equal rows once: many rules with the same few prefixes stay small', () => {
    const source = setOfPrefixes([{ address: 0x0a00_0000, length: 8 }]);
    const { rows } = sizesOf(tableOf(Array.from({ length: 64 }, () => resolvedRule({ source }))));
    expect(rows).toBe(2 * 3); // no rule, every rule; two words and a summary each
  });

  it('makes one segment of neighbours with the same rules', () => {
    const halves = [0x0a00_0000, 0x0a00_8000].map((address) => setOfPrefixes([{ address, length: 17 }]));
    const others = { destination: setOfPrefixes([]), destinationPorts: portSet([]) };
    const { segments } = sizesOf(tableOf(halves.map((source) => resolvedRule({ source, ...others }))));
    // Sources: below, one half, the other, above; destinations, source and destination ports: one each.
    expect(segments).toBe(4 + 1 + 1 + 1);
  });

  it('has no source ports to look up where every rule takes them all', () => {
    expect(tableOf([resolvedRule({ destinationPorts: portSet(['80']) }), resolvedRule({})])[RULE_SRC_PORT]).toBe(0);
    expect(tableOf([resolvedRule({ sourcePorts: portSet(['80']) }), resolvedRule({})])[RULE_SRC_PORT]).not.toBe(0);
    expect(tableOf([resolvedRule({ sourcePorts: portSet([]) })])[RULE_SRC_PORT]).not.toBe(0);
  });

  it.each([
    ['far apart', (random: Random) => toPrefix(random, 32)],
    ['of all lengths', (random: Random) => toPrefix(random, 8 + random.below(25))],
    ['crowded in a /20', (random: Random) => ({ address: 0x0a00_0000 + random.below(4096), length: 32 })],
    ['in lonely pairs', (random: Random) => ({ address: (random.below(2048) << 20) + random.below(8), length: 32 })],
  ])('needs at most 30 words of nodes per segment, for prefixes %s', (_, prefix) => {
    const random = new Random(SEED);
    const rules = Array.from({ length: 100 }, () =>
      resolvedRule({ source: setOfPrefixes(Array.from({ length: 60 }, () => prefix(random))) }),
    );
    const { segments, nodes } = sizesOf(tableOf(rules));
    expect(nodes).toBeLessThan(30 * segments + 2 ** 12);
  });
});

describe('rows that would be too large', () => {
  /** Every rule has addresses of its own and half of the rules match everywhere: no two rows are alike. */
  const rules = Array.from({ length: 256 }, (_, i) =>
    resolvedRule(
      i % 2 === 0
        ? {}
        : {
            source: setOfPrefixes(
              Array.from({ length: 40 }, (_, k) => ({ address: (k * 256 + i) * 1000, length: 32 })),
            ),
          },
    ),
  );
  const limit = 700;

  it('are cut into parts that follow each other', () => {
    const table = tableOf(rules, limit);
    const firsts: number[] = [];
    for (let part = 0, isLast = false; !isLast; part = table[part + RULE_NEXT]) {
      expect(table[part + RULE_FIRST]).toBe(firsts.length === 0 ? 0 : firsts.at(-1));
      firsts.push(table[part + RULE_FIRST] + table[part + RULE_COUNT]);
      isLast = table[part + RULE_NEXT] === 0;
    }
    expect(firsts.at(-1)).toBe(256);
    expect(firsts.length).toBeGreaterThan(1);
  });

  it('stay within the limit, or at two words per segment where parts cannot be smaller', () => {
    const whole = sizesOf(tableOf(rules));
    expect(whole).toMatchObject({ parts: 1 });
    expect(whole.rows).toBeGreaterThan(limit);
    const cut = sizesOf(tableOf(rules, limit));
    expect(cut.rows).toBeLessThanOrEqual(Math.max(limit, 2 * cut.segments));
    const smallest = sizesOf(tableOf(rules, 0));
    expect(smallest.parts).toBe(8);
    expect(smallest.rows).toBeLessThanOrEqual(2 * smallest.segments);
  });
});
