// One security rule: priority, name, protocol, source and destination, ports, service tags (NSG-1 to NSG-6, NSG-21).
// A rule that Azure has accepted (an export says `provisioningState: Succeeded`) gets warnings in place of errors.

import {
  ASGS_PER_RULE_MAX,
  PREFIXES_PER_RULE_SIDE_MAX,
  RULE_DESCRIPTION_MAX,
  RULE_NAME_MAX,
  RULE_PRIORITY_MAX,
  RULE_PRIORITY_MIN,
} from '../../abi/limits.ts';
import type { Severity } from '../issues.ts';
import { idKey, type Reference, type SecurityRule, type ServiceTagTable } from '../model/resources.ts';
import type { ValidateIssueCode } from './codes.ts';
import { looksLikePrefix, nameOfId, type Place, portRange, readPrefix, type ValidationContext } from './context.ts';
import { nameHint } from './suggestion.ts';

/** NSG-21: tags that switch off platform services; outbound only. */
export const OUTBOUND_ONLY_TAGS = ['AzurePlatformDNS', 'AzurePlatformIMDS', 'AzurePlatformLKM'] as const;
/** Tags that no table of prefixes defines (NSG-16, NSG-18, NSG-19, NSG-21). NSG-22: none of them can be a route. */
export const BUILT_IN_TAGS = ['VirtualNetwork', 'Internet', 'AzureLoadBalancer', ...OUTBOUND_ONLY_TAGS] as const;

const PROTOCOLS: readonly string[] = ['Tcp', 'Udp', 'Icmp', 'Esp', 'Ah', '*'];
const PROTOCOLS_WITH_PORTS: readonly string[] = ['Tcp', 'Udp', '*'];
const NAME_PATTERN = /^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$/;

/** A rule on its way through the checks: what to call it, where it is, how severe its problems are. */
interface RuleCheck {
  readonly context: ValidationContext;
  readonly rule: SecurityRule;
  readonly title: string;
  readonly place: Place;
  readonly severity: Severity;
}

/** Reports all problems of one rule by itself; what rules of one NSG must not have in common is checked elsewhere. */
export function checkRule(context: ValidationContext, rule: SecurityRule, nsgName: string, place: Place): void {
  const title = `rule '${rule.name}' of network security group '${nsgName}'`;
  const check: RuleCheck = { context, rule, title, place, severity: ruleSeverity(rule) };
  checkPriority(check);
  checkName(check);
  checkKeywords(check);
  const { properties } = rule;
  checkSide(check, 'source', properties.sourceAddressPrefixes, properties.sourceApplicationSecurityGroups);
  checkSide(
    check,
    'destination',
    properties.destinationAddressPrefixes,
    properties.destinationApplicationSecurityGroups,
  );
  checkPorts(check, 'source', properties.sourcePortRanges);
  checkPorts(check, 'destination', properties.destinationPortRanges);
  checkGroupCount(check);
}

/** Azure has accepted a rule that comes from an export: its oddities are warnings. */
export function ruleSeverity(rule: SecurityRule): Severity {
  return rule.properties.provisioningState?.toLowerCase() === 'succeeded' ? 'warning' : 'error';
}

/** Whether a tag is built in or in the table. */
export function isKnownTag(tag: string, table: ServiceTagTable): boolean {
  const key = tag.toLowerCase();
  return table.has(key) || BUILT_IN_TAGS.some((name) => name.toLowerCase() === key);
}

/** Spellings of all tags, for hints. */
export function tagNames(table: ServiceTagTable): string[] {
  return [...BUILT_IN_TAGS, ...[...table.values()].map((entry) => entry.name)];
}

function report(check: RuleCheck, field: string, code: ValidateIssueCode, message: string, hint: string): void {
  const place = { path: `${check.place.path}.${field}`, source: check.place.source };
  check.context.report(code, place, `${check.title} ${message}`, hint, check.severity);
}

function checkPriority(check: RuleCheck): void {
  const { priority } = check.rule.properties;
  if (Number.isInteger(priority) && priority >= RULE_PRIORITY_MIN && priority <= RULE_PRIORITY_MAX) return;
  const expected = `expected ${RULE_PRIORITY_MIN} to ${RULE_PRIORITY_MAX} (Azure: SecurityRuleInvalidPriority)`;
  const hint = `choose a whole number from ${RULE_PRIORITY_MIN} to ${RULE_PRIORITY_MAX}; lower numbers are read first`;
  report(check, 'priority', 'RULE_PRIORITY_RANGE', `has priority ${priority}; ${expected}`, hint);
}

function checkName(check: RuleCheck): void {
  const { name, properties } = check.rule;
  if (name.length > RULE_NAME_MAX || !NAME_PATTERN.test(name)) {
    const why = name.length > RULE_NAME_MAX ? `is ${name.length} characters long` : 'has a name that is not allowed';
    const hint =
      `use at most ${RULE_NAME_MAX} letters, digits, '_', '.' and '-'; ` +
      "start with a letter or digit, end with a letter, digit or '_'";
    report(check, 'name', 'RULE_NAME', why, hint);
  }
  const length = properties.description?.length ?? 0;
  if (length > RULE_DESCRIPTION_MAX) {
    const message = `has a description of ${length} characters; at most ${RULE_DESCRIPTION_MAX}`;
    report(check, 'description', 'RULE_DESCRIPTION_LENGTH', message, 'shorten it');
  }
}

function checkKeywords(check: RuleCheck): void {
  const { protocol, direction, access } = check.rule.properties;
  if (!PROTOCOLS.includes(protocol)) {
    const message = `has protocol ${protocol}; expected ${PROTOCOLS.join(', ')}`;
    report(check, 'protocol', 'RULE_PROTOCOL', message, nameHint(protocol, PROTOCOLS, ''));
  }
  if (direction !== 'Inbound' && direction !== 'Outbound') {
    const message = `has direction ${String(direction)}; expected Inbound or Outbound`;
    report(check, 'direction', 'RULE_DIRECTION', message, 'make one rule per direction');
  }
  if (access !== 'Allow' && access !== 'Deny') {
    const message = `has access ${String(access)}; expected Allow or Deny`;
    report(check, 'access', 'RULE_ACCESS', message, 'write Allow or Deny');
  }
}

/** NSG-4: `*`, or prefixes, or exactly one tag, or application security groups. */
function checkSide(
  check: RuleCheck,
  side: 'source' | 'destination',
  entries: readonly string[],
  groups: readonly Reference[],
): void {
  const field = `${side}AddressPrefixes`;
  if (entries.length === 0 && groups.length === 0) {
    const hint = "write '*' for any address, a prefix, a service tag or an application security group";
    report(check, field, 'RULE_SIDE_EMPTY', `has no ${side}`, hint);
    return;
  }
  const prefixes = entries.filter((entry) => entry !== '*' && looksLikePrefix(entry));
  const tags = entries.filter((entry) => entry !== '*' && !looksLikePrefix(entry));
  const kinds = [prefixes.length > 0, tags.length > 0, entries.includes('*'), groups.length > 0];
  if (kinds.filter(Boolean).length > 1) {
    const message = `mixes prefixes, service tags, '*' or application security groups in its ${side}`;
    const hint = 'use one kind per side and write a second rule for the rest';
    report(check, field, 'RULE_SIDE_MIXED', message, hint);
  }
  if (tags.length > 1) {
    const message = `names ${tags.length} service tags as ${side}: ${tags.join(', ')}`;
    report(check, field, 'RULE_SEVERAL_TAGS', message, 'a side takes one service tag: write one rule per tag');
  }
  if (prefixes.length > PREFIXES_PER_RULE_SIDE_MAX) {
    const message = `has ${prefixes.length} prefixes as ${side}; at most ${PREFIXES_PER_RULE_SIDE_MAX}`;
    report(check, field, 'RULE_PREFIXES_LIMIT', message, 'spread the prefixes over several rules');
  }
  const place = { path: `${check.place.path}.${field}`, source: check.place.source };
  for (const text of prefixes) readPrefix(check.context, text, place, `${side} of ${check.title}`, 'prefixOrAddress');
  for (const tag of tags) checkTag(check, side, field, tag);
  for (const group of groups) checkGroup(check, side, group);
}

/** A tag that nobody defines cannot be emulated, so it is an error even where Azure has accepted the rule. */
function checkTag(check: RuleCheck, side: string, field: string, tag: string): void {
  const { context, rule } = check;
  const table = context.network.serviceTags;
  if (!isKnownTag(tag, table)) {
    const place = { path: `${check.place.path}.${field}`, source: check.place.source };
    const message = `${check.title} names '${tag}' as ${side}, which is neither a prefix nor a known service tag`;
    const hint = nameHint(tag, tagNames(table), 'load a service tag file');
    context.report('TAG_UNKNOWN', place, message, hint, check.severity);
  }
  const outboundOnly = OUTBOUND_ONLY_TAGS.some((name) => name.toLowerCase() === tag.toLowerCase());
  if (outboundOnly && rule.properties.direction === 'Inbound') {
    const message = `is an inbound rule with service tag ${tag}, which is for outbound rules only`;
    report(check, field, 'TAG_DIRECTION', message, 'move it to an outbound rule, as destination');
  }
}

function checkGroup(check: RuleCheck, side: 'source' | 'destination', group: Reference): void {
  const { context } = check;
  if (context.applicationGroups.has(idKey(group.id))) return;
  const name = nameOfId(group.id);
  const known = context.network.applicationSecurityGroups.map((entry) => entry.name);
  const place = { path: `${check.place.path}.${side}ApplicationSecurityGroups`, source: check.place.source };
  const message = `${check.title} names application security group '${name}' as ${side}, which does not exist`;
  const hint = nameHint(name, known, 'add the application security group to the input');
  context.report('ASG_NOT_FOUND', place, message, hint, check.severity);
}

/** NSG-5, and NSG-3: Icmp, Esp and Ah have no ports. */
function checkPorts(check: RuleCheck, side: 'source' | 'destination', ranges: readonly string[]): void {
  const field = `${side}PortRanges`;
  if (ranges.length === 0 && PROTOCOLS_WITH_PORTS.includes(check.rule.properties.protocol)) {
    report(check, field, 'RULE_PORTS_EMPTY', `has no ${side} ports`, "write '*' for any port");
  }
  if (ranges.length > 1 && ranges.includes('*')) {
    const message = `lists '*' together with other ${side} ports`;
    report(check, field, 'RULE_PORTS_MIXED', message, "write either '*' or ports and ranges");
  }
  for (const text of ranges) {
    if (text === '*' || portRange(text) !== undefined) continue;
    const place = { path: `${check.place.path}.${field}`, source: check.place.source };
    const message = `${check.title} has ${side} port '${text}' (Azure: SecurityRuleInvalidPortRange)`;
    const hint = "expected a port from 0 to 65535, a range like 8000-8010, or '*'; separate several as a list";
    check.context.report('RULE_PORT_INVALID', place, message, hint);
  }
}

function checkGroupCount(check: RuleCheck): void {
  const { sourceApplicationSecurityGroups: sources, destinationApplicationSecurityGroups: destinations } =
    check.rule.properties;
  const count = sources.length + destinations.length;
  if (count <= ASGS_PER_RULE_MAX) return;
  const message = `names ${count} application security groups; at most ${ASGS_PER_RULE_MAX}`;
  report(check, 'sourceApplicationSecurityGroups', 'ASGS_PER_RULE_LIMIT', message, 'write several rules');
}
