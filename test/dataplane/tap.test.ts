// The tap against a plain twin: what goes into the ring comes out again, byte by byte and in order, whatever the lengths,
// and what finds no room is counted.

import { afterEach, describe, expect, test, vi } from 'vitest';
import { PROVENANCE_WORDS } from '../../src/abi/provenance.ts';
import {
  CONTROL,
  COUNT,
  INGRESS_WORDS,
  IN_PACKET,
  IN_TIME_HIGH,
  IN_TIME_LOW,
  createRegions,
  frameBytesMax,
  frameOffset,
  regionSizes,
  type Regions,
} from '../../src/abi/regions.ts';
import { TapBatch } from '../../src/control/engine/tap-batch.ts';
import { WorkerMemory } from '../../src/control/engine/worker-memory.ts';
import {
  TAP_COPIED,
  TAP_LENGTH,
  TAP_PACKET,
  TAP_PATH,
  TAP_PHASE,
  TAP_TIME_HIGH,
  TAP_TIME_LOW,
  Tap,
} from '../../src/dataplane/tap.ts';
import { Random } from '../../src/bench/random.ts';

const SLOTS = 64;
const WHOLE = 0x7fffffff;

interface Seen {
  readonly packet: number;
  readonly time: readonly [low: number, high: number];
  readonly phase: number;
  readonly path: number;
  readonly length: number;
  readonly bytes: Uint8Array;
}

/** A tap, the descriptors and slots it copies from, and control's end of its ring. */
class Bench {
  readonly regions: Regions;
  readonly tap: Tap;
  private readonly memory: WorkerMemory;

  constructor(snapLength = WHOLE, tapWords = 4096, cursor = 0) {
    const sizes = { ...regionSizes({ connections: 16, slots: SLOTS }), tapWords };
    this.regions = createRegions(sizes);
    this.regions.control[CONTROL.tapHead] = cursor;
    this.regions.control[CONTROL.tapTail] = cursor;
    this.tap = new Tap(this.regions, snapLength);
    this.memory = new WorkerMemory(this.regions);
    // A row names its path, so that a record's path can be told from its row.
    for (let path = 0; path < sizes.paths; path++) this.regions.paths[path * ROW] = path;
  }

  /** Fills a slot and its descriptor; returns what a tap of it must show. */
  fill(slot: number, packet: number, bytes: Uint8Array): { at: number; descriptor: number } {
    const { ingress, frameBytes, sizes } = this.regions;
    const descriptor = slot * INGRESS_WORDS;
    ingress[descriptor + IN_PACKET] = packet;
    ingress[descriptor + IN_TIME_LOW] = packet * 3;
    ingress[descriptor + IN_TIME_HIGH] = packet * 5;
    frameBytes.fill(0xee, slot * sizes.slotBytes, (slot + 1) * sizes.slotBytes);
    frameBytes.set(bytes, frameOffset(sizes, slot));
    return { at: (frameOffset(sizes, slot) - 2) >> 2, descriptor };
  }

  /** Everything that is published. */
  take(): Seen[] {
    const batch = new TapBatch();
    this.memory.takeTaps(batch);
    return Array.from(batch.order(), (at) => {
      const word = (w: number): number => batch.words[at + w] as number;
      const from = batch.frameOffset(at);
      return {
        packet: word(TAP_PACKET),
        time: [word(TAP_TIME_LOW), word(TAP_TIME_HIGH)],
        phase: word(TAP_PHASE),
        path: batch.rows[word(TAP_PATH)]?.[0] ?? -1,
        length: word(TAP_LENGTH),
        bytes: batch.bytes.slice(from, from + word(TAP_COPIED)),
      };
    });
  }

  get lost(): number {
    return this.regions.counters[COUNT.tapsLost] ?? 0;
  }
}

const ROW = PROVENANCE_WORDS;

function frameOf(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.below(256));
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a copied frame', () => {
  test.each([
    [0, WHOLE],
    [14, WHOLE],
    [60, WHOLE],
    [62, WHOLE],
    [63, WHOLE],
    [1514, WHOLE],
    [1514, 96],
    [60, 96],
    [60, 0],
  ])('of %i bytes comes out as it went in, cut to %i', (length, snapLength) => {
    const bench = new Bench(snapLength);
    const bytes = frameOf(new Random(length), length);
    const { at, descriptor } = bench.fill(3, 7, bytes);
    expect(bench.tap.copy(at, length, descriptor, 1, 9)).toBe(0);
    bench.tap.publish();
    const copied = bytes.subarray(0, snapLength);
    expect(bench.take()).toEqual([{ packet: 7, time: [21, 35], phase: 1, path: 9, length, bytes: copied.slice() }]);
  });

  test('keeps the bytes it had when it was copied', () => {
    const bench = new Bench();
    const { at, descriptor } = bench.fill(0, 1, Uint8Array.of(1, 2, 3));
    bench.tap.copy(at, 3, descriptor, 0, 1);
    bench.fill(0, 1, Uint8Array.of(4, 5, 6));
    bench.tap.copy(at, 3, descriptor, 1, 1);
    bench.tap.publish();
    expect(bench.take().map(({ bytes }) => [...bytes])).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
  });

  test('of the largest size fits the last slot of the arena', () => {
    const bench = new Bench();
    const bytes = frameOf(new Random(5), frameBytesMax(bench.regions.sizes));
    const { at, descriptor } = bench.fill(SLOTS - 1, 1, bytes);
    bench.tap.copy(at, bytes.length, descriptor, 0, 1);
    bench.tap.publish();
    expect(bench.take()[0]?.bytes).toEqual(bytes);
  });
});

test('records are seen when they are published, and not before', () => {
  const bench = new Bench();
  const { at, descriptor } = bench.fill(0, 1, new Uint8Array(60));
  bench.tap.copy(at, 60, descriptor, 0, 1);
  expect(bench.take()).toEqual([]);
  bench.tap.publish();
  expect(bench.take()).toHaveLength(1);
});

test('a batch without records touches nothing that is shared', () => {
  const bench = new Bench();
  const store = vi.spyOn(Atomics, 'store');
  bench.tap.publish();
  expect(store).not.toHaveBeenCalled();
  const { at, descriptor } = bench.fill(0, 1, new Uint8Array(60));
  bench.tap.copy(at, 60, descriptor, 0, 1);
  bench.tap.publish();
  bench.tap.publish();
  expect(store).toHaveBeenCalledTimes(1);
});

test('a full ring loses the newest records and counts them, until control has read', () => {
  const bench = new Bench(WHOLE, 1024);
  const { at, descriptor } = bench.fill(0, 1, new Uint8Array(60));
  const copy = (): number => bench.tap.copy(at, 60, descriptor, 0, 1);
  const kept = Math.floor(1024 / 24);
  for (let i = 0; i < kept; i++) expect(copy()).toBe(i * 24);
  expect([copy(), copy()]).toEqual([-1, -1]);
  expect(bench.lost).toBe(2);
  bench.tap.publish();
  expect(bench.take()).toHaveLength(kept);
  expect(copy()).toBe(0);
  expect(bench.lost).toBe(2);
});

test('a frame longer than the ring is lost, and nothing else with it', () => {
  const bench = new Bench(WHOLE, 256);
  const long = bench.fill(0, 1, new Uint8Array(1514));
  const short = bench.fill(1, 2, new Uint8Array(60));
  expect(bench.tap.copy(long.at, 1514, long.descriptor, 0, 1)).toBe(-1);
  expect(bench.tap.copy(short.at, 60, short.descriptor, 0, 1)).toBe(0);
  bench.tap.publish();
  expect([bench.take().length, bench.lost]).toEqual([1, 1]);
});

// A ring of 1,024 words goes round hundreds of times; the last start lets the cursors pass 2^31.
test.each([
  [1, 0],
  [2, 1024 - 24],
  [3, 0x7fffffff - 1023 - 24 * 100],
])('random frames in random batches come out as of a plain queue (seed %i, cursor %i)', (seed, cursor) => {
  const random = new Random(seed);
  const bench = new Bench(WHOLE, 1024, cursor & ~1);
  const expected: Seen[] = [];
  const seen: Seen[] = [];
  let lost = 0;
  for (let packet = 1; packet <= 2000; packet++) {
    const length = random.below(4) === 0 ? random.below(1515) : 60;
    const bytes = frameOf(random, length);
    const slot = random.below(SLOTS);
    const { at, descriptor } = bench.fill(slot, packet, bytes);
    const phase = random.below(2);
    const path = random.below(50);
    if (bench.tap.copy(at, length, descriptor, phase, path) < 0) lost++;
    else expected.push({ packet, time: [packet * 3, packet * 5], phase, path, length, bytes });
    if (random.below(3) === 0) bench.tap.publish();
    if (random.below(6) === 0) seen.push(...bench.take());
  }
  bench.tap.publish();
  seen.push(...bench.take());
  expect(seen).toEqual(expected);
  expect(bench.lost).toBe(lost);
  expect(lost).toBeGreaterThan(0);
  expect(seen.length).toBeGreaterThan(1000);
});
