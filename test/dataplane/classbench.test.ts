// The public ClassBench rule lists (access control, firewall, IP chain) through the compiled form and a linear scan.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkRuleTable } from '../../src/abi/rule-table.ts';
import { Random } from '../../src/bench/random.ts';
import { ALL_ADDRESSES, type AddressSet, setOfPrefixes } from '../../src/control/compile/address-set.ts';
import { ALL_PORTS } from '../../src/control/compile/port-ranges.ts';
import { ANY_PROTOCOL, type ResolvedRule } from '../../src/control/compile/resolved-rules.ts';
import { compileRules } from '../../src/control/compile/rule-set.ts';
import { matchRule } from '../../src/dataplane/rule-match.ts';
import { parsePrefix } from '../../src/wire/index.ts';
import { resolvedRule, scanRules } from './rule-lists.ts';

const DATA = join(import.meta.dirname, '../../../shared/data/classbench');
const SEED = 20_260_201;
const PACKETS = 20_000;

describe.skipIf(!existsSync(DATA) && process.env.CI !== 'true')('ClassBench (skipped without ../shared/data)', () => {
  it.each([
    ['acl1_1k', 942],
    ['fw1_1k', 857],
    ['ipc1_1k', 974],
  ])('%s: every packet finds the rule that a scan finds, whole and in parts', (name, count) => {
    const rules = readRules(join(DATA, name));
    expect(rules).toHaveLength(count);
    const [whole, parts] = [compileRules(rules, () => 0), compileRules(rules, () => 0, 2 ** 12)];
    checkRuleTable(whole.table, count);
    checkRuleTable(parts.table, count);
    const scan = scanRules(rules);
    const random = new Random(SEED);
    const found = new Set<number>();
    for (let i = 0; i < PACKETS; i++) {
      const packet = randomPacket(rules, random);
      const expected = scan(...packet);
      found.add(expected);
      if (matchRule(whole, ...packet) !== expected || matchRule(parts, ...packet) !== expected) {
        const answers = `${matchRule(whole, ...packet)}, in parts ${matchRule(parts, ...packet)}`;
        expect.fail(`${packet.join(' ')} found ${answers}, expected ${expected}`);
      }
    }
    // Nearly every rule decided some packet: the comparison reaches all of the list.
    expect(found.size).toBeGreaterThan(count * 0.7);
  });
});

/** Lines of `@source destination source-ports destination-ports protocol/mask flags/mask`; flags are not ours. */
function readRules(file: string): ResolvedRule[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((line) => {
    const match = /^@(\S+)\s+(\S+)\s+(\d+) : (\d+)\s+(\d+) : (\d+)\s+0x([\da-f]+)\/0x([\da-f]+)/i.exec(line);
    if (match === null) return [];
    const [, source, destination, srcFirst, srcLast, dstFirst, dstLast, protocol, mask] = match;
    return resolvedRule({
      source: prefixSet(source),
      destination: prefixSet(destination),
      sourcePorts: Uint32Array.of(Number(srcFirst), Number(srcLast)),
      destinationPorts: Uint32Array.of(Number(dstFirst), Number(dstLast)),
      protocol: Number.parseInt(mask, 16) === 0 ? ANY_PROTOCOL : Number.parseInt(protocol, 16),
    });
  });
}

/** The files write prefixes with bits behind their length. */
function prefixSet(text: string): AddressSet {
  const [address, length] = text.split('/');
  const { address: bits } = parsePrefix(`${address}/32`);
  const shift = 32 - Number(length);
  return setOfPrefixes([{ address: shift === 32 ? 0 : ((bits >>> shift) << shift) >>> 0, length: Number(length) }]);
}

/** Three of four packets are aimed at a rule, in one of them each value at a bound. */
function randomPacket(rules: readonly ResolvedRule[], random: Random): [number, number, number, number, number] {
  const rule = random.below(4) === 0 ? undefined : rules[random.below(rules.length)];
  const atBound = random.below(3) === 0;
  const value = (set: AddressSet): number => {
    if (atBound) return set[random.below(set.length)];
    const range = random.below(set.length / 2) * 2;
    return set[range] + random.below(set[range + 1] - set[range] + 1);
  };
  const protocol =
    rule === undefined || rule.protocol === ANY_PROTOCOL ? [6, 17, 1, 47][random.below(4)] : rule.protocol;
  return [
    protocol,
    value(rule?.source ?? ALL_ADDRESSES) | 0,
    value(rule?.destination ?? ALL_ADDRESSES),
    value(rule?.sourcePorts ?? ALL_PORTS),
    value(rule?.destinationPorts ?? ALL_PORTS),
  ];
}
