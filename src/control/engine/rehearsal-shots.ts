// The building blocks of the rehearsal's frames: the addresses of its network, single packets, and conversations seen
// from both sides.

import {
  ICMP_PORT_UNREACHABLE,
  ICMP_UNREACHABLE,
  PROTOCOL_TCP,
  TCP_ACK,
  TCP_FIN,
  TCP_SYN,
  buildFrame,
  buildIcmpError,
  fragmentFrame,
  parseIpv4,
  type FrameSpec,
} from '../../wire/index.ts';
import { portsWord } from '../../dataplane/connections.ts';
import { hashKey } from '../../dataplane/flow-table.ts';
import { swap32 } from '../../dataplane/tables.ts';
import type { NicName, Places } from './rehearsal-network.ts';

export const SYN_ACK = TCP_SYN | TCP_ACK;
export const FIN_ACK = TCP_FIN | TCP_ACK;
export const PAYLOAD = new Uint8Array(24).fill(0xc3);

export const ADDRESSES: Readonly<Record<NicName, string>> = {
  client: '172.16.1.4',
  other: '172.16.1.5',
  leaver: '172.16.1.6',
  second: '172.16.4.4',
  appliance: '172.16.3.4',
  plain: '172.16.3.5',
  web: '172.16.3.6',
  worker: '10.1.0.4',
  twin: '10.1.0.4',
};
export const PE = '172.16.0.4';
export const SERVICE = '192.0.2.1';
export const ON_INTERNET = '198.51.100.7';
export const RESOLVER = '168.63.129.16';
export const STORAGE = '20.60.0.1';

/** A frame without its time. */
export interface Shot {
  readonly attachment: number;
  readonly bytes: Uint8Array;
  readonly shard?: number;
  readonly hops?: number;
  readonly duplicate?: boolean;
}

/** A conversation over TCP: what its two sides send, seen where they send it. */
export interface Talk {
  readonly there: (flags: number) => Shot;
  readonly back: (flags: number) => Shot;
}

export function talk(places: Places, from: NicName, to: NicName, srcPort: number, dstPort = 80): Talk {
  const [src, dst] = [ADDRESSES[from], ADDRESSES[to]];
  return {
    there: (flags) => tcp(places.nics[from], src, dst, srcPort, dstPort, flags),
    back: (flags) => tcp(places.nics[to], dst, src, dstPort, srcPort, flags),
  };
}

export function toEndpoint(places: Places, from: NicName, srcPort: number, dstPort = 1433): Talk {
  const src = ADDRESSES[from];
  return {
    there: (flags) => tcp(places.nics[from], src, PE, srcPort, dstPort, flags),
    back: (flags) => tcp(places.provider, SERVICE, src, dstPort, srcPort, flags),
  };
}

export function opening({ there, back }: Talk): Shot[] {
  return [there(TCP_SYN), back(SYN_ACK), there(TCP_ACK), back(TCP_ACK)];
}

export function tcp(
  attachment: number,
  src: string,
  dst: string,
  srcPort: number,
  dstPort: number,
  flags: number,
  shard = 0,
): Shot {
  return shot(attachment, src, dst, { tcp: { srcPort, dstPort, flags, seq: 0xf000_0001, ack: 0xe000_0001 } }, shard);
}

export function udp(attachment: number, src: string, dst: string, srcPort: number, dstPort: number, shard = 0): Shot {
  return shot(attachment, src, dst, { udp: { srcPort, dstPort }, payload: PAYLOAD }, shard);
}

export function echo(attachment: number, src: string, dst: string, type: number, id: number, shard = 0): Shot {
  return shot(attachment, src, dst, { icmp: { type, id, sequence: 1 }, payload: PAYLOAD }, shard);
}

export function shot(attachment: number, src: string, dst: string, spec: Partial<FrameSpec>, shard = 0): Shot {
  return { attachment, bytes: buildFrame({ ...spec, src: parseIpv4(src), dst: parseIpv4(dst) }), shard };
}

/** Without a checksum of its own (RFC 768). */
export function unsummed({ bytes, ...rest }: Shot): Shot {
  return { ...rest, bytes: bytes.slice().fill(0, 40, 42) };
}

export function changed({ bytes, ...rest }: Shot, offset: number, value: number): Shot {
  return { ...rest, bytes: bytes.slice().fill(value, offset, offset + 1) };
}

export function fragments(attachment: number, src: string, dst: string, id: number, shard = 0): Shot[] {
  const spec = { src: parseIpv4(src), dst: parseIpv4(dst), id, udp: { srcPort: 32_001, dstPort: 123 } };
  const whole = buildFrame({ ...spec, payload: new Uint8Array(500) });
  return fragmentFrame(whole, 220).map((bytes) => ({ attachment, bytes, shard }));
}

/** An ICMP error about a packet. */
export function related(attachment: number, from: string, { bytes }: Shot, shard = 0): Shot {
  const error = { type: ICMP_UNREACHABLE, code: ICMP_PORT_UNREACHABLE, from: parseIpv4(from) };
  return { attachment, bytes: buildIcmpError(error, bytes), shard };
}

/** Two connections that want the same entry of the flow index. */
export function rivals(places: Places, indexEntries: number): [Talk, Talk] {
  const key = (places.nics.other << 8) | PROTOCOL_TCP;
  const [src, dst] = [swap32(parseIpv4(ADDRESSES.other)), swap32(parseIpv4(ADDRESSES.second))];
  const portOf = new Map<number, number>();
  for (let port = 1024; port < 65_536; port++) {
    const entry = hashKey(src, dst, portsWord(port, 9), key) & (indexEntries - 1);
    const rival = portOf.get(entry);
    if (rival !== undefined)
      return [talk(places, 'other', 'second', rival, 9), talk(places, 'other', 'second', port, 9)];
    portOf.set(entry, port);
  }
  throw new Error(`no two of 64,512 connections meet in an index of ${indexEntries} entries`);
}
