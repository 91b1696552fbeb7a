// Changes to network security groups and to where they are associated.

import type { Network, NetworkSecurityGroup, SecurityRule } from '../model/resources.ts';
import { idKey } from '../model/resources.ts';
import { type Change, exchange, find, withSubnet, without } from './lookup.ts';
import { type ShortRule, shortRule } from './short-rule.ts';

/** Adds a rule, or puts it in the place of the rule with its name. */
export function setSecurityRule(nsg: string, rule: ShortRule): Change {
  return (network) =>
    withRules(network, nsg, (group) => {
      const next = expand(network, group, rule);
      const old = group.properties.securityRules.find((entry) => sameName(entry, rule));
      if (old !== undefined) return exchange(group.properties.securityRules, old, next);
      return [...group.properties.securityRules, next];
    });
}

/** Removes a rule. Refused when the group has no such rule. */
export function removeSecurityRule(nsg: string, name: string): Change {
  return (network) =>
    withRules(network, nsg, (group) => {
      const rules = group.properties.securityRules;
      const removed = rules.find((rule) => rule.name.toLowerCase() === name.toLowerCase()) ?? find(rules, name, 'rule');
      return rules.filter((rule) => rule !== removed);
    });
}

/** Replaces all user rules of a group. */
export function setSecurityRules(nsg: string, rules: readonly ShortRule[]): Change {
  return (network) => withRules(network, nsg, (group) => rules.map((rule) => expand(network, group, rule)));
}

/** NSG-29: whether changes of the rules also touch established flows. */
export function setFlushConnection(nsg: string, flushConnection: boolean): Change {
  return (network) => withGroup(network, nsg, (group) => ({ ...group.properties, flushConnection }));
}

/** Associates a group with a subnet or a NIC in place of the one it has; null: it has none from now on (NSG-8). */
export function associateNsg(
  target: { readonly subnet: string } | { readonly nic: string },
  nsg: string | null,
): Change {
  return (network) => {
    const group = nsg === null ? undefined : find(network.networkSecurityGroups, nsg, 'network security group');
    const edit = <T extends { readonly networkSecurityGroup?: { readonly id: string } }>(properties: T) => ({
      ...without(properties, 'networkSecurityGroup'),
      ...(group && { networkSecurityGroup: { id: group.id } }),
    });
    if ('subnet' in target) return withSubnet(network, target.subnet, (subnet) => edit(subnet.properties));
    const nic = find(network.networkInterfaces, target.nic, 'NIC');
    const next = { ...nic, properties: edit(nic.properties) };
    return { ...network, networkInterfaces: exchange(network.networkInterfaces, nic, next) };
  };
}

function expand(network: Network, group: NetworkSecurityGroup, rule: ShortRule): SecurityRule {
  const asgId = (name: string): string | undefined =>
    network.applicationSecurityGroups.find(
      (asg) => asg.name.toLowerCase() === name.toLowerCase() || idKey(asg.id) === idKey(name),
    )?.id;
  return shortRule(rule, group.id, asgId);
}

function sameName(rule: SecurityRule, other: ShortRule): boolean {
  return rule.name.toLowerCase() === other.name.toLowerCase();
}

function withRules(
  network: Network,
  nsg: string,
  edit: (group: NetworkSecurityGroup) => readonly SecurityRule[],
): Network {
  return withGroup(network, nsg, (group) => ({ ...group.properties, securityRules: edit(group) }));
}

function withGroup(
  network: Network,
  nsg: string,
  edit: (group: NetworkSecurityGroup) => NetworkSecurityGroup['properties'],
): Network {
  const group = find(network.networkSecurityGroups, nsg, 'network security group');
  const groups = exchange(network.networkSecurityGroups, group, { ...group, properties: edit(group) });
  return { ...network, networkSecurityGroups: groups };
}
