// vnetem run: runs scenarios, prints a line per step, writes captures and a JUnit report.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WORKERS_MAX } from '../../abi/limits.ts';
import { InputError } from '../../control/issues.ts';
import { junitXml } from '../../scenario/junit.ts';
import { stepLines, summaryLines } from '../../scenario/report.ts';
import type { ScenarioRun } from '../../scenario/result.ts';
import { loadScenario } from '../../scenario/parse.ts';
import { runScenario } from '../../scenario/run.ts';
import type { ParsedScenario } from '../../scenario/scenario.ts';
import { JSON_OUTPUT, UsageError, numberOption, type ParsedArgs } from '../args.ts';
import type { Command } from '../command.ts';
import { EXIT_FAILED, EXIT_OK } from '../exit.ts';
import { paint, printIssues, type Output } from '../output.ts';

const WORKERS_DEFAULT = 2;

export const run: Command = {
  spec: {
    name: 'run',
    operands: 'SCENARIO…',
    summary: 'Runs scenarios in virtual time on worker threads and checks their expectations.',
    details: [
      'Every scenario is read and checked before the first one runs. Exit status: 0 all expectations met,',
      '1 one failed, 2 bad input, 3 a bug.',
    ],
    options: [
      {
        name: 'workers',
        kind: 'value',
        value: 'N',
        text: `worker threads, 1 to ${WORKERS_MAX} (default ${WORKERS_DEFAULT})`,
      },
      { name: 'inline', kind: 'flag', text: 'forward on this thread instead; same packets, same bytes' },
      { name: 'captures', kind: 'value', value: 'DIR', text: 'write one pcapng file per capture point into DIR' },
      { name: 'seed', kind: 'value', value: 'N', text: "instead of the scenario's own seed" },
      { name: 'junit', kind: 'value', value: 'FILE', text: 'write a JUnit XML report' },
      { name: 'tour', kind: 'flag', text: 'end with what was proved and which capture to open' },
      JSON_OUTPUT,
    ],
    operandsMin: 1,
    operandsMax: Infinity,
  },
  async run(args, output) {
    const workers = numberOption(args, 'workers', 1, WORKERS_MAX) ?? WORKERS_DEFAULT;
    const isInline = args.flag('inline');
    if (isInline && args.value('workers') !== undefined) {
      throw new UsageError('--inline and --workers exclude each other', 'leave one of them away');
    }
    const seed = numberOption(args, 'seed', 0, 0x7fffffff);
    const scenarios = loadAll(args.operands, output);
    const runs: ScenarioRun[] = [];
    for (const scenario of scenarios) {
      runs.push(
        await runOne(scenario, args, output, { engine: isInline ? 'inline' : workers, seed, among: scenarios.length }),
      );
    }
    const junit = args.value('junit');
    if (junit !== undefined) writeFileSync(junit, junitXml(runs));
    if (args.flag('json')) output.json(runs.length === 1 ? runs[0] : runs);
    else if (args.flag('tour')) printTour(output, runs);
    return runs.every((one) => one.failed === 0) ? EXIT_OK : EXIT_FAILED;
  },
};

/** All scenarios, or InputError with the problems of all. */
function loadAll(files: readonly string[], output: Output): ParsedScenario[] {
  const loaded = files.map((file) => loadScenario(file));
  const issues = loaded.flatMap((one) => one.issues);
  const scenarios = loaded.flatMap((one) => (one.scenario === undefined ? [] : [one.scenario]));
  if (scenarios.length < files.length) throw new InputError(issues);
  printIssues(output, issues);
  return scenarios;
}

interface RunSettings {
  readonly engine: 'inline' | number;
  readonly seed: number | undefined;
  /** How many scenarios run; with several, each captures into a folder of its own. */
  readonly among: number;
}

async function runOne(
  scenario: ParsedScenario,
  args: ParsedArgs,
  output: Output,
  settings: RunSettings,
): Promise<ScenarioRun> {
  const isJson = args.flag('json');
  const directory = args.value('captures');
  const captures = directory === undefined || settings.among === 1 ? directory : join(directory, slug(scenario.name));
  if (!isJson) output.line(paint(output, 'bold', `# ${scenario.name}`));
  const result = await runScenario(scenario, {
    engine: settings.engine,
    ...(settings.seed === undefined ? {} : { seed: settings.seed }),
    ...(captures === undefined ? {} : { capturesDirectory: captures }),
    onStep: (step, total) => {
      if (!isJson) for (const line of stepLines(step)) output.line(painted(output, step.status, line));
      if (step.number < total) output.progress(`step ${step.number + 1} of ${total} …`);
    },
  });
  output.endProgress();
  if (!isJson) for (const line of summaryLines(result)) output.line(line);
  return result;
}

function painted(output: Output, status: string, line: string): string {
  if (status === 'failed') return paint(output, 'red', line);
  return status === 'warning' ? paint(output, 'yellow', line) : line;
}

function slug(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
}

/** For somebody who sees vnetem for the first time. */
function printTour(output: Output, runs: readonly ScenarioRun[]): void {
  const steps = runs.flatMap((one) => one.steps).filter((step) => step.name !== undefined);
  output.line('');
  output.line(paint(output, 'bold', 'What was proved, with real frames:'));
  for (const step of steps) output.line(`  ${step.status === 'passed' ? 'yes' : 'NO '}  ${step.name}`);
  const captures = runs.flatMap((one) => one.captures);
  if (captures.length === 0) return;
  output.line('');
  output.line(paint(output, 'bold', 'Open the two sides of the private endpoint in Wireshark and compare:'));
  for (const { file, packets } of captures) output.line(`  wireshark ${file}   (${packets} packets)`);
  output.line(
    `Every packet carries its verdict:  tshark -r ${captures[0]?.file} -T fields -e frame.number -e frame.comment`,
  );
}
