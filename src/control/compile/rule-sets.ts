// Collects the rule sets of a program: one per group, direction, variant and set of subnets that see the same tags,
// shared by all places that need it. Numbers the rules of the side table on the way.

import type { RuleSetProgram } from '../../abi/program.ts';
import type { NetworkSecurityGroup } from '../model/resources.ts';
import type { SecurityAdminRule } from '../model/services.ts';
import type { RuleInfo } from './compiled.ts';
import type { Context, Place } from './context.ts';
import { adminAccess, adminGroupRule, adminRulesOf } from './admin-rules.ts';
import { digestOf } from './digest.ts';
import {
  type Direction,
  type GroupRule,
  type ResolvedRule,
  resolveRules,
  type RuleVariant,
  rulesOfGroup,
} from './resolved-rules.ts';
import { compileRules } from './rule-set.ts';
import { placeKey } from './service-tags.ts';

export class RuleSetCollector {
  /** Rule sets by program index. */
  readonly sets: RuleSetProgram[] = [];
  /** Rules by side-table index. */
  readonly rules: RuleInfo[] = [];
  private readonly context: Context;
  private readonly groups = new Map<NetworkSecurityGroup, { readonly rules: GroupRule[]; readonly key: number }>();
  private readonly adminRules = new Map<SecurityAdminRule, GroupRule>();
  private readonly indexOfRule = new Map<RuleInfo, number>();
  private readonly setByKey = new Map<string, number>();
  private readonly digests: (string | undefined)[] = [];

  constructor(context: Context) {
    this.context = context;
  }

  /** Index of the rule set of a group in a place; -1 without a group, or where no rule counts (platform variant). */
  indexOf(nsg: NetworkSecurityGroup | undefined, direction: Direction, variant: RuleVariant, place: Place): number {
    if (nsg === undefined) return -1;
    const group = this.group(nsg);
    const key = placeKey(`${group.key} ${direction} ${variant}`, place);
    let index = this.setByKey.get(key);
    if (index === undefined) {
      const rules = resolveRules(this.context, group.rules, direction, variant, place);
      index = rules.length === 0 ? -1 : this.add(rules);
      this.setByKey.set(key, index);
    }
    return index;
  }

  /** Index of the security admin rules of a place's network (NSG-15); -1 where there are none. */
  adminIndexOf(direction: Direction, place: Place): number {
    if (this.context.network.securityAdminRules.length === 0) return -1;
    const key = placeKey(`admin ${direction}`, place);
    let index = this.setByKey.get(key);
    if (index === undefined) {
      const rules = adminRulesOf(this.context, place).map((rule) => this.adminRule(rule));
      const resolved = resolveRules(this.context, rules, direction, 'normal', place);
      index = resolved.length === 0 ? -1 : this.add(resolved, adminAccess);
      this.setByKey.set(key, index);
    }
    return index;
  }

  /** Digest of what a rule set decides, free of names and numbering; empty for -1. */
  digest(index: number): string {
    const set = this.sets[index];
    if (set === undefined) return '';
    return (this.digests[index] ??= digestOf(set.access, set.table));
  }

  private group(nsg: NetworkSecurityGroup): { readonly rules: GroupRule[]; readonly key: number } {
    let group = this.groups.get(nsg);
    if (group === undefined) {
      group = { rules: rulesOfGroup(nsg), key: this.groups.size };
      this.groups.set(nsg, group);
      for (const { info } of group.rules) this.indexOfRule.set(info, this.rules.push(info) - 1);
    }
    return group;
  }

  private adminRule(rule: SecurityAdminRule): GroupRule {
    let made = this.adminRules.get(rule);
    if (made === undefined) {
      made = adminGroupRule(rule);
      this.adminRules.set(rule, made);
      this.indexOfRule.set(made.info, this.rules.push(made.info) - 1);
    }
    return made;
  }

  private add(rules: readonly ResolvedRule[], accessOf?: (info: RuleInfo) => number): number {
    const set = compileRules(rules, (rule) => this.indexOfRule.get(rule.info) ?? -1);
    const access = accessOf === undefined ? set.access : Int32Array.from(rules, (rule) => accessOf(rule.info));
    return this.sets.push({ ...set, access }) - 1;
  }
}
