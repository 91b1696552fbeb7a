// Generations of attachments: a path cached in the data plane holds until the generation of the attachment it starts at
// changes. It changes when the routes or the delivery data that such a path could depend on change; plain rule
// changes leave it alone (NSG-28, PNSG-7). Groups with flushConnection change it everywhere (NSG-29, NSG-37).

import type { AttachmentTable, Program, RouteTableProgram } from '../../abi/program.ts';
import type { NetworkSecurityGroup } from '../model/resources.ts';
import type { Compiled } from './compiled.ts';
import { type Context, resolve, type VnetFacts } from './context.ts';
import { digestOf } from './digest.ts';
import { endpointGroup } from './endpoints.ts';
import type { AttachmentPlan } from './registry.ts';
import type { RuleSetCollector } from './rule-sets.ts';

/**
 * Fills `generation` and `flushGeneration` of a program whose other tables are complete; returns the digests from which
 * the next compile decides.
 */
export function fillGenerations(
  context: Context,
  plans: readonly AttachmentPlan[],
  program: Program,
  rules: RuleSetCollector,
  previous: Compiled | undefined,
): ReadonlyMap<string, string> {
  const { generation, flushGeneration } = program.attachments;
  const before = previous?.program.attachments;
  generation.forEach((_, id) => (generation[id] = before?.generation[id] ?? 1));
  flushGeneration.forEach((_, id) => (flushGeneration[id] = before?.flushGeneration[id] ?? 1));

  const digests = new Map<string, string>();
  const paths = new PathDigests(context, program);
  let isFlushed = false;
  for (const plan of plans) {
    const id = plan.info.attachment;
    const key = `path ${plan.key}`;
    digests.set(key, paths.of(plan));
    if (isChanged(previous, digests, key)) increment(generation, id);

    const flushKey = `flush ${plan.key}`;
    const flushDigest = digestOfFlushedRules(context, plan, program, rules);
    if (flushDigest !== undefined) digests.set(flushKey, flushDigest);
    const existed = previous?.digests.has(key) === true;
    if (flushDigest === undefined || !existed || previous.digests.get(flushKey) === flushDigest) continue;
    increment(flushGeneration, id);
    isFlushed = true;
  }
  const live = new Set(plans.map((plan) => plan.info.attachment));
  const isGone = (id: number): boolean => (before?.kind[id] ?? 0) !== 0 && !live.has(id);
  generation.forEach((_, id) => {
    if (isFlushed || isGone(id)) increment(generation, id);
  });
  return digests;
}

function increment(column: Int32Array, id: number): void {
  column[id] = (column[id] as number) + 1;
}

function isChanged(previous: Compiled | undefined, digests: ReadonlyMap<string, string>, key: string): boolean {
  const before = previous?.digests.get(key);
  return before !== undefined && before !== digests.get(key);
}

/**
 * Digest of the effective rules of all groups with flushConnection at an attachment; undefined where there is none. It
 * appears when the property is switched on, which flushes once (NSG-29).
 */
function digestOfFlushedRules(
  context: Context,
  plan: AttachmentPlan,
  { attachments, endpoints }: Program,
  rules: RuleSetCollector,
): string | undefined {
  const id = plan.info.attachment;
  const parts: (string | number)[] = [];
  const add = (group: NetworkSecurityGroup | undefined, ...columns: readonly Int32Array[]): void => {
    if (group?.properties.flushConnection !== true) return;
    parts.push(...columns.map((column) => rules.digest(column[id] as number)));
  };
  if (plan.nic !== undefined) {
    const { outNicRules, inNicRules, platformNicRules } = attachments;
    const { outSubnetRules, inSubnetRules, platformSubnetRules } = attachments;
    const { nic, place } = plan.nic;
    add(resolve(context.nsgs, nic.properties.networkSecurityGroup), outNicRules, inNicRules, platformNicRules);
    parts.push('|');
    const ofSubnet = resolve(context.nsgs, place.subnet.properties.networkSecurityGroup);
    add(ofSubnet, outSubnetRules, inSubnetRules, platformSubnetRules);
    return parts.length === 1 ? undefined : digestOf(...parts);
  }
  if (plan.endpoint === undefined) return undefined;
  if (endpointGroup(context, plan.endpoint)?.properties.flushConnection !== true) return undefined;
  return digestOf(rules.digest(endpoints.rules[plan.endpoint.index] as number));
}

/** Digests of everything that paths from an attachment depend on, rules excepted. */
class PathDigests {
  private readonly program: Program;
  private readonly ofTable = new Map<number, string>();
  private readonly ofNetwork: readonly string[];
  private readonly ofReach = new Map<VnetFacts, string>();
  private readonly everything: string;
  /** Digest of load balancers and Private Link services with their NAT pools. */
  private readonly balancing: string;
  private readonly members: ReadonlySet<number>;

  constructor(context: Context, program: Program) {
    this.program = program;
    this.ofNetwork = context.vnets.map((network) => this.networkDigest(network));
    const { publicIps, natPools, flags, frontends, balanceRules, pools, privateLinkServices } = program;
    const balancing = [frontends, balanceRules, pools, privateLinkServices, natPools].flatMap(columnsOf);
    this.balancing = digestOf(program.hashSeed, ...balancing);
    this.members = new Set(pools.attachment);
    this.everything = digestOf(flags, ...this.ofNetwork, ...columnsOf(publicIps), this.balancing);
  }

  /** Digest for one attachment. Exits and services reach everything, and so do members of a pool, which answer whoever
   * came through a Private Link service; other NICs what is at most two peerings away (the second one on an endpoint's
   * way back, ROUTE-44). */
  of(plan: AttachmentPlan): string {
    const { attachments } = this.program;
    const id = plan.info.attachment;
    const own = rowOf(attachments, id);
    const table = attachments.routeTable[id] as number;
    if (plan.network === undefined) {
      return digestOf(...own, this.everything, table < 0 ? '' : this.tableDigest(table));
    }
    const isMember = this.members.has(id);
    return digestOf(
      isMember ? this.everything : '',
      ...own,
      this.tableDigest(attachments.routeTable[id] as number),
      this.reachDigest(plan.network),
      this.outboundDigest(id),
    );
  }

  private reachDigest(network: VnetFacts): string {
    let digest = this.ofReach.get(network);
    if (digest === undefined) {
      const near = [network, ...network.peers.map((peer) => peer.remote)];
      const reach = new Set(near.flatMap((facts) => [facts, ...facts.peers.map((peer) => peer.remote)]));
      const indices = [...reach].map((facts) => facts.index).sort((a, b) => a - b);
      digest = digestOf(
        this.program.flags,
        ...indices.flatMap((i) => [i, this.ofNetwork[i] as string]),
        ...this.balancedDigests(indices),
      );
      this.ofReach.set(network, digest);
    }
    return digest;
  }

  /** Pools of the frontends in these networks, and the networks behind the Private Link services of their endpoints. */
  private balancedDigests(networks: readonly number[]): (string | number)[] {
    const { frontends, endpoints, privateLinkServices } = this.program;
    const isIn = new Set(networks);
    const services = new Set(
      endpoints.service.filter((service, row) => service >= 0 && isIn.has(endpoints.vnet[row]!)),
    );
    const providers = [...services].map((service) => privateLinkServices.vnet[service] as number);
    if (providers.length === 0 && !frontends.vnet.some((vnet) => isIn.has(vnet))) return [];
    return [this.balancing, ...providers.flatMap((i) => [i, this.ofNetwork[i] as string])];
  }

  /** What can be delivered in a network: its owners of addresses with their rows, endpoints, ranges and peerings. */
  private networkDigest(network: VnetFacts): string {
    const { attachments, endpoints, owners, vnets } = this.program;
    const parts: (string | number)[] = [network.index, vnets.onPremises[network.index] as number];
    const add = (label: string, column: Int32Array, facts: (row: number) => readonly number[]): void => {
      parts.push(label);
      for (let row = 0; row < column.length; row++) if (column[row] === network.index) parts.push(...facts(row));
    };
    const number = (column: Int32Array, row: number): number => column[row] as number;
    add('owners', owners.vnet, (row) => [owners.address, owners.kind, owners.ref].map((column) => number(column, row)));
    add('attachments', attachments.vnet, (row) => [row, ...rowOf(attachments, row)]);
    add('endpoints', endpoints.vnet, (row) => {
      const first = number(endpoints.portStart, row);
      const last = number(endpoints.portStart, row + 1);
      const { address, state, flags, provider, backendAddress, idleMs, service, portFirst, portLast } = endpoints;
      const facts = [address, state, flags, provider, backendAddress, idleMs, service].map((column) =>
        number(column, row),
      );
      return [row, ...facts, ...portFirst.slice(first, last), ...portLast.slice(first, last)];
    });
    add('ranges', vnets.rangeVnet, (row) => [number(vnets.rangeFirst, row), number(vnets.rangeLast, row)]);
    add('peers', vnets.peerFrom, (row) => [number(vnets.peerTo, row), number(vnets.peerForwarded, row)]);
    add('dns', vnets.dnsVnet, (row) => [number(vnets.dnsAddress, row)]);
    return digestOf(...parts);
  }

  /** Content of a route table: entries by the routes they mean, so that the numbering of rows does not matter. */
  private tableDigest(index: number): string {
    const known = this.ofTable.get(index);
    if (known !== undefined) return known;
    const table = this.program.routeTables[index] as RouteTableProgram;
    const digest = digestOf(...this.meanings(table.trie), ...this.meanings(table.trieWithoutServiceEndpoints));
    this.ofTable.set(index, digest);
    return digest;
  }

  private meanings(trie: Int32Array): [Int32Array, string] {
    const { nextHop, target } = this.program.routes;
    const seen = new Map<number, number>();
    const meanings: number[] = [];
    const renumbered = trie.map((entry) => {
      if (entry <= 0) return entry;
      let number = seen.get(entry);
      if (number === undefined) {
        number = seen.size + 1;
        seen.set(entry, number);
        meanings.push(nextHop[entry - 1] as number, target[entry - 1] as number);
      }
      return number;
    });
    return [renumbered, meanings.join(' ')];
  }

  /** The public addresses that a NIC leaves with. */
  private outboundDigest(id: number): string {
    const { natPools, publicIps, attachments } = this.program;
    const own: number[] = [];
    publicIps.attachment.forEach((attachment, row) => {
      if (attachment === id) own.push(row, publicIps.address[row] as number, publicIps.privateAddress[row] as number);
    });
    const index = attachments.outboundIndex[id] as number;
    const pool = natPools.address.slice(natPools.addressStart[index] ?? 0, natPools.addressStart[index + 1] ?? 0);
    return digestOf(own.join(' '), pool, natPools.idleMs[index] ?? 0);
  }
}

/** Facts of an attachment that paths depend on: everything but rule sets, table number and generations. */
function rowOf(table: AttachmentTable, id: number): number[] {
  const { kind, flags, vnet, macHigh, macLow, address, outbound, outboundIndex, idleMs, mtu } = table;
  const columns = [kind, flags, vnet, macHigh, macLow, address, outbound, outboundIndex, idleMs, mtu];
  return columns.map((column) => column[id] as number);
}

function columnsOf(table: object): Int32Array[] {
  return Object.values(table).filter((column) => column instanceof Int32Array);
}
