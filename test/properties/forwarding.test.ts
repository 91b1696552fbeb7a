import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createInlineEngine } from '../../src/control/engine/inline-engine.ts';
import type { Counters } from '../../src/control/engine/engine.ts';
import { PROV_TRANSLATION, TRANSLATION } from '../../src/abi/provenance.ts';
import { parseFrame } from '../../src/wire/index.ts';
import { addressesOf, lineOf, play } from './play.ts';
import { networks, traffic } from './random-network.ts';

const RUNS = { seed: 20260101, numRuns: 250 };
const SMALL = { connectionsMax: 512 };
const threeNetworks = fc.array(networks, { minLength: 3, maxLength: 3 });

describe('over random networks, traffic and changes', () => {
  test('the hit path does what the stages do, byte for byte', () => {
    fc.assert(
      fc.property(threeNetworks, traffic, (nets, acts) => {
        const cached = play(createInlineEngine(SMALL), nets, acts).map(lineOf);
        const walked = play(createInlineEngine({ ...SMALL, cachePaths: false }), nets, acts).map(lineOf);
        expect(cached).toEqual(walked);
      }),
      RUNS,
    );
  });

  test('every frame that leaves the fabric has right checksums', () => {
    fc.assert(
      fc.property(threeNetworks, traffic, (nets, acts) => {
        for (const { result } of play(createInlineEngine(SMALL), nets, acts)) {
          if (result.frame === undefined) continue;
          expect(parseFrame(result.frame), addressesOf(result.frame)).toMatchObject({ checksumsOk: true });
        }
      }),
      RUNS,
    );
  });

  test('counters balance: nothing vanishes', () => {
    fc.assert(
      fc.property(threeNetworks, traffic, (nets, acts) => {
        const engine = createInlineEngine(SMALL);
        const played = play(engine, nets, acts);
        const counters = engine.counters();
        expect(counters.received).toBe(played.length);
        expect(balance(counters)).toBe(0);
      }),
      RUNS,
    );
  });

  test('no packet reaches a network that it was not routed to, however address spaces overlap', () => {
    fc.assert(
      fc.property(threeNetworks, traffic, (nets, acts) => {
        for (const { result, compiled } of play(createInlineEngine(SMALL), nets, acts)) {
          if (result.outcome !== 'delivered') continue;
          const { kind, vnet } = compiled.program.attachments;
          const [from, to] = [result.ingress, result.egress];
          if (kind[from] !== 1 || kind[to] !== 1 || vnet[from] === vnet[to]) continue;
          // PLS-7: a Private Link service joins networks that do not know each other.
          if (result.provenance[PROV_TRANSLATION] >= TRANSLATION.service) continue;
          expect(isPeered(compiled.program.vnets, vnet[from], vnet[to])).toBe(true);
        }
      }),
      RUNS,
    );
  });

  test('a provider never opens a flow, and answers only whoever asked it', () => {
    fc.assert(
      fc.property(threeNetworks, traffic, (nets, acts) => {
        const asked = new Set<string>();
        for (const { sent, result, compiled } of play(createInlineEngine(SMALL), nets, acts)) {
          const { kind } = compiled.program.attachments;
          if (result.egress >= 0 && kind[result.egress] === 2)
            asked.add(`${result.egress} ${tuple(result.frame!, false)}`);
          if (kind[sent.attachment] !== 2 || result.outcome === 'dropped') continue;
          expect(asked).toContain(`${sent.attachment} ${tuple(sent.bytes, true)}`);
        }
      }),
      RUNS,
    );
  });
});

function balance(counters: Counters): number {
  const came = counters.received + counters.originated + counters.duplicated;
  const dropped = counters.dropped.reduce((sum, n) => sum + n, 0);
  return came - counters.delivered - counters.exited - counters.consumed - dropped - counters.inFlight;
}

function isPeered(vnets: { peerFrom: Int32Array; peerTo: Int32Array }, from: number, to: number): boolean {
  return [...vnets.peerFrom].some((value, i) => value === from && vnets.peerTo[i] === to);
}

function tuple(frame: Uint8Array, reversed: boolean): string {
  const parsed = parseFrame(frame);
  if (parsed.kind !== 'ipv4') return parsed.kind;
  const ports = parsed.tcp ?? parsed.udp ?? { srcPort: 0, dstPort: 0 };
  const ends = [`${parsed.src}:${ports.srcPort}`, `${parsed.dst}:${ports.dstPort}`];
  return `${parsed.protocol} ${(reversed ? ends.toReversed() : ends).join(' ')}`;
}
