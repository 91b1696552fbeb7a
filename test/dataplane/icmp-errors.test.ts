// ICMP errors belong to the connection whose packet they quote: they pass where its state does, and are translated
// outside and inside where its packets are.

import { expect, test } from 'vitest';
import {
  TCP_SYN,
  buildIcmpError,
  formatIpv4,
  parseFrame,
  parseIpv4,
  payloadOf,
  readFiveTuple,
} from '../../src/wire/index.ts';
import type { Words } from '../control/compile/networks.ts';
import { Lab, packet } from './lab.ts';

const WORDS: Words = {
  vnets: { a: ['10.0.0.0/16'] },
  subnets: {
    app: { vnet: 'a', cidr: '10.0.0.0/24', nsg: 'closed', nat: 'ng' },
    open: { vnet: 'a', cidr: '10.0.1.0/24', defaultOutboundAccess: false },
    pe: { vnet: 'a', cidr: '10.0.2.0/24' },
  },
  nics: { app: { subnet: 'app', ip: '10.0.0.4' }, web: { subnet: 'open', ip: '10.0.1.4' } },
  nsgs: { closed: [[100, 'In', '*', '*', '*', '*', '*', 'Deny', 'Nothing']] },
  nats: { ng: ['20.9.9.9'] },
  pes: { mi: { subnet: 'pe', ip: '10.0.2.5', ports: ['1433'] } },
};

/** The error that a receiver of `frame` sends back from `from`: type 3 code 3 unless told otherwise. */
function errorAbout(frame: Uint8Array, from: string, type = 3, code = 3): Uint8Array {
  return buildIcmpError({ type, code, from: parseIpv4(from) }, frame);
}

/** Addresses outside, and the five-tuple quoted inside. */
function read(frame: Uint8Array): { outside: string; inside: string; checksumsOk: boolean } {
  const parsed = parseFrame(frame);
  if (parsed.kind !== 'ipv4') throw new Error(parsed.kind);
  const quoted = payloadOf(frame, parsed);
  const tuple = readFiveTuple(new DataView(quoted.buffer, quoted.byteOffset, quoted.byteLength), 0)!;
  const end = (address: number, port: number): string => `${formatIpv4(address)}:${port}`;
  return {
    outside: `${formatIpv4(parsed.src)} > ${formatIpv4(parsed.dst)}`,
    inside: `${end(tuple.src, tuple.srcPort)} > ${end(tuple.dst, tuple.dstPort)}`,
    checksumsOk: parsed.checksumsOk,
  };
}

test('an error about a known connection passes rules that deny everything; one about nothing does not', () => {
  const lab = new Lab(WORDS);
  const sent = lab.send('app', packet({ src: '10.0.0.4', dst: '10.0.1.4', udp: { srcPort: 5000, dstPort: 53 } }));
  const about = errorAbout(sent.frame!, '10.0.1.4');
  expect(lab.describe(lab.send('web', about))).toMatch(/^delivered app/);
  const stranger = packet({ src: '10.0.0.4', dst: '10.0.1.4', udp: { srcPort: 5001, dstPort: 53 } });
  expect(lab.describe(lab.send('web', errorAbout(stranger, '10.0.1.4')))).toBe('dropped NSG_DENY app:subnetNsg');
});

test('an error from a router on the Internet is translated outside and inside by the NAT gateway', () => {
  const lab = new Lab(WORDS);
  const sent = lab.send(
    'app',
    packet({ src: '10.0.0.4', dst: '203.0.113.5', tcp: { srcPort: 5000, dstPort: 443, flags: TCP_SYN } }),
  );
  const result = lab.send('internet', errorAbout(sent.frame!, '198.51.100.1', 11, 0));
  expect(lab.describe(result)).toMatch(/^delivered app/);
  expect(read(result.frame!)).toEqual({
    outside: '198.51.100.1 > 10.0.0.4',
    inside: '10.0.0.4:5000 > 203.0.113.5:443',
    checksumsOk: true,
  });
});

test('an error from the service side of a private endpoint comes from the endpoint and quotes what the client sent', () => {
  const lab = new Lab(WORDS);
  const sent = lab.send(
    'app',
    packet({ src: '10.0.0.4', dst: '10.0.2.5', tcp: { srcPort: 5000, dstPort: 1433, flags: TCP_SYN } }),
  );
  const result = lab.send('provider:mi', errorAbout(sent.frame!, '10.255.0.10'));
  expect(lab.describe(result)).toMatch(/^delivered app/);
  expect(read(result.frame!)).toEqual({
    outside: '10.0.2.5 > 10.0.0.4',
    inside: '10.0.0.4:5000 > 10.0.2.5:1433',
    checksumsOk: true,
  });
  const stranger = packet({
    src: '10.0.0.4',
    dst: '10.255.0.10',
    tcp: { srcPort: 5001, dstPort: 1433, flags: TCP_SYN },
  });
  expect(lab.describe(lab.send('provider:mi', errorAbout(stranger, '10.255.0.10')))).toBe(
    'dropped NO_REVERSE_FLOW mi:egress',
  );
});
