// The table of private endpoints: state of the connection, what the service behind it serves, and the rules of the
// endpoint's subnet where network policies put them in force (PNSG-1, PNSG-2).

import { PRIVATE_LINK_SERVICE_IDLE_MS } from '../../abi/limits.ts';
import {
  ENDPOINT_ASKS_AGAIN,
  ENDPOINT_FAULTY,
  ENDPOINT_PEERED_REFUSED,
  ENDPOINT_STATE,
  ENDPOINT_TAP,
  ENDPOINT_UDP,
  type EndpointTable,
} from '../../abi/program.ts';
import { formatIpv4, tryParseIpv4 } from '../../wire/index.ts';
import { idKey, type PrivateLinkResource, type PrivateLinkServiceConnection } from '../model/resources.ts';
import { servedBy } from '../private-link/targets.ts';
import type { AttachmentRegistry, EndpointInfo, UnderlayInfo } from './compiled.ts';
import { type Context, type EndpointFacts, resolve, type ServiceFacts } from './context.ts';
import { type PortRange, parsePortRange } from './port-ranges.ts';
import { attachmentOf, providerKey } from './registry.ts';
import type { RuleSetCollector } from './rule-sets.ts';

/** PNSG-14: of storage accounts only those with zone redundancy, which the input does not tell. */
const FAULTY_TYPES = new Set(['microsoft.keyvault/vaults', 'microsoft.storage/storageaccounts']);
const PRIVATE_LINK_SERVICE = 'microsoft.network/privatelinkservices';

/** The endpoint table; `isTapped` says where consumer sides are captured. */
export function buildEndpoints(
  context: Context,
  registry: AttachmentRegistry,
  rules: RuleSetCollector,
  isTapped: (endpoint: EndpointFacts) => boolean,
): EndpointTable {
  const { endpoints } = context;
  const ports = endpoints.map((endpoint) => servedPorts(context, endpoint));
  const portStart = new Int32Array(endpoints.length + 1);
  ports.forEach((ranges, i) => (portStart[i + 1] = (portStart[i] as number) + ranges.length));
  const column = (value: (endpoint: EndpointFacts) => number): Int32Array => Int32Array.from(endpoints, value);
  return {
    vnet: column((endpoint) => endpoint.place.network.index),
    address: column((endpoint) => endpoint.address),
    state: column((endpoint) => stateOf(endpoint)),
    flags: column((endpoint) => flagsOf(context, endpoint) | (isTapped(endpoint) ? ENDPOINT_TAP : 0)),
    provider: column((endpoint) => attachmentOf(registry, providerKey(endpoint))),
    backendAddress: column((endpoint) => backendAddressOf(context, endpoint)),
    rules: column((endpoint) => rulesOf(context, endpoint, rules)),
    portStart,
    portFirst: Int32Array.from(ports.flat(), (range) => range.first),
    portLast: Int32Array.from(ports.flat(), (range) => range.last),
    idleMs: column((endpoint) => bindingIdleMs(context, endpoint)),
    service: column((endpoint) => serviceOf(context, endpoint)?.index ?? -1),
    linkId: column(linkIdOf),
  };
}

/** Names of the endpoints by program index. */
export function endpointInfos(context: Context): EndpointInfo[] {
  return context.endpoints.map((facts) => {
    const { endpoint, place } = facts;
    const service = serviceOf(context, facts)?.service.name;
    const target = service ?? resourceOf(context, facts)?.name ?? targetId(facts).split('/').at(-1) ?? '';
    const address = formatIpv4(facts.address);
    const named = { id: endpoint.id, name: endpoint.name, address, vnet: place.network.vnet.name, target };
    const info = {
      ...named,
      ...(service && { service }),
      linkId: linkIdOf(facts),
      underlay: underlayOf(context, facts),
    };
    return endpoint.source === undefined ? info : { ...info, source: endpoint.source };
  });
}

/** LinkID (PE-2): the connection's own, else 31 bits of a hash of the endpoint's id, so that it stays for its life. */
export function linkIdOf(facts: EndpointFacts): number {
  const own = connectionOf(facts)?.properties.linkIdentifier;
  if (own !== undefined) return own | 0;
  let hash = 0x811c9dc5;
  for (const letter of facts.key) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  return hash & 0x7fffffff;
}

/** PE-31: the low 32 bits keep the client's address, the rest says network, subnet and link; key 100 (PE-31). */
export function underlayOf(context: Context, facts: EndpointFacts): UnderlayInfo {
  const link = linkIdOf(facts);
  const words = `${(link >>> 16).toString(16)}:${(link & 0xffff).toString(16)}`;
  return {
    source: ['fd41:108:20::', 'ffff:ffff:ffff:ffff:ffff:ffff::'],
    nic: [`0:0:0:${facts.place.network.index.toString(16)}:${words}::`, '0:0:0:ffff:ffff:ffff::'],
    destination: ['2603:10e1:100:2::', 'ffff:ffff:ffff:ffff:ffff:ffff::'],
    outerSource: '100.64.0.1',
    outerDestination: formatIpv4(backendAddressOf(context, facts)),
    key: 100,
  };
}

/** The service's own address, that of its first frontend for a Private Link service; an endpoint whose target is
 * unknown leads to nowhere but itself. */
export function backendAddressOf(context: Context, endpoint: EndpointFacts): number {
  const [frontend] = serviceOf(context, endpoint)?.service.properties.loadBalancerFrontendIpConfigurations ?? [];
  const ofService = context.frontends.find(({ key }) => frontend !== undefined && key === idKey(frontend.id));
  if (ofService !== undefined) return ofService.address;
  return tryParseIpv4(servedOf(context, endpoint)?.backendAddress ?? '') ?? endpoint.address;
}

/** Idle time of what the endpoint translates, milliseconds (PLS-11, Q-11). */
export function bindingIdleMs(context: Context, endpoint: EndpointFacts): number {
  if (isPrivateLinkService(context, endpoint)) return PRIVATE_LINK_SERVICE_IDLE_MS;
  return context.behaviour.switches['nsg.idleMinutes'] * 60_000;
}

/** PE-7: an endpoint has one connection. Without any, it was removed at the other end (PE-17). */
function connectionOf({ endpoint }: EndpointFacts): PrivateLinkServiceConnection | undefined {
  const { privateLinkServiceConnections, manualPrivateLinkServiceConnections } = endpoint.properties;
  return privateLinkServiceConnections[0] ?? manualPrivateLinkServiceConnections[0];
}

function stateOf(endpoint: EndpointFacts): number {
  const status = connectionOf(endpoint)?.properties.privateLinkServiceConnectionState.status;
  return ENDPOINT_STATE[status ?? 'Disconnected'];
}

function targetId(endpoint: EndpointFacts): string {
  return connectionOf(endpoint)?.properties.privateLinkServiceId ?? '';
}

function resourceOf(context: Context, endpoint: EndpointFacts): PrivateLinkResource | undefined {
  return resolve(context.privateLinkResources, { id: targetId(endpoint) });
}

/** What the endpoint's sub-resource serves (PE-8). */
function servedOf(context: Context, endpoint: EndpointFacts): ReturnType<typeof servedBy> | undefined {
  const resource = resourceOf(context, endpoint);
  return resource && servedBy(resource, connectionOf(endpoint)?.properties.groupIds ?? []);
}

/** The Private Link service that the connection names by its id or alias (PLS-2, PLS-3). */
export function serviceOf(context: Context, endpoint: EndpointFacts): ServiceFacts | undefined {
  const target = targetId(endpoint);
  return context.services.find(
    ({ key, service }) => key === idKey(target) || service.properties.alias.toLowerCase() === target.toLowerCase(),
  );
}

function isPrivateLinkService(context: Context, endpoint: EndpointFacts): boolean {
  if (serviceOf(context, endpoint) !== undefined) return true;
  return resourceOf(context, endpoint)?.type.toLowerCase() === PRIVATE_LINK_SERVICE;
}

function servedPorts(context: Context, endpoint: EndpointFacts): PortRange[] {
  return (servedOf(context, endpoint)?.ports ?? []).map(parsePortRange);
}

function flagsOf(context: Context, endpoint: EndpointFacts): number {
  const { switches } = context.behaviour;
  return (
    (isPrivateLinkService(context, endpoint) ? ENDPOINT_UDP : 0) | // PLS-6
    (endpointGroup(context, endpoint)?.properties.flushConnection === true ? ENDPOINT_ASKS_AGAIN : 0) |
    (switches['pnsg.dropFault'] && FAULTY_TYPES.has(resourceOf(context, endpoint)?.type.toLowerCase() ?? '')
      ? ENDPOINT_FAULTY
      : 0) |
    (switches['pe.peeredRefused'] ? ENDPOINT_PEERED_REFUSED : 0)
  );
}

/** PNSG-2, PNSG-3: inbound rules, where the policies of the endpoint's subnet name security groups. */
function rulesOf(context: Context, endpoint: EndpointFacts, rules: RuleSetCollector): number {
  const nsg = endpointGroup(context, endpoint);
  return rules.indexOf(nsg, 'Inbound', 'endpoint', endpoint.place);
}

/** The group in force in front of an endpoint, if any. */
export function endpointGroup(context: Context, { place }: EndpointFacts): ReturnType<typeof context.nsgs.get> {
  const { privateEndpointNetworkPolicies: policies, networkSecurityGroup } = place.subnet.properties;
  const applies = policies === 'Enabled' || policies === 'NetworkSecurityGroupEnabled';
  if (!applies || !context.behaviour.switches['pnsg.supported'] || networkSecurityGroup === undefined) return undefined;
  return context.nsgs.get(idKey(networkSecurityGroup.id));
}
