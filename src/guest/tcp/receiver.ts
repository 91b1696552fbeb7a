// The receiving half of a TCP connection: what is expected next, what waits for it, and where the stream ends.
// Bytes are handed on at once, so the window that is offered never shrinks.
import type { SackBlock } from '../../wire/index.ts';
import { positionOf, sequenceAt } from './sequence.ts';
import { Reassembly } from './reassembly.ts';

/** As many as common stacks send. */
const SACK_BLOCKS_MAX = 3;

export class TcpReceiver {
  /** Next expected position (RCV.NXT). The SYN was position 0. */
  next = 1;
  /** Bytes, from `next` on, that may arrive. */
  readonly window: number;
  readonly #initial: number;
  readonly #waiting = new Reassembly();
  /** Position of the FIN; Infinity until one has arrived. */
  #finAt = Infinity;

  constructor(initialSequence: number, window: number) {
    this.#initial = initialSequence;
    this.window = window;
  }

  /** What goes into the acknowledgement field. */
  get acknowledgement(): number {
    return sequenceAt(this.#initial, this.next);
  }

  /** Everything up to and including the FIN has arrived. */
  get finished(): boolean {
    return this.next > this.#finAt;
  }

  /** Something is missing before bytes that have arrived. */
  get hasGap(): boolean {
    return !this.#waiting.empty;
  }

  /** What has arrived after the gap, as sequence numbers (RFC 2018). */
  sackBlocks(): SackBlock[] {
    return this.#waiting.blocks(SACK_BLOCKS_MAX).map(({ start, end }) => {
      return { start: sequenceAt(this.#initial, start), end: sequenceAt(this.#initial, end) };
    });
  }

  position(sequence: number): number {
    return positionOf(this.#initial, sequence, this.next);
  }

  /** RFC 9293 section 3.10.7.4, first step; `length` counts SYN and FIN. */
  acceptable(position: number, length: number): boolean {
    const windowEnd = this.next + this.window;
    if (length === 0) return position >= this.next && position < windowEnd;
    return position < windowEnd && position + length > this.next;
  }

  /** Takes the bytes from `position` on, and the FIN after them; calls back with what has become complete, in order. */
  accept(position: number, payload: Uint8Array, fin: boolean, deliver: (bytes: Uint8Array) => void): void {
    if (fin) this.#finAt = Math.min(this.#finAt, position + payload.length);
    const start = Math.max(position, this.next);
    const end = Math.min(position + payload.length, this.next + this.window, this.#finAt);
    if (end > start) {
      const bytes = payload.subarray(start - position, end - position);
      if (start > this.next) this.#waiting.add(start, bytes);
      else this.#advance(bytes, deliver);
    }
    if (this.next === this.#finAt) this.next++;
  }

  #advance(bytes: Uint8Array, deliver: (bytes: Uint8Array) => void): void {
    let next: Uint8Array | undefined = bytes;
    while (next !== undefined) {
      this.next += next.length;
      deliver(next);
      next = this.#waiting.empty ? undefined : this.#waiting.take(this.next);
    }
  }
}
