import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readNetwork, readNetworkText } from '../../../src/control/input/read.ts';
import { behaviourOf } from '../../../src/control/model/profile.ts';
import type { Network } from '../../../src/control/model/resources.ts';
import { validateNetwork } from '../../../src/control/validate/validate.ts';
import { listCodes } from './codes-of.ts';

const DATA = `${import.meta.dirname}/../../../../shared/data/azure-resources`;

test.skipIf(!existsSync(DATA)).each([
  ['two-subnets-nsg', '~RULE_PRIORITY_RANGE ~RULE_PRIORITY_RANGE'],
  ['two-vms-nat-gateway', '~PUBLIC_IP_SHARED'],
])('the export %s of a real network has warnings only: %s (skipped without the data)', (name, codes) => {
  const { network } = readNetwork([`${DATA}/${name}`]);
  expect(network).toBeDefined();
  expect(listCodes(validateNetwork(network as Network, behaviourOf()))).toBe(codes);
});

const TOPOLOGY = `virtualNetworks:
  hub:
    addressSpace: 10.0.0.0/16
    subnets:
      app: {addressPrefix: 10.0.0.0/24, networkSecurityGroup: app-nsg}
      web: {addressPrefix: 10.0.0.128/25}
networkInterfaces:
  vm: {subnet: hub/app, privateIPAddress: 10.0.0.3}
networkSecurityGroups:
  app-nsg:
    rules:
      - {name: first, priority: 100, direction: Inbound, access: Allow}
      - {name: second, priority: 99, direction: Inbound, access: Allow}
      - {name: third, priority: 100, direction: Inbound, access: Deny}
`;

test('problems of a topology are where their subnet, NIC or rule is written', () => {
  const { network, issues } = readNetworkText(TOPOLOGY, 'topology.yaml');
  expect(issues).toEqual([]);
  const found = validateNetwork(network as Network, behaviourOf());
  expect(found.map((issue) => `${issue.source?.file}:${issue.source?.line} ${issue.code}`)).toEqual([
    'topology.yaml:6 SUBNETS_OVERLAP',
    'topology.yaml:8 ADDRESS_RESERVED',
    'topology.yaml:14 RULE_PRIORITY_DUPLICATE',
    'topology.yaml:13 RULE_PRIORITY_RANGE',
  ]);
});
