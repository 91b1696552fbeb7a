// The part that all resources of the model share: id, name, type, location, tags and place.

import type { SourceLocation } from '../../model/resources.ts';
import type { Entry } from './catalogue.ts';
import type { Fields } from './fields.ts';
import { sourceOf } from '../places.ts';

export interface Base {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly location?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly source?: SourceLocation;
}

/** `type` in Azure's spelling; without it as the input spells it. */
export function baseOf(entry: Entry, type = entry.type): Base {
  const location = entry.fields.ownText('location');
  const tags = readTags(entry.fields);
  return {
    id: entry.id,
    name: entry.name,
    type,
    ...(location !== undefined && { location }),
    ...(tags && { tags }),
    ...withSource(entry.fields),
  };
}

/** `{source}` of an object, or nothing when its place is not known. */
export function withSource(fields: Fields): { readonly source?: SourceLocation } {
  const source = sourceOf(fields.at());
  return source === undefined ? {} : { source };
}

/** Tag values that are not text are printed as text: `true` and `"true"` mean the same to a reader of tags. */
function readTags(fields: Fields): Readonly<Record<string, string>> | undefined {
  const tags = fields.has('tags') ? fields.child('tags') : undefined;
  if (tags === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(tags.object).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
}
