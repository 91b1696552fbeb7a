// The request/response service: what it answers, and what it takes for something else and discards.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPattern } from '../../src/guest/pattern.ts';
import type { TcpConnection } from '../../src/guest/tcp/connection.ts';
import { buildRequest, requestResponse, trafficService, type ExchangeResult } from '../../src/guest/traffic-service.ts';
import { SQL, twoHosts } from './two-hosts.ts';

const SEED = 20_260_102;

describe('the server', () => {
  test('answers every request of a connection, however the bytes are cut', () => {
    const lengths = fc.record({ requestLength: fc.integer({ min: 8, max: 60 }), responseLength: fc.nat(5000) });
    const property = fc.property(
      fc.array(lengths, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 30 })),
      (exchanges, cuts) => {
        const stream = Buffer.concat(exchanges.map((exchange) => buildRequest(exchange)));
        expect(answers(pieces(stream, cuts))).toEqual(
          exchanges.map((exchange) => exchange.responseLength).filter((n) => n > 0),
        );
      },
    );
    fc.assert(property, { seed: SEED, numRuns: 200 });
  });

  test('waits for the last byte of a request', () => {
    const request = buildRequest({ requestLength: 100, responseLength: 5 });
    expect(answers([request.subarray(0, 99)])).toEqual([]);
    expect(answers([request])).toEqual([5]);
  });

  const others: Record<string, Uint8Array> = {
    'an HTTP request that is no GET': Buffer.from('POST / HTTP/1.1\r\nHost: sql\r\n\r\n'),
    'a TLS client hello': Buffer.from('16030100c8010000c40303', 'hex'),
    'a TDS pre-login': Buffer.from('1201002f0000010000001a', 'hex'),
    'a request length below its own header': Buffer.from('0000000500000007', 'hex'),
  };
  test('answers a GET of HTTP with one empty page, as a health probe wants it (LB-4)', () => {
    const written: unknown[] = [];
    const connection = { write: (data: unknown) => written.push(data) } as unknown as TcpConnection;
    const serve = trafficService();
    for (const line of ['GE', 'T /health HTTP/1.1\r\n', 'Host: 10.0.0.4\r\n\r\n']) serve(connection, Buffer.from(line));
    expect(written.map((data) => Buffer.from(data as Uint8Array).toString())).toEqual([
      'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    ]);
  });

  for (const [name, bytes] of Object.entries(others)) {
    test(`discards ${name}, and everything after it`, () => {
      expect(answers([bytes, buildRequest({ requestLength: 8, responseLength: 5 })])).toEqual([]);
    });
  }
});

describe('the client', () => {
  test('refuses lengths that the server would discard', () => {
    expect(() => buildRequest({ requestLength: 7, responseLength: 0 })).toThrow(RangeError);
    expect(() => buildRequest({ requestLength: 8, responseLength: 2 ** 24 + 1 })).toThrow(RangeError);
    expect(() => buildRequest({ requestLength: 8.5, responseLength: 0 })).toThrow(RangeError);
  });

  test('says that the response was wrong', () => {
    expect(exchangeWith((connection) => connection.write(new Uint8Array(100).fill(1)))).toMatchObject({
      how: 'mismatch',
    });
  });

  test('says that the server sent too much', () => {
    expect(exchangeWith((connection) => connection.write({ fill: 101 }))).toMatchObject({ how: 'mismatch' });
  });

  test('says that the server closed before the end', () => {
    const result = exchangeWith((connection) => {
      connection.write({ fill: 40 });
      connection.close();
    });
    expect(result).toEqual({ how: 'closed', established: true, responseBytes: 40 });
  });

  test('says that the server reset the connection', () => {
    expect(exchangeWith((connection) => connection.abort())).toMatchObject({ how: 'reset', established: true });
  });

  test('an empty response is complete', () => {
    const { lab, app } = twoHosts();
    const results: ExchangeResult[] = [];
    const connect = (handlers: TcpConnection['handlers']): TcpConnection =>
      app.connect({ dst: SQL, dstPort: 1, handlers });
    requestResponse({ requestLength: 50, responseLength: 0 }, connect, (result) => results.push(result));
    lab.run();
    expect(results).toEqual([{ how: 'completed', established: true, responseBytes: 0 }]);
  });
});

test('a pattern notices one byte that is missing', () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, index) => index % 251);
  expect(isPattern(bytes, 0)).toBe(true);
  expect(isPattern(bytes.subarray(500), 500)).toBe(true);
  expect(isPattern(bytes.subarray(500), 499)).toBe(false);
});

/** Lengths of the responses that the service writes for these pieces of data. */
function answers(data: readonly Uint8Array[]): number[] {
  const written: number[] = [];
  const connection = { write: ({ fill }: { fill: number }) => written.push(fill) } as unknown as TcpConnection;
  const serve = trafficService();
  for (const piece of data) serve(connection, piece);
  return written;
}

function pieces(stream: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const result: Uint8Array[] = [];
  let at = 0;
  for (const cut of cuts) {
    result.push(stream.subarray(at, at + cut));
    at += cut;
  }
  return [...result, stream.subarray(at)].filter((piece) => piece.length > 0);
}

/** An exchange of 8 for 100 bytes with a server of one's own. */
function exchangeWith(serve: (connection: TcpConnection) => void): ExchangeResult | undefined {
  const { lab, app } = twoHosts({ sql: { serve } });
  const results: ExchangeResult[] = [];
  const connect = (handlers: TcpConnection['handlers']): TcpConnection =>
    app.connect({ dst: SQL, dstPort: 1, handlers });
  requestResponse({ requestLength: 8, responseLength: 100 }, connect, (result) => results.push(result));
  lab.run();
  expect(results).toHaveLength(1);
  return results[0];
}
