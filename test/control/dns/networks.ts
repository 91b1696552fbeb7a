// A network for the tests of the resolver: two tenants, a hub, zones of several kinds.

import { readNetworkValue } from '../../../src/control/input/read.ts';
import { hasErrors } from '../../../src/control/issues.ts';
import type { Network } from '../../../src/control/model/resources.ts';

export const TOPOLOGY = {
  virtualNetworks: {
    a: { addressSpace: '10.0.0.0/16', subnets: { s: { addressPrefix: '10.0.0.0/24' } } },
    b: { addressSpace: '10.1.0.0/16', subnets: { s: { addressPrefix: '10.1.0.0/24' } } },
  },
  peerings: [{ between: ['a', 'b'] }],
  networkInterfaces: {
    'vm-a': { subnet: 'a/s', privateIPAddress: '10.0.0.4' },
    'vm-b': { subnet: 'b/s', privateIPAddress: '10.1.0.4' },
    out: { subnet: 'a/s', privateIPAddress: '10.0.0.5' },
  },
  services: {
    sql: { type: 'Microsoft.Sql/servers', hostNames: 'server.database.windows.net', publicAddress: '20.40.0.10' },
    vault: { type: 'Microsoft.KeyVault/vaults', hostNames: 'kv.vault.azure.net', publicAddress: '20.40.0.11' },
    lonely: { type: 'Microsoft.Sql/servers', hostNames: 'lonely.database.windows.net', publicAddress: '20.40.0.12' },
    theirs: { type: 'Microsoft.Sql/servers', hostNames: 'theirs.database.windows.net', publicAddress: '20.40.0.13' },
  },
  privateEndpoints: {
    'pe-sql': {
      subnet: 'a/s',
      privateIPAddress: '10.0.0.10',
      service: 'sql',
      privateDnsZones: ['privatelink.database.windows.net'],
    },
    'pe-vault': {
      subnet: 'a/s',
      privateIPAddress: '10.0.0.11',
      service: 'vault',
      privateDnsZones: ['privatelink.vaultcore.azure.net'],
    },
    'pe-theirs': { subnet: 'b/s', privateIPAddress: '10.1.0.10', service: 'theirs' },
  },
  privateDnsZones: {
    'privatelink.database.windows.net': { links: { a: 'Default' } },
    'privatelink.vaultcore.azure.net': { links: { a: 'NxDomainRedirect' } },
    'corp.example@a': { links: { a: { registrationEnabled: true } }, records: { app: '10.0.0.9', '*': '10.0.0.99' } },
    'corp.example@b': {
      links: { b: 'Default' },
      records: { app: '10.1.0.9', six: 'fd00::1', www: { cname: 'app.corp.example' } },
    },
    'sub.corp.example': { links: { a: 'Default' }, records: { www: { cname: 'server.database.windows.net' } } },
  },
  publicDns: {
    'www.example.org': { cname: 'edge.example.net' },
    'edge.example.net': '20.1.1.1',
    '*.wild.example': '20.2.2.2',
  },
  dnsForwardingRulesets: {
    rules: {
      rules: { 'onprem.example': ['192.168.0.53'], 'x.onprem.example': ['192.168.0.54'], '.': ['192.168.0.55'] },
      networks: ['b'],
      outboundEndpoint: 'out',
    },
  },
};

export function networkOf(topology: object = TOPOLOGY): Network {
  const { network, issues } = readNetworkValue(topology, 'topology.yaml');
  if (network === undefined || hasErrors(issues)) throw new Error(JSON.stringify(issues));
  return network;
}

export function vnetId(network: Network, name: string): string {
  const vnet = network.virtualNetworks.find((entry) => entry.name === name);
  if (vnet === undefined) throw new Error(`no network ${name}`);
  return vnet.id;
}
