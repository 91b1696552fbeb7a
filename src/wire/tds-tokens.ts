// The tokens of a TDS response that a SQL gateway sends (MS-TDS section 2.2.7): login acknowledged, environment
// changed (with the routing of a redirected connection, SQLMI-9), error, rows of texts, done. Both directions are here.

import { TDS_7_4, concatenate, decodeUtf16, encodeUtf16, viewOfBytes } from './tds.ts';

/** Types of ENVCHANGE; the values of all but the routing are texts. */
export const ENV_DATABASE = 1;
export const ENV_LANGUAGE = 2;
export const ENV_PACKET_SIZE = 4;
export const ENV_ROUTING = 20;

/** Where a client that is redirected connects next. */
export interface Routing {
  readonly port: number;
  readonly server: string;
}

export type TdsToken =
  | { readonly kind: 'loginAck'; readonly program: string }
  | { readonly kind: 'envChange'; readonly type: number; readonly value: string; readonly old: string }
  | ({ readonly kind: 'routing' } & Routing)
  | ({ readonly kind: 'error' | 'info' } & TdsNotice)
  | { readonly kind: 'columns'; readonly names: readonly string[] }
  | { readonly kind: 'row'; readonly values: readonly string[] }
  | { readonly kind: 'done'; readonly hasError: boolean; readonly rows: number };

export interface TdsNotice {
  readonly number: number;
  readonly state: number;
  /** Severity, 0 to 25; 11 and above are errors. */
  readonly severity: number;
  readonly message: string;
  readonly server: string;
}

const LOGINACK = 0xad;
const ENVCHANGE = 0xe3;
const ERROR = 0xaa;
const INFO = 0xab;
const DONE = 0xfd;
const COLMETADATA = 0x81;
const ROW = 0xd1;
const NVARCHAR = 0xe7;
const TEXT_BYTES_MAX = 8000;
/** SQL_Latin1_General_CP1_CI_AS. */
const COLLATION = [0x09, 0x04, 0xd0, 0x00, 0x34];
const DONE_ERROR = 0x0002;
const DONE_COUNT = 0x0010;
const SELECT_COMMAND = 0x00c1;
/** Version of the server, 16.0. */
const SERVER_VERSION = [0x10, 0x00, 0x00, 0x00];

/** Payload of a response with these tokens. */
export function encodeTokens(tokens: readonly TdsToken[]): Uint8Array {
  return concatenate(tokens.map(encodeToken));
}

/** The tokens of a response; undefined when one is cut short or of a kind that is not here. */
export function decodeTokens(payload: Uint8Array): TdsToken[] | undefined {
  const reader = new Reader(payload);
  const tokens: TdsToken[] = [];
  let columns = 0;
  while (!reader.isAtEnd) {
    const token = decodeToken(reader, columns);
    if (token === undefined || reader.isShort) return undefined;
    if (token.kind === 'columns') columns = token.names.length;
    tokens.push(token);
  }
  return tokens;
}

function encodeToken(token: TdsToken): Uint8Array {
  switch (token.kind) {
    case 'loginAck':
      return sized(LOGINACK, [1], bigEndian(TDS_7_4), shortText(token.program), SERVER_VERSION);
    case 'envChange':
      return sized(ENVCHANGE, [token.type], shortText(token.value), shortText(token.old));
    case 'routing': {
      const value = [0, ...little(token.port, 2), ...longText(token.server)];
      return sized(ENVCHANGE, [ENV_ROUTING], little(value.length, 2), value, [0, 0]);
    }
    case 'error':
    case 'info': {
      const { number, state, severity, message, server } = token;
      const head = [...little(number, 4), state, severity];
      const tail = [longText(message), shortText(server), shortText(''), little(1, 4)];
      return sized(token.kind === 'error' ? ERROR : INFO, head, ...tail);
    }
    case 'columns': {
      const type = [NVARCHAR, ...little(TEXT_BYTES_MAX, 2), ...COLLATION];
      const columns = token.names.flatMap((name) => [0, 0, 0, 0, 1, 0, ...type, ...shortText(name)]);
      return Uint8Array.from([COLMETADATA, ...little(token.names.length, 2), ...columns]);
    }
    case 'row':
      return Uint8Array.from([ROW, ...token.values.flatMap((value) => sizedText(value))]);
    default: {
      const status = (token.hasError ? DONE_ERROR : 0) | (token.rows > 0 ? DONE_COUNT : 0);
      const command = token.rows > 0 ? SELECT_COMMAND : 0;
      return Uint8Array.from([
        DONE,
        ...little(status, 2),
        ...little(command, 2),
        ...little(token.rows, 4),
        ...little(0, 4),
      ]);
    }
  }
}

function decodeToken(reader: Reader, columns: number): TdsToken | undefined {
  switch (reader.number(1)) {
    case LOGINACK: {
      const inner = reader.part(reader.number(2));
      inner.skip(5);
      return { kind: 'loginAck', program: inner.text(inner.number(1)) };
    }
    case ENVCHANGE:
      return decodeEnvChange(reader.part(reader.number(2)));
    case ERROR:
      return { kind: 'error', ...decodeNotice(reader.part(reader.number(2))) };
    case INFO:
      return { kind: 'info', ...decodeNotice(reader.part(reader.number(2))) };
    case COLMETADATA: {
      const names = Array.from({ length: reader.number(2) }, () => {
        reader.skip(6);
        if (reader.number(1) !== NVARCHAR) reader.fail();
        reader.skip(2 + COLLATION.length);
        return reader.text(reader.number(1));
      });
      return { kind: 'columns', names };
    }
    case ROW:
      return { kind: 'row', values: Array.from({ length: columns }, () => reader.text(reader.number(2) / 2)) };
    case DONE: {
      const status = reader.number(2);
      reader.skip(2);
      const rows = reader.number(4);
      reader.skip(4);
      return { kind: 'done', hasError: (status & DONE_ERROR) !== 0, rows };
    }
    default:
      return undefined;
  }
}

function decodeEnvChange(inner: Reader): TdsToken | undefined {
  const type = inner.number(1);
  if (type !== ENV_ROUTING) {
    const value = inner.text(inner.number(1));
    const old = inner.text(inner.number(1));
    return inner.isShort ? undefined : { kind: 'envChange', type, value, old };
  }
  inner.skip(2);
  const protocol = inner.number(1);
  const port = inner.number(2);
  const server = inner.text(inner.number(2));
  return protocol !== 0 || inner.isShort ? undefined : { kind: 'routing', port, server };
}

function decodeNotice(inner: Reader): TdsNotice {
  const number = inner.number(4);
  const state = inner.number(1);
  const severity = inner.number(1);
  const message = inner.text(inner.number(2));
  return { number, state, severity, message, server: inner.text(inner.number(1)) };
}

/** Reads little-endian numbers and texts; after the end everything is 0 and `isShort` says so. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  isShort = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = viewOfBytes(bytes);
  }

  get isAtEnd(): boolean {
    return this.isShort || this.#at >= this.#bytes.length;
  }

  number(bytes: 1 | 2 | 4): number {
    const at = this.#take(bytes);
    if (at < 0) return 0;
    if (bytes === 1) return this.#view.getUint8(at);
    return bytes === 2 ? this.#view.getUint16(at, true) : this.#view.getUint32(at, true);
  }

  /** A text of so many characters. */
  text(length: number): string {
    const at = this.#take(length * 2);
    return at < 0 ? '' : decodeUtf16(this.#bytes.subarray(at, at + length * 2));
  }

  part(bytes: number): Reader {
    const at = this.#take(bytes);
    return new Reader(at < 0 ? new Uint8Array(0) : this.#bytes.subarray(at, at + bytes));
  }

  skip(bytes: number): void {
    this.#take(bytes);
  }

  fail(): void {
    this.isShort = true;
  }

  #take(bytes: number): number {
    const at = this.#at;
    if (this.isShort || at + bytes > this.#bytes.length) {
      this.isShort = true;
      return -1;
    }
    this.#at += bytes;
    return at;
  }
}

/** A token with the length of what follows. */
function sized(token: number, ...parts: readonly (readonly number[])[]): Uint8Array {
  const body = parts.flat();
  return Uint8Array.from([token, ...little(body.length, 2), ...body]);
}

/** Length in characters, one byte, then the text. */
function shortText(text: string): number[] {
  return [text.length, ...encodeUtf16(text)];
}

/** Length in characters, two bytes, then the text. */
function longText(text: string): number[] {
  return [...little(text.length, 2), ...encodeUtf16(text)];
}

/** Length in bytes, two bytes, then the text. */
function sizedText(text: string): number[] {
  const bytes = encodeUtf16(text);
  return [...little(bytes.length, 2), ...bytes];
}

function little(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, index) => (value >>> (8 * index)) & 0xff);
}

function bigEndian(value: number): number[] {
  return little(value, 4).reverse();
}
