import { expect, test } from 'vitest';
import { PROVENANCE_WORDS, PROV_EPOCH } from '../../src/abi/provenance.ts';
import { COUNT, RECORD_WORDS, createRegions, regionSizes } from '../../src/abi/regions.ts';
import { FlowTable, PATH_VALID, R_EGRESS, R_PATH } from '../../src/dataplane/flow-table.ts';
import { OldestEpoch } from '../../src/dataplane/oldest-epoch.ts';
import { PathTable } from '../../src/dataplane/path-table.ts';

const FLOWS = 5000;

/** A table of flows whose paths all name epoch 1, or the epochs given for single records. */
class Flows {
  readonly regions = createRegions(regionSizes({ connections: FLOWS, slots: 64, capture: false }));
  readonly table = new FlowTable(this.regions);
  readonly paths = new PathTable(this.regions);
  readonly walk = new OldestEpoch(this.table, this.paths, this.regions.counters);
  readonly records: number[];

  constructor(count: number, epoch: number) {
    this.records = Array.from({ length: count }, (_, i) => this.table.insert(i, 2, 3, (7 << 8) | 6));
    for (const record of this.records) this.decide(record, epoch);
  }

  decide(record: number, epoch: number): void {
    const row = new Int32Array(PROVENANCE_WORDS).fill(-1);
    row[PROV_EPOCH] = epoch;
    this.table.records[record * RECORD_WORDS + R_EGRESS] = PATH_VALID;
    this.table.records[record * RECORD_WORDS + R_PATH] = this.paths.intern(row);
  }

  get published(): number {
    return this.regions.counters[COUNT.oldestEpoch]!;
  }

  finish(): void {
    while (this.walk.step());
  }
}

test('the oldest epoch of any valid path is published', () => {
  const flows = new Flows(10, 4);
  flows.decide(flows.records[3]!, 2);
  flows.walk.begin(5);
  expect(flows.walk.step()).toBe(false);
  expect(flows.published).toBe(2);
});

test('flows without a valid path and free records name no epoch', () => {
  const flows = new Flows(10, 1);
  for (const record of flows.records.slice(0, 5)) flows.table.records[record * RECORD_WORDS + R_EGRESS] = 0;
  for (const record of flows.records.slice(5)) flows.table.remove(record);
  flows.walk.begin(5);
  flows.finish();
  expect(flows.published).toBe(5);
});

test('a large table takes several steps, and nothing is published before the last', () => {
  const flows = new Flows(FLOWS, 3);
  flows.walk.begin(5);
  let steps = 1;
  for (; flows.walk.step(); steps++) expect(flows.published).toBe(0);
  expect(steps).toBe(3);
  expect(flows.published).toBe(3);
  expect(flows.walk.step()).toBe(false);
});

test('paths that are replaced during a walk leave a lower bound, the next walk says it exactly', () => {
  const flows = new Flows(FLOWS, 3);
  flows.walk.begin(4);
  flows.walk.step();
  for (const record of flows.records) flows.decide(record, 4);
  flows.finish();
  expect(flows.published).toBe(3);
  flows.walk.begin(4);
  flows.finish();
  expect(flows.published).toBe(4);
});

test('a push during a walk is followed by a walk of its own', () => {
  const flows = new Flows(FLOWS, 3);
  flows.walk.begin(3);
  flows.walk.step();
  flows.walk.begin(4);
  for (const record of flows.records) flows.decide(record, 4);
  flows.finish();
  expect(flows.published).toBe(4);
});
