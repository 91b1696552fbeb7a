// Helpers for tests that compare bytes: hex text to arrays and back, and buffers in which a forgotten byte shows.
import { viewOf } from '../../src/wire/index.ts';

/** Bytes of hex text; spaces and line breaks are ignored. */
export function hex(text: string): Uint8Array {
  const digits = text.replaceAll(/\s/g, '');
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A buffer filled with 0xa5, so that a byte that a writer forgot is seen. */
export function poisoned(length: number): { readonly bytes: Uint8Array; readonly frames: DataView } {
  const bytes = new Uint8Array(length).fill(0xa5);
  return { bytes, frames: viewOf(bytes) };
}

export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}
