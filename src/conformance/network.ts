// The network of a topology in the notation: its resource objects go through the ordinary reader; what Azure's own
// objects cannot tell (gateway-learned prefixes, services behind endpoints, guests that forward) is added to the model.

import { formatIpv4, parseIpv4 } from '../wire/index.ts';
import { networkFromResources } from '../control/input/resources/network.ts';
import { DEFAULT_SERVICE_TAGS, makeServiceTags, mergeServiceTags } from '../control/input/service-tags.ts';
import { hasErrors, InputError } from '../control/issues.ts';
import type { Behaviour } from '../control/model/profile.ts';
import type {
  ApplianceBehaviour,
  Network,
  PrivateLinkResource,
  VirtualNetworkGateway,
} from '../control/model/resources.ts';
import type { Topology } from './notation.ts';
import { rawResources, resourceId, targetId } from './resources.ts';

/** What the tags of the notation stand for, beside the tags that every network knows. */
const SERVICE_TAGS = mergeServiceTags([
  DEFAULT_SERVICE_TAGS,
  makeServiceTags({ Sql: ['20.40.0.0/16'], Storage: ['20.60.0.0/16'] }),
]);

/** Services behind endpoints live here, outside every topology (RFC 2544 range). */
const BACKENDS_FIRST = parseIpv4('198.18.0.10');

/** Builds the network; `flush` names the groups with flushConnection. Throws InputError when the reader refuses it. */
export function networkOf(topology: Topology, behaviour: Behaviour, flush: readonly string[] = []): Network {
  checkNames(topology);
  for (const name of flush) {
    if (!Object.hasOwn(topology.nsgs, name)) throw new Error(`flush names ${name}, which is not in nsgs`);
  }
  const defaultOutboundAccess = behaviour.switches['net.defaultOutboundAccess'];
  const raw = rawResources(topology, { defaultOutboundAccess, flush });
  const { network, issues } = networkFromResources(raw, { serviceTags: SERVICE_TAGS });
  if (hasErrors(issues)) throw new InputError(issues);
  return {
    ...network,
    privateLinkResources: services(topology),
    virtualNetworkGateways: gateways(topology),
    appliances: appliances(topology),
  };
}

// The reader only warns about a reference to something absent; in a case it would test something else than it says.
function checkNames(topology: Topology): void {
  const known = (section: 'vnets' | 'subnets' | 'nsgs' | 'rts' | 'nics', name: string | undefined, where: string) => {
    if (name !== undefined && !Object.hasOwn(topology[section], name)) {
      throw new Error(`${where} names ${name}, which is not in ${section}`);
    }
  };
  for (const [name, subnet] of Object.entries(topology.subnets)) {
    known('vnets', subnet.vnet, `subnet ${name}`);
    known('nsgs', subnet.nsg, `subnet ${name}`);
    known('rts', subnet.rt, `subnet ${name}`);
  }
  for (const [name, nic] of Object.entries(topology.nics)) {
    known('subnets', nic.subnet, `NIC ${name}`);
    known('nsgs', nic.nsg, `NIC ${name}`);
  }
  for (const [name, endpoint] of Object.entries(topology.pes)) known('subnets', endpoint.subnet, `endpoint ${name}`);
  for (const [a, b] of topology.peers) for (const name of [a, b]) known('vnets', name, 'a peering');
  for (const name of Object.keys(topology.bgp)) known('vnets', name, 'bgp');
  for (const name of Object.keys(topology.se)) known('subnets', name, 'se');
  for (const [group, members] of Object.entries(topology.asgs)) {
    for (const name of members) if (!Object.hasOwn(topology.pes, name)) known('nics', name, `group ${group}`);
  }
}

/** The service's own address behind an endpoint, as its own capture shows it (PE-36). */
export function backendAddress(topology: Topology, endpoint: string): string {
  const position = Object.keys(topology.pes).indexOf(endpoint);
  if (position === -1) throw new Error(`endpoint ${endpoint} is not in the topology`);
  return formatIpv4(BACKENDS_FIRST + position);
}

function services(topology: Topology): PrivateLinkResource[] {
  return Object.entries(topology.pes).map(([name, endpoint]) => ({
    id: targetId(name),
    name: `${name}-service`,
    type: 'Microsoft.Sql/servers',
    properties: { backendAddress: backendAddress(topology, name), ports: endpoint.ports, hostNames: [] },
  }));
}

function gateways(topology: Topology): VirtualNetworkGateway[] {
  return Object.entries(topology.bgp).map(([vnet, learnedRoutes]) => ({
    id: resourceId('Microsoft.Network/virtualNetworkGateways', `${vnet}-gateway`),
    name: `${vnet}-gateway`,
    type: 'Microsoft.Network/virtualNetworkGateways',
    properties: {
      gatewayType: 'Vpn',
      virtualNetwork: { id: resourceId('Microsoft.Network/virtualNetworks', vnet) },
      learnedRoutes,
    },
  }));
}

/** NICs whose guests forward. */
export function appliancesOf(topology: Topology): string[] {
  return Object.keys(topology.nics).filter((name) => topology.nics[name]?.ipfwd);
}

function appliances(topology: Topology): ApplianceBehaviour[] {
  return appliancesOf(topology).map((name) => ({
    nic: { id: resourceId('Microsoft.Network/networkInterfaces', name) },
    snat: topology.nics[name]?.snat ?? false,
    stateful: topology.nics[name]?.stateful ?? false,
  }));
}
