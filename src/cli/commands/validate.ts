// vnetem validate: the problems of an input, or how many resources it holds.

import { InputError } from '../../control/issues.ts';
import { JSON_OUTPUT } from '../args.ts';
import type { Command } from '../command.ts';
import { EXIT_BAD_INPUT, EXIT_OK } from '../exit.ts';
import { NETWORK_OPTIONS, readNetworkInput } from '../input.ts';
import { printIssues } from '../output.ts';

export const validate: Command = {
  spec: {
    name: 'validate',
    operands: 'INPUT…',
    summary: 'Reads networks and reports every problem with its place, or the number of resources.',
    details: ['INPUT is a topology.yaml, a file or directory of Azure resource objects (JSON), or several of them.'],
    options: [...NETWORK_OPTIONS, JSON_OUTPUT],
    operandsMin: 1,
    operandsMax: Infinity,
  },
  run(args, output) {
    try {
      const { issues, resourceCount } = readNetworkInput(args, args.operands);
      if (args.flag('json')) output.json({ valid: true, resourceCount, issues });
      else {
        printIssues(output, issues);
        const warnings = issues.length === 0 ? '' : `, ${issues.length} warning${issues.length === 1 ? '' : 's'}`;
        output.line(`ok: ${resourceCount} resources${warnings}`);
      }
      return EXIT_OK;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      if (args.flag('json')) output.json({ valid: false, issues: error.issues });
      else printIssues(output, error.issues);
      return EXIT_BAD_INPUT;
    }
  },
};
