// The shapes about Private Link services (PLS): what both ends see, the port budget, and connections that are idle.

import { z } from 'zod';
import { serviceBudget } from '../../../control/private-link/budget.ts';
import type { Behaviour } from '../../../control/model/profile.ts';
import type { Network } from '../../../control/model/resources.ts';
import { formatIpv4, parseIpv4 } from '../../../wire/index.ts';
import { serviceId, subnetIdOf, withBalancer, withService } from '../../balancing.ts';
import { Fabric } from '../../fabric.ts';
import { networkOf } from '../../network.ts';
import { shape } from '../../shape.ts';
import type { Shape } from '../../shape.ts';
import { open, staysWith } from './exchange.ts';
import type { ExchangePlan } from './exchange.ts';
import { freeAddress, spreadTopology, subnetName } from './spread.ts';

const SOURCE_PORT = 50_000;
const SERVICE_PORT = 443;
const port = z.int().min(1).max(65_535);
const natIps = z.array(z.ipv4()).min(1).max(8);

/** PLS-7, PLS-8, PLS-13: the backend sees a NAT address, the client sees the endpoint; the networks may overlap. */
const addresses = shape(
  z.strictObject({
    client: z.ipv4(),
    natIps,
    backend: z.ipv4(),
    pe: z.ipv4().optional(),
    frontend: z.ipv4().optional(),
    consumerVnet: z.cidrv4().optional(),
    providerVnet: z.cidrv4().optional(),
    frontendPort: port.default(SERVICE_PORT),
    backendPort: port.optional(),
  }),
  (input, { behaviour }) => {
    const { client, frontendPort, backendPort = frontendPort } = input;
    const pe = input.pe ?? freeAddress(input.consumerVnet ?? client, [client]);
    const provider = [...input.natIps, input.backend];
    const frontend = input.frontend ?? freeAddress(input.providerVnet ?? input.backend, provider);
    const fabric = new Fabric(
      serviceNetwork({ ...input, backends: [input.backend], pe, frontend, frontendPort, backendPort }, behaviour),
      behaviour,
    );
    const opened = open(fabric, fromClient(client, pe, frontendPort));
    return { backendSees: opened.backendSees, clientSees: opened.clientSees, connects: opened.connects };
  },
);

/** PLS-10: the budget that the configuration allows. */
const budget = shape(
  z.strictObject({
    natIps: z.union([z.int().min(1).max(8), natIps.transform((list) => list.length)]),
    backendVms: z.int().min(0).max(200),
  }),
  ({ natIps: count, backendVms }, { behaviour }) => {
    const list = (first: string, length: number): string[] =>
      Array.from({ length }, (_, i) => formatIpv4(parseIpv4(first) + i));
    const network = serviceNetwork(
      { ...EXAMPLE, natIps: list('10.50.0.8', count), backends: list('10.50.1.4', backendVms) },
      behaviour,
    );
    return { maxTcpConnections: serviceBudget(network, serviceId('service')) };
  },
);

/** PLS-11: one connection per idle time. */
const idle = shape(
  z.strictObject({ idleSeconds: z.array(z.number().min(0)).min(1) }),
  ({ idleSeconds }, { behaviour }) => {
    const flowAlive = idleSeconds.map((seconds) => {
      const fabric = new Fabric(serviceNetwork(EXAMPLE, behaviour), behaviour);
      const plan = fromClient(EXAMPLE.client, EXAMPLE.pe, EXAMPLE.frontendPort);
      const { backend, backendSees, connects } = open(fabric, plan);
      if (!connects || backend === undefined || backendSees === undefined) throw new Error('did not connect');
      fabric.advance(seconds / 60);
      return staysWith(fabric, plan, backend, backendSees);
    });
    return { flowAlive };
  },
);

export const privateLinkServiceShapes: readonly Shape[] = [addresses, budget, idle];

interface ServiceInput {
  readonly client: string;
  readonly pe: string;
  readonly natIps: readonly string[];
  readonly frontend: string;
  readonly backends: readonly string[];
  readonly consumerVnet?: string | undefined;
  readonly providerVnet?: string | undefined;
  readonly frontendPort: number;
  readonly backendPort: number;
}

const EXAMPLE: ServiceInput = {
  client: '10.0.0.4',
  pe: '10.0.1.5',
  natIps: ['10.50.0.8'],
  frontend: '10.50.2.4',
  backends: ['10.50.1.4'],
  frontendPort: SERVICE_PORT,
  backendPort: 8443,
};

/** A consumer with an endpoint, and a provider with a service, in two networks that are not peered. */
function serviceNetwork(input: ServiceInput, behaviour: Behaviour): Network {
  const { client, pe, frontend, backends, consumerVnet, providerVnet, frontendPort, backendPort } = input;
  const nics = Object.fromEntries(backends.map((ip, i) => [`backend${i}`, ip]));
  const topology = spreadTopology({
    consumer: { ...(consumerVnet && { space: consumerVnet }), nics: { client }, endpoints: { pe } },
    provider: { ...(providerVnet && { space: providerVnet }), nics, others: [frontend, ...input.natIps] },
  });
  const base = networkOf(topology, behaviour);
  const subnet = (ip: string): string => subnetIdOf(base, subnetName('provider', ip, providerVnet));
  const balanced = withBalancer(base, {
    name: 'ilb',
    frontend,
    subnet: subnet(frontend),
    backends: Object.keys(nics),
    rules: [{ protocol: 'Tcp', frontendPort, backendPort }],
  });
  const natAddresses = input.natIps;
  const nat = subnet(natAddresses[0] ?? frontend);
  return withService(balanced, { name: 'service', balancer: 'ilb', natAddresses, subnet: nat, endpoint: 'pe' });
}

function fromClient(src: string, dst: string, dstPort: number): ExchangePlan {
  return { from: 'client', src, srcPort: SOURCE_PORT, dst, dstPort, protocol: 'Tcp' };
}
