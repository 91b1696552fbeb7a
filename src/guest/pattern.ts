// The test pattern of generated streams: byte number i of a pattern is i modulo 251, a prime, so that a missing,
// repeated or misplaced piece of any power-of-two size shows. Copied from one table, never computed per byte.

const PERIOD = 251;
const PIECE_MAX = 16_384;
const TABLE = Uint8Array.from({ length: PERIOD + PIECE_MAX }, (_, index) => index % PERIOD);

/** Writes `length` pattern bytes to `target` from `at`, starting with pattern byte number `first`. */
export function writePatternInto(target: Uint8Array, at: number, first: number, length: number): void {
  for (let done = 0; done < length; done += PIECE_MAX) {
    const start = (first + done) % PERIOD;
    target.set(TABLE.subarray(start, start + Math.min(PIECE_MAX, length - done)), at + done);
  }
}

/** Whether `bytes` are the pattern from byte number `first` on. */
export function isPattern(bytes: Uint8Array, first: number): boolean {
  let expected = first % PERIOD;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== expected) return false;
    expected = expected === PERIOD - 1 ? 0 : expected + 1;
  }
  return true;
}
