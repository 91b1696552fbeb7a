// Private endpoint: rules of its subnet, admission, translation to the service, and the way back. One direction only:
// the consumer opens (PE-22); the service's answers ride on the binding.
//
// Reads   endpoint, addresses, ports, state.   Writes  egress, newSrc, newDst, newSrcPort, replyTo, provenance.
// Drops   NSG_DENY (endpoint's subnet), PE_NOT_APPROVED, PE_PROTOCOL, PE_PORT_NOT_SERVED.

import { DROP } from '../../abi/drop-reasons.ts';
import {
  ATTACHMENT,
  ENDPOINT_ASKS_AGAIN,
  ENDPOINT_STATE,
  ENDPOINT_UDP,
  NIC_DISABLE_SNAT_ON_PL,
  SETTING_ADMISSION_FIRST,
  SETTING_REVOKE_KILLS_FLOWS,
} from '../../abi/program.ts';
import {
  BY_FLOW,
  NONE,
  PROV_ENDPOINT,
  PROV_ENDPOINT_RULE,
  PROV_TRANSLATION,
  STAGE,
  TRANSLATION,
} from '../../abi/provenance.ts';
import { COLD_WORDS, RECORD_WORDS } from '../../abi/regions.ts';
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/ipv4.ts';
import type { Context } from '../context.ts';
import { C_PEER, EGRESS_MASK, R_EGRESS, R_KEY, R_NEW_DST, R_NEW_PORTS, R_NEW_SRC } from '../flow-table.ts';
import { FATE, dropAt, type Pass } from '../pass.ts';
import { areConnected, ownerAttachment, swap16, swap32 } from '../tables.ts';
import { serviceBinding, serviceStage } from './private-link-service.ts';
import { endpointReturnStage } from './endpoint-return.ts';
import { endpointRulesStage } from './security.ts';
import { freeSourcePort } from './shared-exit.ts';
import { isFlushed } from './state.ts';

/** Consumer towards service. */
export function endpointStage(pass: Pass, context: Context): void {
  const { endpoints } = context.tables.program;
  const { endpoint } = pass;
  const service = endpoints.service[endpoint];
  const binding = service < 0 ? consumerBinding(pass, context) : serviceBinding(pass, context, service);
  const isKnown = binding !== 0 && pass.fresh === 0 && !isRevoked(context, endpoint);
  if (isKnown && !asksAgain(pass, context, binding)) {
    // Established: neither rules (PNSG-7) nor admission are asked again (PE-21).
    pass.provenance[PROV_ENDPOINT_RULE] = BY_FLOW;
  } else {
    const admitsFirst = (context.tables.program.flags & SETTING_ADMISSION_FIRST) !== 0; // PE-27, Q-20
    if (admitsFirst && !isKnown) admit(pass, context, endpoint);
    if (pass.fate === FATE.undecided) endpointRulesStage(pass, context, endpoint);
    if (pass.fate === FATE.undecided && !isKnown && !admitsFirst) admit(pass, context, endpoint);
    if (pass.fate === FATE.drop) return;
  }
  if (service >= 0) {
    pass.replyTo = replyTarget(pass, context, endpoint);
    return serviceStage(pass, context, service, binding);
  }
  pass.egress = endpoints.provider[endpoint];
  pass.newDst = endpoints.backendAddress[endpoint];
  pass.replyTo = replyTarget(pass, context, endpoint);
  pass.newSrcPort = freeSourcePort(pass, context); // PE-31: unchanged, as long as consumers do not collide
  pass.provenance[PROV_TRANSLATION] = TRANSLATION.endpoint;
}

/** True when a group with flushConnection in front of the endpoint has to be asked again (NSG-29, NSG-37). */
function asksAgain(pass: Pass, context: Context, binding: number): boolean {
  const { endpoints } = context.tables.program;
  const { endpoint } = pass;
  if (endpoints.service[endpoint] < 0) return isFlushed(pass, context, binding, endpoints.provider[endpoint]);
  return (endpoints.flags[endpoint] & ENDPOINT_ASKS_AGAIN) !== 0 && pass.icmpError !== 2;
}

/** PE-20, PE-24, PE-25: state, protocol, port; ports of a Private Link service are those of its balancer's rules. */
function admit(pass: Pass, context: Context, endpoint: number): void {
  const { endpoints } = context.tables.program;
  if (endpoints.state[endpoint] !== ENDPOINT_STATE.Approved) return refuse(pass, DROP.PE_NOT_APPROVED);
  const isTcp = pass.protocol === PROTOCOL_TCP;
  const isUdp = pass.protocol === PROTOCOL_UDP && (endpoints.flags[endpoint] & ENDPOINT_UDP) !== 0;
  if (!isTcp && !isUdp) return refuse(pass, DROP.PE_PROTOCOL);
  if (endpoints.service[endpoint] >= 0) return;
  for (let i = endpoints.portStart[endpoint]; i < endpoints.portStart[endpoint + 1]; i++) {
    if (pass.dstPort >= endpoints.portFirst[i] && pass.dstPort <= endpoints.portLast[i]) return;
  }
  refuse(pass, DROP.PE_PORT_NOT_SERVED);
}

function refuse(pass: Pass, reason: number): void {
  dropAt(pass, reason, STAGE.admission, NONE);
}

function isRevoked(context: Context, endpoint: number): boolean {
  const { program } = context.tables;
  if ((program.flags & SETTING_REVOKE_KILLS_FLOWS) === 0) return false;
  return program.endpoints.state[endpoint] !== ENDPOINT_STATE.Approved;
}

/** The live binding at the service side that this consumer's record leads to, or 0. */
function consumerBinding(pass: Pass, context: Context): number {
  const { connections, tables } = context;
  if (pass.record === 0) return 0;
  const { cold, records } = connections.table;
  const binding = cold[pass.record * COLD_WORDS + C_PEER];
  if (binding === 0 || !connections.isBound(binding, pass.now, tables)) return 0;
  const isOurs = records[binding * RECORD_WORDS + R_KEY] >>> 8 === tables.program.endpoints.provider[pass.endpoint];
  return isOurs ? binding : 0;
}

/** ROUTE-44: replies go straight to whoever owns the packet's source address, past appliances on the way in, as far as
 * that owner's network holds the endpoint's /32 (ROUTE-45); ROUTE-46: a tagged appliance keeps them. */
function replyTarget(pass: Pass, context: Context, endpoint: number): number {
  const { tables } = context;
  const { attachments, endpoints, vnets } = tables.program;
  const sender = pass.ingress;
  if (pass.kind !== ATTACHMENT.nic) return sender;
  if (ownerAttachment(tables, pass.network, pass.src) === sender) return sender;
  if ((attachments.flags[sender] & NIC_DISABLE_SNAT_ON_PL) !== 0) return sender;
  const home = endpoints.vnet[endpoint];
  const local = ownerAttachment(tables, home, pass.src);
  if (local >= 0) return local;
  for (let network = 0; network < vnets.count; network++) {
    if (network === home || !areConnected(tables, home, network)) continue;
    const owner = ownerAttachment(tables, network, pass.src);
    if (owner >= 0) return owner;
  }
  return sender;
}

/** Service towards consumer: the binding says where and with which addresses (PE-35). */
export function endpointReplyStage(pass: Pass, context: Context): void {
  const { records } = context.connections.table;
  const e = pass.record * RECORD_WORDS;
  pass.egress = records[e + R_EGRESS] & EGRESS_MASK;
  pass.newSrc = swap32(records[e + R_NEW_SRC]);
  pass.newDst = swap32(records[e + R_NEW_DST]);
  pass.newSrcPort = swap16(records[e + R_NEW_PORTS] & 0xffff);
  pass.newDstPort = swap16(records[e + R_NEW_PORTS] >>> 16);
  pass.provenance[PROV_ENDPOINT] = context.tables.endpointOfProvider[pass.ingress];
  pass.provenance[PROV_TRANSLATION] = TRANSLATION.endpointReply;
  endpointReturnStage(pass, context);
}
