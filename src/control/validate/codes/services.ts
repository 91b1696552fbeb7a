// Problems that services.ts finds, by stable code; see codes.ts.

export const SERVICES_CODES = {
  MI_SELF_NAME_HIJACK: 'A zone of the private names of a SQL Managed Instance is linked to its own network (SQLMI-23).',
  MI_PEERED_ZONE:
    'A zone of the private names of a SQL Managed Instance is linked to a network peered with its own (SQLMI-22).',
  MI_RULES_REQUIRED: 'A rule takes away what a SQL Managed Instance needs from its network security group (SQLMI-27).',
  MI_PLATFORM_DNS_DENIED: 'A rule denies AzurePlatformDNS to a SQL Managed Instance, which breaks it (SQLMI-29).',
  MI_ROUTES_REQUIRED: 'A route takes away what a SQL Managed Instance needs from its route table (SQLMI-28).',
  MI_PUBLIC_ENDPOINT_CLOSED: 'A SQL Managed Instance has a public endpoint, but no rule lets port 3342 in (SQLMI-3).',
} as const satisfies Readonly<Record<string, string>>;
