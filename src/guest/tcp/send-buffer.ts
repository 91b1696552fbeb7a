// Bytes that a connection has been given and its peer has not yet acknowledged. Chunks are kept as they came: an array
// is not copied, and pattern bytes are only a length until they are written into a frame.
import { writePatternInto } from '../pattern.ts';

/** What can be written to a connection: bytes (not to be changed afterwards), or so many bytes of the test pattern. */
export type Writable = Uint8Array | { readonly fill: number };

interface Chunk {
  /** Offset of the chunk's first byte in the stream. */
  readonly start: number;
  readonly length: number;
  /** Undefined for pattern bytes. */
  readonly bytes: Uint8Array | undefined;
}

/** Offsets count the bytes of the stream from 0. Invariant: chunks are adjacent, in order, and end at `end`. */
export class SendBuffer {
  #chunks: Chunk[] = [];
  #released = 0;
  #end = 0;

  /** Offset after the last byte. */
  get end(): number {
    return this.#end;
  }

  append(data: Writable): void {
    const bytes = data instanceof Uint8Array ? data : undefined;
    const length = data instanceof Uint8Array ? data.length : data.fill;
    if (length === 0) return;
    this.#chunks.push({ start: this.#end, length, bytes });
    this.#end += length;
  }

  /** Copies `length` bytes of the stream from `offset`; throws when they were released or never appended. */
  copyInto(target: Uint8Array, at: number, offset: number, length: number): void {
    if (length === 0) return;
    if (offset < this.#released || offset + length > this.#end) {
      throw new Error(`bytes ${offset} to ${offset + length} are not in a buffer of ${this.#released} to ${this.#end}`);
    }
    for (const chunk of this.#chunks) {
      const from = Math.max(offset, chunk.start) - chunk.start;
      const to = Math.min(offset + length, chunk.start + chunk.length) - chunk.start;
      if (to <= 0) break;
      if (from >= to) continue;
      const place = at + chunk.start + from - offset;
      if (chunk.bytes === undefined) writePatternInto(target, place, from, to - from);
      else target.set(chunk.bytes.subarray(from, to), place);
    }
  }

  /** Forgets everything before `offset`. */
  release(offset: number): void {
    this.#released = Math.max(this.#released, offset);
    let done = 0;
    for (const chunk of this.#chunks) {
      if (chunk.start + chunk.length > offset) break;
      done++;
    }
    if (done > 0) this.#chunks.splice(0, done);
  }
}
