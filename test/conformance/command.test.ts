// The conformance command: exit status, lines, JSON, and that it cannot be talked into passing a case.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runConformance } from '../../src/conformance/command.ts';

const GOOD =
  '{id: GOOD, kind: fsm, machine: pe, events: [createManual, approve], expect: {states: [Pending, Approved]}}';
const WRONG =
  '{id: WRONG, kind: fsm, machine: pe, events: [createManual, approve], expect: {states: [Pending, Rejected]}}';
const LATER = '{id: LATER, kind: wire, input: {moon: full}, expect: {moon: full}}';

let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'vnetem-cases-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function run(...args: string[]): { status: number; out: string; err: string } {
  let out = '';
  let err = '';
  const status = runConformance(args, { out: (text) => (out += text), err: (text) => (err += text) });
  return { status, out, err };
}

function caseFile(...cases: string[]): string {
  const path = join(directory, 'cases.yaml');
  writeFileSync(path, `cases:\n${cases.map((each) => `- ${each}\n`).join('')}`);
  return path;
}

/** Runs one case and gives its line of output. */
function lineOf(text: string): string {
  return run(caseFile(text)).out.split('\n')[0] ?? '';
}

describe('the command', () => {
  it('prints a line per case and the totals, and ends with 0 when no case failed', () => {
    const { status, out, err } = run(caseFile(GOOD, LATER));
    expect(out).toMatch(/^ok GOOD\nnot-yet LATER .*\{moon\}.*\n1 passed, 0 failed, 1 not yet\n$/);
    expect(err).toBe('');
    expect(status).toBe(0);
  });

  it('ends with 1 when a case failed, and says what was expected and what came out', () => {
    const { status, out } = run(caseFile(GOOD, WRONG));
    expect(out).toContain('FAIL WRONG expected states ["Pending","Rejected"], got ["Pending","Approved"]\n');
    expect(out).toContain('1 passed, 1 failed, 0 not yet\n');
    expect(status).toBe(1);
  });

  it('prints one JSON object and nothing else with --json', () => {
    const { status, out, err } = run('--json', caseFile(GOOD, WRONG, LATER));
    expect(err).toBe('');
    expect(status).toBe(1);
    expect(JSON.parse(out)).toEqual({
      cases: [
        { id: 'GOOD', status: 'pass', detail: '' },
        { id: 'WRONG', status: 'fail', detail: 'expected states ["Pending","Rejected"], got ["Pending","Approved"]' },
        { id: 'LATER', status: 'not-yet', detail: expect.stringContaining('{moon}') as unknown },
      ],
      passed: 1,
      failed: 1,
      notYet: 1,
    });
  });

  it('ends with 2 without files, with an unknown option, and with a malformed file', () => {
    expect(run()).toMatchObject({ status: 2, out: '' });
    expect(run().err).toContain('Usage:');
    expect(run('--jsonn', caseFile(GOOD))).toMatchObject({ status: 2, out: '' });
    const broken = join(directory, 'broken.yaml');
    writeFileSync(broken, 'cases:\n- {id: A');
    const { status, out, err } = run('--json', broken);
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(err).toMatch(/broken\.yaml:2:\d+: error CONFORMANCE_YAML/);
  });

  it('explains itself with --help', () => {
    expect(run('--help')).toMatchObject({ status: 0, err: '' });
    expect(run('--help').out).toContain('--json');
  });
});

describe('a case', () => {
  it('fails when it expects nothing', () => {
    expect(lineOf('{id: A, kind: fsm, machine: pe, events: [createManual], expect: {}}')).toContain('nothing to check');
    expect(lineOf('{id: A, kind: fsm, machine: pe, events: [createManual]}')).toContain('nothing to check');
  });

  it('fails when it expects something that its kind cannot tell', () => {
    const line = lineOf(
      '{id: A, kind: fsm, machine: pe, events: [createManual], expect: {states: [Pending], stats: 1}}',
    );
    expect(line).toBe('FAIL A expectation not understood: stats');
  });

  it('fails when its kind, machine, event, profile or a field of its own is not understood', () => {
    expect(lineOf('{id: A, kind: fms, expect: {states: []}}')).toBe('FAIL A kind not understood: fms');
    expect(lineOf('{id: A, kind: fsm, machine: door, events: [], expect: {states: []}}')).toMatch(/^FAIL A .*machine/);
    expect(lineOf('{id: A, kind: fsm, machine: pe, events: [open], expect: {states: [x]}}')).toMatch(
      /^FAIL A .*events/,
    );
    expect(lineOf(GOOD.replace('kind: fsm', 'kind: fsm, profile: ga-2030'))).toMatch(
      /^FAIL GOOD profile not understood/,
    );
    expect(lineOf(GOOD.replace('kind: fsm', 'kind: fsm, speed: 5'))).toMatch(/^FAIL GOOD case not understood/);
  });

  it('fails when its topology is in none of the files', () => {
    const line = lineOf('{id: A, kind: packet, topo: T-NONE, packet: {}, expect: {verdict: drop}}');
    expect(line).toBe('FAIL A topology T-NONE is in none of the given files');
  });

  it('that throws does not stop the others', () => {
    const { out } = run(caseFile('{id: A, kind: nat46, input: {src: x}, expect: {src6: "::"}}', GOOD));
    expect(out).toMatch(/^FAIL A /);
    expect(out).toContain('ok GOOD');
  });

  it('of a shape that is not known yet does not pass', () => {
    expect(lineOf('{id: A, kind: wire, input: {moon: full}, expect: {moon: full}}')).toMatch(/^not-yet A .*\{moon\}/);
  });
});
