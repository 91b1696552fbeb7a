// Short networks for compiler tests: a few words per object, expanded to resource objects as a reader would make them.

import { behaviourOf, type Behaviour, type ProfileName, type Switches } from '../../../src/control/model/profile.ts';
import { EMPTY_NETWORK } from '../../../src/control/model/resources.ts';
import type {
  ApplicationSecurityGroup,
  NatGateway,
  Network,
  NetworkInterface,
  NetworkSecurityGroup,
  PrivateEndpoint,
  PrivateLinkResource,
  PublicIPAddress,
  RouteTable,
  SecurityRule,
  Subnet,
  UserNextHopType,
  VirtualNetwork,
  VirtualNetworkPeering,
} from '../../../src/control/model/resources.ts';

export type RuleWords = readonly [
  priority: number,
  direction: 'In' | 'Out',
  protocol: SecurityRule['properties']['protocol'],
  source: string,
  sourcePort: string,
  destination: string,
  destinationPort: string,
  access: 'Allow' | 'Deny',
  name: string,
];
export type RouteWords = readonly [prefix: string, hop: UserNextHopType, address: string | null, name: string];
type LinkFlags = Partial<VirtualNetworkPeering['properties']>;

export interface Words {
  vnets: Record<string, readonly string[]>;
  subnets: Record<
    string,
    {
      vnet: string;
      cidr: string;
      nsg?: string;
      rt?: string;
      nat?: string;
      pePolicy?: Subnet['properties']['privateEndpointNetworkPolicies'];
      defaultOutboundAccess?: boolean;
    }
  >;
  nics?: Record<
    string,
    { subnet: string; ip: string; nsg?: string; ipfwd?: boolean; pip?: string; mac?: string; tags?: object } & {
      properties?: Partial<NetworkInterface['properties']>;
      secondary?: string;
    }
  >;
  nsgs?: Record<string, readonly RuleWords[]>;
  /** Groups with flushConnection. */
  flush?: readonly string[];
  rts?: Record<string, readonly RouteWords[]>;
  /** Route tables with disableBgpRoutePropagation. */
  noPropagation?: readonly string[];
  bgp?: Record<string, readonly string[]>;
  gatewayType?: 'Vpn' | 'ExpressRoute';
  peers?: readonly (readonly [string, string, Record<string, LinkFlags>])[];
  pes?: Record<
    string,
    { subnet: string; ip: string; ports: readonly string[]; state?: 'Pending' | 'Approved' | 'Rejected'; type?: string }
  >;
  /** Service endpoints: subnet to services. */
  se?: Record<string, readonly string[]>;
  asgs?: Record<string, readonly string[]>;
  nats?: Record<string, readonly string[]>;
  tags?: Record<string, readonly string[]>;
  dns?: Record<string, readonly string[]>;
  locations?: Record<string, string>;
  basicIps?: readonly string[];
}

export const id = (kind: string, name: string): string =>
  `/subscriptions/s/providers/Microsoft.Network/${kind}/${name}`;
export const vnetId = (name: string): string => id('virtualNetworks', name);
export const nicId = (name: string): string => id('networkInterfaces', name);
export const endpointId = (name: string): string => id('privateEndpoints', name);

export function behaviour(profile: ProfileName = 'ga-2026', overrides: Partial<Switches> = {}): Behaviour {
  return behaviourOf(profile, overrides);
}

/** Id of a subnet by its short name. */
export function subnetId(words: Words, name: string): string {
  return `${vnetId(words.subnets[name].vnet)}/subnets/${name}`;
}

export function networkOf(words: Words): Network {
  return {
    ...EMPTY_NETWORK,
    virtualNetworks: Object.keys(words.vnets).map((name) => vnet(words, name)),
    networkInterfaces: Object.keys(words.nics ?? {}).map((name) => nic(words, name)),
    networkSecurityGroups: Object.entries(words.nsgs ?? {}).map(([name, rules]) => ({
      ...base('networkSecurityGroups', name),
      properties: {
        securityRules: rules.map((rule) => securityRule(words, rule)),
        flushConnection: words.flush?.includes(name) ?? false,
      },
    })) satisfies NetworkSecurityGroup[],
    applicationSecurityGroups: Object.keys(words.asgs ?? {}).map((name) => ({
      ...base('applicationSecurityGroups', name),
      properties: {},
    })) satisfies ApplicationSecurityGroup[],
    routeTables: Object.entries(words.rts ?? {}).map(([name, routes]) => routeTable(words, name, routes)),
    publicIPAddresses: publicIps(words),
    natGateways: Object.entries(words.nats ?? {}).map(([name, addresses]) => ({
      ...base('natGateways', name),
      properties: {
        publicIpAddresses: addresses.map((address) => ({ id: id('publicIPAddresses', address) })),
        subnets: [],
        idleTimeoutInMinutes: 4,
      },
    })) satisfies NatGateway[],
    privateEndpoints: Object.keys(words.pes ?? {}).map((name) => privateEndpoint(words, name)),
    privateLinkResources: Object.entries(words.pes ?? {}).map(([name, pe]) => ({
      ...base('targets', `${name}-target`),
      type: pe.type ?? 'Microsoft.Sql/managedInstances',
      properties: { backendAddress: '10.255.0.10', ports: pe.ports, hostNames: [] },
    })) satisfies PrivateLinkResource[],
    virtualNetworkGateways: Object.entries(words.bgp ?? {}).map(([name, learnedRoutes]) => ({
      ...base('virtualNetworkGateways', `${name}-gw`),
      properties: {
        gatewayType: words.gatewayType ?? ('Vpn' as const),
        virtualNetwork: { id: vnetId(name) },
        learnedRoutes,
        gatewayAddress: '10.0.255.4',
      },
    })),
    appliances: [],
    staticNames: [],
    serviceTags: new Map(
      Object.entries({ Storage: ['20.60.0.0/16'], Sql: ['20.40.0.0/16'], ...words.tags }).map(([name, prefixes]) => [
        name.toLowerCase(),
        { name, prefixes },
      ]),
    ),
  };
}

export function securityRule(words: Pick<Words, 'asgs'>, rule: RuleWords): SecurityRule {
  const [priority, direction, protocol, source, sourcePort, destination, destinationPort, access, name] = rule;
  const list = (text: string): string[] => text.split(',');
  const isGroup = (text: string): boolean => words.asgs?.[text] !== undefined;
  const group = (text: string): { id: string }[] =>
    isGroup(text) ? [{ id: id('applicationSecurityGroups', text) }] : [];
  return {
    id: id('securityRules', name),
    name,
    properties: {
      priority,
      direction: direction === 'In' ? 'Inbound' : 'Outbound',
      access,
      protocol,
      sourceAddressPrefixes: isGroup(source) ? [] : list(source),
      destinationAddressPrefixes: isGroup(destination) ? [] : list(destination),
      sourcePortRanges: list(sourcePort),
      destinationPortRanges: list(destinationPort),
      sourceApplicationSecurityGroups: group(source),
      destinationApplicationSecurityGroups: group(destination),
    },
  };
}

function base(kind: string, name: string): { id: string; name: string; type: string } {
  return { id: id(kind, name), name, type: `Microsoft.Network/${kind}` };
}

function vnet(words: Words, name: string): VirtualNetwork {
  const location = words.locations?.[name];
  return {
    ...base('virtualNetworks', name),
    ...(location === undefined ? {} : { location }),
    properties: {
      addressSpace: { addressPrefixes: words.vnets[name] },
      dhcpOptions: { dnsServers: words.dns?.[name] ?? [] },
      subnets: Object.keys(words.subnets)
        .filter((subnetName) => words.subnets[subnetName].vnet === name)
        .map((subnetName) => subnet(words, subnetName)),
      virtualNetworkPeerings: (words.peers ?? []).flatMap(([a, b, flags]) =>
        a === name ? [peering(b, flags[a])] : b === name ? [peering(a, flags[b])] : [],
      ),
    },
  };
}

function peering(remote: string, flags: LinkFlags = {}): VirtualNetworkPeering {
  return {
    ...base('virtualNetworkPeerings', `to-${remote}`),
    properties: {
      remoteVirtualNetwork: { id: vnetId(remote) },
      peeringState: 'Connected',
      allowVirtualNetworkAccess: true,
      allowForwardedTraffic: false,
      allowGatewayTransit: false,
      useRemoteGateways: false,
      ...flags,
    },
  };
}

function subnet(words: Words, name: string): Subnet {
  const { cidr, nsg, rt, nat, pePolicy, defaultOutboundAccess } = words.subnets[name];
  return {
    ...base('subnets', name),
    id: subnetId(words, name),
    properties: {
      addressPrefix: cidr,
      ...(nsg === undefined ? {} : { networkSecurityGroup: { id: id('networkSecurityGroups', nsg) } }),
      ...(rt === undefined ? {} : { routeTable: { id: id('routeTables', rt) } }),
      ...(nat === undefined ? {} : { natGateway: { id: id('natGateways', nat) } }),
      delegations: [],
      serviceEndpoints: (words.se?.[name] ?? []).map((service) => ({ service })),
      privateEndpointNetworkPolicies: pePolicy ?? 'Disabled',
      ...(defaultOutboundAccess === undefined ? {} : { defaultOutboundAccess }),
    },
  };
}

function nic(words: Words, name: string): NetworkInterface {
  const { subnet: subnetName, ip, nsg, ipfwd, pip, mac, tags, properties, secondary } = words.nics![name];
  const groups = Object.entries(words.asgs ?? {}).filter(([, members]) => members.includes(name));
  const configuration = (address: string, primary: boolean): NetworkInterface['properties']['ipConfigurations'][0] => ({
    id: `${nicId(name)}/ipConfigurations/${address}`,
    name: address,
    properties: {
      privateIPAddress: address,
      privateIPAllocationMethod: 'Static',
      subnet: { id: subnetId(words, subnetName) },
      primary,
      ...(pip === undefined || !primary ? {} : { publicIPAddress: { id: id('publicIPAddresses', pip) } }),
      applicationSecurityGroups: primary
        ? groups.map(([group]) => ({ id: id('applicationSecurityGroups', group) }))
        : [],
    },
  });
  return {
    ...base('networkInterfaces', name),
    ...(tags === undefined ? {} : { tags: tags as Record<string, string> }),
    properties: {
      ipConfigurations: [
        configuration(ip, true),
        ...(secondary === undefined ? [] : [configuration(secondary, false)]),
      ],
      enableIPForwarding: ipfwd ?? false,
      ...(mac === undefined ? {} : { macAddress: mac }),
      ...(nsg === undefined ? {} : { networkSecurityGroup: { id: id('networkSecurityGroups', nsg) } }),
      ...properties,
    },
  };
}

function routeTable(words: Words, name: string, routes: readonly RouteWords[]): RouteTable {
  return {
    ...base('routeTables', name),
    properties: {
      routes: routes.map(([addressPrefix, nextHopType, address, routeName]) => ({
        id: id('routes', routeName),
        name: routeName,
        properties: { addressPrefix, nextHopType, ...(address === null ? {} : { nextHopIpAddress: address }) },
      })),
      disableBgpRoutePropagation: words.noPropagation?.includes(name) ?? false,
    },
  };
}

function publicIps(words: Words): PublicIPAddress[] {
  const ofNics = Object.values(words.nics ?? {}).flatMap((facts) => facts.pip ?? []);
  return [...new Set([...ofNics, ...Object.values(words.nats ?? {}).flat()])].map((address) => ({
    ...base('publicIPAddresses', address),
    sku: words.basicIps?.includes(address) === true ? 'Basic' : 'Standard',
    properties: { ipAddress: address, idleTimeoutInMinutes: 4 },
  }));
}

function privateEndpoint(words: Words, name: string): PrivateEndpoint {
  const { subnet: subnetName, ip, state } = words.pes![name];
  const groups = Object.entries(words.asgs ?? {}).filter(([, members]) => members.includes(name));
  return {
    ...base('privateEndpoints', name),
    properties: {
      subnet: { id: subnetId(words, subnetName) },
      privateLinkServiceConnections: [
        {
          name,
          properties: {
            privateLinkServiceId: id('targets', `${name}-target`),
            groupIds: ['managedInstance'],
            privateLinkServiceConnectionState: { status: state ?? 'Approved' },
          },
        },
      ],
      manualPrivateLinkServiceConnections: [],
      networkInterfaces: [],
      ipConfigurations: [],
      customDnsConfigs: [],
      applicationSecurityGroups: groups.map(([group]) => ({ id: id('applicationSecurityGroups', group) })),
      privateIPAddress: ip,
    },
  };
}
