// A SQL client and a gateway as two guests on a wire: relayed, redirected, refused, and what TLS thinks of the names.

import { describe, expect, test } from 'vitest';
import { sqlLogin } from '../../src/guest/sql/client.ts';
import type { SqlLoginOptions, SqlLoginResult } from '../../src/guest/sql/client.ts';
import { sqlGateway } from '../../src/guest/sql/gateway.ts';
import type { GatewayFacts } from '../../src/guest/sql/gateway.ts';
import { requestResponse } from '../../src/guest/traffic-service.ts';
import { SQL, twoHosts } from './two-hosts.ts';

const gateway: GatewayFacts = {
  servers: ['mi1'],
  certificateNames: ['*.zone1.database.windows.net'],
  redirect: undefined,
  error40532State: 1,
};
const redirect = { server: 'mi1-node.zone1.database.windows.net', port: 11_042 };
const encrypted = { encrypt: true, trustServerCertificate: false };

function logIn(serverName: string, facts: Partial<GatewayFacts> = {}, options: Partial<SqlLoginOptions> = {}) {
  const { lab, app } = twoHosts({ sql: { accept: sqlGateway(() => ({ ...gateway, ...facts })) } });
  const results: SqlLoginResult[] = [];
  sqlLogin(
    { serverName, clientName: 'app', ...encrypted, ...options },
    (handlers) => app.connect({ dst: SQL, dstPort: 1433, handlers }),
    (result) => results.push(result),
  );
  lab.run(60e9);
  expect(results).toHaveLength(1);
  return results[0] as SqlLoginResult;
}

const NAME = 'mi1.zone1.database.windows.net';

describe('a login', () => {
  test('by the name of the instance succeeds on one connection (SQLMI-8, SQLMI-18)', () => {
    expect(logIn(NAME)).toMatchObject({ tls: 'ok', isLoggedIn: true, error: undefined, routing: undefined });
  });

  test('asks the server name for its first label only, whatever its case (SQLMI-18)', () => {
    const trust = { trustServerCertificate: true };
    expect(logIn('MI1.privatelink.site', {}, trust)).toMatchObject({ isLoggedIn: true });
    expect(logIn('mi12.zone1.database.windows.net').error?.number).toBe(40_532);
  });

  test('by address is refused with error 40532 and the state of Q-15 (SQLMI-19)', () => {
    const result = logIn('10.0.0.5', { error40532State: 7 }, { trustServerCertificate: true });
    expect(result).toMatchObject({ tls: 'ok', isLoggedIn: false, how: 'closed' });
    expect(result.error).toMatchObject({ number: 40_532, state: 7 });
    expect(result.error?.message).toContain('Cannot open server "10.0.0.5" requested by the login.');
  });

  test('under a name outside the certificate ends before LOGIN7 (SQLMI-20)', () => {
    const result = logIn('mi1.privatelink.site');
    expect(result).toMatchObject({ tls: 'certificateNameMismatch', isLoggedIn: false, error: undefined });
  });

  test('without encryption compares no names (SQLMI-22)', () => {
    expect(logIn('mi1.privatelink.site', {}, { encrypt: false })).toMatchObject({ tls: 'ok', isLoggedIn: true });
  });

  test('is told where to go by a gateway that redirects (SQLMI-9)', () => {
    expect(logIn(NAME, { redirect })).toMatchObject({ isLoggedIn: true, routing: redirect, value: undefined });
  });

  test('of TDS 7.3 is relayed by a gateway that redirects (SQLMI-10)', () => {
    expect(logIn(NAME, { redirect }, { tdsVersion: 0x730b_0003 })).toMatchObject({
      isLoggedIn: true,
      routing: undefined,
    });
  });
});

describe('a query', () => {
  test('tells the address that the instance sees (PE-33, SQLMI-17)', () => {
    expect(logIn(NAME, {}, { query: 'client_net_address' }).value).toBe('10.0.0.4');
    expect(logIn(NAME, { seenClient: 0x0a00_0909 }, { query: 'client_net_address' }).value).toBe('10.0.9.9');
  });

  test('that the gateway does not know is an error', () => {
    const result = logIn(NAME, {}, { query: 'DROP TABLE orders' });
    expect(result).toMatchObject({ isLoggedIn: true, value: undefined, error: { number: 102 } });
  });
});

test('a connection that does not begin like TDS belongs to the traffic service', () => {
  const { lab, app } = twoHosts({ sql: { accept: sqlGateway(() => gateway) } });
  const ends: string[] = [];
  requestResponse(
    { requestLength: 100, responseLength: 5000 },
    (handlers) => app.connect({ dst: SQL, dstPort: 1433, handlers }),
    ({ how }) => ends.push(how),
  );
  lab.run(60e9);
  expect(ends).toEqual(['completed']);
});
