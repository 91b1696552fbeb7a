// What every check of validation works with: the network, the behaviour in force, lookups by id, and where to report.

import {
  AddressError,
  type Ipv4Prefix,
  parseIpv4,
  parsePrefix,
  parsePrefixOrAddress,
  tryParseIpv4,
} from '../../wire/address.ts';
import type { Issue, Severity } from '../issues.ts';
import type { Behaviour } from '../model/profile.ts';
import {
  type ApplicationSecurityGroup,
  idKey,
  type NatGateway,
  type Network,
  type NetworkInterface,
  type NetworkSecurityGroup,
  type PrivateEndpoint,
  type PrivateLinkResource,
  type PublicIPAddress,
  type Reference,
  type RouteTable,
  type SourceLocation,
  type Subnet,
  type VirtualNetwork,
} from '../model/resources.ts';
import type { ValidateIssueCode } from './codes.ts';

/** A subnet together with the network it is part of; its prefix is undefined when its text is malformed. */
export interface SubnetPlace {
  readonly subnet: Subnet;
  readonly vnet: VirtualNetwork;
  readonly prefix: Ipv4Prefix | undefined;
}

/** Where a problem is: path inside the input and, when known, file, line and column. */
export interface Place {
  readonly path: string;
  readonly source?: SourceLocation | undefined;
}

export interface ValidationContext {
  readonly network: Network;
  readonly behaviour: Behaviour;
  readonly vnets: ReadonlyMap<string, VirtualNetwork>;
  readonly subnets: ReadonlyMap<string, SubnetPlace>;
  readonly interfaces: ReadonlyMap<string, NetworkInterface>;
  readonly securityGroups: ReadonlyMap<string, NetworkSecurityGroup>;
  readonly applicationGroups: ReadonlyMap<string, ApplicationSecurityGroup>;
  readonly routeTables: ReadonlyMap<string, RouteTable>;
  readonly publicIps: ReadonlyMap<string, PublicIPAddress>;
  readonly natGateways: ReadonlyMap<string, NatGateway>;
  readonly endpoints: ReadonlyMap<string, PrivateEndpoint>;
  readonly services: ReadonlyMap<string, PrivateLinkResource>;
  /** Well-formed IPv4 ranges of a virtual network, by id key. */
  readonly ranges: ReadonlyMap<string, readonly Ipv4Prefix[]>;
  readonly report: (code: ValidateIssueCode, place: Place, message: string, hint: string, severity?: Severity) => void;
}

/** A context whose reports go to the end of `issues`. */
export function makeContext(network: Network, behaviour: Behaviour, issues: Issue[]): ValidationContext {
  return {
    network,
    behaviour,
    vnets: byId(network.virtualNetworks),
    subnets: subnetPlaces(network),
    interfaces: byId(network.networkInterfaces),
    securityGroups: byId(network.networkSecurityGroups),
    applicationGroups: byId(network.applicationSecurityGroups),
    routeTables: byId(network.routeTables),
    publicIps: byId(network.publicIPAddresses),
    natGateways: byId(network.natGateways),
    endpoints: byId(network.privateEndpoints),
    services: byId(network.privateLinkResources),
    ranges: new Map(network.virtualNetworks.map((vnet) => [idKey(vnet.id), rangesOf(vnet)])),
    report: (code, place, message, hint, severity = 'error') => {
      const source = place.source === undefined ? {} : { source: place.source };
      issues.push({ code, severity, message, hint, path: place.path, ...source });
    },
  };
}

/** The object that a reference names, ids compared as Azure does. */
export function resolve<T>(objects: ReadonlyMap<string, T>, reference: Reference | undefined): T | undefined {
  return reference === undefined ? undefined : objects.get(idKey(reference.id));
}

/** The last part of a resource id: the name a reader of a message knows. */
export function nameOfId(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1);
}

/** `sub` of `/subscriptions/sub/…` in lower case, or undefined. */
export function subscriptionOf(id: string): string | undefined {
  return /^\/?subscriptions\/([^/]+)/i.exec(id)?.[1]?.toLowerCase();
}

/** Region as Azure compares it: `West Europe` is `westeurope`. */
export function regionOf(location: string | undefined): string | undefined {
  return location?.toLowerCase().replaceAll(' ', '');
}

/** A prefix, or undefined after reporting PREFIX_INVALID; IPv6 is a warning, because an export may well hold it. */
export function readPrefix(
  context: ValidationContext,
  text: string,
  place: Place,
  what: string,
  form: 'prefix' | 'prefixOrAddress' = 'prefix',
): Ipv4Prefix | undefined {
  if (isIpv6(text)) {
    context.report('IPV6_PREFIX', place, `${what}: ${text} is IPv6`, 'only IPv4 is emulated: it is ignored', 'warning');
    return undefined;
  }
  try {
    return form === 'prefix' ? parsePrefix(text) : parsePrefixOrAddress(text);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    context.report('PREFIX_INVALID', place, `${what}: ${error.message} (Azure: InvalidCIDRNotation)`, error.hint);
    return undefined;
  }
}

/** An address, or undefined after reporting ADDRESS_INVALID. */
export function readAddress(context: ValidationContext, text: string, place: Place, what: string): number | undefined {
  try {
    return parseIpv4(text);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    context.report('ADDRESS_INVALID', place, `${what}: ${error.message}`, error.hint);
    return undefined;
  }
}

/** Whether a text that may be a prefix or a service tag is meant as a prefix. Tags start with a letter. */
export function looksLikePrefix(text: string): boolean {
  return !/^\s*[a-z_]/i.test(text) || text.includes(':') || tryParseIpv4(text) !== undefined;
}

/** First and last port of `80` or `8000-8010`; undefined when malformed. */
export function portRange(text: string): { readonly first: number; readonly last: number } | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  return first <= last && last <= 65_535 ? { first, last } : undefined;
}

function isIpv6(text: string): boolean {
  return /^[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*(\/\d{1,3})?$/i.test(text);
}

function byId<T extends { readonly id: string }>(objects: readonly T[]): Map<string, T> {
  const map = new Map<string, T>();
  for (const object of objects) if (!map.has(idKey(object.id))) map.set(idKey(object.id), object);
  return map;
}

function subnetPlaces(network: Network): Map<string, SubnetPlace> {
  const places = new Map<string, SubnetPlace>();
  for (const vnet of network.virtualNetworks) {
    for (const subnet of vnet.properties.subnets) {
      const key = idKey(subnet.id);
      if (!places.has(key)) places.set(key, { subnet, vnet, prefix: quietPrefix(subnet.properties.addressPrefix) });
    }
  }
  return places;
}

function rangesOf(vnet: VirtualNetwork): readonly Ipv4Prefix[] {
  return vnet.properties.addressSpace.addressPrefixes.flatMap((text) => quietPrefix(text) ?? []);
}

function quietPrefix(text: string): Ipv4Prefix | undefined {
  try {
    return parsePrefix(text);
  } catch (error) {
    if (error instanceof AddressError) return undefined;
    throw error;
  }
}
