// Load balancers and Private Link services for tests: short words, added to a network of the short notation.

import type { Network } from '../../src/control/model/resources.ts';
import type {
  LoadBalancer,
  LoadBalancingRule,
  PrivateLinkService,
  UnhealthyBackend,
} from '../../src/control/model/load-balancing.ts';
import { id, networkOf, nicId, subnetId, type Words } from '../control/compile/networks.ts';

export type RuleSpec = Partial<Omit<LoadBalancingRule['properties'], 'frontendIPConfiguration' | 'backendAddressPool'>>;

export interface BalancerSpec {
  readonly sku?: 'Standard' | 'Basic';
  /** Internal: subnet and address. */
  readonly subnet?: string;
  readonly frontend: string;
  readonly members: readonly string[];
  readonly rules: readonly RuleSpec[];
  readonly admin?: Readonly<Record<string, 'Up' | 'Down'>>;
  readonly outbound?: boolean;
  /** NIC and frontend port of an inbound NAT rule to port 22; the pool for a range of ports. */
  readonly natRule?: readonly [member: string, frontendPort: number];
}

export interface ServiceSpec {
  readonly balancer: string;
  readonly subnet: string;
  readonly nat: readonly string[];
  /** Endpoints connected to it. */
  readonly endpoints: readonly string[];
  /** Connections begin with a PROXY header (PLS-15). */
  readonly proxy?: boolean;
}

export interface BalancedWords extends Words {
  balancers?: Record<string, BalancerSpec>;
  services?: Record<string, ServiceSpec>;
  /** Members that the probe of a balancer finds down: `<balancer>/<nic>`. */
  down?: readonly string[];
}

/** The network with its balancers and services. */
export function balancedNetwork(words: BalancedWords): Network {
  const network = networkOf(words);
  const balancers = Object.entries(words.balancers ?? {});
  const publicIPAddresses = balancers
    .filter(([, { subnet }]) => subnet === undefined)
    .map(([name, { frontend }]) => ({
      id: id('publicIPAddresses', `${name}-ip`),
      name: `${name}-ip`,
      type: 'Microsoft.Network/publicIPAddresses',
      sku: 'Standard' as const,
      properties: { ipAddress: frontend, idleTimeoutInMinutes: 4 },
    }));
  const services = Object.entries(words.services ?? {});
  return {
    ...network,
    publicIPAddresses: [...network.publicIPAddresses, ...publicIPAddresses],
    loadBalancers: balancers.map(([name, spec]) => balancer(words, name, spec)),
    unhealthyBackends: (words.down ?? []).map(unhealthy),
    privateLinkServices: services.map(([name, spec]) => service(words, name, spec)),
    privateEndpoints: network.privateEndpoints.map((endpoint) => {
      const of = services.find(([, { endpoints }]) => endpoints.includes(endpoint.name))?.[0];
      if (of === undefined) return endpoint;
      const [connection] = endpoint.properties.privateLinkServiceConnections;
      const properties = { ...connection.properties, privateLinkServiceId: id('privateLinkServices', of) };
      const privateLinkServiceConnections = [{ ...connection, properties }];
      return { ...endpoint, properties: { ...endpoint.properties, privateLinkServiceConnections } };
    }),
  };
}

const child = (name: string, kind: string, own: string): { id: string; name: string } => ({
  id: `${id('loadBalancers', name)}/${kind}/${own}`,
  name: own,
});

function member(words: Words, nic: string): { id: string } {
  return { id: `${nicId(nic)}/ipConfigurations/${words.nics![nic].ip}` };
}

function unhealthy(text: string): UnhealthyBackend {
  const [name, nic, address] = text.split('/');
  return {
    probe: { id: child(name, 'probes', 'probe').id },
    backendIPConfiguration: { id: `${nicId(nic)}/ipConfigurations/${address}` },
  };
}

function balancer(words: Words, name: string, spec: BalancerSpec): LoadBalancer {
  const frontend = child(name, 'frontendIPConfigurations', 'front');
  const pool = child(name, 'backendAddressPools', 'pool');
  const common = { frontendIPConfiguration: { id: frontend.id }, idleTimeoutInMinutes: 4, enableTcpReset: false };
  return {
    id: id('loadBalancers', name),
    name,
    type: 'Microsoft.Network/loadBalancers',
    sku: spec.sku ?? 'Standard',
    properties: {
      frontendIPConfigurations: [
        {
          ...frontend,
          properties:
            spec.subnet === undefined
              ? { publicIPAddress: { id: id('publicIPAddresses', `${name}-ip`) } }
              : { privateIPAddress: spec.frontend, subnet: { id: subnetId(words, spec.subnet) } },
        },
      ],
      backendAddressPools: [
        {
          ...pool,
          properties: {
            backendIPConfigurations: spec.members.map((nic) => member(words, nic)),
            adminStates: Object.entries(spec.admin ?? {}).map(([nic, adminState]) => ({
              backendIPConfiguration: member(words, nic),
              adminState,
            })),
            isIpBased: false,
          },
        },
      ],
      loadBalancingRules: spec.rules.map((rule, i) => ({
        ...child(name, 'loadBalancingRules', `rule${i}`),
        properties: {
          ...common,
          backendAddressPool: { id: pool.id },
          probe: { id: child(name, 'probes', 'probe').id },
          protocol: 'Tcp',
          frontendPort: 80,
          backendPort: 8080,
          loadDistribution: 'Default',
          enableFloatingIP: false,
          disableOutboundSnat: true,
          ...rule,
        },
      })),
      inboundNatRules: (spec.natRule === undefined ? [] : [spec.natRule]).map(([nic, frontendPort]) => ({
        ...child(name, 'inboundNatRules', 'nat'),
        properties: {
          ...common,
          ...(nic === 'pool'
            ? { backendAddressPool: { id: pool.id } }
            : { backendIPConfiguration: member(words, nic) }),
          protocol: 'Tcp',
          frontendPort,
          backendPort: 22,
        },
      })),
      outboundRules: (spec.outbound === true ? [0] : []).map(() => ({
        ...child(name, 'outboundRules', 'out'),
        properties: {
          frontendIPConfigurations: [{ id: frontend.id }],
          backendAddressPool: { id: pool.id },
          protocol: 'All',
          idleTimeoutInMinutes: 4,
          enableTcpReset: false,
        },
      })),
      probes: [],
    },
  };
}

function service(words: Words, name: string, spec: ServiceSpec): PrivateLinkService {
  return {
    id: id('privateLinkServices', name),
    name,
    type: 'Microsoft.Network/privateLinkServices',
    properties: {
      alias: `${name}.guid.eastus.azure.privatelinkservice`,
      enableProxyProtocol: spec.proxy ?? false,
      visibility: [],
      autoApproval: [],
      fqdns: [],
      loadBalancerFrontendIpConfigurations: [{ id: child(spec.balancer, 'frontendIPConfigurations', 'front').id }],
      ipConfigurations: spec.nat.map((privateIPAddress, i) => ({
        name: `nat${i}`,
        properties: { privateIPAddress, subnet: { id: subnetId(words, spec.subnet) }, primary: i === 0 },
      })),
    },
  };
}
