// Traceroute: probes with TTL 1, 2, 3, ... until the destination answers. In an Azure network it shows only guests that
// forward, because the fabric never touches the TTL (WIRE-6, WIRE-7). One probe per hop: nothing here is random.
import type { Host } from './host.ts';

export interface TracerouteOptions {
  /** Default ICMP echo. TCP probes are SYNs, for destinations that answer nothing else (WIRE-8). */
  readonly protocol?: 'icmp' | 'udp' | 'tcp' | undefined;
  /** Default 33434 for UDP, 80 for TCP. */
  readonly dstPort?: number | undefined;
  /** Default 30. */
  readonly hopsMax?: number | undefined;
  /** Per probe; default 1 s. */
  readonly timeoutNs?: number | undefined;
  /** Stop after this many probes in a row without an answer; default 3. */
  readonly silentMax?: number | undefined;
}

export interface TracerouteHop {
  /** 1 is the first hop. */
  readonly ttl: number;
  /** Who answered; undefined when nobody did. */
  readonly address?: number;
  readonly rttNs?: number;
  /** TTL of the answer as it arrived. */
  readonly receivedTtl?: number;
  /** Hops that the answer took, from its TTL and the usual initial values 64, 128 and 255, as tracepath prints it. */
  readonly back?: number;
}

export interface TracerouteResult {
  readonly hops: readonly TracerouteHop[];
  readonly reached: boolean;
}

interface ProbeAnswer {
  readonly address: number;
  readonly rttNs: number;
  readonly receivedTtl: number | undefined;
  /** From the destination itself, or that it cannot be reached: no further probe is of use. */
  readonly final: boolean;
}

type Probe = (ttl: number, done: (answer: ProbeAnswer | undefined) => void) => void;

const HOPS_MAX = 30;
const SILENT_MAX = 3;
const TIMEOUT_NS = 1_000_000_000;
const UDP_PORT = 33_434;
const TCP_PORT = 80;
const PING_ID = 0x7472;
const USUAL_TTLS = [64, 128, 255];

/** Traces the way from `host` to `dst`; the callback comes once, when the destination answered or nothing more does. */
export function traceRoute(
  host: Host,
  dst: number,
  options: TracerouteOptions,
  callback: (result: TracerouteResult) => void,
): void {
  const probe = probeFor(host, dst, options);
  const hops: TracerouteHop[] = [];
  const hopsMax = options.hopsMax ?? HOPS_MAX;
  const silentMax = options.silentMax ?? SILENT_MAX;
  let silent = 0;
  const next = (): void => {
    const ttl = hops.length + 1;
    probe(ttl, (answer) => {
      hops.push(answer === undefined ? { ttl } : hopOf(ttl, answer));
      silent = answer === undefined ? silent + 1 : 0;
      if (answer?.final === true) callback({ hops, reached: answer.address === dst });
      else if (hops.length >= hopsMax || silent >= silentMax) callback({ hops, reached: false });
      else next();
    });
  };
  next();
}

function probeFor(host: Host, dst: number, options: TracerouteOptions): Probe {
  if (options.protocol === 'udp') return udpProbe(host, dst, options);
  if (options.protocol === 'tcp') return tcpProbe(host, dst, options);
  return pingProbe(host, dst, options);
}

function pingProbe(host: Host, dst: number, options: TracerouteOptions): Probe {
  const timeoutNs = options.timeoutNs ?? TIMEOUT_NS;
  return (ttl, done) => {
    host.ping(dst, { id: PING_ID, sequence: ttl, ttl, timeoutNs }, (outcome) => {
      if (outcome.kind === 'reply') done({ ...outcome, address: outcome.from, final: true });
      else if (outcome.kind === 'error') done(answerOf(outcome));
      else done(undefined);
    });
  };
}

function udpProbe(host: Host, dst: number, options: TracerouteOptions): Probe {
  const timeoutNs = options.timeoutNs ?? TIMEOUT_NS;
  const firstPort = options.dstPort ?? UDP_PORT;
  return (ttl, done) => {
    const onOutcome: Parameters<Host['sendUdp']>[0]['onOutcome'] = (outcome) => {
      if (outcome.kind === 'reply') {
        const { src, ttl: receivedTtl } = outcome.datagram;
        done({ address: src, receivedTtl, rttNs: outcome.rttNs, final: true });
      } else if (outcome.kind === 'error') done(answerOf(outcome));
      else done(undefined);
    };
    host.sendUdp({ dst, dstPort: firstPort + ttl - 1, ttl, payload: new Uint8Array(32), timeoutNs, onOutcome });
  };
}

/** One connection attempt per hop: a SYN/ACK or a RST is the destination's answer. */
function tcpProbe(host: Host, dst: number, options: TracerouteOptions): Probe {
  const timeoutNs = options.timeoutNs ?? TIMEOUT_NS;
  return (ttl, done) => {
    const { port } = host;
    const sentAtNs = port.now();
    let answered = false;
    const end = (answer: ProbeAnswer | undefined): void => {
      if (answered) return;
      answered = true;
      timer.cancel();
      connection.abort();
      done(answer);
    };
    const arrived = (): void =>
      end({ address: dst, rttNs: port.now() - sentAtNs, receivedTtl: connection.receivedTtl, final: true });
    const timer = port.setTimer(sentAtNs + timeoutNs, () => end(undefined));
    const connection = host.connect({
      dst,
      dstPort: options.dstPort ?? TCP_PORT,
      ttl,
      retries: 0,
      handlers: {
        onEstablished: arrived,
        onClosed: (how) => (how === 'reset' ? arrived() : end(undefined)),
        onIcmpError: (error) => end(answerOf({ error, rttNs: port.now() - sentAtNs })),
      },
    });
  };
}

function answerOf(outcome: { error: { kind: string; from: number; receivedTtl: number }; rttNs: number }): ProbeAnswer {
  const { kind, from, receivedTtl } = outcome.error;
  return { address: from, rttNs: outcome.rttNs, receivedTtl, final: kind !== 'timeExceeded' };
}

function hopOf(ttl: number, answer: ProbeAnswer): TracerouteHop {
  const { address, rttNs, receivedTtl } = answer;
  if (receivedTtl === undefined) return { ttl, address, rttNs };
  const initial = USUAL_TTLS.find((usual) => usual >= receivedTtl) ?? receivedTtl;
  return { ttl, address, rttNs, receivedTtl, back: initial - receivedTtl + 1 };
}
