// The simulation as its users see it: a network that runs in virtual time, with guests behind its attachments.
// simulation.ts implements it; scenario steps, explain and the conformance runner use it.

import type { Outcome } from '../../control/engine/engine.ts';
import type { Compiled, SideTable } from '../../control/compile/compiled.ts';
import type { Network } from '../../control/model/resources.ts';
import type { Guest, GuestPort, GuestTimer } from '../../guest/guest.ts';
import type { Host } from '../../guest/host.ts';
import type { WatchedConnection } from './connection-watch.ts';

/** One pass of one packet, with the side table that names what decided. */
export interface PacketEvent {
  readonly packetId: number;
  readonly timeNs: number;
  readonly hops: number;
  readonly ingress: number;
  readonly egress: number;
  readonly outcome: Outcome;
  /** Code of DROP. */
  readonly reason: number;
  readonly provenance: Int32Array;
  readonly sideTable: SideTable;
  /** As sent. */
  readonly before: Uint8Array;
  /** As delivered; undefined unless delivered, exited or answered. */
  readonly after?: Uint8Array;
}

/** Link impairment, in the words of Linux tc netem; applies to frames in both directions of one attachment's link. */
export interface LinkSettings {
  /** Default 50,000. */
  readonly delayNs?: number;
  readonly jitterNs?: number;
  /** Probabilities, 0 to 1. */
  readonly loss?: number;
  readonly duplicate?: number;
  readonly reorder?: number;
  /** Bits per second. */
  readonly rate?: number;
}

/** What links did to frames so far. */
export interface LinkTotals {
  readonly lost: number;
  readonly duplicated: number;
}

export interface Simulation {
  /** Virtual time, nanoseconds since 2026-01-01T00:00:00Z. */
  now(): number;
  /** The network as it is now. */
  readonly compiled: Compiled;
  /** Attachment id by name: NIC, `internet`, `onprem` (the only gateway) or `onprem:<vnet>`, `platform`, `service`,
   * `provider:<endpoint>`; undefined when there is none. */
  attachment(name: string): number | undefined;
  /** The host stack behind an attachment (every attachment has one unless `setGuest` replaced it). */
  host(attachment: number): Host;
  setGuest(attachment: number, make: (port: GuestPort) => Guest): void;
  /** Puts a new default guest behind an attachment: it has no connections, and asks DHCP again (DNS-6). */
  restart(attachment: number): void;
  setLink(attachment: number, settings: LinkSettings): void;
  /** Sends a raw frame from an attachment now, past its guest; returns the packet id. */
  inject(attachment: number, frame: Uint8Array): number;
  /** Every pass, in order, from now on; returns a function that ends the subscription. */
  observe(listener: (event: PacketEvent) => void): () => void;
  /** Runs events up to and including this time. */
  runUntil(timeNs: number): void;
  /** Runs until nothing is left to happen, or `limitNs` of virtual time have passed (default one hour). */
  runUntilIdle(limitNs?: number): void;
  /** Runs look-ahead windows while `going` says so, until nothing is left to happen or `limitNs` of virtual time have
   * passed (default one hour); true when `going` ended it. */
  runWhile(going: () => boolean, limitNs?: number): boolean;
  /** Calls back at an absolute virtual time (not before now), whatever becomes of guests. */
  at(timeNs: number, callback: () => void, options?: { readonly background?: boolean }): GuestTimer;
  /** Hands a frame of the fabric's own to a guest, and to captures (a reset at a time-out: LB-5). */
  originate(egress: number, frame: Uint8Array, text: string): void;
  /** Sends RST to both ends of every established TCP connection that `isMeant`, once; how many there were. */
  resetConnections(isMeant: (connection: WatchedConnection) => boolean, text: string): number;
  /** The longest that a frame given to this link now can take, either way, nanoseconds. */
  linkDelayNs(attachment: number): number;
  /** Frames on links right now, in both directions. */
  framesInFlight(): number;
  /** Frames that links lost and duplicated. */
  linkTotals(): LinkTotals;
  /** A control-plane change: compile, push, barrier. Refused changes throw InputError and change nothing. */
  change(edit: (network: Network) => Network): void;
  /** Packets that guests dropped, by name. */
  guestDrops(): ReadonlyMap<string, number>;
  /** Throws if the counters do not balance (architecture 11.1). */
  checkBalance(): void;
  close(): Promise<void>;
}
