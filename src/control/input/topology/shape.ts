// The shape check of a topology: what zod finds, told in the user's words and at the user's place. Mistyped keys are
// read as the keys that were probably meant, so that a single typo does not hide every other problem.

import type { z } from 'zod';
import { describeValue, isObject } from '../resources/fields.ts';
import type { IssueList } from '../issue-list.ts';
import { setMember } from '../json-text.ts';
import { renameKey } from '../places.ts';
import { suggest } from '../suggestions.ts';
import { topologyJsonSchema, topologySchema } from './schema.ts';
import type { Topology } from './schema.ts';

type Problem = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** The value as a topology, or undefined when its shape is wrong in more than unknown keys. Changes `value`. */
export function checkTopologyShape(value: object, issues: IssueList): Topology | undefined {
  dropEmptySections(value);
  // The values themselves are used and not zod's copies: places are remembered by object identity.
  for (;;) {
    const parsed = topologySchema.safeParse(value);
    if (parsed.success) return value;
    const problems = parsed.error.issues.flatMap((problem) => flatten(problem, []));
    const unknown = problems.filter((problem) => problem.code === 'unrecognized_keys');
    for (const { path, keys } of unknown) for (const key of keys) mendUnknownKey(value, path, key, issues);
    if (unknown.length > 0) continue; // each turn removes a key, so this ends
    for (const problem of problems) reportWrongValue(value, problem, issues);
    return undefined;
  }
}

/** A section without content (`services:` and nothing below) is an empty section. */
function dropEmptySections(value: object): void {
  for (const [key, member] of Object.entries(value)) if (member === null) Reflect.deleteProperty(value, key);
}

type FlatProblem =
  | { readonly code: 'unrecognized_keys'; readonly path: Path; readonly keys: readonly string[] }
  | { readonly code: 'wrong_value'; readonly path: Path; readonly expected: string };

/** Problems without unions, with their whole path. */
function flatten(problem: Problem, base: Path): FlatProblem[] {
  const path = [...base, ...problem.path];
  if (problem.code === 'unrecognized_keys') return [{ code: problem.code, path, keys: problem.keys }];
  if (problem.code !== 'invalid_union') return [{ code: 'wrong_value', path, expected: expectedBy(problem) }];
  const option = deepestOption(problem);
  if (option !== undefined) return option.flatMap((inner) => flatten(inner, path));
  return [{ code: 'wrong_value', path, expected: expectedByUnion(problem) }];
}

/** The option of a union that the user meant: the one that fits at the top and fails deeper inside. */
function deepestOption(problem: Extract<Problem, { code: 'invalid_union' }>): readonly Problem[] | undefined {
  return problem.errors.find((option) =>
    option.some((inner) => inner.path.length > 0 || inner.code === 'unrecognized_keys'),
  );
}

function expectedByUnion(problem: Extract<Problem, { code: 'invalid_union' }>): string {
  const options = problem.errors.flatMap((option) => option.slice(0, 1));
  return [
    ...new Set(
      options.flatMap((inner) => (inner.code === 'invalid_union' ? expectedByUnion(inner) : expectedBy(inner))),
    ),
  ].join(' or ');
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list of two names',
  object: 'a mapping',
  record: 'a mapping',
};

function expectedBy(problem: Problem): string {
  if (problem.code === 'invalid_type') return EXPECTED[problem.expected] ?? problem.expected;
  if (problem.code === 'invalid_value') return `one of ${problem.values.map(String).join(', ')}`;
  if (problem.code === 'too_small' || problem.code === 'too_big') return 'a list of two names';
  return problem.message;
}

function reportWrongValue(root: object, problem: FlatProblem, issues: IssueList): void {
  if (problem.code !== 'wrong_value') return;
  const { path, expected } = problem;
  const { holder, key } = locate(root, path);
  const value: unknown = Reflect.get(holder, key);
  if (value === undefined) {
    issues.error(
      'KEY_MISSING',
      { object: holder },
      `the key ${key} is missing here`,
      `add the key ${key}: ${expected}`,
    );
    return;
  }
  const label = typeof key === 'number' ? `${String(path.at(-2) ?? 'list')}[${key}]` : key;
  const message = `${label}: expected ${expected}, found ${describeValue(value)}`;
  issues.error('VALUE_WRONG', { object: holder, key }, message, hintFor(expected, value));
}

function hintFor(expected: string, value: unknown): string {
  if (typeof value === 'number' && /\btext\b/.test(expected)) return `put it in quotes: "${value}"`;
  if (value === null && expected === 'a mapping') return 'write {} if nothing is to be said';
  if (typeof value === 'string' && expected.startsWith('one of ')) {
    const nearest = suggest(value, expected.slice(7).split(', '));
    if (nearest !== undefined) return `did you mean ${nearest}?`;
  }
  return `write ${expected} here`;
}

/** Reports an unknown key and goes on as if the nearest known key had been written, or none. */
function mendUnknownKey(root: object, path: Path, key: string, issues: IssueList): void {
  const holder = path.length === 0 ? root : get(root, path);
  if (typeof holder !== 'object' || holder === null) throw new Error(`no object at ${path.join('.')}`);
  const known = knownKeys(path);
  const nearest = suggest(key, known);
  const hint = nearest === undefined ? `known keys are ${known.join(', ')}` : `did you mean ${nearest}?`;
  issues.error('UNKNOWN_KEY', { object: holder, key, part: 'key' }, `unknown key ${JSON.stringify(key)}`, hint);
  const value: unknown = Reflect.get(holder, key);
  Reflect.deleteProperty(holder, key);
  if (nearest === undefined || Object.hasOwn(holder, nearest)) return;
  setMember(holder, nearest, value);
  renameKey(holder, key, nearest);
}

/** Keys that the schema knows at a path. */
function knownKeys(path: Path): string[] {
  let schemas: object[] = [topologyJsonSchema()];
  for (const key of path) {
    schemas = schemas.flatMap(optionsOf).flatMap((schema) => {
      const properties = member(schema, 'properties');
      const named = properties && member(properties, String(key));
      const next = named ?? member(schema, typeof key === 'number' ? 'items' : 'additionalProperties');
      return next === undefined ? [] : [next];
    });
  }
  return schemas.flatMap(optionsOf).flatMap((schema) => Object.keys(member(schema, 'properties') ?? {}));
}

function optionsOf(schema: object): object[] {
  const options: unknown = Reflect.get(schema, 'anyOf');
  return Array.isArray(options) ? options.filter(isObject).flatMap(optionsOf) : [schema];
}

function member(schema: object, key: string): object | undefined {
  const value: unknown = Reflect.get(schema, key);
  return isObject(value) ? value : undefined;
}

function locate(root: object, path: Path): { readonly holder: object; readonly key: string | number } {
  const last = path.at(-1);
  const holder = get(root, path.slice(0, -1));
  const key = typeof last === 'number' ? last : String(last ?? '');
  return { holder: typeof holder === 'object' && holder !== null ? holder : root, key };
}

function get(root: object, path: Path): unknown {
  return path.reduce<unknown>((value, key) => {
    return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  }, root);
}
