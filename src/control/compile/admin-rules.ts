// Security admin rules of network managers (NSG-15): the rules of one network in evaluation order, over all managers
// that it belongs to. They have no default rules: what none of them names is left to the security groups.

import { ACCESS } from '../../abi/program.ts';
import { idKey, type Reference } from '../model/resources.ts';
import type { SecurityAdminRule } from '../model/services.ts';
import type { RuleInfo } from './compiled.ts';
import type { Context, Place } from './context.ts';
import type { GroupRule } from './resolved-rules.ts';

/** Admin rules that apply to a network, by priority, then in input order. */
export function adminRulesOf(context: Context, { network }: Place): SecurityAdminRule[] {
  const isHere = ({ id }: Reference): boolean => idKey(id) === network.key;
  return context.network.securityAdminRules
    .filter((rule) => rule.properties.virtualNetworks.some(isHere))
    .toSorted((a, b) => a.properties.priority - b.properties.priority);
}

/** The form in which rules of all kinds are resolved; `nsg` names the network manager. */
export function adminGroupRule(rule: SecurityAdminRule): GroupRule {
  const { networkManager, priority, direction, access } = rule.properties;
  const manager = networkManager.id;
  const named = { nsg: manager.slice(manager.lastIndexOf('/') + 1), nsgId: manager, rule: rule.name };
  const info: RuleInfo = { ...named, priority, direction, access, isAdmin: true, isDefault: false };
  return {
    info: rule.source === undefined ? info : { ...info, source: rule.source },
    properties: {
      ...rule.properties,
      access: access === 'Deny' ? 'Deny' : 'Allow',
      sourceApplicationSecurityGroups: [],
      destinationApplicationSecurityGroups: [],
    },
  };
}

/** ACCESS of a rule. */
export function adminAccess({ access }: RuleInfo): number {
  if (access === 'AlwaysAllow') return ACCESS.alwaysAllow;
  return access === 'Allow' ? ACCESS.allow : ACCESS.deny;
}
