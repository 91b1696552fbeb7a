// sql: a SQL client logs in by the name it was given (SQLMI). A redirection is followed by a second connection to the
// name that the gateway told (SQLMI-9). A connection ends at the first packet that the fabric drops, unless the step
// asks for retries.

import { formatIpv4, parseIpv4, PROTOCOL_TCP } from '../../wire/index.ts';
import { instanceNames, SQL_PORT } from '../../control/sql/instances.ts';
import { parseDataSource } from '../../control/diagnose/sql-host.ts';
import { sqlLogin } from '../../guest/sql/client.ts';
import type { SqlLoginResult } from '../../guest/sql/client.ts';
import type { TcpConnection } from '../../guest/tcp/connection.ts';
import { Conversation } from '../conversation.ts';
import { runUntilQuiet, watchConversation } from '../observation.ts';
import { StepProblem } from '../session.ts';
import type { Facts } from '../expectations.ts';
import type { ResultName } from '../format/expectation-schema.ts';
import type { ActionOf } from '../format/step-schemas.ts';
import type { Sender } from '../names.ts';
import type { Watch } from '../observation.ts';
import type { Session } from '../session.ts';

/** Redirections that a client follows; a gateway's own is one. */
const REDIRECTIONS_MAX = 10;

/** One TCP connection of a login. */
export interface SqlConnection {
  readonly address: number;
  readonly port: number;
  /** How its TCP handshake ended. */
  readonly tcp: Extract<ResultName, 'established' | 'dropped' | 'reset' | 'timedOut'>;
  readonly login: SqlLoginResult | undefined;
}

export interface SqlRun {
  /** In order; the last one decided. */
  readonly connections: readonly SqlConnection[];
  readonly facts: Facts;
}

export function runSql(session: Session, value: ActionOf<'sql'>): Facts {
  return traceSql(session, value).facts;
}

/** Logs in, with everything that the client saw on the way. Throws StepProblem when the name leads nowhere. */
export function traceSql(session: Session, value: ActionOf<'sql'>): SqlRun {
  const sender = session.sender(value.from);
  const conversation = new Conversation();
  const watch = watchConversation(session.simulation, conversation);
  const connections: SqlConnection[] = [];
  let target: Target | undefined = firstTarget(session, value.to, sender);
  while (target !== undefined && connections.length <= REDIRECTIONS_MAX) {
    const connection = openConnection({ session, sender, value, conversation, watch }, target);
    connections.push(connection);
    const routing = connection.login?.routing;
    target = routing && { ...routing, address: addressOf(session, routing.server, sender) };
  }
  runUntilQuiet(session.simulation, watch);
  watch.stop();
  return { connections, facts: factsOf(connections, watch) };
}

interface Target {
  readonly server: string;
  readonly address: number;
  readonly port: number;
}

interface Attempt {
  readonly session: Session;
  readonly sender: Sender;
  readonly value: ActionOf<'sql'>;
  readonly conversation: Conversation;
  readonly watch: Watch;
}

// A name of the topology that is no host name (`pe-sqlmi`) stands for its address.
function firstTarget(session: Session, text: string, sender: Sender): Target {
  const { host, port = SQL_PORT } = parseDataSource(text);
  const address = addressOf(session, host, sender);
  return { server: host.includes('.') ? host : formatIpv4(address), address, port };
}

// The names of an instance are public (SQLMI-1): they lead there also in a topology that says nothing about DNS.
function addressOf(session: Session, host: string, sender: Sender): number {
  try {
    return session.receiver(host, sender).address;
  } catch (error) {
    const names = instanceNames(session.simulation.compiled.network);
    const found = names.find(({ name }) => name === host.toLowerCase());
    if (found === undefined || !(error instanceof StepProblem)) throw error;
    if (error.problem.code !== 'SCENARIO_UNKNOWN_NAME' && error.problem.code !== 'SCENARIO_NO_ADDRESS') throw error;
    return parseIpv4(found.address);
  }
}

function openConnection({ session, sender, value, conversation, watch }: Attempt, target: Target): SqlConnection {
  const { simulation } = session;
  const { address, port } = target;
  const { retries, query, encrypt = true, trustServerCertificate = false } = value;
  const options = { serverName: target.server, encrypt, trustServerCertificate, query, clientName: sender.name };
  let login: SqlLoginResult | undefined;
  const client = sqlLogin(
    options,
    (handlers) =>
      openOrExplain(() =>
        simulation
          .host(sender.attachment)
          .connect({ src: sender.address, dst: address, dstPort: port, retries, handlers }),
      ),
    (result) => {
      login = result;
    },
  );
  const tuple = { src: sender.address, srcPort: client.localPort, dst: address, dstPort: port };
  conversation.addFlow(sender.attachment, { protocol: PROTOCOL_TCP, ...tuple });
  const droppedBefore = watch.observation.dropped;
  const isStopped = (): boolean => retries === undefined && watch.observation.dropped > droppedBefore;
  simulation.runWhile(() => login === undefined && !isStopped());
  const isDropped = isStopped() && client.result === 'connecting';
  if (login === undefined) client.abort();
  return { address, port, tcp: isDropped ? 'dropped' : tcpResult(login, client), login };
}

function tcpResult(login: SqlLoginResult | undefined, client: TcpConnection): SqlConnection['tcp'] {
  if (login?.isEstablished === true) return 'established';
  return client.result === 'reset' ? 'reset' : 'timedOut';
}

function factsOf(connections: readonly SqlConnection[], watch: Watch): Facts {
  const [first] = connections;
  const last = connections.at(-1);
  if (first === undefined || last === undefined) throw new Error('a login without a connection');
  const { observation } = watch;
  const { login } = last;
  const told = {
    resolvesTo: formatIpv4(first.address),
    tls: login?.tls ?? 'none',
    login: loginOf(last),
    ports: connections.map(({ port }) => port),
    ...(login?.error !== undefined && { sqlError: login.error.number }),
    ...(loginOf(last) === 'ok' && { connectionType: connections.length > 1 ? 'Redirect' : 'Proxy' }),
    ...(login?.value !== undefined && { value: login.value }),
  };
  const passes = last.tcp === 'established' ? observation.firstArrival() : observation.decisive();
  const counts = { connections: connections.length, lost: watch.lost() };
  return { result: last.tcp, counts, observation, passes, told };
}

/** `none`: the client did not get as far as a login. */
export function loginOf({ login }: SqlConnection): 'ok' | 'error' | 'none' {
  if (login?.isLoggedIn === true) return 'ok';
  return login?.error === undefined ? 'none' : 'error';
}

// No free port: the user chose the traffic, so it is told as a problem of the step.
function openOrExplain(open: () => TcpConnection): TcpConnection {
  try {
    return open();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new StepProblem({ code: 'SCENARIO_VALUE', message, hint: 'close a connection first' });
  }
}
