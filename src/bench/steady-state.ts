// The proof that the steady state neither allocates per packet nor deoptimises: a process of its own that drives a lane
// through a warm-up and then through millions of packets, and reports what V8 did meanwhile. Garbage collections come
// from perf_hooks, deoptimisations from V8's own trace, which goes to a file that grows line by line:
//
//   node --expose-gc --min-semi-space-size=16 --max-semi-space-size=16 \
//     --trace-deopt-verbose --redirect-code-traces --redirect-code-traces-to=FILE \
//     dist/bench/steady-state.js FILE [--warm hits] [--load hits] [--control allocate|deoptimise] [--packets N]
//
// The answer is one line of JSON. The controls do on purpose what must not happen, to show that it would be seen.

import { readFileSync, statSync } from 'node:fs';
import { PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { COUNT, CONTROL, type Regions } from '../abi/regions.ts';
import { BATCH, type Lane, type Template } from './lane.ts';
import { createSteadyTraffic, type SteadyTraffic } from './steady-traffic.ts';

/** `hits`: packets of known connections and nothing else. After such a warm-up every event is the first of its kind. */
export type Load = 'everything' | 'hits';
export type Control = 'none' | 'allocate' | 'deoptimise';

export interface SteadyOptions {
  /** File to which V8 writes its trace. */
  readonly trace: string;
  readonly packets: number;
  readonly warm: Load;
  readonly load: Load;
  readonly control: Control;
}

/** What V8 did while the measured packets passed. */
export interface SteadyReport {
  readonly packets: number;
  /** Packets that were no hits: new connections, drops, everything that walks the slow path. */
  readonly slowPasses: number;
  readonly dropped: number;
  readonly garbageCollections: number;
  /** Growth of the heap; says what was allocated when nothing was collected. */
  readonly heapBytes: number;
  readonly deoptimisations: readonly Deoptimisation[];
}

/** A function whose optimised code was thrown away. */
export interface Deoptimisation {
  readonly name: string;
  readonly reason: string;
  /** Place in dist/, `dataplane/hit-path.js:70:44`. */
  readonly at: string;
}

const CONNECTIONS = 512;
/** Packets after which an event comes, in full batches. */
const PACKETS_PER_EVENT = 64;
const WARM_PACKETS = 800_000;
const WARM_BATCH = 16;
/** Packets per millisecond of the lane's clock, and the jump after which every connection has been idle too long. */
const PACKETS_PER_MS = 1_000;
const JUMP_MS = 300_000;
const JUMP_PACKETS = 250_000;
/** Packets between two looks at the tap ring: it overflows in between, so that losses happen too. */
const DRAIN_PACKETS = 400_000;

/** Runs the warm-up and the measured part. */
export async function steadyState(options: SteadyOptions): Promise<SteadyReport> {
  const traffic = createSteadyTraffic(CONNECTIONS);
  const { lane } = traffic;
  const pump = createPump(lane);
  pump(WARM_PACKETS, WARM_BATCH, partOf(traffic, options.warm));
  pump(WARM_PACKETS, BATCH, partOf(traffic, options.warm));
  await setImmediate(); // code that background threads have optimised arrives
  pump(WARM_PACKETS, BATCH, partOf(traffic, options.warm));
  const measured = partOf(traffic, options.load);
  const watch = await startWatch(lane.regions, options.trace);
  pump(options.packets, BATCH, measured);
  misbehave(options.control, options.packets);
  const seen = await watch.stop();
  return { packets: options.packets, ...seen };
}

/** What is mixed into the known packets. */
interface Part {
  readonly events: readonly Template[];
  readonly jumpMs: number;
}

function partOf({ hits, events }: SteadyTraffic, load: Load): Part {
  return load === 'hits' ? { events: hits, jumpMs: 0 } : { events, jumpMs: JUMP_MS };
}

type Pump = (packets: number, batch: number, part: Part) => void;

/** The loop around the lane: known packets, events, a turn, and now and then a look at the tap ring and a jump of the
 * clock. */
function createPump(lane: Lane): Pump {
  const { control } = lane.regions;
  let sent = 0;
  let jumpedMs = 0;
  let next = 0;
  return (packets, batch, { events, jumpMs }) => {
    const eventsPerBatch = Math.max(1, Math.floor(batch / PACKETS_PER_EVENT));
    for (let done = 0; done < packets; done += batch) {
      sent += batch;
      if (sent % DRAIN_PACKETS < batch) control[CONTROL.tapTail] = control[CONTROL.tapHead];
      if (sent % JUMP_PACKETS < batch) jumpedMs += jumpMs;
      const nowMs = jumpedMs + Math.floor(sent / PACKETS_PER_MS);
      lane.generate(batch - eventsPerBatch, nowMs);
      for (let i = 0; i < eventsPerBatch; i++) {
        next = next + 1 < events.length ? next + 1 : 0;
        lane.inject(events[next], nowMs);
      }
      lane.turn();
      lane.sink();
      totalOf(NUMBERS);
    }
  };
}

interface Watch {
  stop(): Promise<Omit<SteadyReport, 'packets'>>;
}

/** Watches V8 and the counters from here to `stop`. */
async function startWatch(regions: Regions, trace: string): Promise<Watch> {
  const collections: PerformanceEntry[] = [];
  const observer = new PerformanceObserver((list) => void collections.push(...list.getEntries()));
  observer.observe({ entryTypes: ['gc'] });
  globalThis.gc?.();
  await setImmediate();
  const counted = countersOf(regions);
  const traced = sizeOf(trace);
  const heap = process.memoryUsage().heapUsed;
  const begin = performance.now();
  return {
    async stop() {
      const end = performance.now();
      const heapBytes = process.memoryUsage().heapUsed - heap;
      const { slowPasses, dropped } = countersOf(regions);
      await setImmediate();
      await setImmediate(); // entries are delivered one turn of the event loop later
      observer.disconnect();
      return {
        slowPasses: slowPasses - counted.slowPasses,
        dropped: dropped - counted.dropped,
        garbageCollections: collections.filter(({ startTime }) => startTime >= begin && startTime <= end).length,
        heapBytes,
        deoptimisations: deoptimisationsOf(trace, traced),
      };
    },
  };
}

function countersOf({ counters }: Regions): { slowPasses: number; dropped: number } {
  const dropped = counters.subarray(COUNT.dropped).reduce((sum, count) => sum + count, 0);
  return { slowPasses: counters[COUNT.slowPasses], dropped };
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** The trace from byte `from` on. V8 writes, among other lines:
 *
 *     [bailout (kind: …, reason: …): begin. deoptimizing … <JSFunction name (sfi = …)>, …
 *                 ;;; deoptimize at <file:///…/dist/dataplane/hit-path.js:70:44> …
 */
function deoptimisationsOf(file: string, from: number): Deoptimisation[] {
  if (sizeOf(file) <= from) return [];
  const [, ...bailouts] = readFileSync(file).subarray(from).toString('utf8').split('[bailout (kind: ');
  return bailouts.flatMap((text) => {
    const head = /^\S* reason: (.*?)\): begin\. .*?<JSFunction (\S*) ?\(sfi/.exec(text);
    const place = /deoptimize at <.*?\/dist\/(.*?)>/.exec(text);
    return head === null ? [] : [{ name: head[2], reason: head[1], at: place?.[1] ?? '' }];
  });
}

/** Does on purpose what must not happen. */
function misbehave(control: Control, packets: number): void {
  if (control === 'deoptimise') totalOf([0.5]);
  if (control === 'allocate') for (let i = 0; i < packets; i++) KEPT[i % BATCH] = { packet: i };
}

const KEPT: unknown[] = [];
const NUMBERS = new Int32Array(8);

/** Known to the optimiser with one kind of array only. */
function totalOf(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i];
  return total;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { packets: text, warm: text, load: text, control: text },
  });
  const loadOf = (value?: string): Load => (value === 'hits' ? 'hits' : 'everything');
  const { control } = values;
  const report = await steadyState({
    trace: positionals[0] ?? '',
    packets: Number(values.packets ?? 5_000_000),
    warm: loadOf(values.warm),
    load: loadOf(values.load),
    control: control === 'allocate' || control === 'deoptimise' ? control : 'none',
  });
  process.stdout.write(`${JSON.stringify(report)}\n`);
}
