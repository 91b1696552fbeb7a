// From paths to parsed texts: which files an input names, what may be read at all, and JSON or YAML by content.
// Whatever is wrong with a file becomes an issue; nothing here throws for bad input.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { INPUT_BYTES_MAX } from '../../abi/limits.ts';
import type { IssueList } from './issue-list.ts';
import { parseJsonText } from './json-text.ts';
import { fileAt, textAt, TextSource } from './places.ts';
import { parseYamlText } from './yaml-text.ts';

/** One parsed input: a file, a text, or a value that some other reader parsed. */
export interface InputDocument {
  readonly file: string;
  readonly value: unknown;
}

const EXTENSIONS = new Set(['.json', '.yaml', '.yml']);

/** Reads files and, recursively and in sorted order, the input files of directories. */
export function readDocuments(paths: readonly string[], issues: IssueList): InputDocument[] {
  const documents: InputDocument[] = [];
  for (const path of paths) {
    for (const file of listFiles(path, issues)) {
      const text = readInputText(file, issues);
      const document = text === undefined ? undefined : parseDocumentText(text, file, issues);
      if (document !== undefined) documents.push(document);
    }
  }
  return documents;
}

/**
 * Parses a text as JSON or YAML: a file named `.json` is JSON; otherwise a text that begins with a brace or bracket
 * is tried as JSON first, because JSON is read a hundred times faster.
 */
export function parseDocumentText(text: string, file: string, issues: IssueList): InputDocument | undefined {
  const source = new TextSource(file, text.startsWith('\uFEFF') ? text.slice(1) : text);
  if (/^[\s\0]*$/.test(source.text)) {
    issues.error('INPUT_EMPTY', textAt(source), 'the input is empty', 'write a topology or export resources into it');
    return undefined;
  }
  const isJsonFile = extname(file).toLowerCase() === '.json';
  if (!isJsonFile && (!/^\s*[{[]/.test(source.text) || !isJson(source.text))) {
    const parsed = parseYamlText(source, issues);
    return parsed && { file, value: parsed.value };
  }
  const parsed = parseJsonText(source, issues);
  return parsed && { file, value: parsed.value };
}

/**
 * Text of one file, or undefined after an error (missing, unreadable, larger than INPUT_BYTES_MAX, not UTF-8).
 * The size is checked before anything is read.
 */
export function readInputText(file: string, issues: IssueList): string | undefined {
  const at = fileAt(file);
  try {
    const stat = statSync(file);
    if (!stat.isFile()) {
      const hint = 'give a file or a directory: pipes and devices are not read';
      issues.error('INPUT_KIND_UNKNOWN', at, `${file} is not a regular file`, hint);
      return undefined;
    }
    const { size } = stat;
    if (size > INPUT_BYTES_MAX) {
      const message = `${file} has ${size} bytes; at most ${INPUT_BYTES_MAX} are read`;
      issues.error('INPUT_TOO_LARGE', at, message, 'export fewer resources, or split the file into several');
      return undefined;
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (error instanceof TypeError && 'code' in error && error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
      issues.error('INPUT_NOT_TEXT', at, `${file} is not UTF-8 text`, 'save the file as UTF-8 text');
    } else reportFileError(file, error, issues);
    return undefined;
  }
}

function listFiles(path: string, issues: IssueList): string[] {
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) {
      const files = listDirectory(path);
      const hint = 'give a directory with .json or .yaml files';
      if (files.length === 0) issues.error('INPUT_EMPTY', fileAt(path), `${path} holds no input file`, hint);
      return files;
    }
    if (stat.isFile() && EXTENSIONS.has(extname(path).toLowerCase())) return [path];
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    reportFileError(path, error, issues);
    return [];
  }
  const hint = 'give a file that ends in .json, .yaml or .yml, or a directory';
  issues.error('INPUT_KIND_UNKNOWN', fileAt(path), `${path} is not an input file`, hint);
  return [];
}

function listDirectory(directory: string): string[] {
  const files: string[] = [];
  const entries = readdirSync(directory, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) files.push(...listDirectory(path));
    else if (EXTENSIONS.has(extname(entry.name).toLowerCase())) files.push(path);
  }
  return files;
}

function reportFileError(path: string, error: Error, issues: IssueList): void {
  const code = 'code' in error ? String(error.code) : error.name;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    issues.error('INPUT_NOT_FOUND', fileAt(path), `there is no file or directory ${path}`, 'check the path');
  } else {
    issues.error('INPUT_UNREADABLE', fileAt(path), `${path} cannot be read (${code})`, 'check its permissions');
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
