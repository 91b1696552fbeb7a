// What compiling yields: the program for the workers, and beside it the side table that turns its indices back into
// names and source lines. The side table of an epoch stays in control until no worker refers to it.

import type { AttachmentKind, NextHopType, Program } from '../../abi/program.ts';
import type { Behaviour } from '../model/profile.ts';
import type { Network, SourceLocation } from '../model/resources.ts';

export interface RuleInfo {
  readonly nsg: string;
  readonly nsgId: string;
  readonly rule: string;
  readonly priority: number;
  readonly direction: 'Inbound' | 'Outbound';
  /** AlwaysAllow: security admin rules only (NSG-15); `nsg` is their network manager then. */
  readonly access: 'Allow' | 'Deny' | 'AlwaysAllow';
  readonly isAdmin?: true;
  readonly isDefault: boolean;
  readonly source?: SourceLocation;
}

export type RouteSource = 'Default' | 'User' | 'VirtualNetworkGateway';

/** One row of an effective route table (DIAG-10). */
export interface RouteInfo {
  readonly name: string | null;
  readonly source: RouteSource;
  readonly state: 'Active' | 'Invalid';
  readonly prefix: string;
  readonly nextHopType: NextHopType;
  readonly nextHopIpAddress?: string;
  readonly routeTable?: string;
  readonly location?: SourceLocation;
}

/** IPv6 parts as text, each with its mask (PE-31); outer IPv4 addresses; the NVGRE key. */
export interface UnderlayInfo {
  readonly source: readonly [address: string, mask: string];
  readonly nic: readonly [address: string, mask: string];
  readonly destination: readonly [address: string, mask: string];
  readonly outerSource: string;
  readonly outerDestination: string;
  readonly key: number;
}

/** A rule of a load balancer by program row. */
export interface BalanceRuleInfo {
  readonly loadBalancer: string;
  readonly rule: string;
  readonly frontendAddress: string;
  readonly source?: SourceLocation;
}

export interface EndpointInfo {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly vnet: string;
  /** Name of the service behind it. */
  readonly target: string;
  /** Name of the Private Link service behind it, and the LinkID (PLS-20). */
  readonly service?: string;
  readonly linkId: number;
  /** What the fabric carries for it (PE-31): IPv6 prefixes and the addresses of the hosts. */
  readonly underlay: UnderlayInfo;
  readonly source?: SourceLocation;
}

export interface AttachmentInfo {
  readonly attachment: number;
  readonly kind: AttachmentKind;
  /** NIC name; endpoint name for its provider side; `internet`, `onprem` or `onprem:<vnet>`, `platform`, `service`. */
  readonly name: string;
  /** Resource id of the NIC or endpoint; empty for exits. */
  readonly id: string;
  readonly vnet?: string;
  readonly subnet?: string;
  /** NICs: primary private address. */
  readonly address?: string;
  /** NICs: true with IP forwarding (NET-8); its two sides are captured apart. */
  readonly ipForwarding?: boolean;
}

export interface SideTable {
  readonly epoch: number;
  readonly rules: readonly RuleInfo[];
  /** Indexed like program.routes. */
  readonly routes: readonly RouteInfo[];
  readonly endpoints: readonly EndpointInfo[];
  /** By attachment id; undefined where the id is gone. */
  readonly attachments: readonly (AttachmentInfo | undefined)[];
  /** NAT pools and public IPs by program index. */
  readonly natPools: readonly { readonly name: string; readonly addresses: readonly string[] }[];
  readonly publicIps: readonly { readonly name: string; readonly address: string }[];
  readonly balanceRules: readonly BalanceRuleInfo[];
}

export interface Compiled {
  readonly network: Network;
  readonly behaviour: Behaviour;
  readonly program: Program;
  readonly sideTable: SideTable;
  /** Digests from which the next compile decides generations; opaque to everybody else. */
  readonly digests: ReadonlyMap<string, string>;
}

/** Hands out attachment ids that are stable for the life of an object; one registry per running network. */
export interface AttachmentRegistry {
  /** Attachment id by key: `nic:<idKey>`, `provider:<idKey>`, `onprem:<vnet idKey>`, `internet`, `platform`,
   * `service`. */
  readonly ids: Map<string, number>;
  next: number;
}
