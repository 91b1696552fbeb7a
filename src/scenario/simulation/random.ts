// Deterministic draws: a draw is a hash of the seed and of what it is for, never the state of a generator. The same
// packet on the same link draws the same value, whatever else happens and in whatever order.

/** What a draw decides; part of the hash, so that draws for one packet are independent. */
export const PURPOSE = { loss: 1, duplicate: 2, reorder: 3, jitter: 4, guest: 5, load: 6 } as const;

/** A draw from the seed and any integers, 0 to 2^32-1. */
export function draw(seed: number, a: number, b: number, c: number, d: number): number {
  let hash = mix(seed | 0, 0x9e3779b9);
  hash = mix(hash, a | 0);
  hash = mix(hash, b | 0);
  hash = mix(hash, c | 0);
  hash = mix(hash, d | 0);
  return finish(hash);
}

/** A draw for a guest: `label` tells apart what the guest draws for. */
export function drawLabel(seed: number, attachment: number, label: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < label.length; i++) hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193);
  return draw(seed, attachment, hash, label.length, PURPOSE.guest);
}

/** A draw as a fraction, 0 <= x < 1. */
export function fraction(value: number): number {
  return value / 0x1_0000_0000;
}

// One round and the finaliser of MurmurHash3 (32 bit).
function mix(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const h = hash ^ k;
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
