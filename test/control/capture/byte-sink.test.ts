// Sinks of capture files: many at a time with few descriptors, and bytes that are taken at once.

import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fileSink, memorySink } from '../../../src/control/capture/byte-sink.ts';
import { InputError } from '../../../src/control/issues.ts';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'vnetem-sink-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const OWN_DESCRIPTORS = '/proc/self/fd';

function descriptors(): number {
  return existsSync(OWN_DESCRIPTORS) ? readdirSync(OWN_DESCRIPTORS).length : 0;
}

test('hundreds of files are written in turn with a bounded number of descriptors, which are given back', () => {
  const before = descriptors();
  const paths = Array.from({ length: 300 }, (_, i) => join(directory, `${i}.pcapng`));
  const sinks = paths.map(fileSink);
  for (const letter of 'abc') for (const [i, sink] of sinks.entries()) sink.append(Buffer.from(`${letter}${i} `));
  expect(descriptors() - before).toBeLessThanOrEqual(128);
  for (const sink of sinks) sink.close();
  expect(descriptors()).toBe(before);
  for (const [i, path] of paths.entries()) expect(readFileSync(path, 'utf8')).toBe(`a${i} b${i} c${i} `);
});

test('an older file is replaced, and a closed one goes on where it ended', () => {
  const path = join(directory, 'older', 'app.pcapng');
  const sink = fileSink(path);
  writeFileSync(path, 'older');
  const again = fileSink(path);
  again.append(Buffer.from('one '));
  again.close();
  again.close();
  again.append(Buffer.from('two'));
  again.close();
  sink.close();
  expect(readFileSync(path, 'utf8')).toBe('one two');
});

test('memory keeps what was appended, whatever becomes of the bytes later', () => {
  const sink = memorySink();
  const bytes = Uint8Array.of(1, 2);
  sink.append(bytes);
  bytes.fill(9);
  sink.append(bytes);
  sink.close();
  expect(sink.contents()).toEqual(Uint8Array.of(1, 2, 9, 9));
});

test('a file that cannot be opened is an input error that names it', () => {
  const path = join(directory, 'gone', 'app.pcapng');
  const sink = fileSink(path);
  rmSync(join(directory, 'gone'), { recursive: true });
  const append = (): void => sink.append(Uint8Array.of(1));
  expect(append).toThrow(InputError);
  expect(append).toThrow(path);
});
