// The tap: copies frames out of the arena into the tap ring, once as the sender wrote them and once as the receiver
// gets them. The path id of the first copy is filled in when the pass is decided. A record that finds no room is
// counted, never waited for.

import { CONTROL, COUNT, type Regions } from '../abi/regions.ts';
import type { Batch } from './batch.ts';

/** Words of a tap record before the frame's bytes. */
export const TAP_HEADER_WORDS = 8;
/** Words of the whole record; negative: the rest of the ring is skipped. */
export const TAP_SIZE = 0;
export const TAP_PACKET = 1;
export const TAP_TIME_LOW = 2;
export const TAP_TIME_HIGH = 3;
export const TAP_PATH = 4;
/** 0 before, 1 after. */
export const TAP_PHASE = 5;
/** Frame length on the wire and bytes copied. */
export const TAP_LENGTH = 6;
export const TAP_COPIED = 7;

export class Tap {
  private readonly ring: Int32Array;
  private readonly frames: Int32Array;
  private readonly control: Int32Array;
  private readonly counters: Float64Array;
  private readonly snapLength: number;
  private head: number;
  private tail: number;

  constructor(regions: Regions, snapLength: number) {
    this.ring = regions.taps;
    this.frames = regions.frameWords;
    this.control = regions.control;
    this.counters = regions.counters;
    this.snapLength = snapLength;
    this.head = 0;
    this.tail = 0;
  }

  /** Copies row `i`'s frame; returns where the record stands, -1 when it was lost. */
  copy(batch: Batch, i: number, phase: number, path: number): number {
    const length = batch.length[i];
    const copied = Math.min(length, this.snapLength);
    // The frame starts 2 bytes into its first word.
    const frameWords = (copied + 2 + 3) >> 2;
    const at = this.reserve(TAP_HEADER_WORDS + frameWords);
    if (at < 0) return -1;
    const { ring, frames } = this;
    ring[at + TAP_SIZE] = TAP_HEADER_WORDS + frameWords;
    ring[at + TAP_PACKET] = batch.packet[i];
    ring[at + TAP_TIME_LOW] = batch.timeLow[i];
    ring[at + TAP_TIME_HIGH] = batch.timeHigh[i];
    ring[at + TAP_PATH] = path;
    ring[at + TAP_PHASE] = phase;
    ring[at + TAP_LENGTH] = length;
    ring[at + TAP_COPIED] = copied;
    const from = batch.frame[i];
    const to = at + TAP_HEADER_WORDS;
    for (let w = 0; w < frameWords; w++) ring[to + w] = frames[from + w];
    return at;
  }

  /** Fills in the path of a record that was copied before the pass was decided. */
  setPath(at: number, path: number): void {
    if (at >= 0) this.ring[at + TAP_PATH] = path;
  }

  /** Makes this batch's records visible. */
  publish(): void {
    Atomics.store(this.control, CONTROL.tapHead, this.head);
  }

  private reserve(words: number): number {
    const { ring } = this;
    const mask = ring.length - 1;
    let at = this.head & mask;
    const skip = at + words > ring.length ? ring.length - at : 0;
    if (!this.hasRoom(words + skip)) {
      this.counters[COUNT.tapsLost]++;
      return -1;
    }
    if (skip > 0) {
      ring[at + TAP_SIZE] = -skip;
      this.head = (this.head + skip) | 0;
      at = 0;
    }
    this.head = (this.head + words) | 0;
    return at;
  }

  private hasRoom(words: number): boolean {
    const { ring } = this;
    if (((this.head + words - this.tail) | 0) <= ring.length) return true;
    this.tail = Atomics.load(this.control, CONTROL.tapTail);
    return ((this.head + words - this.tail) | 0) <= ring.length;
  }
}
