// Delivery to a NIC: what the peering lets through, the receiver's rules, the destination check. Exits and service
// sides take what was routed to them.
//
// Reads   egress, new addresses.     Writes  fate, provenance.
// Drops   FORWARDED_TRAFFIC_NOT_ALLOWED, NSG_DENY (inbound), IP_FORWARDING_DISABLED, MTU_EXCEEDED.

import { DROP } from '../../abi/drop-reasons.ts';
import { ATTACHMENT, NIC_IP_FORWARDING } from '../../abi/program.ts';
import { PROV_EGRESS, PROV_ESTABLISHED, PROV_TRANSLATION, STAGE, TRANSLATION } from '../../abi/provenance.ts';
import type { Context } from '../context.ts';
import { FATE, dropAt, type Pass } from '../pass.ts';
import { inAddressSpace, ownerAttachment, type Tables } from '../tables.ts';
import { inboundStage } from './security.ts';
import { isFlushed } from './state.ts';

export function deliverStage(pass: Pass, context: Context): void {
  const { connections, tables } = context;
  const { attachments } = tables.program;
  const receiver = pass.egress;
  if (attachments.kind[receiver] === ATTACHMENT.nic) {
    // PLS-7: behind a Private Link service the two networks need not know each other.
    if (pass.provenance[PROV_TRANSLATION] < TRANSLATION.service) checkPeering(pass, tables, receiver);
    if (pass.fate === FATE.drop) return;
    const { protocol, newSrc, newDst, newSrcPort, newDstPort } = pass;
    const record = connections.find(receiver, protocol, newDst, newSrc, newDstPort, newSrcPort);
    pass.peer = record;
    const isLive = record !== 0 && pass.fresh === 0 && connections.isLive(record, pass.now);
    const skip = isRelated(pass) || (isLive && !isFlushed(pass, context, record, receiver));
    if (skip) pass.provenance[PROV_ESTABLISHED] |= 2;
    inboundStage(pass, context, receiver, skip);
    if (pass.fate === FATE.drop) return;
    checkDestination(pass, tables, receiver);
    if (pass.fate === FATE.drop) return;
  }
  pass.fate = FATE.deliver;
  pass.provenance[PROV_EGRESS] = receiver;
}

// ICMP errors about a live connection of the sender's were admitted by the related stage.
function isRelated(pass: Pass): boolean {
  return pass.icmpError === 2;
}

/** PEER-5: from a peered network only that network's own sources, unless the link allows forwarded traffic. Traffic
 * that came in by a gateway needs no such permission. */
function checkPeering(pass: Pass, tables: Tables, receiver: number): void {
  const { attachments, vnets } = tables.program;
  const to = attachments.vnet[receiver];
  const from = pass.network;
  if (pass.kind !== ATTACHMENT.nic || from === to) return;
  const link = tables.peers.get(from * vnets.count + to);
  if (link === undefined) return dropAt(pass, DROP.PEERING_NOT_CONNECTED, STAGE.peering, receiver);
  if (link === 3 || inAddressSpace(tables, from, pass.src)) return;
  dropAt(pass, DROP.FORWARDED_TRAFFIC_NOT_ALLOWED, STAGE.peering, receiver);
}

/** NET-9, after the rules (PIPE-2): a NIC takes foreign destinations only with IP forwarding (NET-8). */
function checkDestination(pass: Pass, tables: Tables, receiver: number): void {
  const { attachments } = tables.program;
  if (pass.totalLength > attachments.mtu[receiver]) {
    return dropAt(pass, DROP.MTU_EXCEEDED, STAGE.ingress, receiver);
  }
  if ((attachments.flags[receiver] & NIC_IP_FORWARDING) !== 0) return;
  if (ownerAttachment(tables, attachments.vnet[receiver], pass.newDst) === receiver) return;
  dropAt(pass, DROP.IP_FORWARDING_DISABLED, STAGE.ingress, receiver);
}
