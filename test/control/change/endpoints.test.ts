import { expect, test } from 'vitest';
import {
  approve,
  type Change,
  createEndpoint,
  createManagedEndpoint,
  type Decision,
  deleteEndpoint,
  deleteTarget,
  reject,
  removeConnection,
  setAdminState,
  setHighScale,
  setProxyProtocol,
  setVisibility,
} from '../../../src/control/change/changes.ts';
import type { EndpointSpec } from '../../../src/control/change/endpoint-creation.ts';
import { InputError } from '../../../src/control/issues.ts';
import type { Network } from '../../../src/control/model/resources.ts';
import { connectionOf, servedBy, targetOf } from '../../../src/control/private-link/targets.ts';
import { providerTopology, readAndValidate } from '../provider-topology.ts';
import { codesOf } from '../validate/codes-of.ts';

const START: Network = networkWith({});

function networkWith(service: object): Network {
  const topology = providerTopology();
  Object.assign(topology.privateLinkServices['shop'] ?? {}, { alias: 'shop', ...service });
  return readAndValidate({
    ...topology,
    privateEndpoints: {},
    services: {
      sql: { type: 'Microsoft.Sql/servers', hostNames: 'sql.database.windows.net' },
      store: {
        type: 'Microsoft.Storage/storageAccounts',
        subResources: {
          blob: { hostNames: 'store.blob.core.windows.net', backendAddress: '198.51.100.1' },
          file: { hostNames: 'store.file.core.windows.net', ports: 445, backendAddress: '198.51.100.2' },
        },
      },
    },
    privateDnsZones: { 'privatelink.database.windows.net': { links: { consumer: 'Default' } } },
  }).network;
}

const SPEC: EndpointSpec = { name: 'pe', subnet: 'consumer/endpoints', service: 'sql' };
const ALIAS = START.privateLinkServices[0].properties.alias;

function stateAfter(change: Change, network = START, name = 'pe'): string {
  const found = change(network).privateEndpoints.find((endpoint) => endpoint.name === name);
  return found === undefined ? 'gone' : connectionState(found).status;
}

function connectionState(endpoint: Network['privateEndpoints'][number]) {
  const state = connectionOf(endpoint)?.properties.privateLinkServiceConnectionState;
  if (state === undefined) throw new Error('no connection');
  return state;
}

function refusal(change: Change, network = START): string {
  try {
    change(network);
  } catch (error) {
    if (error instanceof InputError) return error.issues.map(({ code }) => code).join(' ');
    throw error;
  }
  return 'accepted';
}

const APPROVAL = 'privateEndpointConnectionsApproval/action';
test.each([
  ['automatic, all permissions (PE-12)', {}, 'Approved'],
  ['automatic, with the permission (PE-12)', { permissions: [`Microsoft.Sql/servers/${APPROVAL}`] }, 'Approved'],
  ['automatic, with a wild card (PE-12)', { permissions: ['microsoft.sql/*'] }, 'Approved'],
  ['automatic, without it (PE-51)', { permissions: [] }, 'CONNECTION_NOT_AUTHORIZED'],
  ['automatic, with another one (PE-51)', { permissions: ['Microsoft.Storage/*'] }, 'CONNECTION_NOT_AUTHORIZED'],
  ['manual, without it (PE-13)', { approval: 'manual', permissions: [] }, 'Pending'],
] as const)('a new endpoint: %s', (_, rest, expected) => {
  const change = createEndpoint({ ...SPEC, ...rest });
  expect(/^[A-Z_]+$/.test(expected) ? refusal(change) : stateAfter(change)).toBe(expected);
});

test.each([
  ['listed in both (PE-14)', { visibility: ['s1', 's2'], autoApproval: ['s1'] }, 's1', 'Approved'],
  ['seen only (PLS-4)', { visibility: ['s1', 's2'], autoApproval: ['s1'] }, 's2', 'Pending'],
  ['in neither (PLS-3)', { visibility: ['s1', 's2'], autoApproval: ['s1'] }, 's3', 'CONNECTION_NOT_VISIBLE'],
  ['everybody (PLS-3)', { visibility: ['*'], autoApproval: [] }, 's3', 'Pending'],
  ['role-based only, a stranger (PLS-3)', { visibility: [], autoApproval: [] }, 's3', 'CONNECTION_NOT_VISIBLE'],
  ['role-based only, its own subscription (PLS-3)', { visibility: [], autoApproval: [] }, undefined, 'Pending'],
] as const)('a request by alias: %s', (_, lists, subscription, expected) => {
  const network = networkWith(lists);
  const change = createEndpoint({ name: 'pe', subnet: 'consumer/endpoints', alias: ALIAS.toUpperCase(), subscription });
  expect(/^[A-Z_]+$/.test(expected) ? refusal(change, network) : stateAfter(change, network)).toBe(expected);
});

test('a created endpoint has address, message, sub-resource and zone group, and makes a valid network (PE-1, PE-4)', () => {
  const zone = 'privatelink.database.windows.net';
  const made = createEndpoint({ ...SPEC, approval: 'manual', requestMessage: 'please', privateDnsZones: [zone] })(
    START,
  );
  const [endpoint] = made.privateEndpoints;
  expect(endpoint.properties.privateIPAddress).toBe('10.0.1.5'); // the client has .4
  expect(endpoint.location).toBe('eastus');
  expect(connectionOf(endpoint)?.properties).toMatchObject({ groupIds: ['sqlServer'], requestMessage: 'please' });
  expect(made.privateDnsZoneGroups).toHaveLength(1);
  expect(codesOf(made)).toBe('ok');
  expect(codesOf(createEndpoint({ ...SPEC, requestMessage: 'x'.repeat(141) })(START))).toBe('REQUEST_MESSAGE_LENGTH');
  expect(codesOf(createEndpoint({ ...SPEC, privateIPAddress: '10.0.1.2' })(START))).toBe('ADDRESS_RESERVED');
});

test('a deleted endpoint takes its zone group, address and name with it; creation starts anew (PE-19)', () => {
  const made = createEndpoint({ ...SPEC, privateDnsZones: ['privatelink.database.windows.net'] })(START);
  const gone = deleteEndpoint('pe')(reject('pe')(made));
  expect([gone.privateEndpoints, gone.privateDnsZoneGroups]).toEqual([[], []]);
  expect(createEndpoint(SPEC)(gone).privateEndpoints[0].properties.privateIPAddress).toBe('10.0.1.5');
});

test('several endpoints lead to one target, each with a state of its own (PE-7)', () => {
  const both = createEndpoint({ ...SPEC, name: 'second', approval: 'manual' })(createEndpoint(SPEC)(START));
  expect(both.privateEndpoints.map((endpoint) => connectionState(endpoint).status)).toEqual(['Approved', 'Pending']);
  expect(stateAfter(reject('second'), both, 'pe')).toBe('Approved');
  expect(refusal(createEndpoint(SPEC), both)).toBe('CONNECTION_EXISTS');
});

const EVENTS: Record<string, (decision: Decision) => Change> = {
  approve: (decision) => approve('pe', false, decision),
  reject: (decision) => reject('pe', decision),
  remove: (decision) => removeConnection('pe', decision),
  delete: (decision) => deleteEndpoint('pe', decision),
};
const REACH: Record<string, Change> = {
  Pending: createEndpoint({ ...SPEC, approval: 'manual' }),
  Approved: createEndpoint(SPEC),
  Rejected: (network) => reject('pe')(createEndpoint(SPEC)(network)),
  Disconnected: (network) => removeConnection('pe')(createEndpoint(SPEC)(network)),
};
// PE-15 to PE-19, PE-52: state, event, outcome when the owner does it, and when the consumer does.
test.each([
  ['Pending', 'approve', 'Approved', 'CONNECTION_ACTOR'],
  ['Pending', 'reject', 'Rejected', 'CONNECTION_ACTOR'],
  ['Pending', 'remove', 'Disconnected', 'CONNECTION_ACTOR'],
  ['Pending', 'delete', 'CONNECTION_ACTOR', 'gone'],
  ['Approved', 'approve', 'Approved', 'CONNECTION_ACTOR'],
  ['Approved', 'reject', 'Rejected', 'CONNECTION_ACTOR'],
  ['Approved', 'remove', 'Disconnected', 'CONNECTION_ACTOR'],
  ['Approved', 'delete', 'CONNECTION_ACTOR', 'gone'],
  ['Rejected', 'approve', 'CONNECTION_FINAL', 'CONNECTION_ACTOR'],
  ['Rejected', 'reject', 'Rejected', 'CONNECTION_ACTOR'],
  ['Rejected', 'remove', 'Disconnected', 'CONNECTION_ACTOR'],
  ['Rejected', 'delete', 'CONNECTION_ACTOR', 'gone'],
  ['Disconnected', 'approve', 'CONNECTION_FINAL', 'CONNECTION_ACTOR'],
  ['Disconnected', 'reject', 'CONNECTION_FINAL', 'CONNECTION_ACTOR'],
  ['Disconnected', 'remove', 'Disconnected', 'CONNECTION_ACTOR'],
  ['Disconnected', 'delete', 'CONNECTION_ACTOR', 'gone'],
])('%s, %s: by the owner %s, by the consumer %s (PE-52)', (state, event, byOwner, byConsumer) => {
  const network = REACH[state]?.(START) ?? START;
  const before = structuredClone(network.privateEndpoints);
  const outcome = (as: 'owner' | 'consumer'): string => {
    const change = EVENTS[event]?.({ as, description: 'said' }) ?? ((same) => same);
    const refused = refusal(change, network);
    return refused === 'accepted' ? stateAfter(change, network) : refused;
  };
  expect([outcome('owner'), outcome('consumer')]).toEqual([byOwner, byConsumer]);
  expect(network.privateEndpoints).toEqual(before);
});

test('what the owner says is the description of the state (PE-1)', () => {
  const rejected = reject('pe', { description: 'not yours' })(createEndpoint(SPEC)(START));
  expect(connectionState(rejected.privateEndpoints[0])).toEqual({ status: 'Rejected', description: 'not yours' });
});

test('deleting a target disconnects all its endpoints for good (PE-17)', () => {
  const both = createEndpoint({ ...SPEC, name: 'second', approval: 'manual' })(createEndpoint(SPEC)(START));
  const other = createEndpoint({ ...SPEC, name: 'third', service: 'store' })(both);
  const deleted = deleteTarget('sql')(other);
  const states = deleted.privateEndpoints.map((endpoint) => connectionState(endpoint).status);
  expect(states).toEqual(['Disconnected', 'Disconnected', 'Approved']);
  expect(deleted.privateLinkResources.map(({ name }) => name)).toEqual(['store']);
  expect(refusal(approve('pe'), deleted)).toBe('CONNECTION_FINAL');
});

test('a Private Link service is deleted after its connections only (PLS-14)', () => {
  const connected = createEndpoint({ name: 'pe', subnet: 'consumer/endpoints', service: 'shop' })(START);
  expect(refusal(deleteTarget('shop'), connected)).toBe('SERVICE_IN_USE');
  expect(deleteTarget('shop')(removeConnection('pe')(connected)).privateLinkServices).toEqual([]);
});

test('an interface endpoint needs JoinServicetoaSubnet and nobody’s approval (IFE-8, IFE-9)', () => {
  const options = { isInterfaceEndpoint: true };
  const join = 'Microsoft.Network/JoinServicetoaSubnet';
  expect(stateAfter(createEndpoint({ ...SPEC, permissions: [join] }, options))).toBe('Approved');
  expect(refusal(createEndpoint({ ...SPEC, permissions: ['Microsoft.Sql/*'] }, options))).toBe(
    'CONNECTION_NOT_AUTHORIZED',
  );
});

test('an endpoint reaches its own sub-resource only (PE-8)', () => {
  const blob = createEndpoint({ ...SPEC, name: 'blob', service: 'store', groupId: 'blob' });
  const file = createEndpoint({ ...SPEC, name: 'file', service: 'store', groupId: 'file' });
  const network = file(blob(START));
  const served = network.privateEndpoints.map((endpoint) => {
    const target = targetOf(network, connectionOf(endpoint));
    return target?.kind === 'resource' && servedBy(target.resource, connectionOf(endpoint)?.properties.groupIds ?? []);
  });
  expect(served).toMatchObject([
    { backendAddress: '198.51.100.1', ports: ['443'], hostNames: ['store.blob.core.windows.net'] },
    { backendAddress: '198.51.100.2', ports: ['445'], hostNames: ['store.file.core.windows.net'] },
  ]);
  expect(codesOf(createEndpoint({ ...SPEC, service: 'store', groupId: 'blub' })(START))).toBe(
    'ENDPOINT_SUB_RESOURCE_UNKNOWN',
  );
});

test('lists, PROXY, admin states and high scale are set, and refused without a trace (PLS-3, PLS-15, LB-8, PE-45)', () => {
  const set = [
    setVisibility('shop', { visibility: ['s1'] }),
    setProxyProtocol('shop', true),
    setAdminState('lb', 'web1', 'Down'),
    setHighScale('consumer', true),
  ].reduce((network, change) => change(network), START);
  expect(set.privateLinkServices[0].properties).toMatchObject({ visibility: ['s1'], enableProxyProtocol: true });
  const [pool] = set.loadBalancers[0].properties.backendAddressPools;
  expect(pool.properties.adminStates.map(({ adminState }) => adminState)).toEqual(['Down']);
  const [none] = setAdminState('lb', 'web1', 'None')(set).loadBalancers[0].properties.backendAddressPools;
  expect(none.properties.adminStates).toEqual([]);
  expect(set.virtualNetworks[1].properties.privateEndpointVNetPolicies).toBe('Basic');
  expect(refusal(setAdminState('lb', 'client', 'Up'))).toBe('CHANGE_VALUE');
  expect(refusal(createEndpoint({ ...SPEC, alias: ALIAS }))).toBe('CHANGE_VALUE');
  expect(refusal(createEndpoint({ name: 'x', subnet: 'consumer/endpoints', alias: 'x' }))).toBe(
    'CHANGE_NAME_NOT_FOUND',
  );
});

test('a managed endpoint waits for the owner of its target (ADF-2)', () => {
  const { network } = readAndValidate({
    dataFactories: { adf: {} },
    services: { sql: { type: 'Microsoft.Sql/servers', hostNames: 'sql.database.windows.net' } },
  });
  const asked = createManagedEndpoint({ factory: 'adf', name: 'mpe', service: 'sql' })(network);
  expect(connectionState(asked.privateEndpoints[0]).status).toBe('Pending');
  expect(asked.dataFactories[0].properties.managedPrivateEndpoints).toHaveLength(1);
  expect(asked.privateDnsZoneGroups).toHaveLength(1);
  expect(stateAfter(approve('mpe'), asked, 'mpe')).toBe('Approved');
  expect(deleteEndpoint('mpe')(asked).dataFactories[0].properties.managedPrivateEndpoints).toEqual([]);
});
