// One turn: the forwarder decides what waits in the ingress ring, as far as the egress ring has room. Cursors are
// published once per batch. The worker loop, the inline engine and the benchmarks take the same turns.

import { MAX_BATCH } from '../abi/limits.ts';
import { CONTROL, type Regions } from '../abi/regions.ts';
import type { Forwarder } from './forwarder.ts';

/** Takes one turn; returns how many packets it decided (0: the ingress ring is empty or the egress ring full). */
export function takeTurn(regions: Regions, forwarder: Forwarder): number {
  const { control, sizes } = regions;
  const tail = control[CONTROL.ingressTail];
  const head = control[CONTROL.egressHead];
  const waiting = (Atomics.load(control, CONTROL.ingressHead) - tail) | 0;
  const room = (sizes.ring - (head - Atomics.load(control, CONTROL.egressTail))) | 0;
  const count = Math.min(waiting, room, MAX_BATCH);
  if (count === 0) return 0;
  forwarder.forward(count, tail, head);
  Atomics.store(control, CONTROL.ingressTail, (tail + count) | 0);
  Atomics.store(control, CONTROL.egressHead, (head + count) | 0);
  return count;
}
