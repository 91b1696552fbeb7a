// TCP of one host: finds the connection of a segment, accepts new ones, answers what belongs to none with a RST, and
// keeps finished connections through TIME-WAIT without a timer each.
import * as wire from '../../wire/index.ts';
import type { IcmpErrorReport } from '../icmp-error.ts';
import type { IpLayer } from '../ip-layer.ts';
import { sequenceAt } from './sequence.ts';
import { TcpConnection } from './connection.ts';
import type { OutgoingSegment, TcpAddresses, TcpEnvironment, TcpHandlers } from './model.ts';
import { NO_BYTES, buildSegment, readSegment, type TcpSegment } from './segment.ts';

export interface TcpSettings {
  /** Whether connections to this port are accepted. */
  isListening(port: number): boolean;
  /** Whether the local port is in use for packets like this one, other than by a connection. */
  isPortTaken(incoming: wire.FiveTuple): boolean;
  /** Whether segments for no connection are answered with RST. */
  readonly answerReset: boolean;
  /** Gives an accepted connection its handlers. */
  accept(connection: TcpConnection): TcpHandlers;
  readonly synRetries: number;
  readonly dataRetries: number;
  readonly timeWaitNs: number;
}

export interface ConnectSpec {
  readonly dst: number;
  readonly dstPort: number;
  readonly src: number;
  /** Default: the next free ephemeral port. */
  readonly srcPort?: number | undefined;
  /** How often a SYN is sent again. */
  readonly retries?: number | undefined;
  readonly ttl?: number | undefined;
  readonly handlers?: TcpHandlers | undefined;
}

/** First port for connections that do not ask for one. */
export const EPHEMERAL_FIRST = 50_000;
export const EPHEMERAL_LAST = 65_535;

const NO_HANDLERS: TcpHandlers = {};
const NS_PER_ISN_STEP = 4_000;

export class TcpEndpoint {
  readonly #ip: IpLayer;
  readonly #settings: TcpSettings;
  readonly #environment: TcpEnvironment<TcpConnection>;
  readonly #connections = new Map<string, TcpConnection>();
  /** Connections in TIME-WAIT, oldest first; one that started again is there twice. */
  readonly #lingering: { readonly connection: TcpConnection; readonly untilNs: number }[] = [];
  #nextPort = EPHEMERAL_FIRST;

  constructor(ip: IpLayer, settings: TcpSettings) {
    this.#ip = ip;
    this.#settings = settings;
    this.#environment = {
      port: ip.port,
      timeWaitNs: settings.timeWaitNs,
      dataRetries: settings.dataRetries,
      mtu: ip.mtu,
      mtuTo: (address) => ip.mtuTo(address),
      transmit: (connection, segment) => this.#transmit(connection, segment),
      linger: (connection) => void this.#lingering.push({ connection, untilNs: connection.timeWaitUntilNs }),
      forget: (connection) => this.#forget(connection),
    };
  }

  /** Connections that are not closed; those in TIME-WAIT count. */
  get connections(): Iterable<TcpConnection> {
    this.#sweep();
    return this.#connections.values();
  }

  has(addresses: TcpAddresses): boolean {
    return this.#connections.has(keyOf(addresses));
  }

  /** Starts a connection. Throws when the four addresses and ports are in use, or no port is free. */
  connect(spec: ConnectSpec): TcpConnection {
    this.#sweep();
    const remote = { remoteAddress: spec.dst, remotePort: spec.dstPort };
    const localPort = spec.srcPort ?? this.#freePort(spec);
    const addresses: TcpAddresses = { localAddress: spec.src, localPort, ...remote };
    const existing = this.#connections.get(keyOf(addresses));
    if (existing !== undefined && existing.state !== 'timeWait') {
      const text = `${wire.formatIpv4(spec.src)}:${localPort} > ${wire.formatIpv4(spec.dst)}:${spec.dstPort}`;
      throw new Error(`a connection ${text} exists already`);
    }
    const connection = this.#create(addresses, {
      synRetries: spec.retries ?? this.#settings.synRetries,
      ttl: spec.ttl,
      handlers: spec.handlers ?? NO_HANDLERS,
    });
    connection.open();
    return connection;
  }

  /** A TCP frame for this host, its checksums verified. */
  receive(frame: Uint8Array, frames: DataView, l3: number): void {
    const segment = readSegment(frame, frames, l3);
    if (segment === undefined) {
      this.#ip.port.countDrop('malformed');
      return;
    }
    const l4 = l3 + wire.ipv4HeaderLength(frames, l3);
    const addresses: TcpAddresses = {
      localAddress: wire.ipv4Dst(frames, l3),
      localPort: wire.tcpDstPort(frames, l4),
      remoteAddress: wire.ipv4Src(frames, l3),
      remotePort: wire.tcpSrcPort(frames, l4),
    };
    this.#sweep();
    const connection = this.#connections.get(keyOf(addresses));
    if (connection !== undefined && !connection.mayBeReplacedBy(segment)) connection.receive(segment);
    else this.#receiveUnmatched(addresses, segment);
  }

  /** An ICMP error that quotes a segment from these addresses. */
  receiveIcmpError(error: IcmpErrorReport): void {
    const { src, srcPort, dst, dstPort } = error.quoted;
    const addresses = { localAddress: src, localPort: srcPort, remoteAddress: dst, remotePort: dstPort };
    const connection = this.#connections.get(keyOf(addresses));
    if (connection !== undefined && error.quotedSeq !== undefined) connection.receiveIcmpError(error, error.quotedSeq);
  }

  #receiveUnmatched(addresses: TcpAddresses, segment: TcpSegment): void {
    const isFirst = (segment.flags & (wire.TCP_SYN | wire.TCP_ACK | wire.TCP_RST)) === wire.TCP_SYN;
    if (isFirst && this.#settings.isListening(addresses.localPort)) this.#accept(addresses, segment);
    else if (this.#settings.answerReset && (segment.flags & wire.TCP_RST) === 0) this.#answerReset(addresses, segment);
  }

  #accept(addresses: TcpAddresses, syn: TcpSegment): void {
    const { synRetries } = this.#settings;
    const connection = this.#create(addresses, { synRetries, handlers: NO_HANDLERS }, syn);
    connection.handlers = this.#settings.accept(connection);
    connection.open();
  }

  /** RFC 9293 section 3.10.7.1. */
  #answerReset(addresses: TcpAddresses, segment: TcpSegment): void {
    const hasAck = (segment.flags & wire.TCP_ACK) !== 0;
    const controls = [wire.TCP_SYN, wire.TCP_FIN].filter((flag) => (segment.flags & flag) !== 0).length;
    const after = sequenceAt(segment.seq, segment.payload.length + controls);
    const reset = hasAck
      ? { seq: segment.ack, ack: 0, flags: wire.TCP_RST }
      : { seq: 0, ack: after, flags: wire.TCP_RST | wire.TCP_ACK };
    this.#ip.send(buildSegment({ ...this.#header(addresses), ...reset, window: 0, options: NO_BYTES }));
  }

  #create(
    addresses: TcpAddresses,
    options: { synRetries: number; ttl?: number | undefined; handlers: TcpHandlers },
    syn?: TcpSegment,
  ): TcpConnection {
    const key = keyOf(addresses);
    const initialSequence = this.#initialSequence(key);
    const connection = new TcpConnection(this.#environment, addresses, { ...options, initialSequence }, syn);
    this.#connections.set(key, connection);
    return connection;
  }

  /** RFC 9293 section 3.4.1: a number of the run's seed for these addresses, plus a clock of 4 microseconds. */
  #initialSequence(key: string): number {
    const { port } = this.#ip;
    return (port.random(`isn ${key}`) + (Math.floor(port.now() / NS_PER_ISN_STEP) % 0x1_0000_0000)) >>> 0;
  }

  #freePort(spec: ConnectSpec): number {
    const addresses = { localAddress: spec.src, remoteAddress: spec.dst, remotePort: spec.dstPort };
    for (let tries = EPHEMERAL_FIRST; tries <= EPHEMERAL_LAST; tries++) {
      const localPort = this.#nextPort;
      this.#nextPort = localPort === EPHEMERAL_LAST ? EPHEMERAL_FIRST : localPort + 1;
      const incoming = { src: spec.dst, srcPort: spec.dstPort, dst: spec.src, dstPort: localPort };
      const isFree = !this.#settings.isPortTaken({ protocol: wire.PROTOCOL_TCP, ...incoming });
      if (isFree && !this.#connections.has(keyOf({ ...addresses, localPort }))) return localPort;
    }
    throw new Error(`no free port for a connection to ${wire.formatIpv4(spec.dst)}:${spec.dstPort}`);
  }

  #transmit(connection: TcpConnection, segment: OutgoingSegment): void {
    const { data, offset, length, ...fields } = segment;
    const header = { ...this.#header(connection), ...fields };
    if (connection.ttl !== undefined) header.ttl = connection.ttl;
    this.#ip.send(buildSegment(header, data, offset, length));
  }

  #header(addresses: TcpAddresses): {
    src: number;
    dst: number;
    srcPort: number;
    dstPort: number;
    ttl: number;
    id: number;
  } {
    return {
      src: addresses.localAddress,
      dst: addresses.remoteAddress,
      srcPort: addresses.localPort,
      dstPort: addresses.remotePort,
      ttl: this.#ip.ttl,
      id: this.#ip.nextId(),
    };
  }

  /** Ends TIME-WAIT of those whose time has passed. Done on the next use, so that an idle host has no timers. */
  #sweep(): void {
    const nowNs = this.#ip.port.now();
    let done = 0;
    for (const { connection, untilNs } of this.#lingering) {
      if (untilNs > nowNs) break;
      done++;
      if (connection.timeWaitUntilNs <= nowNs) this.#forget(connection);
    }
    if (done > 0) this.#lingering.splice(0, done);
  }

  #forget(connection: TcpConnection): void {
    const key = keyOf(connection);
    // A connection that replaced one in TIME-WAIT has the same key.
    if (this.#connections.get(key) === connection) this.#connections.delete(key);
  }
}

function keyOf(addresses: TcpAddresses): string {
  return `${addresses.localAddress}:${addresses.localPort}-${addresses.remoteAddress}:${addresses.remotePort}`;
}
