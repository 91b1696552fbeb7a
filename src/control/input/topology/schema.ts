// The shape of topology.yaml as a zod schema: the single source of the type, of the shape check and of the published
// JSON Schema. Every key is described here, because editors show these texts.

import { MTU_LEAST, MTU_MOST } from '../../../abi/limits.ts';
import { z } from 'zod';
import * as parts from './schema-private.ts';
import { PROFILES } from '../../model/profile.ts';
import { switchesSchema } from '../switch-schema.ts';

const text = z.string();
const address = z.string().describe('IPv4 address, like 10.0.0.4');
const texts = z.union([text, z.array(text)]).describe('one text or a list');
const prefixes = z.union([text, z.array(text)]).describe('prefix like 10.0.0.0/16, or a list of prefixes');
const port = z.union([z.number(), text]);
const ports = z.union([port, z.array(port)]).describe('port, range like 8000-8010, "*", or a list of them');
const tags = z.record(z.string(), z.union([text, z.number(), z.boolean()])).describe('resource tags');
const minutes = z.number().describe('minutes');
const names = (of: string): z.ZodArray<z.ZodString> => z.array(text).describe(`names of ${of}`);

const gateway = z
  .strictObject({
    type: z.enum(['Vpn', 'ExpressRoute']).optional(),
    learnedRoutes: prefixes.optional().describe('prefixes behind the gateway'),
    address: address.optional().describe('printed as next hop of learned routes'),
  })
  .describe('virtual network gateway of this network');

const serviceEndpoint = z.union([
  text.describe('service like Microsoft.Storage, or a public prefix'),
  z.strictObject({ service: text, locations: z.array(text).optional() }),
]);

const subnet = z.strictObject({
  addressPrefix: text.describe('prefix inside the address space of the network'),
  networkSecurityGroup: text.optional().describe('name of a network security group'),
  routeTable: text.optional().describe('name of a route table'),
  natGateway: text.optional().describe('name of a NAT gateway'),
  privateEndpointNetworkPolicies: z
    .enum(['Disabled', 'Enabled', 'NetworkSecurityGroupEnabled', 'RouteTableEnabled'])
    .optional()
    .describe('which policies apply to private endpoints in this subnet; default Disabled'),
  privateLinkServiceNetworkPolicies: z.enum(['Enabled', 'Disabled']).optional().describe('default Enabled'),
  delegation: text.optional().describe('service that owns the subnet, like Microsoft.Sql/managedInstances'),
  serviceEndpoints: z.array(serviceEndpoint).optional(),
  defaultOutboundAccess: z.boolean().optional().describe('default: the switch net.defaultOutboundAccess'),
});

const virtualNetwork = z.strictObject({
  addressSpace: prefixes,
  location: text.optional(),
  dnsServers: z.union([address, z.array(address)]).optional(),
  flowTimeoutInMinutes: minutes.optional().describe('idle time of connections, 4 to 30 minutes'),
  privateEndpointVNetPolicies: z.enum(['Disabled', 'Basic']).optional().describe('Basic: high-scale endpoints'),
  gateway: gateway.optional(),
  subnets: z.record(z.string(), subnet).optional(),
  tags: tags.optional(),
});

const peeringLink = z
  .strictObject({
    allowVirtualNetworkAccess: z.boolean().optional().describe('default true'),
    allowForwardedTraffic: z.boolean().optional().describe('default false'),
    allowGatewayTransit: z.boolean().optional().describe('default false'),
    useRemoteGateways: z.boolean().optional().describe('default false'),
    subnets: names('subnets of this network that take part; default all').optional(),
  })
  .describe('flags of the link of the network with this name');

const peering = z
  .object({ between: z.tuple([text, text]).describe('the two networks; both links are made') })
  .catchall(peeringLink);

const networkInterface = z.strictObject({
  subnet: text.describe('network/subnet'),
  privateIPAddress: address.optional().describe('default: the lowest free address of the subnet'),
  secondaryAddresses: z.union([address, z.array(address)]).optional(),
  networkSecurityGroup: text.optional(),
  publicIPAddress: text.optional().describe('name of a public address, or an address'),
  applicationSecurityGroups: names('application security groups').optional(),
  enableIPForwarding: z.boolean().optional().describe('default false'),
  appliance: z
    .strictObject({ snat: z.boolean().optional(), stateful: z.boolean().optional() })
    .optional()
    .describe('the guest forwards packets: with source NAT, with connection state'),
  macAddress: text.optional(),
  dnsServers: z.union([address, z.array(address)]).optional(),
  dnsServer: parts.dnsServer.optional(),
  allowPort25Out: z.boolean().optional().describe('may connect to port 25 on the Internet'),
  mtu: z
    .number()
    .int()
    .min(MTU_LEAST)
    .max(MTU_MOST)
    .optional()
    .describe('largest IPv4 packet of the guest, bytes; default 1500'),
  names: texts.optional().describe('host names that lead to this interface'),
  tags: tags.optional(),
});

const ruleSide = z.union([
  text,
  z.array(text),
  z.strictObject({ applicationSecurityGroups: names('application security groups') }),
]);
const sideHelp = 'prefix, address, service tag, "*", asg:<name>, or a list; default "*"';

const securityRule = z.strictObject({
  name: text,
  priority: z.number().describe('100 to 4096, lower numbers first'),
  direction: z.enum(['Inbound', 'Outbound']),
  access: z.enum(['Allow', 'Deny']),
  protocol: z.enum(['Tcp', 'Udp', 'Icmp', 'Esp', 'Ah', '*']).optional().describe('default *'),
  source: ruleSide.optional().describe(sideHelp),
  sourcePorts: ports.optional(),
  destination: ruleSide.optional().describe(sideHelp),
  destinationPorts: ports.optional(),
  description: text.optional(),
});

const networkSecurityGroup = z.strictObject({
  flushConnection: z.boolean().optional().describe('rule changes concern established connections too'),
  rules: z.array(securityRule).optional(),
  tags: tags.optional(),
});

const route = z.strictObject({
  name: text.optional(),
  addressPrefix: text.describe('prefix or service tag'),
  nextHopType: z.enum(['VirtualAppliance', 'VirtualNetworkGateway', 'VnetLocal', 'Internet', 'None']),
  nextHopIpAddress: address.optional().describe('for VirtualAppliance'),
});

const routeTable = z.strictObject({
  disableBgpRoutePropagation: z.boolean().optional().describe('default false'),
  routes: z.array(route).optional(),
  tags: tags.optional(),
});

const publicIPAddress = z.strictObject({
  ipAddress: address.optional(),
  sku: z.enum(['Standard', 'Basic']).optional(),
  idleTimeoutInMinutes: minutes.optional(),
});

const natGateway = z.strictObject({
  publicIPAddresses: z.array(text).optional().describe('names of public addresses, or addresses'),
  idleTimeoutInMinutes: minutes.optional(),
});

const service = z.strictObject({
  type: text.optional().describe('like Microsoft.Sql/managedInstances; decides default ports and groupId'),
  backendAddress: address.optional().describe('address in captures of the service; default: one nobody uses'),
  subnet: text.optional().describe('network/subnet that the service stands in'),
  ports: ports.optional().describe('served TCP ports; default by type, else 443'),
  hostNames: texts.optional(),
  publicAddress: address.optional().describe('of its public endpoint; default: one nobody uses'),
  publicNetworkAccess: z.enum(['Enabled', 'Disabled']).optional(),
  dnsZone: text.optional().describe('SQL Managed Instance: the zone in its host name'),
  connectionType: z.enum(['Proxy', 'Redirect', 'Default']).optional().describe('SQL: proxyOverride'),
  publicEndpoint: z.boolean().optional().describe('SQL Managed Instance: port 3342 at its public address'),
  subResources: z.record(z.string(), parts.subResource).optional().describe('by groupId'),
});

const privateEndpoint = z.strictObject({
  subnet: text.describe('network/subnet'),
  privateIPAddress: address.optional().describe('default: the lowest free address of the subnet'),
  service: text.optional().describe('name of a service or Private Link service'),
  alias: text.optional().describe('alias of a Private Link service, in place of service'),
  groupId: text.optional().describe('sub-resource of the service, like blob'),
  approval: z.enum(['automatic', 'manual']).optional().describe('default automatic'),
  state: z
    .enum(['Pending', 'Approved', 'Rejected', 'Disconnected'])
    .optional()
    .describe('default Approved, with manual approval Pending'),
  requestMessage: text.optional(),
  privateDnsZones: names('private DNS zones: its zone group').optional(),
  linkIdentifier: z.number().int().optional(),
  applicationSecurityGroups: names('application security groups').optional(),
  tags: tags.optional(),
});

const switches = switchesSchema.describe('single behaviours, set over the profile');

export const topologySchema = z.strictObject({
  name: text.optional(),
  description: text.optional(),
  profile: z.enum(PROFILES).optional().describe('behaviour profile; default ga-2026'),
  switches: switches.optional(),
  location: text.optional().describe('region of all resources'),
  virtualNetworks: z.record(z.string(), virtualNetwork).optional(),
  peerings: z.array(peering).optional(),
  networkInterfaces: z.record(z.string(), networkInterface).optional().describe('hosts, by the name scenarios use'),
  networkSecurityGroups: z.record(z.string(), networkSecurityGroup).optional(),
  applicationSecurityGroups: z.array(text).optional(),
  routeTables: z.record(z.string(), routeTable).optional(),
  publicIPAddresses: z.record(z.string(), publicIPAddress).optional(),
  natGateways: z.record(z.string(), natGateway).optional(),
  services: z.record(z.string(), service).optional().describe('what private endpoints lead to'),
  privateEndpoints: z.record(z.string(), privateEndpoint).optional(),
  loadBalancers: z.record(z.string(), parts.loadBalancer).optional(),
  privateLinkServices: z.record(z.string(), parts.privateLinkService).optional(),
  privateDnsZones: z.record(z.string(), parts.privateDnsZone).optional(),
  publicDns: parts.dnsRecords.optional().describe('further names of the public name space'),
  dnsForwardingRulesets: z.record(z.string(), parts.dnsForwardingRuleset).optional(),
  dataFactories: z.record(z.string(), parts.dataFactory).optional(),
  networkManagers: z.record(z.string(), parts.networkManager).optional(),
  names: z.record(z.string(), text).optional().describe('static names: interface, endpoint, service or address'),
  serviceTags: z
    .record(z.string(), prefixes)
    .optional()
    .describe('further service tags, or other prefixes for known ones'),
  resources: z
    .array(z.record(z.string(), z.unknown()))
    .optional()
    .describe('Azure resource objects as exported, merged with the rest'),
});

export type Topology = z.infer<typeof topologySchema>;
export type TopologyNetwork = z.infer<typeof virtualNetwork>;
export type TopologySubnet = z.infer<typeof subnet>;
export type TopologyPeering = z.infer<typeof peering>;
export type TopologySecurityGroup = z.infer<typeof networkSecurityGroup>;
export type TopologyRule = z.infer<typeof securityRule>;
export type TopologyRouteTable = z.infer<typeof routeTable>;
export type TopologyPublicAddress = z.infer<typeof publicIPAddress>;
export type TopologyNatGateway = z.infer<typeof natGateway>;
export type TopologyInterface = z.infer<typeof networkInterface>;
export type TopologyService = z.infer<typeof service>;
export type TopologyEndpoint = z.infer<typeof privateEndpoint>;

/** The published JSON Schema (2020-12) of topology.yaml. */
export function topologyJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(topologySchema, { target: 'draft-2020-12', io: 'input', reused: 'inline' });
  const { $schema, ...rest } = schema;
  return {
    $schema,
    title: 'vnetem topology',
    description: 'A virtual network in short form; see docs/topology-format.md.',
    ...rest,
  };
}
