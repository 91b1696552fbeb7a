// SQL services in a running network: what the step `sql` tells, and what changes of a service do to it.

import { expect, test } from 'vitest';
import { LiveNetwork, networkOfShort } from '../../src/conformance/live.ts';
import { behaviourOf } from '../../src/control/model/profile.ts';
import type { Switches } from '../../src/control/model/profile.ts';

const NAME = 'mi1.zone1.database.windows.net';

function live(services: object, switches: Partial<Switches> = {}, zones: object = {}): LiveNetwork {
  const behaviour = behaviourOf('ga-2026', switches);
  const topology = {
    virtualNetworks: {
      data: {
        addressSpace: '10.9.0.0/16',
        subnets: {
          instance: {
            addressPrefix: '10.9.0.0/24',
            delegation: 'Microsoft.Sql/managedInstances',
            networkSecurityGroup: 'nsg',
            routeTable: 'rt',
          },
          clients: { addressPrefix: '10.9.1.0/24' },
        },
      },
    },
    networkSecurityGroups: {
      nsg: {
        rules: [
          {
            name: 'Public',
            priority: 100,
            direction: 'Inbound',
            access: 'Allow',
            protocol: 'Tcp',
            source: 'Internet',
            destinationPorts: 3342,
          },
        ],
      },
    },
    routeTables: { rt: {} },
    networkInterfaces: { app: { subnet: 'data/clients', privateIPAddress: '10.9.1.4' } },
    services,
    privateEndpoints: Object.fromEntries(
      Object.keys(services).map((service) => [`pe-${service}`, { subnet: 'data/clients', service }]),
    ),
    publicDns: { 'example.com': '203.0.113.9' },
    privateDnsZones: zones,
  };
  return new LiveNetwork(networkOfShort(topology, behaviour), behaviour);
}

const INSTANCE = { mi1: { type: 'Microsoft.Sql/managedInstances', subnet: 'data/instance', dnsZone: 'zone1' } };

test('the connection type decides from the next login on (SQLMI-11)', () => {
  const network = live(INSTANCE);
  expect(network.step('sql', { from: 'app', to: NAME }).told).toMatchObject({
    login: 'ok',
    connectionType: 'Redirect',
  });
  network.step('setConnectionType', { service: 'mi1', connectionType: 'Proxy' });
  const facts = network.step('sql', { from: 'app', to: NAME });
  expect(facts.told).toMatchObject({ login: 'ok', connectionType: 'Proxy', ports: [1433] });
  expect(facts.counts.connections).toBe(1);
});

test('the default connection type is a switch, and so are the ports of redirection (SQLMI-10, SQLMI-11)', () => {
  const proxy = live(INSTANCE, { 'mi.defaultConnectionType': 'Proxy' });
  expect(proxy.step('sql', { from: 'app', to: NAME }).told?.connectionType).toBe('Proxy');
  const same = live(INSTANCE, { 'mi.redirectPorts': '1433' });
  expect(same.step('sql', { from: 'app', to: NAME }).told).toMatchObject({ login: 'ok', ports: [1433, 1433] });
});

test('the public endpoint opens and closes while the network runs (SQLMI-3)', () => {
  const network = live(INSTANCE);
  const to = 'mi1.public.zone1.database.windows.net:3342';
  const login = (): unknown => network.step('sql', { from: 'internet@203.0.113.7', to }).told?.login;
  expect(login).toThrow(/public\.zone1/);
  network.step('setPublicEndpoint', { service: 'mi1', enabled: true });
  expect(login()).toBe('ok');
  network.step('setPublicEndpoint', { service: 'mi1', enabled: false });
  expect(login).toThrow(/public\.zone1/);
});

test('changes of what is no instance are refused', () => {
  const network = live({ vault: { type: 'Microsoft.KeyVault/vaults' } });
  const before = network.session.simulation.compiled.network;
  const refused = network.step('setPublicEndpoint', { service: 'vault', enabled: true }).refused;
  expect(refused?.map(({ code }) => code)).toEqual(['CHANGE_VALUE']);
  expect(network.step('setConnectionType', { service: 'nobody', connectionType: 'Proxy' }).refused).toHaveLength(1);
  expect(network.session.simulation.compiled.network).toBe(before);
});

test('an endpoint named in a step stands for its address, which is no server name (SQLMI-18, Q-15)', () => {
  const network = live(INSTANCE, { 'mi.error40532State': 9 });
  const facts = network.step('sql', { from: 'app', to: 'pe-mi1', trustServerCertificate: true });
  expect(facts.told).toMatchObject({ tls: 'ok', login: 'error', sqlError: 40_532 });
  expect(facts.result).toBe('established');
});

test('an instance sees the client through an endpoint, or its gateway where the switch says so (Q-7b)', () => {
  const zones = { 'privatelink.site': { links: { data: 'Default' }, records: { mi1: '10.9.1.5' } } };
  const ask = { from: 'app', to: 'mi1.privatelink.site', encrypt: false, query: 'client_net_address' };
  expect(live(INSTANCE, {}, zones).step('sql', ask).told?.value).toBe('10.9.1.4');
  const hidden = live(INSTANCE, { 'mi.endpointSource': 'gateway' }, zones);
  expect(hidden.step('sql', ask).told?.value).toBe('10.9.0.4');
});

test('an endpoint of SQL Database redirects to itself when the policy says so (SQLMI-15, PE-38)', () => {
  const database = {
    type: 'Microsoft.Sql/servers',
    hostNames: 'srv1.database.windows.net',
    connectionType: 'Redirect',
  };
  const zone = { links: { data: 'Default' }, records: { srv1: '10.9.1.5' } };
  const network = live({ srv1: database }, {}, { 'privatelink.database.windows.net': zone });
  const { told = {} } = network.step('sql', { from: 'app', to: 'srv1.database.windows.net' });
  expect(told).toMatchObject({ login: 'ok', connectionType: 'Redirect', resolvesTo: '10.9.1.5' });
  const [, redirected] = told.ports as number[];
  expect(redirected).toBeGreaterThanOrEqual(11_000);
  network.step('setConnectionType', { service: 'srv1', connectionType: 'Proxy' });
  expect(network.step('sql', { from: 'app', to: 'srv1.database.windows.net' }).told?.ports).toEqual([1433]);
});

test('names of an instance are known in a topology that says nothing about DNS (SQLMI-1)', () => {
  const behaviour = behaviourOf();
  const instance = { addressPrefix: '10.9.0.0/24', delegation: 'Microsoft.Sql/managedInstances' };
  const subnets = {
    instance: { ...instance, networkSecurityGroup: 'nsg', routeTable: 'rt' },
    clients: { addressPrefix: '10.9.1.0/24' },
  };
  const topology = {
    virtualNetworks: { data: { addressSpace: '10.9.0.0/16', subnets } },
    networkSecurityGroups: { nsg: {} },
    routeTables: { rt: {} },
    networkInterfaces: { app: { subnet: 'data/clients' } },
    services: INSTANCE,
  };
  const network = new LiveNetwork(networkOfShort(topology, behaviour), behaviour);
  const { told } = network.step('sql', { from: 'app', to: NAME });
  expect(told).toMatchObject({ login: 'ok', connectionType: 'Redirect', resolvesTo: '10.9.0.4' });
});
