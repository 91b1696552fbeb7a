// The capture filter language: what matches what, and where mistakes are.

import { describe, expect, test } from 'vitest';
import { parseCaptureFilter } from '../../../src/control/capture/filter.ts';
import { buildArp, buildFrame, FABRIC_MAC, ICMP_ECHO_REQUEST, parseIpv4, TCP_SYN } from '../../../src/wire/index.ts';

const app = parseIpv4('10.0.0.4');
const sql = parseIpv4('10.0.2.5');
const FRAMES = {
  sql: buildFrame({ src: app, dst: sql, tcp: { srcPort: 50_000, dstPort: 1433, flags: TCP_SYN } }),
  reply: buildFrame({ src: sql, dst: app, tcp: { srcPort: 1433, dstPort: 50_000, flags: TCP_SYN } }),
  dns: buildFrame({ src: app, dst: parseIpv4('168.63.129.16'), udp: { srcPort: 40_000, dstPort: 53 } }),
  ping: buildFrame({ src: app, dst: sql, icmp: { type: ICMP_ECHO_REQUEST, id: 1433 } }),
  arp: buildArp({
    operation: 1,
    senderMac: 1,
    senderIp: app,
    targetMac: 0,
    targetIp: sql,
    dstMac: FABRIC_MAC,
    srcMac: 1,
  }),
  later: buildFrame({
    src: app,
    dst: sql,
    protocol: 6,
    fragmentOffset: 1480,
    payload: Uint8Array.of(0xc3, 0x50, 5, 0x99),
  }),
  short: Uint8Array.of(1, 2, 3),
};
type FrameName = keyof typeof FRAMES;

function matching(text: string): string {
  const { filter, issues } = parseCaptureFilter(text);
  if (filter === undefined) throw new Error(issues[0].message);
  return (Object.keys(FRAMES) as FrameName[]).filter((name) => filter.match(FRAMES[name])).join(' ');
}

describe('a filter lets through', () => {
  test.each([
    ['host 10.0.0.4 and tcp port 1433', 'sql reply'],
    ['tcp', 'sql reply later'],
    ['udp', 'dns'],
    ['icmp', 'ping'],
    ['arp', 'arp'],
    ['host 10.0.2.5', 'sql reply ping arp later'],
    ['src host 10.0.0.4', 'sql dns ping arp later'],
    ['dst host 10.0.0.4', 'reply'],
    ['net 168.63.129.0/24', 'dns'],
    ['src net 10.0.2.0/24', 'reply'],
    ['dst net 0.0.0.0/0', 'sql reply dns ping arp later'],
    ['port 1433', 'sql reply'],
    ['src port 1433', 'reply'],
    ['tcp dst port 1433', 'sql'],
    ['udp port 1433', ''],
    ['not tcp', 'dns ping arp short'],
    ['! (tcp || arp)', 'dns ping short'],
    ['tcp or udp and port 53', 'dns'],
    ['tcp or (udp and port 53)', 'sql reply dns later'],
    ['not tcp and not udp', 'ping arp short'],
    ['UDP AND Port 53', 'dns'],
    ['not not icmp', 'ping'],
  ])('%s: %s', (text, names) => {
    expect(matching(text)).toBe(names);
  });
});

describe('a mistake has its column and a hint', () => {
  test.each([
    ['', 1, "write for example 'host 10.0.0.4 and tcp port 1433'"],
    ['host', 5, "write for example 'host 10.0.0.4 and tcp port 1433'"],
    ['hots 10.0.0.4', 1, "did you mean 'host'?"],
    ['tcp prot 1433', 5, "did you mean 'port'?"],
    ['10.0.0.4', 1, "write 'host 10.0.0.4' or 'port 10.0.0.4'"],
    ['tcp and 10.0.0.0/8', 9, "write 'net 10.0.0.0/8'"],
    ['port http', 6, 'write a number from 0 to 65535; service names are not known here'],
    ['port 70000', 6, 'write a number from 0 to 65535; service names are not known here'],
    ['host 010.0.0.4', 6, undefined],
    ['net 10.0.0.1/8', 5, undefined],
    ['(tcp and udp', 13, "write for example 'host 10.0.0.4 and tcp port 1433'"],
    ['tcp and', 8, "write for example 'host 10.0.0.4 and tcp port 1433'"],
    ['tcp host 10.0.0.4', 5, "only 'port' can follow a protocol: join other things with 'and'"],
    ['tcp & udp', 5, undefined],
    ['(((', 4, undefined],
  ])('%s', (text, column, hint) => {
    const { filter, issues } = parseCaptureFilter(text, { file: 'scenario.yaml', line: 3, column: 9 });
    expect(filter).toBeUndefined();
    expect(issues).toHaveLength(1);
    expect(issues[0]).toMatchObject({ code: 'CAPTURE_FILTER', severity: 'error', source: { line: 3 } });
    expect(issues[0]?.message).toContain(`, column ${column}: `);
    if (hint !== undefined) expect(issues[0]?.hint).toBe(hint);
    expect(issues[0]?.hint).not.toBe('');
  });
});

test('a filter too long to be meant is refused instead of exhausting the stack', () => {
  expect(parseCaptureFilter('('.repeat(1_000_000)).issues).toMatchObject([{ code: 'CAPTURE_FILTER' }]);
  expect(parseCaptureFilter('!'.repeat(4000)).issues).toMatchObject([{ code: 'CAPTURE_FILTER' }]);
});

test('a frame cut at any length is judged by what is left of it', () => {
  const { filter } = parseCaptureFilter('port 1433 or host 10.0.0.4 or arp');
  for (const frame of Object.values(FRAMES)) {
    for (let length = 0; length <= frame.length; length++) {
      expect(() => filter?.match(frame.subarray(0, length))).not.toThrow();
    }
  }
  expect(filter?.match(FRAMES.sql.subarray(0, 34))).toBe(true);
  expect(filter?.match(FRAMES.sql.subarray(0, 33))).toBe(false);
});
