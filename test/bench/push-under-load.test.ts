import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';

// Worker threads cannot load TypeScript on Node 20: this benchmark runs from its built code (`npm test` builds first).
const BUILT = new URL('../../dist/bench/push-under-load.js', import.meta.url);
if (!existsSync(BUILT)) throw new Error('dist/ is missing: run `npm run build` first');
const { pushUnderLoad } = (await import(BUILT.href)) as typeof import('../../src/bench/push-under-load.ts');

const SIZE = { flows: 64, rules: 10, prefixes: 40, secondMs: 40, seed: 7 };

test.each(['new connections', 'all flows'] as const)(
  'pushes that %s ask about lose and misjudge no packet, and change what becomes of the gated ones',
  async (asked) => {
    const [[one], [two], [again]] = await Promise.all([
      pushUnderLoad({ ...SIZE, asked, pushes: 1 }),
      pushUnderLoad({ ...SIZE, asked, pushes: 2 }),
      pushUnderLoad({ ...SIZE, asked, pushes: 2 }),
    ]);
    expect(one!.extra).toMatchObject({ lost: 0, misjudged: 0 });
    // Every second program denies them.
    expect(one!.outcome).not.toBe(two!.outcome);
    expect(again!.outcome).toBe(two!.outcome);
    expect(two!.extra!['sharePercent']).toBeGreaterThan(0);
  },
);
