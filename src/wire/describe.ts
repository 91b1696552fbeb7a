// A frame as one line of text in the manner of tcpdump (with -n and absolute sequence numbers), for test failures,
// traces and logs. Cold code; never throws, whatever the bytes are.
import { formatIpv4, formatMac } from './address.ts';
import { ARP_LENGTH, ARP_REPLY, ARP_REQUEST } from './arp.ts';
import { viewOf } from './build-ipv4.ts';
import { protocolName, readFiveTuple } from './five-tuple.ts';
import * as icmp from './icmp.ts';
import { IPV4_HEADER_MIN, ipv4HeaderLength } from './ipv4.ts';
import { parseFrame, type ParsedArp, type ParsedIcmp, type ParsedIpv4, type ParsedTcp } from './parse.ts';
import type { TcpOptions } from './tcp-options.ts';
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN, TCP_URG, tcpFlagsText } from './tcp.ts';

/** For example `IP 10.0.0.4.50000 > 10.0.1.5.1433: Flags [S], seq 1000, win 65535, options [mss 1460], length 0`. */
export function describeFrame(frame: Uint8Array): string {
  const parsed = parseFrame(frame);
  if (parsed.kind === 'malformed') return `malformed: ${parsed.why}`;
  if (parsed.kind === 'arp') return describeArp(parsed);
  if (parsed.kind === 'ipv4') return describeIpv4(frame, parsed);
  const etherType = parsed.etherType.toString(16).padStart(4, '0');
  return `${formatMac(parsed.srcMac)} > ${formatMac(parsed.dstMac)}, ethertype 0x${etherType}, length ${frame.length}`;
}

function describeArp(arp: ParsedArp): string {
  const sender = formatIpv4(arp.senderIp);
  const length = `length ${ARP_LENGTH}`;
  if (arp.operation === ARP_REQUEST)
    return `ARP, Request who-has ${formatIpv4(arp.targetIp)} tell ${sender}, ${length}`;
  if (arp.operation === ARP_REPLY) return `ARP, Reply ${sender} is-at ${formatMac(arp.senderMac)}, ${length}`;
  return `ARP, operation ${arp.operation}, ${length}`;
}

function describeIpv4(frame: Uint8Array, ip: ParsedIpv4): string {
  const src = formatIpv4(ip.src);
  const dst = formatIpv4(ip.dst);
  let line: string;
  if (ip.tcp !== undefined) {
    line = `IP ${src}.${ip.tcp.srcPort} > ${dst}.${ip.tcp.dstPort}: ${describeTcp(ip.tcp, ip.payloadLength)}`;
  } else if (ip.udp !== undefined) {
    line = `IP ${src}.${ip.udp.srcPort} > ${dst}.${ip.udp.dstPort}: UDP, length ${ip.udp.length - 8}`;
  } else if (ip.icmp !== undefined) {
    const length = ip.payloadLength + icmp.ICMP_HEADER;
    line = `IP ${src} > ${dst}: ICMP ${describeIcmp(frame, ip, ip.icmp)}, length ${length}`;
  } else {
    line = `IP ${src} > ${dst}: ${protocolName(ip.protocol)}, length ${ip.payloadLength}`;
  }
  if (ip.moreFragments || ip.fragmentOffset !== 0) {
    const dataLength = ip.totalLength - (ip.l4 - ip.l3);
    line += ` (frag ${ip.id}:${dataLength}@${ip.fragmentOffset}${ip.moreFragments ? '+' : ''})`;
  }
  return ip.checksumsOk ? line : `${line} [bad checksum]`;
}

function describeTcp(tcp: ParsedTcp, payloadLength: number): string {
  const parts = [`Flags [${tcpFlagsText(tcp.flags)}]`];
  if (payloadLength > 0) parts.push(`seq ${tcp.seq}:${(tcp.seq + payloadLength) % 0x100000000}`);
  else if ((tcp.flags & (TCP_SYN | TCP_FIN | TCP_RST)) !== 0) parts.push(`seq ${tcp.seq}`);
  if ((tcp.flags & TCP_ACK) !== 0) parts.push(`ack ${tcp.ack}`);
  parts.push(`win ${tcp.window}`);
  if ((tcp.flags & TCP_URG) !== 0) parts.push(`urg ${tcp.urgent}`);
  const options = describeTcpOptions(tcp.options);
  if (options !== '') parts.push(`options [${options}]`);
  parts.push(`length ${payloadLength}`);
  return parts.join(', ');
}

/** The known options in the order in which encodeTcpOptions writes them; padding is not shown. */
function describeTcpOptions(options: TcpOptions): string {
  const parts: string[] = [];
  const { mss, windowScale, sackPermitted, sackBlocks, timestamps } = options;
  if (mss !== undefined) parts.push(`mss ${mss}`);
  if (sackPermitted === true) parts.push('sackOK');
  if (timestamps !== undefined) parts.push(`TS val ${timestamps.value} ecr ${timestamps.echoReply}`);
  if (windowScale !== undefined) parts.push(`wscale ${windowScale}`);
  if (sackBlocks !== undefined) {
    const blocks = sackBlocks.map((block) => `{${block.start}:${block.end}}`).join('');
    parts.push(`sack ${sackBlocks.length} ${blocks}`);
  }
  return parts.join(',');
}

function describeIcmp(frame: Uint8Array, ip: ParsedIpv4, header: ParsedIcmp): string {
  const echo = `id ${header.id}, seq ${header.sequence}`;
  switch (header.type) {
    case icmp.ICMP_ECHO_REQUEST:
      return `echo request, ${echo}`;
    case icmp.ICMP_ECHO_REPLY:
      return `echo reply, ${echo}`;
    case icmp.ICMP_UNREACHABLE:
      return describeUnreachable(frame, ip, header);
    case icmp.ICMP_TIME_EXCEEDED:
      return header.code === 0 ? 'time exceeded in-transit' : 'ip reassembly time exceeded';
    case icmp.ICMP_PARAMETER_PROBLEM:
      return `parameter problem - octet ${header.rest >>> 24}`;
    default:
      return `type ${header.type} code ${header.code}`;
  }
}

/** Names what was unreachable from the header that the error quotes, as far as it is there. */
function describeUnreachable(frame: Uint8Array, ip: ParsedIpv4, header: ParsedIcmp): string {
  const frames = viewOf(frame);
  const l3 = ip.payloadOffset;
  const isQuoteUsable = ip.payloadLength >= IPV4_HEADER_MIN && ip.payloadLength >= ipv4HeaderLength(frames, l3);
  const quoted = isQuoteUsable ? readFiveTuple(frames, l3) : undefined;
  const host = quoted === undefined ? '?' : formatIpv4(quoted.dst);
  const protocol = quoted === undefined ? '?' : protocolName(quoted.protocol);
  switch (header.code) {
    case icmp.ICMP_NET_UNREACHABLE:
      return `net ${host} unreachable`;
    case icmp.ICMP_HOST_UNREACHABLE:
      return `host ${host} unreachable`;
    case icmp.ICMP_PROTOCOL_UNREACHABLE:
      return `${host} protocol ${protocol} unreachable`;
    case icmp.ICMP_PORT_UNREACHABLE:
      return `${host} ${protocol} port ${quoted?.dstPort ?? '?'} unreachable`;
    case icmp.ICMP_FRAGMENTATION_NEEDED:
      return `${host} unreachable - need to frag (mtu ${header.sequence})`;
    case icmp.ICMP_ADMIN_PROHIBITED:
      return `host ${host} unreachable - admin prohibited filter`;
    default:
      return `${host} unreachable - code ${header.code}`;
  }
}
