// Golden files: runs every shipped scenario on the calling thread and keeps, for each, its captures and `counters.json`
// in captures/. The test test/golden.test.ts runs them again and compares. `npm run golden` builds and calls this.

import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Folders of the shipped scenarios, in alphabetical order. */
export function scenarioNames() {
  const entries = readdirSync(join(ROOT, 'scenarios'), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

export function scenarioFile(name) {
  return join(ROOT, 'scenarios', name, 'scenario.yaml');
}

export function goldenDirectory(name) {
  return join(ROOT, 'captures', name);
}

/** Runs a shipped scenario with its captures in `directory`; `library` is vnetem, `engine` 'inline' or a number. */
export async function runShipped(library, name, directory, engine) {
  const { scenario, issues } = library.loadScenario(scenarioFile(name));
  if (scenario === undefined) {
    const lines = issues.map((issue) => `${issue.code} ${issue.source?.line ?? ''}: ${issue.message}`);
    throw new Error(`scenario ${name} cannot be read:\n${lines.join('\n')}`);
  }
  return library.runScenario(scenario, { engine, capturesDirectory: directory });
}

/** What a run counted, without anything that depends on the machine; the text of `counters.json`. */
export function countersText(run) {
  const counters = {
    name: run.name,
    seed: run.seed,
    virtualNs: run.virtualNs,
    fabric: run.counters,
    captured: Object.fromEntries(run.captures.map(({ file, packets }) => [basename(file), packets])),
    steps: run.steps.map((step) => ({
      step: step.text,
      ...(step.name === undefined ? {} : { name: step.name }),
      status: step.status,
      ...(step.result === undefined ? {} : { result: step.result }),
      ...(step.verdict === undefined ? {} : { verdict: step.verdict }),
      ...step.counts,
      ...(step.packets === undefined
        ? {}
        : { packets: step.packets, delivered: step.delivered, dropped: step.dropped }),
    })),
  };
  return `${JSON.stringify(counters, null, 2)}\n`;
}

/** Runs a shipped scenario inline and replaces its golden files. */
export async function writeGolden(library, name) {
  const directory = goldenDirectory(name);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const run = await runShipped(library, name, directory, 'inline');
  writeFileSync(join(directory, 'counters.json'), countersText(run));
  return run;
}

async function main() {
  const library = await import('../dist/index.js');
  for (const name of scenarioNames()) {
    const run = await writeGolden(library, name);
    const packets = run.captures.reduce((sum, capture) => sum + capture.packets, 0);
    const steps = `${run.passed} of ${run.steps.length} steps`;
    console.log(
      `${name}: ${steps}, ${run.captures.length} captures, ${packets} packets, ${Math.round(run.durationMs)} ms`,
    );
    if (run.failed > 0) process.exitCode = 1;
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) await main();
