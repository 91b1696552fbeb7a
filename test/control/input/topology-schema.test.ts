// The published JSON Schema is generated: the file must equal what the code says. UPDATE_SCHEMAS=1 rewrites it.

import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { format } from 'prettier';
import { topologyJsonSchema } from '../../../src/control/input/read.ts';

const FILE = new URL('../../../schemas/topology.schema.json', import.meta.url);

it('the published schema of topologies is the generated one', async () => {
  const options = { parser: 'json', singleQuote: true, printWidth: 120, trailingComma: 'all' } as const;
  const expected = await format(JSON.stringify(topologyJsonSchema()), options);
  if (process.env['UPDATE_SCHEMAS'] === '1') writeFileSync(FILE, expected);
  expect(readFileSync(FILE, 'utf8')).toBe(expected);
});
