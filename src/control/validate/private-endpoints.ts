// Private endpoints, their connections and what stands behind them (PE-1 to PE-13, PE-25, PE-45, NET-15, PNSG-15,
// IFE-1 to IFE-9, LIM-20).

import {
  ENDPOINTS_PER_VAULT_MAX,
  ENDPOINTS_PER_VNET_HIGH_SCALE_MAX,
  ENDPOINTS_PER_VNET_MAX,
  REQUEST_MESSAGE_MAX,
  VAULTS_WITH_ENDPOINTS_MAX,
} from '../../abi/limits.ts';
import {
  idKey,
  type PrivateEndpoint,
  type PrivateLinkResource,
  type PrivateLinkServiceConnection,
  type Subnet,
  type VirtualNetwork,
} from '../model/resources.ts';
import { isAlias } from '../private-link/alias.ts';
import { targetOf } from '../private-link/targets.ts';
import {
  nameOfId,
  type Place,
  portRange,
  readAddress,
  regionOf,
  resolve,
  subscriptionOf,
  type ValidationContext,
} from './context.ts';
import { regionDifference, subnetNames } from './interfaces.ts';
import { nameHint } from './suggestion.ts';

/** PE-4: targets whose endpoints cannot have static addresses. */
const DYNAMIC_ONLY_TARGETS = [
  'Microsoft.ContainerService/managedClusters',
  'Microsoft.Network/applicationGateways',
  'Microsoft.HDInsight/clusters',
  'Microsoft.RecoveryServices/vaults',
];

export function checkPrivateEndpoints(context: ValidationContext): void {
  const counts = new Map<string, number>();
  for (const endpoint of context.network.privateEndpoints) {
    const place = { path: `privateEndpoints.${endpoint.name}`, source: endpoint.source };
    const where = resolve(context.subnets, endpoint.properties.subnet);
    if (where === undefined) {
      const name = nameOfId(endpoint.properties.subnet.id);
      const message = `private endpoint '${endpoint.name}' is in subnet '${name}', which does not exist`;
      const hint = nameHint(name, subnetNames(context), 'add the virtual network with this subnet to the input');
      context.report('ENDPOINT_SUBNET_NOT_FOUND', { ...place, path: `${place.path}.subnet` }, message, hint);
    } else {
      const key = idKey(where.vnet.id);
      counts.set(key, (counts.get(key) ?? 0) + 1);
      checkSubnetOfEndpoint(context, endpoint, where.subnet, place);
      checkRegion(context, endpoint, where.vnet, place);
      checkHighScale(context, endpoint, where.subnet, where.vnet, place);
    }
    checkConnections(context, endpoint, place);
  }
  checkEndpointCounts(context, counts);
  checkVaults(context);
  for (const service of context.network.privateLinkResources) checkService(context, service);
}

/** NET-15; the interface endpoint of 2018 is the other way round (IFE-3) and takes no NSG or route table (IFE-5). */
function checkSubnetOfEndpoint(
  context: ValidationContext,
  endpoint: PrivateEndpoint,
  subnet: Subnet,
  place: Place,
): void {
  const { profile } = context.behaviour;
  const { delegations, networkSecurityGroup, routeTable, privateEndpointNetworkPolicies } = subnet.properties;
  const title = `private endpoint '${endpoint.name}'`;
  if (profile === 'interface-endpoint-2018') {
    if (networkSecurityGroup !== undefined) {
      const nsg = nameOfId(networkSecurityGroup.id);
      const message = `${title} is in subnet '${subnet.name}', which has network security group '${nsg}'`;
      const hint = `profile ${profile} supports none on the subnet of an endpoint: remove it there`;
      context.report('ENDPOINT_SUBNET_NSG', place, message, hint);
    }
    if (routeTable !== undefined) {
      const message = `${title} is in subnet '${subnet.name}', which has route table '${nameOfId(routeTable.id)}'`;
      const hint = `profile ${profile} supports none on the subnet of an endpoint: remove it there`;
      context.report('ENDPOINT_SUBNET_ROUTE_TABLE', place, message, hint);
    }
    return;
  }
  const [delegation] = delegations;
  if (delegation !== undefined) {
    const service = delegation.properties.serviceName;
    const message = `${title} is in subnet '${subnet.name}', which is delegated to ${service}`;
    context.report('ENDPOINT_SUBNET_DELEGATED', place, message, 'put the endpoint into a subnet of its own');
  }
  if (profile === 'pe-2020' && privateEndpointNetworkPolicies !== 'Disabled') {
    const message =
      `${title} is in subnet '${subnet.name}' with network policies ${privateEndpointNetworkPolicies} ` +
      '(Azure: PrivateEndpointCannotBeCreatedInSubnetThatHasNetworkPoliciesEnabled)';
    const hint = `profile ${profile} needs privateEndpointNetworkPolicies Disabled; it is read as Disabled`;
    context.report('ENDPOINT_POLICIES_ENABLED', place, message, hint, 'warning');
  }
}

/** PE-6: endpoint and network share region and subscription; the target need not, save in 2018 (IFE-1). */
function checkRegion(context: ValidationContext, endpoint: PrivateEndpoint, vnet: VirtualNetwork, place: Place): void {
  const difference = regionDifference(endpoint, vnet);
  if (difference !== undefined) {
    const both = `private endpoint '${endpoint.name}' and its virtual network '${vnet.name}'`;
    const message = `${both} differ in ${difference}`;
    const hint = 'an endpoint shares region and subscription with its virtual network; only its target may differ';
    context.report('ENDPOINT_REGION', place, message, hint);
  }
  if (context.behaviour.profile !== 'interface-endpoint-2018') return;
  for (const connection of connectionsOf(endpoint)) {
    const target = context.services.get(idKey(connection.properties.privateLinkServiceId));
    const [own, other] = [regionOf(endpoint.location ?? vnet.location), regionOf(target?.location)];
    if (own === undefined || other === undefined || own === other) continue;
    const message = `interface endpoint '${endpoint.name}' is in ${own}, its service '${target?.name}' in ${other}`;
    context.report('ENDPOINT_TARGET_REGION', place, message, 'put both into one region, or use a later profile');
  }
}

/** PE-45. */
function checkHighScale(
  context: ValidationContext,
  endpoint: PrivateEndpoint,
  subnet: Subnet,
  vnet: VirtualNetwork,
  place: Place,
): void {
  const { privateEndpointNetworkPolicies: policies } = subnet.properties;
  if (!isHighScale(vnet) || policies === 'Enabled' || policies === 'RouteTableEnabled') return;
  const message =
    `virtual network '${vnet.name}' has high-scale private endpoints, but subnet '${subnet.name}' ` +
    `of endpoint '${endpoint.name}' has network policies ${policies}`;
  context.report('ENDPOINT_POLICIES_HIGH_SCALE', place, message, 'set them to Enabled or RouteTableEnabled');
}

function checkConnections(context: ValidationContext, endpoint: PrivateEndpoint, place: Place): void {
  const { privateLinkServiceConnections: automatic } = endpoint.properties;
  const connections = connectionsOf(endpoint);
  if (connections.length !== 1) {
    const message = `private endpoint '${endpoint.name}' has ${connections.length} connections; expected exactly one`;
    context.report('ENDPOINT_CONNECTIONS', place, message, 'make one private endpoint per target and sub-resource');
  }
  for (const connection of connections) {
    const where = { path: `${place.path}.connections.${connection.name}`, source: connection.source ?? place.source };
    checkConnection(context, endpoint, connection, automatic.includes(connection), where);
  }
}

function checkConnection(
  context: ValidationContext,
  endpoint: PrivateEndpoint,
  connection: PrivateLinkServiceConnection,
  isAutomatic: boolean,
  place: Place,
): void {
  const { privateLinkServiceId: target, groupIds, requestMessage } = connection.properties;
  const title = `private endpoint '${endpoint.name}'`;
  if (groupIds.length > 1) {
    const message = `${title} names ${groupIds.length} sub-resources: ${groupIds.join(', ')}; at most one`;
    context.report('ENDPOINT_SUB_RESOURCES', place, message, 'make one private endpoint per sub-resource');
  }
  const length = requestMessage?.length ?? 0;
  if (length > REQUEST_MESSAGE_MAX) {
    const message = `${title} has a request message of ${length} characters; at most ${REQUEST_MESSAGE_MAX}`;
    context.report('REQUEST_MESSAGE_LENGTH', { ...place, path: `${place.path}.requestMessage` }, message, 'shorten it');
  }
  if (isAlias(target)) {
    if (context.behaviour.profile === 'interface-endpoint-2018') {
      const hint = 'name the service by its resource id, or use a later profile';
      context.report('ENDPOINT_ALIAS_UNSUPPORTED', place, `${title} names its target by alias '${target}'`, hint);
    } else if (isAutomatic) {
      const message = `${title} names its target by alias '${target}' and asks for automatic approval`;
      const hint = 'a connection by alias is always approved by hand: use manualPrivateLinkServiceConnections';
      context.report('ENDPOINT_ALIAS_AUTOMATIC', place, message, hint);
    }
  }
  const dynamicOnly = DYNAMIC_ONLY_TARGETS.find((type) => target.toLowerCase().includes(`/${type.toLowerCase()}/`));
  if (dynamicOnly !== undefined && endpoint.properties.ipConfigurations.length > 0) {
    const message = `${title} has a static address, but its target (${dynamicOnly}) supports dynamic ones only`;
    context.report('ENDPOINT_STATIC_ADDRESS', place, message, 'leave ipConfigurations out');
  }
  checkSubResource(context, connection, title, place);
  if (targetOf(context.network, connection) === undefined) {
    const known = context.network.privateLinkResources.map((service) => service.name);
    const message = `${title} leads to '${nameOfId(target)}', which is not in the input`;
    const hint = nameHint(nameOfId(target), known, 'add the resource behind it, or nothing will answer');
    context.report('ENDPOINT_TARGET_NOT_FOUND', place, message, hint, 'warning');
  }
}

/** PE-1, PE-8: a Private Link service has no sub-resources, other targets have those that they state. */
function checkSubResource(
  context: ValidationContext,
  connection: PrivateLinkServiceConnection,
  title: string,
  place: Place,
): void {
  const target = targetOf(context.network, connection);
  const [groupId] = connection.properties.groupIds;
  if (target === undefined || groupId === undefined) return;
  const name = target.kind === 'service' ? target.service.name : target.resource.name;
  const stated = target.kind === 'service' ? [] : target.resource.properties.subResources;
  if (stated === undefined || (target.kind === 'resource' && target.subResource !== undefined)) return;
  const known = stated.map((entry) => entry.groupId);
  const message = `${title} asks for sub-resource '${groupId}' of '${name}', which has ${known.join(', ') || 'none'}`;
  const hint = known.length === 0 ? 'leave groupIds empty' : nameHint(groupId, known, 'name one of them');
  context.report('ENDPOINT_SUB_RESOURCE_UNKNOWN', place, message, hint);
}

/** LIM-25: endpoints per key vault, and vaults with endpoints per subscription. */
function checkVaults(context: ValidationContext): void {
  const counts = new Map<string, number>();
  for (const { properties } of context.network.privateEndpoints.flatMap(connectionsOf)) {
    const key = idKey(properties.privateLinkServiceId);
    if (key.includes('/microsoft.keyvault/vaults/')) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const report = (message: string): void =>
    context.report('VAULT_ENDPOINTS_LIMIT', { path: 'privateEndpoints' }, message, 'delete some private endpoints');
  const vaults = new Map<string, number>();
  for (const [key, count] of counts) {
    const subscription = subscriptionOf(key) ?? '';
    vaults.set(subscription, (vaults.get(subscription) ?? 0) + 1);
    const max = ENDPOINTS_PER_VAULT_MAX;
    if (count > max) report(`key vault '${nameOfId(key)}' has ${count} private endpoints; at most ${max}`);
  }
  for (const count of vaults.values()) {
    const max = VAULTS_WITH_ENDPOINTS_MAX;
    if (count > max) report(`one subscription has ${count} key vaults with private endpoints; at most ${max}`);
  }
}

function checkEndpointCounts(context: ValidationContext, counts: ReadonlyMap<string, number>): void {
  for (const vnet of context.network.virtualNetworks) {
    const count = counts.get(idKey(vnet.id)) ?? 0;
    const max = isHighScale(vnet) ? ENDPOINTS_PER_VNET_HIGH_SCALE_MAX : ENDPOINTS_PER_VNET_MAX;
    if (count <= max) continue;
    const message = `virtual network '${vnet.name}' has ${count} private endpoints; at most ${max}`;
    const hint = isHighScale(vnet) ? 'use several virtual networks' : "set privateEndpointVNetPolicies to 'Basic'";
    context.report('ENDPOINTS_LIMIT', { path: `virtualNetworks.${vnet.name}`, source: vnet.source }, message, hint);
  }
}

/** PE-25: the served ports; and the address of the service in its own capture (PE-36). */
function checkService(context: ValidationContext, service: PrivateLinkResource): void {
  const { ports, backendAddress } = service.properties;
  const place = { path: `privateLinkResources.${service.name}`, source: service.source };
  if (ports.length === 0) {
    const message = `resource '${service.name}' serves no port`;
    context.report('SERVICE_WITHOUT_PORTS', place, message, 'name its ports, or nothing will reach it', 'warning');
  }
  for (const text of ports) {
    const range = portRange(text);
    if (range !== undefined && range.first > 0) continue;
    const message = `resource '${service.name}' serves port '${text}'`;
    const hint = 'expected a port from 1 to 65535 or a range like 11000-11999';
    context.report('SERVICE_PORT_INVALID', { ...place, path: `${place.path}.ports` }, message, hint);
  }
  const where = { ...place, path: `${place.path}.backendAddress` };
  readAddress(context, backendAddress, where, `address of resource '${service.name}'`);
}

function connectionsOf(endpoint: PrivateEndpoint): readonly PrivateLinkServiceConnection[] {
  const { privateLinkServiceConnections, manualPrivateLinkServiceConnections } = endpoint.properties;
  return [...privateLinkServiceConnections, ...manualPrivateLinkServiceConnections];
}

function isHighScale(vnet: VirtualNetwork): boolean {
  return vnet.properties.privateEndpointVNetPolicies?.toLowerCase() === 'basic';
}
