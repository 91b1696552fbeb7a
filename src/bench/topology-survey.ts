// Who may talk to whom in a user's network, and by which kind of path: found by sending SYNs through the real
// forwarder, never by a judgement of its own. Denied pairs keep the reason and the rule that the provenance names.

import type { Program } from '../abi/program.ts';
import { PROVENANCE_WORDS } from '../abi/provenance.ts';
import type { AttachmentInfo, Compiled } from '../control/compile/compiled.ts';
import { traceOf, type Trace } from '../control/diagnose/trace.ts';
import type { Network } from '../control/model/resources.ts';
import { TCP_SYN, parseIpv4, parsePrefix } from '../wire/index.ts';
import { createLane, type Lane } from './lane.ts';
import { Random } from './random.ts';
import { tcpTemplate } from './topology-frames.ts';

/** Kinds of path, in the order of the report. A pair that is denied before its route is known counts as what its
 * destination suggests; `unconnected` are NICs of networks that nothing joins. */
export const PATHS = [
  'VNet-local',
  'peered',
  'appliance',
  'endpoint',
  'Internet',
  'on-premises',
  'service endpoint',
  'unconnected',
] as const;
export type PathKind = (typeof PATHS)[number];

/** A NIC, and a destination that it could open a TCP connection to. */
export interface Pair {
  readonly from: number;
  readonly src: number;
  readonly dst: number;
  readonly port: number;
}

export interface PathSurvey {
  readonly path: PathKind;
  readonly allowed: readonly Pair[];
  readonly denied: readonly Pair[];
  /** `NSG_DENY nsg-app/DenySql` and how many pairs it stopped, the most frequent first. */
  readonly reasons: ReadonlyMap<string, number>;
}

export interface SurveyOptions {
  readonly seed: number;
  /** Of larger networks a random choice of so many pairs is tried, for NICs, endpoints and exits each. */
  readonly pairsMax: number;
}

/** Tries every pair of the network (or a choice); kinds of path that no pair takes are left out. */
export function surveyNetwork(compiled: Compiled, options: SurveyOptions): PathSurvey[] {
  const candidates = candidatesOf(compiled, options);
  const lane = createLane({ program: compiled.program, connections: candidates.length + 64 });
  const found = new Map<PathKind, { allowed: Pair[]; denied: Pair[]; reasons: Map<string, number> }>();
  for (const candidate of candidates) {
    const { pair, trace } = tryPorts(lane, compiled, candidate);
    const path = pathOf(trace, candidate.suggests);
    const survey = found.get(path) ?? { allowed: [], denied: [], reasons: new Map<string, number>() };
    found.set(path, survey);
    if (arrives(trace)) {
      survey.allowed.push(pair);
      continue;
    }
    survey.denied.push(pair);
    const reason = reasonOf(trace);
    survey.reasons.set(reason, (survey.reasons.get(reason) ?? 0) + 1);
  }
  return PATHS.flatMap((path) => {
    const survey = found.get(path);
    if (survey === undefined) return [];
    return [{ path, ...survey, reasons: new Map([...survey.reasons].toSorted((a, b) => b[1] - a[1])) }];
  });
}

/** A sender, a destination and the ports to try there; the first that is let through counts. */
interface Candidate {
  readonly from: number;
  readonly src: number;
  readonly dst: number;
  readonly ports: readonly number[];
  readonly suggests: PathKind;
}

interface Nic {
  readonly attachment: number;
  readonly address: number;
  readonly vnet: number;
}

interface Destination {
  readonly dst: number;
  readonly ports: readonly number[];
  readonly suggests: (from: Nic) => PathKind;
}

/** Every sender with every destination, at most `pairsMax` with NICs, endpoints and exits each. */
function candidatesOf({ network, program, sideTable }: Compiled, options: SurveyOptions): Candidate[] {
  const nics = sideTable.attachments.flatMap((info) => nicOf(info, program));
  const ports = portsOf(network);
  const peers = new Set([...program.vnets.peerFrom].map((from, i) => `${from} ${program.vnets.peerTo[i]}`));
  const suggest = (from: Nic, to: Nic): PathKind => {
    if (from.vnet === to.vnet) return 'VNet-local';
    return peers.has(`${from.vnet} ${to.vnet}`) ? 'peered' : 'unconnected';
  };
  const exits: Destination[] = [
    { dst: outsideAddress(network), ports: EXIT_PORTS, suggests: () => 'Internet' },
    ...onPremisesAddresses(network).map((dst) => ({ dst, ports: EXIT_PORTS, suggests: () => 'on-premises' as const })),
  ];
  const others = nics.map((nic) => ({ dst: nic.address, ports, suggests: (from: Nic) => suggest(from, nic) }));
  return [others, endpointsOf(program), exits].flatMap((to) => pairUp(nics, to, options));
}

function pairUp(senders: readonly Nic[], to: readonly Destination[], options: SurveyOptions): Candidate[] {
  const { seed, pairsMax } = options;
  const total = senders.length * to.length;
  const random = new Random(seed);
  const chosen = new Set<number>();
  while (chosen.size < Math.min(total, pairsMax)) chosen.add(total <= pairsMax ? chosen.size : random.below(total));
  return [...chosen].flatMap((number) => {
    const from = senders[Math.floor(number / to.length)];
    const { dst, ports, suggests } = to[number % to.length];
    if (dst === from.address) return [];
    return [{ from: from.attachment, src: from.address, dst, ports, suggests: suggests(from) }];
  });
}

function nicOf(info: AttachmentInfo | undefined, program: Program): Nic[] {
  if (info?.kind !== 'nic' || info.address === undefined) return [];
  const { attachment, address } = info;
  return [{ attachment, address: parseIpv4(address), vnet: program.attachments.vnet[attachment] }];
}

/** Ports of one destination that are tried at most. */
const PORTS_MAX = 16;
/** Tried after those that the rules name. */
const COMMON_PORTS = [443, 80, 22, 3389, 1433];
const EXIT_PORTS = [443, 80, 1433];

/** The first port of every range that a rule allows, the most frequent ones first. */
function portsOf(network: Network): number[] {
  const counts = new Map<number, number>();
  for (const { properties } of network.networkSecurityGroups) {
    const rules = properties.securityRules.filter((rule) => rule.properties.access === 'Allow');
    for (const range of rules.flatMap((rule) => rule.properties.destinationPortRanges)) {
      const port = Number.parseInt(range, 10);
      if (port > 0) counts.set(port, (counts.get(port) ?? 0) + 1);
    }
  }
  const named = [...counts].toSorted((a, b) => b[1] - a[1]).map(([port]) => port);
  return [...new Set([...named, ...COMMON_PORTS])].slice(0, PORTS_MAX);
}

function endpointsOf({ endpoints }: Program): Destination[] {
  return [...endpoints.address].map((address, i) => {
    const served = endpoints.portFirst.subarray(endpoints.portStart[i], endpoints.portStart[i + 1]);
    return { dst: address >>> 0, ports: [...served.subarray(0, PORTS_MAX)], suggests: () => 'endpoint' };
  });
}

/** A public address that nothing of the network uses. */
function outsideAddress(network: Network): number {
  const used = new Set(network.privateLinkResources.map((resource) => resource.properties.backendAddress));
  const free = ['203.0.113.250', '198.51.100.250', '192.0.2.250'].find((address) => !used.has(address));
  return parseIpv4(free ?? '203.0.113.251');
}

/** A host in each prefix that a gateway has learned. */
function onPremisesAddresses(network: Network): number[] {
  const prefixes = network.virtualNetworkGateways.flatMap((gateway) => gateway.properties.learnedRoutes);
  return prefixes.slice(0, PORTS_MAX).map((prefix) => parsePrefix(prefix).address + 1);
}

const SOURCE_PORT = 50_000;

/** The pair with the first port that arrives, or with the first port at all. */
function tryPorts(lane: Lane, compiled: Compiled, candidate: Candidate): { pair: Pair; trace: Trace } {
  const { from, src, dst, ports } = candidate;
  const tried = { pair: { from, src, dst, port: ports[0] ?? COMMON_PORTS[0] }, trace: undefined as Trace | undefined };
  for (const port of ports.length === 0 ? [tried.pair.port] : ports) {
    const trace = trySyn(lane, compiled, { from, src, dst, port });
    if (arrives(trace)) return { pair: { from, src, dst, port }, trace };
    tried.trace ??= trace;
  }
  if (tried.trace === undefined) throw new Error('a pair has a port to try');
  return { pair: tried.pair, trace: tried.trace };
}

function trySyn(lane: Lane, { sideTable }: Compiled, pair: Pair): Trace {
  lane.inject(tcpTemplate(pair.from, pair, { srcPort: SOURCE_PORT, dstPort: pair.port, flags: TCP_SYN }), 0);
  lane.turn();
  let provenance = new Int32Array(PROVENANCE_WORDS);
  lane.inspect(({ path }) => {
    provenance = lane.regions.paths.slice(path * PROVENANCE_WORDS, (path + 1) * PROVENANCE_WORDS);
  });
  if (lane.forwarder.collectsPaths) lane.forwarder.collectPaths();
  return traceOf(provenance, sideTable);
}

function arrives({ outcome }: Trace): boolean {
  return outcome === 'delivered' || outcome === 'exited';
}

function pathOf({ route, endpoint }: Trace, suggests: PathKind): PathKind {
  const nextHop = route?.[2];
  if (nextHop === 'VirtualAppliance') return 'appliance';
  if (endpoint !== undefined) return 'endpoint';
  return (nextHop === undefined ? undefined : PATH_OF_HOP[nextHop]) ?? suggests;
}

const PATH_OF_HOP: Readonly<Partial<Record<string, PathKind>>> = {
  VnetLocal: 'VNet-local',
  VNetPeering: 'peered',
  VNetGlobalPeering: 'peered',
  Internet: 'Internet',
  VirtualNetworkGateway: 'on-premises',
  VirtualNetworkServiceEndpoint: 'service endpoint',
};

/** `NSG_DENY nsg-app/DenySql`, `PE_NOT_APPROVED pe-sqlmi:admission`. */
function reasonOf({ outcome, reason, by, droppedAt }: Trace): string {
  if (reason === undefined) return outcome;
  return `${reason} ${(reason === 'NSG_DENY' ? by : undefined) ?? droppedAt ?? ''}`.trim();
}
