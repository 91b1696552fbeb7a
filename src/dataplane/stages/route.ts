// Route selection at the sender: longest prefix in the effective table of its subnet. Exceptions of the selection
// (ROUTE-22 to ROUTE-24, ROUTE-39) are worked out by the compiler; what is left is a lookup and the next hop's kind.
//
// Reads   dst, network, protocol.     Writes  egress or endpoint, provenance (route).
// Drops   ROUTE_NONE, NEXT_HOP_UNREACHABLE, NO_SUCH_DESTINATION, MTU_EXCEEDED.

import { DROP } from '../../abi/drop-reasons.ts';
import { MTU_DEFAULT } from '../../abi/limits.ts';
import { ATTACHMENT, ENDPOINT_PEERED_REFUSED, NEXT_HOP, OWNER } from '../../abi/program.ts';
import { PROV_ENDPOINT, PROV_ROUTE, STAGE } from '../../abi/provenance.ts';
import { PROTOCOL_TCP } from '../../wire/ipv4.ts';
import type { Context } from '../context.ts';
import { lookupRoute } from '../lpm.ts';
import { FATE, dropAt, type Pass } from '../pass.ts';
import { toBalancedAppliance } from './balance.ts';

export function routeStage(pass: Pass, context: Context): void {
  const { program } = context.tables;
  const table = program.attachments.routeTable[pass.ingress];
  const row = table < 0 ? -1 : chooseRoute(pass, context, table);
  if (row < 0) return dropAt(pass, DROP.ROUTE_NONE, STAGE.route, pass.ingress);
  pass.provenance[PROV_ROUTE] = row;
  const target = program.routes.target[row];
  switch (program.routes.nextHop[row]) {
    case NEXT_HOP.None:
      return dropAt(pass, DROP.ROUTE_NONE, STAGE.route, pass.ingress);
    case NEXT_HOP.VnetLocal:
      return toOwner(pass, context, target < 0 ? pass.network : target);
    case NEXT_HOP.VNetPeering:
      return toOwner(pass, context, target);
    case NEXT_HOP.VNetGlobalPeering:
      if (pass.totalLength > MTU_DEFAULT) return dropAt(pass, DROP.MTU_EXCEEDED, STAGE.route, pass.ingress);
      return toOwner(pass, context, target);
    case NEXT_HOP.InterfaceEndpoint:
      return toEndpoint(pass, context, target);
    case NEXT_HOP.VirtualAppliance:
    case NEXT_HOP.VirtualNetworkGateway:
      if (target === -1) return dropAt(pass, DROP.NEXT_HOP_UNREACHABLE, STAGE.route, pass.ingress);
      if (target < 0) return toBalancedAppliance(pass, context, -2 - target);
      pass.egress = target;
      break;
    case NEXT_HOP.Internet:
      pass.egress = program.internet;
      break;
    case NEXT_HOP.VirtualNetworkServiceEndpoint:
      pass.egress = program.service; // SEP-2: the source stays private
      break;
    default:
      throw new Error(`route ${row}: unknown next hop ${program.routes.nextHop[row]}`);
  }
  const kind = program.attachments.kind[pass.egress];
  if (kind !== ATTACHMENT.nic && pass.totalLength > MTU_DEFAULT) {
    dropAt(pass, DROP.MTU_EXCEEDED, STAGE.route, pass.ingress);
  }
}

// SEP-3: only TCP goes the way of a service endpoint.
function chooseRoute(pass: Pass, context: Context, table: number): number {
  const { trie, trieWithoutServiceEndpoints } = context.tables.program.routeTables[table];
  if (pass.protocol !== PROTOCOL_TCP && trieWithoutServiceEndpoints.length > 0) {
    return lookupRoute(trieWithoutServiceEndpoints, pass.dst);
  }
  return lookupRoute(trie, pass.dst);
}

/** Delivery inside a network: whoever owns the address there (ROUTE-33). */
function toOwner(pass: Pass, context: Context, network: number): void {
  const owner = context.tables.owners.get(network, pass.dst);
  if (owner < 0) return dropAt(pass, DROP.NO_SUCH_DESTINATION, STAGE.route, pass.ingress);
  switch (owner & 3) {
    case OWNER.endpoint:
      return toEndpoint(pass, context, owner >> 2);
    case OWNER.frontend:
      pass.frontend = owner >> 2;
      return;
    case OWNER.serviceNat:
      // A backend answers a NAT address: what has no binding any more has nobody to go to (PE-22, PE-23).
      return dropAt(pass, DROP.NO_REVERSE_FLOW, STAGE.egress, pass.ingress);
    default:
      pass.egress = owner >> 2;
  }
}

function toEndpoint(pass: Pass, context: Context, endpoint: number): void {
  const { endpoints } = context.tables.program;
  // IFE-4: in the 2018 profile an endpoint takes no traffic from peered networks.
  const isPeered = pass.kind === ATTACHMENT.nic && endpoints.vnet[endpoint] !== pass.network;
  if (isPeered && (endpoints.flags[endpoint] & ENDPOINT_PEERED_REFUSED) !== 0) {
    return dropAt(pass, DROP.NO_SUCH_DESTINATION, STAGE.route, pass.ingress);
  }
  if (pass.totalLength > MTU_DEFAULT) return dropAt(pass, DROP.MTU_EXCEEDED, STAGE.route, pass.ingress);
  pass.endpoint = endpoint;
  pass.provenance[PROV_ENDPOINT] = endpoint;
}

/** 168.63.129.16 and 169.254.169.254 are never subject to routes (WIRE-18, WIRE-19, ROUTE-35). */
export function isPlatformAddress(address: number): boolean {
  return address === PLATFORM_ADDRESS || address === METADATA_ADDRESS;
}

/** 168.63.129.16 */
const PLATFORM_ADDRESS = 0xa83f8110 | 0;
/** 169.254.169.254 */
const METADATA_ADDRESS = 0xa9fea9fe | 0;

/** Hands a packet for a platform address to the platform. */
export function toPlatform(pass: Pass, context: Context): void {
  pass.egress = context.tables.program.platform;
  pass.fate = FATE.undecided;
}
