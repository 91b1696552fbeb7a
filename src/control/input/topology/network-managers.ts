// Network managers of a topology, as resource objects: a manager with its networks and the rules of its security admin
// configuration (NSG-15).

import type { At } from '../places.ts';
import type { Topology } from './schema.ts';
import { build, buildResource, from, listFrom, referAll } from './values.ts';
import type { ExpandContext } from './values.ts';

type TopologyManager = NonNullable<Topology['networkManagers']>[string];

export function expandNetworkManager(
  context: ExpandContext,
  name: string,
  manager: TopologyManager,
  at: At,
): readonly object[] {
  const rules = distinctRules(context, manager.rules).map(([rule, place]) =>
    build(place, {
      name: from(rule, 'name'),
      priority: from(rule, 'priority'),
      direction: from(rule, 'direction'),
      access: from(rule, 'access'),
      protocol: from(rule, 'protocol'),
      sourceAddressPrefixes: listFrom(rule, 'source'),
      sourcePortRanges: listFrom(rule, 'sourcePorts'),
      destinationAddressPrefixes: listFrom(rule, 'destination'),
      destinationPortRanges: listFrom(rule, 'destinationPorts'),
    }),
  );
  return [
    buildResource(context, 'networkManager', name, at, {
      virtualNetworks: referAll(context, manager.networks, 'virtualNetwork'),
      rules: [rules, { object: manager, key: 'rules' }],
    }),
  ];
}

/** A rule is known by its name: a second one of that name would silently replace the first. */
function distinctRules(
  context: ExpandContext,
  rules: TopologyManager['rules'],
): (readonly [rule: TopologyManager['rules'][number], at: At])[] {
  const seen = new Set<string>();
  return rules.flatMap((rule, index) => {
    const key = rule.name.toLowerCase();
    if (seen.has(key)) {
      const message = `two admin rules have the name ${rule.name}; case does not count`;
      context.issues.error('DUPLICATE_NAME', { object: rule, key: 'name' }, message, 'rename one of them');
      return [];
    }
    seen.add(key);
    return [[rule, { object: rules, key: index }] as const];
  });
}
