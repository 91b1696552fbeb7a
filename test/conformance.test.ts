// The public conformance cases, run through the whole emulator: every one passes. And no case can be talked into
// passing: a changed expectation fails.

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCaseFiles } from '../src/conformance/load.ts';
import { isMapping } from '../src/conformance/merge.ts';
import type { RawCase } from '../src/conformance/notation.ts';
import { runCase } from '../src/conformance/run-case.ts';

const directory = join(import.meta.dirname, 'conformance', 'cases');
const shared = join(import.meta.dirname, '..', '..', 'shared', 'conformance');
const files = readdirSync(directory).filter((name) => name.endsWith('.yaml'));
const { topologies, cases, issues } = loadCaseFiles(files.map((name) => join(directory, name)));

describe('the public cases', () => {
  it('are all there and well formed', () => {
    expect(issues).toEqual([]);
    expect(cases.length).toBeGreaterThan(160);
  });

  it.skipIf(!existsSync(shared))('are the published ones, byte for byte', () => {
    const published = readdirSync(shared).filter((name) => name.endsWith('.yaml'));
    expect(files.toSorted()).toEqual(published.toSorted());
    for (const name of published) {
      expect(readFileSync(join(directory, name)).equals(readFileSync(join(shared, name))), name).toBe(true);
    }
  });

  it.each(cases.map((raw) => [raw.id, raw] as const))('%s holds', (_, raw) => {
    const { status, detail } = runCase(raw, topologies);
    expect(status, detail).toBe('pass');
  });
});

describe('a changed expectation', () => {
  const passing = cases.filter((raw) => runCase(raw, topologies).status === 'pass');

  it('fails, whichever field of whichever case was changed', () => {
    const changed = passing.flatMap(changedCases);
    expect(changed.length).toBeGreaterThan(200);
    const unnoticed = changed.filter(({ raw }) => runCase(raw, topologies).status !== 'fail');
    expect(unnoticed.map(({ what }) => what)).toEqual([]);
  });
});

/** The case once per expected field, with something else expected there. */
function changedCases(raw: RawCase): { readonly what: string; readonly raw: RawCase }[] {
  const steps = Array.isArray(raw['steps']) ? (raw['steps'] as readonly Record<string, unknown>[]) : [];
  const inSteps = steps.flatMap((step, i) =>
    fieldsOf(step['expect']).map((field) => ({
      what: `${raw.id} step ${i + 1} ${field}`,
      raw: { ...raw, steps: steps.with(i, { ...step, expect: changedField(step['expect'], field) }) },
    })),
  );
  const ownFields = fieldsOf(raw.expect).filter((field) => !isEmptyList(raw.expect, field));
  const own = ownFields.map((field) => ({
    what: `${raw.id} ${field}`,
    raw: { ...raw, expect: changedField(raw.expect, field) },
  }));
  return [...own, ...inSteps];
}

function fieldsOf(expected: unknown): string[] {
  return isMapping(expected) ? Object.keys(expected) : [];
}

// `absent: []` of a route table is met by every table.
function isEmptyList(expected: unknown, field: string): boolean {
  const value = isMapping(expected) ? expected[field] : undefined;
  return field === 'absent' && Array.isArray(value) && value.length === 0;
}

function changedField(expected: unknown, field: string): unknown {
  if (!isMapping(expected)) return expected;
  return { ...expected, [field]: changedValue(expected[field], field) };
}

function changedValue(value: unknown, field: string): unknown {
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value + 1;
  if (field === 'absent' && Array.isArray(value)) return [...value, '0.0.0.0/0'];
  if (Array.isArray(value)) return [...value, 'something else'];
  if (isMapping(value)) return { ...value, '10.255.255.1': 'something else' };
  return /^[0-9a-f:]+$/i.test(String(value)) && String(value).includes(':') ? '::1' : `${String(value)}0`;
}
