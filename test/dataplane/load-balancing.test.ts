// The load balancer in the data plane: which member gets a packet, what both ends see, and where connections go when
// something changes.

import { describe, expect, test } from 'vitest';
import { createInlineEngine } from '../../src/control/engine/inline-engine.ts';
import { buildFrame, formatIpv4, parseFrame, parseIpv4 } from '../../src/wire/index.ts';
import type { BalancedWords, BalancerSpec, RuleSpec } from './balanced-networks.ts';
import { Lab, packet } from './lab.ts';

const ANY_IN = [100, 'In', '*', '*', '*', '*', '*', 'Allow', 'AnyIn'] as const;
const SYN = { flags: 0x02 };
const ACK = { flags: 0x10 };

function words(spec: Partial<BalancerSpec> = {}, more: Partial<BalancedWords> = {}): BalancedWords {
  const rules: readonly RuleSpec[] = [{}, { protocol: 'Udp', frontendPort: 53, backendPort: 5353 }];
  return {
    vnets: { v: ['10.0.0.0/16'] },
    subnets: { s: { vnet: 'v', cidr: '10.0.0.0/24', nsg: 'open' } },
    nsgs: { open: [ANY_IN] },
    nics: {
      client: { subnet: 's', ip: '10.0.0.4' },
      m1: { subnet: 's', ip: '10.0.0.11' },
      m2: { subnet: 's', ip: '10.0.0.12' },
    },
    balancers: { lb: { subnet: 's', frontend: '10.0.0.100', members: ['m1', 'm2'], rules, ...spec } },
    ...more,
  };
}

const tcp = (srcPort: number, flags: object = SYN, dstPort = 80): Parameters<typeof packet>[0] => ({
  src: '10.0.0.4',
  dst: '10.0.0.100',
  tcp: { srcPort, dstPort, flags: 0x02, ...flags },
});
const udp = (srcPort: number): Parameters<typeof packet>[0] => ({
  src: '10.0.0.4',
  dst: '10.0.0.100',
  udp: { srcPort, dstPort: 53 },
});

/** The member that gets a packet, or the drop. */
function target(lab: Lab, spec: Parameters<typeof packet>[0], from = 'client'): string {
  const [outcome, name] = lab.fate(from, spec).split(' ');
  return outcome === 'dropped' ? `dropped ${name}` : name;
}

/** What the receiver of a packet answers, and its fate. */
function answer(lab: Lab, from: string, spec: Parameters<typeof packet>[0]): string {
  const result = lab.send(from, packet(spec));
  const parsed = parseFrame(result.frame!);
  if (parsed.kind !== 'ipv4') throw new Error('not IPv4');
  const { src, dst } = parsed;
  const back = { src: formatIpv4(dst), dst: formatIpv4(src) };
  const name = lab.compiled.sideTable.attachments[result.egress]!.name;
  if (parsed.tcp) {
    const ports = { srcPort: parsed.tcp.dstPort, dstPort: parsed.tcp.srcPort };
    return lab.fate(name, { ...back, tcp: { ...ports, flags: 0x12 } });
  }
  return lab.fate(name, { ...back, udp: { srcPort: parsed.udp!.dstPort, dstPort: parsed.udp!.srcPort } });
}

describe('an internal frontend', () => {
  test('shows the client to the backend and answers as itself (LB-3, NSG-14)', () => {
    const lab = new Lab(words({ members: ['m1'] }));
    expect(lab.fate('client', tcp(50_000))).toBe('delivered m1 IP 10.0.0.4.50000 > 10.0.0.11.8080: Flags [S]');
    expect(answer(lab, 'client', tcp(50_000))).toBe('delivered client IP 10.0.0.100.80 > 10.0.0.4.50000: Flags [S.]');
  });

  test('serves the ports of its rules and nothing else (LB-2)', () => {
    const lab = new Lab(words());
    expect(target(lab, tcp(50_000, SYN, 81))).toBe('dropped BALANCER_NO_RULE');
    expect(target(lab, { src: '10.0.0.4', dst: '10.0.0.100', icmp: { type: 8, id: 7, sequence: 1 } })).toBe(
      'dropped BALANCER_NO_RULE',
    );
    expect(target(lab, udp(50_000))).toMatch(/^m[12]$/);
  });

  test('takes TCP, UDP and ICMP on every port with HA ports (LB-2, LB-7)', () => {
    const lab = new Lab(words({ members: ['m1'], rules: [{ protocol: 'All', frontendPort: 0, backendPort: 0 }] }));
    expect(lab.fate('client', tcp(50_000, SYN, 4711))).toContain('10.0.0.11.4711');
    expect(target(lab, { src: '10.0.0.4', dst: '10.0.0.100', icmp: { type: 8, id: 7, sequence: 1 } })).toBe('m1');
    expect(target(lab, { src: '10.0.0.4', dst: '10.0.0.100', protocol: 50, payload: new Uint8Array(16) })).toBe(
      'dropped BALANCER_NO_RULE',
    );
  });

  test('carries no fragments, on connections that it knows neither (WIRE-16)', () => {
    for (const cachePaths of [true, false]) {
      const lab = new Lab(words(), createInlineEngine({ connectionsMax: 64, cachePaths }));
      answer(lab, 'client', tcp(50_000));
      lab.fate('client', tcp(50_000, ACK));
      expect(target(lab, { ...tcp(50_000, ACK), moreFragments: true })).toBe('dropped BALANCER_FRAGMENT');
    }
  });

  test('leads a member to the other member, and not to itself (LB-6)', () => {
    const lab = new Lab(words());
    const fates = new Set<string>();
    for (let port = 50_000; port < 50_064; port++) {
      fates.add(target(lab, { ...tcp(port), src: '10.0.0.11' }, 'm1'));
    }
    expect(fates).toEqual(new Set(['m2', 'dropped BALANCER_HAIRPIN']));
  });

  test('a Basic one is not reached across a global peering (PEER-9)', () => {
    const across = (sku: 'Standard' | 'Basic', far: string): string => {
      const lab = new Lab({
        ...words({ sku }),
        vnets: { v: ['10.0.0.0/16'], w: ['10.1.0.0/16'] },
        subnets: { s: { vnet: 'v', cidr: '10.0.0.0/24', nsg: 'open' }, t: { vnet: 'w', cidr: '10.1.0.0/24' } },
        nics: { ...words().nics, far: { subnet: 't', ip: '10.1.0.4' } },
        peers: [['v', 'w', {}]],
        locations: { v: 'eastus', w: far },
      });
      return target(lab, { ...tcp(50_000), src: '10.1.0.4' }, 'far');
    };
    expect(across('Basic', 'westus')).toBe('dropped PEERING_NOT_CONNECTED');
    expect(across('Basic', 'eastus')).toMatch(/^m[12]$/);
    expect(across('Standard', 'westus')).toMatch(/^m[12]$/);
  });
});

describe('distribution (LB-1)', () => {
  const chosen = (rule: RuleSpec, spec: (i: number) => Parameters<typeof packet>[0]): Set<string> => {
    const lab = new Lab(words({ rules: [rule, { ...rule, protocol: 'Udp', frontendPort: 53 }] }));
    return new Set(Array.from({ length: 64 }, (_, i) => target(lab, spec(i))));
  };

  test('by five-tuple spreads the ports of one client over all members', () => {
    expect(chosen({}, (i) => tcp(50_000 + i))).toEqual(new Set(['m1', 'm2']));
  });

  test('SourceIP keeps a client on one member for every protocol, SourceIPProtocol per protocol', () => {
    expect(chosen({ loadDistribution: 'SourceIP' }, (i) => (i % 2 ? tcp : udp)(50_000 + i)).size).toBe(1);
    expect(chosen({ loadDistribution: 'SourceIPProtocol' }, (i) => tcp(50_000 + i)).size).toBe(1);
  });

  test('the seed moves connections (Q-8)', () => {
    const ofSeed = (seed: number): string => {
      const lab = new Lab(words(), undefined, {
        ...new Lab(words()).compiled.behaviour,
        switches: { ...new Lab(words()).compiled.behaviour.switches, 'lb.hashSeed': seed },
      });
      return Array.from({ length: 16 }, (_, i) => target(lab, tcp(50_000 + i))).join(' ');
    };
    expect(ofSeed(1)).not.toBe(ofSeed(0));
    expect(ofSeed(1)).toBe(ofSeed(1));
  });
});

describe('a member that is down (LB-4)', () => {
  const both = (more: Partial<BalancedWords>, protocol: 'tcp' | 'udp', spec: Partial<BalancerSpec> = {}): string[] => {
    const lab = new Lab(words());
    const make = protocol === 'tcp' ? tcp : udp;
    answer(lab, 'client', make(50_000));
    const first = target(lab, make(50_000));
    const address = first === 'm1' ? '10.0.0.11' : '10.0.0.12';
    const down = more.down?.map((text) => text.replace('USED', `${first}/${address}`));
    lab.push(words(spec, { ...more, ...(down && { down }) }));
    return [first, target(lab, protocol === 'tcp' ? tcp(50_000, ACK) : make(50_000))];
  };

  test('keeps its TCP connections and loses its UDP flows', () => {
    const [before, after] = both({ down: ['lb/USED'] }, 'tcp');
    expect(after).toBe(before);
    const [from, to] = both({ down: ['lb/USED'] }, 'udp');
    expect(new Set([from, to])).toEqual(new Set(['m1', 'm2']));
  });

  test('with all members down TCP stays, UDP ends and nothing new opens', () => {
    const down = ['lb/m1/10.0.0.11', 'lb/m2/10.0.0.12'];
    const [before, after] = both({ down }, 'tcp');
    expect(after).toBe(before);
    expect(both({ down }, 'udp')[1]).toBe('dropped BALANCER_NO_BACKEND');
    expect(target(new Lab(words({}, { down })), tcp(50_001))).toBe('dropped BALANCER_NO_BACKEND');
  });

  test('takes no new connections; an administrator overrules the probe both ways (LB-8)', () => {
    const all = (more: Partial<BalancedWords>, spec: Partial<BalancerSpec> = {}): Set<string> => {
      const lab = new Lab(words(spec, more));
      return new Set(Array.from({ length: 32 }, (_, i) => target(lab, tcp(50_000 + i))));
    };
    expect(all({ down: ['lb/m1/10.0.0.11'] })).toEqual(new Set(['m2']));
    expect(all({ down: ['lb/m1/10.0.0.11'] }, { admin: { m1: 'Up' } })).toEqual(new Set(['m1', 'm2']));
    expect(all({}, { admin: { m2: 'Down' } })).toEqual(new Set(['m1']));
  });
});

describe('idle time (LB-5)', () => {
  const after = (minutes: number, idleTimeoutInMinutes: number): string => {
    const base = words({ members: ['m1'], rules: [{ idleTimeoutInMinutes }] });
    const lab = new Lab(base);
    answer(lab, 'client', tcp(50_000));
    lab.fate('client', tcp(50_000, ACK));
    // The pool changes: only a binding that still lives keeps the connection on m1.
    lab.push(words({ members: ['m1', 'm2'], rules: [{ idleTimeoutInMinutes }], admin: { m1: 'Down' } }));
    lab.nowMs += minutes * 60_000;
    return target(lab, tcp(50_000, ACK));
  };

  test('a binding outlives the state of the connection when its rule says so, and ends at its own time', () => {
    expect(after(9.9, 10)).toBe('m1');
    expect(after(10.1, 10)).toBe('m2');
    expect(after(3.9, 4)).toBe('m1');
    expect(after(4.1, 4)).toBe('m2');
  });
});

describe('a public frontend', () => {
  const spec: Partial<BalancerSpec> = {
    frontend: '20.0.9.9',
    rules: [{ disableOutboundSnat: false }],
    members: ['m1'],
  };
  const publicWords = (more: Partial<BalancerSpec> = {}, nsg = true): BalancedWords => {
    const made = words({ ...spec, ...more });
    const { subnet: _, ...lb } = made.balancers!['lb'];
    const subnets = {
      s: { vnet: 'v', cidr: '10.0.0.0/24', defaultOutboundAccess: false, ...(nsg && { nsg: 'open' }) },
    };
    return { ...made, subnets, balancers: { lb } };
  };
  const fromOutside = { src: '203.0.113.5', dst: '20.0.9.9', tcp: { srcPort: 4000, dstPort: 80, flags: 0x02 } };

  test('lets the Internet in to a backend whose group allows it, both ways (LB-3, NET-18)', () => {
    const lab = new Lab(publicWords());
    expect(lab.fate('internet', fromOutside)).toBe('delivered m1 IP 203.0.113.5.4000 > 10.0.0.11.8080: Flags [S]');
    expect(answer(lab, 'internet', fromOutside)).toBe('exited internet IP 20.0.9.9.80 > 203.0.113.5.4000: Flags [S.]');
    expect(new Lab(publicWords({}, false)).fate('internet', fromOutside)).toBe(
      'dropped INBOUND_CLOSED_PUBLIC_IP m1:publicIp',
    );
  });

  test('an inbound NAT rule leads to one member, one of a pool gives each its own port', () => {
    const lab = new Lab(publicWords({ members: ['m1', 'm2'], natRule: ['m2', 5000] }));
    const to = (port: number): Parameters<typeof packet>[0] => ({
      ...fromOutside,
      tcp: { ...fromOutside.tcp, dstPort: port },
    });
    expect(lab.fate('internet', to(5000))).toContain('m2 IP 203.0.113.5.4000 > 10.0.0.12.22');
    const ofPool = new Lab(publicWords({ members: ['m1', 'm2'], natRule: ['pool', 5000] }));
    expect(ofPool.fate('internet', to(5001))).toContain('m2 ');
    expect(ofPool.fate('internet', to(5000))).toContain('m1 ');
  });

  test('members leave by outbound rules, then by implicit SNAT, as far as nothing else comes first (NET-17)', () => {
    const out = { src: '10.0.0.11', dst: '203.0.113.9', tcp: { srcPort: 6000, dstPort: 443, flags: 0x02 } };
    expect(new Lab(publicWords({ outbound: true })).fate('m1', out)).toMatch(/^exited internet IP 20\.0\.9\.9\.\d+ >/);
    expect(new Lab(publicWords()).fate('m1', out)).toMatch(/^exited internet IP 20\.0\.9\.9\.\d+ >/);
    const none = new Lab(publicWords({ rules: [{ disableOutboundSnat: true }] }));
    expect(none.fate('m1', out)).toContain('NO_OUTBOUND_PATH');
    const echo = { src: '10.0.0.11', dst: '203.0.113.9', icmp: { type: 8, id: 7, sequence: 1 } };
    expect(new Lab(publicWords()).fate('m1', echo)).toContain('NO_OUTBOUND_PATH');
  });
});

describe('as a next hop with HA ports (LB-7, ROUTE-14)', () => {
  const hop = (down: readonly string[] = []): BalancedWords => ({
    vnets: { v: ['10.0.0.0/16'] },
    subnets: {
      s: { vnet: 'v', cidr: '10.0.0.0/24', nsg: 'open', rt: 'there' },
      t: { vnet: 'v', cidr: '10.0.1.0/24', nsg: 'open', rt: 'back' },
      f: { vnet: 'v', cidr: '10.0.2.0/24', nsg: 'open' },
    },
    nsgs: { open: [ANY_IN] },
    rts: {
      there: [['10.0.1.0/24', 'VirtualAppliance', '10.0.2.100', 'u']],
      back: [['10.0.0.0/24', 'VirtualAppliance', '10.0.2.100', 'u']],
    },
    nics: {
      client: { subnet: 's', ip: '10.0.0.4' },
      server: { subnet: 't', ip: '10.0.1.4' },
      f1: { subnet: 'f', ip: '10.0.2.4', ipfwd: true },
      f2: { subnet: 'f', ip: '10.0.2.5', ipfwd: true },
    },
    balancers: {
      lb: {
        subnet: 'f',
        frontend: '10.0.2.100',
        members: ['f1', 'f2'],
        rules: [{ protocol: 'All', frontendPort: 0, backendPort: 0 }],
      },
    },
    down,
  });
  const there = (srcPort: number, flags = 0x02): Parameters<typeof packet>[0] => ({
    src: '10.0.0.4',
    dst: '10.0.1.4',
    tcp: { srcPort, dstPort: 443, flags },
  });

  test('both directions meet the same appliance, unchanged, whatever the protocol', () => {
    const lab = new Lab(hop());
    const used = new Set<string>();
    for (let port = 50_000; port < 50_032; port++) {
      const forward = lab.fate('client', there(port));
      expect(forward).toContain(`IP 10.0.0.4.${port} > 10.0.1.4.443`);
      const [, appliance] = forward.split(' ');
      const tcpBack = { srcPort: 443, dstPort: port, flags: 0x12 };
      const reply = { src: '10.0.1.4', dst: '10.0.0.4', tcp: tcpBack };
      expect(target(lab, reply, 'server')).toBe(appliance);
      used.add(appliance);
    }
    expect(used).toEqual(new Set(['f1', 'f2']));
    expect(target(lab, { src: '10.0.0.4', dst: '10.0.1.4', protocol: 50, payload: new Uint8Array(16) })).toMatch(/^f/);
  });

  test('an appliance that goes down keeps its connections; new ones go to the other', () => {
    const lab = new Lab(hop());
    const used = target(lab, there(50_000));
    lab.push(hop([`lb/${used}/${used === 'f1' ? '10.0.2.4' : '10.0.2.5'}`]));
    expect(target(lab, there(50_000, 0x10))).toBe(used);
    for (let port = 50_001; port < 50_017; port++) expect(target(lab, there(port))).not.toBe(used);
  });
});

test('an ICMP error of a backend comes from the frontend and quotes what the client sent (LB-3)', () => {
  const lab = new Lab(words({ members: ['m1'] }));
  const seen = lab.send('client', packet(udp(50_000)));
  const quoted = seen.frame!.slice(14, 14 + 28);
  const error = { src: parseIpv4('10.0.0.11'), dst: parseIpv4('10.0.0.4'), icmp: { type: 3, code: 3 } };
  const result = lab.send('m1', buildFrame({ ...error, icmp: { ...error.icmp, id: 0, sequence: 0 }, payload: quoted }));
  const parsed = parseFrame(result.frame!);
  expect(lab.describe(result)).toContain('delivered client IP 10.0.0.100 > 10.0.0.4');
  expect(parsed).toMatchObject({ checksumsOk: true });
  const inner = new DataView(result.frame!.buffer, result.frame!.byteOffset + 14 + 20 + 8);
  expect([formatIpv4(inner.getUint32(16)), inner.getUint16(22)]).toEqual(['10.0.0.100', 53]);
});
