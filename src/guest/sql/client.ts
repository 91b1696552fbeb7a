// The client side of TDS on one connection: PRELOGIN, the names of TLS, LOGIN7, then a query when there is one
// (SQLMI-6). A redirection (SQLMI-9) ends the connection and is told to the caller, who resolves the new name and
// logs in again.

import {
  ENCRYPT_OFF,
  ENCRYPT_ON,
  TDS_7_4,
  TDS_BATCH,
  TDS_LOGIN7,
  TDS_PRELOGIN,
  TdsReader,
  decodePrelogin,
  encodeBatch,
  encodeLogin7,
  encodePrelogin,
  encodeTdsMessage,
} from '../../wire/tds.ts';
import type { TdsMessage } from '../../wire/tds.ts';
import { decodeTokens } from '../../wire/tds-tokens.ts';
import type { Routing, TdsNotice, TdsToken } from '../../wire/tds-tokens.ts';
import { certificateCovers, encodeClientFinish, encodeClientHello, serverFlightNames } from '../../wire/tls-names.ts';
import { tryParseIpv4 } from '../../wire/address.ts';
import type { TcpConnection } from '../tcp/connection.ts';
import type { TcpEnd, TcpHandlers } from '../tcp/model.ts';

export interface SqlLoginOptions {
  /** What the user wrote as data source, without a port: server name of LOGIN7 and of TLS. */
  readonly serverName: string;
  readonly encrypt: boolean;
  readonly trustServerCertificate: boolean;
  /** Sent after the login; a word that is no statement asks for that column of sys.dm_exec_connections. */
  readonly query?: string | undefined;
  /** Default TDS_7_4. */
  readonly tdsVersion?: number | undefined;
  readonly clientName: string;
}

export type TlsVerdict = 'ok' | 'certificateNameMismatch';

/** What one connection came to. */
export interface SqlLoginResult {
  readonly isEstablished: boolean;
  /** Undefined when the handshake was not reached. */
  readonly tls: TlsVerdict | undefined;
  /** The server has acknowledged the login. */
  readonly isLoggedIn: boolean;
  readonly error: TdsNotice | undefined;
  readonly routing: Routing | undefined;
  /** First value of the first row of the query. */
  readonly value: string | undefined;
  /** How the connection ended. */
  readonly how: TcpEnd;
}

/** Logs in on a connection that `connect` opens with the given handlers; `done` is called once, when it has ended. */
export function sqlLogin(
  options: SqlLoginOptions,
  connect: (handlers: TcpHandlers) => TcpConnection,
  done: (result: SqlLoginResult) => void,
): TcpConnection {
  const login = new LoginHandlers(options, done);
  const connection = connect(login);
  login.connection = connection;
  return connection;
}

type Phase = 'prelogin' | 'hello' | 'finish' | 'login' | 'query' | 'done';

class LoginHandlers implements TcpHandlers {
  connection: TcpConnection | undefined = undefined;
  readonly #options: SqlLoginOptions;
  readonly #done: (result: SqlLoginResult) => void;
  readonly #reader = new TdsReader();
  #phase: Phase = 'prelogin';
  #isEstablished = false;
  #tls: TlsVerdict | undefined = undefined;
  #isLoggedIn = false;
  #error: TdsNotice | undefined = undefined;
  #routing: Routing | undefined = undefined;
  #value: string | undefined = undefined;

  constructor(options: SqlLoginOptions, done: (result: SqlLoginResult) => void) {
    this.#options = options;
    this.#done = done;
  }

  onEstablished(): void {
    this.#isEstablished = true;
    this.#send(TDS_PRELOGIN, encodePrelogin(this.#options.encrypt ? ENCRYPT_ON : ENCRYPT_OFF));
  }

  onData(bytes: Uint8Array): void {
    for (const message of this.#reader.push(bytes)) this.#receive(message);
    if (this.#reader.isBroken) this.#finish();
  }

  onClosed(how: TcpEnd): void {
    this.#done({
      isEstablished: this.#isEstablished,
      tls: this.#tls,
      isLoggedIn: this.#isLoggedIn,
      error: this.#error,
      routing: this.#routing,
      value: this.#value,
      how,
    });
  }

  #receive({ payload }: TdsMessage): void {
    switch (this.#phase) {
      case 'prelogin':
        this.#startTls(payload);
        return;
      case 'hello':
        this.#judgeCertificate(payload);
        return;
      case 'finish':
        this.#phase = 'login';
        this.#send(TDS_LOGIN7, this.#loginPayload());
        return;
      case 'login':
        this.#takeLogin(decodeTokens(payload) ?? []);
        return;
      case 'query':
        this.#takeQuery(decodeTokens(payload) ?? []);
        return;
      default:
    }
  }

  // Without encryption the login alone is protected, so the handshake takes place either way (MS-TDS section 2.2.6.5).
  #startTls(payload: Uint8Array): void {
    if (decodePrelogin(payload) === undefined) {
      this.#finish();
      return;
    }
    this.#phase = 'hello';
    const { serverName } = this.#options;
    const isAddress = tryParseIpv4(serverName) !== undefined;
    this.#send(TDS_PRELOGIN, encodeClientHello(isAddress ? undefined : serverName, this.#seed));
  }

  /** SQLMI-20: only a client that encrypts and does not trust whatever comes compares the names. */
  #judgeCertificate(payload: Uint8Array): void {
    const { serverName, encrypt, trustServerCertificate } = this.#options;
    const isCovered = certificateCovers(serverFlightNames(payload) ?? [], serverName);
    this.#tls = isCovered || !encrypt || trustServerCertificate ? 'ok' : 'certificateNameMismatch';
    if (this.#tls !== 'ok') {
      this.#finish();
      return;
    }
    this.#phase = 'finish';
    this.#send(TDS_PRELOGIN, encodeClientFinish(this.#seed));
  }

  #loginPayload(): Uint8Array {
    const { serverName, clientName, tdsVersion = TDS_7_4 } = this.#options;
    const names = { serverName, hostName: clientName, userName: 'vnetem', appName: 'vnetem', database: '' };
    return encodeLogin7({ tdsVersion, ...names }, 'vnetem');
  }

  #takeLogin(tokens: readonly TdsToken[]): void {
    for (const token of tokens) {
      if (token.kind === 'loginAck') this.#isLoggedIn = true;
      else if (token.kind === 'error') this.#error = token;
      else if (token.kind === 'routing') this.#routing = { port: token.port, server: token.server };
    }
    const { query } = this.#options;
    if (!this.#isLoggedIn || this.#error !== undefined || this.#routing !== undefined || query === undefined) {
      this.#finish();
      return;
    }
    this.#phase = 'query';
    this.#send(TDS_BATCH, encodeBatch(statementOf(query)));
  }

  #takeQuery(tokens: readonly TdsToken[]): void {
    for (const token of tokens) {
      if (token.kind === 'error') this.#error = token;
      else if (token.kind === 'row') this.#value ??= token.values[0];
    }
    this.#finish();
  }

  #finish(): void {
    this.#phase = 'done';
    this.connection?.close();
  }

  get #seed(): number {
    return this.connection?.localPort ?? 0;
  }

  #send(type: number, payload: Uint8Array): void {
    this.connection?.write(encodeTdsMessage({ type, payload }));
  }
}

function statementOf(query: string): string {
  if (/^@@\w+$/.test(query)) return `SELECT ${query}`;
  return /^\w+$/.test(query) ? `SELECT ${query} FROM sys.dm_exec_connections WHERE session_id = @@SPID` : query;
}
