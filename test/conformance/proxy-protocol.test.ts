// The shapes about the PROXY protocol, with values of their own.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCaseFiles } from '../../src/conformance/load.ts';
import type { RawCase } from '../../src/conformance/notation.ts';
import { runCase } from '../../src/conformance/run-case.ts';

const { cases, topologies } = loadCaseFiles([join(import.meta.dirname, 'cases', 'pls.yaml')]);

describe('the published cases', () => {
  it.each(['PLS-C01', 'PLS-C03', 'PLS-C06'])('%s passes', (id) => {
    const raw = cases.find((each) => each.id === id)!;
    expect(runCase(raw, topologies)).toEqual({ id, status: 'pass', detail: '' });
  });
});

describe('cases of the same shapes', () => {
  it.each<[string, string, unknown, object]>([
    [
      'another client, port and link (PLS-16)',
      'pp2',
      { src: '192.168.7.250', sport: 1025, dst: '172.16.0.9', dport: 65_535, linkId: 0xfe00_0001 },
      { hex: '0D0A0D0A000D0A515549540A21110014C0A807FAAC1000090401FFFFEE000501010000FE', bytes: 36 },
    ],
    [
      'neither side speaks it, and only the backend does (PLS-15)',
      'wire',
      [
        { enableProxyProtocol: false, backendParses: false },
        { enableProxyProtocol: false, backendParses: true },
      ],
      { requestSucceeds: [true, false] },
    ],
  ])('%s', (_, kind, input, expected) => {
    const raw = { id: 'T-1', kind, rules: ['PLS-15'], origin: 'derived', input, expect: expected } as RawCase;
    expect(runCase(raw, topologies)).toEqual({ id: 'T-1', status: 'pass', detail: '' });
  });

  it('a wrong byte is a failure', () => {
    const raw = cases.find((each) => each.id === 'PLS-C03')!;
    const wrong = { ...raw, expect: { hex: '0D0A0D0A000D0A515549540A21000000', bytes: 16 } } as RawCase;
    expect(runCase(wrong, topologies).status).toBe('fail');
  });
});
