// What the stages of the slow path work on: one object per forwarder.

import type { Regions } from '../abi/regions.ts';
import type { Connections } from './connections.ts';
import type { ProxyConnections } from './stages/proxy.ts';
import type { NatPorts } from './nat-ports.ts';
import type { Tables } from './tables.ts';

export interface Context {
  readonly regions: Regions;
  readonly frames: DataView;
  /** What the hit path reads per attachment (tables.ts). */
  readonly hot: Int32Array;
  readonly connections: Connections;
  readonly natPorts: NatPorts;
  readonly proxies: ProxyConnections;
  /** False: every packet walks the stages, in established mode where its connection is known. */
  readonly cachePaths: boolean;
  /** Replaced at a program switch, never within a batch. */
  tables: Tables;
}
