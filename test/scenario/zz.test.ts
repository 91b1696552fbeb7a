import { test } from 'vitest';
import { APP_AND_SQLMI, run } from './fixtures.ts';
import { reportLines } from '../../src/scenario/report.ts';
import { mkdtempSync, rmSync } from 'node:fs';
test('perf', async () => {
  const dir = mkdtempSync('/tmp/vn-');
  const steps = [
    { load: { from: ['app', 'db'], to: 'pe-sqlmi:1433', connections: 2000, rate: '500/s', request: '200B', response: '4KiB' },
      expect: { established: 2000, failed: 0 } }];
  for (const capturesDirectory of [undefined, dir]) {
    const r = await run(APP_AND_SQLMI, steps, {}, capturesDirectory ? { capturesDirectory } : {});
    console.log(reportLines(r).join('\n'));
  }
  rmSync(dir, { recursive: true });
}, 60000);
