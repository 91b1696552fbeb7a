// Route tables: prefixes, next hops, service tags, and what a table may do to a GatewaySubnet
// (ROUTE-12 to ROUTE-20, ROUTE-28, ROUTE-30, NSG-22).

import { ROUTES_PER_TABLE_MAX, TAG_ROUTES_PER_TABLE_MAX } from '../../abi/limits.ts';
import { tryParseIpv4 } from '../../wire/address.ts';
import { idKey, type NetworkInterface, type Route, type RouteTable, type VirtualNetwork } from '../model/resources.ts';
import { looksLikePrefix, type Place, readAddress, readPrefix, resolve, type ValidationContext } from './context.ts';
import { BUILT_IN_TAGS, isKnownTag, tagNames } from './security-rules.ts';
import { nameHint } from './suggestion.ts';

const NEXT_HOP_TYPES: readonly string[] = [
  'VirtualAppliance',
  'VirtualNetworkGateway',
  'VnetLocal',
  'Internet',
  'None',
];

export function checkRouteTables(context: ValidationContext): void {
  const uses = tableUses(context);
  const owners = addressOwners(context);
  for (const table of context.network.routeTables) {
    const path = `routeTables.${table.name}`;
    const vnets = uses.get(idKey(table.id))?.vnets ?? new Map<string, VirtualNetwork>();
    checkCounts(context, table, path);
    checkDuplicates(context, table, path);
    for (const [index, route] of table.properties.routes.entries()) {
      const place = { path: `${path}.routes[${index}]`, source: route.source ?? table.source };
      checkPrefix(context, table, route, place);
      checkNextHop(context, table, route, place, [...vnets.values()], owners);
    }
    if (uses.get(idKey(table.id))?.onGatewaySubnet === true) checkGatewaySubnet(context, table, path);
  }
}

function checkCounts(context: ValidationContext, table: RouteTable, path: string): void {
  const { routes } = table.properties;
  const place = { path: `${path}.routes`, source: table.source };
  if (routes.length > ROUTES_PER_TABLE_MAX) {
    const message = `route table '${table.name}' has ${routes.length} routes; at most ${ROUTES_PER_TABLE_MAX}`;
    context.report('ROUTES_LIMIT', place, message, 'summarise prefixes, or use several tables');
  }
  const tags = routes.filter((route) => !looksLikePrefix(route.properties.addressPrefix)).length;
  if (tags > TAG_ROUTES_PER_TABLE_MAX) {
    const atMost = `at most ${TAG_ROUTES_PER_TABLE_MAX}`;
    const message = `route table '${table.name}' has ${tags} routes with service tags; ${atMost}`;
    context.report('ROUTE_TAGS_LIMIT', place, message, 'use a wider tag, or explicit prefixes');
  }
}

function checkDuplicates(context: ValidationContext, table: RouteTable, path: string): void {
  const byPrefix = new Map<string, Route>();
  const names = new Set<string>();
  for (const [index, route] of table.properties.routes.entries()) {
    const source = route.source ?? table.source;
    const prefix = route.properties.addressPrefix.toLowerCase();
    const twin = byPrefix.get(prefix);
    if (twin === undefined) {
      byPrefix.set(prefix, route);
    } else {
      const message =
        `routes '${twin.name}' and '${route.name}' of route table '${table.name}' have the same prefix ` +
        route.properties.addressPrefix;
      const place = { path: `${path}.routes[${index}].addressPrefix`, source };
      context.report('ROUTE_PREFIX_DUPLICATE', place, message, 'remove one of them');
    }
    if (names.has(route.name.toLowerCase())) {
      const message = `route table '${table.name}' has two routes named '${route.name}'`;
      const place = { path: `${path}.routes[${index}].name`, source };
      context.report('ROUTE_NAME_DUPLICATE', place, message, 'give each route its own name');
    }
    names.add(route.name.toLowerCase());
  }
}

function checkPrefix(context: ValidationContext, table: RouteTable, route: Route, place: Place): void {
  const { addressPrefix } = route.properties;
  const title = `route '${route.name}' of route table '${table.name}'`;
  const where = { ...place, path: `${place.path}.addressPrefix` };
  if (looksLikePrefix(addressPrefix)) {
    readPrefix(context, addressPrefix, where, `prefix of ${title}`);
    return;
  }
  const tags = context.network.serviceTags;
  if (BUILT_IN_TAGS.some((tag) => tag.toLowerCase() === addressPrefix.toLowerCase())) {
    const message = `${title} has service tag ${addressPrefix}, which cannot be used in routes`;
    context.report('ROUTE_TAG_UNUSABLE', where, message, 'write prefixes instead');
  } else if (!isKnownTag(addressPrefix, tags)) {
    const message = `${title} has prefix '${addressPrefix}', which is neither a prefix nor a known service tag`;
    const known = tagNames(tags).filter((tag) => !BUILT_IN_TAGS.some((name) => name === tag));
    context.report('TAG_UNKNOWN', where, message, nameHint(addressPrefix, known, 'load a service tag file'));
  }
}

function checkNextHop(
  context: ValidationContext,
  table: RouteTable,
  route: Route,
  place: Place,
  vnets: readonly VirtualNetwork[],
  owners: ReadonlyMap<string, NetworkInterface>,
): void {
  const { nextHopType, nextHopIpAddress } = route.properties;
  const title = `route '${route.name}' of route table '${table.name}'`;
  const where = { ...place, path: `${place.path}.nextHopIpAddress` };
  if (!NEXT_HOP_TYPES.includes(nextHopType)) {
    const message = `${title} has next hop type ${nextHopType}; expected ${NEXT_HOP_TYPES.join(', ')}`;
    const hint = nameHint(nextHopType, NEXT_HOP_TYPES, '');
    context.report('ROUTE_NEXT_HOP_TYPE', { ...place, path: `${place.path}.nextHopType` }, message, hint);
    return;
  }
  if (nextHopType !== 'VirtualAppliance') {
    if (nextHopIpAddress !== undefined && nextHopIpAddress !== '') {
      const message = `${title} goes to ${nextHopType} but has next hop address ${nextHopIpAddress}`;
      const hint = 'remove the address, or make the next hop type VirtualAppliance';
      context.report('ROUTE_NEXT_HOP_UNEXPECTED', where, message, hint);
    }
    if (nextHopType === 'VirtualNetworkGateway') checkGatewayInReach(context, title, place, vnets);
    return;
  }
  if (nextHopIpAddress === undefined || nextHopIpAddress === '') {
    const message = `${title} goes to a virtual appliance but has no next hop address`;
    context.report('ROUTE_NEXT_HOP_MISSING', where, message, 'give the private address of the appliance');
    return;
  }
  const address = readAddress(context, nextHopIpAddress, where, `next hop of ${title}`);
  if (address !== undefined) checkApplianceInReach(context, title, address, where, vnets, owners);
}

/** ROUTE-14: the appliance is in the virtual network itself or in a directly peered one. */
function checkApplianceInReach(
  context: ValidationContext,
  title: string,
  address: number,
  place: Place,
  vnets: readonly VirtualNetwork[],
  owners: ReadonlyMap<string, NetworkInterface>,
): void {
  for (const vnet of vnets) {
    const reach = [idKey(vnet.id), ...peersOf(vnet)];
    const owner = reach.map((key) => owners.get(`${key} ${address}`)).find((nic) => nic !== undefined);
    if (owner === undefined) {
      const message = `${title} has a next hop that no NIC in or next to virtual network '${vnet.name}' owns`;
      const hint = 'packets on this route will be dropped: give an appliance this address, or correct it';
      context.report('NEXT_HOP_NOT_FOUND', place, message, hint, 'warning');
      return;
    }
    if (!owner.properties.enableIPForwarding) {
      const message = `${title} goes to NIC '${owner.name}', which has no IP forwarding`;
      const hint = `packets for others will be dropped there: set enableIPForwarding on '${owner.name}'`;
      context.report('NEXT_HOP_NOT_FORWARDING', place, message, hint, 'warning');
      return;
    }
  }
}

/** ROUTE-15: as a user-defined next hop the type means a VPN gateway, own or used through a peering (PEER-7). */
function checkGatewayInReach(
  context: ValidationContext,
  title: string,
  place: Place,
  vnets: readonly VirtualNetwork[],
): void {
  for (const vnet of vnets) {
    const remote = vnet.properties.virtualNetworkPeerings.filter((peering) => peering.properties.useRemoteGateways);
    const reach = new Set([
      idKey(vnet.id),
      ...remote.map((peering) => idKey(peering.properties.remoteVirtualNetwork.id)),
    ]);
    const inReach = context.network.virtualNetworkGateways.some(
      (gateway) => gateway.properties.gatewayType === 'Vpn' && reach.has(idKey(gateway.properties.virtualNetwork.id)),
    );
    if (inReach) continue;
    const message = `${title} goes to a virtual network gateway, but virtual network '${vnet.name}' has no VPN gateway`;
    const hint = 'packets on this route will be dropped: add a VPN gateway, or use the one of a peered network';
    context.report(
      'ROUTE_GATEWAY_NOT_FOUND',
      { ...place, path: `${place.path}.nextHopType` },
      message,
      hint,
      'warning',
    );
    return;
  }
}

/** ROUTE-19, ROUTE-20. */
function checkGatewaySubnet(context: ValidationContext, table: RouteTable, path: string): void {
  if (table.properties.disableBgpRoutePropagation) {
    const message = `route table '${table.name}' of a GatewaySubnet switches gateway route propagation off`;
    const place = { path: `${path}.disableBgpRoutePropagation`, source: table.source };
    context.report('GATEWAY_SUBNET_PROPAGATION', place, message, 'leave propagation on for a GatewaySubnet');
  }
  for (const [index, route] of table.properties.routes.entries()) {
    if (route.properties.addressPrefix !== '0.0.0.0/0') continue;
    const message = `route '${route.name}' of route table '${table.name}' is a default route on a GatewaySubnet`;
    const place = { path: `${path}.routes[${index}]`, source: route.source ?? table.source };
    context.report('GATEWAY_SUBNET_DEFAULT_ROUTE', place, message, 'use more specific prefixes there');
  }
}

interface TableUse {
  readonly vnets: Map<string, VirtualNetwork>;
  onGatewaySubnet: boolean;
}

function tableUses(context: ValidationContext): Map<string, TableUse> {
  const uses = new Map<string, TableUse>();
  for (const { subnet, vnet } of context.subnets.values()) {
    const { routeTable } = subnet.properties;
    if (routeTable === undefined) continue;
    const key = idKey(routeTable.id);
    const use = uses.get(key) ?? { vnets: new Map<string, VirtualNetwork>(), onGatewaySubnet: false };
    use.vnets.set(idKey(vnet.id), vnet);
    if (subnet.name.toLowerCase() === 'gatewaysubnet') use.onGatewaySubnet = true;
    uses.set(key, use);
  }
  return uses;
}

function peersOf(vnet: VirtualNetwork): string[] {
  return vnet.properties.virtualNetworkPeerings.map((peering) => idKey(peering.properties.remoteVirtualNetwork.id));
}

/** Who owns an address, per virtual network: `<vnet id key> <address>`. */
function addressOwners(context: ValidationContext): Map<string, NetworkInterface> {
  const owners = new Map<string, NetworkInterface>();
  for (const nic of context.network.networkInterfaces) {
    for (const { properties } of nic.properties.ipConfigurations) {
      const vnet = resolve(context.subnets, properties.subnet)?.vnet;
      const address = tryParseIpv4(properties.privateIPAddress);
      if (vnet !== undefined && address !== undefined) owners.set(`${idKey(vnet.id)} ${address}`, nic);
    }
  }
  return owners;
}
