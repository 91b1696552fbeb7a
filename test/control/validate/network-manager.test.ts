// Validation of security admin rules, subnet peerings and their sync, regions, and factories: each code once, and the
// nearest configuration that is fine (NSG-15, PEER-2, PEER-8, PNSG-9, ADF-4, ADF-5).

import { expect, it } from 'vitest';
import { readNetworkValue } from '../../../src/control/input/read.ts';
import { behaviourOf, type ProfileName } from '../../../src/control/model/profile.ts';
import type { Network, VirtualNetwork } from '../../../src/control/model/resources.ts';
import { codesOf } from './codes-of.ts';

function read(topology: object, profile: ProfileName = 'ga-2026'): Network {
  const { network } = readNetworkValue(topology, 'test', { behaviour: behaviourOf(profile) });
  if (network === undefined) throw new Error('nothing was read');
  return network;
}

const codes = (topology: object, profile: ProfileName = 'ga-2026'): string =>
  codesOf(read(topology, profile), behaviourOf(profile));

const subnets = { app: { addressPrefix: '10.0.0.0/24' } };
const net = { addressSpace: '10.0.0.0/16', subnets };
const rule = { name: 'R', priority: 10, direction: 'Outbound', access: 'Deny' };
const managed = (rules: readonly object[], networks = ['net']): object => ({
  virtualNetworks: { net },
  networkManagers: { avnm: { networks, rules } },
});

it.each([
  [
    'is fine at both ends of the range',
    managed([
      { ...rule, priority: 1 },
      { ...rule, name: 'S', priority: 4096 },
    ]),
    'ok',
  ],
  ['has a priority out of range', managed([{ ...rule, priority: 4097 }]), 'ADMIN_RULE_PRIORITY_RANGE'],
  ['has a broken priority', managed([{ ...rule, priority: 1.5 }]), 'ADMIN_RULE_PRIORITY_RANGE'],
  ['shares its priority', managed([rule, { ...rule, name: 'S' }]), '~ADMIN_RULE_PRIORITY_DUPLICATE'],
  ['has the priority of the other direction', managed([rule, { ...rule, name: 'S', direction: 'Inbound' }]), 'ok'],
  ['applies to nothing', managed([rule], []), '~ADMIN_RULE_NETWORKS'],
  ['names a tag that nobody knows', managed([{ ...rule, source: 'Nowhere' }]), 'ADMIN_RULE_PREFIX'],
  ['names a tag that is built in', managed([{ ...rule, source: 'VirtualNetwork' }]), 'ok'],
])('NSG-15: an admin rule that %s', (_, topology, expected) => {
  expect(codes(topology)).toBe(expected);
});

const peered = (names: readonly string[]): object => ({
  virtualNetworks: {
    net,
    other: { addressSpace: '10.1.0.0/16', subnets: { far: { addressPrefix: '10.1.0.0/24' } } },
  },
  peerings: [{ between: ['net', 'other'], net: { subnets: names } }],
});

it('PEER-8: a subnet peering names subnets that exist', () => {
  expect(codes(peered(['APP']))).toBe('ok');
  // Both links name it: as their own subnet, and as one of the remote network.
  expect(codes(peered(['far']))).toBe('PEERING_SUBNET_NOT_FOUND PEERING_SUBNET_NOT_FOUND');
});

it('PEER-2: ranges that a peer has not synced draw a warning', () => {
  const network = read({ ...peered([]), peerings: [{ between: ['net', 'other'] }] });
  const stale = network.virtualNetworks.map((vnet): VirtualNetwork => {
    const { virtualNetworkPeerings } = vnet.properties;
    const changed = virtualNetworkPeerings.map((peering) => ({
      ...peering,
      properties: { ...peering.properties, remoteAddressSpace: { addressPrefixes: ['10.7.0.0/16'] } },
    }));
    return { ...vnet, properties: { ...vnet.properties, virtualNetworkPeerings: changed } };
  });
  expect(codesOf(network)).toBe('ok');
  expect(codesOf({ ...network, virtualNetworks: stale })).toBe('~PEERING_NOT_SYNCED ~PEERING_NOT_SYNCED');
});

it.each([
  ['West India', 'Enabled', '~NSG_ENDPOINT_REGION'],
  ['usgovvirginia', 'NetworkSecurityGroupEnabled', '~NSG_ENDPOINT_REGION'],
  ['West India', 'RouteTableEnabled', 'ok'],
  ['Central India', 'Enabled', 'ok'],
])('PNSG-9: in %s with policies %s: %s', (location, policies, expected) => {
  const endpoints = { addressPrefix: '10.0.1.0/24', privateEndpointNetworkPolicies: policies };
  expect(codes({ virtualNetworks: { net: { ...net, location, subnets: { endpoints } } } })).toBe(expected);
});

it('ADF-5: a store with endpoints elsewhere only, and one with a managed endpoint too', () => {
  const store = (endpoints: object): string =>
    codes({
      virtualNetworks: { net },
      services: { kv: { type: 'Microsoft.KeyVault/vaults', hostNames: 'kv.vault.azure.net' } },
      privateEndpoints: { pe: { subnet: 'net/app', service: 'kv' } },
      dataFactories: { adf: { managedPrivateEndpoints: endpoints } },
    });
  expect(store({})).toContain('~FACTORY_STORE_ENDPOINT');
  expect(store({ mpe: { service: 'kv' } })).not.toContain('FACTORY_STORE_ENDPOINT');
});

it('ADF-4: the first release reached no SQL Managed Instance by a managed private endpoint', () => {
  const topology = {
    services: { mi: { type: 'Microsoft.Sql/managedInstances', dnsZone: 'zone1' } },
    dataFactories: { adf: { managedPrivateEndpoints: { mpe: { service: 'mi' } } } },
  };
  expect(codes(topology, 'pe-2020')).toContain('~FACTORY_ENDPOINT_TARGET');
  expect(codes(topology)).not.toContain('FACTORY_ENDPOINT_TARGET');
});
