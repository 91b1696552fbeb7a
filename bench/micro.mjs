// Micro-benchmarks of single functions, with tinybench: `npm run bench -- --only micro`. Whole rounds of calls are
// timed, never one call. Run by `vnetem bench` where this file is, that is in the repository.

import { Bench } from 'tinybench';
import { createRegions, regionSizes } from '../dist/abi/regions.js';
import { OutcomeHash, benchRow } from '../dist/bench/figures.js';
import { FlowTable } from '../dist/dataplane/flow-table.js';
import { buildFrame, hashFiveTuple, internetChecksum, updateChecksum32 } from '../dist/wire/index.js';

const CALLS = 1024;

/** One row per function; nanoseconds per call. `ms` is the time for each. */
export async function micro({ ms, seed }) {
  const bench = new Bench({ time: ms, warmupTime: ms / 4, retainSamples: true });
  const functions = functionsUnderTest(seed);
  const results = new Int32Array(1);
  for (const [name, call] of functions) {
    bench.add(name, () => {
      let kept = 0;
      for (let i = 0; i < CALLS; i++) kept ^= call(i);
      results[0] = kept;
    });
  }
  await bench.run();
  return bench.tasks.map(({ name, result }) => {
    if (result.error !== undefined) throw result.error;
    const hash = new OutcomeHash();
    const call = functions.get(name);
    for (let i = 0; i < CALLS; i++) hash.add(call(i));
    const windows = result.latency.samples.map((milliseconds) => (milliseconds * 1e6) / CALLS);
    return benchRow('micro', { function: name, seed }, windows, hash.hex);
  });
}

function functionsUnderTest(seed) {
  const frame = buildFrame({ src: 0x0a000004, dst: 0x0a000105, tcp: { srcPort: 50000, dstPort: 1433, flags: 2 } });
  const view = new DataView(frame.buffer);
  const table = new FlowTable(createRegions(regionSizes({ connections: CALLS, slots: 64, capture: false })));
  const ports = (i) => (i + seed) | (0x9905 << 16);
  for (let i = 0; i < CALLS; i++) table.insert(0x0400000a, 0x0501000a, ports(i), 300);
  return new Map([
    ['checksum', () => internetChecksum(view, 14, 20)],
    ['checksum-update', (i) => updateChecksum32(0x1234, i, i + seed)],
    ['five-tuple-hash', (i) => hashFiveTuple(6, 0x0a000004, 0x0a000105, i + seed, 1433)],
    ['flow-table-hit', (i) => table.find(0x0400000a, 0x0501000a, ports(i), 300)],
  ]);
}
