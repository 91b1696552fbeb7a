// Changes to private endpoints and their connections: what owner and consumer may do (PE-15 to PE-19, PE-52). Creation
// stands in endpoint-creation.ts.

import { InputError } from '../issues.ts';
import { idKey } from '../model/resources.ts';
import type { ConnectionState, Network, PrivateEndpoint, PrivateLinkServiceConnection } from '../model/resources.ts';
import { connectionOf, targetOf } from '../private-link/targets.ts';
import { type ConnectionActor, type ConnectionEvent, nextConnectionState, usualActor } from './connection-state.ts';
import { type Change, exchange, find, refusal } from './lookup.ts';
import { keepStaticNames } from './static-names.ts';

/** Who decides about a connection, and what he says about it. */
export interface Decision {
  /** Default: the one who may (PE-52); the other one is refused. */
  readonly as?: ConnectionActor | undefined;
  /** Kept as the description of the connection's state (PE-1). */
  readonly description?: string | undefined;
}

/** Approves the connection of an endpoint. `approveAfterReject` is the switch `pe.approveAfterReject` (PE-18). */
export function approve(endpoint: string, approveAfterReject = false, decision: Decision = {}): Change {
  return (network) => step(network, endpoint, 'approve', decision, approveAfterReject);
}

/** Rejects the connection of an endpoint (PE-16). */
export function reject(endpoint: string, decision: Decision = {}): Change {
  return (network) => step(network, endpoint, 'reject', decision);
}

/** The owner of the target removes the connection: the endpoint stays, Disconnected (PE-17). */
export function removeConnection(endpoint: string, decision: Decision = {}): Change {
  return (network) => step(network, endpoint, 'ownerDelete', decision);
}

/** The consumer deletes the endpoint: its address, /32 routes and records go too (PE-19). */
export function deleteEndpoint(endpoint: string, decision: Decision = {}): Change {
  return (network) => step(network, endpoint, 'consumerDelete', decision);
}

/**
 * The owner deletes a target: all endpoints that lead to it are Disconnected (PE-17). A Private Link service goes only
 * when no connection remains (PLS-14).
 */
export function deleteTarget(name: string): Change {
  return (network) => {
    const target = find([...network.privateLinkResources, ...network.privateLinkServices], name, 'service');
    const key = idKey(target.id);
    const service = network.privateLinkServices.find((entry) => entry === target);
    const leading = network.privateEndpoints.filter((endpoint) => leadsTo(network, endpoint, key));
    const connected = leading.filter((endpoint) => stateOf(endpoint) !== 'Disconnected');
    if (service !== undefined && connected.length > 0) {
      const names = connected.map((endpoint) => `'${endpoint.name}'`).join(', ');
      const message = `Private Link service '${service.name}' still has connections: ${names}`;
      throw refusal('SERVICE_IN_USE', message, 'remove the connections first');
    }
    const disconnected = leading.reduce(
      (next, { id }) => step(next, id, 'targetDelete', { description: `${target.name} was deleted` }),
      network,
    );
    return withoutTarget(disconnected, key);
  };
}

/** Sets the state of a connection, whatever it was: for tests, Azure has no such operation. */
export function setEndpointState(endpoint: string, state: ConnectionState): Change {
  return (network) => withState(network, findEndpoint(network, endpoint), state);
}

function step(
  network: Network,
  name: string,
  event: ConnectionEvent,
  { as = usualActor(event), description }: Decision,
  approveAfterReject = false,
): Network {
  const endpoint = findEndpoint(network, name);
  const result = nextConnectionState(stateOf(endpoint), event, as, { approveAfterReject });
  if (result.kind === 'state') return withState(network, endpoint, result.state, description);
  if (result.kind === 'refused') {
    const { issue } = result;
    const source = endpoint.source === undefined ? {} : { source: endpoint.source };
    throw new InputError([{ ...issue, message: `private endpoint '${endpoint.name}': ${issue.message}`, ...source }]);
  }
  return withoutEndpoint(network, endpoint);
}

/** PE-19: records of zone groups are computed from the endpoint, so that they go with the group. */
function withoutEndpoint(network: Network, endpoint: PrivateEndpoint): Network {
  const key = idKey(endpoint.id);
  return {
    ...network,
    privateEndpoints: network.privateEndpoints.filter((other) => other !== endpoint),
    privateDnsZoneGroups: network.privateDnsZoneGroups.filter(
      ({ properties }) => idKey(properties.privateEndpoint.id) !== key,
    ),
    dataFactories: network.dataFactories.map((factory) => {
      const managedPrivateEndpoints = factory.properties.managedPrivateEndpoints.filter(({ id }) => idKey(id) !== key);
      return { ...factory, properties: { ...factory.properties, managedPrivateEndpoints } };
    }),
    staticNames: keepStaticNames(network, endpoint.id, endpoint.properties.privateIPAddress),
  };
}

/** A target with its own NICs; static names keep its address, as records in a zone would. */
function withoutTarget(network: Network, key: string): Network {
  const resource = network.privateLinkResources.find(({ id }) => idKey(id) === key);
  const address = resource?.properties.backendAddress;
  return {
    ...network,
    privateLinkResources: network.privateLinkResources.filter((entry) => entry !== resource),
    privateLinkServices: network.privateLinkServices.filter(({ id }) => idKey(id) !== key),
    networkInterfaces: network.networkInterfaces.filter(
      ({ properties }) => idKey(properties.service?.id ?? '') !== key,
    ),
    ...(resource && address !== undefined && { staticNames: keepStaticNames(network, resource.id, address) }),
  };
}

function leadsTo(network: Network, endpoint: PrivateEndpoint, key: string): boolean {
  const target = targetOf(network, connectionOf(endpoint));
  if (target === undefined) return false;
  return idKey((target.kind === 'service' ? target.service : target.resource).id) === key;
}

function findEndpoint(network: Network, name: string): PrivateEndpoint {
  return find(network.privateEndpoints, name, 'private endpoint');
}

function stateOf(endpoint: PrivateEndpoint): ConnectionState {
  return connectionOf(endpoint)?.properties.privateLinkServiceConnectionState.status ?? 'Disconnected';
}

function withState(
  network: Network,
  endpoint: PrivateEndpoint,
  status: ConnectionState,
  description?: string,
): Network {
  const edit = (connection: PrivateLinkServiceConnection): PrivateLinkServiceConnection => {
    const old = connection.properties.privateLinkServiceConnectionState;
    const said = description === undefined ? {} : { description };
    const privateLinkServiceConnectionState = { ...old, ...said, status };
    return { ...connection, properties: { ...connection.properties, privateLinkServiceConnectionState } };
  };
  const { properties } = endpoint;
  const next: PrivateEndpoint = {
    ...endpoint,
    properties: {
      ...properties,
      privateLinkServiceConnections: properties.privateLinkServiceConnections.map(edit),
      manualPrivateLinkServiceConnections: properties.manualPrivateLinkServiceConnections.map(edit),
    },
  };
  return { ...network, privateEndpoints: exchange(network.privateEndpoints, endpoint, next) };
}
