// Header fields of a frame in the words of expectations: what a capture would show of it.

import {
  formatIpv4,
  formatMac,
  parseFrame,
  protocolName,
  tcpFlagsText,
  TCP_ACK,
  TCP_FIN,
  TCP_PSH,
} from '../wire/index.ts';
import { TCP_RST, TCP_SYN, TCP_URG } from '../wire/index.ts';
import type { HeaderFields } from './format/expectation-schema.ts';

export type HeaderValue = string | number;

/** All header fields of a frame that expectations know; a frame that is not IPv4 has only its MAC addresses. */
export function headersOf(frame: Uint8Array): Partial<Record<keyof HeaderFields, HeaderValue>> {
  const parsed = parseFrame(frame);
  if (parsed.kind === 'malformed') return {};
  const macs = { srcMac: formatMac(parsed.srcMac), dstMac: formatMac(parsed.dstMac) };
  if (parsed.kind !== 'ipv4') return macs;
  const { tcp, udp, icmp } = parsed;
  return {
    ...macs,
    src: formatIpv4(parsed.src),
    dst: formatIpv4(parsed.dst),
    ttl: parsed.ttl,
    protocol: protocolName(parsed.protocol),
    length: parsed.totalLength,
    id: parsed.id,
    payload: parsed.payloadLength,
    ...(tcp && { sport: tcp.srcPort, dport: tcp.dstPort, flags: tcpFlagsText(tcp.flags), seq: tcp.seq, ack: tcp.ack }),
    ...(udp && { sport: udp.srcPort, dport: udp.dstPort }),
    ...(icmp && { icmpType: icmp.type, icmpCode: icmp.code }),
  };
}

/** True when a header field is what the user expected, in any of the notations he may use for it. */
export function headerMatches(
  key: keyof HeaderFields,
  expected: HeaderValue,
  actual: HeaderValue | undefined,
): boolean {
  if (actual === undefined) return false;
  if (key === 'flags') return parseTcpFlags(String(expected)) === parseTcpFlags(String(actual));
  if (key === 'protocol' && typeof expected === 'number') return protocolName(expected) === actual;
  return String(expected).toLowerCase() === String(actual).toLowerCase();
}

const FLAG_LETTERS: Readonly<Record<string, number>> = {
  S: TCP_SYN,
  F: TCP_FIN,
  R: TCP_RST,
  P: TCP_PSH,
  A: TCP_ACK,
  '.': TCP_ACK,
  U: TCP_URG,
};

/** `S`, `S.`, `SA`, `P.`, `FA` as TCP flag bits; undefined when a letter is no flag. */
export function parseTcpFlags(text: string): number | undefined {
  let flags = 0;
  for (const letter of text.toUpperCase()) {
    const flag = FLAG_LETTERS[letter];
    if (flag === undefined) return text.toLowerCase() === 'none' ? 0 : undefined;
    flags |= flag;
  }
  return flags;
}
