// A network as the compiler reads it: objects by id, subnets with their networks, Connected peerings, gateways, members
// of application security groups. Ids without an object are simply absent here: validation reports them.

import { type Ipv4Prefix, parsePrefixOrAddress, tryParseIpv4 } from '../../wire/index.ts';
import type { Behaviour } from '../model/profile.ts';
import type { FrontendIPConfiguration, LoadBalancer, PrivateLinkService } from '../model/load-balancing.ts';
import {
  idKey,
  type Network,
  type NetworkInterface,
  type NetworkSecurityGroup,
  type PrivateEndpoint,
  type PrivateLinkResource,
  type PublicIPAddress,
  type Reference,
  type RouteTable,
  type Subnet,
  type VirtualNetwork,
  type VirtualNetworkGateway,
  type VirtualNetworkPeering,
} from '../model/resources.ts';
import type { AddressSet } from './address-set.ts';

/** A virtual network with what the compiler asks about it. */
export interface VnetFacts {
  readonly vnet: VirtualNetwork;
  readonly key: string;
  /** Network index of the program. */
  readonly index: number;
  readonly ranges: readonly Ipv4Prefix[];
  /** Connected peerings only (PEER-1). */
  readonly peers: PeerFacts[];
  /** Gateways that stand in it. */
  readonly gateways: VirtualNetworkGateway[];
}

/** One Connected peering as one of its two networks sees it. */
export interface PeerFacts {
  readonly link: VirtualNetworkPeering['properties'];
  /** The other network's own link back. */
  readonly back: VirtualNetworkPeering['properties'];
  readonly remote: VnetFacts;
  /** Ranges that the other network shares: all it has, those of the last sync (PEER-2), or chosen subnets (PEER-8). */
  readonly ranges: readonly Ipv4Prefix[];
  readonly isGlobal: boolean;
}

/** A subnet in its network: the place where rules and routes are evaluated. */
export interface Place {
  readonly network: VnetFacts;
  readonly subnet: Subnet;
}

export interface NicFacts {
  readonly nic: NetworkInterface;
  readonly key: string;
  readonly place: Place;
  readonly address: number;
  /** All its addresses, the primary one first. */
  readonly addresses: readonly number[];
}

export interface EndpointFacts {
  readonly endpoint: PrivateEndpoint;
  readonly key: string;
  /** Endpoint index of the program. */
  readonly index: number;
  readonly place: Place;
  readonly address: number;
}

/** A frontend of a load balancer. */
export interface FrontendFacts {
  readonly balancer: LoadBalancer;
  readonly frontend: FrontendIPConfiguration;
  readonly key: string;
  /** Frontend index of the program. */
  readonly index: number;
  readonly address: number;
  /** Network of an internal frontend. */
  readonly network?: VnetFacts;
  /** Address of a public one. */
  readonly publicIp?: PublicIPAddress;
}

/** A Private Link service with its NAT addresses. */
export interface ServiceFacts {
  readonly service: PrivateLinkService;
  readonly key: string;
  /** Service index of the program. */
  readonly index: number;
  /** The provider's network. */
  readonly network: VnetFacts;
  readonly natAddresses: readonly number[];
}

export interface Context {
  readonly network: Network;
  readonly behaviour: Behaviour;
  readonly vnets: readonly VnetFacts[];
  readonly places: ReadonlyMap<string, Place>;
  readonly nics: readonly NicFacts[];
  readonly endpoints: readonly EndpointFacts[];
  readonly frontends: readonly FrontendFacts[];
  readonly services: readonly ServiceFacts[];
  readonly nsgs: ReadonlyMap<string, NetworkSecurityGroup>;
  readonly routeTables: ReadonlyMap<string, RouteTable>;
  readonly publicIps: ReadonlyMap<string, PublicIPAddress>;
  readonly privateLinkResources: ReadonlyMap<string, PrivateLinkResource>;
  /** Addresses of the members of application security groups by id key (NSG-23, NSG-25). */
  readonly asgMembers: ReadonlyMap<string, readonly number[]>;
  /** Memory of tag expansion; service-tags.ts owns it. */
  readonly tagSets: Map<string, AddressSet>;
}

/** The context of a network; NICs and endpoints whose subnet is unknown are left out. */
export function createContext(network: Network, behaviour: Behaviour): Context {
  const vnets = network.virtualNetworks.map(vnetFacts);
  const byKey = new Map(vnets.map((facts) => [facts.key, facts]));
  for (const facts of vnets) addPeers(facts, byKey);
  for (const gateway of network.virtualNetworkGateways) {
    byKey.get(idKey(gateway.properties.virtualNetwork.id))?.gateways.push(gateway);
  }
  const places = new Map<string, Place>();
  for (const facts of vnets) {
    for (const subnet of facts.vnet.properties.subnets) places.set(idKey(subnet.id), { network: facts, subnet });
  }
  const nics = network.networkInterfaces.flatMap((nic) => nicFacts(nic, places));
  const endpoints: EndpointFacts[] = [];
  for (const endpoint of network.privateEndpoints) {
    const place = places.get(idKey(endpoint.properties.subnet.id));
    const address = tryParseIpv4(endpoint.properties.privateIPAddress);
    if (place === undefined || address === undefined) continue;
    endpoints.push({ endpoint, key: idKey(endpoint.id), index: endpoints.length, place, address });
  }
  const publicIps = mapById(network.publicIPAddresses);
  return {
    network,
    behaviour,
    vnets,
    places,
    nics,
    endpoints,
    frontends: frontendFacts(network, places, publicIps),
    services: serviceFacts(network, places),
    nsgs: mapById(network.networkSecurityGroups),
    routeTables: mapById(network.routeTables),
    publicIps,
    privateLinkResources: mapById(network.privateLinkResources),
    asgMembers: collectAsgMembers(nics, endpoints),
    tagSets: new Map(),
  };
}

/** The object a reference names, undefined without reference or object. */
export function resolve<T>(objects: ReadonlyMap<string, T>, reference: Reference | undefined): T | undefined {
  return reference === undefined ? undefined : objects.get(idKey(reference.id));
}

/**
 * The network whose gateway serves a network and the gateways there: its own, else those of the one peer whose gateways
 * it uses (PEER-7). ExpressRoute comes before VPN (ROUTE-15).
 */
export function gatewaysOf(
  facts: VnetFacts,
): { readonly owner: VnetFacts; readonly gateways: readonly VirtualNetworkGateway[] } | undefined {
  const lender = facts.peers.find((peer) => peer.link.useRemoteGateways && peer.back.allowGatewayTransit)?.remote;
  const owner = facts.gateways.length > 0 ? facts : lender;
  if (owner === undefined || owner.gateways.length === 0) return undefined;
  const order = (gateway: VirtualNetworkGateway): number => (gateway.properties.gatewayType === 'ExpressRoute' ? 0 : 1);
  return { owner, gateways: owner.gateways.toSorted((a, b) => order(a) - order(b)) };
}

/** The IPv4 prefixes among texts; IPv6 is not modelled. Texts were validated before. */
export function ipv4Prefixes(texts: readonly string[]): Ipv4Prefix[] {
  return texts.filter((text) => !text.includes(':')).map(parsePrefixOrAddress);
}

function vnetFacts(vnet: VirtualNetwork, index: number): VnetFacts {
  const ranges = ipv4Prefixes(vnet.properties.addressSpace.addressPrefixes);
  return { vnet, key: idKey(vnet.id), index, ranges, peers: [], gateways: [] };
}

function addPeers(facts: VnetFacts, byKey: ReadonlyMap<string, VnetFacts>): void {
  for (const { properties: link } of facts.vnet.properties.virtualNetworkPeerings) {
    const remote = byKey.get(idKey(link.remoteVirtualNetwork.id));
    const back = remote?.vnet.properties.virtualNetworkPeerings.find(
      (other) => idKey(other.properties.remoteVirtualNetwork.id) === facts.key,
    )?.properties;
    // Traffic flows only when both links exist and are Connected (PEER-1).
    if (remote === undefined || link.peeringState !== 'Connected' || back?.peeringState !== 'Connected') continue;
    const isGlobal = regionOf(facts.vnet) !== regionOf(remote.vnet);
    facts.peers.push({ link, back, remote, ranges: sharedRanges(link, remote), isGlobal });
  }
}

function sharedRanges(link: VirtualNetworkPeering['properties'], remote: VnetFacts): readonly Ipv4Prefix[] {
  const { remoteSubnetNames, remoteAddressSpace } = link;
  if (remoteSubnetNames !== undefined) {
    const names = new Set(remoteSubnetNames.map((name) => name.toLowerCase()));
    const chosen = remote.vnet.properties.subnets.filter((subnet) => names.has(subnet.name.toLowerCase()));
    return ipv4Prefixes(chosen.map((subnet) => subnet.properties.addressPrefix));
  }
  return remoteAddressSpace === undefined ? remote.ranges : ipv4Prefixes(remoteAddressSpace.addressPrefixes);
}

/** Region in comparison form; networks without one count as being in the same region. */
function regionOf(vnet: VirtualNetwork): string {
  return (vnet.location ?? '').toLowerCase().replaceAll(' ', '');
}

function nicFacts(nic: NetworkInterface, places: ReadonlyMap<string, Place>): NicFacts[] {
  const configurations = nic.properties.ipConfigurations;
  const primary = configurations.find((configuration) => configuration.properties.primary) ?? configurations[0];
  const place = resolve(places, primary?.properties.subnet);
  const addresses = [primary, ...configurations.filter((configuration) => configuration !== primary)]
    .map((configuration) => tryParseIpv4(configuration?.properties.privateIPAddress ?? ''))
    .filter((address) => address !== undefined);
  const address = addresses[0];
  return place === undefined || address === undefined ? [] : [{ nic, key: idKey(nic.id), place, address, addresses }];
}

/** Frontends with an address; one that has none yet is left out. */
function frontendFacts(
  network: Network,
  places: ReadonlyMap<string, Place>,
  publicIps: ReadonlyMap<string, PublicIPAddress>,
): FrontendFacts[] {
  const facts: FrontendFacts[] = [];
  for (const balancer of network.loadBalancers) {
    for (const frontend of balancer.properties.frontendIPConfigurations) {
      const { privateIPAddress, subnet, publicIPAddress } = frontend.properties;
      const publicIp = resolve(publicIps, publicIPAddress);
      const place = resolve(places, subnet);
      const address = tryParseIpv4((publicIp ? publicIp.properties.ipAddress : privateIPAddress) ?? '');
      if (address === undefined || (publicIp ?? place) === undefined) continue;
      const common = { balancer, frontend, key: idKey(frontend.id), index: facts.length, address };
      facts.push({ ...common, ...(publicIp ? { publicIp } : place && { network: place.network }) });
    }
  }
  return facts;
}

/** Services with a NAT address in a known subnet (PLS-9). */
function serviceFacts(network: Network, places: ReadonlyMap<string, Place>): ServiceFacts[] {
  const facts: ServiceFacts[] = [];
  for (const service of network.privateLinkServices) {
    const configurations = service.properties.ipConfigurations;
    const place = resolve(places, configurations[0]?.properties.subnet);
    const natAddresses = configurations
      .map(({ properties }) => tryParseIpv4(properties.privateIPAddress))
      .filter((address) => address !== undefined);
    if (place === undefined || natAddresses.length === 0) continue;
    facts.push({ service, key: idKey(service.id), index: facts.length, network: place.network, natAddresses });
  }
  return facts;
}

function collectAsgMembers(
  nics: readonly NicFacts[],
  endpoints: readonly EndpointFacts[],
): ReadonlyMap<string, readonly number[]> {
  const members = new Map<string, number[]>();
  const add = (groups: readonly Reference[] | undefined, address: number | undefined): void => {
    for (const group of groups ?? []) {
      const list = members.get(idKey(group.id)) ?? [];
      if (address !== undefined) list.push(address);
      members.set(idKey(group.id), list);
    }
  };
  for (const { nic } of nics) {
    for (const { properties } of nic.properties.ipConfigurations) {
      add(properties.applicationSecurityGroups, tryParseIpv4(properties.privateIPAddress));
    }
  }
  for (const { endpoint, address } of endpoints) add(endpoint.properties.applicationSecurityGroups, address);
  return members;
}

function mapById<T extends { readonly id: string }>(objects: readonly T[]): ReadonlyMap<string, T> {
  return new Map(objects.map((object) => [idKey(object.id), object]));
}
