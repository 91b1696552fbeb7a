// Virtual networks and their subnets: address ranges, sizes, overlaps and counts
// (NET-1, NET-2, NSG-33, LIM-11, LIM-13).

import {
  DNS_SERVERS_PER_VNET_MAX,
  FLOW_TIMEOUT_MINUTES_MAX,
  FLOW_TIMEOUT_MINUTES_MIN,
  SUBNET_LENGTH_MAX,
  SUBNET_LENGTH_MIN,
  SUBNETS_PER_VNET_MAX,
} from '../../abi/limits.ts';
import { formatPrefix, type Ipv4Prefix, parsePrefix, prefixCovers, prefixesOverlap } from '../../wire/address.ts';
import type { Subnet, VirtualNetwork } from '../model/resources.ts';
import { type Place, readAddress, readPrefix, type ValidationContext } from './context.ts';

/** NET-1: ranges that no virtual network may use. */
const REFUSED_RANGES = ['224.0.0.0/4', '255.255.255.255/32', '127.0.0.0/8', '169.254.0.0/16', '168.63.129.16/32'].map(
  parsePrefix,
);

interface Named {
  readonly name: string;
  readonly prefix: Ipv4Prefix;
  readonly place: Place;
}

export function checkVirtualNetworks(context: ValidationContext): void {
  for (const vnet of context.network.virtualNetworks) {
    const path = `virtualNetworks.${vnet.name}`;
    const ranges = checkAddressSpace(context, vnet, path);
    checkSubnets(context, vnet, ranges, path);
    checkSettings(context, vnet, path);
  }
}

function checkAddressSpace(context: ValidationContext, vnet: VirtualNetwork, path: string): Named[] {
  const { addressPrefixes } = vnet.properties.addressSpace;
  const ranges: Named[] = [];
  for (const [index, text] of addressPrefixes.entries()) {
    const place = { path: `${path}.addressSpace.addressPrefixes[${index}]`, source: vnet.source };
    const prefix = readPrefix(context, text, place, `address range of virtual network '${vnet.name}'`);
    if (prefix === undefined) continue;
    const refused = REFUSED_RANGES.find((range) => prefixesOverlap(range, prefix));
    if (refused !== undefined) {
      const overlap = `overlaps ${formatPrefix(refused)}, which Azure refuses`;
      const hint = 'use a private range, for example inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16';
      const message = `address range ${text} of virtual network '${vnet.name}' ${overlap}`;
      context.report('ADDRESS_SPACE_REFUSED', place, message, hint);
    }
    ranges.push({ name: text, prefix, place });
  }
  if (addressPrefixes.length === 0) {
    const message = `virtual network '${vnet.name}' has no address range`;
    context.report('ADDRESS_SPACE_EMPTY', { path, source: vnet.source }, message, 'give it one, like 10.0.0.0/16');
  }
  for (const [first, second] of overlaps(ranges)) {
    const message = `address ranges ${first.name} and ${second.name} of virtual network '${vnet.name}' overlap`;
    context.report('ADDRESS_SPACE_OVERLAP', second.place, message, 'remove one of them');
  }
  return ranges;
}

function checkSubnets(
  context: ValidationContext,
  vnet: VirtualNetwork,
  ranges: readonly Named[],
  vnetPath: string,
): void {
  const { subnets } = vnet.properties;
  if (subnets.length > SUBNETS_PER_VNET_MAX) {
    const message = `virtual network '${vnet.name}' has ${subnets.length} subnets; at most ${SUBNETS_PER_VNET_MAX}`;
    const place = { path: `${vnetPath}.subnets`, source: vnet.source };
    context.report('SUBNETS_LIMIT', place, message, 'spread them over several virtual networks');
  }
  const named: Named[] = [];
  for (const subnet of subnets) {
    const place = {
      path: `${vnetPath}.subnets.${subnet.name}.addressPrefix`,
      source: subnet.source ?? vnet.source,
    };
    const prefix = readPrefix(context, subnet.properties.addressPrefix, place, `range of subnet '${subnet.name}'`);
    if (prefix === undefined) continue;
    checkSubnetLength(context, subnet, prefix, place);
    if (!ranges.some((range) => prefixCovers(range.prefix, prefix))) {
      const spaces = ranges.map((range) => range.name).join(', ');
      const message =
        `range ${formatPrefix(prefix)} of subnet '${subnet.name}' is outside the ranges of virtual network ` +
        `'${vnet.name}' (${spaces}) (Azure: NetcfgSubnetRangeOutsideVnet)`;
      context.report('SUBNET_OUTSIDE_VNET', place, message, 'choose a range inside, or add a range to the network');
    }
    named.push({ name: subnet.name, prefix, place });
  }
  for (const [first, second] of overlaps(named)) {
    const message =
      `subnet '${second.name}' (${formatPrefix(second.prefix)}) overlaps subnet '${first.name}' ` +
      `(${formatPrefix(first.prefix)}) in virtual network '${vnet.name}' (Azure: NetcfgSubnetRangesOverlap)`;
    context.report('SUBNETS_OVERLAP', second.place, message, 'give each subnet its own part of the address space');
  }
}

function checkSubnetLength(context: ValidationContext, subnet: Subnet, prefix: Ipv4Prefix, place: Place): void {
  if (prefix.length >= SUBNET_LENGTH_MIN && prefix.length <= SUBNET_LENGTH_MAX) return;
  const message =
    `subnet '${subnet.name}' is a /${prefix.length}; ` +
    `expected /${SUBNET_LENGTH_MIN} (largest) to /${SUBNET_LENGTH_MAX} (smallest)`;
  const hint = 'a /29 has three usable addresses, a /24 has 251';
  context.report('SUBNET_SIZE', place, message, hint);
}

function checkSettings(context: ValidationContext, vnet: VirtualNetwork, path: string): void {
  const { flowTimeoutInMinutes: minutes, dhcpOptions } = vnet.properties;
  const inRange =
    minutes === undefined ||
    (Number.isInteger(minutes) && minutes >= FLOW_TIMEOUT_MINUTES_MIN && minutes <= FLOW_TIMEOUT_MINUTES_MAX);
  if (!inRange) {
    const expected = `expected ${FLOW_TIMEOUT_MINUTES_MIN} to ${FLOW_TIMEOUT_MINUTES_MAX}`;
    const message = `flowTimeoutInMinutes of virtual network '${vnet.name}' is ${minutes}; ${expected}`;
    const place = { path: `${path}.flowTimeoutInMinutes`, source: vnet.source };
    context.report('FLOW_TIMEOUT_RANGE', place, message, 'leave it out for the default of 4 minutes');
  }
  const servers = dhcpOptions?.dnsServers ?? [];
  const place = { path: `${path}.dhcpOptions.dnsServers`, source: vnet.source };
  if (servers.length > DNS_SERVERS_PER_VNET_MAX) {
    const found = `${servers.length} DNS servers; at most ${DNS_SERVERS_PER_VNET_MAX}`;
    const message = `virtual network '${vnet.name}' names ${found}`;
    context.report('DNS_SERVERS_LIMIT', place, message, 'remove some');
  }
  for (const server of servers) readAddress(context, server, place, `DNS server of virtual network '${vnet.name}'`);
}

/**
 * Pairs of overlapping prefixes, the earlier one in the input first. Prefixes overlap only when one covers the other,
 * so after sorting it is enough to look at the open prefixes around each: n log n, and every overlapping prefix is in
 * at least one pair.
 */
function overlaps(named: readonly Named[]): [Named, Named][] {
  const order = new Map(named.map((entry, index) => [entry, index]));
  const sorted = [...named].sort((a, b) => a.prefix.address - b.prefix.address || a.prefix.length - b.prefix.length);
  const open: Named[] = [];
  const pairs: [Named, Named][] = [];
  for (const entry of sorted) {
    while (open.length > 0 && !prefixCovers((open.at(-1) ?? entry).prefix, entry.prefix)) open.pop();
    const around = open.at(-1);
    if (around !== undefined) {
      const aroundFirst = (order.get(around) ?? 0) < (order.get(entry) ?? 0);
      pairs.push(aroundFirst ? [around, entry] : [entry, around]);
    }
    open.push(entry);
  }
  return pairs;
}
