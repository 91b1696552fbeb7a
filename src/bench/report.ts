// The benchmark as a whole: which cases there are, at which sizes, and how a report reads.

import { cpus, loadavg } from 'node:os';
import type { BenchRow } from './figures.ts';
import { firstPacket } from './first-packet.ts';
import { flowHit } from './flow-hit.ts';
import { nsgCompile } from './nsg-compile.ts';

export const BENCH_IDS = ['flow-hit/end-to-end', 'flow-hit/processing', 'first-packet', 'nsg-compile'] as const;
export type BenchId = (typeof BENCH_IDS)[number];

export interface BenchOptions {
  /** Cases to run; all when empty. */
  readonly only: readonly string[];
  readonly seed: number;
  /** Tiny sizes: shows that every case works, its figures mean nothing. */
  readonly smoke: boolean;
  /** Told before each case. */
  readonly onCase: (text: string) => void;
}

/** What the figures were taken on. */
export interface Conditions {
  readonly node: string;
  readonly v8: string;
  readonly cpu: string;
  readonly cores: number;
  readonly load: number;
  readonly platform: string;
}

/** The machine as it is now. */
export function conditions(): Conditions {
  const cores = cpus();
  return {
    node: process.versions.node,
    v8: process.versions.v8,
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    platform: `${process.platform}-${process.arch}`,
  };
}

/** Runs the selected cases in order. */
export function runBench(options: BenchOptions): BenchRow[] {
  const wanted = (id: string): boolean => options.only.length === 0 || options.only.includes(id);
  const { seed, smoke } = options;
  const rows: BenchRow[] = [];
  for (const flows of smoke ? [64] : [1024, 65_536]) {
    if (!wanted('flow-hit/end-to-end') && !wanted('flow-hit/processing')) continue;
    options.onCase(`flow hits, ${flows} flows`);
    const packets = smoke ? 4_096 : 6_000_000;
    rows.push(...flowHit({ flows, rules: smoke ? 10 : 100, packets, seed }).filter((row) => wanted(row.id)));
  }
  if (wanted('first-packet')) {
    const size = smoke ? { rules: 20, prefixes: 80, active: 512 } : { rules: 1000, prefixes: 4000, active: 65_536 };
    options.onCase(`first packets, 2 x ${size.rules} rules`);
    rows.push(firstPacket({ ...size, connections: smoke ? 2_048 : 400_000, seed }));
  }
  if (wanted('nsg-compile')) {
    const size = smoke ? { rules: 20, prefixes: 80, repetitions: 2 } : { rules: 1000, prefixes: 4000, repetitions: 7 };
    options.onCase(`NSG compile, 2 x ${size.rules} rules`);
    rows.push(nsgCompile({ ...size, seed }));
  }
  return rows;
}

/** The report for people. */
export function formatBench(rows: readonly BenchRow[], machine: Conditions): string {
  const { node, v8, cpu, cores, load, platform } = machine;
  const lines = [
    `Node ${node}, V8 ${v8}, ${cpu}, ${cores} cores, load ${load}, ${platform}`,
    load > cores ? 'warning: the machine is busy, figures are too high' : '',
    '',
    'case                   parameters                                         ns best    p10 median     Mpps  outcome',
  ];
  for (const row of rows) {
    const params = Object.entries(row.params)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ');
    const { best, p10, median } = row.nsPerPacket;
    const numbers = [best, p10, median].map((value) => formatNs(value).padStart(7)).join('');
    lines.push(`${row.id.padEnd(22)} ${params.padEnd(48)}${numbers} ${mppsText(row).padStart(8)}  ${row.outcome}`);
  }
  return lines.filter((line, i) => i !== 1 || line !== '').join('\n');
}

// Compiles are not packets.
function mppsText(row: BenchRow): string {
  return row.id === 'nsg-compile' ? '-' : String(row.mpps);
}

function formatNs(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)}ms`;
  return value >= 1e4 ? `${(value / 1e3).toFixed(1)}us` : value.toFixed(1);
}
