// Shapes about security rules: priorities (NSG-1), the size of rules in front of private endpoints (PNSG-6, PNSG-12).

import { z } from 'zod';
import type { Behaviour } from '../../../control/model/profile.ts';
import { behaviourOf, PROFILES } from '../../../control/model/profile.ts';
import { formatIpv4, parseIpv4 } from '../../../wire/index.ts';
import { shape } from '../../shape.ts';
import { ANY_RULE, endpointObject, isAccepted, nsgObject, nsgReference, subnetIdIn, vnetObject } from './experiment.ts';

const PORT_MAX = 65_535;
const direction = z.enum(['In', 'Out']).transform((text) => (text === 'In' ? 'Inbound' : 'Outbound'));

export const priorities = shape(
  z.strictObject({ priorities: z.array(z.number()) }),
  ({ priorities: values }, { behaviour }) => ({
    acceptedPriorities: values.filter((priority) =>
      isAccepted([nsgObject('group', [{ ...ANY_RULE, priority }])], behaviour),
    ),
  }),
);

export const rulePairs = shape(
  z.strictObject({ rulePairs: z.array(z.array(z.tuple([z.number(), direction]))) }),
  ({ rulePairs: pairs }, { behaviour }) => ({
    acceptedPairs: pairs.map((pair) => {
      const rules = pair.map(([priority, way]) => ({ ...ANY_RULE, priority, direction: way }));
      return isAccepted([nsgObject('group', rules)], behaviour);
    }),
  }),
);

export const rulePrefixCounts = shape(
  z.strictObject({ profile: z.enum(PROFILES).optional(), rulePrefixCounts: z.array(z.int().min(1)) }),
  ({ profile, rulePrefixCounts: counts }, context) => {
    const behaviour = profile === undefined ? context.behaviour : behaviourOf(profile);
    return {
      acceptedCounts: counts.filter((count) => acceptsEndpointRule({ ...ANY_RULE, ...sources(count) }, behaviour)),
    };
  },
);

export const factors = shape(
  z.strictObject({ factors: z.array(z.tuple([z.int().min(1), z.int().min(1), z.int().min(1).max(PORT_MAX)])) }),
  ({ factors: rows }, { behaviour }) => ({
    acceptedFactors: rows.filter(([from, to, ports]) => {
      const rule = { ...ANY_RULE, protocol: 'Tcp', ...sources(from), ...destinations(to, ports) };
      return acceptsEndpointRule(rule, behaviour);
    }),
  }),
);

/** Is a rule accepted in front of an endpoint? */
function acceptsEndpointRule(rule: Readonly<Record<string, unknown>>, behaviour: Behaviour): boolean {
  const properties = { networkSecurityGroup: nsgReference('group'), privateEndpointNetworkPolicies: 'Enabled' };
  const network = vnetObject('vnet', ['10.0.0.0/16'], [{ name: 'endpoints', cidr: '10.0.1.0/24', properties }]);
  const endpoint = endpointObject('endpoint', subnetIdIn('vnet', 'endpoints'));
  return isAccepted([network, nsgObject('group', [rule]), endpoint], behaviour);
}

function sources(count: number): object {
  return { sourceAddressPrefix: undefined, sourceAddressPrefixes: hostPrefixes('10.128.0.0', count) };
}

function destinations(count: number, ports: number): object {
  return {
    destinationAddressPrefix: undefined,
    destinationAddressPrefixes: hostPrefixes('10.192.0.0', count),
    destinationPortRange: undefined,
    destinationPortRanges: Array.from({ length: ports }, (_, i) => String(i + 1)),
  };
}

function hostPrefixes(first: string, count: number): string[] {
  const base = parseIpv4(first);
  return Array.from({ length: count }, (_, i) => `${formatIpv4(base + i * 2)}/32`);
}
