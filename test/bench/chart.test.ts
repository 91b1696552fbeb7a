import { expect, test } from 'vitest';
import { scalingChart } from '../../src/bench/chart.ts';
import type { Conditions } from '../../src/bench/conditions.ts';
import { benchRow, type BenchRow } from '../../src/bench/figures.ts';

const MACHINE: Conditions = {
  node: '20.0.0',
  v8: '11.3',
  cpu: 'Cores & <More>',
  cores: 2,
  load: 0.4,
  platform: 'linux-x64',
};

/** Rows as a run yields them, from Mpps. */
function row(id: string, params: Record<string, number>, mpps: number, extra?: Record<string, number>): BenchRow {
  const all = { flows: 65_536, workers: 1, frame: 64, rules: 1000, seed: 7, ...params };
  return benchRow(id, all, [1e3 / mpps], 'hash', { wall: mpps, ...(extra && { extra }) });
}

const ROWS = [
  row('band/one-flow', { flows: 1 }, 30, { processingNs: 20 }),
  row('flow-hit/end-to-end', { flows: 1024 }, 28),
  row('flow-hit/processing', { flows: 1024 }, 44),
  row('flow-hit/end-to-end', {}, 20),
  row('flow-hit/processing', {}, 26),
  row('flow-hit/end-to-end', { rules: 10 }, 21),
  row('flow-hit/processing', { rules: 10 }, 27),
  row('flow-hit/end-to-end', { workers: 2 }, 38, { oneWorkerMpps: 20 }),
  row('flow-hit/end-to-end', { workers: 2, flows: 1024 }, 50, { oneWorkerMpps: 28 }),
  row('frame-size/end-to-end', { frame: 1500 }, 5),
  row('nsg-compile', {}, 0.0001),
];

/** Elements of one kind, with the value of an attribute. */
function attributes(svg: string, pattern: RegExp): number[] {
  return [...svg.matchAll(pattern)].map((match) => Number(match[1]));
}

test('the chart shows every flow hit on its axis, higher throughput further up', () => {
  const svg = scalingChart(ROWS, MACHINE);
  // Three points over flows and two over rules; the legend has one mark of each kind.
  const circles = attributes(svg, /<circle class="end mark" cx="[\d.]+" cy="([\d.]+)"/g);
  expect(circles).toHaveLength(1 + 3 + 2);
  const [, one, thousand, many] = circles;
  expect([one, thousand, many]).toEqual([one, thousand, many].toSorted((a, b) => a! - b!));
  expect(attributes(svg, /<rect class="processing mark" x="[\d.]+" y="([\d.]+)"/g)).toHaveLength(1 + 3 + 2);
  for (const label of ['30.0', '50.0', '44.0', '26.0', '21.0', '1 k', '64 k', '1,000']) {
    expect(svg).toContain(`>${label}</text>`);
  }
});

test('workers are compared by the wall clock, with the figure of one worker that was measured in turn', () => {
  const svg = scalingChart(ROWS, MACHINE);
  expect(svg).toContain('>× 1.90</text>');
  const [one, two] = attributes(svg, /<path class="end bar" d="M[\d.]+ [\d.]+V([\d.]+)q/g);
  expect(two).toBeLessThan(one!);
});

test('what was not measured is not drawn, and the chart says so', () => {
  const svg = scalingChart(ROWS.slice(1, 3), MACHINE);
  expect(svg.match(/not measured/g)).toHaveLength(1);
  expect(scalingChart([], MACHINE).match(/not measured/g)).toHaveLength(3);
});

test('the chart is one well-formed file: no script, nothing from outside, light and dark, names escaped', () => {
  const svg = scalingChart(ROWS, MACHINE);
  expect(svg).not.toMatch(/<script|href|url\(|@import|NaN|undefined|Infinity/);
  expect(svg).toContain('prefers-color-scheme: dark');
  expect(svg).toContain('Cores &amp; &lt;More&gt;');
  const open: string[] = [];
  for (const [, closing, name, selfClosing] of svg.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)) {
    if (closing === '/') expect(open.pop()).toBe(name);
    else if (selfClosing === '') open.push(name!);
  }
  expect(open).toEqual([]);
});

test('the same rows on the same machine give the same bytes, conditions included and no date', () => {
  expect(scalingChart(ROWS, MACHINE)).toBe(scalingChart([...ROWS], { ...MACHINE, load: 1.5 }));
  expect(scalingChart(ROWS, MACHINE)).toContain('Node 20.0.0, V8 11.3');
});
