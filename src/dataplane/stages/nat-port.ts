// A port of a NAT pool (LIM-37, PLS-10): one port serves many destinations at once; towards one of them it is taken
// while the record that its answers would hit lives or is bound.
//
// Reads   addresses, ports.     Writes  flow records (dead ones are freed).

import type { Context } from '../context.ts';
import type { Pass } from '../pass.ts';

/** True when nobody uses `address`:`port` towards `dst`:`dstPort` behind `egress`; for ICMP echo both ports are the
 * identifier. */
export function isPortFree(
  pass: Pass,
  context: Context,
  egress: number,
  dst: number,
  dstPort: number,
  address: number,
  port: number,
): boolean {
  const { connections, tables } = context;
  const taken = connections.find(egress, pass.protocol, dst, address, dstPort, port);
  if (taken === 0) return true;
  if (connections.isLive(taken, pass.now) || connections.isBound(taken, pass.now, tables)) return false;
  connections.remove(taken);
  return true;
}
