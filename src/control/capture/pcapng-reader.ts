// The blocks of a pcapng file (draft-ietf-opsawg-pcapng): sections in either byte order, any number of interfaces with
// their own clock resolution, packets of all three kinds. Other blocks are passed over.

import {
  BLOCK,
  BLOCK_OVERHEAD,
  BYTE_ORDER_MAGIC,
  FILTER_LIBPCAP,
  FLAG_INBOUND,
  FLAG_OUTBOUND,
} from './pcapng-format.ts';
import { LINK_TYPE_ETHERNET, OPTION } from './pcapng-format.ts';
import { bytesOf, checkFrameLength, HINT_DAMAGED, HINT_TRUNCATED } from './reading.ts';
import type { Direction } from './pcapng-format.ts';
import type { Reading } from './reading.ts';

/** Reads blocks until the end of the file or the first damage. */
export function readPcapng(view: DataView, reading: Reading): void {
  const section: Section = { view, reading, littleEndian: true, firstInterface: 0, clocks: [] };
  let at = 0;
  while (at < view.byteLength) {
    const next = readBlock(section, at);
    if (next === undefined) return;
    at = next;
  }
}

/** The section being read; interfaces are numbered anew in each. */
interface Section {
  readonly view: DataView;
  readonly reading: Reading;
  littleEndian: boolean;
  firstInterface: number;
  clocks: Clock[];
}

interface Clock {
  readonly linkType: number;
  readonly snapLength: number;
  readonly unitsPerSecond: bigint;
  readonly offsetSeconds: bigint;
}

interface Option {
  readonly code: number;
  readonly offset: number;
  readonly length: number;
}

/** Offset of the next block, or undefined when this one is damaged. */
function readBlock(section: Section, at: number): number | undefined {
  const { reading, view } = section;
  const left = view.byteLength - at;
  if (left < BLOCK_OVERHEAD) {
    reading.report('CAPTURE_TRUNCATED', at, `a block has ${left} bytes, 12 is the least`, HINT_TRUNCATED);
    return undefined;
  }
  // The type of a section header reads the same in both byte orders.
  if (view.getUint32(at) === BLOCK.sectionHeader && !beginSection(section, at)) return undefined;
  const { littleEndian } = section;
  const length = view.getUint32(at + 4, littleEndian);
  if (length < BLOCK_OVERHEAD || length % 4 !== 0) {
    reading.report('CAPTURE_FORMAT', at, `a block has length ${length}: not a multiple of 4 from 12 on`, HINT_DAMAGED);
    return undefined;
  }
  if (length > left) {
    reading.report('CAPTURE_TRUNCATED', at, `a block of ${length} bytes has only ${left} bytes`, HINT_TRUNCATED);
    return undefined;
  }
  const trailer = view.getUint32(at + length - 4, littleEndian);
  if (trailer !== length) {
    const message = `a block says ${length} bytes at its start and ${trailer} at its end`;
    reading.report('CAPTURE_FORMAT', at, message, HINT_DAMAGED);
    return undefined;
  }
  return readBody(section, at, length) ? at + length : undefined;
}

function beginSection(section: Section, at: number): boolean {
  const { reading, view } = section;
  for (const littleEndian of [true, false]) {
    if (view.getUint32(at + 8, littleEndian) !== BYTE_ORDER_MAGIC) continue;
    section.littleEndian = littleEndian;
    section.firstInterface = reading.interfaces.length;
    section.clocks = [];
    return true;
  }
  reading.report('CAPTURE_FORMAT', at, 'a section header without the byte-order magic 1a2b3c4d', HINT_DAMAGED);
  return false;
}

function readBody(section: Section, at: number, length: number): boolean {
  const { littleEndian, view } = section;
  const end = at + length - 4;
  switch (view.getUint32(at, littleEndian)) {
    case BLOCK.interface:
      return checkLeast(section, at, length, 20) && readInterface(section, at, end);
    case BLOCK.enhancedPacket:
      return checkLeast(section, at, length, 32) && readPacket(section, at, end, view.getUint32(at + 8, littleEndian));
    case BLOCK.packet:
      return checkLeast(section, at, length, 32) && readPacket(section, at, end, view.getUint16(at + 8, littleEndian));
    case BLOCK.simplePacket:
      return checkLeast(section, at, length, 16) && readSimplePacket(section, at, end);
    default:
      return true;
  }
}

function checkLeast(section: Section, at: number, length: number, least: number): boolean {
  if (length >= least) return true;
  section.reading.report(
    'CAPTURE_FORMAT',
    at,
    `a block of ${length} bytes; its kind has at least ${least}`,
    HINT_DAMAGED,
  );
  return false;
}

function readInterface(section: Section, at: number, end: number): boolean {
  const { littleEndian, reading, view } = section;
  const linkType = view.getUint16(at + 8, littleEndian);
  const snapLength = view.getUint32(at + 12, littleEndian);
  let unitsPerSecond = 1_000_000n;
  let offsetSeconds = 0n;
  const texts: { name?: string; description?: string; filter?: string } = {};
  for (const option of optionsOf(section, at + 16, end)) {
    if (option.code === OPTION.name) texts.name = textOf(view, option);
    if (option.code === OPTION.description) texts.description = textOf(view, option);
    if (option.code === OPTION.filter && option.length > 0 && view.getUint8(option.offset) === FILTER_LIBPCAP) {
      texts.filter = textOf(view, { ...option, offset: option.offset + 1, length: option.length - 1 });
    }
    if (option.code === OPTION.timeResolution && option.length >= 1) {
      unitsPerSecond = unitsOf(view.getUint8(option.offset));
    }
    if (option.code === OPTION.timeOffset && option.length >= 8) {
      offsetSeconds = view.getBigInt64(option.offset, littleEndian);
    }
  }
  reading.interfaces.push({ linkType, snapLength, ...texts });
  section.clocks.push({ linkType, snapLength, unitsPerSecond, offsetSeconds });
  return true;
}

/** if_tsresol: a power of 10, or with the top bit a power of 2. */
function unitsOf(resolution: number): bigint {
  const exponent = BigInt(resolution & 0x7f);
  return (resolution & 0x80) === 0 ? 10n ** exponent : 2n ** exponent;
}

function readPacket(section: Section, at: number, end: number, index: number): boolean {
  const { littleEndian, reading, view } = section;
  const clock = clockOf(section, at, index);
  if (clock === undefined) return false;
  const units = (BigInt(view.getUint32(at + 12, littleEndian)) << 32n) | BigInt(view.getUint32(at + 16, littleEndian));
  const length = view.getUint32(at + 20, littleEndian);
  const originalLength = view.getUint32(at + 24, littleEndian);
  const start = at + 28;
  if (!checkFrameLength(reading, at, length, end - start, 'CAPTURE_FORMAT')) return false;
  if (clock.linkType !== LINK_TYPE_ETHERNET) {
    reading.leaveOut(at, clock.linkType);
    return true;
  }
  const bytes = bytesOf(view, start, length);
  const timeNs = timeOf(clock, units);
  const extras = packetExtras(section, start + length + (-length & 3), end);
  reading.frames.push({ timeNs, bytes, originalLength, interface: section.firstInterface + index, ...extras });
  return true;
}

function readSimplePacket(section: Section, at: number, end: number): boolean {
  const { littleEndian, reading, view } = section;
  const clock = clockOf(section, at, 0);
  if (clock === undefined) return false;
  const originalLength = view.getUint32(at + 8, littleEndian);
  const limit = clock.snapLength === 0 ? originalLength : Math.min(originalLength, clock.snapLength);
  const start = at + 12;
  if (!checkFrameLength(reading, at, limit, end - start, 'CAPTURE_FORMAT')) return false;
  if (clock.linkType !== LINK_TYPE_ETHERNET) {
    reading.leaveOut(at, clock.linkType);
    return true;
  }
  const bytes = bytesOf(view, start, limit);
  reading.frames.push({ timeNs: 0n, bytes, originalLength, interface: section.firstInterface, comments: [] });
  return true;
}

function clockOf(section: Section, at: number, index: number): Clock | undefined {
  const clock = section.clocks[index];
  if (clock !== undefined) return clock;
  const message = `a packet of interface ${index}, which no block before it describes`;
  section.reading.report('CAPTURE_FORMAT', at, message, HINT_DAMAGED);
  return undefined;
}

function timeOf(clock: Clock, units: bigint): bigint {
  return clock.offsetSeconds * 1_000_000_000n + (units * 1_000_000_000n) / clock.unitsPerSecond;
}

function packetExtras(
  section: Section,
  at: number,
  end: number,
): { comments: string[]; packetId?: bigint; direction?: Direction } {
  const { littleEndian, view } = section;
  const extras: { comments: string[]; packetId?: bigint; direction?: Direction } = { comments: [] };
  for (const option of optionsOf(section, at, end)) {
    if (option.code === OPTION.comment) extras.comments.push(textOf(view, option));
    if (option.code === OPTION.packetId && option.length >= 8) {
      extras.packetId = view.getBigUint64(option.offset, littleEndian);
    }
    if (option.code === OPTION.flags && option.length >= 4) {
      const flags = view.getUint32(option.offset, littleEndian) & 3;
      if (flags === FLAG_INBOUND) extras.direction = 'inbound';
      if (flags === FLAG_OUTBOUND) extras.direction = 'outbound';
    }
  }
  return extras;
}

/** Options from `at` on; one that goes past the end of its block ends the list, its block stays good. */
function optionsOf(section: Section, at: number, end: number): Option[] {
  const { littleEndian, view } = section;
  const options: Option[] = [];
  while (at + 4 <= end) {
    const code = view.getUint16(at, littleEndian);
    const length = view.getUint16(at + 2, littleEndian);
    if (code === OPTION.end || at + 4 + length > end) break;
    options.push({ code, offset: at + 4, length });
    at += 4 + length + (-length & 3);
  }
  return options;
}

function textOf(view: DataView, option: Option): string {
  const bytes = bytesOf(view, option.offset, option.length);
  return new TextDecoder().decode(bytes);
}
