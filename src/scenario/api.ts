// The TypeScript form of scenarios: a network under test with the steps of scenario files, and assertions that fail
// with the packet's trace. Everything runs inline and in virtual time, so that tests need no waiting.

import { slotBytesFor } from '../control/engine/frame-size.ts';
import { createInlineEngine } from '../control/engine/inline-engine.ts';
import { readNetwork, readNetworkValue } from '../control/input/read.ts';
import { hasErrors, InputError } from '../control/issues.ts';
import { behaviourOf } from '../control/model/profile.ts';
import { validateNetwork } from '../control/validate/validate.ts';
import { decidersOf, judge, placesOf, receiversOf } from './expectations.ts';
import { expectationSchema } from './format/expectation-schema.ts';
import { ACTIONS, expectationKeys, isChange } from './format/step-schemas.ts';
import { zodIssues } from './format/zod-issues.ts';
import { headersOf } from './headers.ts';
import { linkSettingsOf } from './simulation/link.ts';
import { splitPort } from './names.ts';
import { traceOfPass } from './observation.ts';
import { stepText } from './parse.ts';
import { Session } from './session.ts';
import { createSimulation } from './simulation/simulation.ts';
import { attachmentOf, runStep } from './steps/index.ts';
import { passesText } from './trace-text.ts';
import type { Issue } from '../control/issues.ts';
import type { ProfileName, Switches } from '../control/model/profile.ts';
import type { Network } from '../control/model/resources.ts';
import type { CountKey, Facts, Mismatch } from './expectations.ts';
import type { Expectation, HeaderFields, ResultName } from './format/expectation-schema.ts';
import type { ActionName, ActionOf, ChangeName } from './format/step-schemas.ts';
import type { YamlSource } from './format/yaml-source.ts';
import type { HeaderValue } from './headers.ts';
import type { WrittenLinkSettings } from './simulation/link.ts';
import type { ParsedStep } from './scenario.ts';
import type { HostSettings } from './simulation/guests.ts';
import type { Simulation } from './simulation/simulation-api.ts';

export interface NetworkOptions {
  /** Default: as the topology says. */
  readonly profile?: ProfileName;
  readonly switches?: Partial<Switches>;
  /** Default 1. */
  readonly seed?: number;
  /** What answers at hosts, by NIC name. */
  readonly hosts?: Readonly<Record<string, HostSettings>>;
}

/** One control-plane change in the form of a scenario step: `{ reject: 'pe-sqlmi' }`. */
export type ChangeStepValue = { readonly [Name in ChangeName]: { readonly [Key in Name]: ActionOf<Name> } }[ChangeName];

/**
 * Starts a network from a file, several, or a topology as an object. Throws InputError with everything that is wrong
 * with it.
 */
export async function network(
  source: string | readonly string[] | object,
  options: NetworkOptions = {},
): Promise<NetworkUnderTest> {
  const isPaths = typeof source === 'string' || Array.isArray(source);
  const paths = typeof source === 'string' ? [source] : (source as readonly string[]);
  const read = (behaviour?: ReturnType<typeof behaviourOf>) => {
    const given = behaviour === undefined ? {} : { behaviour };
    return isPaths ? readNetwork(paths, given) : readNetworkValue(source, 'topology', given);
  };
  const stated = read();
  const behaviour = behaviourOf(options.profile ?? stated.profile, { ...stated.switches, ...options.switches });
  const { network: found, issues } = read(behaviour);
  const findings = found === undefined || hasErrors(issues) ? [] : validateNetwork(found, behaviour);
  const problems = [...issues, ...findings];
  if (found === undefined || hasErrors(problems)) throw new InputError(problems);
  const engine = createInlineEngine({ slotBytes: slotBytesFor(found) });
  const seed = options.seed ?? 1;
  const hosts = options.hosts ?? {};
  const simulation = createSimulation({ network: found, behaviour, engine, seed, hosts });
  return await Promise.resolve(new NetworkUnderTest(simulation, seed));
}

/** A running network. Every call runs virtual time until what it asked for has happened. */
export class NetworkUnderTest {
  /** The simulation below, for what the steps do not offer. */
  readonly simulation: Simulation;
  readonly #session: Session;

  constructor(simulation: Simulation, seed: number) {
    this.simulation = simulation;
    this.#session = new Session(simulation, seed);
  }

  async connect(value: ActionOf<'connect'>): Promise<TrafficResult> {
    return await this.#traffic('connect', value);
  }

  async ping(value: ActionOf<'ping'>): Promise<TrafficResult> {
    return await this.#traffic('ping', value);
  }

  async udp(value: ActionOf<'udp'>): Promise<TrafficResult> {
    return await this.#traffic('udp', value);
  }

  async packet(value: ActionOf<'packet'>): Promise<TrafficResult> {
    return await this.#traffic('packet', value);
  }

  async load(value: Omit<ActionOf<'load'>, 'background'>): Promise<TrafficResult> {
    return await this.#traffic('load', value);
  }

  /** Sends data on a connection that `connect` kept. */
  async send(value: ActionOf<'send'>): Promise<TrafficResult> {
    return await this.#traffic('send', value);
  }

  /** Closes a connection that `connect` kept. */
  async disconnect(name: string): Promise<TrafficResult> {
    return await this.#traffic('close', name);
  }

  /** Applies a change: a step such as `{ reject: 'pe-sqlmi' }`, or a function. A refused change throws InputError. */
  change(change: ChangeStepValue | ((network: Network) => Network)): void {
    if (typeof change === 'function') {
      this.simulation.change(change);
      return;
    }
    const [action, value] = Object.entries(change)[0] ?? ['', undefined];
    if (!isChange(action)) {
      const hint = 'write for example { reject: "pe-sqlmi" }';
      throw new InputError([
        { code: 'SCENARIO_STEP_KIND', severity: 'error', message: `'${action}' is no change`, hint },
      ]);
    }
    const facts = this.#run(action, value);
    if (facts.refused !== undefined) throw new InputError(facts.refused);
  }

  /** Lets virtual time pass: `5m`, `30s`. */
  advance(duration: string): void {
    this.#run('advance', duration);
  }

  /** Impairs the link of an attachment, in the words of tc netem: `{ delay: '1ms', loss: '1%' }`. */
  impair(attachment: string, settings: WrittenLinkSettings): void {
    this.simulation.setLink(attachmentOf(this.#session, attachment), linkSettingsOf(settings));
  }

  /** Ends the network; throws if its packet counters do not balance. */
  async close(): Promise<void> {
    this.simulation.checkBalance();
    await this.simulation.close();
  }

  async #traffic<Name extends ActionName>(action: Name, value: ActionOf<Name>): Promise<TrafficResult> {
    const facts = this.#run(action, value);
    return await Promise.resolve(new TrafficResult(stepText(action, value), action, facts));
  }

  #run(action: ActionName, value: unknown): Facts {
    const checked = ACTIONS[action].safeParse(value);
    if (!checked.success) throw new InputError(plainIssues(action, value, checked.error.issues));
    const source = { file: 'test', line: 1, column: 1 };
    const step = { action, value: checked.data, level: 'error', source, text: stepText(action, value) };
    return runStep(this.#session, step as ParsedStep);
  }
}

/** What traffic found out, from the packet that decided. */
export class TrafficResult {
  /** The step in one line. */
  readonly text: string;
  readonly result: ResultName | undefined;
  /** Drop reason, e.g. `NSG_DENY`. */
  readonly reason: string | undefined;
  /** Stage that dropped. */
  readonly stage: string | undefined;
  /** What decided: `nsg/rule`, `flow`, or the endpoint. */
  readonly by: string | undefined;
  /** Where it ended: the receiver, or `<place>:<stage>` of the drop. */
  readonly at: string | undefined;
  /** Who received it. */
  readonly to: string | undefined;
  /** Route chosen at the sender: prefix, source, next-hop type. */
  readonly route: readonly string[] | undefined;
  /** Appliances crossed, in order. */
  readonly via: readonly string[];
  readonly counts: Readonly<Partial<Record<CountKey, number>>>;
  /** The passes of the packet that decided, stage by stage. */
  readonly trace: readonly string[];
  readonly #action: ActionName;
  readonly #facts: Facts;

  constructor(text: string, action: ActionName, facts: Facts) {
    const passes = facts.passes ?? [];
    const traces = passes.map(traceOfPass);
    const last = traces.at(-1);
    this.text = text;
    this.result = facts.result;
    this.reason = last?.reason;
    this.stage = last?.stage;
    this.by = last === undefined ? undefined : decidersOf(last)[0];
    this.at = last === undefined ? undefined : placesOf(last)[0];
    this.to = last === undefined ? undefined : receiversOf(last)[0];
    this.route = traces[0]?.route;
    this.via = traces.slice(0, -1).map((trace) => trace.to ?? '');
    this.counts = facts.counts;
    this.trace = passesText(passes);
    this.#action = action;
    this.#facts = facts;
  }

  /** Header fields of the first packet at a point; undefined when none was seen there. */
  seenBy(point: string): Partial<Record<keyof HeaderFields, HeaderValue>> | undefined {
    const sighting = this.#facts.observation?.seenAt(point);
    return sighting === undefined ? undefined : headersOf(sighting.frame);
  }

  /** Throws ExpectationError unless all of it is met; the keys are those of `expect` in scenario files. */
  expect(expectation: Expectation): void {
    const keys = expectationKeys(this.#action) ?? [];
    const checked = expectationSchema(keys).safeParse(expectation);
    if (!checked.success) throw new InputError(plainIssues('expect', expectation, checked.error.issues));
    const mismatches = judge(checked.data, this.#facts);
    if (mismatches.length > 0) throw new ExpectationError(this.text, mismatches, this.trace);
  }
}

/** An expectation about traffic that was not met. Test runners show `expected` and `actual`. */
export class ExpectationError extends Error {
  override readonly name = 'ExpectationError';
  readonly expected: Readonly<Record<string, string>>;
  readonly actual: Readonly<Record<string, string>>;
  readonly trace: readonly string[];

  constructor(text: string, mismatches: readonly Mismatch[], trace: readonly string[]) {
    const lines = mismatches.map(({ key, expected, got }) => `  ${key}: expected ${expected}, got ${got}`);
    super([text, ...lines, ...trace.map((line) => `  | ${line}`)].join('\n'));
    this.expected = Object.fromEntries(mismatches.map(({ key, expected }) => [key, expected]));
    this.actual = Object.fromEntries(mismatches.map(({ key, got }) => [key, got]));
    this.trace = trace;
  }
}

/** `expectTraffic(net).from('app').to('pe-sqlmi:1433').toBeEstablished()` */
export function expectTraffic(net: NetworkUnderTest): { from(from: string): { to(to: string): TrafficExpectation } } {
  return { from: (from) => ({ to: (to) => new TrafficExpectation(net, from, to) }) };
}

/** Connects (or pings, when the destination names no port), then throws ExpectationError unless it went as expected. */
export class TrafficExpectation {
  readonly #net: NetworkUnderTest;
  readonly #from: string;
  readonly #to: string;

  constructor(net: NetworkUnderTest, from: string, to: string) {
    this.#net = net;
    this.#from = from;
    this.#to = to;
  }

  async toBeEstablished(more: Expectation = {}): Promise<void> {
    await this.#expect({ ...more, result: this.#isPing() ? 'replied' : 'established' });
  }

  async toBeDropped(more: Expectation = {}): Promise<void> {
    await this.#expect({ ...more, result: 'dropped' });
  }

  /** The receiver refuses: nothing listens there. */
  async toBeReset(more: Expectation = {}): Promise<void> {
    await this.#expect({ ...more, result: 'reset' });
  }

  async #expect(expectation: Expectation): Promise<void> {
    const ends = { from: this.#from, to: this.#to };
    const found = this.#isPing() ? await this.#net.ping(ends) : await this.#net.connect(ends);
    found.expect(expectation);
  }

  #isPing(): boolean {
    return splitPort(this.#to)[1] === undefined;
  }
}

// A value of a program has no place in a file: only its path is told.
function plainIssues(name: ActionName | 'expect', value: unknown, problems: Parameters<typeof zodIssues>[1]): Issue[] {
  const place = { file: '', line: 1, column: 1 };
  const source: YamlSource = { value: { [name]: value }, locate: () => place, locateKey: () => place };
  const schema = name === 'expect' ? expectationSchema([]) : ACTIONS[name];
  return zodIssues(schema, problems, source, [name]).map(({ source: _place, ...issue }) => issue);
}
