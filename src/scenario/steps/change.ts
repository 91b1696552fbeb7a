// Control-plane changes as steps: each becomes a change of the network, which the simulation validates, compiles and
// pushes. A change that is refused leaves everything as it was, and can be expected.

import { InputError } from '../../control/issues.ts';
import * as changes from '../../control/change/changes.ts';
import { asList } from '../format/common-schemas.ts';
import { dnsChange } from './change-dns.ts';
import { endpointsChange } from './change-endpoints.ts';
import { sqlChange } from './change-sql.ts';
import { networkChange } from './change-network.ts';
import type { Change, PeeringFlags } from '../../control/change/changes.ts';
import type { Behaviour } from '../../control/model/profile.ts';
import type { Network, SourceLocation } from '../../control/model/resources.ts';
import type { Facts } from '../expectations.ts';
import type { ActionOf, ChangeName } from '../format/step-schemas.ts';
import type { ParsedStep } from '../scenario.ts';
import type { Simulation } from '../simulation/simulation-api.ts';

/** Steps that change the network. */
export type ChangeStep = Extract<ParsedStep, { action: ChangeName }>;

/** Applies a change now; why it was refused is in the facts. */
export function runChange(step: ChangeStep, simulation: Simulation): Facts {
  try {
    simulation.change(changeOf(step, simulation.compiled.behaviour));
    return { counts: {} };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { counts: {}, refused: error.issues };
  }
}

function changeOf(step: ChangeStep, behaviour: Behaviour): Change {
  switch (step.action) {
    case 'approve':
      return changes.approve(
        endpointOf(step.value),
        behaviour.switches['pe.approveAfterReject'],
        decisionOf(step.value),
      );
    case 'reject':
      return changes.reject(endpointOf(step.value), decisionOf(step.value));
    case 'setRecord':
    case 'removeRecord':
    case 'linkZone':
    case 'unlinkZone':
    case 'setDnsServers':
      return dnsChange(step);
    case 'createEndpoint':
    case 'createManagedEndpoint':
    case 'setVisibility':
    case 'setProxyProtocol':
    case 'setNicTag':
    case 'setHighScale':
    case 'setAdminState':
      return endpointsChange(step, behaviour);
    case 'setConnectionType':
    case 'setPublicEndpoint':
      return sqlChange(step);
    case 'setServiceEndpoints':
    case 'setAdminRule':
    case 'removeAdminRule':
    case 'setLearnedRoutes':
      return networkChange(step);
    case 'remove':
      return removal(step.value);
    case 'setRule':
      return setRule(step.value, step.source);
    case 'removeRule':
      return changes.removeSecurityRule(step.value.nsg, step.value.name);
    case 'setRoute':
      return setRoute(step.value, step.source);
    case 'removeRoute':
      return changes.removeRoute(step.value.table, step.value.name);
    case 'setPeering':
      return setPeering(step.value);
    case 'removePeering': {
      const [a, b] = step.value.between;
      return (network) => changes.removePeering(b, a)(changes.removePeering(a, b)(network));
    }
    case 'setEndpoint':
      return changes.setEndpointState(step.value.endpoint, step.value.state);
    case 'setFlushConnection':
      return changes.setFlushConnection(step.value.nsg, step.value.enabled);
    case 'setPolicies':
      return changes.setEndpointPolicies(step.value.subnet, step.value.privateEndpointNetworkPolicies);
    default:
      return changes.setIpForwarding(step.value.nic, step.value.enabled);
  }
}

function endpointOf(value: ActionOf<'approve'>): string {
  return typeof value === 'string' ? value : value.endpoint;
}

/** Who decides, and what he says about it (PE-52). */
function decisionOf(value: ActionOf<'approve'>): changes.Decision {
  return typeof value === 'string' ? {} : { as: value.as, description: value.description };
}

function removal({ nic, endpoint, connection, service }: ActionOf<'remove'>): Change {
  if (nic !== undefined) return changes.removeNic(nic);
  if (endpoint !== undefined) return changes.deleteEndpoint(endpoint);
  if (service !== undefined) return changes.deleteTarget(service);
  return changes.removeConnection(connection ?? '');
}

// A rule that a step wrote names the step's line in traces and captures.
function setRule({ nsg, ...rule }: ActionOf<'setRule'>, source: SourceLocation): Change {
  const { protocol, sourcePorts, destinationPorts, name, priority, direction, access } = rule;
  const change = changes.setSecurityRule(nsg, {
    name,
    priority,
    direction,
    access,
    ...(protocol !== undefined && { protocol }),
    ...(rule.source !== undefined && { source: rule.source }),
    ...(rule.destination !== undefined && { destination: rule.destination }),
    ...(sourcePorts !== undefined && { sourcePorts: asList(sourcePorts) }),
    ...(destinationPorts !== undefined && { destinationPorts: asList(destinationPorts) }),
  });
  return (network) => {
    const next = change(network);
    return {
      ...next,
      networkSecurityGroups: next.networkSecurityGroups.map((group) => {
        if (network.networkSecurityGroups.includes(group)) return group;
        const rules = group.properties.securityRules;
        const securityRules = rules.map((entry) => (sameName(entry.name, name) ? { ...entry, source } : entry));
        return { ...group, properties: { ...group.properties, securityRules } };
      }),
    };
  };
}

function setRoute(value: ActionOf<'setRoute'>, source: SourceLocation): Change {
  const { table, name, addressPrefix, nextHopType, nextHopIpAddress } = value;
  const change = changes.setRoute(table, { name, prefix: addressPrefix, nextHopType, nextHopIp: nextHopIpAddress });
  return (network) => {
    const next = change(network);
    return {
      ...next,
      routeTables: next.routeTables.map((owner) => {
        if (network.routeTables.includes(owner)) return owner;
        const routes = owner.properties.routes.map((entry) =>
          sameName(entry.name, name) ? { ...entry, source } : entry,
        );
        return { ...owner, properties: { ...owner.properties, routes } };
      }),
    };
  };
}

/** Creates both links where there are none, and sets the flags that are named. */
function setPeering(value: ActionOf<'setPeering'>): Change {
  const [a, b] = value.between;
  return (network) => [link(value, a, b), link(value, b, a)].reduce((next, change) => change(next), network);
}

function link(value: ActionOf<'setPeering'>, from: string, to: string): Change {
  const flags = value[from] === undefined || Array.isArray(value[from]) ? {} : flagsOf(value[from]);
  return (network) =>
    hasLink(network, from, to)
      ? changes.setPeering(from, to, flags)(network)
      : changes.addPeering(from, to, flags)(network);
}

type PeeringLink = Exclude<ActionOf<'setPeering'>[string], readonly [string, string] | [string, string]>;

function flagsOf(link: PeeringLink): PeeringFlags {
  return {
    access: link.allowVirtualNetworkAccess,
    forwarded: link.allowForwardedTraffic,
    gatewayTransit: link.allowGatewayTransit,
    useRemoteGateways: link.useRemoteGateways,
  };
}

function hasLink(network: Network, from: string, to: string): boolean {
  const owner = network.virtualNetworks.find((vnet) => sameName(vnet.name, from));
  const remote = network.virtualNetworks.find((vnet) => sameName(vnet.name, to));
  if (owner === undefined || remote === undefined) return false;
  const { virtualNetworkPeerings } = owner.properties;
  return virtualNetworkPeerings.some((peering) => sameName(peering.properties.remoteVirtualNetwork.id, remote.id));
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
