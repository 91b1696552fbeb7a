// House rules that a machine can check: every source file begins with its purpose, lines and files stay readable,
// nothing is left unfinished, and the project speaks only of itself.

import { readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';

const SOURCES = list('src', '.ts');
const TESTS = list('test', '.ts');
const TEXTS = [...SOURCES, ...TESTS, ...list('docs', '.md'), 'README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'];

function list(folder: string, ending: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files.filter((file) => file.endsWith(ending)).map((file) => `${folder}/${file.replaceAll('\\', '/')}`);
}

function lines(file: string): string[] {
  return readFileSync(file, 'utf8').split('\n');
}

test('every source file begins with a comment that says what it is for', () => {
  const without = SOURCES.filter((file) => !/^(#!.*\n)?\/\/ /.test(readFileSync(file, 'utf8')));
  expect(without).toEqual([]);
});

test('no source line is longer than 120 columns', () => {
  const long = SOURCES.flatMap((file) =>
    lines(file).flatMap((line, i) => (line.length > 120 ? [`${file}:${i + 1}`] : [])),
  );
  expect(long).toEqual([]);
});

test('no source file is longer than 450 lines', () => {
  expect(SOURCES.filter((file) => lines(file).length > 450)).toEqual([]);
});

test('nothing is left unfinished: no marks, no focused or skipped tests', () => {
  const marks = /\b(TODO|FIXME|XXX)\b|not implemented|\b(?:test|it|describe)\.(?:only|todo|skip)\(/;
  const found = [...SOURCES, ...TESTS].flatMap((file) =>
    file === 'test/tidy.test.ts'
      ? []
      : lines(file).flatMap((line, i) => (marks.test(line) ? [`${file}:${i + 1}`] : [])),
  );
  expect(found).toEqual([]);
});

test('no text names a path of one machine', () => {
  const found = TEXTS.filter(
    (file) => file !== 'test/tidy.test.ts' && /\/(work|tmp|home|root)\/[a-z]/.test(readFileSync(file, 'utf8')),
  );
  expect(found).toEqual([]);
});
