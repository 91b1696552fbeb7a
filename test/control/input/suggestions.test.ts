// "Did you mean": near words are found, far ones are not.

import { expect, it } from 'vitest';
import { suggest } from '../../../src/control/input/suggestions.ts';

it.each([
  ['adressSpace', 'addressSpace'],
  ['subent', 'subnet'],
  ['SUBNET', 'subnet'],
  ['networkSecurityGrups', 'networkSecurityGroups'],
  ['ab', undefined],
  ['gateway', undefined],
])('suggests for %s: %s', (word, expected) => {
  expect(suggest(word, ['subnets', 'subnet', 'addressSpace', 'networkSecurityGroups', 'xyz'])).toBe(expected);
});
