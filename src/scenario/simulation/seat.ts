// A guest at its attachment, and what the simulation gives it. Frames and timers of a guest that has left are ignored.

import type { FrameMeta, Guest, GuestPort, GuestTimer } from '../../guest/guest.ts';
import type { Host } from '../../guest/host.ts';
import type { TimerOwner } from './events.ts';
import type { GuestFacts } from './guests.ts';

/** What seats ask of the simulation. */
export interface SeatServices {
  now(): number;
  send(attachment: number, frame: Uint8Array, forwarded: FrameMeta | undefined, vnet?: number): number;
  setTimer(owner: TimerOwner, atNs: number, callback: () => void): GuestTimer;
  random(attachment: number, label: string): number;
  countDrop(reason: string): void;
}

export class Seat implements GuestPort, TimerOwner {
  readonly attachment: number;
  readonly #services: SeatServices;
  isLive = true;
  guest: Guest | undefined;
  host: Host | undefined;
  /** What the default guest was made from; undefined for a guest of the caller's. */
  made: GuestFacts | undefined;

  constructor(services: SeatServices, attachment: number) {
    this.#services = services;
    this.attachment = attachment;
  }

  now(): number {
    return this.#services.now();
  }

  send(frame: Uint8Array, forwarded?: FrameMeta, vnet?: number): void {
    if (this.isLive) this.#services.send(this.attachment, frame, forwarded, vnet);
  }

  setTimer(atNs: number, callback: () => void): GuestTimer {
    return this.#services.setTimer(this, atNs, callback);
  }

  random(label: string): number {
    return this.#services.random(this.attachment, label);
  }

  countDrop(reason: string): void {
    this.#services.countDrop(reason);
  }
}
