// SQL services as the rest of the control plane sees them: which resources they are, the names that lead to a Managed
// Instance (SQLMI-1, SQLMI-3), what its certificate covers (SQLMI-20) and where it redirects to (SQLMI-10, SQLMI-11).

import { idKey } from '../model/resources.ts';
import type { Behaviour } from '../model/profile.ts';
import type { Network, NetworkInterface, PrivateLinkResource } from '../model/resources.ts';

export const MANAGED_INSTANCE_TYPE = 'Microsoft.Sql/managedInstances';
export const SQL_SERVER_TYPE = 'Microsoft.Sql/servers';
/** Suffixes of database host names in Azure's clouds (SQLMI-5). */
export const DATABASE_SUFFIXES = [
  'database.windows.net',
  'database.usgovcloudapi.net',
  'database.chinacloudapi.cn',
  'database.cloudapi.de',
] as const;

/** Ports of the VNet-local endpoint, and of redirected connections (SQLMI-4, SQLMI-10). */
export const SQL_PORT = 1433;
export const SQL_PUBLIC_PORT = 3342;
export const SQL_MIRRORING_PORT = 5022;
export const REDIRECT_PORT_FIRST = 11_000;
export const REDIRECT_PORT_LAST = 11_999;

/** Places of the NICs that stand for an instance in `sql.interfaces`; the last only while it has a public endpoint. */
export const INSTANCE_INTERFACES = ['gateway', 'node', 'public'] as const;
export type InstanceInterface = (typeof INSTANCE_INTERFACES)[number];

/** A name of an instance, and the address that public DNS knows for it. */
export interface InstanceName {
  readonly name: string;
  readonly address: string;
  readonly interface: InstanceInterface;
}

export function isManagedInstance({ type }: PrivateLinkResource): boolean {
  return type.toLowerCase() === MANAGED_INSTANCE_TYPE.toLowerCase();
}

export function isSqlService(resource: PrivateLinkResource): boolean {
  return isManagedInstance(resource) || resource.type.toLowerCase() === SQL_SERVER_TYPE.toLowerCase();
}

/** `zone1.database.windows.net` of `mi1.zone1.database.windows.net`; undefined when the input tells no zone. */
export function instanceZone(resource: PrivateLinkResource): string | undefined {
  const { sql, hostNames } = resource.properties;
  if (!isManagedInstance(resource)) return undefined;
  for (const host of hostNames) {
    const [, ...zone] = host.toLowerCase().split('.');
    const parent = zone.join('.');
    if (DATABASE_SUFFIXES.some((suffix) => parent.endsWith(`.${suffix}`)) && zone.length > 3) return parent;
  }
  const zone = sql?.dnsZone?.toLowerCase();
  return zone === undefined ? undefined : `${zone}.${DATABASE_SUFFIXES[0]}`;
}

/** First labels of the names under which a gateway knows a service (SQLMI-18), lower case. */
export function serverLabels(resource: PrivateLinkResource): string[] {
  const first = resource.properties.hostNames.map((host) => host.toLowerCase().split('.')[0] ?? '');
  return [...new Set([resource.name.toLowerCase(), ...first])];
}

/** All names of all instances of a network that stand in a subnet, for public DNS (SQLMI-1, SQLMI-3). */
export function instanceNames(network: Network): InstanceName[] {
  return network.privateLinkResources.filter(isManagedInstance).flatMap((resource) => namesOf(network, resource));
}

/** Name of the node that takes redirected connections; undefined without a zone. */
export function nodeName(resource: PrivateLinkResource): string | undefined {
  const zone = instanceZone(resource);
  return zone === undefined ? undefined : `${nodeLabel(resource)}.${zone}`;
}

export function nodeLabel(resource: PrivateLinkResource): string {
  return `${serverLabels(resource).at(-1) ?? ''}-node`;
}

/** Names in the certificate of a service (SQLMI-20). */
export function certificateNames(resource: PrivateLinkResource): string[] {
  if (!isManagedInstance(resource)) return DATABASE_SUFFIXES.map((suffix) => `*.${suffix}`);
  const zone = instanceZone(resource);
  return zone === undefined ? [...resource.properties.hostNames] : [`*.${zone}`, `*.public.${zone}`];
}

/** How the VNet-local endpoint connects clients: what Default means is a switch (SQLMI-11). */
export function connectionType(resource: PrivateLinkResource, { switches }: Behaviour): 'Proxy' | 'Redirect' {
  const stated = resource.properties.sql?.proxyOverride ?? 'Default';
  if (stated !== 'Default') return stated;
  // SQL Database redirects through an endpoint only when its policy says so (SQLMI-15).
  return isManagedInstance(resource) ? switches['mi.defaultConnectionType'] : 'Proxy';
}

/** Port of redirected connections, the same for the life of a service (SQLMI-10). */
export function redirectPort(resource: PrivateLinkResource, { switches }: Behaviour): number {
  if (switches['mi.redirectPorts'] === '1433' && isManagedInstance(resource)) return SQL_PORT;
  let hash = 0x811c9dc5;
  for (const letter of idKey(resource.id)) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  return REDIRECT_PORT_FIRST + ((hash >>> 0) % (REDIRECT_PORT_LAST - REDIRECT_PORT_FIRST + 1));
}

/** One of the NICs that stand for an instance. */
export function instanceInterface(
  network: Network,
  resource: PrivateLinkResource,
  which: InstanceInterface,
): NetworkInterface | undefined {
  const reference = resource.properties.sql?.interfaces[INSTANCE_INTERFACES.indexOf(which)];
  if (reference === undefined) return undefined;
  return network.networkInterfaces.find((nic) => idKey(nic.id) === idKey(reference.id));
}

/** The private address of one of the NICs of an instance. */
export function instanceAddress(
  network: Network,
  resource: PrivateLinkResource,
  which: InstanceInterface,
): string | undefined {
  return instanceInterface(network, resource, which)?.properties.ipConfigurations[0]?.properties.privateIPAddress;
}

function namesOf(network: Network, resource: PrivateLinkResource): InstanceName[] {
  const zone = instanceZone(resource);
  const gateway = instanceAddress(network, resource, 'gateway');
  const node = instanceAddress(network, resource, 'node');
  const names: InstanceName[] = [];
  const label = serverLabels(resource).at(-1) ?? '';
  const local = zone === undefined ? resource.properties.hostNames : [`${label}.${zone}`];
  if (gateway !== undefined) for (const name of local) names.push({ name, address: gateway, interface: 'gateway' });
  if (zone === undefined) return names;
  if (node !== undefined) names.push({ name: `${nodeLabel(resource)}.${zone}`, address: node, interface: 'node' });
  const address = publicAddressOf(network, resource);
  if (address !== undefined) names.push({ name: `${label}.public.${zone}`, address, interface: 'public' });
  return names;
}

function publicAddressOf(network: Network, resource: PrivateLinkResource): string | undefined {
  const nic = instanceInterface(network, resource, 'public');
  const reference = nic?.properties.ipConfigurations[0]?.properties.publicIPAddress;
  if (reference === undefined) return undefined;
  return network.publicIPAddresses.find(({ id }) => idKey(id) === idKey(reference.id))?.properties.ipAddress;
}
