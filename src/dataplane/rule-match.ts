// First match over one compiled rule list. Each dimension (protocol, addresses, ports) maps the packet's value to a row
// of bits, one bit per rule in priority order; the first bit that all five rows share is the deciding rule (NSG-1).
// Runs once per new connection and place.

import type { RuleSetProgram } from '../abi/program.ts';

/** The columns of a rule list that matching reads. */
export type RuleSet = Pick<
  RuleSetProgram,
  | 'words'
  | 'bits'
  | 'srcStart'
  | 'srcRow'
  | 'dstStart'
  | 'dstRow'
  | 'srcPortStart'
  | 'srcPortRow'
  | 'dstPortStart'
  | 'dstPortRow'
  | 'protocolRow'
>;

/** No rule matched: cannot happen where default rules are present; in platform sets it means "bypassed" (NSG-30). */
export const NO_MATCH = -1;

const WORD_BITS = 32;
/** Flips the sign bit, so that signed comparison orders 32-bit images as unsigned numbers. */
const UNSIGNED_ORDER = 0x80000000 | 0;

/**
 * Position in the set of the first rule that matches, or NO_MATCH. Addresses may be given in either image; ports are 0
 * for protocols without ports (NSG-3).
 */
export function matchRule(
  set: RuleSet,
  protocol: number,
  src: number,
  dst: number,
  srcPort: number,
  dstPort: number,
): number {
  const bits = set.bits;
  const words = set.words;
  const protocolRow = set.protocolRow[protocol];
  const dstRow = set.dstRow[findSegment(set.dstStart, dst)];
  const dstPortRow = set.dstPortRow[findSegment(set.dstPortStart, dstPort)];
  const srcRow = set.srcRow[findSegment(set.srcStart, src)];
  const srcPortRow = set.srcPortRow[findSegment(set.srcPortStart, srcPort)];
  for (let word = 0; word < words; word++) {
    const shared =
      bits[protocolRow + word] &
      bits[dstRow + word] &
      bits[dstPortRow + word] &
      bits[srcRow + word] &
      bits[srcPortRow + word];
    if (shared !== 0) return word * WORD_BITS + Math.clz32(shared);
  }
  return NO_MATCH;
}

/** Index of the last segment that starts at or below a value; the first segment starts at 0. */
function findSegment(starts: Int32Array, value: number): number {
  const wanted = value ^ UNSIGNED_ORDER;
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] ^ UNSIGNED_ORDER) <= wanted) low = middle;
    else high = middle;
  }
  return low;
}
