// YAML texts: values with places, aliases with a bound, problems as issues.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { IssueList } from '../../../src/control/input/issue-list.ts';
import { pathOf, sourceOf, TextSource } from '../../../src/control/input/places.ts';
import { parseYamlText } from '../../../src/control/input/yaml-text.ts';

function parse(text: string): { value: unknown; issues: IssueList } {
  const issues = new IssueList();
  return { value: parseYamlText(new TextSource('a.yaml', text), issues)?.value, issues };
}

function problems(text: string): string[] {
  return parse(text).issues.items.map(({ code, source }) => `${source?.line}:${source?.column} ${code}`);
}

describe('the YAML reader', () => {
  it('gives back every value that was written as YAML', () => {
    const values = fc.jsonValue({ maxDepth: 4 }).filter((value) => !JSON.stringify(value).includes('__proto__'));
    fc.assert(
      fc.property(values, (value) => {
        const expected: unknown = JSON.parse(JSON.stringify(value));
        expect(parse(stringify(expected)).value).toStrictEqual(expected);
      }),
      { seed: 43 },
    );
  });

  it('remembers line, column and path of every member', () => {
    const { value } = parse('hub:\n  space: [10.0.0.0/16]\n');
    const { hub } = value as { hub: { space: string[] } };
    expect(sourceOf({ object: hub, key: 'space', part: 'key' })).toStrictEqual({ file: 'a.yaml', line: 2, column: 3 });
    expect(sourceOf({ object: hub.space, key: 0 })).toStrictEqual({ file: 'a.yaml', line: 2, column: 11 });
    expect(pathOf({ object: hub.space, key: 0 })).toBe('hub.space[0]');
  });

  it('gives each use of an anchor its own copy', () => {
    const { value } = parse('a: &x {k: 1}\nb: *x\n');
    const { a, b } = value as { a: object; b: object };
    expect(b).toStrictEqual({ k: 1 });
    expect(b).not.toBe(a);
  });

  it('reads keys that look like numbers as text', () => {
    expect(parse('8080: x\ntrue: y\n').value).toStrictEqual({ '8080': 'x', true: 'y' });
  });

  const level = (name: string, of: string): string =>
    `${name}: &${name} [${Array.from({ length: 12 }, () => of).join()}]\n`;
  it.each([
    ['a: 1\nb: 2\na: 3\n', '3:1 DUPLICATE_KEY'],
    ['hub:\n\taddressSpace: x\n', '2:1 YAML_SYNTAX'],
    ['a: *\n', '1:4 YAML_SYNTAX'],
    ['a: *nobody\n', '1:4 YAML_SYNTAX'],
    ['a: 1\n---\nb: 2\n', '2:1 YAML_SYNTAX'],
    ['? [a]\n: 1\n', '1:3 YAML_KEY_NOT_TEXT'],
    ['a: !secret x\n', '1:4 YAML_TAG_IGNORED'],
    ['a: &x [*x]\n', '1:7 NESTING_TOO_DEEP'],
    [
      `${level('a', 'x')}${level('b', '*a')}${level('c', '*b')}${level('d', '*c')}${level('e', '*d')}`,
      '1:4 YAML_ALIASES_EXCESSIVE',
    ],
  ])('reports %j', (text, expected) => {
    const [found] = problems(text);
    if (expected.endsWith('EXCESSIVE')) expect(found).toMatch(/YAML_ALIASES_EXCESSIVE$/);
    else expect(found).toBe(expected);
  });

  it('survives any depth of nesting', () => {
    expect(problems('['.repeat(50_000)).every((problem) => problem.endsWith('NESTING_TOO_DEEP'))).toBe(true);
    expect(problems(`${'['.repeat(200)}${']'.repeat(200)}`)).toStrictEqual(['1:102 NESTING_TOO_DEEP']);
  });
});
