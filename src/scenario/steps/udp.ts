// udp: one datagram, and its echo when the step asks for a reply.

import { PROTOCOL_UDP } from '../../wire/index.ts';
import { writePatternInto } from '../../guest/pattern.ts';
import { Conversation } from '../conversation.ts';
import { sizeBytes } from '../format/quantities.ts';
import { quietAfterNs, runUntilQuiet, watchConversation } from '../observation.ts';
import type { UdpOutcome } from '../../guest/udp-endpoint.ts';
import type { Facts } from '../expectations.ts';
import type { ResultName } from '../format/expectation-schema.ts';
import type { ActionOf } from '../format/step-schemas.ts';
import type { Session } from '../session.ts';

const SIZE_DEFAULT = 64;

export function runUdp(session: Session, value: ActionOf<'udp'>): Facts {
  const { simulation } = session;
  const sender = session.sender(value.from);
  const { address: dst, port: dstPort } = session.receiverPort(value.to, sender);
  const src = sender.address;
  const conversation = new Conversation();
  const wantsReply = value.reply === true;
  const silenced = new Set<number>();
  const watch = watchConversation(simulation, conversation, (event) => {
    // Hosts echo datagrams; without `reply` the receiver takes this one and says nothing.
    if (wantsReply || event.after === undefined || event.egress < 0 || silenced.has(event.egress)) return;
    silenced.add(event.egress);
    simulation.host(event.egress).onUdp((datagram) => datagram.dstPort === dstPort);
  });
  let outcome: UdpOutcome | undefined;
  const srcPort = simulation.host(sender.attachment).sendUdp({
    src,
    dst,
    dstPort,
    srcPort: value.sourcePort,
    payload: payloadOf(value),
    ...(wantsReply ? { onOutcome: (found: UdpOutcome) => void (outcome = found) } : {}),
  });
  conversation.addFlow(sender.attachment, { protocol: PROTOCOL_UDP, src, dst, srcPort, dstPort });
  watch.quietAtNs = simulation.now() + quietAfterNs(simulation, sender.attachment);
  if (wantsReply) simulation.runWhile(() => outcome === undefined && watch.observation.dropped === 0);
  runUntilQuiet(simulation, watch);
  watch.stop();
  for (const attachment of silenced) simulation.host(attachment).onUdp(undefined);
  const { observation } = watch;
  const result = resultOf(outcome, observation.dropped > 0, observation.packets > 0);
  const bytes = outcome?.kind === 'reply' ? outcome.datagram.payload.length : 0;
  const passes = result === 'replied' ? observation.firstArrival() : observation.decisive();
  return { ...(result === undefined ? {} : { result }), counts: { lost: watch.lost(), bytes }, observation, passes };
}

// A datagram that nobody answers has no result of its own; where it went is its outcome.
function resultOf(outcome: UdpOutcome | undefined, isDropped: boolean, isSeen: boolean): ResultName | undefined {
  if (outcome?.kind === 'reply') return 'replied';
  if (isDropped) return 'dropped';
  if (outcome?.kind === 'error') return 'unreachable';
  return outcome !== undefined || !isSeen ? 'lost' : undefined;
}

function payloadOf(value: ActionOf<'udp'>): Uint8Array {
  if (value.payload !== undefined) return new TextEncoder().encode(value.payload);
  const payload = new Uint8Array(sizeBytes(value.size ?? SIZE_DEFAULT));
  writePatternInto(payload, 0, 0, payload.length);
  return payload;
}
