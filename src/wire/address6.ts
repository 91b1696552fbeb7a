// IPv6 addresses as 128-bit bigints: parse (RFC 4291 section 2.2) and format (RFC 5952).
// Frames of the emulated networks are IPv4; these addresses appear only where the fabric's own
// IPv4-to-IPv6 translation is shown, so this file is never used per packet.
import { AddressError, formatIpv4, quoteText, tryParseIpv4 } from './address.ts';

const GROUPS = 8;
const MAX_IPV6 = (1n << 128n) - 1n;
const IPV4_MAPPED = 0xffffn; // ::ffff:0:0/96, the one prefix written with dotted decimal

/** Value below 2^128. No zone and no prefix length. Throws AddressError (ADDRESS_SYNTAX). */
export function parseIpv6(text: string): bigint {
  const groups = readGroups(text);
  if (groups === undefined) {
    const hint = 'write up to eight groups of hex digits, like fd00:1::4, with :: at most once';
    throw new AddressError('ADDRESS_SYNTAX', `not an IPv6 address: ${quoteText(text)}`, hint);
  }
  return groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

/**
 * Text in the form of RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups as `::`
 * (the first of equals), IPv4-mapped addresses with a dotted tail. Throws RangeError outside 0…2^128-1.
 */
export function formatIpv6(value: bigint): string {
  if (value < 0n || value > MAX_IPV6) throw new RangeError(`not a 128-bit IPv6 number: ${value}`);
  if (value >> 32n === IPV4_MAPPED) return `::ffff:${formatIpv4(Number(value & 0xffffffffn))}`;
  const groups: number[] = [];
  for (let i = GROUPS - 1; i >= 0; i--) groups.push(Number((value >> BigInt(16 * i)) & 0xffffn));
  const run = longestZeroRun(groups);
  if (run.length < 2) return formatGroups(groups);
  return `${formatGroups(groups.slice(0, run.start))}::${formatGroups(groups.slice(run.start + run.length))}`;
}

function readGroups(text: string): number[] | undefined {
  const halves = text.split('::', 3);
  if (halves.length > 2) return undefined;
  const head = readHalf(halves[0], halves.length === 1);
  if (head === undefined) return undefined;
  if (halves.length === 1) return head.length === GROUPS ? head : undefined;
  const tail = readHalf(halves[1], true);
  if (tail === undefined || head.length + tail.length >= GROUPS) return undefined;
  return [...head, ...Array.from({ length: GROUPS - head.length - tail.length }, () => 0), ...tail];
}

/** Groups of the text on one side of `::`; only the last group of the address may be dotted decimal. */
function readHalf(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':', GROUPS + 1);
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const ipv4 = mayEndInIpv4 && index === parts.length - 1 ? tryParseIpv4(part) : undefined;
    if (ipv4 === undefined) return undefined;
    groups.push(ipv4 >>> 16, ipv4 & 0xffff);
  }
  return groups;
}

function formatGroups(groups: readonly number[]): string {
  return groups.map((group) => group.toString(16)).join(':');
}

function longestZeroRun(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let i = 0; i <= groups.length; i++) {
    if (i < groups.length && groups[i] === 0) continue;
    if (i - start > best.length) best = { start, length: i - start };
    start = i + 1;
  }
  return best;
}
