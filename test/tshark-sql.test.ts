// Wireshark's judgement of SQL logins: what it dissects in PRELOGIN, TLS, LOGIN7 and responses is what was meant, and
// nothing is malformed. Skipped where tshark is not installed, except under CI=true, where that is a failure.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { LiveNetwork, networkOfShort } from '../src/conformance/live.ts';
import { behaviourOf } from '../src/control/model/profile.ts';

const hasTshark = spawnSync('tshark', ['--version']).status === 0;
const isSkipped = !hasTshark && process.env.CI !== 'true';

const NAME = 'mi1.zone1.database.windows.net';
const FIELDS = [
  'tcp.dstport',
  'tds.type',
  'tds.prelogin.option.token',
  'tds.prelogin.option.encryption',
  'tls.handshake.type',
  'tls.handshake.extensions_server_name',
  'x509ce.dNSName',
  'tds.7login.servername',
  'tds.envchange.type',
  'tds.error.number',
  '_ws.malformed',
];

describe.skipIf(isSkipped)('a SQL login as Wireshark dissects it', () => {
  let rows: Readonly<Record<string, string>>[] = [];
  beforeAll(() => {
    rows = dissect(loginFrames(NAME, 'client_net_address'));
  });

  it('begins with PRELOGIN and its five options (SQLMI-6, SQLMI-7)', () => {
    const [question, answer] = rows.filter((row) => row['tds.prelogin.option.token'] !== '');
    expect(question).toMatchObject({ 'tds.type': '18', 'tds.prelogin.option.encryption': '1' });
    expect(question?.['tds.prelogin.option.token']).toBe('0,1,2,3,4,255');
    expect(answer).toMatchObject({ 'tds.type': '4', 'tds.prelogin.option.encryption': '1' });
  });

  it('asks by SNI for the server, and gets the names of the certificate (SQLMI-20)', () => {
    expect(column('tls.handshake.extensions_server_name')).toEqual([NAME, 'mi1-node.zone1.database.windows.net']);
    const names = '*.zone1.database.windows.net,*.public.zone1.database.windows.net';
    expect(column('x509ce.dNSName')).toEqual([names, names]);
  });

  it('logs in to the server by name, then to the node that ENVCHANGE 20 named (SQLMI-9, SQLMI-18)', () => {
    const logins = rows.filter((row) => row['tds.7login.servername'] !== '');
    expect(logins.map((row) => row['tds.7login.servername'])).toEqual([NAME, 'mi1-node.zone1.database.windows.net']);
    expect(logins[0]?.['tcp.dstport']).toBe('1433');
    expect(Number(logins[1]?.['tcp.dstport'])).toBeGreaterThanOrEqual(11_000);
    expect(column('tds.envchange.type')).toEqual(['1,2,4,20', '1,2,4']);
  });

  it('is malformed nowhere', () => {
    expect(rows.filter((row) => row['_ws.malformed'] !== '')).toEqual([]);
  });

  it('by address ends in error 40532 (SQLMI-19)', () => {
    const refused = dissect(loginFrames('10.9.0.4'));
    expect(refused.map((row) => row['tds.error.number']).filter((number) => number !== '')).toEqual(['40532']);
    expect(refused.filter((row) => row['_ws.malformed'] !== '')).toEqual([]);
  });

  function column(field: string): string[] {
    return rows.map((row) => row[field] ?? '').filter((value) => value !== '');
  }
});

/** All frames that the client sends and gets while it logs in. */
function loginFrames(to: string, query?: string): Uint8Array[] {
  const behaviour = behaviourOf();
  const instance = { addressPrefix: '10.9.0.0/24', delegation: 'Microsoft.Sql/managedInstances' };
  const subnets = {
    instance: { ...instance, networkSecurityGroup: 'nsg', routeTable: 'rt' },
    clients: { addressPrefix: '10.9.1.0/24' },
  };
  const topology = {
    virtualNetworks: { data: { addressSpace: '10.9.0.0/16', subnets } },
    networkSecurityGroups: { nsg: {} },
    routeTables: { rt: {} },
    networkInterfaces: { app: { subnet: 'data/clients' } },
    services: { mi1: { type: 'Microsoft.Sql/managedInstances', subnet: 'data/instance', dnsZone: 'zone1' } },
  };
  const live = new LiveNetwork(networkOfShort(topology, behaviour), behaviour);
  const { simulation } = live.session;
  const app = simulation.attachment('app');
  const frames: Uint8Array[] = [];
  simulation.observe((event) => {
    if (event.ingress === app) frames.push(event.before.slice());
    else if (event.egress === app && event.after !== undefined) frames.push(event.after.slice());
  });
  live.step('sql', { from: 'app', to, trustServerCertificate: true, ...(query !== undefined && { query }) });
  return frames;
}

function dissect(frames: readonly Uint8Array[]): Readonly<Record<string, string>>[] {
  const directory = mkdtempSync(join(tmpdir(), 'vnetem-sql-'));
  try {
    const path = join(directory, 'sql.pcap');
    writeFileSync(path, pcap(frames));
    const columns = FIELDS.flatMap((field) => ['-e', field]);
    const ports = ['-d', 'tcp.port==11000-11999,tds'];
    const result = spawnSync('tshark', ['-r', path, ...ports, '-T', 'fields', ...columns]);
    expect(result.status, result.stderr.toString()).toBe(0);
    const lines = result.stdout.toString().split('\n').slice(0, -1);
    return lines.map((line) => {
      const values = line.split('\t');
      return Object.fromEntries(FIELDS.map((field, index) => [field, values[index] ?? '']));
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** A classic capture file, Ethernet, one millisecond between frames. */
function pcap(frames: readonly Uint8Array[]): Buffer {
  const header = Buffer.from('d4c3b2a1020004000000000000000000ffff000001000000', 'hex');
  const records = frames.map((frame, index) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(index * 1000, 4);
    record.writeUInt32LE(frame.length, 8);
    record.writeUInt32LE(frame.length, 12);
    return Buffer.concat([record, frame]);
  });
  return Buffer.concat([header, ...records]);
}
