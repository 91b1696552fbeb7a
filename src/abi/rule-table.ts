// The layout of a compiled rule list and its invariants. A rule table is one Int32Array of parts, end to end; a part
// decides over a run of the list's rules, and nearly every list is one part. dataplane/rule-match.ts reads it,
// control/compile/rule-set.ts writes it.
//
//   part:     header | a row offset per IP protocol | rows | segments | nodes
//   row:      the rules that one value satisfies, as bits in rule order, behind a summary: a bit per word that is not 0
//   segments: per dimension, pairs (last value, row offset) in ascending unsigned order; the last one ends at 2^32 - 1
//   nodes:    per dimension, a trie over the segments; a node has a power of two of entries
//   entry:    >= 0: offset of the segment where a scan begins; < 0: child node = its offset / NODE_ALIGNMENT in bits
//             9-30, log2 of its size in bits 5-8, in bits 0-4 how far a value is shifted right to index it
//
// Offsets count words from the start of the table. Values are addresses, and ports shifted left by 16.

import { ProgramError } from './program.ts';

/** Words of a part's header. */
export const RULE_HEADER_WORDS = 16;
/** Offset of the next part, 0 in the last one. */
export const RULE_NEXT = 0;
/** Position in the list of the part's first rule, and how many rules it has. */
export const RULE_FIRST = 1;
export const RULE_COUNT = 2;
/** Words of a row's summary. */
export const RULE_SUMMARY_WORDS = 3;
/** Entries above the tries. */
export const RULE_SRC = 4;
export const RULE_DST = 5;
/** 0 where every rule takes any source port. */
export const RULE_SRC_PORT = 6;
export const RULE_DST_PORT = 7;
/** Where segments begin and end, where nodes begin, and where the part ends. Rows begin behind the protocols. */
export const RULE_SEGMENTS = 8;
export const RULE_SEGMENTS_END = 9;
export const RULE_NODES = 10;
export const RULE_END = 11;
/** Row offsets of the 256 protocols. */
export const RULE_PROTOCOLS = RULE_HEADER_WORDS;
export const RULE_ROWS = RULE_PROTOCOLS + 256;

/** Nodes begin at multiples of this, so that 22 bits reach 2^27 words. Parts do too. */
export const NODE_ALIGNMENT = 32;
/** Ends every dimension's segments. */
export const VALUE_MAX = 0xffffffff;

/** Words of a row's bits for a number of rules; rule i is bit 31 - i % 32 of word i / 32. */
export function ruleWords(count: number): number {
  return Math.max(1, Math.ceil(count / 32));
}

/**
 * Throws a ProgramError that names the first broken invariant of a rule table for `count` rules. A checked table needs
 * no range checks: every walk stays inside, ends, and yields a rule of the list or none.
 */
export function checkRuleTable(table: Int32Array, count: number): void {
  let at = 0;
  let first = 0;
  do {
    if (at + RULE_ROWS > table.length) fail('ends inside a header');
    if (table[at + RULE_FIRST] !== first || table[at + RULE_COUNT] < 0) fail(`${at} does not go on at rule ${first}`);
    checkPart(table, at);
    first += table[at + RULE_COUNT];
    const next = table[at + RULE_NEXT];
    if (next !== 0 && next !== table[at + RULE_END]) fail(`${at} has its next part at ${next}`);
    if (next === 0 && table[at + RULE_END] !== table.length) fail(`has ${table.length} words`);
    at = next;
  } while (at !== 0);
  if (first !== count) fail(`decides over ${first} of ${count} rules`);
}

// The checks run on the thread that forwards, in code that is often cold: plain loops over locals.
function checkPart(table: Int32Array, at: number): void {
  const segments = table[at + RULE_SEGMENTS];
  const segmentsEnd = table[at + RULE_SEGMENTS_END];
  const nodes = table[at + RULE_NODES];
  const end = table[at + RULE_END];
  const isOrdered = at + RULE_ROWS < segments && segments < segmentsEnd && segmentsEnd <= nodes && nodes <= end;
  if (!isOrdered || end > table.length || nodes % NODE_ALIGNMENT !== 0) fail(`${at} has its sections out of order`);
  checkRows(table, at);
  checkSegments(table, at);
  const hasAnySrcPort = table[at + RULE_SRC_PORT] === 0;
  checkEntries(table, at, at + RULE_SRC, at + RULE_DST + 1);
  if (!hasAnySrcPort) checkEntries(table, at, at + RULE_SRC_PORT, at + RULE_SRC_PORT + 1);
  checkEntries(table, at, at + RULE_DST_PORT, at + RULE_DST_PORT + 1);
  checkEntries(table, at, nodes, end);
}

/** Rows may hold any bits but those of rules and words that do not exist. */
function checkRows(table: Int32Array, at: number): void {
  const count = table[at + RULE_COUNT];
  const words = ruleWords(count);
  const summaryWords = ruleWords(words);
  if (table[at + RULE_SUMMARY_WORDS] !== summaryWords) fail(`${at} has rows of another size`);
  const rowWords = summaryWords + words;
  const rows = at + RULE_ROWS;
  const end = table[at + RULE_SEGMENTS];
  if ((end - rows) % rowWords !== 0) fail(`${at} has a row in pieces`);
  const unusedRules = unusedBits(count);
  const unusedWords = unusedBits(words);
  for (let row = rows; row < end; row += rowWords) {
    const beyond = (table[row + summaryWords - 1] & unusedWords) | (table[row + rowWords - 1] & unusedRules);
    if (beyond !== 0) fail(`row ${row} names rules that do not exist`);
  }
  for (let protocol = at + RULE_PROTOCOLS; protocol < rows; protocol++) {
    const row = table[protocol];
    if (row < rows || row >= end || (row - rows) % rowWords !== 0) fail(`protocol ${protocol} has no row`);
  }
}

/** Bits of the last word of `count` bits that stand for nothing; no bits at all still take a word. */
function unusedBits(count: number): number {
  if (count === 0) return -1;
  return count % 32 === 0 ? 0 : -1 >>> (count % 32);
}

/** Last values ascend and start over behind VALUE_MAX only, so a scan that starts anywhere stops. */
function checkSegments(table: Int32Array, at: number): void {
  const end = table[at + RULE_SEGMENTS_END];
  const rows = at + RULE_ROWS;
  const rowsEnd = table[at + RULE_SEGMENTS];
  const rowWords = table[at + RULE_SUMMARY_WORDS] + ruleWords(table[at + RULE_COUNT]);
  if ((end - rowsEnd) % 2 !== 0) fail(`${at} has half a segment`);
  let before = -1;
  for (let segment = rowsEnd; segment < end; segment += 2) {
    const last = table[segment] >>> 0;
    const row = table[segment + 1];
    if (last <= before) fail(`segment ${segment} is not ascending`);
    if (row < rows || row >= rowsEnd || (row - rows) % rowWords !== 0) fail(`segment ${segment} has no row`);
    before = last === VALUE_MAX ? -1 : last;
  }
  if (before !== -1) fail(`segment ${end - 2} does not end its dimension`);
}

/** Entries name a segment, or a node that lies behind them: a walk ends. */
function checkEntries(table: Int32Array, at: number, first: number, end: number): void {
  const segments = table[at + RULE_SEGMENTS];
  const segmentsEnd = table[at + RULE_SEGMENTS_END];
  const nodes = table[at + RULE_NODES];
  const nodesEnd = table[at + RULE_END];
  for (let i = first; i < end; i++) {
    const entry = table[i];
    if (entry >= 0) {
      if (entry < segments || entry >= segmentsEnd || ((entry ^ segments) & 1) !== 0) fail(`entry ${i} is no segment`);
    } else {
      const node = (entry & 0x7ffffe00) >>> 4;
      if (node < nodes || node <= i || node + (1 << ((entry >>> 5) & 15)) > nodesEnd) fail(`entry ${i} is no node`);
    }
  }
}

/** The entry that leads to a node of 2^`log2Size` entries, indexed by a value shifted right by `shift`. */
export function nodeEntry(offset: number, log2Size: number, shift: number): number {
  return 0x80000000 | ((offset / NODE_ALIGNMENT) << 9) | (log2Size << 5) | shift;
}

function fail(what: string): never {
  throw new ProgramError(`program: a rule table ${what}`);
}
