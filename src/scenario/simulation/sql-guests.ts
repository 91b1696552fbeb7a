// SQL gateways behind endpoints and in their own subnets (SQLMI): what a guest that belongs to a SQL service answers,
// asked of the running network for every connection.

import { parseIpv4 } from '../../wire/index.ts';
import { idKey } from '../../control/model/resources.ts';
import type { PrivateLinkResource } from '../../control/model/resources.ts';
import {
  certificateNames,
  connectionType,
  INSTANCE_INTERFACES,
  instanceAddress,
  isManagedInstance,
  isSqlService,
  nodeLabel,
  nodeName,
  REDIRECT_PORT_FIRST,
  REDIRECT_PORT_LAST,
  redirectPort,
  serverLabels,
  SQL_MIRRORING_PORT,
  SQL_PORT,
  SQL_PUBLIC_PORT,
} from '../../control/sql/instances.ts';
import type { InstanceInterface } from '../../control/sql/instances.ts';
import { sqlGateway } from '../../guest/sql/gateway.ts';
import type { GatewayFacts } from '../../guest/sql/gateway.ts';
import type { TcpConnection } from '../../guest/tcp/connection.ts';
import type { ExtrasOf, GuestWorld } from './guest-extras.ts';
import type { GuestFacts } from './guests.ts';

export const sqlExtras: ExtrasOf = (facts, world) => {
  const resource = serviceOf(facts, world);
  if (resource === undefined || !isSqlService(resource)) return {};
  const side = sideOf(facts, world, resource);
  const accept = sqlGateway((connection) => {
    const now = serviceOf(facts, world) ?? resource;
    return side === 'endpoint'
      ? endpointFacts(world, now, connection)
      : interfaceFacts(world, now, side === 'internet' ? 'gateway' : side);
  });
  return side === 'endpoint' ? { accept } : { accept, listen: portsOf(world, side) };
};

type Side = InstanceInterface | 'endpoint' | 'internet';

function serviceOf({ service }: GuestFacts, { compiled }: GuestWorld): PrivateLinkResource | undefined {
  if (service === undefined) return undefined;
  return compiled.network.privateLinkResources.find(({ id }) => idKey(id) === idKey(service));
}

function sideOf(facts: GuestFacts, { compiled }: GuestWorld, resource: PrivateLinkResource): Side {
  if (facts.kind !== 'nic') return 'endpoint';
  const id = idKey(compiled.sideTable.attachments[facts.attachment]?.id ?? '');
  const place = resource.properties.sql?.interfaces.findIndex((entry) => idKey(entry.id) === id) ?? -1;
  return INSTANCE_INTERFACES[place] ?? 'gateway';
}

/** Ports of each side: 5022 is VNet-local only (SQLMI-4), 3342 public only (SQLMI-3). */
function portsOf({ compiled }: GuestWorld, side: Side): number[] {
  if (side === 'gateway') return [SQL_PORT, SQL_MIRRORING_PORT];
  if (side === 'public') return [SQL_PUBLIC_PORT];
  if (compiled.behaviour.switches['mi.redirectPorts'] === '1433') return [SQL_PORT];
  const count = REDIRECT_PORT_LAST - REDIRECT_PORT_FIRST + 1;
  return Array.from({ length: count }, (_, index) => REDIRECT_PORT_FIRST + index);
}

/** A private endpoint of an instance relays always (SQLMI-15); one of SQL Database may redirect to itself (PE-38). */
function endpointFacts(world: GuestWorld, resource: PrivateLinkResource, connection: TcpConnection): GatewayFacts {
  const { behaviour, network } = world.compiled;
  const isRedirected = connection.localPort !== SQL_PORT;
  const mayRedirect = !isManagedInstance(resource) && connectionType(resource, behaviour) === 'Redirect';
  const server = resource.properties.hostNames[0];
  const redirect = mayRedirect && !isRedirected && server !== undefined;
  // Q-7b: the instance may see its gateway in place of the client.
  const hidden = isManagedInstance(resource) && behaviour.switches['mi.endpointSource'] === 'gateway';
  const gateway = instanceAddress(network, resource, 'gateway') ?? resource.properties.backendAddress;
  return {
    ...commonFacts(world, resource),
    servers: serverLabels(resource),
    redirect: redirect ? { server, port: redirectPort(resource, behaviour) } : undefined,
    ...(hidden && { seenClient: parseIpv4(gateway) }),
  };
}

/** The gateway redirects to the node when the connection type says so; the node and the public endpoint do not. */
function interfaceFacts(world: GuestWorld, resource: PrivateLinkResource, side: InstanceInterface): GatewayFacts {
  const { behaviour, network } = world.compiled;
  const address = instanceAddress(network, resource, 'node');
  const server = nodeName(resource) ?? address;
  const redirects = side === 'gateway' && connectionType(resource, behaviour) === 'Redirect' && server !== undefined;
  const nodeServers = [
    nodeLabel(resource),
    ...(nodeName(resource) === undefined ? [address?.split('.')[0] ?? ''] : []),
  ];
  return {
    ...commonFacts(world, resource),
    servers: side === 'node' ? nodeServers : serverLabels(resource),
    redirect: redirects ? { server, port: redirectPort(resource, behaviour) } : undefined,
  };
}

function commonFacts(
  { compiled }: GuestWorld,
  resource: PrivateLinkResource,
): Pick<GatewayFacts, 'certificateNames' | 'error40532State'> {
  return {
    certificateNames: certificateNames(resource),
    error40532State: compiled.behaviour.switches['mi.error40532State'],
  };
}
