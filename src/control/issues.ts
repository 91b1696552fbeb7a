// Everything that can be wrong with an input, as data: stable code, severity, place, message, hint. Readers and
// validation collect issues and go on; the caller decides. Errors end with exit status 2, warnings do not.

import type { SourceLocation } from './model/resources.ts';

export type Severity = 'error' | 'warning';

export interface Issue {
  /** Stable code, listed in docs/issues.md. */
  readonly code: string;
  readonly severity: Severity;
  /** What is wrong: expected and found, naming things as the user named them. */
  readonly message: string;
  /** What to do. */
  readonly hint: string;
  readonly source?: SourceLocation;
  /** Path inside the file, e.g. `networkSecurityGroups.app-nsg.rules[2].priority`. */
  readonly path?: string;
}

/** `file:line:column: error CODE: message\n  hint: …` */
export function formatIssue(issue: Issue): string {
  const at = issue.source === undefined ? '' : `${issue.source.file}:${issue.source.line}:${issue.source.column}: `;
  const where = issue.path === undefined ? '' : ` (${issue.path})`;
  return `${at}${issue.severity} ${issue.code}: ${issue.message}${where}\n  hint: ${issue.hint}`;
}

/** True when at least one issue is an error. */
export function hasErrors(issues: readonly Issue[]): boolean {
  return issues.some((issue) => issue.severity === 'error');
}

/** Thrown where a caller asked for a good input or nothing; carries all issues. */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly issues: readonly Issue[];
  constructor(issues: readonly Issue[]) {
    super(issues.map(formatIssue).join('\n'));
    this.issues = issues;
  }
}
