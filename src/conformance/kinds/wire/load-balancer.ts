// The shapes about load balancers (LB): what both ends see, where connections go when members go down, and a member
// that connects to its own frontend.

import { z } from 'zod';
import { DROP } from '../../../abi/drop-reasons.ts';
import type { Behaviour } from '../../../control/model/profile.ts';
import type { Network } from '../../../control/model/resources.ts';
import { subnetIdOf, withBalancer, withUnhealthy } from '../../balancing.ts';
import { Fabric } from '../../fabric.ts';
import { networkOf } from '../../network.ts';
import { shape } from '../../shape.ts';
import type { Shape } from '../../shape.ts';
import { open, staysWith } from './exchange.ts';
import type { ExchangePlan } from './exchange.ts';
import { isPrivateAddress, spreadTopology, subnetName } from './spread.ts';

const SOURCE_PORT = 50_000;
const SERVICE_PORT = 80;
const BACKEND_PORT = 8080;
const port = z.int().min(1).max(65_535);

/** LB-3, NSG-14: the backend sees the client, the client sees the frontend. */
const addresses = shape(
  z.strictObject({
    client: z.ipv4(),
    frontend: z.ipv4(),
    backend: z.ipv4(),
    frontendPort: port.default(SERVICE_PORT),
    backendPort: port.optional(),
  }),
  ({ client, frontend, backend, frontendPort, backendPort = frontendPort }, { behaviour }) => {
    const isInside = isPrivateAddress(client);
    if (isInside !== isPrivateAddress(frontend))
      throw new Error('client and frontend have to be both private or public');
    const network = spreadTopology({
      vnet: { nics: { backend, ...(isInside ? { client } : {}) }, others: isInside ? [frontend] : [] },
    });
    const rules = [{ protocol: 'Tcp' as const, frontendPort, backendPort }];
    const placed = isInside ? { subnet: subnetName('vnet', frontend) } : {};
    const fabric = balanced(networkOf(network, behaviour), behaviour, {
      frontend,
      backends: ['backend'],
      rules,
      ...placed,
    });
    const plan: ExchangePlan = {
      from: isInside ? 'client' : 'internet',
      src: client,
      srcPort: SOURCE_PORT,
      dst: frontend,
      dstPort: frontendPort,
      protocol: 'Tcp',
    };
    const { backendSees, clientSees, connects } = open(fabric, plan);
    return { backendSees, clientSees, replySource: clientSees?.srcIp, connects };
  },
);

/** LB-4: a connection when the member that has it, or every member, goes down. */
const probeDown = shape(
  z.strictObject({
    probeDown: z.enum(['one', 'all', 'none']),
    established: z.array(z.enum(['Tcp', 'Udp'])).min(1),
  }),
  ({ probeDown: down, established }, { behaviour }) => {
    const backends = ['backend1', 'backend2'];
    const base = networkOf(MEMBERS, behaviour);
    const continues = established.map((protocol) => {
      const rules = [{ protocol, frontendPort: SERVICE_PORT, backendPort: BACKEND_PORT }];
      const fabric = balanced(base, behaviour, { frontend: FRONTEND, backends, rules, subnet: MEMBERS_SUBNET });
      const plan = { ...FROM_CLIENT, srcPort: SOURCE_PORT, protocol };
      const { backend, backendSees, connects, first } = open(fabric, plan);
      if (!connects || backend === undefined || backendSees === undefined)
        throw new Error(`${protocol} did not connect`);
      const used = first.sideTable.attachments[backend]?.name ?? '';
      const unhealthy = { one: [used], all: backends, none: [] }[down];
      fabric.change(withUnhealthy(fabric.simulation.compiled.network, 'ilb', unhealthy));
      return [protocol, staysWith(fabric, plan, backend, backendSees)] as const;
    });
    return { continuesOnSameBackend: Object.fromEntries(continues) };
  },
);

/** LB-6: source ports are tried until the hash chooses the wanted member. */
const ownFrontend = shape(
  z.strictObject({ client: z.string(), frontend: z.literal('ilb'), chosenBackend: z.string() }),
  ({ client, chosenBackend }, { behaviour }) => {
    const backends = ['backend1', 'backend2'];
    if (!backends.includes(chosenBackend)) throw new Error(`chosenBackend has to be one of ${backends.join(', ')}`);
    if (!Object.hasOwn(MEMBERS.nics, client))
      throw new Error(`client has to be client or one of ${backends.join(', ')}`);
    const rules = [{ protocol: 'Tcp' as const, frontendPort: SERVICE_PORT, backendPort: BACKEND_PORT }];
    const base = networkOf(MEMBERS, behaviour);
    const fabric = balanced(base, behaviour, { frontend: FRONTEND, backends, rules, subnet: MEMBERS_SUBNET });
    const src = MEMBERS.nics[client]?.ip ?? '';
    for (let srcPort = SOURCE_PORT; srcPort < SOURCE_PORT + PORTS_TRIED; srcPort++) {
      const plan: ExchangePlan = { ...FROM_CLIENT, from: client, src, srcPort, protocol: 'Tcp' };
      const { first, backend, connects } = open(fabric, plan);
      const isOwn = first.reason === DROP.BALANCER_HAIRPIN;
      const chosen = isOwn ? client : first.sideTable.attachments[backend ?? -1]?.name;
      if (chosen === chosenBackend) return { connects };
    }
    throw new Error(`no source port leads to ${chosenBackend}`);
  },
);

export const loadBalancerShapes: readonly Shape[] = [addresses, probeDown, ownFrontend];

const PORTS_TRIED = 256;
const FRONTEND = '10.0.0.100';
const MEMBERS = spreadTopology({
  vnet: { nics: { client: '10.0.0.4', backend1: '10.0.0.5', backend2: '10.0.0.6' } },
});
const MEMBERS_SUBNET = subnetName('vnet', FRONTEND);
const FROM_CLIENT = { from: 'client', src: '10.0.0.4', dst: FRONTEND, dstPort: SERVICE_PORT };

interface BalancedPlan {
  readonly frontend: string;
  /** Name of the subnet of an internal frontend. */
  readonly subnet?: string;
  readonly backends: readonly string[];
  readonly rules: Parameters<typeof withBalancer>[1]['rules'];
}

function balanced(network: Network, behaviour: Behaviour, { subnet, ...plan }: BalancedPlan): Fabric {
  const placed = subnet === undefined ? {} : { subnet: subnetIdOf(network, subnet) };
  return new Fabric(withBalancer(network, { name: 'ilb', ...plan, ...placed }), behaviour);
}
