// The short form of a security rule, as people write it, and its conversion to Azure's resource form.

import { type Issue, InputError } from '../issues.ts';
import type { Reference, SecurityRule, SourceLocation } from '../model/resources.ts';
import type { ChangeIssueCode } from './codes.ts';

type OneOrMany<T> = T | readonly T[];

/** Sides are `*`, prefixes, one service tag, or groups as `asg:<name>`; what is left out is `*`. */
export interface ShortRule {
  readonly name: string;
  readonly priority: number;
  /** `Inbound`, `Outbound`, `In` or `Out`. */
  readonly direction: string;
  /** `Allow` or `Deny`. */
  readonly access: string;
  readonly protocol?: string;
  readonly source?: OneOrMany<string>;
  readonly sourcePorts?: OneOrMany<string | number>;
  readonly destination?: OneOrMany<string>;
  readonly destinationPorts?: OneOrMany<string | number>;
  readonly description?: string;
}

const DIRECTIONS = { in: 'Inbound', inbound: 'Inbound', out: 'Outbound', outbound: 'Outbound' } as const;
const ACCESSES = { allow: 'Allow', deny: 'Deny' } as const;
const PROTOCOLS = { tcp: 'Tcp', udp: 'Udp', icmp: 'Icmp', esp: 'Esp', ah: 'Ah', '*': '*', any: '*' } as const;

/**
 * The rule in resource form. `asgId` gives the id of an application security group by name. Throws InputError with all
 * unknown words at once; whether the rule makes sense is for validation.
 */
export function shortRule(
  value: ShortRule,
  nsgId: string,
  asgId: (name: string) => string | undefined,
  source?: SourceLocation,
): SecurityRule {
  const issues: Issue[] = [];
  const direction = word(DIRECTIONS, 'direction', value, value.direction, issues);
  const access = word(ACCESSES, 'access', value, value.access, issues);
  const protocol = word(PROTOCOLS, 'protocol', value, value.protocol ?? '*', issues);
  const from = side(value, value.source, asgId, issues);
  const to = side(value, value.destination, asgId, issues);
  if (issues.length > 0 || direction === undefined || access === undefined || protocol === undefined) {
    throw new InputError(issues.map((issue) => ({ ...issue, ...(source && { source }) })));
  }
  return {
    id: `${nsgId}/securityRules/${value.name}`,
    name: value.name,
    ...(source && { source }),
    properties: {
      priority: value.priority,
      direction,
      access,
      protocol,
      sourceAddressPrefixes: from.prefixes,
      destinationAddressPrefixes: to.prefixes,
      sourcePortRanges: listOf(value.sourcePorts).map(String),
      destinationPortRanges: listOf(value.destinationPorts).map(String),
      sourceApplicationSecurityGroups: from.groups,
      destinationApplicationSecurityGroups: to.groups,
      ...(value.description !== undefined && { description: value.description }),
    },
  };
}

function word<T extends string>(
  words: Readonly<Record<string, T>>,
  field: string,
  rule: ShortRule,
  given: string,
  issues: Issue[],
): T | undefined {
  const known = Object.hasOwn(words, given.toLowerCase()) ? words[given.toLowerCase()] : undefined;
  if (known !== undefined) return known;
  const expected = [...new Set(Object.values(words))].join(', ');
  add(issues, 'CHANGE_VALUE', `rule '${rule.name}' has ${field} '${given}'; expected ${expected}`, `write ${expected}`);
  return undefined;
}

function side(
  rule: ShortRule,
  value: OneOrMany<string> | undefined,
  asgId: (name: string) => string | undefined,
  issues: Issue[],
): { readonly prefixes: readonly string[]; readonly groups: readonly Reference[] } {
  const prefixes: string[] = [];
  const groups: Reference[] = [];
  for (const entry of listOf(value)) {
    if (!entry.toLowerCase().startsWith('asg:')) {
      prefixes.push(entry);
      continue;
    }
    const name = entry.slice('asg:'.length).trim();
    const id = asgId(name);
    if (id !== undefined) groups.push({ id });
    else {
      const message = `rule '${rule.name}' names application security group '${name}', which does not exist`;
      add(issues, 'CHANGE_NAME_NOT_FOUND', message, 'check the name after asg:');
    }
  }
  return { prefixes, groups };
}

function listOf<T extends string | number>(value: OneOrMany<T> | undefined): readonly (T | '*')[] {
  if (value === undefined) return ['*'];
  return typeof value === 'string' || typeof value === 'number' ? [value] : value;
}

function add(issues: Issue[], code: ChangeIssueCode, message: string, hint: string): void {
  issues.push({ code, severity: 'error', message, hint });
}
