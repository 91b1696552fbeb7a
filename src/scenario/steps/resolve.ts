// resolve and restart: what a host learns from DNS, and when it asks DHCP again.

import { resolveName } from '../resolution.ts';
import type { Facts } from '../expectations.ts';
import type { ResultName } from '../format/expectation-schema.ts';
import type { ActionOf } from '../format/step-schemas.ts';
import type { Resolution } from '../resolution.ts';
import type { Session } from '../session.ts';

export function runResolve(session: Session, value: ActionOf<'resolve'>): Facts {
  const sender = session.sender(value.from);
  const server = value.server === undefined ? undefined : session.receiver(value.server, sender).address;
  const resolution = resolveName(session.simulation, sender, value.name, { type: value.type, server });
  const { status, addresses, chain, blame, observation } = resolution;
  const result = resultOf(resolution);
  const passes = result === 'replied' ? observation.firstArrival() : observation.decisive();
  const told = { status, address: addresses, chain, blame };
  return { result, counts: {}, observation, passes, told };
}

/** The guest of a NIC starts anew: connections are gone, and its DNS servers are those of now (DNS-6). */
export function runRestart(session: Session, value: ActionOf<'restart'>): Facts {
  session.simulation.restart(session.sender(value).attachment);
  return { counts: {} };
}

function resultOf({ status, observation }: Resolution): ResultName {
  if (status !== 'timeout') return 'replied';
  return observation.dropped > 0 ? 'dropped' : 'timedOut';
}
