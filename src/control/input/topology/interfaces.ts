// Network interfaces, public addresses and NAT gateways of a topology, as resource objects. A public address may be
// written out where a name is expected; it then becomes a resource of its own.

import { tryParseIpv4 } from '../../../wire/address.ts';
import { derive } from '../places.ts';
import type { At } from '../places.ts';
import { makeId, TYPE_OF_KIND } from '../resources/resource-types.ts';
import type { TopologyInterface, TopologyNatGateway, TopologyPublicAddress } from './schema.ts';
import { build, buildResource, from, listFrom, refer, referAll } from './values.ts';
import type { ExpandContext, Member } from './values.ts';

export function expandPublicAddress(
  context: ExpandContext,
  name: string,
  address: TopologyPublicAddress,
  at: At,
): readonly object[] {
  return [
    buildResource(context, 'publicIPAddress', name, at, {
      ipAddress: from(address, 'ipAddress'),
      idleTimeoutInMinutes: from(address, 'idleTimeoutInMinutes'),
      sku: [{ name: address.sku ?? context.behaviour.switches['publicIp.sku'] }],
    }),
  ];
}

export function expandNatGateway(
  context: ExpandContext,
  name: string,
  gateway: TopologyNatGateway,
  at: At,
): readonly object[] {
  const list = gateway.publicIPAddresses ?? [];
  const used = list.map((text, index) =>
    usePublicAddress(context, text, `${name}-ip-${index + 1}`, { object: list, key: index }),
  );
  const references = used.flatMap((each) => each.reference ?? []);
  const resource = buildResource(context, 'natGateway', name, at, {
    publicIpAddresses: [derive(references, { object: list })],
    idleTimeoutInMinutes: from(gateway, 'idleTimeoutInMinutes'),
  });
  return [...used.flatMap((each) => each.made ?? []), resource];
}

/** The first IP configuration is the primary one; the others hold the secondary addresses (NET-6). */
export function expandNetworkInterface(
  context: ExpandContext,
  name: string,
  nic: TopologyInterface,
  at: At,
): readonly object[] {
  const publicAt = { object: nic, key: 'publicIPAddress' };
  const text = nic.publicIPAddress;
  const used = text === undefined ? undefined : usePublicAddress(context, text, `${name}-ip`, publicAt);
  const shared = {
    subnet: refer(context, nic, 'subnet', 'subnet'),
    applicationSecurityGroups: referAll(context, nic.applicationSecurityGroups, 'applicationSecurityGroup'),
  };
  if (shared.subnet === undefined) return used?.made === undefined ? [] : [used.made];
  const primary = build(at, {
    ...shared,
    name: ['ipconfig1'],
    primary: [true],
    privateIPAddress: from(nic, 'privateIPAddress'),
    publicIPAddress: used?.reference === undefined ? undefined : [used.reference, publicAt],
  });
  const secondary = itemsOf(nic, 'secondaryAddresses').map(([address, place], index) =>
    build(place, {
      ...shared,
      name: [`ipconfig${index + 2}`],
      primary: [false],
      privateIPAddress: [address, place],
    }),
  );
  const dns = build({ object: nic, key: 'dnsServers' }, { dnsServers: listFrom(nic, 'dnsServers') });
  const resource = buildResource(context, 'networkInterface', name, at, {
    ipConfigurations: [[primary, ...secondary]],
    networkSecurityGroup: refer(context, nic, 'networkSecurityGroup', 'networkSecurityGroup'),
    enableIPForwarding: from(nic, 'enableIPForwarding'),
    appliance: from(nic, 'appliance'),
    macAddress: from(nic, 'macAddress'),
    dnsServer: from(nic, 'dnsServer'),
    dnsSettings: nic.dnsServers === undefined ? undefined : [dns],
    allowPort25Out: from(nic, 'allowPort25Out'),
    mtu: from(nic, 'mtu'),
    names: listFrom(nic, 'names'),
    tags: from(nic, 'tags'),
  });
  return used?.made === undefined ? [resource] : [used.made, resource];
}

interface UsedAddress {
  readonly reference?: object;
  /** Resource made for an address that was written out. */
  readonly made?: object;
}

/** A public address by name, or the resource that is made for one that was written out. */
export function usePublicAddress(context: ExpandContext, text: string, name: string, at: At): UsedAddress {
  if (tryParseIpv4(text) === undefined && !/^[0-9.]+$/.test(text)) {
    const id = context.names.find(text, at, 'publicIPAddress');
    return id === undefined ? {} : { reference: derive({ id }, at) };
  }
  const address: Member = [text, at];
  const sku: Member = [{ name: context.behaviour.switches['publicIp.sku'] }]; // NET-18
  const made = buildResource(context, 'publicIPAddress', name, at, { ipAddress: address, sku });
  return { reference: derive({ id: makeId(TYPE_OF_KIND.publicIPAddress, name) }, at), made };
}

function itemsOf(nic: TopologyInterface, key: 'secondaryAddresses'): readonly (readonly [string, At])[] {
  const value = nic[key];
  if (value === undefined) return [];
  if (typeof value === 'string') return [[value, { object: nic, key }]];
  return value.map((text, index) => [text, { object: value, key: index }] as const);
}
