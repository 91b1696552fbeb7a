// The program: the compiled network as tables of integers, no names. Control compiles it, msgpack carries it, a worker
// switches to it between two batches. `checkProgram` (program-check.ts) runs on both sides of the push (pair
// assertion). Columns are Int32Array; addresses are signed 32-bit images of host-order IPv4 addresses (`address | 0`);
// index -1 means none.

import { ExtensionCodec, decode, encode } from '@msgpack/msgpack';

export const PROGRAM_VERSION = 1;

/** What an attachment is. */
export const ATTACHMENT = {
  /** Row not in use (object deleted, id not yet reusable). */
  gone: 0,
  nic: 1,
  /** Service side of one private endpoint connection. */
  provider: 2,
  internet: 3,
  /** On-premises side of one virtual network's gateway. */
  onPremises: 4,
  /** 168.63.129.16 and 169.254.169.254 (WIRE-18, WIRE-19). */
  platform: 5,
  /** Public services reached through service endpoints (SEP-1). */
  service: 6,
} as const;
export type AttachmentKind = keyof typeof ATTACHMENT;

/** Bits of `attachments.flags`. */
export const NIC_IP_FORWARDING = 1; // NET-8
export const NIC_DISABLE_SNAT_ON_PL = 2; // ROUTE-46
export const NIC_HAS_NSG = 4; // NIC or subnet NSG present (NET-18)
export const NIC_ALLOW_SMTP = 8; // WIRE-20
export const NIC_REQUIRE_SYN = 16; // NSG-35, switch nsg.requireSyn
export const ATTACHMENT_TAP = 32; // capture wanted at a point of this attachment

/** `attachments.outbound`: explicit outbound methods in the order of NET-17. */
export const OUTBOUND = {
  none: 0,
  natGateway: 1,
  publicIp: 2,
  defaultAccess: 3,
  balancer: 4,
  privateLinkService: 5,
  balanceRule: 6,
} as const;

/** `routes.nextHop`: next-hop types as tools name them (ROUTE-48). */
export const NEXT_HOP = {
  None: 0,
  VnetLocal: 1,
  VNetPeering: 2,
  VNetGlobalPeering: 3,
  VirtualNetworkGateway: 4,
  VirtualAppliance: 5,
  Internet: 6,
  VirtualNetworkServiceEndpoint: 7,
  InterfaceEndpoint: 8,
} as const;
export type NextHopType = keyof typeof NEXT_HOP;

/** `owners.kind`. */
export const OWNER = { attachment: 0, endpoint: 1, frontend: 2, serviceNat: 3 } as const;

/** `balanceRules.distribution` (LB-1) and bits of `balanceRules.flags`. */
export const DISTRIBUTION = { fiveTuple: 0, sourceIp: 1, sourceIpProtocol: 2 } as const;
export const BALANCE_TCP_RESET = 1;
export const BALANCE_FLOATING_IP = 2;
/** `pools.state`: what probes say (LB-4), and the admin states that overrule them (LB-8). */
export const MEMBER = { up: 0, down: 1, adminUp: 2, adminDown: 3 } as const;
/** Bits of `frontends.flags`. */
export const FRONTEND_BASIC = 1; // PEER-9: not reached across global peerings
/** Bits of `privateLinkServices.flags`. */
export const SERVICE_PROXY_PROTOCOL = 1;
/** `ruleSets[].access`; alwaysAllow only in security admin rules (NSG-15). */
export const ACCESS = { deny: 0, allow: 1, alwaysAllow: 2 } as const;

/** `endpoints.state`. */
export const ENDPOINT_STATE = { Pending: 0, Approved: 1, Rejected: 2, Disconnected: 3 } as const;

/** Bits of `endpoints.flags`. */
export const ENDPOINT_UDP = 1; // Private Link services carry UDP too (PLS-6)
export const ENDPOINT_PEERED_REFUSED = 2; // IFE-4: traffic from peered networks is not supported
/** A group with flushConnection stands in front of a Private Link service: its rules are asked by every packet that
 * walks the stages, which is what flushing means where no connection state stands at the endpoint (NSG-29). */
export const ENDPOINT_ASKS_AGAIN = 4;
export const ENDPOINT_TAP = 8;
export const ENDPOINT_FAULTY = 16; // PNSG-14: drops now and then what the rules allow

/** Bits of `Program.flags`. */
export const SETTING_REVOKE_KILLS_FLOWS = 1; // PE-21, switch pe.revokeKillsFlows
export const SETTING_ARP_ANSWER_UNUSED = 2; // WIRE-4, switch arp.answerUnused
export const SETTING_HASH_AFTER_NAT = 4;
export const SETTING_NOT_APPROVED_RESET = 8;
export const SETTING_CLOSED_PORT_RESET = 16;
export const SETTING_OTHER_PROTOCOL_UNREACHABLE = 32; // Q-4b
export const SETTING_FRAGMENTATION_NEEDED = 64;
export const SETTING_DROP_REPLY = 128; // PIPE-3
export const SETTING_ADMISSION_FIRST = 256;
export const SETTING_PROXY_FRONTEND = 512;
export const SETTING_DNS_BYPASS_ANY = 1024;

/** One column per fact, one row per attachment id. Rows are stable for the life of the object. */
export interface AttachmentTable {
  readonly kind: Int32Array;
  readonly flags: Int32Array;
  /** Virtual network index (NIC, onPremises), else -1. */
  readonly vnet: Int32Array;
  /** Route table index for packets leaving here, else -1. */
  readonly routeTable: Int32Array;
  /** MAC of the guest: high 16 bits and low 32 bits. */
  readonly macHigh: Int32Array;
  readonly macLow: Int32Array;
  /** Primary address. */
  readonly address: Int32Array;
  /** Rule-set indices, -1 where there is no NSG. */
  readonly outNicRules: Int32Array;
  readonly outSubnetRules: Int32Array;
  readonly inSubnetRules: Int32Array;
  readonly inNicRules: Int32Array;
  /** Security admin rules (NSG-15): no default rules, a miss goes on to the groups; -1 without any. */
  readonly outAdminRules: Int32Array;
  readonly inAdminRules: Int32Array;
  /** Rule sets for platform traffic: only rules that name AzurePlatform tags (NSG-30), -1 where none does. */
  readonly platformNicRules: Int32Array;
  readonly platformSubnetRules: Int32Array;
  /** OUTBOUND. */
  readonly outbound: Int32Array;
  /** Index into `publicIps` (publicIp) or `natPools` (natGateway, balancer, defaultAccess), else -1. */
  readonly outboundIndex: Int32Array;
  /** Idle time of connection state at this attachment, milliseconds. */
  readonly idleMs: Int32Array;
  /** Changes when something a path from here depends on changed; paths compare it. */
  readonly generation: Int32Array;
  /** Changes when a group with flushConnection changed its rules here (NSG-29, NSG-37). */
  readonly flushGeneration: Int32Array;
  /** Largest IPv4 packet accepted from and delivered to the guest, bytes (WIRE-13). */
  readonly mtu: Int32Array;
}

/** Who owns an address inside a virtual network; the endpoints of the network included. */
export interface OwnerTable {
  readonly vnet: Int32Array;
  readonly address: Int32Array;
  /** OWNER. */
  readonly kind: Int32Array;
  /** Attachment id, endpoint, frontend or Private Link service index. */
  readonly ref: Int32Array;
}

/** Facts about virtual networks. */
export interface VnetTable {
  readonly count: number;
  /** Address ranges, in any order: network index, first and last address (unsigned order, signed image). */
  readonly rangeVnet: Int32Array;
  readonly rangeFirst: Int32Array;
  readonly rangeLast: Int32Array;
  /** Attachment of the network's on-premises side. */
  readonly onPremises: Int32Array;
  /** Connected peerings: from network, to network, 1 if `to` accepts forwarded traffic from `from` (PEER-5). */
  readonly peerFrom: Int32Array;
  readonly peerTo: Int32Array;
  readonly peerForwarded: Int32Array;
  /** Configured DNS servers for NSG-31: network, address. */
  readonly dnsVnet: Int32Array;
  readonly dnsAddress: Int32Array;
}

/** Routes of all tables, one row each; provenance names routes by row. */
export interface RouteRows {
  /** NEXT_HOP. */
  readonly nextHop: Int32Array;
  /** VNetPeering: network index. VirtualAppliance: attachment id, -1 (unreachable), or -2 - frontend (LB-7).
   * InterfaceEndpoint: endpoint index. VirtualNetworkGateway: attachment id of the on-premises exit, or -1. */
  readonly target: Int32Array;
}

/** One effective route table as a stride-8 trie (see dataplane/lpm.ts). */
export interface RouteTableProgram {
  /** 256-entry nodes, node 0 is the root. Entry >= 0: route row + 1 (0 = no route); < 0: -(child node). */
  readonly trie: Int32Array;
  /** The same without service-endpoint routes, for protocols other than TCP (SEP-3); empty when identical. */
  readonly trieWithoutServiceEndpoints: Int32Array;
}

/** One compiled rule list of one NSG, direction and place; first match by priority (see dataplane/rule-match.ts). */
export interface RuleSetProgram {
  /** Rules in priority order: access (1 allow) and index into the side table. */
  readonly access: Int32Array;
  readonly ruleIndex: Int32Array;
  /** What finds a packet's rule (see rule-table.ts). */
  readonly table: Int32Array;
}

/** Private endpoints. */
export interface EndpointTable {
  /** Network of the endpoint's subnet. */
  readonly vnet: Int32Array;
  readonly address: Int32Array;
  /** ENDPOINT_STATE. */
  readonly state: Int32Array;
  readonly flags: Int32Array;
  /** Attachment id of the provider side. */
  readonly provider: Int32Array;
  /** The service's own address. */
  readonly backendAddress: Int32Array;
  /** Inbound rule set of the endpoint's subnet, -1 when the policy leaves the NSG off (PNSG-2). */
  readonly rules: Int32Array;
  /** Served TCP ports: rows of `portFirst`/`portLast` from `portStart[i]` to `portStart[i + 1]`. */
  readonly portStart: Int32Array;
  readonly portFirst: Int32Array;
  readonly portLast: Int32Array;
  /** Idle time of a binding, milliseconds. */
  readonly idleMs: Int32Array;
  /** Row of `privateLinkServices` behind it, -1 for platform services; LinkID (PE-2, PLS-20). */
  readonly service: Int32Array;
  readonly linkId: Int32Array;
}

/** Frontends of load balancers. */
export interface FrontendTable {
  /** Network of an internal frontend, -1 for a public one. */
  readonly vnet: Int32Array;
  readonly address: Int32Array;
  readonly flags: Int32Array;
  /** Rules of frontend i: rows `ruleStart[i]` to `ruleStart[i + 1]` of `balanceRules`. */
  readonly ruleStart: Int32Array;
}

/** Load balancing rules and inbound NAT rules (LB). */
export interface BalanceRuleTable {
  /** IP protocol, 0 for all (HA ports). */
  readonly protocol: Int32Array;
  /** 0: every port, unchanged. */
  readonly frontendPort: Int32Array;
  readonly backendPort: Int32Array;
  /** Row of `pools`. */
  readonly pool: Int32Array;
  readonly distribution: Int32Array;
  readonly flags: Int32Array;
  /** Row of `natPools` whose idle time its bindings have (LB-5). */
  readonly clock: Int32Array;
}

/** Backends by rule: members of pool i are rows `memberStart[i]` to `memberStart[i + 1]` of the other columns. */
export interface PoolTable {
  readonly memberStart: Int32Array;
  readonly attachment: Int32Array;
  readonly address: Int32Array;
  /** MEMBER. */
  readonly state: Int32Array;
}

/** Private Link services (PLS). */
export interface PrivateLinkServiceTable {
  /** Network of the provider. */
  readonly vnet: Int32Array;
  /** Frontends of service i: rows `frontendStart[i]` to `frontendStart[i + 1]` of `frontend`. */
  readonly frontendStart: Int32Array;
  readonly frontend: Int32Array;
  /** Row of `natPools`: its NAT addresses and 300 s (PLS-8, PLS-11). */
  readonly natPool: Int32Array;
  readonly flags: Int32Array;
}

/** Public addresses: of NICs, translated 1:1 (NET-11), and of frontends. */
export interface PublicIpTable {
  readonly address: Int32Array;
  readonly attachment: Int32Array;
  /** The private address behind it. */
  readonly privateAddress: Int32Array;
  /** 1: Standard SKU, closed without an NSG (NET-18). */
  readonly standard: Int32Array;
  /** Frontend that has this address, -1 for the address of a NIC; `attachment` is -1 then. */
  readonly frontend: Int32Array;
}

/** NAT pools, and the clocks of load balancing rules. */
export interface NatPoolTable {
  /** Addresses of pool i: rows `addressStart[i]` to `addressStart[i + 1]` of `address`. */
  readonly addressStart: Int32Array;
  readonly address: Int32Array;
  /** OUTBOUND: natGateway; defaultAccess and balancer (no fragments, no ICMP echo: NET-16, LB-2); privateLinkService;
   * balanceRule: no addresses, only the clock of a rule's bindings (LB-5). */
  readonly kind: Int32Array;
  readonly idleMs: Int32Array;
}

export interface Program {
  readonly version: number;
  readonly epoch: number;
  readonly flags: number;
  /** Attachment ids of the three common exits. */
  readonly internet: number;
  readonly platform: number;
  readonly service: number;
  readonly attachments: AttachmentTable;
  readonly owners: OwnerTable;
  readonly vnets: VnetTable;
  readonly routes: RouteRows;
  readonly routeTables: readonly RouteTableProgram[];
  readonly ruleSets: readonly RuleSetProgram[];
  /** How many rules the side table of this epoch names. */
  readonly ruleCount: number;
  readonly endpoints: EndpointTable;
  readonly publicIps: PublicIpTable;
  readonly natPools: NatPoolTable;
  readonly frontends: FrontendTable;
  readonly balanceRules: BalanceRuleTable;
  readonly pools: PoolTable;
  readonly privateLinkServices: PrivateLinkServiceTable;
  /** */
  readonly hashSeed: number;
}

/** A program that breaks its own invariants: a bug of the compiler or a damaged push, never user input. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError';
}

/** Bytes of a program for the push: msgpack, columns as extension values that hold little-endian 32-bit words. */
export function encodeProgram(program: Program): Uint8Array {
  return encode(program, { extensionCodec: columns });
}

/**
 * The program of a push, unchecked: `checkProgram` comes next. Columns are views of `bytes` wherever these begin at a
 * multiple of 4 in their buffer, so nobody may write to them afterwards. Throws ProgramError when the bytes are not
 * msgpack.
 */
export function decodeProgram(bytes: Uint8Array): Program {
  try {
    return decode(bytes, { extensionCodec: columns }) as Program;
  } catch (error) {
    if (error instanceof ProgramError) throw error;
    throw new ProgramError(`a pushed program is not msgpack: ${String(error)}`);
  }
}

/** Extension type of a column. Its data: how many bytes precede the words (1 to 4, this one included), those bytes, the
 * words. The words begin at a multiple of 4 of the message, so that a worker reads them where they arrived. */
const COLUMN_TYPE = 1;
const WORD = 4;

const columns = new ExtensionCodec();
columns.register({
  type: COLUMN_TYPE,
  encode: (value) => (value instanceof Int32Array ? (at: number): Uint8Array => columnBytes(value, at) : null),
  decode: columnOf,
});

function columnBytes(column: Int32Array, at: number): Uint8Array {
  const padding = WORD - (at % WORD);
  const bytes = new Uint8Array(padding + column.byteLength);
  bytes[0] = padding;
  bytes.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), padding);
  return bytes;
}

function columnOf(bytes: Uint8Array): Int32Array {
  const padding = bytes[0];
  const length = (bytes.length - padding) / WORD;
  if (!(padding >= 1 && padding <= WORD) || !Number.isInteger(length) || length < 0) {
    throw new ProgramError('a column of a pushed program is not whole words');
  }
  const offset = bytes.byteOffset + padding;
  if (offset % WORD === 0) return new Int32Array(bytes.buffer, offset, length);
  return new Int32Array(bytes.slice(padding).buffer);
}
