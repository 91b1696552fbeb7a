import { expect, test } from 'vitest';
import { networkFromResources } from '../../../src/control/input/resources/network.ts';
import { behaviourOf } from '../../../src/control/model/profile.ts';
import type { Network } from '../../../src/control/model/resources.ts';
import { connectionOf, targetOf } from '../../../src/control/private-link/targets.ts';
import { validateNetwork } from '../../../src/control/validate/validate.ts';
import { providerTopology, readAndValidate } from '../provider-topology.ts';
import { listCodes } from '../validate/codes-of.ts';

const GROUP = '/subscriptions/aaaa/resourceGroups/CreatePrivLinkService-rg/providers/Microsoft.Network';
const BALANCER = `${GROUP}/loadBalancers/myLoadBalancer`;
const FRONTEND = `${BALANCER}/frontendIPConfigurations/LoadBalancerFrontEnd`;
const POOL = `${BALANCER}/backendAddressPools/myBackEndPool`;
const SUBNET = `${GROUP}/virtualNetworks/myVNet/subnets/mySubnet`;
const SERVICE = `${GROUP}/privateLinkServices/myPrivateLinkService`;
const ENDPOINT = `${GROUP}/privateEndpoints/myPrivateEndpoint`;
const ALIAS = 'myprivatelinkservice.11111111-2222-3333-4444-555555555555.eastus2.azure.privatelinkservice';

/** The objects of the published quickstart for a Private Link service, as they are exported. */
function quickstart({ poolAtNic = true, poolAtBalancer = true } = {}): object[] {
  const configuration = `${GROUP}/networkInterfaces/myVMnic/ipConfigurations/ipconfig1`;
  return [
    {
      id: `${GROUP}/virtualNetworks/myVNet`,
      location: 'eastus2',
      properties: {
        addressSpace: { addressPrefixes: ['10.1.0.0/16'] },
        subnets: [
          {
            id: SUBNET,
            name: 'mySubnet',
            properties: { addressPrefix: '10.1.0.0/24', privateLinkServiceNetworkPolicies: 'Disabled' },
          },
        ],
      },
    },
    {
      id: `${GROUP}/virtualNetworks/myVNetPE`,
      location: 'eastus2',
      properties: {
        addressSpace: { addressPrefixes: ['11.1.0.0/16'] },
        subnets: [{ name: 'mySubnetPE', properties: { addressPrefix: '11.1.0.0/24' } }],
      },
    },
    {
      id: `${GROUP}/networkInterfaces/myVMnic`,
      location: 'eastus2',
      properties: {
        ipConfigurations: [
          {
            id: configuration,
            name: 'ipconfig1',
            properties: {
              subnet: { id: SUBNET },
              primary: true,
              privateIPAddress: '10.1.0.5',
              ...(poolAtNic && { loadBalancerBackendAddressPools: [{ id: POOL.toUpperCase() }] }),
            },
          },
        ],
      },
    },
    {
      id: BALANCER,
      location: 'eastus2',
      sku: { name: 'Standard' },
      properties: {
        frontendIPConfigurations: [
          {
            name: 'LoadBalancerFrontEnd',
            id: FRONTEND,
            properties: { privateIPAddress: '10.1.0.4', privateIPAllocationMethod: 'Dynamic', subnet: { id: SUBNET } },
          },
        ],
        backendAddressPools: [
          {
            name: 'myBackEndPool',
            id: POOL,
            properties: poolAtBalancer ? { backendIPConfigurations: [{ id: configuration }] } : {},
          },
        ],
        probes: [
          {
            name: 'myHealthProbe',
            id: `${BALANCER}/probes/myHealthProbe`,
            properties: { protocol: 'Tcp', port: 80, intervalInSeconds: 15, numberOfProbes: 2 },
          },
        ],
        loadBalancingRules: [
          {
            name: 'myHTTPRule',
            properties: {
              frontendIPConfiguration: { id: FRONTEND },
              backendAddressPool: { id: POOL },
              probe: { id: `${BALANCER}/probes/myHealthProbe` },
              protocol: 'tcp',
              frontendPort: 80,
              backendPort: 80,
              idleTimeoutInMinutes: 15,
              enableTcpReset: true,
              disableOutboundSnat: true,
            },
          },
        ],
      },
    },
    {
      id: SERVICE,
      location: 'eastus2',
      properties: {
        enableProxyProtocol: false,
        alias: ALIAS,
        visibility: { subscriptions: [] },
        autoApproval: { subscriptions: [] },
        loadBalancerFrontendIpConfigurations: [{ id: FRONTEND }],
        ipConfigurations: [
          {
            name: 'snet-provider-default-1',
            properties: { primary: false, privateIPAllocationMethod: 'Dynamic', subnet: { id: SUBNET } },
          },
        ],
        privateEndpointConnections: [
          { name: 'c', properties: { privateEndpoint: { id: ENDPOINT }, linkIdentifier: '536870912' } },
        ],
      },
    },
    {
      id: ENDPOINT,
      location: 'eastus2',
      properties: {
        subnet: { id: `${GROUP}/virtualNetworks/myVNetPE/subnets/mySubnetPE` },
        privateLinkServiceConnections: [
          { name: 'myPrivateEndpoint', properties: { privateLinkServiceId: SERVICE.toLowerCase() } },
        ],
      },
    },
  ];
}

function read(resources: readonly object[]): { readonly network: Network; readonly codes: string } {
  const { network, issues } = networkFromResources(resources);
  return { network, codes: listCodes([...issues, ...validateNetwork(network, behaviourOf())]) };
}

test('the quickstart of a Private Link service reads and is valid (PLS-1, PLS-5)', () => {
  const { network, codes } = read(quickstart());
  expect(codes).toBe('ok');
  const [balancer] = network.loadBalancers;
  expect(balancer).toMatchObject({ name: 'myLoadBalancer', sku: 'Standard' });
  expect(balancer.properties.loadBalancingRules[0].properties).toMatchObject({
    protocol: 'Tcp',
    idleTimeoutInMinutes: 15,
    enableTcpReset: true,
    loadDistribution: 'Default',
  });
  expect(balancer.properties.probes[0].properties).toMatchObject({ intervalInSeconds: 15, numberOfProbes: 2 });
  expect(network.privateLinkServices[0].properties).toMatchObject({ alias: ALIAS, visibility: [] });
  // Neither the frontend's nor the VM's address: the next free one.
  expect(network.privateLinkServices[0].properties.ipConfigurations[0].properties.privateIPAddress).toBe('10.1.0.6');
});

test('an endpoint leads to the service by id or alias, with the LinkID of the owner’s side (PLS-2, PLS-20)', () => {
  const { network } = read(quickstart());
  const [endpoint] = network.privateEndpoints;
  const connection = connectionOf(endpoint);
  expect(connection?.properties.linkIdentifier).toBe(536_870_912);
  expect(targetOf(network, connection)).toMatchObject({ kind: 'service', service: { id: SERVICE } });
  const byAlias = connection && {
    ...connection,
    properties: { ...connection.properties, privateLinkServiceId: ALIAS },
  };
  expect(targetOf(network, byAlias)).toMatchObject({ kind: 'service' });
  expect(network.privateLinkResources).toEqual([]); // nothing is assumed in place of the service
});

test.each([
  [{ poolAtNic: true, poolAtBalancer: false }],
  [{ poolAtNic: false, poolAtBalancer: true }],
  [{ poolAtNic: true, poolAtBalancer: true }],
])('members of a pool are told by either end: %o', (ends) => {
  const [pool] = read(quickstart(ends)).network.loadBalancers[0].properties.backendAddressPools;
  expect(pool.properties.isIpBased).toBe(false);
  expect(pool.properties.backendIPConfigurations).toHaveLength(1);
});

test('a pool of addresses is IP-based: its members are found in the named network (PLS-5)', () => {
  const resources = quickstart({ poolAtNic: false, poolAtBalancer: false });
  const properties = {
    loadBalancerBackendAddresses: [
      {
        name: 'a',
        properties: {
          ipAddress: '10.1.0.5',
          adminState: 'Down',
          virtualNetwork: { id: `${GROUP}/virtualNetworks/myVNet` },
        },
      },
    ],
  };
  Object.assign(Reflect.get(resources[3] ?? {}, 'properties') as object, {
    backendAddressPools: [{ name: 'myBackEndPool', id: POOL, properties }],
  });
  const { network, codes } = read(resources);
  expect(codes).toBe('LINK_SERVICE_IP_POOL');
  const [pool] = network.loadBalancers[0].properties.backendAddressPools;
  expect(pool.properties.backendIPConfigurations).toHaveLength(1);
  expect(pool.properties.adminStates).toMatchObject([{ adminState: 'Down' }]);
});

test('the short form gives ids, addresses and an alias that stay (PLS-2)', () => {
  const topology = providerTopology();
  Object.assign(topology.privateLinkServices['shop'] ?? {}, { alias: 'contoso' });
  const [first, second] = [readAndValidate(topology), readAndValidate(topology)];
  expect(first.issues).toEqual([]);
  expect(first.network).toEqual(second.network);
  const [shop] = first.network.privateLinkServices;
  expect(shop.properties.alias).toMatch(
    /^contoso\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.eastus\.azure\.privatelinkservice$/,
  );
  const [frontend] = first.network.loadBalancers[0].properties.frontendIPConfigurations;
  expect(frontend.properties.privateIPAddress).toBe('10.0.1.6');
  expect(shop.properties.loadBalancerFrontendIpConfigurations).toEqual([{ id: frontend.id }]);
});

test('an interface endpoint of 2018 is read as an endpoint that works on creation (IFE-2, IFE-9)', () => {
  const server = '/subscriptions/aaaa/resourceGroups/g/providers/Microsoft.Sql/servers/sql1';
  const { network, codes } = read([
    ...quickstart().slice(0, 2),
    { id: server, location: 'eastus2', properties: {} },
    {
      id: `${GROUP}/interfaceEndpoints/ife`,
      location: 'eastus2',
      properties: { subnet: { id: SUBNET }, endpointService: { id: server }, fqdn: 'sql1.database.windows.net' },
    },
  ]);
  expect(codes).toBe('ok');
  expect(connectionOf(network.privateEndpoints[0])?.properties).toMatchObject({
    privateLinkServiceId: server,
    groupIds: ['sqlServer'],
    privateLinkServiceConnectionState: { status: 'Approved' },
  });
});
