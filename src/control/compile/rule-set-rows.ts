// The rows of one part of a rule table while it is compiled: rules are switched on and off in a current row, and every
// row that is wanted is stored once, with its summary in front (abi/rule-table.ts).

import { ruleWords } from '../../abi/rule-table.ts';

export class RowStore {
  /** Words of a summary, and of a row with its summary. */
  readonly summaryWords: number;
  readonly rowWords: number;
  /** True once more words were wanted than allowed: rows that `store` names from then on are meaningless. */
  isFull = false;
  private readonly wordsMax: number;
  private readonly current: Int32Array;
  /** Hash of the current row: the exclusive or of its rules' hashes, so that a rule costs one step and not a row. */
  private hash = 0;
  private readonly hashOfRule: Int32Array;
  private words: Int32Array;
  private count = 0;
  private hashes = new Int32Array(64);
  /** Row + 1 by hash, open addressing; 0 is free. */
  private slots = new Int32Array(128);

  constructor(ruleCount: number, wordsMax: number) {
    const words = ruleWords(ruleCount);
    this.summaryWords = ruleWords(words);
    this.rowWords = this.summaryWords + words;
    this.wordsMax = wordsMax;
    this.current = new Int32Array(words);
    this.hashOfRule = Int32Array.from({ length: ruleCount }, (_, rule) => mix(rule + 1));
    this.words = new Int32Array(64 * this.rowWords);
  }

  /** Switches a rule of the current row on or off. */
  toggle(rule: number): void {
    this.current[rule >> 5] = (this.current[rule >> 5] as number) ^ (0x80000000 >>> (rule & 31));
    this.hash ^= this.hashOfRule[rule] as number;
  }

  /** Empties the current row. */
  clear(): void {
    this.current.fill(0);
    this.hash = 0;
  }

  /** Number of the current row; it is stored if it is new. */
  store(): number {
    const mask = this.slots.length - 1;
    let slot = mix(this.hash) & mask;
    for (; this.slots[slot] !== 0; slot = (slot + 1) & mask) {
      const row = (this.slots[slot] as number) - 1;
      if (this.hashes[row] === this.hash && this.isCurrent(row)) return row;
    }
    if ((this.count + 1) * this.rowWords > this.wordsMax) {
      this.isFull = true;
      return 0;
    }
    this.slots[slot] = this.count + 1;
    return this.add();
  }

  /** True for the row of all rules. */
  isEveryRule(row: number): boolean {
    const { summaryWords, rowWords, hashOfRule } = this;
    for (let rule = 0; rule < hashOfRule.length; rule++) {
      const word = this.words[row * rowWords + summaryWords + (rule >> 5)] as number;
      if ((word & (0x80000000 >>> (rule & 31))) === 0) return false;
    }
    return true;
  }

  /** All rows in order of their numbers. */
  stored(): Int32Array {
    return this.words.subarray(0, this.count * this.rowWords);
  }

  private isCurrent(row: number): boolean {
    const { current, words } = this;
    const at = row * this.rowWords + this.summaryWords;
    for (let i = 0; i < current.length; i++) if (words[at + i] !== current[i]) return false;
    return true;
  }

  private add(): number {
    const row = this.count++;
    if (row === this.hashes.length) this.grow();
    this.hashes[row] = this.hash;
    const at = row * this.rowWords;
    const { current, words } = this;
    words.set(current, at + this.summaryWords);
    for (let i = 0; i < current.length; i++) {
      if (current[i] !== 0) words[at + (i >> 5)] = (words[at + (i >> 5)] as number) | (0x80000000 >>> (i & 31));
    }
    return row;
  }

  private grow(): void {
    const { hashes, words } = this;
    this.hashes = new Int32Array(hashes.length * 2);
    this.hashes.set(hashes);
    this.words = new Int32Array(words.length * 2);
    this.words.set(words);
    this.slots = new Int32Array(this.slots.length * 2);
    const mask = this.slots.length - 1;
    for (let row = 0; row < this.count; row++) {
      let slot = mix(this.hashes[row] as number) & mask;
      while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
      this.slots[slot] = row + 1;
    }
  }
}

/** Spreads a number over 32 bits (the finaliser of MurmurHash3). */
function mix(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
