// What a step saw of its packets: counts, the first frame at every point, and the passes of the packet that decided.
// It keeps a bounded number of passes, however much traffic a step makes.

import { sightingsOf } from '../control/capture/points.ts';
import { traceOf } from '../control/diagnose/trace.ts';
import type { Trace } from '../control/diagnose/trace.ts';
import type { Conversation } from './conversation.ts';
import type { PacketEvent, Simulation } from './simulation/simulation-api.ts';

/** Packets whose passes are kept from the start of a step. */
const PACKETS_KEPT = 64;
/** Latest passes, kept to find those of a packet that is dropped later. */
const PASSES_KEPT = 64;

/** A frame as it was at a point. */
export interface Sighting {
  readonly packetId: number;
  readonly frame: Uint8Array;
}

export class Observation {
  /** Packets sent into the fabric (a packet that an appliance passes on counts once). */
  packets = 0;
  delivered = 0;
  dropped = 0;
  readonly #seen = new Map<string, Sighting>();
  readonly #recent: PacketEvent[] = [];
  readonly #byPacket = new Map<number, PacketEvent[]>();
  #firstDrop: readonly PacketEvent[] = [];

  add(event: PacketEvent): void {
    if (event.hops === 0) this.packets++;
    if (event.outcome === 'dropped') this.dropped++;
    else if (event.outcome === 'delivered' || event.outcome === 'exited') this.delivered++;
    for (const [point, frame] of pointsOf(event)) {
      if (!this.#seen.has(point)) this.#seen.set(point, { packetId: event.packetId, frame });
    }
    this.#recent.push(event);
    if (this.#recent.length > PASSES_KEPT) this.#recent.shift();
    const known = this.#byPacket.get(event.packetId);
    if (known !== undefined) known.push(event);
    else if (this.#byPacket.size < PACKETS_KEPT) this.#byPacket.set(event.packetId, [event]);
    if (event.outcome === 'dropped' && this.#firstDrop.length === 0) {
      this.#firstDrop = this.#recent.filter((pass) => pass.packetId === event.packetId);
    }
  }

  /** The passes of the first packet that was dropped; empty when none was. */
  firstDrop(): readonly PacketEvent[] {
    return this.#firstDrop;
  }

  /** The passes of the first packet that was not dropped; empty when there is none. */
  firstArrival(): readonly PacketEvent[] {
    for (const passes of this.#byPacket.values()) if (passes.at(-1)?.outcome !== 'dropped') return passes;
    return [];
  }

  /** The passes of the packet that decided: the first drop if there is one, else the first packet. */
  decisive(): readonly PacketEvent[] {
    return this.#firstDrop.length > 0 ? this.#firstDrop : this.firstArrival();
  }

  /** The first frame at a point: an attachment, a service, or a side such as `pe-sqlmi.provider`. */
  seenAt(point: string): Sighting | undefined {
    return this.#seen.get(point.replace(/^provider:/i, '').toLowerCase());
  }

  /** Points that saw a packet. */
  points(): string[] {
    return [...this.#seen.keys()];
  }
}

/** A conversation being watched. */
export interface Watch {
  readonly observation: Observation;
  /** When everything that the packets seen so far cause at once has happened: deliveries and immediate answers. */
  quietAtNs: number;
  /** Frames that links lost since the watch began. */
  lost(): number;
  stop(): void;
}

/**
 * Watches the passes of a conversation from now on. `onPass` hears of each, with its label; `isWanted` leaves some out
 * of the observation, the answers for example.
 */
export function watchConversation(
  simulation: Simulation,
  conversation: Conversation,
  onPass?: (event: PacketEvent, label: number) => void,
  isWanted?: (event: PacketEvent) => boolean,
): Watch {
  const observation = new Observation();
  const lostBefore = simulation.linkTotals().lost;
  const watch: Watch = {
    observation,
    quietAtNs: simulation.now(),
    lost: () => simulation.linkTotals().lost - lostBefore,
    stop: simulation.observe((event) => {
      const label = conversation.follow(event);
      if (label === undefined || isWanted?.(event) === false) return;
      observation.add(event);
      watch.quietAtNs = Math.max(watch.quietAtNs, event.timeNs + quietAfterNs(simulation, event.egress));
      onPass?.(event, label);
    }),
  };
  return watch;
}

/** Time for a frame to reach a guest, for the guest to ask for a MAC address, and for its answer to come back. */
export function quietAfterNs(simulation: Simulation, attachment: number): number {
  return 4 * simulation.linkDelayNs(attachment) + 1;
}

/** Runs until nothing is on its way that the watched conversation caused; other traffic goes on meanwhile. */
export function runUntilQuiet(simulation: Simulation, watch: Watch): void {
  simulation.runWhile(() => simulation.framesInFlight() > 0 && simulation.now() < watch.quietAtNs);
}

/** The trace of one pass. */
export function traceOfPass(event: PacketEvent): Trace {
  return traceOf(event.provenance, event.sideTable);
}

// Where a pass can be seen, as captures see it: by the name of the point and of what it belongs to, and by the name of
// the service behind an endpoint. Names in lower case.
function pointsOf(event: PacketEvent): [string, Uint8Array][] {
  const { provenance, sideTable, before, after } = event;
  const points: [string, Uint8Array][] = [];
  const add = (phase: 'before' | 'after', frame: Uint8Array): void => {
    for (const { point } of sightingsOf(phase, provenance, sideTable)) {
      points.push([point.name, frame], [point.owner, frame]);
      const isProvider = point.name.endsWith('.provider');
      const endpoint = isProvider ? sideTable.endpoints.find((entry) => entry.name === point.owner) : undefined;
      if (endpoint !== undefined) points.push([endpoint.target, frame]);
    }
  };
  add('before', before);
  if (after !== undefined) add('after', after);
  return points.map(([name, frame]) => [name.toLowerCase(), frame]);
}
