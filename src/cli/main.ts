#!/usr/bin/env node
// The vnetem command: finds the command, runs it, turns errors into messages and exit statuses.

import { InputError } from '../control/issues.ts';
import { suggest } from '../control/input/suggestions.ts';
import { UsageError, helpOf, parseCommandLine } from './args.ts';
import type { Command } from './command.ts';
import { bench } from './commands/bench.ts';
import { explain } from './commands/explain.ts';
import { init } from './commands/init.ts';
import { routes } from './commands/routes.ts';
import { rules } from './commands/rules.ts';
import { run } from './commands/run.ts';
import { validate } from './commands/validate.ts';
import { EXIT_BAD_INPUT, EXIT_BUG, EXIT_OK } from './exit.ts';
import { version } from './input.ts';
import { printIssues, processOutput, type Output } from './output.ts';

const COMMANDS: readonly Command[] = [init, run, explain, validate, routes, rules, bench];

/** Runs one command line; returns the exit status. */
export async function main(args: readonly string[], output: Output): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === 'help') {
    output.line(overview());
    return name === undefined ? EXIT_BAD_INPUT : EXIT_OK;
  }
  if (name === '--version') {
    output.line(version());
    return EXIT_OK;
  }
  try {
    const command = findCommand(name);
    const parsed = parseCommandLine(command.spec, rest);
    if (parsed.flag('help')) {
      output.line(helpOf(command.spec));
      return EXIT_OK;
    }
    return await command.run(parsed, output);
  } catch (error) {
    output.endProgress();
    return report(error, rest.includes('--json'), output);
  }
}

function findCommand(name: string): Command {
  const found = COMMANDS.find((command) => command.spec.name === name);
  if (found !== undefined) return found;
  const names = COMMANDS.map((command) => command.spec.name);
  const near = suggest(name, names);
  throw new UsageError(
    `unknown command '${name}'`,
    near === undefined ? `commands: ${names.join(', ')}` : `did you mean '${near}'?`,
  );
}

function overview(): string {
  const width = Math.max(...COMMANDS.map(({ spec }) => spec.name.length)) + 2;
  return [
    'usage: vnetem COMMAND …',
    '',
    'Runs real frames through Azure-style virtual networks, on this machine, without a subscription.',
    '',
    ...COMMANDS.map(({ spec }) => `  ${spec.name.padEnd(width)}${spec.summary}`),
    '',
    "'vnetem COMMAND --help' shows the options of one command; 'vnetem --version' the version.",
  ].join('\n');
}

function report(error: unknown, isJson: boolean, output: Output): number {
  if (error instanceof InputError) {
    if (isJson) output.json({ valid: false, issues: error.issues });
    else printIssues(output, error.issues);
    return EXIT_BAD_INPUT;
  }
  if (error instanceof UsageError) {
    output.problem(`error USAGE: ${error.message}\n  hint: ${error.hint}`);
    return EXIT_BAD_INPUT;
  }
  if (isSystemError(error)) {
    output.problem(`error ${error.code}: ${error.message}\n  hint: check the path and its permissions`);
    return EXIT_BAD_INPUT;
  }
  output.problem(`bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  output.problem('This is a bug of vnetem. Please report it with the input that shows it.');
  return EXIT_BUG;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string';
}

process.exitCode = await main(process.argv.slice(2), processOutput());
