// How changes find what they are about, by name or id and without regard to case, and put a changed object in place.

import { type Issue, InputError } from '../issues.ts';
import { idKey, type Network, type Subnet, type VirtualNetwork } from '../model/resources.ts';
import { nameHint } from '../validate/suggestion.ts';
import type { ChangeIssueCode } from './codes.ts';

/** A control-plane change: makes a new network and leaves the given one as it is. Throws InputError when refused. */
export type Change = (network: Network) => Network;

export interface Named {
  readonly id: string;
  readonly name: string;
}

/** The one object with this name or id. Throws InputError when there is none or several. */
export function find<T extends Named>(objects: readonly T[], nameOrId: string, what: string): T {
  const wanted = nameOrId.toLowerCase();
  const byId = objects.find((object) => idKey(object.id) === idKey(nameOrId));
  const found = byId === undefined ? objects.filter((object) => object.name.toLowerCase() === wanted) : [byId];
  const [first] = found;
  if (first === undefined) {
    const names = objects.map((object) => object.name);
    const hint = nameHint(nameOrId, names, `there is no ${what} at all`);
    throw refusal('CHANGE_NAME_NOT_FOUND', `no ${what} is named '${nameOrId}'`, hint);
  }
  if (found.length > 1) {
    const ids = found.map((object) => object.id).join(', ');
    throw refusal('CHANGE_NAME_AMBIGUOUS', `${found.length} ${what}s are named '${nameOrId}'`, `use the id: ${ids}`);
  }
  return first;
}

/** The one subnet with this name, `network/subnet` name or id, and its network. */
export function findSubnet(
  network: Network,
  nameOrId: string,
): { readonly vnet: VirtualNetwork; readonly subnet: Subnet } {
  const places = network.virtualNetworks.flatMap((vnet) =>
    vnet.properties.subnets.map((subnet) => ({ vnet, subnet, id: subnet.id, name: subnet.name })),
  );
  const qualified = places.map((place) => ({ ...place, name: `${place.vnet.name}/${place.subnet.name}` }));
  const slashes = nameOrId.split('/').length - 1;
  const { vnet, subnet } = find(slashes === 1 ? qualified : places, nameOrId, 'subnet');
  return { vnet, subnet };
}

/** A list with one object exchanged for another. */
export function exchange<T>(objects: readonly T[], old: T, next: T): readonly T[] {
  return objects.map((object) => (object === old ? next : object));
}

/** The network with other properties in one subnet. */
export function withSubnet(
  network: Network,
  nameOrId: string,
  edit: (subnet: Subnet) => Subnet['properties'],
): Network {
  const { vnet, subnet } = findSubnet(network, nameOrId);
  const subnets = exchange(vnet.properties.subnets, subnet, { ...subnet, properties: edit(subnet) });
  return withVnet(network, vnet, { subnets });
}

/** The network with some properties of one virtual network changed. */
export function withVnet(
  network: Network,
  vnet: VirtualNetwork,
  properties: Partial<VirtualNetwork['properties']>,
): Network {
  const next = { ...vnet, properties: { ...vnet.properties, ...properties } };
  return { ...network, virtualNetworks: exchange(network.virtualNetworks, vnet, next) };
}

/** A copy without one property: under exactOptionalPropertyTypes absent is not undefined. */
export function without<T extends object, K extends keyof T>(object: T, key: K): Omit<T, K> {
  const { [key]: _removed, ...rest } = object;
  return rest;
}

/** The error of a refused change. */
export function refusal(code: ChangeIssueCode, message: string, hint: string): InputError {
  return new InputError([{ code, severity: 'error', message, hint } satisfies Issue]);
}
