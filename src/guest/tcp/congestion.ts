// Congestion control of TCP: slow start and congestion avoidance (RFC 5681), an initial window of ten segments
// (RFC 6928), and NewReno fast recovery (RFC 6582). Selective acknowledgements are evidence of a gap, nothing more: a
// repeated packet alone causes no retransmission. Counts in bytes.

const INITIAL_SEGMENTS = 10;
const INITIAL_BYTES = 14_600;
/** Duplicate acknowledgements that mean loss. */
export const DUPLICATE_ACKS = 3;

export class CongestionControl {
  mss: number;
  /** Bytes that may be in flight. */
  window: number;
  /** Set while in fast recovery. */
  recovering = false;
  #threshold = Infinity;
  /** Position up to which recovery lasts, and below which duplicates prove nothing new (RFC 6582 section 3.2). */
  #recoverTo = 0;

  constructor(mss: number, afterSynLoss: boolean) {
    this.mss = mss;
    // RFC 6928 section 2: one segment when the SYN or its answer had to be sent again.
    this.window = afterSynLoss ? mss : Math.min(INITIAL_SEGMENTS * mss, Math.max(2 * mss, INITIAL_BYTES));
  }

  /**
   * New data was acknowledged up to `position`; `inFlight` bytes remain. True when the next segment is taken for lost
   * too and must be sent again (a partial acknowledgement in recovery, and a gap).
   */
  acknowledged(bytes: number, position: number, inFlight: number, gap: boolean): boolean {
    if (!this.recovering) {
      this.window += this.window < this.#threshold ? Math.min(bytes, this.mss) : (this.mss * this.mss) / this.window;
      return false;
    }
    if (position >= this.#recoverTo) {
      this.recovering = false;
      this.window = Math.min(this.#threshold, Math.max(inFlight, this.mss) + this.mss);
      return false;
    }
    this.window = Math.max(this.mss, this.window - bytes + this.mss);
    return gap;
  }

  /** The `count`th duplicate in a row arrived. True when the first unacknowledged segment must be sent again. */
  duplicate(count: number, unacknowledged: number, inFlight: number, highest: number): boolean {
    if (this.recovering) {
      this.window += this.mss;
      return false;
    }
    if (count !== DUPLICATE_ACKS || unacknowledged <= this.#recoverTo) return false;
    this.#threshold = Math.max(inFlight / 2, 2 * this.mss);
    this.window = this.#threshold + DUPLICATE_ACKS * this.mss;
    this.recovering = true;
    this.#recoverTo = highest;
    return true;
  }

  /** The retransmission timer expired; only the first expiry for the same data halves the threshold. */
  timedOut(first: boolean, inFlight: number, highest: number): void {
    if (first) this.#threshold = Math.max(inFlight / 2, 2 * this.mss);
    this.window = this.mss;
    this.recovering = false;
    this.#recoverTo = highest;
  }
}
