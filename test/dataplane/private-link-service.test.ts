// The Private Link service in the data plane: NAT, backends, the way back, and the ends of a connection.

import { describe, expect, test } from 'vitest';
import { behaviourOf, type Switches } from '../../src/control/model/profile.ts';
import { Steering } from '../../src/control/engine/steering.ts';
import { createInlineEngine } from '../../src/control/engine/inline-engine.ts';
import { buildFrame, formatIpv4, parseFrame, parseIpv4 } from '../../src/wire/index.ts';
import { NAT_PORTS_PER_SHARD, SHARDS_PER_GROUP } from '../../src/abi/limits.ts';
import type { BalancedWords } from './balanced-networks.ts';
import { Lab, packet } from './lab.ts';

const ANY_IN = [100, 'In', '*', '*', '*', '*', '*', 'Allow', 'AnyIn'] as const;

/** Two networks with the same address space; a consumer in one, a service in the other. */
function words(more: Partial<BalancedWords> = {}): BalancedWords {
  return {
    vnets: { c: ['10.0.0.0/16'], p: ['10.0.0.0/16'] },
    subnets: {
      clients: { vnet: 'c', cidr: '10.0.0.0/24' },
      endpoints: { vnet: 'c', cidr: '10.0.1.0/24' },
      backends: { vnet: 'p', cidr: '10.0.0.0/24' },
      nat: { vnet: 'p', cidr: '10.0.9.0/24' },
    },
    nics: {
      client: { subnet: 'clients', ip: '10.0.0.4' },
      m1: { subnet: 'backends', ip: '10.0.0.4' },
      m2: { subnet: 'backends', ip: '10.0.0.5' },
    },
    pes: { pe: { subnet: 'endpoints', ip: '10.0.1.5', ports: [] } },
    balancers: {
      lb: {
        subnet: 'nat',
        frontend: '10.0.9.100',
        members: ['m1'],
        rules: [
          { frontendPort: 443, backendPort: 8443 },
          { protocol: 'Udp', frontendPort: 53, backendPort: 0 },
        ],
      },
    },
    services: { svc: { balancer: 'lb', subnet: 'nat', nat: ['10.0.9.8'], endpoints: ['pe'] } },
    ...more,
  };
}

function withMembers(members: readonly string[], more: Partial<BalancedWords> = {}): BalancedWords {
  const base = words(more);
  return { ...base, balancers: { lb: { ...base.balancers!['lb'], members } } };
}

const tcp = (srcPort: number, flags = 0x02, dstPort = 443): Parameters<typeof packet>[0] => ({
  src: '10.0.0.4',
  dst: '10.0.1.5',
  tcp: { srcPort, dstPort, flags },
});
const udp = (srcPort: number): Parameters<typeof packet>[0] => ({
  src: '10.0.0.4',
  dst: '10.0.1.5',
  udp: { srcPort, dstPort: 53 },
});

interface Arrival {
  readonly to: string;
  readonly src: string;
  readonly srcPort: number;
  readonly dst: string;
  readonly dstPort: number;
}

/** Where a packet of the client arrives, or the drop. */
function arrive(lab: Lab, spec: Parameters<typeof packet>[0]): Arrival | string {
  const result = lab.send('client', packet(spec));
  if (result.frame === undefined) return lab.describe(result);
  const parsed = parseFrame(result.frame);
  if (parsed.kind !== 'ipv4') throw new Error('not IPv4');
  const { srcPort, dstPort } = (parsed.tcp ?? parsed.udp)!;
  expect(parsed).toMatchObject({ checksumsOk: true });
  const to = lab.compiled.sideTable.attachments[result.egress]!.name;
  return { to, src: formatIpv4(parsed.src), srcPort, dst: formatIpv4(parsed.dst), dstPort };
}

function reached(lab: Lab, spec: Parameters<typeof packet>[0]): Arrival {
  const arrival = arrive(lab, spec);
  if (typeof arrival === 'string') throw new Error(arrival);
  return arrival;
}

function answer(lab: Lab, { to, src, srcPort, dst, dstPort }: Arrival, isTcp = true, flags = 0x12): string {
  const ports = { srcPort: dstPort, dstPort: srcPort };
  return lab.fate(to, { src: dst, dst: src, ...(isTcp ? { tcp: { ...ports, flags } } : { udp: ports }) });
}

describe('between overlapping networks that are not peered (PLS-7)', () => {
  test('the backend sees a NAT address and its own port, the client the endpoint (PLS-8, PLS-13)', () => {
    const lab = new Lab(words());
    const arrival = reached(lab, tcp(50_000));
    expect(arrival).toMatchObject({ to: 'm1', src: '10.0.9.8', dst: '10.0.0.4', dstPort: 8443 });
    expect(answer(lab, arrival)).toBe('delivered client IP 10.0.1.5.443 > 10.0.0.4.50000: Flags [S.]');
    expect(reached(lab, tcp(50_000, 0x10))).toEqual(arrival);
    expect(reached(lab, tcp(50_001)).srcPort).not.toBe(arrival.srcPort);
  });

  test('UDP goes too; other ports and protocols are not served (PLS-6, PE-24, PE-25)', () => {
    const lab = new Lab(words());
    const arrival = reached(lab, udp(50_000));
    expect(arrival).toMatchObject({ src: '10.0.9.8', dstPort: 53 });
    expect(answer(lab, arrival, false)).toContain('delivered client IP 10.0.1.5.53 > 10.0.0.4.50000');
    expect(arrive(lab, tcp(50_000, 0x02, 444))).toBe('dropped PE_PORT_NOT_SERVED pe:admission');
    expect(arrive(lab, { src: '10.0.0.4', dst: '10.0.1.5', icmp: { type: 8, id: 7, sequence: 1 } })).toBe(
      'dropped PE_PROTOCOL pe:admission',
    );
    expect(arrive(lab, { ...udp(50_001), moreFragments: true })).toContain('BALANCER_FRAGMENT');
  });

  test('rules of the backend see the NAT address as VirtualNetwork (PLS-13)', () => {
    const ruled = (source: string): BalancedWords => {
      const nsgs = {
        g: [
          [100, 'In', 'Tcp', source, '*', '10.0.0.4', '8443', 'Allow', 'Ok'],
          [200, 'In', '*', '*', '*', '*', '*', 'Deny', 'No'],
        ] as never,
      };
      const subnets = { ...words().subnets, backends: { vnet: 'p', cidr: '10.0.0.0/24', nsg: 'g' } };
      return words({ nsgs, subnets });
    };
    expect(arrive(new Lab(ruled('10.0.9.8')), tcp(50_000))).toMatchObject({ to: 'm1' });
    expect(arrive(new Lab(ruled('VirtualNetwork')), tcp(50_000))).toMatchObject({ to: 'm1' });
    expect(arrive(new Lab(ruled('10.0.0.4')), tcp(50_000))).toBe('dropped NSG_DENY m1:subnetNsg');
  });

  test('the provider opens nothing, and answers nobody without a binding (PE-22, PE-23)', () => {
    const lab = new Lab(words());
    const open = { src: '10.0.0.4', dst: '10.0.9.8', tcp: { srcPort: 8443, dstPort: 5000, flags: 0x02 } };
    expect(lab.fate('m1', open)).toBe('dropped NO_REVERSE_FLOW m1:egress');
    const arrival = reached(lab, tcp(50_000));
    expect(answer(lab, arrival, true, 0x02)).toBe('dropped NO_REVERSE_FLOW m1:egress');
    lab.nowMs += 301_000;
    expect(answer(lab, arrival)).toBe('dropped NO_REVERSE_FLOW m1:egress');
  });

  test('an answer leaves by the endpoint that the consumer used, and not when that is gone', () => {
    const lab = new Lab(words());
    const arrival = reached(lab, tcp(50_000));
    lab.push(words({ pes: {}, services: { svc: { ...words().services!['svc'], endpoints: [] } } }));
    expect(answer(lab, arrival)).toBe('dropped NO_REVERSE_FLOW m1:egress');
  });
});

describe('a connection', () => {
  test('keeps its port while a SYN is repeated', () => {
    const lab = new Lab(words());
    expect(reached(lab, tcp(50_000))).toEqual(reached(lab, tcp(50_000)));
  });

  test.each([true, false])('is idle for 290 s, not for 310 s (PLS-11); cached paths: %s', (cachePaths) => {
    const lab = new Lab(words(), createInlineEngine({ connectionsMax: 256, cachePaths }));
    const arrival = reached(lab, tcp(50_000));
    answer(lab, arrival);
    lab.nowMs += 290_000;
    expect(reached(lab, tcp(50_000, 0x18))).toEqual(arrival);
    lab.nowMs += 290_000;
    expect(answer(lab, arrival, true, 0x18)).toContain('delivered client');
    lab.nowMs += 310_000;
    expect(reached(lab, tcp(50_000, 0x18))).not.toEqual(arrival);
  });

  test('lives on when its approval goes, unless revocation kills flows (PE-21)', () => {
    const rejected = words({
      pes: { pe: { subnet: 'endpoints', ip: '10.0.1.5', ports: [], state: 'Rejected' } },
    });
    for (const kills of [false, true]) {
      const lab = new Lab(words(), undefined, behaviourOf('ga-2026', { 'pe.revokeKillsFlows': kills }));
      const arrival = reached(lab, tcp(50_000));
      answer(lab, arrival);
      lab.push(rejected);
      const after = arrive(lab, tcp(50_000, 0x18));
      if (kills) expect(after).toBe('dropped PE_NOT_APPROVED pe:admission');
      else expect(after).toEqual(arrival);
    }
  });

  test('stays with a TCP backend that goes down, moves as UDP (LB-4)', () => {
    for (const make of [tcp, udp]) {
      const lab = new Lab(withMembers(['m1', 'm2']));
      const before = reached(lab, make(50_000));
      answer(lab, before, make === tcp);
      lab.push(withMembers(['m1', 'm2'], { down: [`lb/${before.to}/${before.dst}`] }));
      const after = reached(lab, make === tcp ? tcp(50_000, 0x10) : udp(50_000));
      if (make === tcp) expect(after).toEqual(before);
      else expect(after.to).not.toBe(before.to);
    }
    const down = ['lb/m1/10.0.0.4'];
    expect(arrive(new Lab(words({ down })), tcp(50_000))).toBe('dropped BALANCER_NO_BACKEND pe:balancer');
  });
});

describe('the NAT ports', () => {
  const perShard = NAT_PORTS_PER_SHARD * SHARDS_PER_GROUP;

  test('run dry towards one backend and not towards another (PLS-10)', () => {
    const lab = new Lab(withMembers(['m1', 'm2']), createInlineEngine({ connectionsMax: 16_384 }));
    // Connections of one group of shards, which share its ports.
    const steering = new Steering();
    const consumer = lab.attachment('client');
    const used = { m1: 0, m2: 0 };
    let refused = 0;
    for (let srcPort = 1; srcPort <= 65_535 && refused === 0; srcPort++) {
      const frame = packet(tcp(srcPort));
      if (Math.floor(steering.shardOf(consumer, frame) / SHARDS_PER_GROUP) !== 0) continue;
      const result = lab.send('client', frame);
      if (result.frame === undefined) refused++;
      else used[lab.compiled.sideTable.attachments[result.egress]!.name as 'm1' | 'm2']++;
    }
    // Both backends together take about 4,096 connections of the group, each from all of its 4,032 ports.
    expect(refused).toBe(0);
    expect(used.m1 + used.m2).toBeGreaterThan(perShard * 0.9);

    const pes = { ...words().pes, pe2: { subnet: 'endpoints', ip: '10.0.1.6', ports: [] } };
    const services = { svc: { ...words().services!['svc'], endpoints: ['pe', 'pe2'] } };
    const one = new Lab(words({ pes, services }), createInlineEngine({ connectionsMax: 16_384 }));
    let accepted = 0;
    let last = '';
    for (let i = 0; i < 65_535 * 2 && last === ''; i++) {
      const frame = packet({ ...tcp(1 + (i % 65_535)), dst: i < 65_535 ? '10.0.1.5' : '10.0.1.6' });
      if (Math.floor(steering.shardOf(consumer, frame) / SHARDS_PER_GROUP) !== 0) continue;
      const result = one.send('client', frame);
      if (result.frame === undefined) last = one.describe(result);
      else accepted++;
    }
    expect(accepted).toBe(perShard);
    expect(last).toContain('dropped PLS_NAT_PORT_EXHAUSTED');
  });
});

describe('switches', () => {
  const spread = (switches: Partial<Switches>): string => {
    const lab = new Lab(withMembers(['m1', 'm2']), undefined, behaviourOf('ga-2026', switches));
    return Array.from({ length: 32 }, (_, i) => reached(lab, tcp(50_000 + i)).to).join(' ');
  };

  test('the hash takes the consumer before or after NAT (PLS-12, Q-6)', () => {
    const before = spread({});
    const after = spread({ 'pls.hashAfterNat': true });
    expect(before).toBe(spread({}));
    expect(after).not.toBe(before);
    for (const names of [before, after]) expect(new Set(names.split(' ')).size).toBe(2);
  });

  test('admission before or after the rules of the endpoint (PE-27, Q-20)', () => {
    const both = words({
      nsgs: { g: [[100, 'In', '*', '*', '*', '*', '*', 'Deny', 'No']] },
      subnets: {
        ...words().subnets,
        endpoints: { vnet: 'c', cidr: '10.0.1.0/24', nsg: 'g', pePolicy: 'NetworkSecurityGroupEnabled' },
      },
      pes: { pe: { subnet: 'endpoints', ip: '10.0.1.5', ports: [], state: 'Pending' } },
    });
    expect(arrive(new Lab(both), tcp(50_000))).toBe('dropped NSG_DENY pe:subnetNsg');
    const first = new Lab(both, undefined, behaviourOf('ga-2026', { 'pe.admissionFirst': true }));
    expect(arrive(first, tcp(50_000))).toBe('dropped PE_NOT_APPROVED pe:admission');
  });

  test('a group with flushConnection in front of the endpoint ends connections that it denies (NSG-29)', () => {
    const ruled = (access: 'Allow' | 'Deny'): BalancedWords =>
      words({
        nsgs: { g: [[100, 'In', '*', '*', '*', '*', '*', access, 'Rule']], open: [ANY_IN] },
        flush: ['g'],
        subnets: {
          ...words().subnets,
          endpoints: { vnet: 'c', cidr: '10.0.1.0/24', nsg: 'g', pePolicy: 'NetworkSecurityGroupEnabled' },
        },
      });
    const lab = new Lab(ruled('Allow'));
    answer(lab, reached(lab, tcp(50_000)));
    expect(arrive(lab, tcp(50_000, 0x10))).toMatchObject({ to: 'm1' });
    lab.push(ruled('Deny'));
    expect(arrive(lab, tcp(50_000, 0x10))).toBe('dropped NSG_DENY pe:subnetNsg');
  });
});

test('ICMP errors cross the service both ways, quoting what the other end knows (PE-35)', () => {
  const lab = new Lab(words());
  const result = lab.send('client', packet(udp(50_000)));
  const { src: nat } = parseFrame(result.frame!) as { src: number };
  const icmp = { type: 3, code: 3, id: 0, sequence: 0 };
  const quote = (frame: Uint8Array): Uint8Array => frame.slice(14, 14 + 28);
  const error = buildFrame({ src: parseIpv4('10.0.0.4'), dst: nat, icmp, payload: quote(result.frame!) });
  const toClient = lab.send('m1', error);
  expect(lab.describe(toClient)).toContain('delivered client IP 10.0.1.5 > 10.0.0.4');
  const inner = new DataView(toClient.frame!.buffer, toClient.frame!.byteOffset + 42);
  expect([formatIpv4(inner.getUint32(12)), inner.getUint16(20)]).toEqual(['10.0.0.4', 50_000]);
  expect([formatIpv4(inner.getUint32(16)), inner.getUint16(22)]).toEqual(['10.0.1.5', 53]);

  const arrival = reached(lab, udp(50_000));
  const reply = lab.send(
    'm1',
    packet({ src: '10.0.0.4', dst: '10.0.9.8', udp: { srcPort: 53, dstPort: arrival.srcPort } }),
  );
  const back = buildFrame({
    src: parseIpv4('10.0.0.4'),
    dst: parseIpv4('10.0.1.5'),
    icmp,
    payload: quote(reply.frame!),
  });
  const toBackend = lab.send('client', back);
  expect(lab.describe(toBackend)).toContain('delivered m1 IP 10.0.9.8 > 10.0.0.4');
  expect(parseFrame(toBackend.frame!)).toMatchObject({ checksumsOk: true });
});
