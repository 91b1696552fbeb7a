// Next hop (DIAG-6 to DIAG-9): the route that a packet takes from the NIC with the source address.

import type { NextHopType } from '../../abi/program.ts';
import { lookupRoute } from '../../dataplane/lpm.ts';
import { formatIpv4, parseIpv4 } from '../../wire/index.ts';
import type { Compiled, RouteInfo } from '../compile/compiled.ts';
import { createContext, type NicFacts } from '../compile/context.ts';
import { attachmentOf, nicWithin } from './attached-nic.ts';

export interface NextHopQuestion {
  readonly sourceIPAddress: string;
  readonly destinationIPAddress: string;
}

export interface NextHopAnswer {
  readonly nextHopType: string;
  /** Only where the next hop has an address: appliances and private endpoints. */
  readonly nextHopIpAddress?: string;
  /** Id of the route table, or `System Route`. */
  readonly routeTableId: string;
}

const SYSTEM_ROUTE = 'System Route';
const NO_ROUTE = -1;

/** Looks up the route. Throws NotAvailable when no NIC has the source address. */
export function nextHop(compiled: Compiled, question: NextHopQuestion): NextHopAnswer {
  const source = parseIpv4(question.sourceIPAddress);
  const destination = parseIpv4(question.destinationIPAddress);
  const nic = nicWithin(createContext(compiled.network, compiled.behaviour), Uint32Array.of(source, source));
  const { attachments, routeTables } = compiled.program;
  const table = routeTables[attachments.routeTable[attachmentOf(compiled, nic)] ?? NO_ROUTE];
  const row = table === undefined ? NO_ROUTE : lookupRoute(table.trie, destination);
  const route = compiled.sideTable.routes[row];
  if (route === undefined) return { nextHopType: 'None', routeTableId: SYSTEM_ROUTE };
  const address = route.nextHopType === 'InterfaceEndpoint' ? formatIpv4(destination) : route.nextHopIpAddress;
  return {
    nextHopType: typeName(route.nextHopType, compiled.behaviour.switches['diag.strictRestEnum']),
    ...(address === undefined ? {} : { nextHopIpAddress: address }),
    routeTableId: tableId(route, nic),
  };
}

/** The words of this tool (DIAG-7), which differ from those of effective routes; Q-9b settles endpoints (DIAG-9). */
function typeName(type: NextHopType, isStrict: boolean): string {
  if (type === 'VNetPeering' || type === 'VNetGlobalPeering') return 'VirtualNetworkPeering';
  return type === 'InterfaceEndpoint' && isStrict ? 'VnetLocal' : type;
}

function tableId({ source }: RouteInfo, { place }: NicFacts): string {
  return source === 'User' ? (place.subnet.properties.routeTable?.id ?? SYSTEM_ROUTE) : SYSTEM_ROUTE;
}
