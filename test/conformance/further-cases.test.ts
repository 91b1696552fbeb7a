// Our own cases in the notation, through the whole emulator: all of them hold.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCaseFiles } from '../../src/conformance/load.ts';
import { runCase } from '../../src/conformance/run-case.ts';

const { topologies, cases, issues } = loadCaseFiles([
  join(import.meta.dirname, 'cases', 'topologies.yaml'),
  join(import.meta.dirname, 'further-cases.yaml'),
]);

describe('the further cases', () => {
  it('are well formed and have names of their own', () => {
    expect(issues).toEqual([]);
    expect(new Set(cases.map(({ id }) => id)).size).toBe(cases.length);
    expect(cases.length).toBeGreaterThan(90);
  });

  it.each(cases.map((raw) => [raw.id, raw] as const))('%s holds', (_, raw) => {
    expect(runCase(raw, topologies)).toEqual({ id: raw.id, status: 'pass', detail: '' });
  });
});
