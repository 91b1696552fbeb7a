// Security groups, application security groups and route tables of a topology, as resource objects.

import type { At } from '../places.ts';
import { derive } from '../places.ts';
import type { Topology, TopologyRouteTable, TopologyRule, TopologySecurityGroup } from './schema.ts';
import { build, buildResource, from, listFrom, referAll } from './values.ts';
import type { ExpandContext, Member } from './values.ts';

export function expandSecurityGroup(
  context: ExpandContext,
  name: string,
  group: TopologySecurityGroup,
  at: At,
): readonly object[] {
  const rules = distinct(context, group.rules ?? [], 'rules');
  return [
    buildResource(context, 'networkSecurityGroup', name, at, {
      flushConnection: from(group, 'flushConnection'),
      securityRules: [rules.map(([rule, place]) => expandRule(context, rule, place))],
      tags: from(group, 'tags'),
    }),
  ];
}

export function expandApplicationGroups(context: ExpandContext, topology: Topology): object[] {
  const names = topology.applicationSecurityGroups ?? [];
  return names.map((name, index) =>
    buildResource(context, 'applicationSecurityGroup', name, { object: names, key: index }, {}),
  );
}

export function expandRouteTable(
  context: ExpandContext,
  name: string,
  table: TopologyRouteTable,
  at: At,
): readonly object[] {
  const routes = distinct(context, table.routes ?? [], 'routes').map(([route, place], index) =>
    build(place, {
      name: [route.name ?? `route-${index + 1}`],
      addressPrefix: from(route, 'addressPrefix'),
      nextHopType: from(route, 'nextHopType'),
      nextHopIpAddress: from(route, 'nextHopIpAddress'),
    }),
  );
  return [
    buildResource(context, 'routeTable', name, at, {
      disableBgpRoutePropagation: from(table, 'disableBgpRoutePropagation'),
      routes: [routes],
      tags: from(table, 'tags'),
    }),
  ];
}

function expandRule(context: ExpandContext, rule: TopologyRule, at: At): object {
  return build(at, {
    name: from(rule, 'name'),
    priority: from(rule, 'priority'),
    direction: from(rule, 'direction'),
    access: from(rule, 'access'),
    protocol: from(rule, 'protocol'),
    description: from(rule, 'description'),
    sourcePortRanges: listFrom(rule, 'sourcePorts'),
    destinationPortRanges: listFrom(rule, 'destinationPorts'),
    ...expandSide(context, rule, 'source'),
    ...expandSide(context, rule, 'destination'),
  });
}

/** Addresses and tags on one hand, application security groups (`asg:<name>` or a mapping) on the other. */
function expandSide(
  context: ExpandContext,
  rule: TopologyRule,
  side: 'source' | 'destination',
): Readonly<Record<string, Member>> {
  const value = rule[side];
  if (value === undefined) return {};
  const at: At = { object: rule, key: side };
  const groupsKey = `${side}ApplicationSecurityGroups`;
  if (typeof value === 'object' && 'applicationSecurityGroups' in value) {
    return { [groupsKey]: referAll(context, value.applicationSecurityGroups, 'applicationSecurityGroup') };
  }
  const items = (typeof value === 'string' ? [value] : value).map((text, index) => {
    return { text, at: typeof value === 'string' ? at : { object: value, key: index } };
  });
  const [groups, addresses] = [items.filter(({ text }) => isGroup(text)), items.filter(({ text }) => !isGroup(text))];
  const references = groups.flatMap((item) => {
    const id = context.names.find(item.text.slice(4), item.at, 'applicationSecurityGroup');
    return id === undefined ? [] : [derive({ id }, item.at)];
  });
  const texts = addresses.map((item) => item.text);
  const places = Object.fromEntries(addresses.map((item, index) => [String(index), item.at]));
  return {
    [`${side}AddressPrefixes`]: addresses.length === 0 ? undefined : [derive(texts, at, places), at],
    [groupsKey]: groups.length === 0 ? undefined : [derive(references, at), at],
  };
}

function isGroup(text: string): boolean {
  return text.toLowerCase().startsWith('asg:');
}

/** Rules and routes are known by their name: a second one would silently replace the first. */
function distinct<T extends { readonly name?: string | undefined }>(
  context: ExpandContext,
  list: readonly T[],
  what: string,
): (readonly [item: T, at: At])[] {
  const seen = new Set<string>();
  return list.flatMap((item, index) => {
    const name = item.name?.toLowerCase();
    if (name !== undefined && seen.has(name)) {
      const message = `two ${what} have the name ${item.name}; case does not count`;
      context.issues.error('DUPLICATE_NAME', { object: item, key: 'name' }, message, 'rename one of them');
      return [];
    }
    if (name !== undefined) seen.add(name);
    return [[item, { object: list, key: index }] as const];
  });
}
