// The JSON reader: same values as JSON.parse, places for everything, problems as issues.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IssueList } from '../../../src/control/input/issue-list.ts';
import { parseJsonText } from '../../../src/control/input/json-text.ts';
import { pathOf, sourceOf, TextSource } from '../../../src/control/input/places.ts';

function parse(text: string): { value: unknown; issues: IssueList } {
  const issues = new IssueList();
  return { value: parseJsonText(new TextSource('a.json', text), issues)?.value, issues };
}

function problems(text: string): string[] {
  return parse(text).issues.items.map(({ code, source }) => `${source?.line}:${source?.column} ${code}`);
}

describe('the JSON reader', () => {
  it('gives the value that JSON.parse gives', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(0, 2), (text, indent) => {
        const expected: unknown = JSON.parse(text);
        expect(parse(JSON.stringify(expected, null, indent)).value).toStrictEqual(expected);
      }),
      { seed: 41 },
    );
  });

  it('accepts exactly the texts that JSON.parse accepts', () => {
    const part = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"\\u0041"',
      '1',
      '-0.5e3',
      '01',
      'null',
      ' ',
      '\n',
      '"',
      '.',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        const { value, issues } = parse(text);
        let expected: { value: unknown } | undefined;
        try {
          expected = { value: JSON.parse(text) };
        } catch {
          expected = undefined;
        }
        const syntax = issues.items.filter((issue) => issue.code !== 'DUPLICATE_KEY');
        expect(syntax.length === 0, text).toBe(expected !== undefined);
        if (expected !== undefined) expect(value).toStrictEqual(expected.value);
      }),
      { seed: 42, numRuns: 2000 },
    );
  });

  it('remembers line, column and path of every member', () => {
    const { value } = parse('{\n  "rules": [\n    {"priority": 100, "a b": {}}\n  ]\n}');
    const { rules } = value as { rules: [{ priority: number; 'a b': object }] };
    expect(sourceOf({ object: rules[0], key: 'priority' })).toStrictEqual({ file: 'a.json', line: 3, column: 18 });
    expect(sourceOf({ object: rules[0], key: 'priority', part: 'key' })?.column).toBe(6);
    expect(pathOf({ object: rules[0], key: 'priority' })).toBe('rules[0].priority');
    expect(pathOf({ object: rules[0]['a b'] })).toBe('rules[0]["a b"]');
  });

  it('does not let a key __proto__ change an object', () => {
    const { value } = parse('{"__proto__": {"type": "x"}}');
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value as object)).toStrictEqual(['__proto__']);
  });

  it.each([
    ['{"a": 1,\n "a": 2}', '2:2 DUPLICATE_KEY'],
    ['{"a": 1,}', '1:9 JSON_SYNTAX'],
    ['[1 2]', '1:4 JSON_SYNTAX'],
    ['{"a": tru}', '1:7 JSON_SYNTAX'],
    ["{'a': 1}", '1:2 JSON_SYNTAX'],
    ['{"a": 010}', '1:8 JSON_SYNTAX'],
    ['{"a": "x\ny"}', '1:9 JSON_SYNTAX'],
    ['{"a": "\\x"}', '1:7 JSON_SYNTAX'],
    ['{"a": 1} x', '1:10 JSON_SYNTAX'],
    ['"abc', '1:1 JSON_SYNTAX'],
    ['[', '1:2 JSON_SYNTAX'],
    ['['.repeat(100_000), '1:102 NESTING_TOO_DEEP'],
  ])('reports %j at its place', (text, expected) => {
    expect(problems(text)).toStrictEqual([expected]);
  });

  it('keeps the last of two values with one key', () => {
    expect(parse('{"a": 1, "a": 2}').value).toStrictEqual({ a: 2 });
  });
});
