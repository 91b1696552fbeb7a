// Shapes about private endpoints and managed instances: where they may stand and how they are approved (NET-15, PE-6,
// PE-13, IFE-5, SQLMI-26), and about Private Link services.

import { z } from 'zod';
import type { Network, PrivateLinkResource } from '../../../control/model/resources.ts';
import { resourceId } from '../../resources.ts';
import { shape } from '../../shape.ts';
import {
  REGION,
  endpointObject,
  isAccepted,
  nicObject,
  nsgObject,
  nsgReference,
  routeTableObject,
  routeTableReference,
  serverId,
  subnetIdIn,
  tryResources,
  vnetObject,
} from './experiment.ts';

const RANGE = '10.0.0.0/16';
const CIDR = '10.0.1.0/24';
const SUBNET = subnetIdIn('vnet', 'subnet');
const ALIAS = 'service.11111111-2222-3333-4444-555555555555.eastus.azure.privatelinkservice';

export const delegatedSubnet = shape(
  z.strictObject({ subnetDelegatedTo: z.string(), create: z.enum(['privateEndpoint', 'networkInterface']) }),
  ({ subnetDelegatedTo, create }, { behaviour }) => {
    const isInstance = subnetDelegatedTo.toLowerCase() === INSTANCE_TYPE.toLowerCase();
    // What the instance itself asks of its subnet (SQLMI-26) is not in question here.
    const needs = { networkSecurityGroup: nsgReference('group'), routeTable: routeTableReference('table') };
    const properties = { ...delegation(subnetDelegatedTo), ...(isInstance ? needs : {}) };
    const objects = [
      vnetObject('vnet', [RANGE], [{ name: 'subnet', cidr: CIDR, properties }]),
      nsgObject('group', []),
      routeTableObject('table', []),
      create === 'privateEndpoint' ? endpointObject('endpoint', SUBNET) : nicObject('nic', SUBNET),
    ];
    return { accepted: isAccepted(objects, behaviour) };
  },
);

export const approvalMethod = shape(
  z.strictObject({ target: z.enum(['alias', 'resourceId']), method: z.enum(['automatic', 'manual']) }),
  ({ target, method }, { behaviour }) => {
    const draft = { target: target === 'alias' ? ALIAS : serverId('server'), isManual: method === 'manual' };
    return { accepted: isAccepted([plainVnet(), endpointObject('endpoint', SUBNET, draft)], behaviour) };
  },
);

export const regions = shape(
  z.array(z.strictObject({ peRegion: z.string(), vnetRegion: z.string(), targetRegion: z.string().optional() })),
  (rows, { behaviour }) => ({
    acceptedList: rows.map(({ peRegion, vnetRegion, targetRegion }) => {
      const objects = [
        vnetObject('vnet', [RANGE], [{ name: 'subnet', cidr: CIDR }], vnetRegion),
        endpointObject('endpoint', SUBNET, { location: peRegion }),
        { id: serverId('server'), name: 'server', type: 'Microsoft.Sql/servers', location: targetRegion ?? peRegion },
      ];
      return isAccepted(objects, behaviour);
    }),
  }),
);

export const managedInstanceSubnets = shape(
  z.array(z.strictObject({ cidr: z.string(), delegated: z.boolean(), nsg: z.boolean(), rt: z.boolean() })),
  (rows, { behaviour }) => ({
    acceptedList: rows.map(({ cidr, delegated, nsg, rt }) => {
      const properties = {
        ...(delegated ? delegation(INSTANCE_TYPE) : {}),
        ...(nsg ? { networkSecurityGroup: nsgReference('group') } : {}),
        ...(rt ? { routeTable: routeTableReference('table') } : {}),
      };
      const objects = [
        vnetObject('vnet', [cidr], [{ name: 'subnet', cidr, properties }]),
        nsgObject('group', []),
        routeTableObject('table', []),
      ];
      return tryResources(objects, behaviour, withInstance).errors.length === 0;
    }),
  }),
);

export const interfaceEndpointSubnets = shape(
  z.array(
    z.strictObject({ subnetHasNsg: z.boolean().default(false), subnetHasRouteTable: z.boolean().default(false) }),
  ),
  (rows, { behaviour }) => ({
    acceptedList: rows.map(({ subnetHasNsg, subnetHasRouteTable }) => {
      const properties = {
        ...(subnetHasNsg ? { networkSecurityGroup: nsgReference('group') } : {}),
        ...(subnetHasRouteTable ? { routeTable: routeTableReference('table') } : {}),
      };
      const objects = [
        vnetObject('vnet', [RANGE], [{ name: 'subnet', cidr: CIDR, properties }]),
        nsgObject('group', []),
        routeTableObject('table', []),
        endpointObject('endpoint', SUBNET),
      ];
      return isAccepted(objects, behaviour);
    }),
  }),
);

const INSTANCE_TYPE = 'Microsoft.Sql/managedInstances';

function withInstance(network: Network): Network {
  const instance: PrivateLinkResource = {
    id: resourceId(INSTANCE_TYPE, 'instance'),
    name: 'instance',
    type: INSTANCE_TYPE,
    location: REGION,
    properties: { backendAddress: '198.18.0.10', ports: ['1433'], hostNames: [], subnet: { id: SUBNET } },
  };
  return { ...network, privateLinkResources: [instance] };
}

function plainVnet(): object {
  return vnetObject('vnet', [RANGE], [{ name: 'subnet', cidr: CIDR }]);
}

function delegation(serviceName: string): object {
  return { delegations: [{ name: 'delegation', properties: { serviceName } }] };
}
