// connect, send and close: single TCP connections. A connect ends at the first packet that the fabric drops, unless the
// step asks for retries; what it found out is told from the packets it caused.

import { formatIpv4 } from '../../wire/index.ts';
import { REQUEST_HEADER } from '../../guest/traffic-service.ts';
import { buildRequest } from '../../guest/traffic-service.ts';
import { Conversation } from '../conversation.ts';
import { sizeBytes } from '../format/quantities.ts';
import { runUntilQuiet, watchConversation } from '../observation.ts';
import { ResolutionProblem, StepProblem } from '../session.ts';
import { requestBytes, TcpExchange } from './exchange.ts';
import type { Facts } from '../expectations.ts';
import type { ResultName } from '../format/expectation-schema.ts';
import type { ActionOf } from '../format/step-schemas.ts';
import type { Receiver, Sender } from '../names.ts';
import type { Watch } from '../observation.ts';
import type { Resolution } from '../resolution.ts';
import type { Session } from '../session.ts';

/** A connection that later steps use. */
export interface KeptConnection {
  readonly exchange: TcpExchange;
  readonly conversation: Conversation;
}

/** Opens a connection, exchanges data, and closes it unless the step keeps it. */
export function runConnect(session: Session, value: ActionOf<'connect'>): Facts {
  const { simulation } = session;
  const sender = session.sender(value.from);
  const receiver = receiverOf(session, value.to, sender);
  if ('resolution' in receiver) return unresolved(receiver.resolution);
  const response = sizeBytes(value.data?.response ?? 0);
  const request = requestBytes(sizeBytes(value.data?.request ?? 0), response);
  const conversation = new Conversation();
  const { sourcePort, retries } = value;
  const exchange = new TcpExchange(session, { sender, receiver, sourcePort, retries, request, response, conversation });
  const watch = watchConversation(simulation, conversation, (event) => exchange.notePass(event));
  const isStopped = (): boolean => retries === undefined && watch.observation.dropped > 0;
  simulation.runWhile(() => !exchange.isDecided && !isStopped());
  const result = resultOf(exchange, isStopped());
  if (result !== 'established') exchange.client.abort();
  else if (value.keep !== undefined) session.connections.set(value.keep, { exchange, conversation });
  else finish(session, exchange, isStopped);
  runUntilQuiet(simulation, watch);
  watch.stop();
  const told = { resolvesTo: formatIpv4(receiver.address) };
  return { ...factsOf(result, exchange, watch, exchange.responseBytes, 0), told };
}

/** The receiver, or what DNS said when it leads nowhere: an outcome of the step, as a refused connection is. */
function receiverOf(
  session: Session,
  to: string,
  sender: Sender,
): Required<Receiver> | { readonly resolution: Resolution } {
  try {
    return session.receiverPort(to, sender);
  } catch (error) {
    if (error instanceof ResolutionProblem) return { resolution: error.resolution };
    throw error;
  }
}

/** Nothing was sent but questions; `resolvesTo` is the status of the answer. */
function unresolved({ status, observation, blame }: Resolution): Facts {
  const result: ResultName = status === 'timeout' && observation.dropped > 0 ? 'dropped' : 'unreachable';
  return {
    result,
    counts: {},
    observation,
    passes: observation.decisive(),
    told: { resolvesTo: status, status, blame },
  };
}

/** Sends data on a kept connection and waits until all of it has arrived. */
export function runSend(session: Session, value: ActionOf<'send'>): Facts {
  const { simulation } = session;
  const kept = keptConnection(session, value.on);
  const { exchange, conversation } = kept;
  const bytes = sizeBytes(value.bytes);
  const isFromServer = value.from === 'server';
  const [source, target] = isFromServer ? [exchange.server, exchange.client] : [exchange.client, exchange.server];
  if (!isFromServer && bytes < REQUEST_HEADER) {
    const hint = `send at least ${REQUEST_HEADER} bytes`;
    throw new StepProblem({ code: 'SCENARIO_VALUE', message: 'the service reads whole requests', hint });
  }
  const watch = watchConversation(simulation, conversation);
  const before = exchange.retransmissions;
  const wanted = (target?.stats.bytesReceived ?? 0) + bytes;
  const data = isFromServer ? { fill: bytes } : buildRequest({ requestLength: bytes, responseLength: 0 });
  const isSent = source?.write(data) ?? false;
  const arrived = (): boolean => (target?.stats.bytesReceived ?? 0) >= wanted;
  const isOver = (): boolean => exchange.ended !== undefined || source?.state === 'closed';
  simulation.runWhile(() => isSent && !arrived() && !isOver() && watch.observation.dropped === 0);
  const isDropped = !arrived() && watch.observation.dropped > 0;
  const result: ResultName = arrived() ? 'established' : isDropped ? 'dropped' : endedResult(exchange);
  runUntilQuiet(simulation, watch);
  watch.stop();
  return factsOf(result, exchange, watch, arrived() ? bytes : 0, before);
}

/** Closes a kept connection from the client's side. */
export function runClose(session: Session, name: string): Facts {
  const { exchange, conversation } = keptConnection(session, name);
  const watch = watchConversation(session.simulation, conversation);
  const before = exchange.retransmissions;
  session.connections.delete(name);
  const isStopped = (): boolean => watch.observation.dropped > 0;
  finish(session, exchange, isStopped);
  const result: ResultName =
    exchange.ended === 'closed' ? 'established' : isStopped() ? 'dropped' : endedResult(exchange);
  if (exchange.ended === undefined) exchange.client.abort();
  runUntilQuiet(session.simulation, watch);
  watch.stop();
  return factsOf(result, exchange, watch, 0, before);
}

function keptConnection(session: Session, name: string): KeptConnection {
  const kept = session.connections.get(name);
  if (kept !== undefined) return kept;
  const message = `there is no open connection '${name}'`;
  throw new StepProblem({ code: 'SCENARIO_UNKNOWN_REFERENCE', message, hint: 'it was not established, or is closed' });
}

function finish(session: Session, exchange: TcpExchange, isStopped: () => boolean): void {
  exchange.client.close();
  session.simulation.runWhile(() => exchange.ended === undefined && !isStopped());
}

function resultOf(exchange: TcpExchange, isStopped: boolean): ResultName {
  if (exchange.isComplete) return 'established';
  return isStopped ? 'dropped' : endedResult(exchange);
}

function endedResult(exchange: TcpExchange): ResultName {
  return exchange.ended === 'reset' || exchange.ended === 'closed' ? 'reset' : 'timedOut';
}

function factsOf(result: ResultName, exchange: TcpExchange, watch: Watch, bytes: number, before: number): Facts {
  const { observation } = watch;
  const passes = result === 'established' ? observation.firstArrival() : observation.decisive();
  const retransmissions = exchange.retransmissions - before;
  return { result, counts: { retransmissions, bytes, lost: watch.lost() }, observation, passes };
}
