// Kinds whose inputs come in several shapes (`validate`, `wire`): the first shape that reads the input runs it; an
// input of no known shape is a case for later.

import type { z } from 'zod';
import type { CaseOutcome } from './compare.ts';
import { NotYet } from './kind.ts';
import type { CaseInput } from './kind.ts';
import { isMapping } from './merge.ts';

export type Shape = (input: unknown, context: CaseInput) => CaseOutcome | undefined;

/** A shape that reads its input strictly by a schema and runs it; undefined when the input is of another shape. */
export function shape<T extends z.ZodType>(
  schema: T,
  run: (input: z.output<T>, context: CaseInput) => CaseOutcome,
): Shape {
  return (input, context) => {
    const read = schema.safeParse(input);
    return read.success ? run(read.data, context) : undefined;
  };
}

/** Runs the input of a case by the first shape that fits. Throws NotYet when none does. */
export function runShapes(shapes: readonly Shape[], context: CaseInput): CaseOutcome {
  const { input, ...others } = context.fields;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new Error(`case not understood: ${unknown}`);
  for (const candidate of shapes) {
    const outcome = candidate(input, context);
    if (outcome !== undefined) return outcome;
  }
  throw new NotYet(`input of this shape is not supported yet: ${describeShape(input)}`);
}

function describeShape(input: unknown): string {
  if (Array.isArray(input)) return `list of ${describeShape(input[0])}`;
  return isMapping(input) ? `{${Object.keys(input).join(', ')}}` : String(input);
}
