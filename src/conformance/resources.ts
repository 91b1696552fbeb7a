// Azure resource objects from the notation of the cases, in the JSON that Azure's tools print: what the ordinary
// reader reads. Names of objects are the names in the notation.

import type { PeerRow, RouteRow, RuleRow, Topology } from './notation.ts';

/** A resource object as Azure prints it. */
export interface RawResource {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly location: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly sku?: { readonly name: string };
  readonly tags?: Readonly<Record<string, string>>;
}

/** Sub-resource of the targets that the notation leaves unnamed. */
export const TARGET_GROUP = 'sqlServer';

const GROUP = '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/conformance/providers';
const LOCATION = 'eastus';

/** Resource id of an object of the notation. */
export function resourceId(type: string, name: string): string {
  return `${GROUP}/${type}/${name}`;
}

/** Id of a subnet of the notation. */
export function subnetId(vnet: string, subnet: string): string {
  return `${resourceId('Microsoft.Network/virtualNetworks', vnet)}/subnets/${subnet}`;
}

export interface RawOptions {
  /** Set on every subnet (NET-16). */
  readonly defaultOutboundAccess: boolean;
  /** Network security groups with flushConnection (NSG-29). */
  readonly flush: readonly string[];
}

/** All resource objects that Azure itself has for a topology. */
export function rawResources(topology: Topology, options: RawOptions): RawResource[] {
  return [
    ...Object.keys(topology.vnets).map((name) => virtualNetwork(topology, name, options.defaultOutboundAccess)),
    ...Object.keys(topology.nics).map((name) => networkInterface(topology, name)),
    ...publicAddresses(topology),
    ...Object.entries(topology.nsgs).map(([name, rows]) =>
      networkSecurityGroup(topology, name, rows, options.flush.includes(name)),
    ),
    ...Object.entries(topology.rts).map(([name, rows]) => routeTable(name, rows, false)),
    ...tablesWithoutPropagation(topology),
    ...Object.keys(topology.asgs).map((name) => resource('Microsoft.Network/applicationSecurityGroups', name, {})),
    ...Object.keys(topology.pes).map((name) => privateEndpoint(topology, name)),
  ];
}

function resource(
  type: string,
  name: string,
  properties: Readonly<Record<string, unknown>>,
  rest: Partial<RawResource> = {},
): RawResource {
  return { id: resourceId(type, name), name, type, location: LOCATION, properties, ...rest };
}

function reference(type: string, name: string | undefined): { readonly id: string } | undefined {
  return name === undefined ? undefined : { id: resourceId(type, name) };
}

function virtualNetwork(topology: Topology, name: string, defaultOutboundAccess: boolean): RawResource {
  const ranges = topology.vnets[name] ?? [];
  const subnets = Object.entries(topology.subnets).filter(([, subnet]) => subnet.vnet === name);
  return resource('Microsoft.Network/virtualNetworks', name, {
    addressSpace: { addressPrefixes: ranges },
    subnets: subnets.map(([subnetName]) => subnetResource(topology, subnetName, defaultOutboundAccess)),
    virtualNetworkPeerings: topology.peers.flatMap((row) => peeringsOf(row, name)),
  });
}

function subnetResource(topology: Topology, name: string, defaultOutboundAccess: boolean): object {
  const subnet = topology.subnets[name];
  if (subnet === undefined) throw new Error(`subnet ${name} is not in the topology`);
  const table = subnet.disableBgp ? tableWithoutPropagation(name) : subnet.rt;
  return {
    id: subnetId(subnet.vnet, name),
    name,
    properties: {
      addressPrefix: subnet.cidr,
      networkSecurityGroup: reference('Microsoft.Network/networkSecurityGroups', subnet.nsg),
      routeTable: reference('Microsoft.Network/routeTables', table),
      privateEndpointNetworkPolicies: subnet.pePolicy ?? 'Disabled',
      serviceEndpoints: (topology.se[name] ?? []).map((prefix) => ({ service: prefix })),
      delegations: [],
      defaultOutboundAccess,
    },
  };
}

function peeringsOf([a, b, ...flags]: PeerRow, own: string): object[] {
  const remote = own === a ? b : own === b ? a : undefined;
  if (remote === undefined) return [];
  const link = flags.map((entry) => entry[own]).find((entry) => entry !== undefined);
  const name = `to-${remote}`;
  return [
    {
      id: `${resourceId('Microsoft.Network/virtualNetworks', own)}/virtualNetworkPeerings/${name}`,
      name,
      properties: {
        remoteVirtualNetwork: reference('Microsoft.Network/virtualNetworks', remote),
        peeringState: 'Connected',
        allowVirtualNetworkAccess: link?.access ?? true,
        allowForwardedTraffic: link?.forwarded ?? false,
        allowGatewayTransit: false,
        useRemoteGateways: false,
      },
    },
  ];
}

function networkInterface(topology: Topology, name: string): RawResource {
  const nic = topology.nics[name];
  if (nic === undefined) throw new Error(`NIC ${name} is not in the topology`);
  const properties = {
    enableIPForwarding: nic.ipfwd,
    networkSecurityGroup: reference('Microsoft.Network/networkSecurityGroups', nic.nsg),
    ipConfigurations: [
      {
        id: `${resourceId('Microsoft.Network/networkInterfaces', name)}/ipConfigurations/primary`,
        name: 'primary',
        properties: {
          privateIPAddress: nic.ip,
          privateIPAllocationMethod: 'Static',
          primary: true,
          subnet: { id: subnetIdOf(topology, nic.subnet) },
          publicIPAddress:
            nic.pip === undefined ? undefined : reference('Microsoft.Network/publicIPAddresses', publicName(name)),
          applicationSecurityGroups: groupsOf(topology, name),
        },
      },
    ],
  };
  const rest = nic.snatTag ? { tags: { disableSnatOnPL: 'true' } } : {};
  return resource('Microsoft.Network/networkInterfaces', name, properties, rest);
}

/** Groups that a NIC or an endpoint is a member of (NSG-23, NSG-25). */
function groupsOf(topology: Topology, member: string): object[] {
  const names = Object.keys(topology.asgs).filter((group) => topology.asgs[group]?.includes(member));
  return names.map((name) => ({ id: resourceId('Microsoft.Network/applicationSecurityGroups', name) }));
}

function publicAddresses(topology: Topology): RawResource[] {
  return Object.entries(topology.nics).flatMap(([name, nic]) => {
    if (nic.pip === undefined) return [];
    const properties = { ipAddress: nic.pip, publicIPAllocationMethod: 'Static', publicIPAddressVersion: 'IPv4' };
    const type = 'Microsoft.Network/publicIPAddresses';
    return [resource(type, publicName(name), properties, { sku: { name: 'Standard' } })];
  });
}

function publicName(nic: string): string {
  return `${nic}-public`;
}

function networkSecurityGroup(
  topology: Topology,
  name: string,
  rows: readonly RuleRow[],
  flushConnection: boolean,
): RawResource {
  const id = resourceId('Microsoft.Network/networkSecurityGroups', name);
  return resource('Microsoft.Network/networkSecurityGroups', name, {
    securityRules: rows.map((row) => securityRule(topology, id, row)),
    flushConnection,
  });
}

function securityRule(topology: Topology, nsgId: string, row: RuleRow): object {
  const [priority, direction, protocol, source, sourcePort, destination, destinationPort, access, name] = row;
  return {
    id: `${nsgId}/securityRules/${name}`,
    name,
    properties: {
      priority,
      direction: direction === 'In' ? 'Inbound' : 'Outbound',
      access,
      protocol: protocol === '*' ? '*' : `${protocol.charAt(0).toUpperCase()}${protocol.slice(1).toLowerCase()}`,
      ...side(topology, 'source', source),
      ...side(topology, 'destination', destination),
      ...ports('sourcePortRange', sourcePort),
      ...ports('destinationPortRange', destinationPort),
    },
  };
}

// A field names application security groups when all its entries are groups of the topology.
function side(topology: Topology, which: 'source' | 'destination', field: string): object {
  const entries = listOf(field);
  if (entries.every((entry) => Object.hasOwn(topology.asgs, entry))) {
    const type = 'Microsoft.Network/applicationSecurityGroups';
    return { [`${which}ApplicationSecurityGroups`]: entries.map((entry) => reference(type, entry)) };
  }
  if (entries.length === 1) return { [`${which}AddressPrefix`]: entries[0] };
  return { [`${which}AddressPrefixes`]: entries };
}

function ports(key: 'sourcePortRange' | 'destinationPortRange', field: string): object {
  const entries = listOf(field);
  return entries.length === 1 ? { [key]: entries[0] } : { [`${key}s`]: entries };
}

function listOf(field: string): string[] {
  return field.split(',').map((entry) => entry.trim());
}

function routeTable(name: string, rows: readonly RouteRow[], disableBgpRoutePropagation: boolean): RawResource {
  const id = resourceId('Microsoft.Network/routeTables', name);
  return resource('Microsoft.Network/routeTables', name, {
    disableBgpRoutePropagation,
    routes: rows.map(([addressPrefix, nextHopType, nextHopIpAddress, routeName]) => ({
      id: `${id}/routes/${routeName}`,
      name: routeName,
      properties: { addressPrefix, nextHopType, ...(nextHopIpAddress === null ? {} : { nextHopIpAddress }) },
    })),
  });
}

// `disableBgp` is a property of a table in Azure: a subnet that has it gets a table of its own.
function tablesWithoutPropagation(topology: Topology): RawResource[] {
  return Object.entries(topology.subnets).flatMap(([name, subnet]) => {
    if (!subnet.disableBgp) return [];
    const rows = subnet.rt === undefined ? [] : (topology.rts[subnet.rt] ?? []);
    return [routeTable(tableWithoutPropagation(name), rows, true)];
  });
}

function tableWithoutPropagation(subnet: string): string {
  return `${subnet}-without-propagation`;
}

function privateEndpoint(topology: Topology, name: string): RawResource {
  const endpoint = topology.pes[name];
  if (endpoint === undefined) throw new Error(`endpoint ${name} is not in the topology`);
  return resource('Microsoft.Network/privateEndpoints', name, {
    subnet: { id: subnetIdOf(topology, endpoint.subnet) },
    privateLinkServiceConnections: [
      {
        name: `${name}-connection`,
        properties: {
          privateLinkServiceId: targetId(name),
          groupIds: [TARGET_GROUP],
          privateLinkServiceConnectionState: { status: endpoint.state },
        },
      },
    ],
    manualPrivateLinkServiceConnections: [],
    applicationSecurityGroups: groupsOf(topology, name),
    ipConfigurations: [{ name: 'primary', properties: { groupId: TARGET_GROUP, privateIPAddress: endpoint.ip } }],
  });
}

/** Id of the service behind an endpoint of the notation; every endpoint has its own. */
export function targetId(endpoint: string): string {
  return resourceId('Microsoft.Sql/servers', `${endpoint}-service`);
}

function subnetIdOf(topology: Topology, name: string): string {
  const subnet = topology.subnets[name];
  if (subnet === undefined) throw new Error(`subnet ${name} is not in the topology`);
  return subnetId(subnet.vnet, name);
}
