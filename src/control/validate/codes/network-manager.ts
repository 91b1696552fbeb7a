// Problems that network-manager.ts finds, by stable code; see codes.ts.

export const NETWORK_MANAGER_CODES = {
  ADMIN_RULE_PRIORITY_RANGE: 'The priority of a security admin rule is outside 1 to 4096 (NSG-15).',
  ADMIN_RULE_PRIORITY_DUPLICATE: 'Two security admin rules of one direction and network share a priority (NSG-15).',
  ADMIN_RULE_NETWORKS: 'A security admin rule applies to no virtual network (NSG-15).',
  ADMIN_RULE_PREFIX: 'A side of a security admin rule is neither a prefix nor a known service tag (NSG-15).',
  PEERING_SUBNET_NOT_FOUND: 'A subnet peering names a subnet that its network does not have (PEER-8).',
  PEERING_NOT_SYNCED: 'The ranges of a virtual network have changed since its peering was synced (PEER-2).',
  NSG_ENDPOINT_REGION: 'Network security groups do not work in front of private endpoints in a region (PNSG-9).',
  FACTORY_STORE_ENDPOINT: 'A store with private endpoints can be reached by a factory through its own only (ADF-5).',
  FACTORY_ENDPOINT_TARGET: 'A managed private endpoint leads to a service that the profile does not know (ADF-4).',
} as const satisfies Readonly<Record<string, string>>;
