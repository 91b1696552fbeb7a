// NSG diagnostics (DIAG-15, DIAG-16): asks the groups of a NIC about whole prefixes, ports and protocols. A rule
// matches when it covers all that is asked about; so a question is answered by rule, not by packet.

import { parsePrefixOrAddress, PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/index.ts';
import { adminGroupRule, adminRulesOf } from '../compile/admin-rules.ts';
import { ALL_ADDRESSES, type AddressSet, setOfPrefixes, subtract } from '../compile/address-set.ts';
import type { Compiled, RuleInfo } from '../compile/compiled.ts';
import { type Context, createContext, type NicFacts, resolve } from '../compile/context.ts';
import { ALL_PORTS, portSet } from '../compile/port-ranges.ts';
import {
  type GroupRule,
  type ResolvedRule,
  resolveRules,
  resolveSide,
  rulesOfGroup,
} from '../compile/resolved-rules.ts';
import { isTag } from '../compile/service-tags.ts';
import type { NetworkSecurityGroup } from '../model/resources.ts';
import { nicWithin } from './attached-nic.ts';

export interface NsgQuestion {
  readonly direction: 'Inbound' | 'Outbound';
  readonly protocol: 'TCP' | 'UDP' | 'ICMP' | 'Any';
  /** Address, prefix, service tag or `*`. */
  readonly source: string;
  readonly destination: string;
  /** `80`, `8000-8010` or `*`. */
  readonly destinationPort: string;
}

export interface RuleEvaluation {
  readonly name: string;
  readonly protocolMatched: boolean;
  readonly sourceMatched: boolean;
  readonly sourcePortMatched: boolean;
  readonly destinationMatched: boolean;
  readonly destinationPortMatched: boolean;
}

export interface EvaluatedGroup {
  readonly networkSecurityGroupId: string;
  /** Id of the NIC, the subnet or (admin rules) the network. */
  readonly appliedTo: string;
  readonly matchedRule?: { readonly ruleName: string; readonly action: 'Allow' | 'Deny' };
  /** Up to the rule that matched. */
  readonly rulesEvaluationResult: readonly RuleEvaluation[];
}

export interface NsgAnswer {
  readonly profile: NsgQuestion;
  readonly networkSecurityGroupResult: {
    readonly securityRuleAccessResult: 'Allow' | 'Deny';
    readonly evaluatedNetworkSecurityGroups: readonly EvaluatedGroup[];
  };
}

/**
 * Asks the NIC that has the destination (inbound) or the source (outbound). Groups are asked in the order of the
 * direction up to the one that denies (NSG-11, NSG-12), after admin rules (NSG-15). Throws NotAvailable without a NIC.
 */
export function nsgDiagnostics(compiled: Compiled, profile: NsgQuestion): { readonly results: readonly NsgAnswer[] } {
  const context = createContext(compiled.network, compiled.behaviour);
  const nic = nicWithin(context, literal(profile.direction === 'Inbound' ? profile.destination : profile.source));
  const question = asked(context, profile, nic);
  const evaluated: EvaluatedGroup[] = [];
  let access: 'Allow' | 'Deny' = 'Allow';
  for (const stage of stagesOf(context, profile, nic)) {
    const resolved = resolveRules(context, stage.rules, profile.direction, 'normal', nic.place);
    const evaluations = resolved.map((rule) => evaluation(rule, question));
    const position = evaluations.findIndex(isMatch);
    const matched = resolved[position];
    const rulesEvaluationResult = matched === undefined ? evaluations : evaluations.slice(0, position + 1);
    const group = { networkSecurityGroupId: stage.id, appliedTo: stage.appliedTo, rulesEvaluationResult };
    if (matched === undefined) {
      evaluated.push(group);
      continue;
    }
    const action = matched.info.access === 'Deny' ? 'Deny' : 'Allow';
    evaluated.push({ ...group, matchedRule: { ruleName: ruleName(matched.info), action } });
    access = action;
    if (matched.info.access !== 'Allow') break;
  }
  const networkSecurityGroupResult = { securityRuleAccessResult: access, evaluatedNetworkSecurityGroups: evaluated };
  return { results: [{ profile, networkSecurityGroupResult }] };
}

/** Name of the rule that settled an answer: the deny, or the last allow; undefined where no rule matched. */
export function decidingRule({ networkSecurityGroupResult }: NsgAnswer): string | undefined {
  const { evaluatedNetworkSecurityGroups: groups } = networkSecurityGroupResult;
  return groups.findLast(({ matchedRule }) => matchedRule !== undefined)?.matchedRule?.ruleName;
}

interface Stage {
  readonly id: string;
  readonly appliedTo: string;
  readonly rules: readonly GroupRule[];
}

function stagesOf(context: Context, { direction }: NsgQuestion, { nic, place }: NicFacts): Stage[] {
  const admin = adminRulesOf(context, place).map(adminGroupRule);
  const vnetId = place.network.vnet.id;
  const managers = admin.length === 0 ? [] : [{ id: admin[0]?.info.nsgId ?? '', appliedTo: vnetId, rules: admin }];
  const ofGroup = (nsg: NetworkSecurityGroup | undefined, appliedTo: string): Stage[] =>
    nsg === undefined ? [] : [{ id: nsg.id, appliedTo, rules: rulesOfGroup(nsg) }];
  const ofSubnet = ofGroup(resolve(context.nsgs, place.subnet.properties.networkSecurityGroup), place.subnet.id);
  const ofNic = ofGroup(resolve(context.nsgs, nic.properties.networkSecurityGroup), nic.id);
  return direction === 'Inbound' ? [...managers, ...ofSubnet, ...ofNic] : [...managers, ...ofNic, ...ofSubnet];
}

interface Asked {
  /** undefined: any. */
  readonly protocol: number | undefined;
  readonly source: AddressSet;
  readonly destination: AddressSet;
  readonly destinationPorts: AddressSet;
}

const PROTOCOLS = { TCP: PROTOCOL_TCP, UDP: PROTOCOL_UDP, ICMP: PROTOCOL_ICMP, Any: undefined } as const;

function asked(context: Context, profile: NsgQuestion, { place }: NicFacts): Asked {
  const side = (text: string): AddressSet => (isTag(text) ? resolveSide(context, [text], [], place) : literal(text));
  return {
    protocol: PROTOCOLS[profile.protocol],
    source: side(profile.source),
    destination: side(profile.destination),
    destinationPorts: profile.protocol === 'ICMP' ? ALL_PORTS : portSet([profile.destinationPort]),
  };
}

function literal(text: string): AddressSet {
  return text === '*' ? ALL_ADDRESSES : setOfPrefixes([parsePrefixOrAddress(text)]);
}

/** The question names no source port: only rules for every source port cover it. */
function evaluation(rule: ResolvedRule, question: Asked): RuleEvaluation {
  return {
    name: ruleName(rule.info),
    // Negative: every protocol that can be asked about (Q-17 concerns ESP and AH).
    protocolMatched: rule.protocol < 0 || rule.protocol === question.protocol,
    sourceMatched: covers(rule.source, question.source),
    sourcePortMatched: covers(rule.sourcePorts, ALL_PORTS),
    destinationMatched: covers(rule.destination, question.destination),
    destinationPortMatched: covers(rule.destinationPorts, question.destinationPorts),
  };
}

function isMatch(result: RuleEvaluation): boolean {
  const { protocolMatched, sourceMatched, sourcePortMatched, destinationMatched, destinationPortMatched } = result;
  return protocolMatched && sourceMatched && sourcePortMatched && destinationMatched && destinationPortMatched;
}

function covers(outer: AddressSet, inner: AddressSet): boolean {
  return inner.length > 0 && subtract(inner, outer).length === 0;
}

/** DIAG-15. */
function ruleName({ rule, isDefault }: RuleInfo): string {
  return `${isDefault ? 'DefaultRule' : 'UserRule'}_${rule}`;
}
