import { expect, test } from 'vitest';
import {
  addPeering,
  approve,
  associateNsg,
  associateRouteTable,
  type Change,
  deleteEndpoint,
  reject,
  removeConnection,
  removeNic,
  removePeering,
  removeRoute,
  removeSecurityRule,
  setEndpointPolicies,
  setEndpointState,
  setFlushConnection,
  setIpForwarding,
  setNicTag,
  setPeering,
  setRoute,
  setRoutes,
  setSecurityRule,
  setSecurityRules,
  setServiceEndpoints,
} from '../../../src/control/change/changes.ts';
import { InputError } from '../../../src/control/issues.ts';
import type { Network } from '../../../src/control/model/resources.ts';
import { HUB_AND_SPOKE, idOf, network } from '../fixtures.ts';
import { codesOf } from '../validate/codes-of.ts';

const START = network({
  ...HUB_AND_SPOKE,
  names: { 'app.example': idOf('networkInterfaces', 'app'), 'sql.example': idOf('privateEndpoints', 'sqlpe') },
  appliances: { firewall: { snat: true } },
});

const RULE = { name: 'New', priority: 150, direction: 'In', access: 'Deny' } as const;
const ROUTE = { name: 'new', prefix: '10.9.0.0/16', nextHopType: 'None' };

function rulesOf(given: Network, nsg = 'app-nsg'): string[] {
  const group = given.networkSecurityGroups.find((entry) => entry.name === nsg);
  return (group?.properties.securityRules ?? []).map((rule) => `${rule.name} ${rule.properties.priority}`);
}

function routesOf(given: Network): string[] {
  const [table] = given.routeTables;
  return table.properties.routes.map(
    ({ name, properties }) =>
      `${name} ${properties.addressPrefix} ${properties.nextHopType} ${properties.nextHopIpAddress}`,
  );
}

function linksOf(given: Network): string[] {
  return given.virtualNetworks.flatMap((vnet) =>
    vnet.properties.virtualNetworkPeerings.map((peering) => `${vnet.name}: ${peering.properties.peeringState}`),
  );
}

function stateOf(given: Network): string | undefined {
  const [endpoint] = given.privateEndpoints;
  return endpoint?.properties.privateLinkServiceConnections[0].properties.privateLinkServiceConnectionState.status;
}

function subnetOf(given: Network, name: string) {
  const subnets = given.virtualNetworks.flatMap((vnet) => vnet.properties.subnets);
  return subnets.find((subnet) => subnet.name === name)?.properties;
}

function refusedBy(change: Change, given = START): string {
  try {
    change(given);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.issues.map((issue) => `${issue.code}: ${issue.message}; ${issue.hint}`).join('\n');
  }
  return 'not refused';
}

test('a rule is added at the end, or takes the place of the rule with its name', () => {
  const added = setSecurityRule('app-nsg', RULE)(START);
  expect(rulesOf(added)).toEqual(['AllowWeb 100', 'DenyStorage 200', 'New 150']);
  const replaced = setSecurityRule('APP-NSG', { ...RULE, name: 'allowweb' })(START);
  expect(rulesOf(replaced)).toEqual(['allowweb 150', 'DenyStorage 200']);
  expect(rulesOf(START)).toEqual(['AllowWeb 100', 'DenyStorage 200']);
});

test('the short form of a rule has lists, numbers, groups and any case', () => {
  const rule = {
    ...RULE,
    direction: 'outbound',
    access: 'deny',
    protocol: 'tcp',
    source: ['asg:WEB'],
    destination: ['10.0.0.0/24', '10.0.1.4'],
    destinationPorts: [443, '8000-8010'],
  };
  const changed = setSecurityRule('app-nsg', rule)(START);
  expect(changed.networkSecurityGroups[0].properties.securityRules.at(-1)).toEqual({
    id: `${idOf('networkSecurityGroups', 'app-nsg')}/securityRules/New`,
    name: 'New',
    properties: {
      priority: 150,
      direction: 'Outbound',
      access: 'Deny',
      protocol: 'Tcp',
      sourceAddressPrefixes: [],
      destinationAddressPrefixes: ['10.0.0.0/24', '10.0.1.4'],
      sourcePortRanges: ['*'],
      destinationPortRanges: ['443', '8000-8010'],
      sourceApplicationSecurityGroups: [{ id: idOf('applicationSecurityGroups', 'web') }],
      destinationApplicationSecurityGroups: [],
    },
  });
});

test('rules are removed by name, or replaced altogether', () => {
  expect(rulesOf(removeSecurityRule('app-nsg', 'allowweb')(START))).toEqual(['DenyStorage 200']);
  expect(rulesOf(setSecurityRules('app-nsg', [RULE])(START))).toEqual(['New 150']);
  expect(rulesOf(setSecurityRules('app-nsg', [])(START))).toEqual([]);
});

test('flushConnection is a property of the group', () => {
  const changed = setFlushConnection('app-nsg', true)(START);
  expect(changed.networkSecurityGroups.map((nsg) => nsg.properties.flushConnection)).toEqual([true, false]);
});

test('a group is associated with a subnet or a NIC, and taken away', () => {
  const id = idOf('networkSecurityGroups', 'endpoint-nsg');
  const onSubnet = associateNsg({ subnet: 'spoke/app' }, 'endpoint-nsg')(START);
  expect(subnetOf(onSubnet, 'app')?.networkSecurityGroup).toEqual({ id });
  const onNic = associateNsg({ nic: 'app' }, 'endpoint-nsg')(START);
  expect(onNic.networkInterfaces[1].properties.networkSecurityGroup).toEqual({ id });
  const removed = associateNsg({ subnet: 'app' }, null)(START);
  expect(subnetOf(removed, 'app')).not.toHaveProperty('networkSecurityGroup');
});

test('routes are added, replaced, removed and set', () => {
  const old = 'to-hub 10.0.0.0/16 VirtualAppliance 10.0.0.4';
  expect(routesOf(setRoute('app-routes', ROUTE)(START))).toEqual([old, 'new 10.9.0.0/16 None undefined']);
  const hop = { name: 'TO-HUB', prefix: '0.0.0.0/0', nextHopType: 'virtualappliance', nextHopIp: '10.0.0.4' };
  expect(routesOf(setRoute('app-routes', hop)(START))).toEqual(['TO-HUB 0.0.0.0/0 VirtualAppliance 10.0.0.4']);
  expect(routesOf(removeRoute('app-routes', 'to-hub')(START))).toEqual([]);
  expect(routesOf(setRoutes('app-routes', [{ ...ROUTE, nextHopIp: null }])(START))).toEqual([
    'new 10.9.0.0/16 None undefined',
  ]);
});

test('a route table is associated with a subnet, and taken away', () => {
  const set = associateRouteTable('firewall', 'app-routes')(START);
  expect(subnetOf(set, 'firewall')?.routeTable).toEqual({ id: idOf('routeTables', 'app-routes') });
  expect(subnetOf(associateRouteTable('app', null)(START), 'app')).not.toHaveProperty('routeTable');
});

test('removing one link of a peering disconnects the other, and both must go before a new one (PEER-1)', () => {
  const removed = removePeering('hub', 'spoke')(START);
  expect(linksOf(removed)).toEqual(['spoke: Disconnected']);
  expect(refusedBy(addPeering('hub', 'spoke'), removed)).toContain('PEERING_REMOTE_DISCONNECTED');
  const none = removePeering('spoke', 'hub')(removed);
  const initiated = addPeering('hub', 'spoke', { forwarded: true })(none);
  expect(linksOf(initiated)).toEqual(['hub: Initiated']);
  const connected = addPeering('spoke', 'hub')(initiated);
  expect(linksOf(connected)).toEqual(['hub: Connected', 'spoke: Connected']);
  expect(codesOf(connected)).toBe('ok');
  expect(connected.virtualNetworks[0].properties.virtualNetworkPeerings[0].properties).toMatchObject({
    allowVirtualNetworkAccess: true,
    allowForwardedTraffic: true,
  });
});

test('flags of one link are changed alone', () => {
  const changed = setPeering('spoke', 'hub', { access: false })(START);
  const flags = changed.virtualNetworks.map(({ properties }) => {
    const [{ properties: link }] = properties.virtualNetworkPeerings;
    return [link.allowVirtualNetworkAccess, link.allowForwardedTraffic];
  });
  expect(flags).toEqual([
    [true, true],
    [false, true],
  ]);
});

test('an owner rejects and removes a connection, for good', () => {
  const rejected = reject('sqlpe')(START);
  expect(stateOf(rejected)).toBe('Rejected');
  expect(refusedBy(approve('sqlpe'), rejected)).toBe(
    "CONNECTION_FINAL: private endpoint 'sqlpe': cannot approve a private endpoint connection that is Rejected; " +
      'delete the endpoint and create it again',
  );
  expect(stateOf(approve('sqlpe', true)(rejected))).toBe('Approved');
  expect(stateOf(removeConnection('sqlpe')(START))).toBe('Disconnected');
  expect(stateOf(approve('sqlpe')(setEndpointState('sqlpe', 'Pending')(START)))).toBe('Approved');
});

test('a test may set any state', () => {
  const disconnected = removeConnection('sqlpe')(START);
  expect(stateOf(setEndpointState('sqlpe', 'Approved')(disconnected))).toBe('Approved');
});

test('a deleted endpoint is gone, and its name leads to its old address', () => {
  const deleted = deleteEndpoint('sqlpe')(START);
  expect(deleted.privateEndpoints).toEqual([]);
  expect(deleted.staticNames[1]).toEqual({ name: 'sql.example', target: '10.0.1.4' });
  expect(codesOf(deleted)).toBe('ok');
});

test('a deleted NIC is gone with its appliance, and its name leads to its old address', () => {
  const deleted = removeNic('firewall')(removeNic('app')(START));
  expect(deleted.networkInterfaces).toEqual([]);
  expect(deleted.appliances).toEqual([]);
  expect(deleted.staticNames[0]).toEqual({ name: 'app.example', target: '10.1.0.4' });
});

test('NIC and subnet settings are changed', () => {
  expect(setIpForwarding('firewall', false)(START).networkInterfaces[0].properties.enableIPForwarding).toBe(false);
  const tagged = setNicTag('firewall', 'disableSnatOnPL', 'true')(START);
  expect(tagged.networkInterfaces[0].tags).toEqual({ disableSnatOnPL: 'true' });
  expect(setNicTag('firewall', 'DISABLESNATONPL', null)(tagged).networkInterfaces[0].tags).toEqual({});
  const policies = setEndpointPolicies('endpoints', 'RouteTableEnabled')(START);
  expect(subnetOf(policies, 'endpoints')?.privateEndpointNetworkPolicies).toBe('RouteTableEnabled');
  const services = ['Microsoft.Storage', { service: 'Microsoft.Sql', locations: ['westeurope'] }];
  expect(subnetOf(setServiceEndpoints('app', services)(START), 'app')?.serviceEndpoints).toEqual([
    { service: 'Microsoft.Storage' },
    { service: 'Microsoft.Sql', locations: ['westeurope'] },
  ]);
});

test('things are found by id too, without regard to case', () => {
  const id = idOf('networkInterfaces', 'app').slice(1).toUpperCase();
  expect(removeNic(id)(START).networkInterfaces).toHaveLength(1);
});

const REFUSALS: [what: string, change: Change, code: string][] = [
  [
    'a rule in an unknown group',
    setSecurityRule('app-nsq', RULE),
    "CHANGE_NAME_NOT_FOUND: no network security group is named 'app-nsq'; did you mean 'app-nsg'?",
  ],
  ['an unknown rule', removeSecurityRule('app-nsg', 'AllowWep'), "did you mean 'AllowWeb'?"],
  [
    'an unknown application security group',
    setSecurityRule('app-nsg', { ...RULE, source: 'asg:wbe' }),
    'CHANGE_NAME_NOT_FOUND',
  ],
  ['an unknown direction', setSecurityRule('app-nsg', { ...RULE, direction: 'Both' }), 'CHANGE_VALUE'],
  ['an unknown protocol', setSecurityRules('app-nsg', [{ ...RULE, protocol: 'constructor' }]), 'CHANGE_VALUE'],
  ['a group on an unknown NIC', associateNsg({ nic: 'ap' }, 'app-nsg'), "did you mean 'app'?"],
  ['an unknown group on a NIC', associateNsg({ nic: 'app' }, 'x'), 'known names: app-nsg, endpoint-nsg'],
  ['a table on an unknown subnet', associateRouteTable('spoke/ap', 'app-routes'), "did you mean 'spoke/app'?"],
  ['an unknown table', setRoute('routes', ROUTE), 'CHANGE_NAME_NOT_FOUND'],
  ['an unknown next hop type', setRoute('app-routes', { ...ROUTE, nextHopType: 'VNetPeering' }), 'CHANGE_VALUE'],
  ['an unknown route', removeRoute('app-routes', 'x'), 'CHANGE_NAME_NOT_FOUND'],
  ['a peering that exists', addPeering('hub', 'spoke'), 'PEERING_EXISTS'],
  ['a peering with itself', addPeering('hub', 'HUB'), 'CHANGE_VALUE'],
  ['a peering with nobody', addPeering('hub', 'spok'), "did you mean 'spoke'?"],
  ['an unknown endpoint', approve('sqlep'), "did you mean 'sqlpe'?"],
  ['policies of an unknown subnet', setEndpointPolicies('endpoint', 'Enabled'), "did you mean 'endpoints'?"],
];

test.each(REFUSALS)('%s is refused and changes nothing', (_what, change, code) => {
  const before = structuredClone(START);
  expect(refusedBy(change)).toContain(code);
  expect(START).toEqual(before);
});

test('a peering that does not exist cannot be changed or removed', () => {
  const apart = network({ ...HUB_AND_SPOKE, peerings: [] });
  expect(refusedBy(removePeering('hub', 'spoke'), apart)).toContain('PEERING_MISSING');
  expect(refusedBy(setPeering('hub', 'spoke', { access: false }), apart)).toContain('PEERING_MISSING');
});

test('a subnet name that several networks have must be qualified', () => {
  const twins = network({
    vnets: {
      a: { ranges: ['10.0.0.0/16'], subnets: { default: '10.0.0.0/24' } },
      b: { ranges: ['10.1.0.0/16'], subnets: { default: '10.1.0.0/24' } },
    },
  });
  expect(refusedBy(setEndpointPolicies('default', 'Enabled'), twins)).toContain("2 subnets are named 'default'");
  const changed = setEndpointPolicies('b/default', 'Enabled')(twins);
  const policies = changed.virtualNetworks.map((vnet) => vnet.properties.subnets[0].properties);
  expect(policies.map((properties) => properties.privateEndpointNetworkPolicies)).toEqual(['Disabled', 'Enabled']);
});

test('all unknown words of a rule are reported at once', () => {
  const wrong = { ...RULE, direction: 'x', access: 'y', protocol: 'z', source: 'asg:q' };
  expect(refusedBy(setSecurityRule('app-nsg', wrong)).split('\n')).toHaveLength(4);
});

test('every change leaves the network it was given as it was', () => {
  const before = structuredClone(START);
  const changes: Change[] = [
    setSecurityRule('app-nsg', RULE),
    removeSecurityRule('app-nsg', 'AllowWeb'),
    setFlushConnection('app-nsg', true),
    associateNsg({ subnet: 'app' }, null),
    setRoute('app-routes', ROUTE),
    associateRouteTable('app', null),
    removePeering('hub', 'spoke'),
    setPeering('hub', 'spoke', { access: false }),
    reject('sqlpe'),
    deleteEndpoint('sqlpe'),
    setEndpointState('sqlpe', 'Pending'),
    setEndpointPolicies('app', 'Enabled'),
    removeNic('app'),
    setIpForwarding('app', true),
    setServiceEndpoints('app', ['Microsoft.Sql']),
    setNicTag('app', 'a', 'b'),
  ];
  for (const change of changes) expect(change(START)).not.toEqual(before);
  expect(START).toEqual(before);
});
