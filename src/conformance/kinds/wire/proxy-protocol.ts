// The shape about backends that do or do not expect a PROXY header (PLS-15): a request through an endpoint, with the
// emulator's own guests at both ends.

import { z } from 'zod';
import type { Behaviour } from '../../../control/model/profile.ts';
import type { Network } from '../../../control/model/resources.ts';
import { subnetIdOf, withBalancer, withService } from '../../balancing.ts';
import { LiveNetwork } from '../../live.ts';
import { networkOf } from '../../network.ts';
import { shape } from '../../shape.ts';
import type { Shape } from '../../shape.ts';
import { spreadTopology, subnetName } from './spread.ts';

const ENDPOINT = '10.0.1.5';
const FRONTEND = '10.50.2.4';
const NAT_ADDRESS = '10.50.0.8';
const PORT = 443;
const BYTES = '1KiB';

const trials = z.array(z.strictObject({ enableProxyProtocol: z.boolean(), backendParses: z.boolean() })).min(1);

/** Each trial has a network of its own. */
const parsers = shape(trials, (input, { behaviour }) => ({
  requestSucceeds: input.map(({ enableProxyProtocol, backendParses }) => {
    const hosts = { backend: { proxyProtocol: backendParses } };
    const live = new LiveNetwork(serviceNetwork(enableProxyProtocol, behaviour), behaviour, hosts);
    const data = { request: BYTES, response: BYTES };
    const facts = live.step('connect', { from: 'client', to: `${ENDPOINT}:${PORT}`, data });
    return facts.result === 'established' && (facts.counts.bytes ?? 0) > 0;
  }),
}));

export const proxyProtocolShapes: readonly Shape[] = [parsers];

function serviceNetwork(enableProxyProtocol: boolean, behaviour: Behaviour): Network {
  const topology = spreadTopology({
    consumer: { nics: { client: '10.0.0.4' }, endpoints: { pe: ENDPOINT } },
    provider: { nics: { backend: '10.50.1.4' }, others: [FRONTEND, NAT_ADDRESS] },
  });
  const base = networkOf(topology, behaviour);
  const balanced = withBalancer(base, {
    name: 'ilb',
    frontend: FRONTEND,
    subnet: subnetIdOf(base, subnetName('provider', FRONTEND)),
    backends: ['backend'],
    rules: [{ protocol: 'Tcp', frontendPort: PORT, backendPort: PORT }],
  });
  const subnet = subnetIdOf(base, subnetName('provider', NAT_ADDRESS));
  const network = withService(balanced, {
    name: 'service',
    balancer: 'ilb',
    natAddresses: [NAT_ADDRESS],
    subnet,
    endpoint: 'pe',
  });
  const privateLinkServices = network.privateLinkServices.map((service) => ({
    ...service,
    properties: { ...service.properties, enableProxyProtocol },
  }));
  return { ...network, privateLinkServices };
}
