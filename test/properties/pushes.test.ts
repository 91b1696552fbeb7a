import { existsSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { PROV_EPOCH, PROV_IN_NIC_RULE, PROV_OUT_NIC_RULE, PROV_ROUTE } from '../../src/abi/provenance.ts';
import { compileNetwork, createRegistry } from '../../src/control/compile/compile.ts';
import type { Compiled } from '../../src/control/compile/compiled.ts';
import type { Engine, FrameIn, PassResult } from '../../src/control/engine/engine.ts';
import { behaviourOf } from '../../src/control/model/profile.ts';
import { TCP_ACK, TCP_SYN, buildFrame, parseIpv4 } from '../../src/wire/index.ts';
import { networkOf, type Words } from '../control/compile/networks.ts';

const BUILT = new URL('../../dist/control/engine/worker-engine.js', import.meta.url);
if (!existsSync(BUILT)) throw new Error('dist/ is missing: run `npm run build` first');
const { startWorkerEngine } = (await import(BUILT.href)) as typeof import('../../src/control/engine/worker-engine.ts');

const PUSHES = 1000;
const FRAMES = 40;
let engine: Engine | undefined;
afterAll(() => engine?.close());

// Everything that can decide carries the parity of its configuration in its name: rule names at both ends, and the
// route. A packet judged by a mixture would name both.
function configuration(k: number): Words {
  const parity = k % 2 === 0 ? 'even' : 'odd';
  return {
    vnets: { a: ['10.0.0.0/16'] },
    subnets: { s: { vnet: 'a', cidr: '10.0.0.0/24', rt: 't' }, d: { vnet: 'a', cidr: '10.0.1.0/24' } },
    nics: { from: { subnet: 's', ip: '10.0.0.4', nsg: 'out' }, to: { subnet: 'd', ip: '10.0.1.4', nsg: 'in' } },
    nsgs: {
      out: [[100, 'Out', 'Tcp', '*', '*', '*', '*', 'Allow', `out-${parity}`]],
      in: [
        [100, 'In', 'Tcp', '*', '*', '*', '80', 'Allow', `in-${parity}`],
        [110, 'In', 'Tcp', '*', '*', '*', '81', k % 2 === 0 ? 'Allow' : 'Deny', `gate-${parity}`],
      ],
    },
    rts: { t: [['10.0.1.0/24', 'VnetLocal', null, `route-${parity}`]] },
  };
}

test('1,000 pushes under running traffic: no packet lost, doubled, or judged by two configurations', async () => {
  engine = await startWorkerEngine(2, { connectionsMax: 65_536 });
  const registry = createRegistry();
  const epochs = new Map<number, Compiled>();
  let compiled = compileNetwork(networkOf(configuration(1)), behaviourOf(), { epoch: 1, registry });
  epochs.set(1, compiled);
  engine.push(compiled.program);
  const from = registry.ids.get([...registry.ids.keys()].find((key) => key.includes('/from'))!)!;
  let packetId = 0;
  let decidedByOld = 0;
  for (let epoch = 2; epoch <= PUSHES + 1; epoch++) {
    compiled = compileNetwork(networkOf(configuration(epoch)), behaviourOf(), { epoch, registry, previous: compiled });
    epochs.set(epoch, compiled);
    epochs.delete(epoch - 3);
    const frames: FrameIn[] = Array.from({ length: FRAMES }, (_, i) => frame(from, ++packetId, epoch, i));
    engine.startPush(compiled.program);
    const results = engine.forward(frames);
    engine.finishPush();
    expect(results.map((result) => result.packetId)).toEqual(frames.map((sent) => sent.packetId));
    for (const result of results) decidedByOld += checkOne(result, epoch, epochs);
  }
  const counters = engine.counters();
  expect(counters.received).toBe(PUSHES * FRAMES);
  expect(counters.delivered + counters.dropped.reduce((sum, n) => sum + n, 0)).toBe(PUSHES * FRAMES);
  // The traffic really ran across the switches: some packets were still decided by the program before.
  expect(decidedByOld).toBeGreaterThan(0);
  expect(decidedByOld).toBeLessThan(PUSHES * FRAMES);
}, 60_000);

/** New connections to an open port, new ones to the gate, and one established connection that runs through it all. */
function frame(attachment: number, packetId: number, epoch: number, i: number): FrameIn {
  const isOld = i % 4 === 3;
  const srcPort = isOld ? 40_000 : 1024 + (packetId % 38_000);
  const tcp = { srcPort, dstPort: i % 2 === 0 ? 80 : 81, flags: isOld && epoch > 2 ? TCP_ACK : TCP_SYN };
  const bytes = buildFrame({
    src: parseIpv4('10.0.0.4'),
    dst: parseIpv4('10.0.1.4'),
    tcp: isOld ? { ...tcp, dstPort: 80 } : tcp,
  });
  return { attachment, packetId, timeNs: epoch * 1e6 + i, hops: 0, bytes };
}

/** 1 when the program before decided. */
function checkOne(result: PassResult, epoch: number, epochs: ReadonlyMap<number, Compiled>): number {
  const { provenance } = result;
  const by = provenance[PROV_EPOCH]!;
  const table = epochs.get(by)?.sideTable;
  // Packets of the established connection may ride on a path of an older program; its decisions are still one program's.
  if (table === undefined) return 0;
  const parity = by % 2 === 0 ? 'even' : 'odd';
  const [out, into] = [provenance[PROV_OUT_NIC_RULE]!, provenance[PROV_IN_NIC_RULE]!];
  if (out >= 0) expect(table.rules[out]!.rule).toBe(`out-${parity}`);
  if (into >= 0) expect(table.rules[into]!.rule).toMatch(new RegExp(`^(in|gate)-${parity}$`));
  if (provenance[PROV_ROUTE]! >= 0) expect(table.routes[provenance[PROV_ROUTE]!]!.name).toBe(`route-${parity}`);
  const isGate = into >= 0 && table.rules[into]!.rule.startsWith('gate');
  expect(result.outcome).toBe(isGate && parity === 'odd' ? 'dropped' : 'delivered');
  return by === epoch - 1 ? 1 : 0;
}
