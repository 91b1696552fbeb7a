// First match on compiled rule sets: one suite of behaviours on the compiled form and on a linear scan, then random
// rule lists through both.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALL_ADDRESSES, contains, setOfPrefixes } from '../../src/control/compile/address-set.ts';
import { ALL_PORTS, portSet } from '../../src/control/compile/port-ranges.ts';
import { ANY_PROTOCOL, type ResolvedRule } from '../../src/control/compile/resolved-rules.ts';
import { compileRules } from '../../src/control/compile/rule-set.ts';
import { matchRule } from '../../src/dataplane/rule-match.ts';
import { parseIpv4, parsePrefix } from '../../src/wire/index.ts';
import { securityRule } from '../control/compile/networks.ts';

const SEED = 20_260_102;
type Match = (protocol: number, src: number, dst: number, srcPort: number, dstPort: number) => number;

const linear = (rules: readonly ResolvedRule[]): Match => {
  return (protocol, src, dst, srcPort, dstPort) =>
    rules.findIndex(
      (rule) =>
        (rule.protocol === ANY_PROTOCOL || rule.protocol === protocol) &&
        contains(rule.source, src) &&
        contains(rule.destination, dst) &&
        contains(rule.sourcePorts, srcPort) &&
        contains(rule.destinationPorts, dstPort),
    );
};
const compiled = (rules: readonly ResolvedRule[]): Match => {
  const set = compileRules(rules, () => 0);
  return (...tuple) => matchRule(set, ...tuple);
};

const TCP = 6;
const UDP = 17;

interface RuleWords {
  protocol?: number;
  source?: readonly string[];
  destination?: readonly string[];
  sourcePorts?: readonly string[];
  destinationPorts?: readonly string[];
}

function rule(words: RuleWords): ResolvedRule {
  const { properties } = securityRule({}, [100, 'In', '*', '*', '*', '*', '*', 'Allow', 'any']);
  const addresses = (texts: readonly string[] | undefined) =>
    texts === undefined ? ALL_ADDRESSES : setOfPrefixes(texts.map(parsePrefix));
  const ports = (texts: readonly string[] | undefined) => (texts === undefined ? ALL_PORTS : portSet(texts));
  return {
    info: { nsg: 'n', nsgId: 'n', rule: 'r', priority: 100, direction: 'Inbound', access: 'Allow', isDefault: false },
    properties,
    allow: true,
    protocol: words.protocol ?? ANY_PROTOCOL,
    source: addresses(words.source),
    destination: addresses(words.destination),
    sourcePorts: ports(words.sourcePorts),
    destinationPorts: ports(words.destinationPorts),
  };
}

describe.each([
  ['a linear scan', linear],
  ['the compiled form', compiled],
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

  it('nothing matches where no rule does', () => {
    expect(matcher([rule({ protocol: UDP })])(TCP, client, server, 1, 1)).toBe(-1);
    expect(matcher([])(TCP, client, server, 1, 1)).toBe(-1);
  });

  it('the 33rd rule is found behind 32 that do not match', () => {
    const match = matcher([...Array.from({ length: 32 }, () => rule({ protocol: UDP })), rule({}), rule({})]);
    expect(match(TCP, client, server, 1, 1)).toBe(32);
  });
});

/** Few distinct prefixes and ports, so that random packets often hit random rules. */
const prefixes = ['0.0.0.0/1', '128.0.0.0/1', '10.0.0.0/30', '10.0.0.2/32', '10.0.0.4/31', '255.255.255.254/31'];
const addresses = ['0.0.0.0', '10.0.0.1', '10.0.0.2', '10.0.0.5', '128.0.0.0', '255.255.255.253', '255.255.255.255'];
const ports = ['0', '0-10', '5', '10-65535', '65535'];

const someOf = (values: readonly string[]) => fc.option(fc.subarray([...values], { minLength: 1 }), { nil: undefined });
const anyRule = fc
  .record({
    protocol: fc.constantFrom(ANY_PROTOCOL, TCP, UDP, 1),
    source: someOf(prefixes),
    destination: someOf(prefixes),
    sourcePorts: someOf(ports),
    destinationPorts: someOf(ports),
  })
  .map((words) => rule(JSON.parse(JSON.stringify(words)) as RuleWords));
const anyTuple = fc.tuple(
  fc.constantFrom(TCP, UDP, 1, 50),
  fc.constantFrom(...addresses).map(parseIpv4),
  fc.constantFrom(...addresses).map(parseIpv4),
  fc.constantFrom(0, 4, 5, 10, 11, 65_535),
  fc.constantFrom(0, 4, 5, 10, 11, 65_535),
);

describe('compiled rule sets', () => {
  it('decide as a linear scan does, for random rules and packets', () => {
    fc.assert(
      fc.property(fc.array(anyRule, { maxLength: 70 }), fc.array(anyTuple, { minLength: 20 }), (rules, tuples) => {
        const [slow, fast] = [linear(rules), compiled(rules)];
        expect(tuples.map((tuple) => fast(...tuple))).toEqual(tuples.map((tuple) => slow(...tuple)));
      }),
      { seed: SEED, numRuns: 200 },
    );
  });

  it('take addresses in signed form too', () => {
    const match = compiled([rule({ source: ['200.0.0.0/8'] }), rule({})]);
    expect(match(TCP, parseIpv4('200.1.2.3') | 0, 0, 0, 0)).toBe(0);
    expect(match(TCP, parseIpv4('100.1.2.3') | 0, 0, 0, 0)).toBe(1);
  });

  it('store equal rows once: many rules with the same few prefixes stay small', () => {
    const rules = Array.from({ length: 64 }, () => rule({ source: ['10.0.0.0/8'] }));
    expect(compileRules(rules, () => 0).bits).toHaveLength(2 * 2);
  });
});
