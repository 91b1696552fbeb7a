// Two workers on two cores: each a worker thread with a lane, a generator and half of the connections, all directions
// of a connection on one worker. One worker with all connections and both with a half each run in turn; figures are
// packets by wall clock over a common interval, because windows of several threads do not add up.

import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { OutcomeHash, WINDOW, benchRow, round, type BenchRow } from './figures.ts';
import {
  PARK,
  RUN,
  STOP,
  WORKER_WORDS,
  W_STATE,
  W_WINDOWS,
  type WorkerLaneReady,
  type WorkerLaneStart,
} from './worker-contract.ts';

export interface WorkersOptions {
  readonly flows: number;
  readonly rules: number;
  /** How often one worker and two are measured, in turn. */
  readonly pairs: number;
  /** Length of a measurement, milliseconds. */
  readonly ms: number;
  readonly seed: number;
}

/** Between a start and the first reading: all threads run. */
const SETTLE_MS = 20;
const SLICE_MS = 10;

/** A row of two workers; `ratio` is their throughput by that of one, the median of all pairs. Runs on the built code: a
 * worker thread cannot load TypeScript. */
export async function workers(options: WorkersOptions): Promise<BenchRow[]> {
  const { flows, rules, seed, pairs, ms } = options;
  const control = new Int32Array(new SharedArrayBuffer(3 * WORKER_WORDS * 4));
  const shares = [undefined, { index: 0, of: 2 }, { index: 1, of: 2 }];
  const threads = shares.map((share, number) =>
    startLane({ control, number, flows, rules, seed, ...(share && { share }) }),
  );
  try {
    const ready = await Promise.all(threads.map(({ outcome }) => outcome));
    const failed = Promise.race(threads.map(({ failure }) => failure));
    const one: Interval[] = [];
    const two: Interval[] = [];
    for (let i = 0; i < pairs; i++) {
      one.push(await Promise.race([measure(control, [0], ms), failed]));
      two.push(await Promise.race([measure(control, [1, 2], ms), failed]));
    }
    for (const { number } of threads) setState(control, number, STOP);
    await Promise.race([Promise.all(threads.map(({ exit }) => exit)), failed]);
    const hash = new OutcomeHash();
    for (const outcome of ready) hash.add(Number.parseInt(outcome, 16));
    const ratios = two.map((interval, i) => interval.mpps / (one[i]?.mpps ?? 0));
    const oneMpps = median(one.map(({ mpps }) => mpps));
    return [
      benchRow(
        'flow-hit/end-to-end',
        { flows, workers: 2, frame: 64, rules, seed },
        two.flatMap(({ slices }) => slices),
        hash.hex,
        {
          wall: median(two.map(({ mpps }) => mpps)),
          extra: {
            ratio: round(median(ratios)),
            leastRatio: round(Math.min(...ratios)),
            oneWorkerMpps: round(oneMpps),
          },
        },
      ),
    ];
  } finally {
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }
}

interface LaneThread {
  readonly number: number;
  readonly worker: Worker;
  /** Settles when the lane is open and warm. */
  readonly outcome: Promise<string>;
  /** Rejects when the thread dies, also when packets were dropped; never resolves. */
  readonly failure: Promise<never>;
  readonly exit: Promise<void>;
}

function startLane(start: WorkerLaneStart): LaneThread {
  const worker = new Worker(new URL('../../dist/bench/worker-lane.js', import.meta.url), { workerData: start });
  const failure = new Promise<never>((_, reject) => {
    worker.once('error', reject);
  });
  const outcome = new Promise<string>((resolve) => {
    worker.once('message', (ready: WorkerLaneReady) => resolve(ready.outcome));
  });
  const exit = new Promise<void>((resolve) => {
    worker.once('exit', () => resolve());
  });
  return { number: start.number, worker, failure, exit, outcome: Promise.race([outcome, failure]) };
}

interface Interval {
  readonly mpps: number;
  /** Nanoseconds per packet of all running workers together, slice by slice. */
  readonly slices: readonly number[];
}

async function measure(control: Int32Array, numbers: readonly number[], ms: number): Promise<Interval> {
  for (const number of numbers) setState(control, number, RUN);
  await sleep(SETTLE_MS);
  const slices: number[] = [];
  const begin = read(control, numbers);
  let before = begin;
  while (before.ms - begin.ms < ms) {
    await sleep(SLICE_MS);
    const after = read(control, numbers);
    slices.push(((after.ms - before.ms) * 1e6) / (after.packets - before.packets));
    before = after;
  }
  for (const number of numbers) setState(control, number, PARK);
  return { mpps: (before.packets - begin.packets) / (before.ms - begin.ms) / 1e3, slices };
}

function read(control: Int32Array, numbers: readonly number[]): { ms: number; packets: number } {
  const windows = numbers.map((number) => Atomics.load(control, number * WORKER_WORDS + W_WINDOWS));
  return { ms: performance.now(), packets: windows.reduce((sum, count) => sum + count, 0) * WINDOW };
}

function setState(control: Int32Array, number: number, state: number): void {
  Atomics.store(control, number * WORKER_WORDS + W_STATE, state);
  Atomics.notify(control, number * WORKER_WORDS + W_STATE);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
