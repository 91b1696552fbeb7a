// `vnetem bench TOPOLOGY`: throughput through a user's own network, his groups, routes and endpoints. The traffic comes
// from the network itself: every pair that may talk, by kind of path, found by asking the forwarder.
//
//   benchUserNetwork(network, { seed, smoke, onCase, behaviour? }): BenchRow[]
//
//   topology/flow-hit/end-to-end   known connections of one kind of path, both directions; `path=all` mixes them
//   topology/flow-hit/processing   the turns of the same run
//   topology/first-packet          SYNs of new connections of one kind of path
//   topology/denied                SYNs of pairs that may not talk; `extra` says what stopped how many of them
//
// Figures of an appliance are those of the leg to it. Each kind of path is measured in a process of its own.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { serialize } from 'node:v8';
import { compileNetwork, createRegistry } from '../control/compile/compile.ts';
import type { Compiled } from '../control/compile/compiled.ts';
import { InputError } from '../control/issues.ts';
import { behaviourOf, type Behaviour } from '../control/model/profile.ts';
import type { Network } from '../control/model/resources.ts';
import type { BenchRow } from './figures.ts';
import { BenchFailure } from './run.ts';
import { planDenied, planFirstPackets, planFlowHits, type Plan, type PlanHead } from './topology-plan.ts';
import { surveyNetwork, type Pair, type PathSurvey } from './topology-survey.ts';

export interface UserBenchOptions {
  readonly seed: number;
  /** Tiny sizes: figures mean nothing. */
  readonly smoke: boolean;
  /** Told before each measurement. */
  readonly onCase: (text: string) => void;
  /** What the input asked for; default: the default profile. */
  readonly behaviour?: Behaviour;
}

/** Every problem that measuring a network can find, by stable code. */
export const BENCH_ISSUE_CODES = {
  BENCH_NOTHING_TALKS: 'No pair of the network may talk, so there is nothing to measure.',
} as const;

interface Sizes {
  readonly pairsMax: number;
  readonly flows: number;
  readonly active: number;
  /** Packets of each kind of measurement. */
  readonly hits: number;
  readonly first: number;
  readonly denied: number;
}
const FULL: Sizes = {
  pairsMax: 4096,
  flows: 4096,
  active: 16_384,
  hits: 8_000_000,
  first: 400_000,
  denied: 1_000_000,
};
const SMOKE: Sizes = { pairsMax: 64, flows: 64, active: 64, hits: 8192, first: 2048, denied: 2048 };

/** Measures a validated network. Throws InputError when nothing in it may talk, BenchFailure when a process fails. */
export function benchUserNetwork(network: Network, options: UserBenchOptions): BenchRow[] {
  const sizes = options.smoke ? SMOKE : FULL;
  const compiled = compileNetwork(network, options.behaviour ?? behaviourOf(), {
    epoch: 1,
    registry: createRegistry(),
  });
  options.onCase('asking which pairs may talk');
  const surveys = surveyNetwork(compiled, { seed: options.seed, pairsMax: sizes.pairsMax });
  const open = surveys.filter(({ allowed }) => allowed.length > 0);
  if (open.length === 0) throw new InputError([nothingTalks(surveys)]);
  const rows: BenchRow[] = [];
  const measure = (text: string, plan: Plan): void => {
    options.onCase(text);
    rows.push(...runPlan(text, plan));
  };
  for (const survey of open) {
    measure(`${survey.path}: known flows`, flowHits(compiled, survey.allowed, sizes, headOf(survey, options)));
  }
  if (open.length > 1) {
    const extra = { pairs: open.reduce((sum, { allowed }) => sum + allowed.length, 0) };
    const head = { params: { path: 'all', workers: 1, frame: 64, seed: options.seed }, extra };
    measure('all paths: known flows', flowHits(compiled, interleaved(open), sizes, head));
  }
  for (const survey of open) {
    const head = { packets: sizes.first, ...headOf(survey, options) };
    const { program } = compiled;
    measure(`${survey.path}: first packets`, planFirstPackets(program, survey.allowed, sizes.active, head));
  }
  for (const survey of surveys.filter(({ denied }) => denied.length > 0)) {
    const head = { packets: sizes.denied, ...headOf(survey, options), extra: deniedBy(survey) };
    measure(`${survey.path}: denied`, planDenied(compiled.program, survey.denied, head));
  }
  return rows;
}

function flowHits(compiled: Compiled, pairs: readonly Pair[], sizes: Sizes, head: Omit<PlanHead, 'packets'>): Plan {
  return planFlowHits(compiled, pairs, sizes.flows, { packets: sizes.hits, ...head });
}

function headOf({ path, allowed, denied }: PathSurvey, { seed }: UserBenchOptions): Omit<PlanHead, 'packets'> {
  const extra = { 'pairs allowed': allowed.length, 'pairs denied': denied.length };
  return { params: { path, workers: 1, frame: 64, seed }, extra };
}

/** Pairs of all kinds in turn, so that each kind has its share of the flows. */
function interleaved(surveys: readonly PathSurvey[]): Pair[] {
  const longest = Math.max(...surveys.map(({ allowed }) => allowed.length));
  return Array.from({ length: longest }, (_, i) => surveys.map(({ allowed }) => allowed[i % allowed.length])).flat();
}

const REASONS_SHOWN = 5;

/** The most frequent reasons, and how many pairs each stopped. */
function deniedBy({ reasons, denied }: PathSurvey): Record<string, number> {
  const shown = [...reasons].slice(0, REASONS_SHOWN);
  const rest = denied.length - shown.reduce((sum, [, count]) => sum + count, 0);
  return { 'pairs denied': denied.length, ...Object.fromEntries(shown), ...(rest > 0 && { 'other reasons': rest }) };
}

function nothingTalks(surveys: readonly PathSurvey[]): InputError['issues'][number] {
  const found = surveys.flatMap((survey) => [...survey.reasons].map(([text, count]) => ({ text, count })));
  const [most] = found.toSorted((a, b) => b.count - a.count);
  const tried = found.reduce((sum, { count }) => sum + count, 0);
  return {
    code: 'BENCH_NOTHING_TALKS',
    severity: 'error',
    message:
      most === undefined
        ? 'the network has no NIC that could send to another NIC, an endpoint or an exit'
        : `none of ${tried} pairs may talk; most end as ${most.text}`,
    hint:
      most === undefined
        ? 'add network interfaces, and something that they can reach'
        : 'let `vnetem explain INPUT --from NIC --to HOST:PORT` show the rule or route that decides',
  };
}

/** Runs a plan in a process of its own. */
function runPlan(text: string, plan: Plan): BenchRow[] {
  const entry = fileURLToPath(new URL('../../dist/bench/topology-process.js', import.meta.url));
  if (!existsSync(entry)) throw new BenchFailure('dist/ is missing: run `npm run build` first');
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, [entry], { input: serialize(plan) });
  if (status === 0) return JSON.parse(stdout.toString()) as BenchRow[];
  throw new BenchFailure(
    `benchmark of ${text} ended with ${status ?? signal}\n  ${stderr.toString().trim().slice(0, 600)}`,
  );
}
