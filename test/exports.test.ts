// Exports of real networks that we did not write: every NIC pair and the Internet, both directions, with what decided.

import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { hasErrors } from '../src/control/issues.ts';
import { readNetwork } from '../src/control/input/read.ts';
import { behaviourOf } from '../src/control/model/profile.ts';
import { validateNetwork } from '../src/control/validate/validate.ts';
import { explain } from '../src/scenario/explain.ts';
import { runScenario } from '../src/scenario/run.ts';
import { parseScenario } from '../src/scenario/parse.ts';

const DATA = '../shared/data/azure-resources';
const isHere = existsSync(DATA);
if (!isHere && process.env['CI'] === 'true') throw new Error(`${DATA} is missing`);
if (!isHere) console.log(`skipped: ${DATA} is not there`);

/** `from > to:port`: what decided on the way there, and on the way back. */
function table(name: string, questions: readonly (readonly [string, string])[]): string[] {
  const { network, issues } = readNetwork([`${DATA}/${name}`]);
  expect(hasErrors([...issues, ...validateNetwork(network!, behaviourOf())])).toBe(false);
  return questions.map(([from, to]) => {
    const { explanation, issues: problems } = explain(network!, behaviourOf(), { from, to });
    expect(problems).toEqual([]);
    const { forward, return: back } = explanation!;
    const by = forward.passes.at(-1)?.trace.by;
    const reason = forward.outcome === 'dropped' || by === undefined ? '' : ` by ${by}`;
    return `${from} > ${to}: ${forward.verdict}${reason}${back === undefined ? '' : `; back: ${back.verdict}`}`;
  });
}

describe.runIf(isHere)('two-vms-nat-gateway', () => {
  test('every pair and the Internet, with the deciding rule', () => {
    expect(
      table('two-vms-nat-gateway', [
        ['vm1346', 'vm235:22'],
        ['vm1346', 'vm235:443'],
        ['vm235', 'vm1346:8080'],
        ['vm235', 'vm1346:22'],
        ['vm1346', '203.0.113.5:443'],
        ['vm235', '203.0.113.5:443'],
        ['internet@203.0.113.5', 'vm1346:22'],
        ['internet@203.0.113.5', 'vm1346:443'],
      ]),
    ).toMatchInlineSnapshot(`
      [
        "vm1346 > vm235:22: delivered to vm235 by VM2-nsg/AllowVnetInBound; back: delivered to vm1346",
        "vm1346 > vm235:443: dropped NSG_DENY subnet-nsg/DenyCidrBlockCustomAnyInbound (inbound, subnet) subnet-nsg.json:35",
        "vm235 > vm1346:8080: delivered to vm1346 by VM1-nsg/SSH; back: delivered to vm235",
        "vm235 > vm1346:22: dropped NSG_DENY subnet-nsg/DenyAnyCustomAnyOutbound (outbound, subnet) subnet-nsg.json:98",
        "vm1346 > 203.0.113.5:443: exited to internet as 40.91.194.198 by VM1-nsg/AllowInternetOutBound; back: delivered to vm1346",
        "vm235 > 203.0.113.5:443: dropped NSG_DENY subnet-nsg/DenyAnyCustomAnyOutbound (outbound, subnet) subnet-nsg.json:98",
        "internet@203.0.113.5 > vm1346:22: delivered to vm1346 by VM1-nsg/SSH; back: exited to internet as 40.91.194.198",
        "internet@203.0.113.5 > vm1346:443: dropped NSG_DENY VM1-nsg/DenyAnyCustomAnyInbound (inbound, NIC) VM1-nsg.json:54",
      ]
    `);
  });

  test('a scenario runs over the export as it is', async () => {
    const text = `name: export
topology: ${process.cwd()}/${DATA}/two-vms-nat-gateway
steps:
  - connect: {from: vm1346, to: "vm235:22"}
    expect: {result: established, by: VM2-nsg/AllowVnetInBound}
  - connect: {from: vm1346, to: "203.0.113.5:443"}
    expect: {result: established}
  - connect: {from: vm1346, to: "vm235:443"}
    expect: {result: dropped, by: subnet-nsg/DenyCidrBlockCustomAnyInbound}
`;
    const { scenario, issues } = parseScenario(text, 'export.yaml');
    expect(issues.filter((issue) => issue.severity === 'error')).toEqual([]);
    const run = await runScenario(scenario!);
    expect(run.steps.map((step) => step.status)).toEqual(['passed', 'passed', 'passed']);
  });
});

describe.runIf(isHere)('two-subnets-nsg', () => {
  test('every pair and the Internet, with the deciding rule', () => {
    expect(
      table('two-subnets-nsg', [
        ['vm1346', 'vm235:22'],
        ['vm1346', 'vm235:8080'],
        ['vm1346', 'vm345:22'],
        ['vm345', 'vm235:22'],
        ['vm345', 'vm1346:22'],
        ['vm235', 'vm1346:22'],
        ['vm235', 'vm345:22'],
        ['vm235', '1.1.1.1:53'],
        ['vm1346', '203.0.113.5:443'],
      ]),
    ).toMatchInlineSnapshot(`
      [
        "vm1346 > vm235:22: delivered to vm235 by testNsg/AllowCidrBlockSSHInbound; back: delivered to vm1346",
        "vm1346 > vm235:8080: dropped NSG_DENY testNsg/BlockCidrBlockHttpInbound (inbound, NIC) nsg-vm2.json:33",
        "vm1346 > vm345:22: delivered to vm345 by testNsgSubnet/AllowVnetInBound; back: delivered to vm1346",
        "vm345 > vm235:22: dropped NSG_DENY testNsgSubnet/DenySSHFromVm3ToVm2 (inbound, subnet) nsg-subnet2.json:11",
        "vm345 > vm1346:22: delivered to vm1346 by testNsgSubnet/AllowVnetOutBound; back: delivered to vm345",
        "vm235 > vm1346:22: delivered to vm1346 by testNsgSubnet/AllowVnetOutBound; back: delivered to vm235",
        "vm235 > vm345:22: delivered to vm345 by testNsgSubnet/AllowVnetInBound; back: delivered to vm235",
        "vm235 > 1.1.1.1:53: dropped NO_OUTBOUND_PATH vm235 (publicIp): no NAT gateway, public IP or default outbound access leads to the Internet",
        "vm1346 > 203.0.113.5:443: dropped NO_OUTBOUND_PATH vm1346 (publicIp): no NAT gateway, public IP or default outbound access leads to the Internet",
      ]
    `);
  });
});
