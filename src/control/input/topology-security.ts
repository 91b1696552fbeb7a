// Security groups, application security groups and route tables of a topology, as resource objects.

import type { At } from './places.ts';
import { derive } from './places.ts';
import type { Topology, TopologyRouteTable, TopologyRule, TopologySecurityGroup } from './topology-schema.ts';
import { build, buildResource, from, listFrom, referAll } from './topology-values.ts';
import type { ExpandContext, Member } from './topology-values.ts';

export function expandSecurityGroup(
  context: ExpandContext,
  name: string,
  group: TopologySecurityGroup,
  at: At,
): readonly object[] {
  const rules = group.rules ?? [];
  reportDuplicates(context, rules, 'rules');
  const members = rules.map((rule, index) => expandRule(context, rule, { object: rules, key: index }));
  return [
    buildResource(context, 'networkSecurityGroup', name, at, {
      flushConnection: from(group, 'flushConnection'),
      securityRules: [members],
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
  const routes = table.routes ?? [];
  reportDuplicates(context, routes, 'routes');
  const members = routes.map((route, index) =>
    build(
      { object: routes, key: index },
      {
        name: [route.name ?? `route-${index + 1}`],
        addressPrefix: from(route, 'addressPrefix'),
        nextHopType: from(route, 'nextHopType'),
        nextHopIpAddress: from(route, 'nextHopIpAddress'),
      },
    ),
  );
  return [
    buildResource(context, 'routeTable', name, at, {
      disableBgpRoutePropagation: from(table, 'disableBgpRoutePropagation'),
      routes: [members],
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
function reportDuplicates(
  context: ExpandContext,
  list: readonly { readonly name?: string | undefined }[],
  what: string,
): void {
  const seen = new Set<string>();
  for (const item of list) {
    const name = item.name?.toLowerCase();
    if (name === undefined) continue;
    if (seen.has(name)) {
      const message = `two ${what} have the name ${item.name}; case does not count`;
      context.issues.error('DUPLICATE_NAME', { object: item, key: 'name' }, message, 'rename one of them');
    }
    seen.add(name);
  }
}
