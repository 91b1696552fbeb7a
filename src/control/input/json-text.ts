// A strict JSON reader (RFC 8259) that remembers the place of every value and finds duplicate keys. It exists because
// exports reach megabytes: JSON.parse tells no places, and a YAML parser needs a hundred times as long.

import { INPUT_DEPTH_MAX } from '../../abi/limits.ts';
import type { IssueList } from './issue-list.ts';
import { rememberText, textAt } from './places.ts';
import type { At, MemberOffsets, TextSource } from './places.ts';

/** The value of a JSON text, or undefined after an error. A duplicate key is an error too, but reading goes on. */
export function parseJsonText(source: TextSource, issues: IssueList): { readonly value: unknown } | undefined {
  const reader = new JsonReader(source, issues);
  try {
    return { value: reader.readText() };
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    const at = textAt(source, error.offset);
    if (error.tooDeep) issues.error('NESTING_TOO_DEEP', at, error.message, 'flatten the input');
    else issues.error('JSON_SYNTAX', at, error.message, 'the text must be JSON: double quotes, no trailing commas');
    return undefined;
  }
}

/** Adds a member; a plain assignment of `__proto__` would change the object's prototype. */
export function setMember(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

class JsonProblem extends Error {
  readonly offset: number;
  readonly tooDeep: boolean;
  constructor(offset: number, message: string, tooDeep = false) {
    super(message);
    this.offset = offset;
    this.tooDeep = tooDeep;
  }
}

const SPACE = /[ \t\r\n]*/y;
const NUMBER = /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const WORDS = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** Cursor over one text. */
class JsonReader {
  readonly #source: TextSource;
  readonly #text: string;
  readonly #issues: IssueList;
  #at = 0;

  constructor(source: TextSource, issues: IssueList) {
    this.#source = source;
    this.#text = source.text;
    this.#issues = issues;
  }

  readText(): unknown {
    const value = this.#readValue(undefined, 0);
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#problem('expected the end of the text');
    return value;
  }

  #readValue(parent: At | undefined, depth: number): unknown {
    this.#skipSpace();
    if (depth > INPUT_DEPTH_MAX) throw new JsonProblem(this.#at, `nested more than ${INPUT_DEPTH_MAX} deep`, true);
    const first = this.#text[this.#at];
    if (first === '{') return this.#readObject(parent, depth);
    if (first === '[') return this.#readArray(parent, depth);
    if (first === '"') return this.#readString();
    if (first === undefined) throw this.#problem('expected a value');
    return first === '-' || (first >= '0' && first <= '9') ? this.#readNumber() : this.#readWord();
  }

  #readObject(parent: At | undefined, depth: number): object {
    const start = this.#at++;
    const object = {};
    const members = new Map<string | number, MemberOffsets>();
    rememberText(object, this.#source, start, members, parent);
    if (this.#skipIf('}')) return object;
    do {
      this.#skipSpace();
      const keyAt = this.#at;
      if (this.#text[keyAt] !== '"') throw this.#problem('expected a key in double quotes');
      const key = this.#readString();
      if (!this.#skipIf(':')) throw this.#problem(`expected ":" after the key ${JSON.stringify(key)}`);
      if (members.has(key)) this.#duplicate(key, keyAt);
      this.#skipSpace();
      members.set(key, [keyAt, this.#at]);
      setMember(object, key, this.#readValue({ object, key }, depth + 1));
    } while (this.#skipIf(','));
    if (!this.#skipIf('}')) throw this.#problem('expected "," or "}"');
    return object;
  }

  #readArray(parent: At | undefined, depth: number): unknown[] {
    const start = this.#at++;
    const array: unknown[] = [];
    const members = new Map<string | number, MemberOffsets>();
    rememberText(array, this.#source, start, members, parent);
    if (this.#skipIf(']')) return array;
    do {
      this.#skipSpace();
      members.set(array.length, [this.#at, this.#at]);
      array.push(this.#readValue({ object: array, key: array.length }, depth + 1));
    } while (this.#skipIf(','));
    if (!this.#skipIf(']')) throw this.#problem('expected "," or "]"');
    return array;
  }

  #readString(): string {
    const start = this.#at;
    let escaped = false;
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 0x22) return this.#endString(start, escaped);
      if (code < 0x20) throw this.#problem('a line break or control character inside a text is not allowed');
      if (code !== 0x5c) continue;
      escaped = true;
      this.#at++;
    }
    throw new JsonProblem(start, 'this text has no closing double quote');
  }

  #endString(start: number, escaped: boolean): string {
    this.#at++;
    if (!escaped) return this.#text.slice(start + 1, this.#at - 1);
    try {
      return String(JSON.parse(this.#text.slice(start, this.#at)));
    } catch {
      throw new JsonProblem(start, 'this text has an escape that JSON does not know');
    }
  }

  #readNumber(): number {
    NUMBER.lastIndex = this.#at;
    const found = NUMBER.exec(this.#text)?.[0];
    if (found === undefined) throw this.#problem('expected a number');
    this.#at += found.length;
    if (/[\w.]/.test(this.#text[this.#at] ?? '')) throw this.#problem('not a number: texts need double quotes');
    return Number(found);
  }

  #readWord(): unknown {
    const word = /^[\w.$-]*/.exec(this.#text.slice(this.#at, this.#at + 40))?.[0] ?? '';
    if (!WORDS.has(word)) throw this.#problem('expected a value; texts need double quotes');
    this.#at += word.length;
    return WORDS.get(word);
  }

  #duplicate(key: string, keyAt: number): void {
    const message = `the key ${JSON.stringify(key)} occurs twice in one object`;
    this.#issues.error('DUPLICATE_KEY', textAt(this.#source, keyAt), message, 'remove or rename one of them');
  }

  #skipSpace(): void {
    SPACE.lastIndex = this.#at;
    SPACE.test(this.#text);
    this.#at = SPACE.lastIndex;
  }

  #skipIf(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #problem(expected: string): JsonProblem {
    const found = this.#text[this.#at];
    const seen = found === undefined ? 'the text ends' : `found ${JSON.stringify(found)}`;
    return new JsonProblem(this.#at, `${expected}, ${seen}`);
  }
}
