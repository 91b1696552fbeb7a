// A network in virtual time: guests, links, the engine, and the events between them. Time advances in look-ahead
// windows as long as the smallest link delay: what happens inside a window cannot cause anything else inside it, so
// all its frames go through the engine as one batch, and then its guest events run, each in order of (time, id).

import { DROP_CODES } from '../../abi/drop-reasons.ts';
import { PROV_EPOCH } from '../../abi/provenance.ts';
import { compileNetwork, createRegistry } from '../../control/compile/compile.ts';
import { hasErrors, InputError } from '../../control/issues.ts';
import { validateNetwork } from '../../control/validate/validate.ts';
import { arrivalNs, copiesOf, createLink, DIRECTION, largestDelayNs, LINK_DELAY_NS, smallestDelayNs } from './link.ts';
import { resetsBetween } from './connection-resets.ts';
import { ConnectionWatch } from './connection-watch.ts';
import { EventQueue, isBefore } from './event-queue.ts';
import { Arrival, Delivery, discardCancelled, Timer } from './events.ts';
import { findAttachment } from './find-attachment.ts';
import { guestFacts, makeGuest, publicAddresses, sameGuest } from './guests.ts';
import { Prober } from './prober.ts';
import { drawLabel } from './random.ts';
import { Seat } from './seat.ts';
import type { AttachmentRegistry, Compiled, SideTable } from '../../control/compile/compiled.ts';
import type { CaptureSession } from '../../control/capture/capture-session.ts';
import type { Engine, PassResult } from '../../control/engine/engine.ts';
import type { TapSelection } from '../../control/compile/compile.ts';
import type { Behaviour } from '../../control/model/profile.ts';
import type { Network } from '../../control/model/resources.ts';
import type { FrameMeta, Guest, GuestPort, GuestTimer } from '../../guest/guest.ts';
import type { Host } from '../../guest/host.ts';
import type { TimerOwner } from './events.ts';
import type { WatchedConnection } from './connection-watch.ts';
import type { GuestWorld } from './guest-extras.ts';
import type { GuestFacts, HostSettings } from './guests.ts';
import type { Link } from './link.ts';
import type { SeatServices } from './seat.ts';
import type { LinkSettings, LinkTotals, PacketEvent, Simulation } from './simulation-api.ts';

export interface SimulationOptions {
  readonly network: Network;
  readonly behaviour: Behaviour;
  /** The simulation owns it: `close` closes it. */
  readonly engine: Engine;
  /** Default 1. */
  readonly seed?: number;
  /** Gets every tap record; the caller closes it. */
  readonly capture?: CaptureSession;
  /** What answers at hosts, by attachment name; default: every port, and echo requests. */
  readonly hosts?: Readonly<Record<string, HostSettings>>;
  /** Which points are tapped; default none. */
  readonly taps?: TapSelection;
  /** Whether the platform probes backends of load balancers (LB-4); default true. */
  readonly probes?: boolean;
}

/** Starts a network at virtual time 0, with the default guest behind every attachment. */
export function createSimulation(options: SimulationOptions): Simulation {
  return new NetworkSimulation(options);
}

const PACKET_ID_MAX = 0x7fff_ffff;
const HOUR_NS = 3_600e9;
const EVER: TimerOwner = { isLive: true };

class NetworkSimulation implements Simulation, SeatServices {
  readonly #engine: Engine;
  readonly #behaviour: Behaviour;
  readonly #seed: number;
  readonly #capture: CaptureSession | undefined;
  readonly #taps: TapSelection | undefined;
  readonly #registry: AttachmentRegistry = createRegistry();
  readonly #sideTables = new Map<number, SideTable>();
  readonly #arrivals = new EventQueue<Arrival>();
  readonly #guestEvents = new EventQueue<Delivery | Timer>();
  /** Timers that do not keep a run going. */
  readonly #background = new EventQueue<Timer>();
  readonly #seats = new Map<number, Seat>();
  readonly #links = new Map<number, Link>();
  readonly #listeners = new Set<(event: PacketEvent) => void>();
  readonly #guestDrops = new Map<string, number>();
  readonly #dropped: number[] = Array.from({ length: DROP_CODES }, () => 0);
  readonly #hosts: ReadonlyMap<string, HostSettings>;
  #compiled: Compiled;
  #publicAddresses: ReadonlySet<number> = new Set();
  readonly #world: GuestWorld = this.#makeWorld();
  readonly #watch = new ConnectionWatch(this);
  readonly #prober: Prober | undefined;
  #nowNs = 0;
  #sequence = 0;
  #packetId = 0;
  #lookAheadNs = LINK_DELAY_NS;
  #deliveries = 0;
  #forwarded = 0;
  #linkLost = 0;
  #linkDuplicated = 0;

  constructor(options: SimulationOptions) {
    this.#engine = options.engine;
    this.#behaviour = options.behaviour;
    this.#seed = options.seed ?? 1;
    this.#capture = options.capture;
    this.#taps = options.taps;
    const hosts = Object.entries(options.hosts ?? {});
    this.#hosts = new Map(hosts.map(([name, settings]) => [name.toLowerCase(), settings]));
    this.#compiled = this.#compile(options.network, 1, undefined);
    this.#prober = options.probes === false ? undefined : new Prober(this);
    this.#install(this.#compiled);
  }

  now(): number {
    return this.#nowNs;
  }

  get compiled(): Compiled {
    return this.#compiled;
  }

  attachment(name: string): number | undefined {
    return findAttachment(this.#compiled.sideTable, name);
  }

  host(attachment: number): Host {
    const host = this.#seats.get(attachment)?.host;
    if (host === undefined) throw new Error(`attachment ${attachment} has no host stack`);
    return host;
  }

  setGuest(attachment: number, make: (port: GuestPort) => Guest): void {
    const seat = this.#newSeat(attachment);
    seat.guest = make(seat);
  }

  restart(attachment: number): void {
    const facts = guestFacts(this.#compiled, this.#hosts).find((entry) => entry.attachment === attachment);
    if (facts !== undefined) this.#seatGuest(facts);
  }

  setLink(attachment: number, settings: LinkSettings): void {
    this.#links.set(attachment, createLink(settings));
    this.#lookAheadNs = LINK_DELAY_NS;
    for (const link of this.#links.values()) {
      this.#lookAheadNs = Math.min(this.#lookAheadNs, smallestDelayNs(link.settings));
    }
  }

  linkTotals(): LinkTotals {
    return { lost: this.#linkLost, duplicated: this.#linkDuplicated };
  }

  inject(attachment: number, frame: Uint8Array): number {
    return this.send(attachment, frame.slice(), undefined);
  }

  observe(listener: (event: PacketEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  at(timeNs: number, callback: () => void, options: { readonly background?: boolean } = {}): GuestTimer {
    return this.setTimer(EVER, timeNs, callback, options.background);
  }

  originate(egress: number, frame: Uint8Array, text: string): void {
    const packetId = this.#nextPacketId();
    const atNs = this.#nowNs + this.linkDelayNs(egress);
    this.#capture?.writeOriginated(egress, packetId, this.#nowNs, frame, text);
    this.#guestEvents.add(new Delivery(atNs, this.#sequence++, egress, frame, packetId, 0, -1));
    this.#deliveries++;
  }

  linkDelayNs(attachment: number): number {
    const link = this.#links.get(attachment);
    return link === undefined ? LINK_DELAY_NS : largestDelayNs(link, this.#nowNs);
  }

  framesInFlight(): number {
    return this.#arrivals.size + this.#deliveries;
  }

  runUntil(timeNs: number): void {
    while (this.#runWindow(timeNs, true));
    this.#nowNs = Math.max(this.#nowNs, timeNs);
  }

  runUntilIdle(limitNs = HOUR_NS): void {
    const endNs = this.#nowNs + limitNs;
    while (this.#runWindow(endNs, false));
  }

  runWhile(going: () => boolean, limitNs = HOUR_NS): boolean {
    const endNs = this.#nowNs + limitNs;
    while (going()) if (!this.#runWindow(endNs, false)) return false;
    return true;
  }

  change(edit: (network: Network) => Network): void {
    const network = edit(this.#compiled.network);
    const issues = validateNetwork(network, this.#behaviour);
    if (hasErrors(issues)) throw new InputError(issues);
    const before = this.#compiled;
    this.#install(this.#compile(network, before.program.epoch + 1, before));
    for (const reason of resetsBetween(before, this.#compiled)) {
      this.#watch.reset((connection) => reason.isMeant(connection), reason.text);
    }
  }

  resetConnections(isMeant: (connection: WatchedConnection) => boolean, text: string): number {
    return this.#watch.reset(isMeant, text);
  }

  guestDrops(): ReadonlyMap<string, number> {
    return this.#guestDrops;
  }

  checkBalance(): void {
    const totals = this.#engine.counters();
    const entered = totals.received + totals.originated + totals.duplicated;
    const dropped = totals.dropped.reduce((sum, count) => sum + count, 0);
    const left = totals.delivered + totals.exited + totals.consumed + dropped + totals.inFlight;
    if (entered !== left) throw new Error(`counters do not balance: ${entered} entered, ${left} left (invariant 1)`);
    if (totals.received + totals.duplicated !== this.#forwarded) {
      throw new Error(`the engine counted ${totals.received + totals.duplicated} of ${this.#forwarded} frames`);
    }
    const code = this.#dropped.findIndex((count, index) => count !== (totals.dropped[index] ?? 0));
    if (code !== -1) {
      throw new Error(`drop code ${code}: ${totals.dropped[code]} counted, ${this.#dropped[code]} reported`);
    }
  }

  async close(): Promise<void> {
    await this.#engine.close();
  }

  /** A guest, or `inject`, sends a frame over its link into the fabric; returns the packet id. */
  send(attachment: number, bytes: Uint8Array, forwarded: FrameMeta | undefined, vnet?: number): number {
    const packetId = forwarded?.packetId ?? this.#nextPacketId();
    const hops = forwarded?.hops ?? 0;
    const copies = this.#copies(attachment, packetId, DIRECTION.toFabric);
    for (let copy = 0; copy < copies; copy++) {
      const id = copy === 0 ? packetId : this.#nextPacketId();
      const timeNs = this.#arrival(attachment, id, DIRECTION.toFabric, this.#nowNs, bytes.length);
      this.#arrivals.add(new Arrival(timeNs, this.#sequence++, attachment, id, hops, bytes, copy > 0, vnet));
    }
    return packetId;
  }

  setTimer(owner: TimerOwner, atNs: number, callback: () => void, isBackground = false): GuestTimer {
    const timer = new Timer(Math.max(this.#nowNs, Math.ceil(atNs)), this.#sequence++, owner, callback, isBackground);
    (isBackground ? this.#background : this.#guestEvents).add(timer);
    return timer;
  }

  random(attachment: number, label: string): number {
    return drawLabel(this.#seed, attachment, label);
  }

  countDrop(reason: string): void {
    this.#guestDrops.set(reason, (this.#guestDrops.get(reason) ?? 0) + 1);
  }

  /**  Runs one look-ahead window; false when nothing is due up to and including `limitNs`, or nothing but
   * background timers unless they are reason enough. Inside a window `now` may step back: frames pass the fabric
   * first, then guests run, each at the time of its own event. / */
  #runWindow(limitNs: number, forBackground: boolean): boolean {
    discardCancelled(this.#guestEvents);
    discardCancelled(this.#background);
    const arrival = this.#arrivals.peek();
    const guestEvent = this.#guestEvents.peek();
    if (!forBackground && arrival === undefined && guestEvent === undefined) return false;
    const background = this.#background.peek();
    const firstNs = Math.min(...[arrival, guestEvent, background].map((event) => event?.timeNs ?? Infinity));
    if (firstNs > limitNs || firstNs === Infinity) return false;
    const endNs = Math.min(firstNs + Math.max(1, this.#lookAheadNs), limitNs + 1);
    this.#forwardArrivals(endNs);
    const passedNs = this.#nowNs;
    this.#runGuestEvents(endNs);
    this.#nowNs = Math.max(this.#nowNs, passedNs);
    return true;
  }

  #forwardArrivals(endNs: number): void {
    const batch: Arrival[] = [];
    for (let next = this.#arrivals.peek(); next !== undefined && next.timeNs < endNs; next = this.#arrivals.peek()) {
      batch.push(next);
      this.#arrivals.take();
    }
    if (batch.length === 0) return;
    batch.sort((a, b) => a.timeNs - b.timeNs || a.packetId - b.packetId || a.sequence - b.sequence);
    const results = this.#engine.forward(batch);
    if (results.length !== batch.length) throw new Error(`${batch.length} frames in, ${results.length} results`);
    this.#forwarded += batch.length;
    for (let i = 0; i < results.length; i++) this.#settle(batch[i] as Arrival, results[i] as PassResult);
    if (this.#capture !== undefined) this.#capture.write(this.#engine.drainTaps());
  }

  #settle(arrival: Arrival, result: PassResult): void {
    this.#nowNs = result.timeNs;
    if (result.outcome === 'dropped') this.#dropped[result.reason] = (this.#dropped[result.reason] ?? 0) + 1;
    if (this.#listeners.size > 0) this.#report(arrival, result);
    const { egress, frame, timeNs } = result;
    this.#watch.note(result, arrival.bytes, frame);
    if (frame === undefined || egress < 0) return;
    const copies = this.#copies(egress, result.packetId, DIRECTION.toGuest);
    for (let copy = 0; copy < copies; copy++) {
      const id = copy === 0 ? result.packetId : this.#nextPacketId();
      const atNs = this.#arrival(egress, id, DIRECTION.toGuest, timeNs, frame.length);
      const bytes = copy === 0 ? frame : frame.slice();
      this.#guestEvents.add(new Delivery(atNs, this.#sequence++, egress, bytes, id, result.hops + 1, result.ingress));
      this.#deliveries++;
    }
  }

  #report(arrival: Arrival, result: PassResult): void {
    const epoch = result.provenance[PROV_EPOCH] as number;
    const sideTable = this.#sideTables.get(epoch);
    if (sideTable === undefined) throw new Error(`packet ${result.packetId}: the side table of epoch ${epoch} is gone`);
    const event: PacketEvent = {
      packetId: result.packetId,
      timeNs: result.timeNs,
      hops: result.hops,
      ingress: result.ingress,
      egress: result.egress,
      outcome: result.outcome,
      reason: result.reason,
      provenance: result.provenance,
      sideTable,
      before: arrival.bytes,
      ...(result.frame === undefined ? {} : { after: result.frame.slice() }),
    };
    for (const listener of this.#listeners) listener(event);
  }

  #runGuestEvents(endNs: number): void {
    for (let next = this.#takeGuestEvent(endNs); next !== undefined; next = this.#takeGuestEvent(endNs)) {
      if (next instanceof Timer) {
        if (!next.isLive) continue;
        this.#nowNs = next.timeNs;
        next.callback();
        continue;
      }
      this.#nowNs = next.timeNs;
      this.#deliveries--;
      const guest = this.#seats.get(next.attachment)?.guest;
      if (guest === undefined) this.countDrop('guest gone');
      else guest.receive(next.bytes, next);
    }
  }

  /** The earliest delivery or timer before `endNs`, taken out. */
  #takeGuestEvent(endNs: number): Delivery | Timer | undefined {
    const event = this.#guestEvents.peek();
    const timer = this.#background.peek();
    const isTimer = timer !== undefined && (event === undefined || isBefore(timer, event));
    const first = isTimer ? timer : event;
    if (first === undefined || first.timeNs >= endNs) return undefined;
    return (isTimer ? this.#background : this.#guestEvents).take();
  }

  #copies(attachment: number, packetId: number, way: 0 | 1): number {
    const link = this.#links.get(attachment);
    if (link === undefined) return 1;
    const copies = copiesOf(link.settings, this.#seed, attachment, packetId, way);
    if (copies === 0) this.#linkLost++;
    if (copies === 2) this.#linkDuplicated++;
    return copies;
  }

  #arrival(attachment: number, packetId: number, way: 0 | 1, fromNs: number, lengthBytes: number): number {
    const link = this.#links.get(attachment);
    if (link === undefined) return fromNs + LINK_DELAY_NS;
    return arrivalNs(link, this.#seed, attachment, packetId, way, fromNs, lengthBytes);
  }

  #nextPacketId(): number {
    if (this.#packetId === PACKET_ID_MAX) throw new Error('packet ids are used up (2^31 - 1 packets in one run)');
    return ++this.#packetId;
  }

  #compile(network: Network, epoch: number, previous: Compiled | undefined): Compiled {
    return compileNetwork(network, this.#behaviour, {
      epoch,
      registry: this.#registry,
      ...(previous === undefined ? {} : { previous }),
      ...(this.#taps === undefined ? {} : { taps: this.#taps }),
    });
  }

  #install(compiled: Compiled): void {
    this.#engine.push(compiled.program);
    this.#compiled = compiled;
    this.#publicAddresses = publicAddresses(compiled);
    this.#sideTables.set(compiled.sideTable.epoch, compiled.sideTable);
    const oldest = this.#engine.oldestEpochInUse();
    for (const epoch of this.#sideTables.keys()) {
      if (epoch < oldest && epoch !== compiled.sideTable.epoch) this.#sideTables.delete(epoch);
    }
    this.#capture?.addSideTable(compiled.sideTable, oldest);
    this.#seatGuests(compiled);
    this.#watch.update(compiled);
    this.#prober?.update();
  }

  // Guests of attachments that are gone leave and their timers die with them; new attachments get theirs.
  #seatGuests(compiled: Compiled): void {
    for (const [attachment, seat] of this.#seats) {
      if (compiled.sideTable.attachments[attachment] !== undefined) continue;
      seat.isLive = false;
      this.#seats.delete(attachment);
      this.#links.delete(attachment);
    }
    for (const facts of guestFacts(compiled, this.#hosts)) {
      const existing = this.#seats.get(facts.attachment);
      if (existing !== undefined && (existing.made === undefined || sameGuest(existing.made, facts))) continue;
      this.#seatGuest(facts);
    }
  }

  #seatGuest(facts: GuestFacts): void {
    const seat = this.#newSeat(facts.attachment);
    const { guest, host } = makeGuest(facts, seat, this.#world);
    seat.guest = facts.kind === 'platform' ? (this.#prober?.beside(guest) ?? guest) : guest;
    seat.host = host;
    seat.made = facts;
  }

  #makeWorld(): GuestWorld {
    const compiled = (): Compiled => this.#compiled;
    return {
      get compiled() {
        return compiled();
      },
      isOwnPublic: (address) => this.#publicAddresses.has(address),
      host: (attachment) => this.host(attachment),
    };
  }

  #newSeat(attachment: number): Seat {
    const previous = this.#seats.get(attachment);
    if (previous !== undefined) previous.isLive = false;
    const seat = new Seat(this, attachment);
    this.#seats.set(attachment, seat);
    return seat;
  }
}
