// What a capture session needs of a file format, so that it can write pcapng or classic pcap alike.

/** One frame for a capture file. The session fills one such object again and again. */
export interface CapturedFrame {
  /** Nanoseconds since 1970-01-01T00:00:00Z: high and low 32 bits, signed or not. */
  timeHigh: number;
  timeLow: number;
  packetId: number;
  /** Length on the wire. */
  length: number;
  /** Where the frame stands: `captured` bytes (at most the snap length) from `offset` on, in two views of a memory. */
  bytes: Uint8Array;
  view: DataView;
  offset: number;
  captured: number;
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
  /** `point`: the number that `addInterface` returned. `options`: made by `encodePacketOptions`; formats without
   * options ignore them. */
  writeFrame(point: number, frame: CapturedFrame, options: Uint8Array): void;
  /** Writes the statistics and whatever is still held back. */
  finish(timeNs: bigint, statistics: readonly InterfaceStatistics[]): void;
  /** Hands everything held back to the sink. */
  flush(): void;
  /** Bytes held back. */
  readonly buffered: number;
  /** Bytes of the file so far. */
  readonly written: number;
}
