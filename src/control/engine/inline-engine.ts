// The inline engine: the same forwarder, rings and memory as a worker has, on the calling thread. For tests, explain
// and small runs.

import { checkProgram } from '../../abi/program-check.ts';
import { decodeProgram, encodeProgram, type Program } from '../../abi/program.ts';
import { createRegions, regionSizes } from '../../abi/regions.ts';
import { Forwarder } from '../../dataplane/forwarder.ts';
import { takeTurn } from '../../dataplane/turn.ts';
import type { AttachmentCounters, Counters, Engine, EngineOptions, FrameIn, PassResult } from './engine.ts';
import { Steering } from './steering.ts';
import { TapBatch } from './tap-batch.ts';
import { FRAMES_PER_TURN, WorkerMemory, sumCounters, sumTraffic } from './worker-memory.ts';

const CONNECTIONS_DEFAULT = 65_536;

/** An engine on this thread. It forwards nothing before the first push. */
export function createInlineEngine(options: EngineOptions = {}): Engine {
  return new InlineEngine(options);
}

class InlineEngine implements Engine {
  readonly workers = 0;
  private readonly memory: WorkerMemory;
  private readonly steering = new Steering();
  private readonly snapLength: number;
  private readonly cachePaths: boolean;
  private forwarder: Forwarder | undefined;
  private taps = new TapBatch();
  private drainedTaps = new TapBatch();

  constructor(options: EngineOptions) {
    const sizes = regionSizes({
      connections: options.connectionsMax ?? CONNECTIONS_DEFAULT,
      ...(options.slotBytes === undefined ? {} : { slotBytes: options.slotBytes }),
    });
    this.memory = new WorkerMemory(createRegions(sizes));
    this.snapLength = options.snapLength ?? 0x7fffffff;
    this.cachePaths = options.cachePaths ?? true;
  }

  startPush(program: Program): void {
    this.push(program);
  }

  finishPush(): void {}

  push(program: Program): void {
    checkProgram(program);
    // Through msgpack like a push to a worker: the inline engine sees exactly what a worker would.
    const received = decodeProgram(encodeProgram(program));
    if (this.forwarder === undefined) {
      const { snapLength, cachePaths } = this;
      this.forwarder = new Forwarder(this.memory.regions, received, { snapLength, cachePaths });
    } else {
      this.forwarder.load(received);
    }
    // A worker does this between batches; here nothing waits for it.
    while (this.forwarder.tidy()) continue;
    this.memory.takeNotices(this.steering);
  }

  forward(frames: readonly FrameIn[]): PassResult[] {
    const { forwarder, memory, steering } = this;
    if (forwarder === undefined) throw new Error('no program was pushed');
    const results: PassResult[] = [];
    for (let next = 0; next < frames.length;) {
      const end = Math.min(frames.length, next + Math.min(FRAMES_PER_TURN, memory.room));
      for (; next < end; next++) {
        const frame = frames[next] as FrameIn;
        memory.inject(frame, steering.shardOf(frame.attachment, frame.bytes));
      }
      takeTurn(memory.regions, forwarder);
      memory.takeNotices(steering);
      memory.takeResults(results);
      memory.takeTaps(this.taps);
    }
    if (forwarder.collectsPaths) {
      forwarder.collectPaths();
      memory.forgetRows();
    }
    return results;
  }

  drainTaps(): TapBatch {
    const { taps, drainedTaps } = this;
    drainedTaps.clear(taps.rows);
    this.taps = drainedTaps;
    this.drainedTaps = taps;
    return taps;
  }

  oldestEpochInUse(): number {
    return this.memory.oldestEpoch;
  }

  counters(): Counters {
    return sumCounters([this.memory]);
  }

  attachmentCounters(attachment: number): AttachmentCounters {
    return sumTraffic([this.memory], attachment);
  }

  async close(): Promise<void> {
    this.forwarder = undefined;
    await Promise.resolve();
  }
}
