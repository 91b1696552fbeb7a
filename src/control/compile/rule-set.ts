// Compiles resolved rules to a rule table (abi/rule-table.ts): rows and segments of every dimension come from sweeps
// (rule-set-segments.ts), the tries over them from rule-set-trie.ts. A list whose rows would take too much memory is
// cut into parts, which are looked up one after the other.

import type { RuleSetProgram } from '../../abi/program.ts';
import {
  NODE_ALIGNMENT,
  RULE_COUNT,
  RULE_END,
  RULE_FIRST,
  RULE_NODES,
  RULE_PROTOCOLS,
  RULE_ROWS,
  RULE_SEGMENTS,
  RULE_SEGMENTS_END,
  RULE_SRC,
  RULE_SRC_PORT,
  RULE_SUMMARY_WORDS,
} from '../../abi/rule-table.ts';
import { PROTOCOL_AH, PROTOCOL_ESP } from '../../wire/index.ts';
import { ANY_BUT_IPSEC, ANY_PROTOCOL, type ResolvedRule } from './resolved-rules.ts';
import { RowStore } from './rule-set-rows.ts';
import { type Segments, segmentsOf } from './rule-set-segments.ts';
import { TableWriter, writeTrie } from './rule-set-trie.ts';

/** Words of all rows of a list (64 MiB). A list of 1,000 rules with 4,000 random prefixes each stays below. */
const ROW_WORDS_MAX = 2 ** 24;
/** Rules of the smallest part: one word per row. */
const PART_RULES_MIN = 32;
const PORT_SHIFT = 16;
const IPSEC: readonly number[] = [PROTOCOL_ESP, PROTOCOL_AH];

/**
 * A rule set from rules in evaluation order; `indexOf` gives the side-table index of a rule. Time and memory follow the
 * bounds of all rules: 2 words per segment, at most 7 words per segment and level of a trie (2 to 4 in all are usual),
 * and rows of at most `rowWordsMax` words, or of two words per segment where even the smallest parts have more.
 */
export function compileRules(
  rules: readonly ResolvedRule[],
  indexOf: (rule: ResolvedRule) => number,
  rowWordsMax = ROW_WORDS_MAX,
): RuleSetProgram {
  const writer = new TableWriter();
  writeParts(writer, rules, 0, rowWordsMax);
  return {
    access: Int32Array.from(rules, (rule) => (rule.allow ? 1 : 0)),
    ruleIndex: Int32Array.from(rules, indexOf),
    table: writer.table(),
  };
}

/** Writes rules as one part, or as the parts of their halves if the rows exceed the rules' share of the limit. */
function writeParts(writer: TableWriter, rules: readonly ResolvedRule[], first: number, rowWordsMax: number): void {
  const isSmallest = rules.length <= PART_RULES_MIN;
  if (writePart(writer, rules, first, isSmallest ? Infinity : rowWordsMax)) return;
  const half = Math.ceil(rules.length / 2 / PART_RULES_MIN) * PART_RULES_MIN;
  writeParts(writer, rules.slice(0, half), first, rowWordsMax / 2);
  writeParts(writer, rules.slice(half), first + half, rowWordsMax / 2);
}

/** Writes one part; false, and nothing written, if its rows would exceed the limit. */
function writePart(writer: TableWriter, rules: readonly ResolvedRule[], first: number, rowWordsMax: number): boolean {
  const rows = new RowStore(rules.length, rowWordsMax);
  const protocols = protocolRows(rules, rows);
  const dimensions = [
    segmentsOf(rules, (rule) => rule.source, 0, rows),
    segmentsOf(rules, (rule) => rule.destination, 0, rows),
    segmentsOf(rules, (rule) => rule.sourcePorts, PORT_SHIFT, rows),
    segmentsOf(rules, (rule) => rule.destinationPorts, PORT_SHIFT, rows),
  ];
  if (rows.isFull) return false;
  const part = writer.beginPart();
  const rowsAt = writer.append(rows.stored());
  const rowAt = (row: number): number => rowsAt + row * rows.rowWords;
  const segments = dimensions.map((dimension) => writeSegments(writer, dimension, rowAt));
  const segmentsEnd = writer.length;
  const nodes = writer.reserve(0, NODE_ALIGNMENT);
  const roots = dimensions.map((dimension, i) => writeTrie(writer, dimension, segments[i] as number));
  const [, , srcPorts] = dimensions as [Segments, Segments, Segments, Segments];
  const isAnySrcPort = srcPorts.count === 1 && rows.isEveryRule(srcPorts.rows[0] as number);
  const header = writer.words.subarray(part, part + RULE_ROWS);
  header[RULE_FIRST] = first;
  header[RULE_COUNT] = rules.length;
  header[RULE_SUMMARY_WORDS] = rows.summaryWords;
  header.set(roots, RULE_SRC);
  if (isAnySrcPort) header[RULE_SRC_PORT] = 0;
  header[RULE_SEGMENTS] = segments[0] as number;
  header[RULE_SEGMENTS_END] = segmentsEnd;
  header[RULE_NODES] = nodes;
  header[RULE_END] = writer.length;
  header.set(protocols.map(rowAt), RULE_PROTOCOLS);
  return true;
}

/** Rows of the 256 protocols. */
function protocolRows(rules: readonly ResolvedRule[], rows: RowStore): Int32Array {
  const named = new Set(rules.map((rule) => rule.protocol));
  if (named.has(ANY_BUT_IPSEC)) for (const protocol of IPSEC) named.add(protocol);
  const rowOf = (protocol: number): number => {
    rows.clear();
    rules.forEach((rule, i) => {
      const isAny = rule.protocol === ANY_PROTOCOL || (rule.protocol === ANY_BUT_IPSEC && !IPSEC.includes(protocol));
      if (isAny || rule.protocol === protocol) rows.toggle(i);
    });
    return rows.store();
  };
  const unnamed = rowOf(ANY_PROTOCOL);
  return Int32Array.from({ length: 256 }, (_, protocol) => (named.has(protocol) ? rowOf(protocol) : unnamed));
}

/** Writes the segments of a dimension; returns where they begin. */
function writeSegments(writer: TableWriter, segments: Segments, rowAt: (row: number) => number): number {
  const offset = writer.reserve(segments.count * 2);
  const { words } = writer;
  for (let i = 0; i < segments.count; i++) {
    words[offset + i * 2] = segments.lasts[i] as number;
    words[offset + i * 2 + 1] = rowAt(segments.rows[i] as number);
  }
  return offset;
}
