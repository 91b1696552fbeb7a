import { describe, expect, test } from 'vitest';
import { deleteEndpoint } from '../../src/control/change/changes.ts';
import { ExpectationError, expectTraffic, InputError, network } from '../../src/index.ts';
import { APP_AND_SQLMI } from './fixtures.ts';

describe('a network under test', () => {
  test('connects, and tells what decided', async () => {
    const net = await network(APP_AND_SQLMI);
    const result = await net.connect({ from: 'app', to: 'pe-sqlmi:1433' });
    expect(result.result).toBe('established');
    expect(result.at).toBe('sqlmi1');
    expect(result.route).toEqual(['10.0.2.4/32', 'Default', 'InterfaceEndpoint']);
    expect(result.seenBy('sqlmi1')).toMatchObject({ src: '10.0.0.4', dport: 1433, flags: 'S' });
    expect(result.seenBy('db')).toBeUndefined();
    result.expect({ result: 'established', seenBy: { sqlmi1: { dport: 1433 } } });
    await net.close();
  });

  test('changes, and lets time pass', async () => {
    const net = await network(APP_AND_SQLMI);
    net.change({ reject: 'pe-sqlmi' });
    net.advance('5m');
    await expectTraffic(net).from('app').to('pe-sqlmi:1433').toBeDropped({ reason: 'PE_NOT_APPROVED' });
    expect(() => net.change({ approve: 'pe-sqlmi' })).toThrow(InputError);
    net.change(deleteEndpoint('pe-sqlmi'));
    await expectTraffic(net).from('app').to('10.0.2.4:1433').toBeDropped({ reason: 'NO_SUCH_DESTINATION' });
    await net.close();
  });

  test('offers the other kinds of traffic', async () => {
    const net = await network(APP_AND_SQLMI, { hosts: { db: { listen: [80] } } });
    await expectTraffic(net).from('app').to('db').toBeEstablished();
    await expectTraffic(net).from('app').to('db:81').toBeReset();
    expect((await net.udp({ from: 'app', to: 'db:80', payload: 'hi', reply: true })).result).toBe('replied');
    expect((await net.packet({ from: 'app', to: 'db', tcp: { dport: 22 } })).by).toBe('nsg-app/DenySsh');
    expect((await net.load({ from: 'app', to: 'db:80', connections: 5 })).counts.established).toBe(5);
    await net.connect({ from: 'app', to: 'db:80', keep: 'web' });
    expect((await net.send({ on: 'web', bytes: 100 })).counts.bytes).toBe(100);
    net.impair('app', { loss: '100%' });
    expect((await net.disconnect('web')).result).toBe('timedOut');
    await net.close();
  });

  test('a failed assertion carries expected, actual and the trace', async () => {
    const net = await network(APP_AND_SQLMI);
    const failed = expectTraffic(net).from('app').to('pe-sqlmi:5022').toBeEstablished();
    const error: unknown = await failed.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ExpectationError);
    expect(error).toMatchObject({ expected: { result: 'established' }, actual: { result: 'dropped' } });
    expect((error as ExpectationError).message).toContain('dropped PE_PORT_NOT_SERVED');
    await net.close();
  });

  test('bad input is told with all its issues', async () => {
    await expect(network({ virtualNetwork: {} })).rejects.toBeInstanceOf(InputError);
    const net = await network(APP_AND_SQLMI);
    await expect(net.connect({ from: 'app', to: 'db:80', retrys: 1 } as never)).rejects.toThrow(
      /retrys.*\n.*did you mean 'retries'/,
    );
    await expect(net.connect({ from: 'nobody', to: 'db:80' })).rejects.toThrow(/'nobody'/);
    const result = await net.ping({ from: 'app', to: 'db' });
    expect(() => result.expect({ established: 1 })).toThrow(InputError);
    expect(() => net.change({ rejct: 'pe-sqlmi' } as never)).toThrow(/rejct/);
  });
});
