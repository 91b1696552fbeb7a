// Changes to load balancers and Private Link services: admin states (LB-8), lists of subscriptions (PLS-3, PLS-4), the
// PROXY protocol (PLS-15); and high-scale private endpoints of a network (PE-45).

import type { PrivateLinkService } from '../model/load-balancing.ts';
import { idKey, type Network } from '../model/resources.ts';
import { type Change, exchange, find, refusal, withVnet } from './lookup.ts';

/** LB-8: overrides what the probes say about a NIC in all pools of a balancer; `None` leaves it to the probes. */
export function setAdminState(loadBalancer: string, nic: string, state: 'Up' | 'Down' | 'None'): Change {
  return (network) => {
    const balancer = find(network.loadBalancers, loadBalancer, 'load balancer');
    const { name, properties } = find(network.networkInterfaces, nic, 'NIC');
    const own = new Set(properties.ipConfigurations.map(({ id }) => idKey(id)));
    const pools = balancer.properties.backendAddressPools;
    const isMember = pools.some((pool) => pool.properties.backendIPConfigurations.some(({ id }) => own.has(idKey(id))));
    if (!isMember) {
      const message = `NIC '${name}' is in no pool of load balancer '${balancer.name}'`;
      throw refusal('CHANGE_VALUE', message, 'name a member of one of its pools');
    }
    const backendAddressPools = pools.map((pool) => {
      const members = pool.properties.backendIPConfigurations.filter(({ id }) => own.has(idKey(id)));
      const others = pool.properties.adminStates.filter((entry) => !own.has(idKey(entry.backendIPConfiguration.id)));
      const set =
        state === 'None' ? [] : members.map(({ id }) => ({ backendIPConfiguration: { id }, adminState: state }));
      return { ...pool, properties: { ...pool.properties, adminStates: [...others, ...set] } };
    });
    const next = { ...balancer, properties: { ...balancer.properties, backendAddressPools } };
    return { ...network, loadBalancers: exchange(network.loadBalancers, balancer, next) };
  };
}

/** PLS-3, PLS-4: who may connect to a service, and who is approved at once; a list left out stays as it is. Connections
 * that exist keep their state. */
export function setVisibility(
  service: string,
  lists: { readonly visibility?: readonly string[] | undefined; readonly autoApproval?: readonly string[] | undefined },
): Change {
  const { visibility, autoApproval } = lists;
  return (network) =>
    withService(network, service, { ...(visibility && { visibility }), ...(autoApproval && { autoApproval }) });
}

/** PLS-15: whether connections to the backends of a service begin with a PROXY header. */
export function setProxyProtocol(service: string, enableProxyProtocol: boolean): Change {
  return (network) => withService(network, service, { enableProxyProtocol });
}

/** PE-45: `privateEndpointVNetPolicies` of a network; validation asks for network policies on its subnets. */
export function setHighScale(vnet: string, enabled: boolean): Change {
  return (network) => {
    const found = find(network.virtualNetworks, vnet, 'virtual network');
    return withVnet(network, found, { privateEndpointVNetPolicies: enabled ? 'Basic' : 'Disabled' });
  };
}

function withService(network: Network, name: string, properties: Partial<PrivateLinkService['properties']>): Network {
  const service = find(network.privateLinkServices, name, 'Private Link service');
  const next = { ...service, properties: { ...service.properties, ...properties } };
  return { ...network, privateLinkServices: exchange(network.privateLinkServices, service, next) };
}
