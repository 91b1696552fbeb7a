// The compiler: a network of resource objects becomes the program, tables of integers for the workers, and the side
// table that names them. All Azure knowledge ends here (architecture 3).

import {
  type Program,
  PROGRAM_VERSION,
  SETTING_ARP_ANSWER_UNUSED,
  SETTING_REVOKE_KILLS_FLOWS,
  SETTING_HASH_AFTER_NAT,
  SETTING_NOT_APPROVED_RESET,
  SETTING_CLOSED_PORT_RESET,
  SETTING_OTHER_PROTOCOL_UNREACHABLE,
  SETTING_FRAGMENTATION_NEEDED,
  SETTING_DROP_REPLY,
  SETTING_ADMISSION_FIRST,
  SETTING_PROXY_FRONTEND,
  SETTING_DNS_BYPASS_ANY,
} from '../../abi/program.ts';
import type { Behaviour } from '../model/profile.ts';
import type { Network } from '../model/resources.ts';
import { buildAttachments } from './attachments.ts';
import type { AttachmentInfo, AttachmentRegistry, Compiled } from './compiled.ts';
import { createContext, type EndpointFacts } from './context.ts';
import { buildEndpoints, endpointInfos } from './endpoints.ts';
import { fillGenerations } from './generations.ts';
import { buildBalancing } from './load-balancing.ts';
import { buildOutbound } from './outbound.ts';
import { type AttachmentPlan, attachmentOf, planAttachments } from './registry.ts';
import { RouteTableCollector } from './route-tables.ts';
import { RuleSetCollector } from './rule-sets.ts';
import { buildOwners, buildVnets } from './vnets.ts';

export { createRegistry } from './registry.ts';

/** Where captures are wanted: attachments by registry key or name, consumer sides of endpoints by name or id. */
export type TapSelection =
  'all' | 'none' | { readonly attachments: ReadonlySet<string>; readonly endpoints: ReadonlySet<string> };

export interface CompileOptions {
  /** 1 or more, larger than that of `previous`. */
  readonly epoch: number;
  /** Changed: objects that appeared get ids, keys of objects that went are removed. */
  readonly registry: AttachmentRegistry;
  /** What ran until now; generations count on from there. */
  readonly previous?: Compiled;
  /** Default none. */
  readonly taps?: TapSelection;
}

/** Compiles a validated network. */
export function compileNetwork(network: Network, behaviour: Behaviour, options: CompileOptions): Compiled {
  const { epoch, registry, previous } = options;
  const taps = options.taps ?? 'none';
  const context = createContext(network, behaviour);
  const plans = planAttachments(context, registry);
  const rules = new RuleSetCollector(context);
  const routes = new RouteTableCollector(context, registry);
  const outbound = buildOutbound(context, registry, previous);
  const { names: balanced, ...balancing } = buildBalancing(context, registry, outbound);
  const attachments = buildAttachments({
    context,
    plans,
    count: registry.next,
    outbound,
    rules,
    routes,
    isTapped: (plan) => isAttachmentTapped(taps, plan),
    previous: previous?.program.attachments,
  });
  const endpoints = buildEndpoints(context, registry, rules, (endpoint) => isEndpointTapped(taps, endpoint));
  const program: Program = {
    version: PROGRAM_VERSION,
    epoch,
    flags: settingsOf(behaviour),
    internet: attachmentOf(registry, 'internet'),
    platform: attachmentOf(registry, 'platform'),
    service: attachmentOf(registry, 'service'),
    attachments,
    owners: buildOwners(context, registry),
    vnets: buildVnets(context, registry),
    routes: routes.rows(),
    routeTables: routes.tables,
    ruleSets: rules.sets,
    ruleCount: rules.rules.length,
    endpoints,
    publicIps: outbound.publicIps,
    natPools: outbound.natPools,
    ...balancing,
    hashSeed: behaviour.switches['lb.hashSeed'],
  };
  const digests = new Map([...fillGenerations(context, plans, program, rules, previous), ...outbound.poolKeys]);
  const infos: (AttachmentInfo | undefined)[] = Array.from({ length: registry.next }, () => undefined);
  for (const { info } of plans) infos[info.attachment] = info;
  const sideTable = {
    epoch,
    rules: rules.rules,
    routes: routes.infos,
    endpoints: endpointInfos(context),
    attachments: infos,
    natPools: outbound.natPoolNames,
    publicIps: outbound.publicIpNames,
    ...balanced,
  };
  return { network, behaviour, program, sideTable, digests };
}

function settingsOf({ switches }: Behaviour): number {
  const revoke = switches['pe.revokeKillsFlows'] ? SETTING_REVOKE_KILLS_FLOWS : 0;
  const arp = switches['arp.answerUnused'] ? SETTING_ARP_ANSWER_UNUSED : 0;
  return (
    revoke |
    arp |
    (switches['pls.hashAfterNat'] ? SETTING_HASH_AFTER_NAT : 0) |
    (switches['pe.notApprovedReply'] === 'reset' ? SETTING_NOT_APPROVED_RESET : 0) |
    (switches['pe.closedPortReply'] === 'reset' ? SETTING_CLOSED_PORT_RESET : 0) |
    (switches['pe.otherProtocolReply'] === 'unreachable' ? SETTING_OTHER_PROTOCOL_UNREACHABLE : 0) |
    (switches['net.fragmentationNeeded'] ? SETTING_FRAGMENTATION_NEEDED : 0) |
    (switches['drop.reply'] ? SETTING_DROP_REPLY : 0) |
    (switches['pe.admissionFirst'] ? SETTING_ADMISSION_FIRST : 0) |
    (switches['pls.proxyDestination'] === 'frontend' ? SETTING_PROXY_FRONTEND : 0) |
    (switches['nsg.customDnsBypassScope'] === 'any' ? SETTING_DNS_BYPASS_ANY : 0)
  );
}

function isAttachmentTapped(taps: TapSelection, { key, info }: AttachmentPlan): boolean {
  if (typeof taps === 'string') return taps === 'all';
  return taps.attachments.has(key) || taps.attachments.has(info.name);
}

function isEndpointTapped(taps: TapSelection, { endpoint, key }: EndpointFacts): boolean {
  if (typeof taps === 'string') return taps === 'all';
  return taps.endpoints.has(endpoint.name) || taps.endpoints.has(endpoint.id) || taps.endpoints.has(key);
}
