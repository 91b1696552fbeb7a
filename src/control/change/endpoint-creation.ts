// Creating a private endpoint as its consumer: what the connection's first state is, by method, permission and the
// lists of a Private Link service (PE-12 to PE-14, PE-51, PLS-3, PLS-4), or by a data factory (ADF-2).

import { allocateAddresses } from '../input/resources/allocation.ts';
import { NOT_ALLOCATED } from '../input/resources/interfaces.ts';
import { SERVICE_TYPES, TYPE_OF_KIND } from '../input/resources/resource-types.ts';
import { recordIn } from '../dns/resource-types.ts';
import { namesOfEndpoint } from '../dns/zones.ts';
import { InputError, type Issue } from '../issues.ts';
import type { PrivateLinkService } from '../model/load-balancing.ts';
import { idKey, type ConnectionState, type Network, type PrivateEndpoint } from '../model/resources.ts';
import { serviceOf } from '../private-link/targets.ts';
import { subscriptionOf } from '../validate/context.ts';
import { type ConnectionEvent, nextConnectionState, privateLinkServiceAdmission } from './connection-state.ts';
import { type Change, find, findSubnet, refusal } from './lookup.ts';

export interface EndpointSpec {
  readonly name: string;
  /** Name, `network/subnet` or id. */
  readonly subnet: string;
  /** Name or id of the target; or else its alias (PLS-2). */
  readonly service?: string | undefined;
  readonly alias?: string | undefined;
  /** Sub-resource (PE-7); default: the usual one of the target's type. */
  readonly groupId?: string | undefined;
  /** Default: automatic, by alias manual (PE-13). */
  readonly approval?: 'automatic' | 'manual' | undefined;
  readonly requestMessage?: string | undefined;
  /** Static, and only now (PE-4); default: the lowest free one of the subnet. */
  readonly privateIPAddress?: string | undefined;
  readonly privateDnsZones?: readonly string[] | undefined;
  /** Subscription of the consumer; default: that of the subnet's network. */
  readonly subscription?: string | undefined;
  /** Role-based permissions of the creator, `*` for any part; default: all. */
  readonly permissions?: readonly string[] | undefined;
}

/** How endpoints are created under a behaviour. */
export interface CreationOptions {
  /** Profile interface-endpoint-2018: no approval, another permission (IFE-8, IFE-9). */
  readonly isInterfaceEndpoint?: boolean;
}

/** Creates an endpoint. Refused without permission (PE-51, IFE-8), or when the service cannot be seen (PLS-3). */
export function createEndpoint(spec: EndpointSpec, options: CreationOptions = {}): Change {
  return (network) => {
    const { vnet, subnet } = findSubnet(network, spec.subnet);
    const target = findTarget(network, spec);
    const isManual = (spec.approval ?? (spec.alias === undefined ? 'automatic' : 'manual')) === 'manual';
    const consumer = spec.subscription?.toLowerCase() ?? subscriptionOf(vnet.id) ?? '';
    const exists = network.privateEndpoints.some(({ name }) => name.toLowerCase() === spec.name.toLowerCase());
    const status = firstState(spec, options, { target, isManual, consumer, exists });
    const base = {
      id: `${vnet.id.replace(/\/providers\/.*$/i, '')}/providers/${TYPE_OF_KIND.privateEndpoint}/${spec.name}`,
      name: spec.name,
      type: TYPE_OF_KIND.privateEndpoint,
      ...(vnet.location !== undefined && { location: vnet.location }),
    };
    const endpoint = endpointOf(base, spec, { subnet: subnet.id, target, isManual, status });
    const groups = zoneGroupOf(network, endpoint, spec.privateDnsZones);
    return withEndpoint(network, endpoint, groups);
  };
}

export interface ManagedEndpointSpec {
  readonly factory: string;
  readonly name: string;
  readonly service: string;
  readonly groupId?: string | undefined;
}

/** ADF-2: a data factory asks for an endpoint in its managed network; the owner of the target has to approve. */
export function createManagedEndpoint(spec: ManagedEndpointSpec): Change {
  return (network) => {
    const factory = find(network.dataFactories, spec.factory, 'data factory');
    const managed = factory.properties.managedVirtualNetwork.id;
    const vnet = network.virtualNetworks.find(({ id }) => idKey(id) === idKey(managed));
    const [subnet] = vnet?.properties.subnets ?? [];
    if (subnet === undefined) {
      const message = `data factory '${factory.name}' has no managed virtual network`;
      throw refusal('CHANGE_NAME_NOT_FOUND', message, 'give it one');
    }
    const id = `${managed.replace(/\/providers\/.*$/i, '')}/providers/${TYPE_OF_KIND.privateEndpoint}/${spec.name}`;
    const exists = network.privateEndpoints.some((other) => idKey(other.id) === idKey(id));
    const status = created('createManaged', exists, true);
    const target = findTarget(network, spec);
    const base = { id, name: spec.name, type: TYPE_OF_KIND.privateEndpoint };
    const place = vnet?.location === undefined ? base : { ...base, location: vnet.location };
    const endpoint = endpointOf(place, spec, { subnet: subnet.id, target, isManual: true, status });
    const linked = network.privateDnsZones.filter(({ properties }) =>
      properties.virtualNetworkLinks.some((link) => idKey(link.properties.virtualNetwork.id) === idKey(managed)),
    );
    const hosts = namesOfEndpoint({ ...network, privateEndpoints: [endpoint] }, endpoint).map(({ host }) => host);
    const zones = linked.filter((zone) => hosts.some((host) => recordIn(zone.name, host) !== undefined));
    const next = withEndpoint(
      network,
      endpoint,
      zoneGroupOf(
        network,
        endpoint,
        zones.map((zone) => zone.id),
      ),
    );
    const managedPrivateEndpoints = [...factory.properties.managedPrivateEndpoints, { id }];
    const properties = { ...factory.properties, managedPrivateEndpoints };
    return {
      ...next,
      dataFactories: next.dataFactories.map((entry) => (entry === factory ? { ...factory, properties } : entry)),
    };
  };
}

interface Request {
  readonly target: Target;
  readonly isManual: boolean;
  /** Subscription of the consumer, lower case. */
  readonly consumer: string;
  readonly exists: boolean;
}

/** The state that the new connection has (PE-12 to PE-14). Throws when it is refused. */
function firstState(spec: EndpointSpec, { isInterfaceEndpoint }: CreationOptions, request: Request): ConnectionState {
  const { target, isManual, consumer, exists } = request;
  const holds = (permission: string): boolean => spec.permissions?.some((own) => covers(own, permission)) ?? true;
  if (isInterfaceEndpoint === true) {
    if (holds(JOIN_SERVICE)) return created('createAuto', exists, true);
    const message = `private endpoint '${spec.name}' needs ${JOIN_SERVICE} on the subnet`;
    throw refusal('CONNECTION_NOT_AUTHORIZED', message, 'get the permission');
  }
  const admission = target.service === undefined ? 'Pending' : admissionOf(target.service, consumer);
  if (admission === 'refused') {
    const message = `Private Link service '${target.service?.name}' is not visible to subscription ${consumer}`;
    throw refusal('CONNECTION_NOT_VISIBLE', message, 'the owner adds the subscription to visibility');
  }
  if (!isManual) return created('createAuto', exists, holds(`${target.type}/${APPROVAL}`));
  return created(admission === 'Approved' ? 'createManualAutoListed' : 'createManual', exists, true);
}

const APPROVAL = 'privateEndpointConnectionsApproval/action';
const JOIN_SERVICE = 'Microsoft.Network/JoinServicetoaSubnet';

function created(event: ConnectionEvent, exists: boolean, mayApprove: boolean): ConnectionState {
  const result = nextConnectionState(exists ? 'Approved' : 'none', event, 'consumer', {
    approveAfterReject: false,
    mayApprove,
  });
  if (result.kind === 'state') return result.state;
  throw result.kind === 'refused'
    ? new InputError([result.issue])
    : new Error(`event ${event} does not create a connection`);
}

/** PLS-3: who holds a role in the service's own subscription sees it without being listed. */
function admissionOf(service: PrivateLinkService, consumer: string): 'Approved' | 'Pending' | 'refused' {
  const { visibility, autoApproval } = service.properties;
  const admission = privateLinkServiceAdmission({ visibility, autoApproval, subscription: consumer });
  const isOwn = subscriptionOf(service.id) === consumer;
  return admission === 'refused' && isOwn ? 'Pending' : admission;
}

/** Whether a permission, in which `*` stands for any text, includes another one. */
function covers(own: string, wanted: string): boolean {
  const parts = own.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 'i').test(wanted);
}

interface Target {
  /** What the connection names: an id or an alias. */
  readonly id: string;
  readonly type: string;
  readonly service?: PrivateLinkService;
}

function findTarget(network: Network, spec: Pick<EndpointSpec, 'name' | 'service' | 'alias'>): Target {
  const { service: name, alias } = spec;
  if ((name === undefined) === (alias === undefined)) {
    const message = `private endpoint '${spec.name}' names ${name === undefined ? 'no target' : 'two targets'}`;
    throw refusal('CHANGE_VALUE', message, 'give either service or alias');
  }
  if (alias !== undefined) {
    const service = serviceOf(network, alias);
    if (service !== undefined) return { id: alias, type: TYPE_OF_KIND.privateLinkService, service };
    const known = network.privateLinkServices.map(({ properties }) => properties.alias);
    const hint = known.length === 0 ? 'there is no Private Link service at all' : `known aliases: ${known.join(', ')}`;
    throw refusal('CHANGE_NAME_NOT_FOUND', `no Private Link service has the alias '${alias}'`, hint);
  }
  const found = find([...network.privateLinkResources, ...network.privateLinkServices], name ?? '', 'service');
  const service = network.privateLinkServices.find((entry) => entry === found);
  return { id: found.id, type: found.type, ...(service && { service }) };
}

interface Connected {
  /** Id of the subnet. */
  readonly subnet: string;
  readonly target: Target;
  readonly isManual: boolean;
  readonly status: ConnectionState;
}

function endpointOf(
  base: Pick<PrivateEndpoint, 'id' | 'name' | 'type' | 'location'>,
  spec: Pick<EndpointSpec, 'groupId' | 'requestMessage' | 'privateIPAddress'>,
  { subnet, target, isManual, status }: Connected,
): PrivateEndpoint {
  const groupId = spec.groupId ?? SERVICE_TYPES.get(target.type.toLowerCase())?.groupId;
  const connection = {
    name: base.name,
    properties: {
      privateLinkServiceId: target.id,
      groupIds: groupId === undefined ? [] : [groupId],
      ...(spec.requestMessage !== undefined && { requestMessage: spec.requestMessage }),
      privateLinkServiceConnectionState: { status },
    },
  };
  return {
    ...base,
    properties: {
      subnet: { id: subnet },
      privateLinkServiceConnections: isManual ? [] : [connection],
      manualPrivateLinkServiceConnections: isManual ? [connection] : [],
      networkInterfaces: [],
      ipConfigurations: [],
      customDnsConfigs: [],
      applicationSecurityGroups: [],
      privateIPAddress: spec.privateIPAddress ?? NOT_ALLOCATED,
    },
  };
}

/** DNS-20: one group with all zones, or none. */
function zoneGroupOf(
  network: Network,
  endpoint: PrivateEndpoint,
  zones: readonly string[] | undefined,
): Network['privateDnsZoneGroups'] {
  if (zones === undefined || zones.length === 0) return [];
  const privateDnsZones = zones.map((zone) => ({ id: find(network.privateDnsZones, zone, 'private DNS zone').id }));
  const properties = { privateEndpoint: { id: endpoint.id }, privateDnsZones };
  return [{ id: `${endpoint.id}/privateDnsZoneGroups/default`, name: 'default', properties }];
}

function withEndpoint(network: Network, endpoint: PrivateEndpoint, groups: Network['privateDnsZoneGroups']): Network {
  const issues: Issue[] = [];
  const privateDnsZoneGroups = [...network.privateDnsZoneGroups, ...groups];
  const privateEndpoints = [...network.privateEndpoints, endpoint];
  const next = allocateAddresses({ ...network, privateEndpoints, privateDnsZoneGroups }, issues);
  if (issues.length > 0) throw new InputError(issues);
  return next;
}
