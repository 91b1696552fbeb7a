// The worker of the capture benchmark: a lane whose every packet is tapped twice. Packets get ids and stamps that count
// up, as those of a run do.

import { parentPort, workerData } from 'node:worker_threads';
import { CONTROL, INGRESS_WORDS, IN_PACKET, IN_TIME_HIGH, IN_TIME_LOW } from '../abi/regions.ts';
import {
  DONE,
  RUNNING,
  S_STATE,
  WAITING,
  compileCaptured,
  type CaptureLaneReady,
  type CaptureLaneStart,
} from './capture-contract.ts';
import { BATCH, createLane, type Lane } from './lane.ts';
import { connectionFrame, openConnection, trafficOf } from './traffic.ts';
import { TCP_ACK } from '../wire/index.ts';

/** Virtual time between two packets. */
const NS_PER_PACKET = 100;
const WARM_BATCH = 16;
const WARM_PACKETS = 200_000;
const SLOTS = 1024;
const WHOLE_FRAMES = 0x7fffffff;
const TWO_32 = 0x1_0000_0000;

const start = workerData as CaptureLaneStart;
const lane = createOpenLane(start);
const { control, ingress, taps, buffer, sizes } = lane.regions;
const { signals } = start;
let sent = 0;

for (let warm = 0; warm < WARM_PACKETS; warm += WARM_BATCH) {
  pass(WARM_BATCH);
  forgetTaps();
}
sent = 0;
parentPort?.postMessage({ buffer, sizes } satisfies CaptureLaneReady);
while (Atomics.load(signals, S_STATE) !== RUNNING) Atomics.wait(signals, S_STATE, WAITING);
while (sent < start.packets) {
  if (start.isPaced) awaitRoom();
  pass(Math.min(BATCH, start.packets - sent));
}
Atomics.store(signals, S_STATE, DONE);
Atomics.notify(signals, S_STATE);

function createOpenLane(options: CaptureLaneStart): Lane {
  const traffic = trafficOf(compileCaptured(options));
  const opened = createLane({
    program: traffic.compiled.program,
    connections: options.flows / 2 + 64,
    slots: SLOTS,
    capture: true,
    snapLength: WHOLE_FRAMES,
    templates: {
      count: options.flows,
      at: (i) =>
        connectionFrame(traffic.connection(i >> 1), i % 2 === 0 ? 'forward' : 'return', TCP_ACK, options.frame),
    },
  });
  for (let number = 0; number < options.flows / 2; number++) openConnection(opened, traffic.connection(number), 0);
  return opened;
}

/** One batch. The generator numbers packets by template and stamps none: here they get what a run would give them. */
function pass(count: number): void {
  const head = control[CONTROL.ingressHead];
  lane.generate(count, 1 + Math.floor((sent * NS_PER_PACKET) / 1e6));
  for (let i = 0; i < count; i++) {
    const at = ((head + i) & (sizes.ring - 1)) * INGRESS_WORDS;
    const timeNs = (sent + i) * NS_PER_PACKET;
    ingress[at + IN_PACKET] = sent + i + 1;
    ingress[at + IN_TIME_LOW] = timeNs % TWO_32;
    ingress[at + IN_TIME_HIGH] = Math.floor(timeNs / TWO_32);
  }
  lane.turn();
  lane.sink();
  sent += count;
}

/** Sleeps while the ring is more than half full. */
function awaitRoom(): void {
  for (;;) {
    const tail = Atomics.load(control, CONTROL.tapTail);
    if (((control[CONTROL.tapHead] - tail) | 0) <= taps.length / 2) return;
    Atomics.wait(control, CONTROL.tapTail, tail, 1);
  }
}

/** Before control reads the ring, its records are thrown away here. */
function forgetTaps(): void {
  Atomics.store(control, CONTROL.tapTail, control[CONTROL.tapHead]);
}
