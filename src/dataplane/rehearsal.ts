// The rehearsal: before its first real packet a worker decides a few packets of every kind, and forgets them. V8
// optimises a function for what it has seen; without a rehearsal the first FIN, drop, push or full ring of a run would
// throw the optimised code of the hit path away. Control writes the script (control/engine/rehearsal-frames.ts).
//
// It goes the way of real traffic: programs, rings, the very functions and memory that work later.

import { CONTROL, INGRESS_WORDS, frameOffset, type Regions } from '../abi/regions.ts';
import type { Forwarder } from './forwarder.ts';
import { takeTurn } from './turn.ts';

/** What happens between two looks at the rings of taps and notices. `P`: a program, or its encoding on the way. */
export interface RehearsalStep<P> {
  /** Before anything else everything is forgotten, and this is how many records there are. */
  readonly records?: number;
  /** Pushed before the frames. */
  readonly program?: P;
  /** True: the tap ring seems full meanwhile. */
  readonly jams?: boolean;
  readonly frames: readonly RehearsalFrame[];
}

export interface RehearsalFrame {
  readonly bytes: Uint8Array;
  /** Ingress descriptor; the slot is left open. */
  readonly descriptor: Int32Array;
}

/** V8 begins to note what a function sees once it has run a few times: so every branch is taken in several rounds. */
const ROUNDS = 2;
/** Frames per turn at most; no memory has fewer slots. */
const BATCH = 64;

/**
 * Plays the script, whose first step has a program, while nobody else uses the rings. Afterwards no trace is left but a
 * current program, which the next push replaces. `push` makes a program current and returns its forwarder.
 */
export function rehearse<P>(
  regions: Regions,
  steps: readonly RehearsalStep<P>[],
  push: (program: P) => Forwarder,
): void {
  const { control } = regions;
  let forwarder: Forwarder | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    for (const { records, program, jams, frames } of steps) {
      if (records !== undefined) forwarder?.restart(records);
      discard(regions);
      if (jams === true) control[CONTROL.tapTail] = control[CONTROL.tapHead] - regions.taps.length;
      if (program !== undefined) forwarder = push(program);
      if (forwarder !== undefined) decide(regions, forwarder, frames);
      discard(regions);
    }
    forwarder?.restart();
    discard(regions);
  }
  // The rings are empty; they begin at their beginning again.
  const { ingressHead, ingressTail, egressHead, egressTail } = CONTROL;
  for (const cursor of [ingressHead, ingressTail, egressHead, egressTail]) control[cursor] = 0;
}

function decide(regions: Regions, forwarder: Forwarder, frames: readonly RehearsalFrame[]): void {
  const { control, sizes } = regions;
  while (forwarder.tidy()) continue;
  for (let next = 0; next < frames.length; next += BATCH) {
    const batch = frames.slice(next, next + BATCH);
    batch.forEach((frame, slot) => {
      const head = control[CONTROL.ingressHead];
      const at = (head & (sizes.ring - 1)) * INGRESS_WORDS;
      regions.frameBytes.set(frame.bytes, frameOffset(sizes, slot));
      regions.ingress.set(frame.descriptor, at);
      regions.ingress[at] = slot;
      control[CONTROL.ingressHead] = (head + 1) | 0;
    });
    takeTurn(regions, forwarder);
    control[CONTROL.egressTail] = control[CONTROL.egressHead];
  }
}

/** Nobody wants the tap records and notices of a rehearsal. */
function discard({ control }: Regions): void {
  control[CONTROL.tapTail] = control[CONTROL.tapHead];
  control[CONTROL.noticeTail] = control[CONTROL.noticeHead];
}
