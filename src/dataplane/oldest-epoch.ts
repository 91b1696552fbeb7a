// The oldest epoch that a cached path still names: control may forget the names of earlier epochs. It is found by
// walking the flow records, a slice per turn, so that traffic goes on: at once, 2 M records cost 18 ms. Meanwhile paths
// are only replaced by those of newer epochs, so what a walk has found stays a lower bound.

import { COUNT, RECORD_WORDS } from '../abi/regions.ts';
import { PATH_VALID, R_EGRESS, R_KEY, R_PATH, type FlowTable } from './flow-table.ts';
import type { PathTable } from './path-table.ts';

/** Records per step: some 10 microseconds where they are not in the cache. */
const SLICE = 2048;

export class OldestEpoch {
  private readonly table: FlowTable;
  private readonly paths: PathTable;
  private readonly counters: Float64Array;
  /** Epoch whose arrival makes a walk due, 0 when none is. */
  private due: number;
  /** Where the walk under way goes on and ends; 0: there is none. */
  private next: number;
  private end: number;
  private oldest: number;

  constructor(table: FlowTable, paths: PathTable, counters: Float64Array) {
    this.table = table;
    this.paths = paths;
    this.counters = counters;
    this.due = 0;
    this.next = 0;
    this.end = 0;
    this.oldest = 0;
  }

  /** Forgets a walk that is due or under way. */
  restart(): void {
    this.due = 0;
    this.next = 0;
  }

  /** A program became current: its epoch is the newest that paths can name. A walk under way is finished first. */
  begin(epoch: number): void {
    this.due = epoch;
  }

  /** Looks at the next slice, and publishes the result behind the last one. False when there is nothing to do. */
  step(): boolean {
    if (this.next === 0) {
      if (this.due === 0) return false;
      this.oldest = this.due;
      this.due = 0;
      this.next = 1;
      this.end = this.table.high + 1;
    }
    const last = Math.min(this.end, this.next + SLICE);
    for (let record = this.next; record < last; record++) this.look(record);
    this.next = last;
    if (last < this.end) return true;
    this.next = 0;
    this.counters[COUNT.oldestEpoch] = this.oldest;
    return this.due !== 0;
  }

  private look(record: number): void {
    const { records } = this.table;
    const e = record * RECORD_WORDS;
    if (records[e + R_KEY] === 0 || (records[e + R_EGRESS] & PATH_VALID) === 0) return;
    const path = records[e + R_PATH];
    if (path > 0) this.oldest = Math.min(this.oldest, this.paths.epochOf(path));
  }
}
