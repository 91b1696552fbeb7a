// Changes to peerings. Each change is about one link, that of the network named first; the states of both links follow
// the state machine of PEER-1.

import { InputError } from '../issues.ts';
import { idKey, type Network, type VirtualNetwork, type VirtualNetworkPeering } from '../model/resources.ts';
import { peeringTo } from '../validate/peerings.ts';
import { type Change, exchange, find, refusal, withVnet } from './lookup.ts';
import { type LinkState, nextPeeringState, type PeeringEvent } from './peering-state.ts';

/** Flags of one link (PEER-5 to PEER-7). */
export interface PeeringFlags {
  readonly access?: boolean | undefined;
  readonly forwarded?: boolean | undefined;
  readonly gatewayTransit?: boolean | undefined;
  readonly useRemoteGateways?: boolean | undefined;
}

/** Creates the link of a network to another: Initiated, or both Connected when the other direction exists. */
export function addPeering(vnetA: string, vnetB: string, flags: PeeringFlags = {}): Change {
  return (network) => step(network, vnetA, vnetB, 'createA', flags);
}

/** Removes the link of a network to another; the link in the other direction becomes Disconnected. */
export function removePeering(vnetA: string, vnetB: string): Change {
  return (network) => step(network, vnetA, vnetB, 'deleteA', {});
}

/** Changes flags of an existing link; flags left out stay. */
export function setPeering(vnetA: string, vnetB: string, flags: PeeringFlags): Change {
  return (network) => {
    const { a, b } = pair(network, vnetA, vnetB);
    const peering = peeringTo(a, b);
    if (peering === undefined) {
      const message = `virtual network '${a.name}' has no peering with '${b.name}'`;
      throw refusal('PEERING_MISSING', message, 'create the peering first');
    }
    const next = { ...peering, properties: { ...peering.properties, ...azureFlags(flags) } };
    const virtualNetworkPeerings = exchange(a.properties.virtualNetworkPeerings, peering, next);
    return withVnet(network, a, { virtualNetworkPeerings });
  };
}

function step(network: Network, vnetA: string, vnetB: string, event: PeeringEvent, flags: PeeringFlags): Network {
  const { a, b } = pair(network, vnetA, vnetB);
  const [linkA, linkB] = [peeringTo(a, b), peeringTo(b, a)];
  const result = nextPeeringState({ a: stateOf(linkA), b: stateOf(linkB) }, event);
  if (result.kind === 'refused') {
    const { issue } = result;
    throw new InputError([{ ...issue, message: `peering of '${a.name}' with '${b.name}': ${issue.message}` }]);
  }
  const made = event === 'createA' ? newLink(a, b, flags) : linkA;
  const withA = withVnet(network, a, { virtualNetworkPeerings: links(a, linkA, made, result.states.a) });
  return withVnet(withA, b, { virtualNetworkPeerings: links(b, linkB, linkB, result.states.b) });
}

function pair(
  network: Network,
  vnetA: string,
  vnetB: string,
): { readonly a: VirtualNetwork; readonly b: VirtualNetwork } {
  const a = find(network.virtualNetworks, vnetA, 'virtual network');
  const b = find(network.virtualNetworks, vnetB, 'virtual network');
  if (a !== b) return { a, b };
  throw refusal('CHANGE_VALUE', `virtual network '${a.name}' cannot be peered with itself`, 'name two networks');
}

function stateOf(peering: VirtualNetworkPeering | undefined): LinkState {
  return peering?.properties.peeringState ?? 'none';
}

/** The links of a network with one of them in another state, added or removed. */
function links(
  vnet: VirtualNetwork,
  old: VirtualNetworkPeering | undefined,
  next: VirtualNetworkPeering | undefined,
  state: LinkState,
): readonly VirtualNetworkPeering[] {
  const own = vnet.properties.virtualNetworkPeerings;
  if (state === 'none' || next === undefined) return own.filter((peering) => peering !== old);
  const changed = { ...next, properties: { ...next.properties, peeringState: state } };
  return old === undefined ? [...own, changed] : exchange(own, old, changed);
}

function newLink(a: VirtualNetwork, b: VirtualNetwork, flags: PeeringFlags): VirtualNetworkPeering {
  const taken = new Set(a.properties.virtualNetworkPeerings.map((peering) => idKey(peering.name)));
  const plain = `${a.name}-to-${b.name}`;
  const name = taken.has(idKey(plain)) ? `${plain}-${taken.size + 1}` : plain;
  return {
    id: `${a.id}/virtualNetworkPeerings/${name}`,
    name,
    type: 'Microsoft.Network/virtualNetworks/virtualNetworkPeerings',
    properties: {
      remoteVirtualNetwork: { id: b.id },
      peeringState: 'Initiated',
      allowVirtualNetworkAccess: true,
      allowForwardedTraffic: false,
      allowGatewayTransit: false,
      useRemoteGateways: false,
      ...azureFlags(flags),
    },
  };
}

function azureFlags(flags: PeeringFlags): Partial<VirtualNetworkPeering['properties']> {
  return {
    ...(flags.access !== undefined && { allowVirtualNetworkAccess: flags.access }),
    ...(flags.forwarded !== undefined && { allowForwardedTraffic: flags.forwarded }),
    ...(flags.gatewayTransit !== undefined && { allowGatewayTransit: flags.gatewayTransit }),
    ...(flags.useRemoteGateways !== undefined && { useRemoteGateways: flags.useRemoteGateways }),
  };
}
