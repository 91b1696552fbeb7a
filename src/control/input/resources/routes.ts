// Route tables with their user-defined routes, and virtual network gateways with what they have learned.

import type { Route, RouteTable, UserNextHopType, VirtualNetworkGateway } from '../../model/resources.ts';
import { baseOf, withSource } from './base.ts';
import type { Entry } from './catalogue.ts';
import type { Fields } from './fields.ts';
import { resolve } from './links.ts';
import type { InputContext } from './links.ts';
import { parentId, TYPE_OF_KIND } from './resource-types.ts';
import { checkAddress, checkAll, checkPrefix, checkPrefixOrTag } from '../syntax.ts';

const NEXT_HOP_TYPES: readonly UserNextHopType[] = [
  'VirtualAppliance',
  'VirtualNetworkGateway',
  'VnetLocal',
  'Internet',
  'None',
];

export function readRouteTables(context: InputContext): RouteTable[] {
  return context.catalogue.ofKind('routeTable').map((entry) => ({
    ...baseOf(entry, TYPE_OF_KIND.routeTable),
    properties: {
      routes: context.catalogue.childrenOf(entry, 'route').flatMap((child) => readRoute(context, child) ?? []),
      disableBgpRoutePropagation: entry.fields.boolean('disableBgpRoutePropagation') ?? false,
    },
  }));
}

function readRoute(context: InputContext, entry: Entry): Route | undefined {
  const { fields } = entry;
  const prefix = fields.requiredText('addressPrefix');
  const addressPrefix = prefix && checkPrefixOrTag(prefix, context.issues);
  const nextHopType = fields.word('nextHopType', NEXT_HOP_TYPES);
  if (!fields.has('nextHopType')) fields.missing('nextHopType');
  const hop = fields.textAt('nextHopIpAddress');
  const nextHopIpAddress = hop && checkAddress(hop, context.issues);
  if (addressPrefix === undefined || nextHopType === undefined) return undefined;
  if (hop !== undefined && nextHopIpAddress === undefined) return undefined;
  return {
    id: entry.id,
    name: entry.name,
    ...withSource(fields),
    properties: { addressPrefix, nextHopType, ...(nextHopIpAddress !== undefined && { nextHopIpAddress }) },
  };
}

/** Gateways whose network is known; learned routes come from connections and from the property `learnedRoutes`. */
export function readVirtualNetworkGateways(context: InputContext): VirtualNetworkGateway[] {
  const learned = readConnections(context);
  return context.catalogue.ofKind('virtualNetworkGateway').flatMap((entry) => {
    const { fields } = entry;
    const network = findNetwork(context, fields);
    const stated = checkAll(fields.texts('learnedRoutes'), context.issues, checkPrefix);
    const routes = new Set([...stated, ...(learned.get(entry.id) ?? [])]);
    const gatewayType = fields.word('gatewayType', ['Vpn', 'ExpressRoute']) ?? 'Vpn';
    const gatewayAddress = readGatewayAddress(context, fields);
    if (network === undefined) return [];
    const properties = {
      gatewayType,
      virtualNetwork: { id: network.id },
      learnedRoutes: [...routes],
      ...(gatewayAddress !== undefined && { gatewayAddress }),
    };
    return [{ ...baseOf(entry, TYPE_OF_KIND.virtualNetworkGateway), properties }];
  });
}

/** The emulator's own `virtualNetwork`, or the network of the subnet in which the gateway stands. */
function findNetwork(context: InputContext, fields: Fields): Entry | undefined {
  if (fields.has('virtualNetwork')) return resolve(context, fields.reference('virtualNetwork'), 'virtualNetwork');
  for (const configuration of fields.list('ipConfigurations')) {
    const subnet = configuration.reference('subnet');
    if (subnet === undefined) continue;
    return resolve(context, { id: parentId(subnet.id), at: subnet.at }, 'virtualNetwork');
  }
  fields.missing('ipConfigurations');
  return undefined;
}

/** Address that is printed as next hop of learned routes (ROUTE-9): the emulator's own, else the BGP address. */
function readGatewayAddress(context: InputContext, fields: Fields): string | undefined {
  const own = fields.textAt('gatewayAddress');
  if (own !== undefined) return checkAddress(own, context.issues);
  // An active-active gateway lists several addresses with commas.
  const peering = fields.child('bgpSettings')?.textAt('bgpPeeringAddress');
  const first = peering?.text.split(',', 1)[0]?.trim();
  return peering === undefined || first === undefined || first === ''
    ? undefined
    : checkAddress({ ...peering, text: first }, context.issues);
}

/** Prefixes behind the local network gateways of all connections, by id of the virtual network gateway. */
function readConnections(context: InputContext): Map<string, string[]> {
  const learned = new Map<string, string[]>();
  for (const { fields, name } of context.catalogue.ofKind('connection')) {
    const gateway = resolve(context, fields.reference('virtualNetworkGateway1'), 'virtualNetworkGateway');
    if (!fields.has('localNetworkGateway2')) {
      const message = `connection ${name} does not lead to a local network gateway and was ignored`;
      const hint = 'give the prefixes as learnedRoutes of the gateway';
      context.issues.warning('CONNECTION_IGNORED', fields.at(), message, hint);
      continue;
    }
    const local = resolve(context, fields.reference('localNetworkGateway2'), 'localNetworkGateway');
    if (gateway === undefined || local === undefined) continue;
    const items = local.fields.child('localNetworkAddressSpace')?.texts('addressPrefixes') ?? [];
    const prefixes = checkAll(items, context.issues, checkPrefix);
    learned.set(gateway.id, [...(learned.get(gateway.id) ?? []), ...prefixes]);
  }
  return learned;
}
