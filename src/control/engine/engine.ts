// The engine: one interface over the inline forwarder and over worker threads. Control gives it frames in order of
// (time, packet id) and gets every packet's outcome back; the same frames give the same outcomes whatever is behind.

import type { Program } from '../../abi/program.ts';
import type { TapBatch } from './tap-batch.ts';

/** One frame entering the fabric. */
export interface FrameIn {
  /** Attachment that sends it. */
  readonly attachment: number;
  /** Assigned by control; kept when an appliance forwards the packet. 1 to 2^31-1. */
  readonly packetId: number;
  /** Virtual time, nanoseconds since the start of the run. */
  readonly timeNs: number;
  /** Fabric crossings so far (ROUTE-36). */
  readonly hops: number;
  /** Ethernet frame; copied, the caller keeps it. */
  readonly bytes: Uint8Array;
  /** Network (program index) that a frame of the platform is for: probes (LB-4); networks may overlap. */
  readonly vnet?: number | undefined;
  /** A copy that link impairment made: counted as duplicated, not as received. */
  readonly duplicate?: boolean;
}

/** delivered: to a guest; exited: to an exit; consumed: the fabric itself; answered: consumed, and the fabric's own
 * reply (ARP) went back to the sender. */
export type Outcome = 'delivered' | 'exited' | 'consumed' | 'answered' | 'dropped';

/** How one pass ended. */
export interface PassResult {
  readonly packetId: number;
  readonly timeNs: number;
  readonly hops: number;
  readonly ingress: number;
  /** Attachment that gets `frame`, or -1. */
  readonly egress: number;
  readonly outcome: Outcome;
  /** Code of DROP; 0 unless dropped. */
  readonly reason: number;
  /** PROVENANCE_WORDS words (abi/provenance.ts); interned, never to be written. */
  readonly provenance: Int32Array;
  /** The frame as the receiver gets it, an own copy; undefined when dropped or consumed. */
  readonly frame?: Uint8Array;
}

/** When a tap copied a frame. `before`: as the sender wrote it; `after`: as the receiver gets it. */
export type TapPhase = 'before' | 'after';

/** Totals of the fabric; `received + originated + duplicated` equals the sum of the rest (invariant 1). */
export interface Counters {
  readonly received: number;
  readonly originated: number;
  readonly duplicated: number;
  readonly delivered: number;
  readonly exited: number;
  readonly consumed: number;
  /** By drop code. */
  readonly dropped: readonly number[];
  readonly inFlight: number;
  /** Tap records that found no room; captures say so. */
  readonly tapsLost: number;
}

export interface Engine {
  /** 0: inline. */
  readonly workers: number;
  /** Makes a program current everywhere between two batches; returns when every worker has acknowledged. */
  push(program: Program): void;
  /** The first half of `push`: hands the program over and returns. Each worker switches between two of its batches;
   * frames forwarded meanwhile are decided by the old program or the new one, never by both. */
  startPush(program: Program): void;
  /** The second half: returns when every worker has acknowledged. */
  finishPush(): void;
  /** Frames in ascending (timeNs, packetId); results in the same order. Throws if a worker died. */
  forward(frames: readonly FrameIn[]): PassResult[];
  /** Tap records since the last call; the batch is emptied and used again by the call after the next. */
  drainTaps(): TapBatch;
  /** Oldest epoch that a path still refers to: side tables of earlier epochs may go. */
  oldestEpochInUse(): number;
  counters(): Counters;
  /** Per attachment id: packets and bytes in each direction. */
  attachmentCounters(attachment: number): AttachmentCounters;
  close(): Promise<void>;
}

export interface AttachmentCounters {
  readonly sentPackets: number;
  readonly sentBytes: number;
  readonly receivedPackets: number;
  readonly receivedBytes: number;
}

export interface EngineOptions {
  /** Connections the flow tables are sized for, over all workers; default 65,536. */
  readonly connectionsMax?: number;
  /** Frame slot size in bytes; default SLOT_BYTES_DEFAULT. */
  readonly slotBytes?: number;
  /** Bytes of a frame that taps copy; default: whole frames. */
  readonly snapLength?: number;
  /** Default true. False: every packet walks the stages instead of riding on a cached path (inline engine only). */
  readonly cachePaths?: boolean;
}
