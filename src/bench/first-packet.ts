// First packets: SYNs of connections nobody has seen, through both rule gates, route, endpoint and its source port,
// with both records installed; later torn down. A fixed number of connections is alive at any time: the clock runs so
// fast that exactly that many fit into the time that a connection lives.

import { FIN_LINGER_MS, IDLE_MS_DEFAULT } from '../abi/limits.ts';
import { TCP_ACK, TCP_FIN, TCP_SYN } from '../wire/index.ts';
import { benchRow, type BenchRow } from './figures.ts';
import { createLane } from './lane.ts';
import { measureLane, type Load } from './measure.ts';
import { createNewcomers, type Newcomers } from './newcomers.ts';
import { createTraffic, type TrafficSize } from './traffic.ts';

export interface FirstPacketOptions extends TrafficSize {
  readonly prefixes: number;
  /** Connections alive. */
  readonly active: number;
  /** Connections to open while it is measured, after the table has filled. */
  readonly connections: number;
}

/** SYNs only; a connection is forgotten when its idle time is over. Windows are turns, setup and teardown inside. */
export function firstPacket(options: FirstPacketOptions): BenchRow[] {
  // Room for the dead that the sweep has not come to yet: it goes once through the table in a quarter of the idle time.
  const capacity = Math.ceil(options.active * 1.5);
  return [measureOpenings('first-packet', options, [['forward', TCP_SYN]], IDLE_MS_DEFAULT, capacity)];
}

/** SYN, SYN/ACK and a FIN from both sides; a connection is forgotten when the linger time is over. Figures are per
 * connection. */
export function closedConnections(options: FirstPacketOptions): BenchRow[] {
  const frames: FrameKind[] = [
    ['forward', TCP_SYN],
    ['return', TCP_SYN | TCP_ACK],
    ['forward', TCP_FIN | TCP_ACK],
    ['return', TCP_FIN | TCP_ACK],
  ];
  // The sweep needs as long as a closed connection lives, and they do not die in the order of the table.
  return [measureOpenings('first-packet/closed', options, frames, FIN_LINGER_MS, options.active * 3)];
}

/** Direction and TCP flags. */
type FrameKind = readonly ['forward' | 'return', number];

function measureOpenings(
  id: string,
  options: FirstPacketOptions,
  frames: readonly FrameKind[],
  lifeMs: number,
  capacity: number,
): BenchRow {
  const { rules, prefixes, active, connections, seed } = options;
  const traffic = createTraffic(options);
  const lane = createLane({ program: traffic.compiled.program, connections: capacity + 1024 });
  const writers = frames.map(([direction, flags]) => createNewcomers(lane, traffic, direction, flags));
  const load = openingLoad(writers, lifeMs / active);
  const measured = measureLane(lane, {
    load,
    packets: connections * frames.length,
    // Until `active` are alive the table only fills: the steady state begins when as many die as are born.
    warmUp: Math.ceil(active * 1.5) * frames.length,
  });
  const windows = measured.processing.map((ns) => ns * frames.length);
  const wall = measured.wall / frames.length;
  return benchRow(id, { rules, prefixes, active, seed }, windows, measured.outcome, { wall });
}

/** Connections of which one frame is sent before the next frame of each. */
const ROUND = 64;

/** Each writer's frame of ROUND connections, then the next writer's of the same, then the next connections. */
function openingLoad(writers: readonly Newcomers[], msPerConnection: number): Load {
  let opened = 0;
  let writer = 0;
  let written = 0;
  return {
    write(count) {
      for (let left = count; left > 0;) {
        const part = Math.min(left, ROUND - written);
        writers[writer](opened + written, part, Math.floor((opened + written) * msPerConnection));
        left -= part;
        written += part;
        if (written < ROUND) continue;
        written = 0;
        writer = writer + 1 === writers.length ? 0 : writer + 1;
        if (writer === 0) opened += ROUND;
      }
    },
    expectedDrops: () => 0,
  };
}
