// The networks of the SQL cases: an instance in its subnet, a network with clients and a private endpoint of the
// instance (the same, peered or separate), and the private zone of the case.

import { formatIpv4, parseIpv4 } from '../../../wire/address.ts';
import { DATABASE_SUFFIXES } from '../../../control/sql/instances.ts';

export const CLIENT = 'client';
export const ENDPOINT = 'pe-instance';
const INSTANCE_NETWORK = 'instance-network';
const ENDPOINT_NETWORK = 'endpoint-network';
const ENDPOINT_ADDRESS = '10.0.1.5';

export interface SqlNetworkOptions {
  readonly instance: string;
  /** Label of the instance's DNS zone. */
  readonly dnsZone: string;
  /** How the network of clients and endpoint stands to the instance's. */
  readonly networks: 'same' | 'peered' | 'separate';
  readonly endpointAddress?: string;
  readonly zone?: { readonly name: string; readonly record: string; readonly linkedTo: LinkedTo };
  readonly connectionType?: 'Proxy' | 'Redirect' | 'Default' | undefined;
  /** Inbound ports that the instance subnet's rules allow; absent: the default rules alone. */
  readonly allowedPorts?: readonly number[] | undefined;
  readonly publicEndpoint?: { readonly enabled: boolean; readonly allowed: boolean };
}

export type LinkedTo = 'instanceVnet' | 'endpointVnet' | 'both';

/** The short topology of a case; DNS is modelled in all of them. */
export function sqlTopology(options: SqlNetworkOptions): object {
  const { instance, dnsZone, networks, zone, connectionType, publicEndpoint } = options;
  const endpointAddress = options.endpointAddress ?? ENDPOINT_ADDRESS;
  const isSame = networks === 'same';
  const space = spaceAround(endpointAddress);
  const own = isSame ? space : otherSpace(space);
  const endpointVnet = isSame ? INSTANCE_NETWORK : ENDPOINT_NETWORK;
  const instanceSubnet = {
    addressPrefix: `${own}.240.0/24`,
    delegation: 'Microsoft.Sql/managedInstances',
    networkSecurityGroup: 'nsg-instance',
    routeTable: 'rt-instance',
  };
  const subnets = {
    endpoints: { addressPrefix: subnetAround(endpointAddress) },
    clients: { addressPrefix: `${space}.250.0/24` },
  };
  const links = zone === undefined ? {} : linksOf(zone.linkedTo, endpointVnet);
  return {
    virtualNetworks: {
      [INSTANCE_NETWORK]: {
        addressSpace: `${own}.0.0/16`,
        subnets: { instance: instanceSubnet, ...(isSame && subnets) },
      },
      ...(!isSame && { [ENDPOINT_NETWORK]: { addressSpace: `${space}.0.0/16`, subnets } }),
    },
    ...(networks === 'peered' && { peerings: [{ between: [INSTANCE_NETWORK, ENDPOINT_NETWORK] }] }),
    networkSecurityGroups: { 'nsg-instance': { rules: rulesOf(options) } },
    routeTables: { 'rt-instance': { routes: [] } },
    networkInterfaces: { [CLIENT]: { subnet: `${endpointVnet}/clients` } },
    services: {
      [instance]: {
        type: 'Microsoft.Sql/managedInstances',
        subnet: `${INSTANCE_NETWORK}/instance`,
        dnsZone,
        hostNames: `${instance}.${dnsZone}.${DATABASE_SUFFIXES[0]}`,
        ...(connectionType !== undefined && { connectionType }),
        ...(publicEndpoint !== undefined && { publicEndpoint: publicEndpoint.enabled }),
      },
    },
    privateEndpoints: {
      [ENDPOINT]: { subnet: `${endpointVnet}/endpoints`, privateIPAddress: endpointAddress, service: instance },
    },
    publicDns: { 'example.com': '203.0.113.9' },
    ...(zone !== undefined && {
      privateDnsZones: { [zone.name]: { links, records: { [zone.record]: endpointAddress } } },
    }),
  };
}

/** Client and endpoint of a database at given addresses, in one network or in two that are peered. */
export function databaseTopology(clientAddress: string, endpointAddress: string, type: string, host: string): object {
  const [clientSpace, endpointSpace] = [spaceAround(clientAddress), spaceAround(endpointAddress)];
  const isSame = clientSpace === endpointSpace;
  const clients = { clients: { addressPrefix: subnetAround(clientAddress) } };
  const endpoints = { endpoints: { addressPrefix: subnetAround(endpointAddress) } };
  const isOneSubnet = subnetAround(clientAddress) === subnetAround(endpointAddress);
  const endpointVnet = isSame ? 'clients' : 'endpoints';
  const [label = '', ...parent] = host.split('.');
  return {
    virtualNetworks: {
      clients: {
        addressSpace: `${clientSpace}.0.0/16`,
        subnets: { ...clients, ...(isSame && !isOneSubnet && endpoints) },
      },
      ...(!isSame && { endpoints: { addressSpace: `${endpointSpace}.0.0/16`, subnets: endpoints } }),
    },
    ...(!isSame && { peerings: [{ between: ['clients', 'endpoints'] }] }),
    networkInterfaces: { [CLIENT]: { subnet: 'clients/clients', privateIPAddress: clientAddress } },
    services: { [label]: { type, hostNames: host } },
    privateEndpoints: {
      [ENDPOINT]: {
        subnet: `${endpointVnet}/${isOneSubnet ? 'clients' : 'endpoints'}`,
        privateIPAddress: endpointAddress,
        service: label,
      },
    },
    privateDnsZones: {
      [`privatelink.${parent.join('.')}`]: { links: { clients: 'Default' }, records: { [label]: endpointAddress } },
    },
  };
}

function linksOf(linkedTo: LinkedTo, endpointVnet: string): Record<string, 'Default'> {
  return {
    ...(linkedTo !== 'instanceVnet' && { [endpointVnet]: 'Default' as const }),
    ...(linkedTo !== 'endpointVnet' && { [INSTANCE_NETWORK]: 'Default' as const }),
  };
}

function rulesOf({ allowedPorts, publicEndpoint }: SqlNetworkOptions): object[] {
  const inbound = { direction: 'Inbound', protocol: 'Tcp' };
  const rules: object[] = [];
  if (publicEndpoint?.allowed === true) {
    const destination = { source: 'Internet', destinationPorts: 3342 };
    rules.push({ name: 'AllowPublic', priority: 200, access: 'Allow', ...inbound, ...destination });
  }
  if (allowedPorts === undefined) return rules;
  if (allowedPorts.length > 0) {
    const destinationPorts = [...allowedPorts];
    rules.push({ name: 'AllowSql', priority: 300, access: 'Allow', ...inbound, destinationPorts });
  }
  rules.push({ name: 'DenyRest', priority: 4096, access: 'Deny', direction: 'Inbound' });
  return rules;
}

/** The first two numbers of an address. */
function spaceAround(address: string): string {
  return address.split('.').slice(0, 2).join('.');
}

function subnetAround(address: string): string {
  return `${formatIpv4((parseIpv4(address) & 0xffff_ff00) >>> 0)}/24`;
}

function otherSpace(space: string): string {
  return space === '10.9' ? '10.10' : '10.9';
}
