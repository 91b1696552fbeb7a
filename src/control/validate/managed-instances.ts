// The subnet of a SQL Managed Instance (SQLMI-26): delegated, large enough, with NSG and route table, its own.

import { MI_SUBNET_ADDRESSES_MIN } from '../../abi/limits.ts';
import { formatPrefix, prefixSize } from '../../wire/address.ts';
import { idKey } from '../model/resources.ts';
import { nameOfId, resolve, type SubnetPlace, type ValidationContext } from './context.ts';

export const MI_DELEGATION = 'Microsoft.Sql/managedInstances';

export function checkManagedInstances(context: ValidationContext): void {
  const places = new Map<string, SubnetPlace>();
  for (const service of context.network.privateLinkResources) {
    if (service.type.toLowerCase() !== MI_DELEGATION.toLowerCase()) continue;
    const place = resolve(context.subnets, service.properties.subnet);
    if (place !== undefined) places.set(idKey(place.subnet.id), place);
  }
  for (const [key, place] of context.subnets) if (isDelegatedToMi(place)) places.set(key, place);
  for (const place of places.values()) checkSubnet(context, place);
}

function isDelegatedToMi({ subnet }: SubnetPlace): boolean {
  return subnet.properties.delegations.some(
    (delegation) => delegation.properties.serviceName.toLowerCase() === MI_DELEGATION.toLowerCase(),
  );
}

function checkSubnet(context: ValidationContext, miPlace: SubnetPlace): void {
  const { subnet, vnet, prefix } = miPlace;
  const place = { path: `virtualNetworks.${vnet.name}.subnets.${subnet.name}`, source: subnet.source ?? vnet.source };
  const title = `subnet '${subnet.name}' of a SQL Managed Instance`;
  if (!isDelegatedToMi(miPlace)) {
    const hint = `delegate it to ${MI_DELEGATION}`;
    context.report('MI_SUBNET_NOT_DELEGATED', place, `${title} is not delegated to it`, hint);
  }
  if (prefix !== undefined && prefixSize(prefix) < MI_SUBNET_ADDRESSES_MIN) {
    const message =
      `${title} is ${formatPrefix(prefix)} with ${prefixSize(prefix)} addresses; ` +
      `expected at least ${MI_SUBNET_ADDRESSES_MIN}`;
    context.report('MI_SUBNET_SIZE', place, message, 'make it a /27 or larger');
  }
  if (subnet.properties.networkSecurityGroup === undefined) {
    context.report('MI_SUBNET_NSG', place, `${title} has no network security group`, 'associate one with it');
  }
  if (subnet.properties.routeTable === undefined) {
    context.report('MI_SUBNET_ROUTE_TABLE', place, `${title} has no route table`, 'associate one with it');
  }
  // The NICs of instances themselves carry the service that they belong to.
  const others = context.network.networkInterfaces.filter(
    (nic) =>
      nic.properties.service === undefined &&
      nic.properties.ipConfigurations.some(
        (configuration) => idKey(configuration.properties.subnet.id) === idKey(subnet.id),
      ),
  );
  if (others.length > 0) {
    const names = others.map((nic) => `'${nameOfId(nic.id)}'`).join(', ');
    const hint = 'the instance needs a subnet of its own: move the NICs to another subnet';
    context.report('MI_SUBNET_SHARED', place, `${title} also holds NIC ${names}`, hint, 'warning');
  }
}
