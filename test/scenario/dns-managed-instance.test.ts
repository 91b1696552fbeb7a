import { describe, expect, it } from 'vitest';
import { network } from '../../src/scenario/api.ts';
import type { NetworkUnderTest } from '../../src/scenario/api.ts';

const NAME = 'mi1.zone1.database.windows.net';
const ZONE = 'privatelink.zone1.database.windows.net';

/** The instance in a network, its endpoint in `endpoints`: another network, or the same one. */
async function start(endpoints: 'own' | 'mi', privateDnsZones: object): Promise<NetworkUnderTest> {
  return await network({
    virtualNetworks: {
      mi: {
        addressSpace: '10.9.0.0/16',
        subnets: {
          instances: {
            addressPrefix: '10.9.0.0/24',
            delegation: 'Microsoft.Sql/managedInstances',
            networkSecurityGroup: 'nsg',
            routeTable: 'table',
          },
          s: { addressPrefix: '10.9.1.0/24' },
        },
      },
      own: { addressSpace: '10.0.0.0/16', subnets: { s: { addressPrefix: '10.0.0.0/24' } } },
    },
    networkSecurityGroups: { nsg: { rules: [] } },
    routeTables: { table: { routes: [] } },
    networkInterfaces: {
      client: { subnet: `${endpoints}/s`, privateIPAddress: endpoints === 'own' ? '10.0.0.4' : '10.9.1.4' },
    },
    services: {
      mi1: { type: 'Microsoft.Sql/managedInstances', subnet: 'mi/instances', dnsZone: 'zone1', hostNames: NAME },
    },
    privateEndpoints: {
      'pe-mi': {
        subnet: `${endpoints}/s`,
        service: 'mi1',
        privateIPAddress: endpoints === 'own' ? '10.0.0.5' : '10.9.1.5',
      },
    },
    privateDnsZones,
  });
}

describe('names of a SQL Managed Instance', () => {
  it('in separate networks lead to the endpoint by the alias and the zone (SQLMI-21)', async () => {
    const net = await start('own', { [ZONE]: { links: { own: 'Default' }, records: { mi1: '10.0.0.5' } } });
    const found = await net.connect({ from: 'client', to: `${NAME}:1433` });
    found.expect({ result: 'established', resolvesTo: '10.0.0.5' });
    expect(found.to).toBe('mi1');
    await net.close();
  });

  it('without the zone lead to an address that the other network does not know (SQLMI-25)', async () => {
    const net = await start('own', { 'other.example': { links: { own: 'Default' } } });
    const found = await net.connect({ from: 'client', to: `${NAME}:1433` });
    expect(found.result).toBe('dropped');
    expect(found.route?.[2]).toBe('None');
    await net.close();
  });

  it('in the same network stay with the instance, and a zone of its own name leads to the endpoint (SQLMI-22)', async () => {
    const net = await start('mi', { 'privatelink.site': { links: { mi: 'Default' }, records: { mi1: '10.9.1.5' } } });
    const local = await net.connect({ from: 'client', to: `${NAME}:1433` });
    expect(local.to).toBe('mi1-gateway');
    const endpoint = await net.connect({ from: 'client', to: 'mi1.privatelink.site:1433' });
    endpoint.expect({ resolvesTo: '10.9.1.5' });
    expect(endpoint.to).toBe('mi1');
    await net.close();
  });

  it('are written by a zone group when the zone has the name of the instance’s zone (DNS-70, DNS-20)', async () => {
    const net = await start('own', { [ZONE]: { links: { own: 'Default' } } });
    net.change((now) => {
      const [zone] = now.privateDnsZones;
      const [endpoint] = now.privateEndpoints;
      if (zone === undefined || endpoint === undefined) throw new Error('the fixture is broken');
      const properties = { privateEndpoint: { id: endpoint.id }, privateDnsZones: [{ id: zone.id }] };
      return { ...now, privateDnsZoneGroups: [{ id: `${endpoint.id}/privateDnsZoneGroups/g`, name: 'g', properties }] };
    });
    const found = await net.connect({ from: 'client', to: `${NAME}:1433` });
    found.expect({ resolvesTo: '10.0.0.5' });
    expect(found.to).toBe('mi1');
    await net.close();
  });
});
