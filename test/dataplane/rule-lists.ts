// Rule lists for tests of classification, and the scan that says what is right.

import { ALL_ADDRESSES, type AddressSet } from '../../src/control/compile/address-set.ts';
import { ALL_PORTS } from '../../src/control/compile/port-ranges.ts';
import { ANY_PROTOCOL, type ResolvedRule } from '../../src/control/compile/resolved-rules.ts';
import { securityRule } from '../control/compile/networks.ts';

export type Match = (protocol: number, src: number, dst: number, srcPort: number, dstPort: number) => number;

const { properties } = securityRule({}, [100, 'In', '*', '*', '*', '*', '*', 'Allow', 'any']);
const INFO = { nsg: 'n', nsgId: 'n', rule: 'r', priority: 100, direction: 'Inbound', access: 'Allow' } as const;

/** A rule that takes everything but what is named. */
export function resolvedRule(conditions: Partial<ResolvedRule>): ResolvedRule {
  return {
    info: { ...INFO, isDefault: false },
    properties,
    allow: true,
    protocol: ANY_PROTOCOL,
    source: ALL_ADDRESSES,
    destination: ALL_ADDRESSES,
    sourcePorts: ALL_PORTS,
    destinationPorts: ALL_PORTS,
    ...conditions,
  };
}

/** First match as the words of NSG-1 say it: one rule after the other, one condition after the other. */
export function scanRules(rules: readonly ResolvedRule[]): Match {
  return (protocol, src, dst, srcPort, dstPort) =>
    rules.findIndex(
      (rule) =>
        (rule.protocol === ANY_PROTOCOL || rule.protocol === protocol) &&
        holds(rule.source, src) &&
        holds(rule.destination, dst) &&
        holds(rule.sourcePorts, srcPort) &&
        holds(rule.destinationPorts, dstPort),
    );
}

function holds(set: AddressSet, value: number): boolean {
  const unsigned = value >>> 0;
  for (let i = 0; i < set.length; i += 2) if (set[i] <= unsigned && unsigned <= set[i + 1]) return true;
  return false;
}
