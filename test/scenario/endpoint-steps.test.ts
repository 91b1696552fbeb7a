import { expect, test } from 'vitest';
import { LiveNetwork, networkOfShort } from '../../src/conformance/live.ts';
import { behaviourOf } from '../../src/control/model/profile.ts';
import { providerTopology } from '../control/provider-topology.ts';

function live(): LiveNetwork {
  const behaviour = behaviourOf();
  return new LiveNetwork(networkOfShort(providerTopology(), behaviour), behaviour);
}

function connects(network: LiveNetwork, endpoint: string): string | undefined {
  return network.step('connect', { from: 'client', to: `${endpoint}:443`, retries: 1 }).result;
}

test('steps of owner and consumer decide who reaches a service through overlapping networks (PE-13 to PE-20, PLS-7)', () => {
  const network = live();
  expect(connects(network, 'pe')).toBe('established');
  const byConsumer = network.step('reject', { endpoint: 'pe', as: 'consumer' });
  expect(byConsumer.refused?.map(({ code }) => code)).toEqual(['CONNECTION_ACTOR']);
  expect(connects(network, 'pe')).toBe('established');
  expect(network.step('reject', { endpoint: 'pe', description: 'not yours' }).refused).toBeUndefined();
  expect(connects(network, 'pe')).toBe('timedOut');
  expect(network.step('approve', 'pe').refused?.map(({ code }) => code)).toEqual(['CONNECTION_FINAL']);

  network.step('createEndpoint', { name: 'second', subnet: 'consumer/endpoints', service: 'shop', approval: 'manual' });
  expect(connects(network, 'second')).toBe('timedOut');
  network.step('approve', 'second');
  expect(connects(network, 'second')).toBe('established');
  const inUse = network.step('remove', { service: 'shop' });
  expect(inUse.refused?.map(({ code }) => code)).toEqual(['SERVICE_IN_USE']);
  expect(connects(network, 'second')).toBe('established');
});

test('a refused change leaves the running network as it was (PLS-4)', () => {
  const network = live();
  const refused = network.step('setVisibility', { service: 'shop', visibility: ['s1'], autoApproval: ['s2'] });
  expect(refused.refused?.map(({ code }) => code)).toEqual(['LINK_SERVICE_AUTO_APPROVAL']);
  const [shop] = network.session.simulation.compiled.network.privateLinkServices;
  expect(shop.properties.visibility).toEqual(['*']);
});

test('an administrator takes a member out and puts it back (LB-8)', () => {
  const network = live();
  const state = (nic: string, word: 'Up' | 'Down' | 'None'): unknown =>
    network.step('setAdminState', { loadBalancer: 'lb', nic, state: word });
  state('web1', 'Down');
  state('web2', 'Down');
  expect(connects(network, 'pe')).toBe('timedOut');
  state('web2', 'None');
  expect(connects(network, 'pe')).toBe('established');
});
