// From a scenario file to a checked scenario: settings, topology, steps and every name in them. Whatever is wrong comes
// back as issues, all at once and with places; bad input never throws.

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { compileNetwork, createRegistry } from '../control/compile/compile.ts';
import { parseCaptureFilter } from '../control/capture/filter.ts';
import { checkPointPatterns } from '../control/capture/point-selection.ts';
import { readCapture } from '../control/capture/capture-reader.ts';
import { readInputText } from '../control/input/documents.ts';
import { IssueList } from '../control/input/issue-list.ts';
import { readNetwork, readNetworkValue } from '../control/input/read.ts';
import { hasErrors } from '../control/issues.ts';
import { behaviourOf } from '../control/model/profile.ts';
import { nameHint } from '../control/validate/suggestion.ts';
import { validateNetwork } from '../control/validate/validate.ts';
import { checkNames } from './check-names.ts';
import { linkSettingsOf } from './simulation/link.ts';
import { asList } from './format/common-schemas.ts';
import { settingsSchema } from './format/scenario-schema.ts';
import { expectationShape } from './format/expectation-schema.ts';
import { ACTION_NAMES, ACTIONS, expectationKeys, stepSchema } from './format/step-schemas.ts';
import { readYaml } from './format/yaml-source.ts';
import { pathText, zodIssues } from './format/zod-issues.ts';
import type { CaptureContents } from '../control/capture/capture-reader.ts';
import type { ReadOptions, ReadResult } from '../control/input/read.ts';
import type { Issue } from '../control/issues.ts';
import type { Behaviour, Switches } from '../control/model/profile.ts';
import type { SourceLocation } from '../control/model/resources.ts';
import type { PlacedStep } from './check-names.ts';
import type { ScenarioIssueCode } from './codes.ts';
import type { Expectation } from './format/expectation-schema.ts';
import type { ScenarioSettings } from './format/scenario-schema.ts';
import type { ActionName, StepExtras } from './format/step-schemas.ts';
import type { ZodType } from 'zod';
import type { DataPath, YamlSource } from './format/yaml-source.ts';
import type { ParsedScenario, ParsedStep } from './scenario.ts';

export interface LoadResult {
  /** Undefined when an issue is an error. */
  readonly scenario?: ParsedScenario;
  readonly issues: readonly Issue[];
}

/** Seed of a scenario that names none. */
const SEED_DEFAULT = 1;

/** Reads and checks a scenario file, with its topology and everything else it names. */
export function loadScenario(file: string): LoadResult {
  const issues = new IssueList();
  const text = readInputText(file, issues);
  return text === undefined ? { issues: issues.items } : parseScenario(text, file);
}

/** Checks a scenario text; `file` names it, and paths inside are relative to its folder. */
export function parseScenario(text: string, file: string): LoadResult {
  const place = { file, line: 1, column: 1 };
  if (text.trim() === '') {
    return { issues: [issue('INPUT_EMPTY', 'the scenario is empty', 'write name, topology and steps', place)] };
  }
  const { source, issues } = readYaml(text, file);
  if (source === undefined) return { issues };
  if (typeof source.value !== 'object' || source.value === null || Array.isArray(source.value)) {
    const hint = 'begin with "name:", "topology:" and "steps:"';
    return { issues: [...issues, issue('SCENARIO_NOT_MAPPING', 'expected a mapping', hint, source.locate([]))] };
  }
  return new Reader(source, file, issues).read();
}

class Reader {
  readonly #source: YamlSource;
  readonly #file: string;
  readonly #issues: Issue[];

  constructor(source: YamlSource, file: string, issues: readonly Issue[]) {
    this.#source = source;
    this.#file = file;
    this.#issues = [...issues];
  }

  /** Problems of other files first, then those of the scenario in the order of its lines. */
  read(): LoadResult {
    const { scenario, issues } = this.#read();
    const line = ({ source }: Issue): number => (source?.file === this.#file ? source.line : 0);
    const column = ({ source }: Issue): number => (source?.file === this.#file ? source.column : 0);
    const sorted = issues.toSorted((a, b) => line(a) - line(b) || column(a) - column(b));
    return scenario === undefined ? { issues: sorted } : { scenario, issues: sorted };
  }

  #read(): LoadResult {
    const root = this.#source.value as Record<string, unknown>;
    const checked = settingsSchema.safeParse(root);
    if (!checked.success) this.#issues.push(...zodIssues(settingsSchema, checked.error.issues, this.#source, []));
    const steps = this.#readSteps(root.steps);
    const topology = this.#readTopology(root);
    const isBroken = topology.network === undefined || hasErrors(topology.issues);
    const findings = topology.network === undefined ? [] : validateNetwork(topology.network, topology.behaviour);
    // A broken topology has been reported in full; checking its remains would only repeat that.
    this.#issues.push(
      ...topology.issues,
      ...(isBroken ? findings.filter((found) => found.severity === 'error') : findings),
    );
    if (isBroken || topology.network === undefined || hasErrors(findings)) return { issues: this.#issues };
    const { network, behaviour } = topology;
    const compiled = compileNetwork(network, behaviour, { epoch: 1, registry: createRegistry() });
    this.#issues.push(...checkNames(compiled, steps, settingsNames(root), this.#source));
    const settings = checked.success ? checked.data : undefined;
    const captures = settings?.captures ?? {};
    if (captures !== false) this.#checkCaptures(captures, compiled.sideTable);
    if (settings === undefined || hasErrors(this.#issues)) return { issues: this.#issues };
    const { name, description, seed, links, hosts } = settings;
    const scenario: ParsedScenario = {
      name,
      ...(description === undefined ? {} : { description }),
      file: this.#file,
      network,
      behaviour,
      compiled,
      seed: seed ?? SEED_DEFAULT,
      captures,
      links: Object.fromEntries(Object.entries(links ?? {}).map(([key, value]) => [key, linkSettingsOf(value)])),
      hosts: hosts ?? {},
      steps: steps.map(({ step }) => step),
      warnings: this.#issues,
    };
    return { scenario, issues: this.#issues };
  }

  #readTopology(root: Record<string, unknown>): ReadResult & { readonly behaviour: Behaviour } {
    const { profile, switches } = settingsBehaviour(root);
    const stated = this.#readNetwork(root.topology, {});
    const behaviour = behaviourOf(profile ?? stated.profile, { ...stated.switches, ...switches });
    const isSame = profile === undefined && switches === undefined;
    return { ...(isSame ? stated : this.#readNetwork(root.topology, { behaviour })), behaviour };
  }

  #readNetwork(topology: unknown, options: ReadOptions): ReadResult {
    if (typeof topology === 'string' || Array.isArray(topology)) {
      const paths = asList<unknown>(topology).filter((path) => typeof path === 'string');
      return readNetwork(
        paths.map((path) => this.#path(path)),
        options,
      );
    }
    if (typeof topology !== 'object' || topology === null) return { network: undefined, issues: [], resourceCount: 0 };
    const locate = (path: DataPath): SourceLocation => this.#source.locate(['topology', ...path]);
    return readNetworkValue(topology, this.#file, { ...options, locate });
  }

  #readSteps(steps: unknown): PlacedStep[] {
    if (!Array.isArray(steps)) return [];
    return steps.flatMap((value: unknown, index) => {
      const step = this.#readStep(value, index);
      return step === undefined ? [] : [{ index, step }];
    });
  }

  #readStep(written: unknown, index: number): ParsedStep | undefined {
    const path = ['steps', index];
    const action = this.#actionOf(written, path);
    if (action === undefined) return undefined;
    const step = written as Record<string, unknown>;
    if (!this.#checkExpect(step, action, path)) return undefined;
    const schema = stepSchema(action);
    const checked = schema.safeParse(step);
    if (!checked.success) this.#issues.push(...zodIssues(schema, checked.error.issues, this.#source, path));
    // With a sound action the names of a broken step are still checked, so that all problems are told at once.
    const value = ACTIONS[action].safeParse(step[action]);
    if (!value.success) return undefined;
    const { name, level, expect } = (checked.data ?? { expect: soundPart(step.expect) }) as StepExtras;
    const capture = action === 'replay' ? this.#readReplay(value.data, path) : undefined;
    return {
      action,
      value: value.data,
      ...(name === undefined ? {} : { name }),
      level: level ?? 'error',
      ...(expect === undefined ? {} : { expect }),
      source: this.#source.locate(path),
      text: stepText(action, step[action]),
      ...(capture === undefined ? {} : { capture }),
    } as ParsedStep;
  }

  #actionOf(value: unknown, path: DataPath): ActionName | undefined {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      const hint = 'write for example "- connect: {from: app, to: db:1433}"';
      this.#add('SCENARIO_STEP_KIND', path, 'a step is a mapping with one action', hint);
      return undefined;
    }
    const keys = Object.keys(value);
    const actions = ACTION_NAMES.filter((name) => keys.includes(name));
    const [action] = actions;
    if (action !== undefined && actions.length === 1) return action;
    if (actions.length > 1) {
      const message = `a step has one action; this one has ${actions.join(' and ')}`;
      this.#add('SCENARIO_STEP_KIND', path, message, 'make a step of each');
      return undefined;
    }
    const candidate = keys.find((key) => !['name', 'expect', 'level'].includes(key));
    const hint =
      candidate === undefined ? `add one of: ${ACTION_NAMES.join(', ')}` : nameHint(candidate, ACTION_NAMES, '');
    const message = candidate === undefined ? 'the step has no action' : `'${candidate}' is not an action`;
    this.#add('SCENARIO_STEP_KIND', candidate === undefined ? path : [...path, candidate], message, hint);
    return undefined;
  }

  /** False when the expectation is so wrong that checking the step would only repeat it. */
  #checkExpect(step: Record<string, unknown>, action: ActionName, path: DataPath): boolean {
    if (!('expect' in step)) return true;
    const at = [...path, 'expect'];
    if (expectationKeys(action) === undefined) {
      this.#add('SCENARIO_UNKNOWN_KEY', at, `a step '${action}' has nothing to expect`, "remove 'expect'");
      return false;
    }
    const isBackground = action === 'load' && (step.load as { background?: unknown } | null)?.background === true;
    if (isBackground) {
      const hint = "put the expectation on the step 'wait' that ends the load";
      this.#add('SCENARIO_UNKNOWN_KEY', at, 'a load in the background has no outcome yet', hint);
      return false;
    }
    const { expect } = step;
    const isEmpty = expect === null || (typeof expect === 'object' && Object.keys(expect).length === 0);
    if (!isEmpty) return true;
    this.#add('SCENARIO_EXPECT_EMPTY', at, "'expect' says nothing", 'name what must happen, or remove it');
    return false;
  }

  #readReplay(value: unknown, path: DataPath): CaptureContents | undefined {
    const { file } = value as { file: string };
    const at = [...path, 'replay', 'file'];
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(this.#path(file));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#add(
        'SCENARIO_CAPTURE_FILE',
        at,
        `cannot read '${file}': ${reason}`,
        'check the path: it is relative to this file',
      );
      return undefined;
    }
    const contents = readCapture(bytes, file);
    const source = this.#source.locate(at);
    for (const found of contents.issues) {
      this.#issues.push({ ...found, message: `${file}: ${found.message}`, source, path: pathText(at) });
    }
    return contents;
  }

  #checkCaptures(
    captures: Exclude<NonNullable<ScenarioSettings['captures']>, false>,
    sideTable: Parameters<typeof checkPointPatterns>[1],
  ): void {
    const { points, filter } = captures;
    for (const [index, point] of (points ?? []).entries()) {
      this.#issues.push(...checkPointPatterns([point], sideTable, this.#source.locate(['captures', 'points', index])));
    }
    if (filter !== undefined) {
      this.#issues.push(...parseCaptureFilter(filter, this.#source.locate(['captures', 'filter'])).issues);
    }
  }

  #path(path: string): string {
    return resolve(dirname(this.#file), path);
  }

  #add(code: ScenarioIssueCode, path: DataPath, message: string, hint: string): void {
    this.#issues.push({ ...issue(code, message, hint, this.#source.locateKey(path)), path: pathText(path) });
  }
}

/** The keys of an expectation whose values are of the right form. */
function soundPart(expect: unknown): Expectation | undefined {
  if (typeof expect !== 'object' || expect === null) return undefined;
  const shape: Readonly<Record<string, ZodType>> = expectationShape;
  const sound = Object.entries(expect).filter(([key, value]) => shape[key]?.safeParse(value).success === true);
  return Object.fromEntries(sound);
}

/** A step in one line, as the user wrote it: `connect app > pe-sqlmi:1433`. */
export function stepText(action: ActionName, value: unknown): string {
  if (typeof value !== 'object' || value === null) return `${action} ${String(value)}`;
  const { from, to, ...rest } = value as Record<string, unknown>;
  const direction = [from, to].filter((part) => part !== undefined).map(plain);
  const others = Object.entries(rest).map(([key, part]) => `${key} ${plain(part)}`);
  return [action, direction.join(' > '), others.join(', ')].filter((part) => part !== '').join(' ');
}

function plain(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return value.map(plain).join('|');
  return Object.entries(value)
    .map(([key, part]) => `${key} ${plain(part)}`)
    .join(' ');
}

function settingsNames(root: Record<string, unknown>): { links?: object; hosts?: object } {
  const { links, hosts } = root;
  return {
    ...(typeof links === 'object' && links !== null ? { links } : {}),
    ...(typeof hosts === 'object' && hosts !== null ? { hosts } : {}),
  };
}

// Settings that the schema accepts, whether or not the rest of the file is right.
function settingsBehaviour(root: Record<string, unknown>): Pick<ScenarioSettings, 'profile'> & {
  readonly switches?: Partial<Switches>;
} {
  const profile = settingsSchema.shape.profile.safeParse(root.profile).data;
  const switches = settingsSchema.shape.switches.safeParse(root.switches).data;
  return { ...(profile === undefined ? {} : { profile }), ...(switches === undefined ? {} : { switches }) };
}

function issue(code: string, message: string, hint: string, source: SourceLocation): Issue {
  return { code, severity: 'error', message, hint, source };
}
