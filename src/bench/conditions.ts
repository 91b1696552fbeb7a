// What figures were taken on: a figure without its conditions says nothing.

import { cpus, loadavg } from 'node:os';

export interface Conditions {
  readonly node: string;
  readonly v8: string;
  readonly cpu: string;
  readonly cores: number;
  /** Load average of the last minute. */
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
