import { MessageChannel } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { encodeProgram, type Program } from '../../src/abi/program.ts';
import { CONTROL, createRegions, regionSizes } from '../../src/abi/regions.ts';
import { compileNetwork, createRegistry } from '../../src/control/compile/compile.ts';
import { behaviourOf } from '../../src/control/model/profile.ts';
import {
  WORKER_STOPPED,
  isCommanded,
  obeyCommand,
  type Commanded,
  type WorkerCommand,
} from '../../src/dataplane/commands.ts';
import { networkOf } from '../control/compile/networks.ts';

const { port1, port2 } = new MessageChannel();
let worker: Commanded = newWorker();
afterEach(() => {
  worker = newWorker();
});

function newWorker(): Commanded {
  const regions = createRegions(regionSizes({ connections: 64, slots: 64, capture: false }));
  return { regions, commands: port2, snapLength: 0, forwarder: undefined };
}

function program(epoch: number): Program {
  const network = networkOf({ vnets: { a: ['10.0.0.0/16'] }, subnets: { s: { vnet: 'a', cidr: '10.0.0.0/24' } } });
  return compileNetwork(network, behaviourOf(), { epoch, registry: createRegistry() }).program;
}

function command(message: WorkerCommand): void {
  const { control } = worker.regions;
  port1.postMessage(message);
  Atomics.add(control, CONTROL.commands, 1);
  expect(isCommanded(control)).toBe(true);
  obeyCommand(worker);
  expect(isCommanded(control)).toBe(false);
}

function push(bytes: Uint8Array): void {
  command({ kind: 'push', program: bytes });
}

test('the first push makes the forwarder, later ones load into it; each says which epoch runs', () => {
  push(encodeProgram(program(1)));
  const { forwarder } = worker;
  expect(worker.regions.control[CONTROL.epoch]).toBe(1);
  push(encodeProgram(program(2)));
  expect(worker.forwarder).toBe(forwarder);
  expect(forwarder?.epoch).toBe(2);
  expect(worker.regions.control[CONTROL.epoch]).toBe(2);
});

test('a damaged program is acknowledged by its absence: the one before goes on', () => {
  push(encodeProgram(program(1)));
  push(encodeProgram(program(2)).subarray(0, 100));
  push(encodeProgram({ ...program(2), internet: 99 }));
  expect(worker.forwarder?.epoch).toBe(1);
  expect(worker.regions.control[CONTROL.epoch]).toBe(1);
});

test('a damaged first program leaves the worker without one', () => {
  push(Uint8Array.of(0xc1));
  expect(worker.forwarder).toBeUndefined();
  expect(worker.regions.control[CONTROL.epoch]).toBe(0);
});

test('a stop is written down for control', () => {
  command({ kind: 'stop' });
  expect(worker.regions.control[CONTROL.state]).toBe(WORKER_STOPPED);
});

test('a command that was announced and is not there is a bug', () => {
  expect(() => obeyCommand(worker)).toThrow('announced and is not there');
});
