// Changes of SQL services as steps.

import { setConnectionType, setPublicEndpoint } from '../../control/change/service-changes.ts';
import type { Change } from '../../control/change/changes.ts';
import type { ChangeStep } from './change.ts';

type Step = Extract<ChangeStep, { action: 'setConnectionType' | 'setPublicEndpoint' }>;

export function sqlChange(step: Step): Change {
  if (step.action === 'setPublicEndpoint') return setPublicEndpoint(step.value.service, step.value.enabled);
  return setConnectionType(step.value.service, step.value.connectionType);
}
