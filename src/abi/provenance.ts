// Provenance of one pass: which rule or route decided at each stage, and where the pass ended. A row of Int32 words.
// Workers intern rows and hand out path ids; control turns the indices into names with the side table of the row's
// epoch. Rule and route numbers are indices into that side table.

/** Words of one provenance row. */
export const PROVENANCE_WORDS = 20;

export const PROV_EPOCH = 0;
/** Attachment the frame came from. */
export const PROV_INGRESS = 1;
/** Attachment it was delivered to, or NONE. */
export const PROV_EGRESS = 2;
/** Rule that decided at the sender's NIC NSG, outbound. */
export const PROV_OUT_NIC_RULE = 3;
/** Rule that decided at the sender's subnet NSG, outbound. */
export const PROV_OUT_SUBNET_RULE = 4;
/** Route chosen at the sender. */
export const PROV_ROUTE = 5;
/** Rule of the private endpoint's subnet NSG, inbound (PNSG-2). */
export const PROV_ENDPOINT_RULE = 6;
/** Private endpoint crossed, in either direction: index into the program's endpoints. */
export const PROV_ENDPOINT = 7;
/** Rule that decided at the receiver's subnet NSG, inbound. */
export const PROV_IN_SUBNET_RULE = 8;
/** Rule that decided at the receiver's NIC NSG, inbound. */
export const PROV_IN_NIC_RULE = 9;
/** Drop reason, DROP.NONE when the pass ended with a delivery. */
export const PROV_DROP = 10;
/** Stage that dropped (STAGE). */
export const PROV_STAGE = 11;
/** Attachment at which it was dropped (the receiver for inbound rules), or NONE. */
export const PROV_DROP_AT = 12;
/** What was rewritten (TRANSLATION). */
export const PROV_TRANSLATION = 13;
/** ESTABLISHED_* bits. */
export const PROV_ESTABLISHED = 14;
/** Public IP or NAT pool used, index into the program's tables, or NONE. */
export const PROV_NAT = 15;

/** Security admin rules that decided, at the sender and at the receiver (NSG-15). */
export const PROV_OUT_ADMIN_RULE = 16;
export const PROV_IN_ADMIN_RULE = 17;
/** Load balancing rule that chose the receiver: row of the program. */
export const PROV_BALANCE_RULE = 18;
/** Drop reason in whose place the fabric answered; PROV_DROP is NONE then. */
export const PROV_REFUSED = 19;

/** Connection state existed at the sender. */
export const ESTABLISHED_SENDER = 1;
/** Connection state existed at the receiver. */
export const ESTABLISHED_RECEIVER = 2;
/** The packet rode on a cached path: the rules of this row let the connection's first packet through, none was asked
 * for this one. */
export const ESTABLISHED_PATH = 4;

/** A stage that was not reached, or an object that plays no part. */
export const NONE = -1;
/** The stage has no network security group: it allows (NSG-8). */
export const NO_NSG = -2;
/** Connection state existed: rules are skipped (NSG-26). */
export const BY_FLOW = -3;
/** Platform traffic that no rule with an AzurePlatform tag concerns: rules are bypassed (NSG-30, NSG-31). */
export const BY_PLATFORM = -4;
/** A security admin rule with AlwaysAllow: rules are skipped (NSG-15). */
export const BY_ADMIN = -5;

/** Stages by the names that expectations use (`<nic or endpoint>:<stage>`). */
export const STAGE = {
  none: 0,
  egress: 1,
  nicNsg: 2,
  subnetNsg: 3,
  route: 4,
  admission: 5,
  publicIp: 6,
  peering: 7,
  ingress: 8,
  adminRule: 9,
  balancer: 10,
} as const;
export type StageName = keyof typeof STAGE;

/** What a pass rewrote. */
export const TRANSLATION = {
  none: 0,
  /** Consumer to provider of a private endpoint (PE-30). */
  endpoint: 1,
  /** Provider to consumer. */
  endpointReply: 2,
  /** Private to public address, 1:1 (NET-11). */
  publicIpOut: 3,
  /** Public to private address, 1:1. */
  publicIpIn: 4,
  /** Private address and port to a shared public address (NAT gateway, default outbound). */
  natOut: 5,
  /** The way back of natOut. */
  natIn: 6,
  /** The source port changed on the way to a shared exit, because an overlapping network already uses the tuple. */
  exitPort: 7,
  /** Destination: frontend of a load balancer to backend, and the backend's answer. */
  balance: 8,
  balanceReply: 9,
  /** Consumer to the backend behind a Private Link service, and back. */
  service: 10,
  serviceReply: 11,
} as const;
export type TranslationName = keyof typeof TRANSLATION;
