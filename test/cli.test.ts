// The vnetem command as a user meets it: the built binary in its own process.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const MAIN = join(process.cwd(), 'dist/cli/main.js');
const COMMANDS = ['init', 'run', 'explain', 'validate', 'routes', 'rules', 'bench'];

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vnetem-cli-'));
  const made = vnetem('init', 'demo');
  if (made.status !== 0) throw new Error(made.stderr);
});
afterAll(() => rmSync(folder, { recursive: true }));

function vnetem(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
}

function write(name: string, text: string | Uint8Array): string {
  writeFileSync(join(folder, name), text);
  return name;
}

describe('help', () => {
  test.each(COMMANDS)('vnetem %s --help says how to use it', (name) => {
    const { status, stdout } = vnetem(name, '--help');
    expect(status).toBe(0);
    expect(stdout).toMatch(new RegExp(`^usage: vnetem ${name}`));
    expect(stdout).toContain('--json');
  });

  test('the overview names every command, and the version is that of the package', () => {
    for (const name of COMMANDS) expect(vnetem('--help').stdout).toContain(`  ${name} `);
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(vnetem('--version').stdout.trim()).toBe(version);
  });

  test.each([
    [['rnu'], /unknown command 'rnu'\n {2}hint: did you mean 'run'/],
    [['run', '--wokers', '2', 'x.yaml'], /unknown option --wokers\n {2}hint: did you mean --workers/],
    [['run'], /run needs SCENARIO/],
    [['run', '--workers', '0', 'x.yaml'], /--workers is '0'\n {2}hint: give a whole number from 1 to 16/],
    [['routes', 'demo/topology.yaml', '--nic', 'ap'], /there is no NIC 'ap'\n {2}hint: did you mean 'app'/],
    [['explain', 'demo/topology.yaml', '--from', 'app'], /--to is missing/],
    [['validate', 'demo/topology.yaml', '--profile', 'ga-2027'], /unknown profile/],
    [['bench', '--only', 'flow-hits'], /unknown benchmark/],
  ])('wrong use %j is refused with a hint', (args, message) => {
    const { status, stderr } = vnetem(...args);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(status).toBe(2);
  });
});

const BASE = `virtualNetworks:
  vnet:
    addressSpace: 10.0.0.0/16
    subnets:
      app: {addressPrefix: 10.0.0.0/24, networkSecurityGroup: nsg}
networkInterfaces:
  app: {subnet: vnet/app, privateIPAddress: 10.0.0.4}
networkSecurityGroups:
  nsg:
    rules:
      - {name: A, priority: 100, direction: Inbound, access: Allow, protocol: Tcp, source: '*', destination: '*', destinationPorts: [80]}
`;

describe('bad input is refused at its place, with a code and a hint', () => {
  test.each([
    [
      'a typo in a key',
      BASE.replace('addressPrefix', 'adressPrefix'),
      /:5:13: error UNKNOWN_KEY: .*\n {2}hint: did you mean addressPrefix/,
    ],
    [
      'overlapping subnets',
      BASE.replace('networkSecurityGroup: nsg}', 'networkSecurityGroup: nsg}\n      b: {addressPrefix: 10.0.0.128/25}'),
      /:6:7: error SUBNETS_OVERLAP: /,
    ],
    [
      'a rule with priority 99',
      BASE.replace('priority: 100', 'priority: 99'),
      /:11:\d+: error RULE_PRIORITY_RANGE: .*99/,
    ],
    [
      'two rules with one priority',
      `${BASE}      - {name: B, priority: 100, direction: Inbound, access: Deny, protocol: Tcp, source: '*', destination: '*', destinationPorts: [81]}\n`,
      /:12:\d+: error RULE_PRIORITY_DUPLICATE: /,
    ],
    [
      'a prefix with host bits',
      BASE.replace('10.0.0.0/24', '10.0.0.5/24'),
      /:5:28: error PREFIX_HOST_BITS: .*10\.0\.0\.0\/24/,
    ],
    ['leading zeros', BASE.replace('10.0.0.0/16', '010.0.0.0/8'), /:3:19: error PREFIX_SYNTAX: /],
    ['a file that is not YAML', '\u0001{{{: [', /: error YAML_SYNTAX: /],
    ['an empty file', '', /:1:1: error INPUT_EMPTY: /],
    ['a file of 50 MB', 'a'.repeat(50 * 1024 * 1024), /:1:1: error INPUT_TOO_LARGE: .*33554432/],
  ])('%s', (_, text, message) => {
    const { status, stderr, stdout } = vnetem('validate', write('bad.yaml', text));
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/\n {2}hint: /);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });

  test('all problems of a scenario and its inputs come at once', () => {
    write('ok.yaml', BASE);
    write('cut.pcap', Uint8Array.of(0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0));
    const scenario = `name: x
topology: ./ok.yaml
steps:
  - connect: {from: ap, to: "app:80"}
  - replay: {file: ./cut.pcap, from: app}
`;
    const { status, stderr } = vnetem('run', write('bad-scenario.yaml', scenario));
    expect(stderr).toMatch(
      /bad-scenario\.yaml:4:21: error SCENARIO_UNKNOWN_NAME: 'ap'.*\n {2}hint: did you mean 'app'/,
    );
    expect(stderr).toMatch(/bad-scenario\.yaml:5:20: error CAPTURE_TRUNCATED: /);
    expect(status).toBe(2);
  });

  test('--json carries the same issues', () => {
    const { status, stdout } = vnetem(
      'validate',
      '--json',
      write('bad.yaml', BASE.replace('priority: 100', 'priority: 99')),
    );
    const report = JSON.parse(stdout) as { valid: boolean; issues: { code: string; source: { line: number } }[] };
    expect(report.valid).toBe(false);
    expect(report.issues[0]).toMatchObject({ code: 'RULE_PRIORITY_RANGE', source: { line: 11 } });
    expect(status).toBe(2);
  });

  test('init never overwrites', () => {
    const { status, stderr } = vnetem('init', 'demo');
    expect(stderr).toMatch(/FILE_EXISTS/);
    expect(status).toBe(2);
  });
});

describe('what init writes', () => {
  test('runs on worker threads with captures, and its report names every step', () => {
    const { status, stdout } = vnetem('run', 'demo/scenario.yaml', '--captures', 'cap', '--junit', 'report.xml');
    expect(stdout).toContain('ok: 3 of 3 steps passed');
    expect(status).toBe(0);
    expect(readFileSync(join(folder, 'report.xml'), 'utf8')).toMatch(/<testsuite [^>]*tests="3"/);
    expect(readFileSync(join(folder, 'cap/app.pcapng')).readUInt32LE(0)).toBe(0x0a0d0d0a);
  });

  test('a failed expectation ends with status 1 and shows expected, got and the trace', () => {
    const text = readFileSync(join(folder, 'demo/scenario.yaml'), 'utf8').replace('PE_PORT_NOT_SERVED', 'NSG_DENY');
    writeFileSync(join(folder, 'demo/wrong.yaml'), text);
    const { status, stdout } = vnetem('run', '--inline', 'demo/wrong.yaml');
    expect(stdout).toMatch(/FAIL connect app > pe-sqlmi:5022/);
    expect(stdout).toMatch(/expected NSG_DENY\n\s+got PE_PORT_NOT_SERVED/);
    expect(stdout).toMatch(/\| .*10\.0\.1\.5\/32 Default InterfaceEndpoint/);
    expect(status).toBe(1);
  });

  test('explain shows both directions and what decided; --json holds the same', () => {
    const args = ['explain', 'demo/topology.yaml', '--from', 'app', '--to', 'pe-sqlmi:1433'];
    const { status, stdout } = vnetem(...args);
    expect(stdout).toMatch(/forward[\s\S]*InterfaceEndpoint[\s\S]*return[\s\S]*delivered to app/);
    expect(JSON.parse(vnetem(...args, '--json').stdout)).toMatchObject({ isReachable: true });
    expect(status).toBe(0);
  });

  test("routes and rules print Azure's own shapes with --json", () => {
    const routes = JSON.parse(vnetem('routes', 'demo/topology.yaml', '--nic', 'app', '--json').stdout) as {
      value: object[];
    };
    expect(routes.value[0]).toMatchObject({
      source: 'Default',
      addressPrefix: ['10.0.0.0/16'],
      nextHopType: 'VnetLocal',
    });
    const rules = JSON.parse(vnetem('rules', 'demo/topology.yaml', '--nic', 'app', '--json').stdout) as {
      value: object[];
    };
    expect(rules.value[0]).toHaveProperty('effectiveSecurityRules');
  });
});
