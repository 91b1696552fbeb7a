// Who holds which address: inside the subnet, not one of Azure's own, held once per virtual network (NET-3, NET-5).

import { PRIVATE_ADDRESSES_PER_VNET_MAX, SUBNET_RESERVED_FIRST } from '../../abi/limits.ts';
import {
  formatIpv4,
  formatPrefix,
  type Ipv4Prefix,
  prefixContains,
  prefixFirst,
  prefixLast,
} from '../../wire/address.ts';
import type { LoadBalancer, PrivateLinkService } from '../model/load-balancing.ts';
import { idKey, type NetworkInterface, type PrivateEndpoint, type Reference } from '../model/resources.ts';
import { type Place, readAddress, resolve, type SubnetPlace, type ValidationContext } from './context.ts';

/** One use of an address by a NIC or a private endpoint. */
interface AddressUse {
  readonly holder: string;
  readonly address: string;
  readonly subnet: Reference;
  readonly place: Place;
}

export function checkAddressUse(context: ValidationContext): void {
  const { networkInterfaces, privateEndpoints, loadBalancers, privateLinkServices } = context.network;
  const uses = [
    ...networkInterfaces.flatMap(usesOfNic),
    ...privateEndpoints.flatMap(usesOfEndpoint),
    ...loadBalancers.flatMap(usesOfBalancer),
    ...privateLinkServices.flatMap(usesOfService),
  ];
  const holders = new Map<string, Map<number, string>>();
  for (const use of uses) {
    const place = resolve(context.subnets, use.subnet);
    const address = readUse(context, use);
    if (place === undefined || address === undefined) continue;
    checkPlaceInSubnet(context, use, address, place);
    const key = idKey(place.vnet.id);
    const held = holders.get(key) ?? new Map<number, string>();
    holders.set(key, held);
    const other = held.get(address);
    if (other === undefined) {
      held.set(address, use.holder);
      continue;
    }
    const message =
      `${use.holder} and ${other} both have ${use.address} in virtual network '${place.vnet.name}' ` +
      '(Azure: PrivateIPAddressIsAllocated)';
    context.report('ADDRESS_IN_USE', use.place, message, 'give one of them another address, or leave it out');
  }
  checkAddressCounts(context, holders);
}

/** Whether Azure keeps an address of a subnet to itself: the first four and the last (NET-3). */
export function isReservedAddress(subnet: Ipv4Prefix, address: number): boolean {
  return address < prefixFirst(subnet) + SUBNET_RESERVED_FIRST || address === prefixLast(subnet);
}

function usesOfNic(nic: NetworkInterface): AddressUse[] {
  return nic.properties.ipConfigurations.map((configuration) => ({
    holder: `NIC '${nic.name}'`,
    address: configuration.properties.privateIPAddress,
    subnet: configuration.properties.subnet,
    place: {
      path: `networkInterfaces.${nic.name}.ipConfigurations.${configuration.name}.privateIPAddress`,
      source: configuration.source ?? nic.source,
    },
  }));
}

function usesOfEndpoint(endpoint: PrivateEndpoint): AddressUse[] {
  const { privateIPAddress, ipConfigurations, subnet } = endpoint.properties;
  const statics = ipConfigurations.map((configuration) => configuration.properties.privateIPAddress);
  return [...new Set([privateIPAddress, ...statics])].map((address) => ({
    holder: `private endpoint '${endpoint.name}'`,
    address,
    subnet,
    place: { path: `privateEndpoints.${endpoint.name}.privateIPAddress`, source: endpoint.source },
  }));
}

function usesOfBalancer({ name, source, properties }: LoadBalancer): AddressUse[] {
  return properties.frontendIPConfigurations.flatMap((frontend) => {
    const { subnet, privateIPAddress: address = '' } = frontend.properties;
    const path = `loadBalancers.${name}.frontends.${frontend.name}.privateIPAddress`;
    const place = { path, source: frontend.source ?? source };
    return subnet === undefined ? [] : [{ holder: `frontend '${name}/${frontend.name}'`, address, subnet, place }];
  });
}

/** NAT addresses (PLS-9). */
function usesOfService({ name, source, properties }: PrivateLinkService): AddressUse[] {
  return properties.ipConfigurations.map((configuration) => ({
    holder: `Private Link service '${name}'`,
    address: configuration.properties.privateIPAddress,
    subnet: configuration.properties.subnet,
    place: { path: `privateLinkServices.${name}.natAddresses.${configuration.name}`, source },
  }));
}

function readUse(context: ValidationContext, use: AddressUse): number | undefined {
  if (use.address !== '') return readAddress(context, use.address, use.place, `address of ${use.holder}`);
  const message = `${use.holder} has no address (Azure: SubnetIsFull)`;
  context.report('ADDRESS_NOT_ALLOCATED', use.place, message, 'use a larger subnet, or give it a free address');
  return undefined;
}

function checkPlaceInSubnet(context: ValidationContext, use: AddressUse, address: number, place: SubnetPlace): void {
  const { prefix, subnet } = place;
  if (prefix === undefined) return;
  if (!prefixContains(prefix, address)) {
    const message =
      `address ${use.address} of ${use.holder} is outside its subnet '${subnet.name}' (${formatPrefix(prefix)}) ` +
      '(Azure: PrivateIPAddressNotInSubnet)';
    context.report('ADDRESS_OUTSIDE_SUBNET', use.place, message, freeRangeHint(prefix));
  } else if (isReservedAddress(prefix, address)) {
    const message =
      `address ${use.address} of ${use.holder} is reserved by Azure in subnet '${subnet.name}' ` +
      `(${formatPrefix(prefix)}): the first four and the last address (Azure: PrivateIPAddressInReservedRange)`;
    context.report('ADDRESS_RESERVED', use.place, message, freeRangeHint(prefix));
  }
}

function freeRangeHint(prefix: Ipv4Prefix): string {
  const first = prefixFirst(prefix) + SUBNET_RESERVED_FIRST;
  const last = prefixLast(prefix) - 1;
  if (first > last) return 'the subnet is too small to hold anything';
  return `choose an address from ${formatIpv4(first)} to ${formatIpv4(last)}`;
}

function checkAddressCounts(
  context: ValidationContext,
  holders: ReadonlyMap<string, ReadonlyMap<number, string>>,
): void {
  for (const vnet of context.network.virtualNetworks) {
    const count = holders.get(idKey(vnet.id))?.size ?? 0;
    if (count <= PRIVATE_ADDRESSES_PER_VNET_MAX) continue;
    const max = PRIVATE_ADDRESSES_PER_VNET_MAX;
    const message = `virtual network '${vnet.name}' holds ${count} addresses; at most ${max}`;
    const place = { path: `virtualNetworks.${vnet.name}`, source: vnet.source };
    context.report('PRIVATE_ADDRESSES_LIMIT', place, message, 'spread the NICs over several virtual networks');
  }
}
