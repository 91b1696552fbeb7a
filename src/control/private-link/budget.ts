// The port budget of a Private Link service: 64 K TCP connections per NAT address and backend (PLS-10). It is what the
// configuration allows; the data plane lends the ports from 1024 up, towards each backend on their own.

import { SERVICE_CONNECTIONS_PER_ADDRESS } from '../../abi/limits.ts';
import { idKey, type Network } from '../model/resources.ts';

/** TCP connections that a service has ports for: NAT addresses x backend VMs x 65,536. 0 for an unknown id. */
export function serviceBudget(network: Network, serviceId: string): number {
  const service = network.privateLinkServices.find(({ id }) => idKey(id) === idKey(serviceId));
  if (service === undefined) return 0;
  const frontends = new Set(
    service.properties.loadBalancerFrontendIpConfigurations.map((reference) => idKey(reference.id)),
  );
  const pools = new Set(
    network.loadBalancers
      .flatMap((balancer) => balancer.properties.loadBalancingRules)
      .filter(({ properties }) => frontends.has(idKey(properties.frontendIPConfiguration.id)))
      .map(({ properties }) => idKey(properties.backendAddressPool.id)),
  );
  const members = network.loadBalancers
    .flatMap((balancer) => balancer.properties.backendAddressPools)
    .filter(({ id }) => pools.has(idKey(id)))
    .flatMap(({ properties }) => properties.backendIPConfigurations.map(({ id }) => idKey(id)));
  return service.properties.ipConfigurations.length * backendCount(network, members) * SERVICE_CONNECTIONS_PER_ADDRESS;
}

/** NICs among the members: one with two IP configurations in a pool is still one backend. */
function backendCount(network: Network, members: readonly string[]): number {
  const wanted = new Set(members);
  return network.networkInterfaces.filter((nic) =>
    nic.properties.ipConfigurations.some(({ id }) => wanted.has(idKey(id))),
  ).length;
}
