import { expect, test } from 'vitest';
import { HUB_AND_SPOKE, idOf, network, type NetworkSpec } from '../fixtures.ts';
import { codesOf } from './codes-of.ts';

const VNET: NetworkSpec = {
  vnets: { vnet: { ranges: ['10.0.0.0/16'], subnets: { app: '10.0.0.0/24' } } },
  nics: { app: { subnet: 'app', address: '10.0.0.4', publicIp: 'pip' } },
  publicIps: { pip: '20.0.0.1' },
};

const NSG_RULE = { name: 'r', priority: 100, direction: 'In', access: 'Allow' } as const;

test('a network in order has no issues', () => {
  expect(codesOf(network(HUB_AND_SPOKE))).toBe('ok');
  expect(codesOf(network(VNET))).toBe('ok');
});

test.each<[string, NetworkSpec, string]>([
  ['a public IP that is not there', { publicIps: {} }, '~REFERENCE_DANGLING'],
  [
    'an NSG, a table and a NAT gateway that are not there',
    {
      vnets: {
        vnet: {
          ranges: ['10.0.0.0/16'],
          subnets: { app: { prefix: '10.0.0.0/24', nsg: 'n', routeTable: 'r', natGateway: 'g' } },
        },
      },
    },
    '~REFERENCE_DANGLING ~REFERENCE_DANGLING ~REFERENCE_DANGLING',
  ],
  ['a gateway in no network', { gateways: { vpn: { vnet: 'nowhere' } } }, '~REFERENCE_DANGLING'],
  ['a service in no subnet', { services: { sqlmi1: { subnet: 'nowhere' } } }, '~REFERENCE_DANGLING'],
  ['an appliance without NIC', { appliances: { ghost: {} } }, '~REFERENCE_DANGLING'],
  ['an appliance without IP forwarding', { appliances: { app: { snat: true } } }, '~APPLIANCE_NOT_FORWARDING'],
  ['a name for a NIC', { names: { 'app.example': idOf('networkInterfaces', 'app') } }, 'ok'],
  ['a name for an address', { names: { 'app.example': '10.0.0.4' } }, 'ok'],
  ['a name for nothing', { names: { 'app.example': idOf('networkInterfaces', 'ap') } }, 'STATIC_NAME_TARGET'],
  ['a malformed public IP', { publicIps: { pip: '20.0.0' } }, 'ADDRESS_INVALID'],
  ['one public address twice', { publicIps: { pip: '20.0.0.1', pip2: '20.0.0.1' } }, 'PUBLIC_IP_DUPLICATE'],
  ['a public IP on NIC and NAT gateway', { natGateways: { nat: { publicIps: ['pip'] } } }, '~PUBLIC_IP_SHARED'],
  ['a NAT gateway without address', { natGateways: { nat: { publicIps: [] } } }, '~NAT_GATEWAY_WITHOUT_ADDRESS'],
  [
    'NAT gateways with idle times from 3 to 121',
    {
      publicIps: { pip: '20.0.0.1', a: '20.0.0.2', b: '20.0.0.3', c: '20.0.0.4', d: '20.0.0.5' },
      natGateways: {
        a: { publicIps: ['a'], idle: 3 },
        b: { publicIps: ['b'], idle: 4 },
        c: { publicIps: ['c'], idle: 120 },
        d: { publicIps: ['d'], idle: 121 },
      },
    },
    'NAT_IDLE_TIMEOUT_RANGE NAT_IDLE_TIMEOUT_RANGE',
  ],
])('%s gives its code', (_what, more, code) => {
  expect(codesOf(network({ ...VNET, ...more }))).toBe(code);
});

test('ids are unique without regard to case and leading slash', () => {
  const good = network({ nsgs: { one: [] } });
  const [nsg] = good.networkSecurityGroups;
  const twin = { ...nsg, id: nsg.id.slice(1).toUpperCase() };
  expect(codesOf({ ...good, networkSecurityGroups: [nsg, twin] })).toBe('ID_DUPLICATE');
});

test('references are compared without regard to case and leading slash', () => {
  const good = network(HUB_AND_SPOKE);
  const virtualNetworks = good.virtualNetworks.map((vnet) => ({
    ...vnet,
    properties: {
      ...vnet.properties,
      subnets: vnet.properties.subnets.map((subnet) => ({ ...subnet, id: subnet.id.slice(1).toUpperCase() })),
    },
  }));
  expect(codesOf({ ...good, virtualNetworks })).toBe('ok');
});

test('members of an application security group, and both sides of a rule, are in one network (NSG-23)', () => {
  const spec: NetworkSpec = {
    vnets: {
      a: { ranges: ['10.0.0.0/16'], subnets: { as: '10.0.0.0/24' } },
      b: { ranges: ['10.1.0.0/16'], subnets: { bs: '10.1.0.0/24' } },
    },
    asgs: ['web', 'db'],
    nsgs: { nsg: [{ ...NSG_RULE, source: 'asg:web', destination: 'asg:db' }] },
  };
  const members = (web: string, db: string, more: NetworkSpec['nics'] = {}): string => {
    const nic = (subnet: string, host: number, asg: string) => {
      return { subnet, address: `10.${subnet === 'as' ? 0 : 1}.0.${host}`, asgs: [asg] };
    };
    return codesOf(network({ ...spec, nics: { w: nic(web, 4, 'web'), d: nic(db, 5, 'db'), ...more } }));
  };
  expect(members('as', 'as')).toBe('ok');
  expect(members('as', 'bs')).toBe('RULE_ASGS_SEVERAL_VNETS');
  const stranger = { x: { subnet: 'bs', address: '10.1.0.9', asgs: ['web'] } };
  expect(members('as', 'as', stranger)).toBe('ASG_SEVERAL_VNETS');
});
