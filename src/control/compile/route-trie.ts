// Builds the stride-8 trie of one route table (abi/program.ts, RouteTableProgram; dataplane/lpm.ts reads it). Every
// distinct prefix is settled once: which of the routes that cover it carries its addresses.

import { prefixCovers } from '../../wire/index.ts';
import { chooseRoute, type RouteCandidate } from './route-selection.ts';

const NODE = 256;

/** Trie of a table; `rowOf` gives the program row of a chosen route and is asked only about those. */
export function buildRouteTrie<T extends RouteCandidate>(
  routes: readonly T[],
  tcp: boolean,
  rowOf: (route: T) => number,
): Int32Array {
  const trie = new TrieBuilder();
  for (const { route, address, length } of settledPrefixes(routes, tcp)) trie.insert(address, length, rowOf(route) + 1);
  return trie.entries();
}

interface SettledPrefix<T> {
  readonly route: T;
  readonly address: number;
  readonly length: number;
}

/**
 * Distinct prefixes with the route that carries the addresses for which the prefix is the longest one, short prefixes
 * first; a prefix that changes nothing is left out.
 */
function settledPrefixes<T extends RouteCandidate>(routes: readonly T[], tcp: boolean): SettledPrefix<T>[] {
  const sorted = routes.toSorted((a, b) => a.prefix.address - b.prefix.address || a.prefix.length - b.prefix.length);
  const settled: SettledPrefix<T>[] = [];
  // Prefixes that cover the current one, with all their routes and the choice made for them.
  const covering: { prefix: T['prefix']; routes: T[]; choice: T | undefined }[] = [];
  for (let i = 0; i < sorted.length;) {
    const first = sorted[i] as T;
    const { prefix } = first;
    const same: T[] = [];
    for (; i < sorted.length; i++) {
      const other = sorted[i] as T;
      if (other.prefix.address !== prefix.address || other.prefix.length !== prefix.length) break;
      same.push(other);
    }
    while (covering.length > 0 && !prefixCovers((covering.at(-1) as (typeof covering)[0]).prefix, prefix)) {
      covering.pop();
    }
    const choice = chooseRoute([...covering.flatMap((entry) => entry.routes), ...same], tcp);
    const inherited = covering.at(-1)?.choice;
    covering.push({ prefix, routes: same, choice });
    if (choice === undefined || choice === inherited) continue;
    settled.push({ route: choice, address: prefix.address, length: prefix.length });
  }
  return settled.sort((a, b) => a.length - b.length);
}

/** The nodes of a trie, end to end; node 0 is the root. Prefixes must come in ascending length. */
class TrieBuilder {
  private nodes = new Int32Array(NODE);
  private count = 1;

  insert(address: number, length: number, value: number): void {
    let node = 0;
    let shift = 24;
    for (; length > 32 - shift; shift -= 8) node = this.child(node * NODE + ((address >>> shift) & 0xff));
    const first = node * NODE + ((address >>> shift) & 0xff);
    this.nodes.fill(value, first, first + 2 ** (32 - shift - length));
  }

  entries(): Int32Array {
    return this.nodes.slice(0, this.count * NODE);
  }

  /** The node below an entry; a new one takes over the entry's value everywhere. */
  private child(at: number): number {
    const entry = this.nodes[at] as number;
    if (entry < 0) return -entry;
    const node = this.count++;
    if (this.count * NODE > this.nodes.length) {
      const grown = new Int32Array(this.nodes.length * 2);
      grown.set(this.nodes);
      this.nodes = grown;
    }
    this.nodes.fill(entry, node * NODE, (node + 1) * NODE);
    this.nodes[at] = -node;
    return node;
  }
}
