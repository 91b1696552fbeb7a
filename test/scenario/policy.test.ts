// Policy in running networks: security admin rules at both ends (NSG-15), and the switches whose effect is seen in
// packets, NET-18, PNSG-14.

import { describe, expect, it } from 'vitest';
import { LiveNetwork, networkOfShort } from '../../src/conformance/live.ts';
import { InputError } from '../../src/control/issues.ts';
import { behaviourOf, type ProfileName, type Switches } from '../../src/control/model/profile.ts';
import type { Facts } from '../../src/scenario/expectations.ts';
import { traceOfPass } from '../../src/scenario/observation.ts';

function start(topology: object, switches: Partial<Switches> = {}, profile: ProfileName = 'ga-2026'): LiveNetwork {
  const behaviour = behaviourOf(profile, switches);
  return new LiveNetwork(networkOfShort(topology, behaviour), behaviour);
}

/** The result of a step, or of a packet without one, or where and why the first packet was dropped. */
function outcome({ result, passes = [] }: Facts): string {
  if (result === 'established') return result;
  const traces = passes.map(traceOfPass);
  const dropped = traces.find((trace) => trace.reason !== undefined);
  if (dropped !== undefined) return `${dropped.droppedAt} ${dropped.reason}`;
  return result ?? traces.at(-1)?.outcome ?? 'nothing';
}

const connect = (live: LiveNetwork, from: string, to: string): string => outcome(live.step('connect', { from, to }));

const deny = (direction: string, more: object = {}): object => ({
  name: `Deny${direction}`,
  priority: 100,
  direction,
  access: 'Deny',
  ...more,
});

const twoNetworks = (parts: object): object => ({
  virtualNetworks: {
    a: { addressSpace: '10.1.0.0/16', subnets: { app: { addressPrefix: '10.1.0.0/24', networkSecurityGroup: 'nsg' } } },
    b: { addressSpace: '10.2.0.0/16', subnets: { app: { addressPrefix: '10.2.0.0/24', networkSecurityGroup: 'nsg' } } },
  },
  peerings: [{ between: ['a', 'b'] }],
  networkSecurityGroups: { nsg: { rules: [] } },
  networkInterfaces: { client: { subnet: 'a/app' }, server: { subnet: 'b/app' } },
  ...parts,
});

const closed = { nsg: { rules: [deny('Inbound'), deny('Outbound')] } };
const manager = (network: string, direction: string, access: string, more: object = {}): object => ({
  networkManagers: {
    avnm: {
      networks: [network],
      rules: [{ name: 'Rule', priority: 10, direction, access, protocol: 'Tcp', destinationPorts: 1433, ...more }],
    },
  },
});

describe('security admin rules (NSG-15)', () => {
  it.each([
    ['a', 'Outbound', 'client:adminRule ADMIN_RULE_DENY'],
    ['b', 'Inbound', 'server:adminRule ADMIN_RULE_DENY'],
  ])('Deny drops in network %s, %s, before any group', (network, direction, expected) => {
    const live = start(twoNetworks(manager(network, direction, 'Deny')));
    expect(connect(live, 'client', 'server:1433')).toBe(expected);
    expect(connect(live, 'client', 'server:443')).toBe('established');
  });

  it('Deny applies to the direction and the network it names only', () => {
    expect(connect(start(twoNetworks(manager('b', 'Outbound', 'Deny'))), 'client', 'server:1433')).toBe('established');
    expect(connect(start(twoNetworks(manager('a', 'Inbound', 'Deny'))), 'client', 'server:1433')).toBe('established');
  });

  it('Allow leaves the verdict to the groups', () => {
    const live = start(twoNetworks({ ...manager('a', 'Outbound', 'Allow'), networkSecurityGroups: closed }));
    expect(connect(live, 'client', 'server:1433')).toBe('client:subnetNsg NSG_DENY');
  });

  it('AlwaysAllow skips the groups, at sender and receiver', () => {
    const rule = { priority: 10, access: 'AlwaysAllow', protocol: 'Tcp', destinationPorts: 1433 };
    const rules = ['Outbound', 'Inbound'].map((direction) => ({ name: direction, direction, ...rule }));
    const atSender = start(twoNetworks({ ...manager('a', 'Outbound', 'AlwaysAllow'), networkSecurityGroups: closed }));
    expect(connect(atSender, 'client', 'server:1433')).toBe('server:subnetNsg NSG_DENY');
    const atBoth = start(
      twoNetworks({ networkManagers: { avnm: { networks: ['a', 'b'], rules } }, networkSecurityGroups: closed }),
    );
    expect(connect(atBoth, 'client', 'server:1433')).toBe('established');
    expect(connect(atBoth, 'client', 'server:443')).toBe('client:subnetNsg NSG_DENY');
  });

  it('go by priority: an earlier Allow hides a Deny, over all managers', () => {
    const rule = { direction: 'Outbound', protocol: 'Tcp', destinationPorts: 1433 };
    const managers = (allow: number): object => ({
      one: { networks: ['a'], rules: [{ name: 'Deny', priority: 20, access: 'Deny', ...rule }] },
      two: { networks: ['a'], rules: [{ name: 'Allow', priority: allow, access: 'Allow', ...rule }] },
    });
    const run = (allow: number): string =>
      connect(start(twoNetworks({ networkManagers: managers(allow) })), 'client', 'server:1433');
    expect(run(10)).toBe('established');
    expect(run(30)).toBe('client:adminRule ADMIN_RULE_DENY');
  });

  it('change while the network runs, and leave established connections alone (NSG-28)', () => {
    const live = start(twoNetworks({ networkManagers: { avnm: { networks: ['a'], rules: [] } } }));
    live.step('connect', { from: 'client', to: 'server:1433', keep: 'old' });
    const rule = {
      name: 'New',
      priority: 5,
      direction: 'Outbound',
      access: 'Deny',
      destination: ['10.2.0.0/16'],
    } as const;
    expect(
      live.step('setAdminRule', { manager: 'avnm', ...rule, destination: ['10.2.0.0/16'] }).refused,
    ).toBeUndefined();
    expect(connect(live, 'client', 'server:1433')).toBe('client:adminRule ADMIN_RULE_DENY');
    expect(live.step('send', { on: 'old', bytes: 100 }).result).toBe('established');
    live.step('removeAdminRule', { manager: 'avnm', name: 'new' });
    expect(connect(live, 'client', 'server:1433')).toBe('established');
  });

  it('a refused change leaves the network as it was', () => {
    const live = start(twoNetworks(manager('a', 'Outbound', 'Deny')));
    const rule = { manager: 'avnm', name: 'Rule', priority: 10, direction: 'Outbound', access: 'Allow' } as const;
    const codes = (facts: Facts): string[] | undefined => facts.refused?.map((issue) => issue.code);
    expect(codes(live.step('setAdminRule', { ...rule, source: ['10.0.0.1/8'] }))).toEqual(['PREFIX_INVALID']);
    expect(codes(live.step('setAdminRule', { ...rule, destination: ['Storrage'] }))).toEqual(['ADMIN_RULE_PREFIX']);
    expect(codes(live.step('setAdminRule', { ...rule, manager: 'avm' }))).toEqual(['CHANGE_NAME_NOT_FOUND']);
    expect(codes(live.step('removeAdminRule', { manager: 'avnm', name: 'none' }))).toEqual(['CHANGE_NAME_NOT_FOUND']);
    expect(connect(live, 'client', 'server:1433')).toBe('client:adminRule ADMIN_RULE_DENY');
  });

  it('are refused in a topology with line and hint when they make no sense', () => {
    const rules = [{ name: 'R', priority: 5000, direction: 'Outbound', access: 'Deny', source: 'Internett' }];
    const topology = twoNetworks({ networkManagers: { avnm: { networks: ['a'], rules } } });
    const error = catchInput(() => start(topology));
    expect(error.issues.map((issue) => [issue.code, issue.severity])).toEqual([
      ['ADMIN_RULE_PRIORITY_RANGE', 'error'],
      ['ADMIN_RULE_PREFIX', 'error'],
    ]);
    expect(error.issues[1]?.hint).toContain("'Internet'");
  });
});

describe('switches that packets show', () => {
  const esp = (live: LiveNetwork): string =>
    outcome(live.step('packet', { from: 'client', to: 'server', protocol: 50, size: 40 }));

  it('Q-17: * of a user rule covers ESP and AH, or does not', () => {
    const topology = twoNetworks({ networkSecurityGroups: { nsg: { rules: [deny('Outbound')] } } });
    expect(esp(start(topology))).toBe('client:subnetNsg NSG_DENY');
    expect(esp(start(topology, { 'nsg.anyCoversEspAh': false }))).toBe('delivered');
    const tcp = connect(start(topology, { 'nsg.anyCoversEspAh': false }), 'client', 'server:80');
    expect(tcp).toBe('client:subnetNsg NSG_DENY');
  });

  it('Q-14: the bypass of NSG-31 covers the configured servers, or every server', () => {
    const topology = {
      virtualNetworks: {
        net: {
          addressSpace: '10.0.0.0/16',
          dnsServers: '10.0.0.10',
          subnets: { app: { addressPrefix: '10.0.0.0/24', networkSecurityGroup: 'nsg' } },
        },
      },
      networkSecurityGroups: { nsg: { rules: [deny('Outbound')] } },
      networkInterfaces: {
        client: { subnet: 'net/app' },
        dns: { subnet: 'net/app', privateIPAddress: '10.0.0.10' },
        other: { subnet: 'net/app', privateIPAddress: '10.0.0.11' },
      },
    };
    const ask = (live: LiveNetwork, to: string): string =>
      outcome(live.step('packet', { from: 'client', to, udp: { sport: 5000, dport: 53 } }));
    const live = start(topology);
    expect(ask(live, 'dns')).toBe('delivered');
    expect(ask(live, 'other')).toBe('client:subnetNsg NSG_DENY');
    expect(ask(start(topology, { 'nsg.customDnsBypassScope': 'any' }), 'other')).toBe('delivered');
    expect(ask(start(topology, { 'nsg.customDnsBypass': false }), 'dns')).toBe('client:subnetNsg NSG_DENY');
  });

  it('Q-11: idle flows are forgotten after the minutes of the switch', () => {
    const topology = twoNetworks({ networkSecurityGroups: { nsg: { rules: [] } } });
    const survives = (minutes: number): string => {
      const live = start(topology, { 'nsg.idleMinutes': minutes });
      live.step('connect', { from: 'client', to: 'server:80', keep: 'c' });
      live.step('advance', '5m');
      live.step('setRule', { nsg: 'nsg', name: 'Deny', priority: 100, direction: 'Outbound', access: 'Deny' });
      return live.step('send', { on: 'c', bytes: 100 }).result ?? '';
    };
    expect(survives(4)).not.toBe('established');
    expect(survives(6)).toBe('established');
  });

  it('NET-18: an address without SKU is Standard, closed without a group, or Basic, open', () => {
    const topology = {
      virtualNetworks: { net: { addressSpace: '10.0.0.0/16', subnets: { app: { addressPrefix: '10.0.0.0/24' } } } },
      publicIPAddresses: { ip: { ipAddress: '52.224.1.1' } },
      networkInterfaces: { web: { subnet: 'net/app', publicIPAddress: 'ip' } },
    };
    const run = (switches: Partial<Switches>): string =>
      connect(start(topology, switches), 'internet', '52.224.1.1:80');
    expect(run({})).not.toBe('established');
    expect(run({ 'publicIp.sku': 'Basic' })).toBe('established');
  });
});

const throughFirewall = (endpointTable: object): object => ({
  virtualNetworks: {
    net: {
      addressSpace: '10.0.0.0/16',
      subnets: {
        app: { addressPrefix: '10.0.0.0/24' },
        dmz: { addressPrefix: '10.0.1.0/24' },
        endpoints: { addressPrefix: '10.0.2.0/24', ...endpointTable },
      },
    },
  },
  routeTables: {
    back: { routes: [{ addressPrefix: '10.0.0.0/24', nextHopType: 'VirtualAppliance', nextHopIpAddress: '10.0.1.4' }] },
    nowhere: { routes: [{ addressPrefix: '10.0.0.0/24', nextHopType: 'None' }] },
  },
  networkInterfaces: {
    client: { subnet: 'net/app', privateIPAddress: '10.0.0.4' },
    nva: { subnet: 'net/dmz', privateIPAddress: '10.0.1.4', enableIPForwarding: true, appliance: {} },
  },
  services: { kv: { type: 'Microsoft.KeyVault/vaults' } },
  privateEndpoints: { pe: { subnet: 'net/endpoints', privateIPAddress: '10.0.2.4', service: 'kv' } },
});

describe("replies and the route table of the endpoint's subnet (ROUTE-42, Q-13)", () => {
  const on = { 'pe.subnetRouteTableAffectsReturn': true };
  const visits = (live: LiveNetwork): boolean => {
    const { simulation } = live.session;
    const appliance = simulation.compiled.sideTable.attachments.findIndex((info) => info?.name === 'nva');
    let isVisited = false;
    const stop = simulation.observe((event) => (isVisited ||= event.egress === appliance));
    live.step('connect', { from: 'client', to: 'pe:443' });
    stop();
    return isVisited;
  };

  it('replies pass the table by, or follow it to an appliance', () => {
    const topology = throughFirewall({ routeTable: 'back' });
    expect(visits(start(topology))).toBe(false);
    expect(visits(start(topology, on))).toBe(true);
    expect(connect(start(topology, on), 'client', 'pe:443')).toBe('established');
  });

  it('a None route stops them with the switch only', () => {
    const topology = throughFirewall({ routeTable: 'nowhere' });
    expect(connect(start(topology), 'client', 'pe:443')).toBe('established');
    expect(connect(start(topology, on), 'client', 'pe:443')).toContain('ROUTE_NONE');
  });

  it('a changed table counts for connections that exist', () => {
    const live = start(throughFirewall({ routeTable: 'back' }), on);
    live.step('connect', { from: 'client', to: 'pe:443', keep: 'c' });
    live.step('setRoute', { table: 'back', name: 'route-1', addressPrefix: '10.0.0.0/24', nextHopType: 'None' });
    expect(outcome(live.step('send', { on: 'c', bytes: 100, from: 'server' }))).toContain('ROUTE_NONE');
  });
});

describe('the fault of the preview (PNSG-14)', () => {
  const topology = {
    ...throughFirewall({
      networkSecurityGroup: 'nsg',
      privateEndpointNetworkPolicies: 'NetworkSecurityGroupEnabled',
    }),
    networkSecurityGroups: { nsg: { rules: [] } },
  };
  const failures = (live: LiveNetwork): number => {
    const outcomes = Array.from({ length: 40 }, (_, i) =>
      outcome(live.step('connect', { from: 'client', to: 'pe:443', sourcePort: 40_000 + i })),
    );
    expect(outcomes.filter((text) => text !== 'established' && !text.includes('ENDPOINT_FAULT'))).toEqual([]);
    return outcomes.filter((text) => text !== 'established').length;
  };

  it('drops some connections to a vault that the rules allow, and none by default', () => {
    expect(failures(start(topology))).toBe(0);
    const count = failures(start(topology, { 'pnsg.dropFault': true }));
    expect(count).toBeGreaterThan(2);
    expect(count).toBeLessThan(30);
  });
});

function catchInput(run: () => unknown): InputError {
  try {
    run();
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
