// The one's complement sum of RFC 1071, the one loop under every Internet checksum.
// A file of its own because both the IPv4 header check and checksum.ts need it.

/**
 * Sum of `length` bytes from `at` as big-endian 16-bit words, folded to 16 bits (RFC 1071 section 1). A last odd byte
 * counts as the high half of a word, so only the last of several chained pieces may have an odd length.
 * `initial` is the sum of earlier pieces. Bytes that contain their own right checksum sum to 0xffff.
 */
export function onesComplementSum(frames: DataView, at: number, length: number, initial = 0): number {
  let sum = initial;
  const end = at + length;
  let next = at;
  // Two words per read. At most 2^15 words of 16 bits and a small `initial`: the sum stays far below 2^53.
  for (; next + 4 <= end; next += 4) {
    const words = frames.getUint32(next);
    sum += (words >>> 16) + (words & 0xffff);
  }
  if (next + 2 <= end) {
    sum += frames.getUint16(next);
    next += 2;
  }
  if (next < end) sum += frames.getUint8(next) << 8;
  return foldSum(sum);
}

/** Adds the carries back in until 16 bits are left; `sum` is a non-negative integer below 2^32. */
export function foldSum(sum: number): number {
  const once = (sum >>> 16) + (sum & 0xffff);
  return (once >>> 16) + (once & 0xffff);
}
