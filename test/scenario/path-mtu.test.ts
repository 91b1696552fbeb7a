// Path-MTU discovery between whole guests, and datagrams in fragments over every kind of path (WIRE-13 to WIRE-16, Q-9).

import { describe, expect, test } from 'vitest';
import { behaviourOf, type Switches } from '../../src/control/model/profile.ts';
import { buildFrame, fragmentFrame, parseFrame, parseIpv4, TCP_ACK, TCP_SYN } from '../../src/wire/index.ts';
import { requestResponse } from '../../src/guest/traffic-service.ts';
import { dropName } from '../../src/abi/drop-reasons.ts';
import type { ExchangeResult } from '../../src/guest/traffic-service.ts';
import type { Simulation } from '../../src/scenario/simulation/simulation-api.ts';
import { createInlineEngine } from '../../src/control/engine/inline-engine.ts';
import { slotBytesFor } from '../../src/control/engine/frame-size.ts';
import { networkOf, simulationOf } from './fixtures.ts';

const SECOND = 1e9;

/** Jumbo hosts in two regions, behind an appliance, at a gateway; an endpoint, a NAT gateway, a public address. */
const TOPOLOGY = {
  location: 'westeurope',
  virtualNetworks: {
    hub: {
      addressSpace: '10.0.0.0/16',
      gateway: { type: 'Vpn', learnedRoutes: ['192.168.0.0/16'] },
      subnets: {
        GatewaySubnet: { addressPrefix: '10.0.255.0/27' },
        big: { addressPrefix: '10.0.0.0/24' },
        routed: { addressPrefix: '10.0.1.0/24', routeTable: 'by-nva' },
        dmz: { addressPrefix: '10.0.2.0/24' },
        endpoints: { addressPrefix: '10.0.3.0/24' },
        nat: { addressPrefix: '10.0.4.0/24', natGateway: 'ng' },
      },
    },
    near: { addressSpace: '10.1.0.0/16', subnets: { s: { addressPrefix: '10.1.0.0/24' } } },
    far: { addressSpace: '10.2.0.0/16', location: 'eastus', subnets: { s: { addressPrefix: '10.2.0.0/24' } } },
  },
  peerings: [{ between: ['hub', 'near'] }, { between: ['hub', 'far'] }],
  natGateways: { ng: { publicIPAddresses: ['20.9.9.9'] } },
  routeTables: {
    'by-nva': {
      routes: [
        { name: 'r', addressPrefix: '10.0.0.0/24', nextHopType: 'VirtualAppliance', nextHopIpAddress: '10.0.2.4' },
      ],
    },
  },
  networkInterfaces: {
    big: { subnet: 'hub/big', privateIPAddress: '10.0.0.4', mtu: 9000, publicIPAddress: '20.0.0.1' },
    same: { subnet: 'hub/big', privateIPAddress: '10.0.0.5', mtu: 1500 },
    routed: { subnet: 'hub/routed', privateIPAddress: '10.0.1.4', mtu: 9000 },
    nva: { subnet: 'hub/dmz', privateIPAddress: '10.0.2.4', enableIPForwarding: true, appliance: {} },
    near: { subnet: 'near/s', privateIPAddress: '10.1.0.4', mtu: 3900 },
    far: { subnet: 'far/s', privateIPAddress: '10.2.0.4', mtu: 9000 },
    natted: { subnet: 'hub/nat', privateIPAddress: '10.0.4.4' },
  },
  services: { mi: { type: 'Microsoft.Sql/managedInstances', backendAddress: '10.9.0.10', ports: [1433] } },
  privateEndpoints: { pe: { subnet: 'hub/endpoints', privateIPAddress: '10.0.3.5', service: 'mi' } },
};

/** With large frames, or without for datagrams that their senders cut. */
function simulation(switches: Partial<Switches> = {}, isJumbo = true): Simulation {
  const behaviour = behaviourOf();
  const nics = Object.entries(TOPOLOGY.networkInterfaces).map(([name, nic]) => [name, { ...nic, mtu: 1500 }]);
  const topology = isJumbo ? TOPOLOGY : { ...TOPOLOGY, networkInterfaces: Object.fromEntries(nics) };
  const engine = createInlineEngine({ connectionsMax: 256, slotBytes: slotBytesFor(networkOf(topology)) });
  return simulationOf(topology, {
    engine,
    behaviour: { ...behaviour, switches: { ...behaviour.switches, ...switches } },
  });
}

const host = (of: Simulation, name: string) => of.host(of.attachment(name)!);

/** An exchange in both directions, and the largest packet of the sender that arrived. */
function exchange(of: Simulation, from: string, dst: string, dstPort: number) {
  const results: ExchangeResult[] = [];
  let largest = 0;
  const off = of.observe(({ ingress, egress, after }) => {
    if (ingress === of.attachment(from) && egress !== ingress) largest = Math.max(largest, (after?.length ?? 14) - 14);
  });
  requestResponse(
    { requestLength: 60_000, responseLength: 60_000 },
    (handlers) => host(of, from).connect({ dst: parseIpv4(dst), dstPort, handlers }),
    (result) => results.push(result),
  );
  of.runWhile(() => results.length === 0);
  off();
  of.checkBalance();
  return { how: results[0]?.how, largest };
}

describe('path-MTU discovery (WIRE-14, Q-9)', () => {
  test.each([
    ['global peering', 'big', '10.2.0.4', 80],
    ['an appliance with a smaller MTU', 'routed', '10.0.0.4', 80],
  ])('over %s needs the ICMP error of the fabric', (_, from, dst, port) => {
    const answered = exchange(simulation({ 'net.fragmentationNeeded': true }), from, dst, port);
    expect(answered).toEqual({ how: 'completed', largest: 1500 });
    // A black hole: the handshake fits, nothing that is full does.
    expect(exchange(simulation(), from, dst, port).how).toBe('timedOut');
  });

  test.each([
    ['a direct peering of one region carries large packets', 'big', '10.1.0.4', 80, 3900],
    ['the handshake agrees on what a smaller guest takes', 'big', '10.0.0.5', 80, 1500],
    ['a private endpoint, by the handshake', 'big', '10.0.3.5', 1433, 1500],
    ['a gateway, by the handshake', 'big', '192.168.0.4', 80, 1500],
    ['the Internet, by the handshake', 'big', '203.0.113.9', 80, 1500],
  ])('%s (WIRE-13)', (_, from, dst, port, largest) => {
    expect(exchange(simulation(), from, dst, port)).toEqual({ how: 'completed', largest });
  });
});

describe('a datagram in fragments (WIRE-15)', () => {
  test.each([
    ['a subnet', 'same', '10.0.0.4'],
    ['a peering', 'same', '10.1.0.4'],
    ['a global peering', 'same', '10.2.0.4'],
    ['a NAT gateway', 'natted', '203.0.113.9'],
    ['an appliance', 'nva', '10.0.1.4'],
    ['a gateway', 'same', '192.168.0.4'],
    ['a gateway the other way', 'onprem', '10.0.0.5'],
  ])('arrives whole over %s, and so does its echo', (_, from, dst) => {
    const of = simulation({}, false);
    const sent = new Uint8Array(3000).map((_byte, i) => i & 0xff);
    const echoes: Uint8Array[] = [];
    let fragments = 0;
    of.observe(({ before }) => {
      const parsed = parseFrame(before);
      if (parsed.kind === 'ipv4' && (parsed.moreFragments || parsed.fragmentOffset > 0)) fragments++;
    });
    const sender = host(of, from);
    const src = from === 'onprem' ? { src: parseIpv4('192.168.0.9') } : {};
    sender.sendUdp({
      ...src,
      dst: parseIpv4(dst),
      dstPort: 7,
      payload: sent,
      onOutcome: (outcome) => {
        if (outcome.kind === 'reply') echoes.push(outcome.datagram.payload);
      },
    });
    of.runUntil(2 * SECOND);
    expect(echoes.map((echo) => Buffer.from(echo).equals(Buffer.from(sent)))).toEqual([true]);
    expect(fragments).toBeGreaterThanOrEqual(6);
    expect([...of.guestDrops()]).toEqual([]);
    of.checkBalance();
  });

  test('crosses a private endpoint, translated in its first fragment and in the later ones', () => {
    const of = simulation({}, false);
    const addresses = { src: parseIpv4('10.0.0.5'), dst: parseIpv4('10.0.3.5') };
    const tcp = { srcPort: 50_000, dstPort: 1433, flags: TCP_SYN, seq: 1 };
    const whole = buildFrame({ ...addresses, id: 7, tcp, payload: new Uint8Array(3000).fill(5) });
    const seen: string[] = [];
    of.observe(({ outcome, reason, egress, after }) => {
      const parsed = after === undefined ? undefined : parseFrame(after);
      const flags = parsed?.kind === 'ipv4' && parsed.tcp !== undefined ? parsed.tcp.flags : undefined;
      if (flags === (TCP_SYN | TCP_ACK)) seen.push(`SYN/ACK to ${of.compiled.sideTable.attachments[egress]?.name}`);
      else if (outcome === 'dropped') seen.push(dropName(reason));
    });
    for (const fragment of fragmentFrame(whole, 1500)) of.inject(of.attachment('same')!, fragment);
    of.runUntil(100_000_000);
    // The service puts the fragments together and finds the checksum of the translated segment right.
    expect(seen[0]).toBe('SYN/ACK to same');
    expect(of.guestDrops().get('bad checksum')).toBeUndefined();
    of.checkBalance();
  });
});
