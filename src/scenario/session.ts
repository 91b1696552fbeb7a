// What the steps of one run share: the simulation, names, connections kept open and loads in the background. Scenario
// files and tests in TypeScript run the same steps over it.

import { parseIpv4 } from '../wire/index.ts';
import { Directory, splitPort } from './names.ts';
import { resolveName } from './resolution.ts';
import type { Compiled } from '../control/compile/compiled.ts';
import type { NameProblem, Receiver, Resolved, Sender } from './names.ts';
import type { Resolution } from './resolution.ts';
import type { Simulation } from './simulation/simulation-api.ts';
import type { KeptConnection } from './steps/connect.ts';
import type { RunningLoad } from './steps/load.ts';

/** A step that cannot run, for a reason that its user can understand. */
export class StepProblem extends Error {
  override readonly name = 'StepProblem';
  readonly problem: NameProblem;
  constructor(problem: NameProblem) {
    super(`${problem.message} (${problem.hint})`);
    this.problem = problem;
  }
}

/** A name that DNS does not lead anywhere: what it said is in `resolution`. */
export class ResolutionProblem extends StepProblem {
  readonly resolution: Resolution;
  constructor(resolution: Resolution) {
    const { name, status, blame, steps } = resolution;
    const what = status === 'NOERROR' ? 'has no address' : `does not resolve: ${status}`;
    const last = steps.at(-1);
    const hint = last === undefined ? 'see its DNS servers' : `${last.where}: ${last.text}`;
    super({ code: 'SCENARIO_NO_ADDRESS', message: `'${name}' ${what}; DNS is to blame (${blame})`, hint });
    this.resolution = resolution;
  }
}

export class Session {
  readonly simulation: Simulation;
  readonly seed: number;
  readonly connections = new Map<string, KeptConnection>();
  readonly loads = new Map<string, RunningLoad>();
  readonly #atStart: Directory;
  #compiled: Compiled;
  #directory: Directory;
  #lastId = 0;

  constructor(simulation: Simulation, seed: number) {
    this.simulation = simulation;
    this.seed = seed;
    this.#compiled = simulation.compiled;
    this.#directory = new Directory(this.#compiled);
    this.#atStart = this.#directory;
  }

  /** Who sends, in the network as it is now. Throws StepProblem. */
  sender(text: string): Sender {
    const found = this.#now().sender(text);
    if ('value' in found) return found.value;
    if ('problem' in this.#atStart.sender(text)) throw new StepProblem(found.problem);
    const hint = 'it was removed by an earlier step';
    throw new StepProblem({ ...found.problem, message: `'${text}' is no longer there`, hint });
  }

  /** Which address a destination is; something removed keeps the address it had. A host name of a network that models
   * DNS is asked for with real frames. Throws StepProblem, ResolutionProblem. */
  receiver(text: string, from: Sender): Receiver {
    const directory = this.#now();
    const name = directory.dnsName(text);
    if (name !== undefined) return this.#resolve(name, text, from);
    const now = directory.receiver(text, from);
    return valueOf('value' in now ? now : this.#atStart.receiver(text, from));
  }

  /** The receiver with its port. Throws StepProblem when none was written. */
  receiverPort(text: string, from: Sender): Required<Receiver> {
    const { address, port } = this.receiver(text, from);
    if (port !== undefined) return { address, port };
    const hint = `write ${text}:443, or the port you mean`;
    throw new StepProblem({ code: 'SCENARIO_NO_PORT', message: `'${text}' names no port`, hint });
  }

  /** A small number that no other step of the run has: an ICMP identifier, 1 to 65535. */
  nextId(): number {
    this.#lastId = (this.#lastId % 0xffff) + 1;
    return this.#lastId;
  }

  #resolve(name: string, text: string, from: Sender): Receiver {
    const resolution = resolveName(this.simulation, from, name);
    const [address] = resolution.addresses;
    if (address === undefined) throw new ResolutionProblem(resolution);
    const [, port] = splitPort(text);
    return { address: parseIpv4(address), ...(port === undefined ? {} : { port }) };
  }

  #now(): Directory {
    if (this.simulation.compiled !== this.#compiled) {
      this.#compiled = this.simulation.compiled;
      this.#directory = new Directory(this.#compiled);
    }
    return this.#directory;
  }
}

function valueOf<T>(resolved: Resolved<T>): T {
  if ('problem' in resolved) throw new StepProblem(resolved.problem);
  return resolved.value;
}
