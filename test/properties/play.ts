// Plays random traffic against an engine: the same acts give the same frames, whatever the engine.

import { behaviourOf } from '../../src/control/model/profile.ts';
import { compileNetwork, createRegistry } from '../../src/control/compile/compile.ts';
import type { Compiled } from '../../src/control/compile/compiled.ts';
import type { Engine, FrameIn, PassResult } from '../../src/control/engine/engine.ts';
import { buildFrame, formatIpv4, parseFrame, parseIpv4 } from '../../src/wire/index.ts';
import { balancedNetwork, type BalancedWords } from '../dataplane/balanced-networks.ts';
import type { Act } from './random-network.ts';

/** One packet's journey through the fabric. */
export interface Played {
  readonly sent: FrameIn;
  readonly result: PassResult;
  readonly compiled: Compiled;
}

/** Plays the acts; `networks[0]` runs first, `change` acts push the others. Validity does not matter here: what
 * validation would refuse (overlapping peers) must not leak either. */
export function play(engine: Engine, networks: readonly BalancedWords[], acts: readonly Act[]): Played[] {
  const registry = createRegistry();
  let compiled = compileNetwork(balancedNetwork(networks[0]), behaviourOf(), { epoch: 1, registry });
  engine.push(compiled.program);
  const played: Played[] = [];
  let nowMs = 1;
  for (const [index, act] of acts.entries()) {
    nowMs += 1;
    if (act.kind === 'wait') nowMs += act.ms;
    if (act.kind === 'change') {
      const words = networks[act.network % networks.length];
      const epoch = compiled.program.epoch + 1;
      compiled = compileNetwork(balancedNetwork(words), behaviourOf(), { epoch, registry, previous: compiled });
      engine.push(compiled.program);
    }
    const made =
      act.kind === 'packet' ? firstPacket(act, compiled) : act.kind === 'reply' ? reply(act, played) : undefined;
    if (made === undefined) continue;
    const sent: FrameIn = { ...made, packetId: index + 1, timeNs: nowMs * 1e6, hops: 0 };
    for (const result of engine.forward([sent])) played.push({ sent, result, compiled });
  }
  return played;
}

function firstPacket(
  act: Act & { kind: 'packet' },
  compiled: Compiled,
): Pick<FrameIn, 'attachment' | 'bytes'> | undefined {
  const places = compiled.sideTable.attachments.filter((info) => info !== undefined);
  const from = places[act.from % places.length];
  const target = places[act.to % places.length];
  const src = addressOf(compiled, from.attachment, act.spoof);
  const frontend = parseIpv4(from.kind === 'internet' ? '20.0.7.7' : '10.0.0.100');
  const dst = act.balanced ? frontend : destinationOf(compiled, target.attachment);
  if (from === target) return undefined;
  return { attachment: from.attachment, bytes: frameOf(act, src, dst) };
}

function addressOf(compiled: Compiled, attachment: number, spoof: boolean): number {
  const info = compiled.sideTable.attachments[attachment]!;
  if (spoof && attachment % 3 === 0) return parseIpv4('10.1.0.4');
  switch (info.kind) {
    case 'nic':
      return compiled.program.attachments.address[attachment] >>> 0;
    case 'provider': {
      const endpoint = compiled.program.endpoints.provider.indexOf(attachment);
      return compiled.program.endpoints.backendAddress[endpoint] >>> 0;
    }
    case 'platform':
      return parseIpv4('168.63.129.16');
    case 'onPremises':
      return parseIpv4('172.16.0.9');
    default:
      return parseIpv4('203.0.113.7');
  }
}

/** The address a sender would use for somebody: an endpoint's own for its service side, a public one for exits. */
function destinationOf(compiled: Compiled, attachment: number): number {
  const info = compiled.sideTable.attachments[attachment]!;
  if (info.kind === 'provider') {
    const endpoint = compiled.program.endpoints.provider.indexOf(attachment);
    return compiled.program.endpoints.address[endpoint] >>> 0;
  }
  if (info.kind === 'internet' && attachment % 2 === 0) return parseIpv4('20.0.0.1');
  return addressOf(compiled, attachment, false);
}

function frameOf(act: Act & { kind: 'packet' }, src: number, dst: number): Uint8Array {
  const payload = new Uint8Array(act.payload).fill(act.payload);
  const { srcPort, dstPort, flags } = act;
  if (act.protocol === 'udp') return buildFrame({ src, dst, udp: { srcPort, dstPort }, payload });
  if (act.protocol === 'icmp') return buildFrame({ src, dst, icmp: { type: 8, id: srcPort, sequence: 1 }, payload });
  return buildFrame({ src, dst, tcp: { srcPort, dstPort, flags, seq: act.payload }, payload });
}

/** What the receiver of an earlier packet would answer. */
function reply(
  act: Act & { kind: 'reply' },
  played: readonly Played[],
): Pick<FrameIn, 'attachment' | 'bytes'> | undefined {
  const delivered = played.filter(({ result }) => result.frame !== undefined);
  const chosen = delivered[delivered.length - 1 - (act.to % Math.max(1, delivered.length))];
  if (chosen === undefined) return undefined;
  const parsed = parseFrame(chosen.result.frame!);
  if (parsed.kind !== 'ipv4') return undefined;
  const { src, dst, tcp, udp, icmp } = parsed;
  const attachment = chosen.result.egress;
  if (tcp) {
    const ports = { srcPort: tcp.dstPort, dstPort: tcp.srcPort, flags: act.flags };
    return { attachment, bytes: buildFrame({ src: dst, dst: src, tcp: { ...ports, seq: 7 } }) };
  }
  if (udp) {
    const ports = { srcPort: udp.dstPort, dstPort: udp.srcPort };
    return { attachment, bytes: buildFrame({ src: dst, dst: src, udp: ports, payload: new Uint8Array(5) }) };
  }
  if (icmp?.type !== 8) return undefined;
  return { attachment, bytes: buildFrame({ src: dst, dst: src, icmp: { type: 0, id: icmp.id, sequence: 1 } }) };
}

/** A pass as one comparable line, bytes included. */
export function lineOf({ sent, result }: Played): string {
  const bytes = result.frame === undefined ? '' : Buffer.from(result.frame).toString('hex');
  return `${sent.packetId} ${result.ingress}>${result.egress} ${result.outcome} ${result.reason} ${bytes}`;
}

/** Addresses of a delivered frame, for messages. */
export function addressesOf(frame: Uint8Array): string {
  const parsed = parseFrame(frame);
  return parsed.kind === 'ipv4' ? `${formatIpv4(parsed.src)} > ${formatIpv4(parsed.dst)}` : parsed.kind;
}
