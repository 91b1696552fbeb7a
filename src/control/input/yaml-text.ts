// YAML texts (1.2, core schema) as plain values with remembered places. The yaml package parses; this file turns its
// nodes into values itself, because places must be kept and because aliases must not expand without bound.

import { isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import type { Document, Node, YAMLMap, YAMLSeq } from 'yaml';
import { INPUT_ALIASED_VALUES_MAX, INPUT_DEPTH_MAX } from '../../abi/limits.ts';
import type { IssueList } from './issue-list.ts';
import { setMember } from './json-text.ts';
import { rememberText, textAt } from './places.ts';
import type { At, MemberOffsets, TextSource } from './places.ts';

/** The value of a YAML text, or undefined after an error. A duplicate key is an error too, but reading goes on. */
export function parseYamlText(source: TextSource, issues: IssueList): { readonly value: unknown } | undefined {
  const document = parseNodes(source, issues);
  if (document === undefined) return undefined;
  const walk: Walk = { source, issues, anchors: new Map(), aliased: 0, failed: false };
  const value = toValue(walk, document.contents, undefined, 0, false);
  return walk.failed ? undefined : { value };
}

function parseNodes(source: TextSource, issues: IssueList): Document.Parsed | undefined {
  let document: Document.Parsed;
  try {
    document = parseDocument(source.text, { prettyErrors: false });
  } catch {
    // The parser recurses per nesting level and has no limit of its own.
    reportTooDeep(textAt(source), issues);
    return undefined;
  }
  let usable = true;
  for (const error of document.errors) {
    const at = textAt(source, error.pos[0]);
    if (error.code === 'DUPLICATE_KEY') {
      issues.error('DUPLICATE_KEY', at, 'this key occurs twice in one mapping', 'remove or rename one of them');
      continue;
    }
    usable = false;
    if (/call stack/.test(error.message)) {
      reportTooDeep(at, issues);
      break; // what follows is only the echo
    }
    issues.error('YAML_SYNTAX', at, `not valid YAML: ${firstLine(error.message)}`, yamlHint(error.code));
  }
  for (const warning of document.warnings) {
    const at = textAt(source, warning.pos[0]);
    issues.warning('YAML_TAG_IGNORED', at, firstLine(warning.message), 'remove the tag: it has no meaning here');
  }
  return usable ? document : undefined;
}

function reportTooDeep(at: At, issues: IssueList): void {
  issues.error('NESTING_TOO_DEEP', at, 'the text is nested too deep to read', 'flatten the input');
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}

function yamlHint(code: string): string {
  if (code === 'TAB_AS_INDENT') return 'indent with spaces: YAML does not allow tabs there';
  if (code === 'MULTIPLE_DOCS') return 'write one document per file: remove the line with ---';
  if (code === 'BAD_ALIAS') return 'a text that begins with * must be in quotes: "*"';
  return 'check the indentation, and put texts with special characters in quotes';
}

interface Walk {
  readonly source: TextSource;
  readonly issues: IssueList;
  /** Latest node with each anchor, in document order. */
  readonly anchors: Map<string, Node>;
  aliased: number;
  failed: boolean;
}

function toValue(walk: Walk, node: Node | null, parent: At | undefined, depth: number, aliased: boolean): unknown {
  if (walk.failed || node === null) return null;
  if (depth > INPUT_DEPTH_MAX) return fail(walk, node, 'NESTING_TOO_DEEP', `nested more than ${INPUT_DEPTH_MAX} deep`);
  if (aliased && ++walk.aliased > INPUT_ALIASED_VALUES_MAX) {
    return fail(walk, node, 'YAML_ALIASES_EXCESSIVE', `aliases expand to more than ${INPUT_ALIASED_VALUES_MAX} values`);
  }
  if (isAlias(node)) {
    const target = walk.anchors.get(node.source);
    if (target !== undefined) return toValue(walk, target, parent, depth + 1, true);
    return fail(walk, node, 'YAML_SYNTAX', `not valid YAML: there is no anchor &${node.source} before this alias`);
  }
  if (!aliased && node.anchor !== undefined) walk.anchors.set(node.anchor, node);
  if (isMap(node)) return toObject(walk, node, parent, depth, aliased);
  if (isSeq(node)) return toArray(walk, node, parent, depth, aliased);
  return isScalar(node) ? node.value : null;
}

function toObject(walk: Walk, node: YAMLMap, parent: At | undefined, depth: number, aliased: boolean): object {
  const object = {};
  const members = new Map<string | number, MemberOffsets>();
  rememberText(object, walk.source, startOf(node), members, parent);
  for (const pair of node.items) {
    const keyNode = pair.key as Node | null;
    const valueNode = pair.value as Node | null;
    const keyValue = isAlias(keyNode) ? (walk.anchors.get(keyNode.source) ?? null) : keyNode;
    if (keyValue !== null && !isScalar(keyValue)) {
      fail(walk, keyNode ?? node, 'YAML_KEY_NOT_TEXT', 'expected a text as key, found a list or mapping');
      continue;
    }
    if (!aliased && isScalar(keyNode) && keyNode.anchor !== undefined) walk.anchors.set(keyNode.anchor, keyNode);
    const key = keyText(keyValue?.value);
    const keyAt = keyNode === null ? startOf(node) : startOf(keyNode);
    members.set(key, [keyAt, isEmpty(valueNode) ? keyAt : startOf(valueNode)]);
    setMember(object, key, toValue(walk, valueNode, { object, key }, depth + 1, aliased));
  }
  return object;
}

/** Keys such as `8080` or `true` are read as their text. */
function keyText(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function toArray(walk: Walk, node: YAMLSeq, parent: At | undefined, depth: number, aliased: boolean): unknown[] {
  const array: unknown[] = [];
  const members = new Map<string | number, MemberOffsets>();
  rememberText(array, walk.source, startOf(node), members, parent);
  for (const [index, item] of node.items.entries()) {
    const itemNode = item as Node | null;
    const offset = itemNode === null ? startOf(node) : startOf(itemNode);
    members.set(index, [offset, offset]);
    array.push(toValue(walk, itemNode, { object: array, key: index }, depth + 1, aliased));
  }
  return array;
}

/** True for the value of a key with nothing behind it: such a value is best shown at its key. */
function isEmpty(node: Node | null): node is null {
  return node === null || (node.range?.[0] === node.range?.[1] && isScalar(node));
}

function startOf(node: Node): number {
  return node.range?.[0] ?? 0;
}

function fail(
  walk: Walk,
  node: Node,
  code: 'NESTING_TOO_DEEP' | 'YAML_ALIASES_EXCESSIVE' | 'YAML_KEY_NOT_TEXT' | 'YAML_SYNTAX',
  message: string,
): null {
  walk.issues.error(code, textAt(walk.source, startOf(node)), message, FAIL_HINTS[code]);
  walk.failed = true;
  return null;
}

const FAIL_HINTS = {
  NESTING_TOO_DEEP: 'flatten the input',
  YAML_ALIASES_EXCESSIVE: 'write the values out instead',
  YAML_KEY_NOT_TEXT: 'put the key in quotes',
  YAML_SYNTAX: 'a text that begins with * must be in quotes',
} as const;
