// The networks that `validate` cases are tried on: resource objects of one small network, read by the ordinary reader
// and judged by the ordinary validation.

import { networkFromResources } from '../../../control/input/resources/network.ts';
import type { Issue } from '../../../control/issues.ts';
import type { Behaviour } from '../../../control/model/profile.ts';
import type { Network } from '../../../control/model/resources.ts';
import { validateNetwork } from '../../../control/validate/validate.ts';
import { resourceId } from '../../resources.ts';

export const REGION = 'eastus';

export interface Tried {
  readonly network: Network;
  readonly errors: readonly Issue[];
}

/** Reads and validates resource objects; `complete` adds what Azure's own objects cannot tell. */
export function tryResources(
  resources: readonly object[],
  behaviour: Behaviour,
  complete: (network: Network) => Network = (network) => network,
): Tried {
  const read = networkFromResources(resources);
  const network = complete(read.network);
  const issues = [...read.issues, ...validateNetwork(network, behaviour)];
  return { network, errors: issues.filter((issue) => issue.severity === 'error') };
}

/** True when a network of these objects is accepted. */
export function isAccepted(resources: readonly object[], behaviour: Behaviour): boolean {
  return tryResources(resources, behaviour).errors.length === 0;
}

export interface SubnetDraft {
  readonly name: string;
  readonly cidr: string;
  /** Further properties, in Azure's names. */
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** A virtual network object. */
export function vnetObject(
  name: string,
  ranges: readonly string[],
  subnets: readonly SubnetDraft[],
  location = REGION,
): object {
  const type = 'Microsoft.Network/virtualNetworks';
  return {
    id: resourceId(type, name),
    name,
    type,
    location,
    properties: {
      addressSpace: { addressPrefixes: ranges },
      subnets: subnets.map((subnet) => ({
        id: subnetIdIn(name, subnet.name),
        name: subnet.name,
        properties: { addressPrefix: subnet.cidr, ...subnet.properties },
      })),
    },
  };
}

/** A NIC object; without an address it is allocated. */
export function nicObject(name: string, subnet: string, address?: string): object {
  const type = 'Microsoft.Network/networkInterfaces';
  const id = resourceId(type, name);
  const allocation =
    address === undefined
      ? { privateIPAllocationMethod: 'Dynamic' }
      : { privateIPAllocationMethod: 'Static', privateIPAddress: address };
  return {
    id,
    name,
    type,
    location: REGION,
    properties: {
      ipConfigurations: [
        {
          id: `${id}/ipConfigurations/primary`,
          name: 'primary',
          properties: { primary: true, subnet: { id: subnet }, ...allocation },
        },
      ],
    },
  };
}

export interface EndpointDraft {
  readonly target?: string;
  readonly location?: string;
  /** True: the connection asks for approval by hand. */
  readonly isManual?: boolean;
}

/** A private endpoint object. */
export function endpointObject(name: string, subnet: string, draft: EndpointDraft = {}): object {
  const type = 'Microsoft.Network/privateEndpoints';
  const connection = {
    name: 'connection',
    properties: { privateLinkServiceId: draft.target ?? serverId('server'), groupIds: ['sqlServer'] },
  };
  return {
    id: resourceId(type, name),
    name,
    type,
    location: draft.location ?? REGION,
    properties: {
      subnet: { id: subnet },
      privateLinkServiceConnections: draft.isManual === true ? [] : [connection],
      manualPrivateLinkServiceConnections: draft.isManual === true ? [connection] : [],
    },
  };
}

/** A network security group object with its rules' properties by name. */
export function nsgObject(name: string, rules: readonly Readonly<Record<string, unknown>>[]): object {
  const type = 'Microsoft.Network/networkSecurityGroups';
  const id = resourceId(type, name);
  return {
    id,
    name,
    type,
    location: REGION,
    properties: {
      securityRules: rules.map((properties, i) => ({
        id: `${id}/securityRules/rule${i + 1}`,
        name: `rule${i + 1}`,
        properties,
      })),
    },
  };
}

/** Properties of a rule that allows everything inbound. */
export const ANY_RULE: Readonly<Record<string, unknown>> = {
  priority: 100,
  direction: 'Inbound',
  access: 'Allow',
  protocol: '*',
  sourceAddressPrefix: '*',
  sourcePortRange: '*',
  destinationAddressPrefix: '*',
  destinationPortRange: '*',
};

/** A route table object with its routes' properties. */
export function routeTableObject(
  name: string,
  routes: readonly { readonly name: string; readonly properties: object }[],
): object {
  const type = 'Microsoft.Network/routeTables';
  const id = resourceId(type, name);
  const rows = routes.map((route) => ({ id: `${id}/routes/${route.name}`, ...route }));
  return { id, name, type, location: REGION, properties: { disableBgpRoutePropagation: false, routes: rows } };
}

export function subnetIdIn(vnet: string, subnet: string): string {
  return `${resourceId('Microsoft.Network/virtualNetworks', vnet)}/subnets/${subnet}`;
}

export function serverId(name: string): string {
  return resourceId('Microsoft.Sql/servers', name);
}

/** A reference to a network security group or a route table. */
export function nsgReference(name: string): { readonly id: string } {
  return { id: resourceId('Microsoft.Network/networkSecurityGroups', name) };
}

export function routeTableReference(name: string): { readonly id: string } {
  return { id: resourceId('Microsoft.Network/routeTables', name) };
}
