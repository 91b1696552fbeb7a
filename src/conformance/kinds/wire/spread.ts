// Networks for experiments with a handful of addresses: a /24 subnet around each, an address space of the /16s they lie
// in unless one is given, and a group on every NIC that lets everything in (NET-18).

import { formatIpv4, formatPrefix, parseIpv4, parsePrefix, prefixContains, prefixMask } from '../../../wire/index.ts';
import { parseTopology } from '../../notation.ts';
import type { Topology } from '../../notation.ts';

export interface SpreadNetwork {
  /** Address space; default the /16s of the addresses. */
  readonly space?: string;
  /** NICs by name. */
  readonly nics: Readonly<Record<string, string>>;
  /** Private endpoints by name. */
  readonly endpoints?: Readonly<Record<string, string>>;
  /** Further addresses that need a subnet. */
  readonly others?: readonly string[];
}

const SPACE_LENGTH = 16;
const SUBNET_LENGTH = 24;
const OPEN = [100, 'In', '*', '*', '*', '*', '*', 'Allow', 'AllowAll'];

/** The topology; networks are not peered. Throws an Error when an address lies outside a given space. */
export function spreadTopology(networks: Readonly<Record<string, SpreadNetwork>>): Topology {
  const subnets: Record<string, { vnet: string; cidr: string }> = {};
  const nics: Record<string, object> = {};
  const pes: Record<string, object> = {};
  const vnets: Record<string, string[]> = {};
  for (const [vnet, { space, nics: ownNics, endpoints = {}, others = [] }] of Object.entries(networks)) {
    const all = [...Object.values(ownNics), ...Object.values(endpoints), ...others];
    vnets[vnet] = space === undefined ? [...new Set(all.map((ip) => around(ip, SPACE_LENGTH)))] : [space];
    for (const ip of all) {
      const cidr = subnetAround(ip, space);
      subnets[subnetName(vnet, ip, space)] = { vnet, cidr };
    }
    for (const [name, ip] of Object.entries(ownNics)) {
      nics[name] = { subnet: subnetName(vnet, ip, space), ip, nsg: 'open' };
    }
    for (const [name, ip] of Object.entries(endpoints)) {
      pes[name] = { subnet: subnetName(vnet, ip, space), ip, ports: [] };
    }
  }
  return parseTopology({ vnets, subnets, nics, pes, nsgs: { open: [OPEN] } });
}

/** Name of the subnet around an address. */
export function subnetName(vnet: string, ip: string, space?: string): string {
  return `${vnet}-${subnetAround(ip, space).replace('/', '-')}`;
}

function subnetAround(ip: string, space: string | undefined): string {
  const range = space === undefined ? undefined : parsePrefix(space);
  if (range !== undefined && !prefixContains(range, parseIpv4(ip))) throw new Error(`${ip} is not in ${space}`);
  return around(ip, Math.max(SUBNET_LENGTH, range?.length ?? 0));
}

function around(ip: string, length: number): string {
  return formatPrefix({ address: (parseIpv4(ip) & prefixMask(length)) >>> 0, length });
}

/** An address of a range, or of the /16 around one, that is not taken. */
export function freeAddress(near: string, taken: readonly string[]): string {
  const range = near.includes('/') ? parsePrefix(near) : parsePrefix(around(near, SPACE_LENGTH));
  // The first four addresses of a subnet are Azure's (NET-3).
  for (let address = range.address + 4; ; address++) {
    const text = formatIpv4(address);
    if (!prefixContains(range, address)) throw new Error(`${near} has no free address`);
    if (!taken.includes(text)) return text;
  }
}

/** True for addresses of the ranges for private networks (RFC 1918). */
export function isPrivateAddress(ip: string): boolean {
  return ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'].some((range) =>
    prefixContains(parsePrefix(range), parseIpv4(ip)),
  );
}
