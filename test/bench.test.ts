import { expect, test } from 'vitest';
import { BENCH_IDS, conditions, formatBench, runBench } from '../src/bench/report.ts';

function smoke(seed: number): ReturnType<typeof runBench> {
  return runBench({ only: [], seed, smoke: true, onCase: () => undefined });
}

test('every benchmark runs at its smoke size, and the same seed does the same work', () => {
  const [first, second] = [smoke(7), smoke(7)];
  expect(first.map((row) => row.id).toSorted()).toEqual([...BENCH_IDS].toSorted());
  expect(second.map((row) => row.outcome)).toEqual(first.map((row) => row.outcome));
  expect(smoke(8).map((row) => row.outcome)).not.toEqual(first.map((row) => row.outcome));
  for (const row of first) expect(row.nsPerPacket.best).toBeGreaterThan(0);
});

test('a report names its conditions, its parameters and its outcome', () => {
  const [row] = runBench({ only: ['nsg-compile'], seed: 7, smoke: true, onCase: () => undefined });
  const text = formatBench([row!], conditions());
  expect(text).toContain(`Node ${process.versions.node}`);
  expect(text).toContain('seed=7');
  expect(text).toContain(row!.outcome);
});
