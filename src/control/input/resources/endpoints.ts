// Private endpoints with their connections, and the resources that they lead to. An endpoint's read-only interface is
// folded into it (PE-3); a target that is not in the input is assumed with the ports its kind is known for.

import { idKey } from '../../model/resources.ts';
import type {
  ConnectionState,
  Network,
  PrivateEndpoint,
  PrivateLinkResource,
  PrivateLinkServiceConnection,
  Reference,
} from '../../model/resources.ts';
import { baseOf, withSource } from './base.ts';
import type { Entry } from './catalogue.ts';
import { Fields } from './fields.ts';
import type { TextAt } from './fields.ts';
import { endpointInterfaces, NOT_ALLOCATED, readApplicationGroups } from './interfaces.ts';
import { IssueList } from '../issue-list.ts';
import { resolve } from './links.ts';
import type { InputContext } from './links.ts';
import { linkIdentifiers } from './private-link-services.ts';
import { identify } from './raw-resources.ts';
import { readServiceParts } from './services.ts';
import type { RawResource } from './raw-resources.ts';
import { defaultPorts, readId, SERVICE_TYPES, shortName, TYPE_OF_KIND } from './resource-types.ts';
import { checkAddress, checkPorts } from '../syntax.ts';

const STATES: readonly ConnectionState[] = ['Pending', 'Approved', 'Rejected', 'Disconnected'];
const LISTS = ['privateLinkServiceConnections', 'manualPrivateLinkServiceConnections'] as const;

/** Keys of the ids of all targets of private endpoints: whatever their type, they are kept. */
export function endpointTargets(resources: readonly RawResource[]): Set<string> {
  const unheard = new IssueList(); // what is wrong is reported when the endpoint itself is read
  const targets = new Set<string>();
  for (const resource of resources) {
    if (identify(resource)?.kind !== 'privateEndpoint') continue;
    const fields = new Fields(resource, unheard);
    for (const connection of LISTS.flatMap((list) => fields.list(list))) {
      const target = connection.text('privateLinkServiceId');
      if (target !== undefined) targets.add(idKey(target));
    }
    const interfaceTarget = fields.reference('endpointService')?.id;
    if (interfaceTarget !== undefined) targets.add(idKey(interfaceTarget));
  }
  return targets;
}

/** `subnets`: keys of the usable subnets; an endpoint elsewhere is left out. */
export function readPrivateEndpoints(context: InputContext, subnets: ReadonlySet<string>): PrivateEndpoint[] {
  const interfaces = endpointInterfaces(context);
  const linkIds = linkIdentifiers(context);
  return context.catalogue.ofKind('privateEndpoint').flatMap((entry) => {
    const linkId = linkIds.get(idKey(entry.id));
    const { fields } = entry;
    const own = interfaces.get(idKey(entry.id)) ?? [];
    const subnet = resolve(context, fields.reference('subnet'), 'subnet');
    if (!fields.has('subnet')) fields.missing('subnet');
    const customDnsConfigs = readDnsConfigs(fields);
    const ipConfigurations = readStaticAddresses(context, fields);
    const address = ipConfigurations === undefined ? undefined : findAddress(context, fields, own);
    const groups = [entry.fields, ...own.flatMap((nic) => nic.fields.list('ipConfigurations'))].flatMap((holder) =>
      readApplicationGroups(context, holder),
    );
    const properties = {
      privateLinkServiceConnections: [
        ...readConnections(context, fields, LISTS[0], linkId),
        ...readInterfaceTarget(context, fields),
      ],
      manualPrivateLinkServiceConnections: readConnections(context, fields, LISTS[1], linkId),
      networkInterfaces: own.map(({ id }) => ({ id })),
      customDnsConfigs,
      applicationSecurityGroups: uniqueReferences(groups),
    };
    if (subnet === undefined || !subnets.has(idKey(subnet.id))) return [];
    if (ipConfigurations === undefined || address === undefined) return [];
    const placed = { subnet: { id: subnet.id }, ipConfigurations, privateIPAddress: address };
    return [{ ...baseOf(entry, TYPE_OF_KIND.privateEndpoint), properties: { ...properties, ...placed } }];
  });
}

function readConnections(
  context: InputContext,
  fields: Fields,
  list: (typeof LISTS)[number],
  linkId: number | undefined,
): PrivateLinkServiceConnection[] {
  return fields.list(list).flatMap((connection, index) => {
    const target = connection.requiredText('privateLinkServiceId');
    const state = connection.child('privateLinkServiceConnectionState');
    const status = state?.word('status', STATES);
    const requestMessage = connection.text('requestMessage');
    const groupIds = connection.texts('groupIds').map(({ text }) => text);
    const description = state?.text('description');
    const actionsRequired = state?.text('actionsRequired');
    const linkIdentifier = connection.number('linkIdentifier') ?? linkId; // PLS-20
    if (target === undefined) return [];
    const known = context.catalogue.byKey.get(idKey(target.text));
    const properties = {
      privateLinkServiceId: known?.id ?? target.text,
      groupIds,
      ...(requestMessage !== undefined && { requestMessage }),
      privateLinkServiceConnectionState: {
        status: status ?? (list === LISTS[0] ? 'Approved' : 'Pending'), // PE-12, PE-13
        ...(description !== undefined && { description }),
        ...(actionsRequired !== undefined && { actionsRequired }),
      },
      ...(linkIdentifier !== undefined && { linkIdentifier }),
    };
    return [{ name: connection.ownText('name') ?? `connection${index + 1}`, ...withSource(connection), properties }];
  });
}

/** IFE-2, IFE-9: an interface endpoint names its service directly and works on creation. */
function readInterfaceTarget(context: InputContext, fields: Fields): PrivateLinkServiceConnection[] {
  const target = fields.reference('endpointService');
  if (target === undefined) return [];
  const privateLinkServiceId = context.catalogue.byKey.get(idKey(target.id))?.id ?? target.id;
  const type = readId(target.id)?.type.toLowerCase() ?? '';
  const groupId = SERVICE_TYPES.get(type)?.groupId;
  const groupIds = groupId === undefined ? [] : [groupId];
  const privateLinkServiceConnectionState = { status: 'Approved' as const };
  const properties = { privateLinkServiceId, groupIds, privateLinkServiceConnectionState };
  return [{ name: shortName(target.id), ...withSource(fields), properties }];
}

/** Undefined when one of them is broken. */
function readStaticAddresses(
  context: InputContext,
  fields: Fields,
): PrivateEndpoint['properties']['ipConfigurations'] | undefined {
  const list = fields.list('ipConfigurations').filter((configuration) => configuration.has('privateIPAddress'));
  const read = list.flatMap((configuration, index) => {
    const item = configuration.textAt('privateIPAddress');
    const privateIPAddress = item && checkAddress(item, context.issues);
    if (privateIPAddress === undefined) return [];
    const groupId = configuration.text('groupId');
    const memberName = configuration.text('memberName');
    const names = { ...(groupId !== undefined && { groupId }), ...(memberName !== undefined && { memberName }) };
    const name = configuration.ownText('name') ?? `ipconfig${index + 1}`;
    return [{ name, properties: { privateIPAddress, ...names } }];
  });
  return read.length === list.length ? read : undefined;
}

/** The endpoint's address: stated, of its interface, of its DNS records, or to be allocated (PE-4). */
function findAddress(context: InputContext, fields: Fields, interfaces: readonly Entry[]): string | undefined {
  const holders = [fields, ...fields.list('ipConfigurations')];
  for (const nic of interfaces) holders.push(...nic.fields.list('ipConfigurations'));
  const items: (TextAt | undefined)[] = holders.map((holder) => holder.textAt('privateIPAddress'));
  for (const config of fields.list('customDnsConfigs')) items.push(...config.texts('ipAddresses'));
  const first = items.find((item) => item !== undefined && !item.text.includes(':'));
  return first === undefined ? NOT_ALLOCATED : checkAddress(first, context.issues);
}

function readDnsConfigs(fields: Fields): PrivateEndpoint['properties']['customDnsConfigs'] {
  return fields.list('customDnsConfigs').flatMap((config) => {
    const fqdn = config.text('fqdn');
    if (fqdn === undefined) return [];
    return [{ fqdn, ipAddresses: config.texts('ipAddresses').map(({ text }) => text) }];
  });
}

function uniqueReferences(references: readonly Reference[]): Reference[] {
  return [...new Map(references.map((reference) => [idKey(reference.id), reference])).values()];
}

/** Backend of a resource that states none, until allocation.ts assigns one. */
export const NO_BACKEND = '';

/** Resources of the input that endpoints can lead to, and assumed ones for targets that are not in the input. */
export function readPrivateLinkResources(
  context: InputContext,
  endpoints: readonly PrivateEndpoint[],
  subnets: ReadonlySet<string>,
  services: Network['privateLinkServices'] = [],
): PrivateLinkResource[] {
  const groups = groupIdsByTarget(endpoints);
  const known = context.catalogue.ofKind('privateLinkResource');
  const resources = known.map((entry) =>
    readPrivateLinkResource(context, entry, groups.get(idKey(entry.id)) ?? [], subnets),
  );
  const keys = new Set(known.map((entry) => idKey(entry.id)));
  for (const { id, properties } of services) keys.add(idKey(id)).add(properties.alias.toLowerCase());
  for (const endpoint of endpoints) {
    for (const connection of connectionsOf(endpoint)) {
      const id = connection.properties.privateLinkServiceId;
      if (keys.has(idKey(id))) continue;
      keys.add(idKey(id));
      const resource = assumeResource(id, groups.get(idKey(id)) ?? []);
      resources.push(resource);
      const at = context.catalogue.byKey.get(idKey(endpoint.id))?.fields.at();
      const ports = resource.properties.ports.join(', ');
      const message = `${resource.name}, target of ${endpoint.name}, is not in the input; assumed with ports ${ports}`;
      const hint = 'add the resource to the input, with a property "ports" when these are not right';
      context.issues.warning('TARGET_ASSUMED', at, message, hint);
    }
  }
  return resources;
}

export function connectionsOf(endpoint: PrivateEndpoint): readonly PrivateLinkServiceConnection[] {
  const { privateLinkServiceConnections, manualPrivateLinkServiceConnections } = endpoint.properties;
  return [...privateLinkServiceConnections, ...manualPrivateLinkServiceConnections];
}

function groupIdsByTarget(endpoints: readonly PrivateEndpoint[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { properties } of endpoints.flatMap(connectionsOf)) {
    const key = idKey(properties.privateLinkServiceId);
    groups.set(key, [...(groups.get(key) ?? []), ...properties.groupIds]);
  }
  return groups;
}

function readPrivateLinkResource(
  context: InputContext,
  entry: Entry,
  groupIds: readonly string[],
  subnets: ReadonlySet<string>,
): PrivateLinkResource {
  const { fields } = entry;
  // A SQL Managed Instance tells its subnet as a bare id (SQLMI-26).
  const reference = fields.reference('subnetId') ?? fields.reference('subnet');
  const found = resolve(context, reference, 'subnet');
  const subnet = found !== undefined && subnets.has(idKey(found.id)) ? { id: found.id } : undefined;
  const backend = fields.textAt('backendAddress');
  const backendAddress = (backend && checkAddress(backend, context.issues)) ?? NO_BACKEND;
  const ports = holdsTexts(fields.value('ports')) ? fields.texts('ports', 'numbers') : [];
  const stated = ports
    .flatMap((item) => checkPorts(item, context.issues) ?? [])
    .map((text) => (text === '*' ? '0-65535' : text));
  return {
    ...baseOf(entry),
    properties: {
      backendAddress,
      ports: ports.length === 0 ? defaultPorts(entry.type, groupIds) : stated,
      hostNames: readHostNames(fields),
      ...readServiceParts(context, entry),
      ...(subnet && { subnet }),
    },
  };
}

/** The emulator's own `hostNames`, and where the known service types print theirs. */
function readHostNames(fields: Fields): string[] {
  const names = holdsTexts(fields.value('hostNames')) ? fields.texts('hostNames').map(({ text }) => text) : [];
  for (const property of ['fullyQualifiedDomainName', 'defaultHostName', 'vaultUri']) {
    const value = fields.value(property);
    if (typeof value === 'string') names.push(value);
  }
  const endpoints = fields.value('primaryEndpoints');
  if (typeof endpoints === 'object' && endpoints !== null) {
    names.push(...Object.values(endpoints).filter((value) => typeof value === 'string'));
  }
  const bare = names.map((name) =>
    name
      .replace(/^https?:\/\//, '')
      .replace(/[:/].*$/, '')
      .toLowerCase(),
  );
  return [...new Set(bare.filter((name) => name !== ''))];
}

/** Types that are only targets may use these names for something else, which is then not ours to judge. */
function holdsTexts(value: unknown): boolean {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.every((item) => typeof item === 'string' || typeof item === 'number');
}

function assumeResource(id: string, groupIds: readonly string[]): PrivateLinkResource {
  // A target that is not an id is the alias of a Private Link service (PLS-2): `<prefix>.<GUID>.<region>.azure…`.
  const fromId = readId(id) ?? { type: 'Microsoft.Network/privateLinkServices', name: id.split('.')[0] ?? id };
  const ports = defaultPorts(fromId.type, groupIds);
  return { id, ...fromId, properties: { backendAddress: NO_BACKEND, ports, hostNames: [] } };
}
