import { expect, test } from 'vitest';
import { attachRegions, createRegions, frameOffset, regionSizes, regionTable } from '../../src/abi/regions.ts';

const sizes = regionSizes({ connections: 100, slots: 64 });

test('regions do not overlap and start on cache lines', () => {
  const rows = regionTable(sizes);
  for (const [i, row] of rows.entries()) {
    expect(row.offset % 64, row.name).toBe(0);
    const next = rows[i + 1];
    if (next !== undefined) expect(next.offset, row.name).toBeGreaterThanOrEqual(row.offset + row.bytes);
  }
});

test('the IPv4 header of every slot is four-byte aligned', () => {
  for (const slot of [0, 1, 7, 63]) expect((frameOffset(sizes, slot) + 14) % 4).toBe(0);
});

test('memory that is not ours is refused', () => {
  const regions = createRegions(sizes);
  expect(attachRegions(regions.buffer, sizes).buffer).toBe(regions.buffer);
  regions.control[0] = 1;
  expect(() => attachRegions(regions.buffer, sizes)).toThrow(/magic/);
  expect(() => attachRegions(new SharedArrayBuffer(4096), sizes)).toThrow(/expected at least/);
});
