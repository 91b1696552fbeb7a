// What a private endpoint connection leads to: a Private Link service by its id or alias (PLS-2), or a resource and, of
// it, one sub-resource (PE-7, PE-8). Compiler, names, changes and validation ask here, so that they agree.

import { type Network, idKey } from '../model/resources.ts';
import type { PrivateEndpoint, PrivateLinkResource, PrivateLinkServiceConnection } from '../model/resources.ts';
import type { PrivateLinkService } from '../model/load-balancing.ts';
import type { SubResource } from '../model/services.ts';

export type ConnectionTarget =
  | { readonly kind: 'service'; readonly service: PrivateLinkService }
  | {
      readonly kind: 'resource';
      readonly resource: PrivateLinkResource;
      /** The sub-resource that the connection names, where the resource tells its sub-resources apart. */
      readonly subResource?: SubResource;
    };

type Targets = Pick<Network, 'privateLinkServices' | 'privateLinkResources'>;

/** The target of a connection; undefined when it is not in the network. */
export function targetOf(
  network: Targets,
  connection: PrivateLinkServiceConnection | undefined,
): ConnectionTarget | undefined {
  if (connection === undefined) return undefined;
  const { privateLinkServiceId: target, groupIds } = connection.properties;
  const service = serviceOf(network, target);
  if (service !== undefined) return { kind: 'service', service };
  const resource = network.privateLinkResources.find(({ id }) => idKey(id) === idKey(target));
  if (resource === undefined) return undefined;
  const subResource = subResourceOf(resource, groupIds);
  return { kind: 'resource', resource, ...(subResource && { subResource }) };
}

/** The Private Link service with this id or alias. */
export function serviceOf(
  { privateLinkServices }: Pick<Network, 'privateLinkServices'>,
  target: string,
): PrivateLinkService | undefined {
  const wanted = target.toLowerCase();
  return privateLinkServices.find(
    ({ id, properties }) => idKey(id) === idKey(target) || properties.alias.toLowerCase() === wanted,
  );
}

/** The sub-resource of a connection's group id (PE-8); undefined when the resource does not tell them apart. */
export function subResourceOf(resource: PrivateLinkResource, groupIds: readonly string[]): SubResource | undefined {
  const wanted = groupIds[0]?.toLowerCase();
  return resource.properties.subResources?.find(({ groupId }) => groupId.toLowerCase() === wanted);
}

/** What an endpoint of this sub-resource reaches: its own where it states them, else the resource's (PE-8, PE-25). */
export function servedBy(
  resource: PrivateLinkResource,
  groupIds: readonly string[],
): Pick<PrivateLinkResource['properties'], 'backendAddress' | 'ports' | 'hostNames'> {
  const { backendAddress, ports, hostNames, subResources = [] } = resource.properties;
  const own = subResourceOf(resource, groupIds);
  // Names of the other sub-resources are theirs: an endpoint for blob does not answer for file.
  const others = new Set(subResources.filter((entry) => entry !== own).flatMap((entry) => entry.hostNames));
  const shared = hostNames.filter((name) => !others.has(name));
  return {
    backendAddress: own === undefined || own.backendAddress === '' ? backendAddress : own.backendAddress,
    ports: own === undefined || own.ports.length === 0 ? ports : own.ports,
    hostNames: own === undefined || own.hostNames.length === 0 ? shared : own.hostNames,
  };
}

/** PE-7: an endpoint has one connection. Without any, it was removed at the other end (PE-17). */
export function connectionOf({ properties }: PrivateEndpoint): PrivateLinkServiceConnection | undefined {
  return properties.privateLinkServiceConnections[0] ?? properties.manualPrivateLinkServiceConnections[0];
}
