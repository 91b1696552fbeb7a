import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadScenario, parseScenario } from '../../src/scenario/parse.ts';
import { SCENARIO_ISSUE_CODES } from '../../src/scenario/codes.ts';

const TOPOLOGY = `topology:
  virtualNetworks:
    hub: {addressSpace: 10.0.0.0/16, subnets: {app: {addressPrefix: 10.0.0.0/24}, db: {addressPrefix: 10.0.1.0/24}}}
  networkInterfaces:
    app: {subnet: hub/app}
    db: {subnet: hub/db}
  services: {sqlmi1: {type: Microsoft.Sql/managedInstances}}
  privateEndpoints: {pe-sqlmi: {subnet: hub/db, service: sqlmi1}}
`;

/** `line:column CODE message` of all issues of a scenario with these lines after its topology (nine lines). */
function problems(rest: string): string[] {
  const { issues } = parseScenario(`name: test\n${TOPOLOGY}${rest}`, 'scenario.yaml');
  for (const issue of issues) expect(issue.hint).not.toBe('');
  return issues.map(({ code, message, source }) => `${source?.line}:${source?.column} ${code} ${message}`);
}

test('a whole scenario is read, with steps in words and places', () => {
  const { scenario, issues } = parseScenario(
    `name: test\n${TOPOLOGY}seed: 7\nlinks: {app: {delay: 1ms, loss: 1%}}\nsteps:\n  - connect: {from: app, to: db:80}\n    name: web\n  - advance: 5m\n`,
    'scenario.yaml',
  );
  expect(issues).toEqual([]);
  expect(scenario?.seed).toBe(7);
  expect(scenario?.links).toEqual({ app: { delayNs: 1e6, loss: 0.01 } });
  expect(scenario?.steps.map((step) => [step.text, step.name, step.source.line])).toEqual([
    ['connect app > db:80', 'web', 13],
    ['advance 5m', undefined, 15],
  ]);
});

test('a typing error in a key of a step is told with its place and the nearest key', () => {
  const { issues } = parseScenario(`name: t\n${TOPOLOGY}steps:\n  - connect: {frm: app, to: db:80}\n`, 's.yaml');
  expect(issues.map((issue) => [issue.code, issue.source?.line, issue.source?.column, issue.hint])).toEqual([
    ['SCENARIO_MISSING_KEY', 11, 14, expect.stringContaining("add 'from'")],
    ['SCENARIO_UNKNOWN_KEY', 11, 15, "did you mean 'from'?"],
  ]);
});

test('an unknown NIC in a step is told with the nearest name', () => {
  const { issues } = parseScenario(`name: t\n${TOPOLOGY}steps:\n  - connect: {from: ap, to: db:80}\n`, 's.yaml');
  expect(issues).toHaveLength(1);
  expect(issues[0]).toMatchObject({
    code: 'SCENARIO_UNKNOWN_NAME',
    hint: "did you mean 'app'?",
    source: { file: 's.yaml', line: 11, column: 21 },
    path: 'steps[0].connect.from',
  });
});

test('all problems of a file are told at once', () => {
  expect(
    problems(`sed: 1
steps:
  - conect: {from: app, to: db:80}
  - connect: {from: app, to: db}
  - advance: 5 minutes
  - ping: {from: app, to: db}
    expect: {}
  - advance: 5m
    expect: {result: replied}
  - ping: {from: app, to: db}
    expect: {resul: replied}
  - ping: {from: app, to: db}
    expect: {result: arrived, reason: NSG_DENI, notSeenBy: [dbb]}
  - send: {on: web, bytes: 10}
  - wait: sql
  - reject: pe-sql
`),
  ).toEqual([
    "10:1 SCENARIO_UNKNOWN_KEY unknown key 'sed'",
    "12:5 SCENARIO_STEP_KIND 'conect' is not an action",
    "13:30 SCENARIO_NO_PORT 'db' names no port",
    expect.stringContaining('14:14 SCENARIO_VALUE expected a duration'),
    "16:5 SCENARIO_EXPECT_EMPTY 'expect' says nothing",
    "18:5 SCENARIO_UNKNOWN_KEY a step 'advance' has nothing to expect",
    "20:14 SCENARIO_UNKNOWN_KEY unknown key 'resul'",
    expect.stringContaining('22:22 SCENARIO_VALUE expected one of'),
    "22:39 SCENARIO_UNKNOWN_NAME unknown drop reason 'NSG_DENI'",
    "22:61 SCENARIO_UNKNOWN_NAME unknown place 'dbb'",
    "23:16 SCENARIO_UNKNOWN_REFERENCE no earlier step made a connection 'web'",
    "24:11 SCENARIO_UNKNOWN_REFERENCE no earlier step made a background load 'sql'",
    "25:13 SCENARIO_UNKNOWN_NAME unknown private endpoint 'pe-sql'",
  ]);
});

test('names in expectations are checked too', () => {
  expect(
    problems(`steps:
  - connect: {from: app, to: db:80}
    expect: {at: dbb, reason: NSG_DENI, stage: nicnsgs, by: nsg-x/Rule, via: [nva], seenBy: {pe-sqlmi.consumer: {ttl: 1}}}
`).map((line) => line.replace(/^\S+ /, '')),
  ).toEqual([
    "SCENARIO_UNKNOWN_NAME unknown place 'dbb'",
    "SCENARIO_UNKNOWN_NAME unknown drop reason 'NSG_DENI'",
    "SCENARIO_UNKNOWN_NAME unknown stage 'nicnsgs'",
    "SCENARIO_UNKNOWN_NAME unknown network security group 'nsg-x'",
    "SCENARIO_UNKNOWN_NAME unknown place 'nva'",
  ]);
});

test('a step has exactly one action', () => {
  expect(problems('steps:\n  - {ping: {from: app, to: db}, advance: 1s}\n  - name: nothing\n  - just text\n')).toEqual([
    '11:5 SCENARIO_STEP_KIND a step has one action; this one has ping and advance',
    '12:5 SCENARIO_STEP_KIND the step has no action',
    '13:5 SCENARIO_STEP_KIND a step is a mapping with one action',
  ]);
});

test('problems of a topology inside the scenario have places in the scenario', () => {
  const { issues } = parseScenario(
    'name: t\ntopology:\n  virtualNetworks: {hub: {addressSpace: 10.0.0.1/16}}\nsteps:\n  - advance: 1s\n',
    's.yaml',
  );
  expect(issues.map((issue) => [issue.code, issue.source])).toEqual([
    ['PREFIX_HOST_BITS', { file: 's.yaml', line: 3, column: expect.any(Number) }],
  ]);
});

test.each([
  ['', 'INPUT_EMPTY'],
  ['- a\n- b\n', 'SCENARIO_NOT_MAPPING'],
  ['name: [a\n', 'YAML_SYNTAX'],
  ['just text', 'SCENARIO_NOT_MAPPING'],
])('%j is no scenario', (text, code) => {
  const { scenario, issues } = parseScenario(text, 's.yaml');
  expect(scenario).toBeUndefined();
  expect(issues.map((issue) => issue.code)).toContain(code);
});

test('missing files are told, not thrown', () => {
  expect(loadScenario('/nonexistent/scenario.yaml').issues.map((issue) => issue.code)).toEqual(['INPUT_NOT_FOUND']);
  const { issues } = parseScenario(
    `name: t\n${TOPOLOGY}steps:\n  - replay: {file: nowhere.pcap, from: app}\n`,
    's.yaml',
  );
  expect(issues).toMatchObject([{ code: 'SCENARIO_CAPTURE_FILE', source: { line: 11 } }]);
});

test('a file to replay that is no capture is bad input', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vnetem-'));
  writeFileSync(join(folder, 'not.pcap'), 'hello world');
  writeFileSync(join(folder, 'scenario.yaml'), `name: t\n${TOPOLOGY}steps:\n  - replay: {file: not.pcap, from: app}\n`);
  const { scenario, issues } = loadScenario(join(folder, 'scenario.yaml'));
  expect(scenario).toBeUndefined();
  expect(issues).toMatchObject([{ code: 'CAPTURE_FORMAT', source: { line: 11, column: 20 } }]);
});

test('capture points and filters are checked', () => {
  const found = problems('captures: {points: [app, pe-sql], filter: "tcp prt 80"}\nsteps: [{advance: 1s}]\n');
  expect(found.map((line) => line.split(' ')[1])).toEqual(['CAPTURE_POINT_UNKNOWN', 'CAPTURE_FILTER']);
});

test('every code of an issue is registered', () => {
  for (const code of Object.keys(SCENARIO_ISSUE_CODES)) expect(code).toMatch(/^SCENARIO_[A-Z_]+$/);
});
