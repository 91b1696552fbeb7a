// What a private zone holds: its own records, the records of zone groups in order of creation, and those of registered
// machines. Only the first are stored; the others are computed, so that they go with the endpoint or the machine.

import { idKey } from '../model/resources.ts';
import { longestSuffix, nameKey, relativeTo } from './names.ts';
import { recordIn } from './resource-types.ts';
import type { DnsRecordType, PrivateDnsZone, VirtualNetworkLink } from '../model/dns.ts';
import type { Network, NetworkInterface, PrivateEndpoint, SourceLocation } from '../model/resources.ts';

/** Records of one relative name and type. */
export interface ZoneRecord {
  readonly name: string;
  readonly type: DnsRecordType;
  readonly ttl: number;
  readonly values: readonly string[];
  readonly source?: SourceLocation;
}

export interface LinkedZone {
  readonly zone: PrivateDnsZone;
  readonly link: VirtualNetworkLink;
}

/** Seconds: of records that zone groups and registration write. */
const TTL_COMPUTED = 10;

/** The zone that answers for a name in a network: of those linked to it (DNS-1, DNS-5) the longest suffix (DNS-4). */
export function zoneFor(network: Network, vnetId: string, name: string): LinkedZone | undefined {
  const linked = network.privateDnsZones.flatMap((zone) => {
    const links = zone.properties.virtualNetworkLinks;
    const link = links.find((entry) => idKey(entry.properties.virtualNetwork.id) === idKey(vnetId));
    return link === undefined ? [] : [{ zone, link }];
  });
  return longestSuffix(name, linked, ({ zone }) => zone.name);
}

/** All records of a zone: zone groups replace A records of their names (DNS-21, PE-40); machines yield to both. */
export function recordsOf(network: Network, zone: PrivateDnsZone): readonly ZoneRecord[] {
  const records = new Map<string, ZoneRecord>();
  const add = (record: ZoneRecord): void => void records.set(`${record.type} ${record.name}`, record);
  for (const record of registeredRecords(network, zone)) add(record);
  for (const { name, source, properties } of zone.properties.recordSets) {
    add({ name: nameKey(name), ...properties, ...(source && { source }) });
  }
  for (const record of groupRecords(network, zone)) add(record);
  return [...records.values()];
}

/** Records of a relative name: its own, else those of the wildcard that covers it (DNS-2); undefined: no such name. */
export function recordsAt(records: readonly ZoneRecord[], relative: string): readonly ZoneRecord[] | undefined {
  const own = records.filter((record) => record.name === relative);
  if (own.length > 0) return own;
  if (records.some((record) => record.name.endsWith(`.${relative}`))) return [];
  if (relative === '@') return [];
  let rest = relative;
  while (rest !== '') {
    const dot = rest.indexOf('.');
    rest = dot < 0 ? '' : rest.slice(dot + 1);
    const wild = rest === '' ? '*' : `*.${rest}`;
    const covered = records.filter((record) => record.name === wild);
    if (covered.length > 0) return covered;
    // RFC 4592: a wildcard higher up does not reach past a name that exists.
    if (records.some((record) => record.name === rest || record.name.endsWith(`.${rest}`))) return undefined;
  }
  return undefined;
}

/** NICs whose names Azure registers: those of machines, not of endpoints or services (DNS-3). */
export function machinesOf(network: Network, vnetId: string): { readonly name: string; readonly address: string }[] {
  const prefix = `${idKey(vnetId)}/subnets/`;
  return network.networkInterfaces.flatMap((nic) => {
    const { ipConfigurations, service, privateEndpoint } = nic.properties;
    const primary = ipConfigurations.find((entry) => entry.properties.primary) ?? ipConfigurations[0];
    if (primary === undefined || service !== undefined || privateEndpoint !== undefined) return [];
    if (!idKey(primary.properties.subnet.id).startsWith(prefix)) return [];
    return [{ name: machineName(nic), address: primary.properties.privateIPAddress }];
  });
}

/** A machine's host name: of its virtual machine, else of the NIC. */
function machineName(nic: NetworkInterface): string {
  return nameKey(nic.properties.virtualMachine?.id.split('/').at(-1) ?? nic.name);
}

function registeredRecords(network: Network, zone: PrivateDnsZone): ZoneRecord[] {
  const links = zone.properties.virtualNetworkLinks.filter((link) => link.properties.registrationEnabled);
  return links.flatMap((link) =>
    machinesOf(network, link.properties.virtualNetwork.id).map(({ name, address }) => ({
      name,
      type: 'A' as const,
      ttl: TTL_COMPUTED,
      values: [address],
      ...(link.source && { source: link.source }),
    })),
  );
}

/** DNS-20: what the zone groups write into a zone while their endpoints exist. */
function groupRecords(network: Network, zone: PrivateDnsZone): ZoneRecord[] {
  const key = idKey(zone.id);
  return network.privateDnsZoneGroups.flatMap((group) => {
    const { privateEndpoint, privateDnsZones } = group.properties;
    if (!privateDnsZones.some((reference) => idKey(reference.id) === key)) return [];
    const endpoint = network.privateEndpoints.find((entry) => idKey(entry.id) === idKey(privateEndpoint.id));
    if (endpoint === undefined) return [];
    return namesOfEndpoint(network, endpoint).flatMap(({ host, addresses }) => {
      const name = recordIn(zone.name, host);
      if (name === undefined || addresses.length === 0) return [];
      const place = group.source ?? endpoint.source;
      return [{ name, type: 'A' as const, ttl: TTL_COMPUTED, values: addresses, ...(place && { source: place }) }];
    });
  });
}

/** The public names that an endpoint stands for, with its addresses: as Azure listed them, else those of its target. */
export function namesOfEndpoint(
  network: Network,
  endpoint: PrivateEndpoint,
): { readonly host: string; readonly addresses: readonly string[] }[] {
  const { customDnsConfigs, privateIPAddress } = endpoint.properties;
  const listed = customDnsConfigs.map(({ fqdn, ipAddresses }) => ({ host: nameKey(fqdn), addresses: ipAddresses }));
  const addresses = privateIPAddress === '' ? [] : [privateIPAddress];
  const { privateLinkServiceConnections, manualPrivateLinkServiceConnections } = endpoint.properties;
  const connections = [...privateLinkServiceConnections, ...manualPrivateLinkServiceConnections];
  const hosts = connections.flatMap(({ properties }) => {
    const key = idKey(properties.privateLinkServiceId);
    const target = network.privateLinkResources.find((entry) => idKey(entry.id) === key);
    if (target === undefined) return [];
    const groups = new Set(properties.groupIds.map((id) => nameKey(id)));
    const parts = (target.properties.subResources ?? []).filter(({ groupId }) => groups.has(nameKey(groupId)));
    const named = parts.flatMap((part) => part.hostNames);
    return named.length > 0 ? named : hostNamesOf(target);
  });
  const own = hosts.filter((host) => !listed.some((entry) => entry.host === nameKey(host)));
  return [...listed, ...own.map((host) => ({ host: nameKey(host), addresses }))];
}

/** Host names of a service: stated, and for a SQL Managed Instance what its zone implies (SQLMI-1). */
export function hostNamesOf(service: Network['privateLinkResources'][number]): readonly string[] {
  const { hostNames, subResources, sql } = service.properties;
  const implied = sql?.dnsZone === undefined ? [] : [`${service.name}.${sql.dnsZone}.database.windows.net`];
  const names = [...hostNames, ...(subResources ?? []).flatMap((part) => part.hostNames), ...implied];
  return [...new Set(names.map((name) => nameKey(name)))];
}

/** The name of `name` inside a zone. */
export function relativeName(name: string, zone: PrivateDnsZone): string {
  return relativeTo(name, nameKey(zone.name));
}
