// Load balancers with their frontends, pools, rules and probes (LB). Members of pools and of inbound NAT rules are
// merged from both ends of the link; what refers to a part that does not exist is kept for validation to refuse.

import { idKey } from '../../model/resources.ts';
import type { Network, NetworkInterface, PrivateEndpoint, Reference } from '../../model/resources.ts';
import type { ChildResource } from '../../model/base.ts';
import type * as model from '../../model/load-balancing.ts';
import { checkAddress } from '../syntax.ts';
import { baseOf, withSource } from './base.ts';
import type { Entry } from './catalogue.ts';
import type { Fields, ReferenceAt } from './fields.ts';
import { NOT_ALLOCATED } from './interfaces.ts';
import { mergeLink, resolve } from './links.ts';
import type { InputContext } from './links.ts';
import { shortName, TYPE_OF_KIND } from './resource-types.ts';

const PROTOCOLS = ['Tcp', 'Udp', 'All'] as const;
const PROBE_PROTOCOLS = ['Tcp', 'Http', 'Https'] as const;
const DISTRIBUTIONS = ['Default', 'SourceIP', 'SourceIPProtocol'] as const;
/** LB-5, LB-4: Azure's defaults. */
const IDLE_MINUTES_DEFAULT = 4;
const PROBE_SECONDS_DEFAULT = 5;
const PROBES_DEFAULT = 2;

/** `subnets`: keys of the usable subnets; a frontend elsewhere is left out with its rules. */
export function readLoadBalancers(
  context: InputContext,
  subnets: ReadonlySet<string>,
  interfaces: readonly NetworkInterface[],
  endpoints: readonly PrivateEndpoint[],
): Pick<Network, 'loadBalancers'> {
  const members = new Members(context, interfaces, endpoints);
  const loadBalancers = context.catalogue.ofKind('loadBalancer').map((entry): model.LoadBalancer => {
    const { fields } = entry;
    const stated = fields.list('frontendIPConfigurations').map((frontend) => named(entry, LIST.frontends, frontend));
    const frontends = stated.flatMap((child) => readFrontend(context, child, subnets) ?? []);
    const kept = new Set(frontends.map(({ id }) => idKey(id)));
    const dropped = new Set(stated.map(({ own }) => idKey(own.id)).filter((key) => !kept.has(key)));
    const rulesOf = <T extends ChildResource>(list: string, read: (child: Child) => T | undefined): readonly T[] =>
      fields
        .list(list)
        .filter((rule) => !dropped.has(idKey(rule.reference('frontendIPConfiguration')?.id ?? '')))
        .flatMap((rule) => read(named(entry, list, rule)) ?? []);
    return {
      ...baseOf(entry, TYPE_OF_KIND.loadBalancer),
      sku: fields.child('sku')?.word('name', ['Standard', 'Basic']) ?? 'Standard',
      properties: {
        frontendIPConfigurations: frontends,
        backendAddressPools: fields.list(LIST.pools).map((pool) => readPool(named(entry, LIST.pools, pool), members)),
        probes: fields.list(LIST.probes).map((probe) => readProbe(named(entry, LIST.probes, probe))),
        loadBalancingRules: rulesOf(LIST.rules, (child) => readRule(context, child)),
        inboundNatRules: rulesOf(LIST.natRules, (child) => readNatRule(child, members)),
        outboundRules: rulesOf(LIST.outboundRules, readOutboundRule),
      },
    };
  });
  return { loadBalancers };
}

const LIST = {
  frontends: 'frontendIPConfigurations',
  pools: 'backendAddressPools',
  probes: 'probes',
  rules: 'loadBalancingRules',
  natRules: 'inboundNatRules',
  outboundRules: 'outboundRules',
} as const;

/** A part of a balancer with what it is called. */
interface Child {
  readonly own: ChildResource;
  readonly fields: Fields;
}

function named(entry: Entry, list: string, fields: Fields): Child {
  const stated = fields.ownText('id');
  const name = fields.ownText('name') ?? (stated === undefined ? undefined : shortName(stated));
  if (name === undefined) fields.missing('name');
  const id = stated ?? `${entry.id}/${list}/${name ?? ''}`;
  return { own: { id, name: name ?? '', ...withSource(fields) }, fields };
}

/** Internal with a subnet, public with a public address; one with neither is left for validation to refuse. */
function readFrontend(
  context: InputContext,
  { own, fields }: Child,
  subnets: ReadonlySet<string>,
): model.FrontendIPConfiguration | undefined {
  const publicIPAddress = mergeLink(context, 'publicIPAddress', own.id, fields.reference('publicIPAddress'));
  if (publicIPAddress !== undefined) return { ...own, properties: { publicIPAddress } };
  if (!fields.has('subnet')) return fields.has('publicIPAddress') ? undefined : { ...own, properties: {} };
  const subnet = resolve(context, fields.reference('subnet'), 'subnet');
  const stated = fields.textAt('privateIPAddress');
  const privateIPAddress = stated === undefined ? NOT_ALLOCATED : checkAddress(stated, context.issues);
  if (subnet === undefined || !subnets.has(idKey(subnet.id)) || privateIPAddress === undefined) return undefined;
  return { ...own, properties: { privateIPAddress, subnet: { id: subnet.id } } };
}

/** PLS-5: a pool is IP-based when it states addresses; the interfaces of one that is not are listed by either end. */
function readPool({ own, fields }: Child, members: Members): model.BackendAddressPool {
  const addresses = fields.list('loadBalancerBackendAddresses');
  const isIpBased = addresses.some((address) => address.has('ipAddress'));
  const found = new Map<string, Reference>();
  const adminStates: model.BackendAddressPool['properties']['adminStates'][number][] = [];
  const add = (reference: Reference | undefined): void => {
    if (reference !== undefined) found.set(idKey(reference.id), reference);
  };
  for (const reference of fields.references('backendIPConfigurations')) add(members.named(reference));
  for (const address of addresses) {
    const reference = address.reference('networkInterfaceIPConfiguration');
    const vnet = address.reference('virtualNetwork')?.id;
    const member = reference === undefined ? members.at(address.text('ipAddress'), vnet) : members.named(reference);
    add(member);
    const adminState = address.word('adminState', ['Up', 'Down', 'None']);
    if (member === undefined || adminState === undefined || adminState === 'None') continue; // LB-8
    adminStates.push({ backendIPConfiguration: member, adminState });
  }
  for (const reference of members.ofPool(own.id)) add(reference);
  return { ...own, properties: { backendIPConfigurations: [...found.values()], adminStates, isIpBased } };
}

function readProbe({ own, fields }: Child): model.Probe {
  const requestPath = fields.text('requestPath');
  return {
    ...own,
    properties: {
      protocol: fields.word('protocol', PROBE_PROTOCOLS) ?? 'Tcp',
      port: numberOf(fields, 'port'),
      intervalInSeconds: fields.number('intervalInSeconds') ?? PROBE_SECONDS_DEFAULT,
      numberOfProbes: fields.number('probeThreshold') ?? fields.number('numberOfProbes') ?? PROBES_DEFAULT,
      ...(requestPath !== undefined && { requestPath }),
    },
  };
}

function readRule(context: InputContext, { own, fields }: Child): model.LoadBalancingRule | undefined {
  const frontend = required(fields, 'frontendIPConfiguration');
  const pool = fields.reference('backendAddressPool') ?? fields.references('backendAddressPools')[0];
  const probe = fields.reference('probe');
  const properties = {
    ...readBalanced(fields),
    loadDistribution: fields.word('loadDistribution', DISTRIBUTIONS) ?? 'Default',
    enableFloatingIP: fields.boolean('enableFloatingIP') ?? false,
    disableOutboundSnat: fields.boolean('disableOutboundSnat') ?? false,
  };
  if (frontend === undefined) return undefined;
  if (pool === undefined) {
    const message = `rule ${own.name} names no backend pool; it was left out`;
    context.issues.warning('REFERENCE_NOT_FOUND', fields.at(), message, 'add backendAddressPool if it matters');
    return undefined;
  }
  const references = { frontendIPConfiguration: { id: frontend.id }, backendAddressPool: { id: pool.id } };
  return { ...own, properties: { ...properties, ...references, ...(probe && { probe: { id: probe.id } }) } };
}

function readNatRule({ own, fields }: Child, members: Members): model.InboundNatRule | undefined {
  const frontend = required(fields, 'frontendIPConfiguration');
  const stated = fields.reference('backendIPConfiguration');
  const member = stated === undefined ? members.ofNatRule(own.id) : members.named(stated);
  const pool = fields.reference('backendAddressPool');
  const start = fields.has('frontendPort') ? fields.number('frontendPort') : fields.number('frontendPortRangeStart');
  const properties = { ...readBalanced(fields, start), ...(member && { backendIPConfiguration: member }) };
  if (frontend === undefined) return undefined;
  const references = { frontendIPConfiguration: { id: frontend.id } };
  return { ...own, properties: { ...properties, ...references, ...(pool && { backendAddressPool: { id: pool.id } }) } };
}

function readOutboundRule({ own, fields }: Child): model.OutboundRule | undefined {
  const pool = required(fields, 'backendAddressPool');
  const frontendIPConfigurations = fields.references('frontendIPConfigurations').map(({ id }) => ({ id }));
  const properties = {
    frontendIPConfigurations,
    protocol: fields.word('protocol', PROTOCOLS) ?? 'All',
    idleTimeoutInMinutes: fields.number('idleTimeoutInMinutes') ?? IDLE_MINUTES_DEFAULT,
    enableTcpReset: fields.boolean('enableTcpReset') ?? false,
  };
  return pool && { ...own, properties: { ...properties, backendAddressPool: { id: pool.id } } };
}

/** What load-balancing rules and inbound NAT rules share. */
function readBalanced(
  fields: Fields,
  frontendPort = numberOf(fields, 'frontendPort'),
): Pick<
  model.InboundNatRule['properties'],
  'protocol' | 'frontendPort' | 'backendPort' | 'idleTimeoutInMinutes' | 'enableTcpReset'
> {
  return {
    protocol: fields.word('protocol', PROTOCOLS) ?? 'Tcp',
    frontendPort,
    backendPort: fields.number('backendPort') ?? frontendPort,
    idleTimeoutInMinutes: fields.number('idleTimeoutInMinutes') ?? IDLE_MINUTES_DEFAULT,
    enableTcpReset: fields.boolean('enableTcpReset') ?? false,
  };
}

function required(fields: Fields, name: string): ReferenceAt | undefined {
  const found = fields.reference(name);
  if (found === undefined && !fields.has(name)) fields.missing(name);
  return found;
}

function numberOf(fields: Fields, name: string): number {
  if (!fields.has(name)) fields.missing(name);
  return fields.number(name) ?? 0;
}

/** IP configurations of guests as members: by their id or their interface's, by address, and by what they list. */
class Members {
  readonly #context: InputContext;
  readonly #byKey = new Map<string, Reference>();
  readonly #placed: { readonly address: string; readonly subnet: string; readonly reference: Reference }[] = [];
  readonly #byPool = new Map<string, Reference[]>();
  readonly #byNatRule = new Map<string, Reference>();

  constructor(context: InputContext, interfaces: readonly NetworkInterface[], endpoints: readonly PrivateEndpoint[]) {
    this.#context = context;
    for (const { id, properties } of endpoints) this.#addEndpoint(id, properties);
    for (const nic of interfaces) {
      for (const { id, properties } of nic.properties.ipConfigurations) {
        const reference = { id };
        this.#byKey.set(idKey(id), reference);
        if (properties.primary) this.#byKey.set(idKey(nic.id), reference);
        const { privateIPAddress: address, subnet } = properties;
        if (address !== NOT_ALLOCATED) this.#placed.push({ address, subnet: idKey(subnet.id), reference });
        for (const pool of properties.loadBalancerBackendAddressPools ?? []) {
          this.#byPool.set(idKey(pool.id), [...(this.#byPool.get(idKey(pool.id)) ?? []), reference]);
        }
      }
      const raw = context.catalogue.byKey.get(idKey(nic.id))?.fields.list('ipConfigurations') ?? [];
      raw.forEach((fields, index) => {
        const reference = nic.properties.ipConfigurations[index];
        for (const rule of fields.references('loadBalancerInboundNatRules')) {
          if (reference !== undefined) this.#byNatRule.set(idKey(rule.id), { id: reference.id });
        }
      });
    }
  }

  /** PE-11: endpoints cannot be members; they are kept, so that validation can refuse them by name. */
  #addEndpoint(id: string, { networkInterfaces, subnet, privateIPAddress }: PrivateEndpoint['properties']): void {
    const reference = { id };
    this.#byKey.set(idKey(id), reference);
    for (const nic of networkInterfaces) {
      const configurations = this.#context.catalogue.byKey.get(idKey(nic.id))?.fields.list('ipConfigurations') ?? [];
      for (const own of [nic.id, ...configurations.flatMap((fields) => fields.ownText('id') ?? [])]) {
        this.#byKey.set(idKey(own), reference);
      }
    }
    this.#placed.push({ address: privateIPAddress, subnet: idKey(subnet.id), reference });
  }

  /** A member by id; a warning when it is not in the input. */
  named(reference: ReferenceAt): Reference | undefined {
    const found = this.#byKey.get(idKey(reference.id));
    if (found !== undefined) return found;
    const message = `${shortName(reference.id)} is not in the input; the reference to ${reference.id} was dropped`;
    const hint = 'add the interface to the input if it matters';
    this.#context.issues.warning('REFERENCE_NOT_FOUND', reference.at, message, hint);
    return undefined;
  }

  /** A member by address; of several in overlapping networks, the one in the named network. */
  at(address: string | undefined, vnet: string | undefined): Reference | undefined {
    const found = this.#placed.filter((entry) => entry.address === address);
    const inside = found.find(({ subnet }) => vnet !== undefined && subnet.startsWith(`${idKey(vnet)}/`));
    return (inside ?? (vnet === undefined ? found[0] : undefined))?.reference;
  }

  ofPool(id: string): readonly Reference[] {
    return this.#byPool.get(idKey(id)) ?? [];
  }

  ofNatRule(id: string): Reference | undefined {
    return this.#byNatRule.get(idKey(id));
  }
}
