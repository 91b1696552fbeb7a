import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkProgram } from '../../src/abi/program-check.ts';
import { ProgramError, decodeProgram, encodeProgram, type Program } from '../../src/abi/program.ts';
import { compileNetwork, createRegistry } from '../../src/control/compile/compile.ts';
import { behaviourOf } from '../../src/control/model/profile.ts';
import { networkOf } from '../control/compile/networks.ts';

const SEED = 20260101;

function sample(): Program {
  const network = networkOf({
    vnets: { a: ['10.0.0.0/16'] },
    subnets: { s: { vnet: 'a', cidr: '10.0.0.0/24', nsg: 'n' }, p: { vnet: 'a', cidr: '10.0.1.0/24' } },
    nics: { x: { subnet: 's', ip: '10.0.0.4', pip: '20.0.0.1' } },
    nsgs: { n: [[100, 'In', 'Tcp', '*', '*', '*', '80', 'Deny', 'No80']] },
    pes: { e: { subnet: 'p', ip: '10.0.1.4', ports: ['1433'] } },
  });
  return compileNetwork(network, behaviourOf(), { epoch: 1, registry: createRegistry() }).program;
}

test('a program survives the push unchanged', () => {
  const program = sample();
  const received = decodeProgram(encodeProgram(program));
  checkProgram(received);
  expect(received).toEqual(program);
});

test('columns are read where they arrived: nothing is copied', () => {
  const bytes = encodeProgram(sample());
  const received = decodeProgram(bytes);
  expect(received.attachments.kind.buffer).toBe(bytes.buffer);
  expect(received.ruleSets[0]!.access.buffer).toBe(bytes.buffer);
});

test('a program that arrives at an odd address is the same', () => {
  const program = sample();
  const bytes = encodeProgram(program);
  for (const shift of [1, 2, 3]) {
    const moved = new Uint8Array(bytes.length + shift).subarray(shift);
    moved.set(bytes);
    expect(decodeProgram(moved)).toEqual(program);
  }
});

test.each([
  ['has three bytes of a word', [1, 1, 2, 3]],
  ['ends before its words begin', [3, 0]],
  ['begins nowhere', [0, 1, 2, 3, 4]],
  ['is empty', []],
])('a column that %s is refused', (_, data) => {
  const bytes = Uint8Array.from([0xc7, data.length, 1, ...data]);
  expect(() => decodeProgram(bytes)).toThrow(new ProgramError('a column of a pushed program is not whole words'));
});

test('damaged bytes are refused as a damaged program, never as anything else', () => {
  const bytes = encodeProgram(sample());
  const change = fc.record({ at: fc.nat(bytes.length - 1), value: fc.nat(255) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(bytes.length), (changes, length) => {
      const damaged = bytes.slice(0, length % 7 === 0 ? length : bytes.length);
      for (const { at, value } of changes) damaged[at] = value;
      try {
        checkProgram(decodeProgram(damaged));
      } catch (error) {
        expect(error).toBeInstanceOf(ProgramError);
      }
    }),
    { seed: SEED, numRuns: 3000 },
  );
});

test.each([
  ['an unknown version', (p: Program): unknown => ({ ...p, version: 9 }), /version is 9/],
  ['an epoch of 0', (p: Program): unknown => ({ ...p, epoch: 0 }), /epoch is 0/],
  ['an exit that is not one', (p: Program): unknown => ({ ...p, internet: p.platform }), /is not of kind internet/],
  [
    'a route to an attachment that does not exist',
    (p: Program): unknown => ({ ...p, routes: { ...p.routes, target: p.routes.target.map(() => 999) } }),
    /routes\.target\[0\] is 999/,
  ],
  ['a rule index outside the side table', (p: Program): unknown => ({ ...p, ruleCount: 1 }), /ruleIndex/],
])('%s is refused', (_, damage, message) => {
  expect(() => checkProgram(damage(sample()) as Program)).toThrow(message);
});
