// Load balancers and Private Link services of a topology, as resource objects. Frontends, pools, rules and probes are
// children with ids of their own; a member of a pool is named by its interface, whose primary configuration it is.

import { derive } from '../places.ts';
import type { At } from '../places.ts';
import { suggest } from '../suggestions.ts';
import { usePublicAddress } from './interfaces.ts';
import { ownId } from './names.ts';
import type { Topology } from './schema.ts';
import { build, buildResource, distinctEntries, from, listFrom, refer } from './values.ts';
import type { ExpandContext, Member } from './values.ts';

type TopologyBalancer = NonNullable<Topology['loadBalancers']>[string];
type TopologyPool = TopologyBalancer['backendPools'][string];
type TopologyLinkService = NonNullable<Topology['privateLinkServices']>[string];

export function expandLoadBalancer(
  context: ExpandContext,
  name: string,
  balancer: TopologyBalancer,
  at: At,
): readonly object[] {
  const owner: Owner = { context, name, balancer, made: [] };
  const resource = buildResource(context, 'loadBalancer', name, at, {
    sku: [{ name: balancer.sku ?? 'Standard' }],
    frontendIPConfigurations: children(owner, 'frontends', expandFrontend),
    backendAddressPools: children(owner, 'backendPools', expandPool),
    probes: children(owner, 'probes', (_, _name, probe) => ({
      protocol: from(probe, 'protocol') ?? ['Tcp'],
      port: from(probe, 'port'),
      requestPath: from(probe, 'requestPath'),
      intervalInSeconds: from(probe, 'intervalInSeconds'),
      numberOfProbes: from(probe, 'numberOfProbes'),
    })),
    loadBalancingRules: children(owner, 'rules', (_, _name, rule) => ({
      ...expandBalanced(owner, rule),
      backendAddressPool: part(owner, rule, 'backendPool', 'backendPools'),
      probe: part(owner, rule, 'probe', 'probes'),
      loadDistribution: from(rule, 'loadDistribution'),
      enableFloatingIP: from(rule, 'enableFloatingIP'),
      disableOutboundSnat: from(rule, 'disableOutboundSnat'),
    })),
    inboundNatRules: children(owner, 'inboundNatRules', (_, _name, rule) => ({
      ...expandBalanced(owner, rule),
      backendIPConfiguration: refer(context, rule, 'member', 'networkInterface'),
      backendAddressPool: part(owner, rule, 'backendPool', 'backendPools'),
    })),
    outboundRules: children(owner, 'outboundRules', (_, _name, rule) => ({
      frontendIPConfigurations: parts(owner, rule.frontends, 'frontends'),
      backendAddressPool: part(owner, rule, 'backendPool', 'backendPools'),
      protocol: from(rule, 'protocol') ?? ['All'],
      idleTimeoutInMinutes: from(rule, 'idleTimeoutInMinutes'),
      enableTcpReset: from(rule, 'enableTcpReset'),
    })),
  });
  return [...owner.made, resource];
}

/** The first NAT address is the primary one; an alias without dots is only its prefix (PLS-2). */
export function expandPrivateLinkService(
  context: ExpandContext,
  name: string,
  service: TopologyLinkService,
  at: At,
): readonly object[] {
  const addresses = service.natAddresses.map((address, index) => {
    const place = { object: service.natAddresses, key: index };
    return build(place, {
      name: [`nat-${index + 1}`],
      primary: [index === 0],
      subnet: refer(context, address, 'subnet', 'subnet'),
      privateIPAddress: from(address, 'privateIPAddress'),
    });
  });
  const subscriptions = (key: 'visibility' | 'autoApproval'): Member =>
    service[key] === undefined
      ? undefined
      : [build({ object: service, key }, { subscriptions: listFrom(service, key) }), { object: service, key }];
  const frontends = service.frontends?.flatMap((text, index, list) => {
    const place = { object: list, key: index };
    const id = context.names.find(text, place, 'frontend');
    return id === undefined ? [] : [derive({ id }, place)];
  });
  return [
    buildResource(context, 'privateLinkService', name, at, {
      loadBalancerFrontendIpConfigurations: frontends && [frontends, { object: service, key: 'frontends' }],
      ipConfigurations: [addresses, { object: service, key: 'natAddresses' }],
      visibility: subscriptions('visibility'),
      autoApproval: subscriptions('autoApproval'),
      enableProxyProtocol: from(service, 'enableProxyProtocol'),
      alias: from(service, 'alias'),
      fqdns: listFrom(service, 'fqdns'),
      destinationIPAddress: from(service, 'destinationIPAddress'),
    }),
  ];
}

/** Sections of a balancer and the lists that they become. */
const LISTS = {
  frontends: 'frontendIPConfigurations',
  backendPools: 'backendAddressPools',
  probes: 'probes',
  rules: 'loadBalancingRules',
  inboundNatRules: 'inboundNatRules',
  outboundRules: 'outboundRules',
} as const;
type Section = keyof typeof LISTS;
type PartOf<S extends Section> = NonNullable<TopologyBalancer[S]>[string];

/** Members that a part cannot be without. */
const NEEDS: Readonly<Partial<Record<Section, readonly string[]>>> = {
  rules: ['frontendIPConfiguration', 'backendAddressPool'],
  inboundNatRules: ['frontendIPConfiguration'],
  outboundRules: ['backendAddressPool'],
};

const SECTION_WORDS = { frontends: 'frontend', backendPools: 'backend pool', probes: 'probe' } as const;

interface Owner {
  readonly context: ExpandContext;
  readonly name: string;
  readonly balancer: TopologyBalancer;
  /** Public addresses that were written out. */
  readonly made: object[];
}

/** The parts of one section, each with id and name. */
function children<S extends Section>(
  owner: Owner,
  section: S,
  expand: (owner: Owner, name: string, part: PartOf<S>) => Readonly<Record<string, Member>>,
): Member {
  const members = owner.balancer[section] as Readonly<Record<string, PartOf<S>>> | undefined;
  if (members === undefined) return undefined;
  const at = { object: owner.balancer, key: section };
  const made = distinctEntries(members).flatMap(([name, part]) => {
    const place: At = { object: members, key: name, part: 'key' };
    const expanded = expand(owner, name, part);
    // A part whose partner does not exist has been reported: what hangs on it is left out with it.
    if (NEEDS[section]?.some((key) => expanded[key] === undefined) === true) return [];
    return [build(place, { id: [childId(owner, section, name)], name: [name], ...expanded })];
  });
  return [derive(made, at), at];
}

function childId(owner: Owner, section: Section, name: string): string {
  return `${ownId('loadBalancer', owner.name)}/${LISTS[section]}/${name}`;
}

function expandFrontend(owner: Owner, name: string, frontend: PartOf<'frontends'>): Readonly<Record<string, Member>> {
  const { publicIPAddress: text } = frontend;
  const at = { object: frontend, key: 'publicIPAddress' };
  const used = text === undefined ? undefined : usePublicAddress(owner.context, text, `${owner.name}-${name}-ip`, at);
  if (used?.made !== undefined) owner.made.push(used.made);
  return {
    subnet: refer(owner.context, frontend, 'subnet', 'subnet'),
    privateIPAddress: from(frontend, 'privateIPAddress'),
    publicIPAddress: used?.reference === undefined ? undefined : [used.reference, at],
  };
}

/** LB-8: an admin state stands at the member that it is about. */
function expandPool({ context }: Owner, _name: string, pool: TopologyPool): Readonly<Record<string, Member>> {
  const members = memberIds(context, pool);
  const states = Object.entries(pool.adminStates ?? {}).flatMap(([nic, adminState]) => {
    const place: At = { object: pool.adminStates ?? {}, key: nic, part: 'key' };
    if (pool.members.some((member) => member.toLowerCase() === nic.toLowerCase())) {
      const id = context.names.find(nic, place, 'networkInterface');
      return [build(place, { name: [nic], networkInterfaceIPConfiguration: [{ id }], adminState: [adminState] })];
    }
    const message = `${nic} has an admin state but is no member of the pool`;
    context.issues.error('NAME_NOT_FOUND', place, message, partHint(nic, pool.members));
    return [];
  });
  return {
    backendIPConfigurations: members,
    loadBalancerBackendAddresses: states.length === 0 ? undefined : [states],
  };
}

function memberIds(context: ExpandContext, { members }: TopologyPool): Member {
  const references = members.flatMap((name, index) => {
    const place = { object: members, key: index };
    const id = context.names.find(name, place, 'networkInterface', 'privateEndpoint');
    return id === undefined ? [] : [derive({ id }, place)];
  });
  return [derive(references, { object: members }), { object: members }];
}

/** What load-balancing rules and inbound NAT rules share. */
function expandBalanced(
  owner: Owner,
  rule: PartOf<'rules'> | PartOf<'inboundNatRules'>,
): Readonly<Record<string, Member>> {
  return {
    frontendIPConfiguration: part(owner, rule, 'frontend', 'frontends'),
    protocol: from(rule, 'protocol') ?? ['Tcp'],
    frontendPort: from(rule, 'frontendPort'),
    backendPort: from(rule, 'backendPort') ?? from(rule, 'frontendPort'),
    idleTimeoutInMinutes: from(rule, 'idleTimeoutInMinutes'),
    enableTcpReset: from(rule, 'enableTcpReset'),
  };
}

/** Member that names another part of the same balancer. */
function part<T extends object>(
  owner: Owner,
  object: T,
  key: keyof T & string,
  section: keyof typeof SECTION_WORDS,
): Member {
  const name: unknown = object[key];
  if (typeof name !== 'string') return undefined;
  const at = { object, key };
  const id = partId(owner, name, section, at);
  return id === undefined ? undefined : [derive({ id }, at), at];
}

function parts(owner: Owner, names: readonly string[], section: keyof typeof SECTION_WORDS): Member {
  const references = names.flatMap((name, index) => {
    const place = { object: names, key: index };
    const id = partId(owner, name, section, place);
    return id === undefined ? [] : [derive({ id }, place)];
  });
  return [derive(references, { object: names }), { object: names }];
}

function partId(owner: Owner, name: string, section: keyof typeof SECTION_WORDS, at: At): string | undefined {
  const known = Object.keys(owner.balancer[section] ?? {});
  const found = known.find((candidate) => candidate.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return childId(owner, section, found);
  const message = `load balancer ${owner.name} has no ${SECTION_WORDS[section]} named ${JSON.stringify(name)}`;
  owner.context.issues.error('NAME_NOT_FOUND', at, message, partHint(name, known));
  return undefined;
}

function partHint(name: string, known: readonly string[]): string {
  const nearest = suggest(name, known);
  if (nearest !== undefined) return `did you mean ${nearest}?`;
  return known.length === 0 ? 'define one first' : `known names are ${known.join(', ')}`;
}
