// Control's end of one worker's shared memory: writes frames and descriptors in, reads outcomes, tap records and
// steering notices out. The inline engine and the worker engine share it, so that both go the same way.

import { MAX_BATCH } from '../../abi/limits.ts';
import { PROVENANCE_WORDS } from '../../abi/provenance.ts';
import { DROP_CODES } from '../../abi/drop-reasons.ts';
import {
  CONTROL,
  COUNT,
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
  NOTICE_WORDS,
  OUTCOME,
  OUT_ATTACHMENT,
  OUT_INGRESS,
  OUT_LENGTH,
  OUT_PATH,
  OUT_SLOT,
  OUT_VERDICT,
  TRAFFIC_WORDS,
  frameBytesMax,
  frameOffset,
  type Regions,
} from '../../abi/regions.ts';
import { TAP_PATH, TAP_SIZE } from '../../dataplane/tap.ts';
import type { AttachmentCounters, Counters, FrameIn, Outcome, PassResult } from './engine.ts';
import type { Steering } from './steering.ts';
import type { TapBatch } from './tap-batch.ts';

const OUTCOMES: readonly Outcome[] = ['delivered', 'exited', 'consumed', 'answered', 'dropped'];
const TWO_32 = 0x1_0000_0000;

/** Frames that a batch of one worker takes at most. */
export const FRAMES_PER_TURN = MAX_BATCH;

export class WorkerMemory {
  readonly regions: Regions;
  /** Slots that hold no frame; the injector's own. */
  private readonly freeSlots: number[];
  /** What was injected, by slot. */
  private readonly inSlot: (FrameIn | undefined)[];
  /** Provenance rows already copied out, by path id. */
  private readonly rows = new Map<number, Int32Array>();
  /** The tap ring as 8-byte words. */
  private readonly tapLongs: BigInt64Array;
  /** By path id: index + 1 into the rows of the tap batch, 0 where the path is not among them yet. */
  private readonly tapRow: Int32Array;
  private tapRows: Int32Array[] | undefined;

  constructor(regions: Regions) {
    const { taps } = regions;
    this.regions = regions;
    this.tapLongs = new BigInt64Array(taps.buffer, taps.byteOffset, taps.length >> 1);
    this.tapRow = new Int32Array(regions.sizes.paths);
    this.freeSlots = Array.from({ length: regions.sizes.slots }, (_, i) => regions.sizes.slots - 1 - i);
    this.inSlot = Array.from<FrameIn | undefined>({ length: regions.sizes.slots });
  }

  /** Slots that can take a frame now. */
  get room(): number {
    return this.freeSlots.length;
  }

  /** Puts a frame into a slot and its descriptor into the ingress ring (published by `publish`). */
  inject(frame: FrameIn, shard: number): void {
    const { regions } = this;
    const { ingress, control, sizes } = regions;
    if (frame.bytes.length > frameBytesMax(sizes)) {
      throw new Error(`a frame of ${frame.bytes.length} bytes does not fit a slot of ${frameBytesMax(sizes)}`);
    }
    const slot = this.freeSlots.pop();
    if (slot === undefined) throw new Error('no free frame slot');
    regions.frameBytes.set(frame.bytes, frameOffset(sizes, slot));
    this.inSlot[slot] = frame;
    const head = control[CONTROL.ingressHead] ?? 0;
    const at = (head & (sizes.ring - 1)) * INGRESS_WORDS;
    ingress[at + IN_SLOT] = slot;
    ingress[at + IN_LENGTH] = frame.bytes.length;
    ingress[at + IN_ATTACHMENT] = frame.attachment;
    ingress[at + IN_PACKET] = frame.packetId;
    ingress[at + IN_NOW_MS] = Math.floor(frame.timeNs / 1e6);
    ingress[at + IN_TIME_LOW] = frame.timeNs % TWO_32;
    ingress[at + IN_TIME_HIGH] = Math.floor(frame.timeNs / TWO_32);
    ingress[at + IN_FACTS] =
      Math.min(frame.hops, 0xff) |
      (shard << 8) |
      (frame.duplicate === true ? 1 << 16 : 0) |
      (((frame.vnet ?? -1) + 1) << 17);
    Atomics.store(control, CONTROL.ingressHead, (head + 1) | 0);
  }

  /** Outcomes that are ready, oldest first; their slots become free. */
  takeResults(into: PassResult[]): number {
    const { control, egress, sizes } = this.regions;
    const head = Atomics.load(control, CONTROL.egressHead);
    let tail = control[CONTROL.egressTail] ?? 0;
    let taken = 0;
    for (; tail !== head; tail = (tail + 1) | 0) {
      into.push(this.resultAt((tail & (sizes.ring - 1)) * EGRESS_WORDS, egress));
      taken++;
    }
    Atomics.store(control, CONTROL.egressTail, tail);
    return taken;
  }

  private resultAt(at: number, egress: Int32Array): PassResult {
    const slot = egress[at + OUT_SLOT] as number;
    const frame = this.inSlot[slot];
    if (frame === undefined) throw new Error(`slot ${slot} came back and was never given out`);
    this.inSlot[slot] = undefined;
    this.freeSlots.push(slot);
    const verdict = egress[at + OUT_VERDICT] as number;
    const to = egress[at + OUT_ATTACHMENT] as number;
    const result: Mutable<PassResult> = {
      packetId: frame.packetId,
      timeNs: frame.timeNs,
      hops: frame.hops,
      ingress: egress[at + OUT_INGRESS] as number,
      egress: to,
      outcome: OUTCOMES[verdict >>> 8] as Outcome,
      reason: verdict & 0xff,
      provenance: this.rowOf(egress[at + OUT_PATH] as number),
    };
    if (to < 0 || verdict >>> 8 === OUTCOME.consumed) return result;
    const from = frameOffset(this.regions.sizes, slot);
    result.frame = this.regions.frameBytes.slice(from, from + (egress[at + OUT_LENGTH] as number));
    return result;
  }

  /** A provenance row by path id. Copies are kept until `forgetRows`. */
  private rowOf(path: number): Int32Array {
    let row = this.rows.get(path);
    if (row === undefined) {
      row = this.regions.paths.slice(path * PROVENANCE_WORDS, (path + 1) * PROVENANCE_WORDS);
      this.rows.set(path, row);
    }
    return row;
  }

  /** Path ids may be given to other rows from here on. */
  forgetRows(): void {
    this.rows.clear();
    this.tapRow.fill(0);
  }

  /** Moves the tap records that are ready into a batch. */
  takeTaps(into: TapBatch): void {
    const { control, taps } = this.regions;
    const head = Atomics.load(control, CONTROL.tapHead);
    let tail = control[CONTROL.tapTail] ?? 0;
    if (tail === head) return;
    if (this.tapRows !== into.rows) this.tapRow.fill(0);
    this.tapRows = into.rows;
    while (tail !== head) {
      const at = tail & (taps.length - 1);
      const size = taps[at + TAP_SIZE] as number;
      if (size > 0) {
        const start = into.append(this.tapLongs, at, size);
        into.words[start + TAP_PATH] = this.tapRowOf(taps[at + TAP_PATH] as number, into.rows);
      }
      tail = (tail + Math.abs(size)) | 0;
    }
    Atomics.store(control, CONTROL.tapTail, tail);
  }

  /** Index of a path's provenance row in the rows of a batch. */
  private tapRowOf(path: number, rows: Int32Array[]): number {
    const known = this.tapRow[path] as number;
    if (known > 0) return known - 1;
    const index = rows.push(this.rowOf(path)) - 1;
    this.tapRow[path] = index + 1;
    return index;
  }

  /** Passes the worker's steering notices on. */
  takeNotices(steering: Steering): void {
    const { control, notices } = this.regions;
    const head = Atomics.load(control, CONTROL.noticeHead);
    const capacity = notices.length / NOTICE_WORDS;
    let tail = control[CONTROL.noticeTail] ?? 0;
    for (; tail !== head; tail = (tail + 1) | 0) {
      const at = (tail & (capacity - 1)) * NOTICE_WORDS;
      const word = (w: number): number => notices[at + w] as number;
      steering.notice(word(0), word(1), word(2), word(3), word(4));
    }
    Atomics.store(control, CONTROL.noticeTail, tail);
  }

  /** Adds this worker's totals to a sum. */
  addCounters(sum: MutableCounters): void {
    const count = (slot: number): number => this.regions.counters[slot] ?? 0;
    sum.received += count(COUNT.received);
    sum.originated += count(COUNT.originated);
    sum.duplicated += count(COUNT.duplicated);
    sum.delivered += count(COUNT.delivered);
    sum.exited += count(COUNT.exited);
    sum.consumed += count(COUNT.consumed);
    sum.tapsLost += count(COUNT.tapsLost);
    sum.inFlight += this.regions.sizes.slots - this.freeSlots.length;
    for (let code = 0; code < DROP_CODES; code++) {
      sum.dropped[code] = (sum.dropped[code] ?? 0) + count(COUNT.dropped + code);
    }
  }

  /** Adds this worker's counters of one attachment to a sum. */
  addTraffic(attachment: number, sum: Mutable<AttachmentCounters>): void {
    const at = attachment * TRAFFIC_WORDS;
    const word = (w: number): number => this.regions.traffic[at + w] ?? 0;
    sum.sentPackets += word(0);
    sum.sentBytes += word(1);
    sum.receivedPackets += word(2);
    sum.receivedBytes += word(3);
  }

  get oldestEpoch(): number {
    return this.regions.counters[COUNT.oldestEpoch] ?? 0;
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
export type MutableCounters = Mutable<Omit<Counters, 'dropped'>> & { dropped: number[] };

/** Totals of several workers. */
export function sumCounters(memories: readonly WorkerMemory[]): Counters {
  const sum: MutableCounters = {
    received: 0,
    originated: 0,
    duplicated: 0,
    delivered: 0,
    exited: 0,
    consumed: 0,
    dropped: [],
    inFlight: 0,
    tapsLost: 0,
  };
  for (const memory of memories) memory.addCounters(sum);
  return sum;
}

/** Counters of one attachment over several workers. */
export function sumTraffic(memories: readonly WorkerMemory[], attachment: number): AttachmentCounters {
  const sum = { sentPackets: 0, sentBytes: 0, receivedPackets: 0, receivedBytes: 0 };
  for (const memory of memories) memory.addTraffic(attachment, sum);
  return sum;
}

/** Results in the order of their frames. */
export function sortResults(results: PassResult[]): PassResult[] {
  return results.toSorted((a, b) => a.timeNs - b.timeNs || a.packetId - b.packetId);
}
