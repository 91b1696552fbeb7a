// The worker engine: N worker threads, each with its own shared memory and its shards. Control injects a window's
// frames, wakes the workers and waits until every frame has come back: nothing is in flight between two calls.

import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { SHARDS_PER_GROUP, WORKERS_MAX } from '../../abi/limits.ts';
import { checkProgram } from '../../abi/program-check.ts';
import { encodeProgram, type Program } from '../../abi/program.ts';
import { CONTROL, COUNT, createRegions, regionSizes, type RegionSizes } from '../../abi/regions.ts';
import type { WorkerCommand } from '../../dataplane/commands.ts';
import type { WorkerMessage, WorkerStart } from '../../dataplane/worker.ts';
import type { AttachmentCounters, Counters, Engine, EngineOptions, FrameIn, PassResult } from './engine.ts';
import { createRehearsal, encodeRehearsal } from './rehearsal.ts';
import { Steering } from './steering.ts';
import { TapBatch } from './tap-batch.ts';
import { WorkerMemory, sortResults, sumCounters, sumTraffic } from './worker-memory.ts';

const CONNECTIONS_DEFAULT = 65_536;
const STATE_RUNS = 0;
const STATE_DIED = 2;
/** A wait is cut into pieces of this length, so that a worker's death is seen, milliseconds. */
const WAIT_MS = 50;
/** A worker that does not answer for this long is a bug, milliseconds. */
const PATIENCE_MS = 60_000;
const SPINS = 5_000;

/**
 * Starts an engine on worker threads; resolves when every worker runs. `workers` is 1 to WORKERS_MAX (RangeError
 * otherwise). The workers run the built JavaScript: from sources alone (vitest on Node 20) use the inline engine.
 */
export async function startWorkerEngine(workers: number, options: EngineOptions = {}): Promise<Engine> {
  if (!Number.isInteger(workers) || workers < 1 || workers > WORKERS_MAX) {
    throw new RangeError(`workers is ${workers}, expected 1 to ${WORKERS_MAX}`);
  }
  const engine = new WorkerEngine(workers, options);
  await engine.ready();
  return engine;
}

interface Lane {
  readonly memory: WorkerMemory;
  readonly worker: Worker;
  readonly commands: MessagePort;
  readonly ready: Promise<void>;
  /** Frames given to the worker and not yet taken back. */
  outstanding: number;
}

class WorkerEngine implements Engine {
  readonly workers: number;
  private readonly sizes: RegionSizes;
  private readonly snapLength: number;
  private readonly steering = new Steering();
  private lanes: Lane[];
  private taps = new TapBatch();
  private drainedTaps = new TapBatch();
  private death: string | undefined;
  /** Epoch of a push that is under way. */
  private pushing: number | undefined;

  constructor(workers: number, options: EngineOptions) {
    this.workers = workers;
    this.sizes = regionSizes({
      connections: Math.ceil((options.connectionsMax ?? CONNECTIONS_DEFAULT) / workers) * (workers > 1 ? 2 : 1),
      ...(options.slotBytes === undefined ? {} : { slotBytes: options.slotBytes }),
    });
    this.snapLength = options.snapLength ?? 0x7fffffff;
    this.lanes = Array.from({ length: workers }, (_, i) => this.startLane(i));
  }

  /** Resolves when every worker has loaded its code and rehearsed. */
  async ready(): Promise<void> {
    const steps = encodeRehearsal(createRehearsal(this.sizes)); // while the workers load
    await Promise.all(this.lanes.map((lane) => lane.ready));
    for (const lane of this.lanes) this.send(lane, { kind: 'rehearse', steps });
    this.awaitCommands();
  }

  push(program: Program): void {
    this.startPush(program);
    this.finishPush();
  }

  startPush(program: Program): void {
    checkProgram(program);
    this.finishPush();
    this.pushing = program.epoch;
    const encoded = encodeProgram(program);
    for (const lane of this.lanes) {
      // Each worker gets bytes of its own and reads the columns where they stand: nothing is copied over there.
      const bytes = encoded.slice();
      this.send(lane, { kind: 'push', program: bytes }, [bytes.buffer]);
    }
  }

  finishPush(): void {
    const wanted = this.pushing;
    if (wanted === undefined) return;
    this.pushing = undefined;
    this.awaitCommands();
    for (const lane of this.lanes) {
      const epoch = Atomics.load(lane.memory.regions.control, CONTROL.epoch);
      if (epoch !== wanted) throw new Error(`a worker runs epoch ${epoch} after the push of ${wanted}`);
      lane.memory.takeNotices(this.steering);
    }
  }

  forward(frames: readonly FrameIn[]): PassResult[] {
    const results: PassResult[] = [];
    for (let next = 0; next < frames.length;) {
      next = this.injectFrom(frames, next);
      this.awaitOutstanding(results);
    }
    this.collectWhenDue();
    return this.workers === 1 ? results : sortResults(results);
  }

  drainTaps(): TapBatch {
    const { taps, drainedTaps } = this;
    drainedTaps.clear(taps.rows);
    this.taps = drainedTaps;
    this.drainedTaps = taps;
    return taps;
  }

  oldestEpochInUse(): number {
    return Math.min(...this.lanes.map((lane) => lane.memory.oldestEpoch));
  }

  counters(): Counters {
    return sumCounters(this.lanes.map((lane) => lane.memory));
  }

  attachmentCounters(attachment: number): AttachmentCounters {
    return sumTraffic(
      this.lanes.map((lane) => lane.memory),
      attachment,
    );
  }

  async close(): Promise<void> {
    const { lanes } = this;
    this.lanes = [];
    for (const lane of lanes) {
      this.send(lane, { kind: 'stop' });
      lane.commands.close();
    }
    await Promise.all(lanes.map((lane) => lane.worker.terminate()));
  }

  private startLane(number: number): Lane {
    const regions = createRegions(this.sizes);
    const channel = new MessageChannel();
    const start: WorkerStart = {
      buffer: regions.buffer,
      sizes: this.sizes,
      snapLength: this.snapLength,
      commands: channel.port2,
    };
    const worker = new Worker(new URL('../../dataplane/worker.js', import.meta.url), {
      name: `vnetem-${number}`,
      workerData: start,
      transferList: [channel.port2],
    });
    const ready = new Promise<void>((resolve, reject) => {
      worker.on('message', (message: WorkerMessage) => {
        if (message.kind === 'ready') resolve();
        else this.death = message.error;
        if (message.kind === 'died') reject(new Error(`a worker died: ${message.error}`));
      });
      worker.on('error', (error) => {
        this.death = String(error);
        reject(error instanceof Error ? error : new Error(String(error)));
      });
    });
    return { memory: new WorkerMemory(regions), worker, commands: channel.port1, ready, outstanding: 0 };
  }

  /** Injects until a worker has no room; returns the index of the first frame that is left. */
  private injectFrom(frames: readonly FrameIn[], first: number): number {
    let next = first;
    for (; next < frames.length; next++) {
      const frame = frames[next] as FrameIn;
      const shard = this.steering.shardOf(frame.attachment, frame.bytes);
      const group = Math.floor(shard / SHARDS_PER_GROUP);
      const lane = this.lanes[Math.floor((group * this.workers) / WORKERS_MAX)] as Lane;
      if (lane.memory.room === 0) break;
      lane.memory.inject(frame, shard);
      lane.outstanding++;
    }
    for (const lane of this.lanes) if (lane.outstanding > 0) ring(lane);
    return next;
  }

  /** Waits until every injected frame has come back. */
  private awaitOutstanding(results: PassResult[]): void {
    for (const lane of this.lanes) {
      const { control } = lane.memory.regions;
      let waited = 0;
      for (let spins = 0; lane.outstanding > 0; spins++) {
        const head = Atomics.load(control, CONTROL.egressHead);
        lane.memory.takeNotices(this.steering);
        lane.outstanding -= lane.memory.takeResults(results);
        lane.memory.takeTaps(this.taps);
        if (lane.outstanding === 0 || spins < SPINS) continue;
        this.checkAlive(lane, waited);
        if (sleepUntilMoved(control, head) === 'timed-out') waited += WAIT_MS;
      }
      lane.memory.takeNotices(this.steering);
      lane.memory.takeTaps(this.taps);
    }
  }

  /** Provenance rows are compacted while nothing is in flight. */
  private collectWhenDue(): void {
    const isDue = this.lanes.some(
      (lane) => (lane.memory.regions.counters[COUNT.pathsUsed] ?? 0) > this.sizes.paths * 0.75,
    );
    if (!isDue) return;
    for (const lane of this.lanes) this.send(lane, { kind: 'collect' });
    this.awaitCommands();
    for (const lane of this.lanes) lane.memory.forgetRows();
  }

  /** Waits until every worker has obeyed every command. */
  private awaitCommands(): void {
    for (const lane of this.lanes) {
      const { control } = lane.memory.regions;
      let waited = 0;
      for (;;) {
        const obeyed = Atomics.load(control, CONTROL.obeyed);
        if (obeyed === control[CONTROL.commands]) break;
        this.checkAlive(lane, waited);
        if (Atomics.wait(control, CONTROL.obeyed, obeyed, WAIT_MS) === 'timed-out') waited += WAIT_MS;
      }
      this.checkAlive(lane, 0);
    }
  }

  private send(lane: Lane, command: WorkerCommand, transfer: ArrayBuffer[] = []): void {
    lane.commands.postMessage(command, transfer);
    Atomics.add(lane.memory.regions.control, CONTROL.commands, 1);
    ring(lane);
  }

  private checkAlive(lane: Lane, waitedMs: number): void {
    const state = Atomics.load(lane.memory.regions.control, CONTROL.state);
    if (state === STATE_DIED) throw new Error(`a worker died: ${this.death ?? 'its message has not arrived yet'}`);
    if (state === STATE_RUNS && waitedMs > PATIENCE_MS) throw new Error(`a worker is silent for ${waitedMs} ms`);
  }
}

/** Sleeps until a worker's egress head is no longer `head`, at most WAIT_MS. The worker looks at the flag after it has
 * moved the head, so either it sees the flag or the wait sees the head. */
function sleepUntilMoved(control: Int32Array, head: number): 'ok' | 'not-equal' | 'timed-out' {
  Atomics.store(control, CONTROL.controlSleeps, 1);
  const woken = Atomics.wait(control, CONTROL.egressHead, head, WAIT_MS);
  Atomics.store(control, CONTROL.controlSleeps, 0);
  return woken;
}

function ring(lane: Lane): void {
  const { control } = lane.memory.regions;
  Atomics.add(control, CONTROL.doorbell, 1);
  Atomics.notify(control, CONTROL.doorbell);
}
