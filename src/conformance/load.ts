// Reads case files: any number of YAML files, each holding `topologies:` or `cases:` or both, merged into one set.
// What a file is called or where it lies plays no part. Malformed files yield issues with their place in the file.

import { readFileSync, statSync } from 'node:fs';
import { LineCounter, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import type { Document, Node, YAMLMap } from 'yaml';
import { INPUT_BYTES_MAX } from '../abi/limits.ts';
import type { Issue } from '../control/issues.ts';
import type { ConformanceIssueCode } from './codes.ts';
import { sameValue } from './compare.ts';
import { isMapping } from './merge.ts';
import type { RawCase } from './notation.ts';

export interface CaseSet {
  readonly topologies: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  readonly cases: readonly RawCase[];
  readonly issues: readonly Issue[];
}

/** Reads and merges all files. Cases keep the order of the files; issues of all files are collected. */
export function loadCaseFiles(files: readonly string[]): CaseSet {
  const loading: Loading = { topologies: new Map(), cases: [], issues: [] };
  for (const file of files) {
    const text = readText(file, loading.issues);
    if (text !== undefined) addCaseText(file, text, loading);
  }
  return loading;
}

/** The set that one text yields; `file` only names it in issues. */
export function loadCaseText(file: string, text: string): CaseSet {
  const loading: Loading = { topologies: new Map(), cases: [], issues: [] };
  addCaseText(file, text, loading);
  return loading;
}

interface Loading {
  readonly topologies: Map<string, Readonly<Record<string, unknown>>>;
  readonly cases: RawCase[];
  readonly issues: Issue[];
}

function readText(file: string, issues: Issue[]): string | undefined {
  try {
    if (statSync(file).size > INPUT_BYTES_MAX) {
      issues.push({
        code: 'CONFORMANCE_FILE_TOO_LARGE',
        severity: 'error',
        message: `${file} is larger than ${INPUT_BYTES_MAX} bytes`,
        hint: 'split the cases over several files',
      });
      return undefined;
    }
    return readFileSync(file, 'utf8');
  } catch (error) {
    issues.push({
      code: 'CONFORMANCE_FILE_UNREADABLE',
      severity: 'error',
      message: `cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`,
      hint: 'give the path of a file that holds topologies or cases',
    });
    return undefined;
  }
}

function addCaseText(file: string, text: string, loading: Loading): void {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const report: Report = (code, message, hint, node) => {
    const offset = typeof node === 'number' ? node : (node?.range?.[0] ?? 0);
    const { line, col } = lines.linePos(offset);
    const source = { file, line: Math.max(1, line), column: Math.max(1, col) };
    loading.issues.push({ code, severity: 'error', message, hint, source });
  };
  for (const error of document.errors) {
    report('CONFORMANCE_YAML', error.message, 'the file must be valid YAML', error.pos[0]);
  }
  if (document.errors.length > 0) return;
  const root = document.contents;
  if (!isMap(root) || (!root.has('topologies') && !root.has('cases'))) {
    report('CONFORMANCE_CONTENT', 'the file holds neither topologies nor cases', 'see the notation of the cases', root);
    return;
  }
  addTopologies(document, root, loading, report);
  addCases(document, root, loading, report);
}

type Report = (
  code: ConformanceIssueCode,
  message: string,
  hint: string,
  node: Node | number | null | undefined,
) => void;

function addTopologies(document: Document, root: YAMLMap, loading: Loading, report: Report): void {
  if (!root.has('topologies')) return;
  const section = root.get('topologies', true) as unknown as Node;
  if (!isMap(section)) {
    report('CONFORMANCE_CONTENT', 'topologies must be a mapping of names to topologies', 'write `name: {…}`', section);
    return;
  }
  for (const pair of section.items) {
    const name = isScalar(pair.key) ? String(pair.key.value) : '';
    const node = pair.value as Node | null;
    const topology = toPlain(document, node);
    const known = loading.topologies.get(name);
    if (!isMapping(topology)) {
      report('CONFORMANCE_CONTENT', `topology ${name} must be a mapping`, 'write its vnets, subnets and nics', node);
    } else if (known !== undefined && !sameValue(known, topology)) {
      report('CONFORMANCE_DUPLICATE', `topology ${name} is given twice, differently`, 'rename one of the two', node);
    } else {
      loading.topologies.set(name, topology);
    }
  }
}

function addCases(document: Document, root: YAMLMap, loading: Loading, report: Report): void {
  if (!root.has('cases')) return;
  const section = root.get('cases', true) as unknown as Node;
  if (!isSeq(section)) {
    report('CONFORMANCE_CONTENT', 'cases must be a list', 'write one `- {id: …, kind: …}` per case', section);
    return;
  }
  for (const item of section.items) {
    const node = item as Node;
    const value = toPlain(document, node);
    if (!isMapping(value) || typeof value['id'] !== 'string' || typeof value['kind'] !== 'string') {
      report('CONFORMANCE_CASE', 'a case needs an id and a kind', 'write `{id: …, kind: …}`', node);
    } else if (value['override'] !== undefined && !isMapping(value['override'])) {
      report('CONFORMANCE_CASE', `override of ${value['id']} must be a mapping`, 'write `override: {…}`', node);
    } else {
      loading.cases.push(value as RawCase);
    }
  }
}

function toPlain(document: Document, node: Node | null): unknown {
  return node === null ? null : node.toJS(document);
}
