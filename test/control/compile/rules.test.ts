// Security rules as compiled: which rule decides at one gate. A line is one question to a gate of a NIC or endpoint:
// protocol, source, source port, destination, destination port -> deciding rule.

import { describe, expect, it } from 'vitest';
import { checkProgram } from '../../../src/abi/program-check.ts';
import { compileNetwork, createRegistry } from '../../../src/control/compile/compile.ts';
import type { Compiled } from '../../../src/control/compile/compiled.ts';
import type { Behaviour } from '../../../src/control/model/profile.ts';
import { matchRule } from '../../../src/dataplane/rule-match.ts';
import { parseIpv4 } from '../../../src/wire/index.ts';
import { behaviour, networkOf, type RuleWords, type Words } from './networks.ts';

type Gate =
  'outNicRules' | 'outSubnetRules' | 'inSubnetRules' | 'inNicRules' | 'platformNicRules' | 'platformSubnetRules';

const PROTOCOLS: Readonly<Record<string, number>> = { Tcp: 6, Udp: 17, Icmp: 1, Esp: 50, Ah: 51 };

function compile(words: Words, how: Behaviour = behaviour()): Compiled {
  const compiled = compileNetwork(networkOf(words), how, { epoch: 1, registry: createRegistry() });
  checkProgram(compiled.program);
  return compiled;
}

/** Name of the rule that decides at a gate of a NIC, `none` without a group, `bypass` where no rule concerns it. */
function ask(words: Words, nic: string, gate: Gate, packet: string, how?: Behaviour): string {
  const compiled = compile(words, how);
  const attachment = compiled.sideTable.attachments.findIndex((info) => info?.kind === 'nic' && info.name === nic);
  return decide(compiled, compiled.program.attachments[gate][attachment], packet);
}

/** The same for the inbound rules in front of a private endpoint. */
function askEndpoint(words: Words, endpoint: string, packet: string, how?: Behaviour): string {
  const compiled = compile(words, how);
  const index = compiled.sideTable.endpoints.findIndex((info) => info.name === endpoint);
  return decide(compiled, compiled.program.endpoints.rules[index], packet);
}

function decide({ program, sideTable }: Compiled, ruleSet: number, packet: string): string {
  if (ruleSet < 0) return 'none';
  const [protocol, src, srcPort, dst, dstPort] = packet.split(' ') as [string, string, string, string, string];
  const set = program.ruleSets[ruleSet];
  const ports = [Number(srcPort), Number(dstPort)] as const;
  const position = matchRule(set, PROTOCOLS[protocol], parseIpv4(src), parseIpv4(dst), ...ports);
  if (position < 0) return 'bypass';
  const rule = sideTable.rules[set.ruleIndex[position]];
  expect(set.access[position], 'access column').toBe(rule.access === 'Allow' ? 1 : 0);
  return `${rule.nsg}/${rule.rule}`;
}

/** One NIC `vm` 10.0.0.4 in 10.0.0.0/16 with group `g`; everything else as a test says. */
function oneVm(rules: readonly RuleWords[], more: Partial<Words> = {}): Words {
  return {
    vnets: { v: ['10.0.0.0/16'] },
    subnets: { s: { vnet: 'v', cidr: '10.0.0.0/24' } },
    nics: { vm: { subnet: 's', ip: '10.0.0.4', nsg: 'g' } },
    nsgs: { g: rules },
    ...more,
  };
}

describe('the default rules', () => {
  it.each([
    // gate, packet, deciding rule
    ['outNicRules', 'Tcp 10.0.0.4 60000 13.107.21.200 80', 'g/AllowInternetOutBound'],
    ['outNicRules', 'Tcp 10.0.0.4 60000 10.0.1.10 80', 'g/AllowVnetOutBound'],
    ['outNicRules', 'Tcp 10.0.0.4 60000 10.10.10.10 80', 'g/DenyAllOutBound'],
    ['inNicRules', 'Tcp 10.10.10.10 60000 10.0.0.4 80', 'g/DenyAllInBound'],
    ['inNicRules', 'Tcp 203.0.113.5 60000 10.0.0.4 80', 'g/DenyAllInBound'],
    ['inNicRules', 'Udp 10.0.9.9 1 10.0.0.4 1', 'g/AllowVnetInBound'],
    ['inNicRules', 'Esp 10.0.9.9 0 10.0.0.4 0', 'g/AllowVnetInBound'],
    ['inSubnetRules', 'Tcp 10.0.9.9 1 10.0.0.4 1', 'none'],
  ] as const)('at %s decide %s by %s (NSG-9, DIAG-4)', (gate, packet, expected) => {
    expect(ask(oneVm([]), 'vm', gate, packet)).toBe(expected);
  });

  it('probes match VirtualNetwork while it holds the host address, else AzureLoadBalancer (NSG-19)', () => {
    const probe = 'Tcp 168.63.129.16 50000 10.0.0.4 80';
    expect(ask(oneVm([]), 'vm', 'inNicRules', probe)).toBe('g/AllowVnetInBound');
    const without = behaviour('ga-2026', { 'tag.vnetIncludesHostVip': false });
    expect(ask(oneVm([]), 'vm', 'inNicRules', probe, without)).toBe('g/AllowAzureLoadBalancerInBound');
  });
});

describe('matching', () => {
  it('priority decides, whatever the order of writing (NSG-1)', () => {
    const rules: RuleWords[] = [
      [1000, 'In', '*', 'VirtualNetwork', '*', '*', '*', 'Deny', 'DenyVnet'],
      [900, 'In', '*', '10.0.1.0/26', '*', '*', '*', 'Allow', 'AllowBastion'],
    ];
    expect(ask(oneVm(rules), 'vm', 'inNicRules', 'Tcp 10.0.1.4 1 10.0.0.4 22')).toBe('g/AllowBastion');
    expect(ask(oneVm(rules), 'vm', 'inNicRules', 'Tcp 10.0.1.64 1 10.0.0.4 22')).toBe('g/DenyVnet');
  });

  it('the two directions are separate lists (NSG-2)', () => {
    const rules: RuleWords[] = [[100, 'Out', '*', '*', '*', '*', '*', 'Deny', 'NoOut']];
    expect(ask(oneVm(rules), 'vm', 'inNicRules', 'Tcp 10.0.9.9 1 10.0.0.4 22')).toBe('g/AllowVnetInBound');
    expect(ask(oneVm(rules), 'vm', 'outNicRules', 'Tcp 10.0.0.4 1 10.0.9.9 22')).toBe('g/NoOut');
  });

  it.each([
    ['203.0.113.5', 80, 'g/Aug'],
    ['198.51.100.200', 8005, 'g/Aug'],
    ['203.0.113.5', 8011, 'g/DenyAllInBound'],
    ['192.0.2.1', 80, 'g/DenyAllInBound'],
  ])('several prefixes and ports are a cross product: %s to %i is decided by %s (NSG-7)', (source, port, expected) => {
    const rules: RuleWords[] = [
      [100, 'In', 'Tcp', '198.51.100.0/24,203.0.113.0/24', '*', '*', '80,8000-8010', 'Allow', 'Aug'],
    ];
    expect(ask(oneVm(rules), 'vm', 'inNicRules', `Tcp ${source} 50000 10.0.0.4 ${port}`)).toBe(expected);
  });

  it.each([
    ['Icmp', 'Icmp', 'g/Rule'],
    ['Icmp', 'Tcp', 'g/DenyAllInBound'],
    ['Esp', 'Esp', 'g/Rule'],
    ['Ah', 'Ah', 'g/Rule'],
    ['*', 'Esp', 'g/DenyAllInBound'],
    ['Tcp', 'Icmp', 'g/DenyAllInBound'],
  ] as const)('a %s rule with port 80 meets a %s packet without ports: %s (NSG-3)', (written, sent, expected) => {
    const rules: RuleWords[] = [[100, 'In', written, '*', '*', '*', '80', 'Allow', 'Rule']];
    expect(ask(oneVm(rules), 'vm', 'inNicRules', `${sent} 203.0.113.5 0 10.0.0.4 0`)).toBe(expected);
  });

  it.each(['Tcp', 'Udp', 'Icmp', 'Esp', 'Ah'])('protocol * covers %s (NSG-3, Q-17)', (sent) => {
    const rules: RuleWords[] = [[100, 'In', '*', '*', '*', '*', '*', 'Allow', 'Any']];
    expect(ask(oneVm(rules), 'vm', 'inNicRules', `${sent} 203.0.113.5 0 10.0.0.4 0`)).toBe('g/Any');
  });
});

describe('VirtualNetwork', () => {
  const denyVnet: RuleWords[] = [[100, 'Out', '*', '*', '*', 'VirtualNetwork', '*', 'Deny', 'NoVnet']];
  const isIn = (address: string, more: Partial<Words>, how?: Behaviour): boolean =>
    ask(oneVm(denyVnet, more), 'vm', 'outNicRules', `Tcp 10.0.0.4 1 ${address} 80`, how) === 'g/NoVnet';
  const routed = (prefix: string): Partial<Words> => ({
    subnets: { s: { vnet: 'v', cidr: '10.0.0.0/24', rt: 'rt' }, t: { vnet: 'v', cidr: '10.0.1.0/24', rt: 'rt2' } },
    rts: { rt: [[prefix, 'VirtualAppliance', '10.0.0.9', 'r']], rt2: [['198.51.100.0/24', 'None', null, 'r']] },
  });
  const peered = (own: object, theirs: object): Partial<Words> => ({
    vnets: { v: ['10.0.0.0/16', '10.5.0.0/24'], w: ['10.1.0.0/16'] },
    peers: [['v', 'w', { v: own, w: theirs }]],
    bgp: { w: ['172.16.0.0/16'] },
  });

  it('holds every range of the network and nothing near (NSG-16)', () => {
    const ranges = { vnets: { v: ['10.0.0.0/16', '10.5.0.0/24'] } };
    expect(isIn('10.5.0.255', ranges)).toBe(true);
    expect(isIn('10.5.1.0', ranges)).toBe(false);
  });

  it("holds a peer while this network's own link allows access (PEER-6)", () => {
    expect(isIn('10.1.0.4', peered({}, {}))).toBe(true);
    expect(isIn('10.1.0.4', peered({ allowVirtualNetworkAccess: false }, {}))).toBe(false);
    expect(isIn('10.1.0.4', peered({}, { allowVirtualNetworkAccess: false }))).toBe(true);
    expect(isIn('10.1.0.4', peered({ peeringState: 'Initiated' }, {}))).toBe(false);
  });

  it('holds on-premises prefixes of the own gateway, and of a peer whose gateway is used (NSG-16, PEER-7)', () => {
    expect(isIn('172.16.1.1', { bgp: { v: ['172.16.0.0/16'] } })).toBe(true);
    expect(isIn('172.16.1.1', peered({}, { allowGatewayTransit: true }))).toBe(false);
    expect(isIn('172.16.1.1', peered({ useRemoteGateways: true }, { allowGatewayTransit: true }))).toBe(true);
  });

  it("holds prefixes of the subnet's own route table, other subnets' not (NSG-17, Q-4)", () => {
    expect(isIn('192.0.2.1', routed('192.0.2.0/24'))).toBe(true);
    expect(isIn('198.51.100.1', routed('192.0.2.0/24'))).toBe(false);
  });

  it('holds everything with a user-defined default route, unless the switch is off (NSG-17)', () => {
    expect(isIn('203.0.113.5', routed('0.0.0.0/0'))).toBe(true);
    expect(
      isIn('203.0.113.5', routed('0.0.0.0/0'), behaviour('ga-2026', { 'tag.vnetIncludesDefaultRoute': false })),
    ).toBe(false);
  });
});

describe('other tags', () => {
  const toTag = (tag: string): RuleWords[] => [[100, 'Out', '*', '*', '*', tag, '*', 'Deny', 'Tag']];
  const isIn = (tag: string, address: string, more: Partial<Words> = {}): boolean =>
    ask(oneVm(toTag(tag), more), 'vm', 'outNicRules', `Tcp 10.0.0.4 1 ${address} 80`) === 'g/Tag';

  it.each(['10.9.9.9', '172.31.0.1', '192.168.1.1', '100.64.0.1', '127.0.0.1', '169.254.1.1', '224.0.0.1', '0.1.2.3'])(
    'Internet does not hold %s (NSG-18)',
    (address) => expect(isIn('Internet', address)).toBe(false),
  );

  it.each(['1.0.0.0', '9.255.255.255', '11.0.0.0', '20.40.0.1', '223.255.255.255'])(
    'Internet holds %s (NSG-18)',
    (address) => expect(isIn('Internet', address)).toBe(true),
  );

  it('Internet does not hold public addresses of the own network (NSG-18)', () => {
    expect(isIn('Internet', '50.0.0.1', { vnets: { v: ['10.0.0.0/16', '50.0.0.0/24'] } })).toBe(false);
    expect(isIn('Internet', '50.0.1.1', { vnets: { v: ['10.0.0.0/16', '50.0.0.0/24'] } })).toBe(true);
  });

  it('service tags are looked up without regard to case, with or without region (NSG-20)', () => {
    const tags = { 'Sql.WestEurope': ['20.41.0.0/16', '2603:1020::/40'] };
    expect(isIn('sql', '20.40.1.1')).toBe(true);
    expect(isIn('SQL.westeurope', '20.41.1.1', { tags })).toBe(true);
    expect(isIn('Sql.WestEurope', '20.40.1.1', { tags })).toBe(false);
  });

  it('a tag nobody knows holds nothing', () => {
    expect(isIn('NoSuchService', '20.40.1.1')).toBe(false);
  });
});

describe('application security groups', () => {
  const words: Words = {
    vnets: { v: ['10.0.0.0/16'] },
    subnets: { s: { vnet: 'v', cidr: '10.0.0.0/24', nsg: 'g' } },
    nics: {
      web: { subnet: 's', ip: '10.0.0.4' },
      logic: { subnet: 's', ip: '10.0.0.5' },
      db: { subnet: 's', ip: '10.0.0.6' },
    },
    asgs: { AsgWeb: ['web'], AsgLogic: ['logic'], AsgDb: ['db'], Empty: [] },
    nsgs: {
      g: [
        [100, 'In', 'Tcp', 'Internet', '*', 'AsgWeb', '80', 'Allow', 'Http'],
        [110, 'In', 'Tcp', 'AsgLogic', '*', 'AsgDb', '1433', 'Allow', 'LogicToDb'],
        [120, 'In', '*', '*', '*', 'AsgDb', '1433', 'Deny', 'NoDb'],
        [130, 'In', '*', 'Empty', '*', '*', '*', 'Deny', 'FromNobody'],
      ],
    },
  };

  it.each([
    ['web', 'Tcp 203.0.113.5 1 10.0.0.4 80', 'g/Http'],
    ['logic', 'Tcp 203.0.113.5 1 10.0.0.5 80', 'g/DenyAllInBound'],
    ['db', 'Tcp 10.0.0.5 1 10.0.0.6 1433', 'g/LogicToDb'],
    ['db', 'Tcp 10.0.0.4 1 10.0.0.6 1433', 'g/NoDb'],
    ['db', 'Tcp 10.0.0.4 1 10.0.0.6 1434', 'g/AllowVnetInBound'],
  ])('%s: %s is decided by %s (NSG-23, NSG-24)', (nic, packet, expected) => {
    expect(ask(words, nic, 'inSubnetRules', packet)).toBe(expected);
  });
});

describe('platform rules', () => {
  const gateOf = (rules: readonly RuleWords[], packet: string): string =>
    ask(oneVm(rules), 'vm', 'platformNicRules', packet);
  const dns = 'Udp 10.0.0.4 5000 168.63.129.16 53';
  const agent = 'Tcp 10.0.0.4 5000 168.63.129.16 80';
  const metadata = 'Tcp 10.0.0.4 5000 169.254.169.254 80';

  it('do not exist where no rule names an AzurePlatform tag (NSG-30)', () => {
    expect(gateOf([[100, 'Out', '*', '*', '*', '168.63.129.16/32', '*', 'Deny', 'No']], dns)).toBe('none');
  });

  it.each([
    ['AzurePlatformDNS', dns, 'g/No'],
    ['AzurePlatformDNS', agent, 'bypass'],
    ['AzurePlatformDNS', metadata, 'bypass'],
    ['AzurePlatformIMDS', metadata, 'g/No'],
    ['AzurePlatformIMDS', dns, 'bypass'],
    ['azureplatformdns', dns, 'g/No'],
  ])('a rule on %s meets %s: %s (NSG-21)', (tag, packet, expected) => {
    expect(gateOf([[100, 'Out', '*', '*', '*', tag, '*', 'Deny', 'No']], packet)).toBe(expected);
  });

  it('decide among themselves by priority; rules without such a tag do not take part', () => {
    const rules: RuleWords[] = [
      [100, 'Out', '*', '*', '*', '*', '*', 'Deny', 'All'],
      [110, 'Out', 'Udp', '*', '*', 'AzurePlatformDNS', '*', 'Allow', 'UdpDns'],
      [120, 'Out', '*', '*', '*', 'AzurePlatformDNS', '*', 'Deny', 'Dns'],
    ];
    expect(gateOf(rules, dns)).toBe('g/UdpDns');
    expect(gateOf(rules, dns.replace('Udp', 'Tcp'))).toBe('g/Dns');
  });
});

describe('rules in front of a private endpoint', () => {
  function endpointWith(
    rules: readonly RuleWords[],
    pePolicy: NonNullable<Words['subnets'][string]['pePolicy']> = 'Enabled',
    more: Partial<Words> = {},
  ): Words {
    return {
      vnets: { a: ['10.0.0.0/16'], b: ['10.1.0.0/16'] },
      peers: [['a', 'b', {}]],
      subnets: { pe: { vnet: 'a', cidr: '10.0.1.0/24', nsg: 'g', pePolicy } },
      pes: { mi: { subnet: 'pe', ip: '10.0.1.5', ports: ['1433'] } },
      nsgs: { g: rules },
      ...more,
    };
  }
  const denyAll: RuleWords[] = [[100, 'In', '*', '*', '*', '*', '*', 'Deny', 'DenyAll']];
  const sql = 'Tcp 10.0.0.4 50000 10.0.1.5 1433';
  const preview = behaviour('preview-2022');

  it.each([
    ['Enabled', 'g/DenyAll'],
    ['NetworkSecurityGroupEnabled', 'g/DenyAll'],
    ['RouteTableEnabled', 'none'],
    ['Disabled', 'none'],
  ] as const)('policy %s: %s decides (PNSG-2)', (policy, expected) => {
    expect(askEndpoint(endpointWith(denyAll, policy), 'mi', sql)).toBe(expected);
  });

  it('never count in profile pe-2020 (PNSG-15)', () => {
    expect(askEndpoint(endpointWith(denyAll), 'mi', sql, behaviour('pe-2020'))).toBe('none');
  });

  it('outbound rules have no meaning (PNSG-3)', () => {
    const rules: RuleWords[] = [[100, 'Out', '*', '*', '*', '*', '*', 'Deny', 'DenyOut']];
    expect(askEndpoint(endpointWith(rules), 'mi', sql)).toBe('g/AllowVnetInBound');
  });

  it('source ports are read as any since general availability (PNSG-5)', () => {
    const rules: RuleWords[] = [[100, 'In', 'Tcp', '*', '1-2', '*', '1433', 'Deny', 'WrongPort']];
    expect(askEndpoint(endpointWith(rules), 'mi', sql)).toBe('g/WrongPort');
    expect(askEndpoint(endpointWith(rules), 'mi', sql, preview)).toBe('g/AllowVnetInBound');
  });

  it.each([
    // source ports, destination ports, access, source port and destination port of the packet, does the rule match
    ['10-12', '10-12', 'Allow', 11, 11, true],
    ['10-12', '10-12', 'Deny', 13, 11, false],
    ['10-12,13-14', '14-15,16-17', 'Allow', 10, 14, true],
    ['10-12,13-14', '14-15,16-17', 'Allow', 13, 14, false],
    ['10-12,13-14', '14-15,16-17', 'Allow', 10, 16, false],
    ['10-12,13-14', '120-130,140-150', 'Deny', 5000, 1433, true],
    ['10-12,13-14', '120-130', 'Deny', 5000, 125, true],
    ['10-12,13-14', '120-130', 'Deny', 11, 131, false],
    ['10-12', '120-130,140-150', 'Deny', 11, 9, true],
    ['10-12', '120-130,140-150', 'Deny', 13, 125, false],
  ] as const)(
    'preview: ports %s to %s, %s, meet a packet %i to %i: %s (PNSG-10)',
    (source, destination, access, srcPort, dstPort, matches) => {
      const rules: RuleWords[] = [[100, 'In', 'Tcp', '*', source, '*', destination, access, 'Rule']];
      const packet = `Tcp 10.0.0.4 ${srcPort} 10.0.1.5 ${dstPort}`;
      expect(askEndpoint(endpointWith(rules), 'mi', packet, preview) === 'g/Rule').toBe(matches);
    },
  );

  it('all ranges count outside the preview', () => {
    const rules: RuleWords[] = [[100, 'In', 'Tcp', '*', '*', '*', '80,1433', 'Deny', 'Rule']];
    expect(askEndpoint(endpointWith(rules), 'mi', sql)).toBe('g/Rule');
  });

  it("VirtualNetwork is that of the endpoint's own network (PNSG-13)", () => {
    const rules: RuleWords[] = [
      [100, 'In', '*', 'VirtualNetwork', '*', '*', '*', 'Deny', 'DenyVnet'],
      [200, 'In', 'Tcp', '*', '*', '*', '1433', 'Allow', 'AllowSql'],
    ];
    const closed: Partial<Words> = { peers: [['a', 'b', { a: { allowVirtualNetworkAccess: false } }]] };
    const fromB = 'Tcp 10.1.0.4 50000 10.0.1.5 1433';
    expect(askEndpoint(endpointWith(rules), 'mi', fromB)).toBe('g/DenyVnet');
    expect(askEndpoint(endpointWith(rules, 'Enabled', closed), 'mi', fromB)).toBe('g/AllowSql');
  });

  it('endpoints can be members of application security groups (NSG-25)', () => {
    const rules: RuleWords[] = [[100, 'In', 'Tcp', '*', '*', 'AsgPe', '*', 'Deny', 'ToGroup']];
    expect(askEndpoint(endpointWith(rules, 'Enabled', { asgs: { AsgPe: ['mi'] } }), 'mi', sql)).toBe('g/ToGroup');
    expect(askEndpoint(endpointWith(rules, 'Enabled', { asgs: { AsgPe: [] } }), 'mi', sql)).toBe('g/AllowVnetInBound');
  });
});

describe('rule sets', () => {
  it('are shared by NICs that see the same tags, and only by those', () => {
    const words = oneVm([], {
      subnets: {
        s: { vnet: 'v', cidr: '10.0.0.0/24' },
        t: { vnet: 'v', cidr: '10.0.1.0/24' },
        u: { vnet: 'v', cidr: '10.0.2.0/24', rt: 'rt' },
      },
      nics: {
        one: { subnet: 's', ip: '10.0.0.4', nsg: 'g' },
        two: { subnet: 't', ip: '10.0.1.4', nsg: 'g' },
        routed: { subnet: 'u', ip: '10.0.2.4', nsg: 'g' },
      },
      rts: { rt: [['192.0.2.0/24', 'None', null, 'r']] },
    });
    const { program, sideTable } = compile(words);
    const [one, two, routed] = ['one', 'two', 'routed'].map(
      (name) => program.attachments.inNicRules[sideTable.attachments.findIndex((info) => info?.name === name)],
    );
    expect(two).toBe(one);
    expect(routed).not.toBe(one);
    expect(program.ruleSets).toHaveLength(4);
    expect(sideTable.rules).toHaveLength(6);
  });

  it('1,000 rules with 4,000 prefixes each compile', () => {
    const prefixes = Array.from({ length: 4000 }, (_, i) => `20.${i >> 8}.${i & 0xff}.0/25`).join(',');
    const rules = Array.from({ length: 1000 }, (_, i): RuleWords => [
      100 + i,
      'In',
      'Tcp',
      prefixes,
      '*',
      '*',
      `${i + 1}`,
      'Allow',
      `rule-${i}`,
    ]);
    const compiled = compile(oneVm(rules));
    const ruleSet = compiled.program.attachments.inNicRules.find((set) => set >= 0)!;
    expect(decide(compiled, ruleSet, 'Tcp 20.15.159.127 1 10.0.0.4 1000')).toBe('g/rule-999');
    expect(decide(compiled, ruleSet, 'Tcp 20.15.159.128 1 10.0.0.4 1000')).toBe('g/DenyAllInBound');
  });

  it('1,000 rules over 4,000 different prefixes compile', () => {
    const rules = Array.from({ length: 1000 }, (_, i): RuleWords => {
      const sources = [0, 1, 2, 3].map((k) => `20.${i >> 8}.${i & 0xff}.${k * 64}/27`).join(',');
      return [100 + i, 'In', 'Tcp', sources, '*', '*', '*', 'Allow', `rule-${i}`];
    });
    expect(ask(oneVm(rules), 'vm', 'inNicRules', 'Tcp 20.3.231.223 1 10.0.0.4 1')).toBe('g/rule-999');
    expect(ask(oneVm(rules), 'vm', 'inNicRules', 'Tcp 20.3.231.224 1 10.0.0.4 1')).toBe('g/DenyAllInBound');
  });
});
