// What a run of a scenario found: one result for each step, totals, and the captures it wrote.

import type { Issue } from '../control/issues.ts';
import type { SourceLocation } from '../control/model/resources.ts';
import type { CountKey, Mismatch } from './expectations.ts';
import type { ResultName } from './format/expectation-schema.ts';
import type { ActionName } from './format/step-schemas.ts';

export type StepStatus = 'passed' | 'failed' | 'warning' | 'skipped';

export interface StepResult {
  /** From 1. */
  readonly number: number;
  readonly action: ActionName;
  readonly name?: string;
  readonly text: string;
  readonly source: SourceLocation;
  /** `passed` also for a step without expectation that ran; `skipped` after the run had to stop. */
  readonly status: StepStatus;
  readonly result?: ResultName;
  /** Verdict on the packet that decided, as captures say it. */
  readonly verdict?: string;
  readonly counts: Readonly<Partial<Record<CountKey, number>>>;
  readonly packets?: number;
  readonly delivered?: number;
  readonly dropped?: number;
  readonly mismatches: readonly Mismatch[];
  /** Why the step could not run at all. */
  readonly problem?: string;
  /** Trace of the deciding packet, line by line; only when the step did not pass. */
  readonly trace: readonly string[];
  readonly startNs: number;
  readonly endNs: number;
}

export interface CaptureWritten {
  /** The point, or undefined for the merged file. */
  readonly point?: string;
  readonly file: string;
  readonly packets: number;
}

/** Totals of the fabric and of what stands around it. */
export interface RunCounters {
  readonly received: number;
  readonly originated: number;
  readonly duplicated: number;
  readonly delivered: number;
  readonly exited: number;
  readonly consumed: number;
  /** By reason, only those that occurred. */
  readonly dropped: Readonly<Record<string, number>>;
  readonly inFlight: number;
  readonly linkLost: number;
  readonly linkDuplicated: number;
  /** Packets that guests dropped, by name. */
  readonly guestDropped: Readonly<Record<string, number>>;
  readonly tapsLost: number;
}

export interface ScenarioRun {
  readonly name: string;
  readonly file: string;
  readonly steps: readonly StepResult[];
  /** Steps by status; `passed` of the whole run is `failed === 0`. */
  readonly passed: number;
  readonly failed: number;
  readonly warnings: number;
  readonly counters: RunCounters;
  readonly captures: readonly CaptureWritten[];
  /** Wall clock, milliseconds. */
  readonly durationMs: number;
  readonly virtualNs: number;
  readonly seed: number;
  /** 0: inline. */
  readonly workers: number;
  /** Warnings about the inputs. */
  readonly issues: readonly Issue[];
}
