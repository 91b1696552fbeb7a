// What waits in the queues of a simulation: frames on their way into the fabric, frames on their way to a guest, and
// timers of guests. One small object each, no closures for frames.

import type { FrameIn } from '../../control/engine/engine.ts';
import type { FrameMeta, GuestTimer } from '../../guest/guest.ts';
import type { EventQueue, TimedEvent } from './event-queue.ts';

/** A frame that reaches the fabric; the engine takes it as it is. */
export class Arrival implements TimedEvent, FrameIn {
  readonly timeNs: number;
  readonly sequence: number;
  readonly attachment: number;
  readonly packetId: number;
  readonly hops: number;
  readonly bytes: Uint8Array;
  readonly duplicate: boolean;
  readonly vnet: number | undefined;

  constructor(
    timeNs: number,
    sequence: number,
    attachment: number,
    packetId: number,
    hops: number,
    bytes: Uint8Array,
    duplicate: boolean,
    vnet?: number,
  ) {
    this.timeNs = timeNs;
    this.sequence = sequence;
    this.attachment = attachment;
    this.packetId = packetId;
    this.hops = hops;
    this.bytes = bytes;
    this.duplicate = duplicate;
    this.vnet = vnet;
  }
}

/** A frame that reaches a guest. */
export class Delivery implements TimedEvent, FrameMeta {
  readonly timeNs: number;
  readonly sequence: number;
  readonly attachment: number;
  readonly bytes: Uint8Array;
  readonly packetId: number;
  readonly hops: number;
  readonly ingress: number;

  constructor(
    timeNs: number,
    sequence: number,
    attachment: number,
    bytes: Uint8Array,
    packetId: number,
    hops: number,
    ingress: number,
  ) {
    this.timeNs = timeNs;
    this.sequence = sequence;
    this.attachment = attachment;
    this.bytes = bytes;
    this.packetId = packetId;
    this.hops = hops;
    this.ingress = ingress;
  }
}

/** Who set a timer; a timer of a guest that has left does not fire. */
export interface TimerOwner {
  readonly isLive: boolean;
}

export class Timer implements TimedEvent, GuestTimer {
  readonly timeNs: number;
  readonly sequence: number;
  readonly callback: () => void;
  /** Does not keep a run going: probes. */
  readonly isBackground: boolean;
  readonly #owner: TimerOwner;
  #isCancelled = false;

  constructor(timeNs: number, sequence: number, owner: TimerOwner, callback: () => void, isBackground = false) {
    this.timeNs = timeNs;
    this.sequence = sequence;
    this.callback = callback;
    this.#owner = owner;
    this.isBackground = isBackground;
  }

  cancel(): void {
    this.#isCancelled = true;
  }

  get isLive(): boolean {
    return !this.#isCancelled && this.#owner.isLive;
  }
}

/** Takes out what is cancelled, or was set by a guest that has left: it must not move time forward. */
export function discardCancelled(queue: EventQueue<Delivery | Timer> | EventQueue<Timer>): void {
  for (let next = queue.peek(); next instanceof Timer && !next.isLive; next = queue.peek()) queue.take();
}
