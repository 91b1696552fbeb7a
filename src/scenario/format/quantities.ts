// Quantities as people write them in scenarios: durations, sizes, probabilities, bit rates and event rates. The
// patterns go into the published JSON Schema; the readers turn matching text into base units.

export const DURATION_PATTERN = /^\d+(\.\d+)?(ns|us|ms|s|m|h)$/;
export const SIZE_PATTERN = /^\d+(\.\d+)?(B|KB|KiB|MB|MiB)$/;
export const PERCENT_PATTERN = /^\d+(\.\d+)?%$/;
export const BIT_RATE_PATTERN = /^\d+(\.\d+)?(bit|kbit|mbit|gbit)$/i;
export const EVENT_RATE_PATTERN = /^\d+(\.\d+)?\/(ms|s|m)$/;
export const COUNT_PATTERN = /^(>=|<=|>|<)\s*\d+$/;

const NS_PER: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };
const BYTES_PER: Readonly<Record<string, number>> = { B: 1, KB: 1e3, KiB: 1024, MB: 1e6, MiB: 1024 * 1024 };
const BITS_PER: Readonly<Record<string, number>> = { bit: 1, kbit: 1e3, mbit: 1e6, gbit: 1e9 };

/** `1.5ms` in nanoseconds. Throws RangeError unless DURATION_PATTERN matches. */
export function durationNs(text: string): number {
  return Math.round(scaled(text, DURATION_PATTERN, NS_PER));
}

/** `4KiB`, or a number of bytes, in bytes. Throws RangeError unless SIZE_PATTERN matches. */
export function sizeBytes(size: string | number): number {
  return typeof size === 'number' ? size : Math.round(scaled(size, SIZE_PATTERN, BYTES_PER));
}

/** `1%` as 0.01; a number is a probability already. Throws RangeError unless PERCENT_PATTERN matches. */
export function probability(value: string | number): number {
  return typeof value === 'number' ? value : scaled(value, PERCENT_PATTERN, { '%': 0.01 });
}

/** `10mbit` in bits per second. Throws RangeError unless BIT_RATE_PATTERN matches. */
export function bitRate(text: string): number {
  return scaled(text.toLowerCase(), BIT_RATE_PATTERN, BITS_PER);
}

/** `500/s` as the time between two events, nanoseconds. Throws RangeError unless EVENT_RATE_PATTERN matches. */
export function eventIntervalNs(text: string): number {
  if (!EVENT_RATE_PATTERN.test(text)) throw new RangeError(`'${text}' is not a rate such as 500/s`);
  const [count, unit] = text.split('/') as [string, string];
  return Math.round((NS_PER[unit] as number) / Number(count));
}

/** True when `actual` is the expected number, or stands in the expected relation to it (`>= 1`). */
export function countMatches(expected: number | string, actual: number): boolean {
  if (typeof expected === 'number') return actual === expected;
  const bound = Number(expected.replace(/^[<>=]+\s*/, ''));
  if (expected.startsWith('>=')) return actual >= bound;
  if (expected.startsWith('<=')) return actual <= bound;
  return expected.startsWith('>') ? actual > bound : actual < bound;
}

/** A duration for people: `250ms`, `5m`, `1.2s`. */
export function formatDuration(ns: number): string {
  for (const unit of ['h', 'm', 's', 'ms', 'us'] as const) {
    const per = NS_PER[unit] as number;
    if (ns >= per) return `${Number((ns / per).toFixed(3))}${unit}`;
  }
  return `${ns}ns`;
}

function scaled(text: string, pattern: RegExp, units: Readonly<Record<string, number>>): number {
  const unit = /[^\d.]+$/.exec(text)?.[0];
  if (!pattern.test(text) || unit === undefined) throw new RangeError(`'${text}' does not match ${pattern.source}`);
  return Number(text.slice(0, -unit.length)) * (units[unit] as number);
}
