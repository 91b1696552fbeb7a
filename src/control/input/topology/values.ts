// Tools of the topology expansion: resource objects made member by member, each member with the place it came from.

import type { Behaviour } from '../../model/profile.ts';
import type { IssueList } from '../issue-list.ts';
import { derive } from '../places.ts';
import type { At } from '../places.ts';
import { makeId, TYPE_OF_KIND } from '../resources/resource-types.ts';
import type { NamedKind, NameTable } from './names.ts';

/** What the expansions of one topology share. */
export interface ExpandContext {
  readonly names: NameTable;
  readonly issues: IssueList;
  readonly behaviour: Behaviour;
  readonly location: string | undefined;
}

/** A value and the place it came from; undefined members are left out. */
export type Member = readonly [value: unknown, at?: At] | undefined;

/** An object at a place, made of members. */
export function build(at: At, members: Readonly<Record<string, Member>>): object {
  const values: Record<string, unknown> = {};
  const places: Record<string, At> = {};
  for (const [key, member] of Object.entries(members)) {
    if (member === undefined || member[0] === undefined) continue;
    values[key] = member[0];
    if (member[1] !== undefined) places[key] = member[1];
  }
  return derive(values, at, places);
}

/** A resource object in flattened form. */
export function buildResource(
  context: ExpandContext,
  kind: keyof typeof TYPE_OF_KIND,
  name: string,
  at: At,
  members: Readonly<Record<string, Member>>,
): object {
  const type = TYPE_OF_KIND[kind];
  const location: Member = context.location === undefined ? undefined : [context.location];
  return build(at, { id: [makeId(type, name)], name: [name], type: [type], location, ...members });
}

/** Member of a part of the topology, unchanged. */
export function from<T extends object>(object: T, key: keyof T & string): Member {
  return object[key] === undefined ? undefined : [object[key], { object, key }];
}

/** Member that may be one value or a list, as a list. */
export function listFrom<T extends object>(object: T, key: keyof T & string): Member {
  const value: unknown = object[key];
  if (value === undefined) return undefined;
  const at = { object, key };
  return [Array.isArray(value) ? value : derive([value], at, { 0: at }), at];
}

/** Member that names another resource, as a reference; an error when there is no such resource. */
export function refer<T extends object>(
  context: ExpandContext,
  object: T,
  key: keyof T & string,
  kind: NamedKind,
): Member {
  const name: unknown = object[key];
  if (typeof name !== 'string') return undefined;
  const at = { object, key };
  const id = context.names.find(name, at, kind);
  return id === undefined ? undefined : [derive({ id }, at), at];
}

/** Entries of a section without those whose name differs from an earlier one in case only: they are reported. */
export function distinctEntries<T>(section: Readonly<Record<string, T>> | undefined): [string, T][] {
  const seen = new Set<string>();
  return Object.entries(section ?? {}).filter(([name]) => {
    const isFirst = !seen.has(name.toLowerCase());
    seen.add(name.toLowerCase());
    return isFirst;
  });
}

/** List of names as a list of references. */
export function referAll(context: ExpandContext, list: readonly string[] | undefined, kind: NamedKind): Member {
  if (list === undefined) return undefined;
  const at = { object: list };
  const references = list.flatMap((name, index) => {
    const id = context.names.find(name, { object: list, key: index }, kind);
    return id === undefined ? [] : [derive({ id }, { object: list, key: index })];
  });
  return [derive(references, at), at];
}
