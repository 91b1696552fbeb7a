// Command-line arguments: one declaration per command yields parsing, the help text and the errors. Built on
// node:util's parseArgs; a wrong option is a usage error with the nearest option as a hint.

import { parseArgs } from 'node:util';
import { suggest } from '../control/input/suggestions.ts';

export interface OptionSpec {
  readonly name: string;
  readonly kind: 'flag' | 'value' | 'list';
  /** Placeholder in the help text, e.g. `FILE`. */
  readonly value?: string;
  readonly text: string;
}

export interface CommandSpec {
  readonly name: string;
  /** What follows the command's name, e.g. `SCENARIO…`. */
  readonly operands: string;
  readonly summary: string;
  /** Further lines of the help text. */
  readonly details?: readonly string[];
  readonly options: readonly OptionSpec[];
  readonly operandsMin: number;
  readonly operandsMax: number;
}

export interface ParsedArgs {
  readonly operands: readonly string[];
  flag(name: string): boolean;
  value(name: string): string | undefined;
  list(name: string): readonly string[];
}

/** The user called a command wrongly: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly hint: string;
  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

export const HELP: OptionSpec = { name: 'help', kind: 'flag', text: 'show this text' };
export const JSON_OUTPUT: OptionSpec = { name: 'json', kind: 'flag', text: 'print one JSON object on standard output' };

/** Parses the arguments of one command; throws UsageError. */
export function parseCommandLine(spec: CommandSpec, args: readonly string[]): ParsedArgs {
  const known = new Map([...spec.options, HELP].map((option) => [option.name, option]));
  for (const arg of args) {
    if (arg === '--') break;
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (name === undefined ? /^-[^-]/.test(arg) : !known.has(name)) throw unknownOption(spec, arg, [...known.keys()]);
  }
  const options = Object.fromEntries(
    [...known.values()].map((option) => [
      option.name,
      { type: option.kind === 'flag' ? ('boolean' as const) : ('string' as const), multiple: option.kind === 'list' },
    ]),
  );
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(firstSentence(error), `see 'vnetem ${spec.name} --help'`);
  }
  const { values, positionals } = parsed;
  if (values['help'] !== true) checkOperands(spec, positionals);
  return {
    operands: positionals,
    flag: (name) => values[name] === true,
    value: (name) => (typeof values[name] === 'string' ? values[name] : undefined),
    list: (name) => (Array.isArray(values[name]) ? values[name].map(String) : []),
  };
}

/** A whole number option within a range; throws UsageError. */
export function numberOption(args: ParsedArgs, name: string, low: number, high: number): number | undefined {
  const text = args.value(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= low && value <= high) return value;
  throw new UsageError(`--${name} is '${text}'`, `give a whole number from ${low} to ${high}`);
}

/** The help text of a command. */
export function helpOf(spec: CommandSpec): string {
  const rows = [...spec.options, HELP].map((option) => {
    const value = option.kind === 'flag' ? '' : ` ${option.value ?? 'VALUE'}`;
    return [`  --${option.name}${value}`, option.text] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return [
    `usage: vnetem ${spec.name} ${spec.operands}`.trimEnd(),
    '',
    spec.summary,
    ...(spec.details === undefined ? [] : ['', ...spec.details]),
    '',
    ...rows.map(([left, right]) => left.padEnd(width) + right),
  ].join('\n');
}

function unknownOption(spec: CommandSpec, arg: string, names: readonly string[]): UsageError {
  const near = suggest(arg.replace(/^--?/, '').split('=')[0] ?? '', names);
  const hint = near === undefined ? `see 'vnetem ${spec.name} --help'` : `did you mean --${near}?`;
  return new UsageError(`unknown option ${arg.split('=')[0]}`, hint);
}

function checkOperands(spec: CommandSpec, operands: readonly string[]): void {
  if (operands.length < spec.operandsMin) {
    throw new UsageError(`${spec.name} needs ${spec.operands}`, `see 'vnetem ${spec.name} --help'`);
  }
  if (operands.length > spec.operandsMax) {
    const extra = operands[spec.operandsMax];
    throw new UsageError(`${spec.name} does not take '${extra}'`, `see 'vnetem ${spec.name} --help'`);
  }
}

function firstSentence(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split(/\. |\n/)[0] ?? message;
}
