// What the capture benchmark's control thread and its worker agree on: the network with taps everywhere, the traffic,
// and the words by which they signal.

import { compileNetwork, createRegistry } from '../control/compile/compile.ts';
import type { Compiled } from '../control/compile/compiled.ts';
import { behaviourOf } from '../control/model/profile.ts';
import type { RegionSizes } from '../abi/regions.ts';
import { benchNetwork } from './network.ts';
import { networkSize, type TrafficSize } from './traffic.ts';

/** The benchmark's network, every point captured. */
export function compileCaptured(size: TrafficSize, previous?: Compiled): Compiled {
  const epoch = (previous?.program.epoch ?? 0) + 1;
  const registry = createRegistry();
  const network = benchNetwork(networkSize(size));
  return compileNetwork(network, behaviourOf(), { epoch, registry, taps: 'all', ...(previous && { previous }) });
}

export interface CaptureLaneStart extends TrafficSize {
  readonly flows: number;
  /** Bytes of a frame on the wire. */
  readonly frame: number;
  readonly packets: number;
  /** True: the lane waits while the tap ring is half full, so that nothing is lost. */
  readonly isPaced: boolean;
  /** Shared words, see below. */
  readonly signals: Int32Array;
}

export interface CaptureLaneReady {
  readonly buffer: SharedArrayBuffer;
  readonly sizes: RegionSizes;
}

/** Words of `signals`: what the lane shall do or has done. */
export const S_STATE = 0;
export const SIGNAL_WORDS = 1;
/** Values of S_STATE. */
export const WAITING = 0;
export const RUNNING = 1;
export const DONE = 2;

/** Records that a packet leaves in the ring: as sent and as received. */
export const RECORDS_PER_PACKET = 2;
