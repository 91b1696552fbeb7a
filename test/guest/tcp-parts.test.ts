// The parts of TCP that stand alone: sequence numbers, the send buffer, reassembly, the retransmission time.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SendBuffer } from '../../src/guest/tcp/send-buffer.ts';
import { positionOf, sequenceAt } from '../../src/guest/tcp/sequence.ts';
import { Reassembly } from '../../src/guest/tcp/reassembly.ts';
import { DeadlineTimer, RetransmissionTimeout } from '../../src/guest/tcp/timers.ts';
import { Lab, MS } from './lab.ts';

const SEED = 20_260_103;

describe('sequence numbers', () => {
  test('a position survives the way over the wire, beyond 2^32 and over every wrap', () => {
    const near = fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 });
    const property = fc.property(fc.nat(2 ** 32 - 1), fc.nat(2 ** 40), near, (initial, position, distance) => {
      expect(positionOf(initial, sequenceAt(initial, position), position + distance)).toBe(position);
    });
    fc.assert(property, { seed: SEED });
  });
});

describe('the send buffer', () => {
  test('gives back any part of what was appended and not released', () => {
    const chunk = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.record({ fill: fc.nat(600) }));
    const property = fc.property(fc.array(chunk), fc.nat(), fc.nat(), fc.nat(), (chunks, a, b, c) => {
      const buffer = new SendBuffer();
      for (const part of chunks) buffer.append(part);
      const all = Buffer.concat(chunks.map((part) => (part instanceof Uint8Array ? part : pattern(part.fill))));
      expect(buffer.end).toBe(all.length);
      const [released = 0, from = 0, to = 0] = [a, b, c].map((n) => n % (all.length + 1)).sort((x, y) => x - y);
      buffer.release(released);
      const target = new Uint8Array(to - from + 2).fill(0xa5);
      buffer.copyInto(target, 1, from, to - from);
      expect(Buffer.from(target)).toEqual(Buffer.from([0xa5, ...all.subarray(from, to), 0xa5]));
    });
    fc.assert(property, { seed: SEED });
  });

  test('refuses what was released', () => {
    const buffer = new SendBuffer();
    buffer.append({ fill: 10 });
    buffer.release(5);
    expect(() => buffer.copyInto(new Uint8Array(10), 0, 4, 2)).toThrow('not in a buffer of 5 to 10');
    expect(() => buffer.copyInto(new Uint8Array(10), 0, 9, 2)).toThrow('not in a buffer');
  });
});

describe('reassembly', () => {
  test('gives every byte once and in order, whatever arrives when', () => {
    const stream = Uint8Array.from({ length: 200 }, (_, index) => index);
    const piece = fc.tuple(fc.nat(199), fc.integer({ min: 1, max: 50 }));
    const property = fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const reassembly = new Reassembly();
      const taken: number[] = [];
      for (const [start, length] of [...pieces, [0, 200] as const]) {
        reassembly.add(start, stream.subarray(start, start + length));
        const held = reassembly.blocks(100).reduce((sum, block) => sum + block.end - block.start, 0);
        expect(held).toBeLessThanOrEqual(200);
        for (let next = reassembly.take(taken.length); next !== undefined; next = reassembly.take(taken.length)) {
          taken.push(...next);
        }
      }
      expect(taken).toEqual([...stream]);
      expect(reassembly.empty).toBe(true);
    });
    fc.assert(property, { seed: SEED });
  });

  test('joins neighbours into blocks', () => {
    const reassembly = new Reassembly();
    for (const start of [10, 30, 20, 50]) reassembly.add(start, new Uint8Array(10));
    expect(reassembly.blocks(3)).toEqual([
      { start: 50, end: 60 },
      { start: 10, end: 40 },
    ]);
  });
});

describe('the retransmission time (RFC 6298)', () => {
  test('starts at one second', () => {
    expect(new RetransmissionTimeout().currentNs).toBe(1000 * MS);
  });

  test('is the first round trip plus four times half of it', () => {
    const rto = new RetransmissionTimeout();
    rto.measured(400 * MS);
    expect(rto.currentNs).toBe(400 * MS + 4 * 200 * MS);
  });

  test('is at least 200 ms above a steady round trip, so that it never expires by itself', () => {
    const rto = new RetransmissionTimeout();
    for (let i = 0; i < 100; i++) rto.measured(300 * MS);
    expect(rto.currentNs).toBe(500 * MS);
  });

  test('doubles up to 60 s, and back after progress', () => {
    const rto = new RetransmissionTimeout();
    for (let i = 0; i < 5; i++) rto.backOff();
    expect(rto.currentNs).toBe(32_000 * MS);
    rto.backOff();
    expect(rto.currentNs).toBe(60_000 * MS);
    rto.progress();
    expect(rto.currentNs).toBe(1000 * MS);
  });

  test('is three seconds after a SYN was lost', () => {
    const rto = new RetransmissionTimeout();
    rto.startAfterSynLoss();
    expect(rto.currentNs).toBe(3000 * MS);
  });
});

describe('a deadline', () => {
  test('may be moved earlier, later and away', () => {
    const lab = new Lab();
    const fired: number[] = [];
    const timer = deadlineOf(lab, () => fired.push(lab.nowNs / MS));
    timer.start(10 * MS);
    lab.advance(5 * MS);
    timer.start(20 * MS); // later: at 25
    timer.start(3 * MS); // earlier: at 8
    lab.advance(2 * MS);
    timer.start(10 * MS); // later: at 17
    lab.run();
    expect(fired).toEqual([17]);
    expect(timer.running).toBe(false);
    timer.start(1 * MS);
    timer.stop();
    lab.run();
    expect(fired).toEqual([17]);
    expect(lab.pending).toBe(0);
  });
});

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index % 251);
}

function deadlineOf(lab: Lab, callback: () => void): DeadlineTimer {
  const timers: DeadlineTimer[] = [];
  lab.add('timer', { mac: 1, addresses: [] }, (port) => {
    timers.push(new DeadlineTimer(port, callback));
    return { receive: () => {} };
  });
  return timers[0];
}
