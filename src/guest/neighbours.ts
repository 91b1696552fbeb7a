// From an IPv4 frame to the MAC address it is sent to: ARP (RFC 826) for the gateway or an on-link neighbour, one
// request per neighbour and run. Frames wait, within a bound, until the answer is there. The fabric answers every
// request with its own MAC (WIRE-2), whether or not the address is in use (WIRE-4).
import * as wire from '../wire/index.ts';
import type { FrameMeta, GuestPort, GuestTimer } from './guest.ts';
import { MULTICAST_FIRST } from './icmp-error.ts';

export interface LinkOptions {
  readonly mac: number;
  /** Own addresses: requests for them are answered, the first one asks. */
  readonly addresses: readonly number[];
  /** Next hop for everything that is not on the link. */
  readonly gateway?: number | undefined;
  /** Addresses on the link; default none. */
  readonly prefix?: wire.Ipv4Prefix | undefined;
  /** False: no ARP, every frame goes to the MAC of the fabric. */
  readonly arp: boolean;
}

/** Frames that wait for one neighbour; a load step may start thousands of connections before the first answer. */
export const WAITING_FRAMES_MAX = 4096;
const TRIES_MAX = 3;
const RETRY_NS = 1_000_000_000;
const MULTICAST_MAC = 0x01005e000000;

interface Neighbour {
  readonly waiting: { readonly frame: Uint8Array; readonly meta: FrameMeta | undefined }[];
  tries: number;
  timer: GuestTimer | undefined;
}

export class Neighbours {
  readonly #port: GuestPort;
  readonly #link: LinkOptions;
  readonly #macs = new Map<number, number>();
  readonly #pending = new Map<number, Neighbour>();

  constructor(port: GuestPort, link: LinkOptions) {
    this.#port = port;
    this.#link = link;
  }

  /** Sends an IPv4 frame, now or once its next hop is known; fills in both MAC addresses. */
  send(frame: Uint8Array, meta?: FrameMeta): void {
    const dst = wire.ipv4Dst(wire.viewOf(frame), wire.ETHERNET_HEADER);
    const nextHop = this.#nextHop(dst);
    const mac = this.#knownMac(dst, nextHop);
    if (mac !== undefined) this.#sendTo(mac, frame, meta);
    else this.#wait(nextHop, frame, meta);
  }

  /** An ARP frame has arrived. */
  receive(frames: DataView): void {
    const at = wire.ETHERNET_HEADER;
    if (frames.byteLength < at + wire.ARP_LENGTH || !wire.isIpv4OverEthernetArp(frames, at)) {
      this.#port.countDrop('malformed');
      return;
    }
    const operation = wire.arpOperation(frames, at);
    if (operation === wire.ARP_REQUEST) this.#answer(frames, at);
    else if (operation === wire.ARP_REPLY) this.#learn(wire.arpSenderIp(frames, at), wire.arpSenderMac(frames, at));
  }

  #nextHop(dst: number): number {
    const { prefix, gateway } = this.#link;
    if (gateway === undefined || (prefix !== undefined && wire.prefixContains(prefix, dst))) return dst;
    return gateway;
  }

  #knownMac(dst: number, nextHop: number): number | undefined {
    if (!this.#link.arp) return wire.FABRIC_MAC;
    if (dst === 0xffffffff) return wire.BROADCAST_MAC;
    // RFC 1112 section 6.4; above 239.255.255.255 nothing is multicast.
    if (dst >= MULTICAST_FIRST && dst < 0xf0000000) return MULTICAST_MAC + (dst & 0x7fffff);
    return this.#macs.get(nextHop);
  }

  #sendTo(mac: number, frame: Uint8Array, meta: FrameMeta | undefined): void {
    const frames = wire.viewOf(frame);
    wire.setEthernetDst(frames, 0, mac);
    wire.setEthernetSrc(frames, 0, this.#link.mac);
    this.#port.send(frame, meta);
  }

  #wait(nextHop: number, frame: Uint8Array, meta: FrameMeta | undefined): void {
    let neighbour = this.#pending.get(nextHop);
    if (neighbour === undefined) {
      neighbour = { waiting: [], tries: 0, timer: undefined };
      this.#pending.set(nextHop, neighbour);
      this.#ask(nextHop, neighbour);
    }
    if (neighbour.waiting.length >= WAITING_FRAMES_MAX) this.#port.countDrop('arp queue full');
    else neighbour.waiting.push({ frame, meta });
  }

  #ask(address: number, neighbour: Neighbour): void {
    if (neighbour.tries === TRIES_MAX) {
      this.#pending.delete(address);
      for (let i = 0; i < neighbour.waiting.length; i++) this.#port.countDrop('no arp reply');
      return;
    }
    neighbour.tries++;
    neighbour.timer = this.#port.setTimer(this.#port.now() + RETRY_NS, () => this.#ask(address, neighbour));
    this.#sendArp(wire.ARP_REQUEST, wire.BROADCAST_MAC, this.#link.addresses[0] ?? 0, 0, address);
  }

  #learn(address: number, mac: number): void {
    const neighbour = this.#pending.get(address);
    // A reply to nothing that was asked, or asked already: the cache is not to be talked into anything.
    if (neighbour === undefined) return;
    this.#pending.delete(address);
    neighbour.timer?.cancel();
    this.#macs.set(address, mac);
    for (const { frame, meta } of neighbour.waiting) this.#sendTo(mac, frame, meta);
  }

  #answer(frames: DataView, at: number): void {
    const asked = wire.arpTargetIp(frames, at);
    if (!this.#link.addresses.includes(asked)) return;
    const askerMac = wire.arpSenderMac(frames, at);
    this.#sendArp(wire.ARP_REPLY, askerMac, asked, askerMac, wire.arpSenderIp(frames, at));
  }

  #sendArp(operation: number, dstMac: number, senderIp: number, targetMac: number, targetIp: number): void {
    const { mac } = this.#link;
    this.#port.send(wire.buildArp({ operation, dstMac, srcMac: mac, senderMac: mac, senderIp, targetMac, targetIp }));
  }
}
