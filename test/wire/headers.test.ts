// Bytes and fields of every header without variable parts: reading known bytes, and writing the same bytes into a
// poisoned buffer. The header starts at byte 3, so that a forgotten offset shows.
import { describe, expect, test } from 'vitest';
import * as wire from '../../src/wire/index.ts';
import { hex, poisoned } from './bytes.ts';

const AT = 3;

function framesOf(text: string): DataView {
  const { bytes, frames } = poisoned(AT + hex(text).length + 3);
  bytes.set(hex(text), AT);
  return frames;
}

/** What `write` left in a poisoned buffer between AT and the same number of poisoned bytes after it. */
function written(length: number, write: (frames: DataView) => void): Uint8Array {
  const { bytes, frames } = poisoned(AT + length + 3);
  write(frames);
  expect([...bytes.subarray(0, AT), ...bytes.subarray(AT + length)]).toEqual(Array(6).fill(0xa5));
  return bytes.subarray(AT, AT + length);
}

describe('Ethernet', () => {
  // 00:0d:3a:00:00:04 > 12:34:56:78:9a:bc, ethertype IPv4
  const bytes = '123456789abc 000d3a000004 0800';

  test('the fields are read', () => {
    const frames = framesOf(bytes);
    expect(wire.ethernetDst(frames, AT)).toBe(0x123456789abc);
    expect(wire.ethernetSrc(frames, AT)).toBe(0x000d3a000004);
    expect(wire.ethernetType(frames, AT)).toBe(wire.ETHERTYPE_IPV4);
  });

  test('the fields are written', () => {
    const result = written(wire.ETHERNET_HEADER, (frames) => {
      wire.setEthernetDst(frames, AT, 0x123456789abc);
      wire.setEthernetSrc(frames, AT, 0x000d3a000004);
      wire.setEthernetType(frames, AT, wire.ETHERTYPE_IPV4);
    });
    expect(result).toEqual(hex(bytes));
  });

  test('the broadcast address is read and written without losing its high bits', () => {
    const result = written(14, (frames) => {
      wire.setEthernetDst(frames, AT, wire.BROADCAST_MAC);
      wire.setEthernetSrc(frames, AT, 0xfedcba987654);
      wire.setEthernetType(frames, AT, 0);
    });
    expect(wire.ethernetDst(wire.viewOf(result), 0)).toBe(0xffffffffffff);
    expect(wire.ethernetSrc(wire.viewOf(result), 0)).toBe(0xfedcba987654);
  });
});

describe('ARP', () => {
  // ARP, Reply 10.0.0.1 is-at 12:34:56:78:9a:bc, length 28
  const bytes = '0001 0800 06 04 0002 123456789abc 0a000001 000d3a000004 0a000004';

  test('the fields are read', () => {
    const frames = framesOf(bytes);
    expect(wire.isIpv4OverEthernetArp(frames, AT)).toBe(true);
    expect(wire.arpOperation(frames, AT)).toBe(wire.ARP_REPLY);
    expect(wire.arpSenderMac(frames, AT)).toBe(0x123456789abc);
    expect(wire.arpSenderIp(frames, AT)).toBe(0x0a000001);
    expect(wire.arpTargetMac(frames, AT)).toBe(0x000d3a000004);
    expect(wire.arpTargetIp(frames, AT)).toBe(0x0a000004);
  });

  test('the fields are written', () => {
    const result = written(wire.ARP_LENGTH, (frames) => {
      wire.setIpv4OverEthernetArp(frames, AT);
      wire.setArpOperation(frames, AT, wire.ARP_REPLY);
      wire.setArpSenderMac(frames, AT, 0x123456789abc);
      wire.setArpSenderIp(frames, AT, 0x0a000001);
      wire.setArpTargetMac(frames, AT, 0x000d3a000004);
      wire.setArpTargetIp(frames, AT, 0x0a000004);
    });
    expect(result).toEqual(hex(bytes));
  });

  test.each([0, 1, 2, 3, 4, 5])('another value in byte %i is not IPv4 over Ethernet', (offset) => {
    const frames = framesOf(bytes);
    frames.setUint8(AT + offset, 0xee);
    expect(wire.isIpv4OverEthernetArp(frames, AT)).toBe(false);
  });
});

describe('TCP', () => {
  // IP 10.0.0.4.50000 > 10.0.1.5.1433: Flags [P.U], seq 4294967295, ack 2147483649, win 512, urg 9
  const bytes = 'c3500599 ffffffff 80000001 70380200 62200009';

  test('the fields are read, sequence numbers unsigned', () => {
    const frames = framesOf(bytes);
    expect(wire.tcpSrcPort(frames, AT)).toBe(50000);
    expect(wire.tcpDstPort(frames, AT)).toBe(1433);
    expect(wire.tcpSeq(frames, AT)).toBe(0xffffffff);
    expect(wire.tcpAck(frames, AT)).toBe(0x80000001);
    expect(wire.tcpHeaderLength(frames, AT)).toBe(28);
    expect(wire.tcpFlags(frames, AT)).toBe(wire.TCP_PSH | wire.TCP_ACK | wire.TCP_URG);
    expect(wire.tcpWindow(frames, AT)).toBe(512);
    expect(wire.tcpChecksum(frames, AT)).toBe(0x6220);
    expect(wire.tcpUrgent(frames, AT)).toBe(9);
  });

  test('the fields are written, sequence numbers modulo 2^32', () => {
    const result = written(wire.TCP_HEADER_MIN, (frames) => {
      wire.setTcpSrcPort(frames, AT, 50000);
      wire.setTcpDstPort(frames, AT, 1433);
      wire.setTcpSeq(frames, AT, 2 ** 33 - 1);
      wire.setTcpAck(frames, AT, 0x80000001 - 2 ** 32);
      wire.setTcpHeaderLength(frames, AT, 28);
      wire.setTcpFlags(frames, AT, wire.TCP_PSH | wire.TCP_ACK | wire.TCP_URG);
      wire.setTcpWindow(frames, AT, 512);
      wire.setTcpChecksum(frames, AT, 0x6220);
      wire.setTcpUrgent(frames, AT, 9);
    });
    expect(result).toEqual(hex(bytes));
  });

  test.each([
    [wire.TCP_SYN, 'S'],
    [wire.TCP_SYN | wire.TCP_ACK, 'S.'],
    [wire.TCP_PSH | wire.TCP_ACK, 'P.'],
    [wire.TCP_FIN | wire.TCP_ACK, 'F.'],
    [wire.TCP_RST, 'R'],
    [wire.TCP_ACK, '.'],
    [wire.TCP_SYN | wire.TCP_ECE | wire.TCP_CWR, 'SEW'],
    [0xff, 'FSRP.UEW'],
    [0, 'none'],
  ])('flags %i are printed as %s', (flags, text) => {
    expect(wire.tcpFlagsText(flags)).toBe(text);
  });
});

describe('UDP', () => {
  // IP 10.0.0.4.53001 > 168.63.129.16.53: UDP, length 3
  const bytes = 'cf090035 000b38e3';

  test('the fields are read', () => {
    const frames = framesOf(bytes);
    expect(wire.udpSrcPort(frames, AT)).toBe(53001);
    expect(wire.udpDstPort(frames, AT)).toBe(53);
    expect(wire.udpLength(frames, AT)).toBe(11);
    expect(wire.udpChecksum(frames, AT)).toBe(0x38e3);
  });

  test('the fields are written', () => {
    const result = written(wire.UDP_HEADER, (frames) => {
      wire.setUdpSrcPort(frames, AT, 53001);
      wire.setUdpDstPort(frames, AT, 53);
      wire.setUdpLength(frames, AT, 11);
      wire.setUdpChecksum(frames, AT, 0x38e3);
    });
    expect(result).toEqual(hex(bytes));
  });
});

describe('ICMP', () => {
  // IP 10.0.0.4 > 10.0.0.5: ICMP echo request, id 7, seq 1
  const bytes = '08001927 00070001';

  test('the fields of an echo request are read', () => {
    const frames = framesOf(bytes);
    expect(wire.icmpType(frames, AT)).toBe(wire.ICMP_ECHO_REQUEST);
    expect(wire.icmpCode(frames, AT)).toBe(0);
    expect(wire.icmpChecksum(frames, AT)).toBe(0x1927);
    expect(wire.icmpId(frames, AT)).toBe(7);
    expect(wire.icmpSequence(frames, AT)).toBe(1);
    expect(wire.icmpRest(frames, AT)).toBe(0x00070001);
  });

  test('the fields of an echo request are written', () => {
    const result = written(wire.ICMP_HEADER, (frames) => {
      wire.setIcmpType(frames, AT, wire.ICMP_ECHO_REQUEST);
      wire.setIcmpCode(frames, AT, 0);
      wire.setIcmpChecksum(frames, AT, 0x1927);
      wire.setIcmpId(frames, AT, 7);
      wire.setIcmpSequence(frames, AT, 1);
    });
    expect(result).toEqual(hex(bytes));
  });

  test('the next-hop MTU is in the last two bytes of fragmentation needed', () => {
    const result = written(wire.ICMP_HEADER, (frames) => {
      wire.setIcmpType(frames, AT, wire.ICMP_UNREACHABLE);
      wire.setIcmpCode(frames, AT, wire.ICMP_FRAGMENTATION_NEEDED);
      wire.setIcmpChecksum(frames, AT, 0);
      wire.setIcmpRest(frames, AT, 0);
      wire.setIcmpNextHopMtu(frames, AT, 1400);
    });
    expect(result).toEqual(hex('03040000 00000578'));
    expect(wire.icmpNextHopMtu(wire.viewOf(result), 0)).toBe(1400);
  });

  test('exactly the types that quote a datagram are errors', () => {
    const errors = Array.from({ length: 256 }, (_, type) => type).filter((type) => wire.isIcmpError(type));
    expect(errors).toEqual([3, 4, 5, 11, 12]);
  });
});
