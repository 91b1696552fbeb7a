// Digests of compiled tables: equal digests mean equal content, so that two compiles can be compared without keeping
// the first one's tables in another form.

import { createHash } from 'node:crypto';

/** Digest of texts, numbers and columns, in order and unambiguous. */
export function digestOf(...parts: readonly (string | number | Int32Array)[]): string {
  const hash = createHash('sha1');
  for (const part of parts) {
    if (part instanceof Int32Array) hash.update(`#${part.length}:`).update(part);
    else hash.update(`${typeof part} ${String(part).length}:${part}`);
  }
  return hash.digest('base64');
}
