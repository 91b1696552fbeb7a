// A provider with a balancer and a Private Link service, and a consumer in an overlapping network: the topology that
// the tests about both start from.

import { type Behaviour, behaviourOf } from '../../src/control/model/profile.ts';
import { readNetworkValue } from '../../src/control/input/read.ts';
import type { Issue } from '../../src/control/issues.ts';
import type { Network } from '../../src/control/model/resources.ts';
import { validateNetwork } from '../../src/control/validate/validate.ts';

export function providerTopology() {
  return {
    location: 'eastus',
    virtualNetworks: {
      provider: {
        addressSpace: '10.0.0.0/16',
        subnets: {
          backends: { addressPrefix: '10.0.1.0/24' },
          nat: { addressPrefix: '10.0.2.0/24', privateLinkServiceNetworkPolicies: 'Disabled' },
        },
      },
      consumer: { addressSpace: '10.0.0.0/16', subnets: { endpoints: { addressPrefix: '10.0.1.0/24' } } },
    },
    networkInterfaces: {
      web1: { subnet: 'provider/backends' },
      web2: { subnet: 'provider/backends' },
      client: { subnet: 'consumer/endpoints' },
    },
    loadBalancers: {
      lb: {
        frontends: { front: { subnet: 'provider/backends' } },
        backendPools: { web: { members: ['web1', 'web2'] } },
        probes: { tcp: { port: 443 } },
        rules: { https: { frontend: 'front', backendPool: 'web', probe: 'tcp', frontendPort: 443 } },
      },
    } as Record<string, Record<string, unknown>>,
    privateLinkServices: {
      shop: { frontends: ['lb/front'], natAddresses: [{ subnet: 'provider/nat' }], visibility: ['*'] },
    } as Record<string, Record<string, unknown>>,
    privateEndpoints: { pe: { subnet: 'consumer/endpoints', service: 'shop' } } as Record<
      string,
      Record<string, unknown>
    >,
  };
}

export type ProviderTopology = ReturnType<typeof providerTopology>;

/** Everything that reading and validation say about a topology. */
export function readAndValidate(
  topology: object,
  behaviour: Behaviour = behaviourOf(),
): { readonly network: Network; readonly issues: readonly Issue[] } {
  const { network, issues } = readNetworkValue(topology, 'test', { behaviour });
  if (network === undefined) throw new Error(issues.map(({ message }) => message).join('\n'));
  return { network, issues: [...issues, ...validateNetwork(network, behaviour)] };
}
