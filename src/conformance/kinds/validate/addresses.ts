// Shapes about address space: addresses that may be assigned, ranges of networks, sizes of subnets (NET-1 to NET-4).

import { z } from 'zod';
import { formatPrefix, parsePrefix } from '../../../wire/index.ts';
import type { Behaviour } from '../../../control/model/profile.ts';
import { shape } from '../../shape.ts';
import { isAccepted, nicObject, subnetIdIn, tryResources, vnetObject } from './experiment.ts';

const SUBNET = subnetIdIn('vnet', 'subnet');

export const staticAddresses = shape(
  z.strictObject({ subnet: z.string(), staticIps: z.array(z.string()) }),
  ({ subnet, staticIps }, { behaviour }) => {
    const network = vnetObject('vnet', [subnet], [{ name: 'subnet', cidr: subnet }]);
    const accepts = (address: string) => isAccepted([network, nicObject('nic', SUBNET, address)], behaviour);
    return split(staticIps, accepts);
  },
);

export const dynamicAddresses = shape(
  z.strictObject({ subnet: z.string(), dynamicNics: z.int().min(0) }),
  ({ subnet, dynamicNics }, { behaviour }) => {
    const network = vnetObject('vnet', [subnet], [{ name: 'subnet', cidr: subnet }]);
    const nics = Array.from({ length: dynamicNics }, (_, i) => nicObject(`nic${i + 1}`, SUBNET));
    const tried = tryResources([network, ...nics], behaviour);
    const configurations = tried.network.networkInterfaces.flatMap((nic) => nic.properties.ipConfigurations);
    const assigned = configurations.map((configuration) => configuration.properties.privateIPAddress);
    const given = assigned.filter((address) => address !== '');
    return { assigned: given, refusedCount: dynamicNics - given.length };
  },
);

export const addressSpaces = shape(
  z.strictObject({ addressSpaces: z.array(z.string()) }),
  ({ addressSpaces: ranges }, { behaviour }) =>
    split(ranges, (range) => isAccepted([vnetObject('vnet', [range], [])], behaviour)),
);

export const subnetLengths = shape(
  z.strictObject({ subnetPrefixLengths: z.array(z.int().min(0).max(32)) }),
  ({ subnetPrefixLengths }, { behaviour }) => ({
    acceptedLengths: subnetPrefixLengths.filter((length) => acceptsLength(length, behaviour)),
  }),
);

// The lowest addresses for the longest subnets: higher up, every such range would hold one that is refused (NET-1).
function acceptsLength(length: number, behaviour: Behaviour): boolean {
  const base = length < 8 ? '0.0.0.0' : '10.0.0.0';
  const cidr = formatPrefix(parsePrefix(`${base}/${length}`));
  const range = length < 8 ? cidr : '10.0.0.0/8';
  return isAccepted([vnetObject('vnet', [range], [{ name: 'subnet', cidr }])], behaviour);
}

function split(
  values: readonly string[],
  accepts: (value: string) => boolean,
): { readonly accepted: readonly string[]; readonly refused: readonly string[] } {
  const verdicts = values.map((value) => ({ value, ok: accepts(value) }));
  return {
    accepted: verdicts.filter(({ ok }) => ok).map(({ value }) => value),
    refused: verdicts.filter(({ ok }) => !ok).map(({ value }) => value),
  };
}
