// First match on compiled rule sets: one suite of behaviours on the compiled form, on the same cut into small parts and
// on a linear scan, then random rule lists through all of them.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkRuleTable } from '../../src/abi/rule-table.ts';
import { ALL_ADDRESSES, setOfPrefixes } from '../../src/control/compile/address-set.ts';
import { ALL_PORTS, portSet } from '../../src/control/compile/port-ranges.ts';
import { ANY_PROTOCOL, type ResolvedRule } from '../../src/control/compile/resolved-rules.ts';
import { compileRules } from '../../src/control/compile/rule-set.ts';
import { matchRule } from '../../src/dataplane/rule-match.ts';
import { parseIpv4, parsePrefix } from '../../src/wire/index.ts';
import { type Match, resolvedRule, scanRules } from './rule-lists.ts';

const SEED = 20_260_102;

const compiled = (rules: readonly ResolvedRule[]): Match => {
  const set = compileRules(rules, () => 0);
  checkRuleTable(set.table, rules.length);
  return (...tuple) => matchRule(set, ...tuple);
};
/** Rows of no words at all are allowed: the smallest parts that there are. */
const inParts = (rules: readonly ResolvedRule[]): Match => {
  const set = compileRules(rules, () => 0, 0);
  checkRuleTable(set.table, rules.length);
  return (...tuple) => matchRule(set, ...tuple);
};

const TCP = 6;
const UDP = 17;
const ICMP = 1;

interface RuleWords {
  protocol?: number;
  source?: readonly string[];
  destination?: readonly string[];
  sourcePorts?: readonly string[];
  destinationPorts?: readonly string[];
}

function rule(words: RuleWords): ResolvedRule {
  const addresses = (texts: readonly string[] | undefined) =>
    texts === undefined ? ALL_ADDRESSES : setOfPrefixes(texts.map(parsePrefix));
  const ports = (texts: readonly string[] | undefined) => (texts === undefined ? ALL_PORTS : portSet(texts));
  return resolvedRule({
    protocol: words.protocol ?? ANY_PROTOCOL,
    source: addresses(words.source),
    destination: addresses(words.destination),
    sourcePorts: ports(words.sourcePorts),
    destinationPorts: ports(words.destinationPorts),
  });
}

describe.each([
  ['a linear scan', scanRules],
  ['the compiled form', compiled],
  ['the compiled form in parts', inParts],
])('first match with %s', (_name, matcher) => {
  const client = parseIpv4('10.0.0.4');
  const server = parseIpv4('203.0.113.9');

  it('the first of several matching rules decides', () => {
    const match = matcher([rule({ protocol: UDP }), rule({ destinationPorts: ['80'] }), rule({})]);
    expect(match(TCP, client, server, 50_000, 80)).toBe(1);
    expect(match(TCP, client, server, 50_000, 81)).toBe(2);
    expect(match(UDP, client, server, 50_000, 80)).toBe(0);
  });

  it('every condition of a rule must hold', () => {
    const match = matcher([
      rule({
        protocol: TCP,
        source: ['10.0.0.0/24'],
        destination: ['203.0.113.8/31'],
        sourcePorts: ['1024-65535'],
        destinationPorts: ['443', '8000-8010'],
      }),
      rule({}),
    ]);
    expect(match(TCP, client, server, 50_000, 8005)).toBe(0);
    expect(match(UDP, client, server, 50_000, 8005)).toBe(1);
    expect(match(TCP, parseIpv4('10.0.1.4'), server, 50_000, 8005)).toBe(1);
    expect(match(TCP, client, parseIpv4('203.0.113.10'), 50_000, 8005)).toBe(1);
    expect(match(TCP, client, server, 1023, 8005)).toBe(1);
    expect(match(TCP, client, server, 50_000, 8011)).toBe(1);
  });

  it('ranges include both ends, up to the last address and port', () => {
    const match = matcher([rule({ destination: ['255.255.255.0/24'], destinationPorts: ['65535'] }), rule({})]);
    expect(match(TCP, client, parseIpv4('255.255.255.255'), 1, 65_535)).toBe(0);
    expect(match(TCP, client, parseIpv4('255.255.255.0'), 1, 65_535)).toBe(0);
    expect(match(TCP, client, parseIpv4('255.255.254.255'), 1, 65_535)).toBe(1);
    expect(match(TCP, client, parseIpv4('255.255.255.255'), 1, 65_534)).toBe(1);
  });

  it('protocols without ports match on port 0 only where a rule takes every port (NSG-3)', () => {
    const match = matcher([rule({ destinationPorts: ['80'] }), rule({ sourcePorts: ['1-65535'] }), rule({})]);
    expect(match(ICMP, client, server, 0, 0)).toBe(2);
  });

  it('nothing matches where no rule does', () => {
    expect(matcher([rule({ protocol: UDP })])(TCP, client, server, 1, 1)).toBe(-1);
    expect(matcher([])(TCP, client, server, 1, 1)).toBe(-1);
  });

  it.each([32, 33, 64, 1023, 1024, 1025, 2048])('the rule behind %i that do not match is found', (count) => {
    const match = matcher([...Array.from({ length: count }, () => rule({ protocol: UDP })), rule({}), rule({})]);
    expect(match(TCP, client, server, 1, 1)).toBe(count);
    expect(match(UDP, client, server, 1, 1)).toBe(0);
  });

  it('rules that match in every condition but never in all of one packet are passed over', () => {
    // In each block of 32 one rule fits the source and another one the destination: summaries meet, rules do not.
    const pair = [
      rule({ source: ['10.0.0.4/32'], destination: ['1.1.1.1/32'] }),
      rule({ destination: ['203.0.113.9/32'], source: ['2.2.2.2/32'] }),
    ];
    const blocks = Array.from({ length: 60 }, () => [
      ...pair,
      ...Array.from({ length: 30 }, () => rule({ protocol: UDP })),
    ]);
    expect(matcher([...blocks.flat(), rule({})])(TCP, client, server, 1, 1)).toBe(60 * 32);
  });
});

/** Few distinct prefixes and ports, so that random packets often hit random rules. */
const prefixes = ['0.0.0.0/1', '128.0.0.0/1', '10.0.0.0/30', '10.0.0.2/32', '10.0.0.4/31', '255.255.255.254/31'];
const addresses = ['0.0.0.0', '10.0.0.1', '10.0.0.2', '10.0.0.5', '128.0.0.0', '255.255.255.253', '255.255.255.255'];
const ports = ['0', '0-10', '5', '10-65535', '65535'];

const someOf = (values: readonly string[]) => fc.option(fc.subarray([...values], { minLength: 1 }), { nil: undefined });
const anyRule = fc
  .record({
    protocol: fc.constantFrom(ANY_PROTOCOL, TCP, UDP, ICMP),
    source: someOf(prefixes),
    destination: someOf(prefixes),
    sourcePorts: someOf(ports),
    destinationPorts: someOf(ports),
  })
  .map((words) => rule(JSON.parse(JSON.stringify(words)) as RuleWords));
/** Either image of an address. */
const anyAddress = fc
  .tuple(fc.constantFrom(...addresses).map(parseIpv4), fc.boolean())
  .map(([address, isSigned]) => (isSigned ? address | 0 : address));
const anyTuple = fc.tuple(
  fc.constantFrom(TCP, UDP, ICMP, 50, 0, 255),
  anyAddress,
  anyAddress,
  fc.constantFrom(0, 4, 5, 10, 11, 65_535),
  fc.constantFrom(0, 4, 5, 10, 11, 65_535),
);

/** Many prefixes around few places, so that tries go deep. */
const nearPrefix = fc
  .tuple(
    fc.constantFrom('0.0.0.0', '10.1.2.0', '10.1.2.128', '127.255.255.240', '128.0.0.0', '255.255.255.240'),
    fc.nat(15),
  )
  .chain(([base, step]) =>
    fc.integer({ min: 16, max: 32 }).map((length) => {
      const address = (parseIpv4(base) + step) >>> 0;
      return { address: ((address >>> (32 - length)) << (32 - length)) >>> 0, length };
    }),
  );
const deepRule = fc
  .record({
    source: fc.array(nearPrefix, { minLength: 1, maxLength: 8 }),
    destination: fc.array(nearPrefix, { minLength: 1, maxLength: 8 }),
    first: fc.integer({ min: 0, max: 65_535 }),
    size: fc.nat(40),
  })
  .map(({ source, destination, first, size }) =>
    resolvedRule({
      source: setOfPrefixes(source),
      destination: setOfPrefixes(destination),
      destinationPorts: Uint32Array.of(first, Math.min(first + size, 65_535)),
    }),
  );

describe('compiled rule sets', () => {
  it.each([
    ['whole', compiled],
    ['in parts', inParts],
  ])('decide as a linear scan does, for random rules and packets (%s)', (_name, matcher) => {
    fc.assert(
      fc.property(fc.array(anyRule, { maxLength: 70 }), fc.array(anyTuple, { minLength: 20 }), (rules, tuples) => {
        const [slow, fast] = [scanRules(rules), matcher(rules)];
        expect(tuples.map((tuple) => fast(...tuple))).toEqual(tuples.map((tuple) => slow(...tuple)));
      }),
      { seed: SEED, numRuns: 200 },
    );
  });

  it.each([
    ['whole', compiled],
    ['in parts', inParts],
  ])('decide so at every bound of every rule (%s)', (_name, matcher) => {
    fc.assert(
      fc.property(fc.array(deepRule, { minLength: 1, maxLength: 40 }), (rules) => {
        const [slow, fast] = [scanRules(rules), matcher(rules)];
        for (const { source, destination, destinationPorts } of rules) {
          for (const bound of source) {
            for (const src of [bound - 1, bound, bound + 1]) {
              const tuple = [TCP, src >>> 0, destination[0], 1, destinationPorts[0]] as const;
              expect(fast(...tuple)).toBe(slow(...tuple));
            }
          }
          for (const port of [...destinationPorts].flatMap((bound) => [bound - 1, bound, bound + 1])) {
            const tuple = [UDP, source.at(-1), destination.at(-1), 1, port & 0xffff] as Parameters<Match>;
            expect(fast(...tuple)).toBe(slow(...tuple));
          }
        }
      }),
      { seed: SEED, numRuns: 150 },
    );
  });
});
