// Runs benchmarks: each case at each size in a process of its own, because code that another case has warmed
// differently costs up to nine times as much. A case that fails ends the run with its own words.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CASES, type BenchCase, type BenchRun } from './cases.ts';
import type { CaseStart } from './case-process.ts';
import type { BenchRow } from './figures.ts';

export interface BenchOptions {
  /** Ids, or what they begin with up to a slash; all when empty. */
  readonly only: readonly string[];
  readonly seed: number;
  /** Tiny sizes: shows that every case works, its figures mean nothing. */
  readonly smoke: boolean;
  /** Told before each case. */
  readonly onCase: (text: string) => void;
}

/** A case that did not come to its end. */
export class BenchFailure extends Error {
  override readonly name = 'BenchFailure';
}

/** Runs the selected cases in order; throws BenchFailure. */
export async function runBench(options: BenchOptions): Promise<BenchRow[]> {
  const { only, seed, smoke, onCase } = options;
  const rows: BenchRow[] = [];
  const selected = CASES.filter((benchCase) => isSelected(benchCase, only));
  const total = selected.reduce((sum, benchCase) => sum + sizesOf(benchCase, smoke).length, 0);
  let done = 0;
  for (const benchCase of selected) {
    const number = CASES.indexOf(benchCase);
    for (const [size, { text }] of sizesOf(benchCase, smoke).entries()) {
      onCase(`${++done}/${total} ${benchCase.title}: ${text}`);
      const found = await runInProcess(`${benchCase.name} (${text})`, { number, size, seed, smoke });
      rows.push(...found.filter((row) => only.length === 0 || only.some((id) => covers(id, row.id, benchCase.name))));
    }
  }
  return rows;
}

/** True when an id that a user gave means rows with this id. */
export function covers(given: string, id: string, caseName: string = id): boolean {
  return [id, caseName].some((name) => name === given || name.startsWith(`${given}/`));
}

function sizesOf(benchCase: BenchCase, smoke: boolean): readonly BenchRun[] {
  return smoke ? benchCase.smoke : benchCase.full;
}

function isSelected(benchCase: BenchCase, only: readonly string[]): boolean {
  if (only.length === 0) return true;
  return benchCase.ids.some((id) => only.some((given) => covers(given, id, benchCase.name)));
}

/** Lines of standard error that a failure quotes. */
const LINES_QUOTED = 6;

/** Runs one case at one size in a process of its own; `name` is what a failure calls it. Throws BenchFailure. */
export async function runInProcess(name: string, start: CaseStart): Promise<readonly BenchRow[]> {
  const entry = fileURLToPath(new URL('../../dist/bench/case-process.js', import.meta.url));
  if (!existsSync(entry)) throw new BenchFailure('dist/ is missing: run `npm run build` first');
  const child = spawn(process.execPath, [entry, JSON.stringify(start)], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { text: '', problems: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.text += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.problems += text));
  const status = await new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  if (status === 0) return JSON.parse(output.text) as BenchRow[];
  const problems = output.problems.trim().split('\n').slice(0, LINES_QUOTED).join('\n  ');
  throw new BenchFailure(`benchmark ${name} ended with ${status}\n  ${problems}`);
}
