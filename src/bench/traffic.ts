// The traffic of the benchmarks: TCP connections from the clients of the benchmark's network to its private endpoints,
// opened by SYN and SYN/ACK, and the frames that are replayed on them. A flow is one direction of a connection: 1,024
// flows are 512 connections, and 1,024 records are hit.

import { SHARDS } from '../abi/limits.ts';
import type { Compiled } from '../control/compile/compiled.ts';
import { TCP_ACK, TCP_SYN, buildFrame, updateChecksum16 } from '../wire/index.ts';
import { BATCH, createLane, type Lane, type LaneOptions, type Template } from './lane.ts';
import {
  CLIENT_FIRST,
  ENDPOINT_FIRST,
  SERVICE_FIRST,
  benchCompiled,
  benchNetwork,
  type NetworkSize,
} from './network.ts';
import { Random } from './random.ts';

const CLIENTS = 64;
const ENDPOINTS = 16;
export const SQL_PORT = 1433;
const PORT_FIRST = 10_000;
const PORTS = 50_000;
/** Pairs of client and endpoint; connection numbers go round them first, then to the next port. */
export const PAIRS = CLIENTS * ENDPOINTS;
/** Bytes of the frame check sequence, which frames in memory do not have. */
const FCS_BYTES = 4;

/** How large the network behind the traffic is. */
export interface TrafficSize {
  /** User rules of each of the two groups. */
  readonly rules: number;
  /** Prefixes in each group's rules; four per rule when absent. */
  readonly prefixes?: number;
  readonly seed: number;
}

/** One connection: where its two sides send, and what. */
export interface Connection {
  readonly client: number;
  readonly provider: number;
  readonly shard: number;
  readonly srcPort: number;
  readonly dstPort: number;
  readonly clientAddress: number;
  readonly endpointAddress: number;
  readonly serviceAddress: number;
}

export interface Traffic {
  readonly compiled: Compiled;
  /** Client ports: the first, and how many before connection numbers start over. */
  readonly portFirst: number;
  readonly ports: number;
  /** The connection with a number. */
  connection(number: number): Connection;
}

/** Compiles the benchmark's network and knows its connections. */
export function createTraffic(size: TrafficSize): Traffic {
  return trafficOf(benchCompiled(benchNetwork(networkSize(size))));
}

/** The size of the network that the traffic runs through. */
export function networkSize({ rules, prefixes, seed }: TrafficSize): NetworkSize {
  return { clients: CLIENTS, endpoints: ENDPOINTS, rules, prefixes: prefixes ?? rules * 4, seed };
}

/** The connections of a compiled network of that size. */
export function trafficOf(compiled: Compiled): Traffic {
  const ids = new Map(compiled.sideTable.attachments.map((info) => [`${info?.kind} ${info?.name}`, info?.attachment]));
  const idOf = (name: string): number => {
    const id = ids.get(name);
    if (id === undefined) throw new Error(`the benchmark's network has no attachment '${name}'`);
    return id;
  };
  const clients = Array.from({ length: CLIENTS }, (_, i) => idOf(`nic client${i}`));
  const providers = Array.from({ length: ENDPOINTS }, (_, i) => idOf(`provider pe${i}`));
  return {
    compiled,
    portFirst: PORT_FIRST,
    ports: PORTS,
    connection(number) {
      const client = number % CLIENTS;
      const endpoint = Math.floor(number / CLIENTS) % ENDPOINTS;
      return {
        client: clients[client],
        provider: providers[endpoint],
        shard: number % SHARDS,
        dstPort: SQL_PORT,
        srcPort: PORT_FIRST + (Math.floor(number / PAIRS) % PORTS),
        clientAddress: CLIENT_FIRST + client,
        endpointAddress: ENDPOINT_FIRST + endpoint,
        serviceAddress: SERVICE_FIRST + endpoint,
      };
    },
  };
}

/** A frame of a connection. `wireBytes` counts the frame check sequence, as frame sizes are quoted: 64 to 1518. */
export function connectionFrame(
  connection: Connection,
  direction: 'forward' | 'return',
  flags = TCP_ACK,
  wireBytes = 64,
): Template {
  const { clientAddress, endpointAddress, serviceAddress, srcPort, dstPort, client, provider, shard } = connection;
  const payload = new Uint8Array(wireBytes - FCS_BYTES - 54);
  const tcp = { flags, seq: 1, ack: (flags & TCP_ACK) === 0 ? 0 : 1 };
  const frame =
    direction === 'forward'
      ? buildFrame({ src: clientAddress, dst: endpointAddress, tcp: { srcPort, dstPort, ...tcp }, payload })
      : buildFrame({
          src: serviceAddress,
          dst: clientAddress,
          tcp: { srcPort: dstPort, dstPort: srcPort, ...tcp },
          payload,
        });
  return { frame, attachment: direction === 'forward' ? client : provider, shard };
}

/** As `connectionFrame`, for many connections to one port: each pair of client and endpoint is rendered once, then only
 * the client's port changes (RFC 1624). Two million frames take a second instead of six. */
function connectionFrames(
  direction: 'forward' | 'return',
  flags: number,
  wireBytes: number,
): (connection: Connection) => Template {
  const rendered = new Map<number, Template>();
  const portAt = direction === 'forward' ? 34 : 36;
  return (connection) => {
    const pair = connection.client * PAIRS + connection.endpointAddress - ENDPOINT_FIRST;
    const known = rendered.get(pair) ?? connectionFrame({ ...connection, srcPort: 0 }, direction, flags, wireBytes);
    rendered.set(pair, known);
    const frame = known.frame.slice();
    const { srcPort, shard } = connection;
    frame[portAt] = srcPort >>> 8;
    frame[portAt + 1] = srcPort & 0xff;
    const checksum = updateChecksum16((frame[TCP_CHECKSUM_AT] << 8) | frame[TCP_CHECKSUM_AT + 1], 0, srcPort);
    frame[TCP_CHECKSUM_AT] = checksum >>> 8;
    frame[TCP_CHECKSUM_AT + 1] = checksum & 0xff;
    return { ...known, frame, shard };
  };
}

const TCP_CHECKSUM_AT = 50;

/** Opens a connection: SYN and SYN/ACK pass, both directions have their records and paths. */
export function openConnection(lane: Lane, connection: Connection, nowMs: number): void {
  openConnections(lane, [connection], nowMs);
}

/** Opens connections, a batch at a time. Throws when a frame is dropped. */
export function openConnections(lane: Lane, connections: readonly Connection[], nowMs: number): void {
  const steps = [connectionFrames('forward', TCP_SYN, 64), connectionFrames('return', TCP_SYN | TCP_ACK, 64)];
  for (let first = 0; first < connections.length; first += BATCH) {
    const batch = connections.slice(first, first + BATCH);
    for (const frameOf of steps) {
      for (const connection of batch) lane.inject(frameOf(connection), nowMs);
      lane.turn();
      if (lane.sink() > 0) throw new Error('a frame that opens a connection was dropped');
    }
  }
}

export interface FlowOptions extends TrafficSize {
  /** Flows, two per connection. */
  readonly flows: number;
  /** Frame sizes on the wire, repeated over the flows; default [64]. */
  readonly frames?: readonly number[];
  /** Every `of`-th connection from `index` on belongs to this lane; default all. */
  readonly share?: { readonly index: number; readonly of: number };
}

/** A lane with the connections of `flows` flows open and one template per flow, in an order that jumps through the flow
 * table: the seed decides it, and sequential memory would flatter the figures. */
export function createFlowLane(
  options: FlowOptions,
  laneOptions: Omit<LaneOptions, 'program' | 'connections' | 'templates'> & { readonly connections?: number } = {},
): { lane: Lane; traffic: Traffic } {
  const traffic = createTraffic(options);
  const { index, of } = options.share ?? { index: 0, of: 1 };
  const frames = options.frames ?? [64];
  const connections: Connection[] = [];
  for (let number = index; number < options.flows / 2; number += of) connections.push(traffic.connection(number));
  const flows = Int32Array.from({ length: Math.min(options.flows, 2 * connections.length) }, (_, i) => i);
  shuffle(flows, options.seed);
  const forward = frames.map((wireBytes) => connectionFrames('forward', TCP_ACK, wireBytes));
  const back = frames.map((wireBytes) => connectionFrames('return', TCP_ACK, wireBytes));
  const templateAt = (i: number): Template => {
    const frameOf = (flows[i] % 2 === 0 ? forward : back)[i % frames.length];
    return frameOf(connections[flows[i] >> 1]);
  };
  const lane = createLane({
    connections: connections.length + 64,
    ...laneOptions,
    program: traffic.compiled.program,
    templates: { count: flows.length, at: templateAt },
  });
  openConnections(lane, connections, 0);
  return { lane, traffic };
}

/** Fisher-Yates with a fixed seed. */
export function shuffle(items: Int32Array, seed: number): void {
  const random = new Random(seed);
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const item = items[i];
    items[i] = items[j];
    items[j] = item;
  }
}
