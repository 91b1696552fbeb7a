// Effective security rules in Azure's JSON shape (DIAG-13, DIAG-14).

import { describe, expect, it } from 'vitest';
import { effectiveSecurityRules } from '../../../src/control/compile/effective-rules.ts';
import { behaviour, id, networkOf, nicId, subnetId, type Words } from './networks.ts';

const words: Words = {
  vnets: { v: ['10.0.0.0/16'] },
  subnets: { s: { vnet: 'v', cidr: '10.0.0.0/24', nsg: 'of-subnet' } },
  nics: { vm: { subnet: 's', ip: '10.0.0.4', nsg: 'of-nic' }, bare: { subnet: 's', ip: '10.0.0.5' } },
  asgs: { AsgWeb: ['vm'] },
  nsgs: {
    'of-subnet': [],
    'of-nic': [[100, 'In', 'Tcp', '198.51.100.0/24,203.0.113.5', '*', 'AsgWeb', '80,8000-8010', 'Allow', 'Http']],
  },
};

function rulesOf(nic: string) {
  return effectiveSecurityRules(
    networkOf(words),
    behaviour('ga-2026', { 'tag.vnetIncludesHostVip': false }),
    nicId(nic),
  );
}

describe('effective security rules', () => {
  it('list the groups of subnet and NIC with what they are associated with', () => {
    const { value } = rulesOf('vm');
    expect(value.map((group) => [group.networkSecurityGroup, group.association])).toEqual([
      [{ id: id('networkSecurityGroups', 'of-subnet') }, { subnet: { id: subnetId(words, 's') } }],
      [{ id: id('networkSecurityGroups', 'of-nic') }, { networkInterface: { id: nicId('vm') } }],
    ]);
    expect(rulesOf('bare').value).toHaveLength(1);
    expect(rulesOf('nobody').value).toEqual([]);
  });

  it('print a user rule with every range as N-N and group members as prefixes', () => {
    expect(rulesOf('vm').value[1].effectiveSecurityRules[0]).toEqual({
      name: 'securityRules/Http',
      protocol: 'Tcp',
      sourcePortRange: '0-65535',
      destinationPortRange: '80-80',
      sourcePortRanges: ['0-65535'],
      destinationPortRanges: ['80-80', '8000-8010'],
      sourceAddressPrefix: '198.51.100.0/24',
      destinationAddressPrefix: '10.0.0.4/32',
      sourceAddressPrefixes: ['198.51.100.0/24', '203.0.113.5'],
      destinationAddressPrefixes: ['10.0.0.4/32'],
      expandedSourceAddressPrefix: [],
      expandedDestinationAddressPrefix: [],
      access: 'Allow',
      priority: 100,
      direction: 'Inbound',
    });
  });

  it('expand tags, the Internet list beginning as published (NSG-18, DIAG-14)', () => {
    const group = rulesOf('vm').value[0];
    const rule = group.effectiveSecurityRules.find((r) => r.name === 'defaultSecurityRules/AllowInternetOutBound')!;
    expect(rule.protocol).toBe('All');
    expect(rule.sourceAddressPrefix).toBe('0.0.0.0/0');
    expect(rule.destinationAddressPrefix).toBe('Internet');
    expect(rule.expandedDestinationAddressPrefix.slice(0, 5)).toEqual([
      '1.0.0.0/8',
      '2.0.0.0/7',
      '4.0.0.0/6',
      '8.0.0.0/7',
      '11.0.0.0/8',
    ]);
    expect(group.tagMap).toMatchObject({ VirtualNetwork: ['10.0.0.0/16'], AzureLoadBalancer: ['168.63.129.16/32'] });
  });

  it('list all six default rules of a group without user rules', () => {
    expect(rulesOf('bare').value[0].effectiveSecurityRules.map((rule) => `${rule.priority} ${rule.name}`)).toEqual([
      '65000 defaultSecurityRules/AllowVnetInBound',
      '65001 defaultSecurityRules/AllowAzureLoadBalancerInBound',
      '65500 defaultSecurityRules/DenyAllInBound',
      '65000 defaultSecurityRules/AllowVnetOutBound',
      '65001 defaultSecurityRules/AllowInternetOutBound',
      '65500 defaultSecurityRules/DenyAllOutBound',
    ]);
  });
});
