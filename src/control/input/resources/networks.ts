// Virtual networks with their subnets and peerings, from raw resources to the model.

import { idKey } from '../../model/resources.ts';
import type {
  PrivateEndpointNetworkPolicies,
  Subnet,
  VirtualNetwork,
  VirtualNetworkPeering,
} from '../../model/resources.ts';
import { baseOf } from './base.ts';
import type { Entry } from './catalogue.ts';
import type { Fields, TextAt } from './fields.ts';
import { mergeLink, resolve } from './links.ts';
import type { InputContext } from './links.ts';
import { checkAddress, checkAll, checkPrefix, isIpv6, isTag } from '../syntax.ts';
import { TYPE_OF_KIND } from './resource-types.ts';

const POLICIES: readonly PrivateEndpointNetworkPolicies[] = [
  'Disabled',
  'Enabled',
  'NetworkSecurityGroupEnabled',
  'RouteTableEnabled',
];

/** All virtual networks; one with a broken address space is left out with all that stands in it. */
export function readVirtualNetworks(context: InputContext): VirtualNetwork[] {
  const networks: VirtualNetwork[] = [];
  for (const entry of context.catalogue.ofKind('virtualNetwork')) {
    const { fields } = entry;
    const prefixes = readAddressSpace(context, fields);
    const dnsServers = fields.child('dhcpOptions')?.texts('dnsServers') ?? [];
    const flowTimeoutInMinutes = fields.number('flowTimeoutInMinutes');
    const privateEndpointVNetPolicies = fields.text('privateEndpointVNetPolicies');
    const subnets = context.catalogue.childrenOf(entry, 'subnet').flatMap((child) => readSubnet(context, child) ?? []);
    const peerings = context.catalogue
      .childrenOf(entry, 'peering')
      .flatMap((child) => readPeering(context, entry, child));
    const servers = checkAll(dnsServers, context.issues, checkAddress);
    if (prefixes === undefined) continue;
    networks.push({
      ...baseOf(entry, TYPE_OF_KIND.virtualNetwork),
      properties: {
        addressSpace: { addressPrefixes: prefixes },
        subnets,
        virtualNetworkPeerings: peerings,
        ...(servers.length > 0 && { dhcpOptions: { dnsServers: servers } }),
        ...(flowTimeoutInMinutes !== undefined && { flowTimeoutInMinutes }),
        ...(privateEndpointVNetPolicies !== undefined && { privateEndpointVNetPolicies }),
      },
    });
  }
  return networks;
}

function readAddressSpace(context: InputContext, fields: Fields): string[] | undefined {
  const space = fields.child('addressSpace');
  if (space?.has('addressPrefixes') !== true) {
    if (!fields.has('addressSpace') || space !== undefined) fields.missing('addressSpace.addressPrefixes');
    return undefined;
  }
  const items = space.texts('addressPrefixes');
  const prefixes = checkAll(items, context.issues, checkPrefix);
  return prefixes.length === items.filter((item) => !isIpv6(item.text)).length ? prefixes : undefined;
}

function readSubnet(context: InputContext, entry: Entry): Subnet | undefined {
  const { fields } = entry;
  const addressPrefix = readSubnetPrefix(context, fields);
  const networkSecurityGroup = mergeLink(
    context,
    'networkSecurityGroup',
    entry.id,
    fields.reference('networkSecurityGroup'),
  );
  const routeTable = mergeLink(context, 'routeTable', entry.id, fields.reference('routeTable'));
  const natGateway = mergeLink(context, 'natGateway', entry.id, fields.reference('natGateway'));
  const linkPolicies = fields.word('privateLinkServiceNetworkPolicies', ['Enabled', 'Disabled']);
  const defaultOutboundAccess = fields.boolean('defaultOutboundAccess');
  const endpointPolicies = fields.word('privateEndpointNetworkPolicies', POLICIES) ?? 'Disabled'; // PNSG-1
  const delegations = readDelegations(fields);
  const serviceEndpoints = readServiceEndpoints(context, fields);
  if (addressPrefix === undefined) return undefined;
  return {
    ...baseOf(entry, TYPE_OF_KIND.subnet),
    properties: {
      addressPrefix,
      ...(networkSecurityGroup && { networkSecurityGroup }),
      ...(routeTable && { routeTable }),
      ...(natGateway && { natGateway }),
      delegations,
      serviceEndpoints,
      privateEndpointNetworkPolicies: endpointPolicies,
      ...(linkPolicies && { privateLinkServiceNetworkPolicies: linkPolicies }),
      ...(defaultOutboundAccess !== undefined && { defaultOutboundAccess }),
    },
  };
}

/** `addressPrefix`, or the first IPv4 entry of `addressPrefixes`. */
function readSubnetPrefix(context: InputContext, fields: Fields): string | undefined {
  const single = fields.textAt('addressPrefix');
  const items = single === undefined ? fields.texts('addressPrefixes') : [single];
  const ipv4 = items.filter((item) => !isIpv6(item.text));
  if (ipv4.length < items.length) {
    const hint = 'nothing to do if the IPv4 half is enough';
    context.issues.warning('IPV6_IGNORED', fields.at('addressPrefixes'), 'the IPv6 prefix was ignored', hint);
  }
  const [first, second] = ipv4;
  if (first === undefined) {
    if (!fields.has('addressPrefix') && items.length === 0) fields.missing('addressPrefix');
    return undefined;
  }
  if (second !== undefined) {
    const message = `only the first prefix, ${first.text}, counts`;
    context.issues.warning('SUBNET_PREFIXES_IGNORED', second.at, message, 'write one subnet per prefix');
  }
  return checkPrefix(first, context.issues);
}

function readDelegations(fields: Fields): Subnet['properties']['delegations'] {
  return fields.list('delegations').flatMap((delegation) => {
    const serviceName = delegation.text('serviceName');
    if (serviceName === undefined) return [];
    return [{ name: delegation.ownText('name') ?? serviceName, properties: { serviceName } }];
  });
}

/** ROUTE-10. A service is a name such as `Microsoft.Storage`, or a prefix that stands for itself. */
function readServiceEndpoints(context: InputContext, fields: Fields): Subnet['properties']['serviceEndpoints'] {
  return fields.list('serviceEndpoints').flatMap((endpoint) => {
    const item = endpoint.requiredText('service');
    const service = item && checkService(item, context);
    if (service === undefined) return [];
    // Exports list the regions whose prefixes are covered; `*` means all.
    const locations = endpoint.texts('locations').flatMap(({ text }) => (text === '*' ? [] : [text]));
    return [{ service, ...(locations.length > 0 && { locations }) }];
  });
}

function checkService(item: TextAt, context: InputContext): string | undefined {
  return /^[A-Za-z]/.test(item.text) || isTag(item.text) ? item.text : checkPrefix(item, context.issues);
}

function readPeering(context: InputContext, network: Entry, entry: Entry): VirtualNetworkPeering[] {
  const { fields } = entry;
  const remote = resolve(context, fields.reference('remoteVirtualNetwork'), 'virtualNetwork');
  const stated = fields.word('peeringState', ['Initiated', 'Connected', 'Disconnected']);
  if (!fields.has('remoteVirtualNetwork')) fields.missing('remoteVirtualNetwork');
  if (remote === undefined) return [];
  const back = linkBack(context, network, remote);
  const localSubnetNames = takingPart(fields);
  const remoteSubnetNames = namesOf(fields, 'remoteSubnetNames') ?? (back && takingPart(back.fields));
  const remoteAddressSpace = readSyncedSpace(context, fields, remote);
  const properties = {
    remoteVirtualNetwork: { id: remote.id },
    peeringState: stated ?? (back === undefined ? 'Initiated' : 'Connected'), // PEER-1
    allowVirtualNetworkAccess: fields.boolean('allowVirtualNetworkAccess') ?? true, // PEER-6
    allowForwardedTraffic: fields.boolean('allowForwardedTraffic') ?? false,
    allowGatewayTransit: fields.boolean('allowGatewayTransit') ?? false,
    useRemoteGateways: fields.boolean('useRemoteGateways') ?? false,
    ...(localSubnetNames && { localSubnetNames }),
    ...(remoteSubnetNames && { remoteSubnetNames }),
    ...(remoteAddressSpace && { remoteAddressSpace }),
  } as const;
  return [{ ...baseOf(entry, TYPE_OF_KIND.peering), properties }];
}

/** The link of `remote` to `network`. */
function linkBack(context: InputContext, network: Entry, remote: Entry): Entry | undefined {
  return context.catalogue.childrenOf(remote, 'peering').find((peering) => {
    const back = peering.fields.reference('remoteVirtualNetwork');
    return back !== undefined && idKey(back.id) === idKey(network.id);
  });
}

/** PEER-8: own subnets that take part in a peering, Azure's `localSubnetNames` or `subnets` of a topology. */
function takingPart(fields: Fields): readonly string[] | undefined {
  if (fields.boolean('peerCompleteVnets') === true) return undefined;
  return namesOf(fields, 'localSubnetNames') ?? namesOf(fields, 'subnets');
}

function namesOf(fields: Fields, list: string): readonly string[] | undefined {
  const names = fields.texts(list).map(({ text }) => text);
  return names.length === 0 ? undefined : names;
}

/** PEER-2: the ranges of the last sync, where the remote network has others by now. */
function readSyncedSpace(
  context: InputContext,
  fields: Fields,
  remote: Entry,
): VirtualNetworkPeering['properties']['remoteAddressSpace'] {
  const synced = fields.child('remoteAddressSpace')?.texts('addressPrefixes') ?? [];
  const addressPrefixes = checkAll(synced, context.issues, checkPrefix).toSorted();
  const current = remote.fields.child('addressSpace')?.texts('addressPrefixes') ?? [];
  const now = current.flatMap(({ text }) => (isIpv6(text) ? [] : [text])).toSorted();
  const isSynced = addressPrefixes.length === 0 || addressPrefixes.join() === now.join();
  return isSynced ? undefined : { addressPrefixes };
}
