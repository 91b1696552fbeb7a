// A server on UDP port 53: what it answers itself, or which servers it asks on behalf of its client. It caches nothing,
// so that every question can be seen on the wire.

import { decodeDns, DNS_PORT, encodeDns } from '../wire/dns.ts';
import { DnsClient } from './dns-client.ts';
import type { DnsMessage, DnsMessageRecord, DnsQuestion, DnsStatusName } from '../wire/dns.ts';
import type { DnsOutcome } from './dns-client.ts';
import type { Host } from './host.ts';
import type { UdpDatagram, UdpService } from './udp-endpoint.ts';

/** What a server does with a question. */
export type DnsDecision =
  | {
      readonly status: DnsStatusName;
      readonly answers: readonly DnsMessageRecord[];
      readonly isAuthoritative?: boolean;
    }
  | {
      /** Asks these servers for `question`, and puts `answers` in front of what they say. */
      readonly servers: readonly number[];
      readonly question: DnsQuestion;
      readonly answers: readonly DnsMessageRecord[];
      /** The host that asks. */
      readonly through: Host;
      /** Its source address; default the host's first. */
      readonly src?: number;
    };

/** Undefined: this host is no DNS server, the datagram is somebody else's. */
export type DnsDecide = (question: DnsQuestion, datagram: UdpDatagram) => DnsDecision | undefined;

/** The same question at the same server as often as this at one time: servers that forward in a circle. */
const SAME_QUESTION_MAX = 8;

/** Serves UDP port 53 of a host by `decide`. */
export function dnsServer(decide: DnsDecide): UdpService {
  const asked = new Map<string, number>();
  return (datagram, reply) => {
    if (datagram.dstPort !== DNS_PORT) return false;
    const query = decodeDns(datagram.payload);
    if (query === undefined || query.isResponse) return false;
    const decision = decide(query.question, datagram);
    if (decision === undefined) return false;
    if ('status' in decision) {
      reply(answerTo(query, decision.status, decision.answers, decision.isAuthoritative));
      return true;
    }
    const key = `${query.question.type} ${query.question.name.toLowerCase()}`;
    const count = asked.get(key) ?? 0;
    if (count >= SAME_QUESTION_MAX) {
      reply(answerTo(query, 'SERVFAIL', []));
      return true;
    }
    asked.set(key, count + 1);
    const { servers, question, src, through } = decision;
    const done = ({ status, answers }: DnsOutcome): void => {
      asked.set(key, (asked.get(key) ?? 1) - 1);
      reply(answerTo(query, status === 'timeout' ? 'SERVFAIL' : status, [...decision.answers, ...answers]));
    };
    new DnsClient(through).resolve(servers, question, done, src);
    return true;
  };
}

function answerTo(
  query: DnsMessage,
  status: DnsStatusName,
  answers: readonly DnsMessageRecord[],
  isAuthoritative = false,
): Uint8Array {
  const { id, recursionDesired, question } = query;
  const flags = { isResponse: true, recursionAvailable: true, isAuthoritative, recursionDesired };
  return encodeDns({ id, ...flags, status, question, answers });
}
