// Which of several routes that cover an address carries the packet (ROUTE-21 to ROUTE-24). The one place where routes
// are preferred over each other: route tables are compiled from it and tests use it as the readable reference.

import { type Ipv4Prefix, parsePrefix, prefixContains } from '../../wire/index.ts';
import type { RouteInfo } from './compiled.ts';

/** A route with its prefix as numbers. */
export interface RouteCandidate {
  readonly info: RouteInfo;
  readonly prefix: Ipv4Prefix;
  /** A service-endpoint route under the switch `sep.longerUdrWins`. */
  readonly yieldsToLonger?: true;
}

/**
 * The route that a packet to an address takes, undefined when none covers it. `tcp: false` leaves service-endpoint
 * routes out (SEP-3). Rows may come from `effectiveRoutes` or be written down by hand, all Active.
 */
export function selectRoute(
  rows: readonly RouteInfo[],
  address: number,
  options: { readonly tcp: boolean },
): RouteInfo | undefined {
  const covering = rows
    .map((info) => ({ info, prefix: parsePrefix(info.prefix) }))
    .filter(({ prefix }) => prefixContains(prefix, address));
  return chooseRoute(covering, options.tcp)?.info;
}

/** The route that carries a packet, among all routes that cover its destination. */
export function chooseRoute<T extends RouteCandidate>(covering: readonly T[], tcp: boolean): T | undefined {
  const inPlay = covering.filter(({ info }) => takesPart(info, tcp));
  const best = mostPreferred(inPlay);
  if (best === undefined || best.info.source === 'Default') return best;
  const system = mostPreferred(inPlay.filter((route) => isNetworkRoute(route.info) && !isReplaced(route, inPlay)));
  if (system === undefined) return best;
  // Route tables cannot override service-endpoint routes, whatever the length (ROUTE-24), unless Q-12 says so.
  if (system.info.nextHopType === 'VirtualNetworkServiceEndpoint') {
    return system.yieldsToLonger === true && best.info.source === 'User' ? best : system;
  }
  // Learned routes give way to the network's own ones even when these are shorter (ROUTE-23).
  return best.info.source === 'VirtualNetworkGateway' ? system : best;
}

/**
 * Order of routes with one prefix, lower first: user-defined, learned, system (ROUTE-22), save that service endpoints
 * stand above all (ROUTE-24) and learned routes below the network's own (ROUTE-23).
 */
export function preferenceOf(info: Pick<RouteInfo, 'source' | 'nextHopType'>): number {
  if (info.nextHopType === 'VirtualNetworkServiceEndpoint') return 0;
  if (info.source === 'User') return 1;
  if (isNetworkRoute(info)) return 2;
  return info.source === 'VirtualNetworkGateway' ? 3 : 4;
}

/** True for system routes to network, peers, endpoints and services: learned routes cannot move them (PEER-4). */
function isNetworkRoute(info: Pick<RouteInfo, 'source' | 'nextHopType'>): boolean {
  if (info.source !== 'Default') return false;
  return info.nextHopType !== 'Internet' && info.nextHopType !== 'None' && info.nextHopType !== 'VirtualAppliance';
}

/** An invalid endpoint route is out of play (ROUTE-39); other invalid routes lose to the one that made them so. */
function takesPart(info: RouteInfo, tcp: boolean): boolean {
  if (info.nextHopType === 'VirtualNetworkServiceEndpoint') return tcp;
  return info.nextHopType !== 'InterfaceEndpoint' || info.state === 'Active';
}

/** True when a user-defined route for the very prefix stands in a system route's place (ROUTE-22, ROUTE-38). */
function isReplaced(route: RouteCandidate, inPlay: readonly RouteCandidate[]): boolean {
  if (route.info.nextHopType === 'VirtualNetworkServiceEndpoint') return false;
  return inPlay.some((other) => other.info.source === 'User' && other.prefix.length === route.prefix.length);
}

/** Longest prefix (ROUTE-21), then preference, then Active before Invalid, then the first listed. */
function mostPreferred<T extends RouteCandidate>(routes: readonly T[]): T | undefined {
  let best: T | undefined;
  for (const route of routes) if (best === undefined || isBetter(route, best)) best = route;
  return best;
}

function isBetter(a: RouteCandidate, b: RouteCandidate): boolean {
  if (a.prefix.length !== b.prefix.length) return a.prefix.length > b.prefix.length;
  const difference = preferenceOf(a.info) - preferenceOf(b.info);
  if (difference !== 0) return difference < 0;
  return a.info.state === 'Active' && b.info.state === 'Invalid';
}
