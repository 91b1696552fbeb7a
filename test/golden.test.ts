// Golden files: every shipped scenario gives the captures and counters of captures/, byte for byte, whatever forwards its
// packets. UPDATE_GOLDEN=1 writes them anew (as `npm run golden` does).

import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { countersText, goldenDirectory, runShipped, scenarioNames, writeGolden } from '../scripts/golden.mjs';
import { loadScenario } from '../src/scenario/parse.ts';
import { runScenario } from '../src/scenario/run.ts';
import type { GoldenLibrary } from '../scripts/golden.mjs';

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
    await expectGolden(sources, name, 'inline');
  });

  // Worker threads need JavaScript: they run the build, which `npm test` makes first.
  it.each([1, 2])('are what the scenario gives with %i worker threads', async (workers) => {
    expect(existsSync(BUILT), 'dist/ is missing: run npm run build').toBe(true);
    await expectGolden((await import(BUILT.href)) as GoldenLibrary, name, workers);
  });

  it('are small enough to keep', () => {
    const files = [...filesIn(goldenDirectory(name)).values()];
    expect(files.reduce((sum, bytes) => sum + bytes.length, 0)).toBeLessThan(GOLDEN_BYTES_MAX);
  });
});

async function expectGolden(library: GoldenLibrary, name: string, engine: 'inline' | number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'vnetem-golden-'));
  directories.push(directory);
  const run = await runShipped(library, name, directory, engine);
  const golden = filesIn(goldenDirectory(name));
  expect(countersText(run)).toBe(golden.get('counters.json')?.toString());
  golden.delete('counters.json');
  const written = filesIn(directory);
  expect([...written.keys()]).toEqual([...golden.keys()]);
  for (const [file, bytes] of written) {
    const expected = golden.get(file) as Buffer;
    const at = bytes.findIndex((byte, index) => byte !== expected[index]);
    expect(bytes.equals(expected), `${name}/${file} differs from byte ${at} on`).toBe(true);
  }
}

function filesIn(directory: string): Map<string, Buffer> {
  const names = existsSync(directory) ? readdirSync(directory).sort() : [];
  return new Map(names.map((file) => [file, readFileSync(join(directory, file))]));
}
