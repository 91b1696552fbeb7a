// NSG compile: from resource objects to the program's rule sets, for two groups of the given size.

import { OutcomeHash, benchRow, type BenchRow } from './figures.ts';
import { benchCompiled, benchNetwork } from './network.ts';

export interface NsgCompileOptions {
  readonly rules: number;
  readonly prefixes: number;
  readonly repetitions: number;
  readonly seed: number;
}

/** One row; nanoseconds per compile of the whole network. `extra` has the time of the first one, nothing being warm. */
export function nsgCompile({ rules, prefixes, repetitions, seed }: NsgCompileOptions): BenchRow[] {
  const network = benchNetwork({ clients: 2, endpoints: 1, rules, prefixes, seed });
  const windows: number[] = [];
  const hash = new OutcomeHash();
  for (let i = 0; i < repetitions; i++) {
    const begin = performance.now();
    const { program } = benchCompiled(network, i + 1);
    windows.push((performance.now() - begin) * 1e6);
    if (i > 0) continue;
    for (const set of program.ruleSets) for (const word of set.table) hash.add(word);
  }
  const extra = { firstMs: Math.round(windows[0] / 1e4) / 100 };
  return [benchRow('nsg-compile', { rules, prefixes, groups: 2, seed }, windows, hash.hex, { extra })];
}
