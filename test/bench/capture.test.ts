// The capture benchmarks at smoke sizes: what they promise about their rows, and what they refuse to measure.

import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { captureDisk, type CaptureDiskOptions } from '../../src/bench/capture-disk.ts';
import { captureTap } from '../../src/bench/capture-tap.ts';
import type { BenchRow } from '../../src/bench/figures.ts';

const SMALL = { flows: 64, rules: 10, seed: 1 };

test.each([64, 1518])(
  'a tap is measured per copied frame of %i bytes, and the network while nothing is captured',
  (frame) => {
    const rows = captureTap({ ...SMALL, frame, packets: 4096, rounds: 1 });
    expect(rows.map(({ id, params }) => [id, params['frame']])).toEqual([
      ['capture-tap', frame],
      ['capture-tap/idle', frame],
    ]);
    const [tap, idle] = rows;
    expect(Object.keys(tap?.extra ?? {})).toEqual(['tappedNs', 'untappedNs', 'copiesPerPacket']);
    expect(Object.keys(idle?.extra ?? {})).toEqual(['neverCapturedNs', 'costPercent']);
    expect(tap?.outcome).toBe(idle?.outcome);
  },
);

// The worker runs the build, which `npm test` makes first.
describe('capture to disk', () => {
  const built = existsSync(new URL('../../dist/bench/capture-lane.js', import.meta.url));

  // Temporary files go where nobody else's are, so that a test can say that none is left.
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'vnetem-bench-test-'));
    vi.stubEnv('TMPDIR', directory);
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(directory, { recursive: true, force: true });
  });

  async function measure(options: CaptureDiskOptions): Promise<BenchRow | undefined> {
    const [row] = await captureDisk(options);
    expect(readdirSync(directory)).toEqual([]);
    return row;
  }

  test('the build is there', () => {
    expect(built, 'dist/ is missing: run npm run build').toBe(true);
  });

  test.each(['pcapng', 'pcap'] as const)('paced by the writer nothing is lost (%s)', async (format) => {
    const options = { ...SMALL, frame: 64, format, load: 'paced', packets: 5000 } as const;
    const row = await measure(options);
    // As sent it is seen at the client and the consumer side of the endpoint, as received at the other side.
    expect(row?.extra).toMatchObject({ forwarded: 5000, frames: 15_000, lost: 0 });
    expect((await measure(options))?.outcome).toBe(row?.outcome);
  });

  test('at full speed what is lost is counted', async () => {
    const row = await measure({ ...SMALL, frame: 1518, format: 'pcapng', load: 'unpaced', packets: 60_000 });
    const { frames = 0, lost = 0, forwarded } = row?.extra ?? {};
    expect(forwarded).toBe(60_000);
    expect(lost).toBeGreaterThan(0);
    expect(frames).toBeLessThan(180_000);
    // A lost record costs one or two frames.
    expect(frames).toBeGreaterThanOrEqual(180_000 - 2 * lost);
  });
});
