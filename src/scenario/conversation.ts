// Which packets belong together: a flow, its replies, and what translation and appliances make of them. A scenario step
// judges only the packets that it caused, also while other traffic runs.

import { ETHERNET_HEADER, ICMP_HEADER, isIcmpError, parseFrame, PROTOCOL_ICMP } from '../wire/index.ts';
import { readFiveTuple, viewOf } from '../wire/index.ts';
import type { FiveTuple } from '../wire/index.ts';
import type { PacketEvent } from './simulation/simulation-api.ts';

/** Flows with a label each: 0 unless the caller tells several connections apart. */
export class Conversation {
  /** Labels of flows by the attachment that sends them: two networks may use the same addresses. */
  readonly #flows = new Map<string, number>();
  readonly #packets = new Map<number, number>();

  /** A flow that leaves this attachment belongs to the conversation. */
  addFlow(attachment: number, tuple: FiveTuple, label = 0): void {
    this.#flows.set(flowKey(attachment, tuple), label);
  }

  addPacket(packetId: number, label = 0): void {
    this.#packets.set(packetId, label);
  }

  /** The label when the pass belongs here; then what it leads to does too: the reply, the packet passed on. */
  follow(event: PacketEvent): number | undefined {
    const sent = tupleOf(event.before);
    const label = this.#packets.get(event.packetId) ?? this.#labelOf(event.ingress, sent, event.before);
    if (label === undefined) return undefined;
    this.#packets.set(event.packetId, label);
    if (sent !== undefined) this.#flows.set(flowKey(event.ingress, sent), label);
    const arrived = event.after === undefined ? undefined : tupleOf(event.after);
    if (arrived !== undefined && event.egress >= 0) this.#flows.set(reverseKey(event.egress, arrived), label);
    return label;
  }

  // An ICMP error belongs to the flow whose header it carries.
  #labelOf(ingress: number, sent: FiveTuple | undefined, frame: Uint8Array): number | undefined {
    const label = sent === undefined ? undefined : this.#flows.get(flowKey(ingress, sent));
    if (label !== undefined || sent?.protocol !== PROTOCOL_ICMP) return label;
    const quoted = quotedTuple(frame);
    return quoted === undefined ? undefined : this.#flows.get(reverseKey(ingress, quoted));
  }
}

/** The five-tuple of a frame; undefined when it has none (ARP, later fragments, malformed frames). */
export function tupleOf(frame: Uint8Array): FiveTuple | undefined {
  const parsed = parseFrame(frame);
  return parsed.kind === 'ipv4' ? readFiveTuple(viewOf(frame), ETHERNET_HEADER) : undefined;
}

function quotedTuple(frame: Uint8Array): FiveTuple | undefined {
  const parsed = parseFrame(frame);
  if (parsed.kind !== 'ipv4' || parsed.icmp === undefined || !isIcmpError(parsed.icmp.type)) return undefined;
  const inner = parsed.l4 + ICMP_HEADER;
  return frame.length < inner + 28 ? undefined : readFiveTuple(viewOf(frame), inner);
}

function flowKey(attachment: number, tuple: FiveTuple): string {
  return `${attachment} ${tuple.protocol} ${tuple.src}:${tuple.srcPort} ${tuple.dst}:${tuple.dstPort}`;
}

function reverseKey(attachment: number, tuple: FiveTuple): string {
  return `${attachment} ${tuple.protocol} ${tuple.dst}:${tuple.dstPort} ${tuple.src}:${tuple.srcPort}`;
}
