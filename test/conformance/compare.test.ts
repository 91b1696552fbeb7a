// The comparison is honest: what is expected is met exactly, or there is a line that says what is not.

import { describe, expect, it } from 'vitest';
import { checksSomething, differences, includesValue, sameText, sameValue } from '../../src/conformance/compare.ts';

const outcome = { verdict: 'drop', to: undefined, reason: 'NsgDeny', via: ['fw'], rewrite: { src: '20.0.0.1' } };

describe('differences', () => {
  it('are none when everything expected is met, and what is not expected is not checked', () => {
    expect(differences({ verdict: 'drop', via: ['fw'] }, outcome)).toEqual([]);
  });

  it('name the field, what was expected and what came out', () => {
    expect(differences({ verdict: 'deliver', to: 'vm' }, outcome)).toEqual([
      'expected verdict deliver, got drop',
      'expected to vm, got nothing',
    ]);
  });

  it('include every expectation that is not understood', () => {
    expect(differences({ verdict: 'drop', verdcit: 'drop' }, outcome)).toEqual(['expectation not understood: verdcit']);
  });

  it('do not take inherited properties of objects for fields', () => {
    expect(differences({ constructor: 'x' }, outcome)).toEqual(['expectation not understood: constructor']);
  });

  it('exist for a rewrite that says less or more than what happened', () => {
    expect(differences({ rewrite: {} }, outcome)).toHaveLength(1);
    expect(differences({ rewrite: { src: '20.0.0.1', dst: '10.0.0.4' } }, outcome)).toHaveLength(1);
    expect(differences({ rewrite: { src: '20.0.0.1' } }, outcome)).toEqual([]);
  });

  it('use the comparator of a field where there is one', () => {
    const comparators = { reason: sameText };
    expect(differences({ reason: 'nsgdeny' }, outcome, comparators)).toEqual([]);
    expect(differences({ reason: 'RouteNone' }, outcome, comparators)).toHaveLength(1);
  });

  it('refuse an expectation that is not a mapping', () => {
    expect(differences(['drop'], outcome)).toHaveLength(1);
  });
});

describe('values', () => {
  it('compare numbers with their text, and lists in order and length', () => {
    expect(sameValue('80', 80)).toBe(true);
    expect(sameValue([1, 2], [2, 1])).toBe(false);
    expect(sameValue([1], [1, 2])).toBe(false);
    expect(sameValue(false, undefined)).toBe(false);
    expect(sameValue(true, 'true')).toBe(false);
  });

  it('may say more than expected only where that is asked for', () => {
    expect(includesValue([{ offset: 0 }], [{ offset: 0, id: 7 }])).toBe(true);
    expect(includesValue([{ offset: 0, id: 8 }], [{ offset: 0, id: 7 }])).toBe(false);
    expect(includesValue([], [{ offset: 0 }])).toBe(false);
    expect(sameValue([{ offset: 0 }], [{ offset: 0, id: 7 }])).toBe(false);
  });

  it('of nothing check nothing', () => {
    expect(checksSomething({})).toBe(false);
    expect(checksSomething(undefined)).toBe(false);
    expect(checksSomething({ to: null })).toBe(true);
  });
});
