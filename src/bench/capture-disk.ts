// Capture of everything to disk: a worker forwards, every packet is tapped as sent and as received, and this thread
// writes what the ring holds into one file per capture point, through the product's capture session. A frame counts for
// every point that saw it. Written means handed to the system; `syncMs` is what the disk needed after that.

import { closeSync, fsyncSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { COUNT, attachRegions } from '../abi/regions.ts';
import { CaptureSession, type CaptureSummary } from '../control/capture/capture-session.ts';
import { readCapture } from '../control/capture/capture-reader.ts';
import { TapBatch } from '../control/engine/tap-batch.ts';
import { WorkerMemory } from '../control/engine/worker-memory.ts';
import {
  DONE,
  RECORDS_PER_PACKET,
  RUNNING,
  SIGNAL_WORDS,
  S_STATE,
  compileCaptured,
  type CaptureLaneReady,
  type CaptureLaneStart,
} from './capture-contract.ts';
import { OutcomeHash, WINDOW, benchRow, round, type BenchRow } from './figures.ts';

export interface CaptureDiskOptions {
  readonly flows: number;
  readonly rules: number;
  /** Bytes of a frame on the wire, 64 to 1518. */
  readonly frame: number;
  readonly format: 'pcapng' | 'pcap';
  /** `paced`: the worker waits for the writer. `unpaced`: it forwards at full speed, and what finds no room is lost. */
  readonly load: 'paced' | 'unpaced';
  /** Packets to forward. */
  readonly packets: number;
  readonly seed: number;
}

/** Files are read back and checked up to this size, all together. */
const CHECKED_BYTES = 32 * 1024 * 1024;
/** Batches between two looks at the event loop, where the worker's death would show. */
const BATCHES_PER_TURN = 64;

/** One row: frames written by wall clock, closing of the files included. Needs the built code (a worker thread cannot
 * load TypeScript) and about 1 kB of disk per packet; TMPDIR says where. */
export async function captureDisk(options: CaptureDiskOptions): Promise<BenchRow[]> {
  const { flows, rules, frame, format, load, packets, seed } = options;
  const directory = mkdtempSync(join(tmpdir(), 'vnetem-bench-capture-'));
  try {
    const run = await writeAll(options, directory);
    const { summary, seconds, lost, records } = run;
    const frames = summary.files.reduce((sum, file) => sum + file.frames, 0);
    const bytes = summary.files.reduce((sum, file) => sum + file.bytes, 0);
    const windows = run.windows.map((nsPerRecord) => (nsPerRecord * records) / frames);
    const syncMs = syncAll(summary);
    const outcome = checkFiles(summary, load === 'paced');
    const params = { flows, frame, format, load, rules, seed };
    const row = benchRow('capture-disk', params, windows, outcome, {
      wall: frames / seconds / 1e6,
      extra: {
        forwarded: packets,
        forwardedMpps: round(packets / run.forwardSeconds / 1e6),
        frames,
        lost,
        files: summary.files.length,
        bytesPerFrame: round(bytes / frames),
        bytesPerSecond: Math.round(bytes / seconds),
        syncMs: round(syncMs),
      },
    });
    return [row];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Written {
  readonly summary: CaptureSummary;
  /** Nanoseconds per tap record. */
  readonly windows: readonly number[];
  readonly records: number;
  readonly seconds: number;
  /** Until the worker had forwarded its last packet. */
  readonly forwardSeconds: number;
  readonly lost: number;
}

async function writeAll(options: CaptureDiskOptions, directory: string): Promise<Written> {
  const { flows, rules, frame, format, load, packets, seed } = options;
  const capture = new CaptureSession({ directory, format });
  capture.addSideTable(compileCaptured({ rules, seed }).sideTable);
  const signals = new Int32Array(new SharedArrayBuffer(SIGNAL_WORDS * 4));
  const start: CaptureLaneStart = { flows, rules, frame, seed, packets, isPaced: load === 'paced', signals };
  const worker = new Worker(new URL('../../dist/bench/capture-lane.js', import.meta.url), { workerData: start });
  const failure = new Promise<never>((_, reject) => worker.once('error', reject));
  try {
    const { buffer, sizes } = await Promise.race([readyOf(worker), failure]);
    const memory = new WorkerMemory(attachRegions(buffer, sizes));
    const begin = performance.now();
    setState(signals, RUNNING);
    const drained = await Promise.race([drain(memory, capture, signals), failure]);
    const lost = memory.regions.counters[COUNT.tapsLost];
    capture.noteLost(lost);
    const summary = await capture.close();
    const seconds = (performance.now() - begin) / 1e3;
    const { records, forwardedMs, windows } = drained;
    if (records + lost !== RECORDS_PER_PACKET * packets) throw new Error(`${records} records came, ${lost} were lost`);
    return { summary, windows, records, seconds, forwardSeconds: (forwardedMs - begin) / 1e3, lost };
  } finally {
    await worker.terminate();
  }
}

/** What the control thread of a run does: takes records and writes them, until worker and ring have no more. */
async function drain(
  memory: WorkerMemory,
  capture: CaptureSession,
  signals: Int32Array,
): Promise<{ records: number; forwardedMs: number; windows: number[] }> {
  const batch = new TapBatch();
  const windows: number[] = [];
  let records = 0;
  let forwardedMs = 0;
  let windowRecords = 0;
  let windowBegin = performance.now();
  for (let batches = 1; ; batches++) {
    if (batches % BATCHES_PER_TURN === 0) await nextTurn();
    const isDone = Atomics.load(signals, S_STATE) === DONE;
    if (isDone && forwardedMs === 0) forwardedMs = performance.now();
    memory.takeTaps(batch);
    if (batch.count === 0) {
      if (isDone) break;
      Atomics.wait(signals, S_STATE, RUNNING, 1);
      continue;
    }
    records += batch.count;
    capture.write(batch);
    batch.clear();
    if (records - windowRecords < WINDOW) continue;
    const now = performance.now();
    windows.push(((now - windowBegin) * 1e6) / (records - windowRecords));
    windowBegin = now;
    windowRecords = records;
  }
  return { records, forwardedMs, windows };
}

function readyOf(worker: Worker): Promise<CaptureLaneReady> {
  return new Promise((resolve) => worker.once('message', resolve));
}

function setState(signals: Int32Array, state: number): void {
  Atomics.store(signals, S_STATE, state);
  Atomics.notify(signals, S_STATE);
}

/** Holds sizes against what the session says, and the first files' frames; the hash is of what does not depend on time:
 * with losses that is which files there are. */
function checkFiles({ files }: CaptureSummary, isComplete: boolean): string {
  const hash = new OutcomeHash();
  let read = 0;
  for (const { path, fileName, frames, bytes } of files) {
    if (statSync(path).size !== bytes) throw new Error(`${fileName} has ${statSync(path).size} bytes, not ${bytes}`);
    for (const letter of fileName) hash.add(letter.charCodeAt(0));
    if (isComplete) hash.add(frames);
    if (read > CHECKED_BYTES) continue;
    read += bytes;
    const contents = readCapture(readFileSync(path), fileName);
    if (contents.issues.length > 0) throw new Error(`${fileName}: ${contents.issues[0]?.message}`);
    if (contents.frames.length !== frames)
      throw new Error(`${fileName}: ${contents.frames.length} of ${frames} frames`);
  }
  return hash.hex;
}

/** Milliseconds until the disk has everything. */
function syncAll({ files }: CaptureSummary): number {
  const begin = performance.now();
  for (const { path } of files) {
    const descriptor = openSync(path, 'r');
    fsyncSync(descriptor);
    closeSync(descriptor);
  }
  return performance.now() - begin;
}
