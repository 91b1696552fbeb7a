// Flow hits: 64-byte TCP frames (60 in memory) of known connections through private endpoints, half towards the service
// and half back, through the product's forwarder running a compiled program. The generator writes every frame into its
// slot and the sink reads every outcome; both are inside "end to end" and outside "processing".

import { MAX_BATCH } from '../abi/limits.ts';
import { CONTROL, OUTCOME, createRegions, frameOffset, regionSizes, type Regions } from '../abi/regions.ts';
import { Forwarder } from '../dataplane/forwarder.ts';
import { TCP_ACK, TCP_SYN, buildFrame } from '../wire/index.ts';
import { figuresOf, OutcomeHash, round, type BenchRow } from './figures.ts';
import { benchCompiled, benchNetwork, CLIENT_FIRST, ENDPOINT_FIRST } from './network.ts';

export interface FlowHitOptions {
  readonly flows: number;
  readonly rules: number;
  /** Packets to measure. */
  readonly packets: number;
  readonly seed: number;
}

const CLIENTS = 64;
const ENDPOINTS = 16;
const SLOTS = 1024;
const FRAME_BYTES = 60;
const FRAME_WORDS = 16;
const WINDOW = 2048;

/** Runs the benchmark; the two rows share one run. */
export function flowHit(options: FlowHitOptions): BenchRow[] {
  const bench = new FlowHitBench(options);
  bench.open();
  bench.warmUp();
  return bench.measure();
}

class FlowHitBench {
  private readonly options: FlowHitOptions;
  private readonly regions: Regions;
  private readonly forwarder: Forwarder;
  /** Pre-rendered frames, FRAME_WORDS words each with the 2 leading pad bytes, and where each enters. */
  private readonly templates: Int32Array;
  private readonly enters: Int32Array;
  private readonly provider: Int32Array;
  private readonly client: Int32Array;
  private next = 0;
  private slot = 0;

  constructor(options: FlowHitOptions) {
    this.options = options;
    const compiled = benchCompiled(
      benchNetwork({
        clients: CLIENTS,
        endpoints: ENDPOINTS,
        rules: options.rules,
        prefixes: options.rules * 4,
        seed: options.seed,
      }),
    );
    const ids = new Map(
      compiled.sideTable.attachments.map((info) => [`${info?.kind} ${info?.name}`, info?.attachment]),
    );
    const idOf = (name: string): number => ids.get(name) ?? fail(`no attachment ${name}`);
    this.client = Int32Array.from({ length: CLIENTS }, (_, i) => idOf(`nic client${i}`));
    this.provider = Int32Array.from({ length: ENDPOINTS }, (_, i) => idOf(`provider pe${i}`));
    this.regions = createRegions(regionSizes({ connections: options.flows + 1024, slots: SLOTS, capture: false }));
    this.forwarder = new Forwarder(this.regions, compiled.program, { snapLength: 0 });
    this.templates = new Int32Array(options.flows * FRAME_WORDS);
    this.enters = new Int32Array(options.flows);
  }

  /** Opens every connection (SYN, SYN/ACK) and renders the frame that will be repeated: even flows towards the
   * service, odd flows back. */
  open(): void {
    for (let flow = 0; flow < this.options.flows; flow++) {
      const client = CLIENT_FIRST + (flow % CLIENTS);
      const endpoint = Math.floor(flow / CLIENTS) % ENDPOINTS;
      const srcPort = 10_000 + (Math.floor(flow / (CLIENTS * ENDPOINTS)) % 50_000);
      const service = 0xc000_0201 + endpoint;
      const toEndpoint = { src: client, dst: ENDPOINT_FIRST + endpoint };
      const from = this.client[flow % CLIENTS];
      const back = this.provider[endpoint];
      const ports = { srcPort, dstPort: 1433 };
      const reply = { srcPort: 1433, dstPort: srcPort };
      this.send(from, buildFrame({ ...toEndpoint, tcp: { ...ports, flags: TCP_SYN } }), 0);
      this.send(back, buildFrame({ src: service, dst: client, tcp: { ...reply, flags: TCP_SYN | TCP_ACK } }), 0);
      const isForward = flow % 2 === 0;
      const payload = new Uint8Array(6);
      const frame = isForward
        ? buildFrame({ ...toEndpoint, tcp: { ...ports, flags: TCP_ACK, seq: 1, ack: 1 }, payload })
        : buildFrame({ src: service, dst: client, tcp: { ...reply, flags: TCP_ACK, seq: 1, ack: 1 }, payload });
      new Uint8Array(this.templates.buffer).set(frame, flow * FRAME_WORDS * 4 + 2);
      this.enters[flow] = isForward ? from : back;
    }
  }

  /** Many small batches: the optimiser sees the steady state before it compiles for good. */
  warmUp(): void {
    const least = Math.min(400_000, Math.max(50_000, this.options.packets));
    for (let sent = 0; sent < least; sent += 16) {
      this.generate(16);
      this.forwarder.forward();
    }
  }

  measure(): BenchRow[] {
    const { options, forwarder } = this;
    const processing: number[] = [];
    const endToEnd: number[] = [];
    const hash = new OutcomeHash();
    const started = process.hrtime.bigint();
    let lost = 0;
    let packets = 0;
    for (; packets < options.packets; packets += WINDOW) {
      let spent = 0;
      const begin = process.hrtime.bigint();
      for (let sent = 0; sent < WINDOW; sent += MAX_BATCH) {
        this.generate(MAX_BATCH);
        const before = process.hrtime.bigint();
        forwarder.forward();
        spent += Number(process.hrtime.bigint() - before);
        lost += this.sink(hash, packets < WINDOW);
      }
      processing.push(spent / WINDOW);
      endToEnd.push(Number(process.hrtime.bigint() - begin) / WINDOW);
    }
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    if (lost > 0) throw new Error(`${lost} packets of known flows were dropped: the figures would mean nothing`);
    const params = {
      flows: options.flows,
      workers: 1,
      frame: FRAME_BYTES + 4,
      rules: options.rules,
      seed: options.seed,
    };
    const row = (id: string, windows: number[], mpps: number): BenchRow => ({
      id,
      params,
      nsPerPacket: figuresOf(windows),
      mpps: round(mpps),
      outcome: hash.hex,
    });
    return [
      row('flow-hit/end-to-end', endToEnd, packets / seconds / 1e6),
      row('flow-hit/processing', processing, 1e3 / figuresOf(processing).median),
    ];
  }

  /** Writes the next frames into their slots and fills the batch. */
  private generate(count: number): void {
    const { batch } = this.forwarder;
    const { frameWords, sizes } = this.regions;
    const { templates, enters, options } = this;
    batch.count = count;
    for (let i = 0; i < count; i++) {
      const flow = this.next;
      this.next = flow + 1 === options.flows ? 0 : flow + 1;
      this.slot = (this.slot + 1) & (SLOTS - 1);
      const at = (frameOffset(sizes, this.slot) - 2) >> 2;
      const from = flow * FRAME_WORDS;
      for (let w = 0; w < FRAME_WORDS; w++) frameWords[at + w] = templates[from + w];
      batch.frame[i] = at;
      batch.length[i] = FRAME_BYTES;
      batch.attachment[i] = enters[flow];
      batch.packet[i] = flow;
      batch.now[i] = 1;
      batch.facts[i] = 0;
    }
  }

  /** Reads what a receiver would: where the packet went and its rewritten addresses. */
  private sink(hash: OutcomeHash, isFirst: boolean): number {
    const { batch } = this.forwarder;
    const { frameWords } = this.regions;
    let lost = 0;
    let touched = 0;
    for (let i = 0; i < batch.count; i++) {
      const at = batch.frame[i];
      touched ^= frameWords[at + 7] ^ frameWords[at + 8] ^ frameWords[at + 13];
      if (batch.verdict[i] >>> 8 === OUTCOME.dropped) lost++;
      if (isFirst) hash.add(batch.egress[i] ^ frameWords[at + 7] ^ frameWords[at + 9] ^ frameWords[at + 13]);
    }
    if (touched === 0x7fffffff) hash.add(touched);
    return lost;
  }

  private send(attachment: number, frame: Uint8Array, now: number): void {
    const { batch } = this.forwarder;
    const { frameBytes, sizes } = this.regions;
    const at = frameOffset(sizes, 0);
    frameBytes.set(frame, at);
    batch.count = 1;
    batch.frame[0] = (at - 2) >> 2;
    batch.length[0] = frame.length;
    batch.attachment[0] = attachment;
    batch.packet[0] = 0;
    batch.now[0] = now;
    batch.facts[0] = 0;
    this.forwarder.forward();
    if (batch.verdict[0] >>> 8 === OUTCOME.dropped) {
      throw new Error(`opening a connection was dropped: reason ${batch.verdict[0] & 0xff}`);
    }
    const { control } = this.regions;
    control[CONTROL.noticeTail] = control[CONTROL.noticeHead]; // no injector steers here
  }
}

function fail(message: string): never {
  throw new Error(message);
}
