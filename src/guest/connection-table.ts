// The connections that an appliance knows: both directions of each, how far the TCP handshake has been seen, the
// translated source if it source-NATs, and when each expires. Expiry is decided at lookup; a sweep only reclaims.
// Lifetimes are those of Linux connection tracking.
import * as wire from '../wire/index.ts';

/** How much of a TCP connection has passed; `untracked` is for other protocols. */
export type TrackedTcpState =
  | 'synSeen'
  | 'synAckSeen'
  | 'established'
  | 'closing'
  | 'reset'
  /** Reset before it was established: forgotten at once. */
  | 'refused'
  | 'untracked';

export type Direction = 'original' | 'reply';

export interface TrackedConnection {
  /** As its first packet had it. */
  readonly original: wire.FiveTuple;
  /** As replies have it when they arrive: towards the translated source, if there is one. */
  readonly reply: wire.FiveTuple;
  state: TrackedTcpState;
  /** Directions that have sent a FIN. */
  finished: Set<Direction>;
  expiresAtNs: number;
}

export interface Found {
  readonly connection: TrackedConnection;
  readonly direction: Direction;
}

/** First and last port of sources that are translated to another port. */
export const NAT_PORT_FIRST = 1024;
export const NAT_PORT_LAST = 49_999;

const SECOND_NS = 1_000_000_000;
const LIFE_SECONDS: Record<TrackedTcpState, number> = {
  synSeen: 120,
  synAckSeen: 60,
  established: 432_000,
  closing: 120,
  reset: 10,
  refused: 0,
  untracked: 120,
};
const ICMP_LIFE_SECONDS = 30;
const SWEEP_MIN = 1024;

export class ConnectionTable {
  readonly #entries = new Map<string, Found>();
  /** Whether the appliance itself waits for packets with this five-tuple. */
  readonly #isOwn: (tuple: wire.FiveTuple) => boolean;
  #sweepAt = SWEEP_MIN;
  #nextPort = NAT_PORT_FIRST;

  constructor(isOwn: (tuple: wire.FiveTuple) => boolean) {
    this.#isOwn = isOwn;
  }

  /** The connection that a packet with this five-tuple belongs to. `isEchoReply` tells ICMP replies from requests. */
  find(tuple: wire.FiveTuple, isEchoReply: boolean, nowNs: number): Found | undefined {
    const found = this.#entries.get(keyOf(tuple, isEchoReply));
    return found === undefined || found.connection.expiresAtNs <= nowNs ? undefined : found;
  }

  /**
   * A new connection, its source translated to `natAddress` unless that is undefined. Undefined when every port for
   * this destination is taken.
   */
  create(
    original: wire.FiveTuple,
    state: TrackedTcpState,
    natAddress: number | undefined,
    nowNs: number,
  ): TrackedConnection | undefined {
    this.#sweep(nowNs);
    const reply =
      natAddress === undefined ? wire.reverseFiveTuple(original) : this.#translate(original, natAddress, nowNs);
    if (reply === undefined) return undefined;
    const connection: TrackedConnection = { original, reply, state, finished: new Set(), expiresAtNs: 0 };
    this.touch(connection, nowNs);
    this.#entries.set(keyOf(original, false), { connection, direction: 'original' });
    this.#entries.set(keyOf(reply, true), { connection, direction: 'reply' });
    return connection;
  }

  /** A packet has passed: the life of the connection starts again. */
  touch(connection: TrackedConnection, nowNs: number): void {
    const isIcmp = connection.original.protocol === wire.PROTOCOL_ICMP;
    const seconds = isIcmp ? ICMP_LIFE_SECONDS : LIFE_SECONDS[connection.state];
    connection.expiresAtNs = nowNs + seconds * SECOND_NS;
  }

  /** Replies to a translated source, with a port that no other connection to the same destination uses. */
  #translate(original: wire.FiveTuple, natAddress: number, nowNs: number): wire.FiveTuple | undefined {
    const { protocol, dst, dstPort } = original;
    const isEcho = protocol === wire.PROTOCOL_ICMP;
    if (!isEcho && protocol !== wire.PROTOCOL_TCP && protocol !== wire.PROTOCOL_UDP) {
      return { protocol, src: dst, dst: natAddress, srcPort: 0, dstPort: 0 };
    }
    const replyTo = (port: number): wire.FiveTuple | undefined => {
      const reply = { protocol, src: dst, srcPort: isEcho ? port : dstPort, dst: natAddress, dstPort: port };
      return this.find(reply, true, nowNs) === undefined && !this.#isOwn(reply) ? reply : undefined;
    };
    // The source port stays when it is free, as Linux does it.
    const unchanged = replyTo(original.srcPort);
    if (unchanged !== undefined) return unchanged;
    for (let tries = NAT_PORT_FIRST; tries <= NAT_PORT_LAST; tries++) {
      const port = this.#nextPort;
      this.#nextPort = port === NAT_PORT_LAST ? NAT_PORT_FIRST : port + 1;
      const reply = replyTo(port);
      if (reply !== undefined) return reply;
    }
    return undefined;
  }

  #sweep(nowNs: number): void {
    if (this.#entries.size < this.#sweepAt) return;
    for (const [key, { connection }] of this.#entries) if (connection.expiresAtNs <= nowNs) this.#entries.delete(key);
    this.#sweepAt = Math.max(SWEEP_MIN, 2 * this.#entries.size);
  }
}

/**
 * Takes a TCP packet of a known connection into account. False when the handshake seen so far does not allow it: then
 * nothing has changed. This is what fails when an appliance sees only half of a connection (ROUTE-34, CAP-4).
 */
export function trackTcp(connection: TrackedConnection, direction: Direction, flags: number): boolean {
  const isSyn = (flags & wire.TCP_SYN) !== 0;
  const hasAck = (flags & wire.TCP_ACK) !== 0;
  const fromClient = direction === 'original';
  const { state } = connection;
  if ((flags & wire.TCP_RST) !== 0) {
    connection.state = state === 'synSeen' || state === 'synAckSeen' ? 'refused' : 'reset';
    return true;
  }
  switch (state) {
    case 'synSeen':
      if (fromClient) return isSyn && !hasAck;
      if (!isSyn || !hasAck) return false;
      connection.state = 'synAckSeen';
      return true;
    case 'synAckSeen':
      if (!fromClient) return isSyn && hasAck;
      if (isSyn) return !hasAck;
      if (!hasAck) return false;
      connection.state = 'established';
      trackFin(connection, direction, flags);
      return true;
    case 'established':
      trackFin(connection, direction, flags);
      return true;
    default:
      if (isSyn && !hasAck && fromClient) restart(connection);
      return true;
  }
}

function trackFin(connection: TrackedConnection, direction: Direction, flags: number): void {
  if ((flags & wire.TCP_FIN) === 0) return;
  connection.finished.add(direction);
  if (connection.finished.size === 2) connection.state = 'closing';
}

/** The same addresses and ports are used again. */
function restart(connection: TrackedConnection): void {
  connection.state = 'synSeen';
  connection.finished = new Set();
}

/** ICMP requests and replies have one identifier for both directions, so the key says which of the two it is. */
function keyOf(tuple: wire.FiveTuple, isReply: boolean): string {
  const { protocol, src, srcPort, dst, dstPort } = tuple;
  const kind = protocol === wire.PROTOCOL_ICMP && isReply ? 'r' : '';
  return `${protocol}${kind} ${src}:${srcPort}-${dst}:${dstPort}`;
}
