// UDP of one host: datagrams that were asked for, an echo service (RFC 862) on every listening port, and ICMP port
// unreachable for the rest.
import type { GuestTimer } from './guest.ts';
import type { IcmpErrorReport } from './icmp-error.ts';
import type { IpLayer } from './ip-layer.ts';

export interface UdpDatagram {
  readonly src: number;
  readonly srcPort: number;
  readonly dst: number;
  readonly dstPort: number;
  /** TTL as it arrived. */
  readonly ttl: number;
  /** A view of the received frame; may be kept. */
  readonly payload: Uint8Array;
  /** FrameMeta.ingress of the frame. */
  readonly ingress?: number | undefined;
}

/** A server on UDP: true when it takes the datagram; it may reply at once or later. */
export type UdpService = (datagram: UdpDatagram, reply: (payload: Uint8Array) => void) => boolean;

export interface UdpSend {
  readonly dst: number;
  readonly dstPort: number;
  readonly src: number;
  /** Default: the next ephemeral port. */
  readonly srcPort?: number | undefined;
  readonly payload: Uint8Array;
  readonly ttl?: number | undefined;
  /** Default false: fragments when the path carries less. */
  readonly dontFragment?: boolean | undefined;
  /** Asks for the outcome: the first datagram back, the first ICMP error, or neither within `timeoutNs`. */
  readonly onOutcome?: ((outcome: UdpOutcome) => void) | undefined;
  /** Default 5 s; counts with `onOutcome` only. */
  readonly timeoutNs?: number | undefined;
}

export type UdpOutcome =
  | { readonly kind: 'reply'; readonly datagram: UdpDatagram; readonly rttNs: number }
  | { readonly kind: 'error'; readonly error: IcmpErrorReport; readonly rttNs: number }
  /** Longer than the path carries, with `dontFragment`; nothing was sent. */
  | { readonly kind: 'tooLong'; readonly mtu: number }
  | { readonly kind: 'timeout' };

/** Hears of every datagram that arrives for this host; true: it is dealt with, no echo and no error. */
export type UdpHandler = (datagram: UdpDatagram) => boolean;

export interface UdpSettings {
  isListening(port: number): boolean;
  readonly echo: boolean;
  readonly serve: UdpService | undefined;
  readonly answerUnreachable: boolean;
}

interface Waiter {
  readonly sentAtNs: number;
  readonly onOutcome: (outcome: UdpOutcome) => void;
  readonly timer: GuestTimer;
}

const EPHEMERAL_FIRST = 50_000;
const EPHEMERAL_LAST = 65_535;
/** Reserved for the host itself: datagrams from it would not be delivered (WIRE-11). */
const RESERVED_PORT = 65_330;
const TIMEOUT_NS = 5_000_000_000;

export class UdpEndpoint {
  readonly #ip: IpLayer;
  readonly #settings: UdpSettings;
  /** Ports that this host has sent from: what arrives there is an answer, never a request. */
  readonly #clientPorts = new Set<number>();
  readonly #waiters = new Map<string, Waiter[]>();
  #handler: UdpHandler | undefined = undefined;
  #nextPort = EPHEMERAL_FIRST;

  constructor(ip: IpLayer, settings: UdpSettings) {
    this.#ip = ip;
    this.#settings = settings;
  }

  set handler(handler: UdpHandler | undefined) {
    this.#handler = handler;
  }

  hasSentFrom(port: number): boolean {
    return this.#clientPorts.has(port);
  }

  /** Sends a datagram and returns the source port. */
  send(options: UdpSend): number {
    const srcPort = options.srcPort ?? this.#takePort();
    this.#clientPorts.add(srcPort);
    const { src, dst, dstPort, payload, dontFragment, onOutcome } = options;
    if (onOutcome !== undefined) {
      this.#addWaiter(keyOf(srcPort, dst, dstPort), onOutcome, options.timeoutNs ?? TIMEOUT_NS);
    }
    const ttl = options.ttl ?? this.#ip.ttl;
    const sent = this.#ip.sendDatagram({ src, dst, ttl, dontFragment, udp: { srcPort, dstPort }, payload });
    if (!sent) {
      this.#takeWaiter(keyOf(srcPort, dst, dstPort))?.onOutcome({ kind: 'tooLong', mtu: this.#ip.mtuTo(dst) });
    }
    return srcPort;
  }

  /** A whole UDP datagram for this host, its checksums verified. `unreachable` sends the ICMP error about it. */
  receive(datagram: UdpDatagram, unreachable: () => void): void {
    const waiter = this.#takeWaiter(keyOf(datagram.dstPort, datagram.src, datagram.srcPort));
    const handled = this.#handler?.(datagram) === true;
    if (waiter !== undefined) {
      const rttNs = this.#ip.port.now() - waiter.sentAtNs;
      waiter.onOutcome({ kind: 'reply', datagram, rttNs });
      return;
    }
    if (handled || this.#clientPorts.has(datagram.dstPort)) return;
    if (this.#settings.serve?.(datagram, (payload) => this.#reply(datagram, payload)) === true) return;
    if (this.#settings.isListening(datagram.dstPort)) {
      if (this.#settings.echo && mayEcho(datagram)) this.#echo(datagram);
      return;
    }
    this.#ip.port.countDrop('port closed');
    if (this.#settings.answerUnreachable) unreachable();
  }

  /** An ICMP error that quotes a datagram of ours. */
  receiveIcmpError(error: IcmpErrorReport): void {
    const waiter = this.#takeWaiter(keyOf(error.quoted.srcPort, error.quoted.dst, error.quoted.dstPort));
    waiter?.onOutcome({ kind: 'error', error, rttNs: this.#ip.port.now() - waiter.sentAtNs });
  }

  #echo(datagram: UdpDatagram): void {
    this.#reply(datagram, datagram.payload);
  }

  #reply(datagram: UdpDatagram, payload: Uint8Array): void {
    const { src, srcPort, dst, dstPort } = datagram;
    this.#ip.sendDatagram({ src: dst, dst: src, udp: { srcPort: dstPort, dstPort: srcPort }, payload });
  }

  #takePort(): number {
    const port = this.#nextPort === RESERVED_PORT ? RESERVED_PORT + 1 : this.#nextPort;
    this.#nextPort = port === EPHEMERAL_LAST ? EPHEMERAL_FIRST : port + 1;
    return port;
  }

  #addWaiter(key: string, onOutcome: (outcome: UdpOutcome) => void, timeoutNs: number): void {
    const { port } = this.#ip;
    const sentAtNs = port.now();
    const timer = port.setTimer(sentAtNs + timeoutNs, () => {
      this.#removeWaiter(key, waiter);
      onOutcome({ kind: 'timeout' });
    });
    const waiter: Waiter = { sentAtNs, onOutcome, timer };
    const queue = this.#waiters.get(key);
    if (queue === undefined) this.#waiters.set(key, [waiter]);
    else queue.push(waiter);
  }

  /** The oldest waiter for this flow. */
  #takeWaiter(key: string): Waiter | undefined {
    const waiter = this.#waiters.get(key)?.[0];
    if (waiter === undefined) return undefined;
    waiter.timer.cancel();
    this.#removeWaiter(key, waiter);
    return waiter;
  }

  #removeWaiter(key: string, waiter: Waiter): void {
    const left = (this.#waiters.get(key) ?? []).filter((other) => other !== waiter);
    if (left.length === 0) this.#waiters.delete(key);
    else this.#waiters.set(key, left);
  }
}

/**
 * An echo must not be echoed, or two hosts would never stop: of the two directions of a flow only the one from the
 * higher to the lower port counts as a request, and between equal ports the one from the higher address.
 */
function mayEcho(datagram: UdpDatagram): boolean {
  const { src, srcPort, dst, dstPort } = datagram;
  return srcPort === dstPort ? src > dst : srcPort > dstPort;
}

function keyOf(localPort: number, remoteAddress: number, remotePort: number): string {
  return `${localPort}-${remoteAddress}:${remotePort}`;
}
