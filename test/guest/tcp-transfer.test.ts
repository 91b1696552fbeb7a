// Byte streams between two hosts, on a perfect wire and on bad ones.
// Random schedules come from fast-check with a fixed seed.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TcpConnection, TcpEnd, TcpHandlers } from '../../src/guest/tcp/connection.ts';
import { requestResponse, type Exchange, type ExchangeResult } from '../../src/guest/traffic-service.ts';
import { TCP_ACK, TCP_FIN, TCP_SYN } from '../../src/wire/index.ts';
import { MS, SECOND, tcpFrames, type Impairment, type Lab, type SentFrame } from './lab.ts';
import { SQL, twoHosts, type TwoHosts } from './two-hosts.ts';

const SEED = 20_260_101;

describe('a perfect wire', () => {
  test('carries a megabyte each way without a retransmission or a duplicate acknowledgement', () => {
    const run = transfer({ up: 1_000_000, down: 1_000_000 });
    expect(run.received).toEqual([1_000_000, 1_000_000]);
    expect(run.intact).toEqual([true, true]);
    expect(run.client.stats).toMatchObject({ retransmissions: 0, timeouts: 0, bytesSent: 1_000_000 });
    expect(duplicateAcks(run.lab)).toBe(0);
    expect(run.ends).toEqual(['closed', 'closed']);
  });

  test('carries an exchange of 4 KiB in the fewest segments', () => {
    const hosts = twoHosts();
    const result = exchange(hosts, 200, 4096);
    expect(result).toEqual({ how: 'completed', established: true, responseBytes: 4096 });
    const lengths = tcpFrames(hosts.lab).map((frame) => `${frame.src === SQL ? '<' : '>'}${frame.payloadLength}`);
    // SYN, SYN-ACK, ACK, request, three segments of response and their ACKs (the last with the FIN), FIN, ACK.
    expect(lengths).toEqual(['>0', '<0', '>0', '>200', '<1460', '<1460', '<1176', '>0', '>0', '>0', '<0', '>0']);
  });

  test('offers MSS 1460 and a scaled window of 256 KiB', () => {
    const hosts = twoHosts();
    exchange(hosts, 8, 0);
    const [syn, , ack] = tcpFrames(hosts.lab);
    expect(syn.tcp).toMatchObject({ flags: TCP_SYN, window: 65_535, options: { mss: 1460, windowScale: 7 } });
    expect(ack.tcp?.window).toBe(262_144 >> 7);
    expect(syn.dontFragment).toBe(true);
  });

  test('sends ten segments before the first acknowledgement (RFC 6928)', () => {
    const hosts = twoHosts();
    hosts.app.connect({ dst: SQL, dstPort: 1433, handlers: {} }).write({ fill: 100_000 });
    // ARP 100 us, SYN and SYN-ACK 200 us (the server asks ARP too, 100 us), then data until the first ACK is back.
    hosts.lab.run(450_000);
    expect(tcpFrames(hosts.lab, 'app').filter((frame) => frame.payloadLength > 0)).toHaveLength(10);
  });

  test('leaves no timer behind, so that an idle network stands still', () => {
    const hosts = twoHosts();
    exchange(hosts, 8, 100);
    expect(hosts.lab.pending).toBe(0);
    expect(hosts.lab.nowNs).toBeLessThan(10 * MS);
  });

  test('carries 2,000 connections of 4 KiB within seconds', () => {
    const hosts = twoHosts();
    const results: ExchangeResult[] = [];
    for (let i = 0; i < 2000; i++) {
      hosts.lab.schedule(i * 2 * MS, () =>
        startExchange(hosts, { requestLength: 200, responseLength: 4096 }, (result) => results.push(result)),
      );
    }
    const startedMs = performance.now();
    hosts.lab.run();
    expect(results.filter((result) => result.how === 'completed')).toHaveLength(2000);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
    expect(hosts.lab.drops.size).toBe(0);
  });
});

describe('a bad wire', () => {
  const schedule = fc.record({
    seed: fc.nat(),
    lossPercent: fc.integer({ min: 0, max: 20 }),
    duplicatePercent: fc.integer({ min: 0, max: 20 }),
    reorderPercent: fc.integer({ min: 0, max: 30 }),
  });

  test('every byte arrives once and in order, both ways, under loss, duplication and reordering', () => {
    const run = fc.property(schedule, fc.nat(60_000), fc.nat(60_000), (bad, up, down) => {
      const { received, intact, ends } = transfer({ up, down, bad });
      expect(received).toEqual([up, down]);
      expect(intact).toEqual([true, true]);
      // The last ACK may be lost until the last retry; what counts is that no side believes in a reset.
      expect(ends).not.toContain('reset');
    });
    fc.assert(run, { seed: SEED, numRuns: 150 });
  });

  test('duplication alone causes no retransmission', () => {
    const bad = { seed: 5, lossPercent: 0, duplicatePercent: 30, reorderPercent: 0 };
    const run = transfer({ up: 200_000, down: 0, bad });
    expect(run.intact).toEqual([true, true]);
    const client = tcpFrames(run.lab, 'app').filter((frame) => frame.payloadLength > 0);
    expect(new Set(client.map((frame) => frame.tcp?.seq)).size).toBe(client.length);
  });

  test('one lost segment among many is repaired without waiting for the timer', () => {
    const run = transfer({ up: 50_000, down: 0, filter: loseNth(3) });
    expect(run.intact).toEqual([true, true]);
    expect(run.client.stats).toMatchObject({ retransmissions: 1, fastRetransmissions: 1, timeouts: 0 });
    expect(run.lab.nowNs).toBeLessThan(200 * MS);
  });

  test('a lost last segment is repaired by the timer, 200 ms later', () => {
    const run = transfer({ up: 3 * 1460, down: 0, filter: loseNth(3) });
    expect(run.client.stats).toMatchObject({ retransmissions: 1, fastRetransmissions: 0, timeouts: 1 });
    expect(run.lab.nowNs).toBeGreaterThan(200 * MS);
    expect(run.lab.nowNs).toBeLessThan(300 * MS);
  });

  test('a lost SYN is sent again after one second', () => {
    const hosts = twoHosts();
    let syns = 0;
    hosts.lab.filter = ({ parsed }) => parsed.kind !== 'ipv4' || parsed.tcp?.flags !== TCP_SYN || syns++ > 0;
    expect(exchange(hosts, 8, 100)?.how).toBe('completed');
    expect(hosts.lab.nowNs).toBeGreaterThan(SECOND);
    expect(hosts.lab.nowNs).toBeLessThan(1.1 * SECOND);
  });

  test('nobody answers: timed out after the asked number of retries', () => {
    const hosts = twoHosts();
    hosts.lab.filter = () => false;
    const ends: TcpEnd[] = [];
    const handlers = { onClosed: (how: TcpEnd) => void ends.push(how) };
    const connection = hosts.app.connect({ dst: SQL, dstPort: 1433, retries: 0, handlers });
    hosts.lab.run();
    expect(ends).toEqual(['timedOut']);
    expect(connection.result).toBe('timedOut');
    expect(tcpFrames(hosts.lab)).toHaveLength(1);
    expect(hosts.lab.nowNs).toBeGreaterThanOrEqual(SECOND);
  });

  test('the same seed gives the same frames at the same times, another seed does not', () => {
    const trace = (seed: number): string => {
      const bad = { seed, lossPercent: 10, duplicatePercent: 5, reorderPercent: 10 };
      return transfer({ up: 30_000, down: 30_000, bad })
        .lab.sent.map((sent) => `${sent.timeNs} ${Buffer.from(sent.frame).toString('hex')}`)
        .join('\n');
    };
    expect(trace(7)).toBe(trace(7));
    expect(trace(7)).not.toBe(trace(8));
  });
});

describe('the end of a connection', () => {
  test('the side that closes first waits in TIME-WAIT, the other is gone', () => {
    const hosts = twoHosts();
    exchange(hosts, 8, 100);
    expect([...hosts.app.connections].map((connection) => connection.state)).toEqual(['timeWait']);
    expect([...hosts.sql.connections]).toEqual([]);
    hosts.lab.advance(60 * SECOND);
    expect([...hosts.app.connections]).toEqual([]);
  });

  test('both close at once: both end in TIME-WAIT', () => {
    const hosts = twoHosts({ sql: { accept: (connection) => ({ onPeerClosed: () => connection.close() }) } });
    const client = hosts.app.connect({ dst: SQL, dstPort: 1433 });
    hosts.lab.run();
    const [server] = hosts.sql.connections;
    client.close();
    server.close();
    hosts.lab.run();
    expect([client.state, server.state]).toEqual(['timeWait', 'timeWait']);
    expect(tcpFrames(hosts.lab).filter((frame) => ((frame.tcp?.flags ?? 0) & TCP_FIN) !== 0)).toHaveLength(2);
  });

  test('a source port in TIME-WAIT can be asked for again', () => {
    const hosts = twoHosts();
    const open = (): TcpConnection => hosts.app.connect({ dst: SQL, dstPort: 1433, srcPort: 45_000 });
    const first = open();
    hosts.lab.run();
    expect(open).toThrow('10.0.0.4:45000 > 10.0.0.5:1433 exists already');
    first.close();
    hosts.lab.run();
    const second = open();
    hosts.lab.run();
    expect([first.state, second.state]).toEqual(['timeWait', 'established']);
  });

  test('source ports count up from 50000', () => {
    const hosts = twoHosts();
    const ports = [1, 2, 3].map(() => hosts.app.connect({ dst: SQL, dstPort: 1433 }).localPort);
    expect(ports).toEqual([50_000, 50_001, 50_002]);
  });

  test('a connection to a port that is not served is reset', () => {
    const hosts = twoHosts({ sql: { listen: [1433] } });
    const connection = hosts.app.connect({ dst: SQL, dstPort: 5022 });
    hosts.lab.run();
    expect(connection.result).toBe('reset');
    expect(hosts.sql.acceptedConnections).toBe(0);
  });

  test('an aborted connection resets its peer', () => {
    const hosts = twoHosts();
    const client = hosts.app.connect({ dst: SQL, dstPort: 1433 });
    hosts.lab.run();
    const [server] = hosts.sql.connections;
    client.abort();
    hosts.lab.run();
    expect([client.result, server.result]).toEqual(['reset', 'reset']);
  });

  test('a handler may abort in the middle of what it is told', () => {
    const hosts = twoHosts();
    const client = hosts.app.connect({
      dst: SQL,
      dstPort: 1433,
      handlers: { onEstablished: () => client.abort(), onData: () => expect.unreachable() },
    });
    client.write({ fill: 100 });
    hosts.lab.run();
    expect(client.stats.bytesSent).toBe(0);
    expect([...hosts.sql.connections]).toEqual([]);
  });
});

interface Bad {
  readonly seed: number;
  readonly lossPercent: number;
  readonly duplicatePercent: number;
  readonly reorderPercent: number;
}

interface TransferSpec {
  /** Bytes from the client, and from the server. */
  readonly up: number;
  readonly down: number;
  readonly bad?: Bad;
  readonly filter?: (sent: SentFrame) => boolean;
}

interface Transfer {
  readonly lab: Lab;
  readonly client: TcpConnection;
  /** Bytes that arrived, at the server and at the client; whether they were the right ones; how both sides ended. */
  readonly received: readonly [number, number];
  readonly intact: readonly [boolean, boolean];
  readonly ends: readonly string[];
}

/** Both sides send as soon as they can, close when they have sent, and check what they get byte for byte. */
function transfer(spec: TransferSpec): Transfer {
  const upBytes = numbered(spec.up, 1);
  const downBytes = numbered(spec.down, 2);
  const atServer: Uint8Array[] = [];
  const atClient: Uint8Array[] = [];
  const ends: string[] = [];
  const handlers = (inbox: Uint8Array[]): TcpHandlers => ({
    onData: (bytes) => void inbox.push(bytes),
    onPeerClosed: () => {},
    onClosed: (how) => void ends.push(how),
  });
  const accept = (server: TcpConnection): TcpHandlers => {
    server.write(downBytes);
    server.close();
    return handlers(atServer);
  };
  const { lab, app } = twoHosts({ seed: spec.bad?.seed ?? 1, sql: { accept } });
  if (spec.bad !== undefined) lab.impairment = impairmentOf(spec.bad);
  if (spec.filter !== undefined) lab.filter = spec.filter;
  const onEstablished = (): void => client.close();
  const client = app.connect({ dst: SQL, dstPort: 1433, handlers: { ...handlers(atClient), onEstablished } });
  client.write(upBytes.subarray(0, spec.up >> 1));
  client.write(upBytes.subarray(spec.up >> 1));
  lab.run();
  const [server, back] = [Buffer.concat(atServer), Buffer.concat(atClient)];
  return {
    lab,
    client,
    received: [server.length, back.length],
    intact: [server.equals(upBytes), back.equals(downBytes)],
    ends,
  };
}

function impairmentOf(bad: Bad): Impairment {
  return { loss: bad.lossPercent / 100, duplicate: bad.duplicatePercent / 100, reorder: bad.reorderPercent / 100 };
}

/** Bytes without a short period. */
function numbered(length: number, start: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (start + index + (index >> 8) + (index >> 16)) & 0xff);
}

/** Loses the `nth` segment with data of `app`, once. */
function loseNth(nth: number): (sent: SentFrame) => boolean {
  let seen = 0;
  return ({ from, parsed }) => {
    const hasData = from === 'app' && parsed.kind === 'ipv4' && parsed.tcp !== undefined && parsed.payloadLength > 0;
    return !hasData || ++seen !== nth;
  };
}

/** Pure ACKs that say what the sender's previous segment said. */
function duplicateAcks(lab: Lab): number {
  let count = 0;
  for (const sender of ['app', 'sql']) {
    let last: string | undefined;
    for (const { tcp, payloadLength } of tcpFrames(lab, sender)) {
      const text = `${tcp?.ack} ${tcp?.window}`;
      if (payloadLength === 0 && tcp?.flags === TCP_ACK && text === last) count++;
      last = text;
    }
  }
  return count;
}

function exchange(hosts: TwoHosts, requestLength: number, responseLength: number): ExchangeResult | undefined {
  let result: ExchangeResult | undefined;
  startExchange(hosts, { requestLength, responseLength }, (end) => void (result = end));
  hosts.lab.run();
  return result;
}

function startExchange(hosts: TwoHosts, exchangeSpec: Exchange, done: (result: ExchangeResult) => void): void {
  requestResponse(exchangeSpec, (handlers) => hosts.app.connect({ dst: SQL, dstPort: 1433, handlers }), done);
}
