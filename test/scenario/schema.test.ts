import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { scenarioJsonSchema } from '../../src/scenario/format/scenario-schema.ts';

const FILE = new URL('../../schemas/scenario.schema.json', import.meta.url);

test('schemas/scenario.schema.json is the schema of the code (UPDATE_SCHEMAS=1 rewrites it)', () => {
  const text = `${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`;
  if (process.env['UPDATE_SCHEMAS'] === '1') writeFileSync(FILE, text);
  expect(readFileSync(FILE, 'utf8')).toBe(text);
});
