// What zod found wrong, as issues with positions, codes and hints: unknown keys with the nearest known one, missing
// keys, values of the wrong form.

import { nameHint } from '../../control/validate/suggestion.ts';
import type { z } from 'zod';
import type { Issue } from '../../control/issues.ts';
import type { ScenarioIssueCode } from '../codes.ts';
import type { DataPath, YamlSource } from './yaml-source.ts';

type Problem = z.core.$ZodIssue;

/** All problems of one validation; `base` is the path of the validated value in the file. */
export function zodIssues(
  schema: z.ZodType,
  problems: readonly Problem[],
  source: YamlSource,
  base: DataPath,
): Issue[] {
  return problems.flatMap((problem) => issuesOf(schema, problem, source, base));
}

/** `steps[3].connect.to`, as messages name places. */
export function pathText(path: DataPath): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${part}`))
    .join('');
}

function issuesOf(schema: z.ZodType, problem: Problem, source: YamlSource, base: DataPath): Issue[] {
  const inner = problem.path as (string | number)[];
  const path = [...base, ...inner];
  if (problem.code === 'unrecognized_keys') {
    const known = keysAt(schema, inner);
    return problem.keys.map((key) => ({
      code: 'SCENARIO_UNKNOWN_KEY' satisfies ScenarioIssueCode,
      severity: 'error',
      message: `unknown key '${key}'`,
      hint: nameHint(key, known, 'remove it'),
      source: source.locateKey([...path, key]),
      path: pathText([...path, key]),
    }));
  }
  const isMissing = valueAt(source.value, path) === undefined;
  const key = path.at(-1);
  const code: ScenarioIssueCode = isMissing ? 'SCENARIO_MISSING_KEY' : 'SCENARIO_VALUE';
  const found = isMissing ? '' : `, found ${shown(valueAt(source.value, path))}`;
  return [
    {
      code,
      severity: 'error',
      message: isMissing ? `the key '${String(key)}' is missing` : `${lowered(problem.message)}${found}`,
      hint: isMissing
        ? `add '${String(key)}': ${lowered(problem.message)}`
        : 'see docs/scenario-format.md for the form',
      source: source.locate(path),
      path: pathText(path),
    },
  ];
}

function lowered(message: string): string {
  return message
    .replace(/^Invalid (input|option): /, '')
    .replace(/, received undefined$/, '')
    .replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase());
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function valueAt(value: unknown, path: DataPath): unknown {
  let at = value;
  for (const part of path) at = (at as Record<string | number, unknown> | null | undefined)?.[part];
  return at;
}

// The keys of the object schema at a path, through optionals, unions, records and arrays.
function keysAt(schema: unknown, path: DataPath): string[] {
  const [first, ...rest] = path;
  return unwrap(schema).flatMap((layer) => {
    const def = layer._zod.def as unknown as Record<string, unknown>;
    if (def.type === 'object') {
      const shape = def.shape as Record<string, unknown>;
      if (first === undefined) return Object.keys(shape);
      return String(first) in shape ? keysAt(shape[String(first)], rest) : [];
    }
    if (first === undefined) return [];
    if (def.type === 'record') return keysAt(def.valueType, rest);
    if (def.type === 'array') return keysAt(def.element, rest);
    return [];
  });
}

function unwrap(schema: unknown): z.core.$ZodType[] {
  const type = schema as z.core.$ZodType;
  const def = type._zod.def as unknown as { type: string; innerType?: unknown; options?: unknown[] };
  if (def.innerType !== undefined) return unwrap(def.innerType);
  if (def.type === 'union') return (def.options ?? []).flatMap(unwrap);
  return [type];
}
