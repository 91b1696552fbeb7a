// Public IP addresses and NAT gateways (NET-11, NET-17, LIM-37).

import { NAT_IDLE_MINUTES_MAX, NAT_IDLE_MINUTES_MIN } from '../../abi/limits.ts';
import { formatIpv4 } from '../../wire/address.ts';
import { idKey } from '../model/resources.ts';
import { readAddress, type ValidationContext } from './context.ts';

export function checkOutbound(context: ValidationContext): void {
  checkPublicIps(context);
  checkNatGateways(context);
}

function checkPublicIps(context: ValidationContext): void {
  const users = publicIpUsers(context);
  const holders = new Map<number, string>();
  for (const publicIp of context.network.publicIPAddresses) {
    const place = { path: `publicIPAddresses.${publicIp.name}`, source: publicIp.source };
    const using = users.get(idKey(publicIp.id)) ?? [];
    if (using.length > 1) {
      const message = `public IP address '${publicIp.name}' is used by ${using.join(' and ')}`;
      context.report('PUBLIC_IP_SHARED', place, message, 'give each its own public IP address', 'warning');
    }
    const text = publicIp.properties.ipAddress;
    if (text === undefined || text === '') continue;
    const where = { ...place, path: `${place.path}.ipAddress` };
    const address = readAddress(context, text, where, `public IP address '${publicIp.name}'`);
    if (address === undefined) continue;
    const other = holders.get(address);
    if (other !== undefined) {
      const message = `public IP addresses '${other}' and '${publicIp.name}' are both ${formatIpv4(address)}`;
      context.report('PUBLIC_IP_DUPLICATE', where, message, 'give each its own address');
    }
    holders.set(address, publicIp.name);
  }
}

function checkNatGateways(context: ValidationContext): void {
  for (const gateway of context.network.natGateways) {
    const place = { path: `natGateways.${gateway.name}`, source: gateway.source };
    const { idleTimeoutInMinutes: minutes, publicIpAddresses } = gateway.properties;
    if (!Number.isInteger(minutes) || minutes < NAT_IDLE_MINUTES_MIN || minutes > NAT_IDLE_MINUTES_MAX) {
      const expected = `expected ${NAT_IDLE_MINUTES_MIN} to ${NAT_IDLE_MINUTES_MAX}`;
      const message = `idleTimeoutInMinutes of NAT gateway '${gateway.name}' is ${minutes}; ${expected}`;
      const where = { ...place, path: `${place.path}.idleTimeoutInMinutes` };
      context.report('NAT_IDLE_TIMEOUT_RANGE', where, message, 'leave it out for the default of 4 minutes');
    }
    if (publicIpAddresses.length > 0) continue;
    const message = `NAT gateway '${gateway.name}' has no public IP address`;
    const hint = 'its subnets have no way out: give it a public IP address';
    context.report('NAT_GATEWAY_WITHOUT_ADDRESS', place, message, hint, 'warning');
  }
}

function publicIpUsers(context: ValidationContext): Map<string, string[]> {
  const users = new Map<string, string[]>();
  const add = (id: string, user: string): void => {
    users.set(idKey(id), [...(users.get(idKey(id)) ?? []), user]);
  };
  for (const nic of context.network.networkInterfaces) {
    for (const { properties } of nic.properties.ipConfigurations) {
      if (properties.publicIPAddress !== undefined) add(properties.publicIPAddress.id, `NIC '${nic.name}'`);
    }
  }
  for (const gateway of context.network.natGateways) {
    for (const reference of gateway.properties.publicIpAddresses) add(reference.id, `NAT gateway '${gateway.name}'`);
  }
  return users;
}
