// What the workers benchmark and its threads agree on.

/** Shared words of a thread, on cache lines of their own: what it shall do, and how many windows it has done. */
export const WORKER_WORDS = 32;
export const W_STATE = 0;
export const W_WINDOWS = 16;

/** Values of W_STATE. */
export const PARK = 0;
export const RUN = 1;
export const STOP = 2;

export interface WorkerLaneStart {
  readonly control: Int32Array;
  readonly number: number;
  readonly flows: number;
  readonly rules: number;
  readonly seed: number;
  /** Part of the connections; all when absent. */
  readonly share?: { readonly index: number; readonly of: number };
}

export interface WorkerLaneReady {
  readonly outcome: string;
}
