import { existsSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import type { Engine } from '../../../src/control/engine/engine.ts';
import { createInlineEngine } from '../../../src/control/engine/inline-engine.ts';
import { TCP_ACK, TCP_SYN } from '../../../src/wire/index.ts';
import { Lab, packet } from '../../dataplane/lab.ts';
import type { Words } from '../compile/networks.ts';

// Worker threads cannot load TypeScript on Node 20: these tests run the built engine (`npm test` builds first).
const BUILT = new URL('../../../dist/control/engine/worker-engine.js', import.meta.url);
if (!existsSync(BUILT)) throw new Error('dist/ is missing: run `npm run build` first');
const { startWorkerEngine } = (await import(
  BUILT.href
)) as typeof import('../../../src/control/engine/worker-engine.ts');

const started: Engine[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((engine) => engine.close()));
});

const ENGINES: [string, () => Promise<Engine>][] = [
  ['the inline engine', () => Promise.resolve(createInlineEngine({ connectionsMax: 8192 }))],
  ['a worker', () => startWorkerEngine(1, { connectionsMax: 8192 })],
];

async function labOn(start: () => Promise<Engine>, first: Words): Promise<Lab> {
  const engine = await start();
  started.push(engine);
  return new Lab(first, engine);
}

/** More records, at both ends, than one slice of the walk over them. */
const FLOWS = 3000;

function words(nics: readonly string[], port: string): Words {
  const ips: Record<string, string> = { a: '10.0.0.4', b: '10.0.0.5', c: '10.0.0.6' };
  return {
    vnets: { v: ['10.0.0.0/16'] },
    subnets: { s: { vnet: 'v', cidr: '10.0.0.0/24', nsg: 'n' } },
    nics: Object.fromEntries(nics.map((name) => [name, { subnet: 's', ip: ips[name]! }])),
    nsgs: { n: [[100, 'Out', 'Tcp', '*', '*', '*', port, 'Deny', 'Closed']] },
  };
}

function sendAll(lab: Lab, flags: number): void {
  for (let i = 0; i < FLOWS; i++) {
    lab.send('a', packet({ src: '10.0.0.4', dst: '10.0.0.5', tcp: { srcPort: 10_000 + i, dstPort: 80, flags } }));
  }
}

test.each(ENGINES)('%s: an epoch is in use while one path names it, and no longer', async (_, start) => {
  const lab = await labOn(start, words(['a', 'b'], '81'));
  sendAll(lab, TCP_SYN);
  lab.push(words(['a', 'b'], '82'));
  // Established flows ride on their paths (NSG-28).
  sendAll(lab, TCP_ACK);
  expect(lab.engine.oldestEpochInUse()).toBe(1);
  // A SYN makes each connection anew; the walk behind a push ends while the next frames pass.
  sendAll(lab, TCP_SYN);
  lab.push(words(['a', 'b'], '83'));
  sendAll(lab, TCP_ACK);
  expect(lab.engine.oldestEpochInUse()).toBe(2);
});

// The state of a connection at one end is kept alive by packets from the other: with the other end, its packets go.
test.each(ENGINES)('%s: an interface that goes takes its records with it', async (_, start) => {
  const lab = await labOn(start, words(['a', 'b'], '81'));
  const ends = { src: '10.0.0.4', dst: '10.0.0.5' };
  const send = (flags: number): string => lab.fate('a', { ...ends, tcp: { srcPort: 9000, dstPort: 80, flags } });
  lab.nowMs = 10_000;
  expect(send(TCP_SYN)).toMatch(/^delivered b/);
  lab.nowMs = 200_000;
  const reply = { src: ends.dst, dst: ends.src, tcp: { srcPort: 80, dstPort: 9000, flags: TCP_SYN | TCP_ACK } };
  expect(lab.fate('b', reply)).toMatch(/^delivered a/);
  lab.push(words(['a'], '81'));
  lab.push(words(['a', 'b'], '80'));
  lab.nowMs = 300_000;
  expect(send(TCP_ACK)).toBe('dropped NSG_DENY a:subnetNsg');
});

test.each(ENGINES)(
  '%s: pushes after one that removed an interface leave the connections of others',
  async (_, start) => {
    const lab = await labOn(start, words(['a', 'b', 'c'], '81'));
    const ends = { src: '10.0.0.4', dst: '10.0.0.5' };
    const send = (flags: number): string => lab.fate('a', { ...ends, tcp: { srcPort: 9001, dstPort: 80, flags } });
    lab.push(words(['a', 'b'], '81'));
    expect(send(TCP_SYN)).toMatch(/^delivered b/);
    lab.push(words(['a', 'b'], '80'));
    expect(send(TCP_ACK)).toMatch(/^delivered b/);
  },
);
