// The small request/response service that every host offers on its listening TCP ports, and its client. A request is at
// least 8 bytes: u32 length of the response, u32 length of the request itself (big endian), then the test pattern; the
// response is so many bytes of the test pattern. Several requests may follow each other on one connection.
// A connection that does not start like that is read and discarded: both lengths are at most 16 MiB, which the first
// bytes of text, TLS or TDS never are. The one exception is a GET of HTTP, which a health probe sends (LB-4): its
// answer is an empty page.
import { isPattern, writePatternInto } from './pattern.ts';
import type { TcpConnection } from './tcp/connection.ts';
import type { TcpEnd, TcpHandlers } from './tcp/model.ts';

/** What a host does with the data of connections that it accepted. */
export type Serve = (connection: TcpConnection, data: Uint8Array) => void;

export interface Exchange {
  /** Bytes, at least REQUEST_HEADER. */
  readonly requestLength: number;
  readonly responseLength: number;
}

/** `mismatch`: the response was not the test pattern; `closed`: the server closed before all of it had come. */
export type ExchangeEnd = 'completed' | 'mismatch' | TcpEnd;

export interface ExchangeResult {
  readonly how: ExchangeEnd;
  readonly established: boolean;
  /** Bytes of the response that arrived. */
  readonly responseBytes: number;
}

export const REQUEST_HEADER = 8;
export const EXCHANGE_BYTES_MAX = 16 * 1024 * 1024;

interface Progress {
  /** Bytes of the header so far; the header itself may come in pieces. */
  readonly header: Uint8Array;
  headerBytes: number;
  /** Bytes of the current request still to come after its header. */
  left: number;
  discarding: boolean;
  /** HTTP: the answer was sent. */
  isAnswered: boolean;
}

const HTTP_GET = 0x47455420;
const HTTP_ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

/** The server side, one for any number of connections. Requests are answered when their last byte has arrived. */
export function trafficService(): Serve {
  const progressOf = new WeakMap<TcpConnection, Progress>();
  return (connection, data) => {
    let progress = progressOf.get(connection);
    if (progress === undefined) {
      progress = {
        header: new Uint8Array(REQUEST_HEADER),
        headerBytes: 0,
        left: 0,
        discarding: false,
        isAnswered: false,
      };
      progressOf.set(connection, progress);
    }
    readRequests(progress, data, (responseLength) => connection.write({ fill: responseLength }));
    if (progress.discarding && !progress.isAnswered && isHttpGet(progress)) {
      progress.isAnswered = true;
      connection.write(new TextEncoder().encode(HTTP_ANSWER));
    }
  };
}

/**
 * The client side of one exchange on a new connection, which `connect` opens with the given handlers: sends the request
 * when it is established, checks the response, closes, and reports once. Throws RangeError on lengths that the service
 * would discard.
 */
export function requestResponse(
  exchange: Exchange,
  connect: (handlers: TcpHandlers) => TcpConnection,
  done: (result: ExchangeResult) => void,
): TcpConnection {
  const request = buildRequest(exchange);
  let responseBytes = 0;
  let established = false;
  let mismatch = false;
  const connection = connect({
    onEstablished() {
      established = true;
      connection.write(request);
      if (exchange.responseLength === 0) connection.close();
    },
    onData(bytes) {
      mismatch ||= !isPattern(bytes, responseBytes) || responseBytes + bytes.length > exchange.responseLength;
      responseBytes += bytes.length;
      if (responseBytes >= exchange.responseLength) connection.close();
    },
    onClosed(how) {
      const complete = how === 'closed' && established && responseBytes === exchange.responseLength;
      done({ how: mismatch ? 'mismatch' : complete ? 'completed' : how, established, responseBytes });
    },
  });
  return connection;
}

/** The bytes of a request. Throws RangeError on lengths that the service would discard. */
export function buildRequest(exchange: Exchange): Uint8Array {
  const { requestLength, responseLength } = exchange;
  if (!isLength(requestLength, REQUEST_HEADER) || !isLength(responseLength, 0)) {
    const limits = `${REQUEST_HEADER} to ${EXCHANGE_BYTES_MAX} and 0 to ${EXCHANGE_BYTES_MAX} bytes`;
    throw new RangeError(`a request of ${requestLength} and a response of ${responseLength} bytes: not ${limits}`);
  }
  const request = new Uint8Array(requestLength);
  writePatternInto(request, 0, 0, requestLength);
  const view = new DataView(request.buffer);
  view.setUint32(0, responseLength);
  view.setUint32(4, requestLength);
  return request;
}

function readRequests(progress: Progress, data: Uint8Array, respond: (responseLength: number) => void): void {
  let at = 0;
  while (at < data.length && !progress.discarding) {
    if (progress.headerBytes < REQUEST_HEADER) {
      const part = data.subarray(at, at + REQUEST_HEADER - progress.headerBytes);
      progress.header.set(part, progress.headerBytes);
      progress.headerBytes += part.length;
      at += part.length;
      if (progress.headerBytes < REQUEST_HEADER) return;
      startRequest(progress);
    } else {
      const length = Math.min(progress.left, data.length - at);
      progress.left -= length;
      at += length;
    }
    if (progress.left > 0 || progress.discarding) continue;
    progress.headerBytes = 0;
    const responseLength = viewOfHeader(progress).getUint32(0);
    if (responseLength > 0) respond(responseLength);
  }
}

function startRequest(progress: Progress): void {
  const view = viewOfHeader(progress);
  const requestLength = view.getUint32(4);
  progress.discarding = !isLength(requestLength, REQUEST_HEADER) || !isLength(view.getUint32(0), 0);
  progress.left = requestLength - REQUEST_HEADER;
}

/** `GET ` stands where the length of the response would. */
function isHttpGet(progress: Progress): boolean {
  return viewOfHeader(progress).getUint32(0) === HTTP_GET;
}

function viewOfHeader(progress: Progress): DataView {
  return new DataView(progress.header.buffer);
}

function isLength(bytes: number, least: number): boolean {
  return Number.isInteger(bytes) && bytes >= least && bytes <= EXCHANGE_BYTES_MAX;
}
