// What becomes of one packet and of the answer to it, and what decides: the packet is sent through the real fabric, and
// the answer is what its receiver would send back. Appliances do their work; all other guests keep silent, so that only
// the two packets that were asked about are seen.

import { formatIpv4, parseIpv4 } from '../wire/index.ts';
import { createInlineEngine } from '../control/engine/inline-engine.ts';
import { describeFrame } from '../wire/index.ts';
import { verdictText } from '../control/diagnose/verdict-text.ts';
import { dnsFinding } from './dns-finding.ts';
import { Directory, splitPort } from './names.ts';
import { resolutionText, resolveName } from './resolution.ts';
import { ResolutionProblem } from './session.ts';
import { ackFrame, firstFrame, replyFrame } from './probe-frames.ts';
import { traceOfPass } from './observation.ts';
import { createSimulation } from './simulation/simulation.ts';
import { traceText } from './trace-text.ts';
import type { Trace } from '../control/diagnose/trace.ts';
import type { Issue } from '../control/issues.ts';
import type { Behaviour } from '../control/model/profile.ts';
import type { Network } from '../control/model/resources.ts';
import type { Outcome } from '../control/engine/engine.ts';
import type { NameProblem, Receiver, Resolved, Sender } from './names.ts';
import type { Resolution } from './resolution.ts';
import type { PacketEvent, Simulation } from './simulation/simulation-api.ts';

export type ProbeProtocol = 'tcp' | 'udp' | 'icmp';

export interface Question {
  /** A NIC, a service or endpoint (its service side), or an exit. */
  readonly from: string;
  /** A NIC, an endpoint, a host name or an address; the port may follow after a colon. */
  readonly to: string;
  readonly port?: number;
  /** Default: tcp with a port, icmp without. */
  readonly protocol?: ProbeProtocol;
  /** `established`: a packet in the middle of a connection; default `new`. */
  readonly state?: 'new' | 'established';
  /** Default 50000. */
  readonly sourcePort?: number;
}

export interface ExplainedPass {
  /** The packet as it enters the fabric, in one line. */
  readonly packet: string;
  readonly trace: Trace;
}

export interface ExplainedDirection {
  readonly outcome: Outcome;
  /** The verdict on the last pass, as captures say it. */
  readonly verdict: string;
  /** Appliances crossed, in order. */
  readonly via: readonly string[];
  readonly passes: readonly ExplainedPass[];
}

export interface Explanation {
  readonly from: string;
  readonly to: string;
  readonly state: 'new' | 'established';
  /** How the sender learned the address; absent when no host name was asked for. */
  readonly resolution?: Resolution;
  /** The packet; when the name does not resolve, the question to the DNS server. */
  readonly forward: ExplainedDirection;
  /** The answer of the receiver; absent when the packet did not arrive. */
  readonly return?: ExplainedDirection;
  /** True when packet and answer arrive. */
  readonly isReachable: boolean;
  /** What is worth knowing: an asymmetric return, an answer that is lost. */
  readonly notes: readonly string[];
}

export type ExplainResult =
  | { readonly explanation: Explanation; readonly issues: readonly [] }
  | { readonly explanation: undefined; readonly issues: readonly Issue[] };

/** Explains a packet in a validated network. A name or port that is wrong comes back as an issue. */
export function explain(network: Network, behaviour: Behaviour, question: Question): ExplainResult {
  const engine = createInlineEngine({ connectionsMax: 256 });
  const simulation = createSimulation({ network, behaviour, engine });
  const resolution = resolutionOf(simulation, question);
  const probe = probeOf(simulation, question, resolution);
  if ('problem' in probe) {
    const issue: Issue = { ...probe.problem, severity: 'error' };
    return { explanation: undefined, issues: [issue] };
  }
  if ('passes' in probe) return { explanation: unresolvedOf(probe, question), issues: [] };
  silenceGuests(simulation);
  const explained = explainProbe(simulation, probe, question);
  void simulation.close();
  if (resolution === undefined) return { explanation: explained, issues: [] };
  const finding = dnsFinding(network, probe.sender, resolution);
  const notes = finding === undefined ? explained.notes : [finding, ...explained.notes];
  return { explanation: { ...explained, resolution, notes }, issues: [] };
}

/** The explanation as text: both directions, stage by stage. */
export function explanationText(explanation: Explanation): string[] {
  const { from, to, state, forward } = explanation;
  const kind = state === 'established' ? 'a packet of an established connection' : 'a new packet';
  const { resolution } = explanation;
  const isAsked = resolution !== undefined && resolution.addresses.length === 0;
  const lines = [`${from} > ${to}, ${kind}`, ''];
  if (resolution !== undefined) lines.push(...resolutionText(resolution), '');
  lines.push(isAsked ? 'question' : 'forward', ...directionText(forward));
  if (explanation.return !== undefined) lines.push('', 'return', ...directionText(explanation.return));
  if (explanation.notes.length > 0) lines.push('', ...explanation.notes.map((note) => `note: ${note}`));
  return lines;
}

interface Probe {
  readonly sender: Sender;
  readonly receiver: Receiver;
  readonly protocol: ProbeProtocol;
  readonly port: number;
  readonly sourcePort: number;
}

const SOURCE_PORT = 50_000;

/** What DNS says to the host name in `to`; undefined when there is none to ask for. */
function resolutionOf(simulation: Simulation, question: Question): Resolution | undefined {
  const directory = new Directory(simulation.compiled);
  const sender = directory.sender(question.from);
  const name = directory.dnsName(question.to);
  return 'problem' in sender || name === undefined ? undefined : resolveName(simulation, sender.value, name);
}

/** A question that was asked, and led to no address. */
interface Unresolved {
  readonly sender: Sender;
  readonly resolution: Resolution;
  readonly passes: readonly PacketEvent[];
}

function probeOf(
  simulation: Simulation,
  question: Question,
  resolution: Resolution | undefined,
): Probe | Unresolved | { problem: NameProblem } {
  const directory = new Directory(simulation.compiled);
  const sender = directory.sender(question.from);
  if ('problem' in sender) return sender;
  if (resolution !== undefined && resolution.addresses.length === 0) {
    const passes = resolution.observation.decisive();
    if (passes.length > 0) return { sender: sender.value, resolution, passes };
    return { problem: new ResolutionProblem(resolution).problem };
  }
  const [address] = resolution?.addresses ?? [];
  const [, written] = splitPort(question.to);
  const receiver: Resolved<Receiver> =
    address === undefined
      ? directory.receiver(question.to, sender.value)
      : { value: { address: parseIpv4(address), ...(written === undefined ? {} : { port: written }) } };
  if ('problem' in receiver) return receiver;
  const port = question.port ?? receiver.value.port;
  const protocol = question.protocol ?? (port === undefined ? 'icmp' : 'tcp');
  if (port === undefined && protocol !== 'icmp') {
    const hint = `write ${question.to}:443, or the port you mean`;
    return { problem: { code: 'SCENARIO_NO_PORT', message: `'${question.to}' names no port`, hint } };
  }
  const sourcePort = question.sourcePort ?? SOURCE_PORT;
  return { sender: sender.value, receiver: receiver.value, protocol, port: port ?? 0, sourcePort };
}

function unresolvedOf({ sender, resolution, passes }: Unresolved, question: Question): Explanation {
  const { name, status, blame } = resolution;
  return {
    from: `${sender.name} (${formatIpv4(sender.address)})`,
    to: question.to,
    state: question.state ?? 'new',
    resolution,
    forward: directionOf(passes),
    isReachable: false,
    notes: [`DNS is to blame: '${name}' has no address (${status}), decided by ${blame}`],
  };
}

// Hosts would answer on their own; what they would answer is sent by `explain` itself.
function silenceGuests(simulation: Simulation): void {
  const { sideTable, network } = simulation.compiled;
  const appliances = new Set(network.appliances.map((appliance) => appliance.nic.id.toLowerCase()));
  for (const info of sideTable.attachments) {
    if (info === undefined || info.ipForwarding === true || appliances.has(info.id.toLowerCase())) continue;
    if (info.kind !== 'internet') simulation.setGuest(info.attachment, () => ({ receive: () => undefined }));
  }
}

function explainProbe(simulation: Simulation, probe: Probe, question: Question): Explanation {
  const { sender, receiver, protocol } = probe;
  const spec = { protocol, src: sender.address, dst: receiver.address, srcPort: probe.sourcePort, dstPort: probe.port };
  const isEstablished = question.state === 'established';
  let passes = send(simulation, sender.attachment, firstFrame(spec));
  let arrived = arrivalOf(passes);
  let answer = arrived === undefined ? undefined : send(simulation, arrived.egress, replyFrame(arrived.after));
  const returned = answer === undefined ? undefined : arrivalOf(answer);
  if (isEstablished && protocol === 'tcp' && returned !== undefined) {
    passes = send(simulation, sender.attachment, ackFrame(returned.after));
    arrived = arrivalOf(passes);
    answer = arrived === undefined ? undefined : send(simulation, arrived.egress, replyFrame(arrived.after));
  }
  const forward = directionOf(passes);
  const back = answer === undefined ? undefined : directionOf(answer);
  const isReachable = arrived !== undefined && answer !== undefined && arrivalOf(answer)?.egress === sender.attachment;
  const [target] = splitPort(question.to);
  const port = protocol === 'icmp' ? '' : `:${probe.port}`;
  const named = target === formatIpv4(receiver.address) ? target : `${target} (${formatIpv4(receiver.address)})`;
  return {
    from: `${sender.name} (${formatIpv4(sender.address)})`,
    to: `${named}${port} ${protocol}`,
    state: isEstablished ? 'established' : 'new',
    forward,
    ...(back === undefined ? {} : { return: back }),
    isReachable,
    notes: notesOf(forward, back, isReachable),
  };
}

/** Sends a frame and returns the passes of that packet, in order. */
function send(simulation: Simulation, attachment: number, frame: Uint8Array): readonly PacketEvent[] {
  const passes: PacketEvent[] = [];
  let packetId = 0;
  const stop = simulation.observe((event) => {
    if (event.packetId === packetId) passes.push(event);
  });
  packetId = simulation.inject(attachment, frame);
  simulation.runWhile(() => simulation.framesInFlight() > 0);
  stop();
  return passes;
}

function arrivalOf(passes: readonly PacketEvent[]): (PacketEvent & { readonly after: Uint8Array }) | undefined {
  const last = passes.at(-1);
  if (last?.after === undefined || (last.outcome !== 'delivered' && last.outcome !== 'exited')) return undefined;
  return { ...last, after: last.after };
}

function directionOf(passes: readonly PacketEvent[]): ExplainedDirection {
  const explained = passes.map((pass) => ({ packet: describeFrame(pass.before), trace: traceOfPass(pass) }));
  const last = explained.at(-1);
  if (last === undefined) throw new Error('a packet left its sender and never reached the fabric');
  return {
    outcome: last.trace.outcome,
    verdict: verdictText(last.trace),
    via: explained.slice(0, -1).map((pass) => pass.trace.to ?? ''),
    passes: explained,
  };
}

function notesOf(forward: ExplainedDirection, back: ExplainedDirection | undefined, isReachable: boolean): string[] {
  if (back === undefined) return [];
  const notes: string[] = [];
  const expected = forward.via.toReversed();
  const isSymmetric = expected.length === back.via.length && expected.every((name, index) => name === back.via[index]);
  if (!isSymmetric) {
    const list = (via: readonly string[]): string => (via.length === 0 ? 'no appliance' : via.join(', '));
    notes.push(`the return path is asymmetric: forward through ${list(forward.via)}, back through ${list(back.via)}`);
  }
  if (!isReachable) notes.push('the packet arrives, but the answer does not reach the sender');
  return notes;
}

function directionText(direction: ExplainedDirection): string[] {
  return direction.passes.flatMap((pass, index) => {
    const number = direction.passes.length > 1 ? `pass ${index + 1}: ` : '';
    return [`  ${number}${pass.packet}`, ...traceText(pass.trace).map((line) => `    ${line}`)];
  });
}
