// packet: one packet as the step writes it, past the sender's protocol stack. Only that packet is judged, along its
// whole way.

import { buildFrame, ICMP_ECHO_REQUEST, TCP_SYN } from '../../wire/index.ts';
import { tryParseIpv4 } from '../../wire/index.ts';
import { Conversation } from '../conversation.ts';
import { sizeBytes } from '../format/quantities.ts';
import { parseTcpFlags } from '../headers.ts';
import { quietAfterNs, runUntilQuiet, watchConversation } from '../observation.ts';
import { frameBytesMaxFor } from '../../control/engine/frame-size.ts';
import { StepProblem } from '../session.ts';
import type { FrameSpec } from '../../wire/index.ts';
import type { Facts } from '../expectations.ts';
import type { ActionOf } from '../format/step-schemas.ts';
import type { Receiver, Sender } from '../names.ts';
import type { Session } from '../session.ts';
import type { Simulation } from '../simulation/simulation-api.ts';

const SOURCE_PORT = 50_000;

export function runPacket(session: Session, value: ActionOf<'packet'>): Facts {
  const { simulation } = session;
  const sender = session.sender(value.from);
  const frame = frameOf(session, sender, value);
  const most = frameBytesMaxFor(simulation.compiled.network);
  if (frame.length > most) {
    const message = `the frame has ${frame.length} bytes`;
    throw new StepProblem({ code: 'SCENARIO_FRAME', message, hint: `at most ${most} can be sent` });
  }
  const conversation = new Conversation();
  const packetId = simulation.inject(sender.attachment, frame);
  conversation.addPacket(packetId);
  const watch = watchConversation(simulation, conversation, undefined, (event) => event.packetId === packetId);
  watch.quietAtNs = simulation.now() + quietAfterNs(simulation, sender.attachment);
  runUntilQuiet(simulation, watch);
  watch.stop();
  const { observation } = watch;
  return { counts: { lost: watch.lost() }, observation, passes: observation.decisive() };
}

/** The MAC address of an attachment's guest. */
export function macOf(simulation: Simulation, attachment: number): number {
  const { macHigh, macLow } = simulation.compiled.program.attachments;
  return (macHigh[attachment] as number) * 2 ** 32 + ((macLow[attachment] as number) >>> 0);
}

function frameOf(session: Session, sender: Sender, value: ActionOf<'packet'>): Uint8Array {
  if (value.raw !== undefined) return Uint8Array.from(Buffer.from(value.raw.replaceAll(/\s/g, ''), 'hex'));
  const receiver = session.receiver(value.to ?? '', sender);
  const { ttl, id, dontFragment, fragment } = value;
  try {
    return buildFrame({
      srcMac: macOf(session.simulation, sender.attachment),
      src: sourceOf(value.src) ?? sender.address,
      dst: receiver.address,
      ttl,
      id,
      dontFragment,
      fragmentOffset: fragment?.offset,
      moreFragments: fragment?.more,
      ...transportOf(value, receiver),
    });
  } catch (error) {
    // Fields that do not make a frame are the user's.
    if (!(error instanceof RangeError)) throw error;
    throw new StepProblem({ code: 'SCENARIO_FRAME', message: error.message, hint: 'correct the fields of the packet' });
  }
}

function transportOf(value: ActionOf<'packet'>, receiver: Receiver): Partial<FrameSpec> {
  const { tcp, udp, icmp, protocol } = value;
  const payload = new Uint8Array(sizeBytes(value.size ?? 0));
  // A later fragment carries bytes only: its transport header was in the first one.
  if ((value.fragment?.offset ?? 0) > 0) return { protocol: protocol ?? protocolOf(value), payload };
  if (protocol !== undefined) return { protocol, payload };
  if (udp !== undefined) return { udp: portsOf(udp, receiver), payload };
  if (tcp === undefined && (icmp !== undefined || receiver.port === undefined)) {
    const { type, code, id, seq } = icmp ?? {};
    return { icmp: { type: type ?? ICMP_ECHO_REQUEST, code, id: id ?? 1, sequence: seq ?? 1 }, payload };
  }
  const flags = tcp?.flags === undefined ? TCP_SYN : parseTcpFlags(tcp.flags);
  if (flags === undefined) throw new StepProblem(badFlags(tcp?.flags ?? ''));
  const { seq, ack, window } = tcp ?? {};
  return { tcp: { ...portsOf(tcp ?? {}, receiver), flags, seq, ack, window }, payload };
}

function portsOf(ports: { sport?: number | undefined; dport?: number | undefined }, receiver: Receiver) {
  const dstPort = ports.dport ?? receiver.port;
  if (dstPort === undefined) {
    const hint = "write 'dport', or a port after the destination";
    throw new StepProblem({ code: 'SCENARIO_NO_PORT', message: 'the packet has no destination port', hint });
  }
  return { srcPort: ports.sport ?? SOURCE_PORT, dstPort };
}

function protocolOf({ tcp, udp }: ActionOf<'packet'>): number {
  if (tcp !== undefined) return 6;
  return udp === undefined ? 1 : 17;
}

function sourceOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const address = tryParseIpv4(text);
  if (address !== undefined) return address;
  throw new StepProblem({
    code: 'SCENARIO_VALUE',
    message: `'${text}' is not an IPv4 address`,
    hint: 'write for example 10.0.0.4',
  });
}

function badFlags(text: string): { code: 'SCENARIO_VALUE'; message: string; hint: string } {
  return {
    code: 'SCENARIO_VALUE',
    message: `'${text}' are no TCP flags`,
    hint: 'write letters as tcpdump does: S, S., .',
  };
}
