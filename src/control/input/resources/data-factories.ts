// Data factories with managed virtual networks (ADF). Azure hides the network of the integration runtime (ADF-1); here
// it is made of ordinary resources before anything is read: a network, the runtime's NIC, an endpoint per managed
// private endpoint, linked private zones (ADF-5), and rules where the profile closes ports (ADF-3). So routing, rules,
// DNS and approval know nothing of factories.

import { privateLinkAlias, SERVICE_ZONES } from '../../dns/resource-types.ts';
import { idKey } from '../../model/resources.ts';
import type { Network } from '../../model/resources.ts';
import type { DataFactory } from '../../model/services.ts';
import { IssueList } from '../issue-list.ts';
import { derive } from '../places.ts';
import type { At } from '../places.ts';
import { baseOf } from './base.ts';
import { makeCatalogue } from './catalogue.ts';
import type { Catalogue, Entry } from './catalogue.ts';
import type { InputContext } from './links.ts';
import { identify } from './raw-resources.ts';
import type { RawResource } from './raw-resources.ts';
import { makeId, TYPE_OF_KIND } from './resource-types.ts';

/** What a managed network reaches publicly: the switch `adf.publicOutbound`. */
export type PublicOutbound = 'all' | 'https';

/** Zones that every managed network is linked to, beside those of the services in the input (ADF-5). */
const ZONES = SERVICE_ZONES.flatMap(({ zones }) => zones.map(({ zone }) => zone)).filter(
  (zone) => zone.startsWith('privatelink.') && !zone.includes('{'),
);
const STORAGE = /\/providers\/microsoft\.storage\/storageaccounts\//i;
const NETWORKS_MAX = 256;

/** The resources of an input with those that managed virtual networks of factories are made of. */
export function withManagedNetworks(
  resources: readonly RawResource[],
  services: ReadonlySet<string>,
  outbound: PublicOutbound,
): readonly RawResource[] {
  if (!resources.some((resource) => identify(resource)?.kind === 'dataFactory')) return resources;
  // What is wrong is reported when the factory itself is read.
  const catalogue = makeCatalogue(resources, services, new IssueList());
  const made = managedFactories(catalogue).flatMap((factory, index) =>
    managedNetwork(catalogue, factory, index % NETWORKS_MAX, outbound),
  );
  return [...resources, ...made];
}

/** Factories that have a managed virtual network, each with the resources that were made for it. */
export function readDataFactories(context: InputContext): Pick<Network, 'dataFactories'> {
  const dataFactories = managedFactories(context.catalogue).map((entry): DataFactory => {
    const endpoints = managedEndpoints(context.catalogue, entry).flatMap((endpoint) => {
      const target = endpoint.fields.requiredText('privateLinkResourceId');
      return target === undefined ? [] : [{ id: ownId(entry, 'privateEndpoint', endpoint.name) }];
    });
    return {
      ...baseOf(entry, TYPE_OF_KIND.dataFactory),
      properties: {
        managedVirtualNetwork: { id: ownId(entry, 'virtualNetwork', networkName(entry)) },
        integrationRuntime: { id: ownId(entry, 'networkInterface', entry.name) },
        managedPrivateEndpoints: endpoints,
      },
    };
  });
  return { dataFactories };
}

function managedFactories(catalogue: Catalogue): Entry[] {
  return catalogue
    .ofKind('dataFactory')
    .filter((factory) => catalogue.childrenOf(factory, 'managedVirtualNetwork').length > 0);
}

function managedEndpoints(catalogue: Catalogue, factory: Entry): Entry[] {
  return catalogue
    .childrenOf(factory, 'managedVirtualNetwork')
    .flatMap((network) => catalogue.childrenOf(network, 'managedPrivateEndpoint'));
}

function networkName(factory: Entry): string {
  return `adf-${factory.name}`;
}

/** Id of a resource made for a factory: in a resource group of its own, so that it meets none of the customer's. */
function ownId(factory: Entry, kind: keyof typeof TYPE_OF_KIND, name: string): string {
  return makeId(TYPE_OF_KIND[kind], name, `${factory.name}-managed`);
}

function managedNetwork(catalogue: Catalogue, factory: Entry, index: number, outbound: PublicOutbound): RawResource[] {
  const at = factory.fields.at();
  const location = factory.fields.ownText('location');
  const resource = (kind: keyof typeof TYPE_OF_KIND, name: string, properties: object): RawResource => {
    const base = { id: ownId(factory, kind, name), name, type: TYPE_OF_KIND[kind] };
    return placed({ ...base, ...(location !== undefined && { location }), properties }, at);
  };
  const network = networkName(factory);
  const subnet = { id: `${ownId(factory, 'virtualNetwork', network)}/subnets/default` };
  const hasRules = outbound === 'https';
  const range = `10.255.${index}.0/24`;
  const rules = hasRules ? [resource('networkSecurityGroup', network, { securityRules: closedPorts(catalogue) })] : [];
  return [
    ...rules,
    resource('virtualNetwork', network, {
      addressSpace: { addressPrefixes: [range] },
      subnets: [
        {
          name: 'default',
          properties: {
            addressPrefix: range,
            defaultOutboundAccess: true,
            ...(hasRules && { networkSecurityGroup: { id: ownId(factory, 'networkSecurityGroup', network) } }),
          },
        },
      ],
    }),
    resource('networkInterface', factory.name, {
      ipConfigurations: [{ name: 'runtime', properties: { subnet, primary: true } }],
    }),
    ...managedZones(catalogue).map((zone) =>
      resource('privateDnsZone', zone, {
        virtualNetworkLinks: [
          {
            name: network,
            properties: {
              virtualNetwork: { id: ownId(factory, 'virtualNetwork', network) },
              registrationEnabled: false,
            },
          },
        ],
      }),
    ),
    ...managedEndpoints(catalogue, factory).flatMap((endpoint) =>
      managedEndpoint(catalogue, factory, endpoint, subnet),
    ),
  ];
}

/** ADF-3, as it was in 2020: publicly TCP 443 only, and storage not at all. */
function closedPorts(catalogue: Catalogue): object[] {
  const stores = catalogue
    .ofKind('privateLinkResource')
    .filter((service) => STORAGE.test(service.id))
    .flatMap((service) => service.fields.text('publicAddress') ?? []);
  const rule = (name: string, priority: number, access: 'Allow' | 'Deny', properties: object): object => ({
    name,
    properties: { priority, direction: 'Outbound', access, protocol: '*', ...properties },
  });
  return [
    rule('DenyStorage', 100, 'Deny', { destinationAddressPrefix: 'Storage' }),
    ...(stores.length === 0 ? [] : [rule('DenyStores', 110, 'Deny', { destinationAddressPrefixes: stores })]),
    rule('AllowHttps', 120, 'Allow', {
      protocol: 'Tcp',
      destinationAddressPrefix: 'Internet',
      destinationPortRange: '443',
    }),
    rule('DenyInternet', 130, 'Deny', { destinationAddressPrefix: 'Internet' }),
  ];
}

/** ADF-5: a managed network is linked to the zone of every store, whether it has an endpoint there or not. */
function managedZones(catalogue: Catalogue): string[] {
  const ofServices = catalogue.ofKind('privateLinkResource').flatMap((service) => zonesOf(service, undefined));
  return [...new Set([...ZONES, ...ofServices])];
}

/** Zones of the names of a service, or of those of one sub-resource (DNS-8). */
function zonesOf(service: Entry, groupId: string | undefined): string[] {
  const zones = hostNames(service)
    .map((host) => privateLinkAlias(host, service.type))
    .map((alias) => alias.slice(alias.indexOf('.') + 1))
    .filter((zone) => zone.includes('privatelink.'));
  const own = zones.filter((zone) => groupId !== undefined && zone.split('.')[1] === groupId.toLowerCase());
  return [...new Set(own.length > 0 ? own : zones)];
}

/** Stated names of a service and its sub-resources, and what the zone of a SQL Managed Instance implies (SQLMI-1). */
function hostNames({ name, fields }: Entry): string[] {
  const stated = [fields, ...fields.list('subResources')].flatMap((holder) => {
    const value = holder.value('hostNames');
    const names: readonly unknown[] = Array.isArray(value) ? value : [value];
    return names.filter((entry) => typeof entry === 'string');
  });
  const dnsZone = fields.text('dnsZone');
  return dnsZone === undefined ? stated : [...stated, `${name}.${dnsZone}.database.windows.net`];
}

/** ADF-2: the request waits for the target's owner, whoever that is. */
function managedEndpoint(catalogue: Catalogue, factory: Entry, entry: Entry, subnet: object): RawResource[] {
  const { fields } = entry;
  const target = fields.text('privateLinkResourceId');
  if (target === undefined) return [];
  const groupId = fields.text('groupId');
  const status = fields.child('connectionState')?.text('status') ?? 'Pending';
  const service = catalogue.byKey.get(idKey(target));
  const zones = service === undefined ? [] : zonesOf(service, groupId);
  const location = factory.fields.ownText('location');
  const connection = {
    name: entry.name,
    properties: {
      privateLinkServiceId: target,
      groupIds: groupId === undefined ? [] : [groupId],
      privateLinkServiceConnectionState: { status },
    },
  };
  const zoneConfigs = zones.map((zone) => ({
    name: zone.replaceAll('.', '-'),
    properties: { privateDnsZoneId: ownId(factory, 'privateDnsZone', zone) },
  }));
  const group = { name: 'default', properties: { privateDnsZoneConfigs: zoneConfigs } };
  const made = {
    id: ownId(factory, 'privateEndpoint', entry.name),
    name: entry.name,
    type: TYPE_OF_KIND.privateEndpoint,
    ...(location !== undefined && { location }),
    properties: {
      subnet,
      manualPrivateLinkServiceConnections: [connection],
      ...(zones.length > 0 && { privateDnsZoneGroups: [group] }),
    },
  };
  return [placed(made, fields.at())];
}

/** A made object whose parts, however deep, are all at one place. */
function placed(made: object, at: At): object {
  for (const value of Object.values(made)) if (typeof value === 'object' && value !== null) placed(value, at);
  return derive(made, at);
}
