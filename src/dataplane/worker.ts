// Worker-thread entry: attach to the memory control made, take turns, obey commands between two batches, park when
// idle. Nothing but cursors, commands and the program crosses threads.

import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads';
import { decodeProgram, ProgramError } from '../abi/program.ts';
import { CONTROL, attachRegions, type Regions, type RegionSizes } from '../abi/regions.ts';
import { Forwarder } from './forwarder.ts';
import { takeTurn } from './turn.ts';

/** What control hands to a worker when it starts it. */
export interface WorkerStart {
  readonly buffer: SharedArrayBuffer;
  readonly sizes: RegionSizes;
  readonly snapLength: number;
  /** Commands arrive here, one per increment of CONTROL.commands. */
  readonly commands: MessagePort;
}

export type WorkerCommand =
  { readonly kind: 'push'; readonly program: Uint8Array } | { readonly kind: 'collect' } | { readonly kind: 'stop' };

export type WorkerMessage = { readonly kind: 'ready' } | { readonly kind: 'died'; readonly error: string };

/** Values of CONTROL.state. */
export const WORKER_STOPPED = 1;
export const WORKER_DIED = 2;

/** Turns without work before the worker parks: a hand-off within a few microseconds needs no system call. */
const SPINS = 2_000;
/** Parked workers look up now and then, so that a lost wake-up cannot hang a run, milliseconds. */
const PARK_MS = 100;

function run(start: WorkerStart): void {
  const regions = attachRegions(start.buffer, start.sizes);
  const { control } = regions;
  let forwarder: Forwarder | undefined;
  parentPort?.postMessage({ kind: 'ready' } satisfies WorkerMessage);

  let idle = 0;
  for (;;) {
    const bell = Atomics.load(control, CONTROL.doorbell);
    // Commands come first: a worker under full load still switches programs, between two batches.
    if (Atomics.load(control, CONTROL.commands) !== control[CONTROL.obeyed]) {
      const command = nextCommand(start.commands);
      if (command.kind === 'push') forwarder = load(regions, forwarder, command.program, start.snapLength);
      else if (command.kind === 'collect') forwarder?.collectPaths();
      else Atomics.store(control, CONTROL.state, WORKER_STOPPED);
      Atomics.add(control, CONTROL.obeyed, 1);
      Atomics.notify(control, CONTROL.obeyed);
      if (command.kind === 'stop') return;
    }
    if (forwarder !== undefined && takeTurn(regions, forwarder) > 0) {
      idle = 0;
      Atomics.notify(control, CONTROL.egressHead);
      continue;
    }
    if (++idle < SPINS) continue;
    Atomics.wait(control, CONTROL.doorbell, bell, PARK_MS);
    idle = 0;
  }
}

function nextCommand(commands: MessagePort): WorkerCommand {
  const received = receiveMessageOnPort(commands);
  if (received === undefined) throw new Error('a command was announced and is not there');
  return received.message as WorkerCommand;
}

/** Between two batches: the pushed program is current from the next batch on. A damaged program changes nothing;
 * control sees it by the epoch that did not come. */
function load(
  regions: Regions,
  forwarder: Forwarder | undefined,
  bytes: Uint8Array,
  snapLength: number,
): Forwarder | undefined {
  let current = forwarder;
  try {
    const program = decodeProgram(bytes);
    if (current === undefined) current = new Forwarder(regions, program, { snapLength });
    else current.load(program);
  } catch (error) {
    if (error instanceof ProgramError) return forwarder;
    throw error;
  }
  Atomics.store(regions.control, CONTROL.epoch, current.epoch);
  return current;
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
