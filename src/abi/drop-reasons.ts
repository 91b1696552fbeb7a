// Every way the fabric can drop a packet (DIAG-33). Codes are stored in captures and counters:
// never renumber, only append. `stage` is where it happens, `text` is one line for people.
// docs/drop-reasons.md is generated from this list.

export interface DropReasonInfo {
  /** What stages write; also the index of the counter. */
  readonly code: number;
  readonly stage: string;
  readonly text: string;
  /** The rule that fixes the behaviour, or the design section. */
  readonly rule: string;
}

export const DROP = {
  NONE: 0,
  FRAME_MALFORMED: 1,
  NSG_DENY: 2,
  ADMIN_RULE_DENY: 3,
  ROUTE_NONE: 4,
  NEXT_HOP_UNREACHABLE: 5,
  IP_FORWARDING_DISABLED: 6,
  SPOOFED_SOURCE: 7,
  PROTOCOL_NOT_SUPPORTED: 8,
  BROADCAST_MULTICAST: 9,
  RESERVED_PORT: 10,
  NO_SUCH_DESTINATION: 11,
  PE_NOT_APPROVED: 12,
  PE_PORT_NOT_SERVED: 13,
  PE_PROTOCOL: 14,
  NO_REVERSE_FLOW: 15,
  PLS_NAT_PORT_EXHAUSTED: 16,
  PEERING_NOT_CONNECTED: 17,
  FORWARDED_TRAFFIC_NOT_ALLOWED: 18,
  OUT_OF_ORDER_FRAGMENT: 19,
  NO_OUTBOUND_PATH: 20,
  INBOUND_CLOSED_PUBLIC_IP: 21,
  ROUTING_LOOP: 22,
  SNAT_PORT_EXHAUSTED: 23,
  OUTBOUND_SMTP_BLOCKED: 24,
  MTU_EXCEEDED: 25,
  ATTACHMENT_GONE: 26,
  FLOW_TABLE_FULL: 27,
  NOT_A_SYN: 28,
  BALANCER_NO_RULE: 29,
  BALANCER_NO_BACKEND: 30,
  BALANCER_HAIRPIN: 31,
  BALANCER_FRAGMENT: 32,
  ENDPOINT_FAULT: 33,
} as const;

export type DropName = keyof typeof DROP;

export const DROP_REASONS: Record<DropName, DropReasonInfo> = {
  NONE: { code: DROP.NONE, stage: '-', text: 'not dropped', rule: '-' },
  FRAME_MALFORMED: {
    code: DROP.FRAME_MALFORMED,
    stage: 'egress',
    text: 'the frame is not a valid Ethernet/IPv4 frame (lengths, version or header checksum)',
    rule: 'architecture 2',
  },
  NSG_DENY: { code: DROP.NSG_DENY, stage: 'nsg', text: 'a network security group rule denied it', rule: 'NSG-11' },
  ADMIN_RULE_DENY: {
    code: DROP.ADMIN_RULE_DENY,
    stage: 'nsg',
    text: 'a Virtual Network Manager security admin rule denied it',
    rule: 'NSG-15',
  },
  ROUTE_NONE: { code: DROP.ROUTE_NONE, stage: 'route', text: 'the chosen route has next hop None', rule: 'ROUTE-4' },
  NEXT_HOP_UNREACHABLE: {
    code: DROP.NEXT_HOP_UNREACHABLE,
    stage: 'route',
    text: 'nobody reachable owns the address of the next hop',
    rule: 'ROUTE-30',
  },
  IP_FORWARDING_DISABLED: {
    code: DROP.IP_FORWARDING_DISABLED,
    stage: 'ingress',
    text: 'the destination is not an address of this NIC and IP forwarding is off',
    rule: 'NET-9',
  },
  SPOOFED_SOURCE: {
    code: DROP.SPOOFED_SOURCE,
    stage: 'egress',
    text: 'the source is not an address of the sending NIC and IP forwarding is off',
    rule: 'NET-9',
  },
  PROTOCOL_NOT_SUPPORTED: {
    code: DROP.PROTOCOL_NOT_SUPPORTED,
    stage: 'egress',
    text: 'the fabric carries TCP, UDP, ICMP, ESP and AH only',
    rule: 'WIRE-10',
  },
  BROADCAST_MULTICAST: {
    code: DROP.BROADCAST_MULTICAST,
    stage: 'egress',
    text: 'the fabric carries unicast only',
    rule: 'WIRE-10',
  },
  RESERVED_PORT: {
    code: DROP.RESERVED_PORT,
    stage: 'egress',
    text: 'UDP ports 65330 and 4791 are reserved for the host',
    rule: 'WIRE-11',
  },
  NO_SUCH_DESTINATION: {
    code: DROP.NO_SUCH_DESTINATION,
    stage: 'route',
    text: 'the route leads into a network where nobody owns the destination address',
    rule: 'ROUTE-33',
  },
  PE_NOT_APPROVED: {
    code: DROP.PE_NOT_APPROVED,
    stage: 'admission',
    text: 'the private endpoint connection is not Approved',
    rule: 'PE-20',
  },
  PE_PORT_NOT_SERVED: {
    code: DROP.PE_PORT_NOT_SERVED,
    stage: 'admission',
    text: 'the private endpoint does not carry this port',
    rule: 'PE-25',
  },
  PE_PROTOCOL: {
    code: DROP.PE_PROTOCOL,
    stage: 'admission',
    text: 'the private endpoint does not carry this protocol',
    rule: 'PE-24',
  },
  NO_REVERSE_FLOW: {
    code: DROP.NO_REVERSE_FLOW,
    stage: 'egress',
    text: 'the service side of a private endpoint tried to open a connection, or its flow has expired',
    rule: 'PE-22',
  },
  PLS_NAT_PORT_EXHAUSTED: {
    code: DROP.PLS_NAT_PORT_EXHAUSTED,
    stage: 'admission',
    text: 'the Private Link service has no free NAT port towards this backend',
    rule: 'PLS-10',
  },
  PEERING_NOT_CONNECTED: {
    code: DROP.PEERING_NOT_CONNECTED,
    stage: 'peering',
    text: 'the peering is not Connected on both sides',
    rule: 'PEER-1',
  },
  FORWARDED_TRAFFIC_NOT_ALLOWED: {
    code: DROP.FORWARDED_TRAFFIC_NOT_ALLOWED,
    stage: 'peering',
    text: "the receiver's peering link does not allow forwarded traffic",
    rule: 'PEER-5',
  },
  OUT_OF_ORDER_FRAGMENT: {
    code: DROP.OUT_OF_ORDER_FRAGMENT,
    stage: 'egress',
    text: 'a fragment arrived before the one that precedes it',
    rule: 'WIRE-15',
  },
  NO_OUTBOUND_PATH: {
    code: DROP.NO_OUTBOUND_PATH,
    stage: 'publicIp',
    text: 'no NAT gateway, public IP or default outbound access leads to the Internet',
    rule: 'NET-16',
  },
  INBOUND_CLOSED_PUBLIC_IP: {
    code: DROP.INBOUND_CLOSED_PUBLIC_IP,
    stage: 'publicIp',
    text: 'a Standard public IP is closed until a network security group allows the traffic',
    rule: 'NET-18',
  },
  ROUTING_LOOP: {
    code: DROP.ROUTING_LOOP,
    stage: 'route',
    text: 'the packet crossed the fabric more than 32 times',
    rule: 'ROUTE-36',
  },
  SNAT_PORT_EXHAUSTED: {
    code: DROP.SNAT_PORT_EXHAUSTED,
    stage: 'publicIp',
    text: 'the outbound NAT has no free port towards this destination',
    rule: 'LIM-37',
  },
  OUTBOUND_SMTP_BLOCKED: {
    code: DROP.OUTBOUND_SMTP_BLOCKED,
    stage: 'publicIp',
    text: 'outbound TCP 25 to the Internet is blocked for this subscription type',
    rule: 'WIRE-20',
  },
  MTU_EXCEEDED: {
    code: DROP.MTU_EXCEEDED,
    stage: 'route',
    text: 'the packet is larger than the path carries',
    rule: 'WIRE-13',
  },
  ATTACHMENT_GONE: {
    code: DROP.ATTACHMENT_GONE,
    stage: 'egress',
    text: 'the NIC or endpoint connection that sent the frame no longer exists',
    rule: 'architecture 2',
  },
  FLOW_TABLE_FULL: {
    code: DROP.FLOW_TABLE_FULL,
    stage: 'route',
    text: 'the flow table of the worker is full',
    rule: 'LIM-16',
  },
  NOT_A_SYN: {
    code: DROP.NOT_A_SYN,
    stage: 'egress',
    text: 'the first packet of a TCP connection is not a SYN, and the behaviour asks for one',
    rule: 'NSG-35',
  },
  BALANCER_NO_RULE: {
    code: DROP.BALANCER_NO_RULE,
    stage: 'balancer',
    text: 'no rule of the load balancer frontend covers this protocol and port',
    rule: 'LB-2',
  },
  BALANCER_NO_BACKEND: {
    code: DROP.BALANCER_NO_BACKEND,
    stage: 'balancer',
    text: 'no backend of the pool takes new connections',
    rule: 'LB-4',
  },
  BALANCER_HAIRPIN: {
    code: DROP.BALANCER_HAIRPIN,
    stage: 'balancer',
    text: 'the backend was chosen for a connection of its own to its frontend',
    rule: 'LB-6',
  },
  BALANCER_FRAGMENT: {
    code: DROP.BALANCER_FRAGMENT,
    stage: 'balancer',
    text: 'load balancing rules do not forward fragments',
    rule: 'WIRE-16',
  },
  ENDPOINT_FAULT: {
    code: DROP.ENDPOINT_FAULT,
    stage: 'admission',
    text: 'the intermittent fault of the preview (switch pnsg.dropFault)',
    rule: 'PNSG-14',
  },
};

const NAMES: readonly DropName[] = (Object.keys(DROP_REASONS) as DropName[]).toSorted(
  (a, b) => DROP_REASONS[a].code - DROP_REASONS[b].code,
);

/** How many codes there are; codes are dense from 0. */
export const DROP_CODES = NAMES.length;

/** The name of a drop code; throws RangeError for a code that was never registered. */
export function dropName(code: number): DropName {
  const name = NAMES[code];
  if (name === undefined) throw new RangeError(`unknown drop code ${code}`);
  return name;
}

/** The Markdown table of docs/drop-reasons.md. */
export function dropReasonTable(): string {
  return NAMES.map((name) => {
    const r = DROP_REASONS[name];
    return `| ${r.code} | \`${name}\` | ${r.stage} | ${r.text} | ${r.rule} |`;
  }).join('\n');
}
