// A resolver as hosts have it: asks the configured servers one after the other over UDP, twice at most, and takes the
// first answer. A server that fails is followed by the next one; NXDOMAIN is an answer.

import { decodeDns, DNS_PORT, encodeDns } from '../wire/dns.ts';
import type { DnsMessage, DnsMessageRecord, DnsQuestion, DnsStatusName } from '../wire/dns.ts';
import type { Host } from './host.ts';

export interface DnsOutcome {
  /** `timeout`: no server has answered. */
  readonly status: DnsStatusName | 'timeout';
  readonly answers: readonly DnsMessageRecord[];
  /** Whose answer it is; undefined for a time-out. */
  readonly server?: number;
}

const TRIES = 2;
const TIMEOUT_NS = 5_000_000_000;
const IDS = 0x1_0000;

export class DnsClient {
  readonly #host: Host;
  #lastId = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Asks `servers` (DNS-6), each for 5 s, the whole list twice; the callback comes once. `src`: default the host's. */
  resolve(servers: readonly number[], question: DnsQuestion, done: (outcome: DnsOutcome) => void, src?: number): void {
    this.#ask(
      Array.from({ length: TRIES }, () => servers).flat(),
      question,
      { status: 'timeout', answers: [] },
      done,
      src,
    );
  }

  #ask(
    servers: readonly number[],
    question: DnsQuestion,
    best: DnsOutcome,
    done: (outcome: DnsOutcome) => void,
    src: number | undefined,
  ): void {
    const [server, ...rest] = servers;
    if (server === undefined) return done(best);
    const id = this.#nextId();
    const query: DnsMessage = {
      id,
      isResponse: false,
      recursionDesired: true,
      status: 'NOERROR',
      question,
      answers: [],
    };
    this.#host.sendUdp({
      dst: server,
      dstPort: DNS_PORT,
      src,
      payload: encodeDns(query),
      timeoutNs: TIMEOUT_NS,
      onOutcome: (outcome) => {
        const answer = outcome.kind === 'reply' ? decodeDns(outcome.datagram.payload) : undefined;
        if (answer === undefined || !answer.isResponse || answer.id !== id) {
          return this.#ask(rest, question, best, done, src);
        }
        const found: DnsOutcome = { status: answer.status, answers: answer.answers, server };
        if (answer.status === 'NOERROR' || answer.status === 'NXDOMAIN') return done(found);
        // A server that fails is not asked again: the others may know.
        const others = rest.filter((other) => other !== server);
        this.#ask(others, question, found, done, src);
      },
    });
  }

  #nextId(): number {
    const draw = this.#host.port.random(`dns ${this.#lastId++}`);
    return draw % IDS;
  }
}
