import { expect, test } from 'vitest';
import type { Network } from '../../../src/control/model/resources.ts';
import { network, type NetworkSpec } from '../fixtures.ts';
import { codesOf } from './codes-of.ts';

function vnets(a: string, b: string, c = '10.200.0.0/16'): NetworkSpec['vnets'] {
  return { a: { ranges: a.split(',') }, b: { ranges: b.split(',') }, c: { ranges: [c] } };
}

test.each([
  ['10.0.0.0/16', '10.1.0.0/16', 'ok'],
  ['10.0.0.0/16', '10.0.0.0/16', 'PEERING_OVERLAP'],
  ['10.0.0.0/16', '10.0.128.0/17', 'PEERING_OVERLAP'],
  ['10.0.0.0/16,10.8.0.0/16', '10.9.0.0/16,10.8.1.0/24', 'PEERING_OVERLAP'],
])('peered networks %s and %s give %s', (a, b, code) => {
  expect(codesOf(network({ vnets: vnets(a, b), peerings: [['a', 'b']] }))).toBe(code);
  expect(codesOf(network({ vnets: vnets(a, b) }))).toBe('ok');
});

test('two spokes of one hub do not overlap either', () => {
  const spec = { vnets: vnets('10.0.0.0/16', '10.1.0.0/16', '10.1.0.0/16') };
  expect(
    codesOf(
      network({
        ...spec,
        peerings: [
          ['a', 'b'],
          ['a', 'c'],
        ],
      }),
    ),
  ).toBe('PEERING_OVERLAP');
});

/** Edits the first link of a network. */
function edit(given: Network, vnetIndex: number, properties: object): Network {
  const virtualNetworks = given.virtualNetworks.map((vnet, index) => {
    if (index !== vnetIndex) return vnet;
    const [first, ...others] = vnet.properties.virtualNetworkPeerings;
    const virtualNetworkPeerings = [{ ...first, properties: { ...first.properties, ...properties } }, ...others];
    return { ...vnet, properties: { ...vnet.properties, virtualNetworkPeerings } };
  });
  return { ...given, virtualNetworks };
}

function unlink(given: Network, vnetIndex: number): Network {
  const virtualNetworks = given.virtualNetworks.map((vnet, index) =>
    index === vnetIndex ? { ...vnet, properties: { ...vnet.properties, virtualNetworkPeerings: [] } } : vnet,
  );
  return { ...given, virtualNetworks };
}

const PEERED = network({ vnets: vnets('10.0.0.0/16', '10.1.0.0/16'), peerings: [['a', 'b']] });

test('a peering that does not carry traffic is a warning', () => {
  expect(codesOf(PEERED)).toBe('ok');
  expect(codesOf(unlink(PEERED, 1))).toBe('~PEERING_ONE_SIDED');
  expect(codesOf(edit(PEERED, 0, { peeringState: 'Disconnected' }))).toBe('~PEERING_NOT_CONNECTED');
  const both = edit(edit(PEERED, 0, { peeringState: 'Initiated' }), 1, { peeringState: 'Initiated' });
  expect(codesOf(both)).toBe('~PEERING_NOT_CONNECTED ~PEERING_NOT_CONNECTED');
});

test('a peering leads to another network of the input, once', () => {
  const ids = PEERED.virtualNetworks.map((vnet) => vnet.id);
  expect(codesOf(edit(PEERED, 0, { remoteVirtualNetwork: { id: `${ids[1]}x` } }))).toBe(
    '~PEERING_REMOTE_NOT_FOUND ~PEERING_ONE_SIDED',
  );
  expect(codesOf(unlink(edit(PEERED, 0, { remoteVirtualNetwork: { id: ids[0] } }), 1))).toBe('PEERING_SELF');
  const twice = network({
    vnets: vnets('10.0.0.0/16', '10.1.0.0/16'),
    peerings: [
      ['a', 'b'],
      ['a', 'b'],
    ],
  });
  expect(codesOf(twice)).toBe('PEERING_DUPLICATE PEERING_DUPLICATE');
});

test.each<[string, NetworkSpec, string]>([
  [
    'with transit and a gateway there',
    { gateways: { g: { vnet: 'a' } }, peerings: [['a', 'b', { gatewayTransit: true }, { useRemoteGateways: true }]] },
    'ok',
  ],
  [
    'without transit',
    { gateways: { g: { vnet: 'a' } }, peerings: [['a', 'b', {}, { useRemoteGateways: true }]] },
    'REMOTE_GATEWAYS_NO_TRANSIT',
  ],
  [
    'without a gateway there',
    { peerings: [['a', 'b', { gatewayTransit: true }, { useRemoteGateways: true }]] },
    '~REMOTE_GATEWAYS_NONE',
  ],
  [
    'beside a gateway of its own',
    {
      gateways: { g: { vnet: 'a' }, own: { vnet: 'b' } },
      peerings: [['a', 'b', { gatewayTransit: true }, { useRemoteGateways: true }]],
    },
    'REMOTE_GATEWAYS_OWN',
  ],
  [
    'of two peers',
    {
      gateways: { g: { vnet: 'a' }, h: { vnet: 'c' } },
      peerings: [
        ['a', 'b', { gatewayTransit: true }, { useRemoteGateways: true }],
        ['c', 'b', { gatewayTransit: true }, { useRemoteGateways: true }],
      ],
    },
    'REMOTE_GATEWAYS_SEVERAL',
  ],
])('using remote gateways %s gives its code', (_what, spec, code) => {
  expect(codesOf(network({ vnets: vnets('10.0.0.0/16', '10.1.0.0/16'), ...spec }))).toBe(code);
});
