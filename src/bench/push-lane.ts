// The worker of the push benchmark: a lane under full load that obeys control between two batches, as every worker
// does, and judges each packet: none lost or doubled, each decided by the program that was current in its batch.

import { parentPort, workerData } from 'node:worker_threads';
import { decodeProgram } from '../abi/program.ts';
import { PROVENANCE_WORDS, PROV_EPOCH } from '../abi/provenance.ts';
import { CONTROL, EGRESS_WORDS, OUTCOME, OUT_PACKET, OUT_PATH, OUT_VERDICT, type Regions } from '../abi/regions.ts';
import { WORKER_STOPPED, isCommanded, obeyCommand, type Commanded } from '../dataplane/commands.ts';
import { TCP_ACK, TCP_SYN } from '../wire/index.ts';
import { OutcomeHash, WINDOW } from './figures.ts';
import { BATCH, createLane, type Lane, type Template } from './lane.ts';
import {
  GATED,
  GATE_PORT_FIRST,
  deniesGated,
  type PushLaneReady,
  type PushLaneReport,
  type PushLaneStart,
} from './push-contract.ts';
import { connectionFrame, openConnection, shuffle, trafficOf, type Connection } from './traffic.ts';

/** Packets per millisecond of the lane's clock. */
const PACKETS_PER_MS = 32_768;
const WARM_BATCH = 16;
const WARM_PACKETS = 400_000;

function run(start: PushLaneStart): void {
  const lane = createOpenLane(start);
  const { control, buffer, sizes } = lane.regions;
  const worker: Commanded = { ...start, regions: lane.regions, snapLength: 0, forwarder: lane.forwarder };
  const judge = createJudge(lane, start);
  let sent = 0;
  const batch = (count: number): void => {
    lane.generate(count, 1 + Math.floor(sent / PACKETS_PER_MS));
    lane.turn();
    judge.sink(count, lane.forwarder.epoch);
    sent += count;
    // Control asks for it when nothing is in flight; between two batches nothing is.
    if (lane.forwarder.collectsPaths) lane.forwarder.collectPaths();
  };
  while (sent < Math.max(WARM_PACKETS, 2 * lane.templateCount)) batch(WARM_BATCH);
  parentPort?.postMessage({ buffer, sizes } satisfies PushLaneReady);

  const log = new WindowLog();
  const pushes: { beginMs: number; loadMs: number }[] = [];
  for (;;) {
    if (isCommanded(control)) {
      const before = performance.now();
      obeyCommand(worker);
      if (control[CONTROL.state] === WORKER_STOPPED) break;
      pushes.push({ beginMs: before, loadMs: performance.now() - before });
    }
    lane.forwarder.tidy();
    batch(BATCH);
    log.add(BATCH, performance.now());
  }
  const { lost, misjudged } = judge;
  const report = { ...log.windows(), pushes, lost, misjudged, outcome: hashOutcomes(lane, sent) };
  parentPort?.postMessage(report satisfies PushLaneReport);
}

/** When each window of WINDOW packets ended, and the longest time between two batches in it. Allocates seldom: a
 * collection of garbage would look like a stall. */
class WindowLog {
  private endMs = new Float64Array(1 << 19);
  private gapMs = new Float64Array(1 << 19);
  private count = 0;
  private packets = 0;
  private last = performance.now();
  private gap = 0;

  add(packets: number, nowMs: number): void {
    this.gap = Math.max(this.gap, nowMs - this.last);
    this.last = nowMs;
    this.packets += packets;
    if (this.packets < WINDOW) return;
    if (this.count === this.endMs.length) throw new Error(`more than ${this.count} windows`);
    this.endMs[this.count] = nowMs;
    this.gapMs[this.count] = this.gap;
    this.count++;
    this.packets = 0;
    this.gap = 0;
  }

  windows(): { endMs: Float64Array; gapMs: Float64Array } {
    return { endMs: this.endMs.slice(0, this.count), gapMs: this.gapMs.slice(0, this.count) };
  }
}

/** A lane with all connections open. It replays one packet per flow, in an order that jumps through the flow table, and
 * one per gated connection; these come last in the numbering. */
function createOpenLane({ compiled, program, flows, seed, asksAgain }: PushLaneStart): Lane {
  const traffic = trafficOf(compiled);
  const gated = (i: number): Connection => ({ ...traffic.connection(i), srcPort: GATE_PORT_FIRST + i });
  const order = Int32Array.from({ length: flows }, (_, i) => i);
  shuffle(order, seed);
  const templateAt = (i: number): Template => {
    if (i >= flows) return connectionFrame(gated(i - flows), 'forward', asksAgain ? TCP_ACK : TCP_SYN);
    const flow = order[i];
    return connectionFrame(traffic.connection(flow >> 1), flow % 2 === 0 ? 'forward' : 'return');
  };
  const lane = createLane({
    program: decodeProgram(program),
    connections: (flows >> 1) + 2 * GATED,
    templates: { count: flows + GATED, at: templateAt },
  });
  for (let i = 0; i < flows >> 1; i++) openConnection(lane, traffic.connection(i), 0);
  if (asksAgain) for (let i = 0; i < GATED; i++) openConnection(lane, gated(i), 0);
  return lane;
}

interface Judge {
  /** Reads what a turn left of `sent` packets while the program of `epoch` was current. */
  readonly sink: (sent: number, epoch: number) => void;
  lost: number;
  misjudged: number;
}

/** A sink that reads every descriptor and the row that says who decided. Packets come back in the order in which they
 * were sent: any other number is a loss. */
function createJudge(lane: Lane, start: PushLaneStart): Judge {
  const { control, egress: egress_, paths: paths_, sizes }: Regions = lane.regions;
  const ringMask = sizes.ring - 1;
  const { flows, asksAgain } = start;
  const opened = lane.forwarder.epoch;
  let expected = 0;
  const sink = (sent: number, epoch: number): void => {
    const egress = egress_;
    const paths = paths_;
    const denies = deniesGated(epoch);
    // Rule changes alone leave established flows on their paths (NSG-28).
    const flowEpoch = asksAgain ? epoch : opened;
    const head = Atomics.load(control, CONTROL.egressHead);
    let tail = control[CONTROL.egressTail];
    judge.lost += Math.abs(sent - (head - tail));
    for (; tail !== head; tail = (tail + 1) | 0) {
      const at = (tail & ringMask) * EGRESS_WORDS;
      const packet = egress[at + OUT_PACKET];
      if (packet !== expected) judge.lost++;
      expected = packet === flows + GATED - 1 ? 0 : packet + 1;
      const by = paths[egress[at + OUT_PATH] * PROVENANCE_WORDS + PROV_EPOCH];
      const isDropped = egress[at + OUT_VERDICT] >>> 8 === OUTCOME.dropped;
      const isRight = packet < flows ? !isDropped && by === flowEpoch : isDropped === denies && by === epoch;
      if (!isRight) judge.misjudged++;
    }
    control[CONTROL.noticeTail] = control[CONTROL.noticeHead]; // nobody steers here
    Atomics.store(control, CONTROL.egressTail, head);
  };
  const judge: Judge = { sink, lost: 0, misjudged: 0 };
  return judge;
}

/** Where every template goes under the last program. */
function hashOutcomes(lane: Lane, sent: number): string {
  const words = new Int32Array(lane.templateCount);
  for (let left = lane.templateCount; left > 0; left -= BATCH) {
    lane.generate(Math.min(BATCH, left), 1 + Math.floor(sent / PACKETS_PER_MS));
    lane.turn();
    lane.inspect(({ packet, attachment, verdict }) => (words[packet] = attachment ^ (verdict << 16)));
  }
  const hash = new OutcomeHash();
  for (const word of words) hash.add(word);
  return hash.hex;
}

run(workerData as PushLaneStart);
