// Facts about virtual networks in the program: ranges, Connected peerings, on-premises sides, DNS servers, and who owns
// which address in which network.

import { OWNER, type OwnerTable, type VnetTable } from '../../abi/program.ts';
import { prefixFirst, prefixLast, tryParseIpv4 } from '../../wire/index.ts';
import type { AttachmentRegistry } from './compiled.ts';
import type { Context } from './context.ts';
import { attachmentOf, nicKey, onPremisesKey } from './registry.ts';
import { HOST_VIP } from './service-tags.ts';

export function buildVnets(context: Context, registry: AttachmentRegistry): VnetTable {
  const { vnets } = context;
  const ranges = vnets.flatMap(({ index, ranges: prefixes }) => prefixes.map((prefix) => ({ index, prefix })));
  const peerings = vnets.flatMap(({ index, peers }) => peers.map((peer) => ({ index, peer })));
  const servers = vnets.flatMap(({ index, vnet }) =>
    dnsServers(context, vnet.properties.dhcpOptions?.dnsServers ?? []).map((address) => ({ index, address })),
  );
  return {
    count: vnets.length,
    rangeVnet: Int32Array.from(ranges, (range) => range.index),
    rangeFirst: Int32Array.from(ranges, (range) => prefixFirst(range.prefix)),
    rangeLast: Int32Array.from(ranges, (range) => prefixLast(range.prefix)),
    onPremises: Int32Array.from(vnets, (network) => attachmentOf(registry, onPremisesKey(network))),
    peerFrom: Int32Array.from(peerings, (peering) => peering.index),
    peerTo: Int32Array.from(peerings, (peering) => peering.peer.remote.index),
    // The receiving network's own link decides (PEER-5).
    peerForwarded: Int32Array.from(peerings, (peering) => (peering.peer.back.allowForwardedTraffic ? 1 : 0)),
    dnsVnet: Int32Array.from(servers, (server) => server.index),
    dnsAddress: Int32Array.from(servers, (server) => server.address),
  };
}

/** Owners of addresses: every ipConfig of every NIC, private endpoints, internal frontends of load balancers and
 * the NAT addresses of Private Link services. */
export function buildOwners(context: Context, registry: AttachmentRegistry): OwnerTable {
  const ofNics = context.nics.flatMap((nic) =>
    nic.addresses.map((address) => ({
      vnet: nic.place.network.index,
      address,
      kind: OWNER.attachment,
      ref: attachmentOf(registry, nicKey(nic)),
    })),
  );
  const ofEndpoints = context.endpoints.map((endpoint) => ({
    vnet: endpoint.place.network.index,
    address: endpoint.address,
    kind: OWNER.endpoint,
    ref: endpoint.index,
  }));
  const ofFrontends = context.frontends.flatMap(({ network, address, index }) =>
    network === undefined ? [] : [{ vnet: network.index, address, kind: OWNER.frontend, ref: index }],
  );
  const ofServices = context.services.flatMap(({ network, natAddresses, index }) =>
    natAddresses.map((address) => ({ vnet: network.index, address, kind: OWNER.serviceNat, ref: index })),
  );
  const owners = [...ofNics, ...ofEndpoints, ...ofFrontends, ...ofServices];
  return {
    vnet: Int32Array.from(owners, (owner) => owner.vnet),
    address: Int32Array.from(owners, (owner) => owner.address),
    kind: Int32Array.from(owners, (owner) => owner.kind),
    ref: Int32Array.from(owners, (owner) => owner.ref),
  };
}

/** NSG-31. Azure's own resolver is platform traffic in any case (NSG-30). */
function dnsServers(context: Context, servers: readonly string[]): number[] {
  if (!context.behaviour.switches['nsg.customDnsBypass']) return [];
  return servers
    .filter((server) => server !== HOST_VIP)
    .map(tryParseIpv4)
    .filter((address) => address !== undefined);
}
