// What validation says about a network, short enough for the last column of a table.

import type { Issue } from '../../../src/control/issues.ts';
import { type Behaviour, behaviourOf } from '../../../src/control/model/profile.ts';
import type { Network } from '../../../src/control/model/resources.ts';
import { validateNetwork } from '../../../src/control/validate/validate.ts';

/** Codes in the order of the report, warnings with `~` in front; `ok` when there is nothing to say. */
export function codesOf(network: Network, behaviour: Behaviour = behaviourOf()): string {
  return listCodes(validateNetwork(network, behaviour));
}

export function listCodes(issues: readonly Issue[]): string {
  if (issues.length === 0) return 'ok';
  return issues.map((issue) => (issue.severity === 'warning' ? `~${issue.code}` : issue.code)).join(' ');
}

/** Rows of a text table: cells are separated by two spaces or more, or by `|`; empty and `#` lines do not count. */
export function rowsOf(table: string): string[][] {
  return table
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(/\s*\|\s*|\s{2,}/));
}
