// The actions of steps: one schema per key. A step is a mapping with exactly one of these keys, and optionally `name`,
// `expect` and `level`. The published JSON Schema is made from the same schemas.

import { z } from 'zod';
import { duration, eventRate, linkSettings, port, portList, priority, size, text, textList } from './common-schemas.ts';
import { EXPECTATION_KEYS, expectationSchema } from './expectation-schema.ts';
import type { Expectation, ExpectationKey } from './expectation-schema.ts';

const from = text.describe(
  'Sender: a NIC, a service or endpoint (its service side), `internet`, `onprem`, `exit@address`',
);
const to = text.describe('Receiver: a NIC, an endpoint, a host name or an address; with `:port` where one is needed');
const transportPorts = { sport: port.optional(), dport: port.optional() };
const u32 = z.number().int().min(0).max(0xffff_ffff);

const TRAFFIC = {
  connect: z
    .strictObject({
      from,
      to,
      sourcePort: port.optional(),
      retries: z.number().int().min(0).max(100).describe('SYN and data retransmissions before giving up').optional(),
      data: z.strictObject({ request: size.optional(), response: size.optional() }).optional(),
      keep: text.describe('Keeps the connection open under this name, for `send` and `close`').optional(),
    })
    .describe('Opens a TCP connection, exchanges data when asked to, and closes it.'),
  ping: z
    .strictObject({
      from,
      to,
      count: z.number().int().min(1).max(1000).optional(),
      size: size.optional(),
      ttl: z.number().int().min(1).max(255).optional(),
    })
    .describe('ICMP echo requests, one second apart.'),
  udp: z
    .strictObject({
      from,
      to,
      payload: z.string().optional(),
      size: size.optional(),
      sourcePort: port.optional(),
      reply: z.boolean().describe('The receiver echoes the datagram').optional(),
    })
    .describe('One UDP datagram.'),
  packet: z
    .strictObject({
      from,
      to: to.optional(),
      src: text.describe('Source address in place of the sender’s own').optional(),
      ttl: z.number().int().min(0).max(255).optional(),
      id: z.number().int().min(0).max(0xffff).optional(),
      tcp: z
        .strictObject({
          ...transportPorts,
          flags: text.optional(),
          seq: u32.optional(),
          ack: u32.optional(),
          window: z.number().int().min(0).max(0xffff).optional(),
        })
        .optional(),
      udp: z.strictObject(transportPorts).optional(),
      icmp: z
        .strictObject({
          type: z.number().int().min(0).max(255).optional(),
          code: z.number().int().min(0).max(255).optional(),
          id: z.number().int().min(0).max(0xffff).optional(),
          seq: z.number().int().min(0).max(0xffff).optional(),
        })
        .optional(),
      protocol: z.number().int().min(0).max(255).describe('Any other IP protocol by number').optional(),
      size: size.describe('Payload bytes').optional(),
      dontFragment: z.boolean().optional(),
      fragment: z
        .strictObject({ offset: z.number().int().min(0).max(65528).multipleOf(8), more: z.boolean().optional() })
        .optional(),
      raw: z
        .string()
        .regex(/^[0-9a-fA-F\s]+$/, 'expected an Ethernet frame in hexadecimal')
        .optional(),
    })
    .describe('One packet as written, past the sender’s own protocol stack.'),
  send: z
    .strictObject({ on: text, bytes: size, from: z.enum(['client', 'server']).optional() })
    .describe('Sends data on a kept connection.'),
  close: text.describe('Closes a kept connection.'),
  load: z
    .strictObject({
      from: textList,
      to,
      connections: z.number().int().min(1).max(1_000_000),
      rate: eventRate.optional(),
      request: size.optional(),
      response: size.optional(),
      retries: z.number().int().min(0).max(100).optional(),
      close: z.boolean().optional(),
      background: z.literal(true).describe('Later steps run at the same time; `wait` ends it').optional(),
    })
    .describe('Many connections, at a rate.'),
  wait: text.describe('Waits for the background load of this name (`load` when it has no name).'),
  replay: z
    .strictObject({
      file: text,
      from,
      map: z.record(text, text).describe('Addresses to replace, with checksums corrected').optional(),
      speed: z.number().positive().describe('1: as recorded; 2: twice as fast').optional(),
    })
    .describe('Sends the frames of a pcap or pcapng file.'),
  resolve: z
    .strictObject({
      from,
      name: text,
      type: z.enum(['A', 'AAAA', 'CNAME', 'TXT', 'PTR']).optional(),
      server: text.optional(),
    })
    .describe('Asks for a name, as the sender would: its DNS servers, or `server`.'),
  sql: z
    .strictObject({
      from,
      to,
      encrypt: z.boolean().describe('default true').optional(),
      trustServerCertificate: z.boolean().describe('default false').optional(),
      query: text.describe('Sent after the login, e.g. client_net_address').optional(),
      retries: z.number().int().min(0).max(100).optional(),
    })
    .describe('A SQL client logs in: PRELOGIN, LOGIN7, redirection; the name in `to` is its data source.'),
  restart: text.describe('The guest of a NIC starts anew: it asks DHCP again (DNS-6).'),
  setListen: z.strictObject({ nic: text, listen: z.array(port) }).describe('What answers at a host from now on.'),
  advance: duration.describe('Lets virtual time pass.'),
  link: linkSettings.extend({ attachment: text }).describe('Impairs a link from now on; without settings: as new.'),
} as const;

const ruleSide = textList.describe('Prefixes or addresses, one service tag, asg:<name>, or *; default *');
const between = z.tuple([text, text], 'expected the names of two networks').describe('The two networks');
const peeringLink = z.strictObject({
  allowVirtualNetworkAccess: z.boolean().optional(),
  allowForwardedTraffic: z.boolean().optional(),
  allowGatewayTransit: z.boolean().optional(),
  useRemoteGateways: z.boolean().optional(),
});

const decision = z.union([
  text,
  z.strictObject({ endpoint: text, as: z.enum(['owner', 'consumer']).optional(), description: text.optional() }),
]);

const CHANGES = {
  approve: decision.describe('Approves the connection of a private endpoint.'),
  reject: decision.describe('Rejects the connection of a private endpoint.'),
  createEndpoint: z
    .strictObject({
      name: text,
      subnet: text,
      service: text.optional(),
      alias: text.optional(),
      groupId: text.optional(),
      approval: z.enum(['automatic', 'manual']).optional(),
      requestMessage: text.optional(),
      privateIPAddress: text.optional(),
      privateDnsZones: textList.optional(),
      subscription: text.optional(),
      permissions: textList.describe('Role-based permissions of the creator; default: all').optional(),
    })
    .describe('Creates a private endpoint as its consumer.'),
  createManagedEndpoint: z.strictObject({ factory: text, name: text, service: text, groupId: text.optional() }),
  setVisibility: z.strictObject({ service: text, visibility: textList.optional(), autoApproval: textList.optional() }),
  setProxyProtocol: z.strictObject({ service: text, enabled: z.boolean() }),
  setNicTag: z.strictObject({ nic: text, tag: text, value: text.nullable() }),
  setHighScale: z.strictObject({ network: text, enabled: z.boolean() }),
  setAdminState: z.strictObject({ loadBalancer: text, nic: text, state: z.enum(['Up', 'Down', 'None']) }),
  setConnectionType: z.strictObject({ service: text, connectionType: z.enum(['Proxy', 'Redirect', 'Default']) }),
  setPublicEndpoint: z.strictObject({ service: text, enabled: z.boolean() }),
  setRecord: z.strictObject({
    zone: text,
    name: text,
    type: z.enum(['A', 'AAAA', 'CNAME', 'TXT']).optional(),
    values: textList,
  }),
  removeRecord: z.strictObject({ zone: text, name: text, type: z.enum(['A', 'AAAA', 'CNAME', 'TXT']).optional() }),
  linkZone: z.strictObject({
    zone: text,
    network: text,
    registrationEnabled: z.boolean().optional(),
    resolutionPolicy: z.enum(['Default', 'NxDomainRedirect']).optional(),
  }),
  unlinkZone: z.strictObject({ zone: text, network: text }),
  setDnsServers: z.strictObject({ network: text.optional(), nic: text.optional(), servers: textList }),
  setServiceEndpoints: z.strictObject({ subnet: text, services: textList }),
  setAdminRule: z.strictObject({
    manager: text,
    name: text,
    priority: z.number().int().min(1).max(4096),
    direction: z.enum(['Inbound', 'Outbound']),
    access: z.enum(['Allow', 'AlwaysAllow', 'Deny']),
    protocol: z.enum(['Tcp', 'Udp', 'Icmp', 'Esp', 'Ah', '*']).optional(),
    source: ruleSide.optional(),
    sourcePorts: portList.optional(),
    destination: ruleSide.optional(),
    destinationPorts: portList.optional(),
  }),
  removeAdminRule: z.strictObject({ manager: text, name: text }),
  setLearnedRoutes: z.strictObject({ network: text, routes: textList }),
  remove: z
    .strictObject({
      nic: text.optional(),
      endpoint: text.optional(),
      connection: text.optional(),
      service: text.optional(),
    })
    .refine((value) => Object.keys(value).length === 1, 'expected one of nic, endpoint, connection, service')
    .describe('Deletes a NIC, an endpoint, or (by its owner) the connection of an endpoint.'),
  setRule: z
    .strictObject({
      nsg: text,
      name: text,
      priority,
      direction: z.enum(['Inbound', 'Outbound']),
      access: z.enum(['Allow', 'Deny']),
      protocol: z.enum(['Tcp', 'Udp', 'Icmp', 'Esp', 'Ah', '*']).optional(),
      source: ruleSide.optional(),
      sourcePorts: portList.optional(),
      destination: ruleSide.optional(),
      destinationPorts: portList.optional(),
    })
    .describe('Adds a security rule, or replaces the one of this name.'),
  removeRule: z.strictObject({ nsg: text, name: text }),
  setRoute: z
    .strictObject({
      table: text,
      name: text,
      addressPrefix: text,
      nextHopType: z.enum(['VirtualAppliance', 'VirtualNetworkGateway', 'VnetLocal', 'Internet', 'None']),
      nextHopIpAddress: text.optional(),
    })
    .describe('Adds a user-defined route, or replaces the one of this name.'),
  removeRoute: z.strictObject({ table: text, name: text }),
  setPeering: z
    .object({ between })
    .catchall(peeringLink)
    .describe('Creates a peering, or changes the flags of its links, each under the name of its network.'),
  removePeering: z.strictObject({ between }),
  setEndpoint: z.strictObject({
    endpoint: text,
    state: z.enum(['Pending', 'Approved', 'Rejected', 'Disconnected']),
  }),
  setFlushConnection: z.strictObject({ nsg: text, enabled: z.boolean() }),
  setPolicies: z.strictObject({
    subnet: text,
    privateEndpointNetworkPolicies: z.enum(['Disabled', 'Enabled', 'NetworkSecurityGroupEnabled', 'RouteTableEnabled']),
  }),
  setForwarding: z.strictObject({ nic: text, enabled: z.boolean() }),
} as const;

export const ACTIONS = { ...TRAFFIC, ...CHANGES } as const;
export type ActionName = keyof typeof ACTIONS;
/** Actions that change the network. */
export type ChangeName = keyof typeof CHANGES;
/** What the user wrote under the key of an action. */
export type ActionOf<Name extends ActionName> = z.infer<(typeof ACTIONS)[Name]>;
export const ACTION_NAMES = Object.keys(ACTIONS) as readonly ActionName[];

export function isChange(action: string): action is ChangeName {
  return Object.hasOwn(CHANGES, action);
}

const STEP_KEYS = {
  name: text.optional(),
  level: z.enum(['warning', 'error']).describe('A failed `warning` step does not fail the run').optional(),
} as const;

/** What every step may have beside its action. */
export interface StepExtras {
  readonly name?: string;
  readonly level?: 'warning' | 'error';
  readonly expect?: Expectation;
}

/** The keys that the expectation of an action may have; undefined: it takes none. */
export function expectationKeys(action: ActionName): readonly ExpectationKey[] | undefined {
  return (EXPECTATION_KEYS as Partial<Record<ActionName, readonly ExpectationKey[]>>)[action];
}

/** The whole schema of a step with this action. */
export function stepSchema(action: ActionName): z.ZodType<Record<string, unknown>> {
  const keys = expectationKeys(action);
  const expect = keys === undefined ? {} : { expect: expectationSchema(keys).optional() };
  return z.strictObject({ ...STEP_KEYS, ...expect, [action]: ACTIONS[action] });
}
