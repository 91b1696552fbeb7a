import { expect, test } from 'vitest';
import { behaviourOf, type ProfileName } from '../../../src/control/model/profile.ts';
import type { Network } from '../../../src/control/model/resources.ts';
import { type EndpointSpec, network, type NetworkSpec, type ServiceSpec, type SubnetSpec } from '../fixtures.ts';
import { codesOf, rowsOf } from './codes-of.ts';

const ALIAS = 'contoso.11111111-2222-3333-4444-555555555555.eastus.azure.privatelinkservice';
const AKS = '/subscriptions/s/resourceGroups/r/providers/Microsoft.ContainerService/managedClusters/aks';

interface Situation {
  readonly subnet?: Partial<SubnetSpec>;
  readonly endpoint?: Partial<EndpointSpec>;
  readonly service?: ServiceSpec;
  readonly vnet?: { readonly location?: string; readonly privateEndpointVNetPolicies?: string };
}

function situation({ subnet = {}, endpoint = {}, service = {}, vnet = {} }: Situation): Network {
  return network({
    vnets: { vnet: { ranges: ['10.0.0.0/16'], subnets: { pe: { prefix: '10.0.1.0/24', ...subnet } }, ...vnet } },
    nsgs: { nsg: [] },
    routeTables: { rt: [] },
    endpoints: { pe: { subnet: 'pe', address: '10.0.1.5', target: 'sqlmi1', ...endpoint } },
    services: { sqlmi1: service },
  });
}

const SITUATIONS: Record<string, Situation> = {
  plain: {},
  'unknown subnet': { endpoint: { subnet: 'px' } },
  delegated: { subnet: { delegatedTo: 'Microsoft.Web/serverFarms' } },
  'with NSG': { subnet: { nsg: 'nsg' } },
  'with route table': { subnet: { routeTable: 'rt' } },
  'policies enabled': { subnet: { policies: 'Enabled' } },
  'other region': { vnet: { location: 'westus' }, endpoint: { location: 'eastus' } },
  'target elsewhere': {
    vnet: { location: 'eastus' },
    endpoint: { location: 'East US' },
    service: { location: 'westeurope' },
  },
  'alias automatic': { endpoint: { target: ALIAS, groupIds: [] } },
  'alias manual': { endpoint: { target: ALIAS, groupIds: [], manual: true } },
  'static on AKS': { endpoint: { target: AKS, staticAddress: '10.0.1.5' } },
  'static on MI': { endpoint: { staticAddress: '10.0.1.5' } },
  'two sub-resources': { endpoint: { groupIds: ['blob', 'file'] } },
  'message of 140': { endpoint: { requestMessage: 'm'.repeat(140) } },
  'message of 141': { endpoint: { requestMessage: 'm'.repeat(141) } },
  'high scale without policies': { vnet: { privateEndpointVNetPolicies: 'Basic' } },
  'high scale with policies': {
    vnet: { privateEndpointVNetPolicies: 'Basic' },
    subnet: { policies: 'RouteTableEnabled' },
  },
  'port range': { service: { ports: ['1433', '11000-11999'] } },
  'port 0': { service: { ports: ['0'] } },
  'port name': { service: { ports: ['sql'] } },
  'no port': { service: { ports: [] } },
  'bad backend': { service: { backendAddress: '10.0.0' } },
};

const CASES = `
  # situation                    | profile                  | code
  plain                          | ga-2026                  | ok
  unknown subnet                 | ga-2026                  | ENDPOINT_SUBNET_NOT_FOUND
  delegated                      | ga-2026                  | ENDPOINT_SUBNET_DELEGATED
  delegated                      | pe-2020                  | ENDPOINT_SUBNET_DELEGATED
  delegated                      | interface-endpoint-2018  | ok
  with NSG                       | ga-2026                  | ok
  with NSG                       | interface-endpoint-2018  | ENDPOINT_SUBNET_NSG
  with route table               | ga-2026                  | ok
  with route table               | interface-endpoint-2018  | ENDPOINT_SUBNET_ROUTE_TABLE
  policies enabled               | ga-2026                  | ok
  policies enabled               | pe-2020                  | ~ENDPOINT_POLICIES_ENABLED
  other region                   | ga-2026                  | ENDPOINT_REGION
  target elsewhere               | ga-2026                  | ok
  target elsewhere               | interface-endpoint-2018  | ENDPOINT_TARGET_REGION
  alias automatic                | ga-2026                  | ENDPOINT_ALIAS_AUTOMATIC ~ENDPOINT_TARGET_NOT_FOUND
  alias manual                   | ga-2026                  | ~ENDPOINT_TARGET_NOT_FOUND
  alias manual                   | interface-endpoint-2018  | ENDPOINT_ALIAS_UNSUPPORTED ~ENDPOINT_TARGET_NOT_FOUND
  static on AKS                  | ga-2026                  | ENDPOINT_STATIC_ADDRESS ~ENDPOINT_TARGET_NOT_FOUND
  static on MI                   | ga-2026                  | ok
  two sub-resources              | ga-2026                  | ENDPOINT_SUB_RESOURCES
  message of 140                 | ga-2026                  | ok
  message of 141                 | ga-2026                  | REQUEST_MESSAGE_LENGTH
  high scale without policies    | ga-2026                  | ENDPOINT_POLICIES_HIGH_SCALE
  high scale with policies       | ga-2026                  | ok
  port range                     | ga-2026                  | ok
  port 0                         | ga-2026                  | SERVICE_PORT_INVALID
  port name                      | ga-2026                  | SERVICE_PORT_INVALID
  no port                        | ga-2026                  | ~SERVICE_WITHOUT_PORTS
  bad backend                    | ga-2026                  | ADDRESS_INVALID
`;

test.each(rowsOf(CASES))('an endpoint, %s, under %s gives %s', (name, profile, code) => {
  expect(codesOf(situation(SITUATIONS[name]), behaviourOf(profile as ProfileName))).toBe(code);
});

test('an endpoint has exactly one connection', () => {
  const good = situation({});
  const [pe] = good.privateEndpoints;
  const [connection] = pe.properties.privateLinkServiceConnections;
  const withConnections = (automatic: readonly (typeof connection)[], manual: readonly (typeof connection)[]) => ({
    ...good,
    privateEndpoints: [
      {
        ...pe,
        properties: {
          ...pe.properties,
          privateLinkServiceConnections: automatic,
          manualPrivateLinkServiceConnections: manual,
        },
      },
    ],
  });
  expect(codesOf(withConnections([], []))).toBe('ENDPOINT_CONNECTIONS');
  expect(codesOf(withConnections([connection], [connection]))).toBe('ENDPOINT_CONNECTIONS');
  expect(codesOf(withConnections([], [connection]))).toBe('ok');
});

test('an endpoint and its network share the subscription', () => {
  const good = situation({});
  const [pe] = good.privateEndpoints;
  const moved = { ...pe, id: pe.id.replace('sub1', 'sub2') };
  expect(codesOf({ ...good, privateEndpoints: [moved] })).toBe('ENDPOINT_REGION');
});

const MI_SUBNETS = `
  # cidr         delegated  nsg  rt   code
  10.9.0.0/27    yes        yes  yes  ok
  10.9.0.0/24    yes        yes  yes  ok
  10.9.0.0/28    yes        yes  yes  MI_SUBNET_SIZE
  10.9.0.0/27    no         yes  yes  MI_SUBNET_NOT_DELEGATED
  10.9.0.0/27    yes        no   yes  MI_SUBNET_NSG
  10.9.0.0/27    yes        yes  no   MI_SUBNET_ROUTE_TABLE
  10.9.0.0/28    no         no   no   MI_SUBNET_NOT_DELEGATED MI_SUBNET_SIZE MI_SUBNET_NSG MI_SUBNET_ROUTE_TABLE
`;

function miNetwork(cidr: string, delegated: boolean, nsg: boolean, rt: boolean, more: NetworkSpec = {}): Network {
  const subnet: SubnetSpec = {
    prefix: cidr,
    ...(delegated && { delegatedTo: 'Microsoft.Sql/managedInstances' }),
    ...(nsg && { nsg: 'nsg' }),
    ...(rt && { routeTable: 'rt' }),
  };
  return network({
    vnets: { vnet: { ranges: ['10.9.0.0/16'], subnets: { mi: subnet } } },
    nsgs: { nsg: [] },
    routeTables: { rt: [] },
    services: { sqlmi1: { subnet: 'mi' } },
    ...more,
  });
}

test.each(rowsOf(MI_SUBNETS))('an instance subnet %s, delegated %s, NSG %s, table %s gives %s', (...row) => {
  const [cidr, delegated, nsg, rt, code] = row;
  expect(codesOf(miNetwork(cidr, delegated === 'yes', nsg === 'yes', rt === 'yes'))).toBe(code);
});

test('a delegated subnet is an instance subnet also when the instance is not in the input', () => {
  expect(codesOf(miNetwork('10.9.0.0/28', true, true, true, { services: {} }))).toBe('MI_SUBNET_SIZE');
  expect(codesOf(miNetwork('10.9.0.0/28', false, false, false, { services: {} }))).toBe('ok');
});

test('an instance subnet holds nothing else', () => {
  const nics = { vm: { subnet: 'mi', address: '10.9.0.4' } };
  expect(codesOf(miNetwork('10.9.0.0/27', true, true, true, { nics }))).toBe('~MI_SUBNET_SHARED');
});
