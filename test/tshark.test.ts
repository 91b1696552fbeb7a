// Wireshark's judgement of the golden captures: nothing malformed, no bad checksum, no retransmission that was none, and
// a comment on every packet. Skipped where tshark is not installed, except under CI=true, where that is a failure.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { goldenDirectory, scenarioNames } from '../scripts/golden.mjs';

const hasTshark = spawnSync('tshark', ['--version']).status === 0;
const isSkipped = !hasTshark && process.env.CI !== 'true';
if (isSkipped) console.warn('tshark is not installed: golden captures are not judged');

const CHECKSUMS = ['ip', 'tcp', 'udp', 'icmp'].map((protocol) => `${protocol}.checksum.status`);
const RESENT = ['', 'fast_', 'spurious_'].map((kind) => `tcp.analysis.${kind}retransmission`);
const FIELDS = ['frame.number', 'frame.packet_id', 'tcp.stream', 'tcp.port', 'frame.comment', '_ws.malformed'];

/** The connection whose packets an appliance drops, by scenario: its port. */
const LOST_IN_GUEST: Readonly<Record<string, string>> = { 'inspection-asymmetric-return': '41001' };

const captures = scenarioNames().flatMap((name) =>
  filesIn(goldenDirectory(name))
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

  it.each(captures)('finds nothing wrong in %s/%s', (name, file) => {
    const packets = read(join(goldenDirectory(name), file));
    expect(packets.length).toBeGreaterThan(0);
    expect(packets.filter((packet) => packet['_ws.malformed'] !== '')).toEqual([]);
    expect(packets.filter(hasBadChecksum)).toEqual([]);
    const verdict = /^(delivered|dropped|exited|answered|consumed) /;
    expect(packets.filter((packet) => !verdict.test(packet['frame.comment'] ?? ''))).toEqual([]);
    expect(packets.filter((packet) => !/^\d+$/.test(packet['frame.packet_id'] ?? ''))).toEqual([]);
    expect(falselyResent(packets, LOST_IN_GUEST[name])).toEqual([]);
  });

  it('would notice a damaged frame', () => {
    const directory = mkdtempSync(join(tmpdir(), 'vnetem-tshark-'));
    try {
      const bytes = readFileSync(join(goldenDirectory('sqlmi-private-endpoint'), 'app.pcapng'));
      const at = bytes.lastIndexOf(Buffer.from([10, 0, 1, 5])); // the endpoint's address in an IPv4 header
      bytes[at] = 11;
      const path = join(directory, 'damaged.pcapng');
      writeFileSync(path, bytes);
      expect(read(path).filter(hasBadChecksum)).toHaveLength(1);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

function filesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}

type Packet = Readonly<Record<string, string>>;

/** Every packet of a capture as Wireshark dissects it. */
function read(path: string): Packet[] {
  const checks = ['ip', 'tcp', 'udp'].flatMap((protocol) => ['-o', `${protocol}.check_checksum:TRUE`]);
  const fields = [...FIELDS, ...CHECKSUMS, ...RESENT];
  const columns = fields.flatMap((field) => ['-e', field]);
  const result = spawnSync('tshark', ['-r', path, ...checks, '-T', 'fields', ...columns], {
    maxBuffer: 64 * 1024 * 1024,
  });
  expect(result.status, result.stderr.toString()).toBe(0);
  const lines = result.stdout.toString().split('\n').slice(0, -1);
  return lines.map((line) => {
    const values = line.split('\t');
    return Object.fromEntries(fields.map((field, index) => [field, values[index] ?? '']));
  });
}

/** 0 is bad; with a packet quoted in an ICMP error there are several. */
function hasBadChecksum(packet: Packet): boolean {
  return CHECKSUMS.some((field) => packet[field]?.split(',').includes('0'));
}

/** What Wireshark calls a retransmission but was not sent again: the same packet twice, or nothing had been lost. */
function falselyResent(packets: readonly Packet[], lostInGuest: string | undefined): Packet[] {
  const isLost = (packet: Packet): boolean =>
    (packet['frame.comment'] ?? '').startsWith('dropped ') ||
    (lostInGuest !== undefined && (packet['tcp.port'] ?? '').split(',').includes(lostInGuest));
  const lossy = new Set(packets.filter(isLost).map((packet) => packet['tcp.stream']));
  return packets.filter((packet) => {
    if (RESENT.every((field) => packet[field] === '')) return false;
    const isTwice = packets.filter((other) => other['frame.packet_id'] === packet['frame.packet_id']).length > 1;
    return isTwice || !lossy.has(packet['tcp.stream']);
  });
}
