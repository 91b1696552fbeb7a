// Tap batches: any number of records of any size, in the order of captures, and provenance rows that stay what they were.

import { describe, expect, test } from 'vitest';
import { CONTROL, createRegions, regionSizes, type Regions } from '../../../src/abi/regions.ts';
import { PROVENANCE_WORDS } from '../../../src/abi/provenance.ts';
import { TapBatch } from '../../../src/control/engine/tap-batch.ts';
import { WorkerMemory } from '../../../src/control/engine/worker-memory.ts';
import { TAP_LENGTH, TAP_PACKET, TAP_PATH, TAP_PHASE, Tap } from '../../../src/dataplane/tap.ts';
import { batchOf, record, type TapRecord } from '../capture/capture-fixture.ts';

const ROW = new Int32Array(PROVENANCE_WORDS);
const EMPTY = new Uint8Array(0);

function orderOf(batch: TapBatch): string[] {
  return Array.from(batch.order(), (at) => {
    const phase = batch.words[at + TAP_PHASE] === 0 ? 'before' : 'after';
    return `${batch.timeNs(at)} ${batch.words[at + TAP_PACKET]} ${phase}`;
  });
}

function at(timeNs: number, packetId: number, phase: TapRecord['phase'] = 'before'): TapRecord {
  return record({ timeNs, packetId, phase, provenance: ROW, bytes: EMPTY });
}

describe('the order', () => {
  const ascending = [at(5, 9), at(5, 9, 'after'), at(6, 1), at(6, 2), at(2 ** 40 + 7, 1)];
  const words = ['5 9 before', '5 9 after', '6 1 before', '6 2 before', `${2 ** 40 + 7} 1 before`];

  test('is that of the records when they are ascending', () => {
    expect(orderOf(batchOf(ascending))).toEqual(words);
  });

  test('is by time, packet id and phase when several workers gave their records one after the other', () => {
    expect(orderOf(batchOf([3, 0, 4, 2, 1].map((i) => ascending[i] as TapRecord)))).toEqual(words);
  });

  test('compares times as unsigned numbers', () => {
    expect(orderOf(batchOf([at(2 ** 31, 1), at(2 ** 31 - 1, 2)]))).toEqual([
      `${2 ** 31 - 1} 2 before`,
      `${2 ** 31} 1 before`,
    ]);
  });

  test('of records that are alike is the order in which they came', () => {
    const alike = [at(5, 1, 'after'), at(5, 1), at(5, 1)];
    const batch = batchOf(alike.map((entry, i) => ({ ...entry, length: i })));
    expect(Array.from(batch.order(), (start) => batch.words[start + TAP_LENGTH])).toEqual([1, 2, 0]);
  });
});

test('a batch grows with its records and is used again', () => {
  const batch = new TapBatch();
  for (let filling = 0; filling < 3; filling++) {
    const count = 2000 * (filling + 1);
    const frames = Array.from({ length: count }, (_, i) => new Uint8Array(100 + (i % 50)).fill(i));
    batchOf(
      frames.map((bytes, i) => ({ ...at(i, i), bytes })),
      batch,
    );
    expect(batch.count).toBe(count);
    const starts = batch.order();
    for (const i of [0, 1, count - 1]) {
      const from = batch.frameOffset(starts[i] as number);
      const bytes = frames[i] as Uint8Array;
      expect(batch.bytes.subarray(from, from + bytes.length)).toEqual(bytes);
      expect(batch.view.getUint8(from)).toBe(bytes[0]);
    }
    batch.clear();
    expect([batch.count, batch.order().length]).toEqual([0, 0]);
  }
});

describe('provenance rows', () => {
  const sizes = { ...regionSizes({ connections: 16, slots: 64 }), tapWords: 4096 };

  function setUp(): { regions: Regions; memory: WorkerMemory; copy: (path: number) => void } {
    const regions = createRegions(sizes);
    const tap = new Tap(regions, 0);
    const copy = (path: number): void => {
      tap.copy(16, 0, 0, 0, path);
      tap.publish();
    };
    return { regions, memory: new WorkerMemory(regions), copy };
  }

  const setRow = ({ paths }: Regions, path: number, word: number): void => {
    paths[path * PROVENANCE_WORDS] = word;
  };
  const rowsOf = (batch: TapBatch): unknown[] =>
    Array.from(batch.order(), (start) => batch.rows[batch.words[start + TAP_PATH] as number]?.[0]);

  test('are those of the paths when the records were taken', () => {
    const { regions, memory, copy } = setUp();
    const batch = new TapBatch();
    setRow(regions, 3, 30);
    setRow(regions, 4, 40);
    for (const path of [3, 4, 3]) copy(path);
    memory.takeTaps(batch);
    // Path ids are given to other rows while the batch still waits.
    setRow(regions, 3, 31);
    memory.forgetRows();
    copy(3);
    memory.takeTaps(batch);
    expect(rowsOf(batch)).toEqual([30, 40, 30, 31]);
  });

  test('are found by index in every batch that continues the list', () => {
    const { regions, memory, copy } = setUp();
    const first = new TapBatch();
    const second = new TapBatch();
    setRow(regions, 3, 30);
    setRow(regions, 4, 40);
    copy(3);
    memory.takeTaps(first);
    second.clear(first.rows);
    copy(4);
    copy(3);
    memory.takeTaps(second);
    expect([rowsOf(first), rowsOf(second), second.rows.length]).toEqual([[30], [40, 30], 2]);
  });

  test('of two workers do not mix, though their path ids are the same', () => {
    const one = setUp();
    const two = setUp();
    const batch = new TapBatch();
    setRow(one.regions, 3, 30);
    setRow(two.regions, 3, 33);
    one.copy(3);
    two.copy(3);
    one.memory.takeTaps(batch);
    two.memory.takeTaps(batch);
    expect(rowsOf(batch)).toEqual([30, 33]);
  });

  test('are given up when the list becomes long, and found again', () => {
    const { regions, memory, copy } = setUp();
    const batch = new TapBatch();
    setRow(regions, 3, 30);
    copy(3);
    memory.takeTaps(batch);
    const long = batch.rows;
    while (long.length <= 65_536) long.push(ROW);
    batch.clear();
    expect(batch.rows).not.toBe(long);
    copy(3);
    memory.takeTaps(batch);
    expect([rowsOf(batch), batch.rows.length]).toEqual([[30], 1]);
  });
});

test('control gives the room of taken records back', () => {
  const regions = createRegions(regionSizes({ connections: 16, slots: 64 }));
  const tap = new Tap(regions, 0);
  tap.copy(16, 0, 0, 0, 0);
  tap.publish();
  new WorkerMemory(regions).takeTaps(new TapBatch());
  expect(regions.control[CONTROL.tapTail]).toBe(regions.control[CONTROL.tapHead]);
  expect(regions.control[CONTROL.tapTail]).not.toBe(0);
});
