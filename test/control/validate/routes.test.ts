import { expect, test } from 'vitest';
import type { UserNextHopType } from '../../../src/control/model/resources.ts';
import { HUB_AND_SPOKE, network, type NetworkSpec, type RouteSpec } from '../fixtures.ts';
import { codesOf, rowsOf } from './codes-of.ts';

const ROUTES = `
  # prefix          type                   hop         code
  10.9.0.0/16       VirtualAppliance       10.0.0.4    ok
  10.9.0.0/16       None                   -           ok
  0.0.0.0/0         Internet               -           ok
  Storage           Internet               -           ok
  storage           None                   -           ok
  10.9.0.1/16       None                   -           PREFIX_INVALID
  Storag            None                   -           TAG_UNKNOWN
  # NSG-22
  VirtualNetwork    None                   -           ROUTE_TAG_UNUSABLE
  Internet          None                   -           ROUTE_TAG_UNUSABLE
  AzureLoadBalancer  None                  -           ROUTE_TAG_UNUSABLE
  AzurePlatformDNS  None                   -           ROUTE_TAG_UNUSABLE
  # ROUTE-12, ROUTE-14
  10.9.0.0/16       VNetPeering            -           ROUTE_NEXT_HOP_TYPE
  10.9.0.0/16       VirtualAppliance       -           ROUTE_NEXT_HOP_MISSING
  10.9.0.0/16       VirtualAppliance       10.0.0      ADDRESS_INVALID
  10.9.0.0/16       Internet               10.0.0.4    ROUTE_NEXT_HOP_UNEXPECTED
  10.9.0.0/16       None                   10.0.0.4    ROUTE_NEXT_HOP_UNEXPECTED
  # ROUTE-30, ROUTE-28, ROUTE-15
  10.9.0.0/16       VirtualAppliance       10.0.0.99   ~NEXT_HOP_NOT_FOUND
  10.9.0.0/16       VirtualAppliance       10.1.0.4    ~NEXT_HOP_NOT_FORWARDING
  10.9.0.0/16       VirtualAppliance       10.2.0.4    ~NEXT_HOP_NOT_FOUND
  10.9.0.0/16       VirtualNetworkGateway  -           ~ROUTE_GATEWAY_NOT_FOUND
`;

test.each(rowsOf(ROUTES))('a route for %s to %s %s gives %s', (prefix, type, hop, code) => {
  const route = { name: 'r', prefix, type: type as UserNextHopType, ...(hop !== '-' && { hop }) };
  expect(codesOf(withRoutes([route], FAR_AWAY))).toBe(code);
});

/** A network that is not peered with the spoke, with an appliance of its own. */
const FAR_AWAY: NetworkSpec = {
  vnets: { ...HUB_AND_SPOKE.vnets, far: { ranges: ['10.2.0.0/16'], subnets: { far: '10.2.0.0/24' } } },
  nics: { ...HUB_AND_SPOKE.nics, far: { subnet: 'far', address: '10.2.0.4', forwarding: true } },
};

function withRoutes(routes: readonly RouteSpec[], more: NetworkSpec = {}, disableBgp = false) {
  return network({ ...HUB_AND_SPOKE, ...more, routeTables: { 'app-routes': { routes, disableBgp } } });
}

test('a prefix and a name occur once per table', () => {
  const route: RouteSpec = { name: 'a', prefix: '10.9.0.0/16', type: 'None' };
  expect(codesOf(withRoutes([route, { ...route, name: 'b' }]))).toBe('ROUTE_PREFIX_DUPLICATE');
  expect(codesOf(withRoutes([route, { ...route, prefix: '10.8.0.0/16', name: 'A' }]))).toBe('ROUTE_NAME_DUPLICATE');
  const tags: RouteSpec[] = ['Storage', 'STORAGE'].map((prefix, index) => ({
    name: `t${index}`,
    prefix,
    type: 'None',
  }));
  expect(codesOf(withRoutes(tags))).toBe('ROUTE_PREFIX_DUPLICATE');
});

test('an explicit prefix and a tag that contains it may stand side by side', () => {
  const routes: RouteSpec[] = [
    { name: 'tag', prefix: 'Storage', type: 'Internet' },
    { name: 'prefix', prefix: '20.60.0.0/16', type: 'None' },
  ];
  expect(codesOf(withRoutes(routes))).toBe('ok');
});

test('a VPN gateway in reach, own or through a peering, satisfies the gateway next hop', () => {
  const route: RouteSpec = { name: 'r', prefix: '10.9.0.0/16', type: 'VirtualNetworkGateway' };
  expect(codesOf(withRoutes([route], { gateways: { vpn: { vnet: 'spoke' } } }))).toBe('ok');
  expect(codesOf(withRoutes([route], { gateways: { er: { vnet: 'spoke', type: 'ExpressRoute' } } }))).toBe(
    '~ROUTE_GATEWAY_NOT_FOUND',
  );
  const transit: NetworkSpec = {
    gateways: { vpn: { vnet: 'hub' } },
    peerings: [['hub', 'spoke', { gatewayTransit: true }, { useRemoteGateways: true }]],
  };
  expect(codesOf(withRoutes([route], transit))).toBe('ok');
});

test('a GatewaySubnet keeps propagation and has no default route', () => {
  const onGatewaySubnet = (prefix: string, disableBgp: boolean): string => {
    const vnets = {
      vnet: { ranges: ['10.0.0.0/16'], subnets: { GatewaySubnet: { prefix: '10.0.0.0/24', routeTable: 'rt' } } },
    };
    const routes: RouteSpec[] = [{ name: 'r', prefix, type: 'None' }];
    return codesOf(network({ vnets, routeTables: { rt: { routes, disableBgp } } }));
  };
  expect(onGatewaySubnet('10.9.0.0/16', false)).toBe('ok');
  expect(onGatewaySubnet('10.9.0.0/16', true)).toBe('GATEWAY_SUBNET_PROPAGATION');
  expect(onGatewaySubnet('0.0.0.0/0', false)).toBe('GATEWAY_SUBNET_DEFAULT_ROUTE');
  expect(codesOf(withRoutes([{ name: 'r', prefix: '0.0.0.0/0', type: 'None' }], {}, true))).toBe('ok');
});
