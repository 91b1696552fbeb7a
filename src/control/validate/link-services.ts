// Private Link services: what stands behind them, their NAT addresses, who may see them, and how many there are (PLS-2
// to PLS-5, PLS-9, PLS-15, PLS-21, PLS-22, LIM-21 to LIM-24).

import {
  ENDPOINTS_PER_SERVICE_MAX,
  SERVICE_NAT_ADDRESSES_MAX,
  SERVICE_SUBSCRIPTIONS_MAX,
  SERVICES_PER_LOAD_BALANCER_MAX,
  SERVICES_PER_SUBSCRIPTION_MAX,
} from '../../abi/limits.ts';
import { tryParseIpv4 } from '../../wire/address.ts';
import type { LoadBalancer, PrivateLinkService } from '../model/load-balancing.ts';
import { idKey } from '../model/resources.ts';
import { isAlias } from '../private-link/alias.ts';
import { connectionOf, serviceOf } from '../private-link/targets.ts';
import { type Place, regionOf, resolve, subscriptionOf, type ValidationContext } from './context.ts';

/** PLS-22. */
const DIRECT_ADDRESSES_MIN = 2;
const DIRECT_SERVICES_PER_REGION_MAX = 10;

export function checkLinkServices(context: ValidationContext): void {
  for (const service of context.network.privateLinkServices) {
    const place = { path: `privateLinkServices.${service.name}`, source: service.source };
    checkNatAddresses(context, service, place);
    checkAccess(context, service, place);
    if (service.properties.destinationIPAddress === undefined) checkBalancers(context, service, place);
    else checkDirectConnect(context, service, place);
  }
  checkShared(context);
  checkCounts(context);
}

/** PLS-9, LIM-22: 1 to 8 NAT addresses, in one network and in subnets without policies for services. */
function checkNatAddresses(context: ValidationContext, service: PrivateLinkService, place: Place): void {
  const { ipConfigurations } = service.properties;
  const where = { ...place, path: `${place.path}.natAddresses` };
  const count = ipConfigurations.length;
  if (count < 1 || count > SERVICE_NAT_ADDRESSES_MAX) {
    const message = `Private Link service '${service.name}' has ${count} NAT addresses; expected 1 to 8`;
    context.report('LINK_SERVICE_NAT_ADDRESSES', where, message, 'each carries 64 K connections per backend');
  }
  const reported = new Set<string>();
  const networks = new Map<string, string>();
  for (const { properties } of ipConfigurations) {
    const found = resolve(context.subnets, properties.subnet);
    if (found === undefined) continue;
    const { subnet, vnet } = found;
    networks.set(idKey(vnet.id), vnet.name);
    checkRegion(context, service, vnet, `virtual network '${vnet.name}'`, place);
    const isOff = subnet.properties.privateLinkServiceNetworkPolicies === 'Disabled';
    if (isOff || reported.has(idKey(subnet.id))) continue;
    reported.add(idKey(subnet.id));
    const message =
      `NAT addresses of Private Link service '${service.name}' are in subnet '${subnet.name}', whose network ` +
      'policies are Enabled (Azure: PrivateLinkServiceCannotBeCreatedInSubnetThatHasNetworkPoliciesEnabled)';
    const hint = 'set privateLinkServiceNetworkPolicies of the subnet to Disabled';
    context.report('LINK_SERVICE_NAT_POLICIES', where, message, hint);
  }
  for (const { frontend } of balancersOf(context, service)) {
    const vnet = resolve(context.subnets, frontend.properties.subnet)?.vnet;
    if (vnet !== undefined) networks.set(idKey(vnet.id), vnet.name);
  }
  if (networks.size <= 1) return;
  const names = [...networks.values()].map((name) => `'${name}'`).join(', ');
  const title = `NAT addresses and frontends of Private Link service '${service.name}'`;
  const message = `${title} are in several networks: ${names}`;
  context.report('LINK_SERVICE_NAT_NETWORKS', where, message, "use subnets of the load balancer's network");
}

/** PLS-2, PLS-4, LIM-24. */
function checkAccess(context: ValidationContext, service: PrivateLinkService, place: Place): void {
  const { visibility, autoApproval, alias } = service.properties;
  for (const [key, list] of Object.entries({ visibility, autoApproval })) {
    if (list.length <= SERVICE_SUBSCRIPTIONS_MAX) continue;
    const message = `${key} of Private Link service '${service.name}' lists ${list.length} subscriptions; at most 100`;
    const where = { ...place, path: `${place.path}.${key}` };
    context.report('LINK_SERVICE_SUBSCRIPTIONS_LIMIT', where, message, 'use "*" for anyone with the alias');
  }
  const seeing = new Set(visibility.map((entry) => entry.toLowerCase()));
  const blind = seeing.has('*') ? [] : autoApproval.filter((entry) => !seeing.has(entry.toLowerCase()));
  if (blind.length > 0) {
    const message =
      `Private Link service '${service.name}' approves ${blind.join(', ')} automatically, ` +
      `but ${blind.length === 1 ? 'it is' : 'they are'} not among those who see it`;
    const where = { ...place, path: `${place.path}.autoApproval` };
    context.report('LINK_SERVICE_AUTO_APPROVAL', where, message, 'add the subscriptions to visibility');
  }
  if (isAlias(alias)) return;
  const message = `alias '${alias}' of Private Link service '${service.name}' is not one`;
  const hint = 'expected <prefix>.<GUID>.<region>.azure.privatelinkservice';
  context.report('LINK_SERVICE_ALIAS', { ...place, path: `${place.path}.alias` }, message, hint);
}

type Balanced = {
  readonly balancer: LoadBalancer;
  readonly frontend: LoadBalancer['properties']['frontendIPConfigurations'][number];
};

function balancersOf({ network }: ValidationContext, service: PrivateLinkService): Balanced[] {
  return service.properties.loadBalancerFrontendIpConfigurations.flatMap(({ id }) =>
    network.loadBalancers.flatMap((balancer) => {
      const frontend = balancer.properties.frontendIPConfigurations.find((each) => idKey(each.id) === idKey(id));
      return frontend === undefined ? [] : [{ balancer, frontend }];
    }),
  );
}

/** PLS-5: a frontend of a Standard balancer in the same region, whose pool is NIC-based. */
function checkBalancers(context: ValidationContext, service: PrivateLinkService, place: Place): void {
  const where = { ...place, path: `${place.path}.frontends` };
  const title = `Private Link service '${service.name}'`;
  const found = balancersOf(context, service);
  if (found.length === 0 || found.length < service.properties.loadBalancerFrontendIpConfigurations.length) {
    const message = `${title} stands behind no frontend of a load balancer that is in the input`;
    context.report('LINK_SERVICE_FRONTEND', where, message, 'name a frontend as loadBalancer/frontend');
  }
  for (const { balancer, frontend } of found) {
    if (balancer.sku !== 'Standard') {
      const message = `${title} stands behind load balancer '${balancer.name}', which is ${balancer.sku}`;
      context.report('LINK_SERVICE_SKU', where, message, 'a Private Link service needs a Standard load balancer');
    }
    checkRegion(context, service, balancer, `load balancer '${balancer.name}'`, place);
    const { loadBalancingRules, inboundNatRules, backendAddressPools } = balancer.properties;
    const isOurs = (reference: { readonly id: string }): boolean => idKey(reference.id) === idKey(frontend.id);
    const rules = loadBalancingRules.filter((rule) => isOurs(rule.properties.frontendIPConfiguration));
    const pools = new Set(rules.map((rule) => idKey(rule.properties.backendAddressPool.id)));
    for (const pool of backendAddressPools) {
      if (!pool.properties.isIpBased || !pools.has(idKey(pool.id))) continue;
      const message = `${title} stands in front of pool '${pool.name}', which is IP-based`;
      context.report('LINK_SERVICE_IP_POOL', where, message, 'add the network interfaces to the pool instead');
    }
    for (const { name, properties } of inboundNatRules) {
      if (!isOurs(properties.frontendIPConfiguration) || properties.backendAddressPool === undefined) continue;
      if (rules.length > 0) continue;
      const message = `inbound NAT rule '${name}' of a pool does not work with ${title} on its own`;
      context.report('LINK_SERVICE_NAT_RULE', where, message, 'add a load-balancing rule', 'warning');
    }
  }
}

/** PLS-22: 2, 4, 6 or 8 addresses, no balancer, and a destination that is no private endpoint. */
function checkDirectConnect(context: ValidationContext, service: PrivateLinkService, place: Place): void {
  const {
    destinationIPAddress: text = '',
    ipConfigurations,
    loadBalancerFrontendIpConfigurations,
  } = service.properties;
  const count = ipConfigurations.length;
  const address = tryParseIpv4(text);
  const isEndpoint = context.network.privateEndpoints.some(
    ({ properties }) => address !== undefined && tryParseIpv4(properties.privateIPAddress) === address,
  );
  const problems = [
    count < DIRECT_ADDRESSES_MIN || count % 2 === 1 ? `has ${count} NAT addresses; expected 2, 4, 6 or 8` : undefined,
    loadBalancerFrontendIpConfigurations.length > 0 ? 'has a load balancer beside destinationIPAddress' : undefined,
    address === undefined || !isPrivate(address) ? `leads to ${text}, which is not a private address` : undefined,
    isEndpoint ? `leads to ${text}, which is a private endpoint` : undefined,
  ];
  for (const problem of problems) {
    if (problem === undefined) continue;
    const hint = 'Direct Connect leads to one static private address, with an even number of NAT addresses';
    context.report('LINK_SERVICE_DIRECT_CONNECT', place, `Private Link service '${service.name}' ${problem}`, hint);
  }
}

/** RFC 1918 and RFC 6598. */
function isPrivate(address: number): boolean {
  const first = address >>> 24;
  const second = (address >>> 16) & 255;
  if (first === 10) return true;
  if (first === 172) return second >= 16 && second < 32;
  return first === 192 ? second === 168 : first === 100 && second >= 64 && second < 128;
}

function checkRegion(
  context: ValidationContext,
  service: PrivateLinkService,
  other: { readonly location?: string },
  what: string,
  place: Place,
): void {
  const [own, theirs] = [regionOf(service.location), regionOf(other.location)];
  if (own === undefined || theirs === undefined || own === theirs) return;
  const message = `Private Link service '${service.name}' is in ${own}, ${what} in ${theirs}`;
  context.report('LINK_SERVICE_REGION', place, message, 'put the service, its network and balancer into one region');
}

/** What two services may not share: a frontend and an alias; those of one pool speak the same protocol (PLS-15). */
function checkShared(context: ValidationContext): void {
  const [frontends, aliases] = [new Map<string, string>(), new Map<string, string>()];
  const pools = new Map<string, PrivateLinkService>();
  for (const service of context.network.privateLinkServices) {
    const place = { path: `privateLinkServices.${service.name}`, source: service.source };
    const alias = service.properties.alias.toLowerCase();
    const sameAlias = aliases.get(alias);
    aliases.set(alias, service.name);
    if (sameAlias !== undefined) {
      const message = `Private Link services '${sameAlias}' and '${service.name}' have one alias`;
      context.report('LINK_SERVICE_ALIAS', place, message, 'an alias is globally unique: leave it out');
    }
    for (const { balancer, frontend } of balancersOf(context, service)) {
      const other = frontends.get(idKey(frontend.id));
      frontends.set(idKey(frontend.id), service.name);
      if (other !== undefined) {
        const both = `Private Link services '${other}' and '${service.name}'`;
        const message = `${both} stand behind frontend '${frontend.name}'`;
        context.report('LINK_SERVICE_FRONTEND_SHARED', place, message, 'give each a frontend of its own');
      }
      for (const { properties } of balancer.properties.loadBalancingRules) {
        if (idKey(properties.frontendIPConfiguration.id) !== idKey(frontend.id)) continue;
        const neighbour = pools.get(idKey(properties.backendAddressPool.id));
        pools.set(idKey(properties.backendAddressPool.id), service);
        if (neighbour === undefined || neighbour === service) continue;
        if (neighbour.properties.enableProxyProtocol === service.properties.enableProxyProtocol) continue;
        const both = `Private Link services '${neighbour.name}' and '${service.name}'`;
        const message = `${both} share a pool, but only one uses PROXY`;
        context.report('LINK_SERVICE_PROXY_DIFFERS', place, message, 'set enableProxyProtocol alike', 'warning');
      }
    }
  }
}

/** LIM-21, LIM-23, and the ten Direct Connect services of a region (PLS-22). */
function checkCounts(context: ValidationContext): void {
  const { privateLinkServices, privateEndpoints } = context.network;
  const endpoints = privateEndpoints.flatMap((endpoint) => {
    const target = connectionOf(endpoint)?.properties.privateLinkServiceId;
    const service = target === undefined ? undefined : serviceOf(context.network, target);
    return service === undefined ? [] : [service];
  });
  const keysOf = (key: (service: PrivateLinkService) => readonly string[]): string[] =>
    privateLinkServices.flatMap(key);
  const subscription = ({ id }: PrivateLinkService): string => subscriptionOf(id) ?? '';
  const direct = ({ properties }: PrivateLinkService): boolean => properties.destinationIPAddress !== undefined;
  const over = (keys: readonly string[], max: number, report: (count: number) => void): void => {
    const counts = new Map<string, number>();
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
    for (const count of counts.values()) if (count > max) report(count);
  };
  const place = { path: 'privateLinkServices' };
  const limit = (what: string, max: number) => (count: number) =>
    context.report(
      'LINK_SERVICES_LIMIT',
      place,
      `${what} has ${count} Private Link services; at most ${max}`,
      'use several',
    );
  over(
    keysOf((service) => [subscription(service)]),
    SERVICES_PER_SUBSCRIPTION_MAX,
    limit('a subscription', SERVICES_PER_SUBSCRIPTION_MAX),
  );
  const balancers = keysOf((service) => [...new Set(balancersOf(context, service).map(({ balancer }) => balancer.id))]);
  over(balancers, SERVICES_PER_LOAD_BALANCER_MAX, limit('a load balancer', SERVICES_PER_LOAD_BALANCER_MAX));
  const regions = keysOf((service) =>
    direct(service) ? [`${subscription(service)} ${regionOf(service.location)}`] : [],
  );
  const what = 'a region with Direct Connect';
  over(regions, DIRECT_SERVICES_PER_REGION_MAX, limit(what, DIRECT_SERVICES_PER_REGION_MAX));
  over(
    endpoints.map(({ id }) => id),
    ENDPOINTS_PER_SERVICE_MAX,
    (count) => {
      const message = `a Private Link service has ${count} private endpoints; at most ${ENDPOINTS_PER_SERVICE_MAX}`;
      context.report('LINK_SERVICE_ENDPOINTS_LIMIT', place, message, 'make several services');
    },
  );
}
