// Runs as JUnit XML, the form that build servers read: one suite for each scenario, one case for each step.

import type { ScenarioRun, StepResult } from './result.ts';

/** A whole JUnit document. A failed step is a failure; a step that could not run is an error. */
export function junitXml(runs: readonly ScenarioRun[]): string {
  const suites = runs.map(suiteXml).join('');
  const steps = runs.flatMap((run) => run.steps);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${totals(steps)}>\n${suites}</testsuites>\n`;
}

function suiteXml(run: ScenarioRun): string {
  const cases = run.steps.map((step) => caseXml(run, step)).join('');
  const attributes = `name="${escapeXml(run.name)}" ${totals(run.steps)} time="${seconds(run.durationMs * 1e6)}"`;
  return `  <testsuite ${attributes}>\n${cases}  </testsuite>\n`;
}

// The time of a step is virtual: wall time per step says nothing about the network.
function caseXml(run: ScenarioRun, step: StepResult): string {
  const title = `${step.number}. ${step.name ?? step.text}`;
  const place = `file="${escapeXml(step.source.file)}" line="${step.source.line}"`;
  const time = seconds(step.endNs - step.startNs);
  const head = `    <testcase name="${escapeXml(title)}" classname="${escapeXml(run.name)}" ${place} time="${time}"`;
  const body = bodyXml(step);
  return body === '' ? `${head}/>\n` : `${head}>\n${body}    </testcase>\n`;
}

function bodyXml(step: StepResult): string {
  const differences = step.mismatches.map(({ key, expected, got }) => `${key}: expected ${expected}, got ${got}`);
  const message = escapeXml(step.problem ?? differences[0] ?? '');
  const details = escapeXml([...differences, ...step.trace].join('\n'));
  if (step.status === 'passed') return '';
  if (step.status === 'skipped') return '      <skipped/>\n';
  if (step.status === 'warning') return `      <system-out>warning: ${message}\n${details}</system-out>\n`;
  const element = step.problem === undefined ? 'failure' : 'error';
  return `      <${element} message="${message}">${details}</${element}>\n`;
}

function totals(steps: readonly StepResult[]): string {
  const failures = steps.filter((step) => step.status === 'failed' && step.problem === undefined).length;
  const errors = steps.filter((step) => step.status === 'failed' && step.problem !== undefined).length;
  const skipped = steps.filter((step) => step.status === 'skipped').length;
  return `tests="${steps.length}" failures="${failures}" errors="${errors}" skipped="${skipped}"`;
}

function seconds(ns: number): string {
  return (ns / 1e9).toFixed(6);
}

/** Text as XML character data or attribute value; characters that XML 1.0 cannot hold become U+FFFD. */
function escapeXml(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\n', '&#10;');
}
