// The compiled program: attachments and their ids, delivery tables, endpoints, outbound methods, names.

import { describe, expect, it } from 'vitest';
import { checkProgram } from '../../../src/abi/program-check.ts';
import {
  ATTACHMENT,
  ATTACHMENT_TAP,
  ENDPOINT_PEERED_REFUSED,
  ENDPOINT_STATE,
  ENDPOINT_TAP,
  ENDPOINT_UDP,
  NIC_ALLOW_SMTP,
  NIC_DISABLE_SNAT_ON_PL,
  NIC_HAS_NSG,
  NIC_IP_FORWARDING,
  NIC_REQUIRE_SYN,
  OUTBOUND,
  OWNER,
} from '../../../src/abi/program.ts';
import { compileNetwork, createRegistry, type TapSelection } from '../../../src/control/compile/compile.ts';
import type { Compiled } from '../../../src/control/compile/compiled.ts';
import type { Behaviour } from '../../../src/control/model/profile.ts';
import { lookupRoute } from '../../../src/dataplane/lpm.ts';
import { formatIpv4, formatMac, parseIpv4 } from '../../../src/wire/index.ts';
import { behaviour, networkOf, type Words } from './networks.ts';

function compile(words: Words, how: Behaviour = behaviour(), taps: TapSelection = 'none'): Compiled {
  const compiled = compileNetwork(networkOf(words), how, { epoch: 1, registry: createRegistry(), taps });
  checkProgram(compiled.program);
  return compiled;
}

function attachment(compiled: Compiled, name: string, kind = 'nic'): number {
  const index = compiled.sideTable.attachments.findIndex((info) => info?.kind === kind && info.name === name);
  expect(index, `attachment ${kind} ${name}`).toBeGreaterThanOrEqual(0);
  return index;
}

/** Route row that packets of an attachment to an address take, as `prefix nextHopType target`. */
function route(compiled: Compiled, from: number, to: string): string {
  const { program, sideTable } = compiled;
  const row = lookupRoute(program.routeTables[program.attachments.routeTable[from]].trie, parseIpv4(to));
  return `${sideTable.routes[row].prefix} ${sideTable.routes[row].nextHopType} ${program.routes.target[row]}`;
}

function mac(compiled: Compiled, id: number): string {
  const { macHigh, macLow } = compiled.program.attachments;
  return formatMac(macHigh[id] * 2 ** 32 + (macLow[id] >>> 0));
}

/** Hub with appliance and gateway, two spokes, an endpoint. */
const hub: Words = {
  vnets: { hub: ['10.0.0.0/16'], spoke1: ['10.1.0.0/16'], spoke2: ['10.2.0.0/16'] },
  peers: [
    [
      'hub',
      'spoke1',
      { hub: { allowForwardedTraffic: true, allowGatewayTransit: true }, spoke1: { useRemoteGateways: true } },
    ],
    ['hub', 'spoke2', { hub: { allowForwardedTraffic: true }, spoke2: { allowForwardedTraffic: true } }],
  ],
  bgp: { hub: ['172.16.0.0/16'] },
  subnets: {
    fws: { vnet: 'hub', cidr: '10.0.3.0/24' },
    GatewaySubnet: { vnet: 'hub', cidr: '10.0.4.0/24', rt: 'gw' },
    s1: { vnet: 'spoke1', cidr: '10.1.1.0/24', rt: 'rt' },
    s2: { vnet: 'spoke2', cidr: '10.2.1.0/24', nsg: 'g' },
  },
  nics: {
    fw: { subnet: 'fws', ip: '10.0.3.4', ipfwd: true, secondary: '10.0.3.5' },
    one: { subnet: 's1', ip: '10.1.1.4' },
    two: { subnet: 's2', ip: '10.2.1.4' },
  },
  nsgs: { g: [] },
  rts: {
    rt: [
      ['10.2.0.0/16', 'VirtualAppliance', '10.0.3.5', 'to-spoke2'],
      ['10.3.0.0/16', 'VirtualAppliance', '10.2.1.4', 'not-peered'],
      ['10.4.0.0/16', 'VirtualAppliance', '10.0.3.99', 'nobody'],
      ['10.5.0.0/16', 'VirtualNetworkGateway', null, 'to-gateway'],
    ],
    gw: [['10.1.0.0/16', 'VirtualAppliance', '10.0.3.4', 'inspect']],
  },
  pes: { pe: { subnet: 's2', ip: '10.2.1.9', ports: ['443', '1000-2000'] } },
};

describe('attachments', () => {
  it('exist for the exits, each NIC, each provider side and each network', () => {
    const { sideTable } = compile(hub);
    expect(sideTable.attachments.map((info) => `${info?.kind} ${info?.name}`)).toEqual([
      'internet internet',
      'platform platform',
      'service service',
      'nic fw',
      'nic one',
      'nic two',
      'provider pe',
      'onPremises onprem',
      'onPremises onprem:spoke1',
      'onPremises onprem:spoke2',
    ]);
  });

  it('keep their ids while the object lives, and ids are never given out again', () => {
    const registry = createRegistry();
    const first = compileNetwork(networkOf(hub), behaviour(), { epoch: 1, registry });
    const { one: removed, ...rest } = hub.nics!;
    const without = compileNetwork(networkOf({ ...hub, nics: rest }), behaviour(), {
      epoch: 2,
      registry,
      previous: first,
    });
    checkProgram(without.program);
    const gone = attachment(first, 'one');
    expect(without.program.attachments.kind[gone]).toBe(ATTACHMENT.gone);
    expect(without.sideTable.attachments[gone]).toBeUndefined();
    expect(attachment(without, 'two')).toBe(attachment(first, 'two'));
    const again = { ...hub, nics: { one: removed, ...rest } };
    const back = compileNetwork(networkOf(again), behaviour(), { epoch: 3, registry, previous: without });
    expect(attachment(back, 'one')).toBe(first.sideTable.attachments.length);
    expect(back.program.attachments.kind[gone]).toBe(ATTACHMENT.gone);
  });

  it('know their flags', () => {
    const flagsOf = (more: NonNullable<Words['nics']>[string], how = behaviour()): number => {
      const compiled = compile({ ...hub, nics: { vm: more } }, how);
      return compiled.program.attachments.flags[attachment(compiled, 'vm')];
    };
    const plain = { subnet: 's1', ip: '10.1.1.4' };
    expect(flagsOf(plain)).toBe(0);
    expect(flagsOf({ ...plain, ipfwd: true })).toBe(NIC_IP_FORWARDING);
    expect(flagsOf({ ...plain, nsg: 'g' })).toBe(NIC_HAS_NSG);
    expect(flagsOf({ subnet: 's2', ip: '10.2.1.4' })).toBe(NIC_HAS_NSG);
    expect(flagsOf({ ...plain, tags: { disableSnatOnPL: 'true' } })).toBe(NIC_DISABLE_SNAT_ON_PL);
    expect(flagsOf({ ...plain, tags: { disablesnatonpl: 'true' } })).toBe(0);
    expect(flagsOf({ ...plain, properties: { allowPort25Out: true } })).toBe(NIC_ALLOW_SMTP);
    const strict = behaviour('ga-2026', { 'nsg.requireSyn': true });
    expect(flagsOf(plain, strict)).toBe(NIC_REQUIRE_SYN);
    expect(flagsOf({ ...plain, properties: { disableTcpStateTracking: true } }, strict)).toBe(0);
  });

  it('bear the MAC of the input, or one from the 00-0D-3A block that shows the address (NET-13)', () => {
    const compiled = compile({
      ...hub,
      nics: { ...hub.nics, one: { ...hub.nics!['one'], mac: '60-45-BD-A1-B0-E5' } },
    });
    expect(mac(compiled, attachment(compiled, 'one'))).toBe('60:45:bd:a1:b0:e5');
    expect(mac(compiled, attachment(compiled, 'two'))).toBe('00:0d:3a:02:01:04');
  });

  it('bear different MACs where address spaces overlap, and keep them when a neighbour goes (NET-12)', () => {
    const words: Words = {
      vnets: { a: ['10.0.0.0/16'], b: ['10.0.0.0/16'] },
      subnets: { as: { vnet: 'a', cidr: '10.0.0.0/24' }, bs: { vnet: 'b', cidr: '10.0.0.0/24' } },
      nics: { a1: { subnet: 'as', ip: '10.0.0.4' }, b1: { subnet: 'bs', ip: '10.0.0.4' } },
    };
    const registry = createRegistry();
    const first = compileNetwork(networkOf(words), behaviour(), { epoch: 1, registry });
    const all = first.sideTable.attachments.map((_, id) => mac(first, id));
    expect(new Set(all).size).toBe(all.length);
    const later = { ...words, nics: { b1: words.nics!['b1'] } };
    const second = compileNetwork(networkOf(later), behaviour(), { epoch: 2, registry, previous: first });
    expect(mac(second, attachment(second, 'b1'))).toBe(mac(first, attachment(first, 'b1')));
  });

  it('are tapped as asked: by name, by key, or all', () => {
    const tapped = (taps: TapSelection): string[] => {
      const { program, sideTable } = compile(hub, behaviour(), taps);
      const names = sideTable.attachments.filter(
        (info) => (program.attachments.flags[info!.attachment] & ATTACHMENT_TAP) !== 0,
      );
      const endpoints = sideTable.endpoints.filter((_, i) => (program.endpoints.flags[i] & ENDPOINT_TAP) !== 0);
      return [...names.map((info) => info!.name), ...endpoints.map((info) => `consumer side of ${info.name}`)];
    };
    expect(tapped('none')).toEqual([]);
    expect(tapped('all')).toHaveLength(11);
    const some = { attachments: new Set(['one', 'internet']), endpoints: new Set(['pe']) };
    expect(tapped(some)).toEqual(['internet', 'one', 'consumer side of pe']);
  });

  it('idle after the time of the network (NSG-33)', () => {
    const network = networkOf(hub);
    const virtualNetworks = network.virtualNetworks.map((vnet) => ({
      ...vnet,
      properties: { ...vnet.properties, ...(vnet.name === 'hub' ? { flowTimeoutInMinutes: 20 } : {}) },
    }));
    const options = { epoch: 1, registry: createRegistry() };
    const compiled = compileNetwork({ ...network, virtualNetworks }, behaviour(), options);
    const { idleMs } = compiled.program.attachments;
    expect(idleMs[attachment(compiled, 'fw')]).toBe(20 * 60_000);
    expect(idleMs[attachment(compiled, 'one')]).toBe(4 * 60_000);
  });
});

describe('routes in the program', () => {
  const compiled = compile(hub);
  const [fw, one, two] = ['fw', 'one', 'two'].map((name) => attachment(compiled, name)) as [number, number, number];
  const onPremises = attachment(compiled, 'onprem', 'onPremises');

  it.each([
    [one, '10.2.1.4', `10.2.0.0/16 VirtualAppliance ${fw}`, 'an appliance in a peered network, by a secondary address'],
    [one, '10.3.0.1', '10.3.0.0/16 VirtualAppliance -1', 'an appliance two peerings away (ROUTE-14)'],
    [one, '10.4.0.1', '10.4.0.0/16 VirtualAppliance -1', 'a next hop that nobody owns (ROUTE-30)'],
    [one, '10.5.0.1', `10.5.0.0/16 VirtualNetworkGateway ${onPremises}`, 'the VPN gateway of a peer (ROUTE-15)'],
    [one, '172.16.0.1', `172.16.0.0/16 VirtualNetworkGateway ${onPremises}`, 'a learned route of a peer (PEER-7)'],
    [one, '10.1.9.9', '10.1.0.0/16 VnetLocal 1', 'the own network'],
    [one, '10.0.9.9', '10.0.0.0/16 VNetPeering 0', 'a peered network'],
    [fw, '10.2.1.9', '10.2.1.9/32 InterfaceEndpoint 0', 'an endpoint in a peered network'],
    [two, '8.8.8.8', '0.0.0.0/0 Internet -1', 'the Internet'],
    [onPremises, '10.1.1.4', `10.1.0.0/16 VirtualAppliance ${fw}`, 'what enters by the gateway obeys GatewaySubnet'],
  ])('attachment %i to %s: %s (%s)', (from, to, expected) => {
    expect(route(compiled, from, to)).toBe(expected);
  });

  it('without a GatewaySubnet the on-premises side has the system routes', () => {
    const side = attachment(compiled, 'onprem:spoke2', 'onPremises');
    expect(route(compiled, side, '10.2.1.4')).toBe('10.2.0.0/16 VnetLocal 2');
    expect(route(compiled, side, '10.2.1.9')).toBe('10.2.1.9/32 InterfaceEndpoint 0');
  });

  it('a user-defined route to an ExpressRoute gateway leads nowhere, learned routes do (ROUTE-15)', () => {
    const express = compile({ ...hub, gatewayType: 'ExpressRoute' });
    const from = attachment(express, 'one');
    expect(route(express, from, '10.5.0.1')).toBe('10.5.0.0/16 VirtualNetworkGateway -1');
    expect(route(express, from, '172.16.0.1')).not.toMatch(/-1$/);
  });

  it('subnets with equal routes share a table; service endpoints bring a second trie (SEP-3)', () => {
    const words: Words = {
      vnets: { v: ['10.0.0.0/16'] },
      subnets: {
        a: { vnet: 'v', cidr: '10.0.0.0/24' },
        b: { vnet: 'v', cidr: '10.0.1.0/24' },
        c: { vnet: 'v', cidr: '10.0.2.0/24' },
      },
      se: { c: ['Microsoft.Sql', '192.0.2.0/24'] },
      nics: {
        an: { subnet: 'a', ip: '10.0.0.4' },
        bn: { subnet: 'b', ip: '10.0.1.4' },
        cn: { subnet: 'c', ip: '10.0.2.4' },
      },
    };
    const { program, sideTable } = compile(words);
    const tableOf = (name: string) =>
      program.attachments.routeTable[sideTable.attachments.findIndex((i) => i?.name === name)];
    expect(tableOf('bn')).toBe(tableOf('an'));
    expect(program.routeTables[tableOf('an')].trieWithoutServiceEndpoints).toHaveLength(0);
    const { trie, trieWithoutServiceEndpoints } = program.routeTables[tableOf('cn')];
    const hop = (table: Int32Array, to: string) => sideTable.routes[lookupRoute(table, parseIpv4(to))].nextHopType;
    for (const to of ['20.40.0.1', '192.0.2.1']) {
      expect(hop(trie, to)).toBe('VirtualNetworkServiceEndpoint');
      expect(hop(trieWithoutServiceEndpoints, to)).toBe('Internet');
    }
  });
});

describe('networks in the program', () => {
  it('all addresses of NICs and endpoints have owners', () => {
    const compiled = compile(hub);
    const { vnet, address, kind, ref } = compiled.program.owners;
    const rows = Array.from(vnet, (network, i) => `${network} ${formatIpv4(address[i])} ${kind[i]} ${ref[i]}`);
    expect(rows).toEqual([
      `0 10.0.3.4 ${OWNER.attachment} ${attachment(compiled, 'fw')}`,
      `0 10.0.3.5 ${OWNER.attachment} ${attachment(compiled, 'fw')}`,
      `1 10.1.1.4 ${OWNER.attachment} ${attachment(compiled, 'one')}`,
      `2 10.2.1.4 ${OWNER.attachment} ${attachment(compiled, 'two')}`,
      `2 10.2.1.9 ${OWNER.endpoint} 0`,
    ]);
  });

  it('forwarded traffic is accepted by the link of the receiving network (PEER-5)', () => {
    const { peerFrom, peerTo, peerForwarded } = compile(hub).program.vnets;
    const rows = Array.from(peerFrom, (from, i) => `${from} to ${peerTo[i]}: ${peerForwarded[i]}`);
    expect(rows.toSorted()).toEqual(['0 to 1: 0', '0 to 2: 1', '1 to 0: 1', '2 to 0: 1']);
  });

  it('configured DNS servers are listed while they bypass the groups (NSG-31)', () => {
    const words = { ...hub, dns: { spoke1: ['10.0.3.4', '168.63.129.16'] } };
    const { dnsVnet, dnsAddress } = compile(words).program.vnets;
    expect([[...dnsVnet], [...dnsAddress].map(formatIpv4)]).toEqual([[1], ['10.0.3.4']]);
    expect(compile(words, behaviour('ga-2026', { 'nsg.customDnsBypass': false })).program.vnets.dnsVnet).toHaveLength(
      0,
    );
  });
});

describe('private endpoints in the program', () => {
  it('have the ports and the address of the service behind them', () => {
    const compiled = compile(hub);
    const { endpoints } = compiled.program;
    expect([...endpoints.portStart]).toEqual([0, 2]);
    expect([...endpoints.portFirst]).toEqual([443, 1000]);
    expect([...endpoints.portLast]).toEqual([443, 2000]);
    expect(formatIpv4(endpoints.backendAddress[0])).toBe('10.255.0.10');
    expect(endpoints.provider[0]).toBe(attachment(compiled, 'pe', 'provider'));
    expect(compiled.sideTable.endpoints[0]).toMatchObject({ name: 'pe', vnet: 'spoke2', target: 'pe-target' });
  });

  it.each(['Pending', 'Approved', 'Rejected'] as const)('have the state %s of their connection (PE-20)', (state) => {
    const words = { ...hub, pes: { pe: { ...hub.pes!['pe'], state } } };
    expect(compile(words).program.endpoints.state[0]).toBe(ENDPOINT_STATE[state]);
  });

  it('carry UDP for Private Link services only, and live longer there (PLS-6, PLS-11)', () => {
    const flags = (words: Words, how?: Behaviour) => compile(words, how).program.endpoints.flags[0];
    const service = { ...hub, pes: { pe: { ...hub.pes!['pe'], type: 'Microsoft.Network/privateLinkServices' } } };
    expect(flags(hub)).toBe(0);
    expect(flags(service)).toBe(ENDPOINT_UDP);
    expect(compile(service).program.endpoints.idleMs[0]).toBe(300_000);
    expect(flags(hub, behaviour('interface-endpoint-2018'))).toBe(ENDPOINT_PEERED_REFUSED);
  });

  it('with one backend have provider sides of their own', () => {
    const words = { ...hub, pes: { ...hub.pes, pe2: { subnet: 's1', ip: '10.1.1.9', ports: ['443'] } } };
    const { provider } = compile(words).program.endpoints;
    expect(new Set(provider).size).toBe(2);
  });
});

describe('outbound methods (NET-17)', () => {
  function methodOf(subnet: object, nic: object, more: Partial<Words> = {}, how = behaviour()): string {
    const compiled = compile(
      {
        vnets: { v: ['10.0.0.0/16'] },
        subnets: { s: { vnet: 'v', cidr: '10.0.0.0/24', ...subnet } },
        nics: { vm: { subnet: 's', ip: '10.0.0.4', ...nic } },
        nats: { gateway: ['20.1.1.1', '20.1.1.2'] },
        ...more,
      },
      how,
    );
    const { attachments, natPools, publicIps } = compiled.program;
    const id = attachment(compiled, 'vm');
    const index = attachments.outboundIndex[id];
    switch (attachments.outbound[id]) {
      case OUTBOUND.none:
        return 'none';
      case OUTBOUND.publicIp:
        return `public IP ${formatIpv4(publicIps.address[index])} standard ${publicIps.standard[index]}`;
      default: {
        const addresses = natPools.address.slice(natPools.addressStart[index], natPools.addressStart[index + 1]);
        const name = natPools.kind[index] === OUTBOUND.natGateway ? 'NAT' : 'default';
        return [name, ...[...addresses].map(formatIpv4)].join(' ');
      }
    }
  }

  it.each([
    ['a NAT gateway before a public IP', { nat: 'gateway' }, { pip: '20.0.0.1' }, 'NAT 20.1.1.1 20.1.1.2'],
    [
      'a public IP before default access',
      { defaultOutboundAccess: true },
      { pip: '20.0.0.1' },
      'public IP 20.0.0.1 standard 1',
    ],
    ['nothing in a private subnet', { defaultOutboundAccess: false }, {}, 'none'],
    [
      "nothing where Azure's null meets a NIC that reports none",
      {},
      { properties: { defaultOutboundConnectivityEnabled: false } },
      'none',
    ],
  ])('%s', (_what, subnet, nic, expected) => {
    expect(methodOf(subnet, nic)).toBe(expected);
  });

  it.each([{ defaultOutboundAccess: true }, {}])(
    'default access otherwise, from a Microsoft address (NET-16)',
    (subnet) => {
      expect(methodOf(subnet, {})).toMatch(/^default 20\.200\.\d+\.\d+$/);
    },
  );

  it('a Basic public IP is marked as such (NET-18)', () => {
    expect(methodOf({}, { pip: '20.0.0.1' }, { basicIps: ['20.0.0.1'] })).toBe('public IP 20.0.0.1 standard 0');
  });

  it('a NAT gateway without an address carries nothing', () => {
    expect(methodOf({ nat: 'gateway' }, { pip: '20.0.0.1' }, { nats: { gateway: [] } })).toBe('none');
  });

  it('a pool keeps its index while connections may remember it; one that went is empty', () => {
    const words: Words = {
      vnets: { v: ['10.0.0.0/16'], w: ['10.1.0.0/16'] },
      subnets: { s: { vnet: 'v', cidr: '10.0.0.0/24', nat: 'first' }, t: { vnet: 'w', cidr: '10.1.0.0/24' } },
      nics: { a: { subnet: 's', ip: '10.0.0.4' }, b: { subnet: 't', ip: '10.1.0.4' } },
      nats: { first: ['20.1.1.1'] },
    };
    const registry = createRegistry();
    const before = compileNetwork(networkOf(words), behaviour(), { epoch: 1, registry });
    const { a: _removed, ...nics } = words.nics!;
    const options = { epoch: 2, registry, previous: before };
    const after = compileNetwork(networkOf({ ...words, nics }), behaviour(), options);
    checkProgram(after.program);
    const { natPools } = after.program;
    expect(after.program.attachments.outboundIndex[attachment(after, 'b')]).toBe(1);
    expect([...natPools.addressStart]).toEqual([0, 0, 1]);
    expect(natPools.address[0]).toBe(before.program.natPools.address[1]);
    expect(after.sideTable.natPools.map((pool) => pool.name)).toEqual(['first', 'default outbound of w']);
    const third = compileNetwork(networkOf(words), behaviour(), { epoch: 3, registry, previous: after });
    expect(third.program.attachments.outboundIndex[attachment(third, 'a')]).toBe(0);
    expect(formatIpv4(third.program.natPools.address[0])).toBe('20.1.1.1');
  });

  it('two networks never share a default address', () => {
    const words: Words = {
      vnets: { v: ['10.0.0.0/16'], w: ['10.0.0.0/16'] },
      subnets: { s: { vnet: 'v', cidr: '10.0.0.0/24' }, t: { vnet: 'w', cidr: '10.0.0.0/24' } },
      nics: {
        a: { subnet: 's', ip: '10.0.0.4' },
        b: { subnet: 't', ip: '10.0.0.4' },
        c: { subnet: 's', ip: '10.0.0.5' },
      },
    };
    const { natPools, attachments } = compile(words).program;
    expect(new Set(natPools.address).size).toBe(2);
    expect([...attachments.outboundIndex].filter((index) => index >= 0)).toEqual([0, 1, 0]);
  });
});

describe('inputs with loose ends', () => {
  it('references to absent objects count as none', () => {
    const network = networkOf({ ...hub, nsgs: {}, rts: {} });
    const { program } = compileNetwork({ ...network, privateLinkResources: [] }, behaviour(), {
      epoch: 1,
      registry: createRegistry(),
    });
    checkProgram(program);
    expect(program.ruleSets).toHaveLength(0);
    expect([...program.endpoints.portStart]).toEqual([0, 0]);
  });

  it('a NIC whose subnet is unknown has no attachment', () => {
    const network = networkOf(hub);
    const { sideTable } = compileNetwork({ ...network, virtualNetworks: [] }, behaviour(), {
      epoch: 1,
      registry: createRegistry(),
    });
    expect(sideTable.attachments.map((info) => info?.kind)).toEqual(['internet', 'platform', 'service']);
  });
});
