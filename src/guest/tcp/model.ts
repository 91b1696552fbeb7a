// The words of a TCP connection: its states, what its user hears, what it counts, and what it asks of its endpoint.
import type { GuestPort } from '../guest.ts';
import type { IcmpErrorReport } from '../icmp-error.ts';
import type { SendBuffer } from './send-buffer.ts';
import type { SenderStats } from './sender.ts';

export type TcpState =
  | 'synSent'
  | 'synReceived'
  | 'established'
  | 'finWait1'
  | 'finWait2'
  | 'closeWait'
  | 'closing'
  | 'lastAck'
  | 'timeWait'
  | 'closed';

/** How a connection ended: `reset` by either side, or `timedOut` after the last retry. */
export type TcpEnd = 'closed' | 'reset' | 'timedOut';
export type TcpResult = 'connecting' | 'established' | TcpEnd;

/** What the user of a connection wants to hear of. Without `onPeerClosed` the connection closes when its peer does. */
export interface TcpHandlers {
  onEstablished?(): void;
  /** The bytes are a view of the received frame and may be kept. */
  onData?(bytes: Uint8Array): void;
  /** The peer will send nothing more. */
  onPeerClosed?(): void;
  /** Once, when both directions have ended; TIME-WAIT is not waited for. */
  onClosed?(how: TcpEnd): void;
  /** An ICMP error about this connection that did not end it (RFC 1122 section 4.2.3.9: a soft error). */
  onIcmpError?(error: IcmpErrorReport): void;
}

export interface TcpStats extends SenderStats {
  segmentsSent: number;
  segmentsReceived: number;
  /** Bytes of data handed on, each once and in order. */
  bytesReceived: number;
}

export interface TcpAddresses {
  readonly localAddress: number;
  readonly localPort: number;
  readonly remoteAddress: number;
  readonly remotePort: number;
}

/** Sent by a connection; the endpoint adds addresses and the IPv4 header. */
export interface OutgoingSegment {
  readonly seq: number;
  readonly ack: number;
  readonly flags: number;
  readonly window: number;
  readonly options: Uint8Array;
  readonly data: SendBuffer;
  /** Offset and length in `data`. */
  readonly offset: number;
  readonly length: number;
}

/** What a connection needs from the endpoint it belongs to. */
export interface TcpEnvironment<Connection> {
  readonly port: GuestPort;
  readonly timeWaitNs: number;
  readonly dataRetries: number;
  /** Largest IPv4 datagram on the own link, and on the path to the peer. */
  readonly mtu: number;
  mtuTo(address: number): number;
  transmit(connection: Connection, segment: OutgoingSegment): void;
  /** The connection is in TIME-WAIT, or there again from the beginning. */
  linger(connection: Connection): void;
  forget(connection: Connection): void;
}
