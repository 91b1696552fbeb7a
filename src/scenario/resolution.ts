// How a sender learns the address behind a name: its guest asks its DNS servers with real frames, and what every server
// on the way knew is told step by step. Who is outside and has no server of his own knows the public name space.

import { formatIpv4, parseFrame, UDP_HEADER } from '../wire/index.ts';
import { decodeDns, DNS_PORT } from '../wire/dns.ts';
import { resolveAzure, resolvePublic } from '../control/dns/resolve.ts';
import { traceOf } from '../control/diagnose/trace.ts';
import { verdictText } from '../control/diagnose/verdict-text.ts';
import { DnsClient } from '../guest/dns-client.ts';
import { decidersOf } from './expectations.ts';
import { Observation } from './observation.ts';
import {
  AZURE_DNS,
  dnsServerAt,
  dnsServersOf,
  forwardersOf,
  ownRecords,
  serverLabel,
  vnetOfAttachment,
} from './simulation/dns-guests.ts';
import type { DnsMessage, DnsMessageRecord, DnsTypeName } from '../wire/dns.ts';
import type { DnsOutcome } from '../guest/dns-client.ts';
import type { SourceLocation } from '../control/model/resources.ts';
import type { Sender } from './names.ts';
import type { PacketEvent, Simulation } from './simulation/simulation-api.ts';

export interface ResolutionStep {
  readonly name: string;
  /** Who said it: a zone, `internal names`, a ruleset, `public DNS`, a server, or a rule that dropped the question. */
  readonly where: string;
  readonly text: string;
  readonly source?: SourceLocation;
}

export interface Resolution {
  readonly name: string;
  readonly type: DnsTypeName;
  /** The first server that the sender asks; undefined outside, where the public name space is known. */
  readonly server: string | undefined;
  readonly status: DnsOutcome['status'];
  /** Aliases in order. */
  readonly chain: readonly string[];
  /** Values of the type that was asked for: addresses for A. */
  readonly addresses: readonly string[];
  readonly steps: readonly ResolutionStep[];
  /** What decided: the `where` of the step that did. */
  readonly blame: string;
  /** The packets of the resolution. */
  readonly observation: Observation;
}

export interface ResolveOptions {
  /** Default A. */
  readonly type?: DnsTypeName | undefined;
  /** Default: the servers that DHCP told the sender. */
  readonly server?: number | undefined;
}

/** Resolves a name as the guest of `sender` would. Runs virtual time until it has an answer or gives up. */
export function resolveName(
  simulation: Simulation,
  sender: Sender,
  name: string,
  options: ResolveOptions = {},
): Resolution {
  const type = options.type ?? 'A';
  const isGuest = simulation.compiled.sideTable.attachments[sender.attachment] !== undefined;
  const host = isGuest ? simulation.host(sender.attachment) : undefined;
  const own = host === undefined ? [] : dnsServersOf(host);
  const servers = options.server === undefined ? own : [options.server];
  if (host === undefined || servers.length === 0) return outside(simulation, name, type);
  const observation = new Observation();
  const steps: ResolutionStep[] = [];
  const stop = simulation.observe((event) => {
    const message = dnsMessageOf(event.before);
    if (message === undefined) return;
    observation.add(event);
    for (const step of stepsOf(simulation, event, message)) addStep(steps, step);
  });
  let outcome: DnsOutcome | undefined;
  new DnsClient(host).resolve(servers, { name, type }, (found) => void (outcome = found), sender.address);
  simulation.runWhile(() => outcome === undefined);
  stop();
  const { status, answers } = outcome ?? { status: 'timeout' as const, answers: [] };
  if (status === 'timeout' && !steps.some((step) => isLost(step) || step.text === NO_SERVER)) {
    addStep(steps, { name, where: servers.map((each) => formatIpv4(each)).join(', '), text: 'no answer came' });
  }
  const server = formatIpv4(servers[0] ?? AZURE_DNS);
  return { name, type, server, status, ...readAnswers(answers, type), steps, blame: blameOf(steps), observation };
}

/** The resolution in lines, for `explain`. */
export function resolutionText(resolution: Resolution): string[] {
  const { name, type, server, status, chain, addresses, steps, blame } = resolution;
  const asked = server === undefined ? 'in the public name space' : `at ${server}`;
  const lines = [`resolution of ${name} (${type}) ${asked}`];
  for (const step of steps) {
    const place = step.source === undefined ? '' : ` (${step.source.file}:${step.source.line})`;
    lines.push(`  ${step.name}: ${step.where}: ${step.text}${place}`);
  }
  const aliases = chain.length === 0 ? '' : `, by way of ${chain.join(', ')}`;
  const found = addresses.length === 0 ? 'no address' : addresses.join(', ');
  lines.push(`  ${status}: ${found}${aliases}; decided by ${blame}`);
  return lines;
}

function outside(simulation: Simulation, name: string, type: DnsTypeName): Resolution {
  const result = resolvePublic(simulation.compiled.network, name, type);
  const { status, steps } = result;
  const observation = new Observation();
  const answers = readAnswers(result.records, type);
  return { name, type, server: undefined, status, ...answers, steps, blame: blameOf(steps), observation };
}

function readAnswers(
  answers: readonly DnsMessageRecord[],
  type: DnsTypeName,
): { readonly chain: readonly string[]; readonly addresses: readonly string[] } {
  const chain = answers.filter((record) => record.type === 'CNAME').map((record) => record.value);
  return { chain, addresses: answers.filter((record) => record.type === type).map((record) => record.value) };
}

const LOST = 'was dropped: ';
const NO_SERVER = 'is no DNS server';

function isLost(step: ResolutionStep): boolean {
  return step.text.includes(LOST);
}

function blameOf(steps: readonly ResolutionStep[]): string {
  return (steps.findLast((step) => isLost(step)) ?? steps.at(-1))?.where ?? 'nobody';
}

// Questions are asked again when no answer comes: the second time tells nothing new.
function addStep(steps: ResolutionStep[], step: ResolutionStep): void {
  if (!steps.some((known) => known.text === step.text && known.where === step.where && known.name === step.name)) {
    steps.push(step);
  }
}

/** What one pass of a DNS message tells: where it was lost, or what the server it reached knows. */
function stepsOf(simulation: Simulation, event: PacketEvent, message: DnsMessage): readonly ResolutionStep[] {
  const { compiled } = simulation;
  const { name, type } = message.question;
  const address = destinationOf(event.before);
  if (event.outcome === 'dropped') {
    const trace = traceOf(event.provenance, event.sideTable);
    const where = decidersOf(trace)[0] ?? trace.reason ?? 'the fabric';
    const what = message.isResponse ? 'the answer' : `the question to ${formatIpv4(address)}`;
    return [{ name, where, text: `${what} ${LOST}${verdictText(trace)}` }];
  }
  if (message.isResponse || event.after === undefined) return [];
  const info = compiled.sideTable.attachments[event.egress];
  if (info?.kind === 'platform') {
    const vnet = vnetOfAttachment(compiled, event.ingress);
    if (vnet === undefined) return [{ name, where: formatIpv4(address), text: 'answers only inside of networks' }];
    return resolveAzure(compiled.network, compiled.behaviour, vnet, name, type).steps;
  }
  const label = serverLabel(compiled, event.egress, address);
  if (info?.kind === 'nic') {
    const server = dnsServerAt(compiled, event.egress);
    if (server === undefined) return [{ name, where: label, text: NO_SERVER }];
    if (ownRecords(server, name).length > 0) return [{ name, where: label, text: 'has a record of its own' }];
    const servers = forwardersOf(server, name).map((each) => formatIpv4(each));
    return [{ name, where: label, text: `forwards to ${servers.join(', ')}` }];
  }
  const servers = dnsServersOf(simulation.host(event.egress));
  if (servers.length > 0 && !servers.includes(address)) {
    return [{ name, where: label, text: `forwards to ${servers.map((each) => formatIpv4(each)).join(', ')}` }];
  }
  return resolvePublic(compiled.network, name, type).steps;
}

function destinationOf(frame: Uint8Array): number {
  const parsed = parseFrame(frame);
  return parsed.kind === 'ipv4' ? parsed.dst : 0;
}

function dnsMessageOf(frame: Uint8Array): DnsMessage | undefined {
  const parsed = parseFrame(frame);
  if (parsed.kind !== 'ipv4' || parsed.udp === undefined) return undefined;
  const { srcPort, dstPort } = parsed.udp;
  if (srcPort !== DNS_PORT && dstPort !== DNS_PORT) return undefined;
  const message = decodeDns(frame.subarray(parsed.l4 + UDP_HEADER));
  // A host that serves no names echoes what it gets: that is neither question nor answer.
  return message === undefined || message.isResponse || dstPort === DNS_PORT ? message : undefined;
}
