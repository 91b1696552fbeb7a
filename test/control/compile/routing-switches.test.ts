// Switches about routes and tags, subnet peering, sync of peers and gateways: each with
// both values, on the effective routes of a subnet or on the route that a packet takes.

import { describe, expect, it } from 'vitest';
import { effectiveRoutes } from '../../../src/control/compile/effective-routes.ts';
import { createContext } from '../../../src/control/compile/context.ts';
import { chooseRoute } from '../../../src/control/compile/route-selection.ts';
import { collectRoutes } from '../../../src/control/compile/effective-routes.ts';
import { expandTag } from '../../../src/control/compile/service-tags.ts';
import { readNetworkValue } from '../../../src/control/input/read.ts';
import { hasErrors } from '../../../src/control/issues.ts';
import { behaviourOf, type Switches } from '../../../src/control/model/profile.ts';
import { idKey, type Network } from '../../../src/control/model/resources.ts';
import { setLearnedRoutes } from '../../../src/control/change/route-changes.ts';
import { validateNetwork } from '../../../src/control/validate/validate.ts';
import { parseIpv4, prefixContains } from '../../../src/wire/index.ts';

function read(topology: object): Network {
  const { network, issues } = readNetworkValue(topology, 'test');
  if (network === undefined || hasErrors(issues)) throw new Error(JSON.stringify(issues));
  return network;
}

function subnetId(network: Network, name: string): string {
  const [vnet, subnet] = name.split('/');
  const owner = network.virtualNetworks.find((entry) => entry.name === vnet);
  return owner?.properties.subnets.find((entry) => entry.name === subnet)?.id ?? '';
}

/** `prefix nextHopType` of the Active routes. */
function activeRoutes(network: Network, subnet: string, switches: Partial<Switches> = {}): string[] {
  return effectiveRoutes(network, behaviourOf('ga-2026', switches), subnetId(network, subnet))
    .filter((route) => route.state === 'Active')
    .map((route) => `${route.prefix} ${route.nextHopType}`);
}

function routeOf(network: Network, subnet: string, address: string, switches: Partial<Switches> = {}): string {
  const context = createContext(network, behaviourOf('ga-2026', switches));
  const place = context.places.get(idKey(subnetId(network, subnet)));
  if (place === undefined) throw new Error(`no subnet ${subnet}`);
  const covering = collectRoutes(context, place).filter(({ prefix }) => prefixContains(prefix, parseIpv4(address)));
  const { info } = chooseRoute(covering, true) ?? {};
  return info === undefined ? 'none' : `${info.prefix} ${info.nextHopType}`;
}

function isInTag(network: Network, subnet: string, address: string, switches: Partial<Switches> = {}): boolean {
  const context = createContext(network, behaviourOf('ga-2026', switches));
  const place = context.places.get(idKey(subnetId(network, subnet)));
  if (place === undefined) throw new Error(`no subnet ${subnet}`);
  const set = expandTag(context, 'VirtualNetwork', place);
  const value = parseIpv4(address) >>> 0;
  for (let i = 0; i < set.length; i += 2)
    if ((set[i] as number) <= value && value <= (set[i + 1] as number)) return true;
  return false;
}

const defaultTo = (hop: object): Network =>
  read({
    virtualNetworks: {
      net: {
        addressSpace: '10.0.0.0/16',
        gateway: { type: 'Vpn', learnedRoutes: '10.9.0.0/16' },
        subnets: { app: { addressPrefix: '10.0.0.0/24', routeTable: 'table' } },
      },
    },
    routeTables: { table: { routes: [{ addressPrefix: '0.0.0.0/0', ...hop }] } },
  });
const VIA_APPLIANCE = defaultTo({ nextHopType: 'VirtualAppliance', nextHopIpAddress: '10.0.0.9' });

describe('None routes under a default route', () => {
  it.each([
    ['inside', 'VirtualAppliance', false],
    ['inside', 'VirtualNetworkGateway', false],
    ['inside', 'Internet', true],
    ['inside', 'None', true],
    ['gateway', 'VirtualAppliance', true],
    ['gateway', 'VirtualNetworkGateway', false],
    ['any', 'Internet', false],
    ['any', 'None', false],
  ] as const)('Q-18 %s: with 0/0 to %s the None route of 10.0.0.0/8 is there: %s', (value, nextHopType, isThere) => {
    const hop = nextHopType === 'VirtualAppliance' ? { nextHopIpAddress: '10.0.0.9' } : {};
    const network = defaultTo({ nextHopType, ...hop });
    const routes = activeRoutes(network, 'net/app', { 'routes.defaultRemovesNone': value });
    expect(routes.includes('10.0.0.0/8 None')).toBe(isThere);
  });

  it('Q-19: 172.16.0.0/12 goes with the others, or stays', () => {
    expect(activeRoutes(VIA_APPLIANCE, 'net/app')).not.toContain('172.16.0.0/12 None');
    const kept = activeRoutes(VIA_APPLIANCE, 'net/app', { 'routes.defaultRemoves172': false });
    expect(kept).toContain('172.16.0.0/12 None');
    expect(kept).not.toContain('192.168.0.0/16 None');
  });

  it('Q-19: the extra None routes of 2026 stay, or go with the others', () => {
    expect(activeRoutes(VIA_APPLIANCE, 'net/app')).toContain('157.59.0.0/16 None');
    const removed = activeRoutes(VIA_APPLIANCE, 'net/app', { 'routes.defaultRemovesExtraNone': true });
    expect(removed.filter((route) => route.endsWith(' None'))).toEqual([]);
  });
});

describe('service endpoints against longer user-defined routes (Q-12)', () => {
  const network = read({
    virtualNetworks: {
      net: {
        addressSpace: '10.0.0.0/16',
        subnets: {
          app: { addressPrefix: '10.0.0.0/24', routeTable: 'table', serviceEndpoints: ['Microsoft.Storage'] },
        },
      },
    },
    serviceTags: { Storage: ['20.60.0.0/16'] },
    routeTables: {
      table: {
        routes: [
          { addressPrefix: '20.60.5.0/24', nextHopType: 'VirtualAppliance', nextHopIpAddress: '10.0.0.9' },
          { addressPrefix: '20.60.0.0/16', nextHopType: 'None' },
        ],
      },
    },
  });

  it('ROUTE-24: by default no route table overrides them', () => {
    expect(routeOf(network, 'net/app', '20.60.5.1')).toBe('20.60.0.0/16 VirtualNetworkServiceEndpoint');
  });

  it('with the switch a longer route wins, one of the same length does not', () => {
    const switches = { 'sep.longerUdrWins': true };
    expect(routeOf(network, 'net/app', '20.60.5.1', switches)).toBe('20.60.5.0/24 VirtualAppliance');
    expect(routeOf(network, 'net/app', '20.60.6.1', switches)).toBe('20.60.0.0/16 VirtualNetworkServiceEndpoint');
  });
});

describe('VirtualNetwork and user-defined routes (Q-4, NSG-17)', () => {
  const network = read({
    virtualNetworks: {
      net: {
        addressSpace: '10.0.0.0/16',
        subnets: {
          plain: { addressPrefix: '10.0.0.0/24' },
          routed: { addressPrefix: '10.0.1.0/24', routeTable: 'table' },
        },
      },
    },
    routeTables: { table: { routes: [{ addressPrefix: '172.20.0.0/16', nextHopType: 'None' }] } },
  });

  it("counts the own subnet's, or those of all subnets", () => {
    expect(isInTag(network, 'net/routed', '172.20.1.1')).toBe(true);
    expect(isInTag(network, 'net/plain', '172.20.1.1')).toBe(false);
    expect(isInTag(network, 'net/plain', '172.20.1.1', { 'tag.vnetRoutes': 'network' })).toBe(true);
  });
});

const peered = (links: object): Network =>
  read({
    virtualNetworks: {
      a: {
        addressSpace: '10.1.0.0/16',
        subnets: { one: { addressPrefix: '10.1.1.0/24' }, two: { addressPrefix: '10.1.2.0/24' } },
      },
      b: {
        addressSpace: '10.2.0.0/16',
        subnets: { one: { addressPrefix: '10.2.1.0/24' }, two: { addressPrefix: '10.2.2.0/24' } },
      },
    },
    peerings: [{ between: ['a', 'b'], ...links }],
    services: { kv: { type: 'Microsoft.KeyVault/vaults' } },
    privateEndpoints: {
      first: { subnet: 'b/one', privateIPAddress: '10.2.1.5', service: 'kv' },
      second: { subnet: 'b/two', privateIPAddress: '10.2.2.5', service: 'kv' },
    },
  });

describe('endpoint routes of peers without access (Q-16)', () => {
  const network = peered({ a: { allowVirtualNetworkAccess: false } });

  it('stay by default and go with the switch', () => {
    expect(activeRoutes(network, 'a/one')).toContain('10.2.1.5/32 InterfaceEndpoint');
    const routes = activeRoutes(network, 'a/one', { 'peer.accessRemovesEndpointRoute': true });
    expect(routes).not.toContain('10.2.1.5/32 InterfaceEndpoint');
    expect(routes).toContain('10.2.0.0/16 VNetPeering');
  });
});

describe('subnet peering (PEER-8)', () => {
  const network = peered({ a: { subnets: ['one'] }, b: { subnets: ['two'] } });

  it('gives only the named subnets routes, only to the named subnets of the other side', () => {
    expect(activeRoutes(network, 'a/one').filter((route) => route.includes(' VNetPeering'))).toEqual([
      '10.2.2.0/24 VNetPeering',
    ]);
    expect(activeRoutes(network, 'a/two').filter((route) => route.includes(' VNetPeering'))).toEqual([]);
  });

  it('reaches endpoints in the named subnets only', () => {
    const endpoints = (subnet: string): string[] =>
      activeRoutes(network, subnet).filter((route) => route.endsWith('InterfaceEndpoint'));
    expect(endpoints('a/one')).toEqual(['10.2.2.5/32 InterfaceEndpoint']);
    expect(endpoints('a/two')).toEqual([]);
  });

  it('keeps other subnets out of VirtualNetwork', () => {
    expect(isInTag(network, 'a/one', '10.2.2.9')).toBe(true);
    expect(isInTag(network, 'a/one', '10.2.1.9')).toBe(false);
  });

  it('is refused with a subnet that does not exist', () => {
    const issues = validateNetwork(peered({ a: { subnets: ['oen'] } }), behaviourOf());
    const found = issues.find((issue) => issue.code === 'PEERING_SUBNET_NOT_FOUND');
    expect(found?.message).toContain("'oen'");
    expect(found?.hint).toContain("'one'");
  });
});

it('PEER-2: a peer sees the ranges of the last sync', () => {
  const id = (path: string): string =>
    `/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/${path}`;
  const vnet = (name: string, prefixes: string[], other: string, synced: string[]): object => ({
    id: id(name),
    name,
    type: 'Microsoft.Network/virtualNetworks',
    properties: {
      addressSpace: { addressPrefixes: prefixes },
      subnets: [{ name: 'app', properties: { addressPrefix: prefixes[0] } }],
      virtualNetworkPeerings: [
        {
          name: 'link',
          properties: {
            remoteVirtualNetwork: { id: id(other) },
            peeringState: 'Connected',
            remoteAddressSpace: { addressPrefixes: synced },
          },
        },
      ],
    },
  });
  const network = read([
    vnet('a', ['10.1.0.0/16'], 'b', ['10.2.0.0/16']),
    vnet('b', ['10.2.0.0/16', '10.3.0.0/16'], 'a', ['10.1.0.0/16']),
  ]);
  const routes = activeRoutes(network, 'a/app').filter((route) => route.endsWith('VNetPeering'));
  expect(routes).toEqual(['10.2.0.0/16 VNetPeering']);
  expect(validateNetwork(network, behaviourOf()).map((issue) => issue.code)).toContain('PEERING_NOT_SYNCED');
});

describe('learned routes changed while the network runs (ROUTE-9)', () => {
  const network = defaultTo({ nextHopType: 'Internet' });

  it('replaces what the gateway of a network has learned', () => {
    const next = setLearnedRoutes('net', ['10.8.0.0/16'])(network);
    expect(activeRoutes(next, 'net/app')).toContain('10.8.0.0/16 VirtualNetworkGateway');
    expect(activeRoutes(next, 'net/app')).not.toContain('10.9.0.0/16 VirtualNetworkGateway');
    expect(activeRoutes(network, 'net/app')).toContain('10.9.0.0/16 VirtualNetworkGateway');
  });

  it('is refused for what is no prefix and for an unknown gateway', () => {
    expect(() => setLearnedRoutes('net', ['10.8.0.1/16'])(network)).toThrow(/InvalidCIDRNotation/);
    expect(() => setLearnedRoutes('nett', ['10.8.0.0/16'])(network)).toThrow(/no virtual network gateway/);
  });
});

describe('two gateways in one network (ROUTE-15)', () => {
  const base = defaultTo({ nextHopType: 'Internet' });
  const [vpn] = base.virtualNetworkGateways;
  if (vpn === undefined) throw new Error('no gateway');
  const express = {
    ...vpn,
    id: `${vpn.id}-er`,
    name: 'er',
    properties: { ...vpn.properties, gatewayType: 'ExpressRoute' as const, learnedRoutes: ['10.9.0.0/16'] },
  };
  const network = { ...base, virtualNetworkGateways: [vpn, express] };

  it('a change has to say which of them', () => {
    expect(() => setLearnedRoutes('net', [])(network)).toThrow(/two gateways/);
    const next = setLearnedRoutes('er', ['10.7.0.0/16'])(network);
    expect(next.virtualNetworkGateways.map((gateway) => gateway.properties.learnedRoutes)).toEqual([
      ['10.9.0.0/16'],
      ['10.7.0.0/16'],
    ]);
  });

  it('ROUTE-26: equal learned routes are Active together', () => {
    const routes = activeRoutes(network, 'net/app').filter((route) => route.startsWith('10.9.'));
    expect(routes).toEqual(['10.9.0.0/16 VirtualNetworkGateway', '10.9.0.0/16 VirtualNetworkGateway']);
  });
});
