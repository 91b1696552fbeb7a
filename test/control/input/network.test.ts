// Azure resource objects as real tools print them: every shape, links told by one end, ids in any spelling.

import { describe, expect, it } from 'vitest';
import { networkFromResources, readNetworkText, readNetworkValue } from '../../../src/control/input/read.ts';
import { codes, HUB, hub, idOf, nic, read, ref, resource, rule, subnet } from './exports.ts';

const APP = 'virtualNetworks/hub/subnets/app';

describe('shapes of exports', () => {
  const shapes: [string, unknown][] = [
    ['one object', HUB],
    ['a list', [HUB]],
    ['a REST list', { value: [HUB], nextLink: null }],
    ['a query result', { count: 1, data: [HUB], skip_token: null }],
    ['a list of lists', [[HUB], []]],
  ];
  it.each(shapes)('reads %s', (_, value) => {
    const { network, issues } = readNetworkText(JSON.stringify(value), 'a.json');
    expect(issues).toStrictEqual([]);
    expect(network?.virtualNetworks[0]?.properties.subnets[0]?.properties.addressPrefix).toBe('10.0.0.0/24');
  });

  it('reads what az prints: flattened, with a resource group and in YAML', () => {
    const text = [
      'addressSpace: {addressPrefixes: [10.0.0.0/16]}',
      `id: ${idOf('virtualNetworks/hub')}`,
      'name: hub',
      'resourceGroup: rg',
      'subnets:',
      `- {addressPrefix: 10.0.0.0/24, id: ${idOf(APP)}, name: app, networkSecurityGroup: null}`,
      'type: Microsoft.Network/virtualNetworks',
    ];
    const { network, issues } = readNetworkText(text.join('\n'), 'hub.yaml');
    expect(issues).toStrictEqual([]);
    const [app] = network?.virtualNetworks[0]?.properties.subnets ?? [];
    expect(app).toMatchObject({ id: idOf(APP), name: 'app', properties: { addressPrefix: '10.0.0.0/24' } });
    expect(app?.source).toStrictEqual({ file: 'hub.yaml', line: 6, column: 3 });
  });

  it('matches keys and enumerations without case', () => {
    const card = nic('vm1', undefined, { ENABLEIPForwarding: 'True' }, { privateIpAddress: '10.0.0.4' });
    const { network, issues } = read(HUB, card);
    expect(issues).toStrictEqual([]);
    const [found] = network?.networkInterfaces ?? [];
    expect(found?.properties.enableIPForwarding).toBe(true);
    expect(found?.properties.ipConfigurations[0]?.properties.privateIPAddress).toBe('10.0.0.4');
  });

  it('tells type and name from an id, and makes an id from type and name', () => {
    const { network } = read(
      { id: idOf('applicationSecurityGroups/web') },
      { type: 'microsoft.network/applicationsecuritygroups', name: 'logic' },
    );
    expect(network?.applicationSecurityGroups.map(({ name, type }) => [name, type])).toStrictEqual([
      ['web', 'Microsoft.Network/applicationSecurityGroups'],
      ['logic', 'Microsoft.Network/applicationSecurityGroups'],
    ]);
  });

  it('reads children that are resources of their own', () => {
    const { network, issues } = read(
      resource('virtualNetworks/hub', { addressSpace: { addressPrefixes: ['10.0.0.0/16'] } }),
      resource(APP, { addressPrefix: '10.0.0.0/24' }),
      resource('networkSecurityGroups/nsg', {}),
      resource('networkSecurityGroups/nsg/securityRules/a', { priority: 100, direction: 'Inbound', access: 'Deny' }),
      resource('routeTables/rt', {}),
      resource('routeTables/rt/routes/r', { addressPrefix: '0.0.0.0/0', nextHopType: 'internet' }),
      resource('virtualNetworks/hub/virtualNetworkPeerings/p', { remoteVirtualNetwork: ref('virtualNetworks/hub') }),
    );
    expect(issues).toStrictEqual([]);
    expect(network?.virtualNetworks[0]?.properties.subnets.map(({ name }) => name)).toStrictEqual(['app']);
    expect(network?.virtualNetworks[0]?.properties.virtualNetworkPeerings).toHaveLength(1);
    expect(network?.networkSecurityGroups[0]?.properties.securityRules[0]?.properties.access).toBe('Deny');
    expect(network?.routeTables[0]?.properties.routes[0]?.properties.nextHopType).toBe('Internet');
  });

  it('ignores other types with one warning each, and machines quietly', () => {
    const disk = (name: string): object => resource(`Microsoft.Compute/disks/${name}`, {});
    const result = read(HUB, disk('a'), disk('b'), resource('Microsoft.Compute/virtualMachines/vm1', {}));
    expect(codes(result)).toStrictEqual(['warning RESOURCE_TYPE_IGNORED']);
  });

  it('reports what is no resource at its place', () => {
    const { issues } = readNetworkText('[1,\n {"name": "x"},\n {"type": "A.B/c"}]', 'a.json');
    expect(issues.map(({ code, source }) => [code, source?.line, source?.column])).toStrictEqual([
      ['RESOURCE_NOT_OBJECT', 1, 2],
      ['RESOURCE_TYPE_MISSING', 2, 2],
      ['RESOURCE_NAME_MISSING', 3, 2],
    ]);
  });

  it('takes objects that no text was read for', () => {
    const { network, issues } = networkFromResources([HUB, nic('vm1', undefined)]);
    expect(issues).toStrictEqual([]);
    expect(network.networkInterfaces[0]?.source).toBeUndefined();
    expect(readNetworkValue([HUB], 'x').network?.virtualNetworks).toHaveLength(1);
  });
});

describe('duplicates', () => {
  it('accepts one resource twice, nested and flattened, with other casing and etags', () => {
    const flat = { ID: idOf('publicIPAddresses/p'), name: 'p', type: 'Microsoft.Network/publicIPAddresses' };
    const nested = resource('publicIPAddresses/p', { ipAddress: '20.0.0.1', ipTags: [] }, { etag: '1' });
    const result = read(nested, { ...flat, location: 'westeurope', IPAddress: '20.0.0.1', etag: '2' });
    expect(result.issues).toStrictEqual([]);
    expect(result.network?.publicIPAddresses).toHaveLength(1);
  });

  it('warns about two different resources with one id; the last one counts', () => {
    const address = (text: string): object => resource('publicIPAddresses/p', { ipAddress: text });
    const result = read(address('20.0.0.1'), address('20.0.0.2'));
    expect(codes(result)).toStrictEqual(['warning RESOURCE_DUPLICATE']);
    expect(result.network?.publicIPAddresses.map((each) => each.properties.ipAddress)).toStrictEqual(['20.0.0.2']);
  });
});

describe('links', () => {
  it('merges links that only the other end tells', () => {
    const group = { subnets: [ref(APP)], networkInterfaces: [ref('networkInterfaces/vm1')] };
    const { network, issues } = read(
      HUB,
      nic('vm1', '10.0.0.4'),
      resource('networkSecurityGroups/nsg', group),
      resource('routeTables/rt', { subnets: [ref(APP)] }),
      resource('natGateways/ng', { subnets: [ref(APP)], publicIpAddresses: [ref('publicIPAddresses/p')] }),
      resource('publicIPAddresses/p', { ipConfiguration: ref('networkInterfaces/vm1/ipConfigurations/IPCONFIG1') }),
      resource('Microsoft.Compute/virtualMachines/machine', {
        networkProfile: { networkInterfaces: [ref('networkInterfaces/vm1')] },
      }),
    );
    expect(issues).toStrictEqual([]);
    expect(network?.virtualNetworks[0]?.properties.subnets[0]?.properties).toMatchObject({
      networkSecurityGroup: ref('networkSecurityGroups/nsg'),
      routeTable: ref('routeTables/rt'),
      natGateway: ref('natGateways/ng'),
    });
    const properties = network?.networkInterfaces[0]?.properties;
    expect(properties?.networkSecurityGroup).toStrictEqual(ref('networkSecurityGroups/nsg'));
    expect(properties?.ipConfigurations[0]?.properties.publicIPAddress).toStrictEqual(ref('publicIPAddresses/p'));
    expect(properties?.virtualMachine).toStrictEqual(ref('Microsoft.Compute/virtualMachines/machine'));
    expect(network?.staticNames).toStrictEqual([{ name: 'machine', target: idOf('networkInterfaces/vm1') }]);
    expect(network?.natGateways[0]?.properties.subnets).toStrictEqual([ref(APP)]);
  });

  it('lists the subnets of a NAT gateway that only the subnets tell', () => {
    const { network } = read(
      hub(subnet(APP, '10.0.0.0/24', { natGateway: ref('natGateways/NG') })),
      resource('natGateways/ng', {}),
    );
    expect(network?.natGateways[0]?.properties.subnets).toStrictEqual([ref(APP)]);
    const [app] = network?.virtualNetworks[0]?.properties.subnets ?? [];
    expect(app?.properties.natGateway).toStrictEqual(ref('natGateways/ng'));
  });

  it('keeps the end that holds the property when the two ends differ', () => {
    const result = read(
      hub(subnet(APP, '10.0.0.0/24', { networkSecurityGroup: ref('networkSecurityGroups/own') })),
      resource('networkSecurityGroups/own', {}),
      resource('networkSecurityGroups/other', { subnets: [ref(APP)] }),
    );
    expect(codes(result)).toStrictEqual(['warning LINK_CONFLICT']);
    const [app] = result.network?.virtualNetworks[0]?.properties.subnets ?? [];
    expect(app?.properties.networkSecurityGroup).toStrictEqual(ref('networkSecurityGroups/own'));
  });

  it('drops references to what is absent, with a warning at the reference', () => {
    const result = read(hub(subnet(APP, '10.0.0.0/24', { networkSecurityGroup: ref('networkSecurityGroups/gone') })));
    expect(codes(result)).toStrictEqual(['warning REFERENCE_NOT_FOUND']);
    expect(result.issues[0]?.path).toBe('[0].properties.subnets[0].properties.networkSecurityGroup');
    const [app] = result.network?.virtualNetworks[0]?.properties.subnets ?? [];
    expect(app?.properties).not.toHaveProperty('networkSecurityGroup');
  });

  it('finds resources by ids without a leading slash and in another case', () => {
    const id = idOf(APP).slice(1).toUpperCase();
    const { network, issues } = read(HUB, nic('vm1', '10.0.0.4', {}, { subnet: { id } }));
    expect(issues).toStrictEqual([]);
    expect(network?.networkInterfaces[0]?.properties.ipConfigurations[0]?.properties.subnet.id).toBe(idOf(APP));
  });

  it('leaves out an interface whose subnet is absent', () => {
    const result = read(HUB, nic('vm1', '10.0.0.4', {}, { subnet: ref('virtualNetworks/hub/subnets/gone') }));
    expect(codes(result)).toStrictEqual(['warning REFERENCE_NOT_FOUND']);
    expect(result.network?.networkInterfaces).toStrictEqual([]);
  });

  it('computes the state of peerings unless the export states it (PEER-1)', () => {
    const peering = (to: string, more: object = {}): object => ({
      name: `to-${to}`,
      properties: { remoteVirtualNetwork: ref(`virtualNetworks/${to}`), ...more },
    });
    const network = (name: string, ...peerings: object[]): object =>
      resource(`virtualNetworks/${name}`, {
        addressSpace: { addressPrefixes: ['10.0.0.0/16'] },
        virtualNetworkPeerings: peerings,
      });
    const both = network('a', peering('b'), peering('c'), peering('d', { peeringState: 'disconnected' }));
    const result = read(both, network('b', peering('a')), network('c'), network('d', peering('a')));
    const states = result.network?.virtualNetworks[0]?.properties.virtualNetworkPeerings.map(
      (each) => each.properties.peeringState,
    );
    expect(states).toStrictEqual(['Connected', 'Initiated', 'Disconnected']);
  });
});

describe('security rules', () => {
  const read1 = (properties: object): ReturnType<typeof read> =>
    read(
      resource('applicationSecurityGroups/web', {}),
      resource('networkSecurityGroups/nsg', { securityRules: [rule('a', properties)] }),
    );
  const first = (properties: object): unknown =>
    read1(properties).network?.networkSecurityGroups[0]?.properties.securityRules[0]?.properties;

  it('folds singular and plural forms and defaults to any', () => {
    expect(
      first({
        sourceAddressPrefix: '10.0.0.0/24',
        sourceAddressPrefixes: ['10.0.1.4'],
        destinationPortRange: 22,
        destinationPortRanges: ['80-90'],
        destinationAddressPrefix: '',
      }),
    ).toMatchObject({
      protocol: 'Tcp',
      sourceAddressPrefixes: ['10.0.0.0/24', '10.0.1.4'],
      sourcePortRanges: ['*'],
      destinationAddressPrefixes: ['*'],
      destinationPortRanges: ['22', '80-90'],
    });
  });

  it('keeps application security groups in place of prefixes', () => {
    expect(first({ sourceApplicationSecurityGroups: [ref('applicationSecurityGroups/WEB')] })).toMatchObject({
      sourceAddressPrefixes: [],
      sourceApplicationSecurityGroups: [ref('applicationSecurityGroups/web')],
    });
  });

  it('keeps priority and provisioning state as they are, for validation to judge', () => {
    expect(first({ priority: 5, provisioningState: 'Succeeded' })).toMatchObject({
      priority: 5,
      provisioningState: 'Succeeded',
    });
  });

  it.each([
    [{ sourceAddressPrefix: '10.0.0.5/24' }, 'error PREFIX_HOST_BITS'],
    [{ sourceAddressPrefix: '010.0.0.0/8' }, 'error PREFIX_SYNTAX'],
    [{ sourceAddressPrefixes: ['10.0.0.0/8', 'no tag!'] }, 'error ADDRESS_OR_TAG_SYNTAX'],
    [{ destinationPortRange: '70000' }, 'error PORT_SYNTAX'],
    [{ destinationPortRange: '90-80' }, 'error PORT_SYNTAX'],
    [{ protocol: 'Sctp' }, 'error FIELD_VALUE'],
    [{ priority: 'high' }, 'error FIELD_TYPE'],
    [{ access: null }, 'error FIELD_MISSING'],
    [{ sourceAddressPrefix: 'fd00::/8' }, 'warning IPV6_IGNORED'],
    [{ sourceApplicationSecurityGroups: [ref('applicationSecurityGroups/gone')] }, 'warning REFERENCE_NOT_FOUND'],
  ])('leaves out a rule that would mean something else: %j', (properties, code) => {
    const result = read1(properties);
    expect(codes(result)).toStrictEqual([code]);
    expect(result.network?.networkSecurityGroups[0]?.properties.securityRules).toStrictEqual([]);
  });

  it('warns when exported default rules differ from the documented ones (NSG-9)', () => {
    const common = { priority: 65000, direction: 'Inbound', sourceAddressPrefix: 'VirtualNetwork' };
    const asDocumented = rule('AllowVNetInBound', { ...common, destinationAddressPrefix: 'VirtualNetwork' });
    const differing = rule('AllowVnetInBound', { ...common, destinationAddressPrefix: '*' });
    const group = (defaults: object): object =>
      resource('networkSecurityGroups/nsg', { defaultSecurityRules: [defaults] });
    expect(codes(read(group(asDocumented)))).toStrictEqual([]);
    expect(codes(read(group(differing)))).toStrictEqual(['warning DEFAULT_RULE_DIFFERS']);
  });
});

describe('private endpoints', () => {
  const connection = (target: string, more: object = {}): object => ({
    name: 'c',
    properties: { privateLinkServiceId: target, groupIds: ['managedInstance'], ...more },
  });
  const endpoint = (properties: object): object => resource('privateEndpoints/pe', { subnet: ref(APP), ...properties });
  const MI = 'Microsoft.Sql/managedInstances/mi1';

  it.each([
    [
      'its IP configuration',
      { ipConfigurations: [{ name: 'x', properties: { privateIPAddress: '10.0.0.9' } }] },
      '10.0.0.9',
    ],
    ['its interface, told by the endpoint', { networkInterfaces: [ref('networkInterfaces/pe.nic')] }, '10.0.0.7'],
    ['its DNS records', { customDnsConfigs: [{ fqdn: 'mi1.example', ipAddresses: ['10.0.0.8'] }] }, '10.0.0.8'],
    ['the lowest free address', {}, '10.0.0.4'],
  ])('takes its address from %s', (_, properties, address) => {
    const card = 'networkInterfaces' in properties ? [nic('pe.nic', '10.0.0.7')] : [];
    const { network } = read(HUB, ...card, endpoint(properties));
    expect(network?.privateEndpoints[0]?.properties.privateIPAddress).toBe(address);
    expect(network?.networkInterfaces).toStrictEqual([]);
  });

  it('folds an interface that tells its endpoint, with its groups (PE-3, NSG-25)', () => {
    const groups = { applicationSecurityGroups: [ref('applicationSecurityGroups/web')] };
    const card = nic('pe.nic', '10.0.0.7', { privateEndpoint: ref('privateEndpoints/pe') }, groups);
    const { network } = read(HUB, card, endpoint({}), resource('applicationSecurityGroups/web', {}));
    expect(network?.networkInterfaces).toStrictEqual([]);
    expect(network?.privateEndpoints[0]?.properties).toMatchObject({
      privateIPAddress: '10.0.0.7',
      networkInterfaces: [ref('networkInterfaces/pe.nic')],
      applicationSecurityGroups: [ref('applicationSecurityGroups/web')],
    });
  });

  it('gives connections without a state the one their method starts with (PE-12, PE-13)', () => {
    const { network } = read(
      HUB,
      resource(MI, {}),
      endpoint({
        privateLinkServiceConnections: [connection(idOf(MI).toLowerCase())],
        manualPrivateLinkServiceConnections: [connection(idOf(MI), { requestMessage: 'please' })],
      }),
    );
    const properties = network?.privateEndpoints[0]?.properties;
    expect(properties?.privateLinkServiceConnections[0]?.properties).toMatchObject({
      privateLinkServiceId: idOf(MI),
      privateLinkServiceConnectionState: { status: 'Approved' },
    });
    expect(properties?.manualPrivateLinkServiceConnections[0]?.properties).toMatchObject({
      requestMessage: 'please',
      privateLinkServiceConnectionState: { status: 'Pending' },
    });
  });

  it('knows the ports of targets by type, by group, or as stated', () => {
    const storage = 'Microsoft.Storage/storageAccounts/st1';
    const own = 'Microsoft.Contoso/widgets/w1';
    const { network, issues } = read(
      HUB,
      resource(MI, { fullyQualifiedDomainName: 'mi1.abc.database.windows.net', subnetId: idOf(APP) }),
      resource(storage, { primaryEndpoints: { blob: 'https://st1.blob.core.windows.net/' } }),
      resource(own, { ports: [8080, '9000-9001'], backendAddress: '10.9.0.1' }),
      endpoint({ privateLinkServiceConnections: [connection(idOf(own))] }),
    );
    expect(issues).toStrictEqual([]);
    expect(network?.privateLinkResources.map((each) => each.properties)).toStrictEqual([
      {
        // The lowest addresses went to the NICs of the instance (SQLMI-1).
        backendAddress: '10.0.0.7',
        ports: ['1433'],
        hostNames: ['mi1.abc.database.windows.net'],
        subnet: ref(APP),
        sql: {
          proxyOverride: 'Default',
          publicDataEndpointEnabled: false,
          interfaces: ['mi1-gateway', 'mi1-node'].map((name) => ref(`Microsoft.Network/networkInterfaces/${name}`)),
        },
      },
      { backendAddress: '192.0.2.1', ports: ['443'], hostNames: ['st1.blob.core.windows.net'] },
      { backendAddress: '10.9.0.1', ports: ['8080', '9000-9001'], hostNames: [] },
    ]);
  });

  it('assumes a target that is not in the input, with a warning', () => {
    const result = read(HUB, endpoint({ privateLinkServiceConnections: [connection(idOf(MI))] }));
    expect(codes(result)).toStrictEqual(['warning TARGET_ASSUMED']);
    expect(result.network?.privateLinkResources[0]).toMatchObject({
      id: idOf(MI),
      name: 'mi1',
      type: 'Microsoft.Sql/managedInstances',
      properties: { ports: ['1433'] },
    });
  });

  it('reads the target of an alias as a Private Link service (PLS-2)', () => {
    const alias = 'svc.5f2ce0a4-7b3b-4c53-8e1a-111111111111.westeurope.azure.privatelinkservice';
    const { network } = read(
      HUB,
      endpoint({ manualPrivateLinkServiceConnections: [connection(alias, { groupIds: [] })] }),
    );
    const expected = { id: alias, name: 'svc', type: 'Microsoft.Network/privateLinkServices' };
    expect(network?.privateLinkResources[0]).toMatchObject(expected);
  });

  it('gives backends only addresses that no network uses', () => {
    const { network } = read(
      resource('virtualNetworks/docs', { addressSpace: { addressPrefixes: ['192.0.2.0/25', '192.0.2.128/26'] } }),
      resource('publicIPAddresses/p', { ipAddress: '192.0.2.193' }),
      resource(MI, {}),
      resource('Microsoft.Sql/servers/s', { backendAddress: '192.0.2.192' }),
    );
    expect(network?.privateLinkResources[0]?.properties.backendAddress).toBe('192.0.2.194');
  });

  it('still finds a backend address when the networks cover every range', () => {
    const everything = ['128.0.0.0/1', '0.0.0.0/1'];
    const { network } = read(
      resource('virtualNetworks/all', { addressSpace: { addressPrefixes: everything } }),
      resource(MI, {}),
      resource('Microsoft.Sql/servers/s', {}),
    );
    const backends = network?.privateLinkResources.map((each) => each.properties.backendAddress);
    expect(backends).toStrictEqual(['192.0.2.1', '192.0.2.2']);
  });
});

describe('gateways', () => {
  it('learns routes from local network gateways through connections, and from its own property', () => {
    const { network, issues } = read(
      hub(subnet('virtualNetworks/hub/subnets/GatewaySubnet', '10.0.255.0/27')),
      resource('virtualNetworkGateways/gw', {
        gatewayType: 'vpn',
        ipConfigurations: [{ name: 'c', properties: { subnet: ref('virtualNetworks/hub/subnets/GatewaySubnet') } }],
        bgpSettings: { bgpPeeringAddress: '10.0.255.4,10.0.255.5' },
        learnedRoutes: ['172.20.0.0/16'],
      }),
      resource('localNetworkGateways/office', {
        localNetworkAddressSpace: { addressPrefixes: ['172.16.0.0/16', '172.20.0.0/16'] },
      }),
      resource('connections/c1', {
        virtualNetworkGateway1: ref('virtualNetworkGateways/gw'),
        localNetworkGateway2: ref('localNetworkGateways/office'),
      }),
    );
    expect(issues).toStrictEqual([]);
    expect(network?.virtualNetworkGateways[0]?.properties).toStrictEqual({
      gatewayType: 'Vpn',
      virtualNetwork: ref('virtualNetworks/hub'),
      learnedRoutes: ['172.20.0.0/16', '172.16.0.0/16'],
      gatewayAddress: '10.0.255.4',
    });
  });

  it('warns about connections between two gateways', () => {
    const result = read(HUB, resource('connections/c1', { virtualNetworkGateway2: ref('virtualNetworkGateways/x') }));
    expect(codes(result)).toStrictEqual(['warning CONNECTION_IGNORED']);
  });
});

describe('dual-stack and odd values', () => {
  it('leaves out the IPv6 half of a network with warnings', () => {
    const v6 = { name: 'v6', properties: { privateIPAddressVersion: 'IPv6', subnet: ref(APP) } };
    const card = nic('vm1', '10.0.0.4') as { properties: { ipConfigurations: object[] } };
    card.properties.ipConfigurations.push(v6);
    const result = read(
      resource('virtualNetworks/hub', {
        addressSpace: { addressPrefixes: ['10.0.0.0/16', 'fd00::/48'] },
        subnets: [
          { name: 'app', id: idOf(APP), properties: { addressPrefixes: ['fd00::/64', '10.0.0.0/24'] } },
          { name: 'two', id: idOf('x'), properties: { addressPrefixes: ['10.0.1.0/24', '10.0.2.0/24'] } },
        ],
      }),
      card,
    );
    expect(new Set(codes(result))).toStrictEqual(new Set(['warning IPV6_IGNORED', 'warning SUBNET_PREFIXES_IGNORED']));
    expect(result.network?.virtualNetworks[0]?.properties.addressSpace.addressPrefixes).toStrictEqual(['10.0.0.0/16']);
    expect(result.network?.virtualNetworks[0]?.properties.subnets[0]?.properties.addressPrefix).toBe('10.0.0.0/24');
    expect(result.network?.networkInterfaces[0]?.properties.ipConfigurations).toHaveLength(1);
  });

  it('leaves out a network with a broken range and all that stands in it, with the one error', () => {
    const broken = resource('virtualNetworks/hub', {
      addressSpace: { addressPrefixes: ['10.0.0.5/16'] },
      subnets: [subnet(APP, '10.0.0.0/24')],
    });
    const result = read(broken, nic('vm1', '10.0.0.4'));
    expect(codes(result)).toStrictEqual(['error PREFIX_HOST_BITS']);
    expect(result.network?.networkInterfaces).toStrictEqual([]);
  });

  it('leaves default outbound access of an export open (NET-16)', () => {
    const properties = read(HUB).network?.virtualNetworks[0]?.properties.subnets[0]?.properties;
    expect(properties).not.toHaveProperty('defaultOutboundAccess');
    expect(properties?.privateEndpointNetworkPolicies).toBe('Disabled');
  });

  it('makes the only IP configuration the primary one (NET-6)', () => {
    const result = read(HUB, nic('vm1', '10.0.0.4', {}, { primary: false }));
    expect(result.network?.networkInterfaces[0]?.properties.ipConfigurations[0]?.properties.primary).toBe(true);
  });
});
