// The band, as cloud benchmarks report it: the best case (one flow), the usual one (many flows), many flows with new
// connections among them, and the worst case (every packet walks the slow path, and every second one is dropped at its
// end). Figures are end to end; `processingNs` is the median of the turns alone.

import { IDLE_MS_DEFAULT } from '../abi/limits.ts';
import { TCP_SYN } from '../wire/index.ts';
import { benchRow, round, type BenchRow, type Params } from './figures.ts';
import { createLane, type Lane } from './lane.ts';
import { measureLane, type Load, type MeasureOptions } from './measure.ts';
import { createNewcomers, type Newcomers } from './newcomers.ts';
import { SQL_PORT, createFlowLane, createTraffic } from './traffic.ts';

export interface BandOptions {
  readonly flows: number;
  readonly rules: number;
  readonly packets: number;
  readonly seed: number;
}

export interface NewInMixOptions extends BandOptions {
  /** New connections per hundred packets. */
  readonly percent: number;
  /** New connections alive at any time, beside the known flows. */
  readonly active: number;
}

/** A single flow: everything in the first-level cache. */
export function oneFlow(options: BandOptions): BenchRow[] {
  return knownFlows('band/one-flow', { ...options, flows: 1 });
}

/** Uniform traffic of many flows. */
export function manyFlows(options: BandOptions): BenchRow[] {
  return knownFlows('band/many-flows', options);
}

function knownFlows(id: string, options: BandOptions): BenchRow[] {
  const { lane } = createFlowLane(options);
  return [bandRow(id, paramsOf(options), lane, options)];
}

/** Many flows, and among them SYNs of connections nobody has seen; as many old ones end. */
export function newInMix(options: NewInMixOptions): BenchRow[] {
  const { flows, active, percent } = options;
  const { lane, traffic } = createFlowLane(options, { connections: flows / 2 + 2 * active + 1024 });
  const syn = createNewcomers(lane, traffic, 'forward', TCP_SYN);
  const load = mixedLoad(lane, syn, flows, Math.round(100 / percent), IDLE_MS_DEFAULT / active);
  const warmUp = Math.ceil((active * 150) / percent);
  const params = { ...paramsOf(options), newPercent: percent, active };
  return [bandRow(`band/new-${percent}`, params, lane, { ...options, load, warmUp })];
}

/** Nothing but new connections; every second one asks for a port that the endpoint does not serve, and is dropped
 * after all rules were asked. */
export function worstCase(options: BandOptions & { readonly active: number }): BenchRow[] {
  const { active, rules, seed } = options;
  const traffic = createTraffic(options);
  const lane = createLane({ program: traffic.compiled.program, connections: 2 * active + 1024 });
  const served = createNewcomers(lane, traffic, 'forward', TCP_SYN);
  const refused = createNewcomers(lane, traffic, 'forward', TCP_SYN, SQL_PORT + 1);
  const load = worstLoad(served, refused, IDLE_MS_DEFAULT / active);
  const params = { flows: 0, workers: 1, frame: 64, rules, seed, active };
  return [bandRow('band/worst', params, lane, { ...options, load, warmUp: active * 3 })];
}

function paramsOf({ flows, rules, seed }: BandOptions): Params {
  return { flows, workers: 1, frame: 64, rules, seed };
}

function bandRow(id: string, params: Params, lane: Lane, options: MeasureOptions): BenchRow {
  const { endToEnd, processing, wall, outcome } = measureLane(lane, options);
  const middle = processing.toSorted((a, b) => a - b)[processing.length >> 1] ?? 0;
  return benchRow(id, params, endToEnd, outcome, { wall, extra: { processingNs: round(middle) } });
}

/** Known flows with one new connection in every `every` packets, numbered from `first` on. */
function mixedLoad(lane: Lane, syn: Newcomers, first: number, every: number, msPerConnection: number): Load {
  const { generate } = lane;
  let opened = 0;
  let untilNext = every;
  return {
    write(count) {
      const nowMs = 1 + Math.floor(opened * msPerConnection);
      for (let left = count; left > 0;) {
        const known = Math.min(left, untilNext - 1);
        generate(known, nowMs);
        left -= known;
        untilNext -= known;
        if (left === 0) return;
        syn(first + opened++, 1, nowMs);
        left--;
        untilNext = every;
      }
    },
    expectedDrops: () => 0,
  };
}

function worstLoad(served: Newcomers, refused: Newcomers, msPerConnection: number): Load {
  let opened = 0;
  return {
    write(count) {
      const half = count >> 1;
      const nowMs = Math.floor(opened * msPerConnection);
      served(opened, half, nowMs);
      refused(opened, half, nowMs);
      opened += half;
    },
    expectedDrops: () => opened,
  };
}
