// One TCP connection: the state machine of RFC 9293 section 3.3.2 around a sender and a receiver.
// Handlers may write, close and abort at any time; what they cause is sent after the segment has been worked through,
// so that an answer carries the acknowledgement of what it answers.
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN, encodeTcpOptions } from '../../wire/index.ts';
import type { IcmpErrorReport } from '../icmp-error.ts';
import type { Writable } from './send-buffer.ts';
import { positionOf, sequenceAt } from './sequence.ts';
import type { TcpAddresses, TcpEnd, TcpEnvironment, TcpHandlers, TcpResult, TcpState, TcpStats } from './model.ts';
import { TcpReceiver } from './receiver.ts';
import { TcpSender, type SegmentOutput } from './sender.ts';
import { NO_BYTES, type TcpSegment } from './segment.ts';

export type { TcpEnd, TcpHandlers, TcpResult, TcpState, TcpStats } from './model.ts';

/** Receive window, bytes, and the shift that announces it (RFC 7323 section 2). */
export const RECEIVE_WINDOW = 262_144;
const WINDOW_SHIFT = 7;
const WINDOW_UNSCALED_MAX = 65_535;
const WINDOW_SHIFT_MAX = 14;
/** RFC 9293 section 3.7.1. */
const MSS_DEFAULT = 536;
const IP_AND_TCP_HEADER = 40;

export class TcpConnection implements TcpAddresses {
  readonly localAddress: number;
  readonly localPort: number;
  readonly remoteAddress: number;
  readonly remotePort: number;
  /** Initial TTL of its packets; undefined: the host's. */
  readonly ttl: number | undefined;
  handlers: TcpHandlers;
  result: TcpResult = 'connecting';
  /** TTL of the last packet received; undefined before the first. */
  receivedTtl: number | undefined = undefined;
  /** The ICMP error that ended it, if one did. */
  icmpError: IcmpErrorReport | undefined = undefined;
  /** End of TIME-WAIT, virtual time; meaningful in that state only. */
  timeWaitUntilNs = 0;

  readonly #environment: TcpEnvironment<TcpConnection>;
  readonly #initial: number;
  readonly #passive: boolean;
  readonly #sender: TcpSender;
  readonly #stats = { segmentsSent: 0, segmentsReceived: 0, bytesReceived: 0 };
  #receiver: TcpReceiver | undefined = undefined;
  #state: TcpState;
  #scaling: boolean;
  #sacking: boolean;
  #peerShift = 0;
  #peerMss = MSS_DEFAULT;
  // Segment of the last window update (SND.WL1, SND.WL2 as positions).
  #windowSeq = -1;
  #windowAck = -1;
  #ackPending = false;
  #busy = false;

  constructor(
    environment: TcpEnvironment<TcpConnection>,
    addresses: TcpAddresses,
    options: { initialSequence: number; synRetries: number; ttl?: number | undefined; handlers: TcpHandlers },
    syn?: TcpSegment,
  ) {
    this.#environment = environment;
    this.localAddress = addresses.localAddress;
    this.localPort = addresses.localPort;
    this.remoteAddress = addresses.remoteAddress;
    this.remotePort = addresses.remotePort;
    this.ttl = options.ttl;
    this.handlers = options.handlers;
    this.#initial = options.initialSequence;
    this.#passive = syn !== undefined;
    this.#state = syn === undefined ? 'synSent' : 'synReceived';
    this.#scaling = syn === undefined;
    this.#sacking = syn === undefined;
    const output: SegmentOutput = {
      emit: (position, length, flags) => this.#emit(position, length, flags),
      giveUp: () => this.#finish('timedOut'),
    };
    this.#sender = new TcpSender(environment.port, output, options.synRetries, environment.dataRetries);
    if (syn !== undefined) this.#takeSyn(syn);
  }

  get state(): TcpState {
    return this.#state;
  }

  /** A copy of the counters. */
  get stats(): TcpStats {
    return { ...this.#sender.stats, ...this.#stats };
  }

  /** Sends the SYN, or the SYN with the ACK of the one that created the connection. */
  open(): void {
    if (this.#passive) this.#stats.segmentsReceived++;
    this.#sender.output();
  }

  /** Queues data, also before the handshake is done. False, and nothing queued, once the connection is closing. */
  write(data: Writable): boolean {
    if (this.#sender.finQueued || this.#state === 'closed') return false;
    this.#sender.buffer.append(data);
    this.#flush();
    return true;
  }

  /** No more data from this side: the FIN follows what is queued. Data of the peer still arrives. */
  close(): void {
    if (this.#sender.finQueued || this.#state === 'closed') return;
    if (this.#state === 'synSent') {
      this.#finish('closed');
      return;
    }
    this.#sender.finQueued = true;
    if (this.#state === 'established') this.#state = 'finWait1';
    else if (this.#state === 'closeWait') this.#state = 'lastAck';
    this.#flush();
  }

  /** Ends the connection with a RST (RFC 9293 section 3.10.5). */
  abort(): void {
    if (this.#state === 'closed') return;
    if (this.#state !== 'synSent' && this.#state !== 'timeWait') this.#sendControl(TCP_RST | TCP_ACK);
    this.#finish('reset');
  }

  /** A segment for this connection has arrived. */
  receive(segment: TcpSegment): void {
    if (this.#state === 'closed') return;
    this.#stats.segmentsReceived++;
    this.receivedTtl = segment.ttl;
    this.#busy = true;
    if (this.#receiver === undefined) this.#receiveInSynSent(segment);
    else this.#receiveInSequence(segment, this.#receiver);
    this.#busy = false;
    this.#flush();
  }

  /** An ICMP error quotes a segment with this sequence number; errors about nothing in flight are forged or late. */
  receiveIcmpError(error: IcmpErrorReport, sequence: number): void {
    const position = positionOf(this.#initial, sequence, this.#sender.una);
    // RFC 5927 section 4.
    if (this.#state === 'closed' || position < this.#sender.una || position >= this.#sender.max) return;
    if (error.kind === 'fragmentationNeeded') this.#sender.reduceMss(this.#pathMss());
    else if (error.kind === 'refused' && this.#state === 'synSent') {
      this.icmpError = error;
      this.#finish('reset');
      return;
    }
    this.handlers.onIcmpError?.(error);
  }

  /** Whether a SYN may start a new connection in place of this one in TIME-WAIT (RFC 9293 section 3.10.7.4). */
  mayBeReplacedBy(segment: TcpSegment): boolean {
    if (this.#state !== 'timeWait' || this.#receiver === undefined) return false;
    const isSyn = (segment.flags & (TCP_SYN | TCP_ACK | TCP_RST)) === TCP_SYN;
    return isSyn && this.#receiver.position(segment.seq) >= this.#receiver.next;
  }

  /** RFC 9293 section 3.10.7.3. */
  #receiveInSynSent(segment: TcpSegment): void {
    const { flags } = segment;
    const hasAck = (flags & TCP_ACK) !== 0;
    const acknowledges = hasAck && positionOf(this.#initial, segment.ack, 1) === 1;
    if (hasAck && !acknowledges) {
      if ((flags & TCP_RST) === 0) this.#sendReset(segment.ack);
      return;
    }
    if ((flags & TCP_RST) !== 0) {
      if (hasAck) this.#finish('reset');
      return;
    }
    if ((flags & TCP_SYN) === 0) return;
    this.#takeSyn(segment);
    if (hasAck) {
      this.#ackPending = true;
      this.#establish(segment, 1);
      if (this.#receiver !== undefined) this.#receiveText(segment, this.#receiver, 1);
    } else {
      // Both sides open at once (RFC 9293 figure 7): the SYN goes out again, now with an acknowledgement.
      this.#state = 'synReceived';
      this.#sender.nxt = 0;
    }
  }

  /** RFC 9293 section 3.10.7.4, with the checks of RFC 5961 for RST and SYN. */
  #receiveInSequence(segment: TcpSegment, receiver: TcpReceiver): void {
    const { flags } = segment;
    const isSyn = (flags & TCP_SYN) !== 0;
    const position = receiver.position(segment.seq);
    const controls = (isSyn ? 1 : 0) + ((flags & TCP_FIN) === 0 ? 0 : 1);
    if (!receiver.acceptable(position, segment.payload.length + controls)) {
      this.#refuse(segment, position);
      return;
    }
    if ((flags & TCP_RST) !== 0) {
      if (position === receiver.next) this.#finish(this.#state === 'timeWait' ? 'closed' : 'reset');
      else this.#ackPending = true;
      return;
    }
    if (isSyn) {
      this.#ackPending = true;
      return;
    }
    if ((flags & TCP_ACK) === 0 || !this.#receiveAck(segment, receiver)) return;
    this.#receiveText(segment, receiver, position);
  }

  /** A segment outside the receive window: the peer is told what is expected. */
  #refuse(segment: TcpSegment, position: number): void {
    if ((segment.flags & TCP_RST) !== 0) return;
    if (this.#state === 'synReceived' && (segment.flags & TCP_SYN) !== 0 && position === 0) {
      // The peer asks again, so our SYN is on its way or lost: the same answer again.
      this.#sender.nxt = 0;
      return;
    }
    if (this.#state === 'timeWait') this.#enterTimeWait();
    this.#ackPending = true;
  }

  /** The acknowledgement field; false when the segment ends here. */
  #receiveAck(segment: TcpSegment, receiver: TcpReceiver): boolean {
    const sender = this.#sender;
    const acknowledged = positionOf(this.#initial, segment.ack, sender.una);
    if (this.#state === 'synReceived') {
      if (acknowledged <= sender.una || acknowledged > sender.max) {
        this.#sendReset(segment.ack);
        return false;
      }
      this.#establish(segment, acknowledged);
      return !this.#ended();
    }
    if (acknowledged > sender.max) {
      this.#ackPending = true;
      return false;
    }
    const window = segment.window << this.#peerShift;
    if (acknowledged > sender.una) {
      this.#updateWindow(segment, receiver, acknowledged);
      sender.acknowledge(acknowledged, this.#mayHaveGap(segment));
      if (sender.finAcknowledged) this.#finAcknowledged();
    } else if (acknowledged === sender.una) {
      const pure = segment.payload.length === 0 && (segment.flags & TCP_FIN) === 0;
      const isDuplicate = pure && window === sender.window && window > 0 && sender.max > sender.una;
      if (isDuplicate && this.#mayHaveGap(segment)) sender.duplicate();
      const wasClosed = sender.window === 0;
      this.#updateWindow(segment, receiver, acknowledged);
      if (sender.window === 0) sender.windowStillClosed();
      else if (wasClosed) sender.windowOpened();
    }
    return !this.#ended();
  }

  /** False when the peer would have told of a gap in what it has, and did not. */
  #mayHaveGap(segment: TcpSegment): boolean {
    return !this.#sacking || segment.options.sackBlocks !== undefined;
  }

  /** Data and FIN. */
  #receiveText(segment: TcpSegment, receiver: TcpReceiver, position: number): void {
    const fin = (segment.flags & TCP_FIN) !== 0;
    if (segment.payload.length === 0 && !fin) return;
    if (receiver.finished) {
      this.#ackPending = true;
      return;
    }
    this.#ackPending = true;
    receiver.accept(position, segment.payload, fin, (bytes) => {
      this.#stats.bytesReceived += bytes.length;
      if (!this.#ended()) this.handlers.onData?.(bytes);
    });
    if (receiver.finished && !this.#ended()) this.#peerClosed();
  }

  #establish(segment: TcpSegment, acknowledged: number): void {
    const sender = this.#sender;
    sender.acknowledge(acknowledged, false);
    sender.established(Math.min(this.#peerMss, this.#pathMss()));
    // The window of a SYN is never scaled (RFC 7323 section 2.2).
    sender.window = (segment.flags & TCP_SYN) === 0 ? segment.window << this.#peerShift : segment.window;
    this.#state = sender.finQueued ? 'finWait1' : 'established';
    this.result = 'established';
    // The third segment of the handshake goes alone, whatever the handler writes.
    if (this.#ackPending) this.#sendControl(TCP_ACK);
    this.handlers.onEstablished?.();
  }

  #finAcknowledged(): void {
    if (this.#state === 'finWait1') this.#state = 'finWait2';
    else if (this.#state === 'closing') this.#enterTimeWait();
    else if (this.#state === 'lastAck') this.#finish('closed');
  }

  #peerClosed(): void {
    const isLast = this.#state === 'finWait2';
    if (this.#state === 'established') this.#state = 'closeWait';
    else if (this.#state === 'finWait1') this.#state = 'closing';
    if (this.handlers.onPeerClosed === undefined) this.close();
    else this.handlers.onPeerClosed();
    if (isLast && !this.#ended()) this.#enterTimeWait();
  }

  /** Also when a FIN is repeated in that state: the wait starts again. */
  #enterTimeWait(): void {
    const isNew = this.#state !== 'timeWait';
    this.#state = 'timeWait';
    this.#sender.stop();
    this.timeWaitUntilNs = this.#environment.port.now() + this.#environment.timeWaitNs;
    this.#environment.linger(this);
    if (isNew) this.#report('closed');
  }

  #finish(how: TcpEnd): void {
    const reported = this.#state === 'timeWait';
    this.#state = 'closed';
    this.#sender.stop();
    this.#environment.forget(this);
    if (!reported) this.#report(how);
  }

  #report(how: TcpEnd): void {
    this.result = how;
    this.handlers.onClosed?.(how);
  }

  /** Asked after every call of a handler, which may have aborted the connection. */
  #ended(): boolean {
    return this.#state === 'closed';
  }

  #takeSyn(segment: TcpSegment): void {
    const { mss, windowScale, sackPermitted } = segment.options;
    if (mss !== undefined && mss > 0) this.#peerMss = mss;
    this.#scaling = windowScale !== undefined;
    this.#sacking = sackPermitted === true;
    this.#peerShift = Math.min(windowScale ?? 0, WINDOW_SHIFT_MAX);
    this.receivedTtl = segment.ttl;
    this.#receiver = new TcpReceiver(segment.seq, this.#scaling ? RECEIVE_WINDOW : WINDOW_UNSCALED_MAX);
  }

  #updateWindow(segment: TcpSegment, receiver: TcpReceiver, acknowledged: number): void {
    const position = receiver.position(segment.seq);
    const isNewer = position > this.#windowSeq || (position === this.#windowSeq && acknowledged >= this.#windowAck);
    if (!isNewer) return;
    this.#windowSeq = position;
    this.#windowAck = acknowledged;
    this.#sender.window = segment.window << this.#peerShift;
  }

  #pathMss(): number {
    return this.#environment.mtuTo(this.remoteAddress) - IP_AND_TCP_HEADER;
  }

  /** What a handler or the segment just received made necessary. */
  #flush(): void {
    if (this.#busy || this.#state === 'closed') return;
    // With a gap the acknowledgement goes alone: there is no room for SACK beside a full segment of data.
    if (this.#ackPending && this.#receiver?.hasGap === true) this.#sendControl(TCP_ACK);
    if (this.#state !== 'timeWait') this.#sender.output();
    if (this.#ackPending) this.#sendControl(TCP_ACK);
  }

  #emit(position: number, length: number, flags: number): void {
    const isSyn = (flags & TCP_SYN) !== 0;
    const withAck = this.#receiver === undefined ? flags : flags | TCP_ACK;
    this.#transmit(sequenceAt(this.#initial, position), withAck, isSyn ? this.#synOptions() : NO_BYTES, {
      offset: position - 1,
      length,
    });
  }

  #sendControl(flags: number): void {
    const withSack = this.#sacking && flags === TCP_ACK && this.#receiver?.hasGap === true;
    const options = withSack ? encodeTcpOptions({ sackBlocks: this.#receiver?.sackBlocks() }) : NO_BYTES;
    // Not `nxt`, which goes back when data is sent again: an old number would be answered with an ACK, and so on.
    this.#transmit(sequenceAt(this.#initial, this.#sender.max), flags, options, { offset: 0, length: 0 });
  }

  /** A RST that answers an acknowledgement of something never sent. */
  #sendReset(sequence: number): void {
    this.#transmit(sequence, TCP_RST, NO_BYTES, { offset: 0, length: 0 });
  }

  #transmit(seq: number, flags: number, options: Uint8Array, part: { offset: number; length: number }): void {
    this.#stats.segmentsSent++;
    const hasAck = (flags & TCP_ACK) !== 0;
    if (hasAck) this.#ackPending = false;
    const isSyn = (flags & TCP_SYN) !== 0;
    const scaled = this.#scaling ? RECEIVE_WINDOW >> WINDOW_SHIFT : WINDOW_UNSCALED_MAX;
    const window = (flags & TCP_RST) !== 0 && !hasAck ? 0 : isSyn ? WINDOW_UNSCALED_MAX : scaled;
    const ack = hasAck ? (this.#receiver?.acknowledgement ?? 0) : 0;
    const data = this.#sender.buffer;
    this.#environment.transmit(this, { seq, ack, flags, window, options, data, ...part });
  }

  #synOptions(): Uint8Array {
    const mss = this.#environment.mtu - IP_AND_TCP_HEADER;
    const windowScale = this.#scaling ? WINDOW_SHIFT : undefined;
    return encodeTcpOptions({ mss, windowScale, sackPermitted: this.#sacking });
  }
}
