// Addresses that the input leaves open. Interfaces and endpoints get the lowest free address of their subnet, in input
// order, after all stated ones (NET-3, NET-4, PE-4); so do services that stand in a subnet. Other services get one that
// no network of the input uses: the first free one of the documentation ranges of RFC 5737, then of the benchmark range
// of RFC 2544, then of the reserved range 240.0.0.0/4.

import {
  formatIpv4,
  parsePrefix,
  prefixContains,
  prefixFirst,
  prefixLast,
  tryParseIpv4,
} from '../../../wire/address.ts';
import type { Ipv4Prefix } from '../../../wire/address.ts';
import type { Issue } from '../../issues.ts';
import type { LoadBalancer } from '../../model/load-balancing.ts';
import { idKey } from '../../model/resources.ts';
import type { Network, SourceLocation, Subnet } from '../../model/resources.ts';
import { NO_BACKEND } from './endpoints.ts';
import { NOT_ALLOCATED } from './interfaces.ts';

const BACKEND_RANGES = ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '198.18.0.0/15', '240.0.0.0/4'].map(
  parsePrefix,
);

/** The network with every address filled in; an interface or endpoint in a full subnet is left out with an error. */
export function allocateAddresses(network: Network, issues: Issue[]): Network {
  const pools = makePools(network);
  const take: Take = (subnetId, name, source) => {
    const pool = pools.get(idKey(subnetId));
    const address = pool && takeLowest(pool);
    if (address !== undefined) return formatIpv4(address);
    const message = `no address is left in ${pool?.name ?? subnetId} for ${name}`;
    const hint = 'make the subnet larger: the first four addresses and the last are reserved';
    issues.push({ code: 'SUBNET_FULL', severity: 'error', message, hint, ...(source && { source }) });
    return undefined;
  };
  const networkInterfaces = network.networkInterfaces.flatMap((nic) => {
    const ipConfigurations = nic.properties.ipConfigurations.flatMap((configuration) => {
      const { privateIPAddress: stated, subnet } = configuration.properties;
      const address = stated === NOT_ALLOCATED ? take(subnet.id, nic.name, nic.source) : stated;
      if (address === undefined) return [];
      return [{ ...configuration, properties: { ...configuration.properties, privateIPAddress: address } }];
    });
    return ipConfigurations.length === 0 ? [] : [{ ...nic, properties: { ...nic.properties, ipConfigurations } }];
  });
  const privateEndpoints = network.privateEndpoints.flatMap((endpoint) => {
    const { privateIPAddress: stated, subnet } = endpoint.properties;
    const address = stated === NOT_ALLOCATED ? take(subnet.id, endpoint.name, endpoint.source) : stated;
    if (address === undefined) return [];
    return [{ ...endpoint, properties: { ...endpoint.properties, privateIPAddress: address } }];
  });
  const privateLinkResources = network.privateLinkResources.map((resource) => {
    const { backendAddress: stated, subnet } = resource.properties;
    if (stated !== NO_BACKEND || subnet === undefined) return resource;
    const address = take(subnet.id, resource.name, resource.source) ?? NO_BACKEND;
    return { ...resource, properties: { ...resource.properties, backendAddress: address } };
  });
  const loadBalancers = network.loadBalancers.map((balancer) => ({
    ...balancer,
    properties: { ...balancer.properties, frontendIPConfigurations: withAddresses(balancer, take) },
  }));
  const privateLinkServices = network.privateLinkServices.map((service) => {
    const ipConfigurations = service.properties.ipConfigurations.flatMap((configuration) => {
      const { privateIPAddress: stated, subnet } = configuration.properties;
      const address = stated === NOT_ALLOCATED ? take(subnet.id, service.name, service.source) : stated;
      return address === undefined
        ? []
        : [{ ...configuration, properties: { ...configuration.properties, privateIPAddress: address } }];
    });
    return { ...service, properties: { ...service.properties, ipConfigurations } };
  });
  const placed = { networkInterfaces, privateEndpoints, privateLinkResources, loadBalancers, privateLinkServices };
  return assignBackends({ ...network, ...placed });
}

type Take = (subnetId: string, name: string, source: SourceLocation | undefined) => string | undefined;

/** Frontends with their addresses; an internal one in a full subnet is left out. */
function withAddresses(
  { name, source, properties }: LoadBalancer,
  take: Take,
): LoadBalancer['properties']['frontendIPConfigurations'] {
  return properties.frontendIPConfigurations.flatMap((frontend) => {
    const { privateIPAddress: stated, subnet } = frontend.properties;
    if (stated !== NOT_ALLOCATED || subnet === undefined) return [frontend];
    const privateIPAddress = take(subnet.id, `${name}/${frontend.name}`, frontend.source ?? source);
    return privateIPAddress === undefined
      ? []
      : [{ ...frontend, properties: { ...frontend.properties, privateIPAddress } }];
  });
}

interface Pool {
  readonly name: string;
  readonly taken: Set<number>;
  readonly last: number;
  next: number;
}

function makePools(network: Network): Map<string, Pool> {
  // Backends and gateways may stand in a subnet without an interface there: their addresses are taken everywhere.
  const elsewhere = [
    ...network.privateLinkResources.map((resource) => resource.properties.backendAddress),
    ...network.virtualNetworkGateways.map((gateway) => gateway.properties.gatewayAddress ?? ''),
  ];
  const pools = new Map<string, Pool>();
  for (const subnet of network.virtualNetworks.flatMap((each) => each.properties.subnets)) {
    pools.set(idKey(subnet.id), makePool(subnet, elsewhere));
  }
  const claim = (subnetId: string, text: string): void => {
    const address = tryParseIpv4(text);
    if (address !== undefined) pools.get(idKey(subnetId))?.taken.add(address);
  };
  for (const { properties } of network.networkInterfaces.flatMap((nic) => nic.properties.ipConfigurations)) {
    claim(properties.subnet.id, properties.privateIPAddress);
  }
  for (const { properties } of network.privateEndpoints) {
    claim(properties.subnet.id, properties.privateIPAddress);
    for (const member of properties.ipConfigurations) claim(properties.subnet.id, member.properties.privateIPAddress);
  }
  for (const { properties } of network.loadBalancers) {
    for (const { properties: frontend } of properties.frontendIPConfigurations) {
      if (frontend.subnet !== undefined) claim(frontend.subnet.id, frontend.privateIPAddress ?? '');
    }
  }
  for (const { properties } of network.privateLinkServices) {
    for (const { properties: nat } of properties.ipConfigurations) claim(nat.subnet.id, nat.privateIPAddress);
  }
  return pools;
}

function makePool(subnet: Subnet, elsewhere: readonly string[]): Pool {
  const prefix = parsePrefix(subnet.properties.addressPrefix); // the reader has checked it
  const taken = new Set(elsewhere.flatMap((text) => tryParseIpv4(text) ?? []));
  // NET-3: the first four addresses and the last are reserved.
  return { name: subnet.name, taken, next: prefixFirst(prefix) + 4, last: prefixLast(prefix) - 1 };
}

function takeLowest(pool: Pool): number | undefined {
  while (pool.next <= pool.last && pool.taken.has(pool.next)) pool.next++;
  return pool.next <= pool.last ? pool.next++ : undefined;
}

function assignBackends(network: Network): Network {
  const used = usedPrefixes(network);
  const backends = network.privateLinkResources.map((resource) => resource.properties.backendAddress);
  const taken = new Set(backends.flatMap((text) => tryParseIpv4(text) ?? []));
  for (const { properties } of network.publicIPAddresses) {
    const address = tryParseIpv4(properties.ipAddress ?? '');
    if (address !== undefined) taken.add(address);
  }
  const free = freeBackends(used, taken);
  const privateLinkResources = network.privateLinkResources.map((resource) => {
    if (resource.properties.backendAddress !== NO_BACKEND) return resource;
    const next = free.next();
    if (next.done === true) throw new Error('more services without an address than there are IPv4 addresses');
    return { ...resource, properties: { ...resource.properties, backendAddress: formatIpv4(next.value) } };
  });
  return { ...network, privateLinkResources };
}

function usedPrefixes(network: Network): Ipv4Prefix[] {
  const spaces = network.virtualNetworks.flatMap((each) => each.properties.addressSpace.addressPrefixes);
  const learned = network.virtualNetworkGateways.flatMap((gateway) => gateway.properties.learnedRoutes);
  // A learned default route covers everything and says nothing about who uses an address.
  return [...spaces, ...learned].map(parsePrefix).filter((prefix) => prefix.length > 0);
}

/** Addresses outside all used prefixes; when networks cover every range, addresses that nobody was given. */
function* freeBackends(used: readonly Ipv4Prefix[], taken: ReadonlySet<number>): Generator<number, undefined> {
  const given = new Set(taken);
  for (const avoided of [used, []]) {
    for (const range of BACKEND_RANGES) {
      for (let address = prefixFirst(range) + 1; address < prefixLast(range); address++) {
        const inside = avoided.find((prefix) => prefixContains(prefix, address));
        if (inside !== undefined) address = prefixLast(inside);
        else if (!given.has(address)) {
          given.add(address);
          yield address;
        }
      }
    }
  }
  return undefined;
}
