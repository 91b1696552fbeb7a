// Networks built by hand for tests, in a short notation: names in place of ids, one line per thing.

import { shortRule, type ShortRule } from '../../src/control/change/short-rule.ts';
import { EMPTY_NETWORK } from '../../src/control/model/resources.ts';
import type {
  ConnectionState,
  IpConfiguration,
  Network,
  NetworkInterface,
  NetworkSecurityGroup,
  PrivateEndpoint,
  PrivateEndpointNetworkPolicies,
  PrivateLinkResource,
  Route,
  RouteTable,
  Subnet,
  UserNextHopType,
  VirtualNetwork,
  VirtualNetworkGateway,
  VirtualNetworkPeering,
} from '../../src/control/model/resources.ts';

export const SUBSCRIPTION = 'sub1';
const PROVIDER = `/subscriptions/${SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network`;

/** Id of a resource of the fixtures: `idOf('networkInterfaces', 'app')`. */
export function idOf(kind: string, name: string): string {
  return `${PROVIDER}/${kind}/${name}`;
}

export interface SubnetSpec {
  readonly prefix: string;
  readonly nsg?: string;
  readonly routeTable?: string;
  readonly natGateway?: string;
  readonly delegatedTo?: string;
  readonly policies?: PrivateEndpointNetworkPolicies;
  readonly serviceEndpoints?: readonly string[];
  readonly defaultOutboundAccess?: boolean;
}

export interface VnetSpec {
  readonly ranges: readonly string[];
  readonly subnets?: Readonly<Record<string, string | SubnetSpec>>;
  readonly location?: string;
  readonly dnsServers?: readonly string[];
  readonly flowTimeoutInMinutes?: number;
  readonly privateEndpointVNetPolicies?: string;
}

export interface NicSpec {
  readonly subnet: string;
  /** One address or several; the first is the primary. */
  readonly address: string | readonly string[];
  readonly nsg?: string;
  readonly forwarding?: boolean;
  readonly publicIp?: string;
  readonly asgs?: readonly string[];
  readonly location?: string;
  readonly macAddress?: string;
  readonly mtu?: number;
  readonly tags?: Readonly<Record<string, string>>;
}

export interface RouteSpec {
  readonly name: string;
  readonly prefix: string;
  readonly type: UserNextHopType;
  readonly hop?: string;
}

export interface RouteTableSpec {
  readonly routes: readonly RouteSpec[];
  readonly disableBgp?: boolean;
}

export interface EndpointSpec {
  readonly subnet: string;
  readonly address: string;
  /** Name of a service, an id or an alias. */
  readonly target: string;
  readonly state?: ConnectionState;
  readonly manual?: boolean;
  readonly groupIds?: readonly string[];
  readonly requestMessage?: string;
  readonly staticAddress?: string;
  readonly asgs?: readonly string[];
  readonly location?: string;
}

export interface ServiceSpec {
  readonly ports?: readonly string[];
  readonly backendAddress?: string;
  readonly type?: string;
  readonly subnet?: string;
  readonly location?: string;
}

export interface PeeringSpec {
  readonly access?: boolean;
  readonly forwarded?: boolean;
  readonly gatewayTransit?: boolean;
  readonly useRemoteGateways?: boolean;
}

export interface NetworkSpec {
  readonly vnets?: Readonly<Record<string, VnetSpec>>;
  /** Both links, Connected; flags of the first network's link, then of the second's. */
  readonly peerings?: readonly (readonly [a: string, b: string, flagsA?: PeeringSpec, flagsB?: PeeringSpec])[];
  readonly nics?: Readonly<Record<string, NicSpec>>;
  readonly nsgs?: Readonly<Record<string, readonly (ShortRule & { readonly provisioningState?: string })[]>>;
  readonly asgs?: readonly string[];
  readonly routeTables?: Readonly<Record<string, readonly RouteSpec[] | RouteTableSpec>>;
  readonly publicIps?: Readonly<Record<string, string>>;
  readonly natGateways?: Readonly<Record<string, { readonly publicIps: readonly string[]; readonly idle?: number }>>;
  readonly endpoints?: Readonly<Record<string, EndpointSpec>>;
  readonly services?: Readonly<Record<string, ServiceSpec>>;
  readonly gateways?: Readonly<Record<string, { readonly vnet: string; readonly type?: 'Vpn' | 'ExpressRoute' }>>;
  readonly appliances?: Readonly<Record<string, { readonly snat?: boolean; readonly stateful?: boolean }>>;
  /** Name to the id of what it leads to, or an address. */
  readonly names?: Readonly<Record<string, string>>;
  readonly tags?: Readonly<Record<string, readonly string[]>>;
}

/** A network from the short notation. Nothing is checked: tests want wrong networks too. */
export function network(spec: NetworkSpec): Network {
  const subnetIds = subnetIdsOf(spec);
  return {
    ...EMPTY_NETWORK,
    virtualNetworks: Object.entries(spec.vnets ?? {}).map(([name, vnet]) => makeVnet(spec, name, vnet)),
    networkInterfaces: Object.entries(spec.nics ?? {}).map(([name, nic]) => makeNic(name, nic, subnetIds)),
    networkSecurityGroups: Object.entries(spec.nsgs ?? {}).map(([name, rules]) => makeNsg(name, rules)),
    applicationSecurityGroups: (spec.asgs ?? []).map((name) => ({
      ...base('applicationSecurityGroups', name),
      properties: {},
    })),
    routeTables: Object.entries(spec.routeTables ?? {}).map(([name, table]) => makeRouteTable(name, table)),
    publicIPAddresses: Object.entries(spec.publicIps ?? {}).map(([name, ipAddress]) => ({
      ...base('publicIPAddresses', name),
      sku: 'Standard' as const,
      properties: { ipAddress, idleTimeoutInMinutes: 4 },
    })),
    natGateways: Object.entries(spec.natGateways ?? {}).map(([name, gateway]) => ({
      ...base('natGateways', name),
      properties: {
        publicIpAddresses: gateway.publicIps.map((publicIp) => ({ id: idOf('publicIPAddresses', publicIp) })),
        subnets: [],
        idleTimeoutInMinutes: gateway.idle ?? 4,
      },
    })),
    privateEndpoints: Object.entries(spec.endpoints ?? {}).map(([name, pe]) => makeEndpoint(name, pe, subnetIds)),
    privateLinkResources: Object.entries(spec.services ?? {}).map(([name, it]) => makeService(name, it, subnetIds)),
    virtualNetworkGateways: Object.entries(spec.gateways ?? {}).map(([name, gateway]) => makeGateway(name, gateway)),
    appliances: Object.entries(spec.appliances ?? {}).map(([nic, appliance]) => ({
      nic: { id: idOf('networkInterfaces', nic) },
      snat: appliance.snat ?? false,
      stateful: appliance.stateful ?? false,
    })),
    staticNames: Object.entries(spec.names ?? {}).map(([name, target]) => ({ name, target })),
    serviceTags: new Map(
      Object.entries(spec.tags ?? {}).map(([name, prefixes]) => [name.toLowerCase(), { name, prefixes }]),
    ),
  };
}

/** Two networks that are peered, with an application, an appliance, an endpoint and everything in order. */
export const HUB_AND_SPOKE: NetworkSpec = {
  vnets: {
    hub: {
      ranges: ['10.0.0.0/16'],
      subnets: {
        firewall: '10.0.0.0/24',
        endpoints: { prefix: '10.0.1.0/24', nsg: 'endpoint-nsg', policies: 'Enabled' },
      },
    },
    spoke: {
      ranges: ['10.1.0.0/16'],
      subnets: { app: { prefix: '10.1.0.0/24', nsg: 'app-nsg', routeTable: 'app-routes' } },
    },
  },
  peerings: [['hub', 'spoke', { forwarded: true }, { forwarded: true }]],
  nics: {
    firewall: { subnet: 'firewall', address: '10.0.0.4', forwarding: true },
    app: { subnet: 'app', address: '10.1.0.4', asgs: ['web'] },
  },
  nsgs: {
    'app-nsg': [
      { name: 'AllowWeb', priority: 100, direction: 'In', access: 'Allow', protocol: 'Tcp', destinationPorts: 443 },
      { name: 'DenyStorage', priority: 200, direction: 'Out', access: 'Deny', destination: 'Storage' },
    ],
    'endpoint-nsg': [],
  },
  asgs: ['web'],
  routeTables: {
    'app-routes': [{ name: 'to-hub', prefix: '10.0.0.0/16', type: 'VirtualAppliance', hop: '10.0.0.4' }],
  },
  endpoints: { sqlpe: { subnet: 'endpoints', address: '10.0.1.4', target: 'sqlmi1' } },
  services: { sqlmi1: {} },
  tags: { Storage: ['20.60.0.0/16'], Sql: ['20.40.0.0/16'] },
};

function base(kind: string, name: string): { readonly id: string; readonly name: string; readonly type: string } {
  return { id: idOf(kind, name), name, type: `Microsoft.Network/${kind}` };
}

function subnetIdsOf(spec: NetworkSpec): ReadonlyMap<string, string> {
  const ids = new Map<string, string>();
  for (const [vnet, { subnets }] of Object.entries(spec.vnets ?? {})) {
    for (const subnet of Object.keys(subnets ?? {})) {
      const id = `${idOf('virtualNetworks', vnet)}/subnets/${subnet}`;
      ids.set(`${vnet}/${subnet}`, id);
      if (!ids.has(subnet)) ids.set(subnet, id);
    }
  }
  return ids;
}

function subnetReference(ids: ReadonlyMap<string, string>, name: string): { readonly id: string } {
  return { id: ids.get(name) ?? `${idOf('virtualNetworks', 'nowhere')}/subnets/${name}` };
}

function makeVnet(spec: NetworkSpec, name: string, vnet: VnetSpec): VirtualNetwork {
  return {
    ...base('virtualNetworks', name),
    ...(vnet.location !== undefined && { location: vnet.location }),
    properties: {
      addressSpace: { addressPrefixes: vnet.ranges },
      subnets: Object.entries(vnet.subnets ?? {}).map(([subnet, it]) => makeSubnet(name, subnet, it)),
      virtualNetworkPeerings: (spec.peerings ?? []).flatMap(([a, b, flagsA = {}, flagsB = {}]) => [
        ...(a === name ? [makePeering(a, b, flagsA)] : []),
        ...(b === name ? [makePeering(b, a, flagsB)] : []),
      ]),
      ...(vnet.dnsServers && { dhcpOptions: { dnsServers: vnet.dnsServers } }),
      ...(vnet.flowTimeoutInMinutes !== undefined && { flowTimeoutInMinutes: vnet.flowTimeoutInMinutes }),
      ...(vnet.privateEndpointVNetPolicies !== undefined && {
        privateEndpointVNetPolicies: vnet.privateEndpointVNetPolicies,
      }),
    },
  };
}

function makeSubnet(vnet: string, name: string, given: string | SubnetSpec): Subnet {
  const spec: SubnetSpec = typeof given === 'string' ? { prefix: given } : given;
  return {
    ...base(`virtualNetworks/${vnet}/subnets`, name),
    properties: {
      addressPrefix: spec.prefix,
      ...(spec.nsg !== undefined && { networkSecurityGroup: { id: idOf('networkSecurityGroups', spec.nsg) } }),
      ...(spec.routeTable !== undefined && { routeTable: { id: idOf('routeTables', spec.routeTable) } }),
      ...(spec.natGateway !== undefined && { natGateway: { id: idOf('natGateways', spec.natGateway) } }),
      delegations:
        spec.delegatedTo === undefined ? [] : [{ name: 'delegation', properties: { serviceName: spec.delegatedTo } }],
      serviceEndpoints: (spec.serviceEndpoints ?? []).map((service) => ({ service })),
      privateEndpointNetworkPolicies: spec.policies ?? 'Disabled',
      ...(spec.defaultOutboundAccess !== undefined && { defaultOutboundAccess: spec.defaultOutboundAccess }),
    },
  };
}

function makePeering(from: string, to: string, flags: PeeringSpec): VirtualNetworkPeering {
  return {
    ...base(`virtualNetworks/${from}/virtualNetworkPeerings`, `${from}-to-${to}`),
    properties: {
      remoteVirtualNetwork: { id: idOf('virtualNetworks', to) },
      peeringState: 'Connected',
      allowVirtualNetworkAccess: flags.access ?? true,
      allowForwardedTraffic: flags.forwarded ?? false,
      allowGatewayTransit: flags.gatewayTransit ?? false,
      useRemoteGateways: flags.useRemoteGateways ?? false,
    },
  };
}

function makeNic(name: string, spec: NicSpec, subnetIds: ReadonlyMap<string, string>): NetworkInterface {
  const addresses = typeof spec.address === 'string' ? [spec.address] : spec.address;
  const id = idOf('networkInterfaces', name);
  const configuration = (privateIPAddress: string, index: number): IpConfiguration => ({
    id: `${id}/ipConfigurations/ipconfig${index + 1}`,
    name: `ipconfig${index + 1}`,
    properties: {
      privateIPAddress,
      privateIPAllocationMethod: 'Static',
      subnet: subnetReference(subnetIds, spec.subnet),
      primary: index === 0,
      ...(index === 0 &&
        spec.publicIp !== undefined && { publicIPAddress: { id: idOf('publicIPAddresses', spec.publicIp) } }),
      applicationSecurityGroups: (spec.asgs ?? []).map((asg) => ({ id: idOf('applicationSecurityGroups', asg) })),
    },
  });
  return {
    ...base('networkInterfaces', name),
    ...(spec.location !== undefined && { location: spec.location }),
    ...(spec.tags && { tags: spec.tags }),
    properties: {
      ipConfigurations: addresses.map(configuration),
      enableIPForwarding: spec.forwarding ?? false,
      ...(spec.macAddress !== undefined && { macAddress: spec.macAddress }),
      ...(spec.mtu !== undefined && { mtu: spec.mtu }),
      ...(spec.nsg !== undefined && { networkSecurityGroup: { id: idOf('networkSecurityGroups', spec.nsg) } }),
    },
  };
}

function makeNsg(
  name: string,
  rules: readonly (ShortRule & { readonly provisioningState?: string })[],
): NetworkSecurityGroup {
  const id = idOf('networkSecurityGroups', name);
  const securityRules = rules.map(({ provisioningState, ...rule }) => {
    const expanded = shortRule(rule, id, (asg) => idOf('applicationSecurityGroups', asg));
    if (provisioningState === undefined) return expanded;
    return { ...expanded, properties: { ...expanded.properties, provisioningState } };
  });
  return { ...base('networkSecurityGroups', name), properties: { securityRules, flushConnection: false } };
}

function makeRouteTable(name: string, given: readonly RouteSpec[] | RouteTableSpec): RouteTable {
  const spec: RouteTableSpec = 'routes' in given ? given : { routes: given };
  const routes = spec.routes.map((route): Route => ({
    id: `${idOf('routeTables', name)}/routes/${route.name}`,
    name: route.name,
    properties: {
      addressPrefix: route.prefix,
      nextHopType: route.type,
      ...(route.hop !== undefined && { nextHopIpAddress: route.hop }),
    },
  }));
  return {
    ...base('routeTables', name),
    properties: { routes, disableBgpRoutePropagation: spec.disableBgp ?? false },
  };
}

function makeEndpoint(name: string, spec: EndpointSpec, subnetIds: ReadonlyMap<string, string>): PrivateEndpoint {
  const isName = !spec.target.includes('/') && !spec.target.includes('.');
  const connection = {
    name,
    properties: {
      privateLinkServiceId: isName ? idOf('privateLinkResources', spec.target) : spec.target,
      groupIds: spec.groupIds ?? ['managedInstance'],
      ...(spec.requestMessage !== undefined && { requestMessage: spec.requestMessage }),
      privateLinkServiceConnectionState: { status: spec.state ?? 'Approved' },
    },
  };
  return {
    ...base('privateEndpoints', name),
    ...(spec.location !== undefined && { location: spec.location }),
    properties: {
      subnet: subnetReference(subnetIds, spec.subnet),
      privateLinkServiceConnections: spec.manual === true ? [] : [connection],
      manualPrivateLinkServiceConnections: spec.manual === true ? [connection] : [],
      networkInterfaces: [],
      ipConfigurations:
        spec.staticAddress === undefined
          ? []
          : [{ name: 'static', properties: { privateIPAddress: spec.staticAddress } }],
      customDnsConfigs: [],
      applicationSecurityGroups: (spec.asgs ?? []).map((asg) => ({ id: idOf('applicationSecurityGroups', asg) })),
      privateIPAddress: spec.address,
    },
  };
}

function makeService(name: string, spec: ServiceSpec, subnetIds: ReadonlyMap<string, string>): PrivateLinkResource {
  return {
    ...base('privateLinkResources', name),
    type: spec.type ?? 'Microsoft.Sql/managedInstances',
    ...(spec.location !== undefined && { location: spec.location }),
    properties: {
      backendAddress: spec.backendAddress ?? '192.0.2.10',
      ports: spec.ports ?? ['1433'],
      hostNames: [],
      ...(spec.subnet !== undefined && { subnet: subnetReference(subnetIds, spec.subnet) }),
    },
  };
}

function makeGateway(
  name: string,
  spec: { readonly vnet: string; readonly type?: 'Vpn' | 'ExpressRoute' },
): VirtualNetworkGateway {
  return {
    ...base('virtualNetworkGateways', name),
    properties: {
      gatewayType: spec.type ?? 'Vpn',
      virtualNetwork: { id: idOf('virtualNetworks', spec.vnet) },
      learnedRoutes: [],
    },
  };
}
