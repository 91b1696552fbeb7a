// A snapshot: a lane's memory with its connections open, as a file that the C twin (bench/native) reads. Both sides
// then run over the same bytes in the same layout. The header names every offset and bit that the twin was compiled
// with (LAYOUT in bench/native/layout.h, same order): a twin that fell behind refuses to run.
//
//   header (a page)   struct snapshot_header in bench/native/snapshot.h
//   image             the worker's whole memory
//   hot               facts of every attachment, as loadHot writes them
//   templates         4 words each: first 64-bit word of the frame, bytes, attachment, facts
//   frames            with their 2 leading pad bytes, each padded to 64-bit words

import { closeSync, openSync, writeSync } from 'node:fs';
import { HIT_GROUP, MAX_BATCH, MTU_LEAST } from '../abi/limits.ts';
import type { Program } from '../abi/program.ts';
import {
  CONTROL,
  COUNT,
  INGRESS_WORDS,
  IN_ATTACHMENT,
  IN_FACTS,
  IN_FACT_DUPLICATE,
  IN_LENGTH,
  IN_NOW_MS,
  IN_PACKET,
  IN_SLOT,
  OUT_ATTACHMENT,
  OUT_INGRESS,
  OUT_LENGTH,
  OUT_PACKET,
  OUT_PATH,
  OUT_SLOT,
  OUT_VERDICT,
  TRAFFIC_RECEIVED_BYTES,
  TRAFFIC_RECEIVED_PACKETS,
  TRAFFIC_SENT_BYTES,
  TRAFFIC_SENT_PACKETS,
  frameOffset,
  indexEntries,
  regionTable,
} from '../abi/regions.ts';
import * as flow from '../dataplane/flow-table.ts';
import {
  HOT_FABRIC_HIGH,
  HOT_FABRIC_LOW,
  HOT_FRAME_MAX,
  HOT_GENERATION,
  HOT_IDLE_MS,
  HOT_MAC_HIGH,
  HOT_MAC_LOW,
  HOT_WORDS,
  buildTables,
  loadHot,
} from '../dataplane/tables.ts';
import type { Lane } from './lane.ts';

const MAGIC = 0x766e7477;
const VERSION = 1;
const HEADER_BYTES = 4096;
const LINE = 64;
/** Bytes of one write: below what one call may take on any system. */
const WRITE_BYTES = 1 << 26;

/** Writes `lane` and its templates to a file. Both sides put `nowMs` into their descriptors while they prove that they
 * do the same work. The lane must be empty; its next template stays the first one. */
export function writeSnapshot(path: string, lane: Lane, program: Program, nowMs: number): void {
  const { buffer, sizes } = lane.regions;
  const { rows, frames } = readTemplates(lane);
  const hot = new Int32Array(sizes.attachments * HOT_WORDS);
  loadHot(hot, buildTables(program));
  const header = new Int32Array(HEADER_BYTES / 4);
  header.set([...headerWords(lane, frames.length, nowMs), ...layoutWords()]);
  const file = openSync(path, 'w');
  try {
    for (const part of [header, new Uint8Array(buffer), hot, rows, frames]) writeAll(file, part);
  } finally {
    closeSync(file);
  }
}

/** The templates as the generator writes them: it runs once through all of them, and nothing is forwarded. */
function readTemplates(lane: Lane): { rows: Int32Array; frames: Uint8Array } {
  const { control, ingress, frameBytes, sizes } = lane.regions;
  const rows = new Int32Array(lane.templateCount * 4);
  let frames = new Uint8Array(lane.templateCount * LINE);
  let end = 0;
  for (let done = 0; done < lane.templateCount; done += MAX_BATCH) {
    const count = Math.min(MAX_BATCH, lane.templateCount - done);
    const head = control[CONTROL.ingressHead];
    lane.generate(count, 0);
    for (let i = 0; i < count; i++) {
      const d = ((head + i) & (sizes.ring - 1)) * INGRESS_WORDS;
      const length = ingress[d + IN_LENGTH];
      const at = frameOffset(sizes, ingress[d + IN_SLOT]) - 2;
      const padded = Math.ceil((length + 2) / 8) * 8;
      if (end + padded > frames.length) frames = grown(frames, end + padded);
      frames.set(frameBytes.subarray(at, at + 2 + length), end);
      rows.set([end / 8, length, ingress[d + IN_ATTACHMENT], ingress[d + IN_FACTS]], (done + i) * 4);
      end += padded;
    }
    control[CONTROL.ingressTail] = control[CONTROL.ingressHead];
  }
  return { rows, frames: frames.subarray(0, end) };
}

function grown(bytes: Uint8Array<ArrayBuffer>, atLeast: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(atLeast, 2 * bytes.length));
  larger.set(bytes);
  return larger;
}

function headerWords(lane: Lane, frameBytes: number, nowMs: number): number[] {
  const { buffer, control, sizes } = lane.regions;
  const table = new Map(regionTable(sizes).map((row) => [row.name, row.offset]));
  const lineOf = (name: string): number => {
    const offset = table.get(name);
    if (offset === undefined) throw new Error(`the memory map has no region '${name}'`);
    return offset / LINE;
  };
  return [
    [MAGIC, VERSION, layoutWords().length, buffer.byteLength / LINE],
    ['ingress', 'egress', 'frames', 'index', 'records', 'counters', 'traffic'].map(lineOf),
    [control[CONTROL.ingressHead], control[CONTROL.egressHead]],
    [sizes.ring, sizes.slots, sizes.slotBytes / 4, (frameOffset(sizes, 0) - 2) / 4],
    [sizes.records, indexEntries(sizes), sizes.attachments],
    [lane.templateCount, frameBytes, nowMs],
  ].flat();
}

/** In the order of LAYOUT in bench/native/layout.h. */
function layoutWords(): number[] {
  return [
    [HIT_GROUP, MAX_BATCH, MTU_LEAST],
    [IN_SLOT, IN_LENGTH, IN_PACKET, IN_ATTACHMENT, IN_NOW_MS, IN_FACTS],
    [OUT_SLOT, OUT_LENGTH, OUT_PACKET, OUT_INGRESS, OUT_ATTACHMENT, OUT_VERDICT, OUT_PATH],
    [flow.R_SRC, flow.R_DST, flow.R_PORTS, flow.R_KEY, flow.R_EGRESS],
    [flow.R_NEW_SRC, flow.R_NEW_DST, flow.R_NEW_PORTS, flow.R_DELTAS, flow.R_PATH],
    [flow.R_GENERATION, flow.R_LAST_SEEN, flow.R_PACKETS, flow.R_BYTES],
    [HOT_MAC_HIGH, HOT_MAC_LOW, HOT_FABRIC_HIGH, HOT_FABRIC_LOW, HOT_GENERATION, HOT_IDLE_MS, HOT_FRAME_MAX],
    // Traffic counters are 64 bits wide; the layout counts words of 32.
    [TRAFFIC_SENT_PACKETS, TRAFFIC_SENT_BYTES, TRAFFIC_RECEIVED_PACKETS, TRAFFIC_RECEIVED_BYTES].map((i) => 2 * i),
    PROVEN_TOTALS,
    [flow.EGRESS_MASK, flow.PATH_VALID, flow.PATH_TRANSLATES, flow.PATH_EXIT, flow.PATH_TAP, IN_FACT_DUPLICATE],
  ].flat();
}

/** Totals that both sides keep. */
export const PROVEN_TOTALS: readonly number[] = [
  COUNT.received,
  COUNT.duplicated,
  COUNT.delivered,
  COUNT.exited,
  COUNT.flowHits,
  COUNT.slowPasses,
];

function writeAll(file: number, part: Uint8Array | Int32Array): void {
  const bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at, Math.min(WRITE_BYTES, bytes.length - at));
}
