// Addresses, prefixes, ports and MAC addresses as users write them: checked with the wire parsers, reported at the
// place of the text. Each check returns undefined after an issue. IPv6 is a warning, because exports of dual-stack
// networks are fine inputs: only their IPv6 half is left out.

import {
  AddressError,
  formatPrefix,
  parseIpv4,
  parseMac,
  parsePrefix,
  parsePrefixOrAddress,
  quoteText,
} from '../../wire/address.ts';
import { parseIpv6 } from '../../wire/address6.ts';
import type { TextAt } from './resources/fields.ts';
import type { IssueList } from './issue-list.ts';

const PORT_HINT = 'write a port from 0 to 65535, a range like 8000-8010, or "*"';
const TAG_HINT = 'write an address, a prefix like 10.0.0.0/24, a service tag like Storage, or "*"';

/** An IPv4 address; returns its text. */
export function checkAddress(item: TextAt, issues: IssueList): string | undefined {
  return check(item, issues, parseIpv4);
}

/** A strict IPv4 prefix; returns its text. */
export function checkPrefix(item: TextAt, issues: IssueList): string | undefined {
  return check(item, issues, parsePrefix);
}

/** A strict IPv4 prefix, or an address that becomes a prefix of length 32. */
export function checkPrefixOrAddress(item: TextAt, issues: IssueList): string | undefined {
  let text = item.text;
  const valid = check(item, issues, (given) => {
    text = formatPrefix(parsePrefixOrAddress(given));
  });
  return valid === undefined ? undefined : text;
}

export function checkMac(item: TextAt, issues: IssueList): string | undefined {
  return check(item, issues, parseMac);
}

/** `*` (also `Any`), an address, a prefix or a service tag, as rules take them. */
export function checkAddressOrTag(item: TextAt, issues: IssueList): string | undefined {
  if (/^(\*|any)$/i.test(item.text)) return '*';
  if (/^[0-9.]|[/:]/.test(item.text)) return check(item, issues, parsePrefixOrAddress);
  if (isTag(item.text)) return item.text;
  const message = `not an address, prefix or service tag: ${quoteText(item.text)}`;
  issues.error('ADDRESS_OR_TAG_SYNTAX', item.at, message, TAG_HINT);
  return undefined;
}

/** A strict prefix or a service tag, as routes take them (ROUTE-17). */
export function checkPrefixOrTag(item: TextAt, issues: IssueList): string | undefined {
  return isTag(item.text) ? item.text : checkPrefix(item, issues);
}

/** A port, a range or `*`. */
export function checkPorts(item: TextAt, issues: IssueList): string | undefined {
  if (/^(\*|any)$/i.test(item.text)) return '*';
  const parts = item.text.split('-').map((part) => (/^(0|[1-9][0-9]{0,4})$/.test(part) ? Number(part) : Number.NaN));
  const [first = Number.NaN, last = first] = parts;
  if (parts.length <= 2 && first <= last && last <= 65_535) return item.text;
  issues.error('PORT_SYNTAX', item.at, `not a port or port range: ${quoteText(item.text)}`, PORT_HINT);
  return undefined;
}

/** Texts that pass a check; the others are left out after their issue. */
export function checkAll(
  items: readonly TextAt[],
  issues: IssueList,
  checkOne: (item: TextAt, issues: IssueList) => string | undefined,
): string[] {
  return items.flatMap((item) => checkOne(item, issues) ?? []);
}

export function isTag(text: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)?$/.test(text);
}

export function isIpv6(text: string): boolean {
  const [address = '', length] = text.split('/', 2);
  if (!address.includes(':') || (length !== undefined && !/^[0-9]{1,3}$/.test(length))) return false;
  try {
    parseIpv6(address);
    return true;
  } catch {
    return false;
  }
}

function check(item: TextAt, issues: IssueList, parse: (text: string) => unknown): string | undefined {
  try {
    parse(item.text);
    return item.text;
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    if (isIpv6(item.text)) {
      const message = `${item.text} was ignored: networks are emulated in IPv4`;
      issues.warning('IPV6_IGNORED', item.at, message, 'nothing to do if the IPv4 half is enough');
    } else issues.error(error.code, item.at, error.message, error.hint);
    return undefined;
  }
}
