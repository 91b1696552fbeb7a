// How a benchmark's report reads: conditions first, then one line per row, figures of one case only below it.

import type { Conditions } from './conditions.ts';
import type { BenchRow, Figures } from './figures.ts';

/** The report for people. */
export function formatBench(rows: readonly BenchRow[], machine: Conditions): string {
  const head = [
    formatConditions(machine),
    'ns per packet over windows of 2,048 packets: best 0.1 %, first decile, median; Mpps: median and by the wall clock',
    '',
  ];
  const table = rows.map((row) => [
    row.id,
    paramsText(row),
    ...nsCells(row.nsPerPacket),
    mppsText(row.mpps.median),
    mppsText(row.mpps.wall),
    row.outcome,
    extraText(row),
  ]);
  const titles = ['case', 'parameters', 'ns best', 'p10', 'median', 'Mpps', 'wall', 'outcome', ''];
  return [...head, ...aligned([titles, ...table])].join('\n');
}

/** The machine, and whether it had anything else to do. */
export function formatConditions({ node, v8, cpu, cores, load, platform }: Conditions): string {
  const line = `Node ${node}, V8 ${v8}, ${cpu}, ${cores} cores, load ${load}, ${platform}`;
  return load > cores / 2 ? `${line}\nwarning: the machine is busy, times are too long` : line;
}

/** Columns that are numbers stand to the right. */
const NUMBERS = new Set([2, 3, 4, 5, 6]);

function aligned(table: readonly (readonly string[])[]): string[] {
  const widths = (table[0] ?? []).map((_, i) => Math.max(...table.map((line) => line[i]?.length ?? 0)));
  return table.map((line) =>
    line
      .map((cell, i) => (NUMBERS.has(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

function paramsText({ params }: BenchRow): string {
  return Object.entries(params)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

function extraText({ extra }: BenchRow): string {
  return Object.entries(extra ?? {})
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

function nsCells({ best, p10, median }: Figures): string[] {
  return [best, p10, median].map(formatNs);
}

function formatNs(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)}ms`;
  return value >= 1e4 ? `${(value / 1e3).toFixed(1)}us` : value.toFixed(1);
}

/** Things that take milliseconds have no packet rate worth a column. */
function mppsText(value: number): string {
  return value < 0.001 ? '-' : value.toFixed(value < 1 ? 3 : 2);
}
