// The only resolver: what 168.63.129.16 answers in a network, and what the public name space answers. Both are pure
// functions of the network; guests put their answers into frames, and `explain` tells their steps.

import { idKey } from '../model/resources.ts';
import { isBelow, longestSuffix, nameKey, reverseName } from './names.ts';
import { publicRecordsAt } from './public-names.ts';
import { machinesOf, recordsAt, recordsOf, relativeName, zoneFor } from './zones.ts';
import type { DnsForwardingRuleset, DnsRecordType } from '../model/dns.ts';
import type { Behaviour } from '../model/profile.ts';
import type { Network, SourceLocation } from '../model/resources.ts';
import type { DnsAnswer, DnsForward, DnsResult, DnsStatus, DnsStep } from './result.ts';
import type { LinkedZone, ZoneRecord } from './zones.ts';

export { addressesOf } from './result.ts';
export type { DnsAnswer, DnsForward, DnsResult, DnsStatus, DnsStep } from './result.ts';

/** `where` of steps in the public name space. */
export const PUBLIC_DNS = 'public DNS';
/** `where` of steps among Azure's own names. */
export const INTERNAL_NAMES = 'internal names';

const INTERNAL_SUFFIX = 'internal.cloudapp.net';
/** Reserved suffixes that a ruleset's `.` does not catch (DNS-17). */
const RESERVED_SUFFIXES = ['windows.net', 'azure.com', 'azure.net', 'windowsazure.us', INTERNAL_SUFFIX];
const REDIRECTED_TYPES: readonly DnsRecordType[] = ['A', 'AAAA', 'CNAME'];
const ALIASES_MAX = 16;
const TTL_INTERNAL = 10;

/** True when a network says anything about names: only then scenario hosts ask DNS. */
export function modelsDns(
  network: Pick<Network, 'privateDnsZones' | 'publicDnsRecords' | 'dnsForwardingRulesets' | 'dnsServers'>,
): boolean {
  const { privateDnsZones, publicDnsRecords, dnsForwardingRulesets, dnsServers } = network;
  return [privateDnsZones, publicDnsRecords, dnsForwardingRulesets, dnsServers].some((list) => list.length > 0);
}

/** The answer of 168.63.129.16 to a question from a network (DNS-7). `vnetId`: id of the network that asks. */
export function resolveAzure(
  network: Network,
  behaviour: Behaviour,
  vnetId: string,
  name: string,
  type: DnsRecordType = 'A',
): DnsResult {
  const rulesetFirst = behaviour.switches['dns.rulesetFirst'];
  const walk = new Walk(network, type);
  return walk.run(name, (current) => {
    const forward = forwardOf(network, vnetId, current);
    if (rulesetFirst && forward !== undefined) return walk.forward(current, forward);
    const linked = zoneFor(network, vnetId, current);
    if (linked !== undefined) return walk.zone(current, linked);
    if (isInternal(current)) return walk.internal(current, vnetId);
    return forward === undefined ? walk.public(current) : walk.forward(current, forward);
  });
}

/** The answer of the public name space, as everybody outside linked networks gets it (DNS-9). */
export function resolvePublic(network: Network, name: string, type: DnsRecordType = 'A'): DnsResult {
  const walk = new Walk(network, type);
  return walk.run(name, (current) => walk.public(current));
}

/** What one lookup says: go on with an alias, or the end. */
type Next = { readonly alias: string } | { readonly status: DnsStatus; readonly forward?: DnsForward };

/** One resolution: looks up a name, then every alias from the start again (DNS-7). */
class Walk {
  readonly #network: Network;
  readonly #type: DnsRecordType;
  readonly #chain: string[] = [];
  readonly #records: DnsAnswer[] = [];
  readonly #steps: DnsStep[] = [];

  constructor(network: Network, type: DnsRecordType) {
    this.#network = network;
    this.#type = type;
  }

  run(name: string, lookUp: (name: string) => Next): DnsResult {
    const seen = new Set<string>();
    let current = nameKey(name);
    for (;;) {
      if (seen.has(current) || seen.size > ALIASES_MAX) return this.#result('SERVFAIL');
      seen.add(current);
      const next = lookUp(current);
      if (!('alias' in next)) return this.#result(next.status, next.forward);
      current = nameKey(next.alias);
      this.#chain.push(current);
    }
  }

  /** DNS-10: what a linked zone does not know does not exist, unless its link asks the public instead (DNS-11). */
  zone(name: string, { zone, link }: LinkedZone): Next {
    const found = recordsAt(recordsOf(this.#network, zone), relativeName(name, zone));
    if (found !== undefined) return this.#take(name, zone.name, found, zone.source);
    const isPrivateLink = nameKey(zone.name).split('.').includes('privatelink');
    const redirects = link.properties.resolutionPolicy === 'NxDomainRedirect' && isPrivateLink;
    if (!redirects || !REDIRECTED_TYPES.includes(this.#type)) {
      this.#step(name, zone.name, 'noName', 'the zone is linked and has no such record: NXDOMAIN', link.source);
      return { status: 'NXDOMAIN' };
    }
    this.#step(name, zone.name, 'redirect', 'no such record; the link redirects NXDOMAIN to public DNS', link.source);
    return this.public(name);
  }

  /** DNS-30: machines of the own network, and their reverse names; nothing of its peers (DNS-31). */
  internal(name: string, vnetId: string): Next {
    const machines = machinesOf(this.#network, vnetId);
    const vnet = this.#network.virtualNetworks.find((entry) => idKey(entry.id) === idKey(vnetId));
    const suffixes = [INTERNAL_SUFFIX, `${nameKey(vnet?.name ?? '')}.${INTERNAL_SUFFIX}`];
    const records = machines.flatMap((machine): ZoneRecord[] => {
      if (suffixes.some((suffix) => name === `${machine.name}.${suffix}`) || name === machine.name) {
        return [{ name, type: 'A', ttl: TTL_INTERNAL, values: [machine.address] }];
      }
      if (name !== reverseName(machine.address)) return [];
      const zones = registrationZones(this.#network, vnetId);
      const values = [INTERNAL_SUFFIX, ...zones].map((suffix) => `${machine.name}.${suffix}`);
      return [{ name, type: 'PTR', ttl: TTL_INTERNAL, values }];
    });
    if (records.length > 0) return this.#take(name, INTERNAL_NAMES, records);
    this.#step(name, INTERNAL_NAMES, 'noName', 'no machine of this network has this name: NXDOMAIN');
    return { status: 'NXDOMAIN' };
  }

  public(name: string): Next {
    const found = publicRecordsAt(this.#network, name);
    if (found !== undefined) return this.#take(name, PUBLIC_DNS, found);
    this.#step(name, PUBLIC_DNS, 'noName', 'nobody has registered this name: NXDOMAIN');
    return { status: 'NXDOMAIN' };
  }

  forward(name: string, forward: DnsForward): Next {
    this.#step(name, forward.ruleset, 'forward', `the ruleset sends it to ${forward.servers.join(', ')}`);
    return { status: 'SERVFAIL', forward };
  }

  #take(name: string, where: string, found: readonly ZoneRecord[], source?: SourceLocation): Next {
    const own = found.filter((record) => record.type === this.#type && record.values.length > 0);
    const alias = found.find((record) => record.type === 'CNAME')?.values[0];
    if (own.length === 0 && alias !== undefined) {
      this.#add(name, { ...(found.find((record) => record.type === 'CNAME') as ZoneRecord), values: [alias] });
      this.#step(name, where, 'alias', `alias of ${alias}`, source);
      return { alias };
    }
    if (own.length === 0) {
      // DNS-12: the name exists, so nobody else is asked.
      this.#step(name, where, 'noData', `the name exists, but has no ${this.#type} record`, source);
      return { status: 'NOERROR' };
    }
    for (const record of own) this.#add(name, record);
    const values = own.flatMap((record) => record.values).join(', ');
    this.#step(name, where, 'answer', `${this.#type} ${values}`, own[0]?.source ?? source);
    return { status: 'NOERROR' };
  }

  #add(name: string, record: ZoneRecord): void {
    for (const value of record.values) this.#records.push({ name, type: record.type, ttl: record.ttl, value });
  }

  #step(name: string, where: string, outcome: DnsStep['outcome'], text: string, source?: SourceLocation): void {
    this.#steps.push({ name, where, outcome, text, ...(source && { source }) });
  }

  #result(status: DnsStatus, forward?: DnsForward): DnsResult {
    return {
      status,
      chain: this.#chain,
      records: this.#records,
      steps: this.#steps,
      ...(forward && { forward }),
    };
  }
}

/** DNS-17: the rulesets linked to a network; the longest suffix wins. */
function forwardOf(network: Network, vnetId: string, name: string): DnsForward | undefined {
  const rulesets = network.dnsForwardingRulesets.filter(({ properties }) =>
    properties.virtualNetworks.some((vnet) => idKey(vnet.id) === idKey(vnetId)),
  );
  const rules = rulesets.flatMap((ruleset) => rulesOf(ruleset, name));
  const best = longestSuffix(name, rules, ({ rule }) => (rule.domainName === '.' ? '' : rule.domainName));
  if (best === undefined) return undefined;
  const { ruleset, rule } = best;
  const outbound = ruleset.properties.outboundEndpoint?.id;
  const servers = rule.targetDnsServers;
  return { name, ruleset: ruleset.name, servers, ...(outbound !== undefined && { outboundEndpoint: outbound }) };
}

type ForwardingRule = DnsForwardingRuleset['properties']['forwardingRules'][number];

function rulesOf(
  ruleset: DnsForwardingRuleset,
  name: string,
): { readonly ruleset: DnsForwardingRuleset; readonly rule: ForwardingRule }[] {
  const isReserved = RESERVED_SUFFIXES.some((suffix) => isBelow(name, suffix));
  return ruleset.properties.forwardingRules
    .filter((rule) => rule.isEnabled && !(rule.domainName === '.' && isReserved))
    .map((rule) => ({ ruleset, rule }));
}

/** Names that Azure keeps for itself: of machines, reverse names of private addresses, and names of one label. */
function isInternal(name: string): boolean {
  if (isBelow(name, INTERNAL_SUFFIX) || !name.includes('.')) return true;
  const address = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\.in-addr\.arpa$/.exec(name);
  if (address === null) return false;
  const [first, second] = [Number(address[4]), Number(address[3])];
  return first === 10 || (first === 172 && second >= 16 && second < 32) || (first === 192 && second === 168);
}

function registrationZones(network: Network, vnetId: string): string[] {
  const zones = network.privateDnsZones.filter((zone) =>
    zone.properties.virtualNetworkLinks.some(
      ({ properties }) => properties.registrationEnabled && idKey(properties.virtualNetwork.id) === idKey(vnetId),
    ),
  );
  return zones.map((zone) => nameKey(zone.name));
}
