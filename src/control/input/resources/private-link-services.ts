// Private Link services: NAT addresses, visibility, auto-approval, alias (PLS-1), and what their connection objects
// tell about the endpoints at the other end (PLS-20).

import { idKey } from '../../model/resources.ts';
import type { Network } from '../../model/resources.ts';
import type { PrivateLinkService } from '../../model/load-balancing.ts';
import { guidOf, isAlias, privateLinkServiceAlias } from '../../private-link/alias.ts';
import { checkAddress } from '../syntax.ts';
import { baseOf } from './base.ts';
import type { Entry } from './catalogue.ts';
import type { Fields } from './fields.ts';
import { NOT_ALLOCATED } from './interfaces.ts';
import { resolve } from './links.ts';
import type { InputContext } from './links.ts';
import { TYPE_OF_KIND } from './resource-types.ts';

/** Region in the alias of a service whose region is not stated. */
const REGION_DEFAULT = 'eastus';

/** `subnets`: keys of the usable subnets; a NAT address elsewhere is left out. */
export function readPrivateLinkServices(
  context: InputContext,
  subnets: ReadonlySet<string>,
): Pick<Network, 'privateLinkServices'> {
  const privateLinkServices = context.catalogue.ofKind('privateLinkService').map((entry): PrivateLinkService => {
    const { fields } = entry;
    const direct = fields.textAt('destinationIPAddress');
    const destinationIPAddress = direct && checkAddress(direct, context.issues);
    return {
      ...baseOf(entry, TYPE_OF_KIND.privateLinkService),
      properties: {
        alias: readAlias(entry),
        enableProxyProtocol: fields.boolean('enableProxyProtocol') ?? false,
        visibility: subscriptionsOf(fields, 'visibility'),
        autoApproval: subscriptionsOf(fields, 'autoApproval'),
        fqdns: fields.texts('fqdns').map(({ text }) => text.toLowerCase()),
        loadBalancerFrontendIpConfigurations: fields
          .references('loadBalancerFrontendIpConfigurations')
          .map(({ id }) => ({ id })),
        ipConfigurations: readNatAddresses(context, fields, subnets),
        ...(destinationIPAddress !== undefined && { destinationIPAddress }),
      },
    };
  });
  return { privateLinkServices };
}

/** PLS-2: the stated alias; one without the suffix is only the prefix that the owner has chosen. */
function readAlias({ id, name, fields }: Entry): string {
  const stated = fields.text('alias');
  if (stated !== undefined && isAlias(stated)) return stated;
  const region = fields.ownText('location') ?? REGION_DEFAULT;
  return privateLinkServiceAlias({ prefix: stated ?? name, guid: guidOf(id), region });
}

/** PLS-3: `{subscriptions: […]}`. */
function subscriptionsOf(fields: Fields, name: string): string[] {
  return (fields.child(name)?.texts('subscriptions') ?? []).map(({ text }) => text);
}

function readNatAddresses(
  context: InputContext,
  fields: Fields,
  subnets: ReadonlySet<string>,
): PrivateLinkService['properties']['ipConfigurations'] {
  const list = fields.list('ipConfigurations');
  const stated = list.some((configuration) => configuration.boolean('primary') === true);
  return list.flatMap((configuration, index) => {
    if (configuration.text('privateIPAddressVersion')?.toLowerCase() === 'ipv6') {
      const message = 'an IPv6 NAT address was ignored';
      context.issues.warning('IPV6_IGNORED', configuration.at(), message, 'services carry IPv4 only (PLS-6)');
      return [];
    }
    const text = configuration.textAt('privateIPAddress');
    const privateIPAddress = text === undefined ? NOT_ALLOCATED : checkAddress(text, context.issues);
    if (!configuration.has('subnet')) configuration.missing('subnet');
    const subnet = resolve(context, configuration.reference('subnet'), 'subnet');
    const primary = stated ? (configuration.boolean('primary') ?? false) : index === 0;
    const name = configuration.ownText('name') ?? `nat-${index + 1}`;
    if (privateIPAddress === undefined || subnet === undefined || !subnets.has(idKey(subnet.id))) return [];
    return [{ name, properties: { privateIPAddress, subnet: { id: subnet.id }, primary } }];
  });
}

/** LinkIDs of connections by key of their endpoint's id, as their owners' connection objects tell them (PLS-20). */
export function linkIdentifiers(context: InputContext): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const entry of context.catalogue.ofKind('privateLinkService')) {
    for (const connection of entry.fields.list('privateEndpointConnections')) {
      const endpoint = connection.reference('privateEndpoint');
      const link = connection.number('linkIdentifier');
      if (endpoint !== undefined && link !== undefined) found.set(idKey(endpoint.id), link);
    }
  }
  return found;
}
