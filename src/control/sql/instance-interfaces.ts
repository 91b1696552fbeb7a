// The NICs that stand for a SQL Managed Instance in its subnet: gateway (the VNet-local endpoint), node (where it
// redirects to), and one for the public endpoint while that is open (SQLMI-1, SQLMI-3). They are NICs like those of
// machines, so the subnet's rules and routes govern them (SQLMI-2).

import { formatIpv4, parseIpv4 } from '../../wire/address.ts';
import { idKey } from '../model/resources.ts';
import type { Network, NetworkInterface, PrivateLinkResource, PublicIPAddress } from '../model/resources.ts';
import { INSTANCE_INTERFACES } from './instances.ts';
import type { InstanceInterface } from './instances.ts';

const TYPE_NIC = 'Microsoft.Network/networkInterfaces';
const TYPE_PUBLIC_IP = 'Microsoft.Network/publicIPAddresses';
/** Public addresses of instances that state none: from the documentation range of RFC 5737, downwards. */
const PUBLIC_LAST = parseIpv4('198.51.100.254');
const PUBLIC_FIRST = parseIpv4('198.51.100.1');
const IDLE_MINUTES = 4;

/**
 * The network with the NICs that an instance has now, and `sql.interfaces` naming them; NICs that are new have no
 * address yet. Nothing changes for a service that stands in no subnet.
 */
export function withInstanceInterfaces(network: Network, resource: PrivateLinkResource): Network {
  const { sql, subnet } = resource.properties;
  if (sql === undefined || subnet === undefined) return network;
  const wanted = INSTANCE_INTERFACES.filter((which) => which !== 'public' || sql.publicDataEndpointEnabled);
  const existing = new Map(network.networkInterfaces.map((nic) => [idKey(nic.id), nic]));
  const publicIp = sql.publicDataEndpointEnabled ? publicIpOf(network, resource) : undefined;
  const made = wanted.map((which) => {
    const nic = makeInterface(network, resource, which, which === 'public' ? publicIp : undefined);
    return existing.get(idKey(nic.id)) ?? nic;
  });
  const own = new Set(INSTANCE_INTERFACES.map((which) => idKey(interfaceId(network, resource, which))));
  const others = network.networkInterfaces.filter((nic) => !own.has(idKey(nic.id)));
  const interfaces = made.map(({ id }) => ({ id }));
  const publicAddress = publicIp?.properties.ipAddress ?? resource.properties.publicAddress;
  const address = publicAddress === undefined ? {} : { publicAddress };
  const next = { ...resource, properties: { ...resource.properties, ...address, sql: { ...sql, interfaces } } };
  const known = network.publicIPAddresses.some(({ id }) => publicIp !== undefined && idKey(id) === idKey(publicIp.id));
  return {
    ...network,
    networkInterfaces: [...others, ...made],
    publicIPAddresses:
      publicIp === undefined || known ? network.publicIPAddresses : [...network.publicIPAddresses, publicIp],
    privateLinkResources: network.privateLinkResources.map((other) => (other === resource ? next : other)),
  };
}

function makeInterface(
  network: Network,
  resource: PrivateLinkResource,
  which: InstanceInterface,
  publicIp: PublicIPAddress | undefined,
): NetworkInterface {
  const subnet = resource.properties.subnet?.id ?? '';
  const vnet = network.virtualNetworks.find((entry) => idKey(subnet).startsWith(`${idKey(entry.id)}/subnets/`));
  const id = interfaceId(network, resource, which);
  const place = vnet?.location === undefined ? {} : { location: vnet.location };
  const source = resource.source === undefined ? {} : { source: resource.source };
  return {
    id,
    name: `${resource.name}-${which}`,
    type: TYPE_NIC,
    ...place,
    ...source,
    properties: {
      ipConfigurations: [
        {
          id: `${id}/ipConfigurations/ipconfig1`,
          name: 'ipconfig1',
          properties: {
            privateIPAddress: '',
            privateIPAllocationMethod: 'Dynamic',
            subnet: { id: subnet },
            primary: true,
            ...(publicIp && { publicIPAddress: { id: publicIp.id } }),
          },
        },
      ],
      enableIPForwarding: false,
      service: { id: resource.id },
    },
  };
}

/** In the resource group of the instance's network: a NIC belongs to the subscription of its network (NET-7). */
function interfaceId(network: Network, resource: PrivateLinkResource, which: InstanceInterface): string {
  const subnet = resource.properties.subnet?.id ?? '';
  const vnet = network.virtualNetworks.find((entry) => idKey(subnet).startsWith(`${idKey(entry.id)}/subnets/`));
  return `${groupOf(vnet?.id ?? resource.id)}/providers/${TYPE_NIC}/${resource.name}-${which}`;
}

function publicIpOf(network: Network, resource: PrivateLinkResource): PublicIPAddress {
  const id = `${groupOf(resource.id)}/providers/${TYPE_PUBLIC_IP}/${resource.name}-public`;
  const existing = network.publicIPAddresses.find((entry) => idKey(entry.id) === idKey(id));
  if (existing !== undefined) return existing;
  const ipAddress = resource.properties.publicAddress ?? freePublicAddress(network);
  return {
    id,
    name: `${resource.name}-public`,
    type: TYPE_PUBLIC_IP,
    sku: 'Standard',
    properties: { ipAddress, idleTimeoutInMinutes: IDLE_MINUTES },
  };
}

function freePublicAddress(network: Network): string {
  const services = network.privateLinkResources.flatMap(({ properties }) => [
    properties.backendAddress,
    properties.publicAddress,
  ]);
  const taken = new Set([...network.publicIPAddresses.map(({ properties }) => properties.ipAddress), ...services]);
  for (let address = PUBLIC_LAST; address > PUBLIC_FIRST; address--) {
    if (!taken.has(formatIpv4(address))) return formatIpv4(address);
  }
  return formatIpv4(PUBLIC_FIRST);
}

function groupOf(id: string): string {
  const provider = id.toLowerCase().lastIndexOf('/providers/');
  return provider < 0 ? '' : id.slice(0, provider);
}
