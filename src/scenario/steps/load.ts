// load: many connections at a rate, each with one exchange. The start of each is drawn from the run's seed inside its
// own interval, so that connections do not march in step. A load in the background goes on while later steps run.

import { Conversation } from '../conversation.ts';
import { asList } from '../format/common-schemas.ts';
import { eventIntervalNs, sizeBytes } from '../format/quantities.ts';
import { runUntilQuiet, watchConversation } from '../observation.ts';
import { draw, fraction, PURPOSE } from '../simulation/random.ts';
import { StepProblem } from '../session.ts';
import { requestBytes, TcpExchange } from './exchange.ts';
import type { Facts } from '../expectations.ts';
import type { ActionOf } from '../format/step-schemas.ts';
import type { Watch } from '../observation.ts';
import type { Session } from '../session.ts';
import type { PacketEvent } from '../simulation/simulation-api.ts';

/** Virtual time after which what is left of a load has failed. */
const LOAD_LIMIT_NS = 3_600e9;

/** Runs a load to its end. */
export function runLoad(session: Session, value: ActionOf<'load'>): Facts {
  const load = new RunningLoad(session, value);
  return load.finish();
}

/** Waits for a background load and tells what became of it. */
export function runWait(session: Session, name: string): Facts {
  const load = session.loads.get(name);
  if (load === undefined) {
    const hint = 'each load is waited for once';
    throw new StepProblem({ code: 'SCENARIO_UNKNOWN_REFERENCE', message: `no load '${name}' is running`, hint });
  }
  session.loads.delete(name);
  return load.finish();
}

type State = 'running' | 'done' | 'failed';

export class RunningLoad {
  readonly #session: Session;
  readonly #value: ActionOf<'load'>;
  readonly #request: number;
  readonly #response: number;
  readonly #conversation = new Conversation();
  readonly #watch: Watch;
  readonly #exchanges: (TcpExchange | undefined)[];
  readonly #states: State[];
  #running: number;

  /** Schedules every connection from now on. */
  constructor(session: Session, value: ActionOf<'load'>) {
    const { simulation } = session;
    this.#session = session;
    this.#value = value;
    this.#response = sizeBytes(value.response ?? 0);
    this.#request = requestBytes(sizeBytes(value.request ?? 0), this.#response);
    this.#exchanges = Array.from({ length: value.connections }, () => undefined);
    this.#states = Array.from({ length: value.connections }, () => 'running');
    this.#running = value.connections;
    this.#watch = watchConversation(simulation, this.#conversation, (event, label) => this.#notePass(event, label));
    const intervalNs = value.rate === undefined ? 0 : eventIntervalNs(value.rate);
    const startNs = simulation.now();
    for (let index = 0; index < value.connections; index++) {
      const offset = fraction(draw(session.seed, startNs / 1000, index, 0, PURPOSE.load));
      simulation.at(startNs + Math.floor((index + offset) * intervalNs), () => this.#start(index));
    }
  }

  /** Runs until every connection has ended, and tells what became of them. */
  finish(): Facts {
    const { simulation } = this.#session;
    simulation.runWhile(() => this.#running > 0, LOAD_LIMIT_NS);
    runUntilQuiet(simulation, this.#watch);
    this.#watch.stop();
    const { observation } = this.#watch;
    const established = this.#states.filter((state) => state === 'done').length;
    const failed = this.#states.length - established;
    const exchanges = this.#exchanges.filter((exchange) => exchange !== undefined);
    const counts = {
      established,
      failed,
      retransmissions: exchanges.reduce((sum, exchange) => sum + exchange.retransmissions, 0),
      bytes: exchanges.reduce((sum, exchange) => sum + exchange.responseBytes, 0),
      lost: this.#watch.lost(),
    };
    return { counts, observation, passes: failed === 0 ? observation.firstArrival() : observation.decisive() };
  }

  #start(index: number): void {
    const { from, to, retries } = this.#value;
    const senders = asList(from);
    try {
      const sender = this.#session.sender(senders[index % senders.length] as string);
      this.#exchanges[index] = new TcpExchange(this.#session, {
        sender,
        receiver: this.#session.receiverPort(to, sender),
        retries,
        request: this.#request,
        response: this.#response,
        conversation: this.#conversation,
        label: index,
        onProgress: (exchange) => this.#progress(index, exchange),
      });
    } catch (error) {
      // The sender has been removed meanwhile, or has no port left: this connection has failed, the others go on.
      if (!(error instanceof StepProblem)) throw error;
      this.#end(index, 'failed');
    }
  }

  #progress(index: number, exchange: TcpExchange): void {
    const isDone = exchange.isEstablished && exchange.responseBytes >= this.#response;
    if (exchange.ended !== undefined) this.#end(index, isDone && exchange.ended === 'closed' ? 'done' : 'failed');
    else if (isDone && this.#value.close === false) this.#end(index, 'done');
    else if (isDone) exchange.client.close();
  }

  #notePass(event: PacketEvent, label: number): void {
    const exchange = this.#exchanges[label];
    if (exchange === undefined) return;
    exchange.notePass(event);
    if (event.outcome !== 'dropped' || this.#value.retries !== undefined || this.#states[label] !== 'running') return;
    const isDone = exchange.isEstablished && exchange.responseBytes >= this.#response;
    this.#end(label, isDone ? 'done' : 'failed');
    exchange.client.abort();
  }

  #end(index: number, state: State): void {
    if (this.#states[index] !== 'running') return;
    this.#states[index] = state;
    this.#running--;
  }
}
