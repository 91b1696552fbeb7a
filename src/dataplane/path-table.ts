// The path table: provenance rows, interned. A path id is the number of a row in shared memory; equal rows share one
// id. Row 0 stands for packets whose provenance found no room (the table is bounded); it names only the outcome.

import {
  ESTABLISHED_PATH,
  NONE,
  PROVENANCE_WORDS,
  PROV_BALANCE_RULE,
  PROV_EPOCH,
  PROV_ESTABLISHED,
} from '../abi/provenance.ts';
import type { Regions } from '../abi/regions.ts';

export class PathTable {
  private readonly rows: Int32Array;
  private readonly capacity: number;
  /** Open addressing: row number, 0 free. */
  private readonly index: Int32Array;
  private readonly mask: number;
  /** Row of a row's followers, 0 unknown. */
  private readonly followers: Int32Array;
  private next: number;

  constructor(regions: Regions) {
    this.rows = regions.paths;
    this.capacity = regions.sizes.paths;
    this.index = new Int32Array(4 * this.capacity);
    this.mask = this.index.length - 1;
    if ((this.index.length & this.mask) !== 0)
      throw new Error(`path table of ${this.capacity} rows: not a power of two`);
    this.followers = new Int32Array(this.capacity);
    this.next = 1;
    this.rows.fill(-1, 0, PROVENANCE_WORDS);
  }

  /** The id of a row's content; 0 when the table is full. */
  intern(row: Int32Array): number {
    const { rows, index, mask } = this;
    let i = hashRow(row) & mask;
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

  /** The id for packets that follow the one of row `id` on its cached path: the same decision, and ESTABLISHED_PATH. */
  followerOf(id: number, row: Int32Array): number {
    const known = this.followers[id];
    if (known !== 0) return known;
    row[PROV_ESTABLISHED] |= ESTABLISHED_PATH;
    const follower = this.intern(row);
    row[PROV_ESTABLISHED] &= ~ESTABLISHED_PATH;
    if (id !== 0) this.followers[id] = follower;
    return follower;
  }

  /** Forgets every row. */
  restart(): void {
    this.index.fill(0);
    this.followers.fill(0);
    this.next = 1;
  }

  /** True when so few rows are free that a collection is due. */
  get nearlyFull(): boolean {
    return this.next > this.capacity - (this.capacity >> 2);
  }

  /** Keeps the rows that `isUsed` marks and renumbers them; `moved[old]` is the new id, 0 for rows that are gone. Only
   * while nobody holds an id outside the flow table. */
  collect(isUsed: Uint8Array): Int32Array {
    const { rows } = this;
    const moved = new Int32Array(this.next);
    const last = this.next;
    this.restart();
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

  /** True when a load balancing rule chose the receiver. */
  isBalanced(id: number): boolean {
    return this.rows[id * PROVENANCE_WORDS + PROV_BALANCE_RULE] !== NONE;
  }

  epochOf(id: number): number {
    return this.rows[id * PROVENANCE_WORDS + PROV_EPOCH];
  }
}

// Four chains side by side: the multiplications of one wait for each other.
function hashRow(row: Int32Array): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let w = 0; w < PROVENANCE_WORDS; w += 4) {
    a = Math.imul(a ^ row[w], 0x9e3779b1);
    b = Math.imul(b ^ row[w + 1], 0x85ebca77);
    c = Math.imul(c ^ row[w + 2], 0xc2b2ae3d);
    d = Math.imul(d ^ row[w + 3], 0x27d4eb2f);
  }
  const h = Math.imul(a ^ (a >>> 15) ^ b ^ (c >>> 13) ^ d ^ (d >>> 11), 0x165667b1);
  return h ^ (h >>> 16);
}

function sameRow(rows: Int32Array, at: number, row: Int32Array): boolean {
  for (let w = 0; w < PROVENANCE_WORDS; w++) if (rows[at + w] !== row[w]) return false;
  return true;
}
