// Random networks and random traffic for property tests: two to four virtual networks whose address spaces may
// overlap, peerings, rules, routes, endpoints, public addresses; and packets between everybody, with the replies a
// receiver would send. One network has a load balancer, and a Private Link service that the
// endpoint of another leads to.

import fc from 'fast-check';
import type { RouteWords, RuleWords, Words } from '../control/compile/networks.ts';
import type { BalancedWords } from '../dataplane/balanced-networks.ts';

const SPACES = ['10.0.0.0/16', '10.0.0.0/16', '10.1.0.0/16', '10.2.0.0/16'] as const;

function base(space: string): string {
  return space.split('.').slice(0, 2).join('.');
}

const rule = (direction: 'In' | 'Out', priority: number): fc.Arbitrary<RuleWords> =>
  fc
    .record({
      protocol: fc.constantFrom('Tcp', 'Udp', 'Icmp', '*'),
      source: fc.constantFrom('*', 'VirtualNetwork', 'Internet', '10.0.0.0/24', '10.1.0.0/16', '10.0.0.4,10.1.0.4'),
      destination: fc.constantFrom('*', 'VirtualNetwork', '10.0.0.0/16', '10.1.1.0/24', '10.0.1.4'),
      port: fc.constantFrom('*', '80', '1433', '50000-50010', '80,1433'),
      access: fc.constantFrom('Allow', 'Allow', 'Deny'),
    })
    .map(({ protocol, source, destination, port, access }) => [
      priority,
      direction,
      protocol as RuleWords[2],
      source,
      '*',
      destination,
      port,
      access,
      `r${priority}${direction}`,
    ]);

const rules: fc.Arbitrary<readonly RuleWords[]> = fc
  .array(fc.constantFrom('In' as const, 'Out' as const), { maxLength: 4 })
  .chain((directions) => fc.tuple(...directions.map((direction, i) => rule(direction, 100 + i))));

const route = (index: number): fc.Arbitrary<RouteWords> =>
  fc
    .record({
      prefix: fc.constantFrom('0.0.0.0/0', '10.1.0.0/16', '10.0.1.4/32', '10.0.1.0/24', '10.2.0.0/15'),
      hop: fc.constantFrom('VirtualAppliance', 'Internet', 'None', 'VnetLocal'),
    })
    .map(({ prefix, hop }) => [
      prefix,
      hop as RouteWords[1],
      hop === 'VirtualAppliance' ? '10.0.0.5' : null,
      `u${index}`,
    ]);

const routes: fc.Arbitrary<readonly RouteWords[]> = fc
  .integer({ min: 0, max: 3 })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, i) => route(i))))
  .map((list) => list.filter((r, i) => list.findIndex((other) => other[0] === r[0]) === i));

/** A random network in the words of the compile tests. Network 0 and 1 have the same address space. */
export const networks: fc.Arbitrary<BalancedWords> = fc
  .record({
    count: fc.integer({ min: 2, max: 4 }),
    groups: fc.tuple(rules, rules, rules),
    table: routes,
    tabled: fc.boolean(),
    forwards: fc.boolean(),
    policies: fc.constantFrom('Disabled', 'Enabled', 'NetworkSecurityGroupEnabled', 'RouteTableEnabled'),
    state: fc.constantFrom('Approved', 'Approved', 'Approved', 'Pending', 'Rejected'),
    peerings: fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 2, max: 3 }), fc.boolean()), {
      maxLength: 3,
    }),
    flush: fc.boolean(),
    balance: fc.record({
      down: fc.constantFrom([], ['lb/n0b/10.0.0.5'], ['lb/n0a/10.0.0.4', 'lb/n0b/10.0.0.5']),
      distribution: fc.constantFrom('Default' as const, 'SourceIP' as const, 'SourceIPProtocol' as const),
      isPublic: fc.boolean(),
      minutes: fc.constantFrom(4, 10),
    }),
  })
  .map(({ count, groups, table, tabled, forwards, policies, state, peerings, flush, balance }) => {
    const words: Required<
      Pick<Words, 'vnets' | 'subnets' | 'nics' | 'nsgs' | 'rts' | 'pes' | 'peers' | 'nats' | 'flush'>
    > = {
      vnets: {},
      subnets: {},
      nics: {},
      nsgs: { g0: groups[0], g1: groups[1], g2: groups[2] },
      rts: { t: table },
      pes: {},
      peers: peerings
        .filter(([a, b]) => a < count && b < count && a !== b)
        .filter(([a, b], i, all) => all.findIndex(([c, d]) => (c === a && d === b) || (c === b && d === a)) === i)
        .map(([a, b, forwarded]) => [
          `v${a}`,
          `v${b}`,
          { [`v${a}`]: { allowForwardedTraffic: forwarded }, [`v${b}`]: { allowForwardedTraffic: forwarded } },
        ]),
      nats: { gateway: ['20.9.9.9'] },
      flush: flush ? ['g0'] : [],
    };
    for (let v = 0; v < count; v++) {
      const net = base(SPACES[v]);
      words.vnets[`v${v}`] = [SPACES[v]];
      words.subnets[`s${v}`] = {
        vnet: `v${v}`,
        cidr: `${net}.0.0/24`,
        nsg: `g${v % 3}`,
        defaultOutboundAccess: v === 2,
        ...(tabled && v < 2 ? { rt: 't' } : {}),
        ...(v === 1 ? { nat: 'gateway' } : {}),
      };
      words.subnets[`p${v}`] = { vnet: `v${v}`, cidr: `${net}.1.0/24`, nsg: 'g2', pePolicy: policies };
      words.nics[`n${v}a`] = { subnet: `s${v}`, ip: `${net}.0.4`, ...(v === 0 ? { pip: '20.0.0.1' } : {}) };
      words.nics[`n${v}b`] = { subnet: `s${v}`, ip: `${net}.0.5`, ipfwd: forwards };
      words.pes[`e${v}`] = { subnet: `p${v}`, ip: `${net}.1.4`, ports: ['1433'], state: state };
    }
    return { ...words, ...balanced(balance) };
  });

interface Balance {
  readonly down: readonly string[];
  readonly distribution: 'Default' | 'SourceIP' | 'SourceIPProtocol';
  readonly isPublic: boolean;
  readonly minutes: number;
}

// Backend ports are none that traffic is sent to: a tuple that is balanced and direct at once would be two connections.
function balanced({ down, distribution, isPublic, minutes }: Balance): Partial<BalancedWords> {
  const rule = { loadDistribution: distribution, idleTimeoutInMinutes: minutes, disableOutboundSnat: false };
  const rules = [
    { ...rule, frontendPort: 1433, backendPort: 8433 },
    { ...rule, frontendPort: 80, backendPort: 8080 },
    { ...rule, protocol: 'Udp' as const, frontendPort: 1433, backendPort: 8433 },
  ];
  const members = ['n0a', 'n0b'];
  return {
    balancers: {
      lb: { subnet: 's0', frontend: '10.0.0.100', members, rules },
      ...(isPublic && {
        pub: { frontend: '20.0.7.7', members, rules: [{ ...rule, frontendPort: 80, backendPort: 8081 }] },
      }),
    },
    services: { svc: { balancer: 'lb', subnet: 's0', nat: ['10.0.0.200'], endpoints: ['e1'] } },
    down,
  };
}

/** One act of random traffic. Indices are taken modulo what there is. */
export type Act =
  | {
      readonly kind: 'packet';
      readonly from: number;
      readonly to: number;
      readonly protocol: 'tcp' | 'udp' | 'icmp';
      readonly srcPort: number;
      readonly dstPort: number;
      readonly flags: number;
      readonly payload: number;
      readonly spoof: boolean;
      /** Sent to a frontend in place of `to`. */
      readonly balanced: boolean;
    }
  | { readonly kind: 'reply'; readonly to: number; readonly flags: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'change'; readonly network: number };

const packets: fc.Arbitrary<Act> = fc.record({
  kind: fc.constant('packet' as const),
  from: fc.nat(40),
  to: fc.nat(40),
  protocol: fc.constantFrom('tcp', 'tcp', 'tcp', 'udp', 'icmp'),
  srcPort: fc.constantFrom(50_000, 50_001, 50_002),
  dstPort: fc.constantFrom(80, 1433, 1433, 5022),
  flags: fc.constantFrom(0x02, 0x02, 0x10, 0x18, 0x11, 0x04),
  payload: fc.nat(64),
  spoof: fc.boolean(),
  balanced: fc.constantFrom(true, false, false, false),
});

/** Random traffic: packets, replies to what was received, waiting, and changes of the network. */
export const traffic: fc.Arbitrary<readonly Act[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: packets },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('reply' as const),
        to: fc.nat(30),
        flags: fc.constantFrom(0x12, 0x10, 0x18, 0x11, 0x14),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(10, 5_000, 241_000) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('change' as const), network: fc.nat(2) }) },
  ),
  { minLength: 5, maxLength: 60 },
);
