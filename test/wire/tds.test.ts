// The bytes of TDS and of the names in TLS: both directions, every way to cut them, and everything that is cut short.

import { describe, expect, test } from 'vitest';
import {
  TDS_7_4,
  TDS_LOGIN7,
  TdsReader,
  decodeBatch,
  decodeLogin7,
  decodePrelogin,
  encodeBatch,
  encodeLogin7,
  encodePrelogin,
  encodeTdsMessage,
} from '../../src/wire/tds.ts';
import type { TdsMessage } from '../../src/wire/tds.ts';
import { decodeTokens, encodeTokens } from '../../src/wire/tds-tokens.ts';
import type { TdsToken } from '../../src/wire/tds-tokens.ts';
import {
  certificateCovers,
  clientHelloServerName,
  encodeClientHello,
  encodeServerFlight,
  serverFlightNames,
} from '../../src/wire/tls-names.ts';

const login = {
  tdsVersion: TDS_7_4,
  serverName: 'mi1.zone1.database.windows.net',
  hostName: 'app',
  userName: 'sa',
  appName: 'vnetem',
  database: 'orders',
};

const tokens: readonly TdsToken[] = [
  { kind: 'envChange', type: 1, value: 'orders', old: 'master' },
  { kind: 'loginAck', program: 'Microsoft SQL Server' },
  { kind: 'routing', port: 11_042, server: 'mi1-node.zone1.database.windows.net' },
  { kind: 'info', number: 5701, state: 2, severity: 0, message: 'Changed database.', server: 'mi1' },
  { kind: 'error', number: 40_532, state: 1, severity: 20, message: 'Cannot open server.', server: '' },
  { kind: 'columns', names: ['client_net_address', 'port'] },
  { kind: 'row', values: ['10.0.0.4', '50000'] },
  { kind: 'done', hasError: false, rows: 1 },
];

describe('TDS', () => {
  test('the published PRELOGIN has its five options and asks for encryption (SQLMI-7)', () => {
    const bytes = Buffer.from('AAAaAAYBACAAAQIAIQABAwAiAAQEACYAAf8JAAAAAAABALgNAAAB', 'base64');
    const read = decodePrelogin(bytes);
    expect(read?.tokens.map(({ token, offset, length }) => [token, offset, length])).toEqual([
      [0, 26, 6],
      [1, 32, 1],
      [2, 33, 1],
      [3, 34, 4],
      [4, 38, 1],
    ]);
    expect(read?.encryption).toBe(1);
    expect(decodePrelogin(encodePrelogin(1))?.tokens).toEqual(read?.tokens);
  });

  test('a PRELOGIN that is cut short is none (SQLMI-7)', () => {
    const whole = encodePrelogin(0);
    for (let length = 0; length < whole.length; length++) {
      expect(decodePrelogin(whole.subarray(0, length)), `${length} bytes`).toBeUndefined();
    }
  });

  test('LOGIN7 brings its texts across; its password is not readable (SQLMI-6)', () => {
    const payload = encodeLogin7(login, 'secret');
    expect(decodeLogin7(payload)).toEqual(login);
    expect(Buffer.from(payload).toString('utf16le')).not.toContain('secret');
  });

  test('a LOGIN7 that is cut short is none', () => {
    const payload = encodeLogin7(login);
    for (let length = 0; length < payload.length; length++) {
      expect(decodeLogin7(payload.subarray(0, length)), `${length} bytes`).toBeUndefined();
    }
  });

  test('a batch brings its text across', () => {
    expect(decodeBatch(encodeBatch('SELECT 1'))).toBe('SELECT 1');
    expect(decodeBatch(Uint8Array.of(1, 0))).toBeUndefined();
  });

  test.each([1, 7, 8, 9, 513, 5000])('messages in packets survive a stream cut every %i bytes', (cut) => {
    const messages: TdsMessage[] = [0, 1, 504, 505, 5000].map((length) => ({
      type: TDS_LOGIN7,
      payload: new Uint8Array(length).map((_, index) => index),
    }));
    const stream = Buffer.concat(messages.map((message) => encodeTdsMessage(message, 512)));
    const reader = new TdsReader();
    const read: TdsMessage[] = [];
    for (let at = 0; at < stream.length; at += cut) read.push(...reader.push(stream.subarray(at, at + cut)));
    expect(read).toEqual(messages);
    expect(reader.isBroken).toBe(false);
  });

  test('a packet that is shorter than its own header ends the reading', () => {
    const reader = new TdsReader();
    expect(reader.push(Uint8Array.of(0x12, 1, 0, 7, 0, 0, 1, 0))).toEqual([]);
    expect(reader.isBroken).toBe(true);
  });

  test('the tokens of a response survive, the routing of SQLMI-9 among them', () => {
    expect(decodeTokens(encodeTokens(tokens))).toEqual(tokens);
  });

  test('a response that is cut inside a token is none', () => {
    const ends = new Set(tokens.map((_, index) => encodeTokens(tokens.slice(0, index)).length));
    const whole = encodeTokens(tokens);
    const cuts = Array.from(whole.keys()).filter((length) => !ends.has(length));
    expect(cuts.filter((length) => decodeTokens(whole.subarray(0, length)) !== undefined)).toEqual([]);
  });
});

describe('names in TLS', () => {
  test('a ClientHello carries the server name, and none for an address', () => {
    expect(clientHelloServerName(encodeClientHello('mi1.zone1.database.windows.net'))).toBe(login.serverName);
    expect(clientHelloServerName(encodeClientHello(undefined))).toBeUndefined();
    expect(clientHelloServerName(encodeServerFlight(['a.b']))).toBeUndefined();
  });

  test('the certificate of a server tells the names it is for (SQLMI-20)', () => {
    const names = ['*.zone1.database.windows.net', '*.public.zone1.database.windows.net'];
    expect(serverFlightNames(encodeServerFlight(names))).toEqual(names);
    expect(serverFlightNames(encodeClientHello('a.b'))).toBeUndefined();
  });

  test.each([
    ['mi1.zone1.database.windows.net', true],
    ['MI1.ZONE1.database.windows.net', true],
    ['mi1.public.zone1.database.windows.net', false],
    ['zone1.database.windows.net', false],
    ['mi1.privatelink.site', false],
    ['10.0.1.5', false],
  ])('*.zone1.database.windows.net covers %s: %s (SQLMI-20)', (host, isCovered) => {
    expect(certificateCovers(['*.zone1.database.windows.net'], host)).toBe(isCovered);
  });
});
