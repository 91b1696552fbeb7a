// The shapes about zones: limits and recommended names (DNS).

import { z } from 'zod';
import { recommendedZones } from '../../../control/dns/resource-types.ts';
import { resourceId } from '../../resources.ts';
import { shape } from '../../shape.ts';
import { endpointObject, isAccepted, REGION, subnetIdIn, vnetObject } from './experiment.ts';
import type { Shape } from '../../shape.ts';

const counts = z.array(z.number().int().min(1)).min(1);
const limitsSchema = z
  .strictObject({
    zoneGroupsPerPe: counts.optional(),
    zonesPerGroup: counts.optional(),
    linksPerZoneAndVnet: counts.optional(),
    registrationZonesPerVnet: counts.optional(),
  })
  .refine((value) => Object.keys(value).length > 0);

/** The largest number of each kind that is accepted. */
const zoneLimits = shape(limitsSchema, (input, { behaviour }) => {
  const acceptedMax: Record<string, number> = {};
  for (const key of Object.keys(DRAFTS) as (keyof typeof DRAFTS)[]) {
    const accepted = (input[key] ?? []).filter((count) => isAccepted(DRAFTS[key](count), behaviour));
    if (input[key] !== undefined) acceptedMax[key] = Math.max(0, ...accepted);
  }
  return { acceptedMax };
});

const groupsSchema = z.strictObject({ groupIds: z.array(z.tuple([z.string(), z.string()])).min(1) });

/** The zone that is recommended for a sub-resource of a type; a list when there are several or none. */
const zoneNames = shape(groupsSchema, ({ groupIds }) => ({
  zoneNames: groupIds.map(([type, groupId]) => {
    const names = (recommendedZones(type, groupId) ?? []).map((entry) => entry.zone);
    return names.length === 1 ? names[0] : names;
  }),
}));

export const dnsLimits: readonly Shape[] = [zoneLimits, zoneNames];

const VNET = vnetObject('net', ['10.0.0.0/16'], [{ name: 'endpoints', cidr: '10.0.0.0/24' }]);
const ZONE = 'Microsoft.Network/privateDnsZones';

const DRAFTS = {
  zoneGroupsPerPe: (count: number) => [VNET, ...zones(count), endpoint(many(count, (index) => [index]))],
  zonesPerGroup: (count: number) => [VNET, ...zones(count), endpoint([many(count, (index) => index)])],
  linksPerZoneAndVnet: (count: number) => [VNET, zone(0), ...many(count, (index) => link(0, index, false))],
  registrationZonesPerVnet: (count: number) => [
    VNET,
    ...zones(count),
    ...many(count, (index) => link(index, index, true)),
  ],
};

function many<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function zones(count: number): object[] {
  return many(count, zone);
}

function zoneName(index: number): string {
  return `zone${index + 1}.example`;
}

function zone(index: number): object {
  return { id: resourceId(ZONE, zoneName(index)), name: zoneName(index), type: ZONE, location: 'global' };
}

function link(zoneIndex: number, index: number, registrationEnabled: boolean): object {
  const type = `${ZONE}/virtualNetworkLinks`;
  const virtualNetwork = { id: resourceId('Microsoft.Network/virtualNetworks', 'net') };
  const name = `link${index + 1}`;
  const id = `${resourceId(ZONE, zoneName(zoneIndex))}/virtualNetworkLinks/${name}`;
  return { id, name, type, location: 'global', properties: { virtualNetwork, registrationEnabled } };
}

/** An endpoint with a zone group per list of zones. */
function endpoint(groups: readonly (readonly number[])[]): object {
  const object = endpointObject('pe', subnetIdIn('net', 'endpoints'), { location: REGION }) as { properties: object };
  const privateDnsZoneGroups = groups.map((list, index) => ({
    name: `group${index + 1}`,
    properties: {
      privateDnsZoneConfigs: list.map((each) => ({
        name: zoneName(each),
        properties: { privateDnsZoneId: resourceId(ZONE, zoneName(each)) },
      })),
    },
  }));
  return { ...object, properties: { ...object.properties, privateDnsZoneGroups } };
}
