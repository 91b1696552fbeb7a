// TCP connections as the fabric sees them go by, so that it can end one towards both of its ends: at the idle time-out
// of a load balancing rule with TCP reset (LB-5), and when a change of the network closes connections once (SEP-2,
// PE-45, ROUTE-46). What an end expects next is what it acknowledged last, in its own numbers.

import { ATTACHMENT, BALANCE_TCP_RESET } from '../../abi/program.ts';
import { PROV_BALANCE_RULE, PROV_ENDPOINT } from '../../abi/provenance.ts';
import {
  buildFrame,
  ETHERNET_HEADER,
  ETHERTYPE_IPV4,
  ethernetType,
  FABRIC_MAC,
  ipv4Dst,
  ipv4HeaderLength,
  ipv4IsFragment,
  ipv4Protocol,
  ipv4Src,
  PROTOCOL_TCP,
  TCP_ACK,
  TCP_FIN,
  TCP_RST,
  TCP_SYN,
  tcpAck,
  tcpDstPort,
  tcpFlags,
  tcpSrcPort,
  viewOf,
} from '../../wire/index.ts';
import type { Compiled } from '../../control/compile/compiled.ts';
import type { GuestTimer } from '../../guest/guest.ts';

/** One end, with the addresses that its guest sees. */
export interface WatchedEnd {
  readonly attachment: number;
  readonly address: number;
  readonly port: number;
  readonly remoteAddress: number;
  readonly remotePort: number;
}

/** One connection over one crossing of the fabric. */
export interface WatchedConnection {
  /** Who sent the SYN. */
  readonly opener: WatchedEnd;
  readonly other: WatchedEnd;
  /** Id of the private endpoint crossed. */
  readonly endpoint: string | undefined;
}

/** One pass, as far as the watch needs it. */
export interface WatchedPass {
  readonly timeNs: number;
  readonly ingress: number;
  readonly egress: number;
  readonly provenance: Int32Array;
}

/** What the watch asks of its simulation. */
export interface WatchServices {
  now(): number;
  originate(egress: number, frame: Uint8Array, text: string): void;
  at(timeNs: number, callback: () => void, options: { readonly background: boolean }): GuestTimer;
}

/** Connections beyond these are forgotten, oldest first. */
const CONNECTIONS_MAX = 65_536;

export class ConnectionWatch {
  readonly #services: WatchServices;
  /** Every connection twice, by the key of each end. */
  readonly #ends = new Map<string, { readonly connection: Watched; readonly end: End }>();
  #compiled: Compiled | undefined;

  constructor(services: WatchServices) {
    this.#services = services;
  }

  /** The network is another one now. */
  update(compiled: Compiled): void {
    this.#compiled = compiled;
  }

  /** A packet has passed: `before` as its sender wrote it, `after` as its receiver gets it, if anybody does. */
  note(pass: WatchedPass, before: Uint8Array, after: Uint8Array | undefined): void {
    const sent = readSegment(before);
    if (sent === undefined) return;
    const isSyn = (sent.flags & (TCP_SYN | TCP_ACK | TCP_RST)) === TCP_SYN;
    const key = keyOf(pass.ingress, sent.src, sent.srcPort, sent.dst, sent.dstPort);
    if (isSyn && after !== undefined && pass.egress !== pass.ingress) this.#open(pass, sent, after);
    const found = this.#ends.get(key);
    if (found === undefined) return;
    const { connection, end } = found;
    connection.lastNs = pass.timeNs;
    if ((sent.flags & TCP_RST) !== 0) return this.#forget(connection);
    if ((sent.flags & TCP_ACK) !== 0) end.expected = sent.ack;
    if ((sent.flags & TCP_FIN) !== 0) end.isFinished = true;
    if (connection.opener.isFinished && connection.other.isFinished) return this.#forget(connection);
    if (isEstablished(connection)) this.#startClock(connection);
  }

  /** Sends RST to both ends of every established connection that `isMeant`, once; how many there were. */
  reset(isMeant: (connection: WatchedConnection) => boolean, text: string): number {
    let count = 0;
    for (const { connection } of this.#ends.values()) {
      if (connection.isOver || !isEstablished(connection) || !isMeant(connection)) continue;
      this.#reset(connection, text);
      count++;
    }
    return count;
  }

  #open(pass: WatchedPass, sent: Segment, after: Uint8Array): void {
    const received = readSegment(after);
    if (received === undefined) return;
    const opener = endOf(pass.ingress, sent.src, sent.srcPort, sent.dst, sent.dstPort);
    const other = endOf(pass.egress, received.dst, received.dstPort, received.src, received.srcPort);
    for (const end of [opener, other]) {
      const existing = this.#ends.get(keyOfEnd(end));
      if (existing !== undefined) this.#forget(existing.connection);
    }
    const connection: Watched = {
      opener,
      other,
      endpoint: this.#compiled?.sideTable.endpoints[pass.provenance[PROV_ENDPOINT] as number]?.id,
      idleNs: this.#idleNsOf(pass.provenance[PROV_BALANCE_RULE] as number),
      lastNs: pass.timeNs,
      isOver: false,
      clock: undefined,
    };
    this.#ends.set(keyOfEnd(opener), { connection, end: opener });
    this.#ends.set(keyOfEnd(other), { connection, end: other });
    if (this.#ends.size <= 2 * CONNECTIONS_MAX) return;
    for (const oldest of this.#ends.values()) return this.#forget(oldest.connection);
  }

  /** LB-5: the idle time of a rule with TCP reset, nanoseconds; undefined without. */
  #idleNsOf(rule: number): number | undefined {
    if (rule < 0 || this.#compiled === undefined) return undefined;
    const { balanceRules, natPools } = this.#compiled.program;
    if (((balanceRules.flags[rule] as number) & BALANCE_TCP_RESET) === 0) return undefined;
    return (natPools.idleMs[balanceRules.clock[rule] as number] as number) * 1e6;
  }

  #startClock(connection: Watched): void {
    const { idleNs } = connection;
    if (idleNs === undefined || connection.clock !== undefined) return;
    const check = (): void => {
      connection.clock = undefined;
      if (connection.isOver) return;
      const dueNs = connection.lastNs + idleNs;
      if (this.#services.now() < dueNs) connection.clock = this.#services.at(dueNs, check, { background: true });
      else this.#reset(connection, 'idle time-out of a load balancing rule with TCP reset (LB-5)');
    };
    connection.clock = this.#services.at(connection.lastNs + idleNs, check, { background: true });
  }

  #reset(connection: Watched, text: string): void {
    const { opener, other } = connection;
    this.#forget(connection);
    for (const end of [opener, other]) {
      if (this.#isThere(end)) this.#services.originate(end.attachment, resetFrame(end, this.#macOf(end)), text);
    }
  }

  #isThere({ attachment }: End): boolean {
    const kind = this.#compiled?.program.attachments.kind[attachment];
    return kind !== undefined && kind !== ATTACHMENT.gone;
  }

  #macOf({ attachment }: End): number {
    const { macHigh, macLow } = (this.#compiled as Compiled).program.attachments;
    return (macHigh[attachment] as number) * 2 ** 32 + ((macLow[attachment] as number) >>> 0);
  }

  #forget(connection: Watched): void {
    connection.isOver = true;
    connection.clock?.cancel();
    for (const end of [connection.opener, connection.other]) {
      const key = keyOfEnd(end);
      if (this.#ends.get(key)?.connection === connection) this.#ends.delete(key);
    }
  }
}

interface End extends WatchedEnd {
  /** What it acknowledged last. */
  expected: number | undefined;
  isFinished: boolean;
}

interface Watched extends WatchedConnection {
  readonly opener: End;
  readonly other: End;
  readonly idleNs: number | undefined;
  lastNs: number;
  isOver: boolean;
  clock: GuestTimer | undefined;
}

interface Segment {
  readonly src: number;
  readonly srcPort: number;
  readonly dst: number;
  readonly dstPort: number;
  readonly ack: number;
  readonly flags: number;
}

function isEstablished({ opener, other }: Watched): boolean {
  return opener.expected !== undefined && other.expected !== undefined;
}

function endOf(attachment: number, address: number, port: number, remoteAddress: number, remotePort: number): End {
  return { attachment, address, port, remoteAddress, remotePort, expected: undefined, isFinished: false };
}

function readSegment(frame: Uint8Array): Segment | undefined {
  const frames = viewOf(frame);
  const l3 = ETHERNET_HEADER;
  if (frames.byteLength < l3 + 40 || ethernetType(frames, 0) !== ETHERTYPE_IPV4) return undefined;
  if (ipv4Protocol(frames, l3) !== PROTOCOL_TCP || ipv4IsFragment(frames, l3)) return undefined;
  const l4 = l3 + ipv4HeaderLength(frames, l3);
  return {
    src: ipv4Src(frames, l3),
    srcPort: tcpSrcPort(frames, l4),
    dst: ipv4Dst(frames, l3),
    dstPort: tcpDstPort(frames, l4),
    ack: tcpAck(frames, l4),
    flags: tcpFlags(frames, l4),
  };
}

/** A reset as the other end would have sent it: its sequence number is exactly what this end expects (RFC 5961). */
function resetFrame(end: End, mac: number): Uint8Array {
  return buildFrame({
    srcMac: FABRIC_MAC,
    dstMac: mac,
    src: end.remoteAddress,
    dst: end.address,
    tcp: {
      srcPort: end.remotePort,
      dstPort: end.port,
      seq: end.expected ?? 0,
      flags: TCP_RST,
      window: 0,
    },
  });
}

function keyOfEnd({ attachment, address, port, remoteAddress, remotePort }: End): string {
  return keyOf(attachment, address, port, remoteAddress, remotePort);
}

function keyOf(attachment: number, address: number, port: number, remoteAddress: number, remotePort: number): string {
  return `${attachment} ${address}:${port} ${remoteAddress}:${remotePort}`;
}
