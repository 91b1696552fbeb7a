// What the readers of capture files share: the frames and interfaces they collect, and the checks of both formats.

import { CAPTURE_FRAME_BYTES_MAX } from '../../abi/limits.ts';
import type { CaptureIssueCode } from './issue-codes.ts';
import type { Direction } from './pcapng-format.ts';

export interface CaptureFrame {
  /** Nanoseconds since 1970-01-01T00:00:00Z; 0 for blocks without a stamp. */
  readonly timeNs: bigint;
  /** A copy. */
  readonly bytes: Uint8Array;
  /** Length on the wire; more than `bytes` when a snap length cut the frame. */
  readonly originalLength: number;
  /** Index into `interfaces`. */
  readonly interface: number;
  readonly comments: readonly string[];
  readonly packetId?: bigint;
  readonly direction?: Direction;
}

export interface CaptureInterface {
  readonly linkType: number;
  readonly snapLength: number;
  readonly name?: string;
  readonly description?: string;
  readonly filter?: string;
}

/** What a reader collects on its way through a file. */
export interface Reading {
  readonly frames: CaptureFrame[];
  readonly interfaces: CaptureInterface[];
  report(code: CaptureIssueCode, offset: number, message: string, hint: string): void;
  /** Counts a frame that is left out because its interface is not Ethernet. */
  leaveOut(offset: number, linkType: number): void;
}

export const HINT_TRUNCATED = 'the frames before that place were read; capture again or copy the file completely';
export const HINT_DAMAGED = 'the frames before that place were read; check the file with capinfos';

/** Reports a captured length that no capture has, or that goes past the `left` bytes of its record; true when good. */
export function checkFrameLength(
  reading: Reading,
  offset: number,
  length: number,
  left: number,
  codeOfShort: CaptureIssueCode,
): boolean {
  if (length > CAPTURE_FRAME_BYTES_MAX) {
    const message = `a frame claims ${length} bytes, ${CAPTURE_FRAME_BYTES_MAX} is the most`;
    reading.report('CAPTURE_FORMAT', offset, message, HINT_DAMAGED);
    return false;
  }
  if (length > left) {
    const hint = codeOfShort === 'CAPTURE_TRUNCATED' ? HINT_TRUNCATED : HINT_DAMAGED;
    reading.report(codeOfShort, offset, `a frame of ${length} bytes has only ${left} bytes`, hint);
    return false;
  }
  return true;
}

/** A copy of part of a file. */
export function bytesOf(view: DataView, offset: number, length: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + offset, length).slice();
}
