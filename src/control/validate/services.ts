// SQL Managed Instances in their networks: zones that hijack their own name (SQLMI-22, SQLMI-23), and rules and routes
// that take away what they need (SQLMI-27 to SQLMI-29). Azure's network intent policy would object to most of it, but
// what it accepts depends on the day: all of these are warnings.

import { parsePrefix, prefixContains, prefixFirst, prefixLast } from '../../wire/address.ts';
import type { Ipv4Prefix } from '../../wire/address.ts';
import { idKey } from '../model/resources.ts';
import type { NetworkSecurityGroup, PrivateLinkResource, Route, SecurityRule } from '../model/resources.ts';
import { instanceZone, isManagedInstance, SQL_PUBLIC_PORT } from '../sql/instances.ts';
import { resolve, type SubnetPlace, type ValidationContext } from './context.ts';

export function checkServices(context: ValidationContext): void {
  for (const resource of context.network.privateLinkResources.filter(isManagedInstance)) {
    const place = resolve(context.subnets, resource.properties.subnet);
    if (place === undefined) continue;
    checkZones(context, resource, place);
    const group = resolve(context.securityGroups, place.subnet.properties.networkSecurityGroup);
    if (group !== undefined) checkRules(context, resource, place, group);
    const table = resolve(context.routeTables, place.subnet.properties.routeTable);
    if (table !== undefined) checkRoutes(context, resource, place, table.properties.routes);
  }
}

/** SQLMI-23: the nodes follow the public alias of their own name into the zone, and do not find themselves there. */
function checkZones(context: ValidationContext, resource: PrivateLinkResource, { vnet }: SubnetPlace): void {
  const zoneName = instanceZone(resource);
  if (zoneName === undefined) return;
  const peered = new Set(
    vnet.properties.virtualNetworkPeerings.map(({ properties }) => idKey(properties.remoteVirtualNetwork.id)),
  );
  for (const zone of context.network.privateDnsZones) {
    if (zone.name.toLowerCase().replace(/\.$/, '') !== `privatelink.${zoneName}`) continue;
    const hint = `give the zone another name, like privatelink.site, and keep ${zoneName} for the VNet-local endpoint`;
    for (const link of zone.properties.virtualNetworkLinks) {
      const key = idKey(link.properties.virtualNetwork.id);
      const place = { path: `privateDnsZones.${zone.name}.links`, source: link.source ?? zone.source };
      if (key === idKey(vnet.id)) {
        const message = `zone '${zone.name}' is linked to '${vnet.name}', the network of ${titleOf(resource)} itself`;
        context.report('MI_SELF_NAME_HIJACK', place, message, hint, 'warning');
      } else if (peered.has(key) && context.behaviour.switches['mi.peeredCountsAsSame']) {
        const message = `zone '${zone.name}' is linked to a network peered with that of ${titleOf(resource)}`;
        context.report('MI_PEERED_ZONE', place, message, hint, 'warning');
      }
    }
  }
}

/** One thing that an instance needs from its rules. */
interface Need {
  readonly direction: SecurityRule['properties']['direction'];
  readonly what: string;
  /** Other side: the subnet itself, or one of these tags. */
  readonly tags: readonly string[];
  /** Undefined: any protocol and port. */
  readonly port: number | undefined;
}

/** SQLMI-27, the current list. */
const NEEDS: readonly Need[] = [
  { direction: 'Inbound', what: 'anything from its own subnet', tags: [], port: undefined },
  { direction: 'Inbound', what: 'anything from AzureLoadBalancer', tags: ['azureloadbalancer'], port: undefined },
  { direction: 'Outbound', what: 'anything to its own subnet', tags: [], port: undefined },
  ...['AzureActiveDirectory', 'OneDsCollector', 'Storage'].map((tag): Need => {
    const tags = [tag.toLowerCase(), 'azurecloud', 'internet'];
    return { direction: 'Outbound', what: `TCP 443 to ${tag}`, tags, port: 443 };
  }),
];

function checkRules(
  context: ValidationContext,
  resource: PrivateLinkResource,
  place: SubnetPlace,
  group: NetworkSecurityGroup,
): void {
  const rules = group.properties.securityRules.toSorted((a, b) => a.properties.priority - b.properties.priority);
  const reported = new Map<SecurityRule, string[]>();
  for (const need of NEEDS) {
    const rule = denierOf(rules, need, place);
    if (rule !== undefined) reported.set(rule, [...(reported.get(rule) ?? []), need.what]);
  }
  for (const [rule, needs] of reported) {
    const list = needs.join(', ');
    const message = `rule '${rule.name}' of '${group.name}' denies what ${titleOf(resource)} needs: ${list}`;
    const hint = 'allow it by a rule with a lower priority number';
    context.report('MI_RULES_REQUIRED', placeOf(group, rule), message, hint, 'warning');
  }
  const dns = rules.find(
    ({ properties }) =>
      properties.direction === 'Outbound' &&
      properties.destinationAddressPrefixes.some((prefix) => prefix.toLowerCase() === 'azureplatformdns'),
  );
  if (dns?.properties.access === 'Deny') {
    const message = `rule '${dns.name}' of '${group.name}' denies AzurePlatformDNS to ${titleOf(resource)}`;
    context.report('MI_PLATFORM_DNS_DENIED', placeOf(group, dns), message, 'remove the rule', 'warning');
  }
  if (resource.properties.sql?.publicDataEndpointEnabled === true) checkPublicPort(context, resource, group, rules);
}

/** SQLMI-3: the default rules let nothing in from the Internet. */
function checkPublicPort(
  context: ValidationContext,
  resource: PrivateLinkResource,
  group: NetworkSecurityGroup,
  rules: readonly SecurityRule[],
): void {
  const isOpen = rules.some(
    ({ properties }) =>
      properties.direction === 'Inbound' &&
      properties.access === 'Allow' &&
      coversPort(properties.destinationPortRanges, SQL_PUBLIC_PORT),
  );
  if (isOpen) return;
  const message =
    `the public endpoint of ${titleOf(resource)} is enabled, ` +
    `but no rule of '${group.name}' allows port ${SQL_PUBLIC_PORT}`;
  const hint = `add an inbound rule that allows TCP ${SQL_PUBLIC_PORT} from your clients`;
  const place = { path: `networkSecurityGroups.${group.name}`, source: group.source };
  context.report('MI_PUBLIC_ENDPOINT_CLOSED', place, message, hint, 'warning');
}

/** The rule that denies at least a part of a need before another one allows all of it. */
function denierOf(rules: readonly SecurityRule[], need: Need, place: SubnetPlace): SecurityRule | undefined {
  for (const rule of rules) {
    const { direction, access, protocol, destinationPortRanges } = rule.properties;
    if (direction !== need.direction || !sidesMatch(rule, need, place)) continue;
    const isAny = need.port === undefined;
    const matches = isAny || ((protocol === '*' || protocol === 'Tcp') && coversPort(destinationPortRanges, need.port));
    if (access === 'Deny') {
      if (matches) return rule;
    } else if (matches && (!isAny || (protocol === '*' && coversEverything(destinationPortRanges)))) return undefined;
  }
  return undefined;
}

function sidesMatch(rule: SecurityRule, need: Need, place: SubnetPlace): boolean {
  const { sourceAddressPrefixes, destinationAddressPrefixes } = rule.properties;
  const [own, other] =
    need.direction === 'Inbound'
      ? [destinationAddressPrefixes, sourceAddressPrefixes]
      : [sourceAddressPrefixes, destinationAddressPrefixes];
  const isOther =
    need.tags.length === 0
      ? coversSubnet(other, place)
      : other.some((text) => isAnyAddress(text) || need.tags.includes(text.toLowerCase().split('.')[0] ?? ''));
  return coversSubnet(own, place) && isOther;
}

function coversSubnet(prefixes: readonly string[], { prefix }: SubnetPlace): boolean {
  if (prefix === undefined) return false;
  return prefixes.some((text) => {
    if (isAnyAddress(text) || text.toLowerCase() === 'virtualnetwork') return true;
    const range = tryPrefix(text);
    return (
      range !== undefined && prefixContains(range, prefixFirst(prefix)) && prefixContains(range, prefixLast(prefix))
    );
  });
}

function isAnyAddress(text: string): boolean {
  return text === '*' || text === '0.0.0.0/0' || text.toLowerCase() === 'any';
}

function coversPort(ranges: readonly string[], port: number): boolean {
  return ranges.some((range) => {
    if (range === '*') return true;
    const [first = NaN, last = first] = range.split('-').map(Number);
    return port >= first && port <= last;
  });
}

function coversEverything(ranges: readonly string[]): boolean {
  return ranges.some((range) => range === '*' || range === '0-65535');
}

/** SQLMI-28: the subnet itself stays VnetLocal, and the tags that the instance needs go to the Internet. */
function checkRoutes(
  context: ValidationContext,
  resource: PrivateLinkResource,
  place: SubnetPlace,
  routes: readonly Route[],
): void {
  const { prefix, subnet, vnet } = place;
  for (const route of routes) {
    const { addressPrefix, nextHopType } = route.properties;
    const range = tryPrefix(addressPrefix);
    const where = {
      path: `virtualNetworks.${vnet.name}.subnets.${subnet.name}`,
      source: route.source ?? subnet.source,
    };
    const isInside = range !== undefined && prefix !== undefined && isWithin(prefix, range);
    if (isInside && nextHopType !== 'VnetLocal') {
      const message = `route '${route.name}' sends ${addressPrefix} inside ${titleOf(resource)} to ${nextHopType}`;
      context.report('MI_ROUTES_REQUIRED', where, message, 'the subnet must be routed VnetLocal', 'warning');
    }
    if (range?.length !== 0 || nextHopType === 'Internet') continue;
    const missing = ['AzureActiveDirectory', 'OneDsCollector', 'Storage'].filter((tag) => !isRoutedOut(routes, tag));
    if (missing.length === 0) continue;
    const tags = missing.join(', ');
    const message = `route '${route.name}' sends ${tags} of ${titleOf(resource)} to ${nextHopType}`;
    const hint = `add routes for ${tags} with next hop Internet`;
    context.report('MI_ROUTES_REQUIRED', where, message, hint, 'warning');
  }
}

function isWithin(outer: Ipv4Prefix, inner: Ipv4Prefix): boolean {
  return inner.length >= outer.length && prefixContains(outer, prefixFirst(inner));
}

function isRoutedOut(routes: readonly Route[], tag: string): boolean {
  return routes.some(({ properties }) => {
    const [service = ''] = properties.addressPrefix.toLowerCase().split('.');
    return properties.nextHopType === 'Internet' && (service === tag.toLowerCase() || service === 'azurecloud');
  });
}

function titleOf({ name }: PrivateLinkResource): string {
  return `SQL Managed Instance '${name}'`;
}

function placeOf(group: NetworkSecurityGroup, rule: SecurityRule): Parameters<ValidationContext['report']>[1] {
  return { path: `networkSecurityGroups.${group.name}.${rule.name}`, source: rule.source ?? group.source };
}

function tryPrefix(text: string): Ipv4Prefix | undefined {
  try {
    return parsePrefix(text.includes('/') ? text : `${text}/32`);
  } catch {
    return undefined;
  }
}
