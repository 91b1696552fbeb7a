// Peerings: both sides there, no overlap of address ranges, gateways of peers (PEER-1, PEER-2, PEER-7, LIM-12).

import { PEERINGS_PER_VNET_MAX } from '../../abi/limits.ts';
import { formatPrefix, type Ipv4Prefix, prefixesOverlap } from '../../wire/address.ts';
import { idKey, type VirtualNetwork, type VirtualNetworkPeering } from '../model/resources.ts';
import { nameOfId, type Place, resolve, type ValidationContext } from './context.ts';
import { nameHint } from './suggestion.ts';

export function checkPeerings(context: ValidationContext): void {
  const overlapsReported = new Set<string>();
  for (const vnet of context.network.virtualNetworks) {
    const place = { path: `virtualNetworks.${vnet.name}.virtualNetworkPeerings`, source: vnet.source };
    checkCount(context, vnet, place);
    const remotes: VirtualNetwork[] = [];
    for (const peering of vnet.properties.virtualNetworkPeerings) {
      const where = { path: `${place.path}.${peering.name}`, source: peering.source ?? vnet.source };
      const remote = checkRemote(context, vnet, peering, where, remotes);
      if (remote === undefined) continue;
      checkState(context, vnet, peering, remote, where);
      for (const other of [vnet, ...remotes]) checkOverlap(context, vnet, other, remote, where, overlapsReported);
      if (peering.properties.useRemoteGateways) checkRemoteGateway(context, vnet, peering, remote, where);
      remotes.push(remote);
    }
    checkUseOfGateways(context, vnet, place);
  }
}

/** The link of `vnet` to `remote`, if it has one. */
export function peeringTo(vnet: VirtualNetwork, remote: VirtualNetwork): VirtualNetworkPeering | undefined {
  return vnet.properties.virtualNetworkPeerings.find(
    (peering) => idKey(peering.properties.remoteVirtualNetwork.id) === idKey(remote.id),
  );
}

function checkCount(context: ValidationContext, vnet: VirtualNetwork, place: Place): void {
  const count = vnet.properties.virtualNetworkPeerings.length;
  if (count <= PEERINGS_PER_VNET_MAX) return;
  const message = `virtual network '${vnet.name}' has ${count} peerings; at most ${PEERINGS_PER_VNET_MAX}`;
  context.report('PEERINGS_LIMIT', place, message, 'use a hub with fewer spokes');
}

/** The remote network, or undefined after reporting why it does not count. */
function checkRemote(
  context: ValidationContext,
  vnet: VirtualNetwork,
  peering: VirtualNetworkPeering,
  place: Place,
  remotes: readonly VirtualNetwork[],
): VirtualNetwork | undefined {
  const title = `peering '${peering.name}' of virtual network '${vnet.name}'`;
  const remote = resolve(context.vnets, peering.properties.remoteVirtualNetwork);
  if (remote === undefined) {
    const name = nameOfId(peering.properties.remoteVirtualNetwork.id);
    const known = context.network.virtualNetworks.map((entry) => entry.name).filter((entry) => entry !== vnet.name);
    const hint = nameHint(name, known, 'add the remote virtual network to the input, or nothing will flow there');
    context.report(
      'PEERING_REMOTE_NOT_FOUND',
      place,
      `${title} leads to '${name}', which is not in the input`,
      hint,
      'warning',
    );
    return undefined;
  }
  if (idKey(remote.id) === idKey(vnet.id)) {
    context.report('PEERING_SELF', place, `${title} leads to the network itself`, 'name another virtual network');
    return undefined;
  }
  if (remotes.includes(remote)) {
    const message = `virtual network '${vnet.name}' has two peerings with '${remote.name}'`;
    context.report('PEERING_DUPLICATE', place, message, 'remove one of them');
    return undefined;
  }
  return remote;
}

function checkState(
  context: ValidationContext,
  vnet: VirtualNetwork,
  peering: VirtualNetworkPeering,
  remote: VirtualNetwork,
  place: Place,
): void {
  const back = peeringTo(remote, vnet);
  const { peeringState: state } = peering.properties;
  if (back === undefined) {
    const message =
      `virtual network '${vnet.name}' is peered with '${remote.name}', but '${remote.name}' has no peering back` +
      (state === 'Disconnected' ? ' (Disconnected)' : ' (Initiated)');
    const hint =
      state === 'Disconnected'
        ? 'no traffic flows: delete this peering, then create both'
        : `no traffic flows: add a peering from '${remote.name}' to '${vnet.name}'`;
    context.report('PEERING_ONE_SIDED', place, message, hint, 'warning');
  } else if (state !== 'Connected') {
    const message = `peering '${peering.name}' of virtual network '${vnet.name}' with '${remote.name}' is ${state}`;
    const hint = 'no traffic flows until both peerings are Connected: delete and recreate both';
    context.report('PEERING_NOT_CONNECTED', place, message, hint, 'warning');
  }
}

/**
 * PEER-2: the ranges of peers do not overlap. That holds for `vnet` itself and for its other peers, because each of
 * them puts its ranges into the routes of `vnet` (ROUTE-8). Each pair of networks is reported once.
 */
function checkOverlap(
  context: ValidationContext,
  vnet: VirtualNetwork,
  other: VirtualNetwork,
  remote: VirtualNetwork,
  place: Place,
  reported: Set<string>,
): void {
  const pair = [idKey(other.id), idKey(remote.id)].sort().join(' ');
  if (reported.has(pair)) return;
  const overlap = firstOverlap(rangesOf(context, other), rangesOf(context, remote));
  if (overlap === undefined) return;
  reported.add(pair);
  const [a, b] = overlap;
  const who = other === vnet ? '' : `, both peered with '${vnet.name}',`;
  const azure = other === vnet ? 'VnetAddressSpacesOverlap' : 'VnetAddressSpaceOverlapsWithAlreadyPeeredVnet';
  const message =
    `address ranges of virtual networks '${other.name}' (${formatPrefix(a)}) and '${remote.name}' ` +
    `(${formatPrefix(b)})${who} overlap (Azure: ${azure})`;
  const hint = 'overlapping networks cannot be peered: renumber one, or connect them with Private Link';
  context.report('PEERING_OVERLAP', place, message, hint);
}

function firstOverlap(a: readonly Ipv4Prefix[], b: readonly Ipv4Prefix[]): [Ipv4Prefix, Ipv4Prefix] | undefined {
  for (const left of a) {
    const right = b.find((prefix) => prefixesOverlap(left, prefix));
    if (right !== undefined) return [left, right];
  }
  return undefined;
}

function rangesOf(context: ValidationContext, vnet: VirtualNetwork): readonly Ipv4Prefix[] {
  return context.ranges.get(idKey(vnet.id)) ?? [];
}

/** PEER-7, seen from the network that uses the gateway of `remote`. */
function checkRemoteGateway(
  context: ValidationContext,
  vnet: VirtualNetwork,
  peering: VirtualNetworkPeering,
  remote: VirtualNetwork,
  place: Place,
): void {
  const where = { ...place, path: `${place.path}.useRemoteGateways` };
  const back = peeringTo(remote, vnet);
  if (back?.properties.allowGatewayTransit === false) {
    const message =
      `peering '${peering.name}' of virtual network '${vnet.name}' uses remote gateways, ` +
      `but '${remote.name}' does not allow gateway transit`;
    const hint = `set allowGatewayTransit on the peering from '${remote.name}' to '${vnet.name}'`;
    context.report('REMOTE_GATEWAYS_NO_TRANSIT', where, message, hint);
  }
  if (!hasGateway(context, remote)) {
    const message =
      `peering '${peering.name}' of virtual network '${vnet.name}' uses remote gateways, ` +
      `but '${remote.name}' has no gateway in the input`;
    const hint = 'no on-premises route will appear: add the gateway to the input';
    context.report('REMOTE_GATEWAYS_NONE', where, message, hint, 'warning');
  }
}

function checkUseOfGateways(context: ValidationContext, vnet: VirtualNetwork, place: Place): void {
  const users = vnet.properties.virtualNetworkPeerings.filter((peering) => peering.properties.useRemoteGateways);
  if (users.length > 1) {
    const names = users.map((peering) => `'${peering.name}'`).join(', ');
    const message = `virtual network '${vnet.name}' uses remote gateways of several peers: ${names}`;
    context.report('REMOTE_GATEWAYS_SEVERAL', place, message, 'set useRemoteGateways on one peering only');
  }
  if (users.length > 0 && hasGateway(context, vnet)) {
    const message = `virtual network '${vnet.name}' has a gateway of its own and uses remote gateways`;
    context.report('REMOTE_GATEWAYS_OWN', place, message, 'clear useRemoteGateways, or remove its own gateway');
  }
}

function hasGateway(context: ValidationContext, vnet: VirtualNetwork): boolean {
  return context.network.virtualNetworkGateways.some(
    (gateway) => idKey(gateway.properties.virtualNetwork.id) === idKey(vnet.id),
  );
}
