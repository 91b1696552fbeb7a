// Load balancers and Private Link services as tables: frontends, rules, pools with the health of their members,
// services with their NAT pools (LB, PLS). A pool stands in the program once per rule, because health is a rule's own:
// its probe decides (LB-4), and an administrator overrules it (LB-8).

import {
  BALANCE_FLOATING_IP,
  BALANCE_TCP_RESET,
  DISTRIBUTION,
  FRONTEND_BASIC,
  MEMBER,
  type Program,
  SERVICE_PROXY_PROTOCOL,
} from '../../abi/program.ts';
import { formatIpv4, PROTOCOL_TCP, PROTOCOL_UDP, tryParseIpv4 } from '../../wire/index.ts';
import type { ChildResource } from '../model/base.ts';
import type { BackendAddressPool, InboundNatRule, LoadBalancer, LoadBalancingRule } from '../model/load-balancing.ts';
import { idKey, type Reference } from '../model/resources.ts';
import type { AttachmentRegistry, SideTable } from './compiled.ts';
import type { Context, FrontendFacts } from './context.ts';
import type { OutboundTables } from './outbound.ts';
import { attachmentOf, nicKey } from './registry.ts';

export interface BalancingTables extends Pick<Program, 'frontends' | 'balanceRules' | 'pools' | 'privateLinkServices'> {
  readonly names: Pick<SideTable, 'balanceRules'>;
}

/** One rule of one frontend, an inbound NAT rule included. */
export interface RulePlan {
  /** Name of its clock; the same for all rows of one rule. */
  readonly key: string;
  readonly rule: ChildResource;
  readonly frontend: FrontendFacts;
  readonly protocol: number;
  readonly frontendPort: number;
  readonly backendPort: number;
  readonly distribution: number;
  readonly flags: number;
  readonly idleMs: number;
  /** Members as IP configurations by id key, with their MEMBER. */
  readonly members: readonly (readonly [ipConfiguration: string, state: number])[];
}

/** The tables of a network; its clocks and NAT addresses are pools of outbound.ts. */
export function buildBalancing(
  context: Context,
  registry: AttachmentRegistry,
  { clocks, servicePools }: Pick<OutboundTables, 'clocks' | 'servicePools'>,
): BalancingTables {
  const { frontends } = context;
  const rules = planRules(context);
  const backends = backendsOf(context, registry);
  const pools = rules.map(({ members }) =>
    members.flatMap(([key, state]) => {
      const backend = backends.get(key);
      return backend === undefined ? [] : [{ ...backend, state }];
    }),
  );
  const column = (value: (rule: RulePlan, row: number) => number): Int32Array => Int32Array.from(rules, value);
  return {
    frontends: {
      vnet: Int32Array.from(frontends, ({ network }) => network?.index ?? -1),
      address: Int32Array.from(frontends, ({ address }) => address),
      flags: Int32Array.from(frontends, ({ balancer }) => (balancer.sku === 'Basic' ? FRONTEND_BASIC : 0)),
      ruleStart: startsOf(frontends.map(({ index }) => rules.filter((rule) => rule.frontend.index === index).length)),
    },
    balanceRules: {
      protocol: column((rule) => rule.protocol),
      frontendPort: column((rule) => rule.frontendPort),
      backendPort: column((rule) => rule.backendPort),
      pool: column((_, row) => row),
      distribution: column((rule) => rule.distribution),
      flags: column((rule) => rule.flags),
      clock: column((rule) => clocks.get(rule.key) ?? -1),
    },
    pools: {
      memberStart: startsOf(pools.map((members) => members.length)),
      attachment: Int32Array.from(pools.flat(), (member) => member.attachment),
      address: Int32Array.from(pools.flat(), (member) => member.address),
      state: Int32Array.from(pools.flat(), (member) => member.state),
    },
    privateLinkServices: serviceTable(context, servicePools),
    names: { balanceRules: rules.map(ruleInfo) },
  };
}

/** All rules in the order of the program: by frontend, rules for one port before those for all (LB-7). */
export function planRules(context: Context): RulePlan[] {
  return context.frontends.flatMap((frontend) => {
    const { loadBalancingRules, inboundNatRules } = frontend.balancer.properties;
    const isOurs = (rule: LoadBalancingRule | InboundNatRule): boolean =>
      idKey(rule.properties.frontendIPConfiguration.id) === frontend.key;
    return [
      ...loadBalancingRules.filter(isOurs).map((rule) => balancingPlan(context, frontend, rule)),
      ...inboundNatRules.filter(isOurs).flatMap((rule) => natPlans(frontend, rule)),
    ].toSorted((a, b) => Number(a.frontendPort === 0) - Number(b.frontendPort === 0));
  });
}

const DISTRIBUTIONS = {
  Default: DISTRIBUTION.fiveTuple,
  SourceIP: DISTRIBUTION.sourceIp,
  SourceIPProtocol: DISTRIBUTION.sourceIpProtocol,
} as const;
const PROTOCOLS = { Tcp: PROTOCOL_TCP, Udp: PROTOCOL_UDP, All: 0 } as const;

function balancingPlan(context: Context, frontend: FrontendFacts, rule: LoadBalancingRule): RulePlan {
  const { properties } = rule;
  const pool = poolOf(frontend.balancer, properties.backendAddressPool);
  const members = pool?.properties.backendIPConfigurations ?? [];
  return {
    ...commonPlan(frontend, rule),
    frontendPort: properties.frontendPort,
    backendPort: properties.backendPort,
    distribution: DISTRIBUTIONS[properties.loadDistribution],
    flags:
      (properties.enableTcpReset ? BALANCE_TCP_RESET : 0) | (properties.enableFloatingIP ? BALANCE_FLOATING_IP : 0),
    members: members.map(({ id }) => [idKey(id), memberState(context, pool, properties.probe, idKey(id))]),
  };
}

/** An inbound NAT rule leads to one member; one of a pool gives each member a port of its own, counted up. */
function natPlans(frontend: FrontendFacts, rule: InboundNatRule): RulePlan[] {
  const { backendIPConfiguration, backendAddressPool, frontendPort, backendPort, enableTcpReset } = rule.properties;
  const pool = poolOf(frontend.balancer, backendAddressPool)?.properties.backendIPConfigurations ?? [];
  const members = backendIPConfiguration === undefined ? pool : [backendIPConfiguration];
  return members.map(({ id }, offset) => ({
    ...commonPlan(frontend, rule),
    frontendPort: frontendPort + offset,
    backendPort,
    distribution: DISTRIBUTION.fiveTuple,
    flags: enableTcpReset ? BALANCE_TCP_RESET : 0,
    members: [[idKey(id), MEMBER.up] as const],
  }));
}

function commonPlan(
  frontend: FrontendFacts,
  rule: LoadBalancingRule | InboundNatRule,
): Pick<RulePlan, 'key' | 'rule' | 'frontend' | 'protocol' | 'idleMs'> {
  const { protocol, idleTimeoutInMinutes } = rule.properties;
  return {
    key: idKey(rule.id),
    rule,
    frontend,
    protocol: PROTOCOLS[protocol],
    idleMs: idleTimeoutInMinutes * 60_000, // LB-5
  };
}

/** LB-4, LB-8: what the probe says, unless an administrator has said something else. */
function memberState(
  { network }: Context,
  pool: BackendAddressPool | undefined,
  probe: Reference | undefined,
  key: string,
): number {
  const admin = pool?.properties.adminStates.find(
    ({ backendIPConfiguration: { id } }) => idKey(id) === key,
  )?.adminState;
  if (admin !== undefined) return admin === 'Up' ? MEMBER.adminUp : MEMBER.adminDown;
  const isDown = network.unhealthyBackends.some(
    (entry) =>
      probe !== undefined &&
      idKey(entry.probe.id) === idKey(probe.id) &&
      idKey(entry.backendIPConfiguration.id) === key,
  );
  return isDown ? MEMBER.down : MEMBER.up;
}

/** The pool of a balancer that a reference names. */
export function poolOf(balancer: LoadBalancer, reference: Reference | undefined): BackendAddressPool | undefined {
  if (reference === undefined) return undefined;
  return balancer.properties.backendAddressPools.find(({ id }) => idKey(id) === idKey(reference.id));
}

interface Backend {
  readonly attachment: number;
  readonly address: number;
}

/** NICs that can be members, by the id key of an IP configuration. */
function backendsOf(context: Context, registry: AttachmentRegistry): ReadonlyMap<string, Backend> {
  const backends = new Map<string, Backend>();
  for (const facts of context.nics) {
    const attachment = attachmentOf(registry, nicKey(facts));
    for (const { id, properties } of facts.nic.properties.ipConfigurations) {
      const address = tryParseIpv4(properties.privateIPAddress);
      if (address !== undefined) backends.set(idKey(id), { attachment, address });
    }
  }
  return backends;
}

function serviceTable(
  { services, frontends }: Context,
  natPools: ReadonlyMap<string, number>,
): Program['privateLinkServices'] {
  const ofService = services.map(({ service }) =>
    service.properties.loadBalancerFrontendIpConfigurations.flatMap(({ id }) => {
      const frontend = frontends.find(({ key }) => key === idKey(id));
      return frontend === undefined ? [] : [frontend.index];
    }),
  );
  return {
    vnet: Int32Array.from(services, ({ network }) => network.index),
    frontendStart: startsOf(ofService.map((rows) => rows.length)),
    frontend: Int32Array.from(ofService.flat()),
    natPool: Int32Array.from(services, ({ key }) => natPools.get(key) ?? -1),
    flags: Int32Array.from(services, ({ service: { properties } }) =>
      properties.enableProxyProtocol ? SERVICE_PROXY_PROTOCOL : 0,
    ),
  };
}

function ruleInfo({ frontend, rule }: RulePlan): SideTable['balanceRules'][number] {
  const named = { loadBalancer: frontend.balancer.name, rule: rule.name };
  const info = { ...named, frontendAddress: formatIpv4(frontend.address) };
  return rule.source === undefined ? info : { ...info, source: rule.source };
}

/** Where the rows of each entry begin, and where the last one's end. */
function startsOf(lengths: readonly number[]): Int32Array {
  const starts = new Int32Array(lengths.length + 1);
  lengths.forEach((length, i) => (starts[i + 1] = (starts[i] as number) + length));
  return starts;
}
