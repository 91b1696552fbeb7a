// Where every value of an input was written. Places are remembered beside the values, by object identity, so that
// readers can pass plain values around and still name file, line, column and path when something is wrong with them.
// A value made from another one (a resource object from a line of topology.yaml) keeps the place of its origin.

import type { SourceLocation } from '../model/resources.ts';

/** A value or a key inside an object or array; without `key` the object itself. */
export interface At {
  readonly object: object;
  readonly key?: string | number;
  /** `key`: where the key is written and not its value. */
  readonly part?: 'key';
}

interface Origin {
  source(key: string | number | undefined, part: 'key' | undefined): SourceLocation | undefined;
  path(key: string | number | undefined): string;
}

const origins = new WeakMap<object, Origin>();

/** Place of a value; undefined when nobody remembered it. */
export function sourceOf(at: At): SourceLocation | undefined {
  return origins.get(at.object)?.source(at.key, at.part);
}

/** Path inside its file, e.g. `networkSecurityGroups.app-nsg.rules[2].priority`; empty for the whole text. */
export function pathOf(at: At): string {
  return origins.get(at.object)?.path(at.key) ?? '';
}

/** Gives a made value the places of the values that it was made from; members not listed are at `from`. */
export function derive<T extends object>(made: T, from: At, members: Readonly<Record<string, At>> = {}): T {
  const memberOf = (key: string | number | undefined): At => (key === undefined ? from : (members[key] ?? from));
  origins.set(made, {
    source: (key, part) => {
      const at = memberOf(key);
      return sourceOf(part === undefined ? at : { ...at, part });
    },
    path: (key) => pathOf(memberOf(key)),
  });
  return made;
}

/** Lets a key that is read under another name keep its place and its path. */
export function renameKey(object: object, written: string, meant: string): void {
  const origin = origins.get(object);
  if (origin === undefined) return;
  const asWritten = (key: string | number | undefined): string | number | undefined => (key === meant ? written : key);
  origins.set(object, {
    source: (key, part) => origin.source(asWritten(key), part),
    path: (key) => origin.path(asWritten(key)),
  });
}

/** A text with its lines: turns offsets into lines and columns. */
export class TextSource {
  readonly file: string;
  readonly text: string;
  #lineStarts: number[] | undefined;

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
  }

  /** Line and column, from 1, of an offset in UTF-16 units. */
  locate(offset: number): SourceLocation {
    this.#lineStarts ??= findLineStarts(this.text);
    const starts = this.#lineStarts;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { file: this.file, line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  }
}

/** A stand-in for a whole text: the place for problems that are found before there is any value. */
export function textAt(source: TextSource, offset = 0): At {
  const object = {};
  origins.set(object, { source: () => source.locate(offset), path: () => '' });
  return { object };
}

/** A whole file, for problems that have no line. */
export function fileAt(file: string): At {
  return textAt(new TextSource(file, ''));
}

/** Offsets of one member: its key (in arrays the value again) and its value. */
export type MemberOffsets = readonly [keyAt: number, valueAt: number];

/** Remembers where an object or array of a text and its members are written. */
export function rememberText(
  object: object,
  source: TextSource,
  offset: number,
  members: ReadonlyMap<string | number, MemberOffsets>,
  parent: At | undefined,
): void {
  origins.set(object, {
    source: (key, part) => {
      const found = key === undefined ? undefined : members.get(key);
      return source.locate(found === undefined ? offset : found[part === 'key' ? 0 : 1]);
    },
    path: (key) => joinPath(parent === undefined ? '' : pathOf(parent), key),
  });
}

/** Finds a place by path for values that some other reader parsed (a topology inside a scenario file). */
export type Locate = (path: readonly (string | number)[]) => SourceLocation | undefined;

/** Remembers places of an object or array that another reader parsed. */
export function rememberPath(object: object, path: readonly (string | number)[], locate: Locate): void {
  const text = path.reduce<string>(joinPath, '');
  origins.set(object, {
    source: (key) => locate(key === undefined ? path : [...path, key]),
    path: (key) => joinPath(text, key),
  });
}

function joinPath(path: string, key: string | number | undefined): string {
  if (key === undefined) return path;
  if (typeof key === 'number') return `${path}[${key}]`;
  if (!/^[\w$-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}

function findLineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}
