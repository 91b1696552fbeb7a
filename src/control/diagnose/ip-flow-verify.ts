// IP flow verify (DIAG-1 to DIAG-5): the verdict of the rules at one NIC on one packet. Only that side is asked, and no
// route (DIAG-3): admin rules of the network (NSG-15), then the groups in the order of the direction (NSG-11, NSG-12).

import { ACCESS } from '../../abi/program.ts';
import { matchRule, NO_MATCH } from '../../dataplane/rule-match.ts';
import { parseIpv4, PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/index.ts';
import type { Compiled, RuleInfo } from '../compile/compiled.ts';
import { createContext } from '../compile/context.ts';
import { attachmentOf, nicWithin } from './attached-nic.ts';

export interface IpFlowQuestion {
  readonly direction: 'Inbound' | 'Outbound';
  readonly protocol: 'TCP' | 'UDP';
  readonly localIPAddress: string;
  /** 0 to 65535. */
  readonly localPort: number;
  readonly remoteIPAddress: string;
  readonly remotePort: number;
}

/** Without any group there is no rule to name. */
export interface IpFlowAnswer {
  readonly access: 'Allow' | 'Deny';
  readonly ruleName?: string;
}

/** Asks the rules of the NIC that has the local address. Throws NotAvailable when none has it (DIAG-5). */
export function ipFlowVerify(compiled: Compiled, question: IpFlowQuestion): IpFlowAnswer {
  const local = parseIpv4(question.localIPAddress);
  const remote = parseIpv4(question.remoteIPAddress);
  const protocol = question.protocol === 'TCP' ? PROTOCOL_TCP : PROTOCOL_UDP;
  const context = createContext(compiled.network, compiled.behaviour);
  const at = attachmentOf(compiled, nicWithin(context, Uint32Array.of(local, local)));
  const { attachments, ruleSets } = compiled.program;
  const isOut = question.direction === 'Outbound';
  const columns = isOut
    ? [attachments.outAdminRules, attachments.outNicRules, attachments.outSubnetRules]
    : [attachments.inAdminRules, attachments.inSubnetRules, attachments.inNicRules];
  const [src, dst] = isOut ? [local, remote] : [remote, local];
  const { localPort, remotePort } = question;
  const [srcPort, dstPort] = isOut ? [localPort, remotePort] : [remotePort, localPort];
  let decided: RuleInfo | undefined;
  for (const column of columns) {
    const set = ruleSets[column[at] ?? NO_MATCH];
    const position = set === undefined ? NO_MATCH : matchRule(set, protocol, src, dst, srcPort, dstPort);
    if (set === undefined || position === NO_MATCH) continue;
    decided = compiled.sideTable.rules[set.ruleIndex[position] ?? NO_MATCH];
    if (set.access[position] !== ACCESS.allow) break;
  }
  const access = decided?.access === 'Deny' ? 'Deny' : 'Allow';
  return decided === undefined ? { access } : { access, ruleName: pathOf(decided) };
}

/** DIAG-2. */
function pathOf({ rule, isDefault }: RuleInfo): string {
  return `${isDefault ? 'defaultSecurityRules' : 'securityRules'}/${rule}`;
}
