import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readCapture } from '../../src/control/capture/capture-reader.ts';
import { buildFrame, formatIpv4, parseFrame, parseIpv4, parseMac, UDP_HEADER } from '../../src/wire/index.ts';
import { mapFrame } from '../../src/scenario/steps/replay.ts';
import { APP_AND_SQLMI, failures, run } from './fixtures.ts';

const hasTshark = spawnSync('tshark', ['--version']).status === 0;

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vnetem-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const STEPS = [
  { connect: { from: 'app', to: 'pe-sqlmi:1433', data: { request: '200B', response: '20KiB' } } },
  { connect: { from: 'app', to: 'db:22' } },
  { ping: { from: 'app', to: 'db' } },
];

async function captured(directory: string, settings: object = {}): Promise<Map<string, Buffer>> {
  const result = await run(APP_AND_SQLMI, STEPS, settings, { capturesDirectory: directory });
  expect(failures(result)).toEqual([]);
  expect(result.captures.map((capture) => capture.file)).toEqual(
    readdirSync(directory)
      .toSorted()
      .map((name) => join(directory, name)),
  );
  return new Map(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name))]));
}

test('every point that saw traffic gets a file, with the verdict on each packet', async () => {
  const files = await captured(folder);
  expect([...files.keys()].toSorted()).toEqual([
    'app.pcapng',
    'db.pcapng',
    'pe-sqlmi.consumer.pcapng',
    'pe-sqlmi.provider.pcapng',
  ]);
  const { frames } = readCapture(files.get('app.pcapng')!, 'app.pcapng');
  const verdicts = frames.map((frame) => frame.comments[0] ?? '');
  expect(verdicts).toContain('delivered to sqlmi1 through pe-sqlmi');
  expect(verdicts.some((verdict) => verdict.startsWith('dropped NSG_DENY nsg-app/DenySsh'))).toBe(true);
});

test('the same seed gives the same bytes, and the chosen points only', async () => {
  const settings = {
    captures: { points: ['app', 'pe-sqlmi.provider'] },
    links: { app: { jitter: '20us', loss: '5%' } },
  };
  const first = await captured(join(folder, 'a'), settings);
  const second = await captured(join(folder, 'b'), settings);
  expect([...first.keys()].toSorted()).toEqual(['app.pcapng', 'pe-sqlmi.provider.pcapng']);
  for (const [name, bytes] of first) expect(bytes.equals(second.get(name)!), name).toBe(true);
  const other = await captured(join(folder, 'c'), { ...settings, seed: 9 });
  expect(other.get('app.pcapng')!.equals(first.get('app.pcapng')!)).toBe(false);
});

test('a scenario without captures writes nothing', async () => {
  const result = await run(APP_AND_SQLMI, STEPS, { captures: false }, { capturesDirectory: folder });
  expect([result.captures, readdirSync(folder)]).toEqual([[], []]);
});

test.skipIf(!hasTshark && process.env['CI'] !== 'true')(
  'tshark finds nothing wrong, and sees no retransmission',
  async () => {
    for (const name of (await captured(folder)).keys()) {
      const checks = ['ip.check_checksum:TRUE', 'tcp.check_checksum:TRUE', 'udp.check_checksum:TRUE'].flatMap(
        (option) => ['-o', option],
      );
      const filter =
        '_ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0 || tcp.analysis.retransmission';
      const found = execFileSync('tshark', ['-r', join(folder, name), ...checks, '-Y', filter], { encoding: 'utf8' });
      expect(found, name).toBe('');
    }
  },
);

test('frames of a capture can be sent again, with their addresses mapped', async () => {
  await captured(folder);
  const file = join(folder, 'app.pcapng');
  const steps = [
    {
      replay: { file, from: 'db', map: { '10.0.0.4': '10.0.1.4', '10.0.1.4': '10.0.0.4' } },
      expect: { delivered: '> 10', seenBy: { sqlmi1: { src: '10.0.1.4', dport: 1433 } } },
    },
    { replay: { file, from: 'app', speed: 10 }, expect: { dropped: '> 0', packets: '> 20' } },
  ];
  expect(failures(await run(APP_AND_SQLMI, steps))).toEqual([]);
});

test('mapping corrects checksums, and leaves a missing UDP checksum and unknown frames alone', () => {
  const mac = parseMac('00:0d:3a:00:00:01');
  const map = new Map([[parseIpv4('10.0.0.4'), parseIpv4('192.168.7.9')]]);
  const spec = { src: parseIpv4('10.0.0.4'), dst: parseIpv4('10.0.1.4'), payload: new Uint8Array(33).fill(7) };
  const tcp = buildFrame({ ...spec, tcp: { srcPort: 1, dstPort: 2, flags: 16 } });
  const udp = buildFrame({ ...spec, udp: { srcPort: 1, dstPort: 2 } });
  for (const frame of [tcp, udp]) {
    const mapped = parseFrame(mapFrame(frame, mac, map));
    expect(mapped.kind === 'ipv4' && [formatIpv4(mapped.src), mapped.checksumsOk, mapped.srcMac]).toEqual([
      '192.168.7.9',
      true,
      mac,
    ]);
  }
  const unchecked = udp.slice();
  unchecked.set([0, 0], unchecked.length - 33 - UDP_HEADER + 6);
  const mapped = parseFrame(mapFrame(unchecked, mac, map));
  expect(mapped.kind === 'ipv4' && mapped.udp?.checksum).toBe(0);
  expect(mapFrame(new Uint8Array(5), mac, map)).toEqual(new Uint8Array(5));
});
