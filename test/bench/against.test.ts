// The comparison with C at its smoke size. A compiler is no requirement of the product: where there is none, the tests
// that need one say that they skip, under CI=true too.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { buildTwin, parseYardstick } from '../../src/bench/against-rivals.ts';
import { runAgainst } from '../../src/bench/against.ts';
import { measureOurs } from '../../src/bench/against-ours.ts';

const compiler = ['gcc', 'cc', 'clang'].find(isThere);
const SMOKE = { smoke: true, seed: 7, onCase: (): void => undefined };

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vnetem-test-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

function isThere(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test('without a compiler each comparison is left out in one line that says why', async () => {
  vi.stubEnv('PATH', folder);
  const { text, rows } = await runAgainst(['c', 'dpdk'], SMOKE);
  expect(text).toBe(
    'against c: left out, no C compiler (gcc, cc, clang)\n\nagainst dpdk: left out, no C compiler (gcc, cc, clang)',
  );
  expect(rows).toEqual([]);
});

describe.skipIf(compiler === undefined)('with a C compiler (skipped: there is none here)', () => {
  test('the twin does the same work as the product: equal outcomes, a ratio for each pair', async () => {
    const { text, rows } = await runAgainst(['c'], SMOKE);
    expect(rows).toHaveLength(1);
    const { id, params, outcome, extra, nsPerPacket } = rows[0]!;
    expect({ id, params }).toEqual({
      id: 'against/c',
      params: { flows: 64, workers: 1, frame: 64, rules: 10, seed: 7, pair: 1 },
    });
    expect(extra?.['ratio']).toBeCloseTo(nsPerPacket.median / extra!['theirNsMedian']!, 1);
    expect(text).toMatch(new RegExp(`^ +64 +1 .* ${outcome} +\\d+\\.\\d\\d +\\d+\\.\\d\\d$`, 'm'));
    expect(text).toMatch(/^ +median +\d+\.\d\d$/m);
  });

  test('the twin compiles without a warning', () => {
    const sources = readdirSync('bench/native').filter((file) => file.endsWith('.c'));
    const flags = ['-std=c11', '-O3', '-Wall', '-Wextra', '-Werror', '-fsyntax-only'];
    const args = [...flags, ...sources.map((file) => join('bench/native', file))];
    expect(() => execFileSync(compiler!, args)).not.toThrow();
  });

  test('a twin whose layout differs from the product refuses to run', async () => {
    const snapshot = join(folder, 'snapshot');
    measureOurs({ flows: 64, rules: 10, seed: 7, packets: 2048, snapshot });
    const twin = await buildTwin(folder);
    const bytes = readFileSync(snapshot);
    const LAYOUT_AT = 23 * 4;
    bytes.writeUInt32LE(bytes.readUInt32LE(LAYOUT_AT) + 1, LAYOUT_AT);
    writeFileSync(snapshot, bytes);
    await expect(twin.run(snapshot, 2048)).rejects.toThrow(
      'word 0 of the layout is 65 in the product and 64 in layout.h',
    );
  });

  test('a wrong record gives another outcome', async () => {
    const snapshot = join(folder, 'snapshot');
    const ours = measureOurs({ flows: 64, rules: 10, seed: 7, packets: 2048, snapshot }).processing;
    const twin = await buildTwin(folder);
    expect((await twin.run(snapshot, 2048)).outcome).toBe(ours.outcome);
    const bytes = readFileSync(snapshot);
    const image = 4096;
    const records = image + 64 * bytes.readUInt32LE(4 * 8);
    const lastByteOfNewDestination = records + 64 + 4 * 6 + 3;
    bytes.writeUInt8(bytes.readUInt8(lastByteOfNewDestination) ^ 1, lastByteOfNewDestination);
    writeFileSync(snapshot, bytes);
    expect((await twin.run(snapshot, 2048)).outcome).not.toBe(ours.outcome);
  });

  test('without the source of a DPDK pipeline the comparison is left out', async () => {
    vi.stubEnv('VNETEM_DPDK_PIPELINE', join(folder, 'none.c'));
    const { text } = await runAgainst(['dpdk'], SMOKE);
    expect(text).toBe('against dpdk: left out, no source of a DPDK pipeline: VNETEM_DPDK_PIPELINE names the C file');
  });

  test('a rival that does not compile is left out with the first error', async () => {
    const source = join(folder, 'broken.c');
    writeFileSync(source, '#error no such thing\n');
    vi.stubEnv('VNETEM_DPDK_PIPELINE', source);
    vi.stubEnv('PATH', `${pkgConfigThatKnowsDpdk()}:${process.env['PATH']}`);
    const { text } = await runAgainst(['dpdk'], SMOKE);
    expect(text).toMatch(/^against dpdk: left out, (gcc|cc|clang) cannot build it: .*#error no such thing$/);
    expect(text.split('\n')).toHaveLength(1);
  });
});

function pkgConfigThatKnowsDpdk(): string {
  writeFileSync(join(folder, 'pkg-config'), '#!/bin/sh\necho\n', { mode: 0o755 });
  return folder;
}

test("the yardstick's line is read: the median Mpps, and a drop is an error", () => {
  const line = 'fast,own,1024,1000,1000,32,1,7,38.52,36.10,39.01,67.4,25.96\n';
  expect(parseYardstick(line)).toBe(38.52);
  expect(() => parseYardstick(`WARNING drops acl=0 miss=3 bad=0 fwd=9\n${line}`)).toThrow('dropped packets');
  expect(() => parseYardstick('usage')).toThrow("printed no figures: 'usage'");
});
