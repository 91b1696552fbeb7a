// Every maximum of the product, with its reason. Nothing else in the code states a limit as a bare number.

/** Descriptors that one worker handles together (architecture 1). */
export const MAX_BATCH = 256;
/** Connections of a hit-path group: enough independent loads in flight, small enough for registers and L1. */
export const HIT_GROUP = 64;
/** Fixed divisions of all connections; a worker owns shards (architecture 4). */
export const SHARDS = 64;
/** Neighbouring shards that always live on one worker: a shard that runs out of NAT ports borrows from its group. */
export const SHARDS_PER_GROUP = 4;
/** Workers: never more than groups of shards. */
export const WORKERS_MAX = SHARDS / SHARDS_PER_GROUP;
/** Frame slot of the default arena: 1,514 bytes and headroom; not a power of two, to spread over cache sets. */
export const SLOT_BYTES_DEFAULT = 2112;
/** Frame slot for guests with a 9,000-byte MTU (WIRE-13). */
export const SLOT_BYTES_JUMBO = 9216;
/** MTU of a guest that names none, and of everything outside a network and its same-region peerings (WIRE-13). */
export const MTU_DEFAULT = 1500;
/** MTU that a guest may have: the smallest datagram everybody accepts (RFC 791), and jumbo frames (WIRE-13). */
export const MTU_LEAST = 576;
export const MTU_MOST = 9000;
/** Bytes in front of a frame, for encapsulation. The frame starts 2 bytes further, so that IPv4 is 4-byte aligned. */
export const HEADROOM_BYTES = 64;
/** Fabric crossings of one packet before it counts as a loop (ROUTE-36). */
export const PASSES_MAX = 32;
/** Default idle time of connection state (NSG-33, Q-11), milliseconds. */
export const IDLE_MS_DEFAULT = 240_000;
/** Idle time of a connection through a Private Link service (PLS-11, LIM-40), milliseconds. */
export const PRIVATE_LINK_SERVICE_IDLE_MS = 300_000;
/** Remaining life after a RST (NSG-35), milliseconds. */
export const RST_LINGER_MS = 5_000;
/** Remaining life once both sides have sent a FIN: room for the last ACK and for retransmitted FINs, milliseconds. */
export const FIN_LINGER_MS = 60_000;
/** Life of a fragment entry without a further fragment (WIRE-15), milliseconds. */
export const FRAGMENT_MS = 30_000;
/** NAT ports of one public address (LIM-37): 1024 to 65535. */
export const NAT_PORT_FIRST = 1024;
export const NAT_PORTS_PER_ADDRESS = 64_512;
/** Ports of one address that belong to one shard. */
export const NAT_PORTS_PER_SHARD = NAT_PORTS_PER_ADDRESS / SHARDS;
/** An input file larger than this is refused before it is parsed: no real export is near it. */
export const INPUT_BYTES_MAX = 32 * 1024 * 1024;
/** Nesting of an input's lists and mappings: real ones stay below ten, and readers recurse per level. */
export const INPUT_DEPTH_MAX = 100;
/** Values that YAML aliases may add to one input: far above any use, far below what exhausts memory. */
export const INPUT_ALIASED_VALUES_MAX = 100_000;
/** User rules per network security group (LIM-2). */
export const RULES_PER_NSG_MAX = 1_000;
/** Prefixes per side of one rule (LIM-3). */
export const PREFIXES_PER_RULE_SIDE_MAX = 4_000;
/** User-defined routes per table (LIM-17). */
export const ROUTES_PER_TABLE_MAX = 400;
/** Sources x destinations x destination port ranges of a rule in front of private endpoints (PNSG-6). */
export const PE_RULE_FACTOR_MAX = 250_000;
/** Prefixes in one rule in front of private endpoints, profile preview-2022 (PNSG-12). */
export const PE_RULE_PREFIXES_MAX_2022 = 500;
/** Priorities of user rules (NSG-1). */
export const RULE_PRIORITY_MIN = 100;
export const RULE_PRIORITY_MAX = 4_096;
/** Characters of a rule name and of a rule description (NSG-6). */
export const RULE_NAME_MAX = 80;
export const RULE_DESCRIPTION_MAX = 140;
/** Network security groups and application security groups per region and subscription (LIM-1, LIM-4). */
export const NSGS_PER_REGION_MAX = 5_000;
export const ASGS_PER_REGION_MAX = 3_000;
/** Application security groups per IP configuration, per rule and in all rules of one NSG (LIM-5, LIM-6, LIM-8). */
export const ASGS_PER_IP_CONFIGURATION_MAX = 20;
export const ASGS_PER_RULE_MAX = 10;
export const ASGS_PER_NSG_MAX = 100;
/** IP configurations per application security group (LIM-7), and where its NSG filters private endpoints (NSG-25). */
export const IP_CONFIGURATIONS_PER_ASG_MAX = 4_000;
export const PE_ASG_MEMBERS_MAX = 50;
/** Prefix lengths of a subnet (NET-2). */
export const SUBNET_LENGTH_MIN = 2;
export const SUBNET_LENGTH_MAX = 29;
/** Addresses at the start of a subnet that cannot be assigned; at its end it is one (NET-3). */
export const SUBNET_RESERVED_FIRST = 4;
/** Virtual networks per subscription; subnets, peerings, DNS servers, addresses of one (LIM-10 to LIM-14). */
export const VNETS_PER_SUBSCRIPTION_MAX = 1_000;
export const SUBNETS_PER_VNET_MAX = 3_000;
export const PEERINGS_PER_VNET_MAX = 500;
export const DNS_SERVERS_PER_VNET_MAX = 20;
export const PRIVATE_ADDRESSES_PER_VNET_MAX = 65_536;
/** Addresses per NIC (LIM-15). */
export const ADDRESSES_PER_NIC_MAX = 256;
/** Idle time of connections that a virtual network may set, minutes (NSG-33). */
export const FLOW_TIMEOUT_MINUTES_MIN = 4;
export const FLOW_TIMEOUT_MINUTES_MAX = 30;
/** TCP idle time of a NAT gateway, minutes (LIM-37). */
export const NAT_IDLE_MINUTES_MIN = 4;
export const NAT_IDLE_MINUTES_MAX = 120;
/** Route tables per subscription (LIM-17) and service-tag routes per table (ROUTE-17). */
export const ROUTE_TABLES_PER_SUBSCRIPTION_MAX = 200;
export const TAG_ROUTES_PER_TABLE_MAX = 25;
/** Private endpoints per virtual network, and with privateEndpointVNetPolicies Basic (LIM-20, PE-45). */
export const ENDPOINTS_PER_VNET_MAX = 1_000;
export const ENDPOINTS_PER_VNET_HIGH_SCALE_MAX = 5_000;
/** Characters of the request message of a private endpoint connection (PE-1). */
export const REQUEST_MESSAGE_MAX = 140;
/** Addresses of the subnet of a SQL Managed Instance (SQLMI-26). */
export const MI_SUBNET_ADDRESSES_MIN = 32;
/** Bytes of one frame in a capture file, written or read; the maximum of libpcap and Wireshark. */
export const CAPTURE_FRAME_BYTES_MAX = 262_144;
/** Private Link services (LIM-21 to LIM-24, PLS-9, PLS-10, PLS-22). */
export const SERVICES_PER_SUBSCRIPTION_MAX = 800;
export const SERVICES_PER_LOAD_BALANCER_MAX = 8;
export const SERVICE_NAT_ADDRESSES_MAX = 8;
export const ENDPOINTS_PER_SERVICE_MAX = 1_000;
export const SERVICE_SUBSCRIPTIONS_MAX = 100;
export const SERVICE_CONNECTIONS_PER_ADDRESS = 65_536;
/** Idle minutes of load balancing rules (LB-5). */
export const BALANCE_IDLE_MINUTES_MIN = 4;
export const BALANCE_IDLE_MINUTES_MAX = 100;
/** Zone groups per endpoint, zones per group, links per zone and network, registration zones per network (LIM-26,
 * DNS-1). */
export const ZONE_GROUPS_PER_ENDPOINT_MAX = 1;
export const ZONES_PER_GROUP_MAX = 5;
export const LINKS_PER_ZONE_AND_VNET_MAX = 1;
export const REGISTRATION_ZONES_PER_VNET_MAX = 1;
/** Labels of a private zone name (DNS-2) and rules of a forwarding ruleset (DNS-17). */
export const ZONE_LABELS_MIN = 2;
export const ZONE_LABELS_MAX = 34;
export const FORWARDING_RULES_MAX = 1_000;
/** Endpoints per key vault and vaults with endpoints per subscription (LIM-25). */
export const ENDPOINTS_PER_VAULT_MAX = 64;
export const VAULTS_WITH_ENDPOINTS_MAX = 400;
/** A capture file is written out when this much is waiting for it. */
export const CAPTURE_FILE_BUFFER_BYTES = 256 * 1024;
/** All files of a capture together hold back no more than this. */
export const CAPTURE_BUFFER_BYTES_MAX = 64 * 1024 * 1024;
/** Characters of a capture filter: more than anybody writes, few enough for a recursive reader. */
export const CAPTURE_FILTER_CHARACTERS_MAX = 4_096;
