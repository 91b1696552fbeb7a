// Effective security rules of a NIC in the JSON shape of Azure's own tools (DIAG-13, DIAG-14): the group of the subnet
// and the group of the NIC, every rule of both directions, tags and application security groups expanded.

import { formatPrefix } from '../../wire/index.ts';
import type { Behaviour } from '../model/profile.ts';
import { idKey, type Network, type NetworkSecurityGroup, type Reference } from '../model/resources.ts';
import { type AddressSet, toPrefixes } from './address-set.ts';
import { type Context, createContext, type Place, resolve } from './context.ts';
import { type Direction, type ResolvedRule, resolveRules, resolveSide, rulesOfGroup } from './resolved-rules.ts';
import { parsePortRange } from './port-ranges.ts';
import { expandTag, isTag } from './service-tags.ts';

export interface EffectiveSecurityRule {
  readonly name: string;
  readonly protocol: string;
  readonly sourcePortRange: string;
  readonly destinationPortRange: string;
  readonly sourcePortRanges: readonly string[];
  readonly destinationPortRanges: readonly string[];
  readonly sourceAddressPrefix: string;
  readonly destinationAddressPrefix: string;
  readonly sourceAddressPrefixes: readonly string[];
  readonly destinationAddressPrefixes: readonly string[];
  readonly expandedSourceAddressPrefix: readonly string[];
  readonly expandedDestinationAddressPrefix: readonly string[];
  readonly access: 'Allow' | 'Deny';
  readonly priority: number;
  readonly direction: Direction;
}

export interface EffectiveSecurityGroup {
  readonly networkSecurityGroup: Reference;
  readonly association: { readonly subnet?: Reference; readonly networkInterface?: Reference };
  readonly effectiveSecurityRules: readonly EffectiveSecurityRule[];
  /** Every tag that a rule names, with what it stands for here. */
  readonly tagMap: Readonly<Record<string, readonly string[]>>;
}

/** Effective security rules of a NIC; empty `value` where neither it nor its subnet has a group (NSG-8). */
export function effectiveSecurityRules(
  network: Network,
  behaviour: Behaviour,
  nicId: string,
): { readonly value: readonly EffectiveSecurityGroup[] } {
  const context = createContext(network, behaviour);
  const facts = context.nics.find((nic) => nic.key === idKey(nicId));
  if (facts === undefined) return { value: [] };
  const { nic, place } = facts;
  const ofSubnet = resolve(context.nsgs, place.subnet.properties.networkSecurityGroup);
  const ofNic = resolve(context.nsgs, nic.properties.networkSecurityGroup);
  const value: EffectiveSecurityGroup[] = [];
  if (ofSubnet !== undefined) value.push(groupJson(context, ofSubnet, place, { subnet: { id: place.subnet.id } }));
  if (ofNic !== undefined) value.push(groupJson(context, ofNic, place, { networkInterface: { id: nic.id } }));
  return { value };
}

function groupJson(
  context: Context,
  nsg: NetworkSecurityGroup,
  place: Place,
  association: EffectiveSecurityGroup['association'],
): EffectiveSecurityGroup {
  const rules = rulesOfGroup(nsg);
  const resolved = (['Inbound', 'Outbound'] as const).flatMap((direction) =>
    resolveRules(context, rules, direction, 'normal', place),
  );
  const tags = new Set(
    resolved
      .flatMap(({ properties }) => [...properties.sourceAddressPrefixes, ...properties.destinationAddressPrefixes])
      .filter(isTag),
  );
  return {
    networkSecurityGroup: { id: nsg.id },
    association,
    effectiveSecurityRules: resolved.map((rule) => ruleJson(context, rule, place)),
    tagMap: Object.fromEntries([...tags].map((tag) => [tag, prefixTexts(expandTag(context, tag, place))])),
  };
}

function ruleJson(context: Context, rule: ResolvedRule, place: Place): EffectiveSecurityRule {
  const { info, properties } = rule;
  const source = sideJson(context, properties.sourceAddressPrefixes, properties.sourceApplicationSecurityGroups, place);
  const destination = sideJson(
    context,
    properties.destinationAddressPrefixes,
    properties.destinationApplicationSecurityGroups,
    place,
  );
  const sourcePorts = properties.sourcePortRanges.map(portRangeText);
  const destinationPorts = properties.destinationPortRanges.map(portRangeText);
  return {
    name: `${info.isDefault ? 'defaultSecurityRules' : 'securityRules'}/${info.rule}`,
    protocol: properties.protocol === '*' ? 'All' : properties.protocol,
    sourcePortRange: sourcePorts[0] ?? '0-65535',
    destinationPortRange: destinationPorts[0] ?? '0-65535',
    sourcePortRanges: sourcePorts,
    destinationPortRanges: destinationPorts,
    sourceAddressPrefix: source.prefixes[0] ?? '',
    destinationAddressPrefix: destination.prefixes[0] ?? '',
    sourceAddressPrefixes: source.prefixes,
    destinationAddressPrefixes: destination.prefixes,
    expandedSourceAddressPrefix: source.expanded,
    expandedDestinationAddressPrefix: destination.expanded,
    access: properties.access,
    priority: properties.priority,
    direction: properties.direction,
  };
}

/** One side as written, and what its tag stands for (DIAG-14); members of application security groups as prefixes. */
function sideJson(
  context: Context,
  written: readonly string[],
  groups: readonly Reference[],
  place: Place,
): { readonly prefixes: readonly string[]; readonly expanded: readonly string[] } {
  const members = groups.length === 0 ? [] : prefixTexts(resolveSide(context, [], groups, place));
  const prefixes = written.map((text) => (text === '*' ? '0.0.0.0/0' : text));
  const tags = written.filter(isTag);
  const expanded = tags.length === 0 ? [] : prefixTexts(resolveSide(context, tags, [], place));
  return { prefixes: [...prefixes, ...members], expanded };
}

function prefixTexts(set: AddressSet): string[] {
  return toPrefixes(set).map(formatPrefix);
}

function portRangeText(text: string): string {
  const { first, last } = parsePortRange(text);
  return `${first}-${last}`;
}
