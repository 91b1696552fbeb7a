// First packets: SYNs of connections nobody has seen, through both rule gates, route, endpoint and binding, with both
// records installed; later torn down by the sweep. A fixed number of connections is alive at any time.

import { IDLE_MS_DEFAULT, MAX_BATCH } from '../abi/limits.ts';
import { CONTROL, OUTCOME, createRegions, frameOffset, regionSizes } from '../abi/regions.ts';
import { Forwarder } from '../dataplane/forwarder.ts';
import { TCP_SYN, buildFrame } from '../wire/index.ts';
import { figuresOf, OutcomeHash, round, type BenchRow } from './figures.ts';
import { benchCompiled, benchNetwork, CLIENT_FIRST, ENDPOINT_FIRST } from './network.ts';

export interface FirstPacketOptions {
  readonly rules: number;
  readonly prefixes: number;
  /** Connections alive. */
  readonly active: number;
  /** Connections to open in all. */
  readonly connections: number;
  readonly seed: number;
}

const CLIENTS = 64;
const ENDPOINTS = 16;

/** Runs the benchmark: setup and teardown are both inside. */
export function firstPacket(options: FirstPacketOptions): BenchRow {
  const size = {
    clients: CLIENTS,
    endpoints: ENDPOINTS,
    rules: options.rules,
    prefixes: options.prefixes,
    seed: options.seed,
  };
  const compiled = benchCompiled(benchNetwork(size));
  const ids = compiled.sideTable.attachments.flatMap((info) =>
    info?.kind === 'nic' ? [[info.name, info.attachment] as const] : [],
  );
  const client = new Map(ids);
  const regions = createRegions(
    regionSizes({ connections: options.active * 2 + 1024, slots: MAX_BATCH, capture: false }),
  );
  const forwarder = new Forwarder(regions, compiled.program, { snapLength: 0 });
  const { batch } = forwarder;
  const { control, frameBytes, sizes } = regions;
  const frames = Array.from({ length: CLIENTS * ENDPOINTS }, (_, i) =>
    buildFrame({
      src: CLIENT_FIRST + (i % CLIENTS),
      dst: ENDPOINT_FIRST + Math.floor(i / CLIENTS),
      tcp: { srcPort: 0, dstPort: 1433, flags: TCP_SYN },
    }),
  );
  const windows: number[] = [];
  const hash = new OutcomeHash();
  // Old connections die of age: the clock runs so fast that `active` of them fit into one idle time.
  const msPerConnection = IDLE_MS_DEFAULT / options.active;
  const started = process.hrtime.bigint();
  for (let opened = 0; opened < options.connections; opened += MAX_BATCH) {
    batch.count = MAX_BATCH;
    for (let i = 0; i < MAX_BATCH; i++) {
      const connection = opened + i;
      const pair = connection % frames.length;
      const at = frameOffset(sizes, i);
      frameBytes.set(frames[pair], at);
      // The source port makes the connection new; the slow path does not look at the transport checksum.
      const port = 1024 + (Math.floor(connection / frames.length) % 64_000);
      frameBytes[at + 34] = port >>> 8;
      frameBytes[at + 35] = port & 0xff;
      batch.frame[i] = (at - 2) >> 2;
      batch.length[i] = frames[pair].length;
      batch.attachment[i] = client.get(`client${pair % CLIENTS}`) ?? -1;
      batch.packet[i] = connection;
      batch.now[i] = connection * msPerConnection;
      batch.facts[i] = (connection & 63) << 8;
    }
    const before = process.hrtime.bigint();
    forwarder.forward();
    windows.push(Number(process.hrtime.bigint() - before) / MAX_BATCH);
    control[CONTROL.noticeTail] = control[CONTROL.noticeHead]; // no injector steers here
    for (let i = 0; i < MAX_BATCH; i++) {
      if (batch.verdict[i] >>> 8 === OUTCOME.dropped) throw new Error(`a SYN was dropped: ${batch.verdict[i] & 0xff}`);
      if (opened < options.active) hash.add(batch.egress[i]);
    }
  }
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  // The first windows fill the table: the steady state begins when connections die as fast as they are born.
  const steady = windows.slice(Math.min(windows.length >> 1, Math.ceil(options.active / MAX_BATCH)));
  return {
    id: 'first-packet',
    params: { rules: options.rules, prefixes: options.prefixes, active: options.active, seed: options.seed },
    nsPerPacket: figuresOf(steady),
    mpps: round(options.connections / seconds / 1e6),
    outcome: hash.hex,
  };
}
