// Longest-prefix match over one effective route table: a trie of 256-entry nodes, one node per address byte, laid out
// end to end in one Int32Array. Control builds it (control/compile/route-trie.ts) so that the answer needs no second
// look: preferences among routes (ROUTE-22 to ROUTE-24) are already settled in the entries.

const NODE_BITS = 8;

/** Route row for an address (either image of it), or -1 when no route covers it. At most four dependent loads. */
export function lookupRoute(trie: Int32Array, address: number): number {
  let entry = trie[address >>> 24];
  for (let shift = 16; entry < 0; shift -= NODE_BITS) {
    entry = trie[(-entry << NODE_BITS) + ((address >>> shift) & 0xff)];
  }
  return entry - 1;
}
