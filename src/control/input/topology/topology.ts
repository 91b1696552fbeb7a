// A short topology as raw resource objects. Nothing is decided here that an export would also leave open: the objects
// go through the same normaliser, and every made value remembers the line of the topology that it came from.

import type { ServiceTagTable } from '../../model/resources.ts';
import type { StatedName } from '../resources/network.ts';
import type { At } from '../places.ts';
import { tryParseIpv4 } from '../../../wire/address.ts';
import type { RawResource } from '../resources/raw-resources.ts';
import { makeServiceTags } from '../service-tags.ts';
import { checkPrefixOrAddress } from '../syntax.ts';
import { expandDataFactory } from './data-factories.ts';
import { expandForwardingRuleset, expandPrivateDnsZone, expandPublicDns } from './dns.ts';
import { expandPrivateEndpoint, expandService } from './endpoints.ts';
import { expandNatGateway, expandNetworkInterface, expandPublicAddress } from './interfaces.ts';
import { expandLoadBalancer, expandPrivateLinkService } from './load-balancing.ts';
import { expandNetworkManager } from './network-managers.ts';
import { ownId } from './names.ts';
import { expandPeerings, expandVirtualNetwork } from './networks.ts';
import type { Topology } from './schema.ts';
import { expandApplicationGroups, expandRouteTable, expandSecurityGroup } from './security.ts';
import { distinctEntries } from './values.ts';
import type { ExpandContext } from './values.ts';

export interface Expansion {
  readonly resources: readonly RawResource[];
  readonly staticNames: readonly StatedName[];
  readonly serviceIds: readonly string[];
  readonly serviceTags: ServiceTagTable;
}

/** Resource objects of a topology of checked shape, with those of its section `resources` at the end. */
export function expandTopology(topology: Topology, context: ExpandContext): Expansion {
  const resources: RawResource[] = [];
  const each = <T>(section: Readonly<Record<string, T>> | undefined, expand: Expand<T>): void => {
    for (const [name, member] of distinctEntries(section)) {
      resources.push(...expand(context, name, member, { object: section ?? {}, key: name, part: 'key' }));
    }
  };
  each(topology.virtualNetworks, expandVirtualNetwork);
  resources.push(...expandPeerings(context, topology));
  each(topology.networkSecurityGroups, expandSecurityGroup);
  resources.push(...expandApplicationGroups(context, topology));
  each(topology.routeTables, expandRouteTable);
  each(topology.publicIPAddresses, expandPublicAddress);
  each(topology.natGateways, expandNatGateway);
  each(topology.networkInterfaces, expandNetworkInterface);
  each(topology.services, expandService);
  each(topology.loadBalancers, expandLoadBalancer);
  each(topology.privateLinkServices, expandPrivateLinkService);
  each(topology.privateEndpoints, expandPrivateEndpoint);
  each(topology.privateDnsZones, expandPrivateDnsZone);
  resources.push(...expandPublicDns(topology));
  each(topology.dnsForwardingRulesets, expandForwardingRuleset);
  each(topology.dataFactories, expandDataFactory);
  each(topology.networkManagers, expandNetworkManager);
  resources.push(...(topology.resources ?? []));
  const services = Object.entries(topology.services ?? {});
  return {
    resources,
    staticNames: readNames(topology, context),
    serviceIds: services.map(([name, { type }]) => ownId('privateLinkResource', name, type)),
    serviceTags: readServiceTags(topology, context),
  };
}

type Expand<T> = (context: ExpandContext, name: string, member: T, at: At) => readonly RawResource[];

function readNames(topology: Topology, context: ExpandContext): StatedName[] {
  const names = topology.names ?? {};
  return Object.entries(names).flatMap(([name, target]) => {
    const at: At = { object: names, key: name };
    if (tryParseIpv4(target) !== undefined) return [{ name, target, at }];
    const id = context.names.find(target, at, 'networkInterface', 'privateEndpoint', 'privateLinkResource');
    return id === undefined ? [] : [{ name, target: id, at }];
  });
}

function readServiceTags(topology: Topology, context: ExpandContext): ServiceTagTable {
  const tags = topology.serviceTags ?? {};
  return makeServiceTags(
    Object.fromEntries(
      Object.entries(tags).map(([name, value]) => {
        const items =
          typeof value === 'string'
            ? [{ text: value, at: { object: tags, key: name } }]
            : value.map((text, index) => ({ text, at: { object: value, key: index } }));
        return [name, items.flatMap((item) => checkPrefixOrAddress(item, context.issues) ?? [])];
      }),
    ),
  );
}
