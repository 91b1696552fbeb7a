import { expect, test } from 'vitest';
import { PROVENANCE_WORDS, PROV_EPOCH } from '../../src/abi/provenance.ts';
import { createRegions, regionSizes } from '../../src/abi/regions.ts';
import { PathTable } from '../../src/dataplane/path-table.ts';

function row(epoch: number, egress: number): Int32Array {
  const words = new Int32Array(PROVENANCE_WORDS).fill(-1);
  words[PROV_EPOCH] = epoch;
  words[2] = egress;
  return words;
}

function paths(): PathTable {
  return new PathTable(createRegions(regionSizes({ connections: 10, slots: 64, capture: false })));
}

test('equal rows share one path id, different rows do not', () => {
  const table = paths();
  const a = table.intern(row(1, 5));
  expect(table.intern(row(1, 5))).toBe(a);
  expect(table.intern(row(2, 5))).not.toBe(a);
  expect(table.epochOf(a)).toBe(1);
});

test('a collection keeps the rows in use, under new ids', () => {
  const table = paths();
  const ids = [0, 1, 2, 3].map((i) => table.intern(row(1, i)));
  const used = new Uint8Array(table.count);
  used[ids[2]] = 1;
  const moved = table.collect(used);
  expect(table.count).toBe(2);
  expect(moved[ids[2]]).toBe(1);
  expect(moved[ids[0]]).toBe(0);
  expect(table.intern(row(1, 2))).toBe(1);
});

test('a full table answers 0 instead of forgetting', () => {
  const table = paths();
  let last = 0;
  for (let i = 0; i < 20_000; i++) last = table.intern(row(1, i));
  expect(last).toBe(0);
  expect(table.nearlyFull).toBe(true);
  expect(table.intern(row(1, 3))).toBeGreaterThan(0);
});
