// Network security groups as wholes, rules in front of private endpoints, and application security groups
// (NSG-1, NSG-6, NSG-23, NSG-25, PNSG-6, PNSG-12, LIM-2, LIM-7, LIM-8).

import {
  ASGS_PER_NSG_MAX,
  IP_CONFIGURATIONS_PER_ASG_MAX,
  PE_ASG_MEMBERS_MAX,
  PE_RULE_FACTOR_MAX,
  PE_RULE_PREFIXES_MAX_2022,
  RULES_PER_NSG_MAX,
} from '../../abi/limits.ts';
import { idKey, type NetworkSecurityGroup, type Reference, type SecurityRule } from '../model/resources.ts';
import { looksLikePrefix, type Place, resolve, type ValidationContext } from './context.ts';
import { checkRule, ruleSeverity } from './security-rules.ts';

export function checkSecurityGroups(context: ValidationContext): void {
  const inFrontOfEndpoints = endpointSecurityGroups(context);
  const vnetsOfGroups = new Map([...membersByGroup(context)].map(([key, members]) => [key, memberVnets(members)]));
  for (const nsg of context.network.networkSecurityGroups) {
    const path = `networkSecurityGroups.${nsg.name}`;
    checkRuleCount(context, nsg, path);
    checkConflicts(context, nsg, path);
    for (const [index, rule] of nsg.properties.securityRules.entries()) {
      const place = { path: `${path}.securityRules[${index}]`, source: rule.source ?? nsg.source };
      checkRule(context, rule, nsg.name, place);
      checkRuleGroups(context, nsg, rule, vnetsOfGroups, place);
      if (inFrontOfEndpoints.has(idKey(nsg.id))) checkEndpointRule(context, nsg, rule, place);
    }
  }
}

/** Members of one application security group: one entry per IP configuration or private endpoint. */
interface GroupMember {
  readonly name: string;
  /** Id key and name of the network of the member. */
  readonly vnet: string;
  readonly vnetName: string;
}

export function checkApplicationGroups(context: ValidationContext): void {
  const members = membersByGroup(context);
  const limited = groupsInFrontOfEndpoints(context);
  for (const group of context.network.applicationSecurityGroups) {
    const place = { path: `applicationSecurityGroups.${group.name}`, source: group.source };
    const own = members.get(idKey(group.id)) ?? [];
    const [first] = own;
    const stranger = own.find((member) => member.vnet !== first?.vnet);
    if (first !== undefined && stranger !== undefined) {
      const message =
        `members of application security group '${group.name}' are in several virtual networks: ` +
        `${first.name} in '${first.vnetName}', ${stranger.name} in '${stranger.vnetName}'`;
      context.report('ASG_SEVERAL_VNETS', place, message, 'make one application security group per virtual network');
    }
    const isLimited = limited.has(idKey(group.id));
    const max = isLimited ? PE_ASG_MEMBERS_MAX : IP_CONFIGURATIONS_PER_ASG_MAX;
    if (own.length > max) {
      const why = isLimited ? ' where its network security group filters private endpoints' : '';
      const message = `application security group '${group.name}' has ${own.length} members; at most ${max}${why}`;
      context.report('ASG_MEMBERS_LIMIT', place, message, 'spread the members over several groups');
    }
  }
}

function checkRuleCount(context: ValidationContext, nsg: NetworkSecurityGroup, path: string): void {
  const { securityRules: rules } = nsg.properties;
  const place = { path: `${path}.securityRules`, source: nsg.source };
  if (rules.length > RULES_PER_NSG_MAX) {
    const message = `network security group '${nsg.name}' has ${rules.length} rules; at most ${RULES_PER_NSG_MAX}`;
    context.report('RULES_LIMIT', place, message, 'merge rules: one rule takes several prefixes and ports');
  }
  const groups = new Set(rules.flatMap((rule) => groupsOf(rule).map((group) => idKey(group.id))));
  if (groups.size > ASGS_PER_NSG_MAX) {
    const named = `names ${groups.size} application security groups in all`;
    const message = `network security group '${nsg.name}' ${named}; at most ${ASGS_PER_NSG_MAX}`;
    context.report('ASGS_PER_NSG_LIMIT', place, message, 'use fewer, larger groups');
  }
}

/** NSG-1: one priority once per direction; and one name once. */
function checkConflicts(context: ValidationContext, nsg: NetworkSecurityGroup, path: string): void {
  const byPriority = new Map<string, SecurityRule>();
  const byName = new Map<string, SecurityRule>();
  for (const [index, rule] of nsg.properties.securityRules.entries()) {
    const place = { path: `${path}.securityRules[${index}]`, source: rule.source ?? nsg.source };
    const { priority, direction } = rule.properties;
    const twin = byPriority.get(`${direction} ${priority}`);
    const severity = ruleSeverity(rule);
    if (twin === undefined) {
      byPriority.set(`${direction} ${priority}`, rule);
    } else {
      const message =
        `rules '${twin.name}' and '${rule.name}' of network security group '${nsg.name}' both have ` +
        `priority ${priority}, ${direction} (Azure: SecurityRuleConflict)`;
      const hint = `give each ${direction} rule its own priority`;
      context.report('RULE_PRIORITY_DUPLICATE', { ...place, path: `${place.path}.priority` }, message, hint, severity);
    }
    const name = rule.name.toLowerCase();
    if (byName.has(name)) {
      const message = `network security group '${nsg.name}' has two rules named '${rule.name}'`;
      const where = { ...place, path: `${place.path}.name` };
      context.report('RULE_NAME_DUPLICATE', where, message, 'give each rule its own name', severity);
    }
    byName.set(name, rule);
  }
}

/** NSG-23: the groups of both sides of a rule are in one virtual network. */
function checkRuleGroups(
  context: ValidationContext,
  nsg: NetworkSecurityGroup,
  rule: SecurityRule,
  vnetsOfGroups: ReadonlyMap<string, ReadonlyMap<string, string>>,
  place: Place,
): void {
  const { sourceApplicationSecurityGroups: sources, destinationApplicationSecurityGroups: destinations } =
    rule.properties;
  const networksOf = (groups: readonly Reference[]): Map<string, string> =>
    new Map(groups.flatMap((group) => [...(vnetsOfGroups.get(idKey(group.id)) ?? [])]));
  const sourceVnets = networksOf(sources);
  const destinationVnets = networksOf(destinations);
  const [sourceVnet] = sourceVnets.values();
  const foreign = [...destinationVnets].find(([key]) => !sourceVnets.has(key));
  if (sourceVnet === undefined || foreign === undefined) return;
  const message =
    `rule '${rule.name}' of network security group '${nsg.name}' has application security groups of several virtual ` +
    `networks: source in '${sourceVnet}', destination in '${foreign[1]}'`;
  const hint = 'source and destination groups of one rule must be in one virtual network: use prefixes instead';
  context.report('RULE_ASGS_SEVERAL_VNETS', place, message, hint, ruleSeverity(rule));
}

/** PNSG-6 (current behaviour) and PNSG-12 (preview of 2022): sizes of inbound rules in front of private endpoints. */
function checkEndpointRule(
  context: ValidationContext,
  nsg: NetworkSecurityGroup,
  rule: SecurityRule,
  place: Place,
): void {
  const { properties } = rule;
  if (properties.direction !== 'Inbound') return;
  const title = `rule '${rule.name}' of network security group '${nsg.name}', in front of private endpoints,`;
  if (context.behaviour.profile === 'preview-2022') {
    const prefixes = [...properties.sourceAddressPrefixes, ...properties.destinationAddressPrefixes];
    const count = prefixes.filter((entry) => entry !== '*' && looksLikePrefix(entry)).length;
    if (count <= PE_RULE_PREFIXES_MAX_2022) return;
    const message = `${title} has ${count} prefixes; at most ${PE_RULE_PREFIXES_MAX_2022}`;
    context.report('ENDPOINT_RULE_PREFIXES', place, message, 'spread the prefixes over several rules');
    return;
  }
  const sources = properties.sourceAddressPrefixes.length + properties.sourceApplicationSecurityGroups.length;
  const destinations =
    properties.destinationAddressPrefixes.length + properties.destinationApplicationSecurityGroups.length;
  const ports = Math.max(1, properties.destinationPortRanges.length);
  const factor = Math.max(1, sources) * Math.max(1, destinations) * ports;
  if (factor <= PE_RULE_FACTOR_MAX) return;
  const message =
    `${title} has ${sources} sources x ${destinations} destinations x ${ports} destination port ranges = ${factor}; ` +
    `at most ${PE_RULE_FACTOR_MAX}`;
  context.report('ENDPOINT_RULE_SIZE', place, message, 'split the rule, or use wider prefixes and ranges');
}

/** Id keys of NSGs on subnets that hold private endpoints and have network policies for NSGs switched on (PNSG-2). */
function endpointSecurityGroups(context: ValidationContext): Set<string> {
  const keys = new Set<string>();
  if (!context.behaviour.switches['pnsg.supported']) return keys;
  for (const endpoint of context.network.privateEndpoints) {
    const properties = resolve(context.subnets, endpoint.properties.subnet)?.subnet.properties;
    const policies = properties?.privateEndpointNetworkPolicies;
    if (policies !== 'Enabled' && policies !== 'NetworkSecurityGroupEnabled') continue;
    if (properties?.networkSecurityGroup !== undefined) keys.add(idKey(properties.networkSecurityGroup.id));
  }
  return keys;
}

/** Id keys of application security groups that rules in front of private endpoints name (NSG-25). */
function groupsInFrontOfEndpoints(context: ValidationContext): Set<string> {
  const nsgs = endpointSecurityGroups(context);
  return new Set(
    context.network.networkSecurityGroups
      .filter((nsg) => nsgs.has(idKey(nsg.id)))
      .flatMap((nsg) => nsg.properties.securityRules.flatMap(groupsOf))
      .map((group) => idKey(group.id)),
  );
}

function groupsOf(rule: SecurityRule): readonly Reference[] {
  return [...rule.properties.sourceApplicationSecurityGroups, ...rule.properties.destinationApplicationSecurityGroups];
}

function membersByGroup(context: ValidationContext): Map<string, GroupMember[]> {
  const members = new Map<string, GroupMember[]>();
  const add = (groups: readonly Reference[], name: string, subnet: Reference): void => {
    const vnet = resolve(context.subnets, subnet)?.vnet;
    for (const group of groups) {
      const key = idKey(group.id);
      const list = members.get(key) ?? [];
      members.set(key, list);
      if (vnet !== undefined) list.push({ name, vnet: idKey(vnet.id), vnetName: vnet.name });
    }
  };
  for (const nic of context.network.networkInterfaces) {
    for (const { properties } of nic.properties.ipConfigurations) {
      add(properties.applicationSecurityGroups ?? [], `NIC '${nic.name}'`, properties.subnet);
    }
  }
  for (const { name, properties } of context.network.privateEndpoints) {
    add(properties.applicationSecurityGroups, `private endpoint '${name}'`, properties.subnet);
  }
  return members;
}

function memberVnets(members: readonly GroupMember[]): Map<string, string> {
  return new Map(members.map((member) => [member.vnet, member.vnetName]));
}
