// Security rules: the network security groups of NIC and subnet, outbound before routing and inbound before delivery,
// on the addresses a guest knows (NSG-14). Both gates must allow (NSG-11); a missing group allows (NSG-8).
//
// Reads   addresses, ports, established.     Writes  provenance (deciding rule of each gate).
// Drops   NSG_DENY.

import { DROP } from '../../abi/drop-reasons.ts';
import {
  BY_FLOW,
  BY_PLATFORM,
  NO_NSG,
  PROV_ENDPOINT_RULE,
  PROV_IN_NIC_RULE,
  PROV_IN_SUBNET_RULE,
  PROV_OUT_NIC_RULE,
  PROV_OUT_SUBNET_RULE,
  STAGE,
  NONE,
} from '../../abi/provenance.ts';
import { ATTACHMENT } from '../../abi/program.ts';
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/ipv4.ts';
import type { Context } from '../context.ts';
import { dropAt, type Pass } from '../pass.ts';
import { matchRule } from '../rule-match.ts';
import type { Tables } from '../tables.ts';

const DNS_PORT = 53;

/** Outbound: NIC group, then subnet group (NSG-11), before the route is chosen (PIPE-1). */
export function outboundStage(pass: Pass, context: Context): void {
  const { provenance } = pass;
  const { tables } = context;
  if (pass.kind !== ATTACHMENT.nic) return;
  if (pass.established === 1) {
    provenance[PROV_OUT_NIC_RULE] = BY_FLOW;
    provenance[PROV_OUT_SUBNET_RULE] = BY_FLOW;
    return;
  }
  const { attachments } = tables.program;
  if (bypassesForDns(pass, tables)) {
    provenance[PROV_OUT_NIC_RULE] = BY_PLATFORM;
    provenance[PROV_OUT_SUBNET_RULE] = BY_PLATFORM;
    return;
  }
  if (!ask(pass, tables, attachments.outNicRules[pass.ingress], PROV_OUT_NIC_RULE, STAGE.nicNsg, pass.ingress)) return;
  ask(pass, tables, attachments.outSubnetRules[pass.ingress], PROV_OUT_SUBNET_RULE, STAGE.subnetNsg, pass.ingress);
}

/** Platform services bypass the groups unless a rule names an AzurePlatform tag (NSG-30). */
export function platformStage(pass: Pass, context: Context): void {
  const { provenance } = pass;
  const { tables } = context;
  const { attachments } = tables.program;
  if (pass.established === 1 || pass.kind !== ATTACHMENT.nic) return;
  const nicRules = attachments.platformNicRules[pass.ingress];
  const subnetRules = attachments.platformSubnetRules[pass.ingress];
  provenance[PROV_OUT_NIC_RULE] = BY_PLATFORM;
  provenance[PROV_OUT_SUBNET_RULE] = BY_PLATFORM;
  if (nicRules >= 0 && !ask(pass, tables, nicRules, PROV_OUT_NIC_RULE, STAGE.nicNsg, pass.ingress, true)) return;
  if (subnetRules >= 0) ask(pass, tables, subnetRules, PROV_OUT_SUBNET_RULE, STAGE.subnetNsg, pass.ingress, true);
}

/** Inbound: subnet group, then NIC group (NSG-11), on translated addresses (PIPE-2). */
export function inboundStage(pass: Pass, context: Context, receiver: number, skip: boolean): void {
  const { provenance } = pass;
  const { tables } = context;
  if (skip) {
    provenance[PROV_IN_SUBNET_RULE] = BY_FLOW;
    provenance[PROV_IN_NIC_RULE] = BY_FLOW;
    return;
  }
  const { attachments } = tables.program;
  if (!ask(pass, tables, attachments.inSubnetRules[receiver], PROV_IN_SUBNET_RULE, STAGE.subnetNsg, receiver)) return;
  ask(pass, tables, attachments.inNicRules[receiver], PROV_IN_NIC_RULE, STAGE.nicNsg, receiver);
}

/** Inbound rules of a private endpoint's subnet (PNSG-2), before admission (PE-27). */
export function endpointRulesStage(pass: Pass, context: Context, endpoint: number): void {
  const { tables } = context;
  const { endpoints } = tables.program;
  if (endpoints.rules[endpoint] < 0) {
    pass.provenance[PROV_ENDPOINT_RULE] = NO_NSG;
    return;
  }
  ask(pass, tables, endpoints.rules[endpoint], PROV_ENDPOINT_RULE, STAGE.subnetNsg, NONE);
}

/** Asks one compiled group; false when it denied. Addresses are the translated ones, which are the original ones as
 * long as nothing was translated. Platform sets hold only rules with AzurePlatform tags: there a miss allows. */
function ask(
  pass: Pass,
  tables: Tables,
  ruleSet: number,
  word: number,
  stage: number,
  at: number,
  isPlatformSet = false,
): boolean {
  if (ruleSet < 0) {
    pass.provenance[word] = NO_NSG;
    return true;
  }
  const set = tables.program.ruleSets[ruleSet];
  const hasPorts = pass.protocol === PROTOCOL_TCP || pass.protocol === PROTOCOL_UDP; // NSG-3
  const srcPort = hasPorts ? pass.newSrcPort : 0;
  const dstPort = hasPorts ? pass.newDstPort : 0;
  const position = matchRule(set, pass.protocol, pass.newSrc, pass.newDst, srcPort, dstPort);
  if (position < 0 && isPlatformSet) return true;
  // The compiler appends the default rules: a miss is a compiler bug, not traffic.
  if (position < 0) throw new Error(`rule set ${ruleSet}: no rule matched; the default rules are missing`);
  pass.provenance[word] = set.ruleIndex[position];
  if (set.access[position] === 1) return true;
  dropAt(pass, DROP.NSG_DENY, stage, at);
  return false;
}

/** NSG-31, Q-14: port 53 to the network's configured DNS servers. */
function bypassesForDns(pass: Pass, tables: Tables): boolean {
  if (pass.dstPort !== DNS_PORT || (pass.protocol !== PROTOCOL_UDP && pass.protocol !== PROTOCOL_TCP)) return false;
  return tables.dnsServers.get(pass.network, pass.dst) === 1;
}
