// The parts of topology.yaml about private connectivity: load balancers, Private Link services, DNS, data factories,
// admin rules. schema.ts puts them together with the rest.

import { z } from 'zod';

const text = z.string();
const address = z.string().describe('IPv4 address');
const names = (of: string): z.ZodArray<z.ZodString> => z.array(text).describe(`names of ${of}`);
const texts = z.union([text, z.array(text)]).describe('one text or a list');
const port = z.number().int().min(0).max(65_535);
const ports = z.union([z.number(), text, z.array(z.union([z.number(), text]))]);
const minutes = z.number().describe('minutes');

const balanced = {
  frontend: text,
  protocol: z.enum(['Tcp', 'Udp', 'All']).optional().describe('default Tcp; All with ports 0: HA ports'),
  frontendPort: port,
  backendPort: port.optional().describe('default: the frontend port'),
  idleTimeoutInMinutes: minutes.optional().describe('4 to 100, default 4'),
  enableTcpReset: z.boolean().optional(),
};

export const loadBalancer = z.strictObject({
  sku: z.enum(['Standard', 'Basic']).optional(),
  frontends: z.record(
    text,
    z.strictObject({
      subnet: text.optional().describe('network/subnet of an internal frontend'),
      privateIPAddress: address.optional(),
      publicIPAddress: text.optional().describe('name of a public address, or an address'),
    }),
  ),
  backendPools: z.record(
    text,
    z.strictObject({
      members: names('network interfaces'),
      adminStates: z.record(text, z.enum(['Up', 'Down', 'None'])).optional(),
    }),
  ),
  rules: z
    .record(
      text,
      z.strictObject({
        ...balanced,
        backendPool: text,
        probe: text.optional(),
        loadDistribution: z.enum(['Default', 'SourceIP', 'SourceIPProtocol']).optional(),
        enableFloatingIP: z.boolean().optional(),
        disableOutboundSnat: z.boolean().optional(),
      }),
    )
    .optional(),
  inboundNatRules: z
    .record(text, z.strictObject({ ...balanced, member: text.optional(), backendPool: text.optional() }))
    .optional(),
  outboundRules: z
    .record(
      text,
      z.strictObject({
        frontends: names('frontends'),
        backendPool: text,
        protocol: z.enum(['Tcp', 'Udp', 'All']).optional(),
        idleTimeoutInMinutes: minutes.optional(),
        enableTcpReset: z.boolean().optional(),
      }),
    )
    .optional(),
  probes: z
    .record(
      text,
      z.strictObject({
        protocol: z.enum(['Tcp', 'Http', 'Https']).optional(),
        port,
        requestPath: text.optional(),
        intervalInSeconds: z.number().int().optional().describe('default 5'),
        numberOfProbes: z.number().int().optional().describe('default 2'),
      }),
    )
    .optional(),
});

export const privateLinkService = z.strictObject({
  frontends: names('frontends, loadBalancer/frontend').optional(),
  natAddresses: z.array(z.strictObject({ subnet: text, privateIPAddress: address.optional() })),
  visibility: texts.optional().describe('subscriptions that may ask, or "*"'),
  autoApproval: texts.optional().describe('subscriptions that are approved at once'),
  enableProxyProtocol: z.boolean().optional(),
  alias: text.optional(),
  fqdns: texts.optional(),
  destinationIPAddress: address.optional().describe('Direct Connect'),
});

const dnsValue = z.union([
  texts,
  z.strictObject({
    a: texts.optional(),
    aaaa: texts.optional(),
    cname: text.optional(),
    txt: texts.optional(),
    ptr: texts.optional(),
    mx: texts.optional(),
    srv: texts.optional(),
  }),
]);
/** Name to address, list of addresses, or values by record type. */
export const dnsRecords = z.record(text, dnsValue);
const forward = z.union([z.enum(['azure', 'root']), z.array(address)]).describe('azure, root, or servers');

export const dnsServer = z
  .strictObject({
    forward: forward.optional(),
    conditional: z.record(text, forward).optional(),
    records: dnsRecords.optional(),
  })
  .describe('the guest answers DNS on port 53');

export const privateDnsZone = z.strictObject({
  links: z
    .record(
      text,
      z.union([
        z.enum(['Default', 'NxDomainRedirect']),
        z.strictObject({
          registrationEnabled: z.boolean().optional(),
          resolutionPolicy: z.enum(['Default', 'NxDomainRedirect']).optional(),
        }),
      ]),
    )
    .optional()
    .describe('by network'),
  records: dnsRecords.optional().describe('relative names; @ for the zone, * for any'),
});

export const dnsForwardingRuleset = z.strictObject({
  rules: z.record(text, z.array(address)).describe('suffix to servers; . for everything'),
  networks: names('virtual networks'),
  outboundEndpoint: text.optional().describe('interface that sends'),
});

export const dataFactory = z.strictObject({
  location: text.optional(),
  managedPrivateEndpoints: z
    .record(
      text,
      z.strictObject({
        service: text,
        groupId: text.optional(),
        state: z.enum(['Pending', 'Approved', 'Rejected', 'Disconnected']).optional().describe('default Pending'),
      }),
    )
    .optional(),
});

const side = texts.optional().describe('prefixes or service tags; default *');
export const networkManager = z.strictObject({
  networks: names('virtual networks'),
  rules: z.array(
    z.strictObject({
      name: text,
      priority: z.number(),
      direction: z.enum(['Inbound', 'Outbound']),
      access: z.enum(['Allow', 'AlwaysAllow', 'Deny']),
      protocol: z.enum(['Tcp', 'Udp', 'Icmp', 'Esp', 'Ah', '*']).optional(),
      source: side,
      sourcePorts: ports.optional(),
      destination: side,
      destinationPorts: ports.optional(),
    }),
  ),
});

export const subResource = z.strictObject({
  hostNames: texts.optional(),
  ports: ports.optional(),
  backendAddress: address.optional(),
});
