// Changes of names and servers as steps.

import { linkZone, removeRecord, setDnsServers, setRecord, unlinkZone } from '../../control/change/dns-changes.ts';
import { asList } from '../format/common-schemas.ts';
import type { Change } from '../../control/change/changes.ts';
import type { ChangeStep } from './change.ts';

type Step = Extract<ChangeStep, { action: 'setRecord' | 'removeRecord' | 'linkZone' | 'unlinkZone' | 'setDnsServers' }>;

export function dnsChange(step: Step): Change {
  switch (step.action) {
    case 'setRecord': {
      const { zone, name, type, values } = step.value;
      return setRecord(zone, { name, type, values: asList(values) });
    }
    case 'removeRecord':
      return removeRecord(step.value.zone, step.value.name, step.value.type);
    case 'linkZone':
      return linkZone(step.value.zone, step.value.network, step.value);
    case 'unlinkZone':
      return unlinkZone(step.value.zone, step.value.network);
    case 'setDnsServers': {
      const { network, nic, servers } = step.value;
      return setDnsServers(nic === undefined ? { network: network ?? '' } : { nic }, asList(servers));
    }
    default:
      return step satisfies never;
  }
}
