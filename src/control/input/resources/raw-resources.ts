// Raw resource objects: taken out of the shapes in which Azure's tools print them (one object, a list, `{value: […]}`,
// `{data: […]}`), and told apart from topologies and from templates, which look alike at first sight.

import { isObject, memberOf } from './fields.ts';
import type { IssueList } from '../issue-list.ts';
import { kindOfType, makeId, readId } from './resource-types.ts';
import type { Kind } from './resource-types.ts';

/** A resource object in any casing, nested or flattened; its place is remembered in places.ts. */
export type RawResource = object;

/** What a raw resource is called. */
export interface Identity {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  /** Undefined for types that are not emulated. */
  readonly kind: Kind | undefined;
}

/** True when a parsed text holds resource objects and not a topology. */
export function holdsResources(value: unknown): boolean {
  if (Array.isArray(value)) return true;
  return isObject(value) && (isResource(value) || listInside(value) !== undefined);
}

/** True for a deployment template: it has expressions where resource objects have values. */
export function isTemplate(value: unknown): boolean {
  if (!isObject(value)) return false;
  const schema = memberOf(value, '$schema');
  if (typeof schema === 'string' && /deploymentTemplate/i.test(schema)) return true;
  return memberOf(value, 'contentVersion') !== undefined && memberOf(value, 'resources') !== undefined;
}

/** All resource objects of a value for which `holdsResources` is true; lists may be nested. */
export function listResources(value: unknown, issues: IssueList): RawResource[] {
  const resources: RawResource[] = [];
  const pending: { readonly value: unknown; readonly list: readonly unknown[]; readonly index: number }[] = [];
  pending.push({ value, list: [value], index: 0 });
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const found = next.value;
    const list = Array.isArray(found) ? found : isObject(found) && !isResource(found) ? listInside(found) : undefined;
    if (list !== undefined) pending.push(...list.map((item, index) => ({ value: item, list, index })).reverse());
    else if (isObject(found)) resources.push(found);
    else {
      const at = { object: next.list, key: next.index };
      issues.error('RESOURCE_NOT_OBJECT', at, 'expected a resource object', 'write {id, name, type, properties}');
    }
  }
  return resources;
}

/** Id, name and type of a resource; what is not stated is taken from the id. An issue and undefined without a type. */
export function identify(resource: RawResource, issues?: IssueList): Identity | undefined {
  const id = textMember(resource, 'id');
  const fromId = id === undefined ? undefined : readId(id);
  const type = textMember(resource, 'type') ?? fromId?.type;
  const at = { object: resource };
  if (type === undefined) {
    const hint = 'add type, for example "type": "Microsoft.Network/virtualNetworks"';
    issues?.error('RESOURCE_TYPE_MISSING', at, 'this resource has neither a type nor an id that tells it', hint);
    return undefined;
  }
  const name = textMember(resource, 'name') ?? fromId?.name;
  if (name === undefined) {
    issues?.error('RESOURCE_NAME_MISSING', at, 'this resource has neither a name nor an id', 'add id and name');
    return undefined;
  }
  const kind = kindOfType(type);
  const group = textMember(resource, 'resourceGroup');
  return { id: id ?? makeId(type, name, group), name: name.split('/').at(-1) ?? name, type, kind };
}

function isResource(object: object): boolean {
  const type = memberOf(object, 'type');
  if (typeof type === 'string' && /^[\w.-]+(\/[\w.-]+)+$/.test(type)) return true;
  const id = memberOf(object, 'id');
  return typeof id === 'string' && readId(id) !== undefined;
}

function listInside(object: object): readonly unknown[] | undefined {
  for (const key of ['value', 'data']) {
    const list = memberOf(object, key);
    if (Array.isArray(list)) return list;
  }
  return undefined;
}

function textMember(object: object, name: string): string | undefined {
  const value = memberOf(object, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}
