// Services and private endpoints of a topology, as resource objects.

import { derive } from '../places.ts';
import type { At } from '../places.ts';
import { readId, SERVICE_TYPES } from '../resources/resource-types.ts';
import { zoneGroups } from './dns.ts';
import { ownId } from './names.ts';
import type { TopologyEndpoint, TopologyService } from './schema.ts';
import { build, buildResource, from, listFrom, refer, referAll } from './values.ts';
import type { ExpandContext, Member } from './values.ts';

export function expandService(
  context: ExpandContext,
  name: string,
  service: TopologyService,
  at: At,
): readonly object[] {
  const id = ownId('privateLinkResource', name, service.type);
  const type = readId(id)?.type;
  if (type === undefined) {
    const message = `type: expected Provider/type, found ${JSON.stringify(service.type)}`;
    const hint = 'write a type like Microsoft.Sql/managedInstances';
    context.issues.error('VALUE_WRONG', { object: service, key: 'type' }, message, hint);
    return [];
  }
  const location: Member = context.location === undefined ? undefined : [context.location];
  return [
    build(at, {
      id: [id],
      name: [name],
      type: [type],
      location,
      backendAddress: from(service, 'backendAddress'),
      subnet: refer(context, service, 'subnet', 'subnet'),
      ports: listFrom(service, 'ports'),
      hostNames: listFrom(service, 'hostNames'),
      publicAddress: from(service, 'publicAddress'),
      publicNetworkAccess: from(service, 'publicNetworkAccess'),
      dnsZone: from(service, 'dnsZone'),
      proxyOverride: from(service, 'connectionType'),
      publicDataEndpointEnabled: from(service, 'publicEndpoint'),
      subResources: from(service, 'subResources'),
    }),
  ];
}

export function expandPrivateEndpoint(
  context: ExpandContext,
  name: string,
  endpoint: TopologyEndpoint,
  at: At,
): readonly object[] {
  const serviceAt = { object: endpoint, key: 'service' };
  const target =
    endpoint.alias ??
    context.names.find(endpoint.service ?? '', serviceAt, 'privateLinkResource', 'privateLinkService');
  const subnet = refer(context, endpoint, 'subnet', 'subnet');
  const groups = referAll(context, endpoint.applicationSecurityGroups, 'applicationSecurityGroup');
  if (target === undefined || subnet === undefined) return [];
  const type = readId(target)?.type.toLowerCase() ?? '';
  const groupId = endpoint.groupId ?? SERVICE_TYPES.get(type)?.groupId;
  const state: Member =
    endpoint.state === undefined
      ? undefined
      : [build({ object: endpoint, key: 'state' }, { status: from(endpoint, 'state') })];
  const connection = build(at, {
    name: [name],
    privateLinkServiceId: [target, serviceAt],
    groupIds: groupId === undefined ? undefined : [derive([groupId], { object: endpoint, key: 'groupId' })],
    requestMessage: from(endpoint, 'requestMessage'),
    linkIdentifier: from(endpoint, 'linkIdentifier'),
    privateLinkServiceConnectionState: state,
  });
  const manual = endpoint.approval === 'manual'; // PE-13
  return [
    buildResource(context, 'privateEndpoint', name, at, {
      subnet,
      privateIPAddress: from(endpoint, 'privateIPAddress'),
      privateDnsZoneGroups: zoneGroups(context, endpoint),
      [manual ? 'manualPrivateLinkServiceConnections' : 'privateLinkServiceConnections']: [[connection]],
      applicationSecurityGroups: groups,
      tags: from(endpoint, 'tags'),
    }),
  ];
}
