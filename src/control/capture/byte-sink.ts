// Where the bytes of a capture file go: to disk, or to memory for callers that want them back. Writing is synchronous:
// the simulation waits for the disk, so nothing is lost and nothing piles up. Few files are open at a time, so that a
// capture of a thousand points does not need a thousand descriptors.

import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { InputError } from '../issues.ts';

export interface ByteSink {
  /** Takes the bytes at once: the caller uses their memory again. */
  append(bytes: Uint8Array): void;
  /** Gives a descriptor back; a later `append` opens the file again. */
  close(): void;
  /** Everything appended, when the sink keeps it. */
  contents(): Uint8Array | undefined;
}

/** Descriptors that captures hold: opening a file for each piece costs a third of writing the piece. */
const OPEN_MAX = 128;
/** Sinks with an open file, in the order in which they opened it. */
const opened = new Set<ByteSink>();

/** Writes to `path`, replacing an older file. Throws InputError (CAPTURE_WRITE) when the system refuses. */
export function fileSink(path: string): ByteSink {
  let descriptor: number | undefined;
  refuseWith(path, () => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '');
  });
  const sink: ByteSink = {
    append(bytes) {
      refuseWith(path, () => {
        descriptor ??= open();
        for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
      });
    },
    close() {
      if (descriptor === undefined) return;
      opened.delete(sink);
      closeSync(descriptor);
      descriptor = undefined;
    },
    contents: () => undefined,
  };
  return sink;

  function open(): number {
    const [oldest] = opened;
    if (opened.size >= OPEN_MAX) oldest?.close();
    const opening = openSync(path, 'a');
    opened.add(sink);
    return opening;
  }
}

/** Keeps everything in memory. */
export function memorySink(): ByteSink {
  const parts: Uint8Array[] = [];
  return {
    append: (bytes) => void parts.push(bytes.slice()),
    close: () => {},
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
