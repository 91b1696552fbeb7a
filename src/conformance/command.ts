// The conformance command: reads the files, runs every case, prints a line per case and the totals, or one JSON object.
// Exit status: 0 no case failed, 1 a case failed, 2 bad arguments or files.

import { parseArgs } from 'node:util';
import { formatIssue } from '../control/issues.ts';
import { loadCaseFiles } from './load.ts';
import { runCase } from './run-case.ts';
import type { CaseResult } from './run-case.ts';

const USAGE = `Usage: npm run conformance -- [--json] FILE…

Runs conformance cases through the emulator. Each FILE is YAML and holds topologies: or cases: (or both);
all files are merged. Prints a line per case and the totals.

  --json   print one JSON object and nothing else on standard output
  --help   print this text

Exit status: 0 no case failed, 1 a case failed, 2 bad arguments or files.
`;

export interface CommandOutput {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Runs the command with its arguments; returns the exit status. */
export function runConformance(args: readonly string[], { out, err }: CommandOutput): number {
  const options = readArguments(args);
  if (options.help) {
    out(USAGE);
    return 0;
  }
  if (options.problem !== undefined) {
    err(`${options.problem}\n\n${USAGE}`);
    return 2;
  }
  const { topologies, cases, issues } = loadCaseFiles(options.files);
  if (issues.length > 0) {
    for (const issue of issues) err(`${formatIssue(issue)}\n`);
    return 2;
  }
  const results: CaseResult[] = [];
  for (const raw of cases) {
    const result = runCase(raw, topologies);
    results.push(result);
    if (!options.json) out(`${caseLine(result)}\n`);
  }
  const totals = summarise(results);
  if (options.json) out(`${JSON.stringify({ cases: results, ...totals })}\n`);
  else out(`${totals.passed} passed, ${totals.failed} failed, ${totals.notYet} not yet\n`);
  return totals.failed > 0 ? 1 : 0;
}

interface Options {
  readonly json: boolean;
  readonly help: boolean;
  readonly files: readonly string[];
  /** What is wrong with the arguments. */
  readonly problem?: string;
}

function readArguments(args: readonly string[]): Options {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean' }, help: { type: 'boolean' } },
    });
    const json = values.json ?? false;
    const help = values.help ?? false;
    if (positionals.length === 0) return { json, help, files: [], problem: 'no files given' };
    return { json, help, files: positionals };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { json: false, help: false, files: [], problem };
  }
}

function caseLine({ id, status, detail }: CaseResult): string {
  if (status === 'pass') return `ok ${id}`;
  return `${status === 'fail' ? 'FAIL' : 'not-yet'} ${id} ${detail}`;
}

/** Totals of a run, in the names of the JSON output. */
export function summarise(results: readonly CaseResult[]): {
  readonly passed: number;
  readonly failed: number;
  readonly notYet: number;
} {
  const count = (status: CaseResult['status']) => results.filter((result) => result.status === status).length;
  return { passed: count('pass'), failed: count('fail'), notYet: count('not-yet') };
}
