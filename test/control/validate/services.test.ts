// What validation says about SQL Managed Instances in their networks (SQLMI-3, SQLMI-22, SQLMI-23, SQLMI-27 to 29).

import { expect, test } from 'vitest';
import { readNetworkValue } from '../../../src/control/input/read.ts';
import { behaviourOf } from '../../../src/control/model/profile.ts';
import type { Network } from '../../../src/control/model/resources.ts';
import { codesOf } from './codes-of.ts';

interface Situation {
  readonly zones?: object;
  readonly rules?: readonly object[];
  readonly routes?: readonly object[];
  readonly publicEndpoint?: boolean;
}

const PRIVATE_ZONE = 'privatelink.zone1.database.windows.net';
const deny = (direction: string, more: object): object => ({
  name: 'Deny',
  priority: 200,
  direction,
  access: 'Deny',
  ...more,
});
const toAppliance = { name: 'all', addressPrefix: '0.0.0.0/0', nextHopType: 'None' };
const out = ['AzureActiveDirectory', 'OneDsCollector', 'Storage.westeurope'].map((tag) => ({
  name: tag,
  addressPrefix: tag,
  nextHopType: 'Internet',
}));

const SITUATIONS: readonly (readonly [string, Situation, string])[] = [
  ['an instance with nothing special', {}, 'ok'],
  [
    'the zone of its private name in its own network (SQLMI-23)',
    { zones: { [PRIVATE_ZONE]: { links: { data: 'Default' } } } },
    '~MI_SELF_NAME_HIJACK',
  ],
  ['that zone in a peered network (SQLMI-22)', { zones: { [PRIVATE_ZONE]: { links: { apps: 'Default' } } } }, 'ok'],
  [
    'a zone of another name, as the set-up for the same network has it (SQLMI-22)',
    { zones: { 'privatelink.site': { links: { data: 'Default' } } } },
    'ok',
  ],
  ['everything inbound denied (SQLMI-27)', { rules: [deny('Inbound', {})] }, '~MI_RULES_REQUIRED'],
  [
    'everything inbound denied after the subnet and the balancer are allowed',
    {
      rules: [
        { name: 'Own', priority: 100, direction: 'Inbound', access: 'Allow', source: '10.9.0.0/24' },
        { name: 'Lb', priority: 110, direction: 'Inbound', access: 'Allow', source: 'AzureLoadBalancer' },
        deny('Inbound', {}),
      ],
    },
    'ok',
  ],
  [
    'storage denied (SQLMI-27)',
    { rules: [deny('Outbound', { protocol: 'Tcp', destination: 'Storage', destinationPorts: 443 })] },
    '~MI_RULES_REQUIRED',
  ],
  [
    'another port of storage denied',
    { rules: [deny('Outbound', { protocol: 'Tcp', destination: 'Storage', destinationPorts: 445 })] },
    'ok',
  ],
  [
    'AzurePlatformDNS denied (SQLMI-29)',
    { rules: [deny('Outbound', { destination: 'AzurePlatformDNS' })] },
    '~MI_PLATFORM_DNS_DENIED',
  ],
  ['a default route that goes nowhere (SQLMI-28)', { routes: [toAppliance] }, '~MI_ROUTES_REQUIRED'],
  ['the same with routes for what it needs', { routes: [toAppliance, ...out] }, 'ok'],
  [
    'its own subnet routed away (SQLMI-28)',
    { routes: [{ name: 'own', addressPrefix: '10.9.0.0/25', nextHopType: 'None' }] },
    '~MI_ROUTES_REQUIRED',
  ],
  ['a public endpoint that no rule lets in (SQLMI-3)', { publicEndpoint: true }, '~MI_PUBLIC_ENDPOINT_CLOSED'],
  [
    'a public endpoint with its rule',
    {
      publicEndpoint: true,
      rules: [
        {
          name: 'Public',
          priority: 100,
          direction: 'Inbound',
          access: 'Allow',
          protocol: 'Tcp',
          source: 'Internet',
          destinationPorts: 3342,
        },
      ],
    },
    'ok',
  ],
];

test.each(SITUATIONS)('%s', (_name, situation, codes) => {
  expect(codesOf(networkOf(situation))).toBe(codes);
});

test('where peered networks count as the same, the zone is wrong there too (SQLMI-22, preview-2022)', () => {
  const network = networkOf({ zones: { [PRIVATE_ZONE]: { links: { apps: 'Default' } } } });
  expect(codesOf(network, behaviourOf('preview-2022'))).toContain('~MI_PEERED_ZONE');
  expect(codesOf(network, behaviourOf('preview-2022', { 'mi.peeredCountsAsSame': false }))).not.toContain('MI_PEERED');
});

test('an instance has NICs for gateway and node, and one for its public endpoint (SQLMI-1, SQLMI-3)', () => {
  const nics = (network: Network): string[] => network.networkInterfaces.map(({ name }) => name);
  expect(nics(networkOf({}))).toEqual(['mi1-gateway', 'mi1-node']);
  const open = networkOf({ publicEndpoint: true });
  expect(nics(open)).toEqual(['mi1-gateway', 'mi1-node', 'mi1-public']);
  expect(open.publicIPAddresses.map(({ properties }) => properties.ipAddress)).toEqual(['198.51.100.254']);
});

function networkOf({ zones = {}, rules = [], routes = [], publicEndpoint = false }: Situation): Network {
  const subnet = {
    addressPrefix: '10.9.0.0/24',
    delegation: 'Microsoft.Sql/managedInstances',
    networkSecurityGroup: 'nsg',
    routeTable: 'rt',
  };
  const topology = {
    virtualNetworks: {
      data: { addressSpace: '10.9.0.0/16', subnets: { instance: subnet } },
      apps: { addressSpace: '10.0.0.0/16' },
    },
    peerings: [{ between: ['data', 'apps'] }],
    networkSecurityGroups: { nsg: { rules } },
    routeTables: { rt: { routes } },
    services: {
      mi1: { type: 'Microsoft.Sql/managedInstances', subnet: 'data/instance', dnsZone: 'zone1', publicEndpoint },
    },
    privateDnsZones: zones,
  };
  const { network, issues } = readNetworkValue(topology, 'test', { behaviour: behaviourOf() });
  expect(issues).toEqual([]);
  if (network === undefined) throw new Error('the network was not read');
  return network;
}
