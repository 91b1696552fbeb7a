// Longest-prefix match alone: random addresses in one compiled route table. Three quarters of them lie inside a route
// drawn at random, the others anywhere; first the answers of some are compared with a scan of the routes.

import { buildRouteTrie } from '../control/compile/route-trie.ts';
import { lookupRoute } from '../dataplane/lpm.ts';
import { prefixContains, type Ipv4Prefix } from '../wire/index.ts';
import { OutcomeHash, WINDOW, benchRow, type BenchRow } from './figures.ts';
import { Random } from './random.ts';

export interface LpmOptions {
  readonly routes: number;
  /** Addresses to look up. */
  readonly lookups: number;
  readonly seed: number;
}

const ADDRESSES = 65_536;
/** Comparisons of addresses with routes before measuring. */
const CHECKS = 2_000_000;
const WARM_BATCH = 16;
const WARM_LOOKUPS = 65_536;

/** One row; nanoseconds per lookup. `extra` has size and build time of the table. Throws when an answer is wrong. */
export function lpm({ routes, lookups, seed }: LpmOptions): BenchRow[] {
  const random = new Random(seed);
  const prefixes = distinctPrefixes(routes, random);
  const candidates = prefixes.map((prefix, row) => ({ row, prefix, info: userRoute(row) }));
  const building = performance.now();
  const trie = buildRouteTrie(candidates, true, (route) => route.row);
  const buildMs = performance.now() - building;
  const addresses = Int32Array.from({ length: ADDRESSES }, () => randomAddress(prefixes, random));
  const outcome = hashAnswers(trie, prefixes, addresses);
  for (let at = 0; at < Math.min(lookups, WARM_LOOKUPS); at += WARM_BATCH) run(trie, addresses, at, WARM_BATCH);
  const windows: number[] = [];
  for (let done = 0; done < lookups; done += WINDOW) {
    const begin = performance.now();
    run(trie, addresses, done % ADDRESSES, WINDOW);
    windows.push(((performance.now() - begin) * 1e6) / WINDOW);
  }
  const extra = { tableBytes: trie.byteLength, buildMs: Math.round(buildMs) };
  return [benchRow('lpm', { routes, seed }, windows, outcome, { extra })];
}

/** Looks some addresses up; the sum of the answers keeps them alive. */
function run(trie: Int32Array, addresses: Int32Array, first: number, count: number): number {
  let sum = 0;
  for (let at = first; at < first + count; at++) sum = (sum + lookupRoute(trie, addresses[at])) | 0;
  return sum;
}

function hashAnswers(trie: Int32Array, prefixes: readonly Ipv4Prefix[], addresses: Int32Array): string {
  const hash = new OutcomeHash();
  const checked = Math.min(ADDRESSES, Math.ceil(CHECKS / prefixes.length));
  addresses.forEach((address, i) => {
    const row = lookupRoute(trie, address);
    hash.add(row);
    if (i >= checked || row === scan(prefixes, address >>> 0)) return;
    throw new Error(`address ${address >>> 0} takes route ${scan(prefixes, address >>> 0)}, not ${row}`);
  });
  return hash.hex;
}

function scan(prefixes: readonly Ipv4Prefix[], address: number): number {
  let best = -1;
  prefixes.forEach((prefix, row) => {
    if (prefixContains(prefix, address) && (best < 0 || prefix.length > prefixes[best].length)) best = row;
  });
  return best;
}

function distinctPrefixes(count: number, random: Random): Ipv4Prefix[] {
  const byKey = new Map<number, Ipv4Prefix>();
  while (byKey.size < count) {
    const length = 8 + random.below(25);
    const address = ((random.next() >>> (32 - length)) << (32 - length)) >>> 0;
    byKey.set(address * 64 + length, { address, length });
  }
  return [...byKey.values()];
}

function userRoute(row: number) {
  return { name: `route${row}`, source: 'User', state: 'Active', prefix: '', nextHopType: 'None' } as const;
}

function randomAddress(prefixes: readonly Ipv4Prefix[], random: Random): number {
  if (random.below(4) === 0) return random.next();
  const { address, length } = prefixes[random.below(prefixes.length)];
  return address + random.below(2 ** (32 - length));
}
