// Changes to security admin rules (NSG-15). A new rule applies to the networks of its manager.

import type { Network } from '../model/resources.ts';
import type { NetworkManager, SecurityAdminRule } from '../model/services.ts';
import { idKey, type SourceLocation } from '../model/resources.ts';
import { type Change, exchange, find } from './lookup.ts';

type Properties = SecurityAdminRule['properties'];

/** The short form of an admin rule: prefixes or service tags on each side; what is left out is `*`. */
export interface ShortAdminRule {
  readonly name: string;
  readonly priority: number;
  readonly direction: Properties['direction'];
  readonly access: Properties['access'];
  readonly protocol?: Properties['protocol'] | undefined;
  readonly source?: readonly string[] | undefined;
  readonly sourcePorts?: readonly (string | number)[] | undefined;
  readonly destination?: readonly string[] | undefined;
  readonly destinationPorts?: readonly (string | number)[] | undefined;
}

/** Adds a rule to a manager, or puts it in the place of the manager's rule with its name; `place` is its line. */
export function setAdminRule(manager: string, rule: ShortAdminRule, place?: SourceLocation): Change {
  return (network) => {
    const owner = find(network.networkManagers, manager, 'network manager');
    const next = expand(owner, rule, place);
    const old = rulesOf(network, owner).find((entry) => idKey(entry.id) === idKey(next.id));
    const rules = network.securityAdminRules;
    return { ...network, securityAdminRules: old === undefined ? [...rules, next] : exchange(rules, old, next) };
  };
}

/** Removes a rule. Refused when the manager has no such rule. */
export function removeAdminRule(manager: string, name: string): Change {
  return (network) => {
    const owner = find(network.networkManagers, manager, 'network manager');
    const removed = find(rulesOf(network, owner), name, 'admin rule');
    return { ...network, securityAdminRules: network.securityAdminRules.filter((rule) => rule !== removed) };
  };
}

function rulesOf(network: Network, manager: NetworkManager): SecurityAdminRule[] {
  const key = idKey(manager.id);
  return network.securityAdminRules.filter(({ properties }) => idKey(properties.networkManager.id) === key);
}

function expand(manager: NetworkManager, rule: ShortAdminRule, source?: SourceLocation): SecurityAdminRule {
  const { name, priority, direction, access, protocol = '*' } = rule;
  return {
    id: `${manager.id}/rules/${name}`,
    name,
    ...(source && { source }),
    properties: {
      networkManager: { id: manager.id },
      virtualNetworks: manager.properties.virtualNetworks,
      priority,
      direction,
      access,
      protocol,
      sourceAddressPrefixes: rule.source ?? ['*'],
      destinationAddressPrefixes: rule.destination ?? ['*'],
      sourcePortRanges: (rule.sourcePorts ?? ['*']).map(String),
      destinationPortRanges: (rule.destinationPorts ?? ['*']).map(String),
    },
  };
}
