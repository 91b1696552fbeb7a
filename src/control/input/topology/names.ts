// Names in a topology and the resources that they stand for. Names may also stand for resources of an export that is
// read together with the topology, so that a short topology can add endpoints or services to a real network.

import { IssueList } from '../issue-list.ts';
import type { At } from '../places.ts';
import { Fields } from '../resources/fields.ts';
import { identify } from '../resources/raw-resources.ts';
import type { RawResource } from '../resources/raw-resources.ts';
import { makeId, parentId, shortName, TYPE_OF_KIND } from '../resources/resource-types.ts';
import type { Kind } from '../resources/resource-types.ts';
import { suggest } from '../suggestions.ts';
import type { Topology } from './schema.ts';

/** Kinds that have names, in the words of messages. */
const WORDS = {
  virtualNetwork: 'virtual network',
  subnet: 'subnet',
  networkInterface: 'network interface',
  networkSecurityGroup: 'network security group',
  applicationSecurityGroup: 'application security group',
  routeTable: 'route table',
  publicIPAddress: 'public IP address',
  natGateway: 'NAT gateway',
  privateEndpoint: 'private endpoint',
  privateLinkResource: 'service',
  loadBalancer: 'load balancer',
  frontend: 'frontend (load balancer/frontend)',
  privateLinkService: 'Private Link service',
  privateDnsZone: 'private DNS zone',
  dnsForwardingRuleset: 'DNS forwarding ruleset',
  dataFactory: 'data factory',
  networkManager: 'network manager',
} as const;

export type NamedKind = keyof typeof WORDS;

/** Sections of a topology whose keys are names. */
const SECTIONS = {
  virtualNetworks: 'virtualNetwork',
  networkInterfaces: 'networkInterface',
  networkSecurityGroups: 'networkSecurityGroup',
  routeTables: 'routeTable',
  publicIPAddresses: 'publicIPAddress',
  natGateways: 'natGateway',
  services: 'privateLinkResource',
  privateEndpoints: 'privateEndpoint',
  loadBalancers: 'loadBalancer',
  privateLinkServices: 'privateLinkService',
  privateDnsZones: 'privateDnsZone',
  dnsForwardingRulesets: 'dnsForwardingRuleset',
  dataFactories: 'dataFactory',
  networkManagers: 'networkManager',
} as const;

const SERVICE_TYPE_DEFAULT = 'Vnetem.Emulator/services';

/** Id of a topology's own resource; `type` only for services, which have the type that the user states. */
export function ownId(kind: Exclude<NamedKind, 'frontend'>, name: string, type?: string): string {
  return makeId(kind === 'privateLinkResource' ? (type ?? SERVICE_TYPE_DEFAULT) : TYPE_OF_KIND[kind], name);
}

export class NameTable {
  readonly #issues: IssueList;
  /** Name as written and its ids, by kind and lower-case name. Names of topologies hide those of exports. */
  readonly #names = new Map<NamedKind, Map<string, { readonly name: string; ids: string[]; own: boolean }>>();

  constructor(issues: IssueList) {
    this.#issues = issues;
  }

  /** Names of exported resources: by their `name`, subnets as `network/subnet`. */
  addResource(resource: RawResource): void {
    const identity = identify(resource);
    if (identity === undefined) return;
    const { id, name, kind } = identity;
    if (kind === 'subnet') this.#addSubnet(shortName(parentId(id)), name, id);
    else if (kind === undefined || kind === 'privateLinkResource') this.#add('privateLinkResource', name, id, false);
    else if (isNamed(kind)) this.#add(kind, name, id, false);
    if (kind === 'loadBalancer') this.#addFrontends(resource, name, id);
    if (kind !== 'virtualNetwork') return;
    for (const subnet of new Fields(resource, new IssueList()).list('subnets')) {
      const child = subnet.ownText('name') ?? identify(subnet.object)?.name;
      if (child !== undefined) this.#addSubnet(name, child, subnet.ownText('id') ?? `${id}/subnets/${child}`);
    }
  }

  /** Names that a topology gives; two that differ in case only, or hosts with one name, are errors. */
  addTopology(topology: Topology): void {
    const hosts = new Map<string, NamedKind>();
    for (const [section, kind] of Object.entries(SECTIONS)) {
      const members = topology[section as keyof typeof SECTIONS] ?? {};
      for (const name of Object.keys(members)) {
        const at: At = { object: members, key: name, part: 'key' };
        const type = kind === 'privateLinkResource' ? topology.services?.[name]?.type : undefined;
        if (!this.#add(kind, name, ownId(kind, name, type), true)) this.#duplicate(kind, name, at);
        if (kind === 'networkInterface' || kind === 'privateEndpoint' || kind === 'privateLinkResource') {
          this.#addHost(hosts, kind, name, at);
        }
      }
    }
    for (const [name, network] of Object.entries(topology.virtualNetworks ?? {})) {
      for (const child of Object.keys(network.subnets ?? {})) {
        const added = this.#add(
          'subnet',
          `${name}/${child}`,
          `${ownId('virtualNetwork', name)}/subnets/${child}`,
          true,
        );
        if (!added) this.#duplicate('subnet', child, { object: network.subnets ?? {}, key: child, part: 'key' });
      }
    }
    for (const [name, balancer] of Object.entries(topology.loadBalancers ?? {})) {
      const list = `${ownId('loadBalancer', name)}/frontendIPConfigurations`;
      for (const child of Object.keys(balancer.frontends)) {
        const at: At = { object: balancer.frontends, key: child, part: 'key' };
        if (!this.#add('frontend', `${name}/${child}`, `${list}/${child}`, true))
          this.#duplicate('frontend', child, at);
      }
    }
    for (const [index, name] of (topology.applicationSecurityGroups ?? []).entries()) {
      const added = this.#add('applicationSecurityGroup', name, ownId('applicationSecurityGroup', name), true);
      const at = { object: topology.applicationSecurityGroups ?? [], key: index };
      if (!added) this.#duplicate('applicationSecurityGroup', name, at);
    }
  }

  /** Id behind a name or an id; an error and undefined when there is none. */
  find(name: string, at: At, ...kinds: readonly NamedKind[]): string | undefined {
    if (name.startsWith('/')) return name;
    for (const kind of kinds) {
      const ids = this.#names.get(kind)?.get(name.toLowerCase())?.ids ?? [];
      if (ids.length === 1) return ids[0];
      if (ids.length > 1) {
        const message = `${name} stands for ${ids.length} resources: ${ids.join(', ')}`;
        this.#issues.error('NAME_AMBIGUOUS', at, message, 'write the id of the one that is meant');
        return undefined;
      }
    }
    const words = kinds.map((kind) => WORDS[kind]).join(' or ');
    const message = `there is no ${words} named ${JSON.stringify(name)}`;
    this.#issues.error('NAME_NOT_FOUND', at, message, this.#hint(name, kinds));
    return undefined;
  }

  /** Exports exist whose subnet names differ from their ids: both lead to the subnet. */
  #addSubnet(network: string, name: string, id: string): void {
    this.#add('subnet', `${network}/${name}`, id, false);
    this.#add('subnet', `${network}/${shortName(id)}`, id, false);
  }

  #addFrontends(balancer: RawResource, name: string, id: string): void {
    for (const frontend of new Fields(balancer, new IssueList()).list('frontendIPConfigurations')) {
      const child = frontend.ownText('name') ?? shortName(frontend.ownText('id') ?? '');
      const own = frontend.ownText('id') ?? `${id}/frontendIPConfigurations/${child}`;
      if (child !== '') this.#add('frontend', `${name}/${child}`, own, false);
    }
  }

  #hint(name: string, kinds: readonly NamedKind[]): string {
    const known = kinds.flatMap((kind) => [...(this.#names.get(kind)?.values() ?? [])].map((entry) => entry.name));
    if (kinds.includes('subnet') && !name.includes('/')) {
      const full = known.find((candidate) => candidate.toLowerCase().endsWith(`/${name.toLowerCase()}`));
      return full === undefined ? 'write network/subnet' : `write network/subnet: did you mean ${full}?`;
    }
    const nearest = suggest(name, known);
    if (nearest !== undefined) return `did you mean ${nearest}?`;
    if (known.length === 0) return `define one first`;
    return `known names are ${known.slice(0, 10).join(', ')}${known.length > 10 ? ', …' : ''}`;
  }

  #add(kind: NamedKind, name: string, id: string, own: boolean): boolean {
    const table = this.#names.get(kind) ?? new Map<string, { name: string; ids: string[]; own: boolean }>();
    this.#names.set(kind, table);
    const found = table.get(name.toLowerCase());
    if (found === undefined || (own && !found.own)) table.set(name.toLowerCase(), { name, ids: [id], own });
    else if (own && found.ids.includes(id)) return found.name === name;
    else if (own) return false;
    else if (!found.ids.some((known) => known.toLowerCase() === id.toLowerCase())) found.ids.push(id);
    return true;
  }

  #addHost(hosts: Map<string, NamedKind>, kind: NamedKind, name: string, at: At): void {
    const earlier = hosts.get(name.toLowerCase());
    hosts.set(name.toLowerCase(), kind);
    if (earlier === undefined || earlier === kind) return;
    const message = `${name} is the name of a ${WORDS[earlier]} and of a ${WORDS[kind]}`;
    this.#issues.error('DUPLICATE_NAME', at, message, 'give hosts, endpoints and services different names');
  }

  #duplicate(kind: NamedKind, name: string, at: At): void {
    const message = `there are two ${WORDS[kind]}s named ${name}; case does not count`;
    this.#issues.error('DUPLICATE_NAME', at, message, 'rename one of them');
  }
}

function isNamed(kind: Kind): kind is Exclude<NamedKind, 'subnet' | 'frontend' | 'privateLinkResource'> {
  return Object.hasOwn(WORDS, kind);
}
