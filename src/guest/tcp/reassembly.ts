// Received bytes of a TCP stream that wait for earlier ones (RFC 9293 section 3.10.7.4). Positions are those of the
// stream; the frames that the bytes came in are kept, not copied. The receive window bounds what is held.

interface Piece {
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** Positions from `start` up to, not including, `end`. */
export interface Block {
  readonly start: number;
  readonly end: number;
}

/** Invariant: pieces are sorted, not empty, and do not overlap. */
export class Reassembly {
  #pieces: Piece[] = [];
  /** Where the last bytes to arrive started. */
  #latest = 0;

  get empty(): boolean {
    return this.#pieces.length === 0;
  }

  /** Keeps those of the bytes from `start` on that are not yet held. */
  add(start: number, bytes: Uint8Array): void {
    const end = start + bytes.length;
    let index = 0;
    let at = start;
    this.#latest = start;
    while (at < end) {
      const next = this.#pieces[index];
      if (next !== undefined && next.start <= at) {
        at = Math.max(at, next.start + next.bytes.length);
        index++;
        continue;
      }
      const gapEnd = next === undefined ? end : Math.min(end, next.start);
      this.#pieces.splice(index, 0, { start: at, bytes: bytes.subarray(at - start, gapEnd - start) });
      index++;
      at = gapEnd;
    }
  }

  /** Removes and returns bytes that continue the stream at `position`; undefined when there are none. */
  take(position: number): Uint8Array | undefined {
    for (let first = this.#pieces[0]; first !== undefined && first.start <= position; first = this.#pieces[0]) {
      this.#pieces.shift();
      const known = position - first.start;
      if (known < first.bytes.length) return first.bytes.subarray(known);
    }
    return undefined;
  }

  /** What is held, as at most `count` blocks; the one with the latest arrival comes first (RFC 2018 section 4). */
  blocks(count: number): Block[] {
    const blocks: { start: number; end: number }[] = [];
    for (const { start, bytes } of this.#pieces) {
      const last = blocks[blocks.length - 1];
      if (last !== undefined && last.end === start) last.end += bytes.length;
      else blocks.push({ start, end: start + bytes.length });
    }
    const isLatest = (block: Block): boolean => block.start <= this.#latest && this.#latest < block.end;
    return [...blocks.filter(isLatest), ...blocks.filter((block) => !isLatest(block))].slice(0, count);
  }
}
