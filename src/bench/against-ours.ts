// Our side of a comparison, in a process of its own: opens the flows, writes a snapshot when asked, proves what work it
// does, measures, and prints one JSON line. Arguments: one JSON object (OursOptions).

import { pathToFileURL } from 'node:url';
import {
  CONTROL,
  EGRESS_WORDS,
  OUT_ATTACHMENT,
  OUT_INGRESS,
  OUT_LENGTH,
  OUT_PACKET,
  OUT_PATH,
  OUT_SLOT,
  OUT_VERDICT,
  frameOffset,
} from '../abi/regions.ts';
import { PROVEN_TOTALS, writeSnapshot } from './against-snapshot.ts';
import { benchRow, OutcomeHash, round, WINDOW, type BenchRow } from './figures.ts';
import { BATCH, type Lane } from './lane.ts';
import { measureLane } from './measure.ts';
import { createFlowLane } from './traffic.ts';

export interface OursOptions {
  readonly flows: number;
  readonly rules: number;
  readonly seed: number;
  /** Packets to measure end to end. */
  readonly packets: number;
  /** Where the snapshot goes; absent: none. */
  readonly snapshot?: string;
}

export interface Ours {
  /** The turns alone. */
  readonly processing: BenchRow;
  /** With generator and sink; `extra.repetitions` is the median Mpps of SLICES parts of the run. */
  readonly endToEnd: BenchRow;
}

/** Parts of a run whose throughput is compared: the yardstick repeats its own run as often. */
export const SLICES = 7;
const NOW_MS = 1;
/** Words of an egress descriptor that the hash covers. */
const HASHED = [OUT_LENGTH, OUT_ATTACHMENT, OUT_PACKET, OUT_VERDICT, OUT_PATH, OUT_INGRESS];

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const options = JSON.parse(process.argv[2] ?? '') as OursOptions;
  process.stdout.write(`${JSON.stringify(measureOurs(options))}\n`);
}

/** Runs our side. The outcome of the rows is the hash over what 2,048 packets change; the twin must have the same. */
export function measureOurs(options: OursOptions): Ours {
  const { lane, traffic } = createFlowLane(options);
  if (options.snapshot !== undefined) writeSnapshot(options.snapshot, lane, traffic.compiled.program, NOW_MS);
  const outcome = proveWork(lane);
  const { endToEnd, processing, wall } = measureLane(lane, { packets: options.packets });
  const { flows, rules, seed } = options;
  const params = { flows, workers: 1, frame: 64, rules, seed };
  return {
    processing: benchRow('against/c', params, processing, outcome),
    endToEnd: benchRow('against/dpdk', params, endToEnd, outcome, {
      wall,
      extra: { repetitions: medianRate(endToEnd) },
    }),
  };
}

/** Forwards a window of packets and hashes all that they change: descriptors and frames, then records, counters of the
 * attachments and totals. bench/native/twin.c does the same in `prove`. */
function proveWork(lane: Lane): string {
  const { control, egress, frameWords, records, traffic, counters, sizes } = lane.regions;
  const hash = new OutcomeHash();
  for (let sent = 0; sent < WINDOW; sent += BATCH) {
    lane.generate(BATCH, NOW_MS);
    lane.turn();
    const head = control[CONTROL.egressHead];
    for (let tail = control[CONTROL.egressTail]; tail !== head; tail = (tail + 1) | 0) {
      const at = (tail & (sizes.ring - 1)) * EGRESS_WORDS;
      for (const word of HASHED) hash.add(egress[at + word]);
      const first = (frameOffset(sizes, egress[at + OUT_SLOT]) - 2) >> 2;
      const words = (egress[at + OUT_LENGTH] + 2) >> 2;
      for (let w = 0; w < words; w++) hash.add(frameWords[first + w]);
    }
    lane.sink();
  }
  for (let w = 0; w < records.length; w++) hash.add(records[w]);
  const trafficWords = new Int32Array(traffic.buffer, traffic.byteOffset, traffic.length * 2);
  for (let w = 0; w < trafficWords.length; w++) hash.add(trafficWords[w]);
  const totalWords = new Int32Array(counters.buffer, counters.byteOffset, counters.length * 2);
  for (const total of PROVEN_TOTALS) {
    hash.add(totalWords[2 * total]);
    hash.add(totalWords[2 * total + 1]);
  }
  return hash.hex;
}

/** Packets per microsecond of the middle one of SLICES parts. */
function medianRate(windows: readonly number[]): number {
  const length = Math.max(1, Math.floor(windows.length / SLICES));
  const rates: number[] = [];
  for (let first = 0; first + length <= windows.length && rates.length < SLICES; first += length) {
    const slice = windows.slice(first, first + length);
    rates.push((length * 1e3) / slice.reduce((sum, ns) => sum + ns, 0));
  }
  return round(rates.sort((a, b) => a - b)[rates.length >> 1]);
}
