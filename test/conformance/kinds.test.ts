// What the kinds do with inputs that are wrong or that the emulator decides otherwise: they fail and say why.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCaseFiles } from '../../src/conformance/load.ts';
import type { RawCase } from '../../src/conformance/notation.ts';
import { runCase } from '../../src/conformance/run-case.ts';

const { topologies } = loadCaseFiles([join(import.meta.dirname, 'cases', 'topologies.yaml')]);

function detailOf(raw: Omit<RawCase, 'id'>): string {
  const { status, detail } = runCase({ id: 'A', ...raw } as RawCase, topologies);
  expect(status).toBe('fail');
  return detail;
}

const http = { from: 'VM1', to: 'VM4', proto: 'Tcp', dport: 80 };
const delivered = { verdict: 'deliver' };

describe('a packet', () => {
  const detail = (packet: Record<string, unknown>) =>
    detailOf({ kind: 'packet', topo: 'T-NSG', packet: { ...http, ...packet }, expect: delivered });

  it('needs a sender and a receiver that exist', () => {
    expect(detail({ from: 'VM9' })).toBe('VM9 is neither a NIC nor an endpoint of the topology');
    expect(detail({ to: 'provider:pe' })).toBe('endpoint pe is not in the topology');
    expect(detail({ to: 'inet:1.2.3' })).toContain('not an IPv4 address');
  });

  it('needs a protocol, ports and flags that make sense together', () => {
    expect(detail({ proto: 'Quic' })).toBe('protocol not understood: Quic');
    expect(detail({ dport: undefined })).toBe('a Tcp packet needs dport');
    expect(detail({ proto: 'Udp', flags: 'S' })).toBe('Udp has no flags');
    expect(detail({ flags: 'SX' })).toBe('TCP flags not understood: SX');
    expect(detail({ dport: 65_536 })).toContain('dport');
  });

  it('has no fields but those of the notation', () => {
    expect(detail({ tll: 5 })).toMatch(/not understood: packet: .*tll/);
  });

  it('from the Internet needs a public address at the receiver', () => {
    const packet = { from: 'inet:203.0.113.5', to: 'vm-public', proto: 'Tcp', dport: 80 };
    expect(detailOf({ kind: 'packet', topo: 'T-TUTRT', packet, expect: delivered })).toContain('no public address');
  });

  it('is not sent by an endpoint itself', () => {
    const packet = { from: 'mi', to: 'client', proto: 'Tcp', dport: 22 };
    expect(detailOf({ kind: 'packet', topo: 'T-PENSG', packet, expect: delivered })).toContain('provider:mi');
  });

  it('that an appliance drops was not delivered', () => {
    const packet = { from: 's1', to: 's2', proto: 'Tcp', dport: 443, flags: 'A' };
    const detail = detailOf({ kind: 'packet', topo: 'T-HUB', packet, expect: { verdict: 'deliver', at: 'fw:guest' } });
    expect(detail).toBe('expected verdict deliver, got drop');
  });
});

describe('a flow', () => {
  const detail = (...steps: unknown[]) => detailOf({ kind: 'flow', topo: 'T-NSG', steps });
  const checked = { packet: http, expect: delivered };

  it('has no events but those of the notation', () => {
    expect(detail(checked, { event: 'reboot', nic: 'VM1' })).toMatch(/^step 2 not understood/);
    expect(detail(checked, { event: 'advance', hours: 1 })).toMatch(/^step 2 not understood: .*hours/);
  });

  it('changes only what exists', () => {
    const missing = 'is not in the topology';
    expect(detail(checked, { event: 'removeNic', nic: 'VM9' })).toBe(`NIC VM9 ${missing}`);
    expect(detail(checked, { event: 'setNsg', nsg: 'N', rulesList: [] })).toBe(`network security group N ${missing}`);
    expect(detail(checked, { event: 'setPeState', pe: 'x', state: 'Approved' })).toBe(`endpoint x ${missing}`);
    expect(detail(checked, { event: 'setRoutes', rt: 'r', routes: [] })).toBe(`route table r ${missing}`);
  });

  it('has to check something in at least one step', () => {
    expect(detail({ packet: http }, { event: 'advance', minutes: 1 })).toContain('nothing to check');
    expect(detail({ packet: http, expect: {} })).toContain('nothing to check');
  });

  it('names the step whose expectation was not met', () => {
    expect(detail(checked, { packet: http, expect: { verdict: 'drop' } })).toBe(
      'step 2: expected verdict drop, got deliver',
    );
  });
});

describe('source NAT', () => {
  it('is only asked of a topology with exactly one appliance, and of a handshake that works with it', () => {
    const base = { kind: 'snat', expect: { snatNeeded: true } };
    expect(detailOf({ ...base, topo: 'T-PENSG', client: 'client', pe: 'mi' })).toContain('exactly one NIC with ipfwd');
    const override = { pes: { hpe: { state: 'Pending' } } };
    expect(detailOf({ ...base, topo: 'T-HUB', override, client: 'hvm', pe: 'hpe' })).toContain('with source NAT too');
  });
});

describe('routes', () => {
  it('are asked of a subnet that exists', () => {
    expect(detailOf({ kind: 'routes', topo: 'T-NSG', subnet: 'S', expect: { rows: [] } })).toContain('subnet S');
  });

  it('of a list need known sources and types', () => {
    const given = (row: string[]) =>
      detailOf({ kind: 'routes', routesGiven: [row], expect: { lookups: { '10.0.0.1': 'x' } } });
    expect(given(['10.0.0.0/8', 'Bgp', 'VnetLocal'])).toBe('route source not understood: Bgp');
    expect(given(['10.0.0.0/8', 'User', 'Tunnel'])).toBe('next-hop type not understood: Tunnel');
  });
});
