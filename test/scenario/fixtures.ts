// Small networks that the tests of scenarios share.

import { createInlineEngine } from '../../src/control/engine/inline-engine.ts';
import { readNetworkValue } from '../../src/control/input/read.ts';
import { hasErrors, InputError } from '../../src/control/issues.ts';
import { behaviourOf } from '../../src/control/model/profile.ts';
import { parseScenario } from '../../src/scenario/parse.ts';
import { runScenario } from '../../src/scenario/run.ts';
import { createSimulation } from '../../src/scenario/simulation/simulation.ts';
import type { Network } from '../../src/control/model/resources.ts';
import type { RunOptions } from '../../src/scenario/run.ts';
import type { ScenarioRun } from '../../src/scenario/result.ts';
import type { ParsedScenario } from '../../src/scenario/scenario.ts';
import type { SimulationOptions } from '../../src/scenario/simulation/simulation.ts';
import type { Simulation } from '../../src/scenario/simulation/simulation-api.ts';

/** Two hosts and a SQL Managed Instance behind a private endpoint. */
export const APP_AND_SQLMI = {
  virtualNetworks: {
    hub: {
      addressSpace: '10.0.0.0/16',
      subnets: {
        app: { addressPrefix: '10.0.0.0/24', networkSecurityGroup: 'nsg-app' },
        db: { addressPrefix: '10.0.1.0/24' },
        endpoints: { addressPrefix: '10.0.2.0/24' },
      },
    },
  },
  networkSecurityGroups: {
    'nsg-app': {
      rules: [
        {
          name: 'DenySsh',
          priority: 200,
          direction: 'Outbound',
          access: 'Deny',
          protocol: 'Tcp',
          destinationPorts: 22,
        },
      ],
    },
  },
  networkInterfaces: {
    app: { subnet: 'hub/app', privateIPAddress: '10.0.0.4' },
    db: { subnet: 'hub/db', privateIPAddress: '10.0.1.4' },
  },
  services: { sqlmi1: { type: 'Microsoft.Sql/managedInstances', hostNames: 'sqlmi1.abc.database.windows.net' } },
  privateEndpoints: { 'pe-sqlmi': { subnet: 'hub/endpoints', privateIPAddress: '10.0.2.4', service: 'sqlmi1' } },
};

/** Two subnets whose traffic goes through an appliance. */
export const THROUGH_APPLIANCE = {
  virtualNetworks: {
    hub: {
      addressSpace: '10.0.0.0/16',
      subnets: {
        app: { addressPrefix: '10.0.0.0/24', routeTable: 'to-nva' },
        db: { addressPrefix: '10.0.1.0/24' },
        dmz: { addressPrefix: '10.0.3.0/24' },
      },
    },
  },
  routeTables: {
    'to-nva': {
      routes: [
        {
          name: 'db-through-nva',
          addressPrefix: '10.0.1.0/24',
          nextHopType: 'VirtualAppliance',
          nextHopIpAddress: '10.0.3.4',
        },
      ],
    },
  },
  networkInterfaces: {
    app: { subnet: 'hub/app', privateIPAddress: '10.0.0.4' },
    db: { subnet: 'hub/db', privateIPAddress: '10.0.1.4' },
    nva: { subnet: 'hub/dmz', privateIPAddress: '10.0.3.4', enableIPForwarding: true, appliance: {} },
  },
};

export function networkOf(topology: object): Network {
  const { network, issues } = readNetworkValue(topology, 'topology.yaml');
  if (network === undefined || hasErrors(issues)) throw new InputError(issues);
  return network;
}

export function simulationOf(topology: object, options: Partial<SimulationOptions> = {}): Simulation {
  const engine = options.engine ?? createInlineEngine({ connectionsMax: 4096 });
  return createSimulation({ network: networkOf(topology), behaviour: behaviourOf(), engine, ...options });
}

/** A scenario over a topology; throws with all issues when something is wrong with it. */
export function scenarioOf(topology: object, steps: readonly object[], settings: object = {}): ParsedScenario {
  const text = JSON.stringify({ name: 'test', topology, steps, ...settings }, null, 1);
  const { scenario, issues } = parseScenario(text, 'scenario.yaml');
  if (scenario === undefined) throw new InputError(issues);
  return scenario;
}

export async function run(
  topology: object,
  steps: readonly object[],
  settings: object = {},
  options: RunOptions = {},
): Promise<ScenarioRun> {
  return await runScenario(scenarioOf(topology, steps, settings), options);
}

/** Mismatches and problems of a run, in words; empty when every step passed. */
export function failures(result: ScenarioRun): string[] {
  return result.steps.flatMap((step) => [
    ...step.mismatches.map(({ key, expected, got }) => `${step.number} ${key}: expected ${expected}, got ${got}`),
    ...(step.problem === undefined ? [] : [`${step.number} ${step.problem}`]),
  ]);
}
