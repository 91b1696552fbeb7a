// Ways out to the Internet: public addresses and NAT gateways.

import { idKey } from '../../model/resources.ts';
import type { NatGateway, PublicIPAddress, VirtualNetwork } from '../../model/resources.ts';
import { baseOf } from './base.ts';
import { resolve } from './links.ts';
import type { InputContext } from './links.ts';
import { TYPE_OF_KIND } from './resource-types.ts';
import { checkAddress } from '../syntax.ts';

/** Default of both resources (LIM-37). */
const IDLE_MINUTES_DEFAULT = 4;

export function readPublicIPAddresses(context: InputContext): PublicIPAddress[] {
  return context.catalogue.ofKind('publicIPAddress').map((entry) => {
    const { fields } = entry;
    const stated = fields.textAt('ipAddress');
    const ipAddress = stated && checkAddress(stated, context.issues);
    const idleTimeoutInMinutes = fields.number('idleTimeoutInMinutes') ?? IDLE_MINUTES_DEFAULT;
    return {
      ...baseOf(entry, TYPE_OF_KIND.publicIPAddress),
      sku: fields.child('sku')?.word('name', ['Standard', 'Basic']) ?? 'Standard',
      properties: { idleTimeoutInMinutes, ...(ipAddress !== undefined && { ipAddress }) },
    };
  });
}

/** The subnets of a gateway are those whose merged link names it, so that both ends always agree. */
export function readNatGateways(context: InputContext, networks: readonly VirtualNetwork[]): NatGateway[] {
  const subnets = networks.flatMap((network) => network.properties.subnets);
  return context.catalogue.ofKind('natGateway').map((entry) => {
    const served = subnets.filter((subnet) => idKey(subnet.properties.natGateway?.id ?? '') === idKey(entry.id));
    const addresses = entry.fields
      .references('publicIpAddresses')
      .flatMap((reference) => resolve(context, reference, 'publicIPAddress') ?? []);
    return {
      ...baseOf(entry, TYPE_OF_KIND.natGateway),
      properties: {
        publicIpAddresses: addresses.map(({ id }) => ({ id })),
        subnets: served.map(({ id }) => ({ id })),
        idleTimeoutInMinutes: entry.fields.number('idleTimeoutInMinutes') ?? IDLE_MINUTES_DEFAULT,
      },
    };
  });
}
