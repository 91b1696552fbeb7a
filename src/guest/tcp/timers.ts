// Retransmission time of TCP: the estimate of RFC 6298, and a timer that may be restarted often.
import type { GuestPort, GuestTimer } from '../guest.ts';

const MS = 1_000_000;
/** RFC 6298 (2.1). */
export const RTO_INITIAL_NS = 1_000 * MS;
/** Common practice; RFC 6298 (2.4) would have 1 s, which only makes tests of loss longer. */
export const RTO_MIN_NS = 200 * MS;
/** RFC 6298 (2.5). */
export const RTO_MAX_NS = 60_000 * MS;
/** RFC 6298 (5.7): after a SYN had to be sent again. */
export const RTO_AFTER_SYN_LOSS_NS = 3_000 * MS;

/** The retransmission timeout, RFC 6298 section 2 and (5.5). */
export class RetransmissionTimeout {
  #srttNs = -1;
  #rttvarNs = 0;
  #baseNs = RTO_INITIAL_NS;
  #backoff = 1;

  /** Nanoseconds from now until what is outstanding counts as lost. */
  get currentNs(): number {
    return Math.min(RTO_MAX_NS, this.#baseNs * this.#backoff);
  }

  /** A round-trip time of a segment that was sent once (Karn's algorithm is the caller's). */
  measured(rttNs: number): void {
    if (this.#srttNs < 0) {
      this.#srttNs = rttNs;
      this.#rttvarNs = rttNs / 2;
    } else {
      this.#rttvarNs = 0.75 * this.#rttvarNs + 0.25 * Math.abs(this.#srttNs - rttNs);
      this.#srttNs = 0.875 * this.#srttNs + 0.125 * rttNs;
    }
    // The minimum is the G of (2.3), so that a steady round trip above it does not time out by itself.
    this.#baseNs = this.#srttNs + Math.max(RTO_MIN_NS, 4 * this.#rttvarNs);
  }

  backOff(): void {
    this.#backoff *= 2;
  }

  /** Something new was acknowledged: the path works. */
  progress(): void {
    this.#backoff = 1;
  }

  /** RFC 6298 (5.7). */
  startAfterSynLoss(): void {
    this.#baseNs = Math.max(this.#baseNs, RTO_AFTER_SYN_LOSS_NS);
    this.#backoff = 1;
  }
}

/** One deadline. Moving it later costs nothing: the running timer notices when it fires. */
export class DeadlineTimer {
  readonly #port: GuestPort;
  readonly #callback: () => void;
  #deadlineNs = Infinity;
  #firesAtNs = Infinity;
  #timer: GuestTimer | undefined = undefined;

  constructor(port: GuestPort, callback: () => void) {
    this.#port = port;
    this.#callback = callback;
  }

  get running(): boolean {
    return this.#timer !== undefined;
  }

  /** Starts, or moves the deadline. */
  start(delayNs: number): void {
    this.#deadlineNs = this.#port.now() + delayNs;
    if (this.#timer !== undefined && this.#firesAtNs <= this.#deadlineNs) return;
    this.#timer?.cancel();
    this.#arm();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#deadlineNs = Infinity;
  }

  #arm(): void {
    this.#firesAtNs = this.#deadlineNs;
    this.#timer = this.#port.setTimer(this.#firesAtNs, () => this.#fire());
  }

  #fire(): void {
    if (this.#deadlineNs > this.#port.now()) {
      this.#arm();
      return;
    }
    this.#timer = undefined;
    this.#callback();
  }
}
