// Compares what a case expects with what came out, field by field. The outcome names every field that its kind can
// tell; an expectation for any other field is a failure, and so is a case that expects nothing.

import { isMapping } from './merge.ts';

/** What came out of a case. A field that is present but undefined says "nothing of that kind happened". */
export type CaseOutcome = Readonly<Record<string, unknown>>;

/** Says whether an expected value is met; for fields where equality is not the question. */
export type Comparator = (expected: unknown, got: unknown) => boolean;

/** Differences between expectation and outcome, one line each; empty when everything expected is met. */
export function differences(
  expected: unknown,
  outcome: CaseOutcome,
  comparators: Readonly<Record<string, Comparator>> = {},
): readonly string[] {
  if (!isMapping(expected)) return ['expectation not understood: expect must be a mapping'];
  const lines: string[] = [];
  for (const [field, value] of Object.entries(expected)) {
    if (!Object.hasOwn(outcome, field)) {
      lines.push(`expectation not understood: ${field}`);
      continue;
    }
    const meets = Object.hasOwn(comparators, field) ? comparators[field] : undefined;
    const got = outcome[field];
    if (!(meets ?? sameValue)(value, got)) lines.push(`expected ${field} ${show(value)}, got ${show(got)}`);
  }
  return lines;
}

/** True when an expectation has at least one field. */
export function checksSomething(expected: unknown): boolean {
  return isMapping(expected) && Object.keys(expected).length > 0;
}

/** Deep equality of plain values; numbers and their decimal text are the same, undefined equals null. */
export function sameValue(expected: unknown, got: unknown): boolean {
  if (Array.isArray(expected)) {
    return Array.isArray(got) && expected.length === got.length && expected.every((item, i) => sameValue(item, got[i]));
  }
  if (isMapping(expected)) {
    if (!isMapping(got)) return false;
    const keys = Object.keys(expected);
    const gotKeys = Object.keys(got).filter((key) => got[key] !== undefined);
    return keys.length === gotKeys.length && keys.every((key) => sameValue(expected[key], got[key]));
  }
  if (isScalar(expected) && isScalar(got)) return String(expected) === String(got);
  return (expected ?? null) === (got ?? null);
}

/** Like sameValue, but mappings of the outcome may say more than was expected. */
export function includesValue(expected: unknown, got: unknown): boolean {
  if (Array.isArray(expected)) {
    return (
      Array.isArray(got) && expected.length === got.length && expected.every((item, i) => includesValue(item, got[i]))
    );
  }
  if (isMapping(expected)) {
    return isMapping(got) && Object.keys(expected).every((key) => includesValue(expected[key], got[key]));
  }
  return sameValue(expected, got);
}

/** Equality of texts without regard to case, also inside lists. */
export function sameText(expected: unknown, got: unknown): boolean {
  return sameValue(lowerCase(expected), lowerCase(got));
}

function lowerCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lowerCase);
  return typeof value === 'string' ? value.toLowerCase() : value;
}

function isScalar(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
