import { describe, expect, it } from 'vitest';
import { addressesOf, resolveAzure, resolvePublic } from '../../../src/control/dns/resolve.ts';
import { deleteEndpoint } from '../../../src/control/change/changes.ts';
import {
  linkZone,
  removeRecord,
  setDnsServers,
  setRecord,
  unlinkZone,
} from '../../../src/control/change/dns-changes.ts';
import { behaviourOf } from '../../../src/control/model/profile.ts';
import type { DnsRecordType } from '../../../src/control/model/dns.ts';
import type { Network } from '../../../src/control/model/resources.ts';
import type { Switches } from '../../../src/control/model/profile.ts';
import { networkOf, vnetId } from './networks.ts';

const NETWORK = networkOf();

/** `STATUS chain > values by where`. */
function ask(
  vnet: string,
  name: string,
  type: DnsRecordType = 'A',
  network: Network = NETWORK,
  switches: Partial<Switches> = {},
): string {
  const found = resolveAzure(network, behaviourOf('ga-2026', switches), vnetId(network, vnet), name, type);
  const chain = found.chain.length === 0 ? '' : ` ${found.chain.join(' ')} >`;
  const values = addressesOf(found.records, type).join(' ');
  const forward = found.forward === undefined ? '' : ` forward ${found.forward.servers.join(' ')}`;
  const status = found.forward === undefined ? found.status : 'FORWARD';
  return `${status}${chain} ${values}${forward} [${found.steps.at(-1)?.where ?? ''}]`.replaceAll(/ +/g, ' ');
}

describe('168.63.129.16', () => {
  it.each([
    [
      'DNS-7 DNS-8 DNS-13: the alias of a service leads into the linked zone',
      'a',
      'server.database.windows.net',
      'A',
      'NOERROR server.privatelink.database.windows.net > 10.0.0.10 [privatelink.database.windows.net]',
    ],
    [
      'DNS-1 DNS-9: from a network without link the answer is public, whatever it is peered with',
      'b',
      'kv.vault.azure.net',
      'A',
      'NOERROR kv.privatelink.vaultcore.azure.net > 20.40.0.11 [public DNS]',
    ],
    [
      'DNS-14: the privatelink name itself resolves',
      'a',
      'server.privatelink.database.windows.net',
      'A',
      'NOERROR 10.0.0.10 [privatelink.database.windows.net]',
    ],
    [
      'DNS-8: without any connection there is no alias',
      'a',
      'lonely.database.windows.net',
      'A',
      'NOERROR 20.40.0.12 [public DNS]',
    ],
    [
      'DNS-10: a linked zone without the record says NXDOMAIN',
      'a',
      'theirs.database.windows.net',
      'A',
      'NXDOMAIN theirs.privatelink.database.windows.net > [privatelink.database.windows.net]',
    ],
    [
      'DNS-60: the alias of a vault changes its suffix',
      'a',
      'kv.vault.azure.net',
      'A',
      'NOERROR kv.privatelink.vaultcore.azure.net > 10.0.0.11 [privatelink.vaultcore.azure.net]',
    ],
    ['DNS-5: split horizon, tenant a', 'a', 'app.corp.example', 'A', 'NOERROR 10.0.0.9 [corp.example]'],
    ['DNS-5: split horizon, tenant b', 'b', 'app.corp.example', 'A', 'NOERROR 10.1.0.9 [corp.example]'],
    [
      'DNS-4: the longest suffix answers, also where the shorter zone has a wildcard',
      'a',
      'x.sub.corp.example',
      'A',
      'NXDOMAIN [sub.corp.example]',
    ],
    [
      'DNS-7: every alias is looked up from the start',
      'a',
      'www.sub.corp.example',
      'A',
      'NOERROR server.database.windows.net server.privatelink.database.windows.net > 10.0.0.10 [privatelink.database.windows.net]',
    ],
    [
      'DNS-2: a wildcard answers for names that do not exist',
      'a',
      'x.y.corp.example',
      'A',
      'NOERROR 10.0.0.99 [corp.example]',
    ],
    ['DNS-12: another type is NODATA', 'b', 'six.corp.example', 'A', 'NOERROR [corp.example]'],
    ['DNS-12: the type itself', 'b', 'six.corp.example', 'AAAA', 'NOERROR fd00::1 [corp.example]'],
    [
      'a question for the alias itself is not followed',
      'b',
      'www.corp.example',
      'CNAME',
      'NOERROR app.corp.example [corp.example]',
    ],
    ['DNS-3: machines register', 'a', 'vm-a.corp.example', 'A', 'NOERROR 10.0.0.4 [corp.example]'],
    ['DNS-3: endpoints never do', 'a', 'pe-sql.corp.example', 'A', 'NOERROR 10.0.0.99 [corp.example]'],
    [
      'DNS-30: the internal name of a machine',
      'a',
      'VM-A.internal.cloudapp.net.',
      'A',
      'NOERROR 10.0.0.4 [internal names]',
    ],
    [
      'DNS-30 DNS-31: a peer shares no internal names',
      'a',
      'vm-b.internal.cloudapp.net',
      'A',
      'NXDOMAIN [internal names]',
    ],
    [
      'DNS-30: two PTR records with registration',
      'a',
      '4.0.0.10.in-addr.arpa',
      'PTR',
      'NOERROR vm-a.internal.cloudapp.net vm-a.corp.example [internal names]',
    ],
    [
      'DNS-7: everything else is public',
      'a',
      'www.example.org',
      'A',
      'NOERROR edge.example.net > 20.1.1.1 [public DNS]',
    ],
    ['a public wildcard', 'a', 'x.wild.example', 'A', 'NOERROR 20.2.2.2 [public DNS]'],
    ['a name of nobody', 'a', 'nobody.example.org', 'A', 'NXDOMAIN [public DNS]'],
    [
      'DNS-17: the longest suffix of a ruleset',
      'b',
      'db.x.onprem.example',
      'A',
      'FORWARD forward 192.168.0.54 [rules]',
    ],
    ['DNS-17: the root rule', 'b', 'www.example.org', 'A', 'FORWARD forward 192.168.0.55 [rules]'],
    [
      'DNS-17: the root rule does not catch reserved suffixes',
      'b',
      'server.database.windows.net',
      'A',
      'NOERROR server.privatelink.database.windows.net > 20.40.0.10 [public DNS]',
    ],
    ['DNS-1 DNS-17: a ruleset counts in linked networks only', 'a', 'db.onprem.example', 'A', 'NXDOMAIN [public DNS]'],
  ] as const)('%s', (_, vnet, name, type, expected) => {
    expect(ask(vnet, name, type)).toBe(expected);
  });

  it('redirects NXDOMAIN of a privatelink zone to the public, and NODATA not (DNS-11, DNS-12)', () => {
    const linked = linkZone('privatelink.database.windows.net', 'a', { resolutionPolicy: 'NxDomainRedirect' })(NETWORK);
    const name = 'theirs.privatelink.database.windows.net';
    expect(ask('a', 'theirs.database.windows.net', 'A', linked)).toBe(`NOERROR ${name} > 20.40.0.13 [public DNS]`);
    expect(ask('a', 'theirs.database.windows.net', 'TXT', linked)).toMatch(/^NXDOMAIN/);
    const text = setRecord('privatelink.database.windows.net', { name: 'theirs', type: 'TXT', values: ['x'] })(linked);
    expect(ask('a', 'theirs.database.windows.net', 'A', text)).toMatch(/^NOERROR .* > \[privatelink/);
  });

  it('asks zones before rulesets, or rulesets first when the switch says so (Q-10)', () => {
    const linked = setRecord('corp.example', { name: 'vm', values: ['10.1.0.7'] });
    const { dnsForwardingRulesets } = NETWORK;
    const rulesets = dnsForwardingRulesets.map((ruleset) => ({
      ...ruleset,
      properties: {
        ...ruleset.properties,
        forwardingRules: [
          { name: 'r', domainName: 'corp.example', targetDnsServers: ['192.168.0.1'], isEnabled: true },
        ],
      },
    }));
    const network = { ...NETWORK, dnsForwardingRulesets: rulesets };
    expect(() => linked(network)).toThrow(/2 private DNS zones/);
    expect(ask('b', 'app.corp.example', 'A', network)).toBe('NOERROR 10.1.0.9 [corp.example]');
    expect(ask('b', 'app.corp.example', 'A', network, { 'dns.rulesetFirst': true })).toMatch(/^FORWARD/);
  });

  it('ends a circle of aliases with SERVFAIL', () => {
    const zone = 'sub.corp.example';
    const one = setRecord(zone, { name: 'p', type: 'CNAME', values: ['q.sub.corp.example'] })(NETWORK);
    const two = setRecord(zone, { name: 'q', type: 'CNAME', values: ['p.sub.corp.example'] })(one);
    expect(ask('a', 'p.sub.corp.example', 'A', two)).toMatch(/^SERVFAIL/);
  });
});

describe('zone groups', () => {
  it('replace a record of the zone, and the later group replaces the earlier one (DNS-21, PE-40)', () => {
    const zone = 'privatelink.database.windows.net';
    const written = setRecord(zone, { name: 'server', values: ['10.9.9.9'] })(NETWORK);
    expect(ask('a', 'server.database.windows.net', 'A', written)).toContain('> 10.0.0.10 [');
    const [first] = written.privateDnsZoneGroups;
    const other = written.privateEndpoints.find((endpoint) => endpoint.name === 'pe-sql');
    if (first === undefined || other === undefined) throw new Error('the fixture has no group');
    const second = {
      ...other,
      id: `${other.id}2`,
      name: 'pe2',
      properties: { ...other.properties, privateIPAddress: '10.1.0.77' },
    };
    const group = { ...first, properties: { ...first.properties, privateEndpoint: { id: second.id } } };
    const both = {
      ...written,
      privateEndpoints: [...written.privateEndpoints, second],
      privateDnsZoneGroups: [...written.privateDnsZoneGroups, group],
    };
    expect(ask('a', 'server.database.windows.net', 'A', both)).toContain('> 10.1.0.77 [');
  });

  it('take their records with them when the endpoint goes, and the alias ends (DNS-20, DNS-8)', () => {
    const gone = deleteEndpoint('pe-sql')(NETWORK);
    expect(ask('a', 'server.database.windows.net', 'A', gone)).toBe('NOERROR 20.40.0.10 [public DNS]');
    expect(ask('a', 'server.privatelink.database.windows.net', 'A', gone)).toMatch(/^NXDOMAIN/);
  });
});

describe('the public name space', () => {
  it('gives everybody the same answer (DNS-8, DNS-9)', () => {
    const found = resolvePublic(NETWORK, 'server.database.windows.net');
    expect(found.chain).toEqual(['server.privatelink.database.windows.net']);
    expect(addressesOf(found.records)).toEqual(['20.40.0.10']);
    expect(resolvePublic(NETWORK, 'app.corp.example').status).toBe('NXDOMAIN');
  });
});

describe('changes of zones', () => {
  it('unlink, remove and refuse what is not there, leaving the network as it was', () => {
    const zone = 'privatelink.database.windows.net';
    const unlinked = unlinkZone(zone, 'a')(NETWORK);
    expect(ask('a', 'server.database.windows.net', 'A', unlinked)).toContain('20.40.0.10 [public DNS]');
    expect(() => unlinkZone(zone, 'b')(NETWORK)).toThrow(/not linked to 'b'/);
    expect(() => removeRecord(zone, 'nobody')(NETWORK)).toThrow(/has no record 'nobody'/);
    const written = setRecord('sub.corp.example', { name: 'x', values: ['10.0.0.1'] })(NETWORK);
    expect(ask('a', 'x.sub.corp.example', 'A', removeRecord('sub.corp.example', 'X')(written))).toMatch(/^NXDOMAIN/);
    const [nic] = setDnsServers({ nic: 'vm-a' }, ['10.0.0.53'])(NETWORK).networkInterfaces;
    expect(nic?.properties.dnsSettings?.dnsServers).toEqual(['10.0.0.53']);
  });
});
