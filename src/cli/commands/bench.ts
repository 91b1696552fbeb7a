// vnetem bench: throughput of the core on this machine, with its conditions.

import { BENCH_IDS, conditions, formatBench, runBench } from '../../bench/report.ts';
import { suggest } from '../../control/input/suggestions.ts';
import { JSON_OUTPUT, UsageError, numberOption } from '../args.ts';
import type { Command } from '../command.ts';
import { EXIT_OK } from '../exit.ts';

const SEED_DEFAULT = 7;

export const bench: Command = {
  spec: {
    name: 'bench',
    operands: '',
    summary: 'Measures the forwarding core: flow hits with endpoint NAT, first packets, NSG compile.',
    details: [
      'Frames are 64 bytes and stay in memory: this is not the speed of a network card, nor of Azure.',
      'Rows with equal parameters must show equal outcomes; figures of a busy machine mean little.',
    ],
    options: [
      { name: 'only', kind: 'value', value: 'ID,…', text: `cases to run: ${BENCH_IDS.join(', ')}` },
      { name: 'seed', kind: 'value', value: 'N', text: `seed of rules and flows (default ${SEED_DEFAULT})` },
      { name: 'smoke', kind: 'flag', text: 'tiny sizes: shows that every case works, figures mean nothing' },
      JSON_OUTPUT,
    ],
    operandsMin: 0,
    operandsMax: 0,
  },
  run(args, output) {
    const only = (args.value('only') ?? '').split(',').filter((id) => id !== '');
    for (const id of only) {
      if (BENCH_IDS.some((known) => known === id)) continue;
      const near = suggest(id, BENCH_IDS);
      throw new UsageError(
        `unknown benchmark '${id}'`,
        near === undefined ? `benchmarks: ${BENCH_IDS.join(', ')}` : `did you mean '${near}'?`,
      );
    }
    const machine = conditions();
    const rows = runBench({
      only,
      seed: numberOption(args, 'seed', 1, 0x7fffffff) ?? SEED_DEFAULT,
      smoke: args.flag('smoke'),
      onCase: (text) => output.progress(`measuring ${text} …`),
    });
    output.endProgress();
    if (args.flag('json')) output.json(rows);
    else output.line(formatBench(rows, machine));
    return EXIT_OK;
  },
};
