// The table of private endpoints: state of the connection, what the service behind it serves, and the rules of the
// endpoint's subnet where network policies put them in force (PNSG-1, PNSG-2).

import { IDLE_MS_DEFAULT, PRIVATE_LINK_SERVICE_IDLE_MS } from '../../abi/limits.ts';
import {
  ENDPOINT_PEERED_REFUSED,
  ENDPOINT_STATE,
  ENDPOINT_TAP,
  ENDPOINT_UDP,
  type EndpointTable,
} from '../../abi/program.ts';
import { formatIpv4, tryParseIpv4 } from '../../wire/index.ts';
import { idKey, type PrivateLinkResource, type PrivateLinkServiceConnection } from '../model/resources.ts';
import type { AttachmentRegistry, EndpointInfo } from './compiled.ts';
import { type Context, type EndpointFacts, resolve } from './context.ts';
import { type PortRange, parsePortRange } from './port-ranges.ts';
import { attachmentOf, providerKey } from './registry.ts';
import type { RuleSetCollector } from './rule-sets.ts';

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
  };
}

/** Names of the endpoints by program index. */
export function endpointInfos(context: Context): EndpointInfo[] {
  return context.endpoints.map((facts) => {
    const { endpoint, place } = facts;
    const target = resourceOf(context, facts)?.name ?? targetId(facts).split('/').at(-1) ?? '';
    const address = formatIpv4(facts.address);
    const info = { id: endpoint.id, name: endpoint.name, address, vnet: place.network.vnet.name, target };
    return endpoint.source === undefined ? info : { ...info, source: endpoint.source };
  });
}

/** The service's own address; an endpoint whose target is unknown leads to nowhere but itself. */
export function backendAddressOf(context: Context, endpoint: EndpointFacts): number {
  const resource = resourceOf(context, endpoint);
  return tryParseIpv4(resource?.properties.backendAddress ?? '') ?? endpoint.address;
}

/** Idle time of what the endpoint translates, milliseconds (PLS-11, Q-11). */
export function bindingIdleMs(context: Context, endpoint: EndpointFacts): number {
  return isPrivateLinkService(resourceOf(context, endpoint)) ? PRIVATE_LINK_SERVICE_IDLE_MS : IDLE_MS_DEFAULT;
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

function isPrivateLinkService(resource: PrivateLinkResource | undefined): boolean {
  return resource?.type.toLowerCase() === PRIVATE_LINK_SERVICE;
}

function servedPorts(context: Context, endpoint: EndpointFacts): PortRange[] {
  return (resourceOf(context, endpoint)?.properties.ports ?? []).map(parsePortRange);
}

function flagsOf(context: Context, endpoint: EndpointFacts): number {
  const { switches } = context.behaviour;
  return (
    (isPrivateLinkService(resourceOf(context, endpoint)) ? ENDPOINT_UDP : 0) | // PLS-6
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
