// vnetem bench as a user meets it: the built binary in its own process, at smoke size.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BenchRow } from '../../src/bench/figures.ts';

const MAIN = join(process.cwd(), 'dist/cli/main.js');
const TIMEOUT_MS = 60_000;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vnetem-bench-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function bench(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, 'bench', ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
}

test('--json prints one array of the rows that were asked for, and nothing else', { timeout: TIMEOUT_MS }, () => {
  const { status, stdout, stderr } = bench('--smoke', '--only', 'lpm,flow-hit/processing', '--seed', '9', '--json');
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const rows = JSON.parse(stdout) as BenchRow[];
  expect(rows.map((row) => row.id)).toEqual(['flow-hit/processing', 'lpm']);
  for (const row of rows)
    expect(Object.keys(row).slice(0, 5)).toEqual(['id', 'params', 'nsPerPacket', 'mpps', 'outcome']);
  expect(rows[0]?.params).toEqual({ flows: 64, workers: 1, frame: 64, rules: 10, seed: 9 });
});

test('the table begins with its conditions and has a line per row', { timeout: TIMEOUT_MS }, () => {
  const { status, stdout } = bench('--smoke', '--only', 'nsg-compile');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^Node \d+\.\d+\.\d+, V8 .+ cores, load \d/);
  expect(stdout).toMatch(/^nsg-compile +rules=20 .*seed=7 .* [0-9a-f]{8}/m);
});

test('--chart writes a picture of the rows', { timeout: TIMEOUT_MS }, () => {
  expect(bench('--smoke', '--only', 'flow-hit/processing', '--chart', 'chart.svg').status).toBe(0);
  expect(readFileSync(join(folder, 'chart.svg'), 'utf8')).toMatch(/^<svg [^]*<\/svg>\n$/);
});

test('a topology is measured by kind of path', { timeout: TIMEOUT_MS }, () => {
  const topology = {
    virtualNetworks: { vnet: { addressSpace: ['10.0.0.0/16'], subnets: { s: { addressPrefix: '10.0.0.0/24' } } } },
    networkInterfaces: { a: { subnet: 'vnet/s' }, b: { subnet: 'vnet/s' } },
  };
  writeFileSync(join(folder, 'topology.yaml'), JSON.stringify(topology));
  const { status, stdout } = bench('topology.yaml', '--smoke', '--json');
  expect(status).toBe(0);
  const rows = JSON.parse(stdout) as BenchRow[];
  expect(rows.map((row) => row.id)).toContain('topology/flow-hit/end-to-end');
});

test('a topology that is wrong is refused with its place', () => {
  writeFileSync(join(folder, 'wrong.yaml'), 'networkInterfaces:\n  a: { subnet: none/s }\n');
  const { status, stderr } = bench('wrong.yaml', '--smoke');
  expect(stderr).toContain('wrong.yaml:2');
  expect(status).toBe(2);
});

test.each([
  [['--only', 'flow-hit/procesing'], /unknown benchmark 'flow-hit\/procesing'\n {2}hint: did you mean 'flow-hit\/pro/],
  [['--against', 'd'], /unknown opponent 'd'\n {2}hint: did you mean 'c'/],
  [['--against', 'c', '--only', 'lpm'], /--against has measurements of its own/],
  [['topology.yaml', '--only', 'lpm'], /a topology has measurements of its own/],
  [['topology.yaml', '--against', 'c'], /a topology has measurements of its own/],
  [['--seed', '0'], /--seed is '0'/],
  [['--chart', 'no-such-folder/chart.svg'], /ENOENT/],
])('wrong use %j is refused before anything is measured', (args, message) => {
  const { status, stdout, stderr } = bench(...args);
  expect(stderr).toMatch(message);
  expect(stdout).toBe('');
  expect(status).toBe(2);
});
