// Memory per connection: both directions of a connection that is not translated, index included. The figure is computed
// from the region table; then as many connections are opened as the table was made for, and all must be known.

import { COUNT, regionSizes, regionTable } from '../abi/regions.ts';
import { TCP_ACK, TCP_SYN, buildFrame } from '../wire/index.ts';
import { OutcomeHash, WINDOW, benchRow, type BenchRow } from './figures.ts';
import { createLane, type Template } from './lane.ts';
import { CLIENT_FIRST } from './network.ts';
import { createTraffic } from './traffic.ts';

export interface MemoryOptions {
  readonly connections: number;
  readonly seed: number;
}

const REGIONS_OF_A_FLOW = ['index', 'records', 'recordsCold'];
const PORT_FIRST = 10_000;
const PORTS = 50_000;
/** Opening frames per connection: SYN and SYN/ACK. */
const FRAMES = 2;

/** Windows are nanoseconds per opening packet, one by one. */
export function memoryPerConnection({ connections, seed }: MemoryOptions): BenchRow[] {
  const rows = regionTable(regionSizes({ connections, slots: 64, capture: false }));
  const bytes = rows.reduce((sum, { name, bytes: size }) => sum + (REGIONS_OF_A_FLOW.includes(name) ? size : 0), 0);
  const traffic = createTraffic({ rules: 1, seed });
  const lane = createLane({ program: traffic.compiled.program, connections, slots: 64 });
  const windows: number[] = [];
  let begin = performance.now();
  for (let number = 0; number < connections; number++) {
    const { client, peer, srcPort } = pairOf(number);
    const [from, to] = [traffic.connection(client).client, traffic.connection(peer).client];
    const ports = { srcPort, dstPort: 22 };
    const back = { srcPort: 22, dstPort: srcPort };
    lane.send(segment(from, client, peer, { ...ports, flags: TCP_SYN }), 0);
    lane.send(segment(to, peer, client, { ...back, flags: TCP_SYN | TCP_ACK }), 0);
    if (((number + 1) * FRAMES) % WINDOW !== 0) continue;
    windows.push(((performance.now() - begin) * 1e6) / WINDOW);
    begin = performance.now();
  }
  const records = lane.regions.counters[COUNT.records];
  if (records !== 2 * connections) throw new Error(`${records} records of ${connections} connections`);
  const hash = new OutcomeHash();
  for (const counter of [COUNT.received, COUNT.delivered, COUNT.records]) hash.add(lane.regions.counters[counter]);
  return [
    benchRow('memory', { connections, seed }, windows, hash.hex, {
      extra: { bytesPerConnection: Math.ceil(bytes / connections), records },
    }),
  ];
}

/** Connections go from client 0 to all others, then from client 1 and so on, then to the next port. */
function pairOf(number: number): { client: number; peer: number; srcPort: number } {
  const clients = 64;
  const client = number % clients;
  const peer = (client + 1 + (Math.floor(number / clients) % (clients - 1))) % clients;
  return { client, peer, srcPort: PORT_FIRST + (Math.floor(number / (clients * (clients - 1))) % PORTS) };
}

function segment(
  attachment: number,
  client: number,
  peer: number,
  tcp: { srcPort: number; dstPort: number; flags: number },
): Template {
  return {
    attachment,
    frame: buildFrame({ src: CLIENT_FIRST + client, dst: CLIENT_FIRST + peer, tcp, payload: new Uint8Array(6) }),
  };
}
