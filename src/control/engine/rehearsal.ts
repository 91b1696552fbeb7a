// The script of the rehearsal that workers begin with (dataplane/rehearsal.ts): a small network and frames for it.

import { encodeProgram, type Program } from '../../abi/program.ts';
import { indexEntries, type RegionSizes } from '../../abi/regions.ts';
import type { RehearsalStep } from '../../dataplane/rehearsal.ts';
import { rehearsalSteps } from './rehearsal-frames.ts';
import { createRehearsalNetwork } from './rehearsal-network.ts';

/** The script for workers whose memory has these sizes. */
export function createRehearsal(sizes: RegionSizes): RehearsalStep<Program>[] {
  return rehearsalSteps(createRehearsalNetwork(), indexEntries(sizes));
}

/** A script as it is sent to a worker. */
export function encodeRehearsal(steps: readonly RehearsalStep<Program>[]): RehearsalStep<Uint8Array>[] {
  return steps.map(({ program, ...step }) => ({ ...step, ...(program && { program: encodeProgram(program) }) }));
}
