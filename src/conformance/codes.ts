// Every problem that reading case files can find, by stable code: one line on what it means. docs/issues.md lists them.
// Codes are never renamed.

export const CONFORMANCE_ISSUE_CODES = {
  CONFORMANCE_FILE_UNREADABLE: 'A case file is missing or cannot be read.',
  CONFORMANCE_FILE_TOO_LARGE: 'A case file is larger than any input may be.',
  CONFORMANCE_YAML: 'A case file is not valid YAML.',
  CONFORMANCE_CONTENT: 'A case file holds neither topologies nor cases, or not in the form of the notation.',
  CONFORMANCE_DUPLICATE: 'Two case files give topologies of one name that differ.',
  CONFORMANCE_CASE: 'A case has no id or kind, or its override is not a mapping.',
} as const;

export type ConformanceIssueCode = keyof typeof CONFORMANCE_ISSUE_CODES;
