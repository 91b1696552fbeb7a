// The tap: copies frames out of the arena into the tap ring, once as the sender wrote them and once as the receiver
// gets them. A record that finds no room is counted, never waited for.
//
// Form: frames in the arena and records in the ring both begin on 8 bytes, so whole 8-byte words are moved, eight at a
// time. Measured per copy of 60 and of 1,514 bytes: eight at a time 11 and 78 ns, one at a time 14 and 135 ns, with the
// views as fields of an object instead of variables of a closure 23 and 281 ns.

import { CONTROL, COUNT, IN_PACKET, IN_TIME_HIGH, IN_TIME_LOW, type Regions } from '../abi/regions.ts';

/** Words of a tap record before the frame's bytes, which begin 2 bytes into the word after the header. */
export const TAP_HEADER_WORDS = 8;
/** Words of the whole record, header included; negative: the rest of the ring is skipped. */
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

/** Frames are copied in pieces of 64 bytes: slots are a multiple of that, so no piece leaves its slot. */
const PIECE_LONGS = 8;
/** Less than any record has. */
const LAST_WORDS = 16;

/** What the forwarding paths call; its functions share the cursors of one closure. */
export class Tap {
  /**
   * Copies the frame of `length` bytes whose first word is word `at` of the arena (the Ethernet header begins 2 bytes
   * into it). `descriptor` is the first word of the packet's ingress descriptor, `phase` 0 before and 1 after. Returns
   * where the record stands, -1 when it was lost.
   */
  readonly copy: (at: number, length: number, descriptor: number, phase: number, path: number) => number;
  /** Makes the batch's records visible; without records it costs one comparison. */
  readonly publish: () => void;
  /** Goes on at the end of the ring, so that the next record meets the ring's end. What was published stays. */
  readonly restart: () => void;

  /** `snapLength` is how many bytes of a frame are kept. */
  constructor(regions: Regions, snapLength: number) {
    const { taps: ring_, frameWords, ingress: ingress_, control, counters } = regions;
    const ringLongs_ = longsOf(ring_);
    const frameLongs_ = longsOf(frameWords);
    const size = ring_.length;
    /** Where the ring begins as the cursors count, where the next record goes, and up to where there is room. */
    let round = control[CONTROL.tapHead] & -size;
    let next = control[CONTROL.tapHead] & (size - 1);
    let limit = next;
    /** The head that control knows. */
    let published = control[CONTROL.tapHead];

    this.copy = function copy(at, length, descriptor, phase, path) {
      const ring = ring_;
      const ringLongs = ringLongs_;
      const frameLongs = frameLongs_;
      const ingress = ingress_;
      const copied = length < snapLength ? length : snapLength;
      const longs = ((copied + 2 + 63) >> 6) * PIECE_LONGS;
      const words = TAP_HEADER_WORDS + 2 * longs;
      let to = next;
      next = to + words;
      if (next > limit) {
        next = to;
        to = makeRoom(words);
        if (to < 0) return -1;
      }
      ring[to + TAP_SIZE] = words;
      ring[to + TAP_PACKET] = ingress[descriptor + IN_PACKET];
      ring[to + TAP_TIME_LOW] = ingress[descriptor + IN_TIME_LOW];
      ring[to + TAP_TIME_HIGH] = ingress[descriptor + IN_TIME_HIGH];
      // `| 0`: a parameter of unknown kind would be converted to a float and back.
      ring[to + TAP_PATH] = path | 0;
      ring[to + TAP_PHASE] = phase | 0;
      ring[to + TAP_LENGTH] = length;
      ring[to + TAP_COPIED] = copied;
      let from = at >> 1;
      let into = (to + TAP_HEADER_WORDS) >> 1;
      const end = from + longs;
      do {
        ringLongs[into] = frameLongs[from];
        ringLongs[into + 1] = frameLongs[from + 1];
        ringLongs[into + 2] = frameLongs[from + 2];
        ringLongs[into + 3] = frameLongs[from + 3];
        ringLongs[into + 4] = frameLongs[from + 4];
        ringLongs[into + 5] = frameLongs[from + 5];
        ringLongs[into + 6] = frameLongs[from + 6];
        ringLongs[into + 7] = frameLongs[from + 7];
        from += PIECE_LONGS;
        into += PIECE_LONGS;
      } while (from < end);
      return to;
    };

    this.publish = publish;

    function publish(): void {
      const head = (round + next) | 0;
      if (head === published) return;
      published = head;
      Atomics.store(control, CONTROL.tapHead, head);
    }

    this.restart = function restart() {
      const skipped = size - LAST_WORDS - next;
      if (skipped > 0) {
        ring_[next + TAP_SIZE] = -skipped;
        next += skipped;
      }
      limit = next;
      publish();
    };

    /** Room for a record that does not fit here: at the start of the ring, or because control has read on; -1: none. */
    function makeRoom(words: number): number {
      const unread = (round + next - Atomics.load(control, CONTROL.tapTail)) | 0;
      const isWrapping = next + words > size;
      const skipped = isWrapping ? size - next : 0;
      const free = size - unread - skipped;
      if (words > free) {
        counters[COUNT.tapsLost]++;
        return -1;
      }
      if (isWrapping) {
        if (skipped > 0) ring_[next + TAP_SIZE] = -skipped;
        round = (round + size) | 0;
        next = 0;
      }
      limit = Math.min(size, next + free);
      const to = next;
      next = to + words;
      return to;
    }
  }
}

/** The same memory as 8-byte words. */
function longsOf(words: Int32Array): BigInt64Array {
  return new BigInt64Array(words.buffer, words.byteOffset, words.length >> 1);
}
