// The parts of TLS 1.2 that carry names (RFC 5246, RFC 6066): a ClientHello with its server name, and a server's flight
// with a certificate that lists the names it is for. No keys are agreed and nothing is encrypted: what would be secret
// is filler of the right shape, so that captures read like a handshake. The certificate is real DER (RFC 5280), its key
// and signature are filler.

import { concatenate, viewOfBytes } from './tds.ts';

const RECORD_CHANGE_CIPHER = 20;
const RECORD_HANDSHAKE = 22;
const TLS_1_2 = [3, 3];
const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
const CERTIFICATE = 11;
const SERVER_HELLO_DONE = 14;
const CLIENT_KEY_EXCHANGE = 16;
const EXTENSION_SERVER_NAME = 0;
/** TLS_RSA_WITH_AES_128_GCM_SHA256: a suite without a key exchange of its own. */
const CIPHER_SUITE = [0x00, 0x9c];
const RANDOM_BYTES = 32;
const FINISHED_BYTES = 40;

/** A ClientHello record; `serverName` is left out for an address, which SNI cannot carry (RFC 6066 section 3). */
export function encodeClientHello(serverName: string | undefined, seed = 0): Uint8Array {
  const extensions = serverName === undefined ? [] : serverNameExtension(serverName);
  const body = [
    ...TLS_1_2,
    ...filler(RANDOM_BYTES, seed),
    0,
    ...sized(2, CIPHER_SUITE),
    ...sized(1, [0]),
    ...(extensions.length === 0 ? [] : sized(2, extensions)),
  ];
  return record(RECORD_HANDSHAKE, handshake(CLIENT_HELLO, body));
}

/** The server name of a ClientHello; undefined when it has none or is none. */
export function clientHelloServerName(bytes: Uint8Array): string | undefined {
  if (!isClientHello(bytes)) return undefined;
  const view = viewOfBytes(bytes);
  // Record header 5, handshake header 4, version 2, random 32; then session id, cipher suites, compression methods.
  let at = 43;
  at += 1 + (bytes[at] ?? 0);
  if (at + 2 > bytes.length) return undefined;
  at += 2 + view.getUint16(at);
  at += 1 + (bytes[at] ?? 0);
  for (at += 2; at + 4 <= bytes.length; at += 4 + view.getUint16(at + 2)) {
    const end = at + 4 + view.getUint16(at + 2);
    if (view.getUint16(at) !== EXTENSION_SERVER_NAME || end > bytes.length) continue;
    return String.fromCharCode(...bytes.subarray(at + 9, end));
  }
  return undefined;
}

export function isClientHello(bytes: Uint8Array): boolean {
  return bytes.length > 45 && bytes[0] === RECORD_HANDSHAKE && bytes[5] === CLIENT_HELLO;
}

/** ServerHello, Certificate and ServerHelloDone in one record; the first name is also the subject's. */
export function encodeServerFlight(names: readonly string[], seed = 0): Uint8Array {
  const hello = [...TLS_1_2, ...filler(RANDOM_BYTES, seed + 1), 0, ...CIPHER_SUITE, 0];
  const certificate = sized(3, sized(3, encodeCertificate(names)));
  return record(RECORD_HANDSHAKE, [
    ...handshake(SERVER_HELLO, hello),
    ...handshake(CERTIFICATE, certificate),
    ...handshake(SERVER_HELLO_DONE, []),
  ]);
}

/** The DNS names that the certificate of a server's flight lists; undefined when it holds none. */
export function serverFlightNames(bytes: Uint8Array): string[] | undefined {
  const view = viewOfBytes(bytes);
  for (let at = 5; at + 4 <= bytes.length;) {
    const length = (bytes[at + 1] << 16) | view.getUint16(at + 2);
    if (bytes[at] === CERTIFICATE) return certificateNames(bytes.subarray(at + 10, at + 4 + length));
    at += 4 + length;
  }
  return undefined;
}

/** The client's last flight: key exchange, change of cipher, and what stands for Finished. */
export function encodeClientFinish(seed = 0): Uint8Array {
  const exchange = handshake(CLIENT_KEY_EXCHANGE, sized(2, filler(256, seed + 2)));
  return concatenate([record(RECORD_HANDSHAKE, exchange), encodeServerFinish(seed + 3)]);
}

/** The server's last flight. */
export function encodeServerFinish(seed = 0): Uint8Array {
  const finished = filler(FINISHED_BYTES, seed + 4);
  return concatenate([record(RECORD_CHANGE_CIPHER, [1]), record(RECORD_HANDSHAKE, finished)]);
}

/** Whether a name is one that a certificate lists; `*` stands for exactly one label (RFC 6125 section 6.4.3). */
export function certificateCovers(names: readonly string[], host: string): boolean {
  const [label, ...rest] = host.toLowerCase().split('.');
  if (label === undefined || label === '') return false;
  const parent = rest.join('.');
  return names.some((name) => {
    const known = name.toLowerCase();
    return known === host.toLowerCase() || (known.startsWith('*.') && rest.length > 1 && known.slice(2) === parent);
  });
}

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const NULL = 0x05;
const OBJECT_ID = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const OID_COMMON_NAME = [0x55, 0x04, 0x03];
const OID_ALTERNATIVE_NAME = [0x55, 0x1d, 0x11];
const OID_RSA = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const OID_SHA256_RSA = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
/** dNSName of GeneralName. */
const DNS_NAME = 0x82;
const ISSUER = 'vnetem certificate authority';

/** A version 3 certificate with these DNS names (RFC 5280 sections 4.1 and 4.2.1.6). */
export function encodeCertificate(names: readonly string[]): number[] {
  const algorithm = der(SEQUENCE, der(OBJECT_ID, OID_SHA256_RSA), der(NULL));
  const rsa = der(SEQUENCE, der(OBJECT_ID, OID_RSA), der(NULL));
  const modulus = der(INTEGER, [0, 0x80 | 1, ...filler(255, 5)]);
  const key = der(BIT_STRING, [0], der(SEQUENCE, modulus, der(INTEGER, [1, 0, 1])));
  const alternatives = der(SEQUENCE, ...names.map((name) => der(DNS_NAME, ascii(name))));
  const extension = der(SEQUENCE, der(OBJECT_ID, OID_ALTERNATIVE_NAME), der(OCTET_STRING, alternatives));
  const validity = der(SEQUENCE, der(UTC_TIME, ascii('260101000000Z')), der(UTC_TIME, ascii('360101000000Z')));
  const toSign = der(
    SEQUENCE,
    der(0xa0, der(INTEGER, [2])),
    der(INTEGER, [1]),
    algorithm,
    distinguishedName(ISSUER),
    validity,
    distinguishedName(names[0] ?? ''),
    der(SEQUENCE, rsa, key),
    der(0xa3, der(SEQUENCE, extension)),
  );
  return der(SEQUENCE, toSign, algorithm, der(BIT_STRING, [0], filler(256, 6)));
}

/** The DNS names of a certificate, found by the id of their extension; undefined when it has none. */
export function certificateNames(certificate: Uint8Array): string[] | undefined {
  const id = [OBJECT_ID, OID_ALTERNATIVE_NAME.length, ...OID_ALTERNATIVE_NAME];
  const start = certificate.findIndex((_, at) => id.every((byte, index) => certificate[at + index] === byte));
  if (start < 0) return undefined;
  const octets = readDer(certificate, start + id.length);
  const list = octets && readDer(certificate, octets.start);
  if (list === undefined) return undefined;
  const names: string[] = [];
  for (let at = list.start; at < list.end;) {
    const name = readDer(certificate, at);
    if (name === undefined) return undefined;
    if (certificate[at] === DNS_NAME) names.push(String.fromCharCode(...certificate.subarray(name.start, name.end)));
    at = name.end;
  }
  return names;
}

function distinguishedName(text: string): number[] {
  return der(SEQUENCE, der(SET, der(SEQUENCE, der(OBJECT_ID, OID_COMMON_NAME), der(UTF8_STRING, ascii(text)))));
}

function der(tag: number, ...parts: readonly (readonly number[])[]): number[] {
  const body = parts.flat();
  const { length } = body;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >>> 8, length & 0xff];
  return [tag, ...size, ...body];
}

/** Where the contents of the element at `at` begin and end. */
function readDer(bytes: Uint8Array, at: number): { readonly start: number; readonly end: number } | undefined {
  const first = bytes[at + 1];
  if (first === undefined) return undefined;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  let length = lengthBytes === 0 ? first : 0;
  for (let index = 0; index < lengthBytes; index++) length = length * 256 + (bytes[at + 2 + index] ?? 0);
  const start = at + 2 + lengthBytes;
  return start + length > bytes.length ? undefined : { start, end: start + length };
}

function serverNameExtension(name: string): number[] {
  const list = sized(2, [0, ...sized(2, ascii(name))]);
  return [0, EXTENSION_SERVER_NAME, ...sized(2, list)];
}

function record(type: number, body: readonly number[]): Uint8Array {
  return Uint8Array.from([type, ...TLS_1_2, ...sized(2, body)]);
}

function handshake(type: number, body: readonly number[]): number[] {
  return [type, ...sized(3, body)];
}

/** A length of so many bytes, big endian, then the bytes. */
function sized(lengthBytes: 1 | 2 | 3, body: readonly number[]): number[] {
  const size = Array.from(
    { length: lengthBytes },
    (_, index) => (body.length >>> (8 * (lengthBytes - 1 - index))) & 0xff,
  );
  return [...size, ...body];
}

function ascii(text: string): number[] {
  return Array.from(text, (letter) => (letter.codePointAt(0) ?? 0) & 0x7f);
}

/** Bytes that look like chance and are the same in every run. */
function filler(length: number, seed: number): number[] {
  let state = (seed + 1) * 0x9e37_79b9;
  return Array.from({ length }, () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b_3c6d) + 0x1234_5677) | 0;
    return (state >>> 16) & 0xff;
  });
}
