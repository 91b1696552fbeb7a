// The kinds of cases by name.

import type { Kind } from '../kind.ts';
import { arith } from './arith.ts';
import { diag } from './diag.ts';
import { dns } from './dns.ts';
import { dualPort } from './dual-port.ts';
import { flow } from './flow.ts';
import { fsm } from './fsm.ts';
import { nat46 } from './nat46.ts';
import { packet } from './packet.ts';
import { pp2 } from './pp2.ts';
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
  dns,
  diag,
  arith,
  pp2,
};
