// setListen: what answers at a host from now on. Connections that exist go on; a probe finds out by itself (LB-4).

import type { Facts } from '../expectations.ts';
import type { ActionOf } from '../format/step-schemas.ts';
import { StepProblem } from '../session.ts';
import type { Session } from '../session.ts';

/** Sets the TCP and UDP ports that a host serves. Throws StepProblem when it is no longer there. */
export function runListen({ simulation }: Session, { nic, listen }: ActionOf<'setListen'>): Facts {
  const attachment = simulation.attachment(nic);
  if (attachment === undefined) {
    const hint = 'it was removed by an earlier step';
    throw new StepProblem({ code: 'SCENARIO_UNKNOWN_NAME', message: `'${nic}' is no longer there`, hint });
  }
  simulation.host(attachment).setListen(listen);
  return { counts: {} };
}
