// TCP options: maximum segment size (RFC 9293 section 3.7.1), window scale and timestamps (RFC 7323),
// selective acknowledgement (RFC 2018). Unknown options are skipped. Both functions allocate: cold code only.

export const TCP_HEADER_MIN = 20;
export const TCP_HEADER_MAX = 60;

/** Sequence numbers from `start` up to, not including, `end` have arrived. Unsigned 32-bit. */
export interface SackBlock {
  readonly start: number;
  readonly end: number;
}

export interface TcpTimestamps {
  readonly value: number;
  readonly echoReply: number;
}

/** The options we know; an absent field is an absent option. */
export interface TcpOptions {
  /** Bytes. */
  readonly mss?: number | undefined;
  /** Shift count as on the wire; RFC 7323 section 2.3 limits its use to 14. */
  readonly windowScale?: number | undefined;
  readonly sackPermitted?: boolean | undefined;
  /** One to four blocks. */
  readonly sackBlocks?: readonly SackBlock[] | undefined;
  readonly timestamps?: TcpTimestamps | undefined;
}

export const TCP_OPTION_END = 0;
export const TCP_OPTION_NOP = 1;
export const TCP_OPTION_MSS = 2;
export const TCP_OPTION_WINDOW_SCALE = 3;
export const TCP_OPTION_SACK_PERMITTED = 4;
export const TCP_OPTION_SACK = 5;
export const TCP_OPTION_TIMESTAMPS = 8;

const SACK_BLOCK_BYTES = 8;

type MutableTcpOptions = { -readonly [K in keyof TcpOptions]: TcpOptions[K] };

/**
 * Options of the TCP header at `at`, whose whole length is `headerLength` bytes. Reads nothing outside the header
 * or `frames` and never throws: it stops at the first option with an impossible length and skips options whose
 * length is wrong for their kind. Of a repeated option the last counts.
 */
export function parseTcpOptions(frames: DataView, at: number, headerLength: number): TcpOptions {
  const options: MutableTcpOptions = {};
  const end = Math.min(at + headerLength, frames.byteLength);
  let next = at + TCP_HEADER_MIN;
  while (next < end) {
    const kind = frames.getUint8(next);
    if (kind === TCP_OPTION_END) break;
    if (kind === TCP_OPTION_NOP) {
      next += 1;
      continue;
    }
    const length = next + 1 < end ? frames.getUint8(next + 1) : 0;
    if (length < 2 || next + length > end) break;
    readOption(frames, next, kind, length, options);
    next += length;
  }
  return options;
}

/**
 * The options as bytes, padded with End to a multiple of 4. Fixed order: MSS, SACK permitted, timestamps, window
 * scale, SACK blocks, each aligned with No-Operation as common stacks do. Throws RangeError when they need more than
 * the 40 bytes that a header has room for.
 */
export function encodeTcpOptions(options: TcpOptions): Uint8Array {
  const bytes: number[] = [];
  const { mss, windowScale, sackPermitted, sackBlocks, timestamps } = options;
  if (mss !== undefined) bytes.push(TCP_OPTION_MSS, 4, mss >>> 8, mss);
  if (sackPermitted === true) bytes.push(TCP_OPTION_SACK_PERMITTED, 2);
  if (timestamps !== undefined) {
    alignOption(bytes, 2);
    bytes.push(TCP_OPTION_TIMESTAMPS, 10, ...u32Bytes(timestamps.value), ...u32Bytes(timestamps.echoReply));
  }
  if (windowScale !== undefined) {
    alignOption(bytes, 1);
    bytes.push(TCP_OPTION_WINDOW_SCALE, 3, windowScale);
  }
  if (sackBlocks !== undefined && sackBlocks.length > 0) {
    alignOption(bytes, 2);
    bytes.push(TCP_OPTION_SACK, 2 + SACK_BLOCK_BYTES * sackBlocks.length);
    for (const block of sackBlocks) bytes.push(...u32Bytes(block.start), ...u32Bytes(block.end));
  }
  while (bytes.length % 4 !== 0) bytes.push(TCP_OPTION_END);
  const room = TCP_HEADER_MAX - TCP_HEADER_MIN;
  if (bytes.length > room) throw new RangeError(`TCP options need ${bytes.length} bytes, a header has ${room}`);
  return Uint8Array.from(bytes);
}

function readOption(frames: DataView, at: number, kind: number, length: number, options: MutableTcpOptions): void {
  if (kind === TCP_OPTION_MSS && length === 4) {
    options.mss = frames.getUint16(at + 2);
  } else if (kind === TCP_OPTION_WINDOW_SCALE && length === 3) {
    options.windowScale = frames.getUint8(at + 2);
  } else if (kind === TCP_OPTION_SACK_PERMITTED && length === 2) {
    options.sackPermitted = true;
  } else if (kind === TCP_OPTION_TIMESTAMPS && length === 10) {
    options.timestamps = { value: frames.getUint32(at + 2), echoReply: frames.getUint32(at + 6) };
  } else if (kind === TCP_OPTION_SACK && length > 2 && (length - 2) % SACK_BLOCK_BYTES === 0) {
    options.sackBlocks = readSackBlocks(frames, at, length);
  }
}

function readSackBlocks(frames: DataView, at: number, length: number): SackBlock[] {
  const blocks: SackBlock[] = [];
  for (let next = at + 2; next < at + length; next += SACK_BLOCK_BYTES) {
    blocks.push({ start: frames.getUint32(next), end: frames.getUint32(next + 4) });
  }
  return blocks;
}

/** Pads with No-Operation until the length is `remainder` modulo 4. */
function alignOption(bytes: number[], remainder: number): void {
  while (bytes.length % 4 !== remainder) bytes.push(TCP_OPTION_NOP);
}

function u32Bytes(value: number): number[] {
  return [(value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}
