// Security rules: admin rules of the network, then the security groups of NIC and subnet, outbound before routing and
// inbound before delivery, on the addresses a guest knows (NSG-14). Both groups must allow (NSG-11, NSG-12), also
// inside one subnet (NSG-13); a missing one allows (NSG-8).
//
// Reads   addresses, ports, established.     Writes  provenance (deciding rule of each gate).
// Drops   ADMIN_RULE_DENY, NSG_DENY, ENDPOINT_FAULT.

import { DROP } from '../../abi/drop-reasons.ts';
import {
  BY_ADMIN,
  BY_FLOW,
  BY_PLATFORM,
  NO_NSG,
  PROV_ENDPOINT_RULE,
  PROV_IN_ADMIN_RULE,
  PROV_IN_NIC_RULE,
  PROV_IN_SUBNET_RULE,
  PROV_OUT_ADMIN_RULE,
  PROV_OUT_NIC_RULE,
  PROV_OUT_SUBNET_RULE,
  STAGE,
  NONE,
} from '../../abi/provenance.ts';
import { ACCESS, ATTACHMENT, ENDPOINT_FAULTY, SETTING_DNS_BYPASS_ANY } from '../../abi/program.ts';
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/ipv4.ts';
import type { Context } from '../context.ts';
import { dropAt, FATE, type Pass } from '../pass.ts';
import { matchRule, type RuleSet } from '../rule-match.ts';
import type { Tables } from '../tables.ts';

const DNS_PORT = 53;

/** Outbound: admin rules, NIC group, then subnet group (NSG-11, NSG-15), before the route is chosen (PIPE-1). */
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
  if (passesAdminRules(pass, tables, attachments.outAdminRules[pass.ingress], PROV_OUT_ADMIN_RULE, pass.ingress)) {
    provenance[PROV_OUT_NIC_RULE] = BY_ADMIN;
    provenance[PROV_OUT_SUBNET_RULE] = BY_ADMIN;
    return;
  }
  if (pass.fate === FATE.drop) return;
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

/** Inbound: admin rules, subnet group, then NIC group (NSG-11, NSG-15), on translated addresses (PIPE-2). */
export function inboundStage(pass: Pass, context: Context, receiver: number, skip: boolean): void {
  const { provenance } = pass;
  const { tables } = context;
  if (skip) {
    provenance[PROV_IN_SUBNET_RULE] = BY_FLOW;
    provenance[PROV_IN_NIC_RULE] = BY_FLOW;
    return;
  }
  const { attachments } = tables.program;
  if (passesAdminRules(pass, tables, attachments.inAdminRules[receiver], PROV_IN_ADMIN_RULE, receiver)) {
    provenance[PROV_IN_SUBNET_RULE] = BY_ADMIN;
    provenance[PROV_IN_NIC_RULE] = BY_ADMIN;
    return;
  }
  if (pass.fate === FATE.drop) return;
  if (!ask(pass, tables, attachments.inSubnetRules[receiver], PROV_IN_SUBNET_RULE, STAGE.subnetNsg, receiver)) return;
  ask(pass, tables, attachments.inNicRules[receiver], PROV_IN_NIC_RULE, STAGE.nicNsg, receiver);
}

/** Inbound rules of a private endpoint's subnet (PNSG-2), before admission (PE-27). PNSG-14: every fourth packet that
 * they allow meets the fault of the preview, by port and time. */
export function endpointRulesStage(pass: Pass, context: Context, endpoint: number): void {
  const { tables } = context;
  const { endpoints } = tables.program;
  if (endpoints.rules[endpoint] < 0) {
    pass.provenance[PROV_ENDPOINT_RULE] = NO_NSG;
    return;
  }
  if (!ask(pass, tables, endpoints.rules[endpoint], PROV_ENDPOINT_RULE, STAGE.subnetNsg, NONE)) return;
  const isFaulty = (endpoints.flags[endpoint] & ENDPOINT_FAULTY) !== 0 && (hash32(pass.srcPort ^ pass.now) & 3) === 0;
  if (isFaulty) dropAt(pass, DROP.ENDPOINT_FAULT, STAGE.admission, NONE);
}

/** Spreads the low bits of a number over all of them. */
function hash32(value: number): number {
  const mixed = Math.imul(value ^ (value >>> 16), 0x45d9f3b);
  return mixed ^ (mixed >>> 16);
}

/** NSG-15: true when an admin rule lets the packet past the groups (AlwaysAllow). Allow leaves the verdict to the
 * groups, as does the lack of a rule; Deny drops. */
function passesAdminRules(pass: Pass, tables: Tables, ruleSet: number, word: number, at: number): boolean {
  if (ruleSet < 0) return false;
  const set = tables.program.ruleSets[ruleSet];
  const position = matchPass(pass, set);
  if (position < 0) return false;
  pass.provenance[word] = set.ruleIndex[position];
  if (set.access[position] === ACCESS.deny) dropAt(pass, DROP.ADMIN_RULE_DENY, STAGE.adminRule, at);
  return set.access[position] === ACCESS.alwaysAllow;
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
  const position = matchPass(pass, set);
  if (position < 0 && isPlatformSet) return true;
  // The compiler appends the default rules: a miss is a compiler bug, not traffic.
  if (position < 0) throw new Error(`rule set ${ruleSet}: no rule matched; the default rules are missing`);
  pass.provenance[word] = set.ruleIndex[position];
  if (set.access[position] === ACCESS.allow) return true;
  dropAt(pass, DROP.NSG_DENY, stage, at);
  return false;
}

/** The rule that a packet matches, as it stands after translation, or NO_MATCH. */
function matchPass(pass: Pass, set: RuleSet): number {
  const hasPorts = pass.protocol === PROTOCOL_TCP || pass.protocol === PROTOCOL_UDP; // NSG-3
  const srcPort = hasPorts ? pass.newSrcPort : 0;
  const dstPort = hasPorts ? pass.newDstPort : 0;
  return matchRule(set, pass.protocol, pass.newSrc, pass.newDst, srcPort, dstPort);
}

/** NSG-31, Q-14: port 53 to the network's configured DNS servers, or to any server once it has configured some. */
function bypassesForDns(pass: Pass, tables: Tables): boolean {
  if (pass.dstPort !== DNS_PORT || (pass.protocol !== PROTOCOL_UDP && pass.protocol !== PROTOCOL_TCP)) return false;
  const { flags, vnets } = tables.program;
  if ((flags & SETTING_DNS_BYPASS_ANY) !== 0) return vnets.dnsVnet.includes(pass.network);
  return tables.dnsServers.get(pass.network, pass.dst) === 1;
}
