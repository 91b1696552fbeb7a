// A network of the notation running in the emulator: model, compile, push, frames in, frames out. Guests are mute and
// appliances only forward, so that only the packets of the case travel; all that happens is observed pass by pass.

import { createInlineEngine } from '../control/engine/inline-engine.ts';
import type { Behaviour } from '../control/model/profile.ts';
import type { Network } from '../control/model/resources.ts';
import type { FrameMeta, Guest, GuestPort } from '../guest/guest.ts';
import { guestFacts, makeGuest } from '../scenario/simulation/guests.ts';
import { createSimulation } from '../scenario/simulation/simulation.ts';
import type { GuestWorld } from '../scenario/simulation/guest-extras.ts';
import type { PacketEvent, Simulation } from '../scenario/simulation/simulation-api.ts';
import { parseFrame } from '../wire/index.ts';

const MILLISECOND_NS = 1e6;
/** Connections that the inline engine of a case has room for. */
const CONNECTIONS_MAX = 4096;

/** What became of one packet. */
export interface Journey {
  /** Every pass of the packet, in order. */
  readonly passes: readonly PacketEvent[];
  /** Why a guest dropped it, when one did. */
  readonly guestDrop: string | undefined;
}

/** A frame as a guest received it. */
export interface ReceivedFrame {
  readonly packetId: number;
  readonly frame: Uint8Array;
}

/** Guests that are not mute, by NIC name. */
export interface LiveGuests {
  /** Forward, and say nothing of their own. */
  readonly appliances?: readonly string[];
  /** The emulator's own guests, whatever they do. */
  readonly hosts?: readonly string[];
}

export class Fabric {
  readonly simulation: Simulation;
  readonly #events: PacketEvent[] = [];
  readonly #received = new Map<number, ReceivedFrame[]>();
  readonly #settled = new Set<number>();
  readonly #live: LiveGuests;
  readonly #world: GuestWorld;
  #nextSendNs = 0;

  constructor(network: Network, behaviour: Behaviour, live: LiveGuests = {}) {
    const engine = createInlineEngine({ connectionsMax: CONNECTIONS_MAX });
    this.simulation = createSimulation({ network, behaviour, engine, probes: false });
    this.#live = live;
    const { simulation } = this;
    this.#world = {
      get compiled() {
        return simulation.compiled;
      },
      isOwnPublic: () => false,
      host: (attachment) => simulation.host(attachment),
    };
    this.simulation.observe((event) => this.#events.push(event));
    this.#settleGuests();
  }

  /** Sends a frame, at least a millisecond after the one before, and lets everything that follows from it happen. */
  send(attachmentName: string, frame: Uint8Array): Journey {
    const dropsBefore = new Map(this.simulation.guestDrops());
    this.simulation.runUntil(this.#nextSendNs);
    this.#events.length = 0;
    const packetId = this.simulation.inject(this.attachment(attachmentName), frame);
    // Until no frame travels any more: timers of guests must not make time pass.
    this.simulation.runWhile(() => this.simulation.framesInFlight() > 0);
    this.#nextSendNs = Math.max(this.#nextSendNs, this.simulation.now()) + MILLISECOND_NS;
    this.simulation.checkBalance();
    const passes = this.#events.filter((event) => event.packetId === packetId);
    const guestDrop = [...this.simulation.guestDrops()].find(
      ([name, count]) => count > (dropsBefore.get(name) ?? 0),
    )?.[0];
    return { passes, guestDrop };
  }

  /** Lets time pass with nothing happening. */
  advance(minutes: number): void {
    this.#nextSendNs =
      Math.max(this.#nextSendNs, this.simulation.now()) + Math.round(minutes * 60_000) * MILLISECOND_NS;
    this.simulation.runUntil(this.#nextSendNs);
  }

  /** A control-plane change to another state of the same network. */
  change(network: Network): void {
    this.simulation.change(() => network);
    this.#settleGuests();
  }

  /** Attachment id by name. Throws an Error when the network has none of that name. */
  attachment(name: string): number {
    const attachment = this.simulation.attachment(name);
    if (attachment === undefined) throw new Error(`the network has no attachment ${name}`);
    return attachment;
  }

  /** Frames that a mute guest has received so far. */
  received(attachmentName: string): readonly ReceivedFrame[] {
    return this.#received.get(this.attachment(attachmentName)) ?? [];
  }

  // After every change there may be new attachments.
  #settleGuests(): void {
    const { compiled } = this.simulation;
    for (const facts of guestFacts(compiled, new Map())) {
      const { attachment, kind } = facts;
      if (this.#settled.has(attachment)) continue;
      this.#settled.add(attachment);
      const name = kind === 'nic' ? (compiled.sideTable.attachments[attachment]?.name ?? '') : '';
      if (this.#live.hosts?.includes(name) === true) continue;
      if (this.#live.appliances?.includes(name) === true) {
        this.simulation.setGuest(attachment, (port) => makeGuest(facts, new ForwardingPort(port), this.#world).guest);
        continue;
      }
      const frames: ReceivedFrame[] = [];
      this.#received.set(attachment, frames);
      this.simulation.setGuest(attachment, () => recorder(frames));
    }
  }
}

/** Lets out what a guest forwards and its ARP requests, and nothing that its own host stack says. */
class ForwardingPort implements GuestPort {
  readonly #port: GuestPort;

  constructor(port: GuestPort) {
    this.#port = port;
  }

  now(): number {
    return this.#port.now();
  }

  send(frame: Uint8Array, forwarded?: FrameMeta): void {
    if (forwarded !== undefined || parseFrame(frame).kind === 'arp') this.#port.send(frame, forwarded);
  }

  setTimer(atNs: number, callback: () => void): ReturnType<GuestPort['setTimer']> {
    return this.#port.setTimer(atNs, callback);
  }

  random(label: string): number {
    return this.#port.random(label);
  }

  countDrop(reason: string): void {
    this.#port.countDrop(reason);
  }
}

function recorder(frames: ReceivedFrame[]): Guest {
  return { receive: (frame, meta) => void frames.push({ packetId: meta.packetId, frame }) };
}
