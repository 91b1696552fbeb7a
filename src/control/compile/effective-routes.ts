// The effective routes of a subnet (ROUTE-1): system routes, peerings, learned routes, service endpoints, private
// endpoints and user-defined routes, each with the state that tools show (ROUTE-25).

import { formatPrefix, type Ipv4Prefix, parsePrefix, prefixContains, prefixCovers } from '../../wire/index.ts';
import type { NextHopType } from '../../abi/program.ts';
import type { Behaviour, Switches } from '../model/profile.ts';
import { idKey, type Network, type Route, type RouteTable, type Subnet } from '../model/resources.ts';
import type { RouteInfo, RouteSource } from './compiled.ts';
import {
  type Context,
  createContext,
  type EndpointFacts,
  gatewaysOf,
  ipv4Prefixes,
  type PeerFacts,
  resolve,
  type VnetFacts,
} from './context.ts';
import { preferenceOf } from './route-selection.ts';
import { isTag, serviceEndpointPrefixes, tagPrefixes } from './service-tags.ts';

export { selectRoute } from './route-selection.ts';

/** A route as the compiler needs it. */
export interface EffectiveRoute {
  readonly info: RouteInfo;
  readonly prefix: Ipv4Prefix;
  /** Network index for VnetLocal and peering routes, endpoint index for InterfaceEndpoint, else -1. */
  readonly ref: number;
  /** Q-12; see route-selection.ts. */
  readonly yieldsToLonger?: true;
}

/** Where routes are effective: a subnet, or the bare network (its on-premises side without GatewaySubnet). */
export interface RoutePlace {
  readonly network: VnetFacts;
  readonly subnet?: Subnet;
}

/** Effective routes of a subnet, Invalid ones included; empty for an unknown subnet. */
export function effectiveRoutes(network: Network, behaviour: Behaviour, subnetId: string): RouteInfo[] {
  const context = createContext(network, behaviour);
  const place = context.places.get(idKey(subnetId));
  return place === undefined ? [] : collectRoutes(context, place).map((route) => route.info);
}

/** Effective routes of a subnet in the JSON shape of Azure's own tools (DIAG-10). */
export function effectiveRoutesJson(
  network: Network,
  behaviour: Behaviour,
  subnetId: string,
): { readonly value: readonly EffectiveRouteJson[] } {
  const place = createContext(network, behaviour).places.get(idKey(subnetId));
  const table = network.routeTables.find((t) => idKey(t.id) === idKey(place?.subnet.properties.routeTable?.id ?? ''));
  const value = effectiveRoutes(network, behaviour, subnetId).map((route) => ({
    name: route.name,
    disableBgpRoutePropagation: table?.properties.disableBgpRoutePropagation ?? false,
    source: route.source,
    state: route.state,
    addressPrefix: [route.prefix],
    nextHopIpAddress: route.nextHopIpAddress === undefined ? [] : [route.nextHopIpAddress],
    nextHopType: route.nextHopType,
  }));
  return { value };
}

export interface EffectiveRouteJson {
  readonly name: string | null;
  readonly disableBgpRoutePropagation: boolean;
  readonly source: RouteSource;
  readonly state: 'Active' | 'Invalid';
  readonly addressPrefix: readonly string[];
  readonly nextHopIpAddress: readonly string[];
  readonly nextHopType: string;
}

/** Effective routes of a place with what the program needs beside them. */
export function collectRoutes(context: Context, place: RoutePlace): EffectiveRoute[] {
  const table = resolve(context.routeTables, place.subnet?.properties.routeTable);
  const user = table === undefined ? [] : userRoutes(context, table);
  const learned = table?.properties.disableBgpRoutePropagation === true ? [] : learnedRoutes(place.network);
  const routes = [
    ...networkRoutes(place),
    ...learned,
    ...serviceEndpointRoutes(context, place.subnet),
    ...commonRoutes(context, place.network, [...user, ...learned]),
    ...endpointRoutes(context, place, user),
    ...user,
  ];
  return withStates(routes);
}

/** VnetLocal per range (ROUTE-2), peering per range that each directly peered network shares (ROUTE-8, PEER-8);
 * not transitive (PEER-3). */
function networkRoutes({ network, subnet }: RoutePlace): EffectiveRoute[] {
  const own = network.ranges.map((prefix) => route(prefix, 'Default', 'VnetLocal', network.index));
  const peered = peersOf(network, subnet).flatMap(({ remote, ranges, isGlobal }) =>
    ranges.map((prefix) => route(prefix, 'Default', isGlobal ? 'VNetGlobalPeering' : 'VNetPeering', remote.index)),
  );
  return [...own, ...peered];
}

/** The peerings that a subnet takes part in: all, save those that are limited to other subnets (PEER-8). */
function peersOf(network: VnetFacts, subnet: Subnet | undefined): PeerFacts[] {
  return network.peers.filter(({ link: { localSubnetNames: names } }) => {
    return names === undefined || subnet === undefined || includesName(names, subnet.name);
  });
}

function includesName(names: readonly string[], name: string): boolean {
  return names.some((candidate) => candidate.toLowerCase() === name.toLowerCase());
}

/** What the gateway has learned (ROUTE-9), the remote one where this network uses it (PEER-7). */
function learnedRoutes(network: VnetFacts): EffectiveRoute[] {
  return (gatewaysOf(network)?.gateways ?? []).flatMap(({ properties: { learnedRoutes: prefixes, gatewayAddress } }) =>
    ipv4Prefixes(prefixes).map((prefix) =>
      route(prefix, 'VirtualNetworkGateway', 'VirtualNetworkGateway', -1, gatewayAddress),
    ),
  );
}

/** Public prefixes of the subnet's own service endpoints (ROUTE-10, SEP-4), each once. */
function serviceEndpointRoutes(context: Context, subnet: Subnet | undefined): EffectiveRoute[] {
  const prefixes = (subnet?.properties.serviceEndpoints ?? []).flatMap((endpoint) =>
    serviceEndpointPrefixes(context, endpoint),
  );
  const distinct = new Map(prefixes.map((prefix) => [formatPrefix(prefix), prefix]));
  const yields = context.behaviour.switches['sep.longerUdrWins'] ? { yieldsToLonger: true as const } : {};
  return [...distinct.values()].map((prefix) => ({
    ...route(prefix, 'Default', 'VirtualNetworkServiceEndpoint', -1),
    ...yields,
  }));
}

const PRIVATE_PREFIXES = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'].map(parsePrefix);
const PREFIX_172 = parsePrefix('172.16.0.0/12').address;
/** Added by the table of 2026, switch `routes.extraNone` (ROUTE-4). */
const EXTRA_PREFIXES = ['157.59.0.0/16', '127.0.0.0/8', '104.147.0.0/16', '104.146.0.0/17'].map(parsePrefix);
const ANYWHERE = parsePrefix('0.0.0.0/0');

/** next hops of a default route that take the None routes away (ROUTE-6). */
const REMOVING_HOPS: Readonly<Record<Switches['routes.defaultRemovesNone'], (hop: NextHopType) => boolean>> = {
  inside: (hop) => hop === 'VirtualAppliance' || hop === 'VirtualNetworkGateway',
  gateway: (hop) => hop === 'VirtualNetworkGateway',
  any: () => true,
};

/** The default route (ROUTE-3) and the None routes (ROUTE-4 to ROUTE-6). */
function commonRoutes(context: Context, network: VnetFacts, custom: readonly EffectiveRoute[]): EffectiveRoute[] {
  const { switches } = context.behaviour;
  // User-defined routes stand before learned ones in `custom`, as they do in preference.
  const defaultRoute = custom.find(({ prefix }) => prefix.length === 0)?.info.nextHopType;
  const isRemoved = defaultRoute !== undefined && REMOVING_HOPS[switches['routes.defaultRemovesNone']](defaultRoute);
  const none = [
    ...PRIVATE_PREFIXES.filter(
      ({ address }) => !isRemoved || (address === PREFIX_172 && !switches['routes.defaultRemoves172']),
    ),
    ...(switches['routes.extraNone'] && !(isRemoved && switches['routes.defaultRemovesExtraNone'])
      ? EXTRA_PREFIXES
      : []),
  ].filter((reserved) => !network.ranges.some((range) => prefixCovers(range, reserved))); // ROUTE-5
  return [...none.map((prefix) => route(prefix, 'Default', 'None', -1)), route(ANYWHERE, 'Default', 'Internet', -1)];
}

/**
 * The /32 of each private endpoint of this network and of directly peered ones (ROUTE-11, ROUTE-37), as far as a subnet
 * peering includes its subnet (PEER-8). Q-16: peerings without network access lead to no endpoint.
 */
function endpointRoutes(
  context: Context,
  { network, subnet }: RoutePlace,
  user: readonly EffectiveRoute[],
): EffectiveRoute[] {
  const needsAccess = context.behaviour.switches['peer.accessRemovesEndpointRoute'];
  const peers = peersOf(network, subnet).filter(
    ({ link, back }) => !needsAccess || (link.allowVirtualNetworkAccess && back.allowVirtualNetworkAccess),
  );
  const shared = new Map(peers.map(({ remote, link }) => [remote, link.remoteSubnetNames]));
  const isReached = ({ place }: EndpointFacts): boolean => {
    if (place.network === network) return true;
    const names = shared.get(place.network);
    return shared.has(place.network) && (names === undefined || includesName(names, place.subnet.name));
  };
  return context.endpoints.filter(isReached).map((endpoint) => {
    const prefix = { address: endpoint.address, length: 32 };
    const state = isOverridden(context, endpoint, user) ? 'Invalid' : 'Active';
    return route(prefix, 'Default', 'InterfaceEndpoint', endpoint.index, undefined, state);
  });
}

/**
 * True when user-defined routes of the source subnet (ROUTE-43) take an endpoint's /32 out of play: network policies of
 * the endpoint's subnet cover route tables, and a route that contains the endpoint is at least as long as the range of
 * the endpoint's network (ROUTE-39 to ROUTE-41).
 */
function isOverridden(context: Context, endpoint: EndpointFacts, user: readonly EffectiveRoute[]): boolean {
  if (!context.behaviour.switches['pe.routeTablePolicies']) return false;
  const policies = endpoint.place.subnet.properties.privateEndpointNetworkPolicies;
  if (policies !== 'Enabled' && policies !== 'RouteTableEnabled') return false;
  const range = endpoint.place.network.ranges.find((candidate) => prefixContains(candidate, endpoint.address));
  if (range === undefined) return false;
  return user.some(({ prefix }) => prefix.length >= range.length && prefixContains(prefix, endpoint.address));
}

/** User-defined routes (ROUTE-12), those for a tag once per prefix of the tag; preferred ones first. */
function userRoutes(context: Context, table: RouteTable): EffectiveRoute[] {
  return table.properties.routes
    .toSorted((a, b) => userRouteRank(a.properties.addressPrefix) - userRouteRank(b.properties.addressPrefix))
    .flatMap((udr) => {
      const written = udr.properties.addressPrefix;
      const prefixes = isTag(written) ? tagPrefixes(context, written) : ipv4Prefixes([written]);
      return prefixes.map((prefix) => userRoute(prefix, udr, table));
    });
}

/**
 * Order of user-defined routes that name the same addresses (ROUTE-17, ROUTE-18), lower first: explicit prefix,
 * regional tag, tag, regional AzureCloud, AzureCloud.
 */
export function userRouteRank(addressPrefix: string): number {
  if (!isTag(addressPrefix)) return 0;
  const [name, region] = addressPrefix.toLowerCase().split('.');
  return (name === 'azurecloud' ? 3 : 1) + (region === undefined ? 1 : 0);
}

function userRoute(prefix: Ipv4Prefix, udr: Route, table: RouteTable): EffectiveRoute {
  const { nextHopType, nextHopIpAddress } = udr.properties;
  const hopAddress = nextHopType === 'VirtualAppliance' ? nextHopIpAddress : undefined;
  const { info } = route(prefix, 'User', nextHopType, -1, hopAddress);
  const named = { ...info, name: udr.name, routeTable: table.name };
  return { info: udr.source === undefined ? named : { ...named, location: udr.source }, prefix, ref: -1 };
}

function route(
  prefix: Ipv4Prefix,
  source: RouteSource,
  nextHopType: RouteInfo['nextHopType'],
  ref: number,
  nextHopIpAddress?: string,
  state: RouteInfo['state'] = 'Active',
): EffectiveRoute {
  const info = { name: null, source, state, prefix: formatPrefix(prefix), nextHopType };
  return { info: nextHopIpAddress === undefined ? info : { ...info, nextHopIpAddress }, prefix, ref };
}

/** Marks the losers among routes with one prefix (ROUTE-25). Equal learned routes stay Active together (ROUTE-26). */
function withStates(routes: readonly EffectiveRoute[]): EffectiveRoute[] {
  const winners = new Map<string, EffectiveRoute>();
  for (const candidate of routes) {
    const winner = winners.get(candidate.info.prefix);
    if (candidate.info.state === 'Invalid') continue;
    if (winner === undefined || preferenceOf(candidate.info) < preferenceOf(winner.info)) {
      winners.set(candidate.info.prefix, candidate);
    }
  }
  return routes.map((candidate) => {
    const winner = winners.get(candidate.info.prefix);
    if (winner === undefined || winner === candidate || areEqualLearned(winner, candidate)) return candidate;
    return { ...candidate, info: { ...candidate.info, state: 'Invalid' } };
  });
}

function areEqualLearned(a: EffectiveRoute, b: EffectiveRoute): boolean {
  return a.info.source === 'VirtualNetworkGateway' && b.info.source === 'VirtualNetworkGateway';
}
