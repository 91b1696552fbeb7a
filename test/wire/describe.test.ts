// One line per frame, in the manner of tcpdump.
import { expect, test } from 'vitest';
import * as wire from '../../src/wire/index.ts';
import { ascii, hex } from './bytes.ts';
import { ALL_SAMPLES, SAMPLES } from './sample-frames.ts';

const { buildArp, buildFrame, buildIcmpError, describeFrame } = wire;
const APP = wire.parseIpv4('10.0.0.4');
const PE = wire.parseIpv4('10.0.1.5');

test.each(ALL_SAMPLES)('the sample %s is its line', (_, { line, bytes }) => {
  expect(describeFrame(bytes)).toBe(line);
});

function tcp(flags: number, more: Partial<wire.TcpSpec> = {}, payload = ''): Uint8Array {
  const header = { srcPort: 50000, dstPort: 1433, seq: 1000, ack: 7, flags, window: 100, ...more };
  return buildFrame({ src: APP, dst: PE, tcp: header, payload: ascii(payload) });
}

test.each([
  [tcp(wire.TCP_ACK), 'Flags [.], ack 7, win 100, length 0'],
  [tcp(wire.TCP_SYN | wire.TCP_ACK), 'Flags [S.], seq 1000, ack 7, win 100, length 0'],
  [tcp(wire.TCP_RST), 'Flags [R], seq 1000, win 100, length 0'],
  [tcp(wire.TCP_FIN | wire.TCP_ACK), 'Flags [F.], seq 1000, ack 7, win 100, length 0'],
  [
    tcp(wire.TCP_URG | wire.TCP_ACK, { urgent: 3 }, 'abc'),
    'Flags [.U], seq 1000:1003, ack 7, win 100, urg 3, length 3',
  ],
  [tcp(0), 'Flags [none], win 100, length 0'],
  [tcp(wire.TCP_ACK, { seq: 0xffffffff }, 'abc'), 'Flags [.], seq 4294967295:2, ack 7, win 100, length 3'],
])('a TCP segment is told by flags and numbers (%#)', (frame, text) => {
  expect(describeFrame(frame)).toBe(`IP 10.0.0.4.50000 > 10.0.1.5.1433: ${text}`);
});

test.each([
  [{ type: wire.ICMP_ECHO_REQUEST, id: 7, sequence: 1 }, 'echo request, id 7, seq 1, length 8'],
  [{ type: wire.ICMP_ECHO_REPLY, id: 7, sequence: 1 }, 'echo reply, id 7, seq 1, length 8'],
  [{ type: wire.ICMP_PARAMETER_PROBLEM, rest: 0x14000000 }, 'parameter problem - octet 20, length 8'],
  [{ type: 13 }, 'type 13 code 0, length 8'],
  [{ type: wire.ICMP_UNREACHABLE, code: 1 }, 'host ? unreachable, length 8'],
  [{ type: wire.ICMP_UNREACHABLE, code: 3 }, '? ? port ? unreachable, length 8'],
])('an ICMP message is told by its type (%#)', (icmp, text) => {
  expect(describeFrame(buildFrame({ src: APP, dst: PE, icmp }))).toBe(`IP 10.0.0.4 > 10.0.1.5: ICMP ${text}`);
});

test.each([
  [3, 0, 'net 10.0.1.5 unreachable'],
  [3, 1, 'host 10.0.1.5 unreachable'],
  [3, 2, '10.0.1.5 protocol tcp unreachable'],
  [3, 3, '10.0.1.5 tcp port 1433 unreachable'],
  [3, 4, '10.0.1.5 unreachable - need to frag (mtu 0)'],
  [3, 13, 'host 10.0.1.5 unreachable - admin prohibited filter'],
  [3, 9, '10.0.1.5 unreachable - code 9'],
  [11, 0, 'time exceeded in-transit'],
  [11, 1, 'ip reassembly time exceeded'],
])('ICMP error type %i code %i names what it is about', (type, code, text) => {
  const error = buildIcmpError({ type, code, from: PE }, SAMPLES.syn.bytes);
  expect(describeFrame(error)).toBe(`IP 10.0.1.5 > 10.0.0.4: ICMP ${text}, length 68`);
});

test('an ARP reply and an unknown operation are told', () => {
  const spec = { senderMac: wire.FABRIC_MAC, senderIp: 0x0a000001, targetMac: 4, targetIp: APP, dstMac: 4, srcMac: 5 };
  const reply = buildArp({ ...spec, operation: wire.ARP_REPLY });
  expect(describeFrame(reply)).toBe('ARP, Reply 10.0.0.1 is-at 12:34:56:78:9a:bc, length 28');
  expect(describeFrame(buildArp({ ...spec, operation: 9 }))).toBe('ARP, operation 9, length 28');
});

test('other protocols and EtherTypes are named', () => {
  const esp = buildFrame({ src: APP, dst: PE, protocol: wire.PROTOCOL_ESP, payload: ascii('abcd') });
  expect(describeFrame(esp)).toBe('IP 10.0.0.4 > 10.0.1.5: esp, length 4');
  const ipv6 = describeFrame(hex('333300000001 000d3a000004 86dd 6000'));
  expect(ipv6).toBe('00:0d:3a:00:00:04 > 33:33:00:00:00:01, ethertype 0x86dd, length 16');
});

test('a wrong checksum is told at the end', () => {
  const bytes = SAMPLES.udp.bytes.slice();
  bytes[bytes.length - 1] ^= 1;
  expect(describeFrame(bytes)).toBe(`${SAMPLES.udp.line} [bad checksum]`);
});
