// Network security groups with their rules, and application security groups. The default rules of NSG-9 are the
// compiler's: exported ones are compared with the documented ones and then ignored.

import type { ApplicationSecurityGroup, NetworkSecurityGroup, Reference, SecurityRule } from '../../model/resources.ts';
import { baseOf, withSource } from './base.ts';
import type { Entry } from './catalogue.ts';
import type { Fields } from './fields.ts';
import { resolve } from './links.ts';
import type { InputContext } from './links.ts';
import { TYPE_OF_KIND } from './resource-types.ts';
import { checkAddressOrTag, checkAll, checkPorts } from '../syntax.ts';

const PROTOCOLS = ['Tcp', 'Udp', 'Icmp', 'Esp', 'Ah', '*', 'Any', 'All'] as const;

export function readNetworkSecurityGroups(context: InputContext): NetworkSecurityGroup[] {
  return context.catalogue.ofKind('networkSecurityGroup').map((entry) => {
    warnAboutDefaultRules(context, entry);
    const children = context.catalogue.childrenOf(entry, 'securityRule');
    return {
      ...baseOf(entry, TYPE_OF_KIND.networkSecurityGroup),
      properties: {
        securityRules: children.flatMap((child) => readRule(context, child) ?? []),
        flushConnection: entry.fields.boolean('flushConnection') ?? false, // NSG-29
      },
    };
  });
}

export function readApplicationSecurityGroups(context: InputContext): ApplicationSecurityGroup[] {
  return context.catalogue
    .ofKind('applicationSecurityGroup')
    .map((entry) => ({ ...baseOf(entry, TYPE_OF_KIND.applicationSecurityGroup), properties: {} }));
}

/** A rule, or undefined after an issue: a rule without its broken part would mean something else. */
function readRule(context: InputContext, entry: Entry): SecurityRule | undefined {
  const { fields } = entry;
  const before = context.issues.items.length;
  const priority = fields.number('priority');
  const direction = fields.word('direction', ['Inbound', 'Outbound']);
  const access = fields.word('access', ['Allow', 'Deny']);
  const protocol = fields.word('protocol', PROTOCOLS) ?? '*';
  for (const name of ['priority', 'direction', 'access']) if (!fields.has(name)) fields.missing(name);
  const source = readSide(context, fields, 'source');
  const destination = readSide(context, fields, 'destination');
  const sourcePortRanges = readPorts(context, fields, 'sourcePortRange');
  const destinationPortRanges = readPorts(context, fields, 'destinationPortRange');
  const description = fields.text('description');
  const provisioningState = fields.text('provisioningState');
  const broken = context.issues.items.slice(before).some((issue) => issue.severity === 'error');
  if (broken || source === undefined || destination === undefined) return undefined;
  if (priority === undefined || direction === undefined || access === undefined) return undefined;
  return {
    id: entry.id,
    name: entry.name,
    ...withSource(fields),
    properties: {
      priority,
      direction,
      access,
      protocol: protocol === 'Any' || protocol === 'All' ? '*' : protocol,
      sourceAddressPrefixes: source.prefixes,
      destinationAddressPrefixes: destination.prefixes,
      sourcePortRanges,
      destinationPortRanges,
      sourceApplicationSecurityGroups: source.groups,
      destinationApplicationSecurityGroups: destination.groups,
      ...(description !== undefined && { description }),
      ...(provisioningState !== undefined && { provisioningState }),
    },
  };
}

interface Side {
  readonly prefixes: readonly string[];
  readonly groups: readonly Reference[];
}

/** Undefined when all that the side names was left out: an empty side must not turn into "any". */
function readSide(context: InputContext, fields: Fields, side: 'source' | 'destination'): Side | undefined {
  const items = [...fields.texts(`${side}AddressPrefix`), ...fields.texts(`${side}AddressPrefixes`)];
  const references = fields.references(`${side}ApplicationSecurityGroups`);
  const prefixes = checkAll(items, context.issues, checkAddressOrTag);
  const groups = references.flatMap((reference) => resolve(context, reference, 'applicationSecurityGroup') ?? []);
  if (items.length + references.length === 0) return { prefixes: ['*'], groups: [] };
  if (prefixes.length + groups.length === 0) return undefined;
  return { prefixes, groups: groups.map(({ id }) => ({ id })) };
}

function readPorts(context: InputContext, fields: Fields, name: string): string[] {
  const items = [...fields.texts(name, 'numbers'), ...fields.texts(`${name}s`, 'numbers')];
  const ports = checkAll(items, context.issues, checkPorts);
  return items.length === 0 ? ['*'] : ports;
}

/** NSG-9: direction, priority, source, destination and access of the default rules, by lower-case name (NSG-10). */
const DEFAULT_RULES: ReadonlyMap<string, string> = new Map([
  ['allowvnetinbound', 'inbound 65000 virtualnetwork virtualnetwork allow'],
  ['allowazureloadbalancerinbound', 'inbound 65001 azureloadbalancer * allow'],
  ['denyallinbound', 'inbound 65500 * * deny'],
  ['allowvnetoutbound', 'outbound 65000 virtualnetwork virtualnetwork allow'],
  ['allowinternetoutbound', 'outbound 65001 * internet allow'],
  ['denyalloutbound', 'outbound 65500 * * deny'],
]);

function warnAboutDefaultRules(context: InputContext, entry: Entry): void {
  const rules = entry.fields.list('defaultSecurityRules');
  const differing = rules.filter(
    (rule) => DEFAULT_RULES.get(rule.ownText('name')?.toLowerCase() ?? '') !== outline(rule),
  );
  const [first] = differing;
  if (first === undefined) return;
  const names = differing.map((rule) => rule.ownText('name') ?? '(no name)').join(', ');
  const message = `default rules of ${entry.name} differ from the documented ones, which count: ${names}`;
  context.issues.warning('DEFAULT_RULE_DIFFERS', first.at(), message, 'export the group again, or ignore this');
}

function outline(rule: Fields): string {
  const address = (side: string): string => {
    const all = [...rule.texts(`${side}AddressPrefix`), ...rule.texts(`${side}AddressPrefixes`)].map(
      ({ text }) => text,
    );
    return all.join(',').replace(/^0\.0\.0\.0\/0$/, '*');
  };
  const words = [rule.text('direction'), rule.number('priority'), address('source'), address('destination')];
  return [...words, rule.text('access')].join(' ').toLowerCase();
}
