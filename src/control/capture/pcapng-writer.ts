// pcapng (draft-ietf-opsawg-pcapng), little-endian: one section, Ethernet interfaces with nanosecond stamps, names,
// packets with direction, packet id and comments, statistics. Nothing in a file depends on the machine or the clock.

import { CAPTURE_FILE_BUFFER_BYTES, CAPTURE_FRAME_BYTES_MAX } from '../../abi/limits.ts';
import { parseIpv4 } from '../../wire/address.ts';
import { ByteBuffer } from './byte-buffer.ts';
import {
  BLOCK,
  BYTE_ORDER_MAGIC,
  FILTER_LIBPCAP,
  FLAG_INBOUND,
  FLAG_OUTBOUND,
  LINK_TYPE_ETHERNET,
  NAME_RECORD,
  OPTION,
  SECTION_LENGTH_UNKNOWN,
} from './pcapng-format.ts';
import type { ByteSink } from './byte-sink.ts';
import type { CapturedFrame, CaptureFile, InterfaceStatistics } from './capture-file.ts';
import type { Direction } from './pcapng-format.ts';

/** An address and its names for the name-resolution block; Wireshark shows the last name. */
export interface NameEntry {
  /** IPv4, dotted decimal. */
  readonly address: string;
  readonly names: readonly string[];
}

export interface PcapngOptions {
  readonly names?: readonly NameEntry[];
  /** Bytes kept of each frame; default CAPTURE_FRAME_BYTES_MAX. */
  readonly snapLength?: number;
  /** Text of the capture filter. */
  readonly filter?: string;
}

/** A pcapng file that grows; bytes go to the sink in large pieces. */
export class PcapngFile implements CaptureFile {
  readonly #buffer = new ByteBuffer();
  readonly #sink: ByteSink;
  readonly #snapLength: number;
  readonly #filter: string | undefined;
  #interfaces = 0;
  #flushed = 0;

  constructor(sink: ByteSink, options: PcapngOptions = {}) {
    this.#sink = sink;
    this.#snapLength = options.snapLength ?? CAPTURE_FRAME_BYTES_MAX;
    this.#filter = options.filter;
    writeSectionHeader(this.#buffer);
    if (options.names !== undefined && options.names.length > 0) writeNames(this.#buffer, options.names);
  }

  get buffered(): number {
    return this.#buffer.length;
  }

  get written(): number {
    return this.#flushed + this.#buffer.length;
  }

  addInterface(name: string, description: string): number {
    writeInterface(this.#buffer, name, description, this.#snapLength, this.#filter);
    return this.#interfaces++;
  }

  writeFrame(point: number, frame: CapturedFrame, options: Uint8Array): void {
    writePacket(this.#buffer, point, frame, options);
    if (this.#buffer.length >= CAPTURE_FILE_BUFFER_BYTES) this.flush();
  }

  finish(timeNs: bigint, statistics: readonly InterfaceStatistics[]): void {
    for (const entry of statistics) writeStatistics(this.#buffer, timeNs, entry);
    this.flush();
  }

  flush(): void {
    if (this.#buffer.length === 0) return;
    const bytes = this.#buffer.drain();
    this.#flushed += bytes.length;
    this.#sink.append(bytes);
  }
}

/** Section Header Block. Hardware, system and application name the emulator only, so that files are reproducible. */
export function writeSectionHeader(out: ByteBuffer): void {
  const start = beginBlock(out, BLOCK.sectionHeader);
  out.u32(BYTE_ORDER_MAGIC);
  out.u16(1);
  out.u16(0);
  out.u64(SECTION_LENGTH_UNKNOWN);
  writeTextOption(out, OPTION.hardware, 'vnetem');
  writeTextOption(out, OPTION.os, 'vnetem');
  writeTextOption(out, OPTION.userApplication, 'vnetem');
  endBlock(out, start);
}

/** Interface Description Block: Ethernet, nanoseconds. */
export function writeInterface(
  out: ByteBuffer,
  name: string,
  description: string,
  snapLength: number,
  filter?: string,
): void {
  const start = beginBlock(out, BLOCK.interface);
  out.u16(LINK_TYPE_ETHERNET);
  out.u16(0);
  out.u32(snapLength);
  writeTextOption(out, OPTION.name, name);
  writeTextOption(out, OPTION.description, description);
  writeOption(out, OPTION.timeResolution, Uint8Array.of(9));
  if (filter !== undefined) {
    const text = new TextEncoder().encode(filter);
    const value = new Uint8Array(text.length + 1);
    value[0] = FILTER_LIBPCAP;
    value.set(text, 1);
    writeOption(out, OPTION.filter, value);
  }
  endBlock(out, start);
}

/** Name Resolution Block: one record per address, its names in the order given. Throws AddressError. */
export function writeNames(out: ByteBuffer, entries: readonly NameEntry[]): void {
  const start = beginBlock(out, BLOCK.nameResolution);
  for (const { address, names } of entries) {
    if (names.length === 0) continue;
    const text = new TextEncoder().encode(names.map((name) => `${name}\0`).join(''));
    const value = new Uint8Array(4 + text.length);
    new DataView(value.buffer).setUint32(0, parseIpv4(address));
    value.set(text, 4);
    writeOption(out, NAME_RECORD.ipv4, value);
  }
  out.u32(NAME_RECORD.end);
  endBlock(out, start);
}

/** Block header, interface, stamp, captured and original length: what stands before the bytes of a packet. */
const PACKET_HEADER = 28;
/** Where the packet id stands in the options: after the flags (8 bytes) and the head of its own option. */
const PACKET_ID_AT = 12;

/** Enhanced Packet Block: interface, stamp, bytes, and the options of `encodePacketOptions` with this packet's id. Runs
 * once per frame and point: everything that packets have in common is encoded before. */
export function writePacket(out: ByteBuffer, point: number, frame: CapturedFrame, options: Uint8Array): void {
  const { captured } = frame;
  const padding = -captured & 3;
  const length = PACKET_HEADER + captured + padding + options.length + 4;
  const at = out.extend(PACKET_HEADER);
  const header = out.view;
  header.setInt32(at, BLOCK.enhancedPacket, true);
  header.setInt32(at + 4, length, true);
  header.setInt32(at + 8, point, true);
  header.setInt32(at + 12, frame.timeHigh, true);
  header.setInt32(at + 16, frame.timeLow, true);
  header.setInt32(at + 20, captured, true);
  header.setInt32(at + 24, frame.length, true);
  out.appendPart(frame.bytes, frame.view, frame.offset, captured);
  if (padding > 0) out.pad();
  const optionsAt = out.length;
  out.append(options);
  out.setU32(optionsAt + PACKET_ID_AT, frame.packetId);
  out.u32(length);
}

/** All options of a packet but its id, which is left 0: direction from the guest's view, and comments. */
export function encodePacketOptions(direction: Direction, comments: readonly string[]): Uint8Array {
  const out = new ByteBuffer();
  out.u16(OPTION.flags);
  out.u16(4);
  out.u32(direction === 'inbound' ? FLAG_INBOUND : FLAG_OUTBOUND);
  out.u16(OPTION.packetId);
  out.u16(8);
  out.u64(0n);
  for (const comment of comments) writeTextOption(out, OPTION.comment, comment);
  out.u32(OPTION.end);
  return out.take();
}

/** Interface Statistics Block. */
export function writeStatistics(out: ByteBuffer, timeNs: bigint, statistics: InterfaceStatistics): void {
  const start = beginBlock(out, BLOCK.statistics);
  out.u32(statistics.interface);
  writeTime(out, timeNs);
  writeCountOption(out, OPTION.received, statistics.received);
  writeCountOption(out, OPTION.dropped, statistics.lost);
  if (statistics.accepted !== undefined) writeCountOption(out, OPTION.filterAccepted, statistics.accepted);
  if (statistics.lost > 0) {
    const text = `${statistics.lost} frames of the whole capture found no room; at which points is not known`;
    writeTextOption(out, OPTION.comment, text);
  }
  endBlock(out, start);
}

function beginBlock(out: ByteBuffer, type: number): number {
  const start = out.length;
  out.u32(type);
  out.u32(0);
  return start;
}

// Every block ends with options here, and in the name-resolution block with an empty list of them.
function endBlock(out: ByteBuffer, start: number): void {
  out.u32(OPTION.end);
  const length = out.length - start + 4;
  out.u32(length);
  out.setU32(start + 4, length);
}

function writeTime(out: ByteBuffer, timeNs: bigint): void {
  out.u32(Number(timeNs >> 32n));
  out.u32(Number(timeNs & 0xffff_ffffn));
}

function writeTextOption(out: ByteBuffer, code: number, text: string): void {
  writeOption(out, code, new TextEncoder().encode(text));
}

function writeCountOption(out: ByteBuffer, code: number, count: number): void {
  out.u16(code);
  out.u16(8);
  out.u64(BigInt(count));
}

function writeOption(out: ByteBuffer, code: number, value: Uint8Array): void {
  if (value.length > 0xffff) throw new RangeError(`option ${code} has ${value.length} bytes, 65,535 is the most`);
  out.u16(code);
  out.u16(value.length);
  out.append(value);
  out.pad();
}
