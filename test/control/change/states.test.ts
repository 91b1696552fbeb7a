import { expect, test } from 'vitest';
import {
  type ConnectionEvent,
  type ConnectionOptions,
  type ConnectionStateOrNone,
  type ConnectionStep,
  CONNECTION_EVENTS,
  nextConnectionState,
  privateLinkServiceAdmission,
  usualActor,
} from '../../../src/control/change/connection-state.ts';
import { type LinkState, nextPeeringState, type PeeringEvent } from '../../../src/control/change/peering-state.ts';

const GA: ConnectionOptions = { approveAfterReject: false };

function rowsOf(table: string): string[][] {
  return table
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
}

function outcome(step: ConnectionStep): string {
  if (step.kind === 'state') return step.state;
  return step.kind === 'gone' ? 'gone' : step.issue.code;
}

// Every state (columns) with every event (rows): PE-12 to PE-19, ADF-2.
const CONNECTION_STATES: ConnectionStateOrNone[] = ['none', 'Pending', 'Approved', 'Rejected', 'Disconnected'];
const CONNECTIONS = `
  createAuto              Approved            CONNECTION_EXISTS  CONNECTION_EXISTS  CONNECTION_EXISTS  CONNECTION_EXISTS
  createManual            Pending             CONNECTION_EXISTS  CONNECTION_EXISTS  CONNECTION_EXISTS  CONNECTION_EXISTS
  createManualAutoListed  Approved            CONNECTION_EXISTS  CONNECTION_EXISTS  CONNECTION_EXISTS  CONNECTION_EXISTS
  createManaged           Pending             CONNECTION_EXISTS  CONNECTION_EXISTS  CONNECTION_EXISTS  CONNECTION_EXISTS
  approve                 CONNECTION_MISSING  Approved           Approved           CONNECTION_FINAL   CONNECTION_FINAL
  reject                  CONNECTION_MISSING  Rejected           Rejected           Rejected           CONNECTION_FINAL
  ownerDelete             CONNECTION_MISSING  Disconnected       Disconnected       Disconnected       Disconnected
  targetDelete            CONNECTION_MISSING  Disconnected       Disconnected       Disconnected       Disconnected
  consumerDelete          CONNECTION_MISSING  gone               gone               gone               gone
`;

test('the table of connection states has every event', () => {
  expect(rowsOf(CONNECTIONS).map(([event]) => event)).toEqual([...CONNECTION_EVENTS]);
});

const CONNECTION_CELLS = rowsOf(CONNECTIONS).flatMap(([event, ...cells]) =>
  cells.map((cell, index) => [CONNECTION_STATES[index], event as ConnectionEvent, cell] as const),
);

test.each(CONNECTION_CELLS)('a connection in state %s after %s: %s', (state, event, expected) => {
  expect(outcome(nextConnectionState(state, event, usualActor(event), GA))).toBe(expected);
});

test('before ga-2026 an owner may approve after rejecting, but not after removing (PE-18)', () => {
  const options = { approveAfterReject: true };
  expect(outcome(nextConnectionState('Rejected', 'approve', 'owner', options))).toBe('Approved');
  expect(outcome(nextConnectionState('Disconnected', 'approve', 'owner', options))).toBe('CONNECTION_FINAL');
});

test('automatic approval without the permission is an error, not a pending request (PE-51)', () => {
  const options = { ...GA, mayApprove: false };
  expect(outcome(nextConnectionState('none', 'createAuto', 'consumer', options))).toBe('CONNECTION_NOT_AUTHORIZED');
  expect(outcome(nextConnectionState('none', 'createManual', 'consumer', options))).toBe('Pending');
});

test.each(CONNECTION_EVENTS)('%s is refused for the other party (PE-52)', (event) => {
  const other = usualActor(event) === 'owner' ? 'consumer' : 'owner';
  expect(outcome(nextConnectionState('Pending', event, other, GA))).toBe('CONNECTION_ACTOR');
});

// States of A's and B's link before, event, states after or code (PEER-1).
const PEERINGS = `
  none          none          createA  Initiated     none
  none          none          createB  none          Initiated
  none          none          deleteA  PEERING_MISSING
  none          Initiated     createA  Connected     Connected
  Initiated     none          createA  PEERING_EXISTS
  Initiated     none          createB  Connected     Connected
  Initiated     none          deleteA  none          none
  Initiated     none          deleteB  PEERING_MISSING
  Connected     Connected     createA  PEERING_EXISTS
  Connected     Connected     deleteA  none          Disconnected
  Connected     Connected     deleteB  Disconnected  none
  Disconnected  none          createA  PEERING_EXISTS
  Disconnected  none          createB  PEERING_REMOTE_DISCONNECTED
  Disconnected  none          deleteA  none          none
  none          Disconnected  createA  PEERING_REMOTE_DISCONNECTED
  none          Disconnected  deleteB  none          none
`;

test.each(rowsOf(PEERINGS))('links %s and %s after %s: %s %s', (a, b, event, nextA, nextB) => {
  const step = nextPeeringState({ a: a as LinkState, b: b as LinkState }, event as PeeringEvent);
  const found = step.kind === 'refused' ? [step.issue.code] : [step.states.a, step.states.b];
  expect(found).toEqual(nextB === undefined ? [nextA] : [nextA, nextB]);
});

test.each([
  [['s1', 's2'], ['s1'], 's1', 'Approved'],
  [['s1', 's2'], ['s1'], 'S1', 'Approved'],
  [['s1', 's2'], ['s1'], 's2', 'Pending'],
  [['s1', 's2'], ['s1'], 's3', 'refused'],
  [['*'], ['s1'], 's3', 'Pending'],
  [['*'], ['*'], 's3', 'Approved'],
  [[], [], 's1', 'refused'],
  [['s2'], ['s1'], 's1', 'refused'],
])('visible to %j, auto-approved %j: a request of %s is %s', (visibility, autoApproval, subscription, expected) => {
  expect(privateLinkServiceAdmission({ visibility, autoApproval, subscription })).toBe(expected);
});
