// Changes to route tables, to where they are associated, and to what gateways have learned.

import { AddressError, parsePrefix } from '../../wire/address.ts';
import { idKey } from '../model/resources.ts';
import type { Network, Route, RouteTable, UserNextHopType, VirtualNetworkGateway } from '../model/resources.ts';
import { type Change, exchange, find, refusal, withSubnet, without } from './lookup.ts';

/** The short form of a route: prefix or service tag, next hop type in any case, next hop address of an appliance. */
export interface ShortRoute {
  readonly name: string;
  readonly prefix: string;
  readonly nextHopType: string;
  readonly nextHopIp?: string | null | undefined;
}

const NEXT_HOP_TYPES: readonly UserNextHopType[] = [
  'VirtualAppliance',
  'VirtualNetworkGateway',
  'VnetLocal',
  'Internet',
  'None',
];

/** Adds a route, or puts it in the place of the route with its name. */
export function setRoute(table: string, route: ShortRoute): Change {
  return (network) =>
    withRoutes(network, table, (owner) => {
      const next = expand(owner, route);
      const old = owner.properties.routes.find((entry) => entry.name.toLowerCase() === route.name.toLowerCase());
      return old === undefined ? [...owner.properties.routes, next] : exchange(owner.properties.routes, old, next);
    });
}

/** Removes a route. Refused when the table has no such route. */
export function removeRoute(table: string, name: string): Change {
  return (network) =>
    withRoutes(network, table, (owner) => {
      const removed = find(owner.properties.routes, name, 'route');
      return owner.properties.routes.filter((route) => route !== removed);
    });
}

/** Replaces all routes of a table. */
export function setRoutes(table: string, routes: readonly ShortRoute[]): Change {
  return (network) => withRoutes(network, table, (owner) => routes.map((route) => expand(owner, route)));
}

/** Associates a table with a subnet in place of the one it has; null: it has none from now on (ROUTE-13). */
export function associateRouteTable(subnet: string, table: string | null): Change {
  return (network) => {
    const owner = table === null ? undefined : find(network.routeTables, table, 'route table');
    return withSubnet(network, subnet, ({ properties }) => ({
      ...without(properties, 'routeTable'),
      ...(owner && { routeTable: { id: owner.id } }),
    }));
  };
}

/**
 * ROUTE-9: what a gateway has learned from now on. `name` is its network's, or its own where a network has several
 * gateways (ROUTE-15).
 */
export function setLearnedRoutes(name: string, routes: readonly string[]): Change {
  for (const text of routes) checkPrefix(text);
  return (network) => {
    const gateways = network.virtualNetworkGateways;
    const isHere = ({ properties }: VirtualNetworkGateway): boolean =>
      nameOf(properties.virtualNetwork.id) === name.toLowerCase() ||
      idKey(properties.virtualNetwork.id) === idKey(name);
    const [own, second] = gateways.filter(isHere);
    if (own !== undefined && second !== undefined) {
      const message = `virtual network '${name}' has two gateways: ${own.name} and ${second.name}`;
      throw refusal('CHANGE_NAME_AMBIGUOUS', message, 'name the gateway');
    }
    const gateway = own ?? find(gateways, name, 'virtual network gateway');
    const next = { ...gateway, properties: { ...gateway.properties, learnedRoutes: routes } };
    return { ...network, virtualNetworkGateways: exchange(gateways, gateway, next) };
  };
}

function nameOf(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1).toLowerCase();
}

function checkPrefix(text: string): void {
  try {
    parsePrefix(text);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    throw refusal('CHANGE_VALUE', `learned route: ${error.message} (Azure: InvalidCIDRNotation)`, error.hint);
  }
}

function expand(table: RouteTable, route: ShortRoute): Route {
  const type = NEXT_HOP_TYPES.find((known) => known.toLowerCase() === route.nextHopType.toLowerCase());
  if (type === undefined) {
    const expected = NEXT_HOP_TYPES.join(', ');
    const message = `route '${route.name}' has next hop type '${route.nextHopType}'; expected ${expected}`;
    throw refusal('CHANGE_VALUE', message, `write one of ${expected}`);
  }
  const address = route.nextHopIp ?? undefined;
  return {
    id: `${table.id}/routes/${route.name}`,
    name: route.name,
    properties: {
      addressPrefix: route.prefix,
      nextHopType: type,
      ...(address !== undefined && { nextHopIpAddress: address }),
    },
  };
}

function withRoutes(network: Network, table: string, edit: (table: RouteTable) => readonly Route[]): Network {
  const owner = find(network.routeTables, table, 'route table');
  const next = { ...owner, properties: { ...owner.properties, routes: edit(owner) } };
  return { ...network, routeTables: exchange(network.routeTables, owner, next) };
}
