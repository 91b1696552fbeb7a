// Flow hits: TCP frames of known connections through private endpoints, half towards the service and half back, through
// the product's forwarder running a compiled program. The generator writes every frame into its slot and the sink reads
// every outcome; both are inside "end to end" and outside "processing".

import { benchRow, type BenchRow, type Params } from './figures.ts';
import { measureLane } from './measure.ts';
import { createFlowLane } from './traffic.ts';

export interface FlowHitOptions {
  readonly flows: number;
  readonly rules: number;
  /** Packets to measure end to end. */
  readonly packets: number;
  readonly seed: number;
}

/** Runs the benchmark; the two rows share one run. */
export function flowHit(options: FlowHitOptions): BenchRow[] {
  const { flows, rules, seed } = options;
  return flowRows('flow-hit', { flows, workers: 1, frame: 64, rules, seed }, options);
}

/** Frame sizes as Ethernet counts them; IMIX is the usual simple mix, 7 : 4 : 1. */
export const IMIX: readonly number[] = [64, 64, 594, 64, 64, 594, 64, 594, 64, 64, 594, 1518];

export interface FrameSizeOptions extends FlowHitOptions {
  /** Wire bytes, or the mix. */
  readonly frame: number | 'IMIX';
}

/** The same with other frame sizes. Ingress to egress is zero copy, so only the generator should notice. */
export function frameSize(options: FrameSizeOptions): BenchRow[] {
  const { flows, rules, seed, frame } = options;
  const frames = frame === 'IMIX' ? IMIX : [frame];
  return flowRows('frame-size', { flows, workers: 1, frame, rules, seed }, { ...options, frames });
}

function flowRows(id: string, params: Params, options: FlowHitOptions & { frames?: readonly number[] }): BenchRow[] {
  const { lane } = createFlowLane(options);
  const { endToEnd, processing, wall, outcome } = measureLane(lane, options);
  return [
    benchRow(`${id}/end-to-end`, params, endToEnd, outcome, { wall }),
    benchRow(`${id}/processing`, params, processing, outcome),
  ];
}
