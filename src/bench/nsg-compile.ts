// NSG compile: from resource objects to the program's rule sets, for two groups of the given size.

import { figuresOf, OutcomeHash, round, type BenchRow } from './figures.ts';
import { benchCompiled, benchNetwork } from './network.ts';

export interface NsgCompileOptions {
  readonly rules: number;
  readonly prefixes: number;
  readonly repetitions: number;
  readonly seed: number;
}

/** Figures are nanoseconds per compile; `mpps` is compiles per microsecond. */
export function nsgCompile(options: NsgCompileOptions): BenchRow {
  const size = { clients: 2, endpoints: 1, rules: options.rules, prefixes: options.prefixes, seed: options.seed };
  const network = benchNetwork(size);
  const windows: number[] = [];
  const hash = new OutcomeHash();
  for (let i = 0; i < options.repetitions; i++) {
    const before = process.hrtime.bigint();
    const { program } = benchCompiled(network, i + 1);
    windows.push(Number(process.hrtime.bigint() - before));
    if (i > 0) continue;
    for (const set of program.ruleSets) for (const word of set.bits) hash.add(word);
  }
  const figures = figuresOf(windows);
  return {
    id: 'nsg-compile',
    params: { rules: options.rules, prefixes: options.prefixes, groups: 2, seed: options.seed },
    nsPerPacket: figures,
    mpps: round(1e3 / figures.median),
    outcome: hash.hex,
  };
}
