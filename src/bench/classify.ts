// Classification alone: random packets against one compiled rule list. Three quarters of them are aimed at a rule drawn
// at random, the others lie anywhere; first the answers of some are compared with a scan of the list.

import { ALL_ADDRESSES, type AddressSet, contains, setOfPrefixes } from '../control/compile/address-set.ts';
import { ALL_PORTS, portSet } from '../control/compile/port-ranges.ts';
import { ANY_PROTOCOL, type ResolvedRule } from '../control/compile/resolved-rules.ts';
import { compileRules } from '../control/compile/rule-set.ts';
import { matchRule, type RuleSet } from '../dataplane/rule-match.ts';
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP, type Ipv4Prefix } from '../wire/index.ts';
import { OutcomeHash, WINDOW, benchRow, type BenchRow } from './figures.ts';
import { Random } from './random.ts';

export interface ClassifyOptions {
  readonly rules: number;
  /** Prefixes of the whole list. */
  readonly prefixes: number;
  /** Where the prefixes stand: as destinations, as most network security groups have them, or half on either side. */
  readonly set: 'one side' | 'both sides';
  /** Packets to classify. */
  readonly lookups: number;
  readonly seed: number;
}

const PACKETS = 65_536;
/** Words of a packet: protocol, source, destination, source port, destination port. */
const WORDS = 5;
const CHECKED = 1000;
/** Small batches first, so that V8 compiles the call and not the loop around it. */
const WARM_BATCH = 16;
const WARM_LOOKUPS = 65_536;

/** One row; nanoseconds per lookup. `extra` has the size of the compiled list. Throws when an answer is wrong. */
export function classify(options: ClassifyOptions): BenchRow[] {
  const { rules, prefixes, set, lookups, seed } = options;
  const random = new Random(seed);
  const list = ruleList(options, random);
  const compiled = compileRules(list, () => 0);
  const packets = packetsFor(list, random);
  const outcome = hashAnswers(compiled, list, packets);
  for (let at = 0; at < Math.min(lookups, WARM_LOOKUPS); at += WARM_BATCH) run(compiled, packets, at, WARM_BATCH);
  const windows: number[] = [];
  for (let done = 0; done < lookups; done += WINDOW) {
    const begin = performance.now();
    run(compiled, packets, done % PACKETS, WINDOW);
    windows.push(((performance.now() - begin) * 1e6) / WINDOW);
  }
  const extra = { tableBytes: compiled.table.byteLength };
  return [benchRow('classify', { rules, prefixes, set, seed }, windows, outcome, { extra })];
}

/** Classifies some packets; the sum of the answers keeps them alive. */
function run(set: RuleSet, packets: Int32Array, first: number, count: number): number {
  let sum = 0;
  for (let at = first * WORDS; at < (first + count) * WORDS; at += WORDS) sum = (sum + answer(set, packets, at)) | 0;
  return sum;
}

function answer(set: RuleSet, packets: Int32Array, at: number): number {
  return matchRule(set, packets[at], packets[at + 1], packets[at + 2], packets[at + 3], packets[at + 4]);
}

function hashAnswers(set: RuleSet, list: readonly ResolvedRule[], packets: Int32Array): string {
  const hash = new OutcomeHash();
  for (let packet = 0; packet < PACKETS; packet++) {
    const position = answer(set, packets, packet * WORDS);
    hash.add(position);
    if (packet >= CHECKED || position === scan(list, packets, packet * WORDS)) continue;
    throw new Error(`packet ${packet} matches rule ${scan(list, packets, packet * WORDS)}, not ${position}`);
  }
  return hash.hex;
}

function scan(list: readonly ResolvedRule[], packets: Int32Array, at: number): number {
  return list.findIndex(
    (rule) =>
      (rule.protocol === ANY_PROTOCOL || rule.protocol === packets[at]) &&
      contains(rule.source, packets[at + 1] >>> 0) &&
      contains(rule.destination, packets[at + 2] >>> 0) &&
      contains(rule.sourcePorts, packets[at + 3]) &&
      contains(rule.destinationPorts, packets[at + 4]),
  );
}

/** Rules as people write them: a few prefixes, often everything on one side, well-known ports or a range. */
function ruleList({ rules, prefixes, set }: ClassifyOptions, random: Random): ResolvedRule[] {
  const perSide = Math.max(1, Math.round(prefixes / Math.max(1, rules) / (set === 'both sides' ? 2 : 1)));
  const side = (): AddressSet => setOfPrefixes(Array.from({ length: perSide }, () => randomPrefix(random)));
  const list = Array.from({ length: rules - 1 }, () => {
    const source = set === 'both sides' && random.below(4) > 0 ? side() : ALL_ADDRESSES;
    return rule([PROTOCOL_TCP, PROTOCOL_UDP, ANY_PROTOCOL][random.below(3)], source, side(), randomPorts(random));
  });
  return [...list, rule(ANY_PROTOCOL, ALL_ADDRESSES, ALL_ADDRESSES, ALL_PORTS)];
}

const INFO = { nsg: 'nsg', nsgId: 'nsg', rule: 'rule', priority: 100, direction: 'Inbound', access: 'Allow' } as const;

function rule(
  protocol: number,
  source: AddressSet,
  destination: AddressSet,
  destinationPorts: AddressSet,
): ResolvedRule {
  return {
    info: { ...INFO, isDefault: false },
    properties: {
      ...INFO,
      protocol: '*',
      sourceAddressPrefixes: [],
      destinationAddressPrefixes: [],
      sourcePortRanges: [],
      destinationPortRanges: [],
      sourceApplicationSecurityGroups: [],
      destinationApplicationSecurityGroups: [],
    },
    allow: true,
    protocol,
    source,
    destination,
    sourcePorts: ALL_PORTS,
    destinationPorts,
  };
}

/** Half of the prefixes lie in 10.0.0.0/16, half anywhere. */
function randomPrefix(random: Random): Ipv4Prefix {
  const length = 20 + random.below(13);
  const address = random.below(2) === 0 ? 0x0a00_0000 + random.below(1 << 16) : random.next();
  return { address: ((address >>> (32 - length)) << (32 - length)) >>> 0, length };
}

const KNOWN_PORTS = ['22', '53', '80', '443', '1433', '3306', '3389', '5432', '8080', '8443'];

function randomPorts(random: Random): AddressSet {
  const first = 1 + random.below(60_000);
  if (random.below(2) === 0) return portSet([`${first}-${first + random.below(500)}`]);
  return portSet(Array.from({ length: 1 + random.below(3) }, () => KNOWN_PORTS[random.below(KNOWN_PORTS.length)]));
}

function packetsFor(list: readonly ResolvedRule[], random: Random): Int32Array {
  const packets = new Int32Array(PACKETS * WORDS);
  const protocols = [PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_ICMP];
  for (let at = 0; at < packets.length; at += WORDS) {
    const aim = random.below(4) < 3 ? list[random.below(list.length)] : undefined;
    const named = aim === undefined || aim.protocol === ANY_PROTOCOL ? protocols[random.below(3)] : aim.protocol;
    packets[at] = named;
    packets[at + 1] = memberOf(aim?.source ?? ALL_ADDRESSES, random);
    packets[at + 2] = memberOf(aim?.destination ?? ALL_ADDRESSES, random);
    packets[at + 3] = named === PROTOCOL_ICMP ? 0 : memberOf(aim?.sourcePorts ?? ALL_PORTS, random);
    packets[at + 4] = named === PROTOCOL_ICMP ? 0 : memberOf(aim?.destinationPorts ?? ALL_PORTS, random);
  }
  return packets;
}

function memberOf(set: AddressSet, random: Random): number {
  const range = random.below(set.length / 2) * 2;
  return set[range] + random.below(set[range + 1] - set[range] + 1);
}
