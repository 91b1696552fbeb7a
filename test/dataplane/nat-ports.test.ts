import { expect, test } from 'vitest';
import { NAT_PORTS_PER_SHARD, SHARDS, SHARDS_PER_GROUP } from '../../src/abi/limits.ts';
import { NatPorts } from '../../src/dataplane/nat-ports.ts';
import { TCP_SYN, hashFiveTuple, parseIpv4 } from '../../src/wire/index.ts';
import { createInlineEngine } from '../../src/control/engine/inline-engine.ts';
import { Lab, packet } from './lab.ts';

test('no two shards ever have a port in common, and together they have all 64,512', () => {
  const ports = new NatPorts();
  ports.resize(1);
  const seen = new Set<number>();
  for (let shard = 0; shard < SHARDS; shard++) {
    for (let i = 0; i < NatPorts.candidates(1); i++) seen.add(ports.next(0, shard, 1));
  }
  expect(seen.size).toBe(64_512);
  expect(Math.min(...seen)).toBe(1024);
  expect(Math.max(...seen)).toBe(65_535);
});

test('a shard borrows from its own group only, every member once', () => {
  for (const shard of [0, 3, 5, 63]) {
    const lenders = Array.from({ length: SHARDS_PER_GROUP }, (_, round) => NatPorts.lender(shard, round));
    expect(lenders[0]).toBe(shard);
    expect(new Set(lenders).size).toBe(SHARDS_PER_GROUP);
    for (const lender of lenders)
      expect(Math.floor(lender / SHARDS_PER_GROUP)).toBe(Math.floor(shard / SHARDS_PER_GROUP));
  }
});

test("a shard whose ports are all in use borrows its group's, and only when those are gone drops", () => {
  const words = {
    vnets: { a: ['10.0.0.0/8'] },
    subnets: { s: { vnet: 'a', cidr: '10.0.0.0/16', nat: 'ng' } },
    nics: { one: { subnet: 's', ip: '10.0.0.4' }, two: { subnet: 's', ip: '10.0.0.5' } },
    nats: { ng: ['20.9.9.9'] },
  };
  const lab = new Lab(words, createInlineEngine({ connectionsMax: 8192 }));
  const dst = '203.0.113.5';
  const connections = ['10.0.0.4', '10.0.0.5'].flatMap((src) =>
    Array.from({ length: 64_000 }, (_, i) => ({ src, srcPort: 1024 + i })),
  );
  const shardOf = ({ src, srcPort }: (typeof connections)[number]): number =>
    hashFiveTuple(6, parseIpv4(src), parseIpv4(dst), srcPort, 443) % SHARDS;
  const used = new Set<number>();
  const send = ({ src, srcPort }: (typeof connections)[number], to = dst): string => {
    const tcp = { srcPort, dstPort: 443, flags: TCP_SYN };
    const result = lab.send(src === '10.0.0.4' ? 'one' : 'two', packet({ src, dst: to, tcp }));
    if (result.frame !== undefined) used.add(new DataView(result.frame.buffer, result.frame.byteOffset).getUint16(34));
    return result.outcome;
  };

  const own = connections.filter((connection) => shardOf(connection) === 0);
  expect(own.length).toBeGreaterThan(NAT_PORTS_PER_SHARD);
  for (const connection of own) expect(send(connection)).toBe('exited');
  expect(used.size).toBe(own.length);

  const mates = connections.filter((connection) => [1, 2, 3].includes(shardOf(connection)));
  const outcomes = mates.map((connection) => send(connection));
  const room = SHARDS_PER_GROUP * NAT_PORTS_PER_SHARD;
  expect(own.length + outcomes.filter((outcome) => outcome === 'exited').length).toBe(room);
  expect(used.size).toBe(room);
  // Another destination is not concerned, nor another shard.
  expect(send(mates[0]!, '203.0.113.6')).toBe('exited');
  expect(send(connections.find((connection) => shardOf(connection) === 9)!)).toBe('exited');
});
