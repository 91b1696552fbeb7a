// IPv4 addresses, IPv4 prefixes and MAC addresses as numbers: parse, format, compare.
// An address is an unsigned 32-bit number in host order, a MAC address a number below 2^48.
// Parsing is strict, because text that means two things to two readers is worse than an error:
// no leading zeros (some systems read them as octal), no host bits in a prefix, no spaces.

export type AddressErrorCode = 'ADDRESS_SYNTAX' | 'PREFIX_SYNTAX' | 'PREFIX_HOST_BITS' | 'MAC_SYNTAX';

/** Thrown by the `parse…` functions; `hint` says what to write instead. */
export class AddressError extends Error {
  override readonly name = 'AddressError';
  readonly code: AddressErrorCode;
  readonly hint: string;

  constructor(code: AddressErrorCode, message: string, hint: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/** An IPv4 prefix in CIDR form; `length` is 0…32 and the bits of `address` after `length` are zero. */
export interface Ipv4Prefix {
  readonly address: number;
  readonly length: number;
}

const MAX_MAC = 0xffffffffffff;
const IPV4_HINT = 'write four decimal numbers from 0 to 255 separated by dots, like 10.0.0.4';
const PREFIX_HINT = 'write an address and a length from 0 to 32, like 10.0.0.0/24';
const MAC_HINT = 'write twelve hex digits, like 00:0d:3a:00:00:04 or 00-0D-3A-00-00-04';

/** Address as an unsigned 32-bit number. Throws AddressError (ADDRESS_SYNTAX) on anything but strict dotted decimal. */
export function parseIpv4(text: string): number {
  const address = tryParseIpv4(text);
  if (address !== undefined) return address;
  throw new AddressError('ADDRESS_SYNTAX', `not an IPv4 address: ${quoteText(text)}`, ipv4Hint(text));
}

/** Like parseIpv4, but undefined instead of an error. */
export function tryParseIpv4(text: string): number | undefined {
  const parts = text.split('.', 5);
  if (parts.length !== 4) return undefined;
  let address = 0;
  for (const part of parts) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part)) return undefined;
    const octet = Number(part);
    if (octet > 255) return undefined;
    address = address * 256 + octet;
  }
  return address;
}

/** Dotted decimal text of an address; signed 32-bit numbers are read as their unsigned twin. */
export function formatIpv4(address: number): string {
  return `${(address >>> 24) & 0xff}.${(address >>> 16) & 0xff}.${(address >>> 8) & 0xff}.${address & 0xff}`;
}

/**
 * Prefix from `a.b.c.d/length`. Throws AddressError: PREFIX_SYNTAX when the text is not such a prefix,
 * PREFIX_HOST_BITS when address bits after the length are set (the message offers the network address).
 */
export function parsePrefix(text: string): Ipv4Prefix {
  const slash = text.indexOf('/');
  if (slash < 0) throw prefixSyntax(text, missingLengthHint(text));
  const addressText = text.slice(0, slash);
  const lengthText = text.slice(slash + 1);
  const address = tryParseIpv4(addressText);
  if (address === undefined) throw prefixSyntax(text, ipv4Hint(addressText));
  if (!/^(0|[1-9][0-9]?)$/.test(lengthText) || Number(lengthText) > 32) {
    throw prefixSyntax(text, 'the length after the slash is a decimal number from 0 to 32');
  }
  const length = Number(lengthText);
  const network = (address & prefixMask(length)) >>> 0;
  if (network === address) return { address, length };
  const meant = formatPrefix({ address: network, length });
  const message = `not an IPv4 prefix: ${quoteText(text)} has host bits set: did you mean ${meant}?`;
  throw new AddressError(
    'PREFIX_HOST_BITS',
    message,
    `write ${meant} for the network, or ${addressText}/32 for one host`,
  );
}

/** Like parsePrefix, but a bare address is read as a prefix of length 32. Errors as of parsePrefix. */
export function parsePrefixOrAddress(text: string): Ipv4Prefix {
  if (text.includes('/')) return parsePrefix(text);
  const address = tryParseIpv4(text);
  if (address === undefined) throw prefixSyntax(text, ipv4Hint(text));
  return { address, length: 32 };
}

/** `a.b.c.d/length`. */
export function formatPrefix(prefix: Ipv4Prefix): string {
  return `${formatIpv4(prefix.address)}/${prefix.length}`;
}

/** Netmask of a prefix length (0…32) as an unsigned 32-bit number. */
export function prefixMask(length: number): number {
  // A shift by 32 is a shift by 0 in JavaScript, so length 0 needs its own answer.
  return length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0;
}

export function prefixContains(prefix: Ipv4Prefix, address: number): boolean {
  return ((address ^ prefix.address) & prefixMask(prefix.length)) === 0;
}

/** Whether every address of `inner` is in `outer`; a prefix covers itself. */
export function prefixCovers(outer: Ipv4Prefix, inner: Ipv4Prefix): boolean {
  return outer.length <= inner.length && prefixContains(outer, inner.address);
}

/** Whether the two share an address; prefixes overlap only when one covers the other. */
export function prefixesOverlap(a: Ipv4Prefix, b: Ipv4Prefix): boolean {
  return prefixCovers(a, b) || prefixCovers(b, a);
}

/** Lowest address of the prefix. */
export function prefixFirst(prefix: Ipv4Prefix): number {
  return (prefix.address & prefixMask(prefix.length)) >>> 0;
}

/** Highest address of the prefix. */
export function prefixLast(prefix: Ipv4Prefix): number {
  return (prefix.address | ~prefixMask(prefix.length)) >>> 0;
}

/** Number of addresses, 1…2^32. */
export function prefixSize(prefix: Ipv4Prefix): number {
  return 2 ** (32 - prefix.length);
}

/** Number below 2^48 from `00:0d:3a:…`, `00-0D-3A-…` or 12 hex digits. Throws AddressError (MAC_SYNTAX). */
export function parseMac(text: string): number {
  const bare = /^[0-9a-f]{12}$/i;
  const separated = /^[0-9a-f]{2}([:-])[0-9a-f]{2}(\1[0-9a-f]{2}){4}$/i;
  if (!bare.test(text) && !separated.test(text)) {
    throw new AddressError('MAC_SYNTAX', `not a MAC address: ${quoteText(text)}`, MAC_HINT);
  }
  return Number.parseInt(text.replaceAll(/[:-]/g, ''), 16);
}

/** Lower-case hex with colons. Throws RangeError when `mac` is not an integer in 0…2^48-1. */
export function formatMac(mac: number): string {
  if (!Number.isInteger(mac) || mac < 0 || mac > MAX_MAC) throw new RangeError(`not a 48-bit MAC number: ${mac}`);
  const digits = mac.toString(16).padStart(12, '0');
  return digits.replaceAll(/(..)(?!$)/g, '$1:');
}

/** User text as it appears in messages: quoted, control characters escaped, cut to 60 characters. */
export function quoteText(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}

function prefixSyntax(text: string, hint: string): AddressError {
  return new AddressError('PREFIX_SYNTAX', `not an IPv4 prefix: ${quoteText(text)}`, hint);
}

function missingLengthHint(text: string): string {
  return tryParseIpv4(text) === undefined ? PREFIX_HINT : `the length is missing: write ${text}/32 for one host`;
}

function ipv4Hint(text: string): string {
  if (text !== text.trim()) return 'remove the spaces around it';
  if (text.includes(':')) return 'only IPv4 addresses are accepted here';
  if (text.includes('/')) return 'a single address is expected here, without a length';
  if (/(^|\.)0[0-9]/.test(text)) return 'remove the leading zeros: some systems read them as octal';
  return IPV4_HINT;
}
