// Flow logs of NICs (DIAG-20 to DIAG-30): watches every pass and keeps one entry per NIC and connection. TCP and UDP
// only: ICMP is not logged (DIAG-21). A private endpoint has no record of its own (DIAG-24): the flow stands at the NIC
// that sends, with the endpoint's address.

import {
  NONE,
  PROV_DROP_AT,
  PROV_IN_ADMIN_RULE,
  PROV_IN_NIC_RULE,
  PROV_IN_SUBNET_RULE,
  PROV_OUT_ADMIN_RULE,
  PROV_OUT_NIC_RULE,
  PROV_OUT_SUBNET_RULE,
} from '../../abi/provenance.ts';
import { parseFrame, type ParsedIpv4, PROTOCOL_TCP, TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from '../../wire/index.ts';
import type { AttachmentInfo, RuleInfo, SideTable } from '../compile/compiled.ts';
import { idKey, type Network } from '../model/resources.ts';
import { type FlowCounters, type FlowState, type FlowTuple, NO_COUNTERS } from './tuple.ts';

/** What a flow log needs to know of one pass of one packet; times in nanoseconds of virtual time. */
export interface FlowEvent {
  readonly timeNs: number;
  readonly ingress: number;
  readonly egress: number;
  readonly provenance: Int32Array;
  readonly sideTable: SideTable;
  readonly before: Uint8Array;
  /** As delivered. */
  readonly after?: Uint8Array;
}

export interface FlowRecord extends FlowTuple {
  readonly nic: AttachmentInfo;
  /** Rule that decided last; undefined where no group and no admin rule is. */
  readonly rule?: RuleInfo;
  /** Version 2 tells neither the end nor counters of this flow (NSG-34). */
  readonly isStateless: boolean;
}

const NS_PER_MS = 1e6;
/** 2026-01-01T00:00:00Z, virtual time 0. */
const START_MS = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;
const CONTINUE_MS = 5 * MINUTE_MS;
const IDLE_MS = 4 * MINUTE_MS;

interface Flow {
  readonly first: Omit<FlowRecord, 'timeMs' | 'state' | 'counters'>;
  isDenied: boolean;
  isEnded: boolean;
  /** Sides that have sent FIN: 1 the initiator, 2 the other one. */
  finished: number;
  recordedMs: number;
  seenMs: number;
  counters: FlowCounters;
}

export class FlowLogRecorder {
  readonly #network: Network;
  readonly #records: FlowRecord[] = [];
  readonly #flows = new Map<string, Flow>();
  #nextDueMs = Infinity;

  constructor(network: Network) {
    this.#network = network;
  }

  /** Records so far, in the order of time per flow. */
  get records(): readonly FlowRecord[] {
    return this.#records;
  }

  /** Takes note of a pass; events come in the order of time. */
  note(event: FlowEvent): void {
    this.advance(event.timeNs);
    const sent = parseFrame(event.before);
    if (sent.kind !== 'ipv4') return;
    const { provenance, sideTable, ingress, egress } = event;
    const sender = sideTable.attachments[ingress];
    const out = ruleOf(event, [PROV_OUT_ADMIN_RULE, PROV_OUT_NIC_RULE, PROV_OUT_SUBNET_RULE]);
    if (sender?.kind === 'nic') this.#packet(event, sender, sent, 'Outbound', out);
    const droppedAt = provenance[PROV_DROP_AT] ?? NONE;
    const receiver = sideTable.attachments[egress === NONE ? droppedAt : egress];
    if (receiver?.kind !== 'nic' || out?.access === 'Deny') return;
    const rule = ruleOf(event, [PROV_IN_ADMIN_RULE, PROV_IN_SUBNET_RULE, PROV_IN_NIC_RULE]);
    if (egress === NONE && (droppedAt === ingress || rule?.access !== 'Deny')) return;
    const received = event.after === undefined ? sent : parseFrame(event.after);
    if (received.kind === 'ipv4') this.#packet(event, receiver, received, 'Inbound', rule);
  }

  /** Writes the continuation records and the ends by idleness that are due at this time (nanoseconds). */
  advance(timeNs: number): void {
    const nowMs = stampOf(timeNs);
    if (nowMs < this.#nextDueMs) return;
    this.#nextDueMs = Infinity;
    for (const [key, flow] of this.#flows) {
      for (let due = dueMs(flow); due <= nowMs; due = dueMs(flow)) {
        if (due < flow.seenMs + IDLE_MS) {
          this.#write(flow, 'C', due);
          continue;
        }
        if (!flow.isDenied && !flow.isEnded) this.#write(flow, 'E', due);
        this.#flows.delete(key);
        break;
      }
      if (this.#flows.has(key)) this.#nextDueMs = Math.min(this.#nextDueMs, dueMs(flow));
    }
  }

  #packet(
    event: FlowEvent,
    nic: AttachmentInfo,
    packet: ParsedIpv4,
    direction: FlowTuple['direction'],
    rule: RuleInfo | undefined,
  ): void {
    const ports = packet.tcp ?? packet.udp;
    if (ports === undefined) return;
    const { src, dst, protocol } = packet;
    const { srcPort, dstPort } = ports;
    const timeMs = stampOf(event.timeNs);
    const key = [nic.attachment, protocol, src, srcPort, dst, dstPort].join(' ');
    const back = [nic.attachment, protocol, dst, dstPort, src, srcPort].join(' ');
    const isReply = !this.#flows.has(key) && this.#flows.has(back);
    const isDenied = rule?.access === 'Deny';
    const tcpFlags = packet.tcp?.flags ?? 0;
    const isNew = (tcpFlags & (TCP_SYN | TCP_ACK)) === TCP_SYN;
    let flow = this.#flows.get(isReply ? back : key);
    if (flow === undefined || flow.isDenied !== isDenied || (flow.isEnded && isNew)) {
      // Neither answers nor resets open a flow; a rule that closes one (NSG-29) ends it.
      if ((flow !== undefined && isReply) || (tcpFlags & TCP_RST) !== 0) return;
      if (flow !== undefined && isDenied && !flow.isEnded) this.#write(flow, 'E', timeMs);
      const first = { src, dst, srcPort, dstPort, protocol, direction, nic, isStateless: false };
      const isStateless = this.#isStateless(first, rule);
      const decided = rule === undefined ? {} : { rule };
      flow = newFlow({ ...first, isStateless, ...decided }, isDenied, timeMs);
      this.#flows.set(key, flow);
      this.#write(flow, isDenied ? 'D' : 'B', timeMs);
    }
    flow.seenMs = timeMs;
    this.#nextDueMs = Math.min(this.#nextDueMs, dueMs(flow));
    if (isDenied || flow.isEnded) return;
    flow.counters = added(flow.counters, packet.totalLength, isReply);
    if (protocol === PROTOCOL_TCP) this.#followTcp(flow, tcpFlags, isReply, timeMs);
  }

  /** A TCP flow ends at a reset, or at the packet that follows the second FIN. */
  #followTcp(flow: Flow, flags: number, isReply: boolean, timeMs: number): void {
    const wasFinished = flow.finished === 3;
    if ((flags & TCP_FIN) !== 0) flow.finished |= isReply ? 2 : 1;
    if ((flags & TCP_RST) === 0 && !wasFinished) return;
    this.#write(flow, 'E', timeMs);
    flow.isEnded = true;
  }

  #write(flow: Flow, state: FlowState, timeMs: number): void {
    this.#records.push({ ...flow.first, timeMs, state, counters: flow.counters });
    flow.counters = NO_COUNTERS;
    flow.recordedMs = timeMs;
  }

  /** NSG-34: inbound TCP by a user rule, in a network without flowTimeoutInMinutes. */
  #isStateless({ direction, protocol, nic }: Flow['first'], rule: RuleInfo | undefined): boolean {
    if (direction !== 'Inbound' || protocol !== PROTOCOL_TCP) return false;
    if (rule === undefined || rule.isDefault || rule.isAdmin === true) return false;
    const found = this.#network.networkInterfaces.find(({ id }) => id === nic.id);
    const subnet = idKey(found?.properties.ipConfigurations[0]?.properties.subnet.id ?? '');
    const vnet = this.#network.virtualNetworks.find(({ id }) => subnet.startsWith(`${idKey(id)}/`));
    return vnet?.properties.flowTimeoutInMinutes === undefined;
  }
}

/** The rule that decided last at one side; undefined when none was asked. */
function ruleOf({ provenance, sideTable }: FlowEvent, words: readonly number[]): RuleInfo | undefined {
  const decided = words.map((word) => sideTable.rules[provenance[word] ?? NONE]).filter((rule) => rule !== undefined);
  return decided.at(-1);
}

function newFlow(first: Flow['first'], isDenied: boolean, timeMs: number): Flow {
  const base = { first, isDenied, isEnded: false, finished: 0 };
  return { ...base, recordedMs: timeMs, seenMs: timeMs, counters: NO_COUNTERS };
}

/** When something happens to a flow by time alone: the next record (every five minutes), or its end. */
function dueMs(flow: Flow): number {
  const idle = flow.seenMs + IDLE_MS;
  return flow.isDenied || flow.isEnded ? idle : Math.min(idle, flow.recordedMs + CONTINUE_MS);
}

function added(counters: FlowCounters, bytes: number, isReply: boolean): FlowCounters {
  const { packetsSent, bytesSent, packetsReceived, bytesReceived } = counters;
  return isReply
    ? { ...counters, packetsReceived: packetsReceived + 1, bytesReceived: bytesReceived + bytes }
    : { ...counters, packetsSent: packetsSent + 1, bytesSent: bytesSent + bytes };
}

function stampOf(timeNs: number): number {
  return START_MS + Math.floor(timeNs / NS_PER_MS);
}
