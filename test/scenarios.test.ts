// The shipped scenarios: each meets its expectations, its counters balance, and its expectations notice when the fabric
// behaves otherwise.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { scenarioFile, scenarioNames } from '../scripts/golden.mjs';
import { loadScenario, parseScenario } from '../src/scenario/parse.ts';
import { reportLines } from '../src/scenario/report.ts';
import { runScenario } from '../src/scenario/run.ts';
import type { LoadResult } from '../src/scenario/parse.ts';
import type { RunCounters, ScenarioRun } from '../src/scenario/result.ts';

describe.each(scenarioNames())('scenario %s', (name) => {
  it('reads without a warning and meets every expectation, and the counters balance', async () => {
    const loaded = loadScenario(scenarioFile(name));
    expect(loaded.issues).toEqual([]);
    const run = await runLoaded(loaded);
    expect(run.failed + run.warnings, reportLines(run).join('\n')).toBe(0);
    expect(run.passed).toBe(run.steps.length);
    expect(entered(run.counters)).toBe(left(run.counters));
    expect(run.counters.tapsLost).toBe(0);
  });
});

describe('the expectations of shipped scenarios fail where the behaviour differs', () => {
  it.each([
    ['airlock', 'pe.revokeKillsFlows: true', 'The export that is open goes on'],
    ['airlock', 'pe.approveAfterReject: true', 'A rejected connection stays rejected'],
    ['endpoint-lifecycle', 'pe.revokeKillsFlows: true', 'The session does not notice'],
    [
      'inspection-asymmetric-return',
      'pe.routeTablePolicies: false',
      'Now the route for the subnet invalidates the /32',
    ],
    [
      'sqlmi-private-endpoint',
      'pnsg.supported: false',
      'The rules in front of the endpoint keep the reporting spoke out',
    ],
    ['sqlmi-private-endpoint', 'pe.peeredRefused: true', 'The application reaches the instance by its name'],
  ])('%s with %s fails at: %s', async (name, setting, step) => {
    const file = scenarioFile(name);
    const text = readFileSync(file, 'utf8').replace(/^steps:/m, `switches: { ${setting} }\nsteps:`);
    const run = await runLoaded(parseScenario(text, file));
    expect(failedSteps(run)).toContain(step);
  });

  it('without the tag disableSnatOnPL the answer passes the appliance by', async () => {
    const { scenario, issues } = loadScenario(scenarioFile('inspection-asymmetric-return'));
    if (scenario === undefined) throw new Error(JSON.stringify(issues));
    const { networkInterfaces, ...rest } = scenario.network;
    const untagged = networkInterfaces.map(({ tags: _tags, ...nic }) => nic);
    const network = { ...rest, networkInterfaces: untagged };
    const run = await runScenario({ ...scenario, network }, { engine: 'inline' });
    expect(failedSteps(run)).toContain('The answer comes back through the appliance');
  });
});

async function runLoaded({ scenario, issues }: LoadResult): Promise<ScenarioRun> {
  if (scenario === undefined) throw new Error(issues.map((issue) => `${issue.code}: ${issue.message}`).join('\n'));
  return runScenario(scenario, { engine: 'inline' });
}

function failedSteps(run: ScenarioRun): string[] {
  return run.steps.filter((step) => step.status === 'failed').map((step) => step.name ?? step.text);
}

function entered(counters: RunCounters): number {
  return counters.received + counters.originated + counters.duplicated;
}

function left(counters: RunCounters): number {
  const dropped = Object.values(counters.dropped).reduce((sum, count) => sum + count, 0);
  return counters.delivered + counters.exited + counters.consumed + dropped + counters.inFlight;
}
