// The short form: what it expands to, how names resolve, and what bad input says, at exact places.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { behaviourOf } from '../../../src/control/model/profile.ts';
import { readNetworkText, readNetworkValue } from '../../../src/control/input/read.ts';
import type { ReadOptions, ReadResult } from '../../../src/control/input/read.ts';
import { codes, HUB } from './exports.ts';

const HUB_YAML = `virtualNetworks:
  hub: {addressSpace: 10.0.0.0/16, subnets: {app: {addressPrefix: 10.0.0.0/24}, pe: {addressPrefix: 10.0.1.0/29}}}
`;

function read(text: string, options?: ReadOptions): ReadResult {
  return readNetworkText(text, 't.yaml', options);
}

/** `line:column CODE` of every issue. */
function places(text: string): string[] {
  return read(text).issues.map(({ code, source }) => `${source?.line}:${source?.column} ${code}`);
}

function id(path: string): string {
  const provider = path.startsWith('Microsoft.') ? path : `Microsoft.Network/${path}`;
  return `/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/vnetem/providers/${provider}`;
}

describe('the short form', () => {
  it('expands networks with gateways, subnets and peerings', () => {
    const { network, issues, resourceCount } = read(`
location: westeurope
virtualNetworks:
  hub:
    addressSpace: [10.0.0.0/16, 10.9.0.0/16]
    dnsServers: 10.0.0.4
    flowTimeoutInMinutes: 5
    gateway: {type: ExpressRoute, learnedRoutes: 172.16.0.0/16, address: 10.0.255.4}
    subnets:
      app:
        addressPrefix: 10.0.0.0/24
        networkSecurityGroup: NSG
        routeTable: rt
        natGateway: ng
        privateEndpointNetworkPolicies: RouteTableEnabled
        delegation: Microsoft.Sql/managedInstances
        serviceEndpoints: [Microsoft.Storage, 20.60.0.0/16, {service: Microsoft.Sql, locations: [westeurope]}]
  spoke: {addressSpace: 10.1.0.0/16}
peerings:
  - between: [hub, Spoke]
    hub: {allowForwardedTraffic: true, allowGatewayTransit: true}
    spoke: {useRemoteGateways: true, allowVirtualNetworkAccess: false}
networkSecurityGroups: {nsg: {flushConnection: true}}
routeTables: {rt: {disableBgpRoutePropagation: true}}
natGateways: {ng: {}}
`);
    expect(issues).toStrictEqual([]);
    expect(resourceCount).toBe(6);
    const [hub, spoke] = network?.virtualNetworks ?? [];
    expect(hub).toMatchObject({ location: 'westeurope', source: { file: 't.yaml', line: 4, column: 3 } });
    expect(hub?.properties).toMatchObject({
      addressSpace: { addressPrefixes: ['10.0.0.0/16', '10.9.0.0/16'] },
      dhcpOptions: { dnsServers: ['10.0.0.4'] },
      flowTimeoutInMinutes: 5,
    });
    expect(hub?.properties.subnets[0]).toStrictEqual({
      id: id('virtualNetworks/hub/subnets/app'),
      name: 'app',
      type: 'Microsoft.Network/virtualNetworks/subnets',
      source: { file: 't.yaml', line: 10, column: 7 },
      properties: {
        addressPrefix: '10.0.0.0/24',
        networkSecurityGroup: { id: id('networkSecurityGroups/nsg') },
        routeTable: { id: id('routeTables/rt') },
        natGateway: { id: id('natGateways/ng') },
        delegations: [
          { name: 'Microsoft.Sql/managedInstances', properties: { serviceName: 'Microsoft.Sql/managedInstances' } },
        ],
        serviceEndpoints: [
          { service: 'Microsoft.Storage' },
          { service: '20.60.0.0/16' },
          { service: 'Microsoft.Sql', locations: ['westeurope'] },
        ],
        privateEndpointNetworkPolicies: 'RouteTableEnabled',
        defaultOutboundAccess: false,
      },
    });
    expect(hub?.properties.virtualNetworkPeerings[0]?.properties).toStrictEqual({
      remoteVirtualNetwork: { id: id('virtualNetworks/spoke') },
      peeringState: 'Connected',
      allowVirtualNetworkAccess: true,
      allowForwardedTraffic: true,
      allowGatewayTransit: true,
      useRemoteGateways: false,
    });
    expect(spoke?.properties.virtualNetworkPeerings[0]?.properties).toMatchObject({
      allowVirtualNetworkAccess: false,
      useRemoteGateways: true,
    });
    expect(network?.virtualNetworkGateways[0]?.properties).toStrictEqual({
      gatewayType: 'ExpressRoute',
      virtualNetwork: { id: id('virtualNetworks/hub') },
      learnedRoutes: ['172.16.0.0/16'],
      gatewayAddress: '10.0.255.4',
    });
  });

  it('expands interfaces, public addresses and NAT gateways', () => {
    const { network, issues } = read(`${HUB_YAML}
networkInterfaces:
  app:
    subnet: hub/app
    privateIPAddress: 10.0.0.10
    secondaryAddresses: [10.0.0.11]
    publicIPAddress: pip
    applicationSecurityGroups: [web]
    enableIPForwarding: true
    appliance: {snat: true}
    macAddress: 00-0D-3A-00-00-04
    names: [app.corp.example]
    tags: {disableSnatOnPL: true, owner: me}
  web: {subnet: hub/app, publicIPAddress: 20.0.0.2}
applicationSecurityGroups: [web]
publicIPAddresses: {pip: {ipAddress: 20.0.0.1, sku: Basic}}
natGateways: {ng: {publicIPAddresses: [pip, 20.0.0.9], idleTimeoutInMinutes: 10}}
names: {db.corp.example: app, elsewhere.example: 20.9.9.9}
`);
    expect(issues).toStrictEqual([]);
    const [app, web] = network?.networkInterfaces ?? [];
    expect(app).toMatchObject({ id: id('networkInterfaces/app'), tags: { disableSnatOnPL: 'true', owner: 'me' } });
    expect(app?.properties.ipConfigurations.map(({ properties }) => properties)).toMatchObject([
      {
        privateIPAddress: '10.0.0.10',
        privateIPAllocationMethod: 'Static',
        primary: true,
        publicIPAddress: { id: id('publicIPAddresses/pip') },
        applicationSecurityGroups: [{ id: id('applicationSecurityGroups/web') }],
      },
      { privateIPAddress: '10.0.0.11', primary: false, subnet: { id: id('virtualNetworks/hub/subnets/app') } },
    ]);
    expect(app?.properties.macAddress).toBe('00-0D-3A-00-00-04');
    expect(network?.appliances).toStrictEqual([{ nic: { id: app?.id }, snat: true, stateful: false }]);
    const own = web?.properties.ipConfigurations[0]?.properties.publicIPAddress;
    expect(own).toStrictEqual({ id: id('publicIPAddresses/web-ip') });
    expect(
      network?.publicIPAddresses.map(({ name, sku, properties }) => [name, sku, properties.ipAddress]),
    ).toStrictEqual([
      ['pip', 'Basic', '20.0.0.1'],
      ['ng-ip-2', 'Standard', '20.0.0.9'],
      ['web-ip', 'Standard', '20.0.0.2'],
    ]);
    expect(network?.natGateways[0]?.properties).toMatchObject({
      publicIpAddresses: [{ id: id('publicIPAddresses/pip') }, { id: id('publicIPAddresses/ng-ip-2') }],
      idleTimeoutInMinutes: 10,
    });
    expect(network?.staticNames).toStrictEqual([
      { name: 'db.corp.example', target: app?.id },
      { name: 'elsewhere.example', target: '20.9.9.9' },
      { name: 'app.corp.example', target: app?.id },
    ]);
  });

  it('expands rules with groups, lists and numbers, and routes', () => {
    const { network, issues } = read(`
networkSecurityGroups:
  nsg:
    rules:
      - {name: a, priority: 100, direction: Inbound, access: Allow, source: [10.0.0.0/8, 'asg:WEB'], destinationPorts: 443}
      - {name: b, priority: 101, direction: Outbound, access: Deny, protocol: Udp, destination: {applicationSecurityGroups: [web]}, sourcePorts: ['1-2', 3], description: text}
applicationSecurityGroups: [web]
routeTables:
  rt: {routes: [{addressPrefix: Storage, nextHopType: Internet}, {name: nva, addressPrefix: 0.0.0.0/0, nextHopType: VirtualAppliance, nextHopIpAddress: 10.0.0.9}]}
`);
    expect(issues).toStrictEqual([]);
    const web = { id: id('applicationSecurityGroups/web') };
    const [a, b] = network?.networkSecurityGroups[0]?.properties.securityRules ?? [];
    expect(a).toStrictEqual({
      id: id('networkSecurityGroups/nsg/securityRules/a'),
      name: 'a',
      source: { file: 't.yaml', line: 5, column: 9 },
      properties: {
        priority: 100,
        direction: 'Inbound',
        access: 'Allow',
        protocol: '*',
        sourceAddressPrefixes: ['10.0.0.0/8'],
        destinationAddressPrefixes: ['*'],
        sourcePortRanges: ['*'],
        destinationPortRanges: ['443'],
        sourceApplicationSecurityGroups: [web],
        destinationApplicationSecurityGroups: [],
      },
    });
    expect(b?.properties).toMatchObject({
      sourcePortRanges: ['1-2', '3'],
      destinationAddressPrefixes: [],
      destinationApplicationSecurityGroups: [web],
      description: 'text',
    });
    expect(network?.routeTables[0]?.properties.routes.map(({ name, properties }) => [name, properties])).toStrictEqual([
      ['route-1', { addressPrefix: 'Storage', nextHopType: 'Internet' }],
      ['nva', { addressPrefix: '0.0.0.0/0', nextHopType: 'VirtualAppliance', nextHopIpAddress: '10.0.0.9' }],
    ]);
  });

  it('expands services and endpoints', () => {
    const { network, issues } = read(`${HUB_YAML}
services:
  sqlmi1: {type: Microsoft.Sql/managedInstances, backendAddress: 10.9.0.10, hostNames: sqlmi1.abc.database.windows.net}
  custom: {ports: [8080, 9000-9010]}
privateEndpoints:
  pe-sqlmi: {subnet: hub/pe, privateIPAddress: 10.0.1.5, service: sqlmi1}
  pe-manual: {subnet: hub/pe, service: custom, approval: manual, requestMessage: please, groupId: own}
  pe-rejected: {subnet: hub/pe, service: custom, state: Rejected}
`);
    expect(issues).toStrictEqual([]);
    const [first, manual, rejected] = network?.privateEndpoints ?? [];
    expect(first?.properties).toMatchObject({
      privateIPAddress: '10.0.1.5',
      manualPrivateLinkServiceConnections: [],
      privateLinkServiceConnections: [
        {
          properties: {
            privateLinkServiceId: id('Microsoft.Sql/managedInstances/sqlmi1'),
            groupIds: ['managedInstance'],
            privateLinkServiceConnectionState: { status: 'Approved' },
          },
        },
      ],
    });
    expect(manual?.properties.manualPrivateLinkServiceConnections[0]?.properties).toMatchObject({
      groupIds: ['own'],
      requestMessage: 'please',
      privateLinkServiceConnectionState: { status: 'Pending' },
    });
    const [connection] = rejected?.properties.privateLinkServiceConnections ?? [];
    expect(connection?.properties.privateLinkServiceConnectionState.status).toBe('Rejected');
    const sql = { proxyOverride: 'Default', publicDataEndpointEnabled: false, interfaces: [] };
    expect(network?.privateLinkResources.map(({ name, properties }) => [name, properties])).toStrictEqual([
      ['sqlmi1', { backendAddress: '10.9.0.10', ports: ['1433'], hostNames: ['sqlmi1.abc.database.windows.net'], sql }],
      ['custom', { backendAddress: '192.0.2.1', ports: ['8080', '9000-9010'], hostNames: [] }],
    ]);
    expect(network?.staticNames).toStrictEqual([{ name: 'sqlmi1.abc.database.windows.net', target: first?.id }]);
  });

  it('adds service tags to the table and replaces known ones', () => {
    const { network } = read(`${HUB_YAML}serviceTags: {MyTag: 20.99.0.0/16, Storage: [20.61.0.0/16, 20.62.0.1]}`);
    expect(network?.serviceTags.get('mytag')).toStrictEqual({ name: 'MyTag', prefixes: ['20.99.0.0/16'] });
    expect(network?.serviceTags.get('storage')?.prefixes).toStrictEqual(['20.61.0.0/16', '20.62.0.1/32']);
    expect(network?.serviceTags.get('sql')?.prefixes).toStrictEqual(['20.40.0.0/16']);
  });

  it('tells profile and switches, and settles default outbound access by the behaviour (NET-16)', () => {
    const outbound = (result: ReadResult): unknown =>
      result.network?.virtualNetworks[0]?.properties.subnets[0]?.properties.defaultOutboundAccess;
    const text = `profile: preview-2022\nswitches: {routes.extraNone: true}\n${HUB_YAML}`;
    expect(read(text)).toMatchObject({ profile: 'preview-2022', switches: { 'routes.extraNone': true } });
    expect(outbound(read(text))).toBe(true);
    expect(outbound(read(text, { behaviour: behaviourOf('ga-2026') }))).toBe(false);
    expect(outbound(read(`switches: {net.defaultOutboundAccess: true}\n${HUB_YAML}`))).toBe(true);
  });
});

it('the example of the format description reads without a problem', () => {
  const text = readFileSync(new URL('../../../docs/topology-format.md', import.meta.url), 'utf8');
  const [example = ''] = /(?<=```yaml\n)name: [^`]*/.exec(text) ?? [];
  const { issues, resourceCount } = read(example);
  expect(issues).toStrictEqual([]);
  expect(resourceCount).toBe(7);
});

describe('dynamic addresses', () => {
  const addresses = (result: ReadResult): (string | undefined)[] => [
    ...(result.network?.networkInterfaces ?? []).map(
      (nic) => nic.properties.ipConfigurations[0]?.properties.privateIPAddress,
    ),
    ...(result.network?.privateEndpoints ?? []).map((endpoint) => endpoint.properties.privateIPAddress),
  ];

  it('are the lowest free ones in file order after all stated ones (NET-3, NET-4)', () => {
    const result = read(`${HUB_YAML}
privateEndpoints: {pe1: {subnet: hub/app, service: s}, pe2: {subnet: hub/app, service: s, privateIPAddress: 10.0.0.6}}
networkInterfaces: {b: {subnet: hub/app}, a: {subnet: hub/app}, z: {subnet: hub/app, privateIPAddress: 10.0.0.4}}
services: {s: {backendAddress: 10.0.0.8}}
`);
    expect(result.issues).toStrictEqual([]);
    expect(addresses(result)).toStrictEqual(['10.0.0.5', '10.0.0.7', '10.0.0.4', '10.0.0.9', '10.0.0.6']);
  });

  it('end with an error when the subnet is full', () => {
    const result = read(`${HUB_YAML}
networkInterfaces:
  a: {subnet: hub/pe}
  b: {subnet: hub/pe}
  c: {subnet: hub/pe}
  d: {subnet: hub/pe}
`);
    expect(addresses(result)).toStrictEqual(['10.0.1.4', '10.0.1.5', '10.0.1.6']);
    expect(result.issues).toMatchObject([{ code: 'SUBNET_FULL', severity: 'error', source: { line: 8, column: 3 } }]);
  });
});

describe('names', () => {
  it('stand for resources of an export that is read with the topology', () => {
    const overlay = {
      networkInterfaces: { added: { subnet: 'hub/app' } },
      resources: [HUB],
    };
    const { network, issues } = readNetworkValue(overlay, 'inline');
    expect(issues).toStrictEqual([]);
    expect(network?.networkInterfaces[0]?.properties.ipConfigurations[0]?.properties.privateIPAddress).toBe('10.0.0.4');
  });

  it('match without regard to case, and a full id is a name too', () => {
    const text = `${HUB_YAML}networkInterfaces: {a: {subnet: HUB/App}, b: {subnet: ${id('virtualNetworks/hub/subnets/app')}}}`;
    expect(read(text).issues).toStrictEqual([]);
  });

  it.each([
    ['networkInterfaces: {a: {subnet: hub/ap}}', '3:33 NAME_NOT_FOUND', 'did you mean hub/app?'],
    ['networkInterfaces: {a: {subnet: app}}', '3:33 NAME_NOT_FOUND', 'write network/subnet: did you mean hub/app?'],
    ['peerings: [{between: [hub, spoke]}]', '3:28 NAME_NOT_FOUND', 'known names are hub'],
    ['peerings: [{between: [hub, hub]}]', '3:28 VALUE_WRONG', 'name two networks'],
    ['names: {x: nobody}', '3:12 NAME_NOT_FOUND', 'define one first'],
    [
      'services: {s: {}}\nprivateEndpoints: {p: {subnet: hub/pe, service: t}}',
      '4:49 NAME_NOT_FOUND',
      'did you mean s?',
    ],
    ['services: {s: {}, S: {}}', '3:19 DUPLICATE_NAME', 'rename one of them'],
    [
      'services: {app: {}}\nnetworkInterfaces: {app: {subnet: hub/app}}',
      '3:12 DUPLICATE_NAME',
      'give hosts, endpoints and services different names',
    ],
    ['services: {s: {type: nonsense}}', '3:22 VALUE_WRONG', 'write a type like Microsoft.Sql/managedInstances'],
  ])('that do not resolve are errors with a hint: %s', (text, place, hint) => {
    const result = read(HUB_YAML + text);
    expect(places(HUB_YAML + text)).toStrictEqual([place]);
    expect(result.issues[0]?.hint).toBe(hint);
  });

  it('of flags in a peering are those of its two networks', () => {
    const text = `${HUB_YAML}  spoke: {addressSpace: 10.1.0.0/16}\npeerings:\n- between: [hub, spoke]\n  spok: {allowForwardedTraffic: true}\n`;
    expect(places(text)).toStrictEqual(['6:3 UNKNOWN_KEY']);
    expect(read(text).issues[0]?.hint).toBe('did you mean spoke?');
  });

  it('that stand for several exported resources are ambiguous', () => {
    const group = (name: string): object => ({
      id: `/subscriptions/s1/resourceGroups/${name}/providers/Microsoft.Network/networkSecurityGroups/nsg`,
    });
    const value = {
      virtualNetworks: {
        v: {
          addressSpace: '10.0.0.0/16',
          subnets: { a: { addressPrefix: '10.0.0.0/24', networkSecurityGroup: 'nsg' } },
        },
      },
      resources: [group('one'), group('two')],
    };
    expect(codes(readNetworkValue(value, 'inline'))).toStrictEqual(['error NAME_AMBIGUOUS']);
  });
});

describe('bad topologies', () => {
  it.each([
    ['a typo in a key', 'virtualNetworks:\n  hub:\n    adressSpace: 10.0.0.0/16\n', ['3:5 UNKNOWN_KEY']],
    ['a typo at the top', 'virtualNetwork:\n  hub: {}\n', ['1:1 UNKNOWN_KEY', '2:8 KEY_MISSING']],
    [
      'a prefix with host bits',
      'virtualNetworks:\n  hub: {addressSpace: [10.0.0.0/16, 10.1.0.5/16]}\n',
      ['2:37 PREFIX_HOST_BITS'],
    ],
    ['leading zeros', 'virtualNetworks:\n  hub: {addressSpace: 010.0.0.0/8}\n', ['2:23 PREFIX_SYNTAX']],
    ['a number for a prefix', 'virtualNetworks:\n  hub: {addressSpace: 010}\n', ['2:23 VALUE_WRONG']],
    [
      'an address out of range',
      `${HUB_YAML}networkInterfaces: {a: {subnet: hub/app, privateIPAddress: 10.0.0.300}}`,
      ['3:60 ADDRESS_SYNTAX'],
    ],
    [
      'a bad MAC address',
      `${HUB_YAML}networkInterfaces: {a: {subnet: hub/app, macAddress: 12345}}`,
      ['3:54 VALUE_WRONG'],
    ],
    [
      'a bad MAC text',
      `${HUB_YAML}networkInterfaces: {a: {subnet: hub/app, macAddress: "12:34"}}`,
      ['3:54 MAC_SYNTAX'],
    ],
    [
      'a bad port',
      'networkSecurityGroups:\n  n:\n    rules: [{name: a, priority: 100, direction: Inbound, access: Allow, destinationPorts: [70000]}]\n',
      ['3:92 PORT_SYNTAX'],
    ],
    [
      'a mistyped enumeration',
      'networkSecurityGroups:\n  n:\n    rules: [{name: a, priority: 100, direction: In, access: Allow}]\n',
      ['3:49 VALUE_WRONG'],
    ],
    [
      'two rules with one name',
      'networkSecurityGroups:\n  n:\n    rules:\n    - {name: a, priority: 100, direction: Inbound, access: Allow}\n    - {name: A, priority: 101, direction: Inbound, access: Allow}\n',
      ['5:14 DUPLICATE_NAME'],
    ],
    ['nothing where a mapping is expected', 'networkSecurityGroups:\n  n:\n', ['2:3 VALUE_WRONG']],
    ['a list where a mapping is expected', 'virtualNetworks: []\n', ['1:18 VALUE_WRONG']],
    ['an unknown profile', 'profile: ga-2027\n', ['1:10 VALUE_WRONG']],
    ['an unknown switch', 'switches: {routes.extraNonee: true}\n', ['1:12 UNKNOWN_KEY']],
    ['an unquoted star', 'serviceTags: {x: *}\n', ['1:18 YAML_SYNTAX']],
    ['a missing key', `${HUB_YAML}networkInterfaces:\n  a: {privateIPAddress: 10.0.0.4}\n`, ['4:6 KEY_MISSING']],
    [
      'each of several typos',
      'virtualNetwork:\n  hub:\n    adressSpace: 10.0.0.0/16\n    subnets: {a: {adressPrefix: 10.0.0.5/24}}\n',
      ['1:1 UNKNOWN_KEY', '4:19 UNKNOWN_KEY', '3:5 UNKNOWN_KEY', '4:33 PREFIX_HOST_BITS'],
    ],
    ['a name twice', 'names: {a: 20.0.0.1}\nnames: {b: 20.0.0.2}\n', ['2:1 DUPLICATE_KEY']],
  ])('say where %s is', (_, text, expected) => {
    expect(places(text)).toStrictEqual(expected);
  });

  it('suggest the key that was meant', () => {
    const { issues } = read('virtualNetworks: {hub: {addressSpace: 10.0.0.0/16, subnet: {}}}');
    expect(issues).toMatchObject([
      { path: 'virtualNetworks.hub.subnet', message: 'unknown key "subnet"', hint: 'did you mean subnets?' },
    ]);
  });

  it('report all problems at once, and keep what is sound for further checks', () => {
    const text = `
virtualNetworks:
  hub:
    addressSpace: 10.0.0.0/16
    flowTimeout: 4
    subnets:
      app: {addressPrefix: 10.0.0.0/24, networkSecurityGroup: ap-nsg}
      bad: {addressPrefix: 10.0.1.7/24}
networkSecurityGroups:
  app-nsg: {rules: [{name: low, priority: 99, direction: Inbound, access: Allow}]}
`;
    expect(places(text)).toStrictEqual(['5:5 UNKNOWN_KEY', '7:63 NAME_NOT_FOUND', '8:28 PREFIX_HOST_BITS']);
    const { network } = read(text);
    expect(network?.virtualNetworks[0]?.properties.subnets.map(({ name }) => name)).toStrictEqual(['app']);
    expect(network?.networkSecurityGroups[0]?.properties.securityRules[0]?.properties.priority).toBe(99);
  });

  it('inside a scenario have the places that the scenario gives', () => {
    const locate = (path: readonly (string | number)[]): { file: string; line: number; column: number } => ({
      file: 's.yaml',
      line: path.length,
      column: 1,
    });
    const value = { virtualNetworks: { hub: { addressSpace: '10.0.0.0/33' } } };
    const { issues } = readNetworkValue(value, 's.yaml', { locate });
    expect(issues).toMatchObject([{ code: 'PREFIX_SYNTAX', source: { file: 's.yaml', line: 3 } }]);
    expect(value).toStrictEqual({ virtualNetworks: { hub: { addressSpace: '10.0.0.0/33' } } });
  });
});

describe('garbage', () => {
  const keys = fc.constantFrom(
    'id',
    'type',
    'name',
    'properties',
    'value',
    'virtualNetworks',
    'subnets',
    'subnet',
    'resources',
    'ipConfigurations',
    'addressSpace',
    'addressPrefix',
    'peerings',
    'between',
    'privateEndpoints',
    'service',
    'services',
    'rules',
    '__proto__',
    'networkInterfaces',
    'securityRules',
    'networkSecurityGroups',
    'names',
    'tags',
    'privateLinkServiceConnections',
    'x',
  );
  const words = fc.constantFrom(
    'Microsoft.Network/virtualNetworks',
    'Microsoft.Network/networkInterfaces',
    'Microsoft.Network/privateEndpoints',
    '/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/hub',
    '10.0.0.0/16',
    '10.0.0.4',
    'hub',
    'hub/app',
    'fd00::/8',
    '',
    '*',
  );
  const { value: values } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 6 },
      words,
      fc.constantFrom<unknown>(null, true, 0, -1.5, 10),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(keys, tie('value'), { maxKeys: 6 }),
    ),
  }));

  it('as values never throws and always says what is wrong', () => {
    fc.assert(
      fc.property(values, (value) => {
        const { network, issues } = readNetworkValue(value, 'g.yaml');
        expect(network !== undefined || issues.length > 0).toBe(true);
        for (const issue of issues) expect(issue.hint.length * issue.message.length).toBeGreaterThan(0);
      }),
      { seed: 44, numRuns: 3000 },
    );
  });

  it('as text never throws', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '\n',
        '  ',
        '- ',
        ': ',
        '{',
        '}',
        '[',
        ']',
        '"',
        "'",
        '&a ',
        '*a',
        '#',
        '|',
        '>',
        '? ',
        '---',
        '!x ',
        '\t',
        '%',
      ),
      words,
      fc.string({ maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 25 }), fc.constantFrom('g.yaml', 'g.json'), (pieces, file) => {
        const { network, issues } = readNetworkText(pieces.join(''), file);
        expect(network !== undefined || issues.length > 0).toBe(true);
      }),
      { seed: 45, numRuns: 2000 },
    );
  });
});
