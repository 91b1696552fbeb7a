// Writes rule tables (abi/rule-table.ts): a table that grows at its end, and the tries over segments. A node has two to
// four entries per segment that it divides, so that a value needs two or three steps whatever its neighbourhood looks
// like, and memory follows the number of segments.

import { NODE_ALIGNMENT, nodeEntry, RULE_END, RULE_NEXT, RULE_ROWS } from '../../abi/rule-table.ts';
import type { Segments } from './rule-set-segments.ts';

/** Segments that a scan may begin at without a node that divides them. */
const SCAN_MAX = 4;
/** log2 of the entries of a node: two lines of the cache or more; the root, which every look-up reads, may be large. */
const NODE_LOG2_MIN = 5;
const NODE_LOG2_MAX = 8;
const ROOT_LOG2_MAX = 12;
/** Nodes end below this offset, which entries can still name. A trie that gets there ends in longer scans. */
const NODES_MAX = 2 ** 22 * NODE_ALIGNMENT;
const VALUE_BITS = 32;

export class TableWriter {
  words = new Int32Array(4096);
  length = 0;
  private lastPart = 0;

  /** Offset of `count` more words, at a multiple of `alignment`; everything skipped or reserved is 0. */
  reserve(count: number, alignment = 1): number {
    const offset = Math.ceil(this.length / alignment) * alignment;
    this.length = offset + count;
    if (this.length > this.words.length) {
      const grown = new Int32Array(Math.max(this.length, this.words.length * 2));
      grown.set(this.words);
      this.words = grown;
    }
    return offset;
  }

  /** Offset of a copy of some words. */
  append(words: Int32Array): number {
    const offset = this.reserve(words.length);
    this.words.set(words, offset);
    return offset;
  }

  /** Offset of a new part's header; the part before it ends there. */
  beginPart(): number {
    const part = this.reserve(RULE_ROWS, NODE_ALIGNMENT);
    if (part > 0) {
      this.words[this.lastPart + RULE_NEXT] = part;
      this.words[this.lastPart + RULE_END] = part;
    }
    this.lastPart = part;
    return part;
  }

  table(): Int32Array {
    return this.words.slice(0, this.length);
  }
}

/** Writes the trie of a dimension whose segments were written from `segmentsAt` on; returns the entry above it. */
export function writeTrie(writer: TableWriter, segments: Segments, segmentsAt: number): number {
  return new TrieWriter(writer, segments, segmentsAt).entry(0, VALUE_BITS, 0, segments.count - 1);
}

class TrieWriter {
  private readonly writer: TableWriter;
  private readonly lasts: Uint32Array;
  private readonly segmentsAt: number;

  constructor(writer: TableWriter, segments: Segments, segmentsAt: number) {
    this.writer = writer;
    this.lasts = segments.lasts;
    this.segmentsAt = segmentsAt;
  }

  /** The entry for the 2^`bits` values from `low` on, which lie in the segments `first` to `last`. */
  entry(low: number, bits: number, first: number, last: number): number {
    const count = last - first + 1;
    const scan = this.segmentsAt + first * 2;
    if (count <= SCAN_MAX) return scan;
    const log2 = Math.min(bits, nodeLog2(count, bits === VALUE_BITS ? ROOT_LOG2_MAX : NODE_LOG2_MAX));
    const size = Math.max(2 ** log2, NODE_ALIGNMENT);
    if (this.writer.length + size > NODES_MAX) return scan;
    const node = this.writer.reserve(size, NODE_ALIGNMENT);
    const span = 2 ** (bits - log2);
    let segment = first;
    for (let i = 0; i < 2 ** log2; i++) {
      const from = low + i * span;
      while ((this.lasts[segment] as number) < from) segment++;
      let end = segment;
      while (end < last && (this.lasts[end] as number) < from + span - 1) end++;
      const child = this.entry(from, bits - log2, segment, end);
      this.writer.words[node + i] = child;
    }
    // Nodes of the last few bits fill their alignment: every word of the section is an entry.
    this.writer.words.fill(scan, node + 2 ** log2, node + size);
    return nodeEntry(node, log2, bits - log2);
  }
}

/** log2 of a node's size for a number of segments: twice the next power of two, within the limits. */
function nodeLog2(count: number, max: number): number {
  return Math.min(max, Math.max(NODE_LOG2_MIN, VALUE_BITS - Math.clz32(count - 1) + 1));
}
