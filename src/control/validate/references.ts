// References to what is not there (a warning: real exports are rarely complete), ids that occur twice, and how many
// resources of a type a region or subscription holds (LIM-1, LIM-4, LIM-10, LIM-17).

import {
  ASGS_PER_REGION_MAX,
  NSGS_PER_REGION_MAX,
  ROUTE_TABLES_PER_SUBSCRIPTION_MAX,
  VNETS_PER_SUBSCRIPTION_MAX,
} from '../../abi/limits.ts';
import { tryParseIpv4 } from '../../wire/address.ts';
import { idKey, type Reference, type SourceLocation } from '../model/resources.ts';
import { nameOfId, type Place, regionOf, resolve, subscriptionOf, type ValidationContext } from './context.ts';
import { nameHint } from './suggestion.ts';

interface Resource {
  readonly id: string;
  readonly name: string;
  readonly location?: string;
  readonly source?: SourceLocation;
}

type Known = ReadonlyMap<string, { readonly name: string }>;

export function checkReferences(context: ValidationContext): void {
  checkSubnetReferences(context);
  checkInterfaceReferences(context);
  checkOtherReferences(context);
  checkAppliances(context);
  checkStaticNames(context);
  checkDuplicates(context);
  checkResourceCounts(context);
}

function checkSubnetReferences(context: ValidationContext): void {
  for (const { subnet, vnet } of context.subnets.values()) {
    const { networkSecurityGroup, routeTable, natGateway } = subnet.properties;
    const place = { path: `virtualNetworks.${vnet.name}.subnets.${subnet.name}`, source: subnet.source ?? vnet.source };
    const who = `subnet '${subnet.name}'`;
    checkReference(context, who, 'network security group', networkSecurityGroup, context.securityGroups, place);
    checkReference(context, who, 'route table', routeTable, context.routeTables, place);
    checkReference(context, who, 'NAT gateway', natGateway, context.natGateways, place);
  }
}

function checkInterfaceReferences(context: ValidationContext): void {
  for (const nic of context.network.networkInterfaces) {
    const place = { path: `networkInterfaces.${nic.name}`, source: nic.source };
    const who = `NIC '${nic.name}'`;
    const { networkSecurityGroup, ipConfigurations } = nic.properties;
    checkReference(context, who, 'network security group', networkSecurityGroup, context.securityGroups, place);
    for (const { properties } of ipConfigurations) {
      checkReference(context, who, 'public IP address', properties.publicIPAddress, context.publicIps, place);
      for (const group of properties.applicationSecurityGroups ?? []) {
        checkReference(context, who, 'application security group', group, context.applicationGroups, place);
      }
    }
  }
}

function checkOtherReferences(context: ValidationContext): void {
  const { natGateways, privateEndpoints, virtualNetworkGateways, privateLinkResources } = context.network;
  for (const { name, source, properties } of natGateways) {
    const place = { path: `natGateways.${name}`, source };
    const subnets = new Map([...context.subnets].map(([key, where]) => [key, where.subnet]));
    for (const reference of properties.publicIpAddresses) {
      checkReference(context, `NAT gateway '${name}'`, 'public IP address', reference, context.publicIps, place);
    }
    for (const reference of properties.subnets) {
      checkReference(context, `NAT gateway '${name}'`, 'subnet', reference, subnets, place);
    }
  }
  for (const { name, source, properties } of privateEndpoints) {
    const place = { path: `privateEndpoints.${name}`, source };
    for (const group of properties.applicationSecurityGroups) {
      const what = 'application security group';
      checkReference(context, `private endpoint '${name}'`, what, group, context.applicationGroups, place);
    }
  }
  for (const { name, source, properties } of virtualNetworkGateways) {
    const place = { path: `virtualNetworkGateways.${name}`, source };
    checkReference(context, `gateway '${name}'`, 'virtual network', properties.virtualNetwork, context.vnets, place);
  }
  for (const { name, source, properties } of privateLinkResources) {
    const place = { path: `privateLinkResources.${name}`, source };
    const subnets = new Map([...context.subnets].map(([key, where]) => [key, where.subnet]));
    checkReference(context, `resource '${name}'`, 'subnet', properties.subnet, subnets, place);
  }
}

function checkReference(
  context: ValidationContext,
  who: string,
  what: string,
  reference: Reference | undefined,
  known: Known,
  place: Place,
): void {
  if (reference === undefined || resolve(known, reference) !== undefined) return;
  const name = nameOfId(reference.id);
  const names = [...known.values()].map((entry) => entry.name);
  const message = `${who} refers to ${what} '${name}', which is not in the input`;
  context.report('REFERENCE_DANGLING', place, message, nameHint(name, names, `add the ${what}`), 'warning');
}

function checkAppliances(context: ValidationContext): void {
  for (const appliance of context.network.appliances) {
    const name = nameOfId(appliance.nic.id);
    const nic = resolve(context.interfaces, appliance.nic);
    const place = { path: `networkInterfaces.${name}`, source: nic?.source };
    checkReference(context, 'an appliance', 'NIC', appliance.nic, context.interfaces, place);
    if (nic === undefined || nic.properties.enableIPForwarding) continue;
    const message = `NIC '${nic.name}' is an appliance but has no IP forwarding`;
    const hint = 'packets for others will be dropped there: set enableIPForwarding';
    context.report('APPLIANCE_NOT_FORWARDING', place, message, hint, 'warning');
  }
}

function checkStaticNames(context: ValidationContext): void {
  const { networkInterfaces, privateEndpoints, privateLinkResources, staticNames } = context.network;
  for (const { name, target } of staticNames) {
    const key = idKey(target);
    const leads = context.interfaces.has(key) || context.endpoints.has(key) || context.services.has(key);
    if (leads || tryParseIpv4(target) !== undefined) continue;
    const known = [...networkInterfaces, ...privateEndpoints, ...privateLinkResources].map((entry) => entry.name);
    const message = `name '${name}' leads to '${nameOfId(target)}', which does not exist`;
    const hint = nameHint(nameOfId(target), known, 'name a NIC, a private endpoint, a resource or an IPv4 address');
    context.report('STATIC_NAME_TARGET', { path: `staticNames.${name}` }, message, hint);
  }
}

function checkDuplicates(context: ValidationContext): void {
  const { network } = context;
  const kinds: readonly (readonly [string, readonly Resource[]])[] = [
    ['virtualNetworks', network.virtualNetworks],
    ['subnets', network.virtualNetworks.flatMap((vnet) => vnet.properties.subnets)],
    ['networkInterfaces', network.networkInterfaces],
    ['networkSecurityGroups', network.networkSecurityGroups],
    ['applicationSecurityGroups', network.applicationSecurityGroups],
    ['routeTables', network.routeTables],
    ['publicIPAddresses', network.publicIPAddresses],
    ['natGateways', network.natGateways],
    ['privateEndpoints', network.privateEndpoints],
    ['privateLinkResources', network.privateLinkResources],
    ['loadBalancers', network.loadBalancers],
    ['privateLinkServices', network.privateLinkServices],
    ['virtualNetworkGateways', network.virtualNetworkGateways],
  ];
  for (const [kind, resources] of kinds) {
    const seen = new Set<string>();
    for (const resource of resources) {
      const key = idKey(resource.id);
      if (seen.has(key)) {
        const message = `'${resource.name}' occurs twice: two of the ${kind} have the id ${resource.id}`;
        const place = { path: `${kind}.${resource.name}`, source: resource.source };
        context.report('ID_DUPLICATE', place, message, 'remove one of them, or rename it');
      }
      seen.add(key);
    }
  }
}

function checkResourceCounts(context: ValidationContext): void {
  const { virtualNetworks, networkSecurityGroups, applicationSecurityGroups, routeTables } = context.network;
  checkCount(context, 'networkSecurityGroups', networkSecurityGroups, NSGS_PER_REGION_MAX, 'region');
  checkCount(context, 'applicationSecurityGroups', applicationSecurityGroups, ASGS_PER_REGION_MAX, 'region');
  checkCount(context, 'virtualNetworks', virtualNetworks, VNETS_PER_SUBSCRIPTION_MAX, 'subscription');
  checkCount(context, 'routeTables', routeTables, ROUTE_TABLES_PER_SUBSCRIPTION_MAX, 'subscription');
}

function checkCount(
  context: ValidationContext,
  kind: string,
  resources: readonly Resource[],
  max: number,
  per: 'region' | 'subscription',
): void {
  const counts = new Map<string, number>();
  for (const resource of resources) {
    const region = per === 'region' ? (regionOf(resource.location) ?? '') : '';
    const key = `${subscriptionOf(resource.id) ?? ''} ${region}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  for (const count of counts.values()) {
    if (count <= max) continue;
    const message = `one ${per} holds ${count} ${kind}; at most ${max}`;
    context.report('RESOURCE_LIMIT', { path: kind }, message, 'spread them over several subscriptions');
  }
}
