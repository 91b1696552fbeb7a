// Wireshark's judgement of the golden captures: nothing malformed, no bad checksum, no retransmission that was none, and
// a comment on every packet. Skipped where tshark is not installed, except under CI=true, where that is a failure.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { goldenDirectory, scenarioNames } from '../scripts/golden.mjs';

const hasTshark = spawnSync('tshark', ['--version']).status === 0;
const isSkipped = !hasTshark && process.env.CI !== 'true';
if (isSkipped) console.warn('tshark is not installed: golden captures are not judged');

const BAD_CHECKSUM = ['ip', 'tcp', 'udp', 'icmp'].map((protocol) => `${protocol}.checksum.status == 0`).join(' || ');
const RESENT = ['retransmission', 'fast_retransmission', 'spurious_retransmission']
  .map((kind) => `tcp.analysis.${kind}`)
  .join(' || ');

/** Connections whose packets an appliance drops: by scenario, a display filter. */
const LOST_IN_GUEST: Readonly<Record<string, string>> = { 'inspection-asymmetric-return': 'tcp.port == 41001' };

const captures = scenarioNames().flatMap((name) =>
  readdirSync(goldenDirectory(name))
    .filter((file) => file.endsWith('.pcapng'))
    .map((file) => [name, file] as const),
);

describe.skipIf(isSkipped)('tshark', () => {
  it('is installed', () => {
    expect(hasTshark, 'tshark is not installed').toBe(true);
  });

  it('finds captures of every shipped scenario', () => {
    expect(new Set(captures.map(([name]) => name))).toEqual(new Set(scenarioNames()));
  });

  it.each(captures)('finds nothing wrong in %s/%s, and comments on every packet', (name, file) => {
    const path = join(goldenDirectory(name), file);
    expect(select(path, `_ws.malformed || ${BAD_CHECKSUM}`)).toEqual([]);
    expect(select(path, '!frame.comment || !frame.packet_id')).toEqual([]);
    expect(
      select(path, 'frame.comment matches "^(delivered|dropped|exited|answered|consumed)"').length,
    ).toBeGreaterThan(0);
  });

  it.each(captures)('takes no packet of %s/%s for a retransmission that was none', (name, file) => {
    const path = join(goldenDirectory(name), file);
    const resent = select(path, RESENT, 'tcp.stream', 'frame.packet_id').map((line) => line.split('\t'));
    // A packet that was really sent again is a packet of its own, and belongs to a connection that lost some.
    const ids = select(path, 'frame', 'frame.packet_id');
    expect(resent.filter(([, id]) => ids.filter((other) => other === id).length > 1)).toEqual([]);
    const lossy = new Set(
      select(path, `frame.comment contains "dropped" || ${LOST_IN_GUEST[name] ?? '!frame'}`, 'tcp.stream'),
    );
    expect(resent.filter(([stream]) => !lossy.has(stream as string))).toEqual([]);
  });

  it('would notice a damaged frame', () => {
    const directory = mkdtempSync(join(tmpdir(), 'vnetem-tshark-'));
    try {
      const bytes = readFileSync(join(goldenDirectory('sqlmi-private-endpoint'), 'app.pcapng'));
      const at = bytes.lastIndexOf(Buffer.from([10, 0, 1, 5])); // the endpoint's address in an IPv4 header
      bytes[at] = 11;
      const path = join(directory, 'damaged.pcapng');
      writeFileSync(path, bytes);
      expect(select(path, BAD_CHECKSUM).length).toBeGreaterThan(0);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

/** Fields of every packet that a display filter finds, a line for each packet, separated by tabs. */
function select(path: string, filter: string, ...fields: string[]): string[] {
  const checks = ['ip', 'tcp', 'udp'].flatMap((protocol) => ['-o', `${protocol}.check_checksum:TRUE`]);
  const columns = (fields.length === 0 ? ['frame.number'] : fields).flatMap((field) => ['-e', field]);
  const result = spawnSync('tshark', ['-r', path, ...checks, '-Y', filter, '-T', 'fields', ...columns]);
  expect(result.status, result.stderr.toString()).toBe(0);
  return result.stdout.toString().split('\n').filter(Boolean);
}
