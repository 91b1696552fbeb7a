// The inner model: Azure resource objects with Azure's property names, normalised. Readers (input/) bring every input
// form to these shapes: nested under `properties`, keys in Azure's spelling, references as `{ id }` with the id in the
// spelling of the object it names. Objects are never changed in place: a control-plane change makes new ones.

import type { Reference, ResourceBase, SourceLocation } from './base.ts';
import type { DnsForwardingRuleset, DnsServer, PrivateDnsZone, PrivateDnsZoneGroup, PublicDnsRecord } from './dns.ts';
import type { LoadBalancer, PrivateLinkService, UnhealthyBackend } from './load-balancing.ts';
import type { DataFactory, NetworkManager, SecurityAdminRule, SqlSettings, SubResource } from './services.ts';

export type { Reference, SourceLocation } from './base.ts';

export interface VirtualNetwork extends ResourceBase {
  readonly properties: {
    readonly addressSpace: { readonly addressPrefixes: readonly string[] };
    readonly dhcpOptions?: { readonly dnsServers: readonly string[] };
    readonly subnets: readonly Subnet[];
    readonly virtualNetworkPeerings: readonly VirtualNetworkPeering[];
    readonly flowTimeoutInMinutes?: number;
    readonly privateEndpointVNetPolicies?: string;
  };
}

export type PrivateEndpointNetworkPolicies =
  'Disabled' | 'Enabled' | 'NetworkSecurityGroupEnabled' | 'RouteTableEnabled';

export interface Subnet extends ResourceBase {
  readonly properties: {
    /** First IPv4 prefix; `addressPrefixes` of an export is folded into it. */
    readonly addressPrefix: string;
    readonly networkSecurityGroup?: Reference;
    readonly routeTable?: Reference;
    readonly natGateway?: Reference;
    readonly delegations: readonly { readonly name: string; readonly properties: { readonly serviceName: string } }[];
    readonly serviceEndpoints: readonly { readonly service: string; readonly locations?: readonly string[] }[];
    readonly privateEndpointNetworkPolicies: PrivateEndpointNetworkPolicies;
    readonly privateLinkServiceNetworkPolicies?: 'Enabled' | 'Disabled';
    /** NET-16; undefined is Azure's null. */
    readonly defaultOutboundAccess?: boolean;
  };
}

export interface VirtualNetworkPeering extends ResourceBase {
  readonly properties: {
    readonly remoteVirtualNetwork: Reference;
    readonly peeringState: 'Initiated' | 'Connected' | 'Disconnected';
    readonly allowVirtualNetworkAccess: boolean;
    readonly allowForwardedTraffic: boolean;
    readonly allowGatewayTransit: boolean;
    readonly useRemoteGateways: boolean;
    /** Subnet peering (PEER-8): subnets of this and of the remote network that take part; undefined: all. */
    readonly localSubnetNames?: readonly string[];
    readonly remoteSubnetNames?: readonly string[];
    /** What the remote network's ranges were when they were last synced, where they have changed since (PEER-2). */
    readonly remoteAddressSpace?: { readonly addressPrefixes: readonly string[] };
  };
}

export interface IpConfiguration {
  readonly id: string;
  readonly name: string;
  readonly source?: SourceLocation;
  readonly properties: {
    readonly privateIPAddress: string;
    readonly privateIPAllocationMethod: 'Dynamic' | 'Static';
    readonly subnet: Reference;
    readonly primary: boolean;
    readonly publicIPAddress?: Reference;
    readonly applicationSecurityGroups?: readonly Reference[];
    /** Pools of load balancers that it is a member of. */
    readonly loadBalancerBackendAddressPools?: readonly Reference[];
  };
}

export interface NetworkInterface extends ResourceBase {
  readonly properties: {
    readonly ipConfigurations: readonly IpConfiguration[];
    readonly macAddress?: string;
    readonly enableIPForwarding: boolean;
    readonly networkSecurityGroup?: Reference;
    readonly virtualMachine?: Reference;
    readonly dnsSettings?: { readonly dnsServers: readonly string[] };
    readonly disableTcpStateTracking?: boolean;
    readonly allowPort25Out?: boolean;
    /** MTU of the guest, bytes (WIRE-13); the emulator's own, default 1500. */
    readonly mtu?: number;
    readonly defaultOutboundConnectivityEnabled?: boolean;
    /** Set on the read-only NIC of a private endpoint (PE-3): such a NIC has no guest. */
    readonly privateEndpoint?: Reference;
    /** Set on NICs that the reader made for a service that stands in a subnet (SQLMI-26) or for a data factory. */
    readonly service?: Reference;
  };
}

export interface SecurityRule {
  readonly id: string;
  readonly name: string;
  readonly source?: SourceLocation;
  readonly properties: {
    readonly priority: number;
    readonly direction: 'Inbound' | 'Outbound';
    readonly access: 'Allow' | 'Deny';
    readonly protocol: 'Tcp' | 'Udp' | 'Icmp' | 'Esp' | 'Ah' | '*';
    /** Singular and plural forms folded: at least one entry unless application security groups are given. */
    readonly sourceAddressPrefixes: readonly string[];
    readonly destinationAddressPrefixes: readonly string[];
    readonly sourcePortRanges: readonly string[];
    readonly destinationPortRanges: readonly string[];
    readonly sourceApplicationSecurityGroups: readonly Reference[];
    readonly destinationApplicationSecurityGroups: readonly Reference[];
    readonly description?: string;
    readonly provisioningState?: string;
  };
}

export interface NetworkSecurityGroup extends ResourceBase {
  readonly properties: {
    /** User rules only; the default rules of NSG-9 are the compiler's. */
    readonly securityRules: readonly SecurityRule[];
    readonly flushConnection: boolean;
  };
}

export interface ApplicationSecurityGroup extends ResourceBase {
  readonly properties: Readonly<Record<string, never>>;
}

export type UserNextHopType = 'VirtualAppliance' | 'VirtualNetworkGateway' | 'VnetLocal' | 'Internet' | 'None';

export interface Route {
  readonly id: string;
  readonly name: string;
  readonly source?: SourceLocation;
  readonly properties: {
    /** CIDR or service tag (ROUTE-17). */
    readonly addressPrefix: string;
    readonly nextHopType: UserNextHopType;
    readonly nextHopIpAddress?: string;
  };
}

export interface RouteTable extends ResourceBase {
  readonly properties: { readonly routes: readonly Route[]; readonly disableBgpRoutePropagation: boolean };
}

export interface PublicIPAddress extends ResourceBase {
  readonly sku: 'Standard' | 'Basic';
  readonly properties: { readonly ipAddress?: string; readonly idleTimeoutInMinutes: number };
}

export interface NatGateway extends ResourceBase {
  readonly properties: {
    readonly publicIpAddresses: readonly Reference[];
    /** Subnets it serves, merged from both ends of the link. */
    readonly subnets: readonly Reference[];
    readonly idleTimeoutInMinutes: number;
  };
}

export type ConnectionState = 'Pending' | 'Approved' | 'Rejected' | 'Disconnected';

export interface PrivateLinkServiceConnection {
  readonly name: string;
  readonly source?: SourceLocation;
  readonly properties: {
    /** Resource id or alias of the target. */
    readonly privateLinkServiceId: string;
    readonly groupIds: readonly string[];
    readonly requestMessage?: string;
    readonly privateLinkServiceConnectionState: {
      readonly status: ConnectionState;
      readonly description?: string;
      readonly actionsRequired?: string;
    };
    /** LinkID (PE-2, PLS-20); derived from the endpoint's id when the input has none. */
    readonly linkIdentifier?: number;
  };
}

export interface PrivateEndpoint extends ResourceBase {
  readonly properties: {
    readonly subnet: Reference;
    /** Automatic approval (PE-12). */
    readonly privateLinkServiceConnections: readonly PrivateLinkServiceConnection[];
    /** Manual approval (PE-13). */
    readonly manualPrivateLinkServiceConnections: readonly PrivateLinkServiceConnection[];
    readonly networkInterfaces: readonly Reference[];
    readonly ipConfigurations: readonly {
      readonly name: string;
      readonly properties: {
        readonly groupId?: string;
        readonly memberName?: string;
        readonly privateIPAddress: string;
      };
    }[];
    readonly customDnsConfigs: readonly { readonly fqdn: string; readonly ipAddresses: readonly string[] }[];
    readonly applicationSecurityGroups: readonly Reference[];
    /** Resolved by the reader: the endpoint's address (from ipConfigurations, its NIC, or allocated: PE-4). */
    readonly privateIPAddress: string;
  };
}

/** What stands behind a private endpoint: SQL Managed Instance, storage account, any other target of a connection. */
export interface PrivateLinkResource extends ResourceBase {
  readonly properties: {
    /** Address of the service itself as its own capture shows it (PE-36). */
    readonly backendAddress: string;
    /** Served TCP ports, `1433` or `11000-11999`. */
    readonly ports: readonly string[];
    /** Host names that lead to it, e.g. `mi1.zone1.database.windows.net`. */
    readonly hostNames: readonly string[];
    /** Subnet that the service stands in; a SQL Managed Instance has one (SQLMI-26). */
    readonly subnet?: Reference;
    /** Address of its public endpoint (DNS-8), and whether that is open (PE-10, PE-26); default Enabled. */
    readonly publicAddress?: string;
    readonly publicNetworkAccess?: 'Enabled' | 'Disabled';
    readonly subResources?: readonly SubResource[];
    readonly sql?: SqlSettings;
  };
}

/** A virtual network gateway with what it has learned (BGP and local network gateways). */
export interface VirtualNetworkGateway extends ResourceBase {
  readonly properties: {
    readonly gatewayType: 'Vpn' | 'ExpressRoute';
    /** Network it stands in (by its GatewaySubnet). */
    readonly virtualNetwork: Reference;
    readonly learnedRoutes: readonly string[];
    /** Printed as next hop address of learned routes (ROUTE-9). */
    readonly gatewayAddress?: string;
  };
}

/** How a guest that forwards behaves (emulator's own; a real network cannot tell it). */
export interface ApplianceBehaviour {
  readonly nic: Reference;
  readonly snat: boolean;
  readonly stateful: boolean;
}

/** A static name that scenario hosts may connect to (DNS comes later). */
export interface StaticName {
  readonly name: string;
  /** NIC, endpoint or resource id, or an IPv4 address. */
  readonly target: string;
}

/** The whole network after reading: what validate checks and compile turns into a program. */
export interface Network {
  readonly virtualNetworks: readonly VirtualNetwork[];
  /** NICs of guests; the read-only NICs of private endpoints are folded into the endpoints. */
  readonly networkInterfaces: readonly NetworkInterface[];
  readonly networkSecurityGroups: readonly NetworkSecurityGroup[];
  readonly applicationSecurityGroups: readonly ApplicationSecurityGroup[];
  readonly routeTables: readonly RouteTable[];
  readonly publicIPAddresses: readonly PublicIPAddress[];
  readonly natGateways: readonly NatGateway[];
  readonly privateEndpoints: readonly PrivateEndpoint[];
  readonly privateLinkResources: readonly PrivateLinkResource[];
  readonly virtualNetworkGateways: readonly VirtualNetworkGateway[];
  readonly appliances: readonly ApplianceBehaviour[];
  readonly staticNames: readonly StaticName[];
  readonly serviceTags: ServiceTagTable;
  readonly loadBalancers: readonly LoadBalancer[];
  readonly unhealthyBackends: readonly UnhealthyBackend[];
  readonly privateLinkServices: readonly PrivateLinkService[];
  readonly privateDnsZones: readonly PrivateDnsZone[];
  readonly privateDnsZoneGroups: readonly PrivateDnsZoneGroup[];
  readonly dnsForwardingRulesets: readonly DnsForwardingRuleset[];
  readonly dnsServers: readonly DnsServer[];
  readonly publicDnsRecords: readonly PublicDnsRecord[];
  readonly dataFactories: readonly DataFactory[];
  readonly networkManagers: readonly NetworkManager[];
  readonly securityAdminRules: readonly SecurityAdminRule[];
}

/** A network with nothing in it: what tests and made-up networks spread first. */
export const EMPTY_NETWORK: Network = {
  virtualNetworks: [],
  networkInterfaces: [],
  networkSecurityGroups: [],
  applicationSecurityGroups: [],
  routeTables: [],
  publicIPAddresses: [],
  natGateways: [],
  privateEndpoints: [],
  privateLinkResources: [],
  virtualNetworkGateways: [],
  appliances: [],
  staticNames: [],
  serviceTags: new Map(),
  loadBalancers: [],
  unhealthyBackends: [],
  privateLinkServices: [],
  privateDnsZones: [],
  privateDnsZoneGroups: [],
  dnsForwardingRulesets: [],
  dnsServers: [],
  publicDnsRecords: [],
  dataFactories: [],
  networkManagers: [],
  securityAdminRules: [],
};

/** Service tags by lower-case name (`storage`, `sql.westeurope`) to prefixes (NSG-20). */
export type ServiceTagTable = ReadonlyMap<string, { readonly name: string; readonly prefixes: readonly string[] }>;

/** Comparison form of a resource id: Azure compares ids without regard to case; exports differ in a leading slash. */
export function idKey(id: string): string {
  const lower = id.toLowerCase();
  return lower.startsWith('/') ? lower.slice(1) : lower;
}
