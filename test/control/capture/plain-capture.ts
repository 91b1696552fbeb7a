// A capture session the plain way: every file is a list of frames as objects, every block is put together from arrays of
// bytes as the format's specification has them. What the real one is held against.

import { sightingsOf } from '../../../src/control/capture/points.ts';
import { traceOf } from '../../../src/control/diagnose/trace.ts';
import { packetComments } from '../../../src/control/diagnose/verdict-text.ts';
import type { SideTable } from '../../../src/control/compile/compiled.ts';
import type { TapRecord } from './capture-fixture.ts';

export interface PlainOptions {
  readonly sideTable: SideTable;
  readonly startTimeNs: bigint;
  readonly format: 'pcapng' | 'pcap';
  readonly snapLength: number;
  readonly merged: boolean;
  readonly lost: number;
  /** Text of the filter and the frames it lets through. */
  readonly filter?: readonly [text: string, match: (frame: Uint8Array) => boolean];
}

interface PlainFile {
  readonly points: { name: string; description: string; received: number; accepted: number }[];
  readonly blocks: number[][];
}

/** Bytes of every file, by point name; `all` is the merged one. */
export function plainCapture(records: readonly TapRecord[], options: PlainOptions): Map<string, Uint8Array> {
  const files = new Map<string, PlainFile>();
  let lastNs = 0;
  for (const record of records.toSorted(byTime)) {
    lastNs = Math.max(lastNs, record.timeNs);
    const comments = packetComments(traceOf(record.provenance, options.sideTable));
    const seen = sightingsOf(record.phase, record.provenance, options.sideTable).flatMap(({ point, direction }) =>
      (options.merged ? [point.name, 'all'] : [point.name]).map((name) => ({ name, point, direction })),
    );
    // All points of a record come before its frames.
    for (const { name, point } of seen) {
      const file = files.get(name) ?? { points: [], blocks: [fileHeader(options)] };
      files.set(name, file);
      if (file.points.some((known) => known.name === point.name)) continue;
      file.points.push({ ...point, received: 0, accepted: 0 });
      if (options.format === 'pcapng') file.blocks.push(interfaceBlock(point.name, point.description, options));
    }
    for (const { name, point, direction } of seen) {
      const { points, blocks } = files.get(name) as PlainFile;
      const index = points.findIndex((known) => known.name === point.name);
      const counts = points[index] as PlainFile['points'][number];
      counts.received++;
      if (options.filter !== undefined && !options.filter[1](record.bytes)) continue;
      counts.accepted++;
      blocks.push(frameBlock(index, record, direction === 'inbound' ? 1 : 2, comments, options));
    }
  }
  for (const file of files.values()) if (options.format === 'pcapng') addStatistics(file, lastNs, options);
  return new Map([...files].map(([name, { blocks }]) => [name, Uint8Array.from(blocks.flat())]));
}

function byTime(a: TapRecord, b: TapRecord): number {
  return a.timeNs - b.timeNs || a.packetId - b.packetId || (a.phase === b.phase ? 0 : a.phase === 'before' ? -1 : 1);
}

function fileHeader({ format, snapLength }: PlainOptions): number[] {
  if (format === 'pcap') {
    return [...u32(0xa1b23c4d), ...u16(2), ...u16(4), ...u32(0), ...u32(0), ...u32(snapLength), ...u32(1)];
  }
  const names = [2, 3, 4].flatMap((code) => option(code, text('vnetem')));
  return block(0x0a0d0d0a, [...u32(0x1a2b3c4d), ...u16(1), ...u16(0), ...u32(-1), ...u32(-1), ...names]);
}

function interfaceBlock(name: string, description: string, { snapLength, filter }: PlainOptions): number[] {
  const options = [...option(2, text(name)), ...option(3, text(description)), ...option(9, [9])];
  if (filter !== undefined) options.push(...option(11, [0, ...text(filter[0])]));
  return block(1, [...u16(1), ...u16(0), ...u32(snapLength), ...options]);
}

function frameBlock(
  index: number,
  record: TapRecord,
  flags: number,
  comments: readonly string[],
  options: PlainOptions,
): number[] {
  const timeNs = options.startTimeNs + BigInt(record.timeNs);
  const bytes = [...record.bytes.subarray(0, options.snapLength)];
  const lengths = [...u32(bytes.length), ...u32(record.length)];
  if (options.format === 'pcap') {
    const stamp = [timeNs / 1_000_000_000n, timeNs % 1_000_000_000n].flatMap((part) => u32(Number(part)));
    return [...stamp, ...lengths, ...bytes];
  }
  const head = [...u32(index), ...stampOf(timeNs), ...lengths, ...padded(bytes)];
  const facts = [...option(2, u32(flags)), ...option(5, [...u32(record.packetId), ...u32(0)])];
  return block(6, [...head, ...facts, ...comments.flatMap((comment) => option(1, text(comment)))]);
}

function addStatistics(file: PlainFile, lastNs: number, options: PlainOptions): void {
  const { lost } = options;
  for (const [index, { received, accepted }] of file.points.entries()) {
    const parts = [...u32(index), ...stampOf(options.startTimeNs + BigInt(lastNs))];
    parts.push(...option(4, [...u32(received), ...u32(0)]), ...option(5, [...u32(lost), ...u32(0)]));
    if (options.filter !== undefined) parts.push(...option(6, [...u32(accepted), ...u32(0)]));
    const note = `${lost} frames of the whole capture found no room; at which points is not known`;
    if (lost > 0) parts.push(...option(1, text(note)));
    file.blocks.push(block(5, parts));
  }
}

function block(type: number, body: readonly number[]): number[] {
  const length = u32(body.length + 16);
  return [...u32(type), ...length, ...body, ...u32(0), ...length];
}

function option(code: number, value: readonly number[]): number[] {
  return [...u16(code), ...u16(value.length), ...padded(value)];
}

function padded(bytes: readonly number[]): number[] {
  return [...bytes, ...Array.from({ length: -bytes.length & 3 }, () => 0)];
}

function stampOf(timeNs: bigint): number[] {
  return [...u32(Number(timeNs >> 32n)), ...u32(Number(timeNs & 0xffff_ffffn))];
}

function text(words: string): number[] {
  return [...new TextEncoder().encode(words)];
}

function u16(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff];
}

function u32(value: number): number[] {
  return [...u16(value), ...u16(value >>> 16)];
}
