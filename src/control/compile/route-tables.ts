// Collects the route tables of a program: one per network, route table and set of service endpoints, shared by all
// subnets alike. Routes that carry addresses get a row; the side table names them.

import { NEXT_HOP, type RouteRows, type RouteTableProgram } from '../../abi/program.ts';
import { tryParseIpv4 } from '../../wire/index.ts';
import type { AttachmentRegistry, RouteInfo } from './compiled.ts';
import { type Context, gatewaysOf, type VnetFacts } from './context.ts';
import { collectRoutes, type EffectiveRoute, type RoutePlace } from './effective-routes.ts';
import { attachmentOf, nicKey, onPremisesKey } from './registry.ts';
import { buildRouteTrie } from './route-trie.ts';

export class RouteTableCollector {
  /** Tables by program index. */
  readonly tables: RouteTableProgram[] = [];
  /** Routes by row. */
  readonly infos: RouteInfo[] = [];
  private readonly targets: number[] = [];
  private readonly context: Context;
  private readonly registry: AttachmentRegistry;
  private readonly tableByKey = new Map<string, number>();
  /** Attachments and frontends by address, per network index, as targets of a VirtualAppliance route. */
  private readonly appliances: readonly ReadonlyMap<number, number>[];

  constructor(context: Context, registry: AttachmentRegistry) {
    this.context = context;
    this.registry = registry;
    const appliances = context.vnets.map(() => new Map<number, number>());
    for (const { network, address, index } of context.frontends) {
      if (network !== undefined) appliances[network.index]?.set(address, -2 - index);
    }
    for (const nic of context.nics) {
      const attachment = attachmentOf(registry, nicKey(nic));
      for (const address of nic.addresses) appliances[nic.place.network.index]?.set(address, attachment);
    }
    this.appliances = appliances;
  }

  /** Index of the table that packets leaving a place consult (ROUTE-1). */
  indexOf(place: RoutePlace): number {
    const { routeTable, serviceEndpoints } = place.subnet?.properties ?? {};
    const services = (serviceEndpoints ?? []).map(({ service, locations }) => [service, locations ?? []]);
    // Subnet peerings make the subnets of a network differ (PEER-8).
    const isLimited = place.network.peers.some(({ link }) => link.localSubnetNames !== undefined);
    const subnet = isLimited ? (place.subnet?.name ?? '') : '';
    const key = JSON.stringify([place.network.index, routeTable?.id.toLowerCase() ?? '', services, subnet]);
    let index = this.tableByKey.get(key);
    if (index === undefined) {
      index = this.add(place);
      this.tableByKey.set(key, index);
    }
    return index;
  }

  /** Columns of all rows. */
  rows(): RouteRows {
    return {
      nextHop: Int32Array.from(this.infos, (info) => NEXT_HOP[info.nextHopType]),
      target: Int32Array.from(this.targets),
    };
  }

  private add(place: RoutePlace): number {
    const routes = collectRoutes(this.context, place);
    const rows = new Map<EffectiveRoute, number>();
    const rowOf = (route: EffectiveRoute): number => {
      let row = rows.get(route);
      if (row === undefined) {
        row = this.infos.push(route.info) - 1;
        this.targets.push(this.targetOf(route, place.network));
        rows.set(route, row);
      }
      return row;
    };
    const trie = buildRouteTrie(routes, true, rowOf);
    const hasServiceEndpoints = routes.some(({ info }) => info.nextHopType === 'VirtualNetworkServiceEndpoint');
    const without = hasServiceEndpoints ? buildRouteTrie(routes, false, rowOf) : new Int32Array(0);
    return this.tables.push({ trie, trieWithoutServiceEndpoints: without }) - 1;
  }

  /** What a route's row points to (RouteRows.target). */
  private targetOf(route: EffectiveRoute, network: VnetFacts): number {
    const { info, ref } = route;
    switch (info.nextHopType) {
      case 'VnetLocal':
        return network.index;
      case 'VirtualAppliance':
        return this.applianceOf(network, info.nextHopIpAddress);
      case 'VirtualNetworkGateway':
        return this.gatewayOf(network, info.source === 'User');
      default:
        return ref;
    }
  }

  /** The NIC or internal frontend that owns a next-hop address in the network or a directly peered one (ROUTE-14,
   * LB-7), else -1 (ROUTE-30). */
  private applianceOf(network: VnetFacts, text: string | undefined): number {
    const address = tryParseIpv4(text ?? '');
    if (address === undefined) return -1;
    for (const { index } of [network, ...network.peers.map((peer) => peer.remote)]) {
      const target = this.appliances[index]?.get(address);
      if (target !== undefined) return target;
    }
    return -1;
  }

  /** On-premises side of the gateway that serves the network. User-defined routes work with VPN only (ROUTE-15). */
  private gatewayOf(network: VnetFacts, isUserDefined: boolean): number {
    const serving = gatewaysOf(network);
    if (serving === undefined) return -1;
    const hasExpressRoute = serving.gateways.some((gateway) => gateway.properties.gatewayType === 'ExpressRoute');
    return isUserDefined && hasExpressRoute ? -1 : attachmentOf(this.registry, onPremisesKey(serving.owner));
  }
}
