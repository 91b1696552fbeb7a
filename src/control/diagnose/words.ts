// The phrases of traces, capture comments and `explain`: a rule, a route, a translation, a source line. Files are named
// without their folders, so that the same input gives the same words on every machine.

import type { StageName, TranslationName } from '../../abi/provenance.ts';
import type { RouteInfo, RuleInfo } from '../compile/compiled.ts';
import type { SourceLocation } from '../model/resources.ts';

/** `nsg-app/DenySql (inbound, subnet) topology.yaml:41`; a default rule says so in place of a source line. */
export function ruleText(rule: RuleInfo, place: string): string {
  const origin = rule.isDefault ? ' default rule' : sourceText(rule.source);
  return `${rule.nsg}/${rule.rule} (${rule.direction.toLowerCase()}, ${place})${origin}`;
}

/** Where a rule stands: in a network manager, at the NIC, at the subnet, or at the subnet of a private endpoint. */
export function placeOf(stage: StageName, endpoint?: string): string {
  if (stage === 'nicNsg') return 'NIC';
  if (stage === 'adminRule') return 'network manager';
  return endpoint === undefined ? 'subnet' : `subnet of ${endpoint}`;
}

/** `10.0.0.0/8 User VirtualAppliance 10.1.0.4 rt-app/to-nva topology.yaml:50`. */
export function routeText(route: RouteInfo): string {
  const hop = route.nextHopIpAddress === undefined ? '' : ` ${route.nextHopIpAddress}`;
  const name = [route.routeTable, route.name ?? undefined].filter((part) => part !== undefined).join('/');
  const named = name === '' ? '' : ` ${name}`;
  return `${route.prefix} ${route.source} ${route.nextHopType}${hop}${named}${sourceText(route.location)}`;
}

/** What a public address or a NAT pool rewrote; undefined for other translations. */
export function natText(
  translation: TranslationName,
  nat: { readonly name: string; readonly addresses: readonly string[] } | undefined,
): string | undefined {
  const name = nat === undefined ? '' : ` (${nat.name})`;
  const address = nat === undefined ? 'a public address' : addressText(nat.addresses);
  switch (translation) {
    case 'publicIpOut':
      return `source becomes ${address}${name}`;
    case 'natOut':
      return `source becomes ${address}${name}, with a port of its own`;
    case 'publicIpIn':
      return `destination ${address}${name} becomes the private address`;
    case 'natIn':
      return `destination ${address}${name} and its port become those of the sender`;
    case 'exitPort':
      return 'the port changes: another network already uses this five-tuple at the exit';
    default:
      return undefined;
  }
}

/** `20.0.0.1`, or `one of 20.0.0.1, 20.0.0.2` when a pool has several. */
export function addressText(addresses: readonly string[]): string {
  if (addresses.length === 0) return 'a public address';
  return addresses.length === 1 ? `${addresses[0]}` : `one of ${addresses.join(', ')}`;
}

/** ` topology.yaml:41` with a leading space, or nothing. */
export function sourceText(source: SourceLocation | undefined): string {
  return source === undefined ? '' : ` ${lastSegment(source.file)}:${source.line}`;
}

/** What follows the last slash: a file without its folders, a resource without the rest of its id. */
export function lastSegment(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
}
