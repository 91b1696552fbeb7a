// The benchmarks of single look-ups at tiny sizes: they check their own answers, and equal seeds do equal work.

import { describe, expect, test } from 'vitest';
import { classify } from '../../src/bench/classify.ts';
import type { BenchRow } from '../../src/bench/figures.ts';
import { lpm } from '../../src/bench/lpm.ts';
import { nsgCompile } from '../../src/bench/nsg-compile.ts';

const lookups = 4096;

describe.each<[string, (seed: number) => BenchRow[], Record<string, unknown>]>([
  [
    'classify',
    (seed) => classify({ rules: 20, prefixes: 80, set: 'one side', lookups, seed }),
    { rules: 20, prefixes: 80, set: 'one side', seed: 7 },
  ],
  [
    'classify',
    (seed) => classify({ rules: 40, prefixes: 160, set: 'both sides', lookups, seed }),
    { rules: 40, prefixes: 160, set: 'both sides', seed: 7 },
  ],
  ['lpm', (seed) => lpm({ routes: 30, lookups, seed }), { routes: 30, seed: 7 }],
  [
    'nsg-compile',
    (seed) => nsgCompile({ rules: 10, prefixes: 40, repetitions: 2, seed }),
    { rules: 10, prefixes: 40, groups: 2, seed: 7 },
  ],
])('%s', (id, run, params) => {
  test('yields one row that names its sizes and its seed', () => {
    const rows = run(7);
    expect(rows.map((row) => row.id)).toEqual([id]);
    expect(rows[0]!.params).toEqual(params);
    expect(rows[0]!.nsPerPacket.best).toBeGreaterThan(0);
    expect(rows[0]!.mpps.wall).toBeGreaterThan(0);
  });

  test('does the same work for the same seed, and other work for another', () => {
    expect(run(7)[0]!.outcome).toBe(run(7)[0]!.outcome);
    expect(run(8)[0]!.outcome).not.toBe(run(7)[0]!.outcome);
  });
});
