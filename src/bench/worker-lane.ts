// A thread of the workers benchmark: opens its share of the connections, warms up, then replays windows while it may.

import { parentPort, workerData } from 'node:worker_threads';
import { createPump, hashOutcomes, replayLoad } from './measure.ts';
import { createFlowLane } from './traffic.ts';
import {
  PARK,
  STOP,
  WORKER_WORDS,
  W_STATE,
  W_WINDOWS,
  type WorkerLaneReady,
  type WorkerLaneStart,
} from './worker-contract.ts';

const WARM_PACKETS = 400_000;

const { control, number, ...options } = workerData as WorkerLaneStart;
const { lane } = createFlowLane(options);
const load = replayLoad(lane);
const outcome = hashOutcomes(lane, load, lane.templateCount);
const pump = createPump(lane, load);
pump.warmUp(Math.min(WARM_PACKETS, options.flows * 64));
parentPort?.postMessage({ outcome } satisfies WorkerLaneReady);

const state = number * WORKER_WORDS + W_STATE;
const windows = number * WORKER_WORDS + W_WINDOWS;
for (;;) {
  const wanted = Atomics.load(control, state);
  if (wanted === STOP) break;
  if (wanted === PARK) {
    Atomics.wait(control, state, PARK);
    continue;
  }
  pump.endToEndWindow();
  Atomics.add(control, windows, 1);
}
pump.checkDrops();
