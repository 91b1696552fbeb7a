import { expect, test } from 'vitest';
import { APP_AND_SQLMI, failures, run, THROUGH_APPLIANCE } from './fixtures.ts';
import { reportLines } from '../../src/scenario/report.ts';

test('a connection through a private endpoint is established and seen on both sides', async () => {
  const result = await run(APP_AND_SQLMI, [
    {
      connect: { from: 'app', to: 'pe-sqlmi:1433', data: { request: '200B', response: '4KiB' } },
      expect: {
        result: 'established',
        at: 'sqlmi1',
        bytes: 4096,
        retransmissions: 0,
        seenBy: {
          app: { src: '10.0.0.4', dst: '10.0.2.4', dport: 1433, flags: 'S' },
          sqlmi1: { src: '10.0.0.4', dport: 1433 },
          'pe-sqlmi.consumer': { dst: '10.0.2.4' },
        },
        notSeenBy: 'db',
      },
    },
    { connect: { from: 'app', to: 'sqlmi1.abc.database.windows.net:1433' }, expect: { result: 'established' } },
  ]);
  console.log(reportLines(result).join('\n'));
  expect(failures(result)).toEqual([]);
});

test('traffic through an appliance names it, and an asymmetric return works without state', async () => {
  const result = await run(THROUGH_APPLIANCE, [
    { connect: { from: 'app', to: 'db:80' }, expect: { result: 'established', via: 'nva', at: 'db' } },
  ]);
  console.log(reportLines(result).join('\n'));
  expect(failures(result)).toEqual([]);
});
