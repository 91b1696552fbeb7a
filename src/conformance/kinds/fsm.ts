// Kind `fsm`: the state machines of private endpoint connections, of peerings and of requests to Private Link services.

import { z } from 'zod';
import {
  CONNECTION_EVENTS,
  nextConnectionState,
  privateLinkServiceAdmission,
  usualActor,
} from '../../control/change/connection-state.ts';
import type { ConnectionEvent, ConnectionStateOrNone } from '../../control/change/connection-state.ts';
import { PEERING_EVENTS, nextPeeringState } from '../../control/change/peering-state.ts';
import type { PeeringEvent, PeeringStates } from '../../control/change/peering-state.ts';
import type { CaseOutcome } from '../compare.ts';
import { judgeExpect } from '../kind.ts';
import type { CaseInput, Kind } from '../kind.ts';
import { parsePart } from '../notation.ts';

/** Events of the machine `pe`; a managed endpoint (`mpe`) is created in one way only (ADF-2). */
const PE_EVENTS = CONNECTION_EVENTS.filter((event) => event !== 'createManaged');
const MPE_EVENTS = CONNECTION_EVENTS.filter((event) => event === 'createManaged' || !event.startsWith('create'));

const machineSchema = z.looseObject({ machine: z.enum(['pe', 'mpe', 'peering', 'plsConnect']) });
const peSchema = z.strictObject({ machine: z.literal('pe'), events: z.array(z.enum(PE_EVENTS)) });
const mpeSchema = z.strictObject({ machine: z.literal('mpe'), events: z.array(z.enum(MPE_EVENTS)) });
const peeringSchema = z.strictObject({ machine: z.literal('peering'), events: z.array(z.enum(PEERING_EVENTS)) });
const plsSchema = z.strictObject({
  machine: z.literal('plsConnect'),
  input: z.strictObject({
    visibility: z.array(z.string()),
    autoApproval: z.array(z.string()),
    requests: z.array(z.string()),
  }),
});

export const fsm: Kind = { run: runMachine, judge: judgeExpect() };

function runMachine({ fields, behaviour }: CaseInput): CaseOutcome {
  const { machine } = parsePart(machineSchema, fields, 'case');
  const approveAfterReject = behaviour.switches['pe.approveAfterReject'];
  switch (machine) {
    case 'pe':
      return { states: connectionStates(parsePart(peSchema, fields, 'case').events, approveAfterReject) };
    case 'mpe':
      return { states: connectionStates(parsePart(mpeSchema, fields, 'case').events, approveAfterReject) };
    case 'peering':
      return { states: linkStates(parsePart(peeringSchema, fields, 'case').events) };
    case 'plsConnect': {
      const { visibility, autoApproval, requests } = parsePart(plsSchema, fields, 'case').input;
      const admission = (subscription: string) =>
        privateLinkServiceAdmission({ visibility, autoApproval, subscription });
      return { states: requests.map(admission) };
    }
    default:
      return machine satisfies never;
  }
}

function connectionStates(events: readonly ConnectionEvent[], approveAfterReject: boolean): string[] {
  let state: ConnectionStateOrNone = 'none';
  return events.map((event) => {
    const step = nextConnectionState(state, event, usualActor(event), { approveAfterReject });
    if (step.kind === 'refused') return 'refused';
    state = step.kind === 'gone' ? 'none' : step.state;
    return step.kind === 'gone' ? 'gone' : step.state;
  });
}

/** States of A's link. */
function linkStates(events: readonly PeeringEvent[]): string[] {
  let states: PeeringStates = { a: 'none', b: 'none' };
  return events.map((event) => {
    const step = nextPeeringState(states, event);
    if (step.kind === 'refused') return 'refused';
    states = step.states;
    return event === 'deleteA' ? 'gone' : states.a;
  });
}
