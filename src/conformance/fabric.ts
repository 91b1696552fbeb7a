// A network of the notation running in the emulator: model, compile, push, frames in, frames out. Guests that do not
// forward are mute, so that only the packets of the case travel; everything on the way is observed pass by pass.

import { createInlineEngine } from '../control/engine/inline-engine.ts';
import type { Behaviour } from '../control/model/profile.ts';
import type { Network } from '../control/model/resources.ts';
import type { Guest } from '../guest/guest.ts';
import { createSimulation } from '../scenario/simulation.ts';
import type { PacketEvent, Simulation } from '../scenario/simulation-api.ts';

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

export class Fabric {
  readonly simulation: Simulation;
  readonly #events: PacketEvent[] = [];
  readonly #received = new Map<number, ReceivedFrame[]>();
  readonly #live: ReadonlySet<string>;
  #nextSendNs = 0;

  /** `live`: attachments whose guests act by themselves (appliances); all others only record what they receive. */
  constructor(network: Network, behaviour: Behaviour, live: Iterable<string> = []) {
    const engine = createInlineEngine({ connectionsMax: CONNECTIONS_MAX });
    this.simulation = createSimulation({ network, behaviour, engine });
    this.#live = new Set(live);
    this.simulation.observe((event) => this.#events.push(event));
    this.#muteGuests();
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
    const passes = this.#events.filter((event) => event.packetId === packetId);
    const guestDrop = [...this.simulation.guestDrops()].find(
      ([name, count]) => count > (dropsBefore.get(name) ?? 0),
    )?.[0];
    return { passes, guestDrop };
  }

  /** Lets time pass with nothing happening. */
  advance(minutes: number): void {
    this.#nextSendNs = Math.max(this.#nextSendNs, this.simulation.now()) + minutes * 60_000 * MILLISECOND_NS;
    this.simulation.runUntil(this.#nextSendNs);
  }

  /** A control-plane change to another state of the same network. */
  change(network: Network): void {
    this.simulation.change(() => network);
    this.#muteGuests();
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

  #muteGuests(): void {
    for (const info of this.simulation.compiled.sideTable.attachments) {
      if (info === undefined || this.#received.has(info.attachment)) continue;
      if (info.kind === 'nic' && this.#live.has(info.name)) continue;
      const frames: ReceivedFrame[] = [];
      this.#received.set(info.attachment, frames);
      this.simulation.setGuest(info.attachment, () => recorder(frames));
    }
  }
}

function recorder(frames: ReceivedFrame[]): Guest {
  return { receive: (frame, meta) => void frames.push({ packetId: meta.packetId, frame }) };
}
