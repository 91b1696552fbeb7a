// Changes of the network that close connections once: SEP-2, PE-45, ROUTE-46. Those that it does not concern go on.

import { expect, test } from 'vitest';
import { parseIpv4 } from '../../src/wire/index.ts';
import type { Network } from '../../src/control/model/resources.ts';
import type { Simulation } from '../../src/scenario/simulation/simulation-api.ts';
import { simulationOf } from './fixtures.ts';

const TOPOLOGY = {
  location: 'westeurope',
  virtualNetworks: {
    hub: {
      addressSpace: '10.0.0.0/16',
      subnets: {
        apps: { addressPrefix: '10.0.0.0/24', defaultOutboundAccess: true },
        others: { addressPrefix: '10.0.1.0/24', defaultOutboundAccess: true },
        routed: { addressPrefix: '10.0.4.0/24', routeTable: 'by-nva' },
        dmz: { addressPrefix: '10.0.2.0/24' },
        endpoints: { addressPrefix: '10.0.3.0/24', privateEndpointNetworkPolicies: 'Enabled' },
      },
    },
  },
  routeTables: {
    'by-nva': {
      routes: [
        { name: 'r', addressPrefix: '10.0.3.5/32', nextHopType: 'VirtualAppliance', nextHopIpAddress: '10.0.2.4' },
      ],
    },
  },
  networkInterfaces: {
    app: { subnet: 'hub/apps', privateIPAddress: '10.0.0.4' },
    other: { subnet: 'hub/others', privateIPAddress: '10.0.1.4' },
    routed: { subnet: 'hub/routed', privateIPAddress: '10.0.4.4' },
    nva: { subnet: 'hub/dmz', privateIPAddress: '10.0.2.4', enableIPForwarding: true, appliance: { snat: true } },
  },
  services: { mi: { type: 'Microsoft.Sql/managedInstances', backendAddress: '10.9.0.10', ports: [1433] } },
  privateEndpoints: { pe: { subnet: 'hub/endpoints', privateIPAddress: '10.0.3.5', service: 'mi' } },
};

/** An open connection; what became of it. */
function connect(of: Simulation, from: string, dst: string, dstPort: number): { ended: string | undefined } {
  const state: { ended: string | undefined } = { ended: undefined };
  const connection = of.host(of.attachment(from)!).connect({
    dst: parseIpv4(dst),
    dstPort,
    handlers: { onClosed: (how) => (state.ended = how) },
  });
  of.runUntil(of.now() + 1e9);
  expect(connection.state).toBe('established');
  return state;
}

function settle(of: Simulation): void {
  of.runUntil(of.now() + 1e9);
  of.checkBalance();
}

/** A storage address of the service tag in that region, as service endpoints route it. */
const withEndpoint = (network: Network, services: readonly string[]): Network => ({
  ...network,
  virtualNetworks: network.virtualNetworks.map((vnet) => ({
    ...vnet,
    properties: {
      ...vnet.properties,
      subnets: vnet.properties.subnets.map((subnet) =>
        subnet.name !== 'apps'
          ? subnet
          : {
              ...subnet,
              properties: { ...subnet.properties, serviceEndpoints: services.map((service) => ({ service })) },
            },
      ),
    },
  })),
});

test('switching a service endpoint on or off closes connections to the service, of its subnet only (SEP-2)', () => {
  const of = simulationOf({
    ...TOPOLOGY,
    serviceTags: { Storage: ['20.60.0.0/16'], 'Storage.WestEurope': ['20.60.0.0/16'] },
  });
  const storage = connect(of, 'app', '20.60.0.9', 443);
  const elsewhere = connect(of, 'app', '203.0.113.9', 443);
  const neighbour = connect(of, 'other', '20.60.0.9', 443);
  of.change((network) => withEndpoint(network, ['Microsoft.Storage']));
  settle(of);
  expect([storage.ended, elsewhere.ended, neighbour.ended]).toEqual(['reset', undefined, undefined]);
  const inside = connect(of, 'app', '20.60.0.9', 443);
  of.change((network) => withEndpoint(network, []));
  settle(of);
  expect([inside.ended, neighbour.ended]).toEqual(['reset', undefined]);
});

test('switching high-scale private endpoints closes connections to endpoints of the network once (PE-45)', () => {
  const of = simulationOf(TOPOLOGY);
  const toEndpoint = connect(of, 'app', '10.0.3.5', 1433);
  const toNic = connect(of, 'app', '10.0.1.4', 80);
  const switchOn = (network: Network): Network => ({
    ...network,
    virtualNetworks: network.virtualNetworks.map((vnet) => ({
      ...vnet,
      properties: { ...vnet.properties, privateEndpointVNetPolicies: 'Basic' },
    })),
  });
  of.change(switchOn);
  settle(of);
  expect([toEndpoint.ended, toNic.ended]).toEqual(['reset', undefined]);
  const again = connect(of, 'app', '10.0.3.5', 1433);
  of.change(switchOn);
  settle(of);
  expect(again.ended).toBeUndefined();
});

test('the tag disableSnatOnPL on an appliance closes the connections to endpoints through it (ROUTE-46)', () => {
  const of = simulationOf(TOPOLOGY);
  const through = connect(of, 'routed', '10.0.3.5', 1433);
  const past = connect(of, 'app', '10.0.3.5', 1433);
  of.change((network) => ({
    ...network,
    networkInterfaces: network.networkInterfaces.map((nic) =>
      nic.name === 'nva' ? { ...nic, tags: { disableSnatOnPL: 'true' } } : nic,
    ),
  }));
  settle(of);
  expect([through.ended, past.ended]).toEqual(['reset', undefined]);
});
