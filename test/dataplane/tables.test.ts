import { expect, test } from 'vitest';
import type { Program } from '../../src/abi/program.ts';
import { compileNetwork, createRegistry } from '../../src/control/compile/compile.ts';
import { behaviourOf } from '../../src/control/model/profile.ts';
import {
  HOT_FABRIC_HIGH,
  HOT_FABRIC_LOW,
  HOT_FRAME_MAX,
  HOT_GENERATION,
  HOT_IDLE_MS,
  HOT_MAC_HIGH,
  HOT_MAC_LOW,
  HOT_WORDS,
  areConnected,
  buildTables,
  goneSince,
  inAddressSpace,
  loadHot,
  ownerAttachment,
} from '../../src/dataplane/tables.ts';
import { parseIpv4 } from '../../src/wire/index.ts';
import { networkOf, type Words } from '../control/compile/networks.ts';

const WORDS: Words = {
  vnets: { a: ['10.0.0.0/16'], b: ['10.1.0.0/16'], c: ['10.2.0.0/16'] },
  subnets: {
    s: { vnet: 'a', cidr: '10.0.0.0/24' },
    p: { vnet: 'a', cidr: '10.0.1.0/24' },
    t: { vnet: 'b', cidr: '10.1.0.0/24' },
  },
  nics: {
    x: { subnet: 's', ip: '10.0.0.4', mac: '00-0D-3A-11-22-33' },
    y: { subnet: 't', ip: '10.1.0.4' },
  },
  pes: { e: { subnet: 'p', ip: '10.0.1.4', ports: ['1433'] } },
  peers: [['a', 'b', {}]],
};

const registry = createRegistry();
const compile = (words: Words, epoch: number): Program =>
  compileNetwork(networkOf(words), behaviourOf(), { epoch, registry }).program;
const program = compile(WORDS, 1);
const tables = buildTables(program);
const [a, b, c] = [0, 1, 2];

function idOf(name: string): number {
  return registry.ids.get([...registry.ids.keys()].find((key) => key.includes(name))!)!;
}

test('an address belongs to its owner in its own network only', () => {
  expect(ownerAttachment(tables, a, parseIpv4('10.0.0.4') | 0)).toBe(idOf('/x'));
  expect(ownerAttachment(tables, b, parseIpv4('10.0.0.4') | 0)).toBe(-1);
  expect(ownerAttachment(tables, a, parseIpv4('10.0.0.9') | 0)).toBe(-1);
  // The endpoint's address is owned, but by no attachment.
  expect(tables.owners.get(a, parseIpv4('10.0.1.4') | 0)).toBeGreaterThanOrEqual(0);
  expect(ownerAttachment(tables, a, parseIpv4('10.0.1.4') | 0)).toBe(-1);
});

test('networks are connected when they are peered, or the same', () => {
  expect(areConnected(tables, a, b)).toBe(true);
  expect(areConnected(tables, a, a)).toBe(true);
  expect(areConnected(tables, a, c)).toBe(false);
});

test('an address space ends where its ranges end', () => {
  expect(inAddressSpace(tables, a, parseIpv4('10.0.255.255') | 0)).toBe(true);
  expect(inAddressSpace(tables, a, parseIpv4('10.1.0.0') | 0)).toBe(false);
});

test('the hot table holds the Ethernet header that a guest gets, word by word as the hit path writes it', () => {
  const hot = new Int32Array(64 * HOT_WORDS);
  loadHot(hot, tables);
  const row = idOf('/x') * HOT_WORDS;
  const frame = new DataView(new ArrayBuffer(16));
  [HOT_MAC_HIGH, HOT_MAC_LOW, HOT_FABRIC_HIGH, HOT_FABRIC_LOW].forEach((word, i) => {
    frame.setInt32(4 * i, hot[row + word]!, true);
  });
  // The frame begins two bytes into its slot.
  const hex = Buffer.from(frame.buffer, 2).toString('hex');
  expect(hex).toBe('000d3a112233123456789abc0800');
});

test('the hot table holds what a path is checked against', () => {
  const hot = new Int32Array(64 * HOT_WORDS);
  loadHot(hot, tables);
  const x = idOf('/x');
  const row = x * HOT_WORDS;
  expect(hot[row + HOT_GENERATION]).toBe(program.attachments.generation[x]);
  expect(hot[row + HOT_FRAME_MAX]).toBe(1514);
  // The service side of an endpoint lives by the endpoint's clock.
  expect(hot[idOf('provider:') * HOT_WORDS + HOT_IDLE_MS]).toBe(program.endpoints.idleMs[0]);
});

test('nothing of the program before is left in the hot table', () => {
  const hot = new Int32Array(64 * HOT_WORDS).fill(7);
  loadHot(hot, tables);
  expect([...hot.subarray(tables.attachmentCount * HOT_WORDS)].every((word) => word === 0)).toBe(true);
});

test('more attachments than the regions have rows for are refused', () => {
  expect(() => loadHot(new Int32Array(HOT_WORDS), tables)).toThrow(/attachments do not fit 1 rows/);
});

test('an attachment is gone since the program that no longer has it, not again with every later one', () => {
  const y = idOf('/y');
  const { x } = WORDS.nics!;
  const without = compile({ ...WORDS, nics: { x: x! } }, 2);
  const gone = goneSince(program, without)!;
  expect([...gone.keys()].filter((id) => gone[id] === 1)).toEqual([y]);
  expect(goneSince(without, compile({ ...WORDS, nics: { x: x! } }, 3))).toBeUndefined();
  expect(goneSince(program, program)).toBeUndefined();
});
