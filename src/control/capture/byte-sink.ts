// Where the bytes of a capture file go: to disk, or to memory for callers that want them back. Writing is synchronous:
// the simulation waits for the disk, so nothing is lost and nothing piles up. A file is open only while it is written,
// so that a capture of a thousand points needs one descriptor.

import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { InputError } from '../issues.ts';

export interface ByteSink {
  append(bytes: Uint8Array): void;
  /** Everything appended, when the sink keeps it. */
  contents(): Uint8Array | undefined;
}

/** Writes to `path`, replacing an older file. Throws InputError (CAPTURE_WRITE) when the system refuses. */
export function fileSink(path: string): ByteSink {
  refuseWith(path, () => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '');
  });
  return {
    append: (bytes) => refuseWith(path, () => appendFileSync(path, bytes)),
    contents: () => undefined,
  };
}

/** Keeps everything in memory. */
export function memorySink(): ByteSink {
  const parts: Uint8Array[] = [];
  return {
    append: (bytes) => void parts.push(bytes),
    contents: () => joinBytes(parts),
  };
}

function refuseWith(path: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    const message = `cannot write the capture file ${path}: ${error.message}`;
    const hint = 'choose a directory that can be written and has room';
    throw new InputError([{ code: 'CAPTURE_WRITE', severity: 'error', message, hint }]);
  }
}

function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
