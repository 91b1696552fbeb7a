// Side by side: our forwarding core against others on this machine, in turn (ours, theirs, ours, theirs), each run in a
// process of its own, because only ratios within one session mean something.
//
//   c      processing only: our nanoseconds per packet divided by the twin's (bench/native). Lower is better.
//   dpdk   end to end, generator and sink included: our Mpps divided by the yardstick's. Higher is better.
//
// A rival that cannot be built here is named with the reason, and left out.

import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Ours, OursOptions } from './against-ours.ts';
import { RivalMissing, buildTwin, buildYardstick, type Twin, type Yardstick } from './against-rivals.ts';
import { round, type BenchRow, type Figures } from './figures.ts';

export const AGAINST_TARGETS = ['c', 'dpdk'] as const;
export type AgainstTarget = (typeof AGAINST_TARGETS)[number];

export interface AgainstOptions {
  /** Tiny sizes: shows that both sides run and do the same work, the figures mean nothing. */
  readonly smoke: boolean;
  readonly seed: number;
  /** Told before each run. */
  readonly onCase: (text: string) => void;
}

export interface AgainstReport {
  /** For people. */
  readonly text: string;
  /** One row per target, number of flows and pair. Figures are ours; `extra` holds theirs, the pair's `ratio` and the
   * `medianRatio` of all pairs. */
  readonly rows: readonly BenchRow[];
}

/** Compares with every target that can be built here. Throws when the twin does other work than the product. */
export async function runAgainst(targets: readonly AgainstTarget[], options: AgainstOptions): Promise<AgainstReport> {
  const folder = mkdtempSync(join(tmpdir(), 'vnetem-against-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const interrupted = (): void => {
    remove();
    process.exit(130);
  };
  process.once('SIGINT', interrupted);
  try {
    const texts: string[] = [];
    const rows: BenchRow[] = [];
    for (const target of targets) {
      const report = await compare(target, folder, options).catch((error: unknown) => {
        if (!(error instanceof RivalMissing)) throw error;
        return { text: `against ${target}: left out, ${error.message}`, rows: [] };
      });
      texts.push(report.text);
      rows.push(...report.rows);
    }
    return { text: texts.join('\n\n'), rows };
  } finally {
    process.off('SIGINT', interrupted);
    remove();
  }
}

/** One pair of runs at one number of flows. */
interface Pair {
  readonly ours: BenchRow;
  /** Ours divided by theirs. */
  readonly ratio: number;
  readonly theirs: Readonly<Record<string, number>>;
  /** Cells of the report's line. */
  readonly cells: readonly string[];
}

interface Rival {
  /** Lines that open its part of the report. */
  readonly head: readonly string[];
  readonly columns: readonly string[];
  readonly isHigherBetter: boolean;
  runPair(size: Size): Promise<Pair>;
}

interface Size {
  readonly flows: number;
  /** Rules of the network behind the traffic. */
  readonly rules: number;
  /** Packets of our run end to end; a quarter as many are processed in windows of their own. */
  readonly packets: number;
  /** Repetitions of the yardstick's run and their length in seconds. */
  readonly repetitions: number;
  readonly seconds: number;
}

const FULL: readonly Size[] = [
  { flows: 1024, rules: 1000, packets: 32_000_000, repetitions: 7, seconds: 0.3 },
  { flows: 65_536, rules: 1000, packets: 32_000_000, repetitions: 7, seconds: 0.3 },
  { flows: 1_048_576, rules: 1000, packets: 24_000_000, repetitions: 7, seconds: 0.3 },
];
const SMOKE: readonly Size[] = [{ flows: 64, rules: 10, packets: 16_384, repetitions: 1, seconds: 0.01 }];
const PAIRS = 3;

interface Goal {
  readonly must: number;
  readonly aim: number;
}

/** What the ratio must be and should be, by number of flows. */
const GOALS: Readonly<Record<AgainstTarget, ReadonlyMap<number, Goal>>> = {
  c: new Map([
    [1024, { must: 1.6, aim: 1.2 }],
    [65_536, { must: 1.7, aim: 1.3 }],
    [1_048_576, { must: 1.3, aim: 1.1 }],
  ]),
  dpdk: new Map([
    [1024, { must: 0.65, aim: 0.85 }],
    [65_536, { must: 0.6, aim: 0.8 }],
    [1_048_576, { must: 0.7, aim: 0.9 }],
  ]),
};

async function compare(target: AgainstTarget, folder: string, options: AgainstOptions): Promise<AgainstReport> {
  const rival =
    target === 'c'
      ? twinRival(await buildTwin(folder), folder, options.seed)
      : yardstickRival(await buildYardstick(folder), options.seed);
  const rows: BenchRow[] = [];
  const table: (readonly string[])[] = [['flows', 'pair', ...rival.columns, 'ratio']];
  for (const size of options.smoke ? SMOKE : FULL) {
    const pairs: Pair[] = [];
    for (let i = 1; i <= (options.smoke ? 1 : PAIRS); i++) {
      options.onCase(`against ${target}, ${size.flows} flows, pair ${i}`);
      const pair = await rival.runPair(size);
      pairs.push(pair);
      table.push([String(size.flows), String(i), ...pair.cells, pair.ratio.toFixed(2)]);
    }
    const medianRatio = median(pairs.map(({ ratio }) => ratio));
    const goal = GOALS[target].get(size.flows);
    const verdict = goal === undefined ? '' : goalText(medianRatio, goal, rival.isHigherBetter);
    table.push(['', 'median', ...rival.columns.map(() => ''), `${medianRatio.toFixed(2)}${verdict}`]);
    pairs.forEach((pair, i) => rows.push(rowOf(pair, i + 1, medianRatio, goal)));
  }
  return { text: [...rival.head, '', ...aligned(table)].join('\n'), rows };
}

function twinRival(twin: Twin, folder: string, seed: number): Rival {
  return {
    head: [
      'against c: the same hit path in C over the same memory; processing only, ns per packet, lower is better',
      `twin: ${twin.built}; its generator and sink (medians) are not in the ratio; equal outcomes: the same work`,
      'ratio: of the medians; where other load disturbs the run, that of the first deciles is the steadier one',
    ],
    columns: ['our best', 'p10', 'median', 'twin best', 'p10', 'median', 'generator', 'sink', 'outcome', 'p10 ratio'],
    isHigherBetter: false,
    async runPair({ flows, rules, packets }) {
      const snapshot = join(folder, 'snapshot');
      const ours = (await runOurs({ flows, rules, packets, seed, snapshot })).processing;
      const theirs = await twin.run(snapshot, packets / 4);
      rmSync(snapshot);
      if (theirs.outcome !== ours.outcome) {
        throw new Error(
          `${flows} flows: our outcome is ${ours.outcome}, the twin's ${theirs.outcome}: not the same work`,
        );
      }
      const { processing, generator, sink } = theirs;
      const p10Ratio = ours.nsPerPacket.p10 / processing.p10;
      return {
        ours,
        ratio: ours.nsPerPacket.median / processing.median,
        theirs: {
          theirNsBest: processing.best,
          theirNsP10: processing.p10,
          theirNsMedian: processing.median,
          theirGeneratorNs: generator.median,
          theirSinkNs: sink.median,
          p10Ratio: round(p10Ratio),
        },
        cells: [
          cells(ours.nsPerPacket),
          cells(processing),
          [generator.median.toFixed(1), sink.median.toFixed(1), ours.outcome, p10Ratio.toFixed(2)],
        ].flat(),
      };
    },
  };
}

function yardstickRival(yardstick: Yardstick, seed: number): Rival {
  return {
    head: [
      'against dpdk: a pipeline on DPDK libraries, mode fast, own hash table, IPv4 checksum verified; end to end with',
      'generator and sink, Mpps, median of repetitions by the wall clock, higher is better',
      `yardstick: ${yardstick.built}`,
    ],
    columns: ['our Mpps', 'theirs'],
    isHigherBetter: true,
    async runPair({ flows, rules, packets, repetitions, seconds }) {
      const ours = (await runOurs({ flows, rules, packets, seed })).endToEnd;
      const mpps = ours.extra?.['repetitions'] ?? ours.mpps.wall;
      const theirs = await yardstick.run(flows, repetitions, seconds);
      return {
        ours,
        ratio: mpps / theirs,
        theirs: { theirMpps: theirs },
        cells: [mpps.toFixed(1), theirs.toFixed(1)],
      };
    },
  };
}

async function runOurs(options: OursOptions): Promise<Ours> {
  const entry = fileURLToPath(new URL('../../dist/bench/against-ours.js', import.meta.url));
  if (!existsSync(entry)) throw new Error('dist/ is missing: run `npm run build` first');
  const { stdout } = await promisify(execFile)(process.execPath, [entry, JSON.stringify(options)]);
  return JSON.parse(stdout) as Ours;
}

function rowOf(pair: Pair, number: number, medianRatio: number, goal: Goal | undefined): BenchRow {
  const { ours, theirs, ratio } = pair;
  const ratios = { ratio: round(ratio), medianRatio: round(medianRatio) };
  const params = { ...ours.params, pair: number };
  return { ...ours, params, extra: { ...ours.extra, ...theirs, ...ratios, ...goal } };
}

function goalText(ratio: number, goal: Goal, isHigherBetter: boolean): string {
  const verdict = (limit: number): string => ((isHigherBetter ? ratio >= limit : ratio <= limit) ? 'met' : 'missed');
  return `  must ${goal.must} ${verdict(goal.must)}, aim ${goal.aim} ${verdict(goal.aim)}`;
}

function cells({ best, p10, median: middle }: Figures): string[] {
  return [best, p10, middle].map((ns) => ns.toFixed(1));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

function aligned(table: readonly (readonly string[])[]): string[] {
  const widths = (table[0] ?? []).map((name, i) =>
    Math.max(name.length, ...table.map((row) => (i === row.length - 1 ? 0 : (row[i]?.length ?? 0)))),
  );
  return table.map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
