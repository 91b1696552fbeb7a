// The scaling chart: Mpps over flows, rules and workers as one self-contained SVG for docs/performance.md. No scripts,
// no fonts of its own; light and dark by the reader's preference, on a background of its own so that it can be read on
// any page. It shows what the rows say and nothing else: an axis that was not measured stays empty and says so.

import { conditions, type Conditions } from './conditions.ts';
import type { BenchRow, Params } from './figures.ts';

const PROCESSING = 'flow-hit/processing';
const END_TO_END = 'flow-hit/end-to-end';

/** The two figures of flow hits, and how they look: apart in shape as well as in colour. */
const SERIES = [
  {
    id: 'flow-hit/processing',
    name: 'processing only',
    mark: 'square',
    labels: 'above',
  },
  {
    id: 'flow-hit/end-to-end',
    name: 'end to end, generator and sink included',
    mark: 'circle',
    labels: 'below',
  },
] as const;
type Series = (typeof SERIES)[number];
type Axis = 'flows' | 'rules' | 'workers';

const WIDTH = 960;
const HEIGHT = 462;
const TOP = 152;
const BOTTOM = 356;

/** One of the three plots: its horizontal place, and what its axis counts. */
interface Panel {
  readonly axis: Axis;
  readonly left: number;
  readonly right: number;
  readonly title: string;
  readonly unit: string;
}
const PANELS: readonly Panel[] = [
  {
    axis: 'flows',
    left: 58,
    right: 412,
    title: 'Known flows',
    unit: 'flows, logarithmic',
  },
  {
    axis: 'rules',
    left: 478,
    right: 692,
    title: 'Rules',
    unit: 'rules per group, logarithmic',
  },
  {
    axis: 'workers',
    left: 758,
    right: 932,
    title: 'Workers',
    unit: 'workers, by wall clock',
  },
];

/** A measured point, in Mpps; `best` is the fastest window, `wall` packets by the wall clock. */
interface Point {
  readonly x: number;
  readonly median: number;
  readonly best: number;
  readonly wall: number;
}

/** The rows of one axis: equal in every other parameter. */
interface Family {
  readonly params: Params;
  readonly points: ReadonlyMap<string, readonly Point[]>;
}

/** The chart as SVG text. Uses the rows of flow hits, of the band's one flow and of several workers; ignores others. */
export function scalingChart(rows: readonly BenchRow[], machine: Conditions = conditions()): string {
  const families = PANELS.map((panel) => familyOf(rows, panel.axis));
  const most = Math.max(1, ...families.flatMap((family, i) => heights(family, PANELS[i].axis)));
  const step = tickStep(most);
  const scale = { step, max: Math.ceil((most * 1.04) / step) * step };
  const { node, v8, cpu, cores, platform } = machine;
  const seeds = [...new Set(rows.map((row) => row.params['seed']).filter((seed) => seed !== undefined))];
  const seed = seeds.length === 0 ? '' : `, seed ${seeds.join(', ')}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}"`,
    '  role="img" aria-labelledby="title summary">',
    `<title id="title">Throughput of the forwarding core over flows, rules and workers</title>`,
    `<desc id="summary">${escape(summaryOf(families))}</desc>`,
    STYLE,
    `<rect class="page" x="0.5" y="0.5" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="10"/>`,
    text(28, 38, 'title', 'Throughput of the forwarding core'),
    text(28, 60, 'note', 'Million packets per second: known TCP flows through private endpoints, 64-byte frames'),
    ...legend(),
    ...PANELS.flatMap((panel, i) => drawPanel(panel, families[i], scale)),
    text(28, 426, 'note', escape(`Node ${node}, V8 ${v8}, ${cpu}, ${cores} cores, ${platform}${seed}`)),
    text(28, 444, 'note', 'In memory, on one machine: not the speed of a network card, nor of Azure.'),
    '</svg>',
    '',
  ].join('\n');
}

const STYLE = `<style>
  svg { --page: #fcfcfb; --edge: #dddcd8; --ink: #1b1b1a; --soft: #5c5b57; --grid: #e6e5e1;
    --processing: #b4500f; --end: #1f6fc4; }
  @media (prefers-color-scheme: dark) {
    svg { --page: #1a1a19; --edge: #3a3936; --ink: #f3f2ee; --soft: #b5b4ad; --grid: #343330;
      --processing: #f0914f; --end: #63a9f2; }
  }
  text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: var(--ink); }
  .title { font-size: 18px; font-weight: 600; }
  .panel { font-size: 13.5px; font-weight: 600; }
  .note, .tick { fill: var(--soft); }
  .tick { font-size: 11.5px; }
  .middle { text-anchor: middle; }
  .right { text-anchor: end; }
  .inside { fill: var(--page); font-weight: 600; }
  .value { font-weight: 600; font-variant-numeric: tabular-nums; text-anchor: middle;
    paint-order: stroke; stroke: var(--page); stroke-width: 4px; stroke-linejoin: round; }
  .page { fill: var(--page); stroke: var(--edge); }
  .grid { stroke: var(--grid); }
  .base { stroke: var(--soft); }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
  .spread { stroke-width: 5; stroke-linecap: round; opacity: 0.36; }
  .ideal { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 3 3; }
  .processing { fill: var(--processing); stroke: var(--processing); }
  .end { fill: var(--end); stroke: var(--end); }
  .mark { stroke: var(--page); stroke-width: 2; }
  text.processing, text.end { stroke: var(--page); }
  path.line { fill: none; }
</style>`;

/** The largest set of points that differ in one parameter only; of equal ones, that with more flows. */
function familyOf(rows: readonly BenchRow[], axis: Axis): Family | undefined {
  const families = new Map<string, { params: Params; points: Map<string, Map<number, Point>> }>();
  for (const { series, params, point } of rows.flatMap((row) => measuredPoints(row, axis))) {
    const others = Object.entries(params).filter(([name]) => name !== axis);
    const key = JSON.stringify(others.toSorted(([a], [b]) => (a < b ? -1 : 1)));
    const family = families.get(key) ?? { params, points: new Map<string, Map<number, Point>>() };
    families.set(key, family);
    const points = family.points.get(series) ?? new Map<number, Point>();
    family.points.set(series, points);
    points.set(point.x, point);
  }
  const rank = ({
    points,
    params,
  }: {
    points: ReadonlyMap<string, ReadonlyMap<number, Point>>;
    params: Params;
  }): number => Math.max(...[...points.values()].map((series) => series.size)) * 2 ** 32 + Number(params['flows'] ?? 0);
  const [largest] = [...families.values()].toSorted((a, b) => rank(b) - rank(a));
  if (largest === undefined) return undefined;
  const points = [...largest.points].map(([id, series]) => [id, ordered(series.values())] as const);
  return { params: largest.params, points: new Map(points) };
}

interface Measured {
  readonly series: string;
  readonly params: Params;
  readonly point: Point;
}

/** What a row contributes to an axis. The one-flow case of the band is a flow hit too; a row of several workers brings
 * the figure of one worker along, which was measured in turn with it. */
function measuredPoints({ id, params, mpps, extra }: BenchRow, axis: Axis): Measured[] {
  const x = params[axis];
  if (typeof x !== 'number') return [];
  const workers = params['workers'] ?? 1;
  if (axis === 'workers') {
    const one = extra?.['oneWorkerMpps'];
    if (id !== END_TO_END || workers === 1 || one === undefined) return [];
    const point = (count: number, wall: number): Measured => ({
      series: id,
      params,
      point: { x: count, median: wall, best: wall, wall },
    });
    return [point(1, one), point(x, mpps.wall)];
  }
  if (workers !== 1) return [];
  const { median, best, wall } = mpps;
  if (id === PROCESSING || id === END_TO_END) return [{ series: id, params, point: { x, median, best, wall } }];
  if (id !== 'band/one-flow') return [];
  const processing = 1e3 / (extra?.['processingNs'] ?? Infinity);
  const alone = { x, median: processing, best: processing, wall: processing };
  return [
    { series: END_TO_END, params, point: { x, median, best, wall } },
    { series: PROCESSING, params, point: alone },
  ];
}

function ordered(points: Iterable<Point>): Point[] {
  return [...points].toSorted((a, b) => a.x - b.x);
}

function heights(family: Family | undefined, axis: Axis): number[] {
  const points = [...(family?.points.values() ?? [])].flat();
  if (axis !== 'workers') return points.map((point) => point.best);
  return points.flatMap((point) => [point.wall, idealOf(points, point)]);
}

/** What so many workers would reach if they took nothing from each other. */
function idealOf(points: readonly Point[], point: Point): number {
  const [first] = points;
  return (first.wall / first.x) * point.x;
}

/** 1, 2 or 5 times a power of ten, for four to eight grid lines. */
function tickStep(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most / 4));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => most / step <= 7) ?? power;
}

interface Scale {
  readonly step: number;
  readonly max: number;
}

function heightOf(value: number, scale: Scale): number {
  return round(BOTTOM - (value / scale.max) * (BOTTOM - TOP));
}

function legend(): string[] {
  const parts: string[] = [];
  let x = 34;
  for (const series of SERIES.toReversed()) {
    parts.push(mark(series, x, 81), text(x + 12, 85, 'note', series.name));
    x += 36 + series.name.length * 6.3;
  }
  const spread = `<line class="spread end" x1="${x}" x2="${x}" y1="76" y2="86"/>`;
  parts.push(spread, text(x + 10, 85, 'note', 'from the median of all windows to the fastest'));
  x += 300;
  const ideal = `<line class="ideal" x1="${x}" x2="${x + 22}" y1="81" y2="81"/>`;
  return [...parts, ideal, text(x + 30, 85, 'note', 'linear scaling')];
}

function drawPanel(panel: Panel, family: Family | undefined, scale: Scale): string[] {
  const { left, right, title, unit } = panel;
  const middle = (left + right) / 2;
  const parts = [text(left, 114, 'panel', title)];
  for (let value = 0; value <= scale.max; value += scale.step) {
    const y = heightOf(value, scale);
    parts.push(`<line class="${value === 0 ? 'base' : 'grid'}" x1="${left}" x2="${right}" y1="${y}" y2="${y}"/>`);
    parts.push(text(left - 8, y + 4, 'tick right', `${value}`));
  }
  parts.push(text(middle, BOTTOM + 36, 'tick middle', unit));
  if (family === undefined) return [...parts, text(middle, (TOP + BOTTOM) / 2, 'note middle', 'not measured')];
  parts.push(text(left, 132, 'tick', escape(fixedParams(family.params, panel.axis))));
  const draw = panel.axis === 'workers' ? drawBars : drawLines;
  return [...parts, ...draw(panel, family, scale)];
}

function fixedParams(params: Params, axis: Axis): string {
  const named = (name: Axis, one: string, many: string): string[] => {
    const value = params[name];
    return name === axis || typeof value !== 'number' ? [] : [`${count(value)} ${value === 1 ? one : many}`];
  };
  const parts = [named('workers', 'worker', 'workers'), named('flows', 'flow', 'flows')];
  return [...parts, named('rules', 'rule', 'rules')].flat().join(', ');
}

function drawLines(panel: Panel, family: Family, scale: Scale): string[] {
  const values = [...new Set([...family.points.values()].flat().map((point) => point.x))].toSorted((a, b) => a - b);
  const inset = 26;
  const [first, last] = [Math.log(values[0]), Math.log(values[values.length - 1])];
  const place = (x: number): number => {
    const share = first === last ? 0.5 : (Math.log(x) - first) / (last - first);
    return round(panel.left + inset + share * (panel.right - panel.left - 2 * inset));
  };
  const parts = values.map((x) => text(place(x), BOTTOM + 17, 'tick middle', count(x)));
  for (const series of SERIES) {
    const points = family.points.get(series.id) ?? [];
    const css = classOf(series);
    const spots = points.map((point) => `${place(point.x)},${heightOf(point.median, scale)}`);
    for (const point of points) {
      const [x, y1, y2] = [place(point.x), heightOf(point.best, scale), heightOf(point.median, scale)];
      parts.push(`<line class="spread ${css}" x1="${x}" x2="${x}" y1="${y1}" y2="${y2}"/>`);
    }
    if (spots.length > 1) parts.push(`<path class="line ${css}" d="M${spots.join('L')}"/>`);
    for (const point of points) {
      const x = place(point.x);
      const y = heightOf(point.median, scale);
      const label = series.labels === 'above' ? heightOf(point.best, scale) - 10 : y + 20;
      parts.push(mark(series, x, y), text(x, label, `value ${css}`, point.median.toFixed(1)));
    }
  }
  return parts;
}

/** Between a bar and the line above it, so that the bar's figure fits. */
const LABEL_ROOM = 26;

function drawBars(panel: Panel, family: Family, scale: Scale): string[] {
  const points = [...family.points.values()].flat();
  const slot = (panel.right - panel.left) / points.length;
  const width = Math.min(54, slot * 0.66);
  return points.flatMap((point, i) => {
    const middle = round(panel.left + (i + 0.5) * slot);
    const y = heightOf(point.wall, scale);
    const bar = `M${middle - width / 2} ${BOTTOM}V${y + 4}q0 -4 4 -4h${width - 8}q4 0 4 4V${BOTTOM}Z`;
    const ideal = heightOf(idealOf(points, point), scale);
    const parts = [
      text(middle, BOTTOM + 17, 'tick middle', count(point.x)),
      `<path class="end bar" d="${bar}"/>`,
      text(middle, (y - ideal > LABEL_ROOM ? y : Math.min(y, ideal)) - 10, 'value end', point.wall.toFixed(1)),
    ];
    if (i === 0) return parts;
    const [x1, x2] = [middle - width / 2 - 5, middle + width / 2 + 5];
    const times = point.wall / points[0].wall;
    return [
      ...parts,
      `<line class="ideal" x1="${x1}" x2="${x2}" y1="${ideal}" y2="${ideal}"/>`,
      text(middle, y + 22, 'inside middle', `× ${times.toFixed(2)}`),
    ];
  });
}

function classOf(series: Series): 'end' | 'processing' {
  return series.mark === 'circle' ? 'end' : 'processing';
}

function mark(series: Series, x: number, y: number): string {
  const css = `${classOf(series)} mark`;
  if (series.mark === 'circle') return `<circle class="${css}" cx="${x}" cy="${y}" r="5.5"/>`;
  return `<rect class="${css}" x="${x - 5}" y="${y - 5}" width="10" height="10" rx="1.5"/>`;
}

/** The figures in words, for readers who do not see the chart. */
function summaryOf(families: readonly (Family | undefined)[]): string {
  const sentences = families.flatMap((family, i) => {
    const { axis } = PANELS[i];
    return SERIES.flatMap(({ id, name }) => {
      const points = family?.points.get(id) ?? [];
      if (points.length === 0) return [];
      const values = points.map((point) => {
        const mpps = axis === 'workers' ? point.wall : point.median;
        return `${mpps.toFixed(1)} at ${count(point.x)}`;
      });
      return [`Mpps over ${axis}, ${name}: ${values.join(', ')}.`];
    });
  });
  return sentences.join(' ');
}

/** 1, 100, 1,000; powers of two as 1 k, 64 k, 1 M. */
function count(value: number): string {
  if (value >= 1 << 20 && value % (1 << 20) === 0) return `${value >> 20} M`;
  if (value >= 1 << 10 && value % (1 << 10) === 0) return `${value >> 10} k`;
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

function text(x: number, y: number, css: string, content: string): string {
  return `<text x="${round(x)}" y="${round(y)}" class="${css}">${content}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
