// Changes of admin rules, service endpoints and gateways as steps.

import { removeAdminRule, setAdminRule } from '../../control/change/admin-changes.ts';
import type { Change } from '../../control/change/changes.ts';
import { setServiceEndpoints } from '../../control/change/placement-changes.ts';
import { setLearnedRoutes } from '../../control/change/route-changes.ts';
import { asList } from '../format/common-schemas.ts';
import type { ChangeStep } from './change.ts';

type Step = Extract<
  ChangeStep,
  { action: 'setServiceEndpoints' | 'setAdminRule' | 'removeAdminRule' | 'setLearnedRoutes' }
>;

export function networkChange(step: Step): Change {
  switch (step.action) {
    case 'setServiceEndpoints':
      return setServiceEndpoints(step.value.subnet, asList(step.value.services));
    case 'setLearnedRoutes':
      return setLearnedRoutes(step.value.network, asList(step.value.routes));
    case 'removeAdminRule':
      return removeAdminRule(step.value.manager, step.value.name);
    default: {
      const { manager, source, sourcePorts, destination, destinationPorts, ...rule } = step.value;
      const sides = {
        source: source === undefined ? undefined : asList(source),
        sourcePorts: sourcePorts === undefined ? undefined : asList(sourcePorts),
        destination: destination === undefined ? undefined : asList(destination),
        destinationPorts: destinationPorts === undefined ? undefined : asList(destinationPorts),
      };
      return setAdminRule(manager, { ...rule, ...sides }, step.source);
    }
  }
}
