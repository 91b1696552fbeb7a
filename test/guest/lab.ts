// A wire for guests without a fabric: virtual time, seats for guests, and links that lose, duplicate and reorder by a
// seed. Answers ARP as the fabric does (WIRE-2), sends packets where their destination sits unless a route says
// otherwise, and checks that every frame a guest sends is right.
import type { FrameMeta, Guest, GuestPort, GuestTimer } from '../../src/guest/guest.ts';
import {
  ARP_REPLY,
  ARP_REQUEST,
  FABRIC_MAC,
  buildArp,
  describeFrame,
  parseFrame,
  setEthernetDst,
  setEthernetSrc,
  viewOf,
  type ParsedFrame,
} from '../../src/wire/index.ts';

export const MS = 1_000_000;
export const SECOND = 1_000 * MS;
const DELAY_NS = 50_000;
const EVENTS_MAX = 200_000;

/** Probabilities 0 to 1. */
export interface Impairment {
  readonly loss?: number;
  readonly duplicate?: number;
  /** Frames that take 3 ms longer than the others. */
  readonly reorder?: number;
}

export interface SentFrame {
  readonly timeNs: number;
  readonly from: string;
  readonly frame: Uint8Array;
  readonly parsed: ParsedFrame;
  readonly meta: FrameMeta | undefined;
}

interface Event {
  readonly timeNs: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

interface Seat {
  readonly name: string;
  readonly mac: number;
  readonly addresses: readonly number[];
  guest: Guest | undefined;
  /** Destination address to seat name; before the addresses of seats. */
  readonly routes: Map<number, string>;
}

export class Lab {
  nowNs = 0;
  readonly seed: number;
  impairment: Impairment = {};
  /** False: the frame vanishes. Sees every IPv4 frame before it travels. */
  filter: (sent: SentFrame) => boolean = () => true;
  /** False: nobody answers this ARP request. */
  arp: (targetIp: number) => boolean = () => true;
  readonly sent: SentFrame[] = [];
  readonly drops = new Map<string, number>();
  readonly #events: Event[] = [];
  readonly #seats = new Map<string, Seat>();
  #order = 0;
  #packetId = 0;
  #random: number;

  constructor(seed = 1) {
    this.seed = seed;
    this.#random = seed >>> 0;
  }

  /** Seats a guest; `make` gets its port. */
  add<G extends Guest>(
    name: string,
    spec: { mac: number; addresses: readonly number[]; routes?: ReadonlyMap<number, string> },
    make: (port: GuestPort) => G,
  ): G {
    const seat: Seat = { name, ...spec, guest: undefined, routes: new Map(spec.routes ?? []) };
    this.#seats.set(name, seat);
    const guest = make(this.#portOf(seat));
    seat.guest = guest;
    return guest;
  }

  setRoute(from: string, dst: number, to: string): void {
    this.#seats.get(from)?.routes.set(dst, to);
  }

  /** Runs events until none is left or `untilNs` has passed. */
  run(untilNs = Infinity): void {
    for (let events = 0; ; events++) {
      if (events > EVENTS_MAX) throw new Error(`the network does not come to rest; now ${this.nowNs} ns`);
      const next = this.#events[0];
      if (next === undefined || next.timeNs > untilNs) break;
      this.#pop();
      if (next.cancelled) continue;
      this.nowNs = next.timeNs;
      next.run();
    }
    if (untilNs !== Infinity) this.nowNs = Math.max(this.nowNs, untilNs);
  }

  /** Lets time pass. */
  advance(ns: number): void {
    this.run(this.nowNs + ns);
  }

  /** Timers and frames under way. */
  get pending(): number {
    return this.#events.filter((event) => !event.cancelled).length;
  }

  /** Delivers a frame to a guest now, past the wire. */
  deliver(to: string, frame: Uint8Array, meta: FrameMeta = { packetId: this.#packetId++, hops: 1 }): void {
    this.#seats.get(to)?.guest?.receive(frame, meta);
  }

  /** Frames as text, oldest first: `app: 10.0.0.4.50000 > ...`. */
  texts(from?: string): string[] {
    return this.sent
      .filter((sent) => from === undefined || sent.from === from)
      .map((sent) => describeFrame(sent.frame));
  }

  schedule(timeNs: number, run: () => void): GuestTimer {
    const event: Event = { timeNs: Math.max(timeNs, this.nowNs), order: this.#order++, run, cancelled: false };
    this.#push(event);
    return { cancel: () => void (event.cancelled = true) };
  }

  #portOf(seat: Seat): GuestPort {
    return {
      now: () => this.nowNs,
      send: (frame, forwarded) => this.#send(seat, frame, forwarded),
      setTimer: (atNs, callback) => this.schedule(atNs, callback),
      random: (label) => hash(`${this.seed} ${seat.name} ${label}`),
      countDrop: (reason) => void this.drops.set(reason, (this.drops.get(reason) ?? 0) + 1),
    };
  }

  #send(seat: Seat, frame: Uint8Array, meta: FrameMeta | undefined): void {
    const parsed = parseFrame(frame);
    const sent: SentFrame = { timeNs: this.nowNs, from: seat.name, frame: frame.slice(), parsed, meta };
    this.sent.push(sent);
    if (parsed.kind === 'arp') {
      this.#answerArp(seat, parsed);
      return;
    }
    if (parsed.kind !== 'ipv4') throw new Error(`${seat.name} sent ${describeFrame(frame)}`);
    if (!parsed.checksumsOk) throw new Error(`${seat.name} sent a wrong checksum: ${describeFrame(frame)}`);
    if (parsed.srcMac !== seat.mac) throw new Error(`${seat.name} sent from another MAC: ${describeFrame(frame)}`);
    if (!this.filter(sent)) return;
    const target = this.#targetOf(seat, parsed.dst);
    if (target === undefined || this.#draw() < (this.impairment.loss ?? 0)) return;
    this.#travel(target, frame, meta);
    if (this.#draw() < (this.impairment.duplicate ?? 0)) this.#travel(target, frame.slice(), undefined);
  }

  #travel(target: Seat, frame: Uint8Array, meta: FrameMeta | undefined): void {
    const late = this.#draw() < (this.impairment.reorder ?? 0) ? 3 * MS : 0;
    const delivered = { packetId: meta?.packetId ?? this.#packetId++, hops: (meta?.hops ?? 0) + 1 };
    this.schedule(this.nowNs + 2 * DELAY_NS + late, () => {
      setEthernetDst(viewOf(frame), 0, target.mac);
      setEthernetSrc(viewOf(frame), 0, FABRIC_MAC);
      target.guest?.receive(frame, delivered);
    });
  }

  #targetOf(seat: Seat, dst: number): Seat | undefined {
    const routed = seat.routes.get(dst);
    if (routed !== undefined) return this.#seats.get(routed);
    for (const other of this.#seats.values()) if (other.addresses.includes(dst)) return other;
    return undefined;
  }

  #answerArp(seat: Seat, request: ParsedFrame & { kind: 'arp' }): void {
    if (request.operation !== ARP_REQUEST || !this.arp(request.targetIp)) return;
    const reply = buildArp({
      operation: ARP_REPLY,
      dstMac: seat.mac,
      srcMac: FABRIC_MAC,
      senderMac: FABRIC_MAC,
      senderIp: request.targetIp,
      targetMac: seat.mac,
      targetIp: request.senderIp,
    });
    this.schedule(this.nowNs + 2 * DELAY_NS, () => seat.guest?.receive(reply, { packetId: this.#packetId++, hops: 1 }));
  }

  /** 0 (inclusive) to 1; a small xorshift. */
  #draw(): number {
    let x = this.#random + 0x9e3779b9;
    this.#random = x >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
  }

  // A binary heap by (time, order).
  #push(event: Event): void {
    const heap = this.#events;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent])) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#events;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child++;
      if (!isBefore(heap[child], last)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
  }
}

/** Frames that carry TCP, parsed. */
export function tcpFrames(lab: Lab, from?: string): (ParsedFrame & { kind: 'ipv4' })[] {
  return lab.sent.flatMap(({ from: sender, parsed }) => {
    const wanted = parsed.kind === 'ipv4' && parsed.tcp !== undefined && (from === undefined || from === sender);
    return wanted ? [parsed] : [];
  });
}

function isBefore(a: Event, b: Event): boolean {
  return a.timeNs < b.timeNs || (a.timeNs === b.timeNs && a.order < b.order);
}

function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
