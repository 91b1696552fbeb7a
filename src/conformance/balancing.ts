// Load balancers and Private Link services for the experiments: model objects that are added to a network of the
// notation. Names in the notation are names of NICs; each has one IP configuration.

import { idKey, type Network } from '../control/model/resources.ts';
import type { LoadBalancer, LoadBalancingRule, PrivateLinkService } from '../control/model/load-balancing.ts';
import type { PrivateEndpoint, PublicIPAddress, Reference } from '../control/model/resources.ts';
import { resourceId } from './resources.ts';

export interface BalancerPlan {
  readonly name: string;
  /** Address of the frontend; public when no subnet is named. */
  readonly frontend: string;
  /** Id of the frontend's subnet. */
  readonly subnet?: string;
  readonly backends: readonly string[];
  readonly rules: readonly RuleFacts[];
}

type RuleFacts = Pick<LoadBalancingRule['properties'], 'protocol' | 'frontendPort' | 'backendPort'>;

/** Id of the frontend of a planned balancer. */
export function frontendId(balancer: string): string {
  return `${resourceId('Microsoft.Network/loadBalancers', balancer)}/frontendIPConfigurations/frontend`;
}

/** The id of the probe of every rule. */
function probeId(balancer: string): string {
  return `${resourceId('Microsoft.Network/loadBalancers', balancer)}/probes/probe`;
}

function ipConfiguration(nic: string): Reference {
  return { id: `${resourceId('Microsoft.Network/networkInterfaces', nic)}/ipConfigurations/primary` };
}

/** Adds a Standard load balancer with one frontend, one pool and one probe. */
export function withBalancer(network: Network, plan: BalancerPlan): Network {
  const id = resourceId('Microsoft.Network/loadBalancers', plan.name);
  const isPublic = plan.subnet === undefined;
  const publicName = `${plan.name}-public`;
  const publicIp: PublicIPAddress = {
    id: resourceId('Microsoft.Network/publicIPAddresses', publicName),
    name: publicName,
    type: 'Microsoft.Network/publicIPAddresses',
    sku: 'Standard',
    properties: { ipAddress: plan.frontend, idleTimeoutInMinutes: 4 },
  };
  const pool = { id: `${id}/backendAddressPools/pool`, name: 'pool' };
  const balancer: LoadBalancer = {
    id,
    name: plan.name,
    type: 'Microsoft.Network/loadBalancers',
    sku: 'Standard',
    properties: {
      frontendIPConfigurations: [
        {
          id: frontendId(plan.name),
          name: 'frontend',
          properties: isPublic
            ? { publicIPAddress: { id: publicIp.id } }
            : { privateIPAddress: plan.frontend, subnet: { id: plan.subnet } },
        },
      ],
      backendAddressPools: [
        {
          ...pool,
          properties: {
            backendIPConfigurations: plan.backends.map(ipConfiguration),
            adminStates: [],
            isIpBased: false,
          },
        },
      ],
      loadBalancingRules: plan.rules.map((rule, i) => ({
        id: `${id}/loadBalancingRules/rule${i}`,
        name: `rule${i}`,
        properties: {
          ...rule,
          frontendIPConfiguration: { id: frontendId(plan.name) },
          backendAddressPool: { id: pool.id },
          probe: { id: probeId(plan.name) },
          loadDistribution: 'Default',
          idleTimeoutInMinutes: 4,
          enableTcpReset: false,
          enableFloatingIP: false,
          disableOutboundSnat: true,
        },
      })),
      inboundNatRules: [],
      outboundRules: [],
      probes: [
        {
          id: probeId(plan.name),
          name: 'probe',
          properties: { protocol: 'Tcp', port: 80, intervalInSeconds: 5, numberOfProbes: 1 },
        },
      ],
    },
  };
  return {
    ...network,
    loadBalancers: [...network.loadBalancers, balancer],
    publicIPAddresses: isPublic ? [...network.publicIPAddresses, publicIp] : network.publicIPAddresses,
  };
}

/** The probes find these members of a planned balancer down, and all others up (LB-4). */
export function withUnhealthy(network: Network, balancer: string, backends: readonly string[]): Network {
  const probe = { id: probeId(balancer) };
  return {
    ...network,
    unhealthyBackends: backends.map((nic) => ({ probe, backendIPConfiguration: ipConfiguration(nic) })),
  };
}

export interface ServicePlan {
  readonly name: string;
  readonly balancer: string;
  readonly natAddresses: readonly string[];
  /** Id of the subnet of the NAT addresses. */
  readonly subnet: string;
  /** Endpoint of the notation that is connected to it. */
  readonly endpoint?: string;
}

/** Id of a planned service. */
export function serviceId(name: string): string {
  return resourceId('Microsoft.Network/privateLinkServices', name);
}

/** Adds a Private Link service in front of a planned balancer, and connects an endpoint to it. */
export function withService(network: Network, plan: ServicePlan): Network {
  const service: PrivateLinkService = {
    id: serviceId(plan.name),
    name: plan.name,
    type: 'Microsoft.Network/privateLinkServices',
    properties: {
      alias: `${plan.name}.00000000-0000-0000-0000-000000000000.eastus.azure.privatelinkservice`,
      enableProxyProtocol: false,
      visibility: ['*'],
      autoApproval: ['*'],
      fqdns: [],
      loadBalancerFrontendIpConfigurations: [{ id: frontendId(plan.balancer) }],
      ipConfigurations: plan.natAddresses.map((privateIPAddress, i) => ({
        name: `nat${i}`,
        properties: { privateIPAddress, subnet: { id: plan.subnet }, primary: i === 0 },
      })),
    },
  };
  return {
    ...network,
    privateLinkServices: [...network.privateLinkServices, service],
    privateEndpoints: network.privateEndpoints.map((endpoint) =>
      endpoint.name === plan.endpoint ? connectedTo(endpoint, service.id) : endpoint,
    ),
  };
}

function connectedTo(endpoint: PrivateEndpoint, target: string): PrivateEndpoint {
  const connections = endpoint.properties.privateLinkServiceConnections.map((connection) => ({
    ...connection,
    properties: { ...connection.properties, privateLinkServiceId: target, groupIds: [] },
  }));
  return { ...endpoint, properties: { ...endpoint.properties, privateLinkServiceConnections: connections } };
}

/** The id of a subnet of a network by its name. */
export function subnetIdOf(network: Network, name: string): string {
  const found = network.virtualNetworks
    .flatMap(({ properties }) => properties.subnets)
    .find((subnet) => idKey(subnet.name) === idKey(name));
  if (found === undefined) throw new Error(`the network has no subnet ${name}`);
  return found.id;
}
