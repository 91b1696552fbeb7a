import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { createInlineEngine } from '../../src/control/engine/inline-engine.ts';
import type { Engine } from '../../src/control/engine/engine.ts';
import { lineOf, play } from './play.ts';
import { networks, traffic } from './random-network.ts';

// Worker threads cannot load TypeScript on Node 20: these tests run the built engine (`npm test` builds first).
const BUILT = new URL('../../dist/control/engine/worker-engine.js', import.meta.url);
if (!existsSync(BUILT)) throw new Error('dist/ is missing: run `npm run build` first');
const { startWorkerEngine } = (await import(BUILT.href)) as typeof import('../../src/control/engine/worker-engine.ts');

const started: Engine[] = [];
afterAll(async () => {
  await Promise.all(started.map((engine) => engine.close()));
});

async function workers(count: number): Promise<Engine> {
  const engine = await startWorkerEngine(count, { connectionsMax: 512 });
  started.push(engine);
  return engine;
}

function oneScript(): [Parameters<typeof play>[1], Parameters<typeof play>[2]] {
  const scripts = fc.sample(fc.tuple(fc.array(networks, { minLength: 1, maxLength: 1 }), traffic), {
    seed: 5,
    numRuns: 1,
  });
  return scripts[0]!;
}

test('inline, one worker and two workers give every packet the same fate and the same bytes', async () => {
  const scripts = fc.sample(fc.tuple(fc.array(networks, { minLength: 3, maxLength: 3 }), traffic), {
    seed: 20260101,
    numRuns: 25,
  });
  for (const [nets, acts] of scripts) {
    const inline = play(createInlineEngine({ connectionsMax: 512 }), nets, acts).map(lineOf);
    for (const count of [1, 2]) {
      const engine = await workers(count);
      expect(play(engine, nets, acts).map(lineOf)).toEqual(inline);
      await engine.close();
    }
  }
});

test('a batch of many packets comes back in order of time and id, whoever forwarded it', async () => {
  const [nets, acts] = oneScript();
  const engine = await workers(2);
  const sent = play(createInlineEngine({ connectionsMax: 512 }), nets, acts).map(({ sent: frame }) => frame);
  play(engine, nets, []);
  const results = engine.forward(sent);
  expect(results.map((result) => result.packetId)).toEqual(sent.map((frame) => frame.packetId));
  expect(engine.counters().received).toBe(sent.length);
});

test('a damaged program is refused, and the old one goes on', async () => {
  const [nets, acts] = oneScript();
  const engine = await workers(1);
  const before = play(engine, nets, acts);
  const broken = { version: 1, epoch: 9 } as unknown as Parameters<Engine['push']>[0];
  expect(() => engine.push(broken)).toThrow(/program: attachments is missing/);
  expect(engine.forward(before.map(({ sent }) => sent))).toHaveLength(before.length);
});
