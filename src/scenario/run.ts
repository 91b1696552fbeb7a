// Runs a scenario: starts the network on an engine, runs the steps in virtual time, judges each, writes captures, and
// adds everything up. The same scenario and seed give the same results and bytes, whatever the engine.

import { mkdirSync } from 'node:fs';
import { dropName } from '../abi/drop-reasons.ts';
import { CaptureSession } from '../control/capture/capture-session.ts';
import { capturePoints } from '../control/capture/points.ts';
import { createPointSelector } from '../control/capture/point-selection.ts';
import { slotBytesFor } from '../control/engine/frame-size.ts';
import { createInlineEngine } from '../control/engine/inline-engine.ts';
import { startWorkerEngine } from '../control/engine/worker-engine.ts';
import { verdictText } from '../control/diagnose/verdict-text.ts';
import { judge } from './expectations.ts';
import { captureNames } from './capture-names.ts';
import { traceOfPass } from './observation.ts';
import { Session, StepProblem } from './session.ts';
import { createSimulation } from './simulation/simulation.ts';
import { attachmentOf, runStep } from './steps/index.ts';
import { passesText } from './trace-text.ts';
import type { TapSelection } from '../control/compile/compile.ts';
import type { SideTable } from '../control/compile/compiled.ts';
import type { Counters, Engine, EngineOptions } from '../control/engine/engine.ts';
import type { Facts } from './expectations.ts';
import type { CaptureWritten, RunCounters, ScenarioRun, StepResult } from './result.ts';
import type { ParsedScenario, ParsedStep } from './scenario.ts';
import type { Simulation } from './simulation/simulation-api.ts';

export interface RunOptions {
  /** `inline`, or a number of worker threads; default inline. */
  readonly engine?: 'inline' | number;
  /** Default: that of the scenario. */
  readonly seed?: number;
  /** Where captures go; without it none are written. */
  readonly capturesDirectory?: string;
  /** Told of each step as it ends. */
  readonly onStep?: (step: StepResult, total: number) => void;
}

/** Runs a scenario to its end. Throws only for bugs and for a directory that cannot be written. */
export async function runScenario(scenario: ParsedScenario, options: RunOptions = {}): Promise<ScenarioRun> {
  const startedMs = performance.now();
  const seed = options.seed ?? scenario.seed;
  const capture = openCapture(scenario, options.capturesDirectory);
  const engine = await startEngine(options.engine ?? 'inline', engineOptions(scenario));
  try {
    const taps = capture === undefined ? 'none' : tapsFor(scenario);
    const simulation = createSimulation({
      network: scenario.network,
      behaviour: scenario.behaviour,
      engine,
      seed,
      hosts: scenario.hosts,
      taps,
      ...(capture === undefined ? {} : { capture }),
    });
    const steps = runSteps(scenario, simulation, seed, options);
    simulation.checkBalance();
    const totals = engine.counters();
    capture?.noteLost(totals.tapsLost);
    const summary = await capture?.close();
    return {
      name: scenario.name,
      file: scenario.file,
      steps,
      passed: countOf(steps, 'passed'),
      failed: countOf(steps, 'failed'),
      warnings: countOf(steps, 'warning'),
      counters: runCounters(totals, simulation),
      captures: (summary?.files ?? []).map((file): CaptureWritten => ({
        ...(file.point === undefined ? {} : { point: file.point }),
        file: file.path,
        packets: file.frames,
      })),
      durationMs: performance.now() - startedMs,
      virtualNs: simulation.now(),
      seed,
      workers: engine.workers,
      issues: scenario.warnings,
    };
  } finally {
    await engine.close();
  }
}

function runSteps(scenario: ParsedScenario, simulation: Simulation, seed: number, options: RunOptions): StepResult[] {
  const session = new Session(simulation, seed);
  for (const [name, settings] of Object.entries(scenario.links)) {
    simulation.setLink(attachmentOf(session, name), settings);
  }
  const results: StepResult[] = [];
  for (const [index, step] of scenario.steps.entries()) {
    const result = runOne(session, step, index + 1);
    results.push(result);
    options.onStep?.(result, scenario.steps.length);
  }
  // What still runs in the background counts in the totals and captures, whether or not a step waited for it.
  for (const load of session.loads.values()) load.finish();
  simulation.runWhile(() => simulation.framesInFlight() > 0);
  return results;
}

function runOne(session: Session, step: ParsedStep, number: number): StepResult {
  const { simulation } = session;
  const startNs = simulation.now();
  const base = {
    number,
    action: step.action,
    ...(step.name === undefined ? {} : { name: step.name }),
    text: step.text,
    source: step.source,
    startNs,
  };
  let facts: Facts;
  try {
    facts = runStep(session, step);
  } catch (error) {
    if (!(error instanceof StepProblem)) throw error;
    const status = step.level === 'warning' ? 'warning' : 'failed';
    const problem = error.message;
    return { ...base, status, problem, counts: {}, mismatches: [], trace: [], endNs: simulation.now() };
  }
  return { ...base, ...judgeStep(step, facts), endNs: simulation.now() };
}

type Judgement = Omit<StepResult, 'number' | 'action' | 'name' | 'text' | 'source' | 'startNs' | 'endNs'>;

function judgeStep(step: ParsedStep, facts: Facts): Judgement {
  const { observation, passes, result, counts } = facts;
  const mismatches = step.expect === undefined ? [] : judge(step.expect, facts);
  const problem = refusalProblem(step, facts);
  const isMet = mismatches.length === 0 && problem === undefined;
  const last = passes?.at(-1);
  return {
    status: isMet ? 'passed' : step.level === 'warning' ? 'warning' : 'failed',
    ...(result === undefined ? {} : { result }),
    ...(last === undefined ? {} : { verdict: verdictText(traceOfPass(last)) }),
    counts,
    ...(observation === undefined
      ? {}
      : { packets: observation.packets, delivered: observation.delivered, dropped: observation.dropped }),
    mismatches,
    ...(problem === undefined ? {} : { problem }),
    trace: isMet ? [] : passesText(passes ?? []),
  };
}

// A change that nobody expected to be refused is a failed step.
function refusalProblem(step: ParsedStep, facts: Facts): string | undefined {
  const [issue] = facts.refused ?? [];
  if (issue === undefined || step.expect?.refused !== undefined) return undefined;
  return `refused ${issue.code}: ${issue.message} (${issue.hint})`;
}

async function startEngine(kind: 'inline' | number, options: EngineOptions): Promise<Engine> {
  return kind === 'inline' ? createInlineEngine(options) : await startWorkerEngine(kind, options);
}

/** Connections that the flow tables are sized for: what the loads of the scenario open, and room for the rest. */
function engineOptions(scenario: ParsedScenario): EngineOptions {
  const loads = scenario.steps.map((step) => (step.action === 'load' ? step.value.connections : 0));
  const connections = loads.reduce((sum, count) => sum + count, 0);
  const snapLength = scenario.captures === false ? undefined : scenario.captures.snapLength;
  return {
    slotBytes: slotBytesFor(scenario.network),
    connectionsMax: Math.max(CONNECTIONS_LEAST, CONNECTION_RECORDS * connections),
    ...(snapLength === undefined ? {} : { snapLength }),
  };
}

const CONNECTIONS_LEAST = 4096;
/** A connection through an appliance crosses the fabric twice, and old ones linger until they are idle. */
const CONNECTION_RECORDS = 4;

function openCapture(scenario: ParsedScenario, directory: string | undefined): CaptureSession | undefined {
  const { captures, network } = scenario;
  if (captures === false || directory === undefined) return undefined;
  mkdirSync(directory, { recursive: true });
  const { points, merged, format, snapLength, filter } = captures;
  return new CaptureSession({
    directory,
    names: captureNames(network),
    ...(points === undefined ? {} : { points }),
    ...(merged === undefined ? {} : { merged }),
    ...(format === undefined ? {} : { format }),
    ...(snapLength === undefined ? {} : { snapLength }),
    ...(filter === undefined ? {} : { filter }),
  });
}

function tapsFor(scenario: ParsedScenario): TapSelection {
  const { captures, compiled } = scenario;
  if (captures === false) return 'none';
  return captures.points === undefined ? 'all' : tapsOfPoints(captures.points, compiled.sideTable);
}

// A point belongs to an attachment or to the consumer side of an endpoint; both are named by their owner.
function tapsOfPoints(patterns: readonly string[], sideTable: SideTable): TapSelection {
  const isWanted = createPointSelector(patterns);
  const wanted = capturePoints(sideTable).filter(isWanted);
  const consumers = wanted.filter((point) => point.name.endsWith('.consumer'));
  const others = wanted.filter((point) => !point.name.endsWith('.consumer'));
  return {
    attachments: new Set(others.map((point) => point.owner)),
    endpoints: new Set(consumers.map((point) => point.owner)),
  };
}

function runCounters(totals: Counters, simulation: Simulation): RunCounters {
  const { received, originated, duplicated, delivered, exited, consumed, inFlight, tapsLost } = totals;
  const dropped = totals.dropped.flatMap((count, code) => (count > 0 ? [[dropName(code), count] as const] : []));
  const { lost, duplicated: linkDuplicated } = simulation.linkTotals();
  return {
    received,
    originated,
    duplicated,
    delivered,
    exited,
    consumed,
    dropped: Object.fromEntries(dropped),
    inFlight,
    linkLost: lost,
    linkDuplicated,
    guestDropped: Object.fromEntries([...simulation.guestDrops()].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    tapsLost,
  };
}

function countOf(steps: readonly StepResult[], status: StepResult['status']): number {
  return steps.filter((step) => step.status === status).length;
}
