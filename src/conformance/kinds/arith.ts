// Kind `arith`: sums over flow log tuples (DIAG-23, DIAG-27).

import { z } from 'zod';
import { parseTuple, sumTuples } from '../../control/flow-log/tuple.ts';
import { judgeExpect } from '../kind.ts';
import type { Kind } from '../kind.ts';
import { parsePart } from '../notation.ts';

const fieldsSchema = z.strictObject({ tuples: z.array(z.string()).min(1) });

export const arith: Kind = {
  run: ({ fields }) => ({ ...sumTuples(parsePart(fieldsSchema, fields, 'case').tuples.map(parseTuple)) }),
  judge: judgeExpect(),
};
