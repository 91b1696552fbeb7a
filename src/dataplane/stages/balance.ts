// Load balancer: a frontend's rule chooses a backend, the destination becomes it; the backend's answer leaves with the
// frontend's address (LB-1 to LB-6). As a next hop the frontend only chooses the appliance (LB-7). A connection stays
// with its backend while its binding lives; the binding stands at the backend and has the rule's clock (LB-5).
//
// Reads   frontend, addresses, ports, record.   Writes  egress, newDst, newDstPort, newSrc, newSrcPort, provenance.
// Drops   BALANCER_NO_RULE, BALANCER_NO_BACKEND, BALANCER_HAIRPIN, BALANCER_FRAGMENT, INBOUND_CLOSED_PUBLIC_IP,
//         PEERING_NOT_CONNECTED (a Basic frontend across a global peering).

import { DROP } from '../../abi/drop-reasons.ts';
import {
  BALANCE_FLOATING_IP,
  DISTRIBUTION,
  FRONTEND_BASIC,
  MEMBER,
  NEXT_HOP,
  NIC_HAS_NSG,
  OUTBOUND,
} from '../../abi/program.ts';
import { PROV_BALANCE_RULE, PROV_ROUTE, PROV_TRANSLATION, STAGE, TRANSLATION } from '../../abi/provenance.ts';
import { COLD_WORDS, RECORD_WORDS } from '../../abi/regions.ts';
import { hashFiveTuple } from '../../wire/five-tuple.ts';
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/ipv4.ts';
import type { Context } from '../context.ts';
import { C_NAT, C_PEER, C_STATE, R_KEY, R_NEW_PORTS, R_NEW_SRC, R_SRC, STATE_BALANCED } from '../flow-table.ts';
import { dropAt, type Pass } from '../pass.ts';
import { swap16, swap32, type Tables } from '../tables.ts';

/** Towards the frontend in `pass.frontend`. */
export function balanceStage(pass: Pass, context: Context): void {
  const { balanceRules, frontends, pools } = context.tables.program;
  const { frontend } = pass;
  if (pass.fragment !== 0) return drop(pass, DROP.BALANCER_FRAGMENT); // WIRE-16
  if (isBasicAcrossRegions(pass, context.tables)) {
    return dropAt(pass, DROP.PEERING_NOT_CONNECTED, STAGE.peering, pass.ingress); // PEER-9
  }
  const kept = boundBackend(pass, context);
  if (pass.icmpError === 2) return kept === 0 ? drop(pass, DROP.BALANCER_NO_RULE) : toBackendOf(pass, context, kept);
  const rule = findRule(context.tables, frontend, pass.protocol, pass.dstPort, false);
  if (rule < 0) return drop(pass, DROP.BALANCER_NO_RULE);
  pass.provenance[PROV_BALANCE_RULE] = rule;
  const isFloating = (balanceRules.flags[rule] & BALANCE_FLOATING_IP) !== 0;
  let member = -1;
  if (kept !== 0) member = keptMember(pass, context, rule, kept, isFloating ? 0 : backendAddress(context, kept));
  if (member < 0) {
    member = chooseMember(context.tables, rule, pass.protocol, pass.src, pass.srcPort, pass.dst, pass.dstPort);
  }
  if (member < 0) return drop(pass, DROP.BALANCER_NO_BACKEND);
  pass.egress = pools.attachment[member];
  if (!isFloating) {
    pass.newDst = pools.address[member];
    if (balanceRules.backendPort[rule] !== 0) pass.newDstPort = balanceRules.backendPort[rule];
  }
  // LB-6: source and destination would be the same.
  if (pass.egress === pass.ingress && pass.src === pools.address[member]) return drop(pass, DROP.BALANCER_HAIRPIN);
  pass.natPool = balanceRules.clock[rule];
  pass.replyTo = pass.ingress;
  pass.provenance[PROV_TRANSLATION] = TRANSLATION.balance;
  if (frontends.vnet[frontend] < 0) checkOpen(pass, context.tables);
}

function drop(pass: Pass, reason: number): void {
  dropAt(pass, reason, STAGE.balancer, pass.ingress);
}

function isBasicAcrossRegions(pass: Pass, tables: Tables): boolean {
  const { frontends, routes } = tables.program;
  if ((frontends.flags[pass.frontend] & FRONTEND_BASIC) === 0) return false;
  const row = pass.provenance[PROV_ROUTE];
  return row >= 0 && routes.nextHop[row] === NEXT_HOP.VNetGlobalPeering;
}

/** The backend's record that this sender's connection is bound to, or 0. */
function boundBackend(pass: Pass, context: Context): number {
  const { connections, tables } = context;
  if (pass.record === 0) return 0;
  const { cold } = connections.table;
  const backend = cold[pass.record * COLD_WORDS + C_PEER];
  if (backend === 0 || !connections.isBound(backend, pass.now, tables)) return 0;
  return isClock(tables, cold[backend * COLD_WORDS + C_NAT]) ? backend : 0;
}

/** True when a pool is the clock of a load balancing rule. */
export function isClock(tables: Tables, pool: number): boolean {
  return pool >= 0 && tables.program.natPools.kind[pool] === OUTBOUND.balanceRule;
}

/** An ICMP error follows the packets of the connection that it quotes. */
function toBackendOf(pass: Pass, context: Context, backend: number): void {
  const e = backend * RECORD_WORDS;
  const { records } = context.connections.table;
  pass.egress = records[e + R_KEY] >>> 8;
  pass.newDst = backendAddress(context, backend);
  pass.provenance[PROV_TRANSLATION] = TRANSLATION.balance;
}

/** The address that a backend's record says is its own. */
export function backendAddress(context: Context, backend: number): number {
  return swap32(context.connections.table.records[backend * RECORD_WORDS + R_SRC]);
}

/** The rule of a frontend for a packet, or -1. HA ports take TCP and UDP, on internal frontends ICMP too (LB-2); as a
 * next hop they take everything (LB-7). */
export function findRule(tables: Tables, frontend: number, protocol: number, port: number, isNextHop: boolean): number {
  const { balanceRules, frontends } = tables.program;
  for (let rule = frontends.ruleStart[frontend]; rule < frontends.ruleStart[frontend + 1]; rule++) {
    const of = balanceRules.protocol[rule];
    const isAny = of === 0 && (isNextHop || isBalanced(protocol, frontends.vnet[frontend] >= 0));
    if (of !== protocol && !isAny) continue;
    if (balanceRules.frontendPort[rule] === 0 || balanceRules.frontendPort[rule] === port) return rule;
  }
  return -1;
}

function isBalanced(protocol: number, isInternal: boolean): boolean {
  return protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP || (protocol === PROTOCOL_ICMP && isInternal);
}

/** The member that a connection stays with, or -1: one that is down keeps established TCP connections and nothing else
 * (LB-4, LB-8). `backend`: the connection's record at the member. `address`: the member's own, 0 where any counts. */
export function keptMember(pass: Pass, context: Context, rule: number, backend: number, address: number): number {
  const { balanceRules, pools } = context.tables.program;
  const attachment = context.connections.table.records[backend * RECORD_WORDS + R_KEY] >>> 8;
  const pool = balanceRules.pool[rule];
  for (let member = pools.memberStart[pool]; member < pools.memberStart[pool + 1]; member++) {
    if (pools.attachment[member] !== attachment) continue;
    if (address !== 0 && pools.address[member] !== address) continue;
    const isEstablishedTcp = pass.protocol === PROTOCOL_TCP && pass.fresh === 0;
    return isEstablishedTcp || takesNewFlows(pools.state[member]) ? member : -1;
  }
  return -1;
}

function takesNewFlows(state: number): boolean {
  return state === MEMBER.up || state === MEMBER.adminUp;
}

/** Hash over the members that take new flows, -1 without any. Every distribution mode is symmetric, so that a balancer
 * in front of appliances sees both directions on one of them (LB-1, Q-8). */
export function chooseMember(
  tables: Tables,
  rule: number,
  protocol: number,
  src: number,
  srcPort: number,
  dst: number,
  dstPort: number,
): number {
  const { balanceRules, hashSeed, pools } = tables.program;
  const pool = balanceRules.pool[rule];
  const last = pools.memberStart[pool + 1];
  let count = 0;
  for (let member = pools.memberStart[pool]; member < last; member++) {
    if (takesNewFlows(pools.state[member])) count++;
  }
  if (count === 0) return -1;
  const mode = balanceRules.distribution[rule];
  const isWhole = mode === DISTRIBUTION.fiveTuple;
  const ofProtocol = mode === DISTRIBUTION.sourceIp ? 0 : protocol;
  const hash = hashFiveTuple(ofProtocol, src, dst, isWhole ? srcPort : 0, isWhole ? dstPort : 0) ^ hashSeed;
  let skip = (hash >>> 0) % count;
  for (let member = pools.memberStart[pool]; member < last; member++) {
    if (takesNewFlows(pools.state[member]) && skip-- === 0) return member;
  }
  return -1;
}

/** NET-18: with no group on NIC or subnet, nothing comes in by a Standard public frontend. */
function checkOpen(pass: Pass, tables: Tables): void {
  const { attachments, publicIps } = tables.program;
  if (pass.established === 1) return;
  const row = tables.publicIps.get(0, pass.dst);
  if (row < 0 || publicIps.standard[row] === 0 || (attachments.flags[pass.egress] & NIC_HAS_NSG) !== 0) return;
  dropAt(pass, DROP.INBOUND_CLOSED_PUBLIC_IP, STAGE.publicIp, pass.egress);
}

/** A backend's answer within networks: its source becomes the frontend's, the route was its own (LB-3). Answers to the
 * Internet are the public address stage's. */
export function balanceReplyStage(pass: Pass, context: Context): void {
  const { connections, tables } = context;
  if (pass.record === 0 || pass.fresh === 1) return;
  const { cold, records } = connections.table;
  if ((cold[pass.record * COLD_WORDS + C_STATE] & STATE_BALANCED) === 0) return;
  if (pass.egress === tables.program.internet || !connections.isBound(pass.record, pass.now, tables)) return;
  const e = pass.record * RECORD_WORDS;
  pass.newSrc = swap32(records[e + R_NEW_SRC]);
  if (pass.icmpError === 0) pass.newSrcPort = swap16(records[e + R_NEW_PORTS] & 0xffff);
  pass.natPool = cold[pass.record * COLD_WORDS + C_NAT];
  pass.provenance[PROV_TRANSLATION] = TRANSLATION.balanceReply;
}

/** A user-defined route to a frontend: the packet goes unchanged to one appliance of the pool (LB-7). */
export function toBalancedAppliance(pass: Pass, context: Context, frontend: number): void {
  const { cold } = context.connections.table;
  if (pass.fragment !== 0) return drop(pass, DROP.BALANCER_FRAGMENT); // WIRE-16
  const rule = findRule(context.tables, frontend, pass.protocol, pass.dstPort, true);
  if (rule < 0) return drop(pass, DROP.BALANCER_NO_RULE);
  pass.provenance[PROV_BALANCE_RULE] = rule;
  const peer = pass.established === 1 ? cold[pass.record * COLD_WORDS + C_PEER] : 0;
  let member = peer === 0 ? -1 : keptMember(pass, context, rule, peer, 0);
  if (member < 0) {
    member = chooseMember(context.tables, rule, pass.protocol, pass.src, pass.srcPort, pass.dst, pass.dstPort);
  }
  if (member < 0) return drop(pass, DROP.BALANCER_NO_BACKEND);
  pass.egress = context.tables.program.pools.attachment[member];
}
