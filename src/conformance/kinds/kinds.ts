// The kinds of cases by name, and those that the emulator cannot run yet.

import type { Kind } from '../kind.ts';
import { dualPort } from './dual-port.ts';
import { flow } from './flow.ts';
import { fsm } from './fsm.ts';
import { nat46 } from './nat46.ts';
import { packet } from './packet.ts';
import { routes } from './routes.ts';
import { snat } from './snat.ts';
import { validate } from './validate.ts';
import { wire } from './wire.ts';

export const KINDS: Readonly<Record<string, Kind | undefined>> = {
  packet,
  flow,
  routes,
  snat,
  dualport: dualPort,
  nat46,
  fsm,
  validate,
  wire,
};

/** PROXY protocol, DNS, diagnostics and flow-log arithmetic. */
export const KINDS_NOT_YET: ReadonlySet<string> = new Set(['pp2', 'dns', 'diag', 'arith']);
