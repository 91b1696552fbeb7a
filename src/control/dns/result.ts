// What a resolution finds out: the answer as it goes on the wire, and the steps that led to it, for `explain`.

import type { DnsRecordType } from '../model/dns.ts';
import type { SourceLocation } from '../model/resources.ts';

export type DnsStatus = 'NOERROR' | 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED';

/** One record of an answer: full name, one value in presentation form. */
export interface DnsAnswer {
  readonly name: string;
  readonly type: DnsRecordType;
  /** Seconds. */
  readonly ttl: number;
  readonly value: string;
}

/** One place that was asked, and what it said. */
export interface DnsStep {
  /** The name that was looked up. */
  readonly name: string;
  /** A zone's name, `internal names`, a ruleset's name, `public DNS`, a server. */
  readonly where: string;
  readonly outcome: 'answer' | 'alias' | 'noData' | 'noName' | 'redirect' | 'forward';
  /** In words. */
  readonly text: string;
  /** Line of the zone, link or rule. */
  readonly source?: SourceLocation;
}

/** Where a forwarding ruleset sends the rest of a question (DNS-17). */
export interface DnsForward {
  /** What to ask there: the name, or the last alias of the chain. */
  readonly name: string;
  readonly ruleset: string;
  readonly servers: readonly string[];
  /** Id of the NIC that sends; undefined: the platform cannot reach the servers. */
  readonly outboundEndpoint?: string;
}

export interface DnsResult {
  readonly status: DnsStatus;
  /** Aliases followed, in order, without the question's name. */
  readonly chain: readonly string[];
  /** The answer section: CNAMEs first, then records of the type; none is NODATA (DNS-12). */
  readonly records: readonly DnsAnswer[];
  readonly steps: readonly DnsStep[];
  /** Set when somebody else knows the rest; `records` holds the chain so far. */
  readonly forward?: DnsForward;
}

/** Addresses of an answer, in order. */
export function addressesOf(records: readonly DnsAnswer[], type: DnsRecordType = 'A'): string[] {
  return records.filter((record) => record.type === type).map((record) => record.value);
}
