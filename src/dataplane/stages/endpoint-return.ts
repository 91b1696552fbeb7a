// The way of a service's answers under the switch `pe.subnetRouteTableAffectsReturn`: the route table of the
// endpoint's subnet may lead them to an appliance, to a gateway or to nowhere. By default no table is consulted
// (ROUTE-42); the compiler gives provider sides a table only where the switch is on.
//
// Reads   newDst, egress.     Writes  egress, provenance (route).
// Drops   ROUTE_NONE, NEXT_HOP_UNREACHABLE.

import { DROP } from '../../abi/drop-reasons.ts';
import { NEXT_HOP } from '../../abi/program.ts';
import { PROV_ROUTE, STAGE } from '../../abi/provenance.ts';
import type { Context } from '../context.ts';
import { lookupRoute } from '../lpm.ts';
import { dropAt, type Pass } from '../pass.ts';

/** Steers an answer whose destination is known. Routes inside the network leave it as it is. */
export function endpointReturnStage(pass: Pass, context: Context): void {
  const { attachments, routeTables, routes } = context.tables.program;
  const table = attachments.routeTable[pass.ingress];
  if (table < 0) return;
  const row = lookupRoute(routeTables[table].trie, pass.newDst);
  if (row < 0) return dropAt(pass, DROP.ROUTE_NONE, STAGE.route, pass.ingress);
  pass.provenance[PROV_ROUTE] = row;
  const nextHop = routes.nextHop[row];
  if (nextHop === NEXT_HOP.None) return dropAt(pass, DROP.ROUTE_NONE, STAGE.route, pass.ingress);
  if (nextHop !== NEXT_HOP.VirtualAppliance && nextHop !== NEXT_HOP.VirtualNetworkGateway) return;
  const target = routes.target[row];
  if (target < 0) return dropAt(pass, DROP.NEXT_HOP_UNREACHABLE, STAGE.route, pass.ingress);
  pass.egress = target;
}
