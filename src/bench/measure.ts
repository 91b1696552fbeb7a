// How a lane is measured. End to end and processing come from the same run, in blocks taken in turn: end-to-end windows
// have no timers inside (a clock read costs 45 ns), processing windows time each turn and subtract the clock.

import { OUTCOME } from '../abi/regions.ts';
import { verifyIpv4Checksum, verifyTransportChecksum } from '../wire/index.ts';
import { OutcomeHash, WINDOW } from './figures.ts';
import { BATCH, type Lane, type Outcome } from './lane.ts';

/** Packets per millisecond of the lanes' clock: idle times and sweeps see the time that a real load would take. */
const PACKETS_PER_MS = 32_768;
/** Windows of one kind before the other has its turn. */
const BLOCK = 16;
/** Packets of the warm-up's small batches: V8 optimises the steady state, not a loop it is in the middle of. */
const WARM_BATCH = 16;
const WARM_PACKETS = 400_000;
/** Packets whose outcomes are checked and hashed before the run, and after it: so many of replayed frames, and so many
 * of loads that never repeat. */
const CHECKED = 65_536;
const CHECKED_OF_LOAD = 4096;

/** What a lane is loaded with. */
export interface Load {
  /** Writes the next `count` packets, at most BATCH, and publishes them. */
  readonly write: (count: number) => void;
  /** How many of the packets written so far must be dropped. */
  readonly expectedDrops: () => number;
}

/** What one run says. Windows are nanoseconds per packet. */
export interface Measured {
  readonly endToEnd: readonly number[];
  readonly processing: readonly number[];
  /** Packets per microsecond, wall clock of all end-to-end blocks. */
  readonly wall: number;
  readonly outcome: string;
}

export interface MeasureOptions {
  /** Packets of the end-to-end windows; a quarter as many processing windows are added. */
  readonly packets: number;
  /** Packets before the first window, in small batches; chosen by `packets` when absent. */
  readonly warmUp?: number;
  /** Default: the lane's templates, one after the other, which come round again. */
  readonly load?: Load;
}

/** Measures a lane under a load. Throws when more or fewer packets are dropped than must be, or a frame leaves with a
 * wrong checksum: the figures would mean nothing. */
export function measureLane(lane: Lane, options: MeasureOptions): Measured {
  const load = options.load ?? replayLoad(lane);
  const checked = options.load === undefined ? Math.min(CHECKED, lane.templateCount) : CHECKED_OF_LOAD;
  const outcome = hashOutcomes(lane, load, checked);
  const pump = createPump(lane, load);
  pump.warmUp(options.warmUp ?? Math.min(WARM_PACKETS, Math.max(WINDOW, options.packets)));
  const endToEnd: number[] = [];
  const processing: number[] = [];
  const clockNs = clockCost();
  let blocksNs = 0;
  const windows = Math.ceil(options.packets / WINDOW);
  while (endToEnd.length < windows) {
    const begin = performance.now();
    for (let w = 0; w < BLOCK; w++) endToEnd.push(pump.endToEndWindow() / WINDOW);
    blocksNs += (performance.now() - begin) * 1e6;
    for (let w = 0; w < BLOCK / 4; w++) processing.push(pump.processingWindow(clockNs) / WINDOW);
  }
  pump.checkDrops();
  // Replayed frames of a few flows come round again, and must leave as they did before.
  const comesRound = options.load === undefined && lane.templateCount === checked;
  if (hashOutcomes(lane, load, checked) !== outcome && comesRound)
    throw new Error('the same frames left differently later');
  return { endToEnd, processing, wall: (endToEnd.length * WINDOW * 1e3) / blocksNs, outcome };
}

export interface Pump {
  warmUp(packets: number): void;
  /** Nanoseconds of a window, generator and sink included. */
  endToEndWindow(): number;
  /** Nanoseconds of a window's turns. */
  processingWindow(clockNs: number): number;
  /** Throws when the load's drops are not what they must be. */
  checkDrops(): void;
}

/** The loop around a lane. */
export function createPump(lane: Lane, load: Load): Pump {
  const { turn, sink } = lane;
  const { write } = load;
  const droppedBefore = load.expectedDrops();
  let dropped = 0;
  const run = (packets: number, size: number): void => {
    for (let done = 0; done < packets; done += size) {
      write(size);
      turn();
      dropped += sink();
    }
  };
  return {
    warmUp: (packets) => run(packets, WARM_BATCH),
    endToEndWindow() {
      const begin = performance.now();
      run(WINDOW, BATCH);
      return (performance.now() - begin) * 1e6;
    },
    processingWindow(clockNs) {
      let spent = 0;
      for (let done = 0; done < WINDOW; done += BATCH) {
        write(BATCH);
        const before = performance.now();
        turn();
        spent += (performance.now() - before) * 1e6 - clockNs;
        dropped += sink();
      }
      return spent;
    },
    checkDrops() {
      const expected = load.expectedDrops() - droppedBefore;
      if (dropped !== expected) throw new Error(`${dropped} packets were dropped, expected ${expected}`);
    },
  };
}

/** The lane's templates, one after the other, by a clock that runs as fast as a busy worker's. */
export function replayLoad(lane: Lane): Load {
  const { generate } = lane;
  let sent = 0;
  return {
    write(count) {
      generate(count, 1 + Math.floor(sent / PACKETS_PER_MS));
      sent += count;
    },
    expectedDrops: () => 0,
  };
}

/** Sends the next `count` packets of a load, checks every frame that leaves, and hashes where it went and as what. The
 * hash does not depend on which packet comes first. */
export function hashOutcomes(lane: Lane, load: Load, count: number): string {
  const words = new Map<number, number>();
  for (let done = 0; done < count; done += BATCH) {
    load.write(Math.min(BATCH, count - done));
    lane.turn();
    lane.inspect((outcome) => words.set(outcome.packet, checkedWord(lane, outcome)));
  }
  const hash = new OutcomeHash();
  for (const [packet, word] of [...words].toSorted(([a], [b]) => a - b)) {
    hash.add(packet);
    hash.add(word);
  }
  return hash.hex;
}

/** Bytes from a slot's first frame word to the IPv4 header: two pad bytes and the Ethernet header. */
const IPV4_AT = 16;

/** One word of what became of a packet: its attachment and its rewritten addresses and ports. */
function checkedWord(lane: Lane, outcome: Outcome): number {
  const { attachment, verdict, at } = outcome;
  if (verdict >>> 8 === OUTCOME.dropped) return verdict;
  const { frames, frameWords } = lane.regions;
  const l3 = at * 4 + IPV4_AT;
  if (!verifyIpv4Checksum(frames, l3) || !verifyTransportChecksum(frames, l3)) {
    throw new Error('a frame left with a wrong checksum');
  }
  let word = attachment ^ (verdict << 16);
  for (const w of [4, 6, 7, 8, 9, 12, 13]) word = Math.imul(word ^ frameWords[at + w], 0x01000193);
  return word;
}

/** Nanoseconds that two clock reads add to what is between them: the median of many. */
function clockCost(): number {
  const costs = new Float64Array(1001);
  for (let i = 0; i < costs.length; i++) {
    const before = performance.now();
    costs[i] = (performance.now() - before) * 1e6;
  }
  return costs.sort()[500];
}
