// NICs: their subnet, region, primary IP configuration and counts (NET-6, NET-7, LIM-5, LIM-15).

import { ADDRESSES_PER_NIC_MAX, ASGS_PER_IP_CONFIGURATION_MAX, MTU_LEAST, MTU_MOST } from '../../abi/limits.ts';
import { AddressError, parseMac } from '../../wire/address.ts';
import { idKey, type NetworkInterface, type VirtualNetwork } from '../model/resources.ts';
import { nameOfId, type Place, regionOf, resolve, subscriptionOf, type ValidationContext } from './context.ts';
import { nameHint } from './suggestion.ts';

export function checkInterfaces(context: ValidationContext): void {
  for (const nic of context.network.networkInterfaces) {
    const place = { path: `networkInterfaces.${nic.name}`, source: nic.source };
    checkPrimary(context, nic, place);
    checkSubnetOfNic(context, nic, place);
    checkCounts(context, nic, place);
    checkMac(context, nic, place);
    checkMtu(context, nic, place);
  }
}

function checkMtu(context: ValidationContext, nic: NetworkInterface, place: Place): void {
  const { mtu } = nic.properties;
  if (mtu === undefined || (Number.isInteger(mtu) && mtu >= MTU_LEAST && mtu <= MTU_MOST)) return;
  const message = `the guest of NIC '${nic.name}' has an MTU of ${mtu}; expected ${MTU_LEAST} to ${MTU_MOST}`;
  context.report('NIC_MTU', place, message, 'leave mtu away for 1500 bytes');
}

function checkPrimary(context: ValidationContext, nic: NetworkInterface, place: Place): void {
  const { ipConfigurations } = nic.properties;
  const primaries = ipConfigurations.filter((configuration) => configuration.properties.primary);
  if (primaries.length === 1) return;
  const names = primaries.map((configuration) => `'${configuration.name}'`).join(', ');
  const found =
    ipConfigurations.length === 0
      ? 'no IP configuration'
      : `${primaries.length === 0 ? 'no' : primaries.length} primary IP configurations${names && `: ${names}`}`;
  const message = `NIC '${nic.name}' has ${found}; expected exactly one primary`;
  context.report('NIC_PRIMARY', place, message, 'mark one IP configuration as primary');
}

function checkSubnetOfNic(context: ValidationContext, nic: NetworkInterface, place: Place): void {
  const { ipConfigurations } = nic.properties;
  for (const configuration of ipConfigurations) {
    if (resolve(context.subnets, configuration.properties.subnet) !== undefined) continue;
    const name = nameOfId(configuration.properties.subnet.id);
    const where = { path: `${place.path}.ipConfigurations.${configuration.name}.subnet`, source: place.source };
    const hint = nameHint(name, subnetNames(context), 'add the virtual network with this subnet to the input');
    context.report(
      'NIC_SUBNET_NOT_FOUND',
      where,
      `NIC '${nic.name}' is in subnet '${name}', which does not exist`,
      hint,
    );
  }
  const keys = new Set(ipConfigurations.map((configuration) => idKey(configuration.properties.subnet.id)));
  if (keys.size > 1) {
    const names = [...keys].map((key) => `'${nameOfId(key)}'`).join(', ');
    const message = `IP configurations of NIC '${nic.name}' are in several subnets: ${names}`;
    context.report('NIC_SEVERAL_SUBNETS', place, message, 'a NIC belongs to one subnet: make one NIC per subnet');
  }
  const vnet = resolve(context.subnets, ipConfigurations[0]?.properties.subnet)?.vnet;
  const difference = vnet === undefined ? undefined : regionDifference(nic, vnet);
  if (difference !== undefined) {
    const message = `NIC '${nic.name}' and its virtual network '${vnet?.name}' differ in ${difference}`;
    context.report('NIC_REGION', place, message, 'a NIC and its virtual network share region and subscription');
  }
}

function checkCounts(context: ValidationContext, nic: NetworkInterface, place: Place): void {
  const { ipConfigurations } = nic.properties;
  if (ipConfigurations.length > ADDRESSES_PER_NIC_MAX) {
    const message = `NIC '${nic.name}' has ${ipConfigurations.length} addresses; at most ${ADDRESSES_PER_NIC_MAX}`;
    context.report('NIC_ADDRESSES_LIMIT', place, message, 'spread the addresses over several NICs');
  }
  for (const configuration of ipConfigurations) {
    const count = configuration.properties.applicationSecurityGroups?.length ?? 0;
    if (count <= ASGS_PER_IP_CONFIGURATION_MAX) continue;
    const message =
      `IP configuration '${configuration.name}' of NIC '${nic.name}' is in ${count} application security groups; ` +
      `at most ${ASGS_PER_IP_CONFIGURATION_MAX}`;
    context.report('ASGS_PER_IP_CONFIGURATION_LIMIT', place, message, 'remove it from some groups');
  }
}

function checkMac(context: ValidationContext, nic: NetworkInterface, place: Place): void {
  const { macAddress } = nic.properties;
  if (macAddress === undefined || macAddress === '') return;
  try {
    parseMac(macAddress);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    const where = { path: `${place.path}.macAddress`, source: place.source };
    context.report('NIC_MAC_INVALID', where, `NIC '${nic.name}': ${error.message}`, error.hint);
  }
}

/** What a resource and its network differ in (NET-7, PE-6), only where both sides say it. */
export function regionDifference(
  resource: { readonly id: string; readonly location?: string },
  vnet: VirtualNetwork,
): string | undefined {
  const [region, vnetRegion] = [regionOf(resource.location), regionOf(vnet.location)];
  if (region !== undefined && vnetRegion !== undefined && region !== vnetRegion) {
    return `region (${resource.location} and ${vnet.location})`;
  }
  const [subscription, vnetSubscription] = [subscriptionOf(resource.id), subscriptionOf(vnet.id)];
  if (subscription !== undefined && vnetSubscription !== undefined && subscription !== vnetSubscription) {
    return `subscription (${subscription} and ${vnetSubscription})`;
  }
  return undefined;
}

/** Names of all subnets, for hints. */
export function subnetNames(context: ValidationContext): string[] {
  return [...context.subnets.values()].map((place) => place.subnet.name);
}
