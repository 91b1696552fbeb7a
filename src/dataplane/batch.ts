// A batch: up to MAX_BATCH descriptors as columns, allocated once. Whoever drives the forwarder (worker loop, inline
// engine, benchmark) fills the input columns; the forwarder fills the output columns.

import { MAX_BATCH } from '../abi/limits.ts';

export interface Batch {
  /** Descriptors in use. */
  count: number;
  /** In: word index of the slot's first frame word (2 bytes before the Ethernet header). */
  readonly frame: Int32Array;
  /** In: frame length in bytes. Out: length of the frame that goes on. */
  readonly length: Int32Array;
  /** In: attachment that sends the frame. */
  readonly attachment: Int32Array;
  /** In: packet id, carried along. */
  readonly packet: Int32Array;
  /** In: milliseconds since the start of the run. */
  readonly now: Int32Array;
  /** In: virtual time in nanoseconds, low and high word; only taps read it. */
  readonly timeLow: Int32Array;
  readonly timeHigh: Int32Array;
  /** In: IN_FACTS of the descriptor: hops, shard, duplicate. */
  readonly facts: Int32Array;
  /** Out: attachment that gets the frame, -1 for none. */
  readonly egress: Int32Array;
  /** Out: drop reason | OUTCOME << 8. */
  readonly verdict: Int32Array;
  /** Out: path id. */
  readonly path: Int32Array;
}

/** An empty batch. */
export function createBatch(): Batch {
  const column = (): Int32Array => new Int32Array(MAX_BATCH);
  return {
    count: 0,
    frame: column(),
    length: column(),
    attachment: column(),
    packet: column(),
    now: column(),
    timeLow: column(),
    timeHigh: column(),
    facts: column(),
    egress: column(),
    verdict: column(),
    path: column(),
  };
}
