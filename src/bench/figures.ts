// Figures of a benchmark: nanoseconds per packet over many windows, packets per microsecond, and the hash that says two
// runs did the same work. A window is 2,048 packets; "best" is the 0.1 percentile of all windows.

export interface Figures {
  /** 0.1 percentile, 10th percentile and median over windows, nanoseconds per packet. */
  readonly best: number;
  readonly p10: number;
  readonly median: number;
}

/** Packets per microsecond: of the same percentiles, and by the wall clock. */
export interface Rates extends Figures {
  /** Packets divided by the time in which they were handled, all windows together. */
  readonly wall: number;
}

export type Params = Readonly<Record<string, number | string>>;

/** One line of a report. */
export interface BenchRow {
  readonly id: string;
  readonly params: Params;
  readonly nsPerPacket: Figures;
  readonly mpps: Rates;
  /** Hash of the outcomes; equal parameters must give equal hashes. */
  readonly outcome: string;
  /** Figures that only this case has: bytes per connection, a ratio, packets lost. */
  readonly extra?: Readonly<Record<string, number>>;
}

/** Packets of a window. */
export const WINDOW = 2048;

/** What a case reports beside its windows. */
export interface RowDetails {
  /** Packets per microsecond by the wall clock; the mean of the windows when absent. */
  readonly wall?: number;
  readonly extra?: Readonly<Record<string, number>>;
}

/** A row from nanoseconds per packet of every window. */
export function benchRow(
  id: string,
  params: Params,
  windows: readonly number[],
  outcome: string,
  details: RowDetails = {},
): BenchRow {
  const ns = figuresOf(windows);
  const mean = windows.reduce((sum, window) => sum + window, 0) / windows.length;
  const mpps = {
    best: mppsOf(ns.best),
    p10: mppsOf(ns.p10),
    median: mppsOf(ns.median),
    wall: round(details.wall ?? 1e3 / mean),
  };
  return { id, params, nsPerPacket: ns, mpps, outcome, ...(details.extra && { extra: details.extra }) };
}

/** Percentiles of nanoseconds per packet. */
export function figuresOf(windows: readonly number[]): Figures {
  const sorted = Float64Array.from(windows).sort();
  const at = (share: number): number =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { best: at(0.001), p10: at(0.1), median: at(0.5) };
}

/** Two decimals: more would be noise. Small values, as rates of things that take milliseconds, keep three digits. */
export function round(value: number): number {
  return Math.abs(value) < 1 ? Number(value.toPrecision(3)) : Math.round(value * 100) / 100;
}

function mppsOf(ns: number): number {
  return round(ns === 0 ? 0 : 1e3 / ns);
}

/** An FNV-1a hash over 32-bit words, for outcomes. */
export class OutcomeHash {
  private state = 0x811c9dc5;

  add(word: number): void {
    this.state = Math.imul(this.state ^ (word & 0xffff), 0x01000193);
    this.state = Math.imul(this.state ^ (word >>> 16), 0x01000193);
  }

  get hex(): string {
    return (this.state >>> 0).toString(16).padStart(8, '0');
  }
}
