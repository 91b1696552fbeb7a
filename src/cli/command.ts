// A command: its declaration and what it does. `run` returns the exit status.

import type { CommandSpec, ParsedArgs } from './args.ts';
import type { Output } from './output.ts';

export interface Command {
  readonly spec: CommandSpec;
  readonly run: (args: ParsedArgs, output: Output) => number | Promise<number>;
}
