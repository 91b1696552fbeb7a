import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventQueue } from '../../src/scenario/simulation/event-queue.ts';

test('events leave in the order of time, and those of one instant in the order in which they were added', () => {
  const times = fc.array(fc.nat({ max: 20 }), { maxLength: 200 });
  fc.assert(
    fc.property(times, fc.nat({ max: 5 }), (added, takenBetween) => {
      const queue = new EventQueue<{ timeNs: number; sequence: number }>();
      const taken: { timeNs: number; sequence: number }[] = [];
      let floor = 0;
      for (const [sequence, offset] of added.entries()) {
        queue.add({ timeNs: floor + offset, sequence });
        if (sequence % 6 !== takenBetween) continue;
        const event = queue.take();
        if (event === undefined) continue;
        taken.push(event);
        floor = event.timeNs;
      }
      for (let event = queue.take(); event !== undefined; event = queue.take()) taken.push(event);
      const sorted = taken.toSorted((a, b) => a.timeNs - b.timeNs || a.sequence - b.sequence);
      expect(taken).toHaveLength(added.length);
      expect(taken.map((event) => event.timeNs)).toEqual(sorted.map((event) => event.timeNs));
      expect(queue.size).toBe(0);
    }),
    { seed: 20260101 },
  );
});

test('events of one instant keep their order', () => {
  const queue = new EventQueue<{ timeNs: number; sequence: number }>();
  for (let sequence = 0; sequence < 100; sequence++) queue.add({ timeNs: sequence % 3, sequence });
  const order: number[] = [];
  for (let event = queue.take(); event !== undefined; event = queue.take())
    order.push(event.timeNs * 1000 + event.sequence);
  expect(order).toEqual(order.toSorted((a, b) => a - b));
});
