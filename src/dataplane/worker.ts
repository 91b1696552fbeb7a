// Worker-thread entry: attach to the memory control made, take turns, obey commands between two batches, park when
// idle. Nothing but cursors, commands and the program crosses threads.

import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { CONTROL, attachRegions, type Regions, type RegionSizes } from '../abi/regions.ts';
import { WORKER_DIED, WORKER_STOPPED, isCommanded, obeyCommand, type Commanded } from './commands.ts';
import { takeTurn } from './turn.ts';

/** What control hands to a worker when it starts it. */
export interface WorkerStart {
  readonly buffer: SharedArrayBuffer;
  readonly sizes: RegionSizes;
  readonly snapLength: number;
  /** Commands arrive here, one per increment of CONTROL.commands. */
  readonly commands: MessagePort;
}

export type WorkerMessage = { readonly kind: 'ready' } | { readonly kind: 'died'; readonly error: string };

/** Turns without work before the worker parks: a hand-off within a few microseconds needs no system call. */
const SPINS = 2_000;
/** Parked workers look up now and then, so that a lost wake-up cannot hang a run, milliseconds. */
const PARK_MS = 100;

function run({ buffer, sizes, snapLength, commands }: WorkerStart): void {
  const regions = attachRegions(buffer, sizes);
  const { control } = regions;
  const worker: Commanded = { regions, commands, snapLength, forwarder: undefined };
  parentPort?.postMessage({ kind: 'ready' } satisfies WorkerMessage);

  let idle = 0;
  for (;;) {
    // Commands come first: a worker under full load still switches programs, between two batches.
    if (isCommanded(control)) {
      obeyCommand(worker);
      if (control[CONTROL.state] === WORKER_STOPPED) return;
    }
    const { forwarder } = worker;
    if (forwarder !== undefined) {
      forwarder.tidy();
      if (takeTurn(regions, forwarder) > 0) {
        idle = 0;
        // A call of notify costs 29 ns even when nobody sleeps, this look 7.
        if (Atomics.load(control, CONTROL.controlSleeps) === 1) Atomics.notify(control, CONTROL.egressHead);
        continue;
      }
    }
    if (++idle < SPINS) continue;
    park(regions);
    idle = 0;
  }
}

/** Sleeps until the doorbell rings. It is read before the last look around: what comes later also rings it. */
function park({ control }: Regions): void {
  const bell = Atomics.load(control, CONTROL.doorbell);
  if (isCommanded(control) || Atomics.load(control, CONTROL.ingressHead) !== control[CONTROL.ingressTail]) return;
  Atomics.wait(control, CONTROL.doorbell, bell, PARK_MS);
}

const start = workerData as WorkerStart;
try {
  run(start);
} catch (error) {
  const control = new Int32Array(start.buffer, 0, CONTROL.state + 1);
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  parentPort?.postMessage({ kind: 'died', error: text } satisfies WorkerMessage);
  Atomics.store(control, CONTROL.state, WORKER_DIED);
  Atomics.notify(control, CONTROL.egressHead);
  Atomics.notify(control, CONTROL.obeyed);
}
