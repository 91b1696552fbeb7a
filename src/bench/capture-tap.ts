// What a tap costs: the turns of one lane with every packet tapped twice, minus the turns of the same lane with no tap
// selected, in blocks taken in turn; capture goes on and off as in a run, by a push. And what a network that could be
// captured pays while it is not: turns after a capture has ended, minus turns before there ever was one.

import { CONTROL, COUNT, type Regions } from '../abi/regions.ts';
import type { Program } from '../abi/program.ts';
import { RECORDS_PER_PACKET, compileCaptured } from './capture-contract.ts';
import { benchRow, figuresOf, round, type BenchRow, type Figures } from './figures.ts';
import type { Lane } from './lane.ts';
import { measureLane, replayLoad } from './measure.ts';
import { createFlowLane } from './traffic.ts';

export interface CaptureTapOptions {
  /** At most 4,096: so many packets are checked, and every flow must be among them. */
  readonly flows: number;
  readonly rules: number;
  /** Bytes of a frame on the wire, 64 to 1518. */
  readonly frame: number;
  /** Packets of one block. */
  readonly packets: number;
  /** Blocks with taps, and as many without. */
  readonly rounds: number;
  readonly seed: number;
}

const WHOLE_FRAMES = 0x7fffffff;
/** Packets after each push: paths are cached anew, and V8 sees the steady state before the windows. */
const WARM_PACKETS = 100_000;

/**
 * Two rows. `capture-tap`: nanoseconds per copied frame; each packet is copied twice, as sent and as received.
 * `capture-tap/idle`: nanoseconds per packet while no capture runs, and in `costPercent` what the feature costs then.
 * Throws when a record is lost or packets leave another way than without taps.
 */
export function captureTap(options: CaptureTapOptions): BenchRow[] {
  const { flows, rules, frame, seed, rounds } = options;
  const { lane, traffic } = createFlowLane(
    { flows, rules, seed, frames: [frame] },
    { capture: true, snapLength: WHOLE_FRAMES },
  );
  const untapped = traffic.compiled.program;
  const tapped = compileCaptured({ rules, seed }, traffic.compiled).program;
  const blocks = new Blocks(lane, options.packets);
  const before: number[] = [];
  const off: number[] = [];
  const on: number[] = [];
  for (let i = 0; i < rounds; i++) before.push(...blocks.measure(untapped, false));
  for (let i = 0; i < rounds; i++) {
    on.push(...blocks.measure(tapped, true));
    off.push(...blocks.measure(untapped, false));
  }
  const lost = lane.regions.counters[COUNT.tapsLost];
  if (lost > 0) throw new Error(`${lost} records were lost`);
  const params = { flows, frame, rules, seed };
  const idle = figuresOf(off).median;
  const never = figuresOf(before).median;
  const copies = copiesOf(figuresOf(on), figuresOf(off));
  const extra = { tappedNs: figuresOf(on).median, untappedNs: idle, copiesPerPacket: RECORDS_PER_PACKET };
  return [
    { id: 'capture-tap', params, ...copies, outcome: blocks.outcome, extra },
    benchRow('capture-tap/idle', params, off, blocks.outcome, {
      extra: { neverCapturedNs: never, costPercent: round((idle / never - 1) * 100) },
    }),
  ];
}

/** Blocks of turns of one lane, under one program or another. */
class Blocks {
  outcome = '';
  private readonly lane: Lane;
  private readonly drained: Lane;
  private readonly packets: number;
  private readonly load;

  constructor(lane: Lane, packets: number) {
    const { regions } = lane;
    this.lane = lane;
    this.packets = packets;
    this.load = replayLoad(lane);
    // Somebody reads the ring between two turns; here nobody looks at what is in it.
    this.drained = {
      ...lane,
      sink: () => {
        forgetTaps(regions);
        return lane.sink();
      },
      inspect: (visit) => {
        forgetTaps(regions);
        lane.inspect(visit);
      },
    };
  }

  /** Nanoseconds per packet of the turns of many windows. */
  measure(program: Program, isTapped: boolean): readonly number[] {
    const { load, packets, lane } = this;
    const { control } = lane.regions;
    lane.forwarder.load(program);
    while (lane.forwarder.tidy()) continue;
    const headBefore = control[CONTROL.tapHead];
    const { processing, outcome } = measureLane(this.drained, { packets, load, warmUp: WARM_PACKETS });
    if (this.outcome !== '' && outcome !== this.outcome) throw new Error('a tap changed what became of a packet');
    if ((control[CONTROL.tapHead] !== headBefore) !== isTapped)
      throw new Error(isTapped ? 'nothing was tapped' : 'packets were tapped');
    this.outcome = outcome;
    return processing;
  }
}

function forgetTaps({ control }: Regions): void {
  Atomics.store(control, CONTROL.tapTail, control[CONTROL.tapHead]);
}

/** Nanoseconds per copied frame, percentile by percentile, and copies per microsecond. */
function copiesOf(on: Figures, off: Figures): Pick<BenchRow, 'nsPerPacket' | 'mpps'> {
  const ns = (which: keyof Figures): number => round((on[which] - off[which]) / RECORDS_PER_PACKET);
  const mpps = (which: keyof Figures): number => round(1e3 / ns(which));
  return {
    nsPerPacket: { best: ns('best'), p10: ns('p10'), median: ns('median') },
    mpps: { best: mpps('best'), p10: mpps('p10'), median: mpps('median'), wall: mpps('median') },
  };
}
