// Gateways in running networks: endpoints from on-premises by VPN and ExpressRoute and through a peer's gateway,
// learned routes that change, two gateways (ROUTE-9, ROUTE-15, PEER-7, PE-35), and the profiles side by side on one
// network.

import { describe, expect, it } from 'vitest';
import { LiveNetwork, networkOfShort } from '../../src/conformance/live.ts';
import { behaviourOf, PROFILES, type ProfileName } from '../../src/control/model/profile.ts';
import { validateNetwork } from '../../src/control/validate/validate.ts';
import { traceOfPass } from '../../src/scenario/observation.ts';

function start(topology: object, profile: ProfileName = 'ga-2026'): LiveNetwork {
  const behaviour = behaviourOf(profile);
  return new LiveNetwork(networkOfShort(topology, behaviour), behaviour);
}

const reaches = (live: LiveNetwork, from: string, to: string): boolean =>
  live.step('connect', { from, to }).result === 'established';

const hubAndSpoke = (type: string, links: object = {}): object => ({
  virtualNetworks: {
    hub: {
      addressSpace: '10.0.0.0/16',
      gateway: { type, learnedRoutes: ['192.168.0.0/16'] },
      subnets: { app: { addressPrefix: '10.0.0.0/24' }, endpoints: { addressPrefix: '10.0.2.0/24' } },
    },
    spoke: {
      addressSpace: '10.1.0.0/16',
      subnets: { app: { addressPrefix: '10.1.0.0/24' }, endpoints: { addressPrefix: '10.1.2.0/24' } },
    },
  },
  peerings: [
    {
      between: ['hub', 'spoke'],
      hub: { allowGatewayTransit: true },
      spoke: { useRemoteGateways: true },
      ...links,
    },
  ],
  networkInterfaces: { 'hub-vm': { subnet: 'hub/app' }, 'spoke-vm': { subnet: 'spoke/app' } },
  services: { kv: { type: 'Microsoft.KeyVault/vaults' } },
  privateEndpoints: {
    'hub-pe': { subnet: 'hub/endpoints', service: 'kv' },
    'spoke-pe': { subnet: 'spoke/endpoints', service: 'kv' },
  },
});

describe('private endpoints from on-premises', () => {
  it.each(['Vpn', 'ExpressRoute'])('are reached by %s, in the own and in a peered network (PEER-7)', (type) => {
    const live = start(hubAndSpoke(type));
    expect(reaches(live, 'onprem', 'hub-pe:443')).toBe(true);
    expect(reaches(live, 'onprem', 'spoke-pe:443')).toBe(true);
  });

  it("machines of a spoke reach on-premises through the hub's gateway, not without transit", () => {
    expect(reaches(start(hubAndSpoke('Vpn')), 'spoke-vm', '192.168.5.5:80')).toBe(true);
    const without = hubAndSpoke('Vpn', { hub: {}, spoke: {} });
    expect(reaches(start(without), 'spoke-vm', '192.168.5.5:80')).toBe(false);
    expect(reaches(start(without), 'hub-vm', '192.168.5.5:80')).toBe(true);
  });
});

describe('learned routes that change (ROUTE-9)', () => {
  it('lead to new destinations and away from old ones, for spokes too', () => {
    const live = start(hubAndSpoke('Vpn'));
    expect(reaches(live, 'spoke-vm', '172.30.1.1:80')).toBe(false);
    const { refused } = live.step('setLearnedRoutes', { network: 'hub', routes: ['172.30.0.0/16'] });
    expect(refused).toBeUndefined();
    expect(reaches(live, 'spoke-vm', '172.30.1.1:80')).toBe(true);
    expect(reaches(live, 'hub-vm', '192.168.5.5:80')).toBe(false);
  });

  it('are refused when they are none, and leave the network as it was', () => {
    const live = start(hubAndSpoke('Vpn'));
    const { refused } = live.step('setLearnedRoutes', { network: 'hub', routes: ['172.30.1.0/8'] });
    expect(refused?.map((issue) => issue.code)).toEqual(['CHANGE_VALUE']);
    expect(reaches(live, 'hub-vm', '192.168.5.5:80')).toBe(true);
  });
});

describe('service endpoints that change (SEP-1, SEP-2)', () => {
  it('the route and the source that the service sees follow', () => {
    const topology = {
      virtualNetworks: {
        net: {
          addressSpace: '10.0.0.0/16',
          subnets: { app: { addressPrefix: '10.0.0.0/24', defaultOutboundAccess: true } },
        },
      },
      networkInterfaces: { vm: { subnet: 'net/app', privateIPAddress: '10.0.0.4' } },
    };
    const live = start(topology);
    const way = (): string | undefined => {
      const pass = live.step('packet', { from: 'vm', to: '20.60.0.5', tcp: { dport: 443, flags: 'S' } }).passes?.[0];
      return pass && traceOfPass(pass).route?.[2];
    };
    expect(way()).toBe('Internet');
    live.step('setServiceEndpoints', { subnet: 'net/app', services: ['Microsoft.Storage'] });
    expect(way()).toBe('VirtualNetworkServiceEndpoint');
    live.step('setServiceEndpoints', { subnet: 'net/app', services: [] });
    expect(way()).toBe('Internet');
  });
});

describe('the profiles side by side', () => {
  const tcp = { direction: 'Inbound', protocol: 'Tcp' };
  const rules = [
    { name: 'AllowTwo', priority: 100, access: 'Allow', destinationPorts: ['80', '443'], ...tcp },
    { name: 'DenyTcp', priority: 200, access: 'Deny', ...tcp },
  ];
  const topology = (policies: string): object => ({
    virtualNetworks: {
      net: {
        addressSpace: '10.0.0.0/16',
        subnets: {
          app: { addressPrefix: '10.0.0.0/24', routeTable: 'table' },
          endpoints: {
            addressPrefix: '10.0.2.0/24',
            privateEndpointNetworkPolicies: policies,
            ...(policies !== 'Disabled' && { networkSecurityGroup: 'nsg' }),
          },
        },
      },
      other: { addressSpace: '10.1.0.0/16', subnets: { app: { addressPrefix: '10.1.0.0/24' } } },
    },
    peerings: [{ between: ['net', 'other'] }],
    networkSecurityGroups: { nsg: { rules } },
    routeTables: { table: { routes: [{ addressPrefix: '10.0.0.0/16', nextHopType: 'None' }] } },
    networkInterfaces: { vm: { subnet: 'net/app' }, peer: { subnet: 'other/app' } },
    services: { kv: { type: 'Microsoft.KeyVault/vaults' } },
    privateEndpoints: { pe: { subnet: 'net/endpoints', service: 'kv' } },
  });
  const run = (profile: ProfileName, policies: string): string => {
    const behaviour = behaviourOf(profile);
    try {
      const live = new LiveNetwork(networkOfShort(topology(policies), behaviour), behaviour);
      const clients = ['vm', 'peer'].map((from) => (reaches(live, from, 'pe:443') ? 'open' : 'shut'));
      return clients.join(' ');
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return 'refused';
    }
  };

  it.each([
    // vm has a None route for the whole network, peer has none; the rule allows 443 in its second range.
    ['ga-2026', 'Disabled', 'open open'],
    ['ga-2026', 'Enabled', 'shut open'],
    ['ga-2026', 'RouteTableEnabled', 'shut open'],
    ['ga-2026', 'NetworkSecurityGroupEnabled', 'open open'],
    ['preview-2022', 'NetworkSecurityGroupEnabled', 'shut shut'], // PNSG-10: the first range only
    ['preview-2022', 'RouteTableEnabled', 'shut open'],
    ['pe-2020', 'Enabled', 'open open'], // PNSG-15: neither rules nor routes
    ['pe-2020', 'Disabled', 'open open'],
    ['interface-endpoint-2018', 'Enabled', 'refused'], // IFE-5
    ['interface-endpoint-2018', 'Disabled', 'open shut'], // IFE-4
  ] as const)('%s with policies %s: %s', (profile, policies, expected) => {
    expect(run(profile, policies)).toBe(expected);
  });

  it('PNSG-9: rules in front of endpoints draw a warning in regions without them, under every profile', () => {
    const of = (location: string, policies: string): (string | undefined)[] =>
      PROFILES.map((profile) => {
        const base = { addressSpace: '10.0.0.0/16', location };
        const subnets = { pe: { addressPrefix: '10.0.0.0/24', privateEndpointNetworkPolicies: policies } };
        const network = networkOfShort({ virtualNetworks: { net: { ...base, subnets } } }, behaviourOf(profile));
        const issues = validateNetwork(network, behaviourOf(profile));
        return issues.find((issue) => issue.code === 'NSG_ENDPOINT_REGION')?.severity;
      });
    const none = PROFILES.map(() => undefined);
    expect(of('West India', 'NetworkSecurityGroupEnabled')).toEqual(PROFILES.map(() => 'warning'));
    expect(of('chinaeast2', 'Enabled')).toEqual(PROFILES.map(() => 'warning'));
    expect(of('West India', 'RouteTableEnabled')).toEqual(none);
    expect(of('westeurope', 'Enabled')).toEqual(none);
  });
});
