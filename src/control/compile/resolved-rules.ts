// The rules of a network security group in evaluation order, with addresses and ports resolved for the subnet where
// they are evaluated: user rules by priority, then the default rules (NSG-9). Used to compile rule sets and to print
// effective security rules.

import { PROTOCOL_AH, PROTOCOL_ESP, PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/index.ts';
import { idKey, type NetworkSecurityGroup, type Reference, type SecurityRule } from '../model/resources.ts';
import { ALL_ADDRESSES, type AddressSet, intersect, setOfPrefixes, union } from './address-set.ts';
import type { RuleInfo } from './compiled.ts';
import { type Context, ipv4Prefixes, type Place } from './context.ts';
import { ALL_PORTS, endpointPortRanges, portSet } from './port-ranges.ts';
import { expandTag, isPlatformTag, isTag, platformTagPort, setOfAddresses } from './service-tags.ts';

export type Direction = 'Inbound' | 'Outbound';

/**
 * Which rules count and how: all of them; only those that name an AzurePlatform tag (NSG-30); all of them as they
 * work in front of private endpoints (PNSG-5, PNSG-10).
 */
export type RuleVariant = 'normal' | 'platform' | 'endpoint';

/** Matches every protocol. */
export const ANY_PROTOCOL = -1;
/** Matches every protocol but ESP and AH: `*` of user rules with the switch `nsg.anyCoversEspAh` off. */
export const ANY_BUT_IPSEC = -2;

/** A rule of a group before resolution; `info` is one object per rule and network. */
export interface GroupRule {
  readonly info: RuleInfo;
  readonly properties: SecurityRule['properties'];
}

/** A rule ready to match. */
export interface ResolvedRule {
  readonly info: RuleInfo;
  readonly properties: SecurityRule['properties'];
  readonly allow: boolean;
  /** IP protocol number, ANY_PROTOCOL or ANY_BUT_IPSEC. */
  readonly protocol: number;
  readonly source: AddressSet;
  readonly destination: AddressSet;
  readonly sourcePorts: AddressSet;
  readonly destinationPorts: AddressSet;
}

/** All rules of a group, user rules by priority and default rules last, both directions. */
export function rulesOfGroup(nsg: NetworkSecurityGroup): GroupRule[] {
  const user = nsg.properties.securityRules.map((rule): GroupRule => {
    const { priority, direction, access } = rule.properties;
    const info = { nsg: nsg.name, nsgId: nsg.id, rule: rule.name, priority, direction, access, isDefault: false };
    return { info: rule.source === undefined ? info : { ...info, source: rule.source }, properties: rule.properties };
  });
  const defaults = DEFAULT_RULES.map((rule): GroupRule => {
    const { priority, direction, access } = rule.properties;
    return {
      info: { nsg: nsg.name, nsgId: nsg.id, rule: rule.name, priority, direction, access, isDefault: true },
      properties: rule.properties,
    };
  });
  return [...user, ...defaults].toSorted((a, b) => a.info.priority - b.info.priority);
}

/** The rules of one direction that count in a place, resolved, in evaluation order. */
export function resolveRules(
  context: Context,
  rules: readonly GroupRule[],
  direction: Direction,
  variant: RuleVariant,
  place: Place,
): ResolvedRule[] {
  return rules
    .filter(
      ({ properties }) =>
        properties.direction === direction &&
        (variant !== 'platform' || properties.destinationAddressPrefixes.some(isPlatformTag)),
    )
    .map((rule) => resolveRule(context, rule, variant, place));
}

function resolveRule(context: Context, rule: GroupRule, variant: RuleVariant, place: Place): ResolvedRule {
  const { info, properties } = rule;
  const { source, destination } =
    variant === 'endpoint'
      ? endpointPortRanges(properties, context.behaviour)
      : { source: properties.sourcePortRanges, destination: properties.destinationPortRanges };
  const protocol = protocolOf(context, rule);
  const hasPorts = protocol < 0 || protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP;
  const destinationPorts = hasPorts ? portSet(destination) : ALL_PORTS; // NSG-3
  return {
    info,
    properties,
    allow: properties.access === 'Allow',
    protocol,
    source: resolveSide(context, properties.sourceAddressPrefixes, properties.sourceApplicationSecurityGroups, place),
    destination: resolveSide(
      context,
      properties.destinationAddressPrefixes,
      properties.destinationApplicationSecurityGroups,
      place,
    ),
    sourcePorts: hasPorts ? portSet(source) : ALL_PORTS,
    destinationPorts: intersect(destinationPorts, platformPorts(properties.destinationAddressPrefixes)),
  };
}

/** Default rules are for every protocol in any case: a group always has an answer (NSG-9). */
function protocolOf(context: Context, { info, properties }: GroupRule): number {
  const protocol = PROTOCOL_NUMBERS[properties.protocol];
  const coversIpsec = info.isDefault || context.behaviour.switches['nsg.anyCoversEspAh'];
  return protocol === ANY_PROTOCOL && !coversIpsec ? ANY_BUT_IPSEC : protocol;
}

/** Ports that the platform tags among destinations stand for (NSG-21); all ports where there is no such tag. */
function platformPorts(destinations: readonly string[]): AddressSet {
  const port = destinations.map(platformTagPort).find((found) => found !== undefined);
  return port === undefined ? ALL_PORTS : Uint32Array.of(port, port);
}

/** Addresses of one side of a rule: all that it names (NSG-7); a group means its members (NSG-24). */
export function resolveSide(
  context: Context,
  prefixes: readonly string[],
  groups: readonly Reference[],
  place: Place,
): AddressSet {
  const members = groups.map((group) => setOfAddresses(context.asgMembers.get(idKey(group.id)) ?? []));
  if (!prefixes.some(isTag)) return union(literalSet(prefixes), ...members);
  const tags = prefixes.filter(isTag).map((tag) => expandTag(context, tag, place));
  return union(literalSet(prefixes.filter((text) => !isTag(text))), ...tags, ...members);
}

/** Sets of prefix lists without tags depend on nothing else; lists live as long as the rule that holds them. */
const literalSets = new WeakMap<readonly string[], AddressSet>();

function literalSet(prefixes: readonly string[]): AddressSet {
  let set = literalSets.get(prefixes);
  if (set === undefined) {
    set = prefixes.includes('*') ? ALL_ADDRESSES : setOfPrefixes(ipv4Prefixes(prefixes));
    literalSets.set(prefixes, set);
  }
  return set;
}

const PROTOCOL_NUMBERS: Readonly<Record<SecurityRule['properties']['protocol'], number>> = {
  Tcp: PROTOCOL_TCP,
  Udp: PROTOCOL_UDP,
  Icmp: PROTOCOL_ICMP,
  Esp: PROTOCOL_ESP,
  Ah: PROTOCOL_AH,
  '*': ANY_PROTOCOL,
};

/** The default rules of every group, by the names that tools print (NSG-9, NSG-10). */
const DEFAULT_RULES = [
  defaultRule('AllowVnetInBound', 65_000, 'Inbound', 'VirtualNetwork', 'VirtualNetwork', 'Allow'),
  defaultRule('AllowAzureLoadBalancerInBound', 65_001, 'Inbound', 'AzureLoadBalancer', '0.0.0.0/0', 'Allow'),
  defaultRule('DenyAllInBound', 65_500, 'Inbound', '0.0.0.0/0', '0.0.0.0/0', 'Deny'),
  defaultRule('AllowVnetOutBound', 65_000, 'Outbound', 'VirtualNetwork', 'VirtualNetwork', 'Allow'),
  defaultRule('AllowInternetOutBound', 65_001, 'Outbound', '0.0.0.0/0', 'Internet', 'Allow'),
  defaultRule('DenyAllOutBound', 65_500, 'Outbound', '0.0.0.0/0', '0.0.0.0/0', 'Deny'),
];

function defaultRule(
  name: string,
  priority: number,
  direction: Direction,
  source: string,
  destination: string,
  access: 'Allow' | 'Deny',
): { readonly name: string; readonly properties: SecurityRule['properties'] } {
  return {
    name,
    properties: {
      priority,
      direction,
      access,
      protocol: '*',
      sourceAddressPrefixes: [source],
      destinationAddressPrefixes: [destination],
      sourcePortRanges: ['*'],
      destinationPortRanges: ['*'],
      sourceApplicationSecurityGroups: [],
      destinationApplicationSecurityGroups: [],
    },
  };
}
