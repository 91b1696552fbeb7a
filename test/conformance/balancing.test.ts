// The shapes about load balancers and Private Link services, with values of their own.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCaseFiles } from '../../src/conformance/load.ts';
import { runCase } from '../../src/conformance/run-case.ts';

const directory = join(import.meta.dirname, 'cases');
const { cases, topologies } = loadCaseFiles(['lb.yaml', 'pls.yaml'].map((name) => join(directory, name)));
const OURS = ['LB-C01', 'LB-C02', 'LB-C03', 'PLS-C04', 'PLS-C05', 'PLS-C07', 'PLS-C11'];

describe('the published cases', () => {
  it.each(OURS)('%s passes', (id) => {
    const raw = cases.find((each) => each.id === id)!;
    expect(runCase(raw, topologies)).toEqual({ id, status: 'pass', detail: '' });
  });
});

describe('cases of the same shapes', () => {
  it.each<[string, unknown, object]>([
    [
      'an internal frontend shows the client and answers as itself (LB-3)',
      { client: '10.0.0.9', frontend: '10.0.2.4', backend: '10.1.1.4', frontendPort: 443, backendPort: 8443 },
      {
        backendSees: { srcIp: '10.0.0.9', dstIp: '10.1.1.4', srcPort: 50_000, dstPort: 8443 },
        replySource: '10.0.2.4',
      },
    ],
    [
      'all members down: TCP stays, UDP ends (LB-4)',
      { probeDown: 'all', established: ['Udp', 'Tcp'] },
      { continuesOnSameBackend: { Udp: false, Tcp: true } },
    ],
    [
      'no member down: both stay',
      { probeDown: 'none', established: ['Tcp', 'Udp'] },
      { continuesOnSameBackend: { Tcp: true, Udp: true } },
    ],
    [
      'a member reaches the other member by its own frontend (LB-6)',
      { client: 'backend1', frontend: 'ilb', chosenBackend: 'backend2' },
      { connects: true },
    ],
    [
      'and not itself',
      { client: 'backend2', frontend: 'ilb', chosenBackend: 'backend2' },
      { connects: false },
    ],
    [
      'any client reaches every member',
      { client: 'client', frontend: 'ilb', chosenBackend: 'backend1' },
      { connects: true },
    ],
    [
      'networks of equal spaces, small ones too (PLS-7)',
      {
        consumerVnet: '192.168.0.0/26',
        providerVnet: '192.168.0.0/26',
        client: '192.168.0.10',
        natIps: ['192.168.0.20', '192.168.0.21'],
        backend: '192.168.0.10',
      },
      { connects: true, backendSees: { srcIp: '192.168.0.20', dstIp: '192.168.0.10' } },
    ],
    ['64 K per NAT address and backend (PLS-10)', { natIps: 8, backendVms: 5 }, { maxTcpConnections: 2_621_440 }],
    [
      'idle for 299 s and 301 s (PLS-11)',
      { idleSeconds: [0, 299, 301, 3600] },
      { flowAlive: [true, true, false, false] },
    ],
  ])('%s', (_, input, expected) => {
    const raw = { id: 'OWN', kind: 'wire', input, expect: expected };
    expect(runCase(raw, topologies)).toEqual({ id: 'OWN', status: 'pass', detail: '' });
  });

  it('are refused when a key is unknown', () => {
    const raw = { id: 'OWN', kind: 'wire', input: { natIps: 1, backendVms: 1, frontends: 2 }, expect: { a: 1 } };
    expect(runCase(raw, topologies).status).toBe('not-yet');
  });
});
