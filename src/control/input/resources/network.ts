// From raw resource objects to the inner model: the one place where references are resolved, links told by one end are
// merged, defaults are filled in, endpoint interfaces are folded and open addresses are allocated.

import type { Issue } from '../../issues.ts';
import { EMPTY_NETWORK, idKey } from '../../model/resources.ts';
import type { Network, NetworkInterface, PrivateEndpoint, ServiceTagTable, StaticName } from '../../model/resources.ts';
import { allocateAddresses } from './allocation.ts';
import { makeCatalogue } from './catalogue.ts';
import { connectionsOf, endpointTargets, readPrivateEndpoints, readPrivateLinkResources } from './endpoints.ts';
import { readNatGateways, readPublicIPAddresses } from './exits.ts';
import { readAppliances, readNetworkInterfaces } from './interfaces.ts';
import { IssueList } from '../issue-list.ts';
import { collectLinks } from './links.ts';
import type { InputContext } from './links.ts';
import { readVirtualNetworks } from './networks.ts';
import type { At } from '../places.ts';
import type { RawResource } from './raw-resources.ts';
import { servedBy } from '../../private-link/targets.ts';
import { shortName } from './resource-types.ts';
import { readRouteTables, readVirtualNetworkGateways } from './routes.ts';
import { readApplicationSecurityGroups, readNetworkSecurityGroups } from './security-groups.ts';
import { DEFAULT_SERVICE_TAGS } from '../service-tags.ts';
import { readDataFactories, withManagedNetworks } from './data-factories.ts';
import { modelsDns } from '../../dns/resolve.ts';
import { readDns, resolverInterfaces } from './dns-zones.ts';
import { readLoadBalancers } from './load-balancers.ts';
import { withManagedInstances } from './managed-instances.ts';
import { readSecurityAdminRules } from './network-managers.ts';
import { readPrivateLinkServices } from './private-link-services.ts';

/** A static name as a topology states it. */
export interface StatedName extends StaticName {
  readonly at: At;
}

/** What a topology says beside its resources. */
export interface ResourceOptions {
  /** Default: DEFAULT_SERVICE_TAGS. */
  readonly serviceTags?: ServiceTagTable;
  readonly staticNames?: readonly StatedName[];
  /** Ids of resources that are targets of private endpoints whatever their type says. */
  readonly serviceIds?: readonly string[];
  /** The switch `adf.publicOutbound`; default `all`. */
  readonly factoryOutbound?: 'all' | 'https';
}

/**
 * Normalises raw resource objects. What is broken is left out, with all that hangs on it, after an error; the network
 * is whole when no issue is an error.
 */
export function networkFromResources(
  given: readonly RawResource[],
  options: ResourceOptions = {},
): { readonly network: Network; readonly issues: readonly Issue[] } {
  const issues = new IssueList();
  const serviceTags = options.serviceTags ?? DEFAULT_SERVICE_TAGS;
  const stated = (options.serviceIds ?? []).map(idKey);
  const targets = new Set([...endpointTargets(given), ...stated]);
  const resources = withManagedNetworks(given, targets, options.factoryOutbound ?? 'all');
  const services = new Set([...endpointTargets(resources), ...stated]);
  const catalogue = makeCatalogue(resources, services, issues);
  const context: InputContext = { catalogue, links: collectLinks(catalogue, issues), issues };
  const network = withManagedInstances(readAll(context, serviceTags, options.staticNames ?? []));
  return { network: allocateAddresses(network, issues.items), issues: issues.items };
}

function readAll(context: InputContext, serviceTags: ServiceTagTable, stated: readonly StatedName[]): Network {
  const virtualNetworks = readVirtualNetworks(context);
  const subnets = new Set(virtualNetworks.flatMap((each) => each.properties.subnets).map(({ id }) => idKey(id)));
  const networkInterfaces = [...readNetworkInterfaces(context, subnets), ...resolverInterfaces(context, subnets)];
  const dns = readDns(context);
  const privateEndpoints = readPrivateEndpoints(context, subnets);
  const { privateLinkServices } = readPrivateLinkServices(context, subnets);
  const privateLinkResources = readPrivateLinkResources(context, privateEndpoints, subnets, privateLinkServices);
  const usable = new Set(virtualNetworks.map(({ id }) => idKey(id)));
  return {
    ...EMPTY_NETWORK,
    ...readLoadBalancers(context, subnets, networkInterfaces, privateEndpoints),
    privateLinkServices,
    ...dns,
    ...readDataFactories(context),
    ...readSecurityAdminRules(context),
    virtualNetworks,
    networkInterfaces,
    networkSecurityGroups: readNetworkSecurityGroups(context),
    applicationSecurityGroups: readApplicationSecurityGroups(context),
    routeTables: readRouteTables(context),
    publicIPAddresses: readPublicIPAddresses(context),
    natGateways: readNatGateways(context, virtualNetworks),
    privateEndpoints,
    privateLinkResources,
    virtualNetworkGateways: readVirtualNetworkGateways(context).filter((gateway) =>
      usable.has(idKey(gateway.properties.virtualNetwork.id)),
    ),
    appliances: readAppliances(context, networkInterfaces),
    // Where DNS is modelled it knows the names of endpoints and services.
    staticNames: modelsDns(dns)
      ? gatherNames(context, stated, networkInterfaces, [], [])
      : gatherNames(context, stated, networkInterfaces, privateEndpoints, privateLinkResources),
    serviceTags,
  };
}

/**
 * Static names: stated ones first; then, where they are free, the DNS records of endpoints, the host names of services
 * that exactly one endpoint leads to, and the names of virtual machines.
 */
function gatherNames(
  context: InputContext,
  stated: readonly StatedName[],
  interfaces: readonly NetworkInterface[],
  endpoints: readonly PrivateEndpoint[],
  services: Network['privateLinkResources'],
): StaticName[] {
  const names = new Map<string, StaticName>();
  const add = (name: string, target: string): void => {
    if (!names.has(name.toLowerCase())) names.set(name.toLowerCase(), { name, target });
  };
  for (const name of [...stated, ...interfaces.flatMap((nic) => namesOfInterface(context, nic))]) {
    const earlier = names.get(name.name.toLowerCase());
    if (earlier !== undefined && idKey(earlier.target) !== idKey(name.target)) {
      const message = `the name ${name.name} leads to two targets`;
      context.issues.error('DUPLICATE_NAME', name.at, message, 'give each name once');
    }
    add(name.name, name.target);
  }
  for (const endpoint of endpoints) for (const { fqdn } of endpoint.properties.customDnsConfigs) add(fqdn, endpoint.id);
  for (const service of services) {
    const leading = endpoints.filter((endpoint) => leadsTo(endpoint, service.id));
    const [only, second] = leading;
    if (only === undefined || second !== undefined) continue;
    const groupIds = connectionsOf(only).flatMap(({ properties }) => properties.groupIds);
    for (const hostName of servedBy(service, groupIds).hostNames) add(hostName, only.id); // PE-8
  }
  const taken = new Set(interfaces.map((nic) => nic.name.toLowerCase()));
  for (const nic of interfaces) {
    const machine = nic.properties.virtualMachine;
    if (machine !== undefined && !taken.has(shortName(machine.id).toLowerCase())) add(shortName(machine.id), nic.id);
  }
  return [...names.values()];
}

function leadsTo(endpoint: PrivateEndpoint, serviceId: string): boolean {
  return connectionsOf(endpoint).some(({ properties }) => idKey(properties.privateLinkServiceId) === idKey(serviceId));
}

/** The emulator's own property `names` of an interface. */
function namesOfInterface(context: InputContext, nic: NetworkInterface): StatedName[] {
  const items = context.catalogue.byKey.get(idKey(nic.id))?.fields.texts('names') ?? [];
  return items.map(({ text, at }) => ({ name: text, target: nic.id, at }));
}
