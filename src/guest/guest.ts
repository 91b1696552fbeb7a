// What runs behind an attachment, and what it may do. A guest sees frames and time, nothing of the fabric.

/** A running timer. */
export interface GuestTimer {
  cancel(): void;
}

/** Facts that travel with a frame outside its bytes: an appliance passes them on when it forwards. */
export interface FrameMeta {
  readonly packetId: number;
  /** Fabric crossings so far. */
  readonly hops: number;
  /** Attachment that sent it, as the fabric knows it: tells the platform whose question it is (DNS-7). */
  readonly ingress?: number | undefined;
}

/** The guest's side of its attachment, given to it by the simulation. */
export interface GuestPort {
  /** Virtual time, nanoseconds since the start of the run. */
  now(): number;
  /** Sends a frame into the fabric now. `forwarded` keeps the packet id of a packet that is passed on. */
  send(frame: Uint8Array, forwarded?: FrameMeta, vnet?: number): void;
  /** Calls back at an absolute virtual time (not before now). */
  setTimer(atNs: number, callback: () => void): GuestTimer;
  /** A deterministic draw, 0 to 2^32-1, from the run's seed, this attachment and `label`. */
  random(label: string): number;
  /** Counts a packet that the guest itself drops, by a short stable name. */
  countDrop(reason: string): void;
}

export interface Guest {
  /** A frame has arrived. The guest owns the array. */
  receive(frame: Uint8Array, meta: FrameMeta): void;
}
