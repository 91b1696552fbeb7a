import { expect, test } from 'vitest';
import { parseScenario } from '../../src/scenario/parse.ts';
import { runScenario } from '../../src/scenario/run.ts';

// Two guests with jumbo frames, one without, a peered network of the same region, an endpoint and the Internet.
const TOPOLOGY = `
  location: westeurope
  virtualNetworks:
    hub: {addressSpace: 10.0.0.0/16, subnets: {s: {addressPrefix: 10.0.0.0/24}, e: {addressPrefix: 10.0.1.0/24}}}
    near: {addressSpace: 10.1.0.0/16, subnets: {s: {addressPrefix: 10.1.0.0/24}}}
  peerings: [{between: [hub, near]}]
  networkInterfaces:
    big: {subnet: hub/s, privateIPAddress: 10.0.0.4, mtu: 3900, publicIPAddress: 20.0.0.1}
    other: {subnet: near/s, privateIPAddress: 10.1.0.4, mtu: 9000}
    small: {subnet: hub/s, privateIPAddress: 10.0.0.5}
  services: {mi: {type: Microsoft.Sql/managedInstances, backendAddress: 10.9.0.10, ports: [1433]}}
  privateEndpoints: {pe: {subnet: hub/e, privateIPAddress: 10.0.1.5, service: mi}}`;

test('packets larger than 1,500 bytes travel inside a network and its peerings only (WIRE-13)', async () => {
  const { scenario, issues } = parseScenario(
    `name: mtu
topology:${TOPOLOGY}
steps:
  - packet: {from: big, to: other, udp: {sport: 1, dport: 2}, size: 3000}
    expect: {outcome: delivered, to: other}
  - packet: {from: big, to: small, udp: {sport: 1, dport: 2}, size: 3000}
    expect: {outcome: dropped, reason: MTU_EXCEEDED, at: small}
  - packet: {from: small, to: big, udp: {sport: 1, dport: 2}, size: 3000}
    expect: {outcome: dropped, reason: MTU_EXCEEDED, at: small}
  - packet: {from: other, to: big, udp: {sport: 1, dport: 2}, size: 5000}
    expect: {outcome: dropped, reason: MTU_EXCEEDED, at: big}
  - packet: {from: big, to: 203.0.113.5, udp: {sport: 1, dport: 2}, size: 3000}
    expect: {outcome: dropped, reason: MTU_EXCEEDED}
  - packet: {from: big, to: pe, tcp: {sport: 5000, dport: 1433, flags: S}, size: 3000}
    expect: {outcome: dropped, reason: MTU_EXCEEDED}
  - connect: {from: big, to: "other:80", data: {request: 200B, response: 64KiB}}
    expect: {result: established, retransmissions: 0}
  - connect: {from: big, to: "pe:1433", data: {request: 8KiB, response: 8KiB}}
    expect: {result: established, retransmissions: 0}
`,
    'mtu.yaml',
  );
  expect(issues).toEqual([]);
  const run = await runScenario(scenario!);
  expect(
    run.steps.map((step) => [step.text, step.status, step.verdict]).filter(([, status]) => status !== 'passed'),
  ).toEqual([]);
});

test('an MTU out of range is refused', () => {
  const { issues } = parseScenario(
    `name: mtu\ntopology:${TOPOLOGY.replace('3900', '9001')}\nsteps: [{advance: 1s}]\n`,
    'mtu.yaml',
  );
  expect(issues.map((issue) => issue.severity)).toContain('error');
});
