import { expect, test } from 'vitest';
import {
  arrivalNs,
  copiesOf,
  createLink,
  DIRECTION,
  largestDelayNs,
  linkSettingsOf,
} from '../../src/scenario/simulation/link.ts';
import { smallestDelayNs } from '../../src/scenario/simulation/link.ts';
import type { LinkSettings } from '../../src/scenario/simulation/simulation-api.ts';

const IDS = Array.from({ length: 10_000 }, (_, index) => index + 1);

function copies(settings: LinkSettings, seed = 7, way: 0 | 1 = DIRECTION.toFabric): number[] {
  return IDS.map((id) => copiesOf(settings, seed, 3, id, way));
}

function arrivals(settings: LinkSettings, lengthBytes = 1000): number[] {
  const link = createLink(settings);
  return IDS.map((id) => arrivalNs(link, 7, 3, id, DIRECTION.toGuest, id * 1000, lengthBytes) - id * 1000);
}

test('loss takes about as many frames as it says, always the same ones for one seed', () => {
  const lost = copies({ loss: 0.1 }).filter((count) => count === 0).length;
  expect(lost).toBeGreaterThan(900);
  expect(lost).toBeLessThan(1100);
  expect(copies({ loss: 0.1 })).toEqual(copies({ loss: 0.1 }));
  expect(copies({ loss: 0.1 })).not.toEqual(copies({ loss: 0.1 }, 8));
  expect(copies({ loss: 0.1 })).not.toEqual(copies({ loss: 0.1 }, 7, DIRECTION.toGuest));
});

test('certainty and impossibility are exact', () => {
  expect(new Set(copies({ loss: 1 }))).toEqual(new Set([0]));
  expect(new Set(copies({ loss: 0 }))).toEqual(new Set([1]));
  expect(new Set(copies({ duplicate: 1 }))).toEqual(new Set([2]));
  // As in netem, loss takes one copy of a duplicated frame.
  expect(new Set(copies({ duplicate: 1, loss: 1 }))).toEqual(new Set([1]));
});

test('jitter spreads the delay evenly around its middle', () => {
  const delays = arrivals({ delayNs: 1_000_000, jitterNs: 100_000 });
  expect(Math.min(...delays)).toBeGreaterThanOrEqual(900_000);
  expect(Math.max(...delays)).toBeLessThanOrEqual(1_100_000);
  const middle = delays.reduce((sum, delay) => sum + delay, 0) / delays.length;
  expect(Math.abs(middle - 1_000_000)).toBeLessThan(3_000);
});

test('a reordered frame skips the delay', () => {
  const delays = arrivals({ delayNs: 1_000_000, reorder: 0.25 });
  expect(new Set(delays)).toEqual(new Set([0, 1_000_000]));
  expect(delays.filter((delay) => delay === 0).length / delays.length).toBeCloseTo(0.25, 1);
});

test('a rate makes frames wait for each other', () => {
  const link = createLink({ delayNs: 0, rate: 8_000_000 });
  const at = (id: number): number => arrivalNs(link, 7, 3, id, DIRECTION.toFabric, 0, 1000);
  expect([at(1), at(2), at(3)]).toEqual([1e6, 2e6, 3e6]);
  expect(largestDelayNs(link, 0)).toBeGreaterThan(3e6);
  expect(arrivalNs(link, 7, 3, 4, DIRECTION.toGuest, 0, 1000)).toBe(1e6);
});

test('look-ahead may count on no more than the shortest way through', () => {
  expect(smallestDelayNs({})).toBe(50_000);
  expect(smallestDelayNs({ delayNs: 300, jitterNs: 100 })).toBe(200);
  expect(smallestDelayNs({ delayNs: 300, jitterNs: 500 })).toBe(0);
  expect(smallestDelayNs({ delayNs: 300, reorder: 0.1 })).toBe(0);
});

test('settings are written in the words of tc netem', () => {
  expect(linkSettingsOf({ delay: '1.5ms', jitter: '10us', loss: '1%', duplicate: 0.5, rate: '10Mbit' })).toEqual({
    delayNs: 1_500_000,
    jitterNs: 10_000,
    loss: 0.01,
    duplicate: 0.5,
    rate: 1e7,
  });
});
