// Says when DNS is to blame although a name has an address: an endpoint of the service can be reached from the sender's
// network, and the name leads past it, to the public address or to an endpoint of somebody else's record.

import { formatIpv4, tryParseIpv4 } from '../wire/index.ts';
import { nameKey } from '../control/dns/names.ts';
import { privateLinkAlias, recordIn } from '../control/dns/resource-types.ts';
import { namesOfEndpoint } from '../control/dns/zones.ts';
import { idKey } from '../control/model/resources.ts';
import type { Network, PrivateEndpoint } from '../control/model/resources.ts';
import type { Sender } from './names.ts';
import type { Resolution } from './resolution.ts';

/** The finding in one line; undefined when the name leads to an endpoint, or none is near (DNS-9, DNS-15, DNS-22). */
export function dnsFinding(network: Network, sender: Sender, resolution: Resolution): string | undefined {
  const { vnet } = sender;
  const name = nameKey(resolution.name);
  const [found] = resolution.addresses;
  const address = tryParseIpv4(found ?? '');
  if (vnet === undefined || address === undefined) return undefined;
  const near = network.privateEndpoints.filter((endpoint) => isNear(network, vnet, vnetKeyOf(endpoint)));
  const leading = near.filter((endpoint) => namesOfEndpoint(network, endpoint).some((entry) => entry.host === name));
  const isEndpoint = leading.some((endpoint) => endpoint.properties.privateIPAddress === found);
  const [first] = leading;
  if (first === undefined || isEndpoint) return undefined;
  const own = first.properties.privateIPAddress;
  return (
    `DNS is to blame: '${resolution.name}' leads to ${formatIpv4(address)} (${resolution.blame}) and not to ` +
    `private endpoint '${first.name}' at ${own}: ${reasonOf(network, vnet, name, first)}`
  );
}

function reasonOf(network: Network, vnet: string, name: string, endpoint: PrivateEndpoint): string {
  const type = typeOf(network, endpoint);
  const alias = privateLinkAlias(name, type);
  const zones = network.privateDnsZones.filter((zone) => recordIn(zone.name, name) !== undefined);
  const [zone] = zones;
  const wanted = alias.slice(alias.indexOf('privatelink.'));
  if (zone === undefined) return `there is no private DNS zone for it; its name would be ${wanted}`;
  const linked = zones.find((entry) =>
    entry.properties.virtualNetworkLinks.some((link) => idKey(link.properties.virtualNetwork.id) === vnet),
  );
  if (linked !== undefined) return `zone ${linked.name} is linked, but the answer came from elsewhere`;
  const nets = zone.properties.virtualNetworkLinks.map((link) => link.properties.virtualNetwork.id.split('/').at(-1));
  const where = nets.length === 0 ? 'no network' : nets.join(', ');
  return `zone ${zone.name} is linked to ${where}, not to the network that asks`;
}

function typeOf(network: Network, endpoint: PrivateEndpoint): string {
  const { privateLinkServiceConnections, manualPrivateLinkServiceConnections } = endpoint.properties;
  const [connection] = [...privateLinkServiceConnections, ...manualPrivateLinkServiceConnections];
  const key = idKey(connection?.properties.privateLinkServiceId ?? '');
  return network.privateLinkResources.find((entry) => idKey(entry.id) === key)?.type ?? '';
}

function vnetKeyOf(endpoint: PrivateEndpoint): string {
  return idKey(endpoint.properties.subnet.id).replace(/\/subnets\/[^/]+$/, '');
}

/** The own network and those peered with it. */
function isNear(network: Network, vnet: string, other: string): boolean {
  if (vnet === other) return true;
  const own = network.virtualNetworks.find((entry) => idKey(entry.id) === vnet);
  const peerings = own?.properties.virtualNetworkPeerings ?? [];
  return peerings.some((peering) => idKey(peering.properties.remoteVirtualNetwork.id) === other);
}
