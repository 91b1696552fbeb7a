// Changes to private endpoints and their connections: what owner and consumer may do (PE-15 to PE-19, PE-52).

import { InputError } from '../issues.ts';
import type { ConnectionState, Network, PrivateEndpoint, PrivateLinkServiceConnection } from '../model/resources.ts';
import { type ConnectionEvent, nextConnectionState, usualActor } from './connection-state.ts';
import { type Change, exchange, find } from './lookup.ts';
import { keepStaticNames } from './static-names.ts';

/** Approves the connection of an endpoint. `approveAfterReject` is the switch `pe.approveAfterReject` (PE-18). */
export function approve(endpoint: string, approveAfterReject = false): Change {
  return (network) => step(network, endpoint, 'approve', approveAfterReject);
}

/** Rejects the connection of an endpoint (PE-16). */
export function reject(endpoint: string): Change {
  return (network) => step(network, endpoint, 'reject', false);
}

/** The owner of the target removes the connection: the endpoint stays, Disconnected (PE-17). */
export function removeConnection(endpoint: string): Change {
  return (network) => step(network, endpoint, 'ownerDelete', false);
}

/** The consumer deletes the endpoint: its address and /32 routes go too (PE-19). */
export function deleteEndpoint(endpoint: string): Change {
  return (network) => step(network, endpoint, 'consumerDelete', false);
}

/** Sets the state of a connection, whatever it was: for tests, Azure has no such operation. */
export function setEndpointState(endpoint: string, state: ConnectionState): Change {
  return (network) => withState(network, findEndpoint(network, endpoint), state);
}

function step(network: Network, name: string, event: ConnectionEvent, approveAfterReject: boolean): Network {
  const endpoint = findEndpoint(network, name);
  const result = nextConnectionState(stateOf(endpoint), event, usualActor(event), { approveAfterReject });
  if (result.kind === 'state') return withState(network, endpoint, result.state);
  if (result.kind === 'refused') {
    const { issue } = result;
    const source = endpoint.source === undefined ? {} : { source: endpoint.source };
    throw new InputError([{ ...issue, message: `private endpoint '${endpoint.name}': ${issue.message}`, ...source }]);
  }
  const privateEndpoints = network.privateEndpoints.filter((other) => other !== endpoint);
  const staticNames = keepStaticNames(network, endpoint.id, endpoint.properties.privateIPAddress);
  return { ...network, privateEndpoints, staticNames };
}

function findEndpoint(network: Network, name: string): PrivateEndpoint {
  return find(network.privateEndpoints, name, 'private endpoint');
}

function stateOf({ properties }: PrivateEndpoint): ConnectionState {
  const [connection] = [...properties.privateLinkServiceConnections, ...properties.manualPrivateLinkServiceConnections];
  return connection?.properties.privateLinkServiceConnectionState.status ?? 'Disconnected';
}

function withState(network: Network, endpoint: PrivateEndpoint, status: ConnectionState): Network {
  const edit = (connection: PrivateLinkServiceConnection): PrivateLinkServiceConnection => {
    const old = connection.properties.privateLinkServiceConnectionState;
    const privateLinkServiceConnectionState = { ...old, status };
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
