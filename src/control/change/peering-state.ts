// The states of the two links of a peering (PEER-1): each network has its own; traffic flows when both are Connected.

import type { Issue } from '../issues.ts';
import type { VirtualNetworkPeering } from '../model/resources.ts';
import type { ChangeIssueCode } from './codes.ts';

/** `none`: that network has no link. */
export type LinkState = VirtualNetworkPeering['properties']['peeringState'] | 'none';

export interface PeeringStates {
  readonly a: LinkState;
  readonly b: LinkState;
}

export const PEERING_EVENTS = ['createA', 'createB', 'deleteA', 'deleteB'] as const;
export type PeeringEvent = (typeof PEERING_EVENTS)[number];

export type PeeringStep =
  { readonly kind: 'states'; readonly states: PeeringStates } | { readonly kind: 'refused'; readonly issue: Issue };

/**
 * The states after an event, or why it is refused. The first link is Initiated, the second makes both Connected;
 * deleting one leaves the other Disconnected, and beside a Disconnected link nothing can be created.
 */
export function nextPeeringState(states: PeeringStates, event: PeeringEvent): PeeringStep {
  const isOfA = event.endsWith('A');
  const [own, other] = isOfA ? [states.a, states.b] : [states.b, states.a];
  const next = event.startsWith('create') ? create(own, other) : remove(own, other);
  if ('code' in next) return { kind: 'refused', issue: next };
  const [nextOwn, nextOther] = next;
  return { kind: 'states', states: isOfA ? { a: nextOwn, b: nextOther } : { a: nextOther, b: nextOwn } };
}

type Links = readonly [own: LinkState, other: LinkState];

function create(own: LinkState, other: LinkState): Links | Issue {
  if (own !== 'none') {
    return issue('PEERING_EXISTS', `the peering exists already and is ${own}`, 'delete it first, or change its flags');
  }
  if (other === 'Disconnected') {
    const message = 'the peering in the other direction is Disconnected (Azure: RemotePeeringIsDisconnected)';
    return issue('PEERING_REMOTE_DISCONNECTED', message, 'delete it there, then create both');
  }
  return other === 'none' ? ['Initiated', 'none'] : ['Connected', 'Connected'];
}

function remove(own: LinkState, other: LinkState): Links | Issue {
  if (own === 'none') return issue('PEERING_MISSING', 'there is no such peering', 'create it first');
  return ['none', other === 'none' ? 'none' : 'Disconnected'];
}

function issue(code: ChangeIssueCode, message: string, hint: string): Issue {
  return { code, severity: 'error', message, hint };
}
