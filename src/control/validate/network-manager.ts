// Security admin rules, subnet peerings and their sync, regions without rules in front of endpoints, and stores that a
// data factory cannot reach (NSG-15, PEER-2, PEER-8, PNSG-9, ADF-5).

import { idKey, type PrivateEndpoint, type Reference, type VirtualNetwork } from '../model/resources.ts';
import type { DataFactory, SecurityAdminRule } from '../model/services.ts';
import { looksLikePrefix, nameOfId, type Place, readPrefix, regionOf, resolve } from './context.ts';
import type { ValidationContext } from './context.ts';
import { isKnownTag, tagNames } from './security-rules.ts';
import { nameHint } from './suggestion.ts';

const PRIORITY_MAX = 4096;

export function checkNetworkManager(context: ValidationContext): void {
  const taken = new Map<string, SecurityAdminRule>();
  for (const rule of context.network.securityAdminRules) checkAdminRule(context, rule, taken);
  for (const vnet of context.network.virtualNetworks) {
    checkPeeredParts(context, vnet);
    checkRegion(context, vnet);
  }
  for (const factory of context.network.dataFactories) checkFactory(context, factory);
}

function checkAdminRule(
  context: ValidationContext,
  rule: SecurityAdminRule,
  taken: Map<string, SecurityAdminRule>,
): void {
  const { networkManager, priority, direction, virtualNetworks } = rule.properties;
  const manager = nameOfId(networkManager.id);
  const title = `admin rule '${rule.name}' of network manager '${manager}'`;
  const place: Place = { path: `networkManagers.${manager}.rules.${rule.name}`, source: rule.source };
  if (!Number.isInteger(priority) || priority < 1 || priority > PRIORITY_MAX) {
    const message = `${title} has priority ${priority}; expected 1 to ${PRIORITY_MAX}`;
    const hint = `choose a whole number from 1 to ${PRIORITY_MAX}; lower numbers are read first`;
    context.report('ADMIN_RULE_PRIORITY_RANGE', { ...place, path: `${place.path}.priority` }, message, hint);
  }
  if (virtualNetworks.length === 0) {
    const hint = 'name virtual networks in the list networks of the manager';
    context.report('ADMIN_RULE_NETWORKS', place, `${title} applies to no virtual network`, hint, 'warning');
  }
  const shared = virtualNetworks.map(({ id }) => `${idKey(id)} ${direction} ${priority}`);
  const other = shared.map((key) => taken.get(key)).find((found) => found !== undefined);
  for (const key of shared) taken.set(key, taken.get(key) ?? rule);
  if (other !== undefined) {
    const message = `${title} has priority ${priority}, like ${other.name}; which is read first is not defined`;
    context.report('ADMIN_RULE_PRIORITY_DUPLICATE', place, message, 'give each rule a priority of its own', 'warning');
  }
  for (const side of ['source', 'destination'] as const) checkSide(context, rule, side, title, place);
}

function checkSide(
  context: ValidationContext,
  { properties }: SecurityAdminRule,
  side: 'source' | 'destination',
  title: string,
  place: Place,
): void {
  const where = { ...place, path: `${place.path}.${side}` };
  for (const text of properties[`${side}AddressPrefixes`]) {
    if (text === '*') continue;
    if (looksLikePrefix(text)) readPrefix(context, text, where, `${side} of ${title}`, 'prefixOrAddress');
    else if (!isKnownTag(text, context.network.serviceTags)) {
      const message = `${title} names '${text}' as ${side}, which is neither a prefix nor a known service tag`;
      const hint = nameHint(text, tagNames(context.network.serviceTags), 'load a service tag file');
      context.report('ADMIN_RULE_PREFIX', where, message, hint);
    }
  }
}

/** PEER-8: chosen subnets exist; PEER-2: what peers do not see until a sync. */
function checkPeeredParts(context: ValidationContext, vnet: VirtualNetwork): void {
  for (const peering of vnet.properties.virtualNetworkPeerings) {
    const { localSubnetNames, remoteSubnetNames, remoteAddressSpace, remoteVirtualNetwork } = peering.properties;
    const source = peering.source ?? vnet.source;
    const place: Place = { path: `virtualNetworks.${vnet.name}.virtualNetworkPeerings.${peering.name}`, source };
    const remote = resolve(context.vnets, remoteVirtualNetwork);
    const title = `peering '${peering.name}' of virtual network '${vnet.name}'`;
    checkSubnetNames(context, vnet, localSubnetNames ?? [], title, place);
    if (remote === undefined) continue;
    checkSubnetNames(context, remote, remoteSubnetNames ?? [], title, place);
    if (remoteAddressSpace === undefined) continue;
    const seen = remoteAddressSpace.addressPrefixes.join(', ');
    const now = remote.properties.addressSpace.addressPrefixes.join(', ');
    const message = `${title} still sees ${seen} of '${remote.name}', which has ${now} now`;
    context.report('PEERING_NOT_SYNCED', place, message, 'sync the peering: remove remoteAddressSpace', 'warning');
  }
}

function checkSubnetNames(
  context: ValidationContext,
  vnet: VirtualNetwork,
  names: readonly string[],
  title: string,
  place: Place,
): void {
  const known = vnet.properties.subnets.map((subnet) => subnet.name);
  for (const name of names) {
    if (known.some((candidate) => candidate.toLowerCase() === name.toLowerCase())) continue;
    const message = `${title} names subnet '${name}', which virtual network '${vnet.name}' does not have`;
    context.report('PEERING_SUBNET_NOT_FOUND', place, message, nameHint(name, known, 'name one of its subnets'));
  }
}

/** PNSG-9: named regions, and all of the government and China clouds. */
const REGIONS_WITHOUT = /^(westindia|australiacentral2|southafricawest|brazilsoutheast|china.*|usgov.*|usdod.*)$/;

function checkRegion(context: ValidationContext, vnet: VirtualNetwork): void {
  if (!REGIONS_WITHOUT.test(regionOf(vnet.location) ?? '')) return;
  for (const subnet of vnet.properties.subnets) {
    const { privateEndpointNetworkPolicies: policies } = subnet.properties;
    if (policies !== 'Enabled' && policies !== 'NetworkSecurityGroupEnabled') continue;
    const path = `virtualNetworks.${vnet.name}.subnets.${subnet.name}.privateEndpointNetworkPolicies`;
    const message = `network policies for private endpoints are not available in ${vnet.location ?? ''}`;
    const hint = 'Azure may ignore the rules there; they are emulated all the same';
    context.report('NSG_ENDPOINT_REGION', { path, source: subnet.source ?? vnet.source }, message, hint, 'warning');
  }
}

/** ADF-4 (profiles up to 2020) and ADF-5. */
function checkFactory(context: ValidationContext, factory: DataFactory): void {
  const own = new Set(factory.properties.managedPrivateEndpoints.map(({ id }) => idKey(id)));
  const path = `dataFactories.${factory.name}`;
  const reached = new Set<string>();
  for (const endpoint of context.network.privateEndpoints) {
    if (!own.has(idKey(endpoint.id))) continue;
    for (const target of targetsOf(endpoint)) {
      reached.add(idKey(target.id));
      const isInstance = /\/providers\/microsoft\.sql\/managedinstances\//i.test(target.id);
      if (!isInstance || context.behaviour.switches['adf.publicOutbound'] !== 'https') continue;
      const message = `managed private endpoint '${endpoint.name}' leads to a SQL Managed Instance`;
      const hint = 'the first release knew none: use a later profile';
      context.report('FACTORY_ENDPOINT_TARGET', { path, source: endpoint.source }, message, hint, 'warning');
    }
  }
  for (const [key, name] of storesElsewhere(context)) {
    if (reached.has(key)) continue;
    const message = `'${name}' has a private endpoint, but none of factory '${factory.name}', which cannot reach it`;
    const hint = `add a managed private endpoint to '${factory.name}' if it uses the store (ADF-5)`;
    context.report('FACTORY_STORE_ENDPOINT', { path, source: factory.source }, message, hint, 'warning');
  }
}

/** Names of the targets of private endpoints outside all factories, by id key. */
function storesElsewhere(context: ValidationContext): ReadonlyMap<string, string> {
  const managed = new Set(
    context.network.dataFactories.flatMap(({ properties }) =>
      properties.managedPrivateEndpoints.map(({ id }) => idKey(id)),
    ),
  );
  const foreign = context.network.privateEndpoints.filter((endpoint) => !managed.has(idKey(endpoint.id)));
  return new Map(foreign.flatMap(targetsOf).map(({ id }) => [idKey(id), nameOfId(id)]));
}

function targetsOf(endpoint: PrivateEndpoint): Reference[] {
  const { privateLinkServiceConnections, manualPrivateLinkServiceConnections } = endpoint.properties;
  return [...privateLinkServiceConnections, ...manualPrivateLinkServiceConnections].map(({ properties }) => ({
    id: properties.privateLinkServiceId,
  }));
}
