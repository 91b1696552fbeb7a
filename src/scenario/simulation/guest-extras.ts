// What guests answer beside the default, by what the network says stands there: DNS servers, SQL gateways, backends
// that expect a PROXY header. One function per protocol; later ones may wrap what earlier ones gave.

import { dnsExtras } from './dns-guests.ts';
import { proxyExtras } from './proxy-guests.ts';
import { sqlExtras } from './sql-guests.ts';
import type { Compiled } from '../../control/compile/compiled.ts';
import type { Host, HostOptions } from '../../guest/host.ts';
import type { GuestFacts } from './guests.ts';

/** The running network as guests' services may ask it. */
export interface GuestWorld {
  /** As it is now. */
  readonly compiled: Compiled;
  isOwnPublic(address: number): boolean;
  /** The host stack behind an attachment. */
  host(attachment: number): Host;
}

export type GuestExtras = Partial<Pick<HostOptions, 'accept' | 'listen' | 'serveUdp'>>;

/** What makes the extras of one protocol; `given` is what the ones before it gave. */
export type ExtrasOf = (facts: GuestFacts, world: GuestWorld, given: GuestExtras) => GuestExtras;

export function guestExtras(facts: GuestFacts, world: GuestWorld): GuestExtras {
  return [dnsExtras, sqlExtras, proxyExtras].reduce<GuestExtras>(
    (given, of) => ({ ...given, ...of(facts, world, given) }),
    {},
  );
}
