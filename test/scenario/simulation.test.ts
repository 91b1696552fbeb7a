import { expect, test } from 'vitest';
import { createInlineEngine } from '../../src/control/engine/inline-engine.ts';
import { InputError } from '../../src/control/issues.ts';
import { removeNic } from '../../src/control/change/changes.ts';
import { buildFrame, parseIpv4, TCP_SYN } from '../../src/wire/index.ts';
import { APP_AND_SQLMI, simulationOf } from './fixtures.ts';
import type { Engine, FrameIn } from '../../src/control/engine/engine.ts';
import type { Guest, GuestPort } from '../../src/guest/guest.ts';
import type { PacketEvent, Simulation } from '../../src/scenario/simulation/simulation-api.ts';

const APP = parseIpv4('10.0.0.4');
const DB = parseIpv4('10.0.1.4');

function syn(dstPort: number, src = APP, dst = DB): Uint8Array {
  return buildFrame({ src, dst, tcp: { srcPort: 40_000, dstPort, flags: TCP_SYN } });
}

function id(simulation: Simulation, name: string): number {
  const attachment = simulation.attachment(name);
  if (attachment === undefined) throw new Error(`no attachment ${name}`);
  return attachment;
}

/** Keeps every event from now on. */
function recorded(simulation: Simulation): PacketEvent[] {
  const events: PacketEvent[] = [];
  simulation.observe((event) => events.push(event));
  return events;
}

const SILENT = (): Guest => ({ receive: () => undefined });

test('a frame crosses two links of 50 microseconds, and ids count from 1', () => {
  const simulation = simulationOf(APP_AND_SQLMI);
  const arrivals: number[] = [];
  simulation.setGuest(id(simulation, 'db'), (port) => ({ receive: () => void arrivals.push(port.now()) }));
  const events = recorded(simulation);
  expect(simulation.inject(id(simulation, 'app'), syn(80))).toBe(1);
  expect(simulation.inject(id(simulation, 'app'), syn(81))).toBe(2);
  simulation.runUntilIdle();
  expect(arrivals).toEqual([100_000, 100_000]);
  expect(events.map(({ packetId, timeNs, outcome }) => [packetId, timeNs, outcome])).toEqual([
    [1, 50_000, 'delivered'],
    [2, 50_000, 'delivered'],
  ]);
  simulation.checkBalance();
});

test('what falls into one window is one batch, in order of time and id', () => {
  const inline = createInlineEngine({ connectionsMax: 256 });
  const batches: number[][] = [];
  const forward = (frames: readonly FrameIn[]): ReturnType<Engine['forward']> => {
    batches.push(frames.map((frame) => frame.packetId));
    return inline.forward(frames);
  };
  const engine: Engine = new Proxy(inline, {
    get: (target, key) => {
      const value: unknown = key === 'forward' ? forward : Reflect.get(target, key);
      return typeof value === 'function' && key !== 'forward' ? value.bind(target) : value;
    },
  });
  const simulation = simulationOf(APP_AND_SQLMI, { engine });
  simulation.setGuest(id(simulation, 'db'), SILENT);
  const app = id(simulation, 'app');
  simulation.setLink(app, { delayNs: 80_000 });
  simulation.inject(app, syn(80));
  simulation.inject(app, syn(81));
  simulation.setLink(app, { delayNs: 60_000 });
  simulation.inject(app, syn(82));
  simulation.runUntilIdle();
  // 3 arrives at 60 µs, 1 and 2 at 80 µs; the smallest link delay is 50 µs.
  expect(batches).toEqual([[3, 1, 2]]);
});

test('links without delay work one instant at a time', () => {
  const simulation = simulationOf(APP_AND_SQLMI);
  for (const name of ['app', 'db']) simulation.setLink(id(simulation, name), { delayNs: 0 });
  let closed = '';
  simulation.host(id(simulation, 'app')).connect({
    dst: DB,
    dstPort: 80,
    handlers: { onEstablished: () => connection.close(), onClosed: (how) => void (closed = how) },
  });
  const connection = [...simulation.host(id(simulation, 'app')).connections][0]!;
  simulation.runWhile(() => closed === '');
  expect([closed, simulation.now()]).toEqual(['closed', 0]);
  simulation.checkBalance();
});

test('lost and duplicated frames are counted, and the counters still balance', () => {
  const simulation = simulationOf(APP_AND_SQLMI);
  simulation.setGuest(id(simulation, 'db'), SILENT);
  const app = id(simulation, 'app');
  simulation.setLink(app, { loss: 0.3, duplicate: 0.2 });
  for (let index = 0; index < 200; index++) simulation.inject(app, syn(index + 1));
  simulation.runUntilIdle();
  const { lost, duplicated } = simulation.linkTotals();
  expect(lost).toBeGreaterThan(20);
  expect(duplicated).toBeGreaterThan(10);
  simulation.checkBalance();
});

test('timers fire in order of time, cancelled ones never, and neither moves time when nothing is left', () => {
  const simulation = simulationOf(APP_AND_SQLMI);
  const fired: [string, number][] = [];
  let port: GuestPort | undefined;
  simulation.setGuest(id(simulation, 'app'), (given) => {
    port = given;
    return SILENT();
  });
  const note = (name: string) => () => void fired.push([name, simulation.now()]);
  port?.setTimer(3e9, note('late'));
  port?.setTimer(1e9, note('early'));
  port?.setTimer(2e9, note('cancelled')).cancel();
  port?.setTimer(50e9, note('last')).cancel();
  simulation.runUntilIdle();
  expect(fired).toEqual([
    ['early', 1e9],
    ['late', 3e9],
  ]);
  expect(simulation.now()).toBe(3e9);
});

test('a run stops at its limit and goes on from there', () => {
  const simulation = simulationOf(APP_AND_SQLMI);
  simulation.inject(id(simulation, 'app'), syn(80));
  simulation.runUntil(49_999);
  expect([simulation.now(), simulation.framesInFlight()]).toEqual([49_999, 1]);
  simulation.runUntil(100_000);
  expect(simulation.now()).toBe(100_000);
  expect(simulation.host(id(simulation, 'db')).acceptedConnections).toBe(1);
});

test('the guest of a removed NIC leaves, its timers die, and a frame on its way to it is counted', () => {
  const simulation = simulationOf(APP_AND_SQLMI);
  const db = id(simulation, 'db');
  const fired: string[] = [];
  simulation.setGuest(db, (port) => {
    port.setTimer(1e9, () => fired.push('timer'));
    return { receive: () => void fired.push('frame') };
  });
  simulation.inject(id(simulation, 'app'), syn(80));
  simulation.runUntil(60_000);
  simulation.change(removeNic('db'));
  expect(simulation.attachment('db')).toBeUndefined();
  simulation.runUntilIdle();
  expect(fired).toEqual([]);
  expect(simulation.guestDrops()).toEqual(new Map([['guest gone', 1]]));
  simulation.checkBalance();
});

test('a refused change throws all its issues and changes nothing', () => {
  const simulation = simulationOf(APP_AND_SQLMI);
  const before = simulation.compiled;
  expect(() => simulation.change((network) => removeNic('nobody')(network))).toThrow(InputError);
  expect(() =>
    simulation.change((network) => ({
      ...network,
      virtualNetworks: [...network.virtualNetworks, ...network.virtualNetworks],
    })),
  ).toThrow(InputError);
  expect(simulation.compiled).toBe(before);
});

test('the Internet brings a packet for a public address of the network back into it, with its id and passes', () => {
  const simulation = simulationOf({
    virtualNetworks: {
      a: {
        addressSpace: '10.0.0.0/16',
        subnets: { s: { addressPrefix: '10.0.0.0/24', networkSecurityGroup: 'open' } },
      },
      b: {
        addressSpace: '10.1.0.0/16',
        subnets: { s: { addressPrefix: '10.1.0.0/24', networkSecurityGroup: 'open' } },
      },
    },
    networkSecurityGroups: {
      open: { rules: [{ name: 'All', priority: 100, direction: 'Inbound', access: 'Allow', protocol: '*' }] },
    },
    publicIPAddresses: { 'pip-a': { ipAddress: '20.1.0.1' }, 'pip-b': { ipAddress: '20.1.0.2' } },
    networkInterfaces: {
      web: { subnet: 'a/s', privateIPAddress: '10.0.0.4', publicIPAddress: 'pip-a' },
      db: { subnet: 'b/s', privateIPAddress: '10.1.0.4', publicIPAddress: 'pip-b' },
    },
  });
  const events = recorded(simulation);
  const connection = simulation.host(id(simulation, 'web')).connect({ dst: parseIpv4('20.1.0.2'), dstPort: 80 });
  simulation.runWhile(() => connection.result === 'connecting');
  expect(connection.result).toBe('established');
  const passes = events.filter((event) => event.packetId === events[1]?.packetId);
  expect(passes.map(({ hops, outcome, egress }) => [hops, outcome, egress])).toEqual([
    [0, 'exited', id(simulation, 'internet')],
    [1, 'delivered', id(simulation, 'db')],
  ]);
});

test('two runs with one seed are the same pass for pass, with jitter and loss', () => {
  const trail = (seed: number): string[] => {
    const simulation = simulationOf(APP_AND_SQLMI, { seed });
    for (const name of ['app', 'db']) simulation.setLink(id(simulation, name), { jitterNs: 20_000, loss: 0.1 });
    const events = recorded(simulation);
    for (let index = 0; index < 10; index++) {
      simulation.host(id(simulation, 'app')).connect({ dst: DB, dstPort: 80 + index });
    }
    simulation.runUntilIdle();
    simulation.checkBalance();
    return events.map((event) => `${event.timeNs} ${event.packetId} ${event.outcome} ${event.before.join('.')}`);
  };
  expect(trail(5)).toEqual(trail(5));
  expect(trail(5)).not.toEqual(trail(6));
});
