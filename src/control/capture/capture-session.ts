// A capture of a running network: tap records in, one file per capture point out, and on request one file with all of
// them. Each packet carries its verdict and decisions as comments. The same records give the same bytes.
//
// Writing is synchronous, so that a simulation waits for the disk instead of outrunning it. Records that never got here
// are reported through `noteLost` and end up in the statistics of every file.

import { join } from 'node:path';
import { NONE, PROVENANCE_WORDS, PROV_EGRESS, PROV_EPOCH } from '../../abi/provenance.ts';
import {
  TAP_COPIED,
  TAP_LENGTH,
  TAP_PACKET,
  TAP_PATH,
  TAP_PHASE,
  TAP_TIME_HIGH,
  TAP_TIME_LOW,
} from '../../dataplane/tap.ts';
import { CAPTURE_BUFFER_BYTES_MAX, CAPTURE_FRAME_BYTES_MAX } from '../../abi/limits.ts';
import { traceOf } from '../diagnose/trace.ts';
import { packetComments } from '../diagnose/verdict-text.ts';
import { InputError } from '../issues.ts';
import { fileSink, memorySink } from './byte-sink.ts';
import { parseCaptureFilter } from './filter.ts';
import { PcapFile } from './pcap-writer.ts';
import { createPointSelector } from './point-selection.ts';
import { sightingsOf } from './points.ts';
import { encodePacketOptions, PcapngFile } from './pcapng-writer.ts';
import type { ByteSink } from './byte-sink.ts';
import type { CapturedFrame, CaptureFile } from './capture-file.ts';
import type { CaptureFilter } from './filter.ts';
import type { CapturePoint } from './points.ts';
import type { Direction } from './pcapng-format.ts';
import type { NameEntry } from './pcapng-writer.ts';
import type { SideTable } from '../compile/compiled.ts';
import type { TapPhase } from '../engine/engine.ts';
import type { TapBatch } from '../engine/tap-batch.ts';

export interface CaptureOptions {
  /** Where the files go; made when missing. */
  readonly directory: string;
  /** Points to write, by name, owner or `*` pattern; default: every point that sees traffic. */
  readonly points?: readonly string[];
  /** Also writes `all.pcapng` with one interface per point. Wireshark may call a frame that was seen at two points of
   * one file a retransmission. */
  readonly merged?: boolean;
  /** Default `pcapng`. */
  readonly format?: 'pcapng' | 'pcap';
  /** Bytes kept of each frame; default: whole frames. */
  readonly snapLength?: number;
  /** Capture filter (filter.ts), asked at every point anew: translated frames have other addresses. */
  readonly filter?: string;
  /** Virtual time 0 in nanoseconds since 1970; default VIRTUAL_EPOCH_NS. */
  readonly startTimeNs?: bigint;
  /** Addresses and their names for the name-resolution block; the full domain name last. */
  readonly names?: readonly NameEntry[];
  /** Side table of an epoch; or give them one by one with `addSideTable`. */
  readonly sideTableOf?: (epoch: number) => SideTable | undefined;
  /** Keeps the files in memory and returns their bytes; nothing is written to `directory`. */
  readonly memory?: boolean;
}

export interface CaptureSummary {
  /** By file name. */
  readonly files: readonly CaptureFileSummary[];
  /** Tap records that never reached the capture. */
  readonly lost: number;
}

export interface CaptureFileSummary {
  readonly fileName: string;
  /** `directory` and file name joined. */
  readonly path: string;
  /** The point, or undefined for the merged file. */
  readonly point?: string;
  readonly frames: number;
  readonly bytes: number;
  /** Only with `memory`. */
  readonly contents?: Uint8Array;
}

/** 2026-01-01T00:00:00Z, where virtual time starts, in nanoseconds since 1970. */
export const VIRTUAL_EPOCH_NS = 1_767_225_600_000_000_000n;

/** One capture; `write` records in order, then `close`. Throws InputError for a bad filter or an unwritable file. */
export class CaptureSession {
  readonly #options: CaptureOptions;
  readonly #filter: CaptureFilter | undefined;
  readonly #isWanted: (point: CapturePoint) => boolean;
  readonly #startTimeNs: bigint;
  /** The same, its halves: stamps of packets are added up without BigInt. */
  readonly #startHigh: number;
  readonly #startLow: number;
  /** Filled for each record. */
  readonly #frame: CapturedFrame = { ...NO_FRAME };
  readonly #snapLength: number;
  readonly #sideTables = new Map<number, SideTable>();
  readonly #channels = new Map<string, Channel>();
  readonly #files: OpenFile[] = [];
  /** What the records of each provenance row have in common, by index into the rows of the batches. */
  #plans: Plan[] = [];
  #rows: readonly Int32Array[] = [];
  /** Options of packets, by direction and comments: many rows share them. */
  readonly #packetOptions = new Map<string, Uint8Array>();
  #merged: OpenFile | undefined;
  #lastTimeNs = 0;
  #lost = 0;
  #isClosed = false;

  constructor(options: CaptureOptions) {
    this.#options = options;
    this.#startTimeNs = options.startTimeNs ?? VIRTUAL_EPOCH_NS;
    this.#startHigh = Number(BigInt.asIntN(32, this.#startTimeNs >> 32n));
    this.#startLow = Number(BigInt.asUintN(32, this.#startTimeNs));
    this.#snapLength = options.snapLength ?? CAPTURE_FRAME_BYTES_MAX;
    this.#isWanted = createPointSelector(options.points);
    if (options.filter === undefined) return;
    const parsed = parseCaptureFilter(options.filter);
    if (parsed.filter === undefined) throw new InputError(parsed.issues);
    this.#filter = parsed.filter;
  }

  /** Makes an epoch's names known; tables of epochs before `oldestEpochInUse` are forgotten. */
  addSideTable(sideTable: SideTable, oldestEpochInUse = 0): void {
    this.#sideTables.set(sideTable.epoch, sideTable);
    for (const epoch of this.#sideTables.keys()) if (epoch < oldestEpochInUse) this.#sideTables.delete(epoch);
  }

  /** Writes tap records, in the order of `TapBatch.order`. */
  write(batch: TapBatch): void {
    if (this.#isClosed) throw new Error('a closed capture gets no more records');
    const { words } = batch;
    const plans = this.#plansOf(batch.rows);
    const starts = batch.order();
    this.#frame.bytes = batch.bytes;
    this.#frame.view = batch.view;
    for (let i = 0; i < starts.length; i++) {
      const at = starts[i] as number;
      this.#writeRecord(batch, at, plans[words[at + TAP_PATH] as number] as Plan);
    }
    if (this.#buffered() > CAPTURE_BUFFER_BYTES_MAX) for (const { file } of this.#files) file.flush();
  }

  /** Writes a frame of the fabric's own as its receiver gets it; `text` says what it is for (LB-5). */
  writeOriginated(egress: number, packetId: number, timeNs: number, bytes: Uint8Array, text: string): void {
    const sideTable = [...this.#sideTables.values()].at(-1);
    if (sideTable === undefined || (this.#filter !== undefined && !this.#filter.match(bytes))) return;
    const provenance = new Int32Array(PROVENANCE_WORDS).fill(NONE);
    provenance[PROV_EGRESS] = egress;
    this.#lastTimeNs = Math.max(this.#lastTimeNs, timeNs);
    const stamp = this.#startTimeNs + BigInt(timeNs);
    const frame: CapturedFrame = {
      timeHigh: Number(BigInt.asIntN(32, stamp >> 32n)),
      timeLow: Number(BigInt.asIntN(32, stamp)),
      packetId,
      length: bytes.length,
      bytes,
      view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      offset: 0,
      captured: Math.min(bytes.length, this.#snapLength),
    };
    for (const { point, direction } of sightingsOf('after', provenance, sideTable)) {
      if (!this.#isWanted(point)) continue;
      const channel = this.#channelOf(point);
      const options = this.#optionsOf(direction, [text]);
      channel.received++;
      channel.accepted++;
      for (const line of channel.lines) {
        line.open.frames++;
        line.open.file.writeFrame(line.interface, frame, options);
      }
    }
  }

  /** Counts tap records that found no room (Counters.tapsLost). */
  noteLost(count: number): void {
    this.#lost += count;
  }

  /** Writes the statistics and the rest of every file. */
  async close(): Promise<CaptureSummary> {
    if (this.#isClosed) throw new Error('the capture is already closed');
    this.#isClosed = true;
    const timeNs = this.#startTimeNs + BigInt(this.#lastTimeNs);
    const filtered = this.#filter !== undefined;
    for (const open of this.#files) {
      const statistics = open.lines.map((line) => ({
        interface: line.interface,
        received: line.channel.received,
        lost: this.#lost,
        ...(filtered ? { accepted: line.channel.accepted } : {}),
      }));
      open.file.finish(timeNs, statistics);
      open.sink.close();
    }
    const files = this.#files.map(summaryOf).sort((a, b) => (a.fileName < b.fileName ? -1 : 1));
    return { files, lost: this.#lost };
  }

  #writeRecord(batch: TapBatch, at: number, plan: Plan): void {
    this.#lastTimeNs = Math.max(this.#lastTimeNs, batch.timeNs(at));
    const stops =
      batch.words[at + TAP_PHASE] === 0
        ? (plan.before ??= this.#stopsOf('before', plan))
        : (plan.after ??= this.#stopsOf('after', plan));
    if (stops.length === 0) return;
    const frame = this.#fillFrame(batch, at);
    const isAccepted = this.#filter === undefined || this.#filter.match(frameOf(batch, at));
    for (const { channel, options } of stops) {
      channel.received++;
      if (!isAccepted) continue;
      channel.accepted++;
      for (const line of channel.lines) {
        line.open.frames++;
        line.open.file.writeFrame(line.interface, frame, options);
      }
    }
  }

  #fillFrame(batch: TapBatch, at: number): CapturedFrame {
    const { words } = batch;
    const frame = this.#frame;
    const low = this.#startLow + ((words[at + TAP_TIME_LOW] as number) >>> 0);
    const carry = low >= TWO_32 ? 1 : 0;
    frame.timeHigh = (this.#startHigh + (words[at + TAP_TIME_HIGH] as number) + carry) | 0;
    frame.timeLow = (low - carry * TWO_32) | 0;
    frame.packetId = words[at + TAP_PACKET] as number;
    frame.length = words[at + TAP_LENGTH] as number;
    frame.offset = batch.frameOffset(at);
    frame.captured = Math.min(words[at + TAP_COPIED] as number, this.#snapLength);
    return frame;
  }

  #plansOf(rows: readonly Int32Array[]): readonly Plan[] {
    if (this.#rows !== rows) this.#plans = [];
    this.#rows = rows;
    for (let i = this.#plans.length; i < rows.length; i++) this.#plans.push(this.#planOf(rows[i] as Int32Array));
    return this.#plans;
  }

  #planOf(provenance: Int32Array): Plan {
    const epoch = provenance[PROV_EPOCH] ?? -1;
    const sideTable = this.#sideTables.get(epoch) ?? this.#options.sideTableOf?.(epoch);
    if (sideTable === undefined) throw new Error(`a tap record is of epoch ${epoch}, whose side table is gone`);
    const comments = packetComments(traceOf(provenance, sideTable));
    return { before: undefined, after: undefined, provenance, comments, sideTable };
  }

  #stopsOf(phase: TapPhase, { provenance, comments, sideTable }: Plan): Stop[] {
    return sightingsOf(phase, provenance, sideTable)
      .filter(({ point }) => this.#isWanted(point))
      .map(({ point, direction }) => ({
        channel: this.#channelOf(point),
        options: this.#optionsOf(direction, comments),
      }));
  }

  #optionsOf(direction: Direction, comments: readonly string[]): Uint8Array {
    const key = [direction, ...comments].join('\n');
    const known = this.#packetOptions.get(key) ?? encodePacketOptions(direction, comments);
    this.#packetOptions.set(key, known);
    return known;
  }

  #channelOf(point: CapturePoint): Channel {
    const known = this.#channels.get(point.key);
    if (known !== undefined) return known;
    const channel: Channel = { received: 0, accepted: 0, lines: [] };
    this.#channels.set(point.key, channel);
    const files = [this.#open(point.name, point.name)];
    if (this.#options.merged === true) files.push((this.#merged ??= this.#open(MERGED, undefined)));
    for (const open of files) {
      const line = { channel, open, interface: open.file.addInterface(point.name, point.description) };
      open.lines.push(line);
      channel.lines.push(line);
    }
    return channel;
  }

  #open(name: string, point: string | undefined): OpenFile {
    const { directory, format, memory, names } = this.#options;
    const extension = format ?? 'pcapng';
    const fileName = this.#freeFileName(name, extension);
    const path = join(directory, fileName);
    const sink = memory === true ? memorySink() : fileSink(path);
    const filter = this.#filter?.text;
    const file =
      extension === 'pcap'
        ? new PcapFile(sink, this.#snapLength)
        : new PcapngFile(sink, {
            snapLength: this.#snapLength,
            ...(names === undefined ? {} : { names }),
            ...(filter === undefined ? {} : { filter }),
          });
    const open: OpenFile = { file, sink, fileName, path, point, lines: [], frames: 0 };
    this.#files.push(open);
    return open;
  }

  // Two NICs of different resource groups may have one name; some file systems know no case.
  #freeFileName(name: string, extension: string): string {
    const stem = name.replaceAll(/[^A-Za-z0-9._-]/g, '_').replace(/^\./, '_');
    const taken = new Set(this.#files.map((open) => open.fileName.toLowerCase()));
    if (this.#options.merged === true && name !== MERGED) taken.add(`${MERGED}.${extension}`);
    for (let copy = 1; ; copy++) {
      const fileName = copy === 1 ? `${stem}.${extension}` : `${stem}-${copy}.${extension}`;
      if (!taken.has(fileName.toLowerCase())) return fileName;
    }
  }

  #buffered(): number {
    return this.#files.reduce((sum, open) => sum + open.file.buffered, 0);
  }
}

const MERGED = 'all';
const TWO_32 = 0x1_0000_0000;
const NO_BYTES = new Uint8Array(0);
const NO_FRAME: CapturedFrame = {
  timeHigh: 0,
  timeLow: 0,
  packetId: 0,
  length: 0,
  bytes: NO_BYTES,
  view: new DataView(NO_BYTES.buffer),
  offset: 0,
  captured: 0,
};

/** A capture point that saw traffic. */
interface Channel {
  received: number;
  accepted: number;
  /** Its interfaces: in its own file, and in the merged one. */
  readonly lines: Line[];
}

interface Line {
  readonly channel: Channel;
  readonly open: OpenFile;
  readonly interface: number;
}

interface OpenFile {
  readonly file: CaptureFile;
  readonly sink: ByteSink;
  readonly fileName: string;
  readonly path: string;
  readonly point: string | undefined;
  readonly lines: Line[];
  frames: number;
}

interface Stop {
  readonly channel: Channel;
  /** What every packet with this provenance carries at this point. */
  readonly options: Uint8Array;
}

interface Plan {
  /** Filled when the first such record comes: only then do the points see traffic. */
  before: readonly Stop[] | undefined;
  after: readonly Stop[] | undefined;
  readonly provenance: Int32Array;
  readonly comments: readonly string[];
  readonly sideTable: SideTable;
}

/** The copied bytes of a record's frame. */
function frameOf(batch: TapBatch, at: number): Uint8Array {
  const offset = batch.frameOffset(at);
  return batch.bytes.subarray(offset, offset + (batch.words[at + TAP_COPIED] as number));
}

function summaryOf(open: OpenFile): CaptureFileSummary {
  const contents = open.sink.contents();
  return {
    fileName: open.fileName,
    path: open.path,
    ...(open.point === undefined ? {} : { point: open.point }),
    frames: open.frames,
    bytes: open.file.written,
    ...(contents === undefined ? {} : { contents }),
  };
}
