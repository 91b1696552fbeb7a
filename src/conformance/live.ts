// A network of a short topology with the emulator's own guests, for experiments that need whole connections: steps of
// scenarios run in it one after the other.

import { createInlineEngine } from '../control/engine/inline-engine.ts';
import { readNetworkValue } from '../control/input/read.ts';
import { hasErrors, InputError } from '../control/issues.ts';
import type { Behaviour } from '../control/model/profile.ts';
import type { Network } from '../control/model/resources.ts';
import { validateNetwork } from '../control/validate/validate.ts';
import type { Facts } from '../scenario/expectations.ts';
import type { ActionName, ActionOf } from '../scenario/format/step-schemas.ts';
import type { ParsedStep } from '../scenario/scenario.ts';
import { Session } from '../scenario/session.ts';
import type { HostSettings } from '../scenario/simulation/guests.ts';
import { createSimulation } from '../scenario/simulation/simulation.ts';
import { runStep } from '../scenario/steps/index.ts';

const CONNECTIONS_MAX = 4096;

/** The network of a short topology (docs/topology-format.md). Throws InputError when it is refused. */
export function networkOfShort(topology: object, behaviour: Behaviour): Network {
  const { network, issues } = readNetworkValue(topology, 'case', { behaviour });
  const found = network === undefined ? issues : [...issues, ...validateNetwork(network, behaviour)];
  if (network === undefined || hasErrors(found)) throw new InputError(found);
  return network;
}

export class LiveNetwork {
  readonly session: Session;

  constructor(network: Network, behaviour: Behaviour, hosts: Readonly<Record<string, HostSettings>> = {}) {
    const engine = createInlineEngine({ connectionsMax: CONNECTIONS_MAX });
    this.session = new Session(createSimulation({ network, behaviour, engine, hosts }), 1);
  }

  /** Runs one step of a scenario; what it found out. Throws StepProblem when it cannot run. */
  step<Name extends ActionName>(action: Name, value: ActionOf<Name>): Facts {
    const source = { file: 'case', line: 1, column: 1 };
    const facts = runStep(this.session, { action, value, level: 'error', source, text: action } as ParsedStep);
    this.session.simulation.checkBalance();
    return facts;
  }
}
