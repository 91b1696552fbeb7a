// Virtual Network Manager: the rules of deployed security admin configurations with the networks that they apply to
// (NSG-15). A manager lists both itself, in the properties `virtualNetworks` and `rules`.

import type { Network } from '../../model/resources.ts';
import type { NetworkManager, SecurityAdminRule } from '../../model/services.ts';
import { checkAddressOrTag, checkAll, checkPorts } from '../syntax.ts';
import { baseOf, withSource } from './base.ts';
import type { Entry } from './catalogue.ts';
import type { Fields } from './fields.ts';
import { resolve } from './links.ts';
import type { InputContext } from './links.ts';
import { TYPE_OF_KIND } from './resource-types.ts';

const PROTOCOLS = ['Tcp', 'Udp', 'Icmp', 'Esp', 'Ah', '*', 'Any'] as const;
const SIDES = ['source', 'destination'] as const;

export function readSecurityAdminRules(context: InputContext): Pick<Network, 'networkManagers' | 'securityAdminRules'> {
  const read = context.catalogue.ofKind('networkManager').map((entry) => readManager(context, entry));
  return {
    networkManagers: read.map(({ manager }) => manager),
    securityAdminRules: read.flatMap(({ rules }) => rules),
  };
}

function readManager(
  context: InputContext,
  entry: Entry,
): { readonly manager: NetworkManager; readonly rules: readonly SecurityAdminRule[] } {
  const virtualNetworks = entry.fields
    .references('virtualNetworks')
    .flatMap((reference) => resolve(context, reference, 'virtualNetwork') ?? [])
    .map(({ id }) => ({ id }));
  return {
    manager: { ...baseOf(entry, TYPE_OF_KIND.networkManager), properties: { virtualNetworks } },
    rules: entry.fields.list('rules').flatMap((fields) => readRule(context, entry, virtualNetworks, fields) ?? []),
  };
}

/** A rule, or undefined after an issue: without its broken part it would mean something else. */
function readRule(
  context: InputContext,
  manager: Entry,
  virtualNetworks: SecurityAdminRule['properties']['virtualNetworks'],
  fields: Fields,
): SecurityAdminRule | undefined {
  const before = context.issues.items.length;
  const name = fields.ownText('name');
  const priority = fields.number('priority');
  const direction = fields.word('direction', ['Inbound', 'Outbound']);
  const access = fields.word('access', ['Allow', 'AlwaysAllow', 'Deny']);
  const protocol = fields.word('protocol', PROTOCOLS) ?? '*';
  for (const key of ['name', 'priority', 'direction', 'access']) if (!fields.has(key)) fields.missing(key);
  const [sourceAddressPrefixes, destinationAddressPrefixes] = SIDES.map((side) =>
    everything(fields.texts(`${side}AddressPrefixes`), (items) => checkAll(items, context.issues, checkAddressOrTag)),
  ) as [string[], string[]];
  const [sourcePortRanges, destinationPortRanges] = SIDES.map((side) =>
    everything(fields.texts(`${side}PortRanges`, 'numbers'), (items) => checkAll(items, context.issues, checkPorts)),
  ) as [string[], string[]];
  const isBroken = context.issues.items.slice(before).some((issue) => issue.severity === 'error');
  // IPv6 entries are left out with a warning: a side of nothing else must not turn into "any".
  if (sourceAddressPrefixes.length === 0 || destinationAddressPrefixes.length === 0) return undefined;
  if (isBroken || name === undefined || priority === undefined) return undefined;
  if (direction === undefined || access === undefined) return undefined;
  return {
    id: `${manager.id}/rules/${name}`,
    name,
    ...withSource(fields),
    properties: {
      networkManager: { id: manager.id },
      virtualNetworks,
      priority,
      direction,
      access,
      protocol: protocol === 'Any' ? '*' : protocol,
      sourceAddressPrefixes,
      destinationAddressPrefixes,
      sourcePortRanges,
      destinationPortRanges,
    },
  };
}

/** What is left out means everything. */
function everything<T>(items: readonly T[], check: (items: readonly T[]) => string[]): string[] {
  return items.length === 0 ? ['*'] : check(items);
}
