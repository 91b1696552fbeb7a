// Runs the built data plane in processes of their own and asks V8 what it did: garbage collections and deoptimisations.
// Worker-like conditions need plain JavaScript and flags of V8, so these tests use dist/ (`npm test` builds first).

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import type { Control, Load, SteadyReport } from '../../src/bench/steady-state.ts';

const ENTRY = fileURLToPath(new URL('../../dist/bench/steady-state.js', import.meta.url));
if (!existsSync(ENTRY)) throw new Error('dist/ is missing: run `npm run build` first');

const PACKETS = 5_000_000;
const folder = mkdtempSync(join(tmpdir(), 'vnetem-steady-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Run {
  readonly warm?: Load;
  readonly load?: Load;
  readonly control?: Control;
}

/** A run; an object per packet fills a semi-space of 16 MiB several times over. */
function steady(run: Run): SteadyReport {
  const trace = join(folder, `${Object.values(run).join('-')}.trace`);
  const flags = ['--expose-gc', '--min-semi-space-size=16', '--max-semi-space-size=16'];
  const tracing = ['--trace-deopt-verbose', '--redirect-code-traces', `--redirect-code-traces-to=${trace}`];
  const options = Object.entries(run).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const args = [...flags, ...tracing, ENTRY, trace, '--packets', String(PACKETS), ...options];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const line = stdout.split('\n').find((text) => text.startsWith('{"packets"'));
  if (status !== 0 || line === undefined) throw new Error(`the steady state ended with ${status}: ${stderr}`);
  return JSON.parse(line) as SteadyReport;
}

/** What of it happened in the data plane, not in the traffic generator around it. */
function inDataPlane({ deoptimisations }: SteadyReport): string[] {
  return deoptimisations
    .filter(({ at }) => /^(dataplane|abi|wire)\//.test(at))
    .map(({ name, reason, at }) => `${name} at ${at}: ${reason}`);
}

test('known flows: nothing is collected, less than a byte is allocated for ten packets, nothing is deoptimised', () => {
  const report = steady({ load: 'hits' });
  expect(report).toMatchObject({ packets: PACKETS, slowPasses: 0, dropped: 0, garbageCollections: 0 });
  expect(report.heapBytes).toBeLessThan(PACKETS / 10);
  expect(inDataPlane(report)).toEqual([]);
});

test('with new connections, ends, drops, expiry, NAT, fragments, ICMP, ARP and taps among them: neither', () => {
  const report = steady({});
  expect(report.slowPasses).toBeGreaterThan(PACKETS / 100);
  expect(report.dropped).toBeGreaterThan(10_000);
  expect(report.garbageCollections).toBe(0);
  expect(report.heapBytes).toBeLessThan(2 * PACKETS);
  expect(inDataPlane(report)).toEqual([]);
});

test('an object per packet would be seen as garbage collections', () => {
  expect(steady({ control: 'allocate' }).garbageCollections).toBeGreaterThan(2);
});

test('a deoptimised function would be seen with its place', () => {
  const [seen] = steady({ control: 'deoptimise' }).deoptimisations;
  expect(seen).toMatchObject({ name: 'totalOf', reason: 'wrong map' });
  expect(seen!.at).toMatch(/^bench\/steady-state\.js:\d+:\d+$/);
});

test('the first FIN, RST, drop, broken frame, UDP packet and all else after hits alone: nothing is deoptimised', () => {
  const report = steady({ warm: 'hits' });
  expect(report.slowPasses).toBeGreaterThan(PACKETS / 100);
  expect(report.dropped).toBeGreaterThan(10_000);
  expect(inDataPlane(report)).toEqual([]);
});
