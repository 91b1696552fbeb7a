// Tap records and frames as objects, for tests that write captures without a network behind them.

import { TapBatch } from '../../../src/control/engine/tap-batch.ts';
import * as tap from '../../../src/dataplane/tap.ts';
import type { CapturedFrame } from '../../../src/control/capture/capture-file.ts';
import type { TapPhase } from '../../../src/control/engine/engine.ts';

export interface TapRecord {
  readonly packetId: number;
  readonly timeNs: number;
  readonly phase: TapPhase;
  readonly provenance: Int32Array;
  /** Length on the wire; `bytes` may be shorter (snap length). */
  readonly length: number;
  readonly bytes: Uint8Array;
}

/** A record, at a time that its packet id gives, before the fabric unless said otherwise. */
export function record(fields: Partial<TapRecord> & Pick<TapRecord, 'packetId' | 'provenance' | 'bytes'>): TapRecord {
  return { timeNs: fields.packetId * 1_000_001, phase: 'before', length: fields.bytes.length, ...fields };
}

/** The records as an engine hands them over. */
export function batchOf(records: readonly TapRecord[], batch = new TapBatch()): TapBatch {
  for (const { packetId, timeNs, phase, provenance, length, bytes } of records) {
    const size = tap.TAP_HEADER_WORDS + 16 * Math.ceil((bytes.length + 2) / 64);
    const ring = new Int32Array(size);
    ring[tap.TAP_SIZE] = size;
    ring[tap.TAP_PACKET] = packetId;
    ring[tap.TAP_TIME_LOW] = timeNs % 2 ** 32;
    ring[tap.TAP_TIME_HIGH] = Math.floor(timeNs / 2 ** 32);
    const row = batch.rows.indexOf(provenance);
    ring[tap.TAP_PATH] = row >= 0 ? row : batch.rows.push(provenance) - 1;
    ring[tap.TAP_PHASE] = phase === 'before' ? 0 : 1;
    ring[tap.TAP_LENGTH] = length;
    ring[tap.TAP_COPIED] = bytes.length;
    // What the slot held after the frame is copied along, and must never be seen.
    const area = new Uint8Array(ring.buffer, tap.TAP_HEADER_WORDS * 4).fill(0xee);
    area.set(bytes, 2);
    batch.append(new BigInt64Array(ring.buffer), 0, size);
  }
  return batch;
}

/** A frame for a capture file, in the middle of other bytes. */
export function capturedFrame(timeNs: bigint, frame: Uint8Array, length: number, packetId: number): CapturedFrame {
  const bytes = new Uint8Array(frame.length + 9).fill(0xee);
  bytes.set(frame, 3);
  return {
    timeHigh: Number(timeNs >> 32n),
    timeLow: Number(timeNs & 0xffff_ffffn),
    packetId,
    length,
    bytes,
    view: new DataView(bytes.buffer),
    offset: 3,
    captured: frame.length,
  };
}
