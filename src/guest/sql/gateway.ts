// The server side of TDS: a SQL gateway, or the node that a redirected client ends at. It finds the instance by the
// server name of LOGIN7 (SQLMI-18), relays or redirects (SQLMI-8, SQLMI-9), and answers the few queries that tell what
// it sees. A connection that does not begin like TDS belongs to the traffic service.

import {
  ENCRYPT_OFF,
  TDS_7_4,
  TDS_BATCH,
  TDS_LOGIN7,
  TDS_PACKET_BYTES,
  TDS_PRELOGIN,
  TDS_RESPONSE,
  TdsReader,
  decodeBatch,
  decodeLogin7,
  decodePrelogin,
  encodePrelogin,
  encodeTdsMessage,
} from '../../wire/tds.ts';
import type { TdsMessage } from '../../wire/tds.ts';
import { ENV_DATABASE, ENV_LANGUAGE, ENV_PACKET_SIZE, encodeTokens } from '../../wire/tds-tokens.ts';
import type { Routing, TdsToken } from '../../wire/tds-tokens.ts';
import { encodeServerFinish, encodeServerFlight, isClientHello } from '../../wire/tls-names.ts';
import { formatIpv4 } from '../../wire/address.ts';
import type { TcpConnection } from '../tcp/connection.ts';
import type { TcpHandlers } from '../tcp/model.ts';
import { trafficService } from '../traffic-service.ts';
import type { Serve } from '../traffic-service.ts';

/** What a gateway is and does, asked anew for every connection: settings change while it runs. */
export interface GatewayFacts {
  /** First labels of server names that it logs in to, lower case. */
  readonly servers: readonly string[];
  /** Names in its certificate (SQLMI-20). */
  readonly certificateNames: readonly string[];
  /** Where it sends clients of TDS 7.4 and later; undefined: it relays, which clients see as one connection. */
  readonly redirect: Routing | undefined;
  /** State number of error 40532. */
  readonly error40532State: number;
  /** Client address that the instance sees in place of the one of the connection (Q-7b). */
  readonly seenClient?: number | undefined;
}

/** No server of this name behind the gateway (SQLMI-19). */
export const SQL_ERROR_NO_SERVER = 40_532;
const SQL_ERROR_SYNTAX = 102;
const SEVERITY_LOGIN = 20;
const SEVERITY_SYNTAX = 15;
const PROGRAM = 'Microsoft SQL Server';

/** Handlers for an accepted connection, of a gateway with these facts. */
export function sqlGateway(
  factsOf: (connection: TcpConnection) => GatewayFacts,
): (connection: TcpConnection) => TcpHandlers {
  const serve = trafficService();
  return (connection) => new GatewayConnection(connection, factsOf(connection), serve);
}

class GatewayConnection implements TcpHandlers {
  readonly #connection: TcpConnection;
  readonly #facts: GatewayFacts;
  readonly #serve: Serve;
  readonly #reader = new TdsReader();
  #isTds: boolean | undefined = undefined;
  #isLoggedIn = false;

  constructor(connection: TcpConnection, facts: GatewayFacts, serve: Serve) {
    this.#connection = connection;
    this.#facts = facts;
    this.#serve = serve;
  }

  onData(bytes: Uint8Array): void {
    this.#isTds ??= bytes[0] === TDS_PRELOGIN;
    if (!this.#isTds) {
      this.#serve(this.#connection, bytes);
      return;
    }
    for (const message of this.#reader.push(bytes)) this.#receive(message);
    if (this.#reader.isBroken) this.#connection.abort();
  }

  #receive(message: TdsMessage): void {
    const { type, payload } = message;
    if (type === TDS_PRELOGIN && isTlsRecord(payload)) this.#answerTls(payload);
    else if (type === TDS_PRELOGIN) this.#answerPrelogin(payload);
    else if (type === TDS_LOGIN7) this.#answerLogin(payload);
    else if (type === TDS_BATCH && this.#isLoggedIn) this.#answerBatch(payload);
    else this.#connection.abort();
  }

  #answerPrelogin(payload: Uint8Array): void {
    const prelogin = decodePrelogin(payload);
    if (prelogin === undefined) this.#connection.abort();
    else this.#send(TDS_RESPONSE, encodePrelogin(prelogin.encryption ?? ENCRYPT_OFF));
  }

  /** SQLMI-6: the handshake is carried inside PRELOGIN packets. */
  #answerTls(payload: Uint8Array): void {
    const seed = this.#connection.remotePort;
    const answer = isClientHello(payload)
      ? encodeServerFlight(this.#facts.certificateNames, seed)
      : encodeServerFinish(seed);
    this.#send(TDS_PRELOGIN, answer);
  }

  #answerLogin(payload: Uint8Array): void {
    const login = decodeLogin7(payload);
    if (login === undefined) {
      this.#connection.abort();
      return;
    }
    const { serverName } = login;
    const [label = ''] = serverName.toLowerCase().split('.');
    if (!this.#facts.servers.includes(label)) {
      this.#refuse(serverName);
      return;
    }
    this.#isLoggedIn = true;
    const database = login.database === '' ? 'master' : login.database;
    const packetBytes = String(TDS_PACKET_BYTES);
    const { redirect } = this.#facts;
    const isRedirected = redirect !== undefined && login.tdsVersion >= TDS_7_4; // SQLMI-10
    this.#respond([
      { kind: 'envChange', type: ENV_DATABASE, value: database, old: 'master' },
      { kind: 'envChange', type: ENV_LANGUAGE, value: 'us_english', old: '' },
      { kind: 'loginAck', program: PROGRAM },
      { kind: 'envChange', type: ENV_PACKET_SIZE, value: packetBytes, old: packetBytes },
      ...(isRedirected ? [{ kind: 'routing', ...redirect } as const] : []),
      { kind: 'done', hasError: false, rows: 0 },
    ]);
  }

  /** SQLMI-19: TCP and TLS were fine, the login is not. */
  #refuse(serverName: string): void {
    const message = `Cannot open server "${serverName}" requested by the login.  The login failed.`;
    const state = this.#facts.error40532State;
    const notice = { number: SQL_ERROR_NO_SERVER, state, severity: SEVERITY_LOGIN, message, server: '' };
    this.#respond([
      { kind: 'error', ...notice },
      { kind: 'done', hasError: true, rows: 0 },
    ]);
    this.#connection.close();
  }

  #answerBatch(payload: Uint8Array): void {
    const text = decodeBatch(payload) ?? '';
    const column = Object.keys(COLUMNS).find((name) => text.toLowerCase().includes(name));
    if (column === undefined) {
      const message = `Incorrect syntax near '${text.trim().slice(0, 60)}'.`;
      const notice = { number: SQL_ERROR_SYNTAX, state: 1, severity: SEVERITY_SYNTAX, message, server: this.#server };
      this.#respond([
        { kind: 'error', ...notice },
        { kind: 'done', hasError: true, rows: 0 },
      ]);
      return;
    }
    const value = COLUMNS[column]?.(this.#connection, this.#facts) ?? '';
    this.#respond([
      { kind: 'columns', names: [column.replace('@@', '')] },
      { kind: 'row', values: [value] },
      { kind: 'done', hasError: false, rows: 1 },
    ]);
  }

  get #server(): string {
    return this.#facts.servers[0] ?? '';
  }

  #respond(tokens: readonly TdsToken[]): void {
    this.#send(TDS_RESPONSE, encodeTokens(tokens));
  }

  #send(type: number, payload: Uint8Array): void {
    this.#connection.write(encodeTdsMessage({ type, payload }));
  }
}

/** What a query may ask for: columns of sys.dm_exec_connections (PE-33), and the name of the server. */
const COLUMNS: Readonly<Record<string, (connection: TcpConnection, facts: GatewayFacts) => string>> = {
  client_net_address: (connection, facts) => formatIpv4(facts.seenClient ?? connection.remoteAddress),
  client_tcp_port: (connection) => String(connection.remotePort),
  local_net_address: (connection) => formatIpv4(connection.localAddress),
  local_tcp_port: (connection) => String(connection.localPort),
  '@@servername': (_connection, facts) => facts.servers[0] ?? '',
};

function isTlsRecord(payload: Uint8Array): boolean {
  return (payload[0] === 0x16 || payload[0] === 0x14) && payload[1] === 3;
}
