// The sending half of a TCP connection: what to send next, what to send again, and when. Positions are those of the
// stream: the SYN is 0, byte n of the data n + 1, and the FIN follows the last byte.
import { TCP_FIN, TCP_PSH, TCP_SYN } from '../../wire/index.ts';
import type { GuestPort } from '../guest.ts';
import { SendBuffer } from './send-buffer.ts';
import { CongestionControl } from './congestion.ts';
import { DeadlineTimer, RetransmissionTimeout } from './timers.ts';

/** What the sender needs from its connection. */
export interface SegmentOutput {
  /** Sends `length` bytes of data from `position` (0: the SYN) with these flags; ACK is the connection's to add. */
  emit(position: number, length: number, flags: number): void;
  /** The last retry timed out. */
  giveUp(): void;
}

export interface SenderStats {
  /** Bytes of data sent for the first time. */
  bytesSent: number;
  /** Segments that were sent again, for whatever reason. */
  retransmissions: number;
  fastRetransmissions: number;
  timeouts: number;
}

/** Invariant: una <= nxt <= max; nothing before una is kept. */
export class TcpSender {
  readonly buffer = new SendBuffer();
  /** First position not acknowledged, next to send, and one past the highest ever sent (SND.UNA, SND.NXT). */
  una = 0;
  nxt = 0;
  max = 0;
  /** What the peer is ready to receive, bytes. */
  window = 0;
  finQueued = false;
  readonly stats: SenderStats = { bytesSent: 0, retransmissions: 0, fastRetransmissions: 0, timeouts: 0 };

  readonly #port: GuestPort;
  readonly #output: SegmentOutput;
  readonly #synRetries: number;
  readonly #dataRetries: number;
  readonly #rto = new RetransmissionTimeout();
  readonly #timer: DeadlineTimer;
  #congestion = new CongestionControl(536, false);
  #retries = 0;
  #duplicates = 0;
  // The one segment whose round trip is being timed: the position after it, and when it left. -1: none.
  #timedEnd = -1;
  #timedAtNs = 0;

  constructor(port: GuestPort, output: SegmentOutput, synRetries: number, dataRetries: number) {
    this.#port = port;
    this.#output = output;
    this.#synRetries = synRetries;
    this.#dataRetries = dataRetries;
    this.#timer = new DeadlineTimer(port, () => this.#expired());
  }

  /** Position after the last byte of data: that of the FIN. */
  get end(): number {
    return 1 + this.buffer.end;
  }

  get finAcknowledged(): boolean {
    return this.finQueued && this.una > this.end;
  }

  /** The handshake is done; `mss` is the largest payload of a segment. */
  established(mss: number): void {
    const synLost = this.stats.retransmissions > 0;
    this.#congestion = new CongestionControl(mss, synLost);
    if (synLost) this.#rto.startAfterSynLoss();
  }

  /** The path carries less than was thought (RFC 1191): what was in flight did not arrive. */
  reduceMss(mss: number): void {
    if (mss >= this.#congestion.mss) return;
    this.#congestion.mss = mss;
    if (this.una === 0) return;
    this.nxt = this.una;
    this.output();
  }

  /** Sends everything that may be sent now. */
  output(): void {
    if (this.nxt === 0) {
      this.#send(0, 0, TCP_SYN);
      return;
    }
    if (this.una === 0) return;
    while (this.#sendNext());
    // A closed window and nothing in flight: the probe timer runs (RFC 9293 section 3.8.6.1).
    if (this.una === this.max && this.nxt < this.end && !this.#timer.running) this.#timer.start(this.#rto.currentNs);
  }

  /**
   * An acknowledgement of something new, up to `position` <= max. `gap`: what follows may be missing at the peer; false
   * when it would have said so.
   */
  acknowledge(position: number, gap: boolean): void {
    const bytes = position - this.una;
    this.una = position;
    this.nxt = Math.max(this.nxt, position);
    this.buffer.release(Math.min(position, this.end) - 1);
    if (this.#timedEnd >= 0 && position >= this.#timedEnd) {
      this.#rto.measured(this.#port.now() - this.#timedAtNs);
      this.#timedEnd = -1;
    }
    this.#rto.progress();
    this.#retries = 0;
    this.#duplicates = 0;
    if (this.una === this.max) this.#timer.stop();
    else this.#timer.start(this.#rto.currentNs);
    if (this.#congestion.acknowledged(bytes, position, this.max - this.una, gap)) this.#sendAgain();
  }

  /** An acknowledgement that says the same as the one before it, while something is in flight (RFC 5681 section 2). */
  duplicate(): void {
    this.#duplicates++;
    if (!this.#congestion.duplicate(this.#duplicates, this.una, this.max - this.una, this.max)) return;
    this.stats.fastRetransmissions++;
    this.#sendAgain();
    this.#timer.start(this.#rto.currentNs);
  }

  /** The peer is alive but keeps its window closed: probing goes on for as long as it answers. */
  windowStillClosed(): void {
    this.#retries = 0;
  }

  /** The window opens again; a probe that the peer had no room for is sent with what follows it. */
  windowOpened(): void {
    this.nxt = this.una;
  }

  stop(): void {
    this.#timer.stop();
  }

  /** Sends one segment at `nxt` if there is one and both windows allow it. */
  #sendNext(): boolean {
    const inFlight = this.nxt - this.una;
    const left = this.end - this.nxt;
    if (left < 0 || (left === 0 && !this.finQueued)) return false;
    const room = Math.floor(Math.min(this.#congestion.window, this.window)) - inFlight;
    const length = Math.min(this.#congestion.mss, left, room);
    if (left > 0 && length <= 0) return false;
    // No small segment just because the window is nearly full (RFC 9293 section 3.8.6.2.1).
    if (length < left && length < this.#congestion.mss && inFlight > 0) return false;
    this.#sendData(this.nxt, Math.max(0, length));
    return true;
  }

  #sendAgain(): void {
    this.#sendData(this.una, Math.min(this.#congestion.mss, Math.max(0, this.end - this.una)));
  }

  #sendData(position: number, length: number): void {
    const isLast = position + length === this.end;
    let flags = isLast && length > 0 ? TCP_PSH : 0;
    if (isLast && this.finQueued) flags |= TCP_FIN;
    this.#send(position, length, flags);
  }

  #send(position: number, length: number, flags: number): void {
    const after = position + length + ((flags & (TCP_SYN | TCP_FIN)) === 0 ? 0 : 1);
    if (position < this.max) {
      this.stats.retransmissions++;
      this.#timedEnd = -1;
    } else if (this.#timedEnd < 0) {
      this.#timedEnd = after;
      this.#timedAtNs = this.#port.now();
    }
    this.stats.bytesSent += Math.max(0, position + length - Math.max(position, this.max, 1));
    this.nxt = Math.max(this.nxt, after);
    this.max = Math.max(this.max, after);
    if (!this.#timer.running) this.#timer.start(this.#rto.currentNs);
    this.#output.emit(position, length, flags);
  }

  /** RFC 6298 (5.4) to (5.6): send the first unacknowledged segment again, and go on from there. */
  #expired(): void {
    this.#retries++;
    if (this.#retries > (this.una === 0 ? this.#synRetries : this.#dataRetries)) {
      this.#output.giveUp();
      return;
    }
    this.stats.timeouts++;
    this.#rto.backOff();
    this.#duplicates = 0;
    const probing = this.una > 0 && this.window === 0 && this.una < this.end;
    if (!probing) this.#congestion.timedOut(this.#retries === 1, this.max - this.una, this.max);
    this.nxt = this.una;
    if (probing) this.#sendData(this.una, 1);
    else this.output();
    if (!this.#timer.running) this.#timer.start(this.#rto.currentNs);
  }
}
