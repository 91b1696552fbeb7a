// Calls that the hit path makes seldom, kept out of it. V8 inlines a call whose target never changes, and all of the
// slow path in the middle of the loop costs every hit 7 ns (31 to 38, docs/performance.md). It does not inline a call
// that has met two targets: so each of these has two equal ones, taken in turn.

import type { Connections } from './connections.ts';
import type { SlowPath } from './slow-path.ts';
import type { Tap } from './tap.ts';

type Run = SlowPath['run'];
type Find = Connections['table']['find'];
type TcpEnd = Connections['tcpEnd'];
type Copy = Tap['copy'];

export interface RareCalls {
  readonly run: readonly [Run, Run];
  readonly find: readonly [Find, Find];
  readonly tcpEnd: readonly [TcpEnd, TcpEnd];
  readonly copy: readonly [Copy, Copy];
}

/** The calls, each by either of its two doors. */
export function createRareCalls(slowPath: SlowPath, connections: Connections, tap: Tap): RareCalls {
  const { table } = connections;
  return {
    run: [(d, o, p, known) => slowPath.run(d, o, p, known), (d, o, p, known) => slowPath.run(d, o, p, known)],
    find: [(src, dst, ports, key) => table.find(src, dst, ports, key), (a, b, c, key) => table.find(a, b, c, key)],
    tcpEnd: [(e, flags, now) => connections.tcpEnd(e, flags, now), (e, f, now) => connections.tcpEnd(e, f, now)],
    copy: [
      (p, n, d, phase, path) => tap.copy(p, n, d, phase, path),
      (p, n, d, ph, path) => tap.copy(p, n, d, ph, path),
    ],
  };
}
