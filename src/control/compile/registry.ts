// Which attachments a network has and which ids they bear. Ids come from the registry, so that they outlive compiles:
// an object keeps its id while it lives, and the id of one that went is never given out again.

import { formatIpv4 } from '../../wire/index.ts';
import type { AttachmentInfo, AttachmentRegistry } from './compiled.ts';
import type { Context, EndpointFacts, NicFacts, VnetFacts } from './context.ts';

/** One attachment and the object behind it. */
export interface AttachmentPlan {
  /** Key in the registry. */
  readonly key: string;
  readonly info: AttachmentInfo;
  readonly nic?: NicFacts;
  /** Set for the provider side of an endpoint's connection. */
  readonly endpoint?: EndpointFacts;
  /** Set for NICs and the on-premises side of a network. */
  readonly network?: VnetFacts;
}

/** An empty registry. */
export function createRegistry(): AttachmentRegistry {
  return { ids: new Map(), next: 0 };
}

/** The attachments of a network, registered; keys of objects that are gone leave the registry. */
export function planAttachments(context: Context, registry: AttachmentRegistry): AttachmentPlan[] {
  const plans: AttachmentPlan[] = [];
  const register = (key: string): number => {
    let id = registry.ids.get(key);
    if (id === undefined) {
      id = registry.next++;
      registry.ids.set(key, id);
    }
    return id;
  };
  for (const kind of ['internet', 'platform', 'service'] as const) {
    plans.push({ key: kind, info: { attachment: register(kind), kind, name: kind, id: '' } });
  }
  for (const nic of context.nics) {
    const key = nicKey(nic);
    const { network, subnet } = nic.place;
    const place = { vnet: network.vnet.name, subnet: subnet.name };
    const { name, id, properties } = nic.nic;
    const facts = { address: formatIpv4(nic.address), ipForwarding: properties.enableIPForwarding };
    const info = { attachment: register(key), kind: 'nic' as const, name, id, ...place, ...facts };
    plans.push({ key, info, nic, network });
  }
  for (const endpoint of context.endpoints) {
    const key = providerKey(endpoint);
    const { name, id } = endpoint.endpoint;
    plans.push({ key, info: { attachment: register(key), kind: 'provider', name, id }, endpoint });
  }
  for (const network of context.vnets) {
    const key = onPremisesKey(network);
    const attachment = register(key);
    const name = onPremisesName(context, network);
    plans.push({ key, info: { attachment, kind: 'onPremises', name, id: '', vnet: network.vnet.name }, network });
  }
  const live = new Set(plans.map((plan) => plan.key));
  for (const key of registry.ids.keys()) if (!live.has(key)) registry.ids.delete(key);
  return plans;
}

/** Attachment id of a registered key; throws on a key that planAttachments has not seen. */
export function attachmentOf(registry: AttachmentRegistry, key: string): number {
  const id = registry.ids.get(key);
  if (id === undefined) throw new Error(`attachment ${key} is not registered`);
  return id;
}

export function nicKey(nic: NicFacts): string {
  return `nic:${nic.key}`;
}

export function providerKey(endpoint: EndpointFacts): string {
  return `provider:${endpoint.key}`;
}

export function onPremisesKey(network: VnetFacts): string {
  return `onprem:${network.key}`;
}

/** `onprem` for the only gateway, or the only network; otherwise with the network's name. */
function onPremisesName(context: Context, network: VnetFacts): string {
  const withGateway = context.vnets.filter((facts) => facts.gateways.length > 0);
  const candidates = withGateway.length > 0 ? withGateway : context.vnets;
  return candidates.length === 1 && candidates[0] === network ? 'onprem' : `onprem:${network.vnet.name}`;
}
