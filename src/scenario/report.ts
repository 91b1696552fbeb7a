// A run as text for people: a line for each step, and under a failed one what was expected, what happened, and the
// trace of the packet that decided.

import { formatDuration } from './format/quantities.ts';
import type { RunCounters, ScenarioRun, StepResult } from './result.ts';

const STATUS_TEXT = { passed: 'ok', failed: 'FAIL', warning: 'warn', skipped: 'skip' } as const;

/** The lines of one step; more than one only when it did not pass. */
export function stepLines(step: StepResult): string[] {
  const name = step.name === undefined ? '' : `  (${step.name})`;
  const lines = [`${STATUS_TEXT[step.status].padEnd(4)} ${step.text}${name}${foundText(step)}`];
  if (step.status === 'passed' || step.status === 'skipped') return lines;
  lines.push(`     at ${step.source.file}:${step.source.line}:${step.source.column}`);
  if (step.problem !== undefined) lines.push(`     ${step.problem}`);
  for (const { key, expected, got } of step.mismatches) {
    lines.push(`     ${key}: expected ${expected}`, `     ${' '.repeat(key.length)}       got ${got}`);
  }
  return [...lines, ...step.trace.map((line) => `     | ${line}`)];
}

/** Totals of a run: steps, packets, drops by reason, time. */
export function summaryLines(run: ScenarioRun): string[] {
  const { counters } = run;
  const warnings = run.warnings === 0 ? '' : `, ${run.warnings} with warnings`;
  const engine = run.workers === 0 ? 'inline' : `${run.workers} worker${run.workers === 1 ? '' : 's'}`;
  const spent = `${formatDuration(run.virtualNs)} of virtual time in ${(run.durationMs / 1000).toFixed(2)} s`;
  const verdict = run.failed === 0 ? 'ok' : 'FAILED';
  return [
    `${verdict}: ${run.passed} of ${run.steps.length} steps passed${warnings}; ${spent}, ${engine}, seed ${run.seed}`,
    `packets: ${countersText(counters)}`,
    ...run.captures.map((capture) => `capture: ${capture.file} (${capture.packets} packets)`),
  ];
}

/** The whole run: its name, its steps and its totals. */
export function reportLines(run: ScenarioRun): string[] {
  return [`# ${run.name}`, ...run.steps.flatMap(stepLines), ...summaryLines(run)];
}

function foundText(step: StepResult): string {
  const counts = Object.entries(step.counts).map(([key, value]) => `${key} ${value}`);
  const found = [step.result, step.verdict, ...(step.action === 'load' || step.action === 'wait' ? counts : [])];
  const text = found.filter((part) => part !== undefined).join(', ');
  return text === '' ? '' : `: ${text}`;
}

function countersText(counters: RunCounters): string {
  const dropped = Object.entries(counters.dropped).map(([reason, count]) => `${count} ${reason}`);
  const parts = [
    `${counters.received} received`,
    `${counters.delivered} delivered`,
    `${counters.exited} exited`,
    `${counters.consumed} consumed`,
    `dropped ${dropped.length === 0 ? 'none' : dropped.join(', ')}`,
  ];
  if (counters.originated > 0) parts.push(`${counters.originated} from the fabric`);
  if (counters.linkLost > 0) parts.push(`${counters.linkLost} lost on links`);
  if (counters.linkDuplicated > 0) parts.push(`${counters.linkDuplicated} duplicated on links`);
  const guests = Object.entries(counters.guestDropped).map(([reason, count]) => `${count} ${reason}`);
  if (guests.length > 0) parts.push(`dropped by guests ${guests.join(', ')}`);
  return parts.join(', ');
}
