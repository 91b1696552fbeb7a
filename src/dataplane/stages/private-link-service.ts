// Private Link service: consumer to backend in one pass, with a NAT address of the service as source, and back by the
// binding (PLS-8, PLS-10 to PLS-13). The backend is chosen by the load balancing rule of a frontend of the service,
// by the consumer's five-tuple (PLS-12, Q-6); its NIC's rules see the NAT address as source.
//
// Reads   endpoint, addresses, ports, record.   Writes  egress, new addresses and ports, natPool, proxied, provenance.
// Drops   PE_PORT_NOT_SERVED, BALANCER_NO_BACKEND, BALANCER_FRAGMENT, PLS_NAT_PORT_EXHAUSTED, NO_REVERSE_FLOW,
//         MTU_EXCEEDED.

import { DROP } from '../../abi/drop-reasons.ts';
import { MTU_DEFAULT, SHARDS_PER_GROUP } from '../../abi/limits.ts';
import { SERVICE_PROXY_PROTOCOL, SETTING_HASH_AFTER_NAT } from '../../abi/program.ts';
import { NONE, PROV_BALANCE_RULE, PROV_ENDPOINT, PROV_TRANSLATION, STAGE, TRANSLATION } from '../../abi/provenance.ts';
import { COLD_WORDS, RECORD_WORDS } from '../../abi/regions.ts';
import { PROTOCOL_TCP } from '../../wire/ipv4.ts';
import type { Context } from '../context.ts';
import {
  C_NAT,
  C_PEER,
  C_STATE,
  EGRESS_MASK,
  R_DST,
  R_EGRESS,
  R_KEY,
  R_NEW_DST,
  R_NEW_PORTS,
  R_NEW_SRC,
  R_PORTS,
  STATE_PROXIED,
  STATE_SERVICE,
} from '../flow-table.ts';
import { NatPorts } from '../nat-ports.ts';
import { dropAt, type Pass } from '../pass.ts';
import { areConnected, swap16, swap32 } from '../tables.ts';
import { backendAddress, chooseMember, findRule, keptMember } from './balance.ts';
import { isPortFree } from './nat-port.ts';

/** The live binding at a backend that this consumer's record leads to, or 0. */
export function serviceBinding(pass: Pass, context: Context, service: number): number {
  const { connections, tables } = context;
  if (pass.record === 0) return 0;
  const { cold } = connections.table;
  const binding = cold[pass.record * COLD_WORDS + C_PEER];
  if (binding === 0 || (cold[binding * COLD_WORDS + C_STATE] & STATE_SERVICE) === 0) return 0;
  if (cold[binding * COLD_WORDS + C_NAT] !== tables.program.privateLinkServices.natPool[service]) return 0;
  return connections.isBound(binding, pass.now, tables) ? binding : 0;
}

/** Consumer towards the backend; `binding` is the live one of this connection, 0 for a new connection. */
export function serviceStage(pass: Pass, context: Context, service: number, binding: number): void {
  const { cold } = context.connections.table;
  const { privateLinkServices } = context.tables.program;
  if (pass.fragment !== 0) return dropAt(pass, DROP.BALANCER_FRAGMENT, STAGE.balancer, NONE); // WIRE-16
  if (pass.icmpError === 2) {
    if (binding === 0) return dropAt(pass, DROP.NO_REVERSE_FLOW, STAGE.admission, NONE);
    follow(pass, context, binding);
  } else {
    const rule = serviceRule(pass, context, service);
    if (rule < 0) return dropAt(pass, DROP.PE_PORT_NOT_SERVED, STAGE.admission, NONE); // PE-25
    pass.provenance[PROV_BALANCE_RULE] = rule;
    const stays = binding !== 0 && keptMember(pass, context, rule, binding, backendAddress(context, binding)) >= 0;
    if (stays) follow(pass, context, binding);
    else if (!open(pass, context, service, rule)) return;
    const isNew = !stays || pass.fresh === 1;
    const hasHeader = isNew
      ? (privateLinkServices.flags[service] & SERVICE_PROXY_PROTOCOL) !== 0
      : (cold[binding * COLD_WORDS + C_STATE] & STATE_PROXIED) !== 0;
    if (hasHeader && pass.protocol === PROTOCOL_TCP) pass.proxied = 1; // PLS-15
  }
  pass.natPool = privateLinkServices.natPool[service];
  pass.provenance[PROV_TRANSLATION] = TRANSLATION.service;
}

/** The rule of the first frontend of the service that has one for this packet, or -1; notes the frontend. */
function serviceRule(pass: Pass, context: Context, service: number): number {
  const { frontend, frontendStart } = context.tables.program.privateLinkServices;
  for (let row = frontendStart[service]; row < frontendStart[service + 1]; row++) {
    const rule = findRule(context.tables, frontend[row], pass.protocol, pass.dstPort, false);
    if (rule < 0) continue;
    pass.frontend = frontend[row];
    return rule;
  }
  return -1;
}

/** The translation that the binding at a backend says: its key is the packet as the backend sees it, reversed. */
function follow(pass: Pass, context: Context, binding: number): void {
  const { records } = context.connections.table;
  const e = binding * RECORD_WORDS;
  pass.egress = records[e + R_KEY] >>> 8;
  pass.newSrc = swap32(records[e + R_DST]);
  pass.newDst = backendAddress(context, binding);
  if (pass.icmpError !== 0) return;
  pass.newSrcPort = swap16(records[e + R_PORTS] >>> 16);
  pass.newDstPort = swap16(records[e + R_PORTS] & 0xffff);
}

/** A new connection: a backend, and a NAT address and port that are free towards it (PLS-10); false when dropped. */
function open(pass: Pass, context: Context, service: number, rule: number): boolean {
  const { tables, natPorts } = context;
  const { balanceRules, flags, frontends, natPools, pools, privateLinkServices } = tables.program;
  const { protocol, src, srcPort, dst, dstPort } = pass;
  const pool = privateLinkServices.natPool[service];
  const first = natPools.addressStart[pool];
  const addresses = natPools.addressStart[pool + 1] - first;
  const shard = (pass.facts >>> 8) & 0xff;
  const isAfterNat = (flags & SETTING_HASH_AFTER_NAT) !== 0;
  const port = balanceRules.backendPort[rule] === 0 ? dstPort : balanceRules.backendPort[rule];
  let member = chooseMember(tables, rule, protocol, src, srcPort, dst, dstPort);
  if (member < 0) return drop(pass, DROP.BALANCER_NO_BACKEND);
  for (let tries = NatPorts.candidates(addresses) * SHARDS_PER_GROUP; tries > 0; tries--) {
    const round = SHARDS_PER_GROUP - Math.ceil(tries / NatPorts.candidates(addresses));
    const candidate = natPorts.next(pool, NatPorts.lender(shard, round), addresses);
    pass.newSrc = natPools.address[first + (candidate >>> 16)];
    pass.newSrcPort = candidate & 0xffff;
    if (isAfterNat) {
      const to = frontends.address[pass.frontend];
      member = chooseMember(tables, rule, protocol, pass.newSrc, pass.newSrcPort, to, dstPort);
    }
    const egress = pools.attachment[member];
    const address = pools.address[member];
    if (!isPortFree(pass, context, egress, address, port, pass.newSrc, pass.newSrcPort)) continue;
    pass.egress = egress;
    pass.newDst = address;
    pass.newDstPort = port;
    return true;
  }
  return drop(pass, DROP.PLS_NAT_PORT_EXHAUSTED);
}

function drop(pass: Pass, reason: number): false {
  pass.newSrc = pass.src;
  pass.newSrcPort = pass.srcPort;
  dropAt(pass, reason, STAGE.balancer, NONE);
  return false;
}

/** A NIC sends: true when its record is bound to a consumer's connection, which the pass then goes back to. */
export function serviceReplyStage(pass: Pass, context: Context): boolean {
  const { connections, tables } = context;
  const { cold, records } = connections.table;
  const c = pass.record * COLD_WORDS;
  if (pass.record === 0 || pass.fresh === 1 || (cold[c + C_STATE] & STATE_SERVICE) === 0) return false;
  if (!connections.isBound(pass.record, pass.now, tables)) return false;
  const e = pass.record * RECORD_WORDS;
  pass.egress = records[e + R_EGRESS] & EGRESS_MASK;
  pass.newSrc = swap32(records[e + R_NEW_SRC]);
  pass.newDst = swap32(records[e + R_NEW_DST]);
  if (pass.icmpError === 0) {
    pass.newSrcPort = swap16(records[e + R_NEW_PORTS] & 0xffff);
    pass.newDstPort = swap16(records[e + R_NEW_PORTS] >>> 16);
  }
  pass.natPool = cold[c + C_NAT];
  pass.endpoint = endpointOfReply(pass, context);
  pass.provenance[PROV_ENDPOINT] = pass.endpoint;
  pass.provenance[PROV_TRANSLATION] = TRANSLATION.serviceReply;
  if (pass.endpoint < 0)
    dropAt(pass, DROP.NO_REVERSE_FLOW, STAGE.egress, pass.ingress); // the endpoint is gone
  else if (pass.totalLength > MTU_DEFAULT) dropAt(pass, DROP.MTU_EXCEEDED, STAGE.egress, pass.ingress);
  const isProxied = (cold[c + C_STATE] & STATE_PROXIED) !== 0 && pass.protocol === PROTOCOL_TCP;
  if (isProxied) pass.proxied = 1;
  return true;
}

/** The endpoint that an answer leaves by: of this service, with the source address, in reach of the consumer. */
function endpointOfReply(pass: Pass, context: Context): number {
  const { tables } = context;
  const { attachments, endpoints, privateLinkServices } = tables.program;
  const network = attachments.vnet[pass.egress];
  for (let endpoint = 0; endpoint < endpoints.address.length; endpoint++) {
    const service = endpoints.service[endpoint];
    if (service < 0 || endpoints.address[endpoint] !== pass.newSrc) continue;
    if (privateLinkServices.natPool[service] !== pass.natPool) continue;
    if (network < 0 || areConnected(tables, network, endpoints.vnet[endpoint])) return endpoint;
  }
  return -1;
}
