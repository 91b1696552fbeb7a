// From the passes of one packet to the words of the notation: verdict, receiver, deciding rule, place and reason of a
// drop, appliances crossed, route at the sender, rewritten header fields.

import {
  BY_FLOW,
  ESTABLISHED_PATH,
  PROV_ENDPOINT_RULE,
  PROV_ESTABLISHED,
  PROV_IN_NIC_RULE,
  PROV_IN_SUBNET_RULE,
  PROV_OUT_NIC_RULE,
  PROV_OUT_SUBNET_RULE,
} from '../abi/provenance.ts';
import type { StageName } from '../abi/provenance.ts';
import { traceOf } from '../control/diagnose/trace.ts';
import type { Trace } from '../control/diagnose/trace.ts';
import type { SideTable } from '../control/compile/compiled.ts';
import type { PacketEvent } from '../scenario/simulation/simulation-api.ts';
import { formatIpv4, parseFrame, parseIpv4 } from '../wire/index.ts';
import type { ParsedIpv4 } from '../wire/index.ts';
import { sameText, sameValue } from './compare.ts';
import type { CaseOutcome, Comparator } from './compare.ts';
import type { Journey } from './fabric.ts';
import { backendAddress } from './network.ts';
import type { Topology } from './notation.ts';

/** Stages that network security groups decide at. */
const NSG_STAGES: ReadonlySet<StageName> = new Set(['nicNsg', 'subnetNsg']);

/** Rule columns of a pass in the order in which they are asked. */
const RULE_WORDS = [PROV_OUT_NIC_RULE, PROV_OUT_SUBNET_RULE, PROV_ENDPOINT_RULE, PROV_IN_SUBNET_RULE, PROV_IN_NIC_RULE];

/** Comparisons of fields whose spelling may differ: reasons in both spellings, route types in any case (ROUTE-48). */
export const PACKET_COMPARATORS: Readonly<Record<string, Comparator>> = {
  reason: (expected, got) => sameValue(plainReason(expected), plainReason(got)),
  route: sameText,
};

/** What became of a packet, over its whole path. */
export function journeyOutcome(journey: Journey, topology: Topology): CaseOutcome {
  const first = firstPass(journey);
  const last = journey.passes.at(-1) ?? first;
  const end = last.outcome === 'dropped' ? fabricDrop(traceOfPass(last)) : delivery(last, journey, topology);
  return {
    verdict: end.to === undefined ? 'drop' : 'deliver',
    to: end.to,
    by: decidedBy(journey.passes),
    at: end.at,
    reason: end.reason,
    via: journey.passes.slice(0, -1).map((pass) => attachmentName(pass.sideTable, pass.egress)),
    route: traceOfPass(first).route,
    rewrite: rewrittenFields(first, last, serviceAddress(last, topology)),
  };
}

/** Case-level switches that narrow what counts of a packet's path. */
export interface PacketSwitches {
  readonly nsgOnly: boolean;
  readonly firstHopOnly: boolean;
}

/** What became of a packet, as far as the switches let it count. */
export function switchedOutcome(journey: Journey, topology: Topology, switches: PacketSwitches): CaseOutcome {
  if (switches.nsgOnly) return nsgOutcome(journey, topology);
  if (switches.firstHopOnly) return firstHopOutcome(journey, topology);
  return journeyOutcome(journey, topology);
}

/** Only the network security groups count: a drop anywhere else is none (`nsgOnly`). */
function nsgOutcome(journey: Journey, topology: Topology): CaseOutcome {
  const outcome = journeyOutcome(journey, topology);
  const last = journey.passes.at(-1);
  const stage = last === undefined ? undefined : traceOfPass(last).stage;
  if (stage !== undefined && NSG_STAGES.has(stage)) return outcome;
  return { ...outcome, verdict: 'deliver', at: undefined, reason: undefined };
}

/** Stops at the first guest that the packet reaches (`firstHopOnly`). */
function firstHopOutcome(journey: Journey, topology: Topology): CaseOutcome {
  const first = firstPass(journey);
  const outcome = journeyOutcome({ passes: [first], guestDrop: undefined }, topology);
  if (first.egress < 0) return outcome;
  return { ...outcome, verdict: 'deliver', to: receiverName(first), at: undefined, reason: undefined };
}

/** The words of one pass. */
export function traceOfPass(pass: PacketEvent): Trace {
  return traceOf(pass.provenance, pass.sideTable);
}

function firstPass(journey: Journey): PacketEvent {
  const first = journey.passes[0];
  if (first === undefined) throw new Error('the packet never entered the fabric');
  return first;
}

interface End {
  readonly to?: string;
  readonly at?: string | undefined;
  readonly reason?: string;
}

function fabricDrop(trace: Trace): End {
  return { at: trace.droppedAt, reason: pascalCase(trace.reason ?? 'NONE') };
}

// A packet may also end inside a guest: an appliance that neither is its receiver nor sent it on has dropped it.
// What the fabric itself consumes (DHCP, WIRE-12) went to the platform.
function delivery(pass: PacketEvent, journey: Journey, topology: Topology): End {
  if (pass.egress < 0) return { to: 'platform' };
  const name = receiverName(pass);
  const nic = topology.nics[name];
  if (nic === undefined || !nic.ipfwd || datagram(pass.after)?.dst === parseIpv4(nic.ip)) return { to: name };
  return { at: `${name}:guest`, reason: journey.guestDrop ?? 'dropped by the guest' };
}

/** The last decision on the path: a rule, or connection state that let the packet pass all rules. */
function decidedBy(passes: readonly PacketEvent[]): string | undefined {
  let decision: string | undefined;
  for (const pass of passes) decision = decisionOf(pass) ?? decision;
  return decision;
}

function decisionOf({ provenance, sideTable }: PacketEvent): string | undefined {
  const established = provenance[PROV_ESTABLISHED] ?? 0;
  // The row of a cached path names the rules that let the connection's first packet through; this one rode on them.
  if ((established & ESTABLISHED_PATH) !== 0) return 'flow';
  const words = RULE_WORDS.map((word) => provenance[word] ?? -1);
  const last = words.findLast((index) => index === BY_FLOW || sideTable.rules[index] !== undefined);
  const rule = last === undefined ? undefined : sideTable.rules[last];
  if (rule !== undefined) return `${rule.nsg}/${rule.rule}`;
  return last === BY_FLOW || established > 0 ? 'flow' : undefined;
}

function attachmentName(sideTable: SideTable, attachment: number): string {
  const info = sideTable.attachments[attachment];
  if (info === undefined) throw new Error(`a pass names attachment ${attachment}, which does not exist`);
  return info.name;
}

/** Exits by the words of the notation: every network's on-premises side is `onprem`. */
function receiverName({ sideTable, egress }: PacketEvent): string {
  const info = sideTable.attachments[egress];
  return info?.kind === 'onPremises' ? 'onprem' : attachmentName(sideTable, egress);
}

// The receiver of the notation is the endpoint, which knows no other address than its own: that the service behind it
// has an address too, which the runner chose (PE-36), is no rewrite in the words of the notation.
function serviceAddress(pass: PacketEvent, topology: Topology): number | undefined {
  const info = pass.sideTable.attachments[pass.egress];
  return info?.kind === 'provider' ? parseIpv4(backendAddress(topology, info.name)) : undefined;
}

function rewrittenFields(first: PacketEvent, last: PacketEvent, service: number | undefined): CaseOutcome | undefined {
  const sent = datagram(first.before);
  const received = datagram(last.after);
  if (sent === undefined || received === undefined) return undefined;
  const fields: Record<string, string | number> = {};
  if (sent.src !== received.src) fields['src'] = formatIpv4(received.src);
  if (sent.dst !== received.dst && received.dst !== service) fields['dst'] = formatIpv4(received.dst);
  const [before, after] = [portsOf(sent), portsOf(received)];
  if (after !== undefined && before?.srcPort !== after.srcPort) fields['sport'] = after.srcPort;
  if (after !== undefined && before?.dstPort !== after.dstPort) fields['dport'] = after.dstPort;
  return fields;
}

function portsOf(datagram: ParsedIpv4): { readonly srcPort: number; readonly dstPort: number } | undefined {
  return datagram.tcp ?? datagram.udp;
}

function datagram(frame: Uint8Array | undefined): ParsedIpv4 | undefined {
  if (frame === undefined) return undefined;
  const parsed = parseFrame(frame);
  return parsed.kind === 'ipv4' ? parsed : undefined;
}

/** `NSG_DENY` as `NsgDeny`, the spelling of the cases (DIAG-33). */
export function pascalCase(name: string): string {
  return name
    .split('_')
    .map((word) => `${word.charAt(0)}${word.slice(1).toLowerCase()}`)
    .join('');
}

function plainReason(reason: unknown): unknown {
  return typeof reason === 'string' ? reason.replaceAll('_', '').toLowerCase() : reason;
}
