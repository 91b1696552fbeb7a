// The notation of conformance cases as types, and the strict reading of its parts. Anything that the notation does not
// know is refused here, so that no case passes because a part of it was ignored.

import { z } from 'zod';

/** A case as it stands in a file. */
export interface RawCase {
  readonly id: string;
  readonly kind: string;
  readonly topo?: string;
  readonly override?: Readonly<Record<string, unknown>>;
  readonly profile?: string;
  readonly expect?: unknown;
  readonly [key: string]: unknown;
}

/** Keys of a case that say where it comes from or which network it runs in; the rest belongs to its kind. */
export const COMMON_KEYS: readonly string[] = [
  'id',
  'kind',
  'rules',
  'origin',
  'src',
  'note',
  'topo',
  'override',
  'profile',
  'expect',
];

const text = z.union([z.string(), z.number()]).transform(String);
const optionalName = text.nullish().transform((value) => value ?? undefined);
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);

const ruleRow = z.tuple([
  z.number(),
  z.enum(['In', 'Out']),
  text,
  text,
  text,
  text,
  text,
  z.enum(['Allow', 'Deny']),
  text,
]);
const routeRow = z.tuple([text, text, text.nullable(), text]);
const linkFlags = z.strictObject({ access: z.boolean().optional(), forwarded: z.boolean().optional() });
/** One peering: both networks, and flags by network. */
export const peerRow = z.tuple([text, text]).rest(z.record(z.string(), linkFlags));

/** State of a private endpoint connection, as written in `pes` and in `setPeState`. */
export const connectionState = z.enum(['Pending', 'Approved', 'Rejected', 'Disconnected']);
/** Rows of one network security group, of one route table, and of the list of peerings. */
export const ruleRows = z.array(ruleRow);
export const routeRows = z.array(routeRow);
export const peerRows = z.array(peerRow);

const topologySchema = z.strictObject({
  vnets: z.record(z.string(), z.array(text)),
  subnets: z.record(
    z.string(),
    z.strictObject({
      vnet: text,
      cidr: text,
      nsg: optionalName,
      rt: optionalName,
      pePolicy: z.enum(['Disabled', 'Enabled', 'NetworkSecurityGroupEnabled', 'RouteTableEnabled']).optional(),
      disableBgp: flag,
    }),
  ),
  nics: z
    .record(
      z.string(),
      z.strictObject({
        subnet: text,
        ip: text,
        nsg: optionalName,
        ipfwd: flag,
        pip: optionalName,
        snat: flag,
        stateful: flag,
        snatTag: flag,
      }),
    )
    .default({}),
  nsgs: z.record(z.string(), ruleRows).default({}),
  rts: z.record(z.string(), routeRows).default({}),
  bgp: z.record(z.string(), z.array(text)).default({}),
  peers: peerRows.default([]),
  pes: z
    .record(
      z.string(),
      z.strictObject({ subnet: text, ip: text, ports: z.array(text), state: connectionState.default('Approved') }),
    )
    .default({}),
  se: z.record(z.string(), z.array(text)).default({}),
  asgs: z.record(z.string(), z.array(text)).default({}),
});

/** A network in the notation of the cases, after the override has been merged. */
export type Topology = z.output<typeof topologySchema>;
export type RuleRow = z.output<typeof ruleRow>;
export type RouteRow = z.output<typeof routeRow>;
export type PeerRow = z.output<typeof peerRow>;

/** Reads a topology of the notation. Throws an Error that names every part that is not understood. */
export function parseTopology(value: unknown): Topology {
  return parsePart(topologySchema, value, 'topology');
}

/** Reads one part of a case by its schema. Throws an Error that names every part that is not understood. */
export function parsePart<T extends z.ZodType>(schema: T, value: unknown, what: string): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => {
    const path = issue.path.join('.');
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
  throw new Error(`${what} not understood: ${problems.join('; ')}`);
}
