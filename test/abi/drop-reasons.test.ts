import { expect, test } from 'vitest';
import { DROP, DROP_CODES, DROP_REASONS, dropName } from '../../src/abi/drop-reasons.ts';

test('codes are dense from 0 and name their reason', () => {
  expect(DROP_CODES).toBe(Object.keys(DROP).length);
  for (let code = 0; code < DROP_CODES; code++) expect(DROP_REASONS[dropName(code)].code).toBe(code);
  expect(() => dropName(DROP_CODES)).toThrow(RangeError);
});
