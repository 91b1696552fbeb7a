// The shapes about the configuration of Private Link services: who may see them and who is approved at once (PLS-4),
// how many NAT addresses they have (PLS-9), and their alias (PLS-2).

import { z } from 'zod';
import { privateLinkServiceAlias } from '../../../control/private-link/alias.ts';
import { resourceId } from '../../resources.ts';
import { shape } from '../../shape.ts';
import type { Shape } from '../../shape.ts';
import { isAccepted, nicObject, REGION, subnetIdIn, tryResources, vnetObject } from './experiment.ts';

const RANGE = '10.0.0.0/16';
const SUBNET = subnetIdIn('vnet', 'subnet');
const BALANCER_TYPE = 'Microsoft.Network/loadBalancers';
const SERVICE_TYPE = 'Microsoft.Network/privateLinkServices';

const subscriptionLists = shape(
  z.array(z.strictObject({ visibility: z.array(z.string()), autoApproval: z.array(z.string()).default([]) })),
  (rows, { behaviour }) => ({
    acceptedList: rows.map(({ visibility, autoApproval }) => {
      const lists = {
        visibility: { subscriptions: visibility },
        autoApproval: { subscriptions: autoApproval },
      };
      return isAccepted(provider(lists), behaviour);
    }),
  }),
);

const natAddresses = shape(
  z.strictObject({ natIpCounts: z.array(z.int().min(0).max(100)) }),
  ({ natIpCounts }, { behaviour }) => ({
    acceptedCounts: natIpCounts.filter((count) => isAccepted(provider({}, count), behaviour)),
  }),
);

/** The alias that a service of this name prefix gets; its GUID is given, as Azure gives it. */
const alias = shape(
  z.strictObject({ prefix: z.string(), guid: z.string(), region: z.string() }),
  ({ prefix, guid, region }, { behaviour }) => {
    const properties = { alias: privateLinkServiceAlias({ prefix, guid, region }) };
    const { network, errors } = tryResources(provider(properties), behaviour);
    const [service] = network.privateLinkServices;
    return errors.length > 0 ? { refused: errors.map(({ code }) => code) } : { alias: service?.properties.alias };
  },
);

export const privateLinkServiceLimits: readonly Shape[] = [subscriptionLists, natAddresses, alias];

/** A network with a Standard balancer, one backend and a service with so many NAT addresses. */
function provider(properties: Readonly<Record<string, unknown>>, natCount = 1): object[] {
  const subnet = { privateLinkServiceNetworkPolicies: 'Disabled' };
  const balancer = resourceId(BALANCER_TYPE, 'balancer');
  const frontend = { id: `${balancer}/frontendIPConfigurations/frontend` };
  const pool = { id: `${balancer}/backendAddressPools/pool` };
  const member = `${resourceId('Microsoft.Network/networkInterfaces', 'backend')}/ipConfigurations/primary`;
  const rule = { frontendIPConfiguration: frontend, backendAddressPool: pool, protocol: 'Tcp' };
  return [
    vnetObject('vnet', [RANGE], [{ name: 'subnet', cidr: '10.0.1.0/24', properties: subnet }]),
    nicObject('backend', SUBNET),
    {
      id: balancer,
      name: 'balancer',
      type: BALANCER_TYPE,
      location: REGION,
      sku: { name: 'Standard' },
      properties: {
        frontendIPConfigurations: [{ ...frontend, name: 'frontend', properties: { subnet: { id: SUBNET } } }],
        backendAddressPools: [{ ...pool, name: 'pool', properties: { backendIPConfigurations: [{ id: member }] } }],
        loadBalancingRules: [{ name: 'rule', properties: { ...rule, frontendPort: 443, backendPort: 443 } }],
      },
    },
    {
      id: resourceId(SERVICE_TYPE, 'service'),
      name: 'service',
      type: SERVICE_TYPE,
      location: REGION,
      properties: {
        loadBalancerFrontendIpConfigurations: [frontend],
        ipConfigurations: Array.from({ length: natCount }, (_, i) => ({
          name: `nat${i}`,
          properties: { primary: i === 0, subnet: { id: SUBNET }, privateIPAllocationMethod: 'Dynamic' },
        })),
        ...properties,
      },
    },
  ];
}
