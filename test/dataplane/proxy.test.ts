// The PROXY header in the data plane, segment by segment: both sides' sequence numbers are whole (PLS-15 to PLS-19), and
// loss is repaired by what the two sides send anyway.

import { expect, test } from 'vitest';
import { behaviourOf } from '../../src/control/model/profile.ts';
import { createInlineEngine } from '../../src/control/engine/inline-engine.ts';
import { buildIcmpError, parseFrame, parseIpv4, payloadOf, viewOf } from '../../src/wire/index.ts';
import { TCP_ACK, TCP_FIN, TCP_PSH, TCP_RST, TCP_SYN, parseTcpOptions } from '../../src/wire/tcp.ts';
import { decodeProxyHeader } from '../../src/wire/proxy-protocol.ts';
import type { TcpSpec } from '../../src/wire/build-ipv4.ts';
import type { PassResult } from '../../src/control/engine/engine.ts';
import { Lab, packet } from './lab.ts';

const ANY_IN = [100, 'In', '*', '*', '*', '*', '*', 'Allow', 'AnyIn'] as const;
const CLIENT_ISN = 0xffff_fff0;
const SERVER_ISN = 7000;
const HEADER = 36;
const u32 = (value: number): number => value >>> 0;

class ProxyLab extends Lab {
  natPort = 0;

  constructor(switches = {}) {
    super(
      {
        vnets: { c: ['10.0.0.0/16'], p: ['10.0.0.0/16'] },
        subnets: {
          clients: { vnet: 'c', cidr: '10.0.0.0/24' },
          endpoints: { vnet: 'c', cidr: '10.0.1.0/24' },
          backends: { vnet: 'p', cidr: '10.0.0.0/24', nsg: 'open' },
          nat: { vnet: 'p', cidr: '10.0.9.0/24' },
        },
        nsgs: { open: [ANY_IN] },
        nics: { client: { subnet: 'clients', ip: '10.0.0.4' }, backend: { subnet: 'backends', ip: '10.0.0.4' } },
        pes: { pe: { subnet: 'endpoints', ip: '10.0.1.5', ports: [] } },
        balancers: {
          lb: {
            subnet: 'nat',
            frontend: '10.0.9.100',
            members: ['backend'],
            rules: [{ frontendPort: 443, backendPort: 8443 }],
          },
        },
        services: { svc: { balancer: 'lb', subnet: 'nat', nat: ['10.0.9.8'], endpoints: ['pe'], proxy: true } },
      },
      createInlineEngine({ connectionsMax: 256 }),
      { ...behaviourOf(), switches: { ...behaviourOf().switches, ...switches } },
    );
  }

  /** A segment of the client as the backend gets it; sequence numbers count from the client's SYN. */
  up(flags: number, seq: number, more: Partial<TcpSpec> & { ack?: number; payload?: Uint8Array } = {}): Seen {
    const { payload, ack = 1, ...tcp } = more;
    const result = this.send(
      'client',
      packet({
        src: '10.0.0.4',
        dst: '10.0.1.5',
        tcp: {
          srcPort: 50_000,
          dstPort: 443,
          flags,
          seq: u32(CLIENT_ISN + seq),
          ack: (flags & TCP_ACK) === 0 ? 0 : u32(SERVER_ISN + ack),
          ...tcp,
        },
        ...(payload && { payload }),
      }),
    );
    const seen = this.read(result, CLIENT_ISN, SERVER_ISN);
    if (seen.srcPort !== 0) this.natPort = seen.srcPort;
    return seen;
  }

  /** A segment of the backend as the client gets it; `ack` counts from the client's SYN. */
  down(flags: number, ack: number, more: Partial<TcpSpec> & { seq?: number; payload?: Uint8Array } = {}): Seen {
    return this.read(this.downResult(flags, ack, more), SERVER_ISN, CLIENT_ISN);
  }

  downResult(flags: number, ack: number, more: Partial<TcpSpec> & { seq?: number; payload?: Uint8Array }): PassResult {
    const { payload, seq = 1, ...tcp } = more;
    const spec = {
      srcPort: 8443,
      dstPort: this.natPort,
      flags,
      seq: u32(SERVER_ISN + seq),
      ack: u32(CLIENT_ISN + ack),
      ...tcp,
    };
    return this.send('backend', packet({ src: '10.0.0.4', dst: '10.0.9.8', tcp: spec, ...(payload && { payload }) }));
  }

  /** The handshake; the client's ACK becomes the header, which the backend acknowledges unless told otherwise. */
  open(acknowledged = true): Seen {
    this.up(TCP_SYN, 0);
    this.down(TCP_SYN | TCP_ACK, 1, { seq: 0 });
    const header = this.up(TCP_ACK, 1);
    if (acknowledged && this.down(TCP_ACK, 1 + HEADER).outcome !== 'consumed') throw new Error('not consumed');
    return header;
  }

  private read(result: PassResult, from: number, to: number): Seen {
    const none = {
      outcome: result.outcome,
      seq: 0,
      ack: 0,
      flags: 0,
      srcPort: 0,
      payload: new Uint8Array(0),
      sack: [],
    };
    if (result.frame === undefined) return none;
    const parsed = parseFrame(result.frame);
    if (parsed.kind !== 'ipv4' || parsed.tcp === undefined) throw new Error('not TCP');
    if (!parsed.checksumsOk) throw new Error('a checksum is wrong');
    if (result.frame.length !== 14 + viewOf(result.frame).getUint16(16)) throw new Error('the length is wrong');
    const { seq, ack, flags, srcPort } = parsed.tcp;
    const l4 = 34;
    const options = parseTcpOptions(viewOf(result.frame), l4, (result.frame[l4 + 12] >> 4) * 4);
    const sack = (options.sackBlocks ?? []).map(({ start, end }) => [u32(start - to), u32(end - to)]);
    const payload = payloadOf(result.frame, parsed);
    return { outcome: result.outcome, seq: u32(seq - from), ack: u32(ack - to), flags, srcPort, payload, sack };
  }
}

interface Seen {
  readonly outcome: string;
  /** Counted from the SYN of their side. */
  readonly seq: number;
  readonly ack: number;
  readonly flags: number;
  readonly srcPort: number;
  readonly payload: Uint8Array;
  readonly sack: readonly (readonly number[])[];
}

const DATA = new Uint8Array(100).fill(7);

test('the ACK of the handshake becomes the header with the consumer, the endpoint and the LinkID (PLS-16, PLS-19)', () => {
  const lab = new ProxyLab();
  const header = lab.open();
  expect(header).toMatchObject({ seq: 1, ack: 1, flags: TCP_ACK | TCP_PSH });
  expect(decodeProxyHeader(header.payload)).toEqual({
    command: 'proxy',
    addresses: { src: parseIpv4('10.0.0.4'), srcPort: 50_000, dst: parseIpv4('10.0.1.5'), dstPort: 443 },
    linkId: lab.compiled.sideTable.endpoints[0].linkId >>> 0,
    length: HEADER,
  });
});

test('the destination is the frontend when the switch says so (Q-7)', () => {
  const header = new ProxyLab({ 'pls.proxyDestination': 'frontend' }).open();
  expect(decodeProxyHeader(header.payload)).toMatchObject({
    addresses: { dst: parseIpv4('10.0.9.100'), dstPort: 443 },
  });
});

test('data is shifted by the header on the way up, acknowledgements on the way down, across 2^32 (PLS-19)', () => {
  const lab = new ProxyLab();
  lab.open();
  expect(lab.up(TCP_ACK | TCP_PSH, 1, { payload: DATA })).toMatchObject({ seq: 37, ack: 1, payload: DATA });
  expect(lab.down(TCP_ACK, 137)).toMatchObject({ outcome: 'delivered', seq: 1, ack: 101, payload: new Uint8Array(0) });
  const answer = lab.down(TCP_ACK, 137, { payload: DATA });
  expect(answer).toMatchObject({ seq: 1, ack: 101, payload: DATA });
  expect(lab.up(TCP_ACK, 101, { ack: 101 })).toMatchObject({ seq: 137, ack: 101 });
});

test('FIN of both sides and what acknowledges them are shifted likewise', () => {
  const lab = new ProxyLab();
  lab.open();
  expect(lab.up(TCP_ACK | TCP_FIN, 1)).toMatchObject({ seq: 37, flags: TCP_ACK | TCP_FIN });
  expect(lab.down(TCP_ACK | TCP_FIN, 38)).toMatchObject({ ack: 2, flags: TCP_ACK | TCP_FIN });
  expect(lab.up(TCP_ACK, 2, { ack: 2 })).toMatchObject({ seq: 38, ack: 2 });
});

test('data that comes with the first ACK, or a FIN, waits for its retransmission', () => {
  const lab = new ProxyLab();
  lab.up(TCP_SYN, 0);
  lab.down(TCP_SYN | TCP_ACK, 1, { seq: 0 });
  const header = lab.up(TCP_ACK | TCP_PSH | TCP_FIN, 1, { payload: DATA });
  expect(header).toMatchObject({ seq: 1, flags: TCP_ACK | TCP_PSH });
  expect(header.payload).toHaveLength(HEADER);
  expect(lab.up(TCP_ACK | TCP_FIN, 1, { payload: DATA })).toMatchObject({ seq: 37, payload: DATA });
});

test('data in the SYN is taken off: the header is the first of the stream', () => {
  expect(new ProxyLab().up(TCP_SYN, 0, { payload: DATA }).payload).toHaveLength(0);
});

test('a lost header goes out again: the backend acknowledges nothing, the next segment becomes the header', () => {
  const lab = new ProxyLab();
  lab.open(false);
  lab.up(TCP_ACK, 1, { payload: DATA });
  const blocks = [{ start: u32(CLIENT_ISN + 37), end: u32(CLIENT_ISN + 137) }];
  const duplicate = lab.down(TCP_ACK, 1, { options: { sackBlocks: blocks } });
  expect(duplicate).toMatchObject({ outcome: 'delivered', ack: 1, sack: [] });
  const again = lab.up(TCP_ACK, 1, { payload: DATA });
  expect(again.seq).toBe(1);
  expect(again.payload).toHaveLength(HEADER);
  // The data was there already: this is no bare acknowledgement of the header.
  expect(lab.down(TCP_ACK, 137)).toMatchObject({ outcome: 'delivered', ack: 101 });
  expect(lab.up(TCP_ACK, 101)).toMatchObject({ seq: 137, payload: new Uint8Array(0) });
});

test('a SYN/ACK that comes again asks for the header again', () => {
  const lab = new ProxyLab();
  lab.open(false);
  expect(lab.down(TCP_SYN | TCP_ACK, 1, { seq: 0 })).toMatchObject({ seq: 0, ack: 1 });
  expect(lab.up(TCP_ACK, 1).payload).toHaveLength(HEADER);
});

test('a SYN that comes again changes nothing', () => {
  const lab = new ProxyLab();
  lab.open();
  lab.up(TCP_SYN, 0);
  expect(lab.up(TCP_ACK, 1, { payload: DATA })).toMatchObject({ seq: 37, payload: DATA });
});

test('SACK blocks are shifted; one about the header itself says nothing to the consumer (RFC 2018)', () => {
  const lab = new ProxyLab();
  lab.open();
  const block = (start: number, end: number): TcpSpec['options'] => ({
    sackBlocks: [{ start: u32(CLIENT_ISN + start), end: u32(CLIENT_ISN + end) }],
  });
  expect(lab.down(TCP_ACK, 137, { options: block(237, 337) }).sack).toEqual([[201, 301]]);
  expect(lab.down(TCP_ACK, 137, { options: block(1, 37) }).sack).toEqual([]);
});

test('a consumer that gives up resets what the backend has seen: before the header and after it', () => {
  const before = new ProxyLab();
  before.up(TCP_SYN, 0);
  before.down(TCP_SYN | TCP_ACK, 1, { seq: 0 });
  expect(before.up(TCP_RST, 1)).toMatchObject({ seq: 1, flags: TCP_RST });
  const after = new ProxyLab();
  after.open();
  expect(after.up(TCP_RST | TCP_ACK, 1)).toMatchObject({ seq: 37, flags: TCP_RST | TCP_ACK });
});

test('a reset of the backend says to the consumer what the consumer knows', () => {
  const lab = new ProxyLab();
  lab.open();
  lab.up(TCP_ACK, 1, { payload: DATA });
  expect(lab.down(TCP_RST | TCP_ACK, 137)).toMatchObject({ seq: 1, ack: 101 });
});

test('an ICMP error about a shifted segment quotes the segment that the consumer sent', () => {
  const lab = new ProxyLab();
  lab.open();
  const sent = lab.send(
    'client',
    packet({
      src: '10.0.0.4',
      dst: '10.0.1.5',
      tcp: { srcPort: 50_000, dstPort: 443, flags: TCP_ACK, seq: u32(CLIENT_ISN + 1), ack: SERVER_ISN + 1 },
      payload: DATA,
    }),
  );
  const error = buildIcmpError({ type: 3, code: 4, rest: 1400, from: parseIpv4('10.0.0.4') }, sent.frame!);
  const result = lab.send('backend', error);
  expect(lab.describe(result)).toMatch(/^delivered client/);
  const parsed = parseFrame(result.frame!);
  expect(parsed).toMatchObject({ checksumsOk: true });
  // Ethernet, IPv4, ICMP, quoted IPv4: then the ports and the sequence number.
  expect(u32(viewOf(result.frame!).getUint32(14 + 20 + 8 + 20 + 4) - CLIENT_ISN)).toBe(1);
});
