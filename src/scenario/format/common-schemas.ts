// Value forms that settings, steps and expectations share, as zod schemas whose patterns reach the JSON Schema.

import { z } from 'zod';
import {
  BIT_RATE_PATTERN,
  COUNT_PATTERN,
  DURATION_PATTERN,
  EVENT_RATE_PATTERN,
  PERCENT_PATTERN,
  SIZE_PATTERN,
} from './quantities.ts';

export const text = z.string().min(1, 'expected text');
export const duration = z.string().regex(DURATION_PATTERN, 'expected a duration such as 50us, 1ms, 30s, 5m or 1h');
export const size = z.union(
  [z.number().int().min(0), z.string().regex(SIZE_PATTERN)],
  'expected a size such as 200B, 4KiB or 1MiB, or a number of bytes',
);
export const percent = z.union(
  [z.number().min(0).max(1), z.string().regex(PERCENT_PATTERN)],
  'expected a percentage such as 1%, or a probability from 0 to 1',
);
export const bits = z.string().regex(BIT_RATE_PATTERN, 'expected a rate such as 10mbit');
export const eventRate = z.string().regex(EVENT_RATE_PATTERN, 'expected a rate such as 500/s');
export const port = z.number('expected a port, 0 to 65535').int().min(0).max(65535);
export const count = z.union(
  [z.number().int().min(0), z.string().regex(COUNT_PATTERN)],
  'expected a number, or a bound such as ">= 1"',
);
export const priority = z.number('expected a priority, 100 to 4096').int();
/** One text or a list of texts; always read as a list. */
export const textList = z.union([text, z.array(text)], 'expected text or a list of texts');
export const portText = z.union([port, text], 'expected a port, a range such as 1000-2000, or *');
export const portList = z.union([portText, z.array(portText)], 'expected ports, ranges or *');

export const linkSettings = z
  .strictObject({
    delay: duration.optional(),
    jitter: duration.optional(),
    loss: percent.optional(),
    duplicate: percent.optional(),
    reorder: percent.optional(),
    rate: bits.optional(),
  })
  .describe('Impairment of one link, both directions, in the words of Linux tc netem.');

/** A value as a list, whichever form the user chose. */
export function asList<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}
