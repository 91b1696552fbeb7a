// The compiler: a network of resource objects becomes the program, tables of integers for the workers, and the side
// table that names them. All Azure knowledge ends here (architecture 3).

import {
  type Program,
  PROGRAM_VERSION,
  SETTING_ARP_ANSWER_UNUSED,
  SETTING_REVOKE_KILLS_FLOWS,
} from '../../abi/program.ts';
import type { Behaviour } from '../model/profile.ts';
import type { Network } from '../model/resources.ts';
import { buildAttachments } from './attachments.ts';
import type { AttachmentInfo, AttachmentRegistry, Compiled } from './compiled.ts';
import { createContext, type EndpointFacts } from './context.ts';
import { buildEndpoints, endpointInfos } from './endpoints.ts';
import { fillGenerations } from './generations.ts';
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
  };
  return { network, behaviour, program, sideTable, digests };
}

function settingsOf({ switches }: Behaviour): number {
  const revoke = switches['pe.revokeKillsFlows'] ? SETTING_REVOKE_KILLS_FLOWS : 0;
  const arp = switches['arp.answerUnused'] ? SETTING_ARP_ANSWER_UNUSED : 0;
  return revoke | arp;
}

function isAttachmentTapped(taps: TapSelection, { key, info }: AttachmentPlan): boolean {
  if (typeof taps === 'string') return taps === 'all';
  return taps.attachments.has(key) || taps.attachments.has(info.name);
}

function isEndpointTapped(taps: TapSelection, { endpoint, key }: EndpointFacts): boolean {
  if (typeof taps === 'string') return taps === 'all';
  return taps.endpoints.has(endpoint.name) || taps.endpoints.has(endpoint.id) || taps.endpoints.has(key);
}
