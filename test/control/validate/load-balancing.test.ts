import { expect, test } from 'vitest';
import { privateLinkServiceAlias } from '../../../src/control/private-link/alias.ts';
import { readNetworkText } from '../../../src/control/input/read.ts';
import { behaviourOf } from '../../../src/control/model/profile.ts';
import { idKey, type Network } from '../../../src/control/model/resources.ts';
import { validateNetwork } from '../../../src/control/validate/validate.ts';
import { type ProviderTopology, providerTopology, readAndValidate } from '../provider-topology.ts';
import { codesOf, listCodes } from './codes-of.ts';

type Edit = (topology: ProviderTopology) => unknown;

function codesAfter(edit: Edit): string {
  const topology = providerTopology();
  edit(topology);
  return listCodes(readAndValidate(topology).issues);
}

const rule = (rest: object): object => ({ frontend: 'front', backendPool: 'web', frontendPort: 443, ...rest });
const https = (topology: ProviderTopology, rest: object): unknown =>
  Object.assign(topology.loadBalancers['lb'] ?? {}, { rules: { https: rule(rest) } });
const balancer = (topology: ProviderTopology, rest: object): unknown =>
  Object.assign(topology.loadBalancers['lb'] ?? {}, rest);
const service = (topology: ProviderTopology, rest: object): unknown =>
  Object.assign(topology.privateLinkServices['shop'] ?? {}, rest);
const addresses = (count: number): object[] => Array.from({ length: count }, () => ({ subnet: 'provider/nat' }));

const BALANCERS: Record<string, [edit: Edit, codes: string]> = {
  'the topology as it is': [() => undefined, 'ok'],
  'a frontend without subnet and public address': [
    (t) => balancer(t, { frontends: { front: {} } }),
    'LB_FRONTEND_PLACE',
  ],
  'a Basic balancer (PLS-5)': [(t) => balancer(t, { sku: 'Basic' }), 'LINK_SERVICE_SKU'],
  'HA ports on an internal frontend (LB-7)': [(t) => https(t, { protocol: 'All', frontendPort: 0 }), 'ok'],
  'all ports of TCP only (LB-7)': [(t) => https(t, { frontendPort: 0 }), 'LB_HA_PORTS'],
  'one port of all protocols (LB-7)': [(t) => https(t, { protocol: 'All', frontendPort: 443 }), 'LB_HA_PORTS'],
  'a port of zero': [(t) => https(t, { backendPort: 0 }), 'LB_PORT'],
  'an idle time of 3 minutes (LB-5)': [(t) => https(t, { idleTimeoutInMinutes: 3 }), 'LB_IDLE_TIMEOUT'],
  'an idle time of 4 minutes (LB-5)': [(t) => https(t, { idleTimeoutInMinutes: 4 }), 'ok'],
  'an idle time of 100 minutes (LB-5)': [(t) => https(t, { idleTimeoutInMinutes: 100 }), 'ok'],
  'an idle time of 101 minutes (LB-5)': [(t) => https(t, { idleTimeoutInMinutes: 101 }), 'LB_IDLE_TIMEOUT'],
  'a probe every 4 seconds (LB-4)': [
    (t) => balancer(t, { probes: { tcp: { port: 443, intervalInSeconds: 4 } } }),
    'LB_PROBE',
  ],
  'an HTTP probe without a path': [(t) => balancer(t, { probes: { tcp: { protocol: 'Http', port: 80 } } }), 'LB_PROBE'],
  'two rules of one frontend port': [
    (t) => balancer(t, { rules: { https: rule({}), again: rule({ backendPort: 8443 }) } }),
    'LB_PORT_CONFLICT',
  ],
  'two rules of one backend port': [
    (t) => balancer(t, { rules: { https: rule({}), other: rule({ frontendPort: 8443, backendPort: 443 }) } }),
    'LB_BACKEND_PORT_CONFLICT',
  ],
  'two rules of one backend port with floating IP': [
    (t) =>
      balancer(t, {
        rules: { https: rule({}), other: rule({ frontendPort: 8443, backendPort: 443, enableFloatingIP: true }) },
      }),
    'ok',
  ],
  'a private endpoint as member (PE-11)': [
    (t) => balancer(t, { backendPools: { web: { members: ['web1', 'pe'] } } }),
    'LB_POOL_ENDPOINT',
  ],
  'a member in another network': [
    (t) => balancer(t, { backendPools: { web: { members: ['web1', 'client'] } } }),
    'LB_POOL_NETWORKS',
  ],
};

test.each(Object.entries(BALANCERS))('a load balancer: %s', (_, [edit, codes]) => {
  expect(codesAfter(edit)).toBe(codes);
});

const SERVICES: Record<string, [edit: Edit, codes: string]> = {
  'no NAT address (PLS-9)': [(t) => service(t, { natAddresses: [] }), 'LINK_SERVICE_NAT_ADDRESSES'],
  '8 NAT addresses (LIM-22)': [(t) => service(t, { natAddresses: addresses(8) }), 'ok'],
  '9 NAT addresses (LIM-22)': [(t) => service(t, { natAddresses: addresses(9) }), 'LINK_SERVICE_NAT_ADDRESSES'],
  'a NAT subnet with policies (PLS-9)': [
    (t) => service(t, { natAddresses: [{ subnet: 'provider/backends' }] }),
    'LINK_SERVICE_NAT_POLICIES',
  ],
  'a NAT address outside its subnet (NET-5)': [
    (t) => service(t, { natAddresses: [{ subnet: 'provider/nat', privateIPAddress: '10.0.3.4' }] }),
    'ADDRESS_OUTSIDE_SUBNET',
  ],
  'no frontend (PLS-5)': [(t) => service(t, { frontends: [] }), 'LINK_SERVICE_FRONTEND'],
  'approved without being seen (PLS-4)': [
    (t) => service(t, { visibility: ['s1'], autoApproval: ['s2'] }),
    'LINK_SERVICE_AUTO_APPROVAL',
  ],
  'approved and seen, in another case (PLS-4)': [
    (t) => service(t, { visibility: ['s1', 's2'], autoApproval: ['S2'] }),
    'ok',
  ],
  'everybody approved, some seen (PLS-4)': [
    (t) => service(t, { visibility: ['s1'], autoApproval: ['*'] }),
    'LINK_SERVICE_AUTO_APPROVAL',
  ],
  '101 subscriptions (LIM-24)': [
    (t) => service(t, { visibility: Array.from({ length: 101 }, (_, i) => `s${i}`) }),
    'LINK_SERVICE_SUBSCRIPTIONS_LIMIT',
  ],
  'Direct Connect with two addresses (PLS-22)': [
    (t) => service(t, { frontends: undefined, natAddresses: addresses(2), destinationIPAddress: '10.9.0.4' }),
    'ok',
  ],
  'Direct Connect with three addresses (PLS-22)': [
    (t) => service(t, { frontends: undefined, natAddresses: addresses(3), destinationIPAddress: '10.9.0.4' }),
    'LINK_SERVICE_DIRECT_CONNECT',
  ],
  'Direct Connect to a public address (PLS-22)': [
    (t) => service(t, { frontends: undefined, natAddresses: addresses(2), destinationIPAddress: '8.8.8.8' }),
    'LINK_SERVICE_DIRECT_CONNECT',
  ],
  'a frontend that another service has (PLS-5)': [
    (t) => Object.assign(t.privateLinkServices, { second: t.privateLinkServices['shop'] }),
    'LINK_SERVICE_FRONTEND_SHARED',
  ],
  'an alias that another service has (PLS-2)': [
    (t) => {
      const alias = privateLinkServiceAlias({ prefix: 'a', guid: '1', region: 'eastus' });
      service(t, { alias });
      secondService(t, { alias });
    },
    'LINK_SERVICE_ALIAS',
  ],
  'a pool that another service has, with PROXY (PLS-15)': [
    (t) => secondService(t, { enableProxyProtocol: true }),
    '~LINK_SERVICE_PROXY_DIFFERS',
  ],
  'only an inbound NAT rule of the pool (PLS-21)': [
    (t) =>
      balancer(t, {
        rules: undefined,
        inboundNatRules: { nat: { frontend: 'front', backendPool: 'web', frontendPort: 9 } },
      }),
    '~LINK_SERVICE_NAT_RULE',
  ],
  'a sub-resource of a service (PE-1)': [
    (t) => Object.assign(t.privateEndpoints['pe'] ?? {}, { groupId: 'blob' }),
    'ENDPOINT_SUB_RESOURCE_UNKNOWN',
  ],
  'an endpoint by alias (PE-13)': [
    (t) => {
      const alias = privateLinkServiceAlias({ prefix: 'a', guid: '1', region: 'eastus' });
      service(t, { alias });
      t.privateEndpoints['pe'] = { subnet: 'consumer/endpoints', alias, approval: 'manual' };
    },
    'ok',
  ],
};

function secondService(topology: ProviderTopology, rest: object): void {
  balancer(topology, {
    frontends: { front: { subnet: 'provider/backends' }, other: { subnet: 'provider/backends' } },
    rules: { https: rule({}), other: rule({ frontend: 'other', backendPort: 8443 }) },
  });
  topology.privateLinkServices['second'] = {
    frontends: ['lb/other'],
    natAddresses: addresses(1),
    visibility: ['*'],
    ...rest,
  };
}

test.each(Object.entries(SERVICES))('a Private Link service: %s', (_, [edit, codes]) => {
  expect(codesAfter(edit)).toBe(codes);
});

test('a service shares its region with network and balancer (PLS-5)', () => {
  const { network } = readAndValidate(providerTopology());
  const moved = network.privateLinkServices.map((entry) => ({ ...entry, location: 'West US' }));
  expect(codesOf({ ...network, privateLinkServices: moved })).toBe('LINK_SERVICE_REGION LINK_SERVICE_REGION');
});

test('frontends and their public addresses have one SKU (NET-18)', () => {
  const topology = providerTopology();
  Object.assign(topology, { publicIPAddresses: { ip: { ipAddress: '20.1.2.3', sku: 'Basic' } } });
  balancer(topology, { frontends: { front: { publicIPAddress: 'ip' } } });
  expect(listCodes(readAndValidate(topology).issues)).toBe('LB_SKU');
});

test('HA ports need an internal frontend (LB-2)', () => {
  const topology = providerTopology();
  balancer(topology, { frontends: { front: { publicIPAddress: '20.1.2.3' } } });
  https(topology, { protocol: 'All', frontendPort: 0 });
  expect(listCodes(readAndValidate(topology).issues)).toBe('LB_HA_PORTS');
});

test('a service stands in front of NICs, not of addresses (PLS-5)', () => {
  const { network } = readAndValidate(providerTopology());
  const loadBalancers = network.loadBalancers.map((entry) => {
    const [pool] = entry.properties.backendAddressPools;
    const ipBased = { ...pool, properties: { ...pool.properties, isIpBased: true } };
    return { ...entry, properties: { ...entry.properties, backendAddressPools: [ipBased] } };
  });
  expect(codesOf({ ...network, loadBalancers })).toBe('LINK_SERVICE_IP_POOL');
});

test('NAT addresses stand in the network of the balancer (PLS-9)', () => {
  const topology = providerTopology();
  Object.assign(topology.virtualNetworks.consumer.subnets, {
    nat: { addressPrefix: '10.0.9.0/24', privateLinkServiceNetworkPolicies: 'Disabled' },
  });
  service(topology, { natAddresses: [{ subnet: 'consumer/nat' }] });
  expect(listCodes(readAndValidate(topology).issues)).toBe('LINK_SERVICE_NAT_NETWORKS');
});

test('an alias has the published form (PLS-2)', () => {
  const { network } = readAndValidate(providerTopology());
  const [shop] = network.privateLinkServices;
  const odd = { ...shop, properties: { ...shop.properties, alias: 'shop' } };
  expect(codesOf({ ...network, privateLinkServices: [odd] })).toBe('LINK_SERVICE_ALIAS');
});

function copies<T extends { readonly id: string; readonly name: string }>(one: T, count: number): T[] {
  return Array.from({ length: count }, (_, i) => ({ ...one, id: `${one.id}${i}`, name: `${one.name}${i}` }));
}

test('a subscription has 800 services and a balancer 8 (LIM-21)', () => {
  const { network } = readAndValidate(providerTopology());
  const withServices = (count: number): Network => {
    const [shop] = network.privateLinkServices;
    const made = copies(shop, count).map((entry) => {
      const alias = privateLinkServiceAlias({ prefix: entry.name, guid: '1', region: 'eastus' });
      return { ...entry, properties: { ...entry.properties, alias, ipConfigurations: [] } };
    });
    return { ...network, privateLinkServices: made, privateEndpoints: [] };
  };
  const limits = (count: number): number =>
    codesOf(withServices(count))
      .split(' ')
      .filter((code) => code === 'LINK_SERVICES_LIMIT').length;
  expect([8, 9, 801].map(limits)).toEqual([0, 1, 2]);
});

test('a service has 1,000 endpoints, a key vault 64 (LIM-23, LIM-25)', () => {
  const { network } = readAndValidate(providerTopology());
  const [endpoint] = network.privateEndpoints;
  const vault = idKey('/subscriptions/s/resourceGroups/r/providers/Microsoft.KeyVault/vaults/v');
  const toVault = {
    ...endpoint,
    properties: {
      ...endpoint.properties,
      privateLinkServiceConnections: endpoint.properties.privateLinkServiceConnections.map((connection) => ({
        ...connection,
        properties: { ...connection.properties, privateLinkServiceId: vault, groupIds: ['vault'] },
      })),
    },
  };
  const has = (code: string, one: typeof endpoint, count: number): boolean =>
    codesOf({ ...network, privateEndpoints: copies(one, count) })
      .split(' ')
      .includes(code);
  expect([1000, 1001].map((n) => has('LINK_SERVICE_ENDPOINTS_LIMIT', endpoint, n))).toEqual([false, true]);
  expect([64, 65].map((n) => has('VAULT_ENDPOINTS_LIMIT', toVault, n))).toEqual([false, true]);
});

test('parts that do not exist are errors at their line, with Azure’s code for resource objects', () => {
  const text = `
virtualNetworks: { vnet: { addressSpace: 10.0.0.0/16, subnets: { web: { addressPrefix: 10.0.1.0/24 } } } }
networkInterfaces: { web1: { subnet: vnet/web } }
loadBalancers:
  lb:
    frontends: { front: { subnet: vnet/web } }
    backendPools: { pool: { members: [web1], adminStates: { web2: Up } } }
    rules:
      https: { frontend: frnt, backendPool: pool, frontendPort: 443 }
privateLinkServices:
  shop: { frontends: [lb/fornt], natAddresses: [{ subnet: vnet/web }] }
`;
  const { issues } = readNetworkText(text, 'topology.yaml', { behaviour: behaviourOf() });
  expect(issues.map(({ code, source, hint }) => [code, source?.line, hint])).toEqual([
    ['NAME_NOT_FOUND', 7, 'did you mean web1?'],
    ['NAME_NOT_FOUND', 9, 'did you mean front?'],
    ['NAME_NOT_FOUND', 11, 'did you mean lb/front?'],
  ]);
  const { network } = readAndValidate(providerTopology());
  const [lb] = network.loadBalancers;
  const loadBalancers = [{ ...lb, properties: { ...lb.properties, probes: [] } }];
  const [issue] = validateNetwork({ ...network, loadBalancers }, behaviourOf());
  expect(issue).toMatchObject({ code: 'LB_REFERENCE', severity: 'error' });
  expect(issue.message).toContain('Azure: InvalidResourceReference');
});
