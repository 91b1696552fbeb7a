// Where a command writes: text for people and JSON on standard output, problems and progress on standard error. Long
// work shows progress on a terminal and stays quiet in a pipe.

import { styleText } from 'node:util';
import { formatIssue, type Issue } from '../control/issues.ts';

export interface Output {
  /** A line on standard output. */
  line(text: string): void;
  /** One JSON object on standard output. */
  json(value: unknown): void;
  /** A line on standard error. */
  problem(text: string): void;
  /** Replaces the progress line; nothing unless standard error is a terminal. */
  progress(text: string): void;
  /** Removes the progress line. */
  endProgress(): void;
  /** True when standard output is a terminal and colours are wanted. */
  readonly colours: boolean;
}

/** Output to this process's streams. */
export function processOutput(): Output {
  const isTerminal = process.stderr.isTTY;
  let shown = false;
  // A reader that has seen enough (`vnetem routes … | head`) closes the pipe: nothing is left to say.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
  const clear = (): void => {
    if (shown) process.stderr.write('\r\u001B[2K');
    shown = false;
  };
  return {
    line: (text) => {
      clear();
      process.stdout.write(`${text}\n`);
    },
    json: (value) => process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`),
    problem: (text) => {
      clear();
      process.stderr.write(`${text}\n`);
    },
    progress: (text) => {
      if (!isTerminal) return;
      const width = Math.max(20, (process.stderr.columns ?? 80) - 1);
      process.stderr.write(`\r\u001B[2K${text.slice(0, width)}`);
      shown = true;
    },
    endProgress: clear,
    colours: process.stdout.isTTY && process.env['NO_COLOR'] === undefined,
  };
}

/** Text in a colour where colours are wanted. */
export function paint(output: Output, style: 'green' | 'red' | 'yellow' | 'dim' | 'bold', text: string): string {
  return output.colours ? styleText(style, text) : text;
}

/** Prints issues, errors first as they stand in the input. */
export function printIssues(output: Output, issues: readonly Issue[]): void {
  for (const issue of issues) output.problem(formatIssue(issue));
}

/** Columns of text, padded; the last one is not. */
export function formatTable(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  return rows.map((row) =>
    row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('  '),
  );
}
