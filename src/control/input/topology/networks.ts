// Virtual networks of a topology with subnets, gateways and peerings, as resource objects.

import { suggest } from '../suggestions.ts';
import { derive } from '../places.ts';
import type { At } from '../places.ts';
import { makeId, TYPE_OF_KIND } from '../resources/resource-types.ts';
import type { Topology, TopologyNetwork, TopologyPeering, TopologySubnet } from './schema.ts';
import { build, buildResource, distinctEntries, from, listFrom, refer } from './values.ts';
import type { ExpandContext, Member } from './values.ts';

export function expandVirtualNetwork(
  context: ExpandContext,
  name: string,
  network: TopologyNetwork,
  at: At,
): readonly object[] {
  const subnets = distinctEntries(network.subnets).map(([child, subnet]) =>
    expandSubnet(context, child, subnet, { object: network.subnets ?? {}, key: child, part: 'key' }),
  );
  const space = build({ object: network, key: 'addressSpace' }, { addressPrefixes: listFrom(network, 'addressSpace') });
  const dhcp = build({ object: network, key: 'dnsServers' }, { dnsServers: listFrom(network, 'dnsServers') });
  const resource = buildResource(context, 'virtualNetwork', name, at, {
    addressSpace: [space],
    dhcpOptions: network.dnsServers === undefined ? undefined : [dhcp],
    flowTimeoutInMinutes: from(network, 'flowTimeoutInMinutes'),
    privateEndpointVNetPolicies: from(network, 'privateEndpointVNetPolicies'),
    tags: from(network, 'tags'),
    subnets: [subnets],
    ...(network.location !== undefined && { location: from(network, 'location') }),
  });
  return network.gateway === undefined ? [resource] : [resource, expandGateway(context, name, network.gateway)];
}

function expandSubnet(context: ExpandContext, name: string, subnet: TopologySubnet, at: At): object {
  // NET-16: what the topology leaves open is settled by the switch, so that a profile decides and not an export.
  const outbound: Member = from(subnet, 'defaultOutboundAccess') ?? [
    context.behaviour.switches['net.defaultOutboundAccess'],
  ];
  const endpoints = subnet.serviceEndpoints?.map((endpoint, index, list) => {
    const place = { object: list, key: index };
    return typeof endpoint === 'string' ? build(place, { service: [endpoint, place] }) : endpoint;
  });
  const delegation = subnet.delegation;
  const delegationAt = { object: subnet, key: 'delegation' };
  return build(at, {
    name: [name],
    addressPrefix: from(subnet, 'addressPrefix'),
    networkSecurityGroup: refer(context, subnet, 'networkSecurityGroup', 'networkSecurityGroup'),
    routeTable: refer(context, subnet, 'routeTable', 'routeTable'),
    natGateway: refer(context, subnet, 'natGateway', 'natGateway'),
    privateEndpointNetworkPolicies: from(subnet, 'privateEndpointNetworkPolicies'),
    privateLinkServiceNetworkPolicies: from(subnet, 'privateLinkServiceNetworkPolicies'),
    delegations: delegation === undefined ? undefined : [[build(delegationAt, { serviceName: [delegation] })]],
    serviceEndpoints: endpoints && [endpoints],
    defaultOutboundAccess: outbound,
  });
}

function expandGateway(
  context: ExpandContext,
  network: string,
  gateway: NonNullable<TopologyNetwork['gateway']>,
): object {
  return buildResource(
    context,
    'virtualNetworkGateway',
    `${network}-gateway`,
    { object: gateway },
    {
      gatewayType: from(gateway, 'type'),
      virtualNetwork: [{ id: makeId(TYPE_OF_KIND.virtualNetwork, network) }],
      learnedRoutes: listFrom(gateway, 'learnedRoutes'),
      gatewayAddress: from(gateway, 'address'),
    },
  );
}

/** Both links of every peering (PEER-1). */
export function expandPeerings(context: ExpandContext, topology: Topology): object[] {
  return (topology.peerings ?? []).flatMap((peering) => expandPeering(context, peering));
}

function expandPeering(context: ExpandContext, peering: TopologyPeering): object[] {
  const { between } = peering;
  const [first, second] = between;
  for (const key of Object.keys(peering))
    if (key !== 'between' && !isEnd(between, key)) reportOtherKey(context, peering, key);
  const ids = between.map((name, index) => context.names.find(name, { object: between, key: index }, 'virtualNetwork'));
  const [firstId, secondId] = ids;
  if (firstId === undefined || secondId === undefined) return [];
  if (firstId === secondId) {
    const message = `a peering joins two different networks, found ${first} twice`;
    context.issues.error('VALUE_WRONG', { object: between, key: 1 }, message, 'name two networks');
    return [];
  }
  return [expandLink(peering, firstId, first, second, secondId), expandLink(peering, secondId, second, first, firstId)];
}

function expandLink(peering: TopologyPeering, ownId: string, own: string, remote: string, remoteId: string): object {
  const key = Object.keys(peering).find((candidate) => candidate.toLowerCase() === own.toLowerCase());
  const found: unknown = key === undefined ? undefined : Reflect.get(peering, key);
  const flags = typeof found === 'object' && found !== null && found !== peering.between ? found : {};
  const name = `${own}-to-${remote}`;
  const at: At = flags === found && key !== undefined ? { object: peering, key } : { object: peering };
  const members = Object.entries(flags).map(([flag, value]) => [flag, [value, { object: flags, key: flag }]] as const);
  return build(at, {
    ...Object.fromEntries(members),
    id: [`${ownId}/virtualNetworkPeerings/${name}`],
    name: [name],
    type: [TYPE_OF_KIND.peering],
    remoteVirtualNetwork: [derive({ id: remoteId }, at)],
  });
}

function isEnd(between: readonly string[], key: string): boolean {
  return between.some((name) => name.toLowerCase() === key.toLowerCase());
}

function reportOtherKey(context: ExpandContext, peering: TopologyPeering, key: string): void {
  const nearest = suggest(key, ['between', ...peering.between]);
  const hint =
    nearest === undefined ? `known keys are between, ${peering.between.join(', ')}` : `did you mean ${nearest}?`;
  const message = `unknown key ${JSON.stringify(key)}: flags are given under the name of one of the two networks`;
  context.issues.error('UNKNOWN_KEY', { object: peering, key, part: 'key' }, message, hint);
}
