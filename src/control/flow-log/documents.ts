// Flow records in the envelopes that Azure writes to storage: version 4 once per NIC (DIAG-26), version 2 once per NIC
// and security group, with the group that decided (DIAG-20, DIAG-22).

import { formatMac } from '../../wire/index.ts';
import type { Compiled, RuleInfo } from '../compile/compiled.ts';
import { guidOf } from '../private-link/alias.ts';
import type { FlowRecord } from './recorder.ts';
import { formatTuple } from './tuple.ts';

const MAC_HIGH = 2 ** 32;
/** Stands for a group where there is none. */
const UNSPECIFIED = 'unspecified';

/** Version 4: one record per NIC; flows by the group or network manager that decided, then by rule. */
export function flowLogV4(compiled: Compiled, records: readonly FlowRecord[]): { readonly records: readonly object[] } {
  const perNic = grouped(records, ({ nic }) => nic.id);
  return {
    records: perNic.map(([id, own]) => ({
      time: timeOf(own),
      flowLogVersion: 4,
      flowLogGUID: guidOf(`flow log of ${id}`),
      macAddress: macOf(compiled, own),
      category: 'FlowLogFlowEvent',
      flowLogResourceID: `${id}/flowLogs/default`,
      targetResourceID: id,
      operationName: 'FlowLogFlowEvent',
      flowRecords: {
        flows: grouped(own, ({ rule }) => (rule === undefined ? UNSPECIFIED : guidOf(rule.nsgId))).map(
          ([aclID, ofGroup]) => ({
            aclID,
            flowGroups: grouped(ofGroup, ({ rule }) => ruleNameV4(rule)).map(([rule, ofRule]) => ({
              rule,
              flowTuples: ofRule.map((record) => formatTuple(4, record)),
            })),
          }),
        ),
      },
    })),
  };
}

/** Version 2: flows that a security group decided; admin rules and NICs without group are not in it (DIAG-30). */
export function flowLogV2(compiled: Compiled, records: readonly FlowRecord[]): { readonly records: readonly object[] } {
  const logged = records.filter(
    ({ rule, isStateless, state }) =>
      rule !== undefined && rule.isAdmin !== true && !(isStateless && (state === 'C' || state === 'E')),
  );
  return {
    records: grouped(logged, ({ nic, rule }) => `${nic.id} ${rule?.nsgId}`).map(([, own]) => {
      const mac = macOf(compiled, own);
      return {
        time: timeOf(own),
        systemId: guidOf('system'),
        macAddress: mac,
        category: 'NetworkSecurityGroupFlowEvent',
        resourceId: own[0]?.rule?.nsgId.toUpperCase(),
        operationName: 'NetworkSecurityGroupFlowEvents',
        properties: {
          Version: 2,
          flows: grouped(own, ({ rule }) => ruleNameV2(rule)).map(([rule, ofRule]) => ({
            rule,
            flows: [{ mac, flowTuples: ofRule.map((record) => formatTuple(2, record)) }],
          })),
        },
      };
    }),
  };
}

/** DIAG-22. */
function ruleNameV2(rule: RuleInfo | undefined): string {
  return `${rule?.isDefault === true ? 'DefaultRule' : 'UserRule'}_${rule?.rule ?? UNSPECIFIED}`;
}

/** Only default rules have a prefix (DIAG-29). */
function ruleNameV4(rule: RuleInfo | undefined): string {
  if (rule === undefined) return UNSPECIFIED;
  return rule.isDefault ? `DefaultRule_${rule.rule}` : rule.rule;
}

function timeOf(records: readonly FlowRecord[]): string {
  return new Date(records.at(-1)?.timeMs ?? 0).toISOString();
}

/** `00224871C205`: twelve digits without separators; empty for a NIC that is gone. */
function macOf({ program, sideTable }: Compiled, [record]: readonly FlowRecord[]): string {
  const attachment = record?.nic.attachment ?? -1;
  if (sideTable.attachments[attachment]?.id !== record?.nic.id) return '';
  const { macHigh, macLow } = program.attachments;
  const mac = ((macHigh[attachment] ?? 0) & 0xffff) * MAC_HIGH + ((macLow[attachment] ?? 0) >>> 0);
  return formatMac(mac)
    .replaceAll(/[^0-9a-f]/gi, '')
    .toUpperCase();
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): [string, T[]][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups];
}
