import { expect, test } from 'vitest';
import { behaviourOf, type ProfileName } from '../../../src/control/model/profile.ts';
import type { Network, PrivateEndpointNetworkPolicies } from '../../../src/control/model/resources.ts';
import { network, type NetworkSpec, type NicSpec, type RouteSpec } from '../fixtures.ts';
import { codesOf } from './codes-of.ts';

/** Each limit with the network that has `count` of what it limits. */
const LIMITS: [rule: string, max: number, code: string, make: (count: number) => Network][] = [
  ['LIM-1', 5000, 'RESOURCE_LIMIT', (n) => network({ nsgs: record(n, () => []) })],
  ['LIM-2', 1000, 'RULES_LIMIT', (n) => network({ nsgs: { nsg: list(n, rule) } })],
  ['LIM-3', 4000, 'RULE_PREFIXES_LIMIT', (n) => network({ nsgs: { nsg: [{ ...rule(0), source: list(n, prefix) }] } })],
  ['LIM-4', 3000, 'RESOURCE_LIMIT', (n) => network({ asgs: list(n, name) })],
  [
    'LIM-5',
    20,
    'ASGS_PER_IP_CONFIGURATION_LIMIT',
    (n) => inVnet({ asgs: list(n, name), nics: { nic: nic(0, list(n, name)) } }),
  ],
  ['LIM-6', 10, 'ASGS_PER_RULE_LIMIT', (n) => network({ asgs: list(n, name), nsgs: { nsg: [asgRule(0, n, 0)] } })],
  ['LIM-7', 4000, 'ASG_MEMBERS_LIMIT', (n) => inVnet({ asgs: ['n0'], nics: record(n, (i) => nic(i, ['n0'])) })],
  ['LIM-8', 100, 'ASGS_PER_NSG_LIMIT', (n) => network({ asgs: list(n, name), nsgs: { nsg: asgRules(n) } })],
  ['LIM-10', 1000, 'RESOURCE_LIMIT', (n) => network({ vnets: record(n, () => ({ ranges: ['10.0.0.0/16'] })) })],
  [
    'LIM-11',
    3000,
    'SUBNETS_LIMIT',
    (n) => network({ vnets: { v: { ranges: ['10.0.0.0/8'], subnets: record(n, subnet) } } }),
  ],
  [
    'LIM-12',
    500,
    'PEERINGS_LIMIT',
    (n) => network({ vnets: star(n), peerings: list(n, (i) => ['hub', name(i)] as const) }),
  ],
  ['LIM-15', 256, 'NIC_ADDRESSES_LIMIT', (n) => inVnet({ nics: { nic: { subnet: 's', address: list(n, address) } } })],
  ['LIM-17', 400, 'ROUTES_LIMIT', (n) => network({ routeTables: { rt: list(n, route) } })],
  ['LIM-17', 200, 'RESOURCE_LIMIT', (n) => network({ routeTables: record(n, () => []) })],
  ['LIM-20', 1000, 'ENDPOINTS_LIMIT', (n) => endpoints(n, {})],
  ['PE-45', 5000, 'ENDPOINTS_LIMIT', (n) => endpoints(n, { privateEndpointVNetPolicies: 'Basic' })],
  [
    'ROUTE-17',
    25,
    'ROUTE_TAGS_LIMIT',
    (n) => network({ tags: record(n, () => []), routeTables: { rt: list(n, tagRoute) } }),
  ],
  [
    'NSG-6',
    140,
    'RULE_DESCRIPTION_LENGTH',
    (n) => network({ nsgs: { nsg: [{ ...rule(0), description: 'd'.repeat(n) }] } }),
  ],
];

test.each(LIMITS)('%s: %i are accepted, one more gives %s', (_rule, max, code, make) => {
  expect(codesOf(make(max))).toBe('ok');
  expect(codesOf(make(max + 1))).toBe(code);
});

test('LIM-14: a virtual network holds 65,536 addresses', () => {
  const nics = record(257, (i) => ({ subnet: 's', address: list(256, (j) => address(i * 256 + j)) }));
  const one = { ...nics, n256: { subnet: 's', address: address(65_536) } };
  const { n256: _last, ...full } = nics;
  expect(codesOf(inVnet({ nics: full }))).toBe('ok');
  expect(codesOf(inVnet({ nics: one }))).toBe('PRIVATE_ADDRESSES_LIMIT');
});

const FACTORS: [profile: ProfileName, sources: number, destinations: number, ports: number, code: string][] = [
  ['ga-2026', 1, 1, 4000, 'ok'],
  ['ga-2026', 10, 10, 10, 'ok'],
  ['ga-2026', 50, 50, 100, 'ok'],
  ['ga-2026', 50, 50, 101, 'ENDPOINT_RULE_SIZE'],
  ['ga-2026', 100, 100, 100, 'ENDPOINT_RULE_SIZE'],
  ['preview-2022', 500, 0, 1, 'ok'],
  ['preview-2022', 501, 0, 1, 'ENDPOINT_RULE_PREFIXES'],
  ['preview-2022', 250, 251, 1, 'ENDPOINT_RULE_PREFIXES'],
  ['ga-2026', 501, 0, 1, 'ok'],
  ['pe-2020', 100, 100, 100, '~ENDPOINT_POLICIES_ENABLED'],
];

test.each(FACTORS)('%s: a rule before endpoints with %i x %i prefixes and %i port ranges gives %s', (...row) => {
  const [profile, sources, destinations, ports, code] = row;
  expect(codesOf(beforeEndpoints('Enabled', sources, destinations, ports), behaviourOf(profile))).toBe(code);
});

test('rule sizes count only where the rule filters private endpoints', () => {
  expect(codesOf(beforeEndpoints('NetworkSecurityGroupEnabled', 100, 100, 100))).toBe('ENDPOINT_RULE_SIZE');
  expect(codesOf(beforeEndpoints('Disabled', 100, 100, 100))).toBe('ok');
  expect(codesOf(beforeEndpoints('RouteTableEnabled', 100, 100, 100))).toBe('ok');
  expect(codesOf(beforeEndpoints('Enabled', 100, 100, 100, 'Out'))).toBe('ok');
});

test('NSG-25: a group before private endpoints has at most 50 members', () => {
  const groups = (members: number, policies: PrivateEndpointNetworkPolicies): string => {
    const given = endpoints(1, {}, policies, [{ ...rule(0), source: 'asg:n0' }]);
    const more = inVnet({ asgs: ['n0'], nics: record(members, (i) => nic(i, ['n0'])) });
    const virtualNetworks = [...given.virtualNetworks, ...more.virtualNetworks];
    return codesOf({ ...more, ...given, virtualNetworks, networkInterfaces: more.networkInterfaces });
  };
  expect(groups(50, 'Enabled')).toBe('ok');
  expect(groups(51, 'Enabled')).toBe('ASG_MEMBERS_LIMIT');
  expect(groups(51, 'Disabled')).toBe('ok');
});

function beforeEndpoints(
  policies: PrivateEndpointNetworkPolicies,
  sources: number,
  destinations: number,
  ports: number,
  direction = 'In',
): Network {
  const big = {
    ...rule(0),
    direction,
    protocol: 'Tcp',
    source: sources === 0 ? '*' : list(sources, prefix),
    destination: destinations === 0 ? '*' : list(destinations, prefix),
    destinationPorts: list(ports, (i) => String(1000 + 2 * i)),
  };
  return endpoints(1, {}, policies, [big]);
}

function endpoints(
  count: number,
  vnet: { readonly privateEndpointVNetPolicies?: string },
  policies: PrivateEndpointNetworkPolicies = 'Enabled',
  rules: NonNullable<NetworkSpec['nsgs']>[string] = [],
): Network {
  return network({
    vnets: {
      pevnet: { ranges: ['10.0.0.0/8'], subnets: { pe: { prefix: '10.0.0.0/8', nsg: 'nsg', policies } }, ...vnet },
    },
    nsgs: { nsg: rules },
    asgs: ['n0'],
    endpoints: record(count, (i) => ({ subnet: 'pe', address: address(i), target: 'sqlmi1' })),
    services: { sqlmi1: {} },
  });
}

function inVnet(spec: NetworkSpec): Network {
  return network({ vnets: { v: { ranges: ['10.0.0.0/8'], subnets: { s: '10.0.0.0/8' } } }, ...spec });
}

function list<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function record<T>(count: number, make: (index: number) => T): Record<string, T> {
  return Object.fromEntries(list(count, (index) => [name(index), make(index)]));
}

function name(index: number): string {
  return `n${index}`;
}

function address(index: number): string {
  const n = index + 10;
  return `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;
}

function prefix(index: number): string {
  return `10.${index >> 8}.${index & 255}.0/24`;
}

function subnet(index: number): string {
  return prefix(index);
}

function star(spokes: number): NonNullable<NetworkSpec['vnets']> {
  return {
    hub: { ranges: ['172.16.0.0/16'] },
    ...record(spokes, (i) => ({ ranges: [`10.${i >> 8}.${i & 255}.0/24`] })),
  };
}

function nic(index: number, asgs: readonly string[]): NicSpec {
  return { subnet: 's', address: address(index), asgs };
}

function rule(index: number) {
  return { name: name(index), priority: 100 + index, direction: 'In', access: 'Allow' } as const;
}

/** A rule that names ten groups at most: those from `first` on. */
function asgRule(index: number, count: number, first: number) {
  return { ...rule(index), source: list(count, (i) => `asg:${name(first + i)}`) };
}

function asgRules(count: number) {
  return list(Math.ceil(count / 10), (i) => asgRule(i, Math.min(10, count - 10 * i), 10 * i));
}

function route(index: number): RouteSpec {
  return { name: name(index), prefix: prefix(index), type: 'None' };
}

function tagRoute(index: number): RouteSpec {
  return { name: name(index), prefix: name(index), type: 'None' };
}
