// Load balancers: their parts fit together, ports and times are in range, members stand where the frontend is (LB-2,
// LB-4, LB-5, LB-7, NET-18). Private Link services follow in link-services.ts.

import { BALANCE_IDLE_MINUTES_MAX, BALANCE_IDLE_MINUTES_MIN } from '../../abi/limits.ts';
import type {
  BackendAddressPool,
  FrontendIPConfiguration,
  InboundNatRule,
  LoadBalancer,
  LoadBalancingRule,
  Probe,
} from '../model/load-balancing.ts';
import { idKey, type Reference } from '../model/resources.ts';
import { nameOfId, type Place, resolve, type ValidationContext } from './context.ts';
import { checkLinkServices } from './link-services.ts';
import { nameHint } from './suggestion.ts';

const PORT_MAX = 65_535;
const PROBE_SECONDS_MIN = 5;

export function checkLoadBalancing(context: ValidationContext): void {
  for (const balancer of context.network.loadBalancers) {
    const scope = { balancer, place: { path: `loadBalancers.${balancer.name}`, source: balancer.source } };
    const { properties } = balancer;
    for (const frontend of properties.frontendIPConfigurations) checkFrontend(context, scope, frontend);
    for (const rule of properties.loadBalancingRules) checkRule(context, scope, rule);
    for (const rule of properties.inboundNatRules) checkNatRule(context, scope, rule);
    for (const rule of properties.outboundRules) {
      const place = placeOf(scope, 'outboundRules', rule);
      for (const frontend of rule.properties.frontendIPConfigurations)
        checkPart(context, scope, 'frontend', frontend, place);
      checkPart(context, scope, 'backend pool', rule.properties.backendAddressPool, place);
    }
    for (const probe of properties.probes) checkProbe(context, scope, probe);
    checkFrontendPorts(context, scope);
    checkBackendPorts(context, scope);
    for (const pool of properties.backendAddressPools) checkPoolNetworks(context, scope, pool);
  }
  checkLinkServices(context);
}

interface Scope {
  readonly balancer: LoadBalancer;
  readonly place: Place;
}

interface Part {
  readonly name: string;
  readonly source?: Place['source'];
}

function placeOf({ place }: Scope, list: string, part: Part): Place {
  return { path: `${place.path}.${list}.${part.name}`, source: part.source ?? place.source };
}

function checkFrontend(context: ValidationContext, scope: Scope, frontend: FrontendIPConfiguration): void {
  const { subnet, publicIPAddress } = frontend.properties;
  const { balancer } = scope;
  const place = placeOf(scope, 'frontends', frontend);
  if (subnet === undefined && publicIPAddress === undefined) {
    const message = `frontend '${frontend.name}' of load balancer '${balancer.name}' has no address`;
    context.report('LB_FRONTEND_PLACE', place, message, 'give it a subnet (internal) or a public IP address');
  }
  const publicIp = resolve(context.publicIps, publicIPAddress);
  if (publicIp === undefined || publicIp.sku === balancer.sku) return;
  const message =
    `load balancer '${balancer.name}' is ${balancer.sku}, ` +
    `public IP address '${publicIp.name}' of its frontend ${publicIp.sku}`;
  context.report('LB_SKU', place, message, 'use one SKU for both');
}

function checkRule(context: ValidationContext, scope: Scope, rule: LoadBalancingRule): void {
  const { properties } = rule;
  const place = placeOf(scope, 'rules', rule);
  checkPart(context, scope, 'frontend', properties.frontendIPConfiguration, place);
  checkPart(context, scope, 'backend pool', properties.backendAddressPool, place);
  checkPart(context, scope, 'probe', properties.probe, place);
  checkIdle(context, rule, place);
  const { protocol, frontendPort, backendPort } = properties;
  const isAll = frontendPort === 0 && backendPort === 0;
  if (protocol !== 'All' && !isAll) return checkPorts(context, rule, place);
  // LB-2, LB-7: all protocols and all ports go together, on an internal frontend of a Standard balancer.
  const frontend = partsOf(scope.balancer, 'frontend').find(
    ({ id }) => idKey(id) === idKey(properties.frontendIPConfiguration.id),
  ) as FrontendIPConfiguration | undefined;
  const isInternal = frontend?.properties.publicIPAddress === undefined;
  if (protocol === 'All' && isAll && isInternal && scope.balancer.sku === 'Standard') return;
  const message = `rule '${rule.name}' balances protocol ${protocol}, ports ${frontendPort} to ${backendPort}`;
  const hint = 'a rule for all ports has protocol All and ports 0, on an internal frontend of a Standard balancer';
  context.report('LB_HA_PORTS', place, message, hint);
}

function checkNatRule(context: ValidationContext, scope: Scope, rule: InboundNatRule): void {
  const place = placeOf(scope, 'inboundNatRules', rule);
  checkPart(context, scope, 'frontend', rule.properties.frontendIPConfiguration, place);
  checkPart(context, scope, 'backend pool', rule.properties.backendAddressPool, place);
  checkIdle(context, rule, place);
  checkPorts(context, rule, place);
}

function checkPorts(context: ValidationContext, rule: LoadBalancingRule | InboundNatRule, place: Place): void {
  for (const key of ['frontendPort', 'backendPort'] as const) {
    const port = rule.properties[key];
    if (isPort(port)) continue;
    const message = `${key} of rule '${rule.name}' is ${port}; expected 1 to ${PORT_MAX}`;
    context.report('LB_PORT', { ...place, path: `${place.path}.${key}` }, message, 'choose a port');
  }
}

/** LB-5. */
function checkIdle(context: ValidationContext, rule: LoadBalancingRule | InboundNatRule, place: Place): void {
  const { idleTimeoutInMinutes: minutes } = rule.properties;
  const [min, max] = [BALANCE_IDLE_MINUTES_MIN, BALANCE_IDLE_MINUTES_MAX];
  if (Number.isInteger(minutes) && minutes >= min && minutes <= max) return;
  const message = `idleTimeoutInMinutes of rule '${rule.name}' is ${minutes}; expected ${min} to ${max}`;
  const where = { ...place, path: `${place.path}.idleTimeoutInMinutes` };
  context.report('LB_IDLE_TIMEOUT', where, message, 'leave it out for the default of 4 minutes');
}

function checkProbe(context: ValidationContext, scope: Scope, probe: Probe): void {
  const { protocol, port, requestPath, intervalInSeconds: seconds, numberOfProbes: count } = probe.properties;
  const place = placeOf(scope, 'probes', probe);
  if (!isPort(port)) {
    const message = `port of probe '${probe.name}' is ${port}; expected 1 to ${PORT_MAX}`;
    context.report('LB_PORT', { ...place, path: `${place.path}.port` }, message, 'choose a port');
  }
  const problems = [
    seconds < PROBE_SECONDS_MIN ? `asks every ${seconds} s; at least ${PROBE_SECONDS_MIN} s` : undefined,
    count < 1 ? `asks ${count} times; at least once` : undefined,
    protocol !== 'Tcp' && requestPath === undefined ? `asks by ${protocol} without a requestPath` : undefined,
    protocol === 'Tcp' && requestPath !== undefined ? 'asks by Tcp but has a requestPath' : undefined,
  ];
  for (const problem of problems) {
    if (problem === undefined) continue;
    const hint = 'TCP probes have a port only, HTTP probes a path too';
    context.report(
      'LB_PROBE',
      place,
      `probe '${probe.name}' of load balancer '${scope.balancer.name}' ${problem}`,
      hint,
    );
  }
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= PORT_MAX;
}

type PartKind = 'frontend' | 'backend pool' | 'probe';

function partsOf(
  { properties }: LoadBalancer,
  kind: PartKind,
): readonly { readonly id: string; readonly name: string }[] {
  if (kind === 'frontend') return properties.frontendIPConfigurations;
  return kind === 'probe' ? properties.probes : properties.backendAddressPools;
}

function checkPart(
  context: ValidationContext,
  { balancer }: Scope,
  kind: PartKind,
  reference: Reference | undefined,
  place: Place,
): void {
  const known = partsOf(balancer, kind);
  if (reference === undefined || known.some(({ id }) => idKey(id) === idKey(reference.id))) return;
  const name = nameOfId(reference.id);
  const message =
    `load balancer '${balancer.name}' has no ${kind} '${name}', which '${nameOfId(place.path.replaceAll('.', '/'))}' ` +
    'names (Azure: InvalidResourceReference)';
  const names = known.map((entry) => entry.name);
  context.report('LB_REFERENCE', place, message, nameHint(name, names, `add a ${kind} with this name`));
}

function checkFrontendPorts(context: ValidationContext, scope: Scope): void {
  const { loadBalancingRules, inboundNatRules } = scope.balancer.properties;
  const seen = new Map<string, string>();
  for (const rule of [...loadBalancingRules, ...inboundNatRules]) {
    const { frontendIPConfiguration, protocol, frontendPort } = rule.properties;
    const key = `${idKey(frontendIPConfiguration.id)} ${protocol} ${frontendPort}`;
    const other = seen.get(key);
    seen.set(key, rule.name);
    if (other === undefined) continue;
    const message = `rules '${other}' and '${rule.name}' are both for ${protocol} port ${frontendPort} of one frontend`;
    context.report('LB_PORT_CONFLICT', placeOf(scope, 'rules', rule), message, 'choose another port or frontend');
  }
}

function checkBackendPorts(context: ValidationContext, scope: Scope): void {
  const seen = new Map<string, string>();
  for (const rule of scope.balancer.properties.loadBalancingRules) {
    const { backendAddressPool, protocol, backendPort, enableFloatingIP } = rule.properties;
    if (enableFloatingIP) continue;
    const key = `${idKey(backendAddressPool.id)} ${protocol} ${backendPort}`;
    const other = seen.get(key);
    seen.set(key, rule.name);
    if (other === undefined) continue;
    const message =
      `rules '${other}' and '${rule.name}' lead to ${protocol} port ${backendPort} of one pool ` +
      '(Azure: RulesUseSameBackendPortProtocolAndPool)';
    const hint = 'choose another backend port, or enableFloatingIP';
    context.report('LB_BACKEND_PORT_CONFLICT', placeOf(scope, 'rules', rule), message, hint);
  }
}

/** PE-11; and members share one network, that of the internal frontends which lead to them. */
function checkPoolNetworks(context: ValidationContext, scope: Scope, pool: BackendAddressPool): void {
  const networks = new Map<string, string>();
  const add = (subnet: Reference | undefined): void => {
    const vnet = resolve(context.subnets, subnet)?.vnet;
    if (vnet !== undefined) networks.set(idKey(vnet.id), vnet.name);
  };
  const members = new Set(pool.properties.backendIPConfigurations.map(({ id }) => idKey(id)));
  for (const key of members) {
    const endpoint = context.endpoints.get(key);
    if (endpoint === undefined) continue;
    const title = `pool '${pool.name}' of load balancer '${scope.balancer.name}'`;
    const message = `${title} has private endpoint '${endpoint.name}' as a member`;
    const hint = 'a private endpoint cannot be a backend: name network interfaces';
    context.report('LB_POOL_ENDPOINT', placeOf(scope, 'backendPools', pool), message, hint);
  }
  for (const nic of context.network.networkInterfaces) {
    for (const { id, properties } of nic.properties.ipConfigurations)
      if (members.has(idKey(id))) add(properties.subnet);
  }
  for (const { properties } of scope.balancer.properties.loadBalancingRules) {
    if (idKey(properties.backendAddressPool.id) !== idKey(pool.id)) continue;
    const key = idKey(properties.frontendIPConfiguration.id);
    add(scope.balancer.properties.frontendIPConfigurations.find(({ id }) => idKey(id) === key)?.properties.subnet);
  }
  if (networks.size <= 1) return;
  const names = [...networks.values()].map((name) => `'${name}'`).join(', ');
  const message = `pool '${pool.name}' and its internal frontends are in several virtual networks: ${names}`;
  context.report('LB_POOL_NETWORKS', placeOf(scope, 'backendPools', pool), message, 'make one balancer per network');
}
