import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compileNetwork, createRegistry } from '../../src/control/compile/compile.ts';
import { readNetwork, readNetworkText } from '../../src/control/input/read.ts';
import { hasErrors, InputError } from '../../src/control/issues.ts';
import { behaviourOf } from '../../src/control/model/profile.ts';
import type { Network } from '../../src/control/model/resources.ts';
import type { BenchRow } from '../../src/bench/figures.ts';
import { benchUserNetwork } from '../../src/bench/topology.ts';
import { planFlowHits } from '../../src/bench/topology-plan.ts';
import { surveyNetwork, type PathSurvey } from '../../src/bench/topology-survey.ts';

const HUB_AND_SPOKE = `
virtualNetworks:
  hub:
    addressSpace: 10.0.0.0/16
    subnets:
      app: { addressPrefix: 10.0.0.0/24, networkSecurityGroup: app-nsg, natGateway: nat }
      db: { addressPrefix: 10.0.1.0/24, networkSecurityGroup: db-nsg }
      endpoints: { addressPrefix: 10.0.2.0/24 }
      inspection: { addressPrefix: 10.0.3.0/24 }
  spoke:
    addressSpace: 10.1.0.0/16
    subnets:
      work: { addressPrefix: 10.1.0.0/24, routeTable: via-nva }
  island:
    addressSpace: 10.2.0.0/16
    subnets:
      alone: { addressPrefix: 10.2.0.0/24 }
peerings:
  - between: [hub, spoke]
networkInterfaces:
  app: { subnet: hub/app, privateIPAddress: 10.0.0.4 }
  db: { subnet: hub/db, privateIPAddress: 10.0.1.4 }
  nva: { subnet: hub/inspection, privateIPAddress: 10.0.3.4, enableIPForwarding: true }
  worker: { subnet: spoke/work, privateIPAddress: 10.1.0.4 }
  hermit: { subnet: island/alone, privateIPAddress: 10.2.0.4 }
networkSecurityGroups:
  app-nsg:
    rules:
      - { name: AllowApi, priority: 100, direction: Inbound, access: Allow, protocol: Tcp, destinationPorts: 8443 }
      - { name: DenyRest, priority: 200, direction: Inbound, access: Deny }
  db-nsg:
    rules:
      - { name: DenyAll, priority: 100, direction: Inbound, access: Deny }
routeTables:
  via-nva:
    routes:
      - { name: db, addressPrefix: 10.0.1.0/24, nextHopType: VirtualAppliance, nextHopIpAddress: 10.0.3.4 }
natGateways: { nat: { publicIPAddresses: [20.0.0.9] } }
services:
  mi: { type: Microsoft.Sql/managedInstances, backendAddress: 192.0.2.1 }
privateEndpoints:
  pe-mi: { subnet: hub/endpoints, service: mi }
  pe-wait: { subnet: hub/endpoints, service: mi, approval: manual }
`;

/** Processes start slowly on a busy machine. */
const TIMEOUT_MS = 60_000;

function networkOf(text: string): Network {
  const { network, issues } = readNetworkText(text, 'topology.yaml');
  if (network === undefined || hasErrors(issues)) throw new InputError(issues);
  return network;
}

function compiled(text: string) {
  return compileNetwork(networkOf(text), behaviourOf(), { epoch: 1, registry: createRegistry() });
}

function survey(text: string, pairsMax = 1000): Map<string, PathSurvey> {
  const surveys = surveyNetwork(compiled(text), { seed: 7, pairsMax });
  return new Map(surveys.map((found) => [found.path, found]));
}

describe('the survey', () => {
  const found = survey(HUB_AND_SPOKE);
  const counts = (path: string): (number | undefined)[] => [
    found.get(path)?.allowed.length,
    found.get(path)?.denied.length,
  ];

  test('sorts every pair by its kind of path and asks the forwarder whether it may talk', () => {
    expect(counts('VNet-local')).toEqual([4, 2]); // among app, db and nva, only those towards db are denied
    expect(counts('peered')).toEqual([5, 0]); // app and nva with worker and back, db to worker
    expect(counts('appliance')).toEqual([1, 0]); // worker to db, as far as the appliance
    expect(counts('endpoint')).toEqual([4, 6]); // four neighbours of the approved one; nobody gets through the other
    expect(counts('Internet')).toEqual([1, 4]); // behind the NAT gateway
    expect(counts('unconnected')).toEqual([0, 8]);
  });

  test('finds the port that the rules let through', () => {
    const toApp = found.get('VNet-local')!.allowed.filter(({ dst }) => dst === 0x0a00_0004);
    expect(toApp.map(({ port }) => port)).toEqual([8443, 8443]);
  });

  test('says what stopped a pair, with rule or place', () => {
    expect(Object.fromEntries(found.get('VNet-local')!.reasons)).toEqual({ 'NSG_DENY db-nsg/DenyAll': 2 });
    expect(found.get('endpoint')!.reasons.get('PE_NOT_APPROVED pe-wait:admission')).toBe(4);
    expect(found.get('Internet')!.reasons.get('NO_OUTBOUND_PATH worker:publicIp')).toBe(1);
  });

  test('of a large network it tries a choice, the same for the same seed', () => {
    const once = survey(HUB_AND_SPOKE, 5);
    const again = survey(HUB_AND_SPOKE, 5);
    const tried = [...once.values()].flatMap(({ allowed, denied }) => [...allowed, ...denied]);
    expect(tried.length).toBeLessThanOrEqual(15);
    expect([...again.values()]).toEqual([...once.values()]);
  });
});

describe('a plan of known flows', () => {
  const network = compiled(HUB_AND_SPOKE);
  const surveys = new Map(
    surveyNetwork(network, { seed: 7, pairsMax: 1000 }).map((found) => [found.path, found.allowed]),
  );
  const plan = (path: 'Internet' | 'appliance' | 'endpoint') =>
    planFlowHits(network, surveys.get(path)!, 32, { packets: 1, params: { seed: 7 }, extra: {} });

  test('has both directions, also through translations', () => {
    expect(plan('endpoint').templates).toHaveLength(32);
    expect(plan('Internet').templates).toHaveLength(32);
  });

  test('has one direction to an appliance, which does not answer itself', () => {
    expect(plan('appliance').templates).toHaveLength(16);
  });
});

describe('the benchmark', () => {
  const run = (text: string, seed = 7): BenchRow[] =>
    benchUserNetwork(networkOf(text), { seed, smoke: true, onCase: () => undefined });

  test(
    'measures every kind of path that is open, all of them mixed, and the drops of what is not',
    { timeout: TIMEOUT_MS },
    () => {
      const rows = run(HUB_AND_SPOKE);
      const paths = (id: string): unknown[] => rows.filter((row) => row.id === id).map(({ params }) => params['path']);
      const open = ['VNet-local', 'peered', 'appliance', 'endpoint', 'Internet'];
      expect(paths('topology/flow-hit/end-to-end')).toEqual([...open, 'all']);
      expect(paths('topology/flow-hit/processing')).toEqual([...open, 'all']);
      expect(paths('topology/first-packet')).toEqual(open);
      expect(paths('topology/denied')).toEqual(['VNet-local', 'endpoint', 'Internet', 'unconnected']);
      for (const row of rows) expect(row.nsPerPacket.best).toBeGreaterThan(0);
      const denied = rows.find((row) => row.id === 'topology/denied' && row.params['path'] === 'endpoint');
      expect(denied!.extra).toMatchObject({ 'pairs denied': 6, 'PE_NOT_APPROVED pe-wait:admission': 4 });
    },
  );

  const TWO_HOSTS = `
virtualNetworks: { v: { addressSpace: 10.0.0.0/16, subnets: { s: { addressPrefix: 10.0.0.0/24 } } } }
networkInterfaces: { a: { subnet: v/s }, b: { subnet: v/s } }
`;

  test('the same network and seed do the same work', { timeout: TIMEOUT_MS }, () => {
    const outcomes = (): string[] => run(TWO_HOSTS).map(({ outcome }) => outcome);
    expect(outcomes()).toEqual(outcomes());
  });

  test('a network in which nothing may talk is a problem of the input, with what stops most pairs', () => {
    const text = `${TWO_HOSTS}
networkSecurityGroups: { shut: { rules: [{ name: No, priority: 100, direction: Outbound, access: Deny }] } }
`.replace('10.0.0.0/24 }', '10.0.0.0/24, networkSecurityGroup: shut }');
    expect(() => run(text)).toThrow(/BENCH_NOTHING_TALKS: none of 4 pairs may talk; most end as NSG_DENY shut\/No/);
  });

  test('a network without interfaces says so', () => {
    expect(() => run(TWO_HOSTS.replace(/networkInterfaces.*\n/, ''))).toThrow(/has no NIC that could send/);
  });
});

const EXPORT = '../shared/data/azure-resources/two-vms-nat-gateway';

describe.skipIf(!existsSync(EXPORT) && process.env['CI'] !== 'true')('an export (skipped without ../shared)', () => {
  test('of two virtual machines behind a NAT gateway is measured as it is', { timeout: TIMEOUT_MS }, () => {
    const { network } = readNetwork([EXPORT]);
    const rows = benchUserNetwork(network!, { seed: 7, smoke: true, onCase: () => undefined });
    const paths = rows.map(({ id, params }) => `${id} ${params['path']}`);
    expect(paths).toContain('topology/flow-hit/end-to-end VNet-local');
    expect(paths).toContain('topology/flow-hit/end-to-end Internet');
  });
});
