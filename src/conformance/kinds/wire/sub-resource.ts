// The shape about sub-resources: an endpoint leads to one sub-resource of its target and to nothing else (PE-8).

import { z } from 'zod';
import { TCP_SYN, buildFrame, parseIpv4 } from '../../../wire/index.ts';
import type { Network, PrivateLinkResource } from '../../../control/model/resources.ts';
import { Fabric } from '../../fabric.ts';
import { networkOf } from '../../network.ts';
import { parseTopology } from '../../notation.ts';
import { resourceId, targetId } from '../../resources.ts';
import { shape } from '../../shape.ts';
import { traceOfPass } from '../../verdict.ts';

const HTTPS_PORT = 443;
/** Sub-resources of a storage account: `<account>.<sub-resource>.core.windows.net`. */
const STORAGE = ['blob', 'file', 'queue', 'table', 'dfs'] as const;

export const subResource = shape(
  z.strictObject({
    peGroupId: z.enum(STORAGE),
    requestFor: z.string().regex(/^[a-z0-9]+\.[a-z]+\.core\.windows\.net$/),
    viaPe: z.literal(true),
  }),
  ({ peGroupId, requestFor }, { behaviour }) => {
    const [account = ''] = requestFor.split('.');
    const network = withAccount(networkOf(TOPOLOGY, behaviour), account, peGroupId);
    const fabric = new Fabric(network, behaviour);
    const syn = { srcPort: 50_000, dstPort: HTTPS_PORT, flags: TCP_SYN };
    const frame = buildFrame({ src: parseIpv4('10.0.0.4'), dst: parseIpv4('10.0.1.4'), tcp: syn });
    const pass = fabric.send('client', frame).passes[0];
    if (pass?.egress !== fabric.attachment('provider:endpoint')) return { reachable: false };
    // Whoever the frame reached has to be the one that the request is for.
    const reached = network.privateLinkResources.find(({ name }) => name === traceOfPass(pass).service);
    return { reachable: reached?.properties.hostNames.includes(requestFor) ?? false };
  },
);

const TOPOLOGY = parseTopology({
  vnets: { vnet: ['10.0.0.0/16'] },
  subnets: { clients: { vnet: 'vnet', cidr: '10.0.0.0/24' }, endpoints: { vnet: 'vnet', cidr: '10.0.1.0/24' } },
  nics: { client: { subnet: 'clients', ip: '10.0.0.4' } },
  pes: { endpoint: { subnet: 'endpoints', ip: '10.0.1.4', ports: [HTTPS_PORT] } },
});

/** Every sub-resource of the account as a service of its own; the endpoint's target is the one it names. */
function withAccount(network: Network, account: string, groupId: (typeof STORAGE)[number]): Network {
  const privateLinkResources = STORAGE.map((sub, i): PrivateLinkResource => {
    const name = `${account}-${sub}`;
    const type = 'Microsoft.Storage/storageAccounts';
    const hostNames = [`${account}.${sub}.core.windows.net`];
    const properties = { backendAddress: `198.18.0.${20 + i}`, ports: [String(HTTPS_PORT)], hostNames };
    return { id: sub === groupId ? targetId('endpoint') : resourceId(type, name), name, type, properties };
  });
  return { ...network, privateLinkResources };
}
