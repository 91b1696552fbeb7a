import { expect, test } from 'vitest';
import { network, type NicSpec } from '../fixtures.ts';
import { codesOf, rowsOf } from './codes-of.ts';

const RANGES = `
  # ranges of one virtual network                code
  10.0.0.0/16                                    ok
  100.64.0.0/10                                  ok
  20.0.0.0/8,10.0.0.0/16                         ok
  -                                              ADDRESS_SPACE_EMPTY
  224.0.0.0/4                                    ADDRESS_SPACE_REFUSED
  255.255.255.255/32                             ADDRESS_SPACE_REFUSED
  127.0.0.0/8                                    ADDRESS_SPACE_REFUSED
  169.254.0.0/16                                 ADDRESS_SPACE_REFUSED
  168.63.129.16/32                               ADDRESS_SPACE_REFUSED
  168.63.129.0/24                                ADDRESS_SPACE_REFUSED
  169.254.169.254/32                             ADDRESS_SPACE_REFUSED
  10.0.0.0/16,10.0.1.0/24                        ADDRESS_SPACE_OVERLAP
  10.0.0.1/16                                    PREFIX_INVALID
  010.0.0.0/8                                    PREFIX_INVALID
  10.0.0.0/16,fd00::/48                          ~IPV6_PREFIX
`;

test.each(rowsOf(RANGES))('a virtual network with ranges %s gives %s', (ranges, code) => {
  expect(codesOf(network({ vnets: { vnet: { ranges: ranges === '-' ? [] : ranges.split(',') } } }))).toBe(code);
});

const SUBNETS = `
  # range          subnets                              code
  10.0.0.0/16      10.0.0.0/24,10.0.1.0/24              ok
  10.0.0.0/16      10.0.0.0/16                          ok
  10.0.0.0/16      10.0.0.0/29                          ok
  10.0.0.0/16      10.0.0.0/30                          SUBNET_SIZE
  10.0.0.0/16      10.0.0.4/32                          SUBNET_SIZE
  0.0.0.0/2        0.0.0.0/2                            ok
  0.0.0.0/1        0.0.0.0/1                            ADDRESS_SPACE_REFUSED SUBNET_SIZE
  10.0.0.0/16      10.1.0.0/24                          SUBNET_OUTSIDE_VNET
  10.0.0.0/16      10.0.0.0/15                          SUBNET_OUTSIDE_VNET
  10.0.0.0/16      10.0.0.0/24,10.0.0.128/25            SUBNETS_OVERLAP
  10.0.0.0/16      10.0.0.128/25,10.0.0.0/24            SUBNETS_OVERLAP
  10.0.0.0/16      10.0.0.0/24,10.0.0.0/24,10.0.0.0/25  SUBNETS_OVERLAP SUBNETS_OVERLAP
  10.0.0.0/16      10.0.0.5/24                          PREFIX_INVALID
`;

test.each(rowsOf(SUBNETS))('in %s the subnets %s give %s', (range, prefixes, code) => {
  const subnets = Object.fromEntries(prefixes.split(',').map((prefix, index) => [`s${index}`, prefix]));
  expect(codesOf(network({ vnets: { vnet: { ranges: [range], subnets } } }))).toBe(code);
});

const ADDRESSES = `
  # subnet           addresses              code
  192.168.1.0/24     192.168.1.4            ok
  192.168.1.0/24     192.168.1.254          ok
  192.168.1.0/24     192.168.1.0            ADDRESS_RESERVED
  192.168.1.0/24     192.168.1.1            ADDRESS_RESERVED
  192.168.1.0/24     192.168.1.2            ADDRESS_RESERVED
  192.168.1.0/24     192.168.1.3            ADDRESS_RESERVED
  192.168.1.0/24     192.168.1.255          ADDRESS_RESERVED
  192.168.1.0/29     192.168.1.6            ok
  192.168.1.0/29     192.168.1.7            ADDRESS_RESERVED
  192.168.1.0/24     192.168.2.4            ADDRESS_OUTSIDE_SUBNET
  192.168.1.0/24     192.168.1.300          ADDRESS_INVALID
  192.168.1.0/24     192.168.1.4/32         ADDRESS_INVALID
  192.168.1.0/24     -                      ADDRESS_NOT_ALLOCATED
  192.168.1.0/24     192.168.1.4,192.168.1.4  ADDRESS_IN_USE
`;

test.each(rowsOf(ADDRESSES))('in subnet %s a NIC with %s gives %s', (subnet, addresses, code) => {
  const vnets = { vnet: { ranges: ['192.168.0.0/16'], subnets: { s: subnet } } };
  const address = addresses === '-' ? [''] : addresses.split(',');
  expect(codesOf(network({ vnets, nics: { nic: { subnet: 's', address } } }))).toBe(code);
});

const VNETS = {
  a: { ranges: ['10.0.0.0/16'], subnets: { as: '10.0.0.0/24' }, location: 'westeurope' },
  b: { ranges: ['10.0.0.0/16'], subnets: { bs: '10.0.0.0/24' } },
};

test('an address is held once per virtual network, by NIC or endpoint', () => {
  const services = { sqlmi1: {} };
  const nics = { one: { subnet: 'as', address: '10.0.0.4' } };
  const two = { subnet: 'bs', address: '10.0.0.4' };
  expect(codesOf(network({ vnets: VNETS, nics: { ...nics, two } }))).toBe('ok');
  expect(codesOf(network({ vnets: VNETS, nics: { ...nics, two: { ...two, subnet: 'as' } } }))).toBe('ADDRESS_IN_USE');
  const pe = { subnet: 'as', address: '10.0.0.4', target: 'sqlmi1' };
  expect(codesOf(network({ vnets: VNETS, nics, services, endpoints: { pe } }))).toBe('ADDRESS_IN_USE');
  const statics = { ...pe, address: '10.0.0.5', staticAddress: '10.0.0.4' };
  expect(codesOf(network({ vnets: VNETS, nics, services, endpoints: { pe: statics } }))).toBe('ADDRESS_IN_USE');
});

test.each<[string, NicSpec, string]>([
  ['in an unknown subnet', { subnet: 'az', address: '10.0.0.4' }, 'NIC_SUBNET_NOT_FOUND'],
  ['without addresses', { subnet: 'as', address: [] }, 'NIC_PRIMARY'],
  ['in the region of its network', { subnet: 'as', address: '10.0.0.4', location: 'West Europe' }, 'ok'],
  ['in another region', { subnet: 'as', address: '10.0.0.4', location: 'eastus' }, 'NIC_REGION'],
  ['with a good MAC', { subnet: 'as', address: '10.0.0.4', macAddress: '00-0D-3A-00-00-04' }, 'ok'],
  ['with jumbo frames', { subnet: 'as', address: '10.0.0.4', mtu: 9000 }, 'ok'],
  ['with an MTU that no link has', { subnet: 'as', address: '10.0.0.4', mtu: 9001 }, 'NIC_MTU'],
  ['with a bad MAC', { subnet: 'as', address: '10.0.0.4', macAddress: '00-0D-3A' }, 'NIC_MAC_INVALID'],
])('a NIC %s gives its code', (_what, nic, code) => {
  expect(codesOf(network({ vnets: VNETS, nics: { nic } }))).toBe(code);
});

test('exactly one IP configuration is primary, and all are in one subnet', () => {
  const good = network({ vnets: VNETS, nics: { nic: { subnet: 'as', address: ['10.0.0.4', '10.0.0.5'] } } });
  const [nic] = good.networkInterfaces;
  const [first, second] = nic.properties.ipConfigurations;
  const withConfigurations = (ipConfigurations: readonly (typeof first)[]) => ({
    ...good,
    networkInterfaces: [{ ...nic, properties: { ...nic.properties, ipConfigurations } }],
  });
  const primary = (value: boolean, it: typeof first) => ({ ...it, properties: { ...it.properties, primary: value } });
  expect(codesOf(good)).toBe('ok');
  expect(codesOf(withConfigurations([first, primary(true, second)]))).toBe('NIC_PRIMARY');
  expect(codesOf(withConfigurations([primary(false, first), second]))).toBe('NIC_PRIMARY');
  const [b] = network({ vnets: VNETS }).virtualNetworks.slice(1);
  const elsewhere = { ...second, properties: { ...second.properties, subnet: { id: b.properties.subnets[0].id } } };
  expect(codesOf(withConfigurations([first, elsewhere]))).toBe('NIC_SEVERAL_SUBNETS');
});

test('flow time-out and DNS servers of a virtual network are checked', () => {
  const vnet = (more: object) => codesOf(network({ vnets: { vnet: { ranges: ['10.0.0.0/16'], ...more } } }));
  expect(vnet({ flowTimeoutInMinutes: 4 })).toBe('ok');
  expect(vnet({ flowTimeoutInMinutes: 30 })).toBe('ok');
  expect(vnet({ flowTimeoutInMinutes: 3 })).toBe('FLOW_TIMEOUT_RANGE');
  expect(vnet({ flowTimeoutInMinutes: 31 })).toBe('FLOW_TIMEOUT_RANGE');
  expect(vnet({ dnsServers: ['10.0.0.4'] })).toBe('ok');
  expect(vnet({ dnsServers: ['10.0.0.400'] })).toBe('ADDRESS_INVALID');
  expect(vnet({ dnsServers: Array.from({ length: 21 }, () => '10.0.0.4') })).toBe('DNS_SERVERS_LIMIT');
});
