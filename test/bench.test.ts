// The benchmarks at smoke size, so that none can rot. Figures mean nothing here; the rows' form and outcomes do.

import { describe, expect, test } from 'vitest';
import { BENCH_IDS, CASES } from '../src/bench/cases.ts';
import { conditions } from '../src/bench/conditions.ts';
import { OutcomeHash, benchRow, type BenchRow } from '../src/bench/figures.ts';
import { formatBench } from '../src/bench/report.ts';
import { BenchFailure, covers, runBench, runInProcess } from '../src/bench/run.ts';

/** Worker threads and processes start slowly on a busy machine. */
const TIMEOUT_MS = 60_000;

/** In processes of their own, as the command runs them. */
function smoke(only: readonly string[], seed = 7): Promise<BenchRow[]> {
  return runBench({ only, seed, smoke: true, onCase: () => undefined });
}

describe.each(CASES)('$name', ({ ids, smoke: sizes, full }) => {
  async function rowsOf(seed: number): Promise<BenchRow[]> {
    const rows: BenchRow[] = [];
    for (const size of sizes) rows.push(...(await size.run(seed)));
    return rows;
  }

  test('runs at its smoke size, and the same seed does the same work', { timeout: TIMEOUT_MS }, async () => {
    const first = await rowsOf(7);
    expect(new Set(first.map((row) => row.id))).toEqual(new Set(ids));
    for (const row of first) checkForm(row);
    const second = await rowsOf(7);
    const work = (row: BenchRow) => [row.id, row.params, row.outcome];
    expect(second.map(work)).toEqual(first.map(work));
  });

  test('has sizes to quote and sizes to test', () => {
    expect(full.length).toBeGreaterThan(0);
    expect(sizes.length).toBeGreaterThan(0);
  });
});

function checkForm(row: BenchRow): void {
  expect(Object.keys(row.nsPerPacket)).toEqual(['best', 'p10', 'median']);
  expect(Object.keys(row.mpps)).toEqual(['best', 'p10', 'median', 'wall']);
  // A tap's cost is the difference of two figures: at this size it may be anything.
  if (row.id !== 'capture-tap') {
    const { best, p10, median } = row.nsPerPacket;
    expect([best, p10, median], row.id).toEqual([best, p10, median].toSorted((a, b) => a - b));
    for (const figure of [best, ...Object.values(row.mpps)]) expect(figure, row.id).toBeGreaterThan(0);
  }
  expect(row.outcome).toMatch(/^[0-9a-f]{8}$/);
  expect(row.params['seed']).toBe(7);
  for (const [figure, value] of Object.entries(row.extra ?? {}))
    expect(value, `${row.id} ${figure}`).toEqual(expect.any(Number));
}

test('the registry has every benchmark that was promised, and no name twice', () => {
  expect(BENCH_IDS).toEqual(
    expect.arrayContaining([
      'flow-hit/end-to-end',
      'flow-hit/processing',
      'first-packet',
      'nsg-compile',
      'classify',
      'lpm',
      'capture-tap',
      'capture-disk',
      'push-under-load',
      'band/one-flow',
      'band/many-flows',
      'band/new-1',
      'band/new-10',
      'band/worst',
      'generator',
      'sink',
      'workers',
      'memory',
    ]),
  );
  const names = CASES.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

test('two workers are flow hits of two workers, with their ratio to one', { timeout: TIMEOUT_MS }, async () => {
  const [row] = await smoke(['workers']);
  expect(row).toMatchObject({ id: 'flow-hit/end-to-end', params: { workers: 2 } });
  expect(row?.extra?.['ratio']).toBeGreaterThan(0);
});

test('another seed does other work', { timeout: TIMEOUT_MS }, async () => {
  const [seven, eight] = [await smoke(['flow-hit/processing']), await smoke(['flow-hit/processing'], 8)];
  expect(seven.map((row) => row.id)).toEqual(['flow-hit/processing']);
  expect(eight[0]?.outcome).not.toBe(seven[0]?.outcome);
});

test('a benchmark that fails ends the run in its own words', { timeout: TIMEOUT_MS }, async () => {
  const failing = runInProcess('flow-hit (none)', { number: 999, size: 0, seed: 7, smoke: true });
  await expect(failing).rejects.toThrow(/^benchmark flow-hit \(none\) ended with 1\n[^]*there is no case 999/);
  await expect(failing).rejects.toThrow(BenchFailure);
});

test.each([
  ['flow-hit', 'flow-hit/processing', true],
  ['flow-hit/processing', 'flow-hit/processing', true],
  ['flow-hit/proc', 'flow-hit/processing', false],
  ['flow', 'flow-hit/processing', false],
  ['first-packet', 'first-packet/closed', true],
])('--only %s: is %s meant? %s', (given, id, isMeant) => {
  expect(covers(given, id)).toBe(isMeant);
});

describe('a row', () => {
  const windows = Array.from({ length: 2000 }, (_, i) => 2000 - i);

  test('has the 0.1 percentile, the first decile and the median of its windows, and rates of the same', () => {
    const { nsPerPacket, mpps } = benchRow('x', {}, windows, '0');
    expect(nsPerPacket).toEqual({ best: 3, p10: 201, median: 1001 });
    expect(mpps).toEqual({ best: 333.33, p10: 4.98, median: 0.999, wall: 1 });
  });

  test('has its own wall clock when windows do not say it', () => {
    expect(benchRow('x', {}, windows, '0', { wall: 12.345 }).mpps.wall).toBe(12.35);
  });

  test('has figures of its own only where there are some', () => {
    expect(benchRow('x', {}, windows, '0')).not.toHaveProperty('extra');
    expect(benchRow('x', {}, windows, '0', { extra: { ratio: 2 } }).extra).toEqual({ ratio: 2 });
  });
});

test('a report names its conditions, its parameters, its outcome and what only this case has', () => {
  const row = benchRow('workers', { flows: 64, seed: 7 }, [20, 30, 40], 'deadbeef', { extra: { ratio: 1.96 } });
  const text = formatBench([row], conditions());
  expect(text).toContain(`Node ${process.versions.node}, V8 ${process.versions.v8}`);
  expect(text).toMatch(/workers +flows=64 seed=7 +20\.0 +20\.0 +30\.0 +33\.33 +33\.33 +deadbeef +ratio 1\.96$/m);
});

test('a report of a busy machine says so', () => {
  const machine = { ...conditions(), cores: 2, load: 2.5 };
  expect(formatBench([], machine)).toContain('warning: the machine is busy');
  expect(formatBench([], { ...machine, load: 0.4 })).not.toContain('warning');
});

test('an outcome hash depends on every bit and on the order', () => {
  const hashOf = (...words: number[]): string => {
    const hash = new OutcomeHash();
    for (const word of words) hash.add(word);
    return hash.hex;
  };
  expect(hashOf(1, 2)).not.toBe(hashOf(2, 1));
  expect(hashOf(0x8000_0000)).not.toBe(hashOf(0));
  expect(hashOf(-1)).toBe(hashOf(0xffff_ffff));
});
