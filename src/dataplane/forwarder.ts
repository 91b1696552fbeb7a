// The forwarder: one batch in, one batch out. Read this file first, then hit-path.ts, then slow-path.ts.
//
//   forward()   hit path over the batch (misses and stale flows walk the slow path), taps, a step of the sweep
//   load()      a new program becomes current, between two batches
//   restart()   everything but the program is forgotten, behind a rehearsal (rehearsal.ts)
//
// The worker loop, the inline engine and the benchmarks drive the same object.

import { COUNT, INGRESS_WORDS, IN_NOW_MS, RECORD_WORDS, type Regions } from '../abi/regions.ts';
import { checkProgram } from '../abi/program-check.ts';
import type { Program } from '../abi/program.ts';
import { Connections } from './connections.ts';
import type { Context } from './context.ts';
import { R_EGRESS, R_KEY, R_PATH, PATH_VALID } from './flow-table.ts';
import { createHitPath, type HitPath } from './hit-path.ts';
import { NatPorts } from './nat-ports.ts';
import { OldestEpoch } from './oldest-epoch.ts';
import { PathTable } from './path-table.ts';
import { SlowPath } from './slow-path.ts';
import { ProxyConnections } from './stages/proxy.ts';
import { HOT_WORDS, buildTables, goneSince, loadHot } from './tables.ts';
import { Tap } from './tap.ts';

export interface ForwarderOptions {
  /** Bytes of a frame that taps copy. */
  readonly snapLength: number;
  /** Default true. False: no path is cached, every packet walks the stages; what the hit path is held against. */
  readonly cachePaths?: boolean;
}

export class Forwarder {
  readonly connections: Connections;
  private readonly regions: Regions;
  private readonly hot: Int32Array;
  private readonly paths: PathTable;
  private readonly oldestEpoch: OldestEpoch;
  private readonly tap: Tap;
  private readonly slowPath: SlowPath;
  private readonly context: Context;
  private readonly hitPath: HitPath;

  constructor(regions: Regions, program: Program, options: ForwarderOptions) {
    checkProgram(program);
    this.regions = regions;
    this.hot = new Int32Array(regions.sizes.attachments * HOT_WORDS);
    const proxies = new ProxyConnections();
    this.connections = new Connections(regions, this.hot, proxies);
    this.paths = new PathTable(regions);
    this.oldestEpoch = new OldestEpoch(this.connections.table, this.paths, regions.counters);
    this.tap = new Tap(regions, options.snapLength);
    this.context = {
      regions,
      frames: regions.frames,
      hot: this.hot,
      connections: this.connections,
      natPorts: new NatPorts(),
      proxies,
      cachePaths: options.cachePaths ?? true,
      tables: buildTables(program),
    };
    loadHot(this.hot, this.context.tables);
    this.context.natPorts.resize(program.natPools.kind.length);
    this.slowPath = new SlowPath(this.context, this.paths, this.tap);
    this.hitPath = createHitPath(regions, this.hot, this.connections, this.slowPath, this.tap);
    this.noteEpoch();
  }

  /** Epoch of the current program. */
  get epoch(): number {
    return this.context.tables.program.epoch;
  }

  /** Decides `count` descriptors (1 to MAX_BATCH) from the ingress cursor `tail` on; every one gets an egress
   * descriptor, from the cursor `head` on. */
  forward(count: number, tail: number, head: number): void {
    const { connections, regions } = this;
    this.hitPath(count, tail, head);
    this.tap.publish();
    const last = ((tail + count - 1) & (regions.sizes.ring - 1)) * INGRESS_WORDS;
    connections.sweep(regions.ingress[last + IN_NOW_MS], this.context.tables);
    connections.publishNotices();
    regions.counters[COUNT.records] = connections.table.count;
    regions.counters[COUNT.pathsUsed] = this.paths.count;
  }

  /** Makes a program current. Only between two batches; throws ProgramError on a damaged program, and changes nothing
   * then. */
  load(program: Program): void {
    checkProgram(program);
    const tables = buildTables(program);
    const gone = goneSince(this.context.tables.program, program);
    this.context.tables = tables;
    loadHot(this.hot, tables);
    this.context.natPorts.resize(program.natPools.kind.length);
    this.slowPath.forgetFragments();
    if (gone !== undefined) this.connections.removeAttachments((attachment) => gone[attachment] === 1);
    this.connections.publishNotices();
    this.noteEpoch();
  }

  /** Forgets connections, paths, totals and everything else but the program, as if no packet had ever come. Only while
   * every ring is empty. At most `records` records of the flow table may be used from here on, by default all. */
  restart(records?: number): void {
    const { connections, context, regions } = this;
    connections.restart(records);
    this.paths.restart();
    this.oldestEpoch.restart();
    this.tap.restart();
    context.natPorts.restart();
    this.slowPath.forgetFragments();
    regions.counters.fill(0);
    regions.traffic.fill(0);
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

  /** Does a slice of what a push leaves to do while traffic goes on; false when nothing is left. */
  tidy(): boolean {
    return this.oldestEpoch.step();
  }

  // Small tables are seen whole at once.
  private noteEpoch(): void {
    this.oldestEpoch.begin(this.epoch);
    this.oldestEpoch.step();
  }
}
