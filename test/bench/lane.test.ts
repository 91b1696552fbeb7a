// Lanes, their two ends and the traffic that runs through them.

import { describe, expect, test } from 'vitest';
import { DROP } from '../../src/abi/drop-reasons.ts';
import {
  CONTROL,
  COUNT,
  INGRESS_WORDS,
  IN_ATTACHMENT,
  IN_FACTS,
  IN_LENGTH,
  IN_NOW_MS,
  IN_PACKET,
  IN_SLOT,
  OUTCOME,
  frameOffset,
  type Regions,
} from '../../src/abi/regions.ts';
import { createLane, type Lane } from '../../src/bench/lane.ts';
import { measureLane, replayLoad } from '../../src/bench/measure.ts';
import { createNewcomers } from '../../src/bench/newcomers.ts';
import { SQL_PORT, connectionFrame, createFlowLane, createTraffic, openConnection } from '../../src/bench/traffic.ts';
import { TCP_SYN, verifyIpv4Checksum, verifyTransportChecksum } from '../../src/wire/index.ts';

const traffic = createTraffic({ rules: 3, seed: 7 });
const { program } = traffic.compiled;

function laneOf(count: number, wireBytes: (i: number) => number): Lane {
  const at = (i: number) => connectionFrame(traffic.connection(i), 'forward', undefined, wireBytes(i));
  const lane = createLane({ program, connections: 64, templates: { count, at } });
  for (let i = 0; i < count; i++) openConnection(lane, traffic.connection(i), 0);
  return lane;
}

function descriptorOf({ ingress }: Regions, at: number): number[] {
  const fields = [IN_SLOT, IN_LENGTH, IN_ATTACHMENT, IN_PACKET, IN_NOW_MS, IN_FACTS];
  return fields.map((field) => ingress[at * INGRESS_WORDS + field]!);
}

describe('the generator', () => {
  test.each([
    ['frames of 64 bytes', () => 64],
    ['frames of many sizes', (i: number) => [64, 65, 594, 1518][i % 4]!],
  ])('writes %s into slots as they were rendered, again and again', (_, wireBytes) => {
    const lane = laneOf(7, wireBytes);
    for (let round = 0; round < 3; round++) {
      lane.generate(5, 1);
      const { frameBytes, sizes, control } = lane.regions;
      for (let i = 0; i < 5; i++) {
        const template = (round * 5 + i) % 7;
        const slot = (control[CONTROL.ingressHead]! - 5 + i) & (sizes.slots - 1);
        const { frame, attachment } = connectionFrame(
          traffic.connection(template),
          'forward',
          undefined,
          wireBytes(template),
        );
        const start = frameOffset(sizes, slot);
        expect(frameBytes.slice(start, start + frame.length)).toEqual(frame);
        const facts = traffic.connection(template).shard << 8;
        expect(descriptorOf(lane.regions, slot)).toEqual([slot, frame.length, attachment, template, 1, facts]);
      }
      expect(lane.turn()).toBe(5);
      expect(lane.sink()).toBe(0);
    }
  });

  test('refuses a frame that no slot holds', () => {
    expect(() => laneOf(1, () => 3000)).toThrow('a frame of 2996 bytes');
  });
});

describe('the sink', () => {
  test('counts what was dropped and gives all slots back', () => {
    const lane = createLane({ program, connections: 64 });
    const refused = createNewcomers(lane, traffic, 'forward', TCP_SYN, SQL_PORT + 1);
    const served = createNewcomers(lane, traffic, 'forward', TCP_SYN);
    for (let round = 0; round < 40; round++) {
      refused(round * 10, 10, 1);
      served(0, 1, 1);
      expect(lane.turn()).toBe(11);
      expect(lane.sink()).toBe(10);
    }
    expect(lane.regions.counters[COUNT.dropped + DROP.PE_PORT_NOT_SERVED]).toBe(400);
  });

  test('a frame that must pass and is dropped is an error', () => {
    const lane = createLane({ program, connections: 64 });
    const strayAck = connectionFrame(traffic.connection(0), 'return');
    expect(() => lane.send(strayAck, 0)).toThrow(/a frame was dropped: reason \d+/);
  });
});

describe('new connections', () => {
  test.each(['forward', 'return'] as const)('have right checksums on the way %s', (direction) => {
    const lane = createLane({ program, connections: 4096 });
    createNewcomers(lane, traffic, direction, TCP_SYN)(1020, 200, 1);
    const { frames, sizes } = lane.regions;
    for (let slot = 0; slot < 200; slot++) {
      const l3 = frameOffset(sizes, slot) + 14;
      expect(verifyIpv4Checksum(frames, l3) && verifyTransportChecksum(frames, l3)).toBe(true);
    }
  });

  test('are the connections of the traffic, byte for byte', () => {
    const lane = createLane({ program, connections: 4096 });
    createNewcomers(lane, traffic, 'forward', TCP_SYN)(5000, 1, 1);
    const { frame } = connectionFrame(traffic.connection(5000), 'forward', TCP_SYN);
    const start = frameOffset(lane.regions.sizes, 0);
    expect(lane.regions.frameBytes.slice(start, start + frame.length)).toEqual(frame);
  });
});

describe('the traffic', () => {
  test('flows are directions of connections, and every one is known', () => {
    const { lane } = createFlowLane({ flows: 128, rules: 3, seed: 7 });
    expect(lane.templateCount).toBe(128);
    expect(lane.regions.counters[COUNT.records]).toBe(128);
    const hitsBefore = lane.regions.counters[COUNT.flowHits]!;
    lane.generate(128, 1);
    lane.turn();
    expect(lane.regions.counters[COUNT.flowHits]! - hitsBefore).toBe(128);
    const seen = new Set<number>();
    lane.inspect(({ packet, verdict }) => {
      seen.add(packet);
      expect(verdict).toBe(OUTCOME.delivered << 8);
    });
    expect(seen.size).toBe(128);
  });

  test('two shares together are all connections, and none is in both', () => {
    const ports = [0, 1].map((index) => {
      const { lane } = createFlowLane({ flows: 64, rules: 3, seed: 7, share: { index, of: 2 } });
      return keysOf(lane);
    });
    const all = keysOf(createFlowLane({ flows: 64, rules: 3, seed: 7 }).lane);
    expect(ports.flat().toSorted()).toEqual(all.toSorted());
  });
});

/** Ingress attachment, addresses and ports of each template. */
function keysOf(lane: Lane): string[] {
  const { ingress, frameWords, control, sizes } = lane.regions;
  const head = control[CONTROL.ingressHead]!;
  lane.generate(lane.templateCount, 1);
  return Array.from({ length: lane.templateCount }, (_, i) => {
    const slot = (head + i) & (sizes.slots - 1);
    const word = (frameOffset(sizes, slot) - 2) / 4;
    return [ingress[slot * INGRESS_WORDS + IN_ATTACHMENT], ...frameWords.subarray(word + 7, word + 10)].join(' ');
  });
}

describe('measuring', () => {
  test('a lane that drops what it should not is not measured', () => {
    const { lane } = createFlowLane({ flows: 64, rules: 3, seed: 7 });
    const load = { write: replayLoad(lane).write, expectedDrops: () => lane.regions.control[CONTROL.ingressHead]! };
    expect(() => measureLane(lane, { packets: 2048, load })).toThrow(/0 packets were dropped, expected \d+/);
  });

  test('what leaves does not depend on how much was measured', () => {
    const outcomes = [2048, 65_536].map((packets) => {
      const { lane } = createFlowLane({ flows: 64, rules: 3, seed: 7 });
      return measureLane(lane, { packets }).outcome;
    });
    expect(outcomes[0]).toBe(outcomes[1]);
  });
});
