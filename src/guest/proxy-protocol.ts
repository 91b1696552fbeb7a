// A service that expects a PROXY protocol v2 header at the start of every connection (PLS-15): it takes the header off
// and hands the rest to the handlers behind it. A connection that begins with anything else is reset.

import { decodeProxyHeader } from '../wire/proxy-protocol.ts';
import type { DecodedProxyHeader } from '../wire/proxy-protocol.ts';
import type { TcpConnection } from './tcp/connection.ts';
import type { TcpHandlers } from './tcp/model.ts';

/** What makes the handlers of an accepted connection. */
export type Accept = (connection: TcpConnection) => TcpHandlers;

/** Told of every header that arrived whole. */
export type HeaderListener = (connection: TcpConnection, header: DecodedProxyHeader) => void;

/** `accept` behind a header: its handlers hear of the connection when the header is there. */
export function expectProxyHeader(accept: Accept, onHeader?: HeaderListener): Accept {
  return (connection) => new HeaderReader(connection, accept, onHeader);
}

class HeaderReader implements TcpHandlers {
  readonly #connection: TcpConnection;
  readonly #accept: Accept;
  readonly #onHeader: HeaderListener | undefined;
  #begun = new Uint8Array(0);
  #inner: TcpHandlers | undefined;

  constructor(connection: TcpConnection, accept: Accept, onHeader: HeaderListener | undefined) {
    this.#connection = connection;
    this.#accept = accept;
    this.#onHeader = onHeader;
  }

  onData(bytes: Uint8Array): void {
    if (this.#inner !== undefined) {
      this.#inner.onData?.(bytes);
      return;
    }
    const begun = new Uint8Array(this.#begun.length + bytes.length);
    begun.set(this.#begun);
    begun.set(bytes, this.#begun.length);
    this.#begun = begun;
    const header = decodeProxyHeader(begun);
    if (header === 'invalid') this.#connection.abort();
    if (header === 'invalid' || header === 'incomplete') return;
    this.#begin(header, begun.subarray(header.length));
  }

  onPeerClosed(): void {
    if (this.#inner?.onPeerClosed === undefined) this.#connection.close();
    else this.#inner.onPeerClosed();
  }

  onClosed(how: Parameters<NonNullable<TcpHandlers['onClosed']>>[0]): void {
    this.#inner?.onClosed?.(how);
  }

  onIcmpError(error: Parameters<NonNullable<TcpHandlers['onIcmpError']>>[0]): void {
    this.#inner?.onIcmpError?.(error);
  }

  #begin(header: DecodedProxyHeader, rest: Uint8Array): void {
    this.#onHeader?.(this.#connection, header);
    this.#inner = this.#accept(this.#connection);
    this.#inner.onEstablished?.();
    if (rest.length > 0) this.#inner.onData?.(rest);
  }
}
