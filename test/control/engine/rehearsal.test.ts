// The rehearsal: it shows a worker every kind of packet, and the worker is as new afterwards.

import { expect, test } from 'vitest';
import { DROP } from '../../../src/abi/drop-reasons.ts';
import type { Program } from '../../../src/abi/program.ts';
import { PROVENANCE_WORDS } from '../../../src/abi/provenance.ts';
import {
  CONTROL,
  COUNT,
  INGRESS_WORDS,
  createRegions,
  frameOffset,
  regionSizes,
  type Regions,
} from '../../../src/abi/regions.ts';
import { createRehearsal } from '../../../src/control/engine/rehearsal.ts';
import { Forwarder } from '../../../src/dataplane/forwarder.ts';
import { rehearse, type RehearsalFrame, type RehearsalStep } from '../../../src/dataplane/rehearsal.ts';
import { takeTurn } from '../../../src/dataplane/turn.ts';

const SIZES = regionSizes({ connections: 256, slots: 64 });
const script = createRehearsal(SIZES);
const program = script[0]!.program!;

interface Worker {
  readonly regions: Regions;
  readonly forwarder: Forwarder;
}

function newWorker(): Worker {
  const regions = createRegions(SIZES);
  return { regions, forwarder: new Forwarder(regions, program, { snapLength: 128 }) };
}

function rehearsed(steps: readonly RehearsalStep<Program>[] = script): Worker {
  const worker = newWorker();
  rehearse(worker.regions, steps, (next) => {
    worker.forwarder.load(next);
    return worker.forwarder;
  });
  worker.forwarder.load(program);
  return worker;
}

/** What a worker answers to frames, one at a time: descriptor and frame. */
function answers({ regions, forwarder }: Worker, frames: readonly RehearsalFrame[]): unknown[] {
  const { control, egress, sizes } = regions;
  return frames.map(({ bytes, descriptor }) => {
    const at = (control[CONTROL.ingressHead]! & (sizes.ring - 1)) * INGRESS_WORDS;
    regions.frameBytes.set(bytes, frameOffset(sizes, 0));
    regions.ingress.set(descriptor, at);
    control[CONTROL.ingressHead]!++;
    expect(takeTurn(regions, forwarder)).toBe(1);
    control[CONTROL.egressTail] = control[CONTROL.egressHead]!;
    control[CONTROL.noticeTail] = control[CONTROL.noticeHead]!;
    control[CONTROL.tapTail] = control[CONTROL.tapHead]!;
    const start = frameOffset(sizes, 0);
    return [egress.slice(at, at + INGRESS_WORDS), regions.frameBytes.slice(start, start + bytes.length)];
  });
}

/** Frames of the script's first program, at rising times. */
function firstFrames(): RehearsalFrame[] {
  const end = script.findIndex((step, i) => i > 0 && step.program !== undefined);
  return script.slice(0, end).flatMap((step) => step.frames);
}

test('a worker that has rehearsed answers like one that has not, and counts the same', () => {
  const [fresh, used] = [newWorker(), rehearsed()];
  const frames = firstFrames();
  expect(frames.length).toBeGreaterThan(300);
  expect(answers(used, frames)).toEqual(answers(fresh, frames));
  for (const region of ['counters', 'traffic', 'index'] as const) {
    expect(used.regions[region]).toEqual(fresh.regions[region]);
  }
  const rows = fresh.regions.counters[COUNT.pathsUsed]! * PROVENANCE_WORDS;
  expect(used.regions.paths.slice(0, rows)).toEqual(fresh.regions.paths.slice(0, rows));
});

test('nothing of a rehearsal is left: no record, no count, empty rings', () => {
  const { forwarder, regions } = rehearsed();
  expect(forwarder.connections.table).toMatchObject({ count: 0, high: 0, capacity: SIZES.records - 1 });
  expect(regions.index.every((entry) => entry === 0)).toBe(true);
  expect(regions.traffic.every((count) => count === 0)).toBe(true);
  expect(regions.counters.filter((_, slot) => slot !== COUNT.oldestEpoch).every((count) => count === 0)).toBe(true);
  const { control } = regions;
  expect(
    [CONTROL.ingressHead, CONTROL.ingressTail, CONTROL.egressHead, CONTROL.egressTail].map((c) => control[c]),
  ).toEqual([0, 0, 0, 0]);
  expect(control[CONTROL.tapHead]).toBe(control[CONTROL.tapTail]);
  expect(control[CONTROL.noticeHead]).toBe(control[CONTROL.noticeTail]);
});

test('what a rehearsal must forget would be seen', () => {
  const [fresh, used] = [newWorker(), newWorker()];
  answers(used, firstFrames());
  expect(answers(used, firstFrames())).not.toEqual(answers(fresh, firstFrames()));
});

test('the script takes hits, exits, answers, lost taps and all but a few reasons to drop', () => {
  const regions = createRegions(SIZES);
  const seen = new Set<number>();
  class Noting extends Forwarder {
    override restart(records?: number): void {
      for (let slot = 0; slot < regions.counters.length; slot++) if (regions.counters[slot]! > 0) seen.add(slot);
      super.restart(records);
    }
  }
  const forwarder = new Noting(regions, program, { snapLength: 128 });
  rehearse(regions, script, (next) => {
    forwarder.load(next);
    return forwarder;
  });
  for (const slot of [
    'received',
    'originated',
    'duplicated',
    'delivered',
    'exited',
    'consumed',
    'flowHits',
    'tapsLost',
  ] as const) {
    expect(seen, slot).toContain(COUNT[slot]);
  }
  const missing = Object.entries(DROP).filter(([, reason]) => !seen.has(COUNT.dropped + reason));
  // Never said by the data plane, or only with another network, a pool that is used up, or a switch that is off.
  expect(missing.map(([name]) => name)).toEqual([
    'NONE',
    'ADMIN_RULE_DENY',
    'IP_FORWARDING_DISABLED',
    'PLS_NAT_PORT_EXHAUSTED',
    'PEERING_NOT_CONNECTED',
    'SNAT_PORT_EXHAUSTED',
    'NOT_A_SYN',
    'BALANCER_NO_RULE',
    'BALANCER_NO_BACKEND',
    'BALANCER_HAIRPIN',
    'BALANCER_FRAGMENT',
    'ENDPOINT_FAULT',
  ]);
});
