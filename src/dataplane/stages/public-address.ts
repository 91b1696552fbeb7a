// Public addresses: the explicit outbound methods of NET-17 on the way to the Internet, and the way in. A public IP of
// a NIC translates 1:1 (NET-11); a NAT gateway, a load balancer and default outbound access share addresses by port.
//
// Reads   egress, addresses, ports, record.   Writes  newSrc, newDst, ports, egress, natPool, provenance.
// Drops   NO_OUTBOUND_PATH, OUTBOUND_SMTP_BLOCKED, SNAT_PORT_EXHAUSTED, INBOUND_CLOSED_PUBLIC_IP, NO_SUCH_DESTINATION.

import { DROP } from '../../abi/drop-reasons.ts';
import { SHARDS_PER_GROUP } from '../../abi/limits.ts';
import { ATTACHMENT, NIC_ALLOW_SMTP, NIC_HAS_NSG, OUTBOUND } from '../../abi/program.ts';
import { PROV_NAT, PROV_TRANSLATION, STAGE, TRANSLATION } from '../../abi/provenance.ts';
import { COLD_WORDS, RECORD_WORDS } from '../../abi/regions.ts';
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/ipv4.ts';
import type { Context } from '../context.ts';
import {
  C_NAT,
  C_STATE,
  EGRESS_MASK,
  R_EGRESS,
  R_NEW_DST,
  R_NEW_PORTS,
  R_NEW_SRC,
  STATE_PUBLIC,
} from '../flow-table.ts';
import { NatPorts } from '../nat-ports.ts';
import { dropAt, type Pass } from '../pass.ts';
import { isClock } from './balance.ts';
import { isPortFree } from './nat-port.ts';
import { ownerAttachment, swap16, swap32 } from '../tables.ts';

const SMTP_PORT = 25;

/** NIC towards the Internet. */
export function outboundAddressStage(pass: Pass, context: Context): void {
  const { attachments, publicIps } = context.tables.program;
  const nic = pass.ingress;

  if (pass.protocol === PROTOCOL_TCP && pass.dstPort === SMTP_PORT) {
    if ((attachments.flags[nic] & NIC_ALLOW_SMTP) === 0) return reject(pass, DROP.OUTBOUND_SMTP_BLOCKED); // WIRE-20
  }
  if (reusePublicBinding(pass, context)) return;
  const method = attachments.outbound[nic];
  // NET-11, NET-16: what is translated is the NIC's own address; an appliance has to translate what it forwards itself.
  const isOwn = ownerAttachment(context.tables, pass.network, pass.src) === nic;
  if (method === OUTBOUND.none || !isOwn) return reject(pass, DROP.NO_OUTBOUND_PATH);
  if (method !== OUTBOUND.publicIp) return natOut(pass, context, attachments.outboundIndex[nic], method);
  const row = publicIpOfSource(pass, context);
  if (row < 0) return reject(pass, DROP.NO_OUTBOUND_PATH);
  pass.newSrc = publicIps.address[row];
  pass.provenance[PROV_TRANSLATION] = TRANSLATION.publicIpOut;
  pass.provenance[PROV_NAT] = row;
}

/** The public IP of the ipConfig that the packet's source belongs to, or -1. */
function publicIpOfSource(pass: Pass, context: Context): number {
  const { publicIps } = context.tables.program;
  for (let row = 0; row < publicIps.address.length; row++) {
    if (publicIps.attachment[row] === pass.ingress && publicIps.privateAddress[row] === pass.src) return row;
  }
  return -1;
}

/** A live binding decides: replies of what came in by a public IP leave with it, and a NAT port stays. */
function reusePublicBinding(pass: Pass, context: Context): boolean {
  const { connections, tables } = context;
  const { record } = pass;
  if (record === 0) return false;
  const { cold, records } = connections.table;
  if ((cold[record * COLD_WORDS + C_STATE] & STATE_PUBLIC) === 0) return false;
  if (!connections.isBound(record, pass.now, tables)) return false;
  const e = record * RECORD_WORDS;
  pass.newSrc = swap32(records[e + R_NEW_SRC]);
  pass.newSrcPort = swap16(records[e + R_NEW_PORTS] & 0xffff);
  const pool = cold[record * COLD_WORDS + C_NAT];
  pass.natPool = pool;
  if (isClock(tables, pool)) {
    pass.provenance[PROV_TRANSLATION] = TRANSLATION.balanceReply; // LB-3: a backend answers by the frontend
    return true;
  }
  pass.provenance[PROV_TRANSLATION] = pool < 0 ? TRANSLATION.publicIpOut : TRANSLATION.natOut;
  pass.provenance[PROV_NAT] = pool < 0 ? tables.publicIps.get(0, pass.newSrc) : pool;
  return true;
}

/** Port translation by a pool: the first port of this connection's shard, or of its group, whose reverse five-tuple is
 * free. */
function natOut(pass: Pass, context: Context, pool: number, method: number): void {
  const { natPools } = context.tables.program;
  const isEcho = pass.protocol === PROTOCOL_ICMP && pass.icmpError === 0 && pass.srcPort === pass.dstPort;
  // NET-16: the implicit path carries neither fragments nor ICMP echo, nor does a load balancer (LB-2, WIRE-16); port
  // translation needs ports.
  const isNarrow = method === OUTBOUND.defaultAccess || method === OUTBOUND.balancer;
  if (isNarrow && (isEcho || pass.fragment !== 0)) return reject(pass, DROP.NO_OUTBOUND_PATH);
  if (pass.protocol !== PROTOCOL_TCP && pass.protocol !== PROTOCOL_UDP && !isEcho)
    return reject(pass, DROP.NO_OUTBOUND_PATH);
  if (natPools.addressStart[pool] === natPools.addressStart[pool + 1]) return reject(pass, DROP.NO_OUTBOUND_PATH);
  const shard = (pass.facts >>> 8) & 0xff;
  for (let round = 0; round < SHARDS_PER_GROUP; round++) {
    if (takePort(pass, context, pool, NatPorts.lender(shard, round), isEcho)) return;
  }
  reject(pass, DROP.SNAT_PORT_EXHAUSTED);
}

/** Looks for a free port among those of one shard; true when the pass has one. */
function takePort(pass: Pass, context: Context, pool: number, shard: number, isEcho: boolean): boolean {
  const { natPorts } = context;
  const { natPools, internet } = context.tables.program;
  const first = natPools.addressStart[pool];
  const addresses = natPools.addressStart[pool + 1] - first;
  for (let tries = NatPorts.candidates(addresses); tries > 0; tries--) {
    const candidate = natPorts.next(pool, shard, addresses);
    const address = natPools.address[first + (candidate >>> 16)];
    const port = candidate & 0xffff;
    if (!isPortFree(pass, context, internet, pass.dst, isEcho ? port : pass.dstPort, address, port)) continue;
    pass.newSrc = address;
    pass.newSrcPort = port;
    if (isEcho) pass.newDstPort = port;
    pass.natPool = pool;
    pass.provenance[PROV_TRANSLATION] = TRANSLATION.natOut;
    pass.provenance[PROV_NAT] = pool;
    return true;
  }
  return false;
}

/** From the Internet: a live binding, the public IP of a NIC, or a frontend, whose backend the balancer chooses. */
export function inboundAddressStage(pass: Pass, context: Context): void {
  const { connections, tables } = context;
  const { attachments, publicIps } = tables.program;
  const { record } = pass;
  const { cold, records } = connections.table;
  const isBalanced = isClock(tables, cold[record * COLD_WORDS + C_NAT]);
  if (record !== 0 && !isBalanced && connections.isBound(record, pass.now, tables)) {
    const e = record * RECORD_WORDS;
    pass.egress = records[e + R_EGRESS] & EGRESS_MASK;
    pass.newDst = swap32(records[e + R_NEW_DST]);
    pass.newSrcPort = swap16(records[e + R_NEW_PORTS] & 0xffff);
    pass.newDstPort = swap16(records[e + R_NEW_PORTS] >>> 16);
    const pool = cold[record * COLD_WORDS + C_NAT];
    pass.provenance[PROV_TRANSLATION] = pool < 0 ? TRANSLATION.publicIpIn : TRANSLATION.natIn;
    pass.provenance[PROV_NAT] = pool < 0 ? tables.publicIps.get(0, pass.dst) : pool;
    if (pool >= 0 || publicIps.privateAddress[pass.provenance[PROV_NAT]] === pass.newDst) return;
  }
  const row = tables.publicIps.get(0, pass.dst);
  if (row >= 0 && publicIps.frontend[row] >= 0) {
    pass.frontend = publicIps.frontend[row];
    return;
  }
  if (row < 0 || publicIps.attachment[row] < 0) {
    return dropAt(pass, DROP.NO_SUCH_DESTINATION, STAGE.publicIp, pass.ingress);
  }
  const nic = publicIps.attachment[row];
  pass.egress = nic;
  pass.newDst = publicIps.privateAddress[row];
  pass.newSrcPort = pass.srcPort;
  pass.newDstPort = pass.dstPort;
  pass.provenance[PROV_TRANSLATION] = TRANSLATION.publicIpIn;
  pass.provenance[PROV_NAT] = row;
  if (attachments.kind[nic] !== ATTACHMENT.nic) {
    return dropAt(pass, DROP.NO_SUCH_DESTINATION, STAGE.publicIp, pass.ingress);
  }
  if (pass.established === 1 || publicIps.standard[row] === 0) return;
  // NET-18: with no group on NIC or subnet, a Standard public IP lets nothing in.
  if ((attachments.flags[nic] & NIC_HAS_NSG) === 0) dropAt(pass, DROP.INBOUND_CLOSED_PUBLIC_IP, STAGE.publicIp, nic);
}

function reject(pass: Pass, reason: number): void {
  dropAt(pass, reason, STAGE.publicIp, pass.ingress);
}
