// The state machine of a private endpoint connection (PE-12 to PE-19, PE-51, PE-52, ADF-2), and what a Private Link
// service answers to a request for a connection (PLS-3, PLS-4). Pure functions; changes.ts applies them to a network.

import type { Issue } from '../issues.ts';
import type { ConnectionState } from '../model/resources.ts';
import type { ChangeIssueCode } from './codes.ts';

/** What can happen to a connection. `AutoListed`: the consumer's
 * subscription is on the auto-approval list of the service; `createManaged`: a data factory asks (ADF-2). */
export const CONNECTION_EVENTS = [
  'createAuto',
  'createManual',
  'createManualAutoListed',
  'createManaged',
  'approve',
  'reject',
  'ownerDelete',
  'targetDelete',
  'consumerDelete',
] as const;
export type ConnectionEvent = (typeof CONNECTION_EVENTS)[number];

export type ConnectionActor = 'consumer' | 'owner';

/** `none`: the endpoint does not exist. */
export type ConnectionStateOrNone = ConnectionState | 'none';

export interface ConnectionOptions {
  /** Switch `pe.approveAfterReject` (PE-18). */
  readonly approveAfterReject: boolean;
  /** Whether the creator may approve connections of the target (PE-12, PE-51); default true. */
  readonly mayApprove?: boolean;
}

export type ConnectionStep =
  | { readonly kind: 'state'; readonly state: ConnectionState }
  | { readonly kind: 'refused'; readonly issue: Issue }
  | { readonly kind: 'gone' };

const CREATED: Readonly<Partial<Record<ConnectionEvent, ConnectionState>>> = {
  createAuto: 'Approved',
  createManual: 'Pending',
  createManualAutoListed: 'Approved',
  createManaged: 'Pending',
};

/**
 * The state after an event, or why it is refused (the state stays), or that the endpoint is gone. An approval of an
 * approved connection and a rejection of a rejected one change nothing.
 */
export function nextConnectionState(
  state: ConnectionStateOrNone,
  event: ConnectionEvent,
  actor: ConnectionActor,
  options: ConnectionOptions,
): ConnectionStep {
  if (actor !== usualActor(event)) {
    const hint = 'the owner approves, rejects and removes; the consumer creates and deletes';
    return refused('CONNECTION_ACTOR', `the ${actor} of a private endpoint may not ${WORDS[event]} it`, hint);
  }
  const created = CREATED[event];
  if (created !== undefined) return create(state, event, created, options);
  if (state === 'none') {
    const hint = 'create the endpoint first';
    return refused('CONNECTION_MISSING', `there is no private endpoint to ${WORDS[event]}`, hint);
  }
  switch (event) {
    case 'approve':
      return approve(state, options);
    case 'reject':
      return state === 'Disconnected' ? refusedFinal(state, event) : { kind: 'state', state: 'Rejected' };
    case 'consumerDelete':
      return { kind: 'gone' };
    default:
      return { kind: 'state', state: 'Disconnected' };
  }
}

/** Who causes an event (PE-52): creating and deleting the endpoint is the consumer's, the rest the owner's. */
export function usualActor(event: ConnectionEvent): ConnectionActor {
  return CREATED[event] !== undefined || event === 'consumerDelete' ? 'consumer' : 'owner';
}

/** What a Private Link service answers to a subscription (PLS-3, PLS-4): `*` in a list stands for everybody. */
export function privateLinkServiceAdmission(request: {
  readonly visibility: readonly string[];
  readonly autoApproval: readonly string[];
  readonly subscription: string;
}): 'Approved' | 'Pending' | 'refused' {
  const lists = (list: readonly string[]): boolean =>
    list.some((entry) => entry === '*' || entry.toLowerCase() === request.subscription.toLowerCase());
  if (!lists(request.visibility)) return 'refused';
  return lists(request.autoApproval) ? 'Approved' : 'Pending';
}

const WORDS: Readonly<Record<ConnectionEvent, string>> = {
  createAuto: 'create',
  createManual: 'create',
  createManualAutoListed: 'create',
  createManaged: 'create',
  approve: 'approve',
  reject: 'reject',
  ownerDelete: 'remove the connection of',
  targetDelete: 'delete the target of',
  consumerDelete: 'delete',
};

/** PE-12 to PE-14, ADF-2; without the permission automatic approval is an error, not a fall-back (PE-51). */
function create(
  state: ConnectionStateOrNone,
  event: ConnectionEvent,
  created: ConnectionState,
  options: ConnectionOptions,
): ConnectionStep {
  if (state !== 'none') {
    const hint = 'delete the endpoint first';
    return refused('CONNECTION_EXISTS', `the private endpoint exists already and is ${state}`, hint);
  }
  if (event === 'createAuto' && options.mayApprove === false) {
    const message = 'automatic approval needs privateEndpointConnectionsApproval/action on the target';
    return refused('CONNECTION_NOT_AUTHORIZED', message, 'get the permission, or ask for manual approval');
  }
  return { kind: 'state', state: created };
}

/** PE-15 and PE-18. A removed connection has nothing left to approve, whatever the profile. */
function approve(state: ConnectionState, options: ConnectionOptions): ConnectionStep {
  if (state === 'Pending' || state === 'Approved') return { kind: 'state', state: 'Approved' };
  if (state === 'Rejected' && options.approveAfterReject) return { kind: 'state', state: 'Approved' };
  return refusedFinal(state, 'approve');
}

function refusedFinal(state: ConnectionState, event: ConnectionEvent): ConnectionStep {
  const message = `cannot ${WORDS[event]} a private endpoint connection that is ${state}`;
  return refused('CONNECTION_FINAL', message, 'delete the endpoint and create it again');
}

function refused(code: ChangeIssueCode, message: string, hint: string): ConnectionStep {
  return { kind: 'refused', issue: { code, severity: 'error', message, hint } };
}
