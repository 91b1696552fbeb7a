// A lane: the regions and forwarder of one worker, driven the way an injector drives them. A turn of a lane is
//
//   generate(count, nowMs)  frames go into slots, ingress descriptors and the head follow
//   turn()                  the product's takeTurn: this alone is "processing"
//   sink()                  egress descriptors are read, frames touched, slots are free again
//
// Create one lane per process for figures: V8 folds the constants of a closure only while the closure exists once.

import { MAX_BATCH } from '../abi/limits.ts';
import type { Program } from '../abi/program.ts';
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
  OUTCOME,
  OUT_ATTACHMENT,
  OUT_LENGTH,
  OUT_PACKET,
  OUT_PATH,
  OUT_SLOT,
  OUT_VERDICT,
  createRegions,
  frameOffset,
  regionSizes,
  type Regions,
} from '../abi/regions.ts';
import { createRehearsal } from '../control/engine/rehearsal.ts';
import { Forwarder } from '../dataplane/forwarder.ts';
import { rehearse } from '../dataplane/rehearsal.ts';
import { takeTurn } from '../dataplane/turn.ts';
import { createGenerator, createSink, type Template, type TemplateList } from './ends.ts';

export type { Template, TemplateList } from './ends.ts';

export interface LaneOptions {
  readonly program: Program;
  /** Connections that the flow table has room for. */
  readonly connections: number;
  /** Frame slots in flight, a power of two; default 256: one full batch. More make no difference of 2 %. */
  readonly slots?: number;
  /** True when frames will be captured; default false: no tap ring. */
  readonly capture?: boolean;
  /** Bytes of a frame that taps copy, default 0. */
  readonly snapLength?: number;
  /** Frames to replay, in this order. */
  readonly templates?: TemplateList;
}

/** How one packet ended, for checks outside of measured windows. `at` is the word index of the frame's first word. */
export interface Outcome {
  readonly attachment: number;
  readonly verdict: number;
  readonly path: number;
  readonly packet: number;
  readonly length: number;
  readonly at: number;
}

export interface Lane {
  readonly regions: Regions;
  readonly forwarder: Forwarder;
  readonly templateCount: number;
  /** Writes the next `count` templates and publishes them; that many slots must be free. Packet ids are the templates'
   * indices. */
  readonly generate: (count: number, nowMs: number) => void;
  /** Writes one frame and publishes it; for opening connections. */
  inject(template: Template, nowMs: number, packet?: number): void;
  /** One turn of the forwarder; returns how many packets it decided. */
  readonly turn: () => number;
  /** Reads what the turn left; returns how many packets were dropped. */
  readonly sink: () => number;
  /** As `sink`, but shows every packet to `visit`. */
  inspect(visit: (outcome: Outcome) => void): void;
  /** One frame through the fabric; throws when it is dropped. For opening connections. */
  send(template: Template, nowMs: number): void;
}

/** Allocates the regions of one worker, makes its forwarder and returns the lane around both. */
export function createLane(options: LaneOptions): Lane {
  const slots = options.slots ?? 256;
  const regions = createRegions(
    regionSizes({ connections: options.connections, slots, capture: options.capture ?? false }),
  );
  const forwarder = new Forwarder(regions, options.program, { snapLength: options.snapLength ?? 0 });
  // What a worker of the product does before its first packet.
  rehearse(regions, createRehearsal(regions.sizes), (program) => {
    forwarder.load(program);
    return forwarder;
  });
  forwarder.load(options.program);
  const templates = options.templates ?? { count: 0, at: noTemplate };
  const generate = createGenerator(regions, templates);
  const sink = createSink(regions);

  const inspect = (visit: (outcome: Outcome) => void): void => {
    forEachOutcome(regions, visit);
    freeAll(regions);
  };
  const inject = (template: Template, nowMs: number, packet = 0): void => {
    injectFrame(regions, template, nowMs, packet);
  };
  const turn = (): number => takeTurn(regions, forwarder);
  return {
    regions,
    forwarder,
    templateCount: templates.count,
    generate,
    inject,
    turn,
    sink,
    inspect,
    send(template, nowMs) {
      inject(template, nowMs);
      turn();
      inspect(({ verdict }) => {
        if (verdict >>> 8 === OUTCOME.dropped) throw new Error(`a frame was dropped: reason ${verdict & 0xff}`);
      });
    },
  };
}

function noTemplate(): never {
  throw new Error('this lane has no templates');
}

function injectFrame(regions: Regions, template: Template, nowMs: number, packet: number): void {
  const { control, ingress, frameBytes, sizes } = regions;
  const head = control[CONTROL.ingressHead];
  const slot = head & (sizes.slots - 1);
  frameBytes.set(template.frame, frameOffset(sizes, slot));
  const at = (head & (sizes.ring - 1)) * INGRESS_WORDS;
  ingress[at + IN_SLOT] = slot;
  ingress[at + IN_LENGTH] = template.frame.length;
  ingress[at + IN_ATTACHMENT] = template.attachment;
  ingress[at + IN_PACKET] = packet;
  ingress[at + IN_NOW_MS] = nowMs;
  ingress[at + IN_FACTS] = (template.shard ?? 0) << 8;
  Atomics.store(control, CONTROL.ingressHead, (head + 1) | 0);
}

function forEachOutcome(regions: Regions, visit: (outcome: Outcome) => void): void {
  const { control, egress, sizes } = regions;
  const head = Atomics.load(control, CONTROL.egressHead);
  for (let tail = control[CONTROL.egressTail]; tail !== head; tail = (tail + 1) | 0) {
    const at = (tail & (sizes.ring - 1)) * EGRESS_WORDS;
    visit({
      attachment: egress[at + OUT_ATTACHMENT],
      verdict: egress[at + OUT_VERDICT],
      path: egress[at + OUT_PATH],
      packet: egress[at + OUT_PACKET],
      length: egress[at + OUT_LENGTH],
      at: (frameOffset(sizes, egress[at + OUT_SLOT]) - 2) >> 2,
    });
  }
}

function freeAll(regions: Regions): void {
  const { control } = regions;
  control[CONTROL.noticeTail] = control[CONTROL.noticeHead]; // nobody steers here
  Atomics.store(control, CONTROL.egressTail, control[CONTROL.egressHead]);
}

/** Largest number of packets that `generate` takes. */
export const BATCH = MAX_BATCH;
