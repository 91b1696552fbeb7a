// Network interfaces of guests. The read-only interfaces of private endpoints (PE-3) are told apart here and folded
// into their endpoints elsewhere.

import { idKey } from '../../model/resources.ts';
import type { ApplianceBehaviour, IpConfiguration, NetworkInterface, Reference } from '../../model/resources.ts';
import { baseOf, withSource } from './base.ts';
import type { Entry } from './catalogue.ts';
import type { Fields } from './fields.ts';
import { mergeLink, resolve } from './links.ts';
import type { InputContext } from './links.ts';
import { TYPE_OF_KIND } from './resource-types.ts';
import { checkAddress, checkAll, checkMac } from '../syntax.ts';

/** Address of a dynamic allocation until allocation.ts fills it in. */
export const NOT_ALLOCATED = '';

/** Interfaces of guests; one without a usable IP configuration is left out. `subnets`: keys of the usable subnets. */
export function readNetworkInterfaces(context: InputContext, subnets: ReadonlySet<string>): NetworkInterface[] {
  return context.catalogue.ofKind('networkInterface').flatMap((entry) => {
    if (isPlatformInterface(context, entry)) return [];
    const ipConfigurations = readIpConfigurations(context, entry, subnets);
    const properties = { ...readLinks(context, entry), ...readSettings(context, entry.fields) };
    if (ipConfigurations.length === 0) return [];
    return [{ ...baseOf(entry, TYPE_OF_KIND.networkInterface), properties: { ipConfigurations, ...properties } }];
  });
}

/** The interface of each private endpoint that has one in the input, by key of the endpoint's id. */
export function endpointInterfaces(context: InputContext): Map<string, Entry[]> {
  const interfaces = new Map<string, Entry[]>();
  for (const entry of context.catalogue.ofKind('networkInterface')) {
    const own = entry.fields.reference('privateEndpoint');
    const endpoint = own === undefined ? context.links.toldTo('privateEndpoint', entry.id) : own;
    const found = endpoint && resolve(context, endpoint, 'privateEndpoint');
    if (found !== undefined) interfaces.set(idKey(found.id), [...(interfaces.get(idKey(found.id)) ?? []), entry]);
  }
  return interfaces;
}

/** Guests that forward: those said to be appliances, and all with IP forwarding (NET-8). */
export function readAppliances(context: InputContext, interfaces: readonly NetworkInterface[]): ApplianceBehaviour[] {
  return interfaces.flatMap((nic) => {
    const fields = context.catalogue.byKey.get(idKey(nic.id))?.fields.child('appliance');
    if (fields === undefined && !nic.properties.enableIPForwarding) return [];
    const snat = fields?.boolean('snat') ?? false;
    return [{ nic: { id: nic.id }, snat, stateful: fields?.boolean('stateful') ?? false }];
  });
}

/** References of a list as the model keeps them; absent ones are reported and dropped. */
export function readApplicationGroups(context: InputContext, fields: Fields): Reference[] {
  const references = fields.references('applicationSecurityGroups');
  const groups = references.flatMap((reference) => resolve(context, reference, 'applicationSecurityGroup') ?? []);
  return groups.map(({ id }) => ({ id }));
}

/** No guest stands behind the interfaces of private endpoints and of Private Link services. */
function isPlatformInterface(context: InputContext, entry: Entry): boolean {
  const { fields } = entry;
  if (fields.has('privateEndpoint') || fields.has('privateLinkService')) return true;
  return context.links.toldTo('privateEndpoint', entry.id) !== undefined;
}

function readIpConfigurations(context: InputContext, entry: Entry, subnets: ReadonlySet<string>): IpConfiguration[] {
  const list = entry.fields.list('ipConfigurations');
  if (list.length === 0 && !entry.fields.has('ipConfigurations')) entry.fields.missing('ipConfigurations');
  const read = list.flatMap((fields, index) => readIpConfiguration(context, entry, subnets, fields, index) ?? []);
  // NET-6: exactly one is primary; an export of a single configuration may leave the flag out.
  if (read.some((configuration) => configuration.properties.primary)) return read;
  return read.map((configuration, index) => {
    return { ...configuration, properties: { ...configuration.properties, primary: index === 0 } };
  });
}

function readIpConfiguration(
  context: InputContext,
  nic: Entry,
  subnets: ReadonlySet<string>,
  fields: Fields,
  index: number,
): IpConfiguration | undefined {
  if (fields.text('privateIPAddressVersion')?.toLowerCase() === 'ipv6') {
    const message = `an IPv6 configuration of ${nic.name} was ignored`;
    context.issues.warning('IPV6_IGNORED', fields.at(), message, 'nothing to do if the IPv4 half is enough');
    return undefined;
  }
  const name = fields.ownText('name') ?? `ipconfig${index + 1}`;
  const id = fields.ownText('id') ?? `${nic.id}/ipConfigurations/${name}`;
  const stated = fields.textAt('privateIPAddress');
  const address = stated === undefined ? NOT_ALLOCATED : checkAddress(stated, context.issues);
  const method = fields.word('privateIPAllocationMethod', ['Dynamic', 'Static']);
  const subnet = resolve(context, fields.reference('subnet'), 'subnet');
  const publicIPAddress = mergeLink(context, 'publicIPAddress', id, fields.reference('publicIPAddress'));
  const groups = readApplicationGroups(context, fields);
  const pools = fields.references('loadBalancerBackendAddressPools').map((pool) => ({ id: pool.id }));
  const primary = fields.boolean('primary') ?? false;
  if (!fields.has('subnet')) fields.missing('subnet');
  if (address === undefined || subnet === undefined || !subnets.has(idKey(subnet.id))) return undefined;
  return {
    id,
    name,
    ...withSource(fields),
    properties: {
      privateIPAddress: address,
      privateIPAllocationMethod: method ?? (stated === undefined ? 'Dynamic' : 'Static'),
      subnet: { id: subnet.id },
      primary,
      ...(publicIPAddress && { publicIPAddress }),
      ...(groups.length > 0 && { applicationSecurityGroups: groups }),
      ...(pools.length > 0 && { loadBalancerBackendAddressPools: pools }),
    },
  };
}

type LinkProperties = Pick<NetworkInterface['properties'], 'networkSecurityGroup' | 'virtualMachine'>;

function readLinks(context: InputContext, entry: Entry): LinkProperties {
  const { fields } = entry;
  const group = mergeLink(context, 'networkSecurityGroup', entry.id, fields.reference('networkSecurityGroup'));
  // Machines are no part of the model: the link is kept for its name even when the machine is not in the input.
  const machine = fields.reference('virtualMachine') ?? context.links.toldTo('virtualMachine', entry.id);
  const known = machine && context.catalogue.byKey.get(idKey(machine.id));
  return {
    ...(group && { networkSecurityGroup: group }),
    ...(machine && { virtualMachine: { id: known?.id ?? machine.id } }),
  };
}

type Settings = Omit<NetworkInterface['properties'], 'ipConfigurations' | keyof LinkProperties | 'privateEndpoint'>;

function readSettings(context: InputContext, fields: Fields): Settings {
  const mac = fields.textAt('macAddress');
  const macAddress = mac && checkMac(mac, context.issues);
  const dnsServers = fields.child('dnsSettings')?.texts('dnsServers') ?? [];
  const servers = checkAll(dnsServers, context.issues, checkAddress);
  const disableTcpStateTracking = fields.boolean('disableTcpStateTracking');
  const allowPort25Out = fields.boolean('allowPort25Out');
  const mtu = fields.number('mtu');
  const outbound = fields.boolean('defaultOutboundConnectivityEnabled');
  return {
    enableIPForwarding: fields.boolean('enableIPForwarding') ?? false, // NET-8
    ...(macAddress !== undefined && { macAddress }),
    ...(servers.length > 0 && { dnsSettings: { dnsServers: servers } }),
    ...(disableTcpStateTracking !== undefined && { disableTcpStateTracking }),
    ...(allowPort25Out !== undefined && { allowPort25Out }),
    ...(mtu !== undefined && { mtu }),
    ...(outbound !== undefined && { defaultOutboundConnectivityEnabled: outbound }),
  };
}
