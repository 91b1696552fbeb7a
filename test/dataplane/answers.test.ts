// What the fabric answers where a switch asks for it: resets and ICMP errors (Q-4b, Q-9, PIPE-3); by default
// it says nothing.

import { describe, expect, test } from 'vitest';
import { behaviourOf, type Switches } from '../../src/control/model/profile.ts';
import { createInlineEngine } from '../../src/control/engine/inline-engine.ts';
import { dropName } from '../../src/abi/drop-reasons.ts';
import { PROV_DROP, PROV_EGRESS, PROV_REFUSED } from '../../src/abi/provenance.ts';
import { formatIpv4, parseFrame, payloadOf, readFiveTuple, viewOf } from '../../src/wire/index.ts';
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from '../../src/wire/tcp.ts';
import type { PassResult } from '../../src/control/engine/engine.ts';
import type { Words } from '../control/compile/networks.ts';
import { Lab, packet, type PacketSpec } from './lab.ts';

const WORDS: Words = {
  vnets: { a: ['10.0.0.0/16'] },
  subnets: {
    app: { vnet: 'a', cidr: '10.0.0.0/24', nsg: 'closed' },
    pe: { vnet: 'a', cidr: '10.0.2.0/24' },
  },
  nics: { app: { subnet: 'app', ip: '10.0.0.4' }, web: { subnet: 'app', ip: '10.0.0.5' } },
  nsgs: { closed: [[100, 'Out', 'Tcp', '*', '*', '*', '81', 'Deny', 'NoPort81']] },
  pes: {
    mi: { subnet: 'pe', ip: '10.0.2.5', ports: ['1433'] },
    waiting: { subnet: 'pe', ip: '10.0.2.6', ports: ['1433'], state: 'Pending' },
  },
};

function lab(switches: Partial<Switches> = {}): Lab {
  const behaviour = behaviourOf();
  const engine = createInlineEngine({ connectionsMax: 64 });
  return new Lab(WORDS, engine, { ...behaviour, switches: { ...behaviour.switches, ...switches } });
}

const tcp = (dst: string, dstPort: number, flags = TCP_SYN, payload?: Uint8Array): PacketSpec => ({
  src: '10.0.0.4',
  dst,
  tcp: { srcPort: 50_000, dstPort, flags, seq: 0xffff_ffff, ack: (flags & TCP_ACK) === 0 ? 0 : 4242 },
  ...(payload && { payload }),
});

/** The answer, read; what the pass says of it; `silent` for a drop. */
function answer(lab: Lab, spec: PacketSpec, from = 'app') {
  const sent = packet(spec);
  const result = lab.send(from, sent);
  if (result.frame === undefined) return 'silent';
  expect(result.outcome).toBe('answered');
  expect(lab.describe(result)).toMatch(new RegExp(`^answered ${from}`));
  const { provenance, frame } = result as PassResult & { frame: Uint8Array };
  expect([provenance[PROV_DROP], provenance[PROV_EGRESS]]).toEqual([0, lab.attachment(from)]);
  const parsed = parseFrame(frame);
  if (parsed.kind !== 'ipv4') throw new Error(parsed.kind);
  expect(parsed.checksumsOk).toBe(true);
  const refused = dropName(provenance[PROV_REFUSED]);
  const addresses = `${formatIpv4(parsed.src)} > ${formatIpv4(parsed.dst)}`;
  if (parsed.tcp !== undefined) {
    const { flags, seq, ack, srcPort, dstPort } = parsed.tcp;
    expect(frame).toHaveLength(54);
    return { refused, addresses, ports: [srcPort, dstPort], flags, seq, ack };
  }
  const icmp = viewOf(frame);
  const quoted = payloadOf(frame, parsed);
  // The quotation is the packet as it was sent.
  expect(Buffer.from(quoted).equals(Buffer.from(sent.subarray(14, 14 + quoted.length)))).toBe(true);
  return {
    refused,
    addresses,
    icmp: `${icmp.getUint8(34)}/${icmp.getUint8(35)}`,
    mtu: icmp.getUint16(40),
    quotedPort: readFiveTuple(viewOf(quoted), 0)?.dstPort,
    bytes: quoted.length,
  };
}

describe('a private endpoint', () => {
  test('is silent by default (Q-1, Q-3, Q-4b)', () => {
    const quiet = lab();
    expect(answer(quiet, tcp('10.0.2.6', 1433))).toBe('silent');
    expect(answer(quiet, tcp('10.0.2.5', 80))).toBe('silent');
    expect(answer(quiet, { src: '10.0.0.4', dst: '10.0.2.5', udp: { srcPort: 1, dstPort: 1433 } })).toBe('silent');
  });

  test('resets what is not Approved when the switch says so, as RFC 9293 has it (PE-20, Q-1)', () => {
    const switched = lab({ 'pe.notApprovedReply': 'reset' });
    const common = { refused: 'PE_NOT_APPROVED', addresses: '10.0.2.6 > 10.0.0.4', ports: [1433, 50_000] };
    expect(answer(switched, tcp('10.0.2.6', 1433))).toEqual({ ...common, flags: TCP_RST | TCP_ACK, seq: 0, ack: 0 });
    const withData = tcp('10.0.2.6', 1433, TCP_SYN | TCP_FIN, new Uint8Array(10));
    expect(answer(switched, withData)).toMatchObject({ flags: TCP_RST | TCP_ACK, ack: 11 });
    const middle = tcp('10.0.2.6', 1433, TCP_ACK, new Uint8Array(10));
    expect(answer(switched, middle)).toMatchObject({ flags: TCP_RST, seq: 4242, ack: 0 });
    expect(answer(switched, tcp('10.0.2.6', 1433, TCP_RST))).toBe('silent');
    expect(answer(switched, tcp('10.0.2.5', 80))).toBe('silent');
  });

  test('resets a port that it does not serve when the switch says so (PE-25, Q-3)', () => {
    const switched = lab({ 'pe.closedPortReply': 'reset' });
    expect(answer(switched, tcp('10.0.2.5', 80))).toMatchObject({ refused: 'PE_PORT_NOT_SERVED', ports: [80, 50_000] });
    expect(answer(switched, tcp('10.0.2.6', 1433))).toBe('silent');
  });

  test('says protocol unreachable to UDP and echo when the switch says so, to ICMP errors nothing (Q-4b)', () => {
    const switched = lab({ 'pe.otherProtocolReply': 'unreachable' });
    const common = { src: '10.0.0.4', dst: '10.0.2.5' };
    const udp = answer(switched, { ...common, udp: { srcPort: 1, dstPort: 1433 }, payload: new Uint8Array(1400) });
    const said = { refused: 'PE_PROTOCOL', addresses: '10.0.2.5 > 10.0.0.4', icmp: '3/2', mtu: 0 };
    expect(udp).toEqual({ ...said, quotedPort: 1433, bytes: 548 });
    expect(answer(switched, { ...common, icmp: { type: 8, id: 3 } })).toMatchObject({ ...said, bytes: 28 });
    const aboutSomething = { ...common, icmp: { type: 3, code: 1 }, payload: new Uint8Array(28) };
    expect(answer(switched, aboutSomething)).toBe('silent');
  });
});

describe('packets that are too large (WIRE-14, Q-9)', () => {
  const large = (dontFragment: boolean): PacketSpec => ({
    src: '10.0.0.4',
    dst: '10.0.0.5',
    dontFragment,
    udp: { srcPort: 1, dstPort: 2 },
    payload: new Uint8Array(1473),
  });

  test('are dropped in silence by default', () => {
    expect(answer(lab(), large(true))).toBe('silent');
  });

  test('are answered with the MTU of the way when the switch says so and DF is set', () => {
    const switched = lab({ 'net.fragmentationNeeded': true });
    expect(answer(switched, large(true))).toMatchObject({ refused: 'MTU_EXCEEDED', icmp: '3/4', mtu: 1500 });
    expect(answer(switched, large(false))).toBe('silent');
  });
});

describe('drops at rules and routes (PIPE-3)', () => {
  test('are silent by default, and prohibited with the switch', () => {
    expect(answer(lab(), tcp('10.0.0.5', 81))).toBe('silent');
    const switched = lab({ 'drop.reply': true });
    expect(answer(switched, tcp('10.0.0.5', 81))).toMatchObject({ refused: 'NSG_DENY', icmp: '3/13', bytes: 40 });
    expect(answer(switched, tcp('10.0.9.9', 80))).toMatchObject({ refused: 'NO_SUCH_DESTINATION', icmp: '3/13' });
    expect(answer(switched, tcp('10.0.2.6', 1433))).toBe('silent');
  });
});
