// Types of golden.mjs, for the tests.

import type { loadScenario } from '../src/scenario/parse.ts';
import type { runScenario } from '../src/scenario/run.ts';
import type { ScenarioRun } from '../src/scenario/result.ts';

/** What golden.mjs needs of vnetem: the sources or the built package. */
export interface GoldenLibrary {
  readonly loadScenario: typeof loadScenario;
  readonly runScenario: typeof runScenario;
}

export function scenarioNames(): string[];
export function scenarioFile(name: string): string;
export function goldenDirectory(name: string): string;
export function runShipped(
  library: GoldenLibrary,
  name: string,
  directory: string,
  engine: 'inline' | number,
): Promise<ScenarioRun>;
export function countersText(run: ScenarioRun): string;
export function writeGolden(library: GoldenLibrary, name: string): Promise<ScenarioRun>;
