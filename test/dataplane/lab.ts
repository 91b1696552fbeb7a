// A network on the inline engine, without guests: frames in, passes out. For tests of the forwarding core.

import { behaviourOf } from '../../src/control/model/profile.ts';
import { compileNetwork, createRegistry } from '../../src/control/compile/compile.ts';
import type { Compiled } from '../../src/control/compile/compiled.ts';
import { createInlineEngine } from '../../src/control/engine/inline-engine.ts';
import type { Engine, PassResult } from '../../src/control/engine/engine.ts';
import type { Behaviour } from '../../src/control/model/profile.ts';
import { dropName } from '../../src/abi/drop-reasons.ts';
import { PROV_DROP_AT, PROV_ENDPOINT, PROV_STAGE, STAGE } from '../../src/abi/provenance.ts';
import { buildFrame, describeFrame, parseIpv4, type FrameSpec } from '../../src/wire/index.ts';
import { balancedNetwork, type BalancedWords } from './balanced-networks.ts';

export class Lab {
  readonly engine: Engine;
  compiled: Compiled;
  private readonly registry = createRegistry();
  private readonly behaviour: Behaviour;
  private nextPacket = 1;
  nowMs = 1;

  constructor(
    words: BalancedWords,
    engine: Engine = createInlineEngine({ connectionsMax: 4096 }),
    behaviour = behaviourOf(),
  ) {
    this.engine = engine;
    this.behaviour = behaviour;
    this.compiled = compileNetwork(balancedNetwork(words), behaviour, { epoch: 1, registry: this.registry });
    engine.push(this.compiled.program);
  }

  push(words: BalancedWords): void {
    this.compiled = compileNetwork(balancedNetwork(words), this.behaviour, {
      epoch: this.compiled.program.epoch + 1,
      registry: this.registry,
      previous: this.compiled,
    });
    this.engine.push(this.compiled.program);
  }

  /** NIC by name, endpoint's service side as `provider:<name>`, exits by name. */
  attachment(name: string): number {
    const wanted = name.startsWith('provider:') ? ['provider', name.slice(9)] : [undefined, name];
    const found = this.compiled.sideTable.attachments.find(
      (info) => info !== undefined && info.name === wanted[1] && (wanted[0] ?? info.kind) === info.kind,
    );
    if (found === undefined) throw new Error(`no attachment ${name}`);
    return found.attachment;
  }

  /** Sends one frame; `hops` as an appliance would pass them on. */
  send(from: string, frame: Uint8Array, hops = 0): PassResult {
    const [result] = this.engine.forward([
      { attachment: this.attachment(from), packetId: this.nextPacket++, timeNs: this.nowMs * 1e6, hops, bytes: frame },
    ]);
    return result;
  }

  /** One packet and its fate in one line: `delivered web IP 10.0.0.4…` or `dropped NSG_DENY web:subnetNsg`. */
  fate(from: string, spec: PacketSpec): string {
    return this.describe(this.send(from, packet(spec)));
  }

  describe(result: PassResult): string {
    if (result.outcome === 'dropped') {
      const stage = Object.entries(STAGE).find(([, code]) => code === result.provenance[PROV_STAGE])?.[0];
      const at = result.provenance[PROV_DROP_AT];
      const where =
        at >= 0 ? this.nameOf(at) : this.compiled.sideTable.endpoints[result.provenance[PROV_ENDPOINT]]?.name;
      return `dropped ${dropName(result.reason)} ${where}:${stage}`;
    }
    const to = result.egress >= 0 ? this.nameOf(result.egress) : '-';
    const line = result.frame === undefined ? '' : ` ${describeFrame(result.frame).split(',')[0]}`;
    return `${result.outcome} ${to}${line}`;
  }

  private nameOf(attachment: number): string {
    return this.compiled.sideTable.attachments[attachment]?.name ?? `gone ${attachment}`;
  }
}

export interface PacketSpec extends Omit<FrameSpec, 'src' | 'dst'> {
  readonly src: string;
  readonly dst: string;
}

/** A frame from dotted addresses. */
export function packet(spec: PacketSpec): Uint8Array {
  return buildFrame({ ...spec, src: parseIpv4(spec.src), dst: parseIpv4(spec.dst) });
}
