// What consumers and owners do to endpoints and services, as steps.

import { setAdminState, setHighScale, setProxyProtocol, setVisibility } from '../../control/change/balance-changes.ts';
import { setNicTag } from '../../control/change/changes.ts';
import type { Change } from '../../control/change/changes.ts';
import { createEndpoint, createManagedEndpoint } from '../../control/change/endpoint-creation.ts';
import type { Behaviour } from '../../control/model/profile.ts';
import { asList } from '../format/common-schemas.ts';
import type { ChangeStep } from './change.ts';

type Step = Extract<
  ChangeStep,
  {
    action:
      | 'createEndpoint'
      | 'createManagedEndpoint'
      | 'setVisibility'
      | 'setProxyProtocol'
      | 'setNicTag'
      | 'setHighScale'
      | 'setAdminState';
  }
>;

/** The change that a step stands for. */
export function endpointsChange(step: Step, behaviour: Behaviour): Change {
  switch (step.action) {
    case 'createEndpoint': {
      const { privateDnsZones, permissions, ...rest } = step.value;
      const isInterfaceEndpoint = behaviour.profile === 'interface-endpoint-2018';
      const lists = { privateDnsZones: listOf(privateDnsZones), permissions: listOf(permissions) };
      return createEndpoint({ ...rest, ...lists }, { isInterfaceEndpoint });
    }
    case 'createManagedEndpoint':
      return createManagedEndpoint(step.value);
    case 'setVisibility': {
      const { service, visibility, autoApproval } = step.value;
      return setVisibility(service, { visibility: listOf(visibility), autoApproval: listOf(autoApproval) });
    }
    case 'setProxyProtocol':
      return setProxyProtocol(step.value.service, step.value.enabled);
    case 'setNicTag':
      return setNicTag(step.value.nic, step.value.tag, step.value.value);
    case 'setHighScale':
      return setHighScale(step.value.network, step.value.enabled);
    default:
      return setAdminState(step.value.loadBalancer, step.value.nic, step.value.state);
  }
}

function listOf(value: string | readonly string[] | undefined): readonly string[] | undefined {
  return value === undefined ? undefined : asList(value).map(String);
}
