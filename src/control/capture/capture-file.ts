// What a capture session needs of a file format, so that it can write pcapng or classic pcap alike.

import type { Direction } from './pcapng-format.ts';

/** One frame for a capture file. */
export interface CapturedFrame {
  /** Number that `addInterface` returned. */
  readonly interface: number;
  /** Nanoseconds since 1970-01-01T00:00:00Z. */
  readonly timeNs: bigint;
  /** At most the snap length. */
  readonly bytes: Uint8Array;
  /** Length on the wire. */
  readonly length: number;
  /** From the guest's view; none where the frame belongs to no side. */
  readonly direction: Direction;
  readonly packetId: number;
  /** Options made by `encodeComments`; formats without comments ignore them. */
  readonly comments: Uint8Array;
}

/** Counts of one interface over the whole capture. */
export interface InterfaceStatistics {
  readonly interface: number;
  /** Frames that passed the point. */
  readonly received: number;
  /** Tap records that found no room, of the whole capture: where they belong is not known. */
  readonly lost: number;
  /** Frames that the filter let through; absent without filter. */
  readonly accepted?: number;
}

export interface CaptureFile {
  addInterface(name: string, description: string): number;
  writeFrame(frame: CapturedFrame): void;
  /** Writes the statistics and whatever is still held back. */
  finish(timeNs: bigint, statistics: readonly InterfaceStatistics[]): void;
  /** Hands everything held back to the sink. */
  flush(): void;
  /** Bytes held back. */
  readonly buffered: number;
  /** Bytes of the file so far. */
  readonly written: number;
}
