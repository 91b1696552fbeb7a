// Ports of the outbound NAT pools (LIM-37). A pool has 64,512 ports per address; every address's ports are divided
// evenly among the 64 shards, so that no two workers ever give out the same port; a shard that runs dry borrows from
// the other shards of its group, which live on the same worker. A port may serve many destinations at once: it is
// taken only while its reverse five-tuple is in the flow table, which the caller asks.

import { NAT_PORTS_PER_SHARD, NAT_PORT_FIRST, SHARDS, SHARDS_PER_GROUP } from '../abi/limits.ts';

export class NatPorts {
  /** Where the search goes on, per pool and shard. */
  private cursors: Int32Array;

  constructor() {
    this.cursors = new Int32Array(0);
  }

  /** Makes room for a program's pools; cursors of pools that stay are kept. */
  resize(pools: number): void {
    if (pools * SHARDS <= this.cursors.length) return;
    const grown = new Int32Array(pools * SHARDS);
    grown.set(this.cursors);
    this.cursors = grown;
  }

  /** Every search begins anew. */
  restart(): void {
    this.cursors.fill(0);
  }

  /** Candidate ports of one shard over all `addresses` of a pool: how many there are. */
  static candidates(addresses: number): number {
    return addresses * NAT_PORTS_PER_SHARD;
  }

  /** The shard whose ports are tried in round `round` (0: its own), SHARDS_PER_GROUP rounds in all. */
  static lender(shard: number, round: number): number {
    const first = shard - (shard % SHARDS_PER_GROUP);
    return first + ((shard - first + round) % SHARDS_PER_GROUP);
  }

  /** The next candidate to try: address index << 16 | port. Every candidate comes once in `candidates` calls. */
  next(pool: number, shard: number, addresses: number): number {
    const at = pool * SHARDS + shard;
    const cursor = this.cursors[at];
    this.cursors[at] = (cursor + 1) % NatPorts.candidates(addresses);
    const address = Math.trunc(cursor / NAT_PORTS_PER_SHARD);
    const port = NAT_PORT_FIRST + shard * NAT_PORTS_PER_SHARD + (cursor % NAT_PORTS_PER_SHARD);
    return (address << 16) | port;
  }
}
