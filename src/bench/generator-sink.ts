// Generator and sink apart: what "end to end" adds to "processing". The generator's frames are taken by nobody; the
// sink reads the same outcomes again and again.

import { CONTROL } from '../abi/regions.ts';
import { WINDOW, benchRow, type BenchRow } from './figures.ts';
import type { FlowHitOptions } from './flow-hit.ts';
import { BATCH, type Lane } from './lane.ts';
import { hashOutcomes, replayLoad } from './measure.ts';
import { createFlowLane } from './traffic.ts';

const WARM_BATCH = 16;

/** Runs both; `packets` of each. */
export function generatorAndSink(options: FlowHitOptions): BenchRow[] {
  const { lane } = createFlowLane(options);
  const outcome = hashOutcomes(lane, replayLoad(lane), WINDOW);
  const { flows, rules, seed } = options;
  const params = { flows, workers: 1, frame: 64, rules, seed };
  return [
    benchRow('generator', params, windowsOf(options.packets, generatorWindow(lane)), outcome),
    benchRow('sink', params, windowsOf(options.packets, sinkWindow(lane)), outcome),
  ];
}

function windowsOf(packets: number, runWindow: (size: number) => void): number[] {
  for (let warm = 0; warm < packets; warm += WINDOW) runWindow(WARM_BATCH);
  const windows: number[] = [];
  for (let done = 0; done < packets; done += WINDOW) {
    const begin = performance.now();
    runWindow(BATCH);
    windows.push(((performance.now() - begin) * 1e6) / WINDOW);
  }
  return windows;
}

function generatorWindow(lane: Lane): (size: number) => void {
  const { generate } = lane;
  const { control } = lane.regions;
  return (size) => {
    for (let done = 0; done < WINDOW; done += size) {
      generate(size, 1);
      Atomics.store(control, CONTROL.ingressTail, control[CONTROL.ingressHead]);
    }
  };
}

function sinkWindow(lane: Lane): (size: number) => void {
  const { generate, turn, sink } = lane;
  const { control } = lane.regions;
  generate(BATCH, 1);
  turn();
  sink();
  return (size) => {
    for (let done = 0; done < WINDOW; done += size) {
      control[CONTROL.egressTail] = (control[CONTROL.egressHead] - size) | 0;
      sink();
    }
  };
}
