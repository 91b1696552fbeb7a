// One turn: descriptors from the ingress ring become a batch, the forwarder decides it, descriptors of the outcomes go
// to the egress ring. Cursors are published once per batch. The worker loop and the inline engine take the same turns.

import { MAX_BATCH } from '../abi/limits.ts';
import {
  CONTROL,
  EGRESS_WORDS,
  INGRESS_WORDS,
  IN_ATTACHMENT,
  IN_FACTS,
  IN_LENGTH,
  IN_NOW_MS,
  IN_PACKET,
  IN_SLOT,
  IN_TIME_HIGH,
  IN_TIME_LOW,
  OUT_ATTACHMENT,
  OUT_INGRESS,
  OUT_LENGTH,
  OUT_PACKET,
  OUT_PATH,
  OUT_SLOT,
  OUT_VERDICT,
  frameOffset,
  type Regions,
} from '../abi/regions.ts';
import type { Forwarder } from './forwarder.ts';

const slots = new Int32Array(MAX_BATCH);

/** Takes one turn; returns how many packets it decided (0: the ingress ring is empty or the egress ring full). */
export function takeTurn(regions: Regions, forwarder: Forwarder): number {
  const { control, ingress, egress, sizes } = regions;
  const { batch } = forwarder;
  const ringMask = sizes.ring - 1;
  const tail = control[CONTROL.ingressTail];
  const waiting = (Atomics.load(control, CONTROL.ingressHead) - tail) | 0;
  const out = control[CONTROL.egressHead];
  const room = (sizes.ring - (out - Atomics.load(control, CONTROL.egressTail))) | 0;
  const count = Math.min(waiting, room, MAX_BATCH);
  if (count === 0) return 0;

  batch.count = count;
  for (let i = 0; i < count; i++) {
    const at = ((tail + i) & ringMask) * INGRESS_WORDS;
    const slot = ingress[at + IN_SLOT];
    slots[i] = slot;
    batch.frame[i] = (frameOffset(sizes, slot) - 2) >> 2;
    batch.length[i] = ingress[at + IN_LENGTH];
    batch.attachment[i] = ingress[at + IN_ATTACHMENT];
    batch.packet[i] = ingress[at + IN_PACKET];
    batch.now[i] = ingress[at + IN_NOW_MS];
    batch.timeLow[i] = ingress[at + IN_TIME_LOW];
    batch.timeHigh[i] = ingress[at + IN_TIME_HIGH];
    batch.facts[i] = ingress[at + IN_FACTS];
  }
  Atomics.store(control, CONTROL.ingressTail, (tail + count) | 0);

  forwarder.forward();

  for (let i = 0; i < count; i++) {
    const at = ((out + i) & ringMask) * EGRESS_WORDS;
    egress[at + OUT_SLOT] = slots[i];
    egress[at + OUT_LENGTH] = batch.length[i];
    egress[at + OUT_ATTACHMENT] = batch.egress[i];
    egress[at + OUT_PACKET] = batch.packet[i];
    egress[at + OUT_VERDICT] = batch.verdict[i];
    egress[at + OUT_PATH] = batch.path[i];
    egress[at + OUT_INGRESS] = batch.attachment[i];
  }
  Atomics.store(control, CONTROL.egressHead, (out + count) | 0);
  return count;
}
