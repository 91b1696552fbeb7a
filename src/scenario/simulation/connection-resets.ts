// Changes of the network that close connections once: a service endpoint switched on or off (SEP-2), high-scale private
// endpoints switched (PE-45), and the tag disableSnatOnPL set on an appliance (ROUTE-46).

import { ATTACHMENT, NEXT_HOP, NIC_DISABLE_SNAT_ON_PL } from '../../abi/program.ts';
import { lookupRoute } from '../../dataplane/lpm.ts';
import { idKey } from '../../control/model/resources.ts';
import type { Compiled } from '../../control/compile/compiled.ts';
import type { WatchedConnection } from './connection-watch.ts';

/** Connections that a change closes, and why. */
export interface ResetReason {
  readonly text: string;
  isMeant(connection: WatchedConnection): boolean;
}

/** What going from one network to the next closes. */
export function resetsBetween(before: Compiled, after: Compiled): ResetReason[] {
  return [
    {
      text: 'a service endpoint was switched on or off (SEP-2)',
      isMeant: ({ opener }) => leadsToService(before, opener) !== leadsToService(after, opener),
    },
    ...highScaleResets(before, after),
    ...applianceResets(before, after),
  ];
}

/** Whether the route of a NIC to what it is connected to is one of a service endpoint. */
function leadsToService({ program }: Compiled, opener: WatchedConnection['opener']): boolean {
  const { kind, routeTable } = program.attachments;
  if (kind[opener.attachment] !== ATTACHMENT.nic) return false;
  const table = program.routeTables[routeTable[opener.attachment] as number];
  if (table === undefined) return false;
  const row = lookupRoute(table.trie, opener.remoteAddress | 0);
  return row >= 0 && program.routes.nextHop[row] === NEXT_HOP.VirtualNetworkServiceEndpoint;
}

/** PE-45: the switch of a network concerns the connections of its endpoints. */
function highScaleResets(before: Compiled, after: Compiled): ResetReason[] {
  const policies = (compiled: Compiled): Map<string, string | undefined> =>
    new Map(
      compiled.network.virtualNetworks.map(({ id, properties }) => [idKey(id), properties.privateEndpointVNetPolicies]),
    );
  const now = policies(after);
  const switched = [...policies(before)].filter(([id, policy]) => now.has(id) && now.get(id) !== policy);
  return switched.map(([network]) => ({
    text: 'high-scale private endpoints were switched on or off (PE-45)',
    isMeant: ({ endpoint }) => endpoint !== undefined && networkOfEndpoint(before, endpoint) === network,
  }));
}

function networkOfEndpoint({ network }: Compiled, endpoint: string): string | undefined {
  const found = network.privateEndpoints.find(({ id }) => idKey(id) === idKey(endpoint));
  const subnet = found?.properties.subnet.id;
  return subnet === undefined ? undefined : idKey(subnet).split('/subnets/')[0];
}

/** ROUTE-46: connections to endpoints that the newly tagged appliance forwards. */
function applianceResets(before: Compiled, after: Compiled): ResetReason[] {
  const isTagged = ({ program }: Compiled, attachment: number): boolean =>
    ((program.attachments.flags[attachment] ?? 0) & NIC_DISABLE_SNAT_ON_PL) !== 0;
  const tagged = after.sideTable.attachments.flatMap((info) =>
    info !== undefined && isTagged(after, info.attachment) && !isTagged(before, info.attachment)
      ? [info.attachment]
      : [],
  );
  if (tagged.length === 0) return [];
  return [
    {
      text: 'disableSnatOnPL was set on an appliance (ROUTE-46)',
      isMeant: ({ opener, endpoint }) => endpoint !== undefined && tagged.includes(opener.attachment),
    },
  ];
}
