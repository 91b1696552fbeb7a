// Case files: merged whatever they are called, malformed ones reported with their place.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadCaseFiles, loadCaseText } from '../../src/conformance/load.ts';

let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'vnetem-cases-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

describe('case files', () => {
  it('are merged in order, topologies and cases in any of them', () => {
    const loaded = loadCaseFiles([
      file('z.txt', 'cases: [{id: A, kind: packet}]\ntopologies: {one: {vnets: {}}}'),
      file('a.yaml', 'topologies: {two: {vnets: {}}}'),
      file('b.yaml', 'cases: [{id: B, kind: fsm}]'),
    ]);
    expect(loaded.issues).toEqual([]);
    expect(loaded.cases.map(({ id }) => id)).toEqual(['A', 'B']);
    expect([...loaded.topologies.keys()]).toEqual(['one', 'two']);
  });

  it('may repeat a topology, but not with another content', () => {
    const same = 'topologies: {one: {vnets: {v: [10.0.0.0/16]}}}';
    expect(loadCaseFiles([file('a', same), file('b', same)]).issues).toEqual([]);
    const other = file('c', 'topologies:\n  one: {vnets: {}}');
    const [issue] = loadCaseFiles([file('a', same), other]).issues;
    expect(issue).toMatchObject({ code: 'CONFORMANCE_DUPLICATE', source: { file: other, line: 2, column: 8 } });
  });

  it('that cannot be read are issues, all of them at once', () => {
    const issues = loadCaseFiles([join(directory, 'no'), join(directory, 'never')]).issues;
    expect(issues.map(({ code }) => code)).toEqual(['CONFORMANCE_FILE_UNREADABLE', 'CONFORMANCE_FILE_UNREADABLE']);
  });
});

describe('a malformed file', () => {
  const cases: [name: string, text: string, code: string, line: number][] = [
    ['is not YAML', 'cases:\n- {id: A, kind: packet', 'CONFORMANCE_YAML', 2],
    ['is empty', '', 'CONFORMANCE_CONTENT', 1],
    ['is a list', '- 1', 'CONFORMANCE_CONTENT', 1],
    ['holds something else', 'networks: {}', 'CONFORMANCE_CONTENT', 1],
    ['has cases that are no list', 'cases:\n  A: {}', 'CONFORMANCE_CONTENT', 2],
    ['has topologies that are no mapping', 'topologies:\n- A', 'CONFORMANCE_CONTENT', 2],
    ['has a topology that is no mapping', 'topologies:\n  A: 5', 'CONFORMANCE_CONTENT', 2],
    ['has a case without id', 'cases:\n- {id: A, kind: fsm}\n- {kind: packet}', 'CONFORMANCE_CASE', 3],
    ['has a case without kind', 'cases:\n- {id: A}', 'CONFORMANCE_CASE', 2],
    ['has an override that is no mapping', 'cases:\n- {id: A, kind: packet, override: 5}', 'CONFORMANCE_CASE', 2],
  ];

  it.each(cases)('that %s is reported with its place', (_, text, code, line) => {
    const { issues } = loadCaseText('cases.yaml', text);
    expect(issues.map((issue) => issue.code)).toContain(code);
    expect(issues[0]?.source).toMatchObject({ file: 'cases.yaml', line });
    expect(issues[0]?.hint).not.toBe('');
  });
});
