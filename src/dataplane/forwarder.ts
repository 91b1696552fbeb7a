// The forwarder: one batch in, one batch out. Read this file first, then hit-path.ts, then slow-path.ts.
//
//   forward()   hit path over the batch (misses and stale flows walk the slow path), counters, a step of the sweep
//   load()      a new program becomes current, between two batches
//
// The worker loop, the inline engine and the benchmarks drive the same object.

import { COUNT, OUTCOME, RECORD_WORDS, type Regions } from '../abi/regions.ts';
import { checkProgram } from '../abi/program-check.ts';
import { ATTACHMENT, type Program } from '../abi/program.ts';
import { createBatch, type Batch } from './batch.ts';
import { Connections } from './connections.ts';
import type { Context } from './context.ts';
import { R_EGRESS, R_KEY, R_PATH, PATH_VALID } from './flow-table.ts';
import { createHitPath } from './hit-path.ts';
import { NatPorts } from './nat-ports.ts';
import { PathTable } from './path-table.ts';
import { SlowPath } from './slow-path.ts';
import { HOT_WORDS, buildTables, loadHot } from './tables.ts';
import { Tap } from './tap.ts';

/** Records the sweep looks at per batch at least: an idle table is seen whole in a few thousand batches. */
const SWEEP_STEPS = 64;
/** And for each record that the batch made, so that the dead never outnumber a third of the living. */
const SWEEP_STEPS_PER_RECORD = 4;

export interface ForwarderOptions {
  /** Bytes of a frame that taps copy. */
  readonly snapLength: number;
  /** Default true. False: no path is cached, every packet walks the stages; what the hit path is held against. */
  readonly cachePaths?: boolean;
}

export class Forwarder {
  readonly batch: Batch;
  readonly connections: Connections;
  private readonly regions: Regions;
  private readonly hot: Int32Array;
  private readonly paths: PathTable;
  private readonly tap: Tap;
  private readonly slowPath: SlowPath;
  private readonly context: Context;
  private readonly hitPath: () => void;

  constructor(regions: Regions, program: Program, options: ForwarderOptions) {
    checkProgram(program);
    this.regions = regions;
    this.batch = createBatch();
    this.hot = new Int32Array(regions.sizes.attachments * HOT_WORDS);
    this.connections = new Connections(regions, this.hot);
    this.paths = new PathTable(regions);
    this.tap = new Tap(regions, options.snapLength);
    this.context = {
      regions,
      frames: regions.frames,
      connections: this.connections,
      natPorts: new NatPorts(),
      cachePaths: options.cachePaths ?? true,
      tables: buildTables(program),
    };
    loadHot(this.hot, this.context.tables);
    this.context.natPorts.resize(program.natPools.kind.length);
    this.slowPath = new SlowPath(this.context, this.paths, this.tap);
    this.hitPath = createHitPath(regions, this.hot, this.batch, this.connections, this.slowPath, this.tap);
    this.noteEpoch();
  }

  /** Epoch of the current program. */
  get epoch(): number {
    return this.context.tables.program.epoch;
  }

  /** Forwards the batch's rows; every row gets an outcome. */
  forward(): void {
    const { batch } = this;
    const { table } = this.connections;
    const recordsBefore = table.count;
    this.hitPath();
    this.count();
    this.tap.publish();
    if (batch.count > 0) {
      const steps = SWEEP_STEPS + SWEEP_STEPS_PER_RECORD * Math.max(0, table.count - recordsBefore);
      this.connections.sweep(steps, batch.now[batch.count - 1], this.context.tables);
    }
    this.regions.counters[COUNT.records] = table.count;
    this.regions.counters[COUNT.pathsUsed] = this.paths.count;
  }

  /** Makes a program current. Only between two batches; throws ProgramError on a damaged program, and changes nothing
   * then. */
  load(program: Program): void {
    checkProgram(program);
    const tables = buildTables(program);
    this.context.tables = tables;
    loadHot(this.hot, tables);
    this.context.natPorts.resize(program.natPools.kind.length);
    this.slowPath.forgetFragments();
    const { kind } = program.attachments;
    if (kind.includes(ATTACHMENT.gone)) this.connections.removeAttachments((a) => kind[a] === ATTACHMENT.gone);
    this.noteEpoch();
  }

  /** True when so few provenance rows are free that `collectPaths` is due. */
  get collectsPaths(): boolean {
    return this.paths.nearlyFull;
  }

  /** Frees provenance rows that no flow refers to. Only while every path id that was handed out has been read. */
  collectPaths(): void {
    if (this.paths.nearlyFull) this.compactPaths();
    this.noteEpoch();
    this.regions.counters[COUNT.pathsUsed] = this.paths.count;
  }

  private compactPaths(): void {
    const used = new Uint8Array(this.paths.count);
    this.forEachPath((id) => {
      used[id] = 1;
      return id;
    });
    const moved = this.paths.collect(used);
    this.forEachPath((id) => moved[id]);
  }

  private forEachPath(visit: (id: number) => number): void {
    const { records, high } = this.connections.table;
    for (let record = 1; record <= high; record++) {
      const e = record * RECORD_WORDS;
      if (records[e + R_KEY] === 0 || (records[e + R_EGRESS] & PATH_VALID) === 0) continue;
      records[e + R_PATH] = visit(records[e + R_PATH]);
    }
  }

  /** Oldest epoch that a cached path still names. */
  private noteEpoch(): void {
    let oldest = this.epoch;
    this.forEachPath((id) => {
      if (id > 0) oldest = Math.min(oldest, this.paths.epochOf(id));
      return id;
    });
    this.regions.counters[COUNT.oldestEpoch] = oldest;
  }

  private count(): void {
    const { batch } = this;
    const { counters } = this.regions;
    for (let i = 0; i < batch.count; i++) {
      const isDuplicate = (batch.facts[i] & (1 << 16)) !== 0;
      counters[isDuplicate ? COUNT.duplicated : COUNT.received]++;
      const verdict = batch.verdict[i];
      switch (verdict >>> 8) {
        case OUTCOME.delivered:
          counters[COUNT.delivered]++;
          break;
        case OUTCOME.exited:
          counters[COUNT.exited]++;
          break;
        case OUTCOME.answered:
          counters[COUNT.consumed]++;
          counters[COUNT.originated]++;
          counters[COUNT.delivered]++;
          break;
        case OUTCOME.consumed:
          counters[COUNT.consumed]++;
          break;
        default:
          counters[COUNT.dropped + (verdict & 0xff)]++;
      }
    }
  }
}
