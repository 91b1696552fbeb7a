// ICMP echo of one host (RFC 792): answers requests, and matches replies and errors to the requests of its own.
import * as wire from '../wire/index.ts';
import type { GuestTimer } from './guest.ts';
import type { IcmpErrorReport } from './icmp-error.ts';
import type { IpLayer } from './ip-layer.ts';

export interface PingOptions {
  /** Identifier, 0 to 65535; default 1. */
  readonly id?: number | undefined;
  /** Default: one more than the last for this identifier, from 1. */
  readonly sequence?: number | undefined;
  /** Default: 56 bytes of the test pattern, as of common tools. */
  readonly payload?: Uint8Array | undefined;
  /** Default 1 s. */
  readonly timeoutNs?: number | undefined;
  readonly ttl?: number | undefined;
  readonly dontFragment?: boolean | undefined;
}

export type PingOutcome =
  | {
      readonly kind: 'reply';
      readonly from: number;
      /** TTL as it arrived. */
      readonly receivedTtl: number;
      readonly rttNs: number;
      readonly payload: Uint8Array;
    }
  | { readonly kind: 'error'; readonly error: IcmpErrorReport; readonly rttNs: number }
  /** Longer than the path carries, with `dontFragment`; nothing was sent. */
  | { readonly kind: 'tooLong'; readonly mtu: number }
  | { readonly kind: 'timeout' };

interface Waiter {
  readonly sentAtNs: number;
  readonly timer: GuestTimer;
  readonly callback: (outcome: PingOutcome) => void;
}

const TIMEOUT_NS = 1_000_000_000;
const DEFAULT_PAYLOAD = Uint8Array.from({ length: 56 }, (_, index) => index);

export class PingEndpoint {
  readonly #ip: IpLayer;
  readonly #waiters = new Map<string, Waiter>();
  readonly #sequences = new Map<number, number>();

  constructor(ip: IpLayer) {
    this.#ip = ip;
  }

  /** Sends one echo request; the callback comes once. A request that repeats one still waiting takes its place. */
  send(src: number, dst: number, options: PingOptions, callback: (outcome: PingOutcome) => void): void {
    const id = options.id ?? 1;
    const sequence = options.sequence ?? ((this.#sequences.get(id) ?? 0) + 1) & 0xffff;
    this.#sequences.set(id, sequence);
    const key = keyOf(dst, id, sequence);
    this.#take(key)?.callback({ kind: 'timeout' });

    const { port } = this.#ip;
    const sentAtNs = port.now();
    const timer = port.setTimer(sentAtNs + (options.timeoutNs ?? TIMEOUT_NS), () => {
      this.#take(key)?.callback({ kind: 'timeout' });
    });
    this.#waiters.set(key, { sentAtNs, timer, callback });
    const sent = this.#ip.sendDatagram({
      src,
      dst,
      ttl: options.ttl ?? this.#ip.ttl,
      dontFragment: options.dontFragment,
      icmp: { type: wire.ICMP_ECHO_REQUEST, id, sequence },
      payload: options.payload ?? DEFAULT_PAYLOAD,
    });
    if (!sent) this.#take(key)?.callback({ kind: 'tooLong', mtu: this.#ip.mtuTo(dst) });
  }

  /** Whether a request with this identifier to this address is without an answer. */
  isWaitingFor(address: number, id: number): boolean {
    const prefix = keyOf(address, id, 0).slice(0, -1);
    for (const key of this.#waiters.keys()) if (key.startsWith(prefix)) return true;
    return false;
  }

  /** An echo request for this host: the same payload back, from the address that was asked. */
  answer(frame: Uint8Array, frames: DataView, l3: number): void {
    const l4 = l3 + wire.ipv4HeaderLength(frames, l3);
    this.#ip.sendDatagram({
      src: wire.ipv4Dst(frames, l3),
      dst: wire.ipv4Src(frames, l3),
      icmp: { type: wire.ICMP_ECHO_REPLY, id: wire.icmpId(frames, l4), sequence: wire.icmpSequence(frames, l4) },
      payload: frame.subarray(l4 + wire.ICMP_HEADER, l3 + wire.ipv4TotalLength(frames, l3)),
    });
  }

  receiveReply(frame: Uint8Array, frames: DataView, l3: number): void {
    const l4 = l3 + wire.ipv4HeaderLength(frames, l3);
    const from = wire.ipv4Src(frames, l3);
    const waiter = this.#take(keyOf(from, wire.icmpId(frames, l4), wire.icmpSequence(frames, l4)));
    waiter?.callback({
      kind: 'reply',
      from,
      receivedTtl: wire.ipv4Ttl(frames, l3),
      rttNs: this.#ip.port.now() - waiter.sentAtNs,
      payload: frame.subarray(l4 + wire.ICMP_HEADER, l3 + wire.ipv4TotalLength(frames, l3)),
    });
  }

  /** An ICMP error that quotes an echo request of ours. */
  receiveIcmpError(error: IcmpErrorReport): void {
    const waiter = this.#take(keyOf(error.quoted.dst, error.quoted.srcPort, error.quotedEcho ?? 0));
    waiter?.callback({ kind: 'error', error, rttNs: this.#ip.port.now() - waiter.sentAtNs });
  }

  #take(key: string): Waiter | undefined {
    const waiter = this.#waiters.get(key);
    waiter?.timer.cancel();
    this.#waiters.delete(key);
    return waiter;
  }
}

function keyOf(address: number, id: number, sequence: number): string {
  return `${address}-${id}-${sequence}`;
}
