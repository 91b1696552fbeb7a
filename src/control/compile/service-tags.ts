// Expansion of service tags to addresses. Three tags depend on the place where a rule is evaluated: VirtualNetwork
// (NSG-16), Internet (NSG-18) and, through them, everything that is defined by exclusion. The rest is fixed.

import { parsePrefix } from '../../wire/index.ts';
import type { Subnet } from '../model/resources.ts';
import { type AddressSet, NO_ADDRESSES, setOfPrefixes, setOfRanges, subtract, ALL_ADDRESSES } from './address-set.ts';
import { type Context, gatewaysOf, ipv4Prefixes, type Place, resolve } from './context.ts';

/** Host address of DHCP, DNS and health probes (WIRE-18). */
export const HOST_VIP = '168.63.129.16';
/** Instance metadata (WIRE-19). */
export const METADATA_VIP = '169.254.169.254';

/** Never part of the Internet tag (NSG-18). */
const NOT_INTERNET = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '224.0.0.0/4',
  '240.0.0.0/4',
];

/** Tags that switch platform services off (NSG-21). LKM: the vendor's published activation servers. */
const PLATFORM_TAGS: ReadonlyMap<string, { readonly addresses: readonly string[]; readonly port?: number }> = new Map([
  ['azureplatformdns', { addresses: [HOST_VIP], port: 53 }],
  ['azureplatformimds', { addresses: [METADATA_VIP] }],
  ['azureplatformlkm', { addresses: [HOST_VIP, '20.118.99.224', '40.83.235.53', '23.102.135.246'], port: 1688 }],
]);

/** Services whose service endpoint covers a tag of another name; all others drop the `Microsoft.` (ROUTE-10). */
const TAG_OF_SERVICE: ReadonlyMap<string, string> = new Map([
  ['microsoft.storage.global', 'Storage'],
  ['microsoft.keyvault', 'AzureKeyVault'],
  ['microsoft.containerregistry', 'AzureContainerRegistry'],
  ['microsoft.web', 'AppService'],
  ['microsoft.cognitiveservices', 'CognitiveServicesManagement'],
]);

/** True for what stands for a tag in a rule or a route: neither `*` nor an address nor a prefix. */
export function isTag(text: string): boolean {
  return /^[a-z]/i.test(text) && !text.includes(':');
}

/** True for the three outbound tags that make a rule concern platform traffic (NSG-30). */
export function isPlatformTag(text: string): boolean {
  return PLATFORM_TAGS.has(text.toLowerCase());
}

/** The only destination port that a platform tag stands for, if it stands for one. */
export function platformTagPort(text: string): number | undefined {
  return PLATFORM_TAGS.get(text.toLowerCase())?.port;
}

/** The addresses that a tag means for rules evaluated in a subnet; a tag nobody knows means none. */
export function expandTag(context: Context, tag: string, place: Place): AddressSet {
  const name = tag.toLowerCase();
  if (name === 'virtualnetwork') return virtualNetworkSet(context, place);
  if (name === 'internet') return internetSet(context, place);
  return remember(context, name, () => {
    if (name === 'any') return ALL_ADDRESSES;
    if (name === 'azureloadbalancer') return setOfPrefixes(ipv4Prefixes([HOST_VIP])); // NSG-19
    const platform = PLATFORM_TAGS.get(name);
    if (platform !== undefined) return setOfPrefixes(ipv4Prefixes(platform.addresses));
    return setOfPrefixes(tagPrefixes(context, name));
  });
}

/** Prefixes of a public service tag, with or without region suffix (NSG-20). */
export function tagPrefixes(context: Context, tag: string): ReturnType<typeof ipv4Prefixes> {
  return ipv4Prefixes(context.network.serviceTags.get(tag.toLowerCase())?.prefixes ?? []);
}

/**
 * Public prefixes of one service endpoint of a subnet (ROUTE-10). `Microsoft.Storage` means the tag `Storage`, or its
 * regional forms where locations are given; a service written as a prefix stands for itself.
 */
export function serviceEndpointPrefixes(
  context: Context,
  endpoint: { readonly service: string; readonly locations?: readonly string[] },
): ReturnType<typeof ipv4Prefixes> {
  if (!isTag(endpoint.service)) return ipv4Prefixes([endpoint.service]);
  const tag = TAG_OF_SERVICE.get(endpoint.service.toLowerCase()) ?? endpoint.service.replace(/^Microsoft\./i, '');
  const regional = (endpoint.locations ?? []).flatMap((location) => tagPrefixes(context, `${tag}.${location}`));
  return regional.length > 0 ? regional : tagPrefixes(context, tag);
}

/**
 * VirtualNetwork (NSG-16): own ranges, ranges of peers that this network's own link gives access to (PEER-6), prefixes
 * learned by the gateway, prefixes of the subnet's user-defined routes, or of the whole network's (NSG-17, Q-4), and
 * the host address (NSG-19).
 */
function virtualNetworkSet(context: Context, place: Place): AddressSet {
  return remember(context, placeKey('virtualnetwork', place), () => {
    const { network } = place;
    const { switches } = context.behaviour;
    const learned = gatewaysOf(network)?.gateways.flatMap((gateway) => gateway.properties.learnedRoutes) ?? [];
    const routes = countedSubnets(context, place).flatMap(
      (subnet) => resolve(context.routeTables, subnet.properties.routeTable)?.properties.routes ?? [],
    );
    const routed = routes.flatMap(({ properties: { addressPrefix } }) =>
      isTag(addressPrefix) ? tagPrefixes(context, addressPrefix) : ipv4Prefixes([addressPrefix]),
    );
    return setOfPrefixes([
      ...network.ranges,
      ...network.peers.filter((peer) => peer.link.allowVirtualNetworkAccess).flatMap((peer) => peer.ranges),
      ...[...ipv4Prefixes(learned), ...routed].filter(
        (prefix) => prefix.length > 0 || switches['tag.vnetIncludesDefaultRoute'],
      ),
      ...ipv4Prefixes(switches['tag.vnetIncludesHostVip'] ? [HOST_VIP] : []),
    ]);
  });
}

/** subnets whose user-defined routes count. */
function countedSubnets(context: Context, { network, subnet }: Place): readonly Subnet[] {
  return context.behaviour.switches['tag.vnetRoutes'] === 'network' ? network.vnet.properties.subnets : [subnet];
}

/** Internet (NSG-18): public addresses that are not in VirtualNetwork. */
function internetSet(context: Context, place: Place): AddressSet {
  return remember(context, placeKey('internet', place), () => {
    const publicSpace = subtract(ALL_ADDRESSES, setOfPrefixes(NOT_INTERNET.map(parsePrefix)));
    return subtract(publicSpace, virtualNetworkSet(context, place));
  });
}

/** Subnets of one network with one route table share their tags; this is the key they share. */
export function placeKey(prefix: string, place: Place): string {
  return `${prefix} ${place.network.key} ${place.subnet.properties.routeTable?.id.toLowerCase() ?? ''}`;
}

function remember(context: Context, key: string, make: () => AddressSet): AddressSet {
  let set = context.tagSets.get(key);
  if (set === undefined) {
    set = make();
    context.tagSets.set(key, set);
  }
  return set;
}

/** The union of single addresses. */
export function setOfAddresses(addresses: readonly number[]): AddressSet {
  return addresses.length === 0 ? NO_ADDRESSES : setOfRanges(addresses.flatMap((address) => [address, address]));
}
