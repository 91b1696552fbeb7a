// Problems that dns.ts finds, by stable code; see codes.ts.

export const DNS_CODES = {
  ZONE_NAME_INVALID: 'The name of a private DNS zone is not 2 to 34 labels of 1 to 63 characters (DNS-2).',
  ZONE_NAME_NOT_RECOMMENDED: 'A private DNS zone has nearly the privatelink name of a service (DNS-22).',
  ZONE_HIDES_SERVICE: 'A linked zone has the public suffix of a service and hides its public names (DNS-10).',
  ZONE_LINK_DUPLICATE: 'A private DNS zone is linked to a virtual network twice (DNS-1).',
  ZONE_LINK_SAME_NAME: 'Two private DNS zones of one name are linked to the same virtual network (DNS-5).',
  ZONE_LINK_POLICY: 'NxDomainRedirect is set on a link of a zone that is no privatelink zone (DNS-11).',
  ZONE_REGISTRATION_LIMIT: 'A virtual network is linked to several zones with registration (DNS-1).',
  ZONE_RECORD_INVALID: 'A record of a zone, a server or the public name space does not fit its type (DNS-2).',
  ZONE_RECORD_CONFLICT: 'A name has a CNAME record beside other records, or several (DNS-2).',
  ZONE_GROUPS_LIMIT: 'A private endpoint has more than one zone group (DNS-20).',
  ZONE_GROUP_ZONES_LIMIT: 'A zone group names more than five zones (LIM-26).',
  ZONE_GROUP_ZONE_DUPLICATE: 'A zone group names a zone twice (DNS-20).',
  ZONE_GROUP_ZONE_NAME: 'A zone group names a zone that the service of its endpoint does not use (DNS-22).',
  ZONE_GROUP_OVERWRITES: 'The zone groups of two endpoints write the same name: the later one counts (DNS-21).',
  RULESET_RULES_LIMIT: 'A forwarding ruleset has more than 1,000 rules (DNS-17).',
  RULESET_TARGET: 'A rule of a forwarding ruleset sends to 168.63.129.16, or to nobody (DNS-17).',
  RULESET_OUTBOUND: 'A forwarding ruleset has no outbound endpoint, so nobody can send for it (DNS-17).',
  DNS_SERVER_ADDRESS: 'A DNS server forwards to itself (DNS-15).',
} as const satisfies Readonly<Record<string, string>>;
