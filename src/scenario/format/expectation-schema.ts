// What an expectation may say, and which of it each kind of step can answer. A key that a step cannot answer is an
// unknown key there: an expectation is never silently unchecked.

import { z } from 'zod';
import { count, port, text, textList } from './common-schemas.ts';

export const RESULTS = ['established', 'dropped', 'reset', 'timedOut', 'replied', 'lost', 'unreachable'] as const;
export type ResultName = (typeof RESULTS)[number];

export const OUTCOMES = ['delivered', 'exited', 'consumed', 'answered', 'dropped'] as const;

/** Header fields of one packet, as a capture at the point would show them. */
export const headerFields = z
  .strictObject({
    src: text.optional(),
    dst: text.optional(),
    sport: port.optional(),
    dport: port.optional(),
    ttl: z.number().int().optional(),
    /** tcpdump letters: S, S., ., P., F., R, R. */
    flags: text.optional(),
    seq: z.number().int().optional(),
    ack: z.number().int().optional(),
    protocol: z.union([z.enum(['tcp', 'udp', 'icmp', 'esp', 'ah']), z.number().int()]).optional(),
    length: z.number().int().describe('IPv4 total length, bytes').optional(),
    id: z.number().int().describe('IPv4 identification').optional(),
    payload: z.number().int().describe('Payload length, bytes').optional(),
    icmpType: z.number().int().optional(),
    icmpCode: z.number().int().optional(),
    srcMac: text.optional(),
    dstMac: text.optional(),
  })
  .refine((fields) => Object.keys(fields).length > 0, 'expected at least one header field');
export type HeaderFields = z.infer<typeof headerFields>;

export const expectationShape = {
  result: z.enum(RESULTS).optional(),
  outcome: z.enum(OUTCOMES).optional(),
  at: text.describe('Where it ended: `app`, or for a drop also `app:nicNsg`').optional(),
  to: text.describe('Who received it').optional(),
  by: text.describe('What decided: `nsg/rule`, `flow`, or the endpoint for admission').optional(),
  rule: text.describe('Rule that decided: `rule` or `nsg/rule`').optional(),
  route: z
    .union([text, z.array(text).min(1).max(3)])
    .describe('Route chosen at the sender: prefix, or [prefix, source, nextHopType]')
    .optional(),
  reason: text.describe('Drop reason, e.g. NSG_DENY').optional(),
  stage: text.describe('Stage that dropped, e.g. admission').optional(),
  via: textList.describe('Appliances crossed by the first packet, in order').optional(),
  seenBy: z
    .record(text, headerFields)
    .refine((points) => Object.keys(points).length > 0, 'expected at least one point')
    .describe('Header fields of the first packet of the step at each point')
    .optional(),
  notSeenBy: textList.describe('Points where no packet of the step may be seen').optional(),
  established: count.optional(),
  failed: count.optional(),
  retransmissions: count.optional(),
  lost: count.describe('Frames that links lost during the step').optional(),
  bytes: count.describe('Payload bytes that the client received').optional(),
  replies: count.optional(),
  packets: count.describe('Packets sent into the fabric by the step').optional(),
  delivered: count.optional(),
  dropped: count.optional(),
  status: z.enum(['NOERROR', 'NXDOMAIN', 'SERVFAIL', 'REFUSED', 'timeout']).describe('of a DNS answer').optional(),
  address: textList.describe('Addresses of a DNS answer').optional(),
  chain: textList.describe('Canonical names followed, in order').optional(),
  blame: text.describe('What decided a resolution: a zone, `public DNS`, a server').optional(),
  resolvesTo: text.describe('Address that the name in `to` led to, or the name of its owner').optional(),
  tls: z.enum(['ok', 'none', 'certificateNameMismatch']).optional(),
  login: z.enum(['ok', 'error', 'none']).optional(),
  sqlError: z.number().int().optional(),
  connectionType: z.enum(['Proxy', 'Redirect']).optional(),
  connections: count.describe('TCP connections that the client opened').optional(),
  ports: z.array(port).describe('Destination ports of them, in order').optional(),
  value: text.describe('What a query returned').optional(),
  findings: textList.describe('Codes of warnings that a change brought').optional(),
  refused: text.describe('Issue code with which the change is refused').optional(),
} as const;

export type ExpectationKey = keyof typeof expectationShape;

/** Everything an expectation can say; keys that were not written are absent. */
export type Expectation = z.infer<z.ZodObject<typeof expectationShape>>;

const PLACE = ['at', 'to', 'by', 'rule', 'route', 'reason', 'stage', 'via', 'seenBy', 'notSeenBy'] as const;
const COUNTS = ['retransmissions', 'lost', 'packets', 'delivered', 'dropped'] as const;
const CONNECTION = ['result', 'outcome', ...PLACE, ...COUNTS, 'bytes', 'resolvesTo'] as const;
const LOAD = ['established', 'failed', ...PLACE, ...COUNTS, 'bytes'] as const;
const PACKETS = ['outcome', ...PLACE, 'lost', 'packets', 'delivered', 'dropped'] as const;
const CHANGE = ['refused', 'findings'] as const;
const SQL = ['tls', 'login', 'sqlError', 'connectionType', 'connections', 'ports', 'value'] as const;

/** Keys that the expectation of each kind of step may have; a kind that is missing takes no expectation. */
export const EXPECTATION_KEYS = {
  connect: CONNECTION,
  ping: ['result', 'outcome', ...PLACE, 'lost', 'packets', 'delivered', 'dropped', 'replies'],
  udp: ['result', 'outcome', ...PLACE, 'lost', 'packets', 'delivered', 'dropped', 'bytes'],
  packet: PACKETS,
  send: CONNECTION,
  close: CONNECTION,
  load: LOAD,
  wait: LOAD,
  replay: PACKETS,
  resolve: ['result', 'status', 'address', 'chain', 'blame', ...PLACE, 'packets', 'dropped'],
  sql: [...CONNECTION, ...SQL],
  approve: CHANGE,
  reject: CHANGE,
  remove: CHANGE,
  setRule: CHANGE,
  removeRule: CHANGE,
  setRoute: CHANGE,
  removeRoute: CHANGE,
  setPeering: CHANGE,
  removePeering: CHANGE,
  setEndpoint: CHANGE,
  setFlushConnection: CHANGE,
  setPolicies: CHANGE,
  setForwarding: CHANGE,
  createEndpoint: CHANGE,
  createManagedEndpoint: CHANGE,
  setVisibility: CHANGE,
  setProxyProtocol: CHANGE,
  setNicTag: CHANGE,
  setHighScale: CHANGE,
  setAdminState: CHANGE,
  setConnectionType: CHANGE,
  setPublicEndpoint: CHANGE,
  setRecord: CHANGE,
  removeRecord: CHANGE,
  linkZone: CHANGE,
  unlinkZone: CHANGE,
  setDnsServers: CHANGE,
  setServiceEndpoints: CHANGE,
  setAdminRule: CHANGE,
  removeAdminRule: CHANGE,
  setLearnedRoutes: CHANGE,
} as const satisfies Readonly<Record<string, readonly ExpectationKey[]>>;

/** The schema of `expect` for steps that may say `keys`. */
export function expectationSchema(keys: readonly ExpectationKey[]): z.ZodType<Expectation> {
  const mask = Object.fromEntries(keys.map((key) => [key, expectationShape[key]]));
  return z.strictObject(mask) as z.ZodType<Expectation>;
}
