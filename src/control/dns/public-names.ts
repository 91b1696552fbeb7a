// The public name space as the emulator knows it: the records that the user states, and what services imply. A service
// with an endpoint connection is an alias of its privatelink name everywhere in the world (DNS-8).

import { idKey } from '../model/resources.ts';
import { instanceAddress, nodeName } from '../sql/instances.ts';
import { nameKey } from './names.ts';
import { privateLinkAlias } from './resource-types.ts';
import { hostNamesOf, recordsAt } from './zones.ts';
import type { Network, PrivateLinkResource } from '../model/resources.ts';
import type { ZoneRecord } from './zones.ts';

/** Seconds. */
const TTL_PUBLIC = 300;

/** Public records of a full name, wildcards included; undefined when there is no such name. */
export function publicRecordsAt(network: Network, name: string): readonly ZoneRecord[] | undefined {
  return recordsAt(publicRecords(network), name);
}

const tables = new WeakMap<Network, readonly ZoneRecord[]>();

/** All of it, under full names; what the user states replaces what a service implies under that name. */
function publicRecords(network: Network): readonly ZoneRecord[] {
  const known = tables.get(network);
  if (known !== undefined) return known;
  const stated = network.publicDnsRecords.map(({ name, type, values }) => ({
    name: nameKey(name),
    type,
    ttl: TTL_PUBLIC,
    values,
  }));
  const names = new Set(stated.map((record) => record.name));
  const implied = network.privateLinkResources.flatMap((service) => impliedRecords(network, service));
  const records = [...stated, ...implied.filter((record) => !names.has(record.name))];
  tables.set(network, records);
  return records;
}

function impliedRecords(network: Network, service: PrivateLinkResource): ZoneRecord[] {
  const isAliased = hasConnection(network, service);
  const records: ZoneRecord[] = [];
  const add = (name: string, type: 'A' | 'CNAME', values: readonly string[]): void =>
    void records.push({ name, type, ttl: TTL_PUBLIC, values });
  const address = addressOf(network, service);
  const values = address === undefined ? [] : [address];
  for (const host of hostNamesOf(service)) {
    if (isPublicName(host)) continue;
    const alias = privateLinkAlias(host, service.type);
    if (isAliased && alias !== host) add(host, 'CNAME', [alias]);
    add(isAliased ? alias : host, 'A', values);
  }
  const opened = publicEndpointOf(network, service);
  if (opened !== undefined) for (const host of publicNamesOf(service)) add(host, 'A', [opened]);
  // Clients that an instance redirects resolve the name of its node (SQLMI-9).
  const [node, nodeAddress] = [nodeName(service), instanceAddress(network, service, 'node')];
  if (node !== undefined && nodeAddress !== undefined) add(node, 'A', [nodeAddress]);
  return records;
}

/** DNS-8: any connection of any endpoint, whatever its state. */
function hasConnection(network: Network, service: PrivateLinkResource): boolean {
  return network.privateEndpoints.some(({ properties }) =>
    [...properties.privateLinkServiceConnections, ...properties.manualPrivateLinkServiceConnections].some(
      (connection) => idKey(connection.properties.privateLinkServiceId) === idKey(service.id),
    ),
  );
}

/** Where the name of a service leads in public: a managed instance's to its VNet-local address (SQLMI-1). */
function addressOf(network: Network, service: PrivateLinkResource): string | undefined {
  if (!isManagedInstance(service)) return service.properties.publicAddress;
  const gateway = gatewayOf(network, service);
  return gateway?.properties.ipConfigurations[0]?.properties.privateIPAddress ?? service.properties.backendAddress;
}

/** SQLMI-3: the address behind `<instance>.public.<zone>`, while the public endpoint is enabled. */
function publicEndpointOf(network: Network, service: PrivateLinkResource): string | undefined {
  if (!isManagedInstance(service) || service.properties.sql?.publicDataEndpointEnabled !== true) return undefined;
  const reference = gatewayOf(network, service)?.properties.ipConfigurations[0]?.properties.publicIPAddress;
  const publicIp = network.publicIPAddresses.find(
    (entry) => reference !== undefined && idKey(entry.id) === idKey(reference.id),
  );
  return publicIp?.properties.ipAddress ?? service.properties.publicAddress;
}

function gatewayOf(network: Network, service: PrivateLinkResource): Network['networkInterfaces'][number] | undefined {
  const [gateway] = service.properties.sql?.interfaces ?? [];
  return network.networkInterfaces.find((nic) => gateway !== undefined && idKey(nic.id) === idKey(gateway.id));
}

function publicNamesOf(service: PrivateLinkResource): string[] {
  const names = hostNamesOf(service).map((host) => (isPublicName(host) ? host : host.replace('.', '.public.')));
  return [...new Set(names)];
}

function isPublicName(host: string): boolean {
  return host.split('.')[1] === 'public' && host.endsWith('.database.windows.net');
}

function isManagedInstance(service: PrivateLinkResource): boolean {
  return service.type.toLowerCase() === 'microsoft.sql/managedinstances';
}
