// All resources of an input by id and kind: duplicates settled, children (subnets, peerings, rules, routes) gathered
// from inside their parents and from resources of their own, so that every later reader sees one form only.

import { idKey } from '../../model/resources.ts';
import { Fields, isObject } from './fields.ts';
import type { IssueList } from '../issue-list.ts';
import { sourceOf } from '../places.ts';
import { identify } from './raw-resources.ts';
import type { Identity, RawResource } from './raw-resources.ts';
import { parentId, TYPE_OF_KIND } from './resource-types.ts';
import type { Kind } from './resource-types.ts';

/** One resource of the input. */
export interface Entry {
  readonly kind: Kind;
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly fields: Fields;
}

export interface Catalogue {
  readonly byKey: ReadonlyMap<string, Entry>;
  /** In input order. */
  ofKind(kind: Kind): readonly Entry[];
  /** Children of one parent in input order. */
  childrenOf(parent: Entry, kind: Kind): readonly Entry[];
}

type ParentKind =
  | 'virtualNetwork'
  | 'networkSecurityGroup'
  | 'routeTable'
  | 'privateDnsZone'
  | 'privateEndpoint'
  | 'dnsForwardingRuleset'
  | 'dnsResolver'
  | 'dataFactory'
  | 'managedVirtualNetwork';

const CHILDREN: readonly { readonly parent: ParentKind; readonly kind: Kind; readonly list: string }[] = [
  { parent: 'virtualNetwork', kind: 'subnet', list: 'subnets' },
  { parent: 'virtualNetwork', kind: 'peering', list: 'virtualNetworkPeerings' },
  { parent: 'networkSecurityGroup', kind: 'securityRule', list: 'securityRules' },
  { parent: 'routeTable', kind: 'route', list: 'routes' },
  { parent: 'privateDnsZone', kind: 'dnsZoneLink', list: 'virtualNetworkLinks' },
  { parent: 'privateDnsZone', kind: 'dnsRecordSet', list: 'recordSets' },
  { parent: 'privateEndpoint', kind: 'dnsZoneGroup', list: 'privateDnsZoneGroups' },
  { parent: 'dnsForwardingRuleset', kind: 'dnsForwardingRule', list: 'forwardingRules' },
  { parent: 'dnsForwardingRuleset', kind: 'dnsRulesetLink', list: 'virtualNetworkLinks' },
  { parent: 'dnsResolver', kind: 'dnsInboundEndpoint', list: 'inboundEndpoints' },
  { parent: 'dnsResolver', kind: 'dnsOutboundEndpoint', list: 'outboundEndpoints' },
  { parent: 'dataFactory', kind: 'managedVirtualNetwork', list: 'managedVirtualNetworks' },
  { parent: 'managedVirtualNetwork', kind: 'managedPrivateEndpoint', list: 'managedPrivateEndpoints' },
];
const CHILD_KINDS = new Set<Kind>(CHILDREN.map((child) => child.kind));

/** `services`: keys of ids of resources that are targets of private endpoints whatever their type says. */
export function makeCatalogue(
  resources: readonly RawResource[],
  services: ReadonlySet<string>,
  issues: IssueList,
): Catalogue {
  const builder = new CatalogueBuilder(issues);
  const ignoredTypes = new Set<string>();
  const children: { readonly identity: Identity; readonly resource: RawResource }[] = [];
  for (const resource of resources) {
    const identity = identify(resource, issues);
    if (identity === undefined) continue;
    const isService = identity.kind === undefined && services.has(idKey(identity.id));
    const kind = isService ? 'privateLinkResource' : identity.kind;
    if (kind === undefined) warnIgnored(resource, identity.type, ignoredTypes, issues);
    else if (CHILD_KINDS.has(kind)) children.push({ identity, resource });
    else if (kind !== 'ignored') builder.add(kind, identity, resource, undefined);
  }
  for (const child of CHILDREN) {
    for (const parent of builder.ofKind(child.parent)) addNested(builder, parent, child);
  }
  for (const { identity, resource } of children) addSeparate(builder, identity, resource, issues);
  return builder;
}

class CatalogueBuilder implements Catalogue {
  readonly byKey = new Map<string, Entry>();
  readonly #issues: IssueList;
  readonly #kinds = new Map<Kind, Map<string, Entry>>();
  readonly #children = new Map<string, Map<string, Entry>>();

  constructor(issues: IssueList) {
    this.#issues = issues;
  }

  ofKind(kind: Kind): readonly Entry[] {
    return [...(this.#kinds.get(kind)?.values() ?? [])];
  }

  childrenOf(parent: Entry, kind: Kind): readonly Entry[] {
    return [...(this.#children.get(`${kind} ${idKey(parent.id)}`)?.values() ?? [])];
  }

  /** Adds or replaces: the last of several objects with one id counts, in the place of the first. */
  add(kind: Kind, identity: Identity, resource: RawResource, parent: Entry | undefined): void {
    const key = idKey(identity.id);
    const earlier = this.byKey.get(key);
    if (earlier !== undefined && canonicalText(earlier.fields.object) !== canonicalText(resource)) {
      const where = sourceOf({ object: earlier.fields.object });
      const place = where === undefined ? '' : ` (the first is at ${where.file}:${where.line})`;
      const message = `two different resources have the id ${identity.id}${place}; the last one counts`;
      this.#issues.warning('RESOURCE_DUPLICATE', { object: resource }, message, 'remove one of them');
    }
    const { id, name, type } = identity;
    const entry: Entry = { kind, id: earlier?.id ?? id, name, type, fields: new Fields(resource, this.#issues) };
    this.byKey.set(key, entry);
    getOrAdd(this.#kinds, kind).set(key, entry);
    if (parent !== undefined) getOrAdd(this.#children, `${kind} ${idKey(parent.id)}`).set(key, entry);
  }
}

function getOrAdd<K>(maps: Map<K, Map<string, Entry>>, key: K): Map<string, Entry> {
  const found = maps.get(key) ?? new Map<string, Entry>();
  maps.set(key, found);
  return found;
}

function addNested(builder: CatalogueBuilder, parent: Entry, child: (typeof CHILDREN)[number]): void {
  const type = TYPE_OF_KIND[child.kind as keyof typeof TYPE_OF_KIND];
  for (const fields of parent.fields.list(child.list)) {
    const name = fields.ownText('name') ?? identify(fields.object)?.name;
    if (name === undefined) {
      fields.missing('name');
      continue;
    }
    const id = childId(parent, child, name, fields.ownText('id'));
    builder.add(child.kind, { id, name, type, kind: child.kind }, fields.object, parent);
  }
}

function addSeparate(builder: CatalogueBuilder, identity: Identity, resource: RawResource, issues: IssueList): void {
  const child = CHILDREN.find((candidate) => candidate.kind === identity.kind);
  const parent = builder.byKey.get(idKey(parentId(identity.id)));
  if (child === undefined) return;
  if (parent?.kind !== child.parent) {
    const message = `${identity.id} stands in a resource that is not in the input; it was left out`;
    issues.warning('REFERENCE_NOT_FOUND', { object: resource }, message, 'add the parent resource to the input');
    return;
  }
  const id = childId(parent, child, identity.name, identity.id);
  builder.add(child.kind, { ...identity, id }, resource, parent);
}

/** Subnets and peerings keep their stated id, because others refer to it; rules and routes are known by their name. */
function childId(parent: Entry, child: (typeof CHILDREN)[number], name: string, stated: string | undefined): string {
  // Record sets of one name and several types differ in their ids only.
  const keepsId = child.kind === 'subnet' || child.kind === 'peering' || child.kind === 'dnsRecordSet';
  return keepsId && stated !== undefined ? stated : `${parent.id}/${child.list}/${name}`;
}

function warnIgnored(resource: RawResource, type: string, seen: Set<string>, issues: IssueList): void {
  const key = type.toLowerCase();
  if (seen.has(key)) return;
  seen.add(key);
  const message = `resources of type ${type} are not emulated and were ignored`;
  issues.warning('RESOURCE_TYPE_IGNORED', { object: resource }, message, 'nothing to do if they do not matter here');
}

/** Keys that differ between two exports of one unchanged resource. */
const VOLATILE_KEYS = new Set(['etag', 'resourcegroup', 'provisioningstate', 'resourceguid']);

/** One text for all forms of a resource: nested or flattened, any key order and casing, empty values or none. */
function canonicalText(value: unknown): string {
  return JSON.stringify(canonical(value));
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (!isObject(value)) return value;
  const members: [string, unknown][] = [];
  for (const [name, member] of Object.entries(value)) {
    const key = name.toLowerCase();
    if (member === null || member === '' || (Array.isArray(member) && member.length === 0)) continue;
    if (VOLATILE_KEYS.has(key)) continue;
    if (key === 'properties' && isObject(member)) members.push(...Object.entries(canonical(member) as object));
    else members.push([key, canonical(member)]);
  }
  return Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1)));
}
