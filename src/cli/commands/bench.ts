// vnetem bench: throughput of the core on this machine, with its conditions; alone, beside native code, or through a
// network of the user's own.

import { accessSync, constants, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { AGAINST_TARGETS, runAgainst, type AgainstTarget } from '../../bench/against.ts';
import { BENCH_IDS, CASES } from '../../bench/cases.ts';
import { scalingChart } from '../../bench/chart.ts';
import { conditions } from '../../bench/conditions.ts';
import type { BenchRow } from '../../bench/figures.ts';
import { formatBench, formatConditions } from '../../bench/report.ts';
import { BenchFailure, covers, runBench } from '../../bench/run.ts';
import { benchUserNetwork } from '../../bench/topology.ts';
import { suggest } from '../../control/input/suggestions.ts';
import { JSON_OUTPUT, UsageError, numberOption, type ParsedArgs } from '../args.ts';
import type { Command } from '../command.ts';
import { EXIT_BUG, EXIT_OK } from '../exit.ts';
import { NETWORK_OPTIONS, readNetworkInput } from '../input.ts';
import { printIssues, type Output } from '../output.ts';

const SEED_DEFAULT = 7;

export const bench: Command = {
  spec: {
    name: 'bench',
    operands: '[TOPOLOGY…]',
    summary: 'Measures the forwarding core: flow hits with endpoint NAT, first packets, rules, captures, pushes.',
    details: [
      'Each case runs in a process of its own. Frames stay in memory: this is not the speed of a network card, nor of',
      'Azure. Rows with equal parameters must show equal outcomes; figures of a busy machine mean little.',
      'With TOPOLOGY, measures that network instead: every pair that may talk, by kind of path, through its groups,',
      'routes and endpoints.',
      '',
      `Cases: ${BENCH_IDS.join(', ')}`,
    ],
    options: [
      { name: 'only', kind: 'value', value: 'ID,…', text: 'cases to run; `flow-hit` means all that begin with it' },
      { name: 'seed', kind: 'value', value: 'N', text: `seed of rules and flows (default ${SEED_DEFAULT})` },
      { name: 'smoke', kind: 'flag', text: 'tiny sizes: shows that every case works, figures mean nothing' },
      {
        name: 'against',
        kind: 'value',
        value: 'LIST',
        text: `instead, run in turn with native code: ${AGAINST_TARGETS.join(', ')}; needs a C compiler`,
      },
      {
        name: 'chart',
        kind: 'value',
        value: 'FILE',
        text: 'also write a chart of throughput over flows, rules, workers (SVG)',
      },
      ...NETWORK_OPTIONS,
      { ...JSON_OUTPUT, text: 'print one JSON array of rows on standard output' },
    ],
    operandsMin: 0,
    operandsMax: Infinity,
  },
  async run(args, output) {
    const mode = modeOf(args);
    const settings = {
      seed: numberOption(args, 'seed', 1, 0x7fffffff) ?? SEED_DEFAULT,
      smoke: args.flag('smoke'),
      onCase: (text: string) => output.progress(`measuring ${text} …`),
    };
    try {
      const { rows, text } = await mode(settings, output);
      output.endProgress();
      if (args.flag('json')) output.json(rows);
      else output.line(text);
      return EXIT_OK;
    } catch (error) {
      if (!(error instanceof BenchFailure)) throw error;
      output.endProgress();
      output.problem(`error: ${error.message}`);
      return EXIT_BUG;
    }
  },
};

interface Settings {
  readonly seed: number;
  readonly smoke: boolean;
  readonly onCase: (text: string) => void;
}

interface Report {
  readonly rows: readonly BenchRow[];
  readonly text: string;
}

type Mode = (settings: Settings, output: Output) => Promise<Report>;

/** What the arguments ask for; throws UsageError before anything is measured. */
function modeOf(args: ParsedArgs): Mode {
  const only = listOf(args, 'only');
  for (const id of only) checkId(id);
  const targets = listOf(args, 'against').map(targetOf);
  const chart = args.value('chart');
  const isWhole = only.length === 0 && chart === undefined;
  if (args.operands.length > 0) {
    if (isWhole && targets.length === 0) return networkMode(args);
    throw new UsageError('a topology has measurements of its own', 'leave --only, --against and --chart away');
  }
  if (targets.length === 0) return casesMode(only, chart);
  if (isWhole) return againstMode(targets);
  throw new UsageError('--against has measurements of its own', 'leave --only and --chart away');
}

function casesMode(only: readonly string[], chart: string | undefined): Mode {
  // A run takes minutes: whether its chart can be written is asked first.
  if (chart !== undefined) accessSync(dirname(chart), constants.W_OK);
  return async (settings) => {
    const machine = conditions();
    const rows = await runBench({ only, ...settings });
    if (chart !== undefined) writeFileSync(chart, scalingChart(rows, machine));
    return { rows, text: formatBench(rows, machine) };
  };
}

function againstMode(targets: readonly AgainstTarget[]): Mode {
  return async (settings) => {
    const machine = conditions();
    const { rows, text } = await runAgainst(targets, settings);
    return { rows, text: `${formatConditions(machine)}\n\n${text}` };
  };
}

function networkMode(args: ParsedArgs): Mode {
  return async (settings, output) => {
    const { network, behaviour, issues } = readNetworkInput(args, args.operands);
    printIssues(output, issues);
    const machine = conditions();
    const rows = benchUserNetwork(network, { ...settings, behaviour });
    return { rows, text: formatBench(rows, machine) };
  };
}

function listOf(args: ParsedArgs, name: string): string[] {
  return (args.value(name) ?? '').split(',').filter((item) => item !== '');
}

function checkId(id: string): void {
  if (CASES.some(({ name, ids }) => ids.some((known) => covers(id, known, name)))) return;
  throw unknown('benchmark', id, BENCH_IDS);
}

function targetOf(name: string): AgainstTarget {
  const target = AGAINST_TARGETS.find((known) => known === name);
  if (target === undefined) throw unknown('opponent', name, AGAINST_TARGETS);
  return target;
}

function unknown(what: string, name: string, known: readonly string[]): UsageError {
  const near = suggest(name, known);
  const hint = near === undefined ? `${what}s: ${known.join(', ')}` : `did you mean '${near}'?`;
  return new UsageError(`unknown ${what} '${name}'`, hint);
}
