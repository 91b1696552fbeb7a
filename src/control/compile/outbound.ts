// How NICs reach the Internet: public addresses of NICs and of load balancers, pools of shared ones, and which of them
// a NIC uses (NET-16, NET-17). NAT addresses of Private Link services and the clocks of load balancing rules are pools
// too: all that a translated connection takes its idle time from. Microsoft-owned addresses of default outbound access
// are made up, one per network. Connections remember the index of their pool, so a pool keeps its index over compiles;
// one that went keeps an empty row.

import { IDLE_MS_DEFAULT, PRIVATE_LINK_SERVICE_IDLE_MS } from '../../abi/limits.ts';
import { type NatPoolTable, OUTBOUND, type PublicIpTable } from '../../abi/program.ts';
import { formatIpv4, parseIpv4, tryParseIpv4 } from '../../wire/index.ts';
import type { LoadBalancer, OutboundRule } from '../model/load-balancing.ts';
import { idKey, type NatGateway, type PublicIPAddress, type Reference } from '../model/resources.ts';
import type { AttachmentRegistry, Compiled, SideTable } from './compiled.ts';
import { type Context, type NicFacts, type Place, resolve, type ServiceFacts, type VnetFacts } from './context.ts';
import { planRules, poolOf, type RulePlan } from './load-balancing.ts';
import { attachmentOf, nicKey } from './registry.ts';

export interface OutboundMethod {
  /** OUTBOUND. */
  readonly method: number;
  /** Row of publicIps or natPools, else -1. */
  readonly index: number;
}

export interface OutboundTables {
  readonly publicIps: PublicIpTable;
  readonly natPools: NatPoolTable;
  readonly publicIpNames: SideTable['publicIps'];
  readonly natPoolNames: SideTable['natPools'];
  /** What the next compile needs to keep pool indices, for `Compiled.digests`. */
  readonly poolKeys: ReadonlyMap<string, string>;
  /** By attachment id. */
  readonly methods: ReadonlyMap<number, OutboundMethod>;
  /** Row of natPools by RulePlan.key, and by the key of a Private Link service. */
  readonly clocks: ReadonlyMap<string, number>;
  readonly servicePools: ReadonlyMap<string, number>;
}

interface PublicIpRow {
  readonly name: string;
  readonly address: number;
  readonly attachment: number;
  readonly privateAddress: number;
  readonly isStandard: boolean;
  /** Frontend of a load balancer, -1 for the address of a NIC. */
  readonly frontend: number;
}

interface Pool {
  readonly name: string;
  readonly kind: number;
  readonly addresses: readonly number[];
  readonly idleMs: number;
}

const NO_OUTBOUND: OutboundMethod = { method: OUTBOUND.none, index: -1 };
/** Where made-up addresses of default outbound access come from. */
const DEFAULT_ACCESS_BASE = parseIpv4('20.200.0.0');
const DEFAULT_ACCESS_SIZE = 65_536;

/** Tables of public addresses and the outbound method of each NIC. */
export function buildOutbound(
  context: Context,
  registry: AttachmentRegistry,
  previous: Compiled | undefined,
): OutboundTables {
  const ofNics = context.nics.flatMap((nic) => publicIpRows(context, nic, attachmentOf(registry, nicKey(nic))));
  const rows = [...ofNics, ...frontendRows(context)];
  const pools = new PoolList(context, rows, previous);
  const methods = new Map<number, OutboundMethod>();
  for (const nic of context.nics) {
    const attachment = attachmentOf(registry, nicKey(nic));
    const ownRow = rows.findIndex((row) => row.attachment === attachment);
    methods.set(attachment, methodOf(context, nic, ownRow, pools));
  }
  const clocks = new Map(planRules(context).map((rule) => [rule.key, pools.ofRule(rule)]));
  const servicePools = new Map(context.services.map((service) => [service.key, pools.ofService(service)]));
  return {
    publicIps: {
      address: Int32Array.from(rows, (row) => row.address),
      attachment: Int32Array.from(rows, (row) => row.attachment),
      privateAddress: Int32Array.from(rows, (row) => row.privateAddress),
      standard: Int32Array.from(rows, (row) => (row.isStandard ? 1 : 0)),
      frontend: Int32Array.from(rows, (row) => row.frontend),
    },
    natPools: poolTable(pools.pools),
    publicIpNames: rows.map((row) => ({ name: row.name, address: formatIpv4(row.address) })),
    natPoolNames: pools.pools.map((pool) => ({ name: pool.name, addresses: pool.addresses.map(formatIpv4) })),
    poolKeys: pools.keys(),
    methods,
    clocks,
    servicePools,
  };
}

/** NET-17, in its order. A NAT gateway without an address takes precedence and carries nothing. */
function methodOf(context: Context, nic: NicFacts, ownRow: number, pools: PoolList): OutboundMethod {
  const gateway = natGatewayOf(context, nic.place);
  if (gateway !== undefined) {
    const index = pools.ofNatGateway(gateway);
    return index < 0 ? NO_OUTBOUND : { method: OUTBOUND.natGateway, index };
  }
  if (ownRow >= 0) return { method: OUTBOUND.publicIp, index: ownRow };
  const balanced = balancerPool(context, nic, pools);
  if (balanced >= 0) return { method: OUTBOUND.balancer, index: balanced };
  if (!hasDefaultAccess(nic)) return NO_OUTBOUND;
  return { method: OUTBOUND.defaultAccess, index: pools.ofDefaultAccess(nic.place.network) };
}

/** NET-17: an outbound rule of a load balancer, else the implicit SNAT of a rule with a public frontend; -1 without. */
function balancerPool(context: Context, { nic }: NicFacts, pools: PoolList): number {
  const own = new Set(nic.properties.ipConfigurations.map(({ id }) => idKey(id)));
  const hasMember = (balancer: LoadBalancer, pool: Reference): boolean =>
    poolOf(balancer, pool)?.properties.backendIPConfigurations.some(({ id }) => own.has(idKey(id))) === true;
  for (const balancer of context.network.loadBalancers) {
    for (const rule of balancer.properties.outboundRules) {
      if (hasMember(balancer, rule.properties.backendAddressPool)) return pools.ofOutboundRule(balancer, rule);
    }
  }
  for (const { balancer, key, address, publicIp } of context.frontends) {
    if (publicIp === undefined) continue;
    for (const { properties } of balancer.properties.loadBalancingRules) {
      const isOurs = idKey(properties.frontendIPConfiguration.id) === key && !properties.disableOutboundSnat;
      if (isOurs && hasMember(balancer, properties.backendAddressPool)) {
        return pools.ofImplicitSnat(key, `${balancer.name} (implicit SNAT)`, address);
      }
    }
  }
  return -1;
}

/** NET-16. Azure's null leaves the decision to what the NIC's own export says. */
function hasDefaultAccess({ nic, place }: NicFacts): boolean {
  const ofSubnet = place.subnet.properties.defaultOutboundAccess;
  return ofSubnet ?? nic.properties.defaultOutboundConnectivityEnabled !== false;
}

function natGatewayOf(context: Context, place: Place): NatGateway | undefined {
  const own = place.subnet.properties.natGateway;
  const key = idKey(place.subnet.id);
  return context.network.natGateways.find((gateway) =>
    own === undefined
      ? gateway.properties.subnets.some((subnet) => idKey(subnet.id) === key)
      : idKey(gateway.id) === idKey(own.id),
  );
}

/** Public addresses of a NIC's ipConfigs, that of the primary one first. */
function publicIpRows(context: Context, { nic }: NicFacts, attachment: number): PublicIpRow[] {
  return nic.properties.ipConfigurations
    .toSorted((a, b) => Number(b.properties.primary) - Number(a.properties.primary))
    .flatMap(({ properties }) => {
      const publicIp = resolve(context.publicIps, properties.publicIPAddress);
      const address = tryParseIpv4(publicIp?.properties.ipAddress ?? '');
      const privateAddress = tryParseIpv4(properties.privateIPAddress);
      if (publicIp === undefined || address === undefined || privateAddress === undefined) return [];
      const isStandard = isStandardAddress(publicIp);
      return [{ name: publicIp.name, address, attachment, privateAddress, isStandard, frontend: -1 }];
    });
}

/** Public addresses of load balancers. */
function frontendRows(context: Context): PublicIpRow[] {
  return context.frontends.flatMap(({ publicIp, address, index }) => {
    if (publicIp === undefined) return [];
    const isStandard = isStandardAddress(publicIp);
    return [{ name: publicIp.name, address, attachment: -1, privateAddress: 0, isStandard, frontend: index }];
  });
}

function isStandardAddress({ sku }: PublicIPAddress): boolean {
  return sku !== 'Basic';
}

/** The pools that NICs use, made when the first one asks; those of the previous program come first. */
class PoolList {
  readonly pools: Pool[];
  private readonly indexByKey = new Map<string, number>();
  /** Pools of this compile, by key; -1 for one without an address. */
  private readonly made = new Map<string, number>();
  private readonly taken: Set<number>;
  private readonly context: Context;

  constructor(context: Context, rows: readonly PublicIpRow[], previous: Compiled | undefined) {
    this.context = context;
    this.taken = new Set(rows.map((row) => row.address));
    this.pools = previous === undefined ? [] : emptiedPools(previous);
    for (const [key, index] of previous?.digests ?? []) {
      if (key.startsWith(POOL_KEY)) this.indexByKey.set(key.slice(POOL_KEY.length), Number(index));
    }
  }

  keys(): ReadonlyMap<string, string> {
    return new Map([...this.indexByKey].map(([key, index]) => [POOL_KEY + key, `${index}`]));
  }

  /** Index of a NAT gateway's pool, -1 when it has no address. */
  ofNatGateway(gateway: NatGateway): number {
    return this.remember(idKey(gateway.id), () => {
      const addresses = gateway.properties.publicIpAddresses
        .map((reference) => tryParseIpv4(resolve(this.context.publicIps, reference)?.properties.ipAddress ?? ''))
        .filter((address) => address !== undefined);
      const idleMs = gateway.properties.idleTimeoutInMinutes * 60_000;
      return { name: gateway.name, kind: OUTBOUND.natGateway, addresses, idleMs };
    });
  }

  /** Index of a network's default outbound pool. */
  ofDefaultAccess(network: VnetFacts): number {
    return this.remember(network.key, () => {
      let offset = hashText(network.key) % DEFAULT_ACCESS_SIZE;
      while (this.taken.has(DEFAULT_ACCESS_BASE + offset)) offset = (offset + 1) % DEFAULT_ACCESS_SIZE;
      const address = DEFAULT_ACCESS_BASE + offset;
      this.taken.add(address);
      const name = `default outbound of ${network.vnet.name}`;
      return { name, kind: OUTBOUND.defaultAccess, addresses: [address], idleMs: IDLE_MS_DEFAULT };
    });
  }

  /** Index of an outbound rule's pool: the public addresses of its frontends; -1 when none has one. */
  ofOutboundRule(balancer: LoadBalancer, rule: OutboundRule): number {
    return this.remember(idKey(rule.id), () => {
      const keys = new Set(rule.properties.frontendIPConfigurations.map(({ id }) => idKey(id)));
      const frontends = this.context.frontends.filter(({ key, publicIp }) => publicIp !== undefined && keys.has(key));
      const idleMs = rule.properties.idleTimeoutInMinutes * 60_000;
      const name = `${balancer.name}/${rule.name}`;
      return { name, kind: OUTBOUND.balancer, addresses: frontends.map(({ address }) => address), idleMs };
    });
  }

  /** Index of the pool that members of a public frontend's rule share without asking for it. */
  ofImplicitSnat(key: string, name: string, address: number): number {
    return this.remember(`${key} snat`, () => {
      return { name, kind: OUTBOUND.balancer, addresses: [address], idleMs: IDLE_MS_DEFAULT };
    });
  }

  /** Index of the NAT addresses of a Private Link service (PLS-8, PLS-11). */
  ofService({ key, service, natAddresses }: ServiceFacts): number {
    return this.remember(key, () => {
      const idleMs = PRIVATE_LINK_SERVICE_IDLE_MS;
      return { name: service.name, kind: OUTBOUND.privateLinkService, addresses: natAddresses, idleMs };
    });
  }

  /** Index of a load balancing rule's clock (LB-5). */
  ofRule({ key, rule, frontend, idleMs }: RulePlan): number {
    return this.remember(key, () => {
      const name = `${frontend.balancer.name}/${rule.name}`;
      return { name, kind: OUTBOUND.balanceRule, addresses: [], idleMs };
    });
  }

  private remember(key: string, make: () => Pool): number {
    const known = this.made.get(key);
    if (known !== undefined) return known;
    const pool = make();
    let index = -1;
    if (pool.addresses.length > 0 || pool.kind === OUTBOUND.balanceRule) {
      index = this.indexByKey.get(key) ?? this.pools.length;
      this.indexByKey.set(key, index);
      this.pools[index] = pool;
    }
    this.made.set(key, index);
    return index;
  }
}

const POOL_KEY = 'pool ';

/** The pools of a program without their addresses: what is left of a pool that nobody uses any more. */
function emptiedPools({ program: { natPools }, sideTable }: Compiled): Pool[] {
  return sideTable.natPools.map(({ name }, i) => {
    const [kind, idleMs] = [natPools.kind[i] as number, natPools.idleMs[i] as number];
    return { name, kind, addresses: [], idleMs };
  });
}

function poolTable(pools: readonly Pool[]): NatPoolTable {
  const addressStart = new Int32Array(pools.length + 1);
  pools.forEach((pool, i) => (addressStart[i + 1] = (addressStart[i] as number) + pool.addresses.length));
  return {
    addressStart,
    address: Int32Array.from(pools.flatMap((pool) => pool.addresses)),
    kind: Int32Array.from(pools, (pool) => pool.kind),
    idleMs: Int32Array.from(pools, (pool) => pool.idleMs),
  };
}

/** FNV-1a: the same address for the same network on every machine. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
