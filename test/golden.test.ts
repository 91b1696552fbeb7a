// Golden files: every shipped scenario gives the captures and counters of captures/, byte for byte, whatever forwards its
// packets. UPDATE_GOLDEN=1 writes them anew (as `npm run golden` does).

import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  countersText,
  goldenDirectory,
  runShipped,
  scenarioFile,
  scenarioNames,
  writeGolden,
} from '../scripts/golden.mjs';
import { loadScenario } from '../src/scenario/parse.ts';
import { runScenario } from '../src/scenario/run.ts';
import type { GoldenLibrary } from '../scripts/golden.mjs';
import type { ScenarioRun } from '../src/scenario/result.ts';

const BUILT = new URL('../dist/index.js', import.meta.url);
const GOLDEN_BYTES_MAX = 1024 * 1024;

const sources: GoldenLibrary = { loadScenario, runScenario };
const directories: string[] = [];

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

describe.each(scenarioNames())('golden files of %s', (name) => {
  beforeAll(async () => {
    if (process.env.UPDATE_GOLDEN === '1') await writeGolden(sources, name);
  });

  it('are what the scenario gives inline', async () => {
    const { differences } = await compareWithGolden(sources, name, 'inline');
    expect(differences).toEqual([]);
  });

  // Worker threads need JavaScript: they run the build, which `npm test` makes first.
  it.each([1, 2])('are what the scenario gives with %i worker threads', async (workers) => {
    const { differences, run } = await compareWithGolden(await built(), name, workers);
    expect(differences).toEqual([]);
    expect(run.workers).toBe(workers);
  });

  it('are small enough to keep', () => {
    const files = [...filesIn(goldenDirectory(name)).values()];
    expect(files.reduce((sum, bytes) => sum + bytes.length, 0)).toBeLessThan(GOLDEN_BYTES_MAX);
  });
});

it('runs two thousand connections of 4 KiB in less than ten seconds on worker threads', async () => {
  const library = await built();
  const { scenario } = library.loadScenario(scenarioFile('sqlmi-private-endpoint'));
  if (scenario === undefined) throw new Error('the scenario cannot be read');
  // The machine may be busy with other tests: the better of two runs counts.
  const durations: number[] = [];
  for (let attempt = 0; attempt < 2 && !durations.some((ms) => ms < 10_000); attempt++) {
    const run = await library.runScenario(scenario, { engine: 2 });
    expect(run.steps.at(-1)?.counts).toMatchObject({ established: 2000, bytes: 2000 * 4096 });
    durations.push(run.durationMs);
  }
  expect(Math.min(...durations)).toBeLessThan(10_000);
}, 60_000);

async function built(): Promise<GoldenLibrary> {
  expect(existsSync(BUILT), 'dist/ is missing: run npm run build').toBe(true);
  return (await import(BUILT.href)) as GoldenLibrary;
}

interface Comparison {
  readonly run: ScenarioRun;
  /** One line for each file that differs. */
  readonly differences: readonly string[];
}

async function compareWithGolden(library: GoldenLibrary, name: string, engine: 'inline' | number): Promise<Comparison> {
  const directory = mkdtempSync(join(tmpdir(), 'vnetem-golden-'));
  directories.push(directory);
  const run = await runShipped(library, name, directory, engine);
  const written = filesIn(directory).set('counters.json', Buffer.from(countersText(run)));
  const golden = filesIn(goldenDirectory(name));
  const files = [...new Set([...written.keys(), ...golden.keys()])];
  return { run, differences: files.flatMap((file) => difference(file, written.get(file), golden.get(file))) };
}

function difference(file: string, written: Buffer | undefined, golden: Buffer | undefined): string[] {
  if (written === undefined) return [`${file}: not written`];
  if (golden === undefined) return [`${file}: has no golden file`];
  if (written.equals(golden)) return [];
  if (file.endsWith('.json')) return [`${file}: ${lineDifference(written.toString(), golden.toString())}`];
  return [`${file}: differs from byte ${written.findIndex((byte, index) => byte !== golden[index])} on`];
}

function lineDifference(written: string, golden: string): string {
  const lines = golden.split('\n');
  const [index, line] = [...written.split('\n').entries()].find(([at, text]) => text !== lines[at]) ?? [
    lines.length,
    '',
  ];
  return `line ${index + 1} is '${line.trim()}', expected '${lines[index]?.trim() ?? ''}'`;
}

function filesIn(directory: string): Map<string, Buffer> {
  const names = existsSync(directory) ? readdirSync(directory).sort() : [];
  return new Map(names.map((file) => [file, readFileSync(join(directory, file))]));
}
