// Azure resource types and ids: which types are read and how, what an id says about its resource, and the ids that are
// made for resources that come without one (short topologies).

/** What a type is to the reader. `child` kinds are listed inside their parent or as resources of their own. */
export type Kind =
  | 'virtualNetwork'
  | 'subnet'
  | 'peering'
  | 'networkInterface'
  | 'networkSecurityGroup'
  | 'securityRule'
  | 'applicationSecurityGroup'
  | 'routeTable'
  | 'route'
  | 'publicIPAddress'
  | 'natGateway'
  | 'privateEndpoint'
  | 'virtualNetworkGateway'
  | 'localNetworkGateway'
  | 'connection'
  | 'virtualMachine'
  | 'loadBalancer'
  | 'privateLinkService'
  | 'privateDnsZone'
  | 'dnsZoneLink'
  | 'dnsRecordSet'
  | 'dnsZoneGroup'
  | 'dnsForwardingRuleset'
  | 'dnsForwardingRule'
  | 'dnsRulesetLink'
  | 'publicDnsRecord'
  | 'dnsResolver'
  | 'dnsInboundEndpoint'
  | 'dnsOutboundEndpoint'
  | 'dataFactory'
  | 'managedVirtualNetwork'
  | 'managedPrivateEndpoint'
  | 'networkManager'
  | 'privateLinkResource'
  | 'ignored';

/** Kinds in Azure's spelling of their type. */
export const TYPE_OF_KIND = {
  virtualNetwork: 'Microsoft.Network/virtualNetworks',
  subnet: 'Microsoft.Network/virtualNetworks/subnets',
  peering: 'Microsoft.Network/virtualNetworks/virtualNetworkPeerings',
  networkInterface: 'Microsoft.Network/networkInterfaces',
  networkSecurityGroup: 'Microsoft.Network/networkSecurityGroups',
  securityRule: 'Microsoft.Network/networkSecurityGroups/securityRules',
  applicationSecurityGroup: 'Microsoft.Network/applicationSecurityGroups',
  routeTable: 'Microsoft.Network/routeTables',
  route: 'Microsoft.Network/routeTables/routes',
  publicIPAddress: 'Microsoft.Network/publicIPAddresses',
  natGateway: 'Microsoft.Network/natGateways',
  privateEndpoint: 'Microsoft.Network/privateEndpoints',
  virtualNetworkGateway: 'Microsoft.Network/virtualNetworkGateways',
  localNetworkGateway: 'Microsoft.Network/localNetworkGateways',
  connection: 'Microsoft.Network/connections',
  virtualMachine: 'Microsoft.Compute/virtualMachines',
  loadBalancer: 'Microsoft.Network/loadBalancers',
  privateLinkService: 'Microsoft.Network/privateLinkServices',
  privateDnsZone: 'Microsoft.Network/privateDnsZones',
  dnsZoneLink: 'Microsoft.Network/privateDnsZones/virtualNetworkLinks',
  dnsZoneGroup: 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups',
  dnsForwardingRuleset: 'Microsoft.Network/dnsForwardingRulesets',
  dnsForwardingRule: 'Microsoft.Network/dnsForwardingRulesets/forwardingRules',
  dnsRulesetLink: 'Microsoft.Network/dnsForwardingRulesets/virtualNetworkLinks',
  publicDnsRecord: 'Vnetem.Emulator/publicDnsRecords',
  dnsResolver: 'Microsoft.Network/dnsResolvers',
  dnsInboundEndpoint: 'Microsoft.Network/dnsResolvers/inboundEndpoints',
  dnsOutboundEndpoint: 'Microsoft.Network/dnsResolvers/outboundEndpoints',
  dataFactory: 'Microsoft.DataFactory/factories',
  managedVirtualNetwork: 'Microsoft.DataFactory/factories/managedVirtualNetworks',
  managedPrivateEndpoint: 'Microsoft.DataFactory/factories/managedVirtualNetworks/managedPrivateEndpoints',
  networkManager: 'Microsoft.Network/networkManagers',
} as const;

export interface ServiceType {
  readonly ports: readonly string[];
  /** Sub-resource that a private endpoint takes when the topology names none (PE-1). */
  readonly groupId: string;
}

const SQL_PORTS = ['1433'];
const HTTPS_PORTS = ['443'];

/** Targets of private endpoints that are kept even when no endpoint leads to them, by lower-case type. */
export const SERVICE_TYPES: ReadonlyMap<string, ServiceType> = new Map([
  ['microsoft.sql/managedinstances', { ports: SQL_PORTS, groupId: 'managedInstance' }], // SQLMI-14
  ['microsoft.sql/servers', { ports: SQL_PORTS, groupId: 'sqlServer' }],
  ['microsoft.storage/storageaccounts', { ports: HTTPS_PORTS, groupId: 'blob' }],
  ['microsoft.keyvault/vaults', { ports: HTTPS_PORTS, groupId: 'vault' }],
  ['microsoft.web/sites', { ports: HTTPS_PORTS, groupId: 'sites' }],
]);

/** Ports of sub-resources that are not served on 443, by lower-case group id. */
const GROUP_PORTS: ReadonlyMap<string, readonly string[]> = new Map([
  ['managedinstance', SQL_PORTS],
  ['sqlserver', SQL_PORTS],
  ['sql', SQL_PORTS],
  ['postgresqlserver', ['5432']],
  ['mysqlserver', ['3306']],
  ['rediscache', ['6380']],
]);

/** Served ports of a target that states none: by what endpoints ask of it, else by its type, else 443 (PE-25). */
export function defaultPorts(type: string, groupIds: readonly string[]): readonly string[] {
  const byGroup = groupIds.flatMap((groupId) => GROUP_PORTS.get(groupId.toLowerCase()) ?? HTTPS_PORTS);
  if (byGroup.length > 0) return [...new Set(byGroup)];
  return SERVICE_TYPES.get(type.toLowerCase())?.ports ?? HTTPS_PORTS;
}

const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ...Object.entries(TYPE_OF_KIND).map(([kind, type]): [string, Kind] => [type.toLowerCase(), kind as Kind]),
  ...[...SERVICE_TYPES.keys()].map((type): [string, Kind] => [type, 'privateLinkResource']),
  // What private endpoints were called in 2018 and 2019 (IFE-2).
  ['microsoft.network/interfaceendpoints', 'privateEndpoint'],
  // Read from the group or interface that lists them, or not at all (NSG-9).
  ['microsoft.network/networksecuritygroups/defaultsecurityrules', 'ignored'],
  ['microsoft.network/networkinterfaces/ipconfigurations', 'ignored'],
  ...[
    'frontendIPConfigurations',
    'backendAddressPools',
    'loadBalancingRules',
    'inboundNatRules',
    'outboundRules',
    'probes',
  ].map((list): [string, Kind] => [`microsoft.network/loadbalancers/${list.toLowerCase()}`, 'ignored']),
  ['microsoft.network/privatelinkservices/privateendpointconnections', 'ignored'],
  ...['a', 'aaaa', 'cname', 'txt', 'ptr', 'mx', 'srv', 'soa'].map((record): [string, Kind] => [
    `microsoft.network/privatednszones/${record}`,
    'dnsRecordSet',
  ]),
]);

/** Kind of a type; undefined for types that are not emulated. */
export function kindOfType(type: string): Kind | undefined {
  return KINDS.get(type.toLowerCase());
}

/** Type and name that an id tells: `…/providers/Microsoft.Network/virtualNetworks/hub/subnets/app`. */
export function readId(id: string): { readonly type: string; readonly name: string } | undefined {
  const parts = id.split('/').filter((part) => part !== '');
  const provider = parts.findLastIndex((part) => part.toLowerCase() === 'providers');
  const [namespace, ...pairs] = parts.slice(provider + 1);
  if (provider < 0 || namespace === undefined || pairs.length < 2 || pairs.length % 2 === 1) return undefined;
  const types = pairs.filter((_, index) => index % 2 === 0);
  return { type: [namespace, ...types].join('/'), name: pairs.at(-1) ?? '' };
}

/** Id of the resource that a child resource stands in. */
export function parentId(id: string): string {
  return id.split('/').slice(0, -2).join('/');
}

/** Id for a resource that has none: `hub/app` of type `…/virtualNetworks/subnets` becomes `…/hub/subnets/app`. */
export function makeId(type: string, name: string, resourceGroup = 'vnetem'): string {
  const [namespace = '', ...types] = type.split('/');
  const names = name.split('/');
  const pairs = types.map((part, index) => `${part}/${names[index] ?? ''}`);
  const group = `/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/${resourceGroup}`;
  return `${group}/providers/${[namespace, ...pairs].join('/')}`;
}

/** Last part of an id, as people call the resource. */
export function shortName(id: string): string {
  return id.split('/').at(-1) ?? id;
}
