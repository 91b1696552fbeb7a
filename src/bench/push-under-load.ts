// Pushes under load: a worker forwards as fast as it can while control pushes a program whose rules are all others. The
// figure is the throughput of the second that begins with the push, as a share of that of the undisturbed quarters
// before and behind it. Control compiles beforehand; it checks, encodes and sends on its own thread, as the engine.

import { setTimeout as sleep } from 'node:timers/promises';
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { checkProgram } from '../abi/program-check.ts';
import { encodeProgram } from '../abi/program.ts';
import { CONTROL, attachRegions } from '../abi/regions.ts';
import { compileNetwork, createRegistry } from '../control/compile/compile.ts';
import type { Compiled } from '../control/compile/compiled.ts';
import { readNetworkValue } from '../control/input/read.ts';
import { hasErrors, InputError } from '../control/issues.ts';
import { behaviourOf } from '../control/model/profile.ts';
import type { Network } from '../control/model/resources.ts';
import type { WorkerCommand } from '../dataplane/commands.ts';
import { WINDOW, benchRow, round, type BenchRow } from './figures.ts';
import { benchTopology } from './network.ts';
import {
  GATED,
  GATE_PORT_FIRST,
  deniesGated,
  type PushLaneReady,
  type PushLaneReport,
  type PushLaneStart,
} from './push-contract.ts';
import { networkSize } from './traffic.ts';

export interface PushOptions {
  /** `new connections`: rules changed, established flows keep their paths. `all flows`: the groups have
   * flushConnection, every flow asks the new rules with its next packet. */
  readonly asked: 'new connections' | 'all flows';
  readonly flows: number;
  /** Rules of each of the two groups, and prefixes in each. */
  readonly rules: number;
  readonly prefixes: number;
  /** Pushes behind the first, which stands apart: it runs code that nothing has run before. */
  readonly pushes: number;
  /** The "second" of the figure, milliseconds; less than 1,000 only where the figure does not matter. */
  readonly secondMs: number;
  readonly seed: number;
}

/** Throws when a packet was lost or misjudged. Runs on the built code: a worker thread cannot load TypeScript. */
export async function pushUnderLoad(options: PushOptions): Promise<BenchRow[]> {
  const { asked, flows, rules, prefixes, secondMs, seed } = options;
  const { outcome, lost, misjudged, ...report } = await playPushes(options);
  if (lost > 0 || misjudged > 0) throw new Error(`pushes under load: ${lost} packets lost, ${misjudged} misjudged`);
  const { windows, shares, stallMs, quietGapMs } = analyse(report, secondMs);
  const [first, ...others] = shares;
  const sorted = others.toSorted((a, b) => a - b);
  const extra = {
    sharePercent: round(100 * sorted[sorted.length >> 1]),
    worstSharePercent: round(100 * sorted[0]),
    firstSharePercent: round(100 * first),
    loadMs: round(Math.max(...report.pushes.map((push) => push.loadMs))),
    stallMs: round(stallMs),
    quietGapMs: round(quietGapMs),
    lost,
    misjudged,
  };
  return [benchRow('push-under-load', { asked, flows, rules, prefixes, seed }, windows, outcome, { extra })];
}

/** Undisturbed time on each side of a second, as a share of it. */
const QUIET = 0.25;

async function playPushes(options: PushOptions): Promise<PushLaneReport> {
  const { flows, seed, pushes, secondMs } = options;
  const asksAgain = options.asked === 'all flows';
  const programs = compilePrograms(options, asksAgain);
  const [first] = programs;
  const { port1, port2 } = new MessageChannel();
  const start: PushLaneStart = {
    compiled: first,
    program: encodeProgram(first.program),
    flows,
    seed,
    asksAgain,
    commands: port2,
  };
  const worker = new Worker(new URL('../../dist/bench/push-lane.js', import.meta.url), {
    workerData: start,
    transferList: [port2],
  });
  try {
    const { buffer, sizes } = await messageOf<PushLaneReady>(worker);
    const { control } = attachRegions(buffer, sizes);
    for (let push = 0; push <= pushes; push++) {
      await sleep((1 + QUIET) * secondMs);
      const { program } = programs[push + 1];
      checkProgram(program);
      const bytes = encodeProgram(program).slice();
      send(port1, control, { kind: 'push', program: bytes }, [bytes.buffer]);
    }
    await sleep((1 + 2 * QUIET) * secondMs);
    const report = messageOf<PushLaneReport>(worker);
    send(port1, control, { kind: 'stop' });
    return await report;
  } finally {
    port1.close();
    await worker.terminate();
  }
}

/** The first program and one per push, each compiled as a change of the one before. */
function compilePrograms(options: PushOptions, asksAgain: boolean): Compiled[] {
  const registry = createRegistry();
  const networks = [false, true].map((denies) => networkOf(options, asksAgain, denies));
  const programs: Compiled[] = [];
  for (let epoch = 1; epoch <= options.pushes + 2; epoch++) {
    const network = networks[deniesGated(epoch) ? 1 : 0];
    const previous = programs.at(-1);
    programs.push(compileNetwork(network, behaviourOf(), { epoch, registry, ...(previous && { previous }) }));
  }
  return programs;
}

/** The benchmark's network with other random rules in each variant, and the gate rule in front of the one that lets
 * everything pass. */
function networkOf(options: PushOptions, asksAgain: boolean, denies: boolean): Network {
  const size = networkSize({ ...options, rules: options.rules - 1, seed: options.seed + (denies ? 100 : 0) });
  const topology = benchTopology(size);
  const groups = topology['networkSecurityGroups'] as Record<string, { rules: object[]; flushConnection?: boolean }>;
  if (asksAgain) for (const group of Object.values(groups)) group.flushConnection = true;
  groups['client-nsg'].rules.push({
    name: 'Gate',
    priority: 100 + size.rules - 1,
    direction: 'Outbound',
    access: denies ? 'Deny' : 'Allow',
    protocol: 'Tcp',
    sourcePorts: [`${GATE_PORT_FIRST}-${GATE_PORT_FIRST + GATED - 1}`],
  });
  const { network, issues } = readNetworkValue(topology, 'bench');
  if (network === undefined || hasErrors(issues)) throw new InputError(issues);
  return network;
}

function send(port: MessagePort, control: Int32Array, command: WorkerCommand, transfer: ArrayBuffer[] = []): void {
  port.postMessage(command, transfer);
  Atomics.add(control, CONTROL.commands, 1);
}

function messageOf<T>(worker: Worker): Promise<T> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

interface Analysis {
  /** Nanoseconds per packet of the windows in disturbed seconds. */
  readonly windows: readonly number[];
  /** Disturbed by undisturbed throughput, per push. */
  readonly shares: readonly number[];
  /** Longest time between two batches in disturbed and in undisturbed time. */
  readonly stallMs: number;
  readonly quietGapMs: number;
}

function analyse(report: Pick<PushLaneReport, 'endMs' | 'gapMs' | 'pushes'>, secondMs: number): Analysis {
  const { endMs, gapMs, pushes } = report;
  const windows: number[] = [];
  const shares: number[] = [];
  let stallMs = 0;
  let quietGapMs = 0;
  for (const { beginMs: begin } of pushes) {
    const end = begin + secondMs;
    let disturbed = 0;
    let quiet = 0;
    for (let i = 1; i < endMs.length; i++) {
      const from = endMs[i - 1];
      const to = endMs[i];
      const gap = gapMs[i];
      const inside = overlap(from, to, begin, end) / (to - from);
      const around = overlap(from, to, begin - QUIET * secondMs, end + QUIET * secondMs) / (to - from) - inside;
      disturbed += inside * WINDOW;
      quiet += around * WINDOW;
      if (inside > 0) stallMs = Math.max(stallMs, gap);
      else if (around > 0) quietGapMs = Math.max(quietGapMs, gap);
      if (inside === 1) windows.push(((to - from) * 1e6) / WINDOW);
    }
    shares.push(disturbed / (quiet / (2 * QUIET)));
  }
  return { windows, shares, stallMs, quietGapMs };
}

function overlap(from: number, to: number, begin: number, end: number): number {
  return Math.max(0, Math.min(to, end) - Math.max(from, begin));
}
