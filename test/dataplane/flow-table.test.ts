import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRegions, regionSizes } from '../../src/abi/regions.ts';
import { FlowTable, hashKey } from '../../src/dataplane/flow-table.ts';

const SEED = 20260101;

function table(connections = 64): FlowTable {
  return new FlowTable(createRegions(regionSizes({ connections, slots: 64, capture: false })));
}

test('the table finds what a map finds, whatever is inserted and removed', () => {
  const key = fc.record({
    src: fc.integer({ min: -4, max: 3 }),
    dst: fc.integer({ min: 0, max: 3 }),
    key: fc.integer({ min: 256, max: 259 }),
  });
  const step = fc.record({ at: key, remove: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const flows = table();
      const model = new Map<string, number>();
      for (const { at, remove } of steps) {
        const name = `${at.src} ${at.dst} ${at.key}`;
        const found = flows.find(at.src, at.dst, 7, at.key);
        expect(found).toBe(model.get(name) ?? 0);
        if (found === 0) model.set(name, flows.insert(at.src, at.dst, 7, at.key));
        else if (remove) {
          flows.remove(found);
          model.delete(name);
        }
      }
      expect(flows.count).toBe(model.size);
    }),
    { seed: SEED },
  );
});

test('a full table says so and works again after a removal', () => {
  const flows = table(1);
  let last = 0;
  let inserted = 0;
  for (let i = 0; ; i++) {
    const record = flows.insert(i, 1, 2, 300);
    if (record === 0) break;
    last = record;
    inserted++;
  }
  expect(inserted).toBe(flows.capacity);
  flows.remove(last);
  expect(flows.insert(99_999, 1, 2, 300)).toBe(last);
});

test('the hash spreads a structured address plan: probe runs stay short', () => {
  const mask = (1 << 14) - 1;
  const buckets = new Int32Array(mask + 1);
  for (let host = 0; host < 64; host++) {
    for (let port = 0; port < 64; port++) {
      const src = 10 | (host << 24) | 0;
      buckets[hashKey(src, 0x0500000a, (50_000 + port) | (0x9905 << 16), (host << 8) | 6) & mask]++;
    }
  }
  // 4,096 keys in 16,384 buckets: a fair hash leaves more than three in very few.
  expect(buckets.filter((n) => n > 4).length).toBeLessThan(8);
});
