// Tabular Data Stream, the protocol of SQL Server (MS-TDS): packets, PRELOGIN, LOGIN7 and SQL batches. What a server
// answers is in tds-tokens.ts. Requests are read as defensively as frames are: every offset is checked, and what does
// not fit is undefined. Texts are UTF-16 little endian; the numbers of PRELOGIN are big endian, all others little.

/** Types of packets (MS-TDS section 2.2.3.1.1), as SQLMI-6 names them. */
export const TDS_BATCH = 0x01;
export const TDS_RESPONSE = 0x04;
export const TDS_LOGIN7 = 0x10;
export const TDS_PRELOGIN = 0x12;

export const TDS_HEADER = 8;
/** Bytes of a packet with its header, unless client and server agree on another size. */
export const TDS_PACKET_BYTES = 4096;
/** Version 7.4: the first that can be redirected (SQLMI-10). */
export const TDS_7_4 = 0x7400_0004;

/** Values of the PRELOGIN option ENCRYPTION. */
export const ENCRYPT_OFF = 0;
export const ENCRYPT_ON = 1;

const STATUS_LAST = 0x01;
const OPTION_VERSION = 0;
const OPTION_ENCRYPTION = 1;
const OPTION_INSTANCE = 2;
const OPTION_THREAD = 3;
const OPTION_MARS = 4;
const OPTIONS_END = 0xff;

/** One message: the payloads of its packets put together. */
export interface TdsMessage {
  readonly type: number;
  readonly payload: Uint8Array;
}

/** One option of a PRELOGIN: its token, and where its value is in the payload, bytes. */
export interface PreloginToken {
  readonly token: number;
  readonly offset: number;
  readonly length: number;
}

export interface Prelogin {
  readonly tokens: readonly PreloginToken[];
  /** Value of the option ENCRYPTION; undefined when it is absent. */
  readonly encryption: number | undefined;
}

export interface Login7 {
  readonly tdsVersion: number;
  /** What the client was told to connect to; a gateway finds the instance by it (SQLMI-18). */
  readonly serverName: string;
  readonly hostName: string;
  readonly userName: string;
  readonly appName: string;
  readonly database: string;
}

/** A message as packets of at most `packetBytes`, header included; the last one says so in its status. */
export function encodeTdsMessage(message: TdsMessage, packetBytes = TDS_PACKET_BYTES): Uint8Array {
  const { type, payload } = message;
  const room = packetBytes - TDS_HEADER;
  const packets = Math.max(1, Math.ceil(payload.length / room));
  const bytes = new Uint8Array(payload.length + packets * TDS_HEADER);
  const view = new DataView(bytes.buffer);
  for (let packet = 0; packet < packets; packet++) {
    const part = payload.subarray(packet * room, (packet + 1) * room);
    const at = packet * packetBytes;
    bytes[at] = type;
    bytes[at + 1] = packet === packets - 1 ? STATUS_LAST : 0;
    view.setUint16(at + 2, part.length + TDS_HEADER);
    bytes[at + 6] = (packet + 1) & 0xff;
    bytes.set(part, at + TDS_HEADER);
  }
  return bytes;
}

/** Puts the messages of one direction of a connection together, however the stream was cut into segments. */
export class TdsReader {
  #bytes = new Uint8Array(0);
  #parts: Uint8Array[] = [];
  /** True once the stream has held something that is no packet; nothing after it is read. */
  isBroken = false;

  /** The messages that are complete with these bytes. */
  push(bytes: Uint8Array): TdsMessage[] {
    const all = new Uint8Array(this.#bytes.length + bytes.length);
    all.set(this.#bytes);
    all.set(bytes, this.#bytes.length);
    const view = new DataView(all.buffer);
    const messages: TdsMessage[] = [];
    let at = 0;
    while (!this.isBroken && all.length - at >= TDS_HEADER) {
      const length = view.getUint16(at + 2);
      if (length < TDS_HEADER) this.isBroken = true;
      if (this.isBroken || all.length - at < length) break;
      this.#parts.push(all.slice(at + TDS_HEADER, at + length));
      if ((all[at + 1] & STATUS_LAST) !== 0) {
        messages.push({ type: all[at], payload: concatenate(this.#parts) });
        this.#parts = [];
      }
      at += length;
    }
    this.#bytes = all.slice(at);
    return messages;
  }
}

/** Payload of a PRELOGIN of either side with the options that Azure's own clients send (SQLMI-7). */
export function encodePrelogin(encryption: number, version = 0x1000_0000): Uint8Array {
  const versionBytes = new Uint8Array(6);
  new DataView(versionBytes.buffer).setUint32(0, version);
  const options: [number, Uint8Array][] = [
    [OPTION_VERSION, versionBytes],
    [OPTION_ENCRYPTION, Uint8Array.of(encryption)],
    [OPTION_INSTANCE, new Uint8Array(1)],
    [OPTION_THREAD, new Uint8Array(4)],
    [OPTION_MARS, new Uint8Array(1)],
  ];
  const table = options.length * 5 + 1;
  const payload = new Uint8Array(options.reduce((sum, [, value]) => sum + value.length, table));
  const view = new DataView(payload.buffer);
  let offset = table;
  for (const [index, [token, value]] of options.entries()) {
    payload[index * 5] = token;
    view.setUint16(index * 5 + 1, offset);
    view.setUint16(index * 5 + 3, value.length);
    payload.set(value, offset);
    offset += value.length;
  }
  payload[table - 1] = OPTIONS_END;
  return payload;
}

/** The options of a PRELOGIN payload (SQLMI-7); undefined when an option lies outside of it or the list has no end. */
export function decodePrelogin(payload: Uint8Array): Prelogin | undefined {
  const view = viewOfBytes(payload);
  const tokens: PreloginToken[] = [];
  for (let at = 0; payload[at] !== OPTIONS_END; at += 5) {
    if (at + 5 > payload.length) return undefined;
    const token = { token: payload[at], offset: view.getUint16(at + 1), length: view.getUint16(at + 3) };
    if (token.offset + token.length > payload.length) return undefined;
    tokens.push(token);
  }
  const found = tokens.find(({ token, length }) => token === OPTION_ENCRYPTION && length > 0);
  return { tokens, encryption: found === undefined ? undefined : payload[found.offset] };
}

const LOGIN_FIXED = 94;
const LOGIN_STRINGS = 36;
const CLIENT_ID_AT = 72;
const CLIENT_VERSION = 7;
/** USE_DB and SET_LANG fatal, as Azure's clients ask for. */
const OPTION_FLAGS_1 = 0xe0;
const OPTION_FLAGS_2 = 0x03;

/** Payload of a LOGIN7 (MS-TDS section 2.2.6.4); the password is written scrambled, as the protocol has it. */
export function encodeLogin7(login: Login7, password = ''): Uint8Array {
  const { hostName, userName, appName, serverName, database } = login;
  const language = '';
  const library = 'vnetem';
  const texts = [hostName, userName, password, appName, serverName, '', library, language, database];
  const encoded = texts.map((text, index) => (index === 2 ? scramble(encodeUtf16(text)) : encodeUtf16(text)));
  const payload = new Uint8Array(encoded.reduce((sum, text) => sum + text.length, LOGIN_FIXED));
  const view = new DataView(payload.buffer);
  view.setUint32(0, payload.length, true);
  view.setUint32(4, login.tdsVersion, true);
  view.setUint32(8, TDS_PACKET_BYTES, true);
  view.setUint32(12, CLIENT_VERSION, true);
  payload[24] = OPTION_FLAGS_1;
  payload[25] = OPTION_FLAGS_2;
  let offset = LOGIN_FIXED;
  for (const [index, text] of encoded.entries()) {
    const at = LOGIN_STRINGS + index * 4;
    view.setUint16(at, offset, true);
    view.setUint16(at + 2, text.length / 2, true);
    payload.set(text, offset);
    offset += text.length;
  }
  // SSPI, attached file and changed password are absent: they begin where everything ends.
  for (const at of [CLIENT_ID_AT + 6, CLIENT_ID_AT + 10, CLIENT_ID_AT + 14]) view.setUint16(at, offset, true);
  return payload;
}

/** What a LOGIN7 payload says; undefined when it is too short or a text lies outside of it. */
export function decodeLogin7(payload: Uint8Array): Login7 | undefined {
  if (payload.length < LOGIN_FIXED) return undefined;
  const view = viewOfBytes(payload);
  const texts: string[] = [];
  for (let index = 0; index < 9; index++) {
    const at = LOGIN_STRINGS + index * 4;
    const offset = view.getUint16(at, true);
    const end = offset + view.getUint16(at + 2, true) * 2;
    if (end > payload.length) return undefined;
    texts.push(decodeUtf16(payload.subarray(offset, end)));
  }
  const [hostName = '', userName = '', , appName = '', serverName = '', , , , database = ''] = texts;
  return { tdsVersion: view.getUint32(4, true), serverName, hostName, userName, appName, database };
}

/** ALL_HEADERS with the transaction descriptor that every batch carries (MS-TDS section 2.2.5.3). */
const BATCH_HEADERS = 22;

/** Payload of a SQL batch. */
export function encodeBatch(text: string): Uint8Array {
  const query = encodeUtf16(text);
  const payload = new Uint8Array(BATCH_HEADERS + query.length);
  const view = new DataView(payload.buffer);
  view.setUint32(0, BATCH_HEADERS, true);
  view.setUint32(4, BATCH_HEADERS - 4, true);
  view.setUint16(8, 2, true);
  view.setUint32(18, 1, true);
  payload.set(query, BATCH_HEADERS);
  return payload;
}

/** The text of a SQL batch; undefined when its headers are longer than it is. */
export function decodeBatch(payload: Uint8Array): string | undefined {
  if (payload.length < 4) return undefined;
  const headers = viewOfBytes(payload).getUint32(0, true);
  return headers > payload.length ? undefined : decodeUtf16(payload.subarray(headers));
}

export function encodeUtf16(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < text.length; index++) view.setUint16(index * 2, text.charCodeAt(index), true);
  return bytes;
}

/** An odd last byte is left out. */
export function decodeUtf16(bytes: Uint8Array): string {
  const view = viewOfBytes(bytes);
  let text = '';
  for (let at = 0; at + 1 < bytes.length; at += 2) text += String.fromCharCode(view.getUint16(at, true));
  return text;
}

/** One array of several. */
export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export function viewOfBytes(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Both halves of every byte exchanged, then xor 0xA5 (MS-TDS section 2.2.6.4). */
function scramble(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => (((byte << 4) | (byte >>> 4)) & 0xff) ^ 0xa5);
}
