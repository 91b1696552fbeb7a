// Capture filters on the fields of the five-tuple, in the language of tcpdump as far as it goes: `host`, `net` and
// `port` with `src` or `dst` before them, `tcp`, `udp`, `icmp`, `arp`, `and`, `or`, `not` and parentheses. As there,
// `and` and `or` have the same precedence and bind from the left, and `port` means ports of TCP and UDP.

import { CAPTURE_FILTER_CHARACTERS_MAX } from '../../abi/limits.ts';
import { AddressError, parseIpv4, parsePrefix, prefixContains, quoteText } from '../../wire/address.ts';
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/ipv4.ts';
import { suggest } from '../input/suggestions.ts';
import { readFacts } from './filter-facts.ts';
import type { FrameFacts } from './filter-facts.ts';
import type { Issue } from '../issues.ts';
import type { SourceLocation } from '../model/resources.ts';

export interface CaptureFilter {
  readonly text: string;
  /** Whether a frame, from its Ethernet header on, passes; a cut frame is judged by what is there. */
  match(frame: Uint8Array): boolean;
}

export type ParsedFilter =
  | { readonly filter: CaptureFilter; readonly issues: readonly [] }
  | { readonly filter: undefined; readonly issues: readonly [Issue] };

/** Reads a filter such as `host 10.0.0.4 and tcp port 1433`. `source`: where the text stands, when it is in a file. */
export function parseCaptureFilter(text: string, source?: SourceLocation): ParsedFilter {
  try {
    if (text.length > CAPTURE_FILTER_CHARACTERS_MAX) {
      throw new FilterError(
        1,
        `${text.length} characters`,
        `write at most ${CAPTURE_FILTER_CHARACTERS_MAX} characters`,
      );
    }
    const test = new Parser(text).parse();
    return { filter: { text: text.trim(), match: (frame) => test(readFacts(frame)) }, issues: [] };
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    const message = `capture filter ${quoteText(text)}, column ${error.column}: ${error.message}`;
    const place = source === undefined ? {} : { source };
    return {
      filter: undefined,
      issues: [{ code: 'CAPTURE_FILTER', severity: 'error', message, hint: error.hint, ...place }],
    };
  }
}

type Test = (facts: FrameFacts) => boolean;
type Side = 'src' | 'dst' | 'either';

const WORDS = ['host', 'net', 'port', 'src', 'dst', 'tcp', 'udp', 'icmp', 'arp', 'and', 'or', 'not'];
const HINT = "write for example 'host 10.0.0.4 and tcp port 1433'";

class FilterError extends Error {
  readonly column: number;
  readonly hint: string;

  constructor(column: number, message: string, hint: string) {
    super(message);
    this.column = column;
    this.hint = hint;
  }
}

interface Token {
  readonly text: string;
  /** Counts from 1. */
  readonly column: number;
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #endColumn: number;
  #next = 0;

  constructor(text: string) {
    this.#tokens = tokensOf(text);
    this.#endColumn = text.trimEnd().length + 1;
  }

  parse(): Test {
    const test = this.#expression();
    const rest = this.#peek();
    if (rest === undefined) return test;
    throw new FilterError(
      rest.column,
      `expected 'and' or 'or', found ${quoteText(rest.text)}`,
      this.#hintFor(rest.text),
    );
  }

  #expression(): Test {
    let left = this.#term();
    for (;;) {
      const isAnd = this.#accept('and', '&&');
      if (!isAnd && !this.#accept('or', '||')) return left;
      const a = left;
      const b = this.#term();
      left = isAnd ? (facts) => a(facts) && b(facts) : (facts) => a(facts) || b(facts);
    }
  }

  #term(): Test {
    if (this.#accept('not', '!')) {
      const inner = this.#term();
      return (facts) => !inner(facts);
    }
    if (this.#accept('(')) {
      const inner = this.#expression();
      if (!this.#accept(')')) this.#fail("')'");
      return inner;
    }
    return this.#primitive();
  }

  #primitive(): Test {
    const protocol = this.#protocol();
    if (protocol !== undefined && !this.#startsAddressing()) return protocol;
    const column = this.#peek()?.column ?? this.#endColumn;
    let side: Side = 'either';
    if (this.#accept('src')) side = 'src';
    else if (this.#accept('dst')) side = 'dst';
    if (this.#accept('port')) {
      const port = this.#port();
      return protocol === undefined ? port(side) : both(protocol, port(side));
    }
    if (protocol !== undefined) {
      const hint = "only 'port' can follow a protocol: join other things with 'and'";
      throw new FilterError(column, 'a protocol in front of something that is not a port', hint);
    }
    if (this.#accept('host')) return this.#host(side);
    if (this.#accept('net')) return this.#net(side);
    return this.#fail(side === 'either' ? "'host', 'net', 'port' or a protocol" : "'host', 'net' or 'port'");
  }

  #protocol(): Test | undefined {
    if (this.#accept('tcp')) return (facts) => facts.protocol === PROTOCOL_TCP;
    if (this.#accept('udp')) return (facts) => facts.protocol === PROTOCOL_UDP;
    if (this.#accept('icmp')) return (facts) => facts.protocol === PROTOCOL_ICMP;
    if (this.#accept('arp')) return (facts) => facts.isArp;
    return undefined;
  }

  #startsAddressing(): boolean {
    const word = this.#peek()?.text.toLowerCase();
    return word === 'src' || word === 'dst' || word === 'port' || word === 'host' || word === 'net';
  }

  #port(): (side: Side) => Test {
    const token = this.#take('a port number');
    const port = Number(token.text);
    if (!/^[0-9]{1,5}$/.test(token.text) || port > 65_535) {
      const hint = 'write a number from 0 to 65535; service names are not known here';
      throw new FilterError(token.column, `expected a port number, found ${quoteText(token.text)}`, hint);
    }
    return (side) =>
      addressing(
        side,
        (facts) => facts.srcPort === port,
        (facts) => facts.dstPort === port,
      );
  }

  #host(side: Side): Test {
    const address = this.#address('an IPv4 address', parseIpv4);
    return addressing(
      side,
      (facts) => facts.src === address,
      (facts) => facts.dst === address,
    );
  }

  #net(side: Side): Test {
    const prefix = this.#address('an IPv4 prefix', parsePrefix);
    const isInside = (address: number): boolean => address >= 0 && prefixContains(prefix, address);
    return addressing(
      side,
      (facts) => isInside(facts.src),
      (facts) => isInside(facts.dst),
    );
  }

  #address<T>(what: string, parse: (text: string) => T): T {
    const token = this.#take(what);
    try {
      return parse(token.text);
    } catch (error) {
      if (error instanceof AddressError) throw new FilterError(token.column, error.message, error.hint);
      throw error;
    }
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#next];
  }

  #take(what: string): Token {
    const token = this.#peek() ?? this.#fail(what);
    this.#next++;
    return token;
  }

  #accept(...words: string[]): boolean {
    const token = this.#peek();
    if (token === undefined || !words.includes(token.text.toLowerCase())) return false;
    this.#next++;
    return true;
  }

  #fail(expected: string): never {
    const token = this.#peek();
    const found = token === undefined ? 'the end' : quoteText(token.text);
    const hint = token === undefined ? HINT : this.#hintFor(token.text);
    throw new FilterError(token?.column ?? this.#endColumn, `expected ${expected}, found ${found}`, hint);
  }

  #hintFor(word: string): string {
    if (/^[0-9.]+$/.test(word)) return `write 'host ${word}' or 'port ${word}'`;
    if (/^[0-9./]+$/.test(word)) return `write 'net ${word}'`;
    const near = suggest(word, WORDS);
    return near === undefined || near === word.toLowerCase() ? HINT : `did you mean '${near}'?`;
  }
}

function both(a: Test, b: Test): Test {
  return (facts) => a(facts) && b(facts);
}

function addressing(side: Side, isSource: Test, isDestination: Test): Test {
  if (side === 'src') return isSource;
  if (side === 'dst') return isDestination;
  return (facts) => isSource(facts) || isDestination(facts);
}

function tokensOf(text: string): Token[] {
  const matches = text.matchAll(/[()]|!|&&|\|\||[^\s()!&|]+|[&|]/g);
  return Array.from(matches, (match) => ({ text: match[0], column: match.index + 1 }));
}
