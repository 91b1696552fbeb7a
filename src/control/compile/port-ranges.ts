// Port ranges of security rules as sets, and what becomes of them in front of private endpoints (PNSG-5, PNSG-10).
// Sets of ports have the form of address sets.

import type { Behaviour } from '../model/profile.ts';
import type { SecurityRule } from '../model/resources.ts';
import { type AddressSet, setOfRanges } from './address-set.ts';

export const PORT_MAX = 65_535;

export const ALL_PORTS: AddressSet = Uint32Array.of(0, PORT_MAX);

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** `80`, `8000-8010` or `*`. Throws RangeError on anything else: validation has refused it before. */
export function parsePortRange(text: string): PortRange {
  if (text === '*') return { first: 0, last: PORT_MAX };
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text.trim());
  const first = Number(match?.[1] ?? NaN);
  const last = Number(match?.[2] ?? match?.[1] ?? NaN);
  if (!(first <= last && last <= PORT_MAX)) throw new RangeError(`port range ${text}: expected N, N-M or *`);
  return { first, last };
}

/** The set of all ports that a list of ranges names. */
export function portSet(ranges: readonly string[]): AddressSet {
  return setOfRanges(ranges.map(parsePortRange).flatMap((range) => [range.first, range.last]));
}

/** First-range semantics of one side (PNSG-10): of several ranges an Allow keeps the first, a Deny becomes any. */
export function firstRangePorts(ranges: readonly string[], access: 'Allow' | 'Deny'): readonly string[] {
  if (ranges.length <= 1) return ranges;
  return access === 'Allow' ? ranges.slice(0, 1) : ['*'];
}

/** The port ranges that count for a rule in front of a private endpoint under a behaviour (PNSG-5, PNSG-10). */
export function endpointPortRanges(
  rule: SecurityRule['properties'],
  behaviour: Behaviour,
): { readonly source: readonly string[]; readonly destination: readonly string[] } {
  const { switches } = behaviour;
  const reduce = (ranges: readonly string[]): readonly string[] =>
    switches['pnsg.firstRange'] ? firstRangePorts(ranges, rule.access) : ranges;
  return {
    source: switches['pnsg.sourcePortAny'] ? ['*'] : reduce(rule.sourcePortRanges),
    destination: reduce(rule.destinationPortRanges),
  };
}
