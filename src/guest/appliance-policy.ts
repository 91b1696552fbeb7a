// What an appliance does with a packet that is to be forwarded: pass it, translated or not, drop it, or leave it to its
// own host stack. Works on five-tuples and state only; bytes are changed by the appliance.
import * as wire from '../wire/index.ts';
import { ConnectionTable, trackTcp, type Found, type TrackedConnection } from './connection-table.ts';
import { readIcmpError } from './icmp-error.ts';
import { fragmentKey } from './ip-reassembly.ts';
import type { Rewrite } from './rewrite.ts';

export interface PolicyOptions {
  /** Source NAT to this address for everything that is forwarded; undefined: none. */
  readonly natAddress: number | undefined;
  /** Drops TCP packets of connections whose start was not seen (ROUTE-34). */
  readonly stateful: boolean;
  /** Whether the appliance itself waits for packets with this five-tuple. */
  isOwn(tuple: wire.FiveTuple): boolean;
}

export type Verdict =
  /** `quoted` is for the packet inside an ICMP error, at `quotedAt`. */
  | { readonly kind: 'pass'; readonly rewrite: Rewrite; readonly quoted?: Rewrite; readonly quotedAt?: number }
  /** Of no connection that is forwarded; it may be for the appliance itself. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'drop'; readonly reason: string };

interface FragmentVerdict {
  readonly verdict: Verdict;
  readonly expiresAtNs: number;
}

const UNCHANGED: Verdict = { kind: 'pass', rewrite: {} };
const UNKNOWN: Verdict = { kind: 'unknown' };
const NO_STATE: Verdict = { kind: 'drop', reason: 'no state' };
const PORTS_EXHAUSTED: Verdict = { kind: 'drop', reason: 'nat ports exhausted' };
const FRAGMENT_LIFE_NS = 30_000_000_000;
const FRAGMENTS_MAX = 1024;

export class AppliancePolicy {
  readonly #options: PolicyOptions;
  readonly #table: ConnectionTable;
  /** Later fragments follow the first one of their datagram. */
  readonly #fragments = new Map<string, FragmentVerdict>();

  constructor(options: PolicyOptions) {
    this.#options = options;
    this.#table = new ConnectionTable((tuple) => options.isOwn(tuple));
  }

  /** Whether packets with this five-tuple, to the appliance's address, are answers to a translated connection. */
  isTranslated(tuple: wire.FiveTuple, nowNs: number): boolean {
    return this.#table.find(tuple, true, nowNs) !== undefined;
  }

  /** Decides about the IPv4 packet at `l3`, whose header was checked. `forOwnAddress`: never starts a connection. */
  decide(frames: DataView, l3: number, nowNs: number, forOwnAddress: boolean): Verdict {
    if (this.#options.natAddress === undefined && !this.#options.stateful) return forOwnAddress ? UNKNOWN : UNCHANGED;
    if (!wire.ipv4IsFragment(frames, l3)) return this.#decideWhole(frames, l3, nowNs, forOwnAddress);
    const key = fragmentKey(frames, l3);
    if (wire.ipv4FragmentOffset(frames, l3) === 0) {
      const verdict = this.#decideWhole(frames, l3, nowNs, forOwnAddress);
      this.#rememberFragment(key, { verdict, expiresAtNs: nowNs + FRAGMENT_LIFE_NS });
      return verdict;
    }
    const first = this.#fragments.get(key);
    if (first === undefined || first.expiresAtNs <= nowNs) return forOwnAddress ? UNKNOWN : NO_STATE;
    return first.verdict;
  }

  #decideWhole(frames: DataView, l3: number, nowNs: number, forOwnAddress: boolean): Verdict {
    const l4 = l3 + wire.ipv4HeaderLength(frames, l3);
    const tuple = wire.readFiveTuple(frames, l3);
    if (tuple === undefined) return forOwnAddress ? UNKNOWN : { kind: 'drop', reason: 'malformed' };
    const isIcmp = tuple.protocol === wire.PROTOCOL_ICMP;
    const icmpType = isIcmp ? wire.icmpType(frames, l4) : -1;
    if (isIcmp && !wire.isIcmpEcho(icmpType)) return this.#decideIcmp(frames, l3, nowNs, forOwnAddress);

    if (forOwnAddress && this.#options.isOwn(tuple)) return UNKNOWN;
    const found = this.#table.find(tuple, icmpType !== wire.ICMP_ECHO_REQUEST, nowNs);
    const flags = tcpFlagsOf(frames, l3, tuple);
    if (found !== undefined) return this.#decideKnown(found, flags, nowNs);
    if (forOwnAddress) return UNKNOWN;
    return this.#decideNew(tuple, flags, icmpType, nowNs);
  }

  #decideKnown(found: Found, flags: number | undefined, nowNs: number): Verdict {
    const { connection, direction } = found;
    const allowed = flags === undefined || trackTcp(connection, direction, flags);
    if (!allowed && this.#options.stateful) return NO_STATE;
    this.#table.touch(connection, nowNs);
    return { kind: 'pass', rewrite: rewriteOf(found) };
  }

  #decideNew(tuple: wire.FiveTuple, flags: number | undefined, icmpType: number, nowNs: number): Verdict {
    const { stateful, natAddress } = this.#options;
    const isFirst = flags === undefined ? icmpType !== wire.ICMP_ECHO_REPLY : isFirstOfTcp(flags);
    if (!isFirst && stateful) return NO_STATE;
    // Without inspection, translation starts in the middle of a connection too, but not with an answer.
    const isAnswer = flags === undefined ? !isFirst : !isFirst && (flags & (wire.TCP_SYN | wire.TCP_RST)) !== 0;
    if (isAnswer) return UNCHANGED;
    const state = flags === undefined ? 'untracked' : isFirst ? 'synSeen' : 'established';
    const connection = this.#table.create(tuple, state, natAddress, nowNs);
    if (connection === undefined) return PORTS_EXHAUSTED;
    return { kind: 'pass', rewrite: rewriteOf({ connection, direction: 'original' }) };
  }

  /** An ICMP error passes with the connection that it is about, translated outside and inside (RFC 5508 section 4). */
  #decideIcmp(frames: DataView, l3: number, nowNs: number, forOwnAddress: boolean): Verdict {
    const l4 = l3 + wire.ipv4HeaderLength(frames, l3);
    const error = readIcmpError(frames, l3, l4);
    const found = error === undefined ? undefined : this.#findQuoted(frames, error.quotedAt, error.quoted, nowNs);
    if (error === undefined || found === undefined) {
      if (forOwnAddress) return UNKNOWN;
      return this.#options.stateful ? NO_STATE : UNCHANGED;
    }
    const quoted = reverseRewrite(rewriteOf(found));
    const { src, dst } = rewriteOf(found);
    const rewrite = { ...(src === undefined ? {} : { src }), ...(dst === undefined ? {} : { dst }) };
    return { kind: 'pass', rewrite, quoted, quotedAt: error.quotedAt };
  }

  /** The error travels as an answer to the quoted packet would. */
  #findQuoted(frames: DataView, at: number, quoted: wire.FiveTuple, nowNs: number): Found | undefined {
    const isEcho = quoted.protocol === wire.PROTOCOL_ICMP;
    const quotedType = isEcho ? wire.icmpType(frames, at + wire.ipv4HeaderLength(frames, at)) : -1;
    return this.#table.find(wire.reverseFiveTuple(quoted), quotedType !== wire.ICMP_ECHO_REPLY, nowNs);
  }

  #rememberFragment(key: string, verdict: FragmentVerdict): void {
    this.#fragments.delete(key);
    const oldest = this.#fragments.keys().next().value;
    if (this.#fragments.size >= FRAGMENTS_MAX && oldest !== undefined) this.#fragments.delete(oldest);
    this.#fragments.set(key, verdict);
  }
}

/** The change that takes a packet of this direction from one side of the appliance to the other. */
function rewriteOf(found: Found): Rewrite {
  const { original, reply }: TrackedConnection = found.connection;
  if (reply.dst === original.src && reply.dstPort === original.srcPort) return {};
  if (found.direction === 'original') return { src: reply.dst, srcPort: reply.dstPort };
  return { dst: original.src, dstPort: original.srcPort };
}

/** The same change for a packet that travels the other way. */
function reverseRewrite(rewrite: Rewrite): Rewrite {
  const { src, srcPort, dst, dstPort } = rewrite;
  return {
    ...(src === undefined ? {} : { dst: src }),
    ...(srcPort === undefined ? {} : { dstPort: srcPort }),
    ...(dst === undefined ? {} : { src: dst }),
    ...(dstPort === undefined ? {} : { srcPort: dstPort }),
  };
}

/** Undefined for other protocols. A header too short for flags has none set, and so starts nothing. */
function tcpFlagsOf(frames: DataView, l3: number, tuple: wire.FiveTuple): number | undefined {
  if (tuple.protocol !== wire.PROTOCOL_TCP) return undefined;
  const l4 = l3 + wire.ipv4HeaderLength(frames, l3);
  return l3 + wire.ipv4TotalLength(frames, l3) - l4 < wire.TCP_HEADER_MIN ? 0 : wire.tcpFlags(frames, l4);
}

function isFirstOfTcp(flags: number): boolean {
  return (flags & (wire.TCP_SYN | wire.TCP_ACK | wire.TCP_RST | wire.TCP_FIN)) === wire.TCP_SYN;
}
