// IPv4 of one host, on its way out: identification, path MTU (RFC 1191), fragments, next hop.
import * as wire from '../wire/index.ts';
import type { FrameMeta, GuestPort } from './guest.ts';
import { Neighbours, type LinkOptions } from './neighbours.ts';

export interface IpOptions extends LinkOptions {
  /** Largest IPv4 datagram on the link, bytes. */
  readonly mtu: number;
  /** Initial TTL. */
  readonly ttl: number;
}

/** RFC 791: every link carries this much; a report of less is not believed. */
const MTU_MIN = 68;

export class IpLayer {
  readonly port: GuestPort;
  readonly mtu: number;
  readonly ttl: number;
  readonly neighbours: Neighbours;
  readonly #pathMtu = new Map<number, number>();
  #nextId: number;

  constructor(port: GuestPort, options: IpOptions) {
    this.port = port;
    this.mtu = options.mtu;
    this.ttl = options.ttl;
    this.neighbours = new Neighbours(port, options);
    this.#nextId = port.random('ipv4 identification') & 0xffff;
  }

  /** Identification for the next datagram, 0 to 65535. */
  nextId(): number {
    const id = this.#nextId;
    this.#nextId = (id + 1) & 0xffff;
    return id;
  }

  /** Largest datagram, in bytes, that reaches `address` as far as is known. */
  mtuTo(address: number): number {
    return this.#pathMtu.get(address) ?? this.mtu;
  }

  /** A router said that the path to `address` carries no more than `mtu` bytes. */
  reducePathMtu(address: number, mtu: number): void {
    if (mtu >= MTU_MIN && mtu < this.mtuTo(address)) this.#pathMtu.set(address, mtu);
  }

  /** Sends an IPv4 frame that fits the link; the MAC addresses are filled in. `meta` keeps a forwarded packet's id. */
  send(frame: Uint8Array, meta?: FrameMeta): void {
    this.neighbours.send(frame, meta);
  }

  /**
   * Builds and sends a datagram, in fragments when it is longer than the path carries. False, and nothing sent, when
   * it is too long and must not be fragmented.
   */
  sendDatagram(spec: wire.FrameSpec): boolean {
    const frame = wire.buildFrame({ id: this.nextId(), ttl: this.ttl, ...spec });
    const mtu = this.mtuTo(spec.dst);
    if (frame.length - wire.ETHERNET_HEADER <= mtu) {
      this.send(frame);
      return true;
    }
    if (spec.dontFragment === true) return false;
    for (const fragment of wire.fragmentFrame(frame, mtu)) this.send(fragment);
    return true;
  }
}
