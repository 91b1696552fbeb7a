// The PROXY protocol, health probes and resets between whole guests: what backends receive over lossy links, who is
// taken out of a pool and comes back, and connections that the fabric ends.

import { describe, expect, test } from 'vitest';
import { parseFrame, parseIpv4, payloadOf, TCP_RST } from '../../src/wire/index.ts';
import { expectProxyHeader } from '../../src/guest/proxy-protocol.ts';
import { readCapture } from '../../src/control/capture/capture-reader.ts';
import { CaptureSession } from '../../src/control/capture/capture-session.ts';
import { Host } from '../../src/guest/host.ts';
import { requestResponse } from '../../src/guest/traffic-service.ts';
import { decodeProxyHeader } from '../../src/wire/proxy-protocol.ts';
import type { ExchangeResult } from '../../src/guest/traffic-service.ts';
import type { DecodedProxyHeader } from '../../src/wire/proxy-protocol.ts';
import type { PacketEvent, Simulation } from '../../src/scenario/simulation/simulation-api.ts';
import { failures, run, simulationOf } from './fixtures.ts';

const SECOND = 1e9;
const MINUTE = 60 * SECOND;

/** A consumer and a provider with the same address space; two backends behind a service. */
function topology(more: { proxy?: boolean; probe?: object; rule?: object } = {}): object {
  return {
    location: 'westeurope',
    virtualNetworks: {
      consumer: {
        addressSpace: '10.0.0.0/16',
        subnets: { apps: { addressPrefix: '10.0.0.0/24' }, endpoints: { addressPrefix: '10.0.1.0/24' } },
      },
      provider: {
        addressSpace: '10.0.0.0/16',
        subnets: {
          backends: { addressPrefix: '10.0.0.0/24' },
          nat: { addressPrefix: '10.0.9.0/24', privateLinkServiceNetworkPolicies: 'Disabled' },
        },
      },
    },
    networkInterfaces: {
      client: { subnet: 'consumer/apps', privateIPAddress: '10.0.0.4' },
      near: { subnet: 'provider/backends', privateIPAddress: '10.0.0.9' },
      b1: { subnet: 'provider/backends', privateIPAddress: '10.0.0.4' },
      b2: { subnet: 'provider/backends', privateIPAddress: '10.0.0.5' },
    },
    loadBalancers: {
      lb: {
        frontends: { front: { subnet: 'provider/nat', privateIPAddress: '10.0.9.100' } },
        backendPools: { pool: { members: ['b1', 'b2'] } },
        probes: { alive: { port: 80, intervalInSeconds: 5, numberOfProbes: 2, ...more.probe } },
        rules: {
          web: {
            frontend: 'front',
            backendPool: 'pool',
            probe: 'alive',
            protocol: 'Tcp',
            frontendPort: 443,
            backendPort: 8443,
            ...more.rule,
          },
        },
      },
    },
    privateLinkServices: {
      svc: {
        frontends: ['lb/front'],
        natAddresses: [{ subnet: 'provider/nat', privateIPAddress: '10.0.9.8' }],
        enableProxyProtocol: more.proxy ?? false,
      },
    },
    privateEndpoints: {
      pe: { subnet: 'consumer/endpoints', privateIPAddress: '10.0.1.5', service: 'svc', state: 'Approved' },
    },
  };
}

const id = (simulation: Simulation, name: string): number => simulation.attachment(name)!;

/** An exchange of the client with the endpoint; runs until it is over. */
function exchange(simulation: Simulation, bytes: number): ExchangeResult {
  const results: ExchangeResult[] = [];
  const host = simulation.host(id(simulation, 'client'));
  requestResponse(
    { requestLength: bytes, responseLength: bytes },
    (handlers) => host.connect({ dst: parseIpv4('10.0.1.5'), dstPort: 443, handlers }),
    (result) => results.push(result),
  );
  simulation.runWhile(() => results.length === 0);
  simulation.checkBalance();
  return results[0]!;
}

describe('a service with the PROXY protocol', () => {
  const hosts = { b1: { proxyProtocol: true }, b2: { proxyProtocol: true } };

  test('delivers every byte over links that lose, double and reorder frames (PLS-19)', () => {
    for (let seed = 1; seed <= 8; seed++) {
      const simulation = simulationOf(topology({ proxy: true }), { hosts, seed, probes: false });
      for (const name of ['client', 'b1', 'b2']) {
        simulation.setLink(id(simulation, name), { loss: 0.08, duplicate: 0.05, reorder: 0.05, jitterNs: 20_000 });
      }
      for (let i = 0; i < 4; i++) {
        const result = exchange(simulation, 40_000);
        expect([seed, i, result.how, result.responseBytes]).toEqual([seed, i, 'completed', 40_000]);
      }
    }
  });

  test('tells each backend the address of the consumer in front of its data (PLS-16)', () => {
    const simulation = simulationOf(topology({ proxy: true }), { probes: false });
    const headers: DecodedProxyHeader[] = [];
    for (const name of ['b1', 'b2']) {
      const { options } = simulation.host(id(simulation, name));
      const accept = expectProxyHeader(
        () => ({}),
        (_, header) => headers.push(header),
      );
      simulation.setGuest(id(simulation, name), (port) => new Host(port, { ...options, accept }));
    }
    const client = simulation.host(id(simulation, 'client'));
    client.connect({ dst: parseIpv4('10.0.1.5'), dstPort: 443, srcPort: 51_000 });
    simulation.runUntilIdle(5 * SECOND);
    const addresses = { src: parseIpv4('10.0.0.4'), srcPort: 51_000, dst: parseIpv4('10.0.1.5'), dstPort: 443 };
    const [{ linkId }] = simulation.compiled.sideTable.endpoints;
    expect(headers).toEqual([{ command: 'proxy', addresses, linkId: linkId >>> 0, length: 36 }]);
  });

  test('a backend that resets what it does not understand resets the consumer (PLS-15)', async () => {
    const steps = [{ connect: { from: 'client', to: 'pe:443', data: { request: '1KiB', response: '1KiB' } } }];
    const proxied = { b1: { proxyProtocol: true }, b2: { proxyProtocol: true } };
    const result = await run(topology(), [{ ...steps[0], expect: { result: 'reset' } }], { hosts: proxied });
    expect(failures(result)).toEqual([]);
  });
});

describe('health probes (LB-4)', () => {
  const unhealthy = (simulation: Simulation): string[] =>
    simulation.compiled.network.unhealthyBackends.map(({ backendIPConfiguration }) =>
      backendIPConfiguration.id.replace(/^.*networkInterfaces\/([^/]+).*$/i, '$1'),
    );

  test('come from 168.63.129.16, take a member out after so many failures and bring it back after one success', () => {
    const simulation = simulationOf(topology());
    const sources = new Set<number>();
    simulation.observe(({ ingress, before }) => {
      const parsed = parseFrame(before);
      if (ingress === id(simulation, 'platform') && parsed.kind === 'ipv4') sources.add(parsed.src);
    });
    simulation.runUntil(31 * SECOND);
    expect([...sources]).toEqual([parseIpv4('168.63.129.16')]);
    expect(unhealthy(simulation)).toEqual([]);
    simulation.host(id(simulation, 'b1')).setListen([8443]);
    simulation.runUntil(34 * SECOND);
    expect(unhealthy(simulation)).toEqual([]);
    simulation.runUntil(36 * SECOND);
    expect(unhealthy(simulation)).toEqual([]); // one failure
    simulation.runUntil(41 * SECOND);
    expect(unhealthy(simulation)).toEqual(['b1']);
    const toB2 = new Set<number>();
    const off = simulation.observe(({ egress, after }) => {
      const parsed = after === undefined ? undefined : parseFrame(after);
      if (parsed?.kind === 'ipv4' && parsed.tcp?.dstPort === 8443) toB2.add(egress);
    });
    for (let i = 0; i < 8; i++) exchange(simulation, 100);
    off();
    expect([...toB2]).toEqual([id(simulation, 'b2')]);
    simulation.host(id(simulation, 'b1')).setListen('all');
    simulation.runUntil(simulation.now() + 6 * SECOND);
    expect(unhealthy(simulation)).toEqual([]);
    simulation.checkBalance();
  });

  test('reach the right network of two with the same addresses, and only members of the pool', () => {
    const simulation = simulationOf(topology());
    const probed = new Set<number>();
    simulation.observe(({ ingress, egress }) => {
      if (ingress === id(simulation, 'platform')) probed.add(egress);
    });
    simulation.runUntil(20 * SECOND);
    expect(probed).toEqual(new Set([id(simulation, 'b1'), id(simulation, 'b2')]));
  });

  test('of HTTP want status 200', () => {
    const simulation = simulationOf(
      topology({ probe: { protocol: 'Http', requestPath: '/health', numberOfProbes: 1 } }),
    );
    simulation.runUntil(12 * SECOND);
    expect(unhealthy(simulation)).toEqual([]);
    const { options } = simulation.host(id(simulation, 'b2'));
    const accept: Host['options']['accept'] = (connection) => ({
      onData: () => void connection.write(new TextEncoder().encode('HTTP/1.1 503 Service Unavailable\r\n\r\n')),
    });
    simulation.setGuest(id(simulation, 'b2'), (port) => new Host(port, { ...options, accept }));
    simulation.runUntil(24 * SECOND);
    expect(unhealthy(simulation)).toEqual(['b2']);
  });

  test('of a pool with the PROXY protocol carry the LOCAL header (PLS-18)', () => {
    const simulation = simulationOf(topology({ proxy: true }));
    const payloads: Uint8Array[] = [];
    simulation.observe(({ ingress, after }) => {
      const parsed = after === undefined ? undefined : parseFrame(after);
      if (ingress !== id(simulation, 'platform') || parsed?.kind !== 'ipv4') return;
      const payload = payloadOf(after!, parsed);
      if (payload.length > 0) payloads.push(payload.slice());
    });
    simulation.runUntil(SECOND);
    expect(payloads.map((payload) => decodeProxyHeader(payload))).toEqual([
      { command: 'local', length: 16 },
      { command: 'local', length: 16 },
    ]);
  });

  test('do not keep a run going', () => {
    const simulation = simulationOf(topology());
    simulation.runUntilIdle();
    expect(simulation.now()).toBeLessThan(SECOND);
    expect(exchange(simulation, 1000).how).toBe('completed');
  });

  test('setListen in a scenario takes a backend out and brings it back', async () => {
    const connect = { from: 'client', to: 'pe:443' };
    const result = await run(topology({ probe: { numberOfProbes: 1 } }), [
      { connect, expect: { result: 'established' } },
      { setListen: { nic: 'b1', listen: [] } },
      { setListen: { nic: 'b2', listen: [] } },
      { advance: '6s' },
      { connect, expect: { result: 'dropped', reason: 'BALANCER_NO_BACKEND' } },
      { setListen: { nic: 'b2', listen: [80, 8443] } },
      { advance: '6s' },
      { connect, expect: { result: 'established' } },
    ]);
    expect(failures(result)).toEqual([]);
  });
});

describe('connections that the fabric resets', () => {
  test('both ends of an idle connection of a rule with TCP reset hear of it, and nobody without (LB-5)', () => {
    for (const enableTcpReset of [true, false]) {
      const rule = { enableTcpReset, idleTimeoutInMinutes: 5 };
      const simulation = simulationOf(topology({ rule }), { probes: false });
      const ends: string[] = [];
      simulation.host(id(simulation, 'near')).connect({
        dst: parseIpv4('10.0.9.100'),
        dstPort: 443,
        handlers: { onClosed: (how) => void ends.push(how) },
      });
      simulation.runUntil(4 * MINUTE);
      const backend = ['b1', 'b2'].map((name) => simulation.host(id(simulation, name)));
      const open = (): number => backend.flatMap((host) => [...host.connections]).length;
      expect([ends, open()]).toEqual([[], 1]);
      simulation.runUntil(5 * MINUTE + SECOND);
      expect([ends, open()]).toEqual(enableTcpReset ? [['reset'], 0] : [[], 1]);
    }
  });

  test('show in the captures of both ends, with the reason (LB-5)', async () => {
    const capture = new CaptureSession({ directory: '', memory: true });
    const rule = { enableTcpReset: true, idleTimeoutInMinutes: 4 };
    const simulation = simulationOf(topology({ rule }), { probes: false, capture, taps: 'all' });
    simulation.host(id(simulation, 'near')).connect({ dst: parseIpv4('10.0.9.100'), dstPort: 443 });
    simulation.runUntil(5 * MINUTE);
    const { files } = await capture.close();
    const withReset = files.filter(({ contents }) => Buffer.from(contents!).includes('TCP reset (LB-5)'));
    expect(withReset.map(({ point }) => point)).toHaveLength(2);
    const near = withReset.find(({ point }) => point === 'near')!;
    const last = readCapture(near.contents!, near.fileName).frames.at(-1)!;
    expect(parseFrame(last.bytes)).toMatchObject({ checksumsOk: true, tcp: { flags: TCP_RST, srcPort: 443 } });
  });

  test('a connection in use is not idle', () => {
    const rule = { enableTcpReset: true, idleTimeoutInMinutes: 4 };
    const simulation = simulationOf(topology({ rule }), { probes: false });
    const host = simulation.host(id(simulation, 'near'));
    const connection = host.connect({ dst: parseIpv4('10.0.9.100'), dstPort: 443 });
    for (let minute = 3; minute <= 9; minute += 3) {
      simulation.runUntil(minute * MINUTE);
      connection.write(new Uint8Array(8));
    }
    simulation.runUntil(12.5 * MINUTE);
    expect(connection.state).toBe('established');
    simulation.runUntil(14 * MINUTE);
    expect(connection.state).toBe('closed');
  });

  test('are closed at the consumer and at the backend behind a PROXY header with numbers that each side expects', () => {
    const hosts = { b1: { proxyProtocol: true }, b2: { proxyProtocol: true } };
    const simulation = simulationOf(topology({ proxy: true }), { hosts, probes: false });
    const connection = simulation.host(id(simulation, 'client')).connect({ dst: parseIpv4('10.0.1.5'), dstPort: 443 });
    simulation.runUntil(SECOND);
    connection.write(new Uint8Array(100).fill(0xff));
    simulation.runUntil(2 * SECOND);
    const resets: PacketEvent[] = [];
    simulation.observe((event) => {
      const parsed = parseFrame(event.before);
      if (parsed.kind === 'ipv4' && ((parsed.tcp?.flags ?? 0) & TCP_RST) !== 0) resets.push(event);
    });
    expect(simulation.resetConnections(({ endpoint }) => endpoint !== undefined, 'test')).toBe(1);
    simulation.runUntil(3 * SECOND);
    expect(connection.state).toBe('closed');
    const open = ['b1', 'b2'].flatMap((name) => [...simulation.host(id(simulation, name)).connections]);
    expect(open).toEqual([]);
    // Nobody had to ask back.
    expect(resets).toEqual([]);
  });
});
