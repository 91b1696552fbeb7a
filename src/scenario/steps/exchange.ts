// One TCP connection with one exchange of data over it, as steps see it: how far it got and how it ended. The request
// and its response are those of the traffic service that every host offers.

import { parseFrame, PROTOCOL_TCP, TCP_ACK, TCP_SYN } from '../../wire/index.ts';
import { buildRequest, REQUEST_HEADER } from '../../guest/traffic-service.ts';
import { StepProblem } from '../session.ts';
import type { TcpConnection, TcpEnd } from '../../guest/tcp/connection.ts';
import type { Conversation } from '../conversation.ts';
import type { Receiver, Sender } from '../names.ts';
import type { Session } from '../session.ts';
import type { PacketEvent, Simulation } from '../simulation/simulation-api.ts';

export interface ExchangeSpec {
  readonly sender: Sender;
  readonly receiver: Required<Receiver>;
  readonly sourcePort?: number | undefined;
  /** How often the SYN is sent again; default as of the host. */
  readonly retries?: number | undefined;
  /** Bytes; 0: no data. */
  readonly request: number;
  readonly response: number;
  readonly conversation: Conversation;
  /** Label of its flows in the conversation. */
  readonly label?: number;
  /** Told whenever it got further. */
  readonly onProgress?: (exchange: TcpExchange) => void;
}

export class TcpExchange {
  readonly client: TcpConnection;
  readonly spec: ExchangeSpec;
  readonly #simulation: Simulation;
  #server: TcpConnection | undefined;
  #other: { attachment: number; address: number; port: number; localPort: number } | undefined;
  isEstablished = false;
  responseBytes = 0;
  ended: TcpEnd | undefined;

  /** Sends the SYN. Throws StepProblem when the sender cannot open this connection. */
  constructor(session: Session, spec: ExchangeSpec) {
    const { sender, receiver, sourcePort, retries, conversation, label } = spec;
    this.spec = spec;
    this.#simulation = session.simulation;
    const handlers = {
      onEstablished: () => this.#established(),
      onData: (bytes: Uint8Array) => {
        this.responseBytes += bytes.length;
        spec.onProgress?.(this);
      },
      onClosed: (how: TcpEnd) => {
        this.ended = how;
        spec.onProgress?.(this);
      },
    };
    this.client = openOrExplain(() =>
      session.simulation.host(sender.attachment).connect({
        src: sender.address,
        dst: receiver.address,
        dstPort: receiver.port,
        srcPort: sourcePort,
        retries,
        handlers,
      }),
    );
    const { localPort } = this.client;
    conversation.addFlow(
      sender.attachment,
      {
        protocol: PROTOCOL_TCP,
        src: sender.address,
        srcPort: localPort,
        dst: receiver.address,
        dstPort: receiver.port,
      },
      label,
    );
  }

  /** Everything asked for has happened. */
  get isComplete(): boolean {
    const { request, response } = this.spec;
    if (!this.isEstablished || this.responseBytes < response) return false;
    return response > 0 || request === 0 || (this.#server?.stats.bytesReceived ?? 0) >= request;
  }

  /** Nothing more will happen by itself. */
  get isDecided(): boolean {
    return this.ended !== undefined || this.isComplete;
  }

  /** The connection at its receiver; known once this side is established. */
  get server(): TcpConnection | undefined {
    return this.#server;
  }

  get retransmissions(): number {
    return this.client.stats.retransmissions + (this.#server?.stats.retransmissions ?? 0);
  }

  /** Told of every pass of the connection: where its SYN arrives is where its other end will be. */
  notePass(event: PacketEvent): void {
    if (this.isEstablished || event.after === undefined) return;
    const parsed = parseFrame(event.after);
    if (parsed.kind !== 'ipv4' || parsed.tcp === undefined) return;
    const { flags, srcPort, dstPort } = parsed.tcp;
    if ((flags & (TCP_SYN | TCP_ACK)) === TCP_SYN) {
      this.#other = { attachment: event.egress, address: parsed.src, port: srcPort, localPort: dstPort };
    }
  }

  #established(): void {
    this.isEstablished = true;
    this.#server = this.#findServer();
    const { request, response } = this.spec;
    if (request > 0) this.client.write(buildRequest({ requestLength: request, responseLength: response }));
    this.spec.onProgress?.(this);
  }

  #findServer(): TcpConnection | undefined {
    const other = this.#other;
    if (other === undefined) return undefined;
    for (const connection of this.#simulation.host(other.attachment).connections) {
      const { remoteAddress, remotePort, localPort } = connection;
      const isEnd = remotePort === other.port && remoteAddress === other.address && localPort === other.localPort;
      if (isEnd && connection.state !== 'timeWait') return connection;
    }
    return undefined;
  }
}

/** Bytes of the request that is really sent: a response needs a request to ask for it. */
export function requestBytes(request: number, response: number): number {
  return request === 0 && response > 0 ? REQUEST_HEADER : request;
}

// No free port, or a source port in use: the user chose the traffic, so it is told as a problem of the step.
function openOrExplain(open: () => TcpConnection): TcpConnection {
  try {
    return open();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new StepProblem({
      code: 'SCENARIO_VALUE',
      message,
      hint: 'close a connection, or choose another source port',
    });
  }
}
