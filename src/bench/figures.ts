// Figures of a benchmark: nanoseconds per packet over many windows, and the hash that says two runs did the same work.

export interface Figures {
  /** 0.1 percentile, 10th percentile and median over windows, nanoseconds per packet. */
  readonly best: number;
  readonly p10: number;
  readonly median: number;
}

/** One line of a report. */
export interface BenchRow {
  readonly id: string;
  readonly params: Readonly<Record<string, number | string>>;
  readonly nsPerPacket: Figures;
  /** Packets per microsecond over the wall clock of all windows. */
  readonly mpps: number;
  /** Hash of the outcomes; equal parameters must give equal hashes. */
  readonly outcome: string;
}

/** Percentiles of nanoseconds per packet. */
export function figuresOf(windows: readonly number[]): Figures {
  const sorted = windows.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { best: at(0.001), p10: at(0.1), median: at(0.5) };
}

/** Two decimals: more would be noise. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
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
