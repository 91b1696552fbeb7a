// Attachments by the names that scenarios and the TypeScript form use.

import { idKey } from '../../control/model/resources.ts';
import type { SideTable } from '../../control/compile/compiled.ts';

/** Attachment id by NIC name or resource id, `internet`, `onprem:<vnet>` …; `provider:<endpoint>` tells the service
 * side of an endpoint from a NIC of the same name. Undefined when there is none. */
export function findAttachment(sideTable: SideTable, name: string): number | undefined {
  const wanted = name.toLowerCase();
  const info = sideTable.attachments.find((entry) => {
    if (entry === undefined) return false;
    const own = entry.kind === 'provider' ? `provider:${entry.name}` : entry.name;
    if (entry.kind === 'onPremises' && `onprem:${entry.vnet}`.toLowerCase() === wanted) return true;
    return own.toLowerCase() === wanted || (entry.id !== '' && idKey(entry.id) === idKey(name));
  });
  return info?.attachment;
}
