import { describe, expect, it } from 'vitest';
import { networkFromResources } from '../../../src/control/input/resources/network.ts';
import { readNetworkText, readNetworkValue } from '../../../src/control/input/read.ts';
import { behaviourOf } from '../../../src/control/model/profile.ts';
import { validateNetwork } from '../../../src/control/validate/validate.ts';
import { codesOf } from './codes-of.ts';
import type { Network } from '../../../src/control/model/resources.ts';

const BASE = {
  virtualNetworks: {
    a: { addressSpace: '10.0.0.0/16', subnets: { s: { addressPrefix: '10.0.0.0/24' } } },
    b: { addressSpace: '10.1.0.0/16', subnets: { s: { addressPrefix: '10.1.0.0/24' } } },
  },
  services: { sql: { type: 'Microsoft.Sql/servers', hostNames: 'server.database.windows.net' } },
};
const GROUP = 'privatelink.database.windows.net';

function endpoint(name: string, address: string, privateDnsZones: string[]): object {
  return { [name]: { subnet: 'a/s', privateIPAddress: address, service: 'sql', privateDnsZones } };
}

function codes(topology: object): string {
  const { network, issues } = readNetworkValue({ ...BASE, ...topology }, 'topology.yaml');
  const errors = issues.filter((issue) => issue.severity === 'error').map((issue) => issue.code);
  return errors.length > 0 || network === undefined ? errors.join(' ') : codesOf(network);
}

const BASE_AND_GROUP = {
  ...zones({ [GROUP]: { links: { a: 'Default' } } }),
  privateEndpoints: endpoint('pe', '10.0.0.9', [GROUP]),
  dnsForwardingRulesets: { r: { rules: { 'x.example': ['192.168.0.1'] }, networks: ['a'] } },
};

function networkOf(topology: object): Network {
  const { network } = readNetworkValue({ ...BASE, ...topology }, 'topology.yaml');
  if (network === undefined) throw new Error('the topology is broken');
  return network;
}

function zones(map: Record<string, object>): object {
  return { privateDnsZones: map };
}

describe('validation of DNS', () => {
  it.each([
    ['a sound zone', zones({ 'corp.example': { links: { a: 'Default' }, records: { app: '10.0.0.4' } } }), 'ok'],
    ['DNS-2: one label', zones({ corp: {} }), 'ZONE_NAME_INVALID'],
    ['DNS-2: 35 labels', zones({ [Array.from({ length: 35 }, () => 'x').join('.')]: {} }), 'ZONE_NAME_INVALID'],
    ['DNS-2: 34 labels', zones({ [Array.from({ length: 34 }, () => 'x').join('.')]: {} }), 'ok'],
    ['DNS-22: a misspelled name', zones({ 'privatelink.database.window.net': {} }), '~ZONE_NAME_NOT_RECOMMENDED'],
    ['SQLMI-22: a name of one’s own', zones({ 'privatelink.site': { links: { a: 'Default' } } }), 'ok'],
    [
      'DNS-10: the public suffix',
      zones({ 'database.windows.net': { links: { a: 'Default' } } }),
      '~ZONE_HIDES_SERVICE',
    ],
    [
      'DNS-11: the policy on an ordinary zone',
      zones({ 'corp.example': { links: { a: 'NxDomainRedirect' } } }),
      'ZONE_LINK_POLICY',
    ],
    [
      'DNS-1: two registration zones in one network',
      zones({
        'x.example': { links: { a: { registrationEnabled: true } } },
        'y.example': { links: { a: { registrationEnabled: true } } },
      }),
      'ZONE_REGISTRATION_LIMIT',
    ],
    [
      'DNS-1: many resolution zones',
      zones({ 'x.example': { links: { a: 'Default' } }, 'y.example': { links: { a: 'Default' } } }),
      'ok',
    ],
    [
      'DNS-5: one name, two networks',
      zones({ 'x.example@1': { links: { a: 'Default' } }, 'x.example@2': { links: { b: 'Default' } } }),
      'ok',
    ],
    [
      'DNS-5: one name, one network',
      zones({ 'x.example@1': { links: { a: 'Default' } }, 'x.example@2': { links: { a: 'Default' } } }),
      'ZONE_LINK_SAME_NAME',
    ],
    ['no address', zones({ 'x.example': { records: { app: '10.0.0.256' } } }), 'ZONE_RECORD_INVALID'],
    [
      'CNAME beside others',
      zones({ 'x.example': { records: { app: { a: '10.0.0.4', cname: 'y.example' } } } }),
      'ZONE_RECORD_CONFLICT',
    ],
    ['a link to nowhere', zones({ 'x.example': { links: { c: 'Default' } } }), 'NAME_NOT_FOUND'],
    [
      'DNS-22: a group whose zone is of another service',
      {
        ...zones({ 'privatelink.blob.core.windows.net': {} }),
        privateEndpoints: endpoint('pe', '10.0.0.9', ['privatelink.blob.core.windows.net']),
      },
      '~ZONE_GROUP_ZONE_NAME',
    ],
    [
      'DNS-21: two groups write one name',
      {
        ...zones({ [GROUP]: {} }),
        privateEndpoints: { ...endpoint('pe', '10.0.0.9', [GROUP]), ...endpoint('pe2', '10.0.0.8', [GROUP]) },
      },
      '~ZONE_GROUP_OVERWRITES',
    ],
    [
      'DNS-17: a rule to Azure itself',
      { dnsForwardingRulesets: { r: { rules: { 'x.example': ['168.63.129.16'] }, networks: ['a'] } } },
      'RULESET_TARGET ~RULESET_OUTBOUND',
    ],
    [
      'a server that forwards to itself',
      {
        networkInterfaces: {
          dns: { subnet: 'a/s', privateIPAddress: '10.0.0.53', dnsServer: { forward: ['10.0.0.53'] } },
        },
      },
      'DNS_SERVER_ADDRESS',
    ],
  ])('%s', (_, topology, expected) => {
    expect(codes(topology)).toBe(expected);
  });

  it('refuses what Azure’s own objects can hold and Azure does not (DNS-1, DNS-17, DNS-20, LIM-26)', () => {
    const found = networkOf(BASE_AND_GROUP);
    const [zone] = found.privateDnsZones;
    const [group] = found.privateDnsZoneGroups;
    const [ruleset] = found.dnsForwardingRulesets;
    if (zone === undefined || group === undefined || ruleset === undefined) throw new Error('the fixture is broken');
    const links = zone.properties.virtualNetworkLinks.flatMap((link) => [link, { ...link, id: `${link.id}2` }]);
    const twice = { ...zone, properties: { ...zone.properties, virtualNetworkLinks: links } };
    expect(codesOf({ ...found, privateDnsZones: [twice] })).toContain('ZONE_LINK_DUPLICATE');
    const groups = [group, { ...group, id: `${group.id}2`, name: 'second' }];
    expect(codesOf({ ...found, privateDnsZoneGroups: groups })).toContain('ZONE_GROUPS_LIMIT');
    const many = (count: number) => {
      const [first] = group.properties.privateDnsZones;
      const references = Array.from({ length: count }, (_, index) => ({ id: `${first?.id ?? ''}${index}` }));
      const privateDnsZones = references.map((reference, index) => ({
        ...zone,
        ...reference,
        name: `z${index}.example`,
      }));
      const properties = { ...group.properties, privateDnsZones: references };
      const unlinked = privateDnsZones.map((each) => ({
        ...each,
        properties: { recordSets: [], virtualNetworkLinks: [] },
      }));
      return codesOf({ ...found, privateDnsZones: unlinked, privateDnsZoneGroups: [{ ...group, properties }] });
    };
    expect(many(5)).not.toContain('ZONE_GROUP_ZONES_LIMIT');
    expect(many(6)).toContain('ZONE_GROUP_ZONES_LIMIT');
    const same = {
      ...group.properties,
      privateDnsZones: [...group.properties.privateDnsZones, ...group.properties.privateDnsZones],
    };
    expect(codesOf({ ...found, privateDnsZoneGroups: [{ ...group, properties: same }] })).toContain(
      'ZONE_GROUP_ZONE_DUPLICATE',
    );
    const rule = ruleset.properties.forwardingRules[0];
    if (rule === undefined) throw new Error('the fixture has no rule');
    const rules = (count: number) => {
      const forwardingRules = Array.from({ length: count }, (_, index) => ({ ...rule, name: `r${index}` }));
      return codesOf({
        ...found,
        dnsForwardingRulesets: [{ ...ruleset, properties: { ...ruleset.properties, forwardingRules } }],
      });
    };
    expect(rules(1000)).not.toContain('RULESET_RULES_LIMIT');
    expect(rules(1001)).toContain('RULESET_RULES_LIMIT');
  });

  it('names the line of what is wrong', () => {
    const text = [
      'virtualNetworks: { a: { addressSpace: 10.0.0.0/16, subnets: { s: { addressPrefix: 10.0.0.0/24 } } } }',
      'privateDnsZones:',
      '  corp.example:',
      '    links:',
      '      a: NxDomainRedirect',
    ].join('\n');
    const { network } = readNetworkText(text, 'net.yaml');
    if (network === undefined) throw new Error('the text is broken');
    const [issue] = validateNetwork(network, behaviourOf());
    expect(issue).toMatchObject({ code: 'ZONE_LINK_POLICY', source: { file: 'net.yaml', line: 5 } });
    expect(issue?.hint).not.toBe('');
  });
});

describe('objects as Azure prints them', () => {
  const group = '/subscriptions/1/resourceGroups/g/providers/Microsoft.Network';
  const zone = `${group}/privateDnsZones/corp.example`;
  const vnet = `${group}/virtualNetworks/net`;
  const objects = [
    {
      id: vnet,
      name: 'net',
      type: 'Microsoft.Network/virtualNetworks',
      properties: {
        addressSpace: { addressPrefixes: ['10.0.0.0/16'] },
        subnets: [{ id: `${vnet}/subnets/dns`, name: 'dns', properties: { addressPrefix: '10.0.0.0/24' } }],
      },
    },
    { id: zone, name: 'corp.example', type: 'Microsoft.Network/privateDnsZones', location: 'global', properties: {} },
    {
      id: `${zone}/virtualNetworkLinks/l`,
      name: 'l',
      type: 'Microsoft.Network/privateDnsZones/virtualNetworkLinks',
      properties: { virtualNetwork: { id: vnet }, registrationEnabled: true },
    },
    ...[
      ['A', { ttl: 60, aRecords: [{ ipv4Address: '10.0.0.9' }] }],
      ['TXT', { ttl: 60, txtRecords: [{ value: ['a', 'b'] }] }],
      ['MX', { ttl: 60, mxRecords: [{ preference: 10, exchange: 'mail.example' }] }],
    ].map(([type, properties]) => ({
      id: `${zone}/${type as string}/app`,
      name: 'app',
      type: `Microsoft.Network/privateDnsZones/${type as string}`,
      properties,
    })),
    { id: `${group}/dnsResolvers/r`, name: 'r', type: 'Microsoft.Network/dnsResolvers', properties: {} },
    {
      id: `${group}/dnsResolvers/r/inboundEndpoints/in`,
      name: 'in',
      type: 'Microsoft.Network/dnsResolvers/inboundEndpoints',
      properties: { ipConfigurations: [{ subnet: { id: `${vnet}/subnets/dns` }, privateIpAddress: '10.0.0.20' }] },
    },
  ];

  it('are read with all types of one name, links and resolver endpoints (DNS-1, DNS-16)', () => {
    const { network, issues } = networkFromResources(objects);
    expect(issues).toEqual([]);
    const [read] = network.privateDnsZones;
    expect(
      read?.properties.recordSets.map(({ name, properties }) => [name, properties.type, ...properties.values]),
    ).toEqual([
      ['app', 'A', '10.0.0.9'],
      ['app', 'TXT', 'ab'],
      ['app', 'MX', '10 mail.example'],
    ]);
    expect(read?.properties.virtualNetworkLinks[0]?.properties).toMatchObject({ registrationEnabled: true });
    expect(network.networkInterfaces[0]?.properties.ipConfigurations[0]?.properties.privateIPAddress).toBe('10.0.0.20');
    expect(network.dnsServers).toMatchObject([{ forward: 'azure' }]);
    expect(codesOf(network)).toBe('ok');
  });
});
