// Changes of private zones, their links, and of the DNS servers that networks and NICs name.

import { type Change, exchange, find, refusal, withVnet, without } from './lookup.ts';
import { nameKey } from '../dns/names.ts';
import { idKey } from '../model/resources.ts';
import type { DnsRecordSet, DnsRecordType, PrivateDnsZone, VirtualNetworkLink } from '../model/dns.ts';
import type { Network } from '../model/resources.ts';

const TTL_DEFAULT = 3600;

export interface ZoneRecordSpec {
  /** Relative: `@` for the zone itself, `*` for any (DNS-2). */
  readonly name: string;
  /** Default A. */
  readonly type?: DnsRecordType | undefined;
  readonly values: readonly string[];
}

/** Writes the record set of a name and type, in place of the one there is. */
export function setRecord(zone: string, spec: ZoneRecordSpec): Change {
  const { name, type = 'A', values } = spec;
  return (network) =>
    withZone(network, zone, (found) => {
      const earlier = found.properties.recordSets.find((set) => isSet(set, name, type));
      const properties = { type, ttl: earlier?.properties.ttl ?? TTL_DEFAULT, values };
      const next: DnsRecordSet = { id: `${found.id}/${type}/${name}`, name, properties };
      const others = found.properties.recordSets.filter((set) => set !== earlier);
      return { recordSets: [...others, next] };
    });
}

/** Removes the record set of a name and type; without a type every set of the name. Refused when there is none. */
export function removeRecord(zone: string, name: string, type?: DnsRecordType): Change {
  return (network) =>
    withZone(network, zone, (found) => {
      const recordSets = found.properties.recordSets.filter((set) => !isSet(set, name, type));
      if (recordSets.length === found.properties.recordSets.length) {
        const message = `zone '${found.name}' has no record '${name}'${type === undefined ? '' : ` of type ${type}`}`;
        const names = [...new Set(found.properties.recordSets.map((set) => set.name))];
        const hint = names.length === 0 ? 'it has no records of its own' : `its records are ${names.join(', ')}`;
        throw refusal('CHANGE_NAME_NOT_FOUND', message, hint);
      }
      return { recordSets };
    });
}

export interface ZoneLinkSpec {
  readonly registrationEnabled?: boolean | undefined;
  readonly resolutionPolicy?: 'Default' | 'NxDomainRedirect' | undefined;
}

/** Links a zone to a network, or changes the link there is (DNS-1). */
export function linkZone(zone: string, vnet: string, spec: ZoneLinkSpec = {}): Change {
  return (network) => {
    const { id, name } = find(network.virtualNetworks, vnet, 'virtual network');
    return withZone(network, zone, (found) => {
      const links = found.properties.virtualNetworkLinks;
      const earlier = links.find((link) => idKey(link.properties.virtualNetwork.id) === idKey(id));
      const properties = {
        virtualNetwork: { id },
        registrationEnabled: spec.registrationEnabled ?? earlier?.properties.registrationEnabled ?? false,
        resolutionPolicy: spec.resolutionPolicy ?? earlier?.properties.resolutionPolicy ?? 'Default',
      };
      const own = earlier ?? { id: `${found.id}/virtualNetworkLinks/${name}`, name };
      const next: VirtualNetworkLink = { ...own, properties };
      const virtualNetworkLinks = earlier === undefined ? [...links, next] : exchange(links, earlier, next);
      return { virtualNetworkLinks };
    });
  };
}

/** Removes the link between a zone and a network. Refused when there is none. */
export function unlinkZone(zone: string, vnet: string): Change {
  return (network) => {
    const { id, name } = find(network.virtualNetworks, vnet, 'virtual network');
    return withZone(network, zone, (found) => {
      const links = found.properties.virtualNetworkLinks;
      const virtualNetworkLinks = links.filter((link) => idKey(link.properties.virtualNetwork.id) !== idKey(id));
      if (virtualNetworkLinks.length === links.length) {
        const message = `zone '${found.name}' is not linked to '${name}'`;
        throw refusal('CHANGE_NAME_NOT_FOUND', message, 'link it first, or name the network that it is linked to');
      }
      return { virtualNetworkLinks };
    });
  };
}

/** The DNS servers of a network or of a NIC; none: those of the level above (DNS-6). Guests hear of it at a restart. */
export function setDnsServers(
  target: { readonly network: string } | { readonly nic: string },
  servers: readonly string[],
): Change {
  return (network) => {
    if ('network' in target) {
      const vnet = find(network.virtualNetworks, target.network, 'virtual network');
      return withVnet(network, vnet, { dhcpOptions: { dnsServers: servers } });
    }
    const nic = find(network.networkInterfaces, target.nic, 'NIC');
    const others = without(nic.properties, 'dnsSettings');
    const properties = servers.length === 0 ? others : { ...others, dnsSettings: { dnsServers: servers } };
    return { ...network, networkInterfaces: exchange(network.networkInterfaces, nic, { ...nic, properties }) };
  };
}

function withZone(
  network: Network,
  name: string,
  edit: (zone: PrivateDnsZone) => Partial<PrivateDnsZone['properties']>,
): Network {
  const zone = find(network.privateDnsZones, name, 'private DNS zone');
  const next = { ...zone, properties: { ...zone.properties, ...edit(zone) } };
  return { ...network, privateDnsZones: exchange(network.privateDnsZones, zone, next) };
}

function isSet(set: DnsRecordSet, name: string, type: DnsRecordType | undefined): boolean {
  return nameKey(set.name) === nameKey(name) && (type === undefined || set.properties.type === type);
}
