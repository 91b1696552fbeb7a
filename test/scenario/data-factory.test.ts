// Managed networks of data factories (ADF-1 to ADF-7): what a factory becomes, what its runtime reaches under which
// profile, and the approval of its endpoints.

import { describe, expect, it } from 'vitest';
import { LiveNetwork, networkOfShort } from '../../src/conformance/live.ts';
import { readNetworkText, readNetworkValue } from '../../src/control/input/read.ts';
import { behaviourOf, type ProfileName } from '../../src/control/model/profile.ts';
import { validateNetwork } from '../../src/control/validate/validate.ts';

const STORE_HOST = 'store1.blob.core.windows.net';
const topology = (parts: object = {}, state = 'Approved'): object => ({
  services: {
    store1: { type: 'Microsoft.Storage/storageAccounts', hostNames: STORE_HOST, publicAddress: '52.224.7.7' },
  },
  dataFactories: { adf1: { managedPrivateEndpoints: { 'mpe-store': { service: 'store1', state } } } },
  ...parts,
});

function start(value: object, profile: ProfileName = 'ga-2026'): LiveNetwork {
  const behaviour = behaviourOf(profile);
  return new LiveNetwork(networkOfShort(value, behaviour), behaviour);
}

const reaches = (live: LiveNetwork, to: string): boolean =>
  live.step('connect', { from: 'adf1', to }).result === 'established';

describe('a factory in a topology', () => {
  const network = networkOfShort(topology({}, 'Pending'), behaviourOf());
  const [factory] = network.dataFactories;

  it('becomes a network with the NIC of its runtime and its endpoints (ADF-1)', () => {
    const [vnet] = network.virtualNetworks;
    const [nic] = network.networkInterfaces;
    const [endpoint] = network.privateEndpoints;
    expect(factory?.properties.managedVirtualNetwork.id).toBe(vnet?.id);
    expect(factory?.properties.integrationRuntime.id).toBe(nic?.id);
    expect(factory?.properties.managedPrivateEndpoints.map(({ id }) => id)).toEqual([endpoint?.id]);
    expect(nic?.name).toBe('adf1');
    expect(vnet?.properties.subnets[0]?.properties.defaultOutboundAccess).toBe(true);
  });

  it('links the privatelink zones, and writes a record per endpoint (ADF-5)', () => {
    const zone = network.privateDnsZones.find(({ name }) => name === 'privatelink.blob.core.windows.net');
    expect(zone?.properties.virtualNetworkLinks.map((link) => link.properties.virtualNetwork.id)).toEqual([
      factory?.properties.managedVirtualNetwork.id,
    ]);
    const [group] = network.privateDnsZoneGroups;
    expect(group?.properties.privateDnsZones.map(({ id }) => id)).toEqual([zone?.id]);
  });

  it('leaves requests Pending until the owner of the target approves (ADF-2)', () => {
    const [connection] = network.privateEndpoints[0]?.properties.manualPrivateLinkServiceConnections ?? [];
    expect(connection?.properties.privateLinkServiceConnectionState.status).toBe('Pending');
    const live = start(topology({}, 'Pending'));
    expect(reaches(live, `${STORE_HOST}:443`)).toBe(false);
    live.step('approve', 'mpe-store');
    expect(reaches(live, `${STORE_HOST}:443`)).toBe(true);
    live.step('remove', { connection: 'mpe-store' });
    expect(reaches(live, `${STORE_HOST}:443`)).toBe(false);
  });

  it('is reported at its line when it names a service that does not exist', () => {
    const text = 'dataFactories:\n  adf1:\n    managedPrivateEndpoints:\n      mpe: {service: stroe1}\n';
    const { issues } = readNetworkText(text, 'topology.yaml');
    expect(issues.map((issue) => [issue.code, issue.source?.line])).toContainEqual(['NAME_NOT_FOUND', 4]);
  });
});

describe('a factory in an export', () => {
  const id = '/subscriptions/s/resourceGroups/g/providers/Microsoft.DataFactory/factories/adf2';
  const store = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/store1';
  const resources = (endpoint: object): object[] => [
    { id: store, name: 'store1', type: 'Microsoft.Storage/storageAccounts', properties: { hostNames: [STORE_HOST] } },
    { id, name: 'adf2', type: 'Microsoft.DataFactory/factories', location: 'westeurope', properties: {} },
    {
      id: `${id}/managedVirtualNetworks/default`,
      name: 'adf2/default',
      type: 'Microsoft.DataFactory/factories/managedVirtualNetworks',
      properties: {},
    },
    {
      id: `${id}/managedVirtualNetworks/default/managedPrivateEndpoints/mpe`,
      name: 'adf2/default/mpe',
      type: 'Microsoft.DataFactory/factories/managedVirtualNetworks/managedPrivateEndpoints',
      properties: endpoint,
    },
  ];

  it('is read with its children as resources of their own', () => {
    const endpoint = { privateLinkResourceId: store, groupId: 'blob', connectionState: { status: 'Approved' } };
    const { network, issues } = readNetworkValue(resources(endpoint), 'export.json');
    expect(issues.filter((issue) => issue.severity === 'error')).toEqual([]);
    const [made] = network?.privateEndpoints ?? [];
    expect(made?.name).toBe('mpe');
    const [connection] = made?.properties.manualPrivateLinkServiceConnections ?? [];
    expect(connection?.properties.privateLinkServiceConnectionState.status).toBe('Approved');
  });

  it('is refused without the target of an endpoint', () => {
    const { issues } = readNetworkValue(resources({ groupId: 'blob' }), 'export.json');
    expect(issues.map((issue) => issue.code)).toContain('FIELD_MISSING');
  });

  it('without a managed network it is nothing', () => {
    const { network } = readNetworkValue(resources({}).slice(0, 2), 'export.json');
    expect(network?.dataFactories).toEqual([]);
    expect(network?.virtualNetworks).toEqual([]);
  });
});

describe('what the runtime reaches publicly (ADF-3)', () => {
  it.each([
    ['ga-2026', true, true, true],
    ['preview-2022', true, true, true],
    ['pe-2020', true, false, false],
    ['interface-endpoint-2018', true, false, false],
  ] as const)('%s: 443 %s, 1433 %s, storage %s', (profile, https, sql, storage) => {
    const live = start({ dataFactories: { adf1: {} } }, profile);
    expect(reaches(live, '52.224.9.9:443')).toBe(https);
    expect(reaches(live, '52.224.9.9:1433')).toBe(sql);
    expect(reaches(live, '20.60.0.9:443')).toBe(storage);
  });

  it('storage is closed by its own public address too', () => {
    const live = start({ ...topology({ dataFactories: { adf1: {} } }) }, 'pe-2020');
    expect(reaches(live, '52.224.7.7:443')).toBe(false);
    expect(reaches(live, '52.224.7.8:443')).toBe(true);
  });
});

describe('stores with endpoints elsewhere (ADF-5)', () => {
  const elsewhere = (factory: object): object =>
    topology({
      virtualNetworks: { net: { addressSpace: '10.0.0.0/16', subnets: { pe: { addressPrefix: '10.0.0.0/24' } } } },
      privateEndpoints: { other: { subnet: 'net/pe', service: 'store1' } },
      dataFactories: { adf1: factory },
    });
  const warnings = (value: object): string[] =>
    validateNetwork(networkOfShort(value, behaviourOf()), behaviourOf()).map((issue) => issue.code);

  it('are out of reach by name, and validation says so', () => {
    const live = start(elsewhere({}));
    expect(live.step('resolve', { from: 'adf1', name: STORE_HOST }).told?.status).toBe('NXDOMAIN');
    expect(warnings(elsewhere({}))).toContain('FACTORY_STORE_ENDPOINT');
  });

  it('are reached through a managed private endpoint', () => {
    const factory = { managedPrivateEndpoints: { mpe: { service: 'store1', state: 'Approved' } } };
    expect(reaches(start(elsewhere(factory)), `${STORE_HOST}:443`)).toBe(true);
    expect(warnings(elsewhere(factory))).not.toContain('FACTORY_STORE_ENDPOINT');
  });

  it('are reached publicly as long as nobody has an endpoint', () => {
    const live = start(topology({ dataFactories: { adf1: {} } }));
    expect(live.step('resolve', { from: 'adf1', name: STORE_HOST }).told?.address).toEqual(['52.224.7.7']);
    expect(reaches(live, '52.224.7.7:443')).toBe(true);
  });
});
