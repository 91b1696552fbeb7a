// A scenario text as plain data that still knows, by path, where each part was written.

import { IssueList } from '../../control/input/issue-list.ts';
import { sourceOf, TextSource } from '../../control/input/places.ts';
import { parseYamlText } from '../../control/input/yaml-text.ts';
import type { Issue } from '../../control/issues.ts';
import type { SourceLocation } from '../../control/model/resources.ts';

export type DataPath = readonly (string | number)[];

export interface YamlSource {
  readonly value: unknown;
  /** Where the value at a path stands; the nearest place above it when there is none. */
  locate(path: DataPath): SourceLocation;
  /** Where the key that a path ends with stands. */
  locateKey(path: DataPath): SourceLocation;
}

/** Reads YAML (JSON included). What is wrong with it comes back as issues, with positions; then there is no source. */
export function readYaml(text: string, file: string): { source?: YamlSource; issues: Issue[] } {
  const issues = new IssueList();
  const parsed = parseYamlText(new TextSource(file, text), issues);
  if (parsed === undefined || issues.items.some((issue) => issue.severity === 'error')) return { issues: issues.items };
  const { value } = parsed;
  const source: YamlSource = {
    value,
    locate: (path) => placeOf(value, path, undefined) ?? { file, line: 1, column: 1 },
    locateKey: (path) => placeOf(value, path, 'key') ?? { file, line: 1, column: 1 },
  };
  return { source, issues: issues.items };
}

function placeOf(value: unknown, path: DataPath, part: 'key' | undefined): SourceLocation | undefined {
  let place: SourceLocation | undefined;
  let at = value;
  for (const [depth, key] of path.entries()) {
    if (typeof at !== 'object' || at === null) return place;
    const isLast = depth === path.length - 1;
    const isThere = Object.hasOwn(at, key);
    place = isThere
      ? sourceOf({ object: at, key, ...(isLast && part && { part }) })
      : (sourceOf({ object: at }) ?? place);
    at = (at as Record<string | number, unknown>)[key];
  }
  return place;
}
