// What the push benchmark's control thread and its worker agree on.

import type { MessagePort } from 'node:worker_threads';
import type { RegionSizes } from '../abi/regions.ts';
import type { Compiled } from '../control/compile/compiled.ts';

/** Source ports of the connections that the gate rule is about; the other flows' ports begin at 10,000. */
export const GATE_PORT_FIRST = 9000;
/** Few, because a packet that a program denies walks the slow path every time. */
export const GATED = 16;
/** Odd epochs let the gated connections pass, even ones deny them. */
export function deniesGated(epoch: number): boolean {
  return epoch % 2 === 0;
}

/** What control hands to the worker. */
export interface PushLaneStart {
  /** Facts of the attachments; the program comes apart, in the form in which every program arrives. */
  readonly compiled: Compiled;
  readonly program: Uint8Array;
  readonly flows: number;
  readonly seed: number;
  /** True when each push makes every flow ask its rules again. False: only new connections ask them, and the gated
   * packets are SYNs. */
  readonly asksAgain: boolean;
  readonly commands: MessagePort;
}

export interface PushLaneReady {
  readonly buffer: SharedArrayBuffer;
  readonly sizes: RegionSizes;
}

export interface PushLaneReport {
  /** When each window of WINDOW packets ended, milliseconds, and the longest time between two batches in it. */
  readonly endMs: Float64Array;
  readonly gapMs: Float64Array;
  /** When the worker took up each push, and how long it loaded the program. */
  readonly pushes: readonly { readonly beginMs: number; readonly loadMs: number }[];
  readonly lost: number;
  readonly misjudged: number;
  readonly outcome: string;
}
