// The attachment table: one row per id that the registry ever gave out, with the rule sets, routes and outbound method
// of what stands there. Generations are filled in afterwards (generations.ts).

import { MTU_DEFAULT } from '../../abi/limits.ts';
import {
  ATTACHMENT,
  ATTACHMENT_TAP,
  type AttachmentTable,
  NIC_ALLOW_SMTP,
  NIC_DISABLE_SNAT_ON_PL,
  NIC_HAS_NSG,
  NIC_IP_FORWARDING,
  NIC_REQUIRE_SYN,
  OUTBOUND,
} from '../../abi/program.ts';
import { parseIpv4 } from '../../wire/index.ts';
import {
  type Context,
  type EndpointFacts,
  ipv4Prefixes,
  type NicFacts,
  type Place,
  resolve,
  type VnetFacts,
} from './context.ts';
import { backendAddressOf, bindingIdleMs } from './endpoints.ts';
import { assignMacs } from './macs.ts';
import type { OutboundTables } from './outbound.ts';
import type { AttachmentPlan } from './registry.ts';
import type { RouteTableCollector } from './route-tables.ts';
import type { RuleSetCollector } from './rule-sets.ts';
import { HOST_VIP } from './service-tags.ts';

/** Address that the Internet's guest sends from when nobody says another. */
const INTERNET_ADDRESS = '203.0.113.1';
const GATEWAY_SUBNET = 'gatewaysubnet';

export interface AttachmentInputs {
  readonly context: Context;
  readonly plans: readonly AttachmentPlan[];
  /** Rows of the table: ids given out so far. */
  readonly count: number;
  readonly outbound: OutboundTables;
  readonly rules: RuleSetCollector;
  readonly routes: RouteTableCollector;
  readonly isTapped: (plan: AttachmentPlan) => boolean;
  readonly previous: AttachmentTable | undefined;
}

/** The table, with generations 0. Rows without a plan are `gone`. */
export function buildAttachments(inputs: AttachmentInputs): AttachmentTable {
  const { context, plans, count, outbound } = inputs;
  const table = emptyTable(count);
  for (const plan of plans) {
    const id = plan.info.attachment;
    table.kind[id] = ATTACHMENT[plan.info.kind];
    table.flags[id] = inputs.isTapped(plan) ? ATTACHMENT_TAP : 0;
    table.address[id] = addressOf(context, plan);
    table.mtu[id] = plan.nic?.nic.properties.mtu ?? MTU_DEFAULT;
    table.idleMs[id] = idleMsOf(context, plan);
    if (plan.network !== undefined) table.vnet[id] = plan.network.index;
    if (plan.nic !== undefined) fillNic(table, id, plan.nic, inputs);
    else if (steersReplies(context, plan)) table.routeTable[id] = inputs.routes.indexOf(plan.endpoint.place);
    else if (plan.network !== undefined) table.routeTable[id] = inputs.routes.indexOf(gatewayPlace(plan.network));
    const method = outbound.methods.get(id);
    if (method === undefined) continue;
    table.outbound[id] = method.method;
    table.outboundIndex[id] = method.index;
  }
  for (const [id, mac] of assignMacs(plans, table.address, inputs.previous)) {
    table.macHigh[id] = Math.floor(mac / 2 ** 32);
    table.macLow[id] = mac | 0;
  }
  return table;
}

function fillNic(table: AttachmentTable, id: number, facts: NicFacts, inputs: AttachmentInputs): void {
  const { context, rules, routes } = inputs;
  const { nic, place } = facts;
  const ofNic = resolve(context.nsgs, nic.properties.networkSecurityGroup);
  const ofSubnet = resolve(context.nsgs, place.subnet.properties.networkSecurityGroup);
  table.flags[id] = (table.flags[id] as number) | nicFlags(context, facts);
  table.routeTable[id] = routes.indexOf(place);
  table.outAdminRules[id] = rules.adminIndexOf('Outbound', place);
  table.inAdminRules[id] = rules.adminIndexOf('Inbound', place);
  table.outNicRules[id] = rules.indexOf(ofNic, 'Outbound', 'normal', place);
  table.outSubnetRules[id] = rules.indexOf(ofSubnet, 'Outbound', 'normal', place);
  table.inSubnetRules[id] = rules.indexOf(ofSubnet, 'Inbound', 'normal', place);
  table.inNicRules[id] = rules.indexOf(ofNic, 'Inbound', 'normal', place);
  table.platformNicRules[id] = rules.indexOf(ofNic, 'Outbound', 'platform', place);
  table.platformSubnetRules[id] = rules.indexOf(ofSubnet, 'Outbound', 'platform', place);
}

function nicFlags(context: Context, { nic, place }: NicFacts): number {
  const { properties } = nic;
  const hasGroup =
    resolve(context.nsgs, properties.networkSecurityGroup) !== undefined ||
    resolve(context.nsgs, place.subnet.properties.networkSecurityGroup) !== undefined;
  const requiresSyn = context.behaviour.switches['nsg.requireSyn'] && properties.disableTcpStateTracking !== true;
  return (
    (properties.enableIPForwarding ? NIC_IP_FORWARDING : 0) |
    (nic.tags?.['disableSnatOnPL'] === 'true' ? NIC_DISABLE_SNAT_ON_PL : 0) |
    (hasGroup ? NIC_HAS_NSG : 0) |
    (properties.allowPort25Out === true ? NIC_ALLOW_SMTP : 0) |
    (requiresSyn ? NIC_REQUIRE_SYN : 0)
  );
}

/** the route table of an endpoint's subnet steers the answers of the service. */
function steersReplies(
  context: Context,
  plan: AttachmentPlan,
): plan is AttachmentPlan & { readonly endpoint: EndpointFacts } {
  if (!context.behaviour.switches['pe.subnetRouteTableAffectsReturn']) return false;
  return resolve(context.routeTables, plan.endpoint?.place.subnet.properties.routeTable) !== undefined;
}

/** What comes from on-premises leaves the GatewaySubnet: its user-defined routes count. */
function gatewayPlace(network: VnetFacts): Place | { readonly network: VnetFacts } {
  const subnet = network.vnet.properties.subnets.find(({ name }) => name.toLowerCase() === GATEWAY_SUBNET);
  return subnet === undefined ? { network } : { network, subnet };
}

/** Primary address; exits answer for every address and have one only to send from. */
function addressOf(context: Context, plan: AttachmentPlan): number {
  if (plan.nic !== undefined) return plan.nic.address;
  if (plan.endpoint !== undefined) return backendAddressOf(context, plan.endpoint);
  if (plan.info.kind === 'platform') return parseIpv4(HOST_VIP);
  if (plan.info.kind === 'internet') return parseIpv4(INTERNET_ADDRESS);
  const learned = plan.network?.gateways.flatMap((gateway) => gateway.properties.learnedRoutes) ?? [];
  const first = ipv4Prefixes(learned).find((prefix) => prefix.length > 0 && prefix.length < 32);
  return first === undefined ? 0 : first.address + 1;
}

/** NSG-33 for NICs and gateways, the binding's own time for services. */
function idleMsOf(context: Context, plan: AttachmentPlan): number {
  if (plan.endpoint !== undefined) return bindingIdleMs(context, plan.endpoint);
  const minutes = plan.network?.vnet.properties.flowTimeoutInMinutes;
  return (minutes ?? context.behaviour.switches['nsg.idleMinutes']) * 60_000;
}

function emptyTable(count: number): AttachmentTable {
  const none = (): Int32Array => new Int32Array(count).fill(-1);
  const zero = (): Int32Array => new Int32Array(count);
  return {
    kind: zero(),
    flags: zero(),
    vnet: none(),
    routeTable: none(),
    macHigh: zero(),
    macLow: zero(),
    address: zero(),
    outNicRules: none(),
    outSubnetRules: none(),
    inSubnetRules: none(),
    inNicRules: none(),
    outAdminRules: none(),
    inAdminRules: none(),
    platformNicRules: none(),
    platformSubnetRules: none(),
    outbound: zero().fill(OUTBOUND.none),
    outboundIndex: none(),
    idleMs: zero(),
    generation: zero(),
    flushGeneration: zero(),
    mtu: zero(),
  };
}
