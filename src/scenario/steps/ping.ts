// ping: ICMP echo requests, a second apart, until all are answered or one is dropped by the fabric.

import { PROTOCOL_ICMP } from '../../wire/index.ts';
import { writePatternInto } from '../../guest/pattern.ts';
import { Conversation } from '../conversation.ts';
import { sizeBytes } from '../format/quantities.ts';
import { runUntilQuiet, watchConversation } from '../observation.ts';
import type { PingOutcome } from '../../guest/ping.ts';
import type { Facts } from '../expectations.ts';
import type { ResultName } from '../format/expectation-schema.ts';
import type { ActionOf } from '../format/step-schemas.ts';
import type { Session } from '../session.ts';

const INTERVAL_NS = 1_000_000_000;

export function runPing(session: Session, value: ActionOf<'ping'>): Facts {
  const { simulation } = session;
  const sender = session.sender(value.from);
  const { address: dst } = session.receiver(value.to, sender);
  const id = session.nextId();
  const src = sender.address;
  const conversation = new Conversation();
  conversation.addFlow(sender.attachment, { protocol: PROTOCOL_ICMP, src, dst, srcPort: id, dstPort: id });
  const watch = watchConversation(simulation, conversation);
  const { observation } = watch;
  const count = value.count ?? 1;
  const payload = value.size === undefined ? undefined : pattern(sizeBytes(value.size));
  const outcomes: PingOutcome[] = [];
  const startNs = simulation.now();
  for (let sent = 0; sent < count; sent++) {
    simulation.runUntil(startNs + sent * INTERVAL_NS);
    const dropped = observation.dropped;
    simulation
      .host(sender.attachment)
      .ping(dst, { id, src, payload, ttl: value.ttl }, (outcome) => outcomes.push(outcome));
    simulation.runWhile(() => outcomes.length <= sent && observation.dropped === dropped);
  }
  runUntilQuiet(simulation, watch);
  watch.stop();
  const replies = outcomes.filter((outcome) => outcome.kind === 'reply').length;
  const result = resultOf(outcomes, replies === count, observation.dropped > 0);
  const passes = result === 'replied' ? observation.firstArrival() : observation.decisive();
  return { result, counts: { replies, lost: watch.lost() }, observation, passes };
}

function resultOf(outcomes: readonly PingOutcome[], isComplete: boolean, isDropped: boolean): ResultName {
  if (isComplete) return 'replied';
  if (isDropped) return 'dropped';
  return outcomes.some((outcome) => outcome.kind === 'error') ? 'unreachable' : 'lost';
}

function pattern(length: number): Uint8Array {
  const payload = new Uint8Array(length);
  writePatternInto(payload, 0, 0, length);
  return payload;
}
