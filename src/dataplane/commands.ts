// Commands of control to a worker: one message each on a port, announced by a counter in shared memory, so that a
// worker under full load sees them without a system call. It obeys them between two batches.

import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import { ProgramError, decodeProgram } from '../abi/program.ts';
import { CONTROL, type Regions } from '../abi/regions.ts';
import { Forwarder } from './forwarder.ts';
import { rehearse, type RehearsalStep } from './rehearsal.ts';

export type WorkerCommand =
  | { readonly kind: 'push'; readonly program: Uint8Array }
  /** Before the first push, and again no epoch is current afterwards. */
  | { readonly kind: 'rehearse'; readonly steps: readonly RehearsalStep<Uint8Array>[] }
  | { readonly kind: 'collect' }
  | { readonly kind: 'stop' };

/** Values of CONTROL.state. */
export const WORKER_STOPPED = 1;
export const WORKER_DIED = 2;

/** What obeying needs beside the command. */
export interface Commanded {
  readonly regions: Regions;
  readonly commands: MessagePort;
  /** Bytes of a frame that taps copy. */
  readonly snapLength: number;
  /** undefined before the first push. */
  forwarder: Forwarder | undefined;
}

/** True when a command waits. Only between two batches. */
export function isCommanded(control: Int32Array): boolean {
  return Atomics.load(control, CONTROL.commands) !== control[CONTROL.obeyed];
}

/** Obeys the next command, which must be there, and says so. */
export function obeyCommand(worker: Commanded): void {
  const { control } = worker.regions;
  const received = receiveMessageOnPort(worker.commands);
  if (received === undefined) throw new Error('a command was announced and is not there');
  const command = received.message as WorkerCommand;
  if (command.kind === 'push') loadProgram(worker, command.program);
  else if (command.kind === 'rehearse') rehearseWorker(worker, command.steps);
  else if (command.kind === 'collect') worker.forwarder?.collectPaths();
  else Atomics.store(control, CONTROL.state, WORKER_STOPPED);
  Atomics.add(control, CONTROL.obeyed, 1);
  Atomics.notify(control, CONTROL.obeyed);
}

/** The pushed program is current from the next batch on. A damaged program changes nothing; control sees it by the
 * epoch that did not come. */
function loadProgram(worker: Commanded, bytes: Uint8Array): void {
  try {
    const program = decodeProgram(bytes);
    if (worker.forwarder === undefined) {
      worker.forwarder = new Forwarder(worker.regions, program, { snapLength: worker.snapLength });
    } else {
      worker.forwarder.load(program);
    }
  } catch (error) {
    if (error instanceof ProgramError) return;
    throw error;
  }
  Atomics.store(worker.regions.control, CONTROL.epoch, worker.forwarder.epoch);
}

function rehearseWorker(worker: Commanded, steps: readonly RehearsalStep<Uint8Array>[]): void {
  rehearse(worker.regions, steps, (program) => {
    loadProgram(worker, program);
    if (worker.forwarder === undefined) throw new Error('a program of the rehearsal is damaged');
    return worker.forwarder;
  });
  Atomics.store(worker.regions.control, CONTROL.epoch, 0);
}
