// The conformance cases about SQL gateways, and variants of theirs with other names, addresses and settings.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCaseFiles } from '../../src/conformance/load.ts';
import { runCase } from '../../src/conformance/run-case.ts';

const folder = join(import.meta.dirname, 'cases');
const files = ['sqlmi.yaml', 'pe.yaml', 'topologies.yaml'].map((name) => join(folder, name));
const { cases, topologies } = loadCaseFiles(files);
const published = cases.filter(({ id }) => /^SQLMI-C|^PE-C25/.test(id));
const zone7 = 'privatelink.zone7.database.windows.net';

/** What each variant is about, its input and what must come out. */
const VARIANTS: readonly (readonly [string, object, object])[] = [
  [
    'another instance behind an endpoint of a separate network, by its public name (SQLMI-21)',
    {
      vnetsPeered: false,
      zone: zone7,
      record: 'sales',
      dataSource: 'sales.zone7.database.windows.net',
      encrypt: true,
    },
    { resolvesTo: 'peIp', tls: 'ok', login: 'ok', connectionType: 'Proxy' },
  ],
  [
    'no zone at all: the name leads to the VNet-local address, which nobody routes (SQLMI-25)',
    { vnetsPeered: false, dataSource: 'mi1.zone1.database.windows.net' },
    { resolvesTo: 'vnetLocalIp', tcp: 'timeout', login: 'error' },
  ],
  [
    'no zone, but peered networks: the VNet-local endpoint is reached by name (SQLMI-2)',
    { vnetsPeered: true, dataSource: 'mi1.zone1.database.windows.net', configuredConnectionType: 'Proxy' },
    { resolvesTo: 'vnetLocalIp', tcp: 'connected', login: 'ok', tcpConnections: 1 },
  ],
  [
    'the VNet-local endpoint by address fails at the login (SQLMI-18)',
    { via: 'vnetLocal', dataSource: '10.0.240.4', trustServerCertificate: true },
    { tcp: 'connected', tls: 'ok', login: 'error', sqlError: 40532, resolvesTo: 'vnetLocalIp' },
  ],
  [
    'an address is in no certificate (SQLMI-20)',
    { via: 'privateEndpoint', dataSource: '10.7.3.9', encrypt: true, trustServerCertificate: false },
    { tcp: 'connected', tls: 'certificateNameMismatch', resolvesTo: 'peIp' },
  ],
  [
    'a relayed VNet-local login needs port 1433 alone (SQLMI-8, SQLMI-12)',
    { via: 'vnetLocal', configuredConnectionType: 'Proxy', miNsgAllows: [1433] },
    { firstConnection: 'proxied', tcpConnections: 1, ports: [1433], login: 'ok' },
  ],
  [
    'a redirected login with both port ranges open ends at the node (SQLMI-12)',
    { via: 'vnetLocal', configuredConnectionType: 'Redirect', miNsgAllows: [1433, 11000, 11999].concat(range()) },
    { firstConnection: 'redirected', secondConnection: 'ok', secondPortRange: [11000, 11999], login: 'ok' },
  ],
  [
    'rules without 1433 stop the first connection (SQLMI-12)',
    { via: 'vnetLocal', configuredConnectionType: 'Redirect', miNsgAllows: [5022] },
    { tcp: 'timeout', firstConnection: 'timeout', tcpConnections: 1, login: 'error' },
  ],
  [
    'a zone of the private name at the endpoint network alone harms nobody (SQLMI-23)',
    { sameVnet: false, zone: zone7, linkedTo: 'endpointVnet' },
    { finding: null, managementOperations: 'ok' },
  ],
  [
    'a zone of another name in the own network harms nobody (SQLMI-22)',
    { sameVnet: true, zone: 'privatelink.site', linkedTo: 'instanceVnet' },
    { finding: null, managementOperations: 'ok' },
  ],
  [
    'the public endpoint relays also when the instance redirects (SQLMI-3)',
    {
      endpoint: 'public',
      enabled: true,
      port: 3342,
      name: 'db9.public.abc.database.windows.net',
      nsgInbound3342: true,
      configuredConnectionType: 'Redirect',
    },
    { login: 'ok', connectionType: 'Proxy', ports: [3342] },
  ],
  [
    'the public endpoint without a rule for its port (SQLMI-3)',
    {
      endpoint: 'public',
      enabled: true,
      port: 3342,
      name: 'mi1.public.zone1.database.windows.net',
      nsgInbound3342: false,
    },
    { login: 'error', tcp: 'timeout' },
  ],
  [
    'a public endpoint that is off (SQLMI-3)',
    {
      endpoint: 'public',
      enabled: false,
      port: 3342,
      name: 'mi1.public.zone1.database.windows.net',
      nsgInbound3342: true,
    },
    { login: 'error', tcp: 'timeout' },
  ],
  [
    'the public name on the port of the other endpoints (SQLMI-3)',
    {
      endpoint: 'public',
      enabled: true,
      port: 1433,
      name: 'mi1.public.zone1.database.windows.net',
      nsgInbound3342: true,
    },
    { login: 'error', tcp: 'timeout' },
  ],
  [
    'an instance reports the client address as a database does (SQLMI-17)',
    { clientVm: '10.3.1.9', pe: '10.3.1.20', service: 'SqlManagedInstance', query: 'client_net_address' },
    { value: '10.3.1.9' },
  ],
];

function range(): number[] {
  return Array.from({ length: 998 }, (_, index) => 11_001 + index);
}

describe('conformance cases about SQL', () => {
  it.each(published.map((raw) => [raw.id, raw] as const))('%s passes', (_id, raw) => {
    expect(runCase(raw, topologies)).toMatchObject({ status: 'pass', detail: '' });
  });

  it.each(VARIANTS)('%s', (name, input, expected) => {
    const raw = { id: name, kind: 'wire', input, expect: expected };
    expect(runCase(raw, topologies)).toMatchObject({ status: 'pass', detail: '' });
  });

  it('judges the second port by the range that the case names (SQLMI-10)', () => {
    const input = { via: 'vnetLocal', configuredConnectionType: 'Redirect' };
    const raw = { id: 'A', kind: 'wire', input, expect: { secondPortRange: [12_000, 12_999] } };
    expect(runCase(raw, topologies).status).toBe('fail');
  });
});
