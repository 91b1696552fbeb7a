// Data factories of a topology, as resource objects in Azure's own shape: a factory with its managed virtual network
// and the managed private endpoints in it (ADF-1, ADF-2).

import { derive } from '../places.ts';
import type { At } from '../places.ts';
import { readId, SERVICE_TYPES } from '../resources/resource-types.ts';
import type { Topology } from './schema.ts';
import { build, buildResource, distinctEntries, from } from './values.ts';
import type { ExpandContext } from './values.ts';

type TopologyFactory = NonNullable<Topology['dataFactories']>[string];
type ManagedEndpoint = NonNullable<TopologyFactory['managedPrivateEndpoints']>[string];

export function expandDataFactory(
  context: ExpandContext,
  name: string,
  factory: TopologyFactory,
  at: At,
): readonly object[] {
  const section = factory.managedPrivateEndpoints ?? {};
  const endpoints = distinctEntries(section).flatMap(([endpointName, endpoint]) =>
    expandEndpoint(context, endpointName, endpoint, { object: section, key: endpointName, part: 'key' }),
  );
  const network = build(at, { name: ['default'], managedPrivateEndpoints: [endpoints] });
  return [
    buildResource(context, 'dataFactory', name, at, {
      ...(factory.location !== undefined && { location: from(factory, 'location') }),
      managedVirtualNetworks: [[network]],
    }),
  ];
}

function expandEndpoint(context: ExpandContext, name: string, endpoint: ManagedEndpoint, at: At): object[] {
  const serviceAt = { object: endpoint, key: 'service' };
  const target = context.names.find(endpoint.service, serviceAt, 'privateLinkResource', 'privateLinkService');
  if (target === undefined) return [];
  const groupId = endpoint.groupId ?? SERVICE_TYPES.get(readId(target)?.type.toLowerCase() ?? '')?.groupId;
  const state = derive({ status: endpoint.state ?? 'Pending' }, { object: endpoint, key: 'state' }); // ADF-2
  return [
    build(at, {
      name: [name],
      privateLinkResourceId: [target, serviceAt],
      groupId: groupId === undefined ? undefined : [groupId, { object: endpoint, key: 'groupId' }],
      connectionState: [state],
    }),
  ];
}
