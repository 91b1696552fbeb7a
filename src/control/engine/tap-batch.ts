// Tap records on their way from the workers' rings to a capture: copied once, all into one buffer that is used again,
// and put into the order that captures are written in. No object per record.

import { TAP_HEADER_WORDS, TAP_PACKET, TAP_PHASE, TAP_TIME_HIGH, TAP_TIME_LOW } from '../../dataplane/tap.ts';

const FIRST_WORDS = 16_384;
const FIRST_RECORDS = 512;
const TWO_32 = 0x1_0000_0000;
/** A list of provenance rows longer than this is given up: networks that change for hours must not fill the memory. */
const ROWS_KEPT = 65_536;

export class TapBatch {
  /** Provenance rows that the records refer to. The list only grows, and is another one after it has been given up. */
  rows: Int32Array[] = [];
  /** The records as the tap wrote them (dataplane/tap.ts), except that TAP_PATH is an index into `rows`. */
  words = new Int32Array(FIRST_WORDS);
  /** The same memory, for frames. */
  bytes = new Uint8Array(this.words.buffer);
  view = new DataView(this.words.buffer);
  /** Records in the batch. */
  count = 0;
  private longs = new BigInt64Array(this.words.buffer);
  private end = 0;
  private starts = new Int32Array(FIRST_RECORDS);

  /** Copies the record of `size` words that begins at word `at` of a ring; returns where it stands. */
  append(ring: BigInt64Array, at: number, size: number): number {
    const start = this.end;
    this.end = start + size;
    if (this.end > this.words.length) this.growWords();
    if (this.count === this.starts.length) this.growStarts();
    this.starts[this.count++] = start;
    const { longs } = this;
    const from = at >> 1;
    const into = start >> 1;
    const moves = size >> 1;
    for (let i = 0; i < moves; i++) longs[into + i] = ring[from + i] as bigint;
    return start;
  }

  /** First words of the records, ascending by time, packet id, and before < after. */
  order(): Int32Array {
    const starts = this.starts.subarray(0, this.count);
    // The records of one worker come in this order; those of several are runs, which this sort merges.
    for (let i = 1; i < starts.length; i++) {
      if (this.compare(starts[i - 1] as number, starts[i] as number) <= 0) continue;
      return Int32Array.from(Array.from(starts).sort((a, b) => this.compare(a, b)));
    }
    return starts;
  }

  /** Virtual time of the record at a word, nanoseconds. */
  timeNs(at: number): number {
    const { words } = this;
    return ((words[at + TAP_TIME_HIGH] as number) >>> 0) * TWO_32 + ((words[at + TAP_TIME_LOW] as number) >>> 0);
  }

  /** Where in `bytes` the frame of the record at a word begins. */
  frameOffset(at: number): number {
    return (at + TAP_HEADER_WORDS) * 4 + 2;
  }

  /** Empties the batch; its memory is kept. The next records refer to `rows`. */
  clear(rows: Int32Array[] = this.rows): void {
    this.count = 0;
    this.end = 0;
    this.rows = rows.length > ROWS_KEPT ? [] : rows;
  }

  private compare(a: number, b: number): number {
    const { words } = this;
    const byTime = this.timeNs(a) - this.timeNs(b);
    if (byTime !== 0) return byTime;
    const byPacket = (words[a + TAP_PACKET] as number) - (words[b + TAP_PACKET] as number);
    return byPacket !== 0 ? byPacket : (words[a + TAP_PHASE] as number) - (words[b + TAP_PHASE] as number);
  }

  private growWords(): void {
    const grown = new Int32Array(Math.max(this.end, 2 * this.words.length));
    grown.set(this.words);
    this.words = grown;
    this.bytes = new Uint8Array(grown.buffer);
    this.view = new DataView(grown.buffer);
    this.longs = new BigInt64Array(grown.buffer, 0, grown.length >> 1);
  }

  private growStarts(): void {
    const grown = new Int32Array(2 * this.starts.length);
    grown.set(this.starts);
    this.starts = grown;
  }
}
