import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DROP, DROP_CODES, DROP_REASONS, dropName, dropReasonTable } from '../../src/abi/drop-reasons.ts';

test('codes are dense from 0 and name their reason', () => {
  expect(DROP_CODES).toBe(Object.keys(DROP).length);
  for (let code = 0; code < DROP_CODES; code++) expect(DROP_REASONS[dropName(code)].code).toBe(code);
  expect(() => dropName(DROP_CODES)).toThrow(RangeError);
});

test('docs/drop-reasons.md holds the generated table', () => {
  expect(readFileSync('docs/drop-reasons.md', 'utf8')).toContain(dropReasonTable());
});
