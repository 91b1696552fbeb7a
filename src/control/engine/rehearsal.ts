// The rehearsal: before its first real packet a worker sees a few packets of every kind, and forgets them. V8 optimises
// a function for what it has seen; without a rehearsal the first FIN, drop, push or full ring in a run would throw the
// optimised code of the hit path away, and a second or so passes until it is back.
//
// It goes the way of real traffic: commands, rings, the very functions that work later. Workers rehearse at the same
// time; benchmarks drive their lanes through the same rounds.

import type { Program } from '../../abi/program.ts';
import { CONTROL, indexEntries, type RegionSizes, type Regions } from '../../abi/regions.ts';
import { createRehearsalNetwork } from './rehearsal-network.ts';
import { rehearsalSteps, type RehearsalStep } from './rehearsal-frames.ts';
import type { WorkerMemory } from './worker-memory.ts';

/** Who rehearses: one worker or several, side by side. */
export interface Stage {
  readonly memories: readonly WorkerMemory[];
  push(program: Program): void;
  /** Returns when every injected frame has been decided. */
  decide(): void;
  /** Forwarder.restart. */
  restart(records?: number): void;
}

/** V8 begins to note what a function sees once it has run a few times: so every branch is taken in several rounds. */
const ROUNDS = 4;
/** Frames per turn at most. */
const BATCH = 64;

/** Prepares a rehearsal of workers whose memory has these sizes. */
export function prepareRehearsal(sizes: RegionSizes): RehearsalStep[] {
  return rehearsalSteps(createRehearsalNetwork(), indexEntries(sizes));
}

/** Rehearses; afterwards no trace is left but a current program, which the next push replaces. */
export function rehearse(stage: Stage, steps: readonly RehearsalStep[]): void {
  for (let round = 0; round < ROUNDS; round++) {
    for (const step of steps) take(stage, step);
    restart(stage);
  }
  for (const memory of stage.memories) memory.forgetRows();
}

function restart(stage: Stage, records?: number): void {
  stage.restart(records);
  for (const { regions } of stage.memories) discard(regions);
}

function take(stage: Stage, { records, program, jams, frames }: RehearsalStep): void {
  const { memories } = stage;
  if (records !== undefined) restart(stage, records);
  if (jams === true) for (const { regions } of memories) jam(regions);
  if (program !== undefined) stage.push(program);
  for (let next = 0; next < frames.length; next += BATCH) {
    const batch = frames.slice(next, next + BATCH);
    for (const memory of memories) for (const frame of batch) memory.inject(frame, frame.shard);
    stage.decide();
    for (const memory of memories) memory.takeResults([]);
  }
  for (const { regions } of memories) discard(regions);
}

/** The tap ring as it looks to the worker when nobody reads it. */
function jam({ control, taps }: Regions): void {
  Atomics.store(control, CONTROL.tapTail, Atomics.load(control, CONTROL.tapHead) - taps.length);
}

/** Nobody wants the tap records and notices of a rehearsal. */
function discard({ control }: Regions): void {
  Atomics.store(control, CONTROL.tapTail, Atomics.load(control, CONTROL.tapHead));
  Atomics.store(control, CONTROL.noticeTail, Atomics.load(control, CONTROL.noticeHead));
}
