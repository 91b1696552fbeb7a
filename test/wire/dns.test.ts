import { describe, expect, it } from 'vitest';
import { decodeDns, DNS_UDP_MAX, encodeDns, isDnsName } from '../../src/wire/dns.ts';
import type { DnsMessage } from '../../src/wire/dns.ts';

const QUERY: DnsMessage = {
  id: 0x1234,
  isResponse: false,
  recursionDesired: true,
  status: 'NOERROR',
  question: { name: 'mi1.zone1.database.windows.net', type: 'A' },
  answers: [],
};

describe('DNS messages (RFC 1035)', () => {
  it('are written byte for byte as the RFC says', () => {
    const bytes = encodeDns({ ...QUERY, question: { name: 'a.bc', type: 'AAAA' } });
    expect([...bytes]).toEqual([
      0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0x61, 2, 0x62, 0x63, 0, 0, 28, 0, 1,
    ]);
  });

  it('come back with every type of record', () => {
    const answers = [
      {
        name: 'mi1.zone1.database.windows.net',
        type: 'CNAME',
        ttl: 300,
        value: 'mi1.privatelink.zone1.database.windows.net',
      },
      { name: 'mi1.privatelink.zone1.database.windows.net', type: 'A', ttl: 10, value: '10.0.1.5' },
      { name: 'six.example', type: 'AAAA', ttl: 70_000, value: '2001:db8::1' },
      { name: 'example', type: 'TXT', ttl: 0, value: 'x'.repeat(300) },
      { name: 'example', type: 'MX', ttl: 1, value: '10 mail.example' },
      { name: '_sip.example', type: 'SRV', ttl: 1, value: '0 5 5060 sip.example' },
      { name: '4.1.0.10.in-addr.arpa', type: 'PTR', ttl: 1, value: 'vm.internal.cloudapp.net' },
      { name: 'example', type: 'SOA', ttl: 1, value: 'ns.example admin.example 1 3600 300 2419200 10' },
    ] as const;
    const message = { ...QUERY, isResponse: true, recursionAvailable: true, status: 'NOERROR', answers } as const;
    const read = decodeDns(encodeDns(message, 4096));
    expect(read).toMatchObject(message);
    expect(read?.isTruncated).toBe(false);
  });

  it('leave out what does not fit into 512 bytes and say so', () => {
    const answers = Array.from({ length: 60 }, (_, index) => ({
      name: QUERY.question.name,
      type: 'A' as const,
      ttl: 60,
      value: `10.0.0.${index}`,
    }));
    const bytes = encodeDns({ ...QUERY, isResponse: true, answers });
    const read = decodeDns(bytes);
    expect(bytes.length).toBeLessThanOrEqual(DNS_UDP_MAX);
    expect(read?.isTruncated).toBe(true);
    expect(read?.answers).toEqual(answers.slice(0, read?.answers.length));
    expect(read?.answers.length).toBe(29);
  });

  it('are refused at every length that cuts them, and when a pointer leads forward', () => {
    const bytes = encodeDns({
      ...QUERY,
      isResponse: true,
      answers: [{ name: QUERY.question.name, type: 'A', ttl: 1, value: '10.0.0.1' }],
    });
    for (let length = 0; length < bytes.length; length++) expect(decodeDns(bytes.subarray(0, length))).toBeUndefined();
    const looped = bytes.slice();
    looped.set([0xc0, 12], 12);
    expect(decodeDns(looped)).toBeUndefined();
  });

  it('tell names from what is none', () => {
    expect(['a', 'a.b.', '_x.y', '*'].filter((name) => !isDnsName(name))).toEqual([]);
    expect(['', 'a..b', `${'x'.repeat(64)}.y`, 'a b', 'x.'.repeat(130)].filter((name) => isDnsName(name))).toEqual([]);
  });
});
