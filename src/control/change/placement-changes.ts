// Changes to NICs and subnets.

import {
  idKey,
  type Network,
  type NetworkInterface,
  type PrivateEndpointNetworkPolicies,
  type Subnet,
} from '../model/resources.ts';
import { type Change, exchange, find, withSubnet } from './lookup.ts';
import { keepStaticNames } from './static-names.ts';

/** Deletes a NIC; the guest behind it goes with it. */
export function removeNic(name: string): Change {
  return (network) => {
    const nic = find(network.networkInterfaces, name, 'NIC');
    const { ipConfigurations } = nic.properties;
    const primary = ipConfigurations.find((configuration) => configuration.properties.primary) ?? ipConfigurations[0];
    const address = primary?.properties.privateIPAddress;
    return {
      ...network,
      networkInterfaces: network.networkInterfaces.filter((other) => other !== nic),
      appliances: network.appliances.filter((appliance) => idKey(appliance.nic.id) !== idKey(nic.id)),
      ...(address !== undefined && { staticNames: keepStaticNames(network, nic.id, address) }),
    };
  };
}

/** NET-8: whether a NIC may send and receive packets that are not its own. */
export function setIpForwarding(name: string, enableIPForwarding: boolean): Change {
  return (network) =>
    withNic(network, name, (nic) => ({ ...nic, properties: { ...nic.properties, enableIPForwarding } }));
}

/** Sets a tag of a NIC, or removes it with null. Tag names are case-insensitive, values are not (ROUTE-46). */
export function setNicTag(name: string, tag: string, value: string | null): Change {
  return (network) =>
    withNic(network, name, (nic) => {
      const others = Object.entries(nic.tags ?? {}).filter(([key]) => key.toLowerCase() !== tag.toLowerCase());
      return { ...nic, tags: Object.fromEntries(value === null ? others : [...others, [tag, value]]) };
    });
}

/** PNSG-1: which network policies apply to the private endpoints of a subnet. */
export function setEndpointPolicies(subnet: string, policies: PrivateEndpointNetworkPolicies): Change {
  return (network) =>
    withSubnet(network, subnet, ({ properties }) => ({ ...properties, privateEndpointNetworkPolicies: policies }));
}

/** SEP-1: the service endpoints of a subnet, like `Microsoft.Storage`; the list replaces the one it has. */
export function setServiceEndpoints(
  subnet: string,
  services: readonly (string | Subnet['properties']['serviceEndpoints'][number])[],
): Change {
  const serviceEndpoints = services.map((service) => (typeof service === 'string' ? { service } : service));
  return (network) => withSubnet(network, subnet, ({ properties }) => ({ ...properties, serviceEndpoints }));
}

function withNic(network: Network, name: string, edit: (nic: NetworkInterface) => NetworkInterface): Network {
  const nic = find(network.networkInterfaces, name, 'NIC');
  return { ...network, networkInterfaces: exchange(network.networkInterfaces, nic, edit(nic)) };
}
