// Effective routes against the published tables and examples. A line is one row as tools print it:
// source, state, prefix, next-hop type, next-hop address.

import { describe, expect, it } from 'vitest';
import type { RouteInfo } from '../../../src/control/compile/compiled.ts';
import {
  effectiveRoutes,
  effectiveRoutesJson,
  selectRoute,
  userRouteRank,
} from '../../../src/control/compile/effective-routes.ts';
import type { Behaviour } from '../../../src/control/model/profile.ts';
import { parseIpv4 } from '../../../src/wire/index.ts';
import { behaviour, networkOf, subnetId, type Words } from './networks.ts';

const GA = behaviour();

function table(
  words: Words,
  subnet: string,
  state: 'Active' | 'Invalid' | 'all' = 'all',
  how: Behaviour = GA,
): string[] {
  return effectiveRoutes(networkOf(words), how, subnetId(words, subnet))
    .filter((row) => state === 'all' || row.state === state)
    .map((row) => [row.source, row.state, row.prefix, row.nextHopType, row.nextHopIpAddress ?? ''].join(' ').trim());
}

function hop(words: Words, subnet: string, address: string, tcp = true, how: Behaviour = GA): string {
  const rows = effectiveRoutes(networkOf(words), how, subnetId(words, subnet));
  const row = selectRoute(rows, parseIpv4(address), { tcp });
  return row === undefined ? 'nothing' : `${row.prefix} ${row.source} ${row.nextHopType}`;
}

const NVA = '10.0.100.4';

/** The routing example of the vendor's user-defined routes article (ROUTE-49, ROUTE-50). */
const routingExample: Words = {
  vnets: { vnet1: ['10.0.0.0/16'], vnet2: ['10.1.0.0/16', '10.2.0.0/16'] },
  peers: [['vnet1', 'vnet2', {}]],
  bgp: { vnet1: ['10.10.0.0/16'] },
  subnets: {
    Subnet1: { vnet: 'vnet1', cidr: '10.0.0.0/24', rt: 'RT1' },
    Subnet2: { vnet: 'vnet1', cidr: '10.0.1.0/24' },
  },
  se: { Subnet1: ['Microsoft.Storage'] },
  rts: {
    RT1: [
      ['10.0.0.0/16', 'VirtualAppliance', NVA, 'Within-VNet1'],
      ['10.0.0.0/24', 'VnetLocal', null, 'Within-Subnet1'],
      ['10.1.0.0/16', 'None', null, 'ToVNet2-1-Drop'],
      ['10.2.0.0/16', 'None', null, 'ToVNet2-2-Drop'],
      ['10.10.0.0/16', 'VirtualAppliance', NVA, 'To-On-Prem'],
      ['0.0.0.0/0', 'VirtualAppliance', NVA, 'Default-NVA'],
    ],
  },
};

/** One network and one route table, for single rules. */
function oneSubnet(routes: NonNullable<Words['rts']>[string], more: Partial<Words> = {}): Words {
  return {
    vnets: { v: ['10.0.0.0/16'] },
    subnets: { s: { vnet: 'v', cidr: '10.0.0.0/24', rt: 'rt' } },
    rts: { rt: routes },
    ...more,
  };
}

describe('the published routing example', () => {
  it('Subnet1 follows its user-defined routes; their system twins are Invalid (ROUTE-49)', () => {
    const y2023 = behaviour('preview-2022');
    expect(table(routingExample, 'Subnet1', 'Active', y2023).toSorted()).toEqual(
      [
        `User Active 10.0.0.0/16 VirtualAppliance ${NVA}`,
        'User Active 10.0.0.0/24 VnetLocal',
        'User Active 10.1.0.0/16 None',
        'User Active 10.2.0.0/16 None',
        `User Active 10.10.0.0/16 VirtualAppliance ${NVA}`,
        'Default Active 20.60.0.0/16 VirtualNetworkServiceEndpoint',
        `User Active 0.0.0.0/0 VirtualAppliance ${NVA}`,
      ].toSorted(),
    );
    expect(table(routingExample, 'Subnet1', 'Invalid').toSorted()).toEqual(
      [
        'Default Invalid 10.0.0.0/16 VnetLocal',
        'Default Invalid 10.1.0.0/16 VNetPeering',
        'Default Invalid 10.2.0.0/16 VNetPeering',
        'VirtualNetworkGateway Invalid 10.10.0.0/16 VirtualNetworkGateway 10.0.255.4',
        'Default Invalid 0.0.0.0/0 Internet',
      ].toSorted(),
    );
  });

  it('Subnet2 has the system routes alone (ROUTE-50)', () => {
    expect(table(routingExample, 'Subnet2', 'all', behaviour('preview-2022'))).toEqual([
      'Default Active 10.0.0.0/16 VnetLocal',
      'Default Active 10.1.0.0/16 VNetPeering',
      'Default Active 10.2.0.0/16 VNetPeering',
      'VirtualNetworkGateway Active 10.10.0.0/16 VirtualNetworkGateway 10.0.255.4',
      'Default Active 10.0.0.0/8 None',
      'Default Active 172.16.0.0/12 None',
      'Default Active 192.168.0.0/16 None',
      'Default Active 100.64.0.0/10 None',
      'Default Active 0.0.0.0/0 Internet',
    ]);
  });

  it.each([
    ['10.0.0.5', '10.0.0.0/24 User VnetLocal'],
    ['10.0.1.5', '10.0.0.0/16 User VirtualAppliance'],
    ['10.2.0.4', '10.2.0.0/16 User None'],
    ['10.10.1.1', '10.10.0.0/16 User VirtualAppliance'],
    ['192.168.5.5', '0.0.0.0/0 User VirtualAppliance'],
    ['20.60.1.1', '20.60.0.0/16 Default VirtualNetworkServiceEndpoint'],
  ])('Subnet1 sends %s by %s', (address, expected) => {
    expect(hop(routingExample, 'Subnet1', address)).toBe(expected);
  });
});

describe('None routes', () => {
  const none = (words: Words, how: Behaviour = GA): string[] =>
    table(words, 's', 'Active', how)
      .filter((row) => row.endsWith('None'))
      .map((row) => row.split(' ')[2]);
  const FOUR = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'];
  const EXTRA = ['157.59.0.0/16', '127.0.0.0/8', '104.147.0.0/16', '104.146.0.0/17'];

  it('number eight since 2026 and four before (ROUTE-4)', () => {
    expect(none(oneSubnet([]))).toEqual([...FOUR, ...EXTRA]);
    expect(none(oneSubnet([]), behaviour('preview-2022'))).toEqual(FOUR);
  });

  it.each([
    ['equals', '10.0.0.0/8', FOUR.slice(1)],
    ['contains', '172.0.0.0/8', ['10.0.0.0/8', '192.168.0.0/16', '100.64.0.0/10']],
    ['lies inside', '10.9.0.0/16', FOUR],
  ])('a range that %s a reserved prefix (%s) leaves the right ones (ROUTE-5)', (_how, range, left) => {
    const words = oneSubnet([], { vnets: { v: [range] } });
    expect(none(words, behaviour('preview-2022'))).toEqual(left);
  });

  it('a destination inside 10.0.0.0/8 but outside the network is dropped, not sent to the Internet (ROUTE-5)', () => {
    expect(hop(oneSubnet([]), 's', '10.9.9.9')).toBe('10.0.0.0/8 Default None');
  });

  it.each([
    ['VirtualAppliance', '10.0.0.9', EXTRA],
    ['VirtualNetworkGateway', null, EXTRA],
    ['Internet', null, [...FOUR, ...EXTRA]],
    ['None', null, ['0.0.0.0/0', ...FOUR, ...EXTRA]],
  ] as const)(
    'a user-defined default route to %s leaves the right ones (ROUTE-6, Q-18, Q-19)',
    (type, address, left) => {
      const words = oneSubnet([['0.0.0.0/0', type, address, 'default']]);
      expect(new Set(none(words))).toEqual(new Set<string>(left));
    },
  );

  it('a learned default route removes the private ones, unless a user-defined one overrides it (ROUTE-6)', () => {
    expect(none(oneSubnet([], { bgp: { v: ['0.0.0.0/0'] } }))).toEqual(EXTRA);
    const overridden = oneSubnet([['0.0.0.0/0', 'Internet', null, 'direct']], { bgp: { v: ['0.0.0.0/0'] } });
    expect(none(overridden)).toEqual([...FOUR, ...EXTRA]);
  });
});

describe('preference among routes', () => {
  it('user-defined before learned before system for one prefix (ROUTE-22, ROUTE-25)', () => {
    const words = oneSubnet([['172.20.0.0/16', 'None', null, 'drop']], { bgp: { v: ['172.20.0.0/16', '0.0.0.0/0'] } });
    expect(table(words, 's').filter((row) => / (172\.20|0\.0)/.test(row))).toEqual([
      'VirtualNetworkGateway Invalid 172.20.0.0/16 VirtualNetworkGateway 10.0.255.4',
      'VirtualNetworkGateway Active 0.0.0.0/0 VirtualNetworkGateway 10.0.255.4',
      'Default Invalid 0.0.0.0/0 Internet',
      'User Active 172.20.0.0/16 None',
    ]);
  });

  it('a longer learned route gives way to the network, its peers and service endpoints (ROUTE-23)', () => {
    const words: Words = {
      ...routingExample,
      subnets: { ...routingExample.subnets, Subnet1: { vnet: 'vnet1', cidr: '10.0.0.0/24' } },
      bgp: { vnet1: ['10.0.100.0/25', '10.1.0.0/24', '20.60.7.0/24'] },
    };
    expect(hop(words, 'Subnet1', '10.0.100.4')).toBe('10.0.0.0/16 Default VnetLocal');
    expect(hop(words, 'Subnet1', '10.1.0.4')).toBe('10.1.0.0/16 Default VNetPeering');
    expect(hop(words, 'Subnet1', '20.60.7.1')).toBe('20.60.0.0/16 Default VirtualNetworkServiceEndpoint');
  });

  it('a longer learned route wins over the None route around it', () => {
    const words = oneSubnet([], { bgp: { v: ['10.10.0.0/16'] } });
    expect(hop(words, 's', '10.10.1.1')).toBe('10.10.0.0/16 VirtualNetworkGateway VirtualNetworkGateway');
  });

  it('where a user-defined route stands in for the network, a longer learned route wins by length (ROUTE-21)', () => {
    const words = oneSubnet([['10.0.0.0/16', 'VirtualAppliance', '10.0.0.9', 'all']], { bgp: { v: ['10.0.7.0/24'] } });
    expect(hop(words, 's', '10.0.7.1')).toBe('10.0.7.0/24 VirtualNetworkGateway VirtualNetworkGateway');
  });

  it.each(['20.60.0.0/16', '20.60.7.0/24', '0.0.0.0/0'])(
    'a user-defined route for %s does not override a service endpoint, for TCP (ROUTE-24, Q-12, SEP-3)',
    (prefix) => {
      const words = oneSubnet([[prefix, 'None', null, 'drop']], { se: { s: ['Microsoft.Storage'] } });
      expect(hop(words, 's', '20.60.7.1')).toBe('20.60.0.0/16 Default VirtualNetworkServiceEndpoint');
      expect(hop(words, 's', '20.60.7.1', false)).toBe(`${prefix} User None`);
    },
  );

  it('service endpoints count in their own subnet only (SEP-1, SEP-4)', () => {
    expect(hop(routingExample, 'Subnet2', '20.60.1.1')).toBe('0.0.0.0/0 Default Internet');
  });

  it('explicit prefix, regional tag, tag, regional AzureCloud, AzureCloud (ROUTE-17, ROUTE-18)', () => {
    const written = ['AzureCloud', 'AzureCloud.canadacentral', 'Storage', 'Storage.EastUS', '20.60.0.0/16'];
    expect(written.toSorted((a, b) => userRouteRank(a) - userRouteRank(b))).toEqual(written.toReversed());
  });

  it('of several user-defined routes for one prefix the explicit one is Active', () => {
    const words = oneSubnet([
      ['Storage', 'None', null, 'by-tag'],
      ['20.60.0.0/16', 'Internet', null, 'explicit'],
    ]);
    expect(table(words, 's').filter((row) => row.includes('20.60'))).toEqual([
      'User Active 20.60.0.0/16 Internet',
      'User Invalid 20.60.0.0/16 None',
    ]);
  });
});

describe('peerings and gateways', () => {
  const hubAndSpoke = (spokeLink: object, hubLink: object): Words => ({
    vnets: { hub: ['10.0.0.0/16'], spoke: ['10.1.0.0/16'], far: ['10.2.0.0/16'] },
    subnets: { s: { vnet: 'spoke', cidr: '10.1.0.0/24', rt: 'rt' } },
    rts: { rt: [] },
    peers: [
      ['hub', 'spoke', { spoke: spokeLink, hub: hubLink }],
      ['hub', 'far', {}],
    ],
    bgp: { hub: ['172.16.0.0/16'] },
  });
  const learned = 'VirtualNetworkGateway Active 172.16.0.0/16 VirtualNetworkGateway 10.0.255.4';

  it('peerings are not transitive (ROUTE-8, PEER-3)', () => {
    const rows = table(hubAndSpoke({}, {}), 's').filter((row) => row.includes('Peering'));
    expect(rows).toEqual(['Default Active 10.0.0.0/16 VNetPeering']);
  });

  it.each(['Initiated', 'Disconnected'] as const)(
    'a link that is %s on either side gives no route (PEER-1)',
    (state) => {
      for (const words of [hubAndSpoke({ peeringState: state }, {}), hubAndSpoke({}, { peeringState: state })]) {
        expect(table(words, 's').some((row) => row.includes('Peering'))).toBe(false);
      }
    },
  );

  it('networks in two regions are peered globally (ROUTE-8, ROUTE-48)', () => {
    const words = { ...hubAndSpoke({}, {}), locations: { hub: 'West Europe', spoke: 'eastus', far: 'westeurope' } };
    expect(table(words, 's')).toContain('Default Active 10.0.0.0/16 VNetGlobalPeering');
    const same = { ...words, locations: { hub: 'East US', spoke: 'eastus', far: 'westeurope' } };
    expect(table(same, 's')).toContain('Default Active 10.0.0.0/16 VNetPeering');
  });

  it('a spoke learns from the hub only when it uses the gateway and the hub lends it (PEER-7)', () => {
    expect(table(hubAndSpoke({ useRemoteGateways: true }, { allowGatewayTransit: true }), 's')).toContain(learned);
    expect(table(hubAndSpoke({ useRemoteGateways: true }, {}), 's')).not.toContain(learned);
    expect(table(hubAndSpoke({}, { allowGatewayTransit: true }), 's')).not.toContain(learned);
  });

  it('disableBgpRoutePropagation removes learned routes (ROUTE-19)', () => {
    const words = hubAndSpoke({ useRemoteGateways: true }, { allowGatewayTransit: true });
    expect(table({ ...words, noPropagation: ['rt'] }, 's')).not.toContain(learned);
  });
});

describe("a private endpoint's /32", () => {
  /** Lab plink_udr: network 192.168.0.0/16, endpoints in 192.168.2.0/24. */
  function lab(
    routes: NonNullable<Words['rts']>[string],
    pePolicy: Words['subnets'][string]['pePolicy'] = 'Enabled',
  ): Words {
    return {
      vnets: { v: ['192.168.0.0/16', '10.5.0.0/24'] },
      subnets: {
        vm: { vnet: 'v', cidr: '192.168.1.0/24', rt: 'vmrt' },
        other: { vnet: 'v', cidr: '192.168.3.0/24' },
        sql: { vnet: 'v', cidr: '192.168.2.0/24', ...(pePolicy === undefined ? {} : { pePolicy }) },
      },
      rts: { vmrt: routes },
      pes: { sqlpe: { subnet: 'sql', ip: '192.168.2.4', ports: ['1433'] } },
    };
  }
  const toFirewall = (prefix: string): NonNullable<Words['rts']>[string] => [
    [prefix, 'VirtualAppliance', '192.168.16.4', 'fw'],
  ];
  const direct = '192.168.2.4/32 Default InterfaceEndpoint';

  it.each([
    // policy, prefix of the user-defined route, what carries 192.168.2.4, rule
    ['Enabled', '192.168.2.4/32', '192.168.2.4/32 User VirtualAppliance', 'ROUTE-38'],
    ['Enabled', '192.168.2.0/24', '192.168.2.0/24 User VirtualAppliance', 'ROUTE-39'],
    ['Enabled', '192.168.0.0/16', '192.168.0.0/16 User VirtualAppliance', 'ROUTE-39'],
    ['Enabled', '192.168.0.0/15', direct, 'ROUTE-40'],
    ['Enabled', '0.0.0.0/0', direct, 'ROUTE-40'],
    ['Enabled', '192.168.3.0/24', direct, 'ROUTE-39: the route does not contain it'],
    ['RouteTableEnabled', '192.168.2.0/24', '192.168.2.0/24 User VirtualAppliance', 'ROUTE-39'],
    ['NetworkSecurityGroupEnabled', '192.168.2.0/24', direct, 'ROUTE-41'],
    ['Disabled', '192.168.2.0/24', direct, 'ROUTE-41'],
    ['Disabled', '192.168.2.4/32', '192.168.2.4/32 User VirtualAppliance', 'ROUTE-38'],
  ] as const)('policy %s, route for %s: %s (%s)', (policy, prefix, expected, _rule) => {
    expect(hop(lab(toFirewall(prefix), policy), 'vm', '192.168.2.4')).toBe(expected);
  });

  it('is shown as Invalid when overridden, per source subnet (ROUTE-25, ROUTE-43)', () => {
    const words = lab(toFirewall('192.168.2.0/24'));
    expect(table(words, 'vm')).toContain('Default Invalid 192.168.2.4/32 InterfaceEndpoint');
    expect(table(words, 'other')).toContain('Default Active 192.168.2.4/32 InterfaceEndpoint');
  });

  it('is never overridden by shorter routes before 2022 (profile pe-2020)', () => {
    const how = behaviour('pe-2020');
    expect(hop(lab(toFirewall('192.168.2.0/24')), 'vm', '192.168.2.4', true, how)).toBe(direct);
    expect(hop(lab(toFirewall('192.168.2.4/32')), 'vm', '192.168.2.4', true, how)).not.toBe(direct);
  });

  it('is known in its network and in directly peered ones, not two peerings away (ROUTE-37)', () => {
    const words: Words = {
      vnets: { a: ['10.0.0.0/16'], b: ['10.1.0.0/16'], c: ['10.2.0.0/16'] },
      peers: [
        ['a', 'b', {}],
        ['b', 'c', {}],
      ],
      subnets: {
        as: { vnet: 'a', cidr: '10.0.0.0/24' },
        GatewaySubnet: { vnet: 'b', cidr: '10.1.0.0/24' },
        cs: { vnet: 'c', cidr: '10.2.0.0/24' },
      },
      pes: { pe: { subnet: 'as', ip: '10.0.0.9', ports: ['443'], state: 'Pending' } },
    };
    const row = 'Default Active 10.0.0.9/32 InterfaceEndpoint';
    expect(table(words, 'as')).toContain(row);
    expect(table(words, 'GatewaySubnet')).toContain(row);
    expect(table(words, 'cs')).not.toContain(row);
  });

  it('stays when the peering link denies access (Q-16)', () => {
    const words: Words = {
      vnets: { a: ['10.0.0.0/16'], b: ['10.1.0.0/16'] },
      peers: [['a', 'b', { a: { allowVirtualNetworkAccess: false }, b: { allowVirtualNetworkAccess: false } }]],
      subnets: { as: { vnet: 'a', cidr: '10.0.0.0/24' }, bs: { vnet: 'b', cidr: '10.1.0.0/24' } },
      pes: { pe: { subnet: 'as', ip: '10.0.0.9', ports: ['443'] } },
    };
    expect(table(words, 'bs')).toContain('Default Active 10.0.0.9/32 InterfaceEndpoint');
  });
});

describe('selection among given routes', () => {
  it('needs no states', () => {
    const given = [
      ['10.0.0.0/16', 'Default', 'VnetLocal'],
      ['10.0.0.0/24', 'VirtualNetworkGateway', 'VirtualNetworkGateway'],
      ['0.0.0.0/0', 'Default', 'Internet'],
    ] as const;
    const rows = given.map(([prefix, source, nextHopType]): RouteInfo => ({
      name: null,
      source,
      state: 'Active',
      prefix,
      nextHopType,
    }));
    expect(selectRoute(rows, parseIpv4('10.0.0.4'), { tcp: true })?.source).toBe('Default');
    expect(selectRoute(rows, parseIpv4('8.8.8.8'), { tcp: true })?.prefix).toBe('0.0.0.0/0');
  });
});

describe("effective routes in Azure's JSON shape (DIAG-10)", () => {
  it('have arrays for prefixes and next-hop addresses, and the name of user-defined routes', () => {
    const words = oneSubnet([['0.0.0.0/0', 'VirtualAppliance', '10.0.0.9', 'default']], { noPropagation: ['rt'] });
    const { value } = effectiveRoutesJson(networkOf(words), GA, subnetId(words, 's'));
    expect(value[0]).toEqual({
      name: null,
      disableBgpRoutePropagation: true,
      source: 'Default',
      state: 'Active',
      addressPrefix: ['10.0.0.0/16'],
      nextHopIpAddress: [],
      nextHopType: 'VnetLocal',
    });
    expect(value.at(-1)).toMatchObject({ name: 'default', source: 'User', nextHopIpAddress: ['10.0.0.9'] });
  });
});
