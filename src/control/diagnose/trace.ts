// Turns the provenance of one pass into words and names: which rule, route, endpoint and translation decided, stage by
// stage in the order of the pipeline (PIPE-1, PIPE-2, PIPE-5). Nothing is decided here a second time: the indices that
// the data plane recorded are looked up in the side table of their epoch.

import { dropName, DROP_REASONS } from '../../abi/drop-reasons.ts';
import {
  BY_ADMIN,
  BY_FLOW,
  BY_PLATFORM,
  ESTABLISHED_PATH,
  NO_NSG,
  NONE,
  PROV_BALANCE_RULE,
  PROV_DROP,
  PROV_DROP_AT,
  PROV_EGRESS,
  PROV_ENDPOINT,
  PROV_ENDPOINT_RULE,
  PROV_ESTABLISHED,
  PROV_IN_NIC_RULE,
  PROV_IN_SUBNET_RULE,
  PROV_INGRESS,
  PROV_IN_ADMIN_RULE,
  PROV_NAT,
  PROV_OUT_ADMIN_RULE,
  PROV_OUT_NIC_RULE,
  PROV_OUT_SUBNET_RULE,
  PROV_ROUTE,
  PROV_STAGE,
  PROV_TRANSLATION,
  STAGE,
  TRANSLATION,
} from '../../abi/provenance.ts';
import { lastSegment, natText, placeOf, routeText, ruleText } from './words.ts';
import type { DropName } from '../../abi/drop-reasons.ts';
import type { StageName, TranslationName } from '../../abi/provenance.ts';
import type { AttachmentInfo, EndpointInfo, RouteInfo, RuleInfo, SideTable } from '../compile/compiled.ts';
import type { Outcome } from '../engine/engine.ts';
import type { SourceLocation } from '../model/resources.ts';

/** What one stage decided about the packet. */
export interface TraceStep {
  readonly stage: StageName;
  /** NIC, endpoint or exit where the stage ran. */
  readonly at: string;
  /** `skipped`: rules that connection state or platform traffic passes by. */
  readonly verdict: 'continue' | 'drop' | 'skipped';
  readonly text: string;
  readonly rule?: RuleInfo;
  readonly route?: RouteInfo;
  /** Where the user wrote what decided. */
  readonly source?: SourceLocation;
}

/** One pass in words. */
export interface Trace {
  /** Sender: a NIC, an endpoint (for its service side) or an exit. */
  readonly from: string;
  /** Receiver, in the same words; absent when dropped, consumed or answered. */
  readonly to?: string;
  readonly outcome: Outcome;
  /** The four only when dropped; `droppedAt` is `<nic or endpoint>:<stage>`. */
  readonly reason?: DropName;
  readonly stage?: StageName;
  readonly droppedAt?: string;
  readonly dropStep?: TraceStep;
  /** `<nsg>/<rule>` that decided last: the deny, or the final allow. `flow` when connection state skipped all rules. */
  readonly by?: string;
  /** Prefix, source and next-hop type of the route chosen at the sender. */
  readonly route?: readonly [prefix: string, source: string, nextHopType: string];
  /** Private endpoint crossed or refused, in either direction. */
  readonly endpoint?: string;
  /** Name of the service behind that endpoint. */
  readonly service?: string;
  readonly translation: TranslationName;
  /** Public IP or NAT pool used. */
  readonly nat?: NatInfo;
  /** In the order of the pipeline; a drop is the last one. */
  readonly steps: readonly TraceStep[];
}

export interface NatInfo {
  readonly name: string;
  readonly addresses: readonly string[];
}

/** The trace of one provenance row; `sideTable` is the one of the row's epoch. */
export function traceOf(provenance: Int32Array, sideTable: SideTable): Trace {
  const row = readRow(provenance, sideTable);
  const steps = stepsOf(row);
  const by = decidedBy(row, steps);
  const { route, endpoint, nat } = row;
  return {
    from: row.from,
    outcome: row.outcome,
    translation: row.translation,
    steps,
    ...receiverOf(row),
    ...dropOf(row, steps),
    ...(by === undefined ? {} : { by }),
    ...(route === undefined ? {} : { route: [route.prefix, route.source, route.nextHopType] as const }),
    ...(endpoint === undefined ? {} : { endpoint: endpoint.name, service: endpoint.target }),
    ...(nat === undefined ? {} : { nat }),
  };
}

/** A provenance row with its indices looked up. */
interface Row {
  readonly words: Int32Array;
  readonly sideTable: SideTable;
  readonly outcome: Outcome;
  readonly reason: DropName;
  readonly stage: StageName;
  readonly from: string;
  /** Who the packet was for at the end: the receiver, or whoever dropped it on arrival. */
  readonly receiver: string;
  readonly sender: AttachmentInfo | undefined;
  readonly arrival: AttachmentInfo | undefined;
  /** Where it was dropped. */
  readonly at: string;
  readonly route: RouteInfo | undefined;
  readonly endpoint: EndpointInfo | undefined;
  readonly translation: TranslationName;
  readonly nat: NatInfo | undefined;
}

const STAGE_NAMES = Object.keys(STAGE) as StageName[];
const TRANSLATION_NAMES = Object.keys(TRANSLATION) as TranslationName[];
const EXITS: ReadonlySet<string> = new Set(['internet', 'onPremises', 'platform', 'service']);

function readRow(words: Int32Array, sideTable: SideTable): Row {
  const ingress = word(words, PROV_INGRESS);
  const dropAt = word(words, PROV_DROP_AT);
  const egress = word(words, PROV_EGRESS);
  const reason = dropName(word(words, PROV_DROP));
  const isDropped = reason !== 'NONE';
  const arrivalId = isDropped && dropAt !== NONE && dropAt !== ingress ? dropAt : egress;
  const endpoint = sideTable.endpoints[word(words, PROV_ENDPOINT)];
  const translation = nameAt(TRANSLATION_NAMES, TRANSLATION, word(words, PROV_TRANSLATION));
  return {
    words,
    sideTable,
    outcome: outcomeOf(words, sideTable, isDropped),
    reason,
    stage: nameAt(STAGE_NAMES, STAGE, word(words, PROV_STAGE)),
    from: attachmentName(sideTable, ingress),
    receiver: attachmentName(sideTable, arrivalId),
    sender: sideTable.attachments[ingress],
    arrival: sideTable.attachments[arrivalId],
    at: dropAt === NONE ? (endpoint?.name ?? attachmentName(sideTable, ingress)) : attachmentName(sideTable, dropAt),
    route: sideTable.routes[word(words, PROV_ROUTE)],
    endpoint,
    translation,
    nat: natOf(word(words, PROV_NAT), translation, sideTable),
  };
}

function outcomeOf(words: Int32Array, sideTable: SideTable, isDropped: boolean): Outcome {
  if (isDropped) return 'dropped';
  const egress = word(words, PROV_EGRESS);
  if (egress === NONE) return 'consumed';
  // Only the fabric's own reply comes back to the sender without a route; a NIC's packets to itself have one.
  if (egress === word(words, PROV_INGRESS) && word(words, PROV_ROUTE) === NONE) return 'answered';
  const kind = sideTable.attachments[egress]?.kind;
  return kind !== undefined && EXITS.has(kind) ? 'exited' : 'delivered';
}

function natOf(index: number, translation: TranslationName, sideTable: SideTable): NatInfo | undefined {
  if (translation === 'natOut' || translation === 'natIn') return sideTable.natPools[index];
  if (translation !== 'publicIpOut' && translation !== 'publicIpIn') return undefined;
  const publicIp = sideTable.publicIps[index];
  return publicIp === undefined ? undefined : { name: publicIp.name, addresses: [publicIp.address] };
}

function receiverOf(row: Row): { to?: string } {
  return row.outcome === 'delivered' || row.outcome === 'exited' ? { to: row.receiver } : {};
}

function dropOf(
  row: Row,
  steps: readonly TraceStep[],
): { reason?: DropName; stage?: StageName; droppedAt?: string; dropStep?: TraceStep } {
  const dropStep = steps.at(-1);
  if (row.outcome !== 'dropped' || dropStep === undefined) return {};
  return { reason: row.reason, stage: row.stage, droppedAt: `${row.at}:${row.stage}`, dropStep };
}

function decidedBy(row: Row, steps: readonly TraceStep[]): string | undefined {
  if (ridesOnPath(row)) return 'flow';
  const rule = steps.findLast((step) => step.rule !== undefined)?.rule;
  if (rule !== undefined) return `${rule.nsg}/${rule.rule}`;
  const isFlow = RULE_WORDS.some((index) => word(row.words, index) === BY_FLOW);
  return isFlow || word(row.words, PROV_ESTABLISHED) > 0 ? 'flow' : undefined;
}

/** True for the later packets of a connection: the rules named in the row let its first packet through. */
function ridesOnPath(row: Row): boolean {
  return (word(row.words, PROV_ESTABLISHED) & ESTABLISHED_PATH) !== 0;
}

const RULE_WORDS = [
  PROV_OUT_NIC_RULE,
  PROV_OUT_SUBNET_RULE,
  PROV_ENDPOINT_RULE,
  PROV_IN_SUBNET_RULE,
  PROV_IN_NIC_RULE,
] as const;

function stepsOf(row: Row): TraceStep[] {
  const endpointName = row.endpoint?.name ?? '';
  const steps = [
    ...ruleStep(row, PROV_OUT_ADMIN_RULE, 'adminRule', row.from), // NSG-15
    ...ruleStep(row, PROV_OUT_NIC_RULE, 'nicNsg', row.from),
    ...ruleStep(row, PROV_OUT_SUBNET_RULE, 'subnetNsg', row.from),
    ...routeStep(row),
    ...ruleStep(row, PROV_ENDPOINT_RULE, 'subnetNsg', endpointName, endpointName),
    ...endpointStep(row),
    ...publicAddressStep(row),
    ...balancerStep(row),
    ...peeringStep(row),
    ...ruleStep(row, PROV_IN_ADMIN_RULE, 'adminRule', row.receiver),
    ...ruleStep(row, PROV_IN_SUBNET_RULE, 'subnetNsg', row.receiver),
    ...ruleStep(row, PROV_IN_NIC_RULE, 'nicNsg', row.receiver),
  ];
  const isDecided = steps.at(-1)?.verdict === 'drop';
  if (!isDecided) steps.push(row.outcome === 'dropped' ? dropStep(row) : endStep(row));
  return steps;
}

function ruleStep(row: Row, index: number, stage: StageName, at: string, endpoint?: string): TraceStep[] {
  const value = word(row.words, index);
  if (value === NONE) return [];
  if (value === NO_NSG) return [{ stage, at, verdict: 'continue', text: 'no network security group: allowed' }];
  if (value === BY_FLOW) return [{ stage, at, verdict: 'skipped', text: 'rules skipped: connection state exists' }];
  if (value === BY_ADMIN) return [{ stage, at, verdict: 'skipped', text: 'rules skipped: always allowed' }];
  if (value === BY_PLATFORM) return [{ stage, at, verdict: 'skipped', text: 'rules skipped: platform traffic' }];
  const rule = row.sideTable.rules[value];
  if (rule === undefined) throw new Error(`epoch ${row.sideTable.epoch} has no rule ${value}`);
  const text = ruleText(rule, placeOf(stage, endpoint));
  const { source } = rule;
  if (ridesOnPath(row)) {
    const skipped = `rules skipped: connection state exists, admitted by ${text}`;
    return [{ stage, at, verdict: 'skipped', text: skipped, rule, ...(source === undefined ? {} : { source }) }];
  }
  const isDeny = rule.access === 'Deny';
  const words = isDeny ? `denied by ${text}` : `allowed by ${text}`;
  const verdict = isDeny ? 'drop' : 'continue';
  return [{ stage, at, verdict, text: words, rule, ...(source === undefined ? {} : { source }) }];
}

/** Drops for which the chosen route itself is to blame; others at this stage have causes of their own. */
const ROUTE_DROPS: ReadonlySet<DropName> = new Set(['ROUTE_NONE', 'NEXT_HOP_UNREACHABLE', 'NO_SUCH_DESTINATION']);

function routeStep(row: Row): TraceStep[] {
  const { route } = row;
  if (route === undefined) return [];
  const isDrop = row.stage === 'route' && ROUTE_DROPS.has(row.reason);
  const verdict = isDrop ? 'drop' : 'continue';
  const text = isDrop ? `${routeText(route)}: ${DROP_REASONS[row.reason].text}` : routeText(route);
  const { location } = route;
  return [{ stage: 'route', at: row.from, verdict, text, route, ...(location && { source: location }) }];
}

function endpointStep(row: Row): TraceStep[] {
  const { endpoint } = row;
  const text = endpoint && translationAt(row, endpoint);
  if (endpoint === undefined || text === undefined) return [];
  const { source } = endpoint;
  return [{ stage: 'admission', at: endpoint.name, verdict: 'continue', text, ...(source && { source }) }];
}

function translationAt(row: Row, { address, name, target, service }: EndpointInfo): string | undefined {
  switch (row.translation) {
    case 'endpoint':
      return `destination ${address} of ${name} becomes ${target}`;
    case 'endpointReply':
      return `source ${target} becomes ${address} of ${name}`;
    case 'service':
      return `destination ${address} of ${name} becomes ${row.receiver} of Private Link service ${service ?? target}`;
    case 'serviceReply':
      return `source ${row.from} becomes ${address} of ${name}`;
    default:
      return undefined;
  }
}

function publicAddressStep(row: Row): TraceStep[] {
  const text = natText(row.translation, row.nat);
  if (text === undefined) return [];
  const isInbound = row.translation === 'publicIpIn' || row.translation === 'natIn';
  const isKnown = row.arrival !== undefined;
  return [{ stage: 'publicIp', at: isInbound && isKnown ? row.receiver : row.from, verdict: 'continue', text }];
}

function balancerStep(row: Row): TraceStep[] {
  const info = row.sideTable.balanceRules[word(row.words, PROV_BALANCE_RULE)];
  if (info === undefined || row.outcome === 'dropped') return [];
  const { loadBalancer, rule, frontendAddress, source } = info;
  const text = `${loadBalancer}/${rule} sends ${frontendAddress} to ${row.receiver}`;
  return [{ stage: 'balancer', at: loadBalancer, verdict: 'continue', text, ...(source && { source }) }];
}

function peeringStep(row: Row): TraceStep[] {
  const from = row.sender?.vnet;
  const to = row.arrival?.vnet;
  if (row.stage === 'peering' || row.route === undefined || row.arrival?.kind !== 'nic') return [];
  if (row.translation === 'service') return []; // the two networks need not know each other (PLS-7)
  if (from === undefined || to === undefined || from.toLowerCase() === to.toLowerCase()) return [];
  const text = `crosses the peering from ${lastSegment(from)} to ${lastSegment(to)}`;
  return [{ stage: 'peering', at: row.receiver, verdict: 'continue', text }];
}

function dropStep(row: Row): TraceStep {
  const { endpoint, reason, stage } = row;
  const isEndpoint = endpoint !== undefined && row.at === endpoint.name && endpoint.source !== undefined;
  const source = isEndpoint ? endpoint.source : undefined;
  const text = DROP_REASONS[reason].text;
  return { stage, at: row.at, verdict: 'drop', text, ...(source === undefined ? {} : { source }) };
}

function endStep(row: Row): TraceStep {
  const stage: StageName = 'ingress';
  switch (row.outcome) {
    case 'delivered':
      return { stage, at: row.receiver, verdict: 'continue', text: `delivered to ${row.receiver}` };
    case 'exited':
      return { stage, at: row.receiver, verdict: 'continue', text: `exited to ${row.receiver}` };
    case 'answered':
      return { stage: 'egress', at: row.from, verdict: 'continue', text: 'answered by the fabric' };
    case 'consumed':
      return { stage: 'egress', at: row.from, verdict: 'continue', text: 'consumed by the fabric' };
    case 'dropped':
      break;
  }
  throw new Error('a dropped pass ends with its drop');
}

function attachmentName(sideTable: SideTable, attachment: number): string {
  return sideTable.attachments[attachment]?.name ?? `attachment ${attachment}`;
}

function nameAt<T extends string>(names: readonly T[], codes: Readonly<Record<T, number>>, code: number): T {
  const name = names.find((candidate) => codes[candidate] === code);
  if (name === undefined) throw new RangeError(`unknown code ${code} in a provenance row`);
  return name;
}

function word(words: Int32Array, index: number): number {
  const value = words[index];
  if (value === undefined) throw new RangeError(`a provenance row has no word ${index}`);
  return value;
}
