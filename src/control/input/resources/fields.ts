// Tolerant access to resource objects as Azure's tools print them: keys match without case, properties may be nested
// under `properties` or flattened beside `id`, numbers and booleans may be texts, a null or empty text means absent.
// A value of the wrong type is an issue at its place and then counts as absent.

import type { Reference } from '../../model/resources.ts';
import type { IssueList } from '../issue-list.ts';
import type { At } from '../places.ts';

/** A text and where it is written. */
export interface TextAt {
  readonly text: string;
  readonly at: At;
}

export interface ReferenceAt extends Reference {
  readonly at: At;
}

/** One resource object, or one of the objects inside it. */
export class Fields {
  readonly object: object;
  readonly #issues: IssueList;
  readonly #properties: object | undefined;

  constructor(object: object, issues: IssueList) {
    this.object = object;
    this.#issues = issues;
    const properties = memberOf(object, 'properties');
    this.#properties = isObject(properties) ? properties : undefined;
  }

  /** Place of a property, or of the whole object when it is absent. */
  at(name?: string): At {
    return (name === undefined ? undefined : this.#find(name)?.at) ?? { object: this.object };
  }

  has(name: string): boolean {
    return this.value(name) !== undefined;
  }

  value(name: string): unknown {
    return this.#find(name)?.value;
  }

  /** Text of `id`, `name`, `type`, …: only beside `properties`, never inside. */
  ownText(name: string): string | undefined {
    const value = memberOf(this.object, name);
    return typeof value === 'string' && value !== '' ? value : undefined;
  }

  text(name: string): string | undefined {
    return this.textAt(name)?.text;
  }

  textAt(name: string): TextAt | undefined {
    const found = this.#find(name);
    if (found === undefined || found.value === '') return undefined;
    if (typeof found.value === 'string') return { text: found.value, at: found.at };
    this.#wrongType(name, 'text', found.value, found.at);
    return undefined;
  }

  boolean(name: string): boolean | undefined {
    const found = this.#find(name);
    if (found === undefined || found.value === '') return undefined;
    if (typeof found.value === 'boolean') return found.value;
    const word = typeof found.value === 'string' ? found.value.toLowerCase() : '';
    if (word === 'true' || word === 'false') return word === 'true';
    this.#wrongType(name, 'true or false', found.value, found.at);
    return undefined;
  }

  number(name: string): number | undefined {
    const found = this.#find(name);
    if (found === undefined || found.value === '') return undefined;
    const value = typeof found.value === 'string' ? Number(found.value) : found.value;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    this.#wrongType(name, 'a number', found.value, found.at);
    return undefined;
  }

  /** One of the given words in the given spelling; case does not count. */
  word<W extends string>(name: string, words: readonly W[]): W | undefined {
    const found = this.textAt(name);
    if (found === undefined) return undefined;
    const word = words.find((known) => known.toLowerCase() === found.text.toLowerCase());
    if (word !== undefined) return word;
    const message = `${name}: expected one of ${words.join(', ')}, found ${JSON.stringify(found.text)}`;
    this.#issues.error('FIELD_VALUE', found.at, message, `write one of ${words.join(', ')}`);
    return undefined;
  }

  /** A required text; an error when it is absent. */
  requiredText(name: string): TextAt | undefined {
    const found = this.textAt(name);
    if (found === undefined && !this.has(name)) this.missing(name);
    return found;
  }

  missing(name: string): void {
    this.#issues.error('FIELD_MISSING', this.at(), `the property ${name} is missing`, `add ${name}`);
  }

  /** Texts of a list, or of a single value. `numbers` also takes numbers, as ports are sometimes written. */
  texts(name: string, numbers: 'numbers' | 'textOnly' = 'textOnly'): TextAt[] {
    const found = this.#find(name);
    if (found === undefined || found.value === '') return [];
    const values: readonly unknown[] = Array.isArray(found.value) ? found.value : [found.value];
    const texts: TextAt[] = [];
    for (const [index, value] of values.entries()) {
      const at = Array.isArray(found.value) ? { object: found.value, key: index } : found.at;
      if (typeof value === 'string') texts.push({ text: value, at });
      else if (typeof value === 'number' && numbers === 'numbers') texts.push({ text: String(value), at });
      else this.#wrongType(name, 'text', value, at);
    }
    return texts;
  }

  /** Objects of a list. */
  list(name: string): Fields[] {
    const found = this.#find(name);
    if (found === undefined) return [];
    if (!Array.isArray(found.value)) {
      this.#wrongType(name, 'a list', found.value, found.at);
      return [];
    }
    const objects: Fields[] = [];
    for (const [index, value] of found.value.entries()) {
      if (isObject(value)) objects.push(new Fields(value, this.#issues));
      else this.#wrongType(name, 'an object', value, { object: found.value, key: index });
    }
    return objects;
  }

  child(name: string): Fields | undefined {
    const found = this.#find(name);
    if (found === undefined) return undefined;
    if (isObject(found.value)) return new Fields(found.value, this.#issues);
    this.#wrongType(name, 'an object', found.value, found.at);
    return undefined;
  }

  /** `{id}` or the bare id. */
  reference(name: string): ReferenceAt | undefined {
    const found = this.#find(name);
    return found === undefined ? undefined : this.#toReference(name, found.value, found.at);
  }

  references(name: string): ReferenceAt[] {
    const found = this.#find(name);
    if (found === undefined) return [];
    if (!Array.isArray(found.value)) {
      this.#wrongType(name, 'a list', found.value, found.at);
      return [];
    }
    const { value } = found;
    return value.flatMap((item, index) => this.#toReference(name, item, { object: value, key: index }) ?? []);
  }

  #toReference(name: string, value: unknown, at: At): ReferenceAt | undefined {
    const id = isObject(value) ? memberOf(value, 'id') : value;
    if (typeof id === 'string') return id === '' ? undefined : { id, at };
    this.#wrongType(name, 'an object with an id', value, at);
    return undefined;
  }

  #find(name: string): { readonly value: unknown; readonly at: At } | undefined {
    for (const object of [this.#properties, this.object]) {
      const key = object === undefined ? undefined : keyOf(object, name);
      if (object === undefined || key === undefined) continue;
      const value: unknown = Reflect.get(object, key);
      if (value !== null && value !== undefined) return { value, at: { object, key } };
    }
    return undefined;
  }

  #wrongType(name: string, expected: string, value: unknown, at: At): void {
    const quote = typeof value === 'number' && expected === 'text';
    const hint = quote ? `put it in quotes: "${value}"` : `write ${expected} here`;
    this.#issues.error('FIELD_TYPE', at, `${name}: expected ${expected}, found ${describeValue(value)}`, hint);
  }
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Member by name without regard to case; null counts as absent. */
export function memberOf(object: object, name: string): unknown {
  const key = keyOf(object, name);
  return key === undefined ? undefined : (Reflect.get(object, key) ?? undefined);
}

/** What a value is, for messages. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = JSON.stringify(value) ?? typeof value;
  const kind = typeof value === 'string' ? 'the text' : typeof value === 'number' ? 'the number' : 'the value';
  return `${kind} ${text.length > 60 ? `${text.slice(0, 57)}...` : text}`;
}

/** Keys of an object by their lower-case form; the first of two that differ in case counts. */
const keyTables = new WeakMap<object, Map<string, string>>();

function keyOf(object: object, name: string): string | undefined {
  if (Object.hasOwn(object, name)) return name;
  let table = keyTables.get(object);
  if (table === undefined) {
    table = new Map();
    for (const key of Object.keys(object)) if (!table.has(key.toLowerCase())) table.set(key.toLowerCase(), key);
    keyTables.set(object, table);
  }
  return table.get(name.toLowerCase());
}
