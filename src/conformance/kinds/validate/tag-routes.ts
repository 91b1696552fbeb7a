// The shape about user-defined routes for one prefix, some of them through service tags (ROUTE-17, ROUTE-18): their
// order is found by removing the one that is in force, again and again.

import { z } from 'zod';
import { effectiveRoutes } from '../../../control/compile/effective-routes.ts';
import { networkFromResources } from '../../../control/input/resources/network.ts';
import { makeServiceTags } from '../../../control/input/service-tags.ts';
import { hasErrors, InputError } from '../../../control/issues.ts';
import type { Behaviour } from '../../../control/model/profile.ts';
import { shape } from '../../shape.ts';
import { routeTableObject, routeTableReference, subnetIdIn, vnetObject } from './experiment.ts';

const PREFIX = '20.99.0.0/16';
/** Stands in the list for a route that names the prefix itself. */
const EXPLICIT = 'explicit';

export const samePrefixRoutes = shape(
  z.strictObject({ samePrefixRoutes: z.array(z.string()).min(1) }),
  ({ samePrefixRoutes: labels }, { behaviour }) => {
    const left = [...labels];
    const order: string[] = [];
    while (left.length > 0) {
      const winner = routeInForce(left, behaviour);
      order.push(winner);
      left.splice(left.indexOf(winner), 1);
    }
    return { order };
  },
);

function routeInForce(labels: readonly string[], behaviour: Behaviour): string {
  const tags = labels.filter((label) => label !== EXPLICIT);
  const objects = [
    vnetObject(
      'vnet',
      ['10.0.0.0/16'],
      [{ name: 'subnet', cidr: '10.0.0.0/24', properties: { routeTable: routeTableReference('table') } }],
    ),
    routeTableObject(
      'table',
      labels.map((label) => ({
        name: label,
        properties: { addressPrefix: label === EXPLICIT ? PREFIX : label, nextHopType: 'Internet' },
      })),
    ),
  ];
  const serviceTags = makeServiceTags(Object.fromEntries(tags.map((tag) => [tag, [PREFIX]])));
  const { network, issues } = networkFromResources(objects, { serviceTags });
  if (hasErrors(issues)) throw new InputError(issues);
  const table = effectiveRoutes(network, behaviour, subnetIdIn('vnet', 'subnet'));
  const active = table.filter((route) => route.prefix === PREFIX && route.state === 'Active');
  const winner = active[0]?.name ?? '';
  if (active.length !== 1 || winner === '') throw new Error(`${active.length} routes are in force at once`);
  return winner;
}
