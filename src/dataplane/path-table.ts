// The path table: provenance rows, interned. A path id is the number of a row in shared memory; equal rows share one
// id. Row 0 stands for packets whose provenance found no room (the table is bounded); it names only the outcome.

import { PROVENANCE_WORDS, PROV_EPOCH } from '../abi/provenance.ts';
import type { Regions } from '../abi/regions.ts';

export class PathTable {
  private readonly rows: Int32Array;
  private readonly capacity: number;
  /** Open addressing: row number, 0 free. */
  private readonly index: Int32Array;
  private readonly mask: number;
  private next: number;

  constructor(regions: Regions) {
    this.rows = regions.paths;
    this.capacity = regions.sizes.paths;
    this.index = new Int32Array(4 * this.capacity);
    this.mask = this.index.length - 1;
    if ((this.index.length & this.mask) !== 0)
      throw new Error(`path table of ${this.capacity} rows: not a power of two`);
    this.next = 1;
    this.rows.fill(-1, 0, PROVENANCE_WORDS);
  }

  /** The id of a row's content; 0 when the table is full. */
  intern(row: Int32Array): number {
    const { rows, index, mask } = this;
    let h = 0;
    for (let w = 0; w < PROVENANCE_WORDS; w++) h = Math.imul(h ^ row[w] ^ (h >>> 15), 0x9e3779b1);
    let i = (h ^ (h >>> 16)) & mask;
    for (let id = index[i]; id !== 0; id = index[i]) {
      if (sameRow(rows, id * PROVENANCE_WORDS, row)) return id;
      i = (i + 1) & mask;
    }
    if (this.next === this.capacity) return 0;
    const id = this.next++;
    rows.set(row, id * PROVENANCE_WORDS);
    index[i] = id;
    return id;
  }

  /** True when so few rows are free that a collection is due. */
  get nearlyFull(): boolean {
    return this.next > this.capacity - (this.capacity >> 2);
  }

  /** Keeps the rows that `isUsed` marks and renumbers them; `moved[old]` is the new id, 0 for rows that are gone. Only
   * while nobody holds an id outside the flow table. */
  collect(isUsed: Uint8Array): Int32Array {
    const { rows, index } = this;
    const moved = new Int32Array(this.next);
    const last = this.next;
    index.fill(0);
    this.next = 1;
    for (let id = 1; id < last; id++) {
      if (isUsed[id] === 0) continue;
      const at = id * PROVENANCE_WORDS;
      moved[id] = this.intern(rows.slice(at, at + PROVENANCE_WORDS));
    }
    return moved;
  }

  /** Rows in use, the reserved one included. */
  get count(): number {
    return this.next;
  }

  /** Copies a row. */
  readInto(id: number, row: Int32Array): void {
    for (let w = 0; w < PROVENANCE_WORDS; w++) row[w] = this.rows[id * PROVENANCE_WORDS + w];
  }

  epochOf(id: number): number {
    return this.rows[id * PROVENANCE_WORDS + PROV_EPOCH];
  }
}

function sameRow(rows: Int32Array, at: number, row: Int32Array): boolean {
  for (let w = 0; w < PROVENANCE_WORDS; w++) if (rows[at + w] !== row[w]) return false;
  return true;
}
