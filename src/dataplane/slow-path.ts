// The slow path: the only implementation of the semantics. It walks one packet through the stages in the order of
// PIPE-1 to PIPE-5 and records provenance; the hit path is a cache of what it decides.
//
//   parse -> (fragment) -> state -> outbound rules -> route -> endpoint | public address | shared exit
//         -> inbound rules and delivery -> installation -> rewrite

import { DROP } from '../abi/drop-reasons.ts';
import { ATTACHMENT } from '../abi/program.ts';
import { ESTABLISHED_PATH, PROV_DROP, PROV_ESTABLISHED, STAGE } from '../abi/provenance.ts';
import { OUTCOME, RECORD_WORDS } from '../abi/regions.ts';
import { PROTOCOL_TCP } from '../wire/ipv4.ts';
import { TCP_FIN, TCP_RST } from '../wire/tcp.ts';
import type { Batch } from './batch.ts';
import type { Context } from './context.ts';
import {
  EGRESS_MASK,
  PATH_VALID,
  R_BYTES,
  R_EGRESS,
  R_GENERATION,
  R_LAST_SEEN,
  R_NEW_DST,
  R_NEW_PORTS,
  R_NEW_SRC,
  R_PACKETS,
  R_PATH,
} from './flow-table.ts';
import { Fragments } from './fragments.ts';
import { FATE, beginPass, createPass, dropAt, type Pass } from './pass.ts';
import type { PathTable } from './path-table.ts';
import { answerArp, rewriteFrame } from './rewrite.ts';
import { deliverStage } from './stages/deliver.ts';
import { endpointReplyStage, endpointStage } from './stages/endpoint.ts';
import { installStage, isTapped } from './stages/install.ts';
import { parseStage } from './stages/parse.ts';
import { inboundAddressStage, outboundAddressStage } from './stages/public-address.ts';
import { relatedStage, rewriteQuoted } from './stages/related.ts';
import { isPlatformAddress, routeStage, toPlatform } from './stages/route.ts';
import { outboundStage, platformStage } from './stages/security.ts';
import { sharedExitReplyStage, sharedExitStage } from './stages/shared-exit.ts';
import { stateStage } from './stages/state.ts';
import { isExit, swap16, swap32 } from './tables.ts';
import type { Tap } from './tap.ts';

const FIRST_FRAGMENT = 1;
const LATER_FRAGMENT = 2;

export class SlowPath {
  private readonly context: Context;
  private readonly paths: PathTable;
  private readonly tap: Tap;
  private readonly pass: Pass;
  private readonly fragments: Fragments;

  constructor(context: Context, paths: PathTable, tap: Tap) {
    this.context = context;
    this.paths = paths;
    this.tap = tap;
    this.pass = createPass();
    this.fragments = new Fragments();
  }

  /** A new program is current: what fragments remembered of the old one is gone. */
  forgetFragments(): void {
    this.fragments.clear();
  }

  /** Decides row `i` of a batch and writes its output columns. */
  run(batch: Batch, i: number): void {
    const { context, pass } = this;
    const { frames, tables } = context;
    beginPass(pass, tables.program.epoch, batch.attachment[i]);
    pass.l2 = batch.frame[i] * 4 + 2;
    pass.length = batch.length[i];
    pass.now = batch.now[i];
    pass.facts = batch.facts[i];
    parseStage(pass, frames, tables);
    let path = -1;
    if (pass.fate === FATE.undecided) path = this.decide();
    if (path < 0) path = this.paths.intern(pass.provenance);
    if (pass.fate === FATE.deliver && pass.fragment !== LATER_FRAGMENT && pass.icmpError === 0)
      path = this.install(path);
    const tapped = isTapped(tables, pass);
    if (tapped) this.tap.copy(batch, i, 0, path);
    this.finish(batch, i, path);
    if (tapped && batch.egress[i] >= 0) this.tap.copy(batch, i, 1, path);
  }

  /** Everything between a parsed packet and its fate. Returns the path id of a cached path that was used, else -1. */
  private decide(): number {
    const { context, pass } = this;
    if (pass.fragment === LATER_FRAGMENT) {
      const follows = this.fragments.follow(pass, context.frames);
      if (!follows) dropAt(pass, DROP.OUT_OF_ORDER_FRAGMENT, STAGE.egress, pass.ingress);
      else pass.fate = FATE.deliver;
      return -1;
    }
    if (pass.icmpError === 1) relatedStage(pass, context);
    if (pass.fate === FATE.undecided && pass.icmpError !== 2) stateStage(pass, context);
    if (pass.fate !== FATE.undecided) return -1;
    if (pass.fresh === 1 && pass.record !== 0) context.connections.forgetState(pass.record);
    const cached = this.useCachedPath();
    if (cached >= 0) return cached;
    this.walk();
    this.afterWalk();
    return -1;
  }

  /** Packets that the hit path does not take itself (options, ICMP, fragments) still use a current path. */
  private useCachedPath(): number {
    const { context, pass } = this;
    if (pass.established === 0 || pass.record === 0 || pass.icmpError !== 0) return -1;
    const { records } = context.connections.table;
    const e = pass.record * RECORD_WORDS;
    if ((records[e + R_EGRESS] & PATH_VALID) === 0) return -1;
    if (records[e + R_GENERATION] !== context.tables.program.attachments.generation[pass.ingress]) return -1;
    pass.egress = records[e + R_EGRESS] & EGRESS_MASK;
    pass.newSrc = swap32(records[e + R_NEW_SRC]);
    pass.newDst = swap32(records[e + R_NEW_DST]);
    pass.newSrcPort = swap16(records[e + R_NEW_PORTS] & 0xffff);
    pass.newDstPort = swap16(records[e + R_NEW_PORTS] >>> 16);
    pass.fate = FATE.deliver;
    if (pass.fragment === FIRST_FRAGMENT) {
      this.paths.readInto(records[e + R_PATH], pass.provenance);
      this.fragments.remember(pass, context.frames);
    }
    return records[e + R_PATH];
  }

  private walk(): void {
    const { context, pass } = this;
    const { program } = context.tables;
    switch (pass.kind) {
      case ATTACHMENT.provider:
        endpointReplyStage(pass, context);
        break;
      case ATTACHMENT.internet:
        if (pass.icmpError !== 2) inboundAddressStage(pass, context);
        break;
      case ATTACHMENT.platform:
        sharedExitReplyStage(pass, context, true);
        break;
      case ATTACHMENT.service:
        sharedExitReplyStage(pass, context, false);
        break;
      default:
        this.send();
    }
    if (pass.fate === FATE.drop) return;
    if (pass.egress < 0) throw new Error(`pass from attachment ${pass.ingress}: no egress and no drop`);
    if (program.attachments.kind[pass.egress] === ATTACHMENT.gone) {
      return dropAt(pass, DROP.NO_SUCH_DESTINATION, STAGE.route, pass.ingress);
    }
    deliverStage(pass, context);
  }

  /** A NIC, or the on-premises side of a gateway, sends into its network. */
  private send(): void {
    const { context, pass } = this;
    const { attachments, internet, service } = context.tables.program;
    if (pass.kind === ATTACHMENT.nic && isPlatformAddress(pass.dst)) {
      platformStage(pass, context);
      if (pass.fate === FATE.drop) return;
      toPlatform(pass, context);
      return sharedExitStage(pass, context);
    }
    outboundStage(pass, context);
    if (pass.fate === FATE.drop) return;
    routeStage(pass, context);
    if (pass.fate === FATE.drop) return;
    if (pass.endpoint >= 0) return endpointStage(pass, context);
    if (pass.egress === service) return sharedExitStage(pass, context);
    if (pass.egress !== internet) return;
    if (attachments.kind[pass.ingress] === ATTACHMENT.nic) return outboundAddressStage(pass, context);
    dropAt(pass, DROP.NO_OUTBOUND_PATH, STAGE.publicIp, pass.ingress);
  }

  /** A first fragment leaves an entry; a flow that a flush denied dies on both sides (NSG-37). */
  private afterWalk(): void {
    const { context, pass } = this;
    if (pass.fate === FATE.deliver && pass.fragment === FIRST_FRAGMENT) this.fragments.remember(pass, context.frames);
    if (pass.fate !== FATE.drop || pass.record === 0 || pass.provenance[PROV_DROP] !== DROP.NSG_DENY) return;
    if (context.connections.isLive(pass.record, pass.now)) context.connections.forgetState(pass.record);
  }

  private install(path: number): number {
    const { context, pass } = this;
    const { records } = context.connections.table;
    const e = pass.record * RECORD_WORDS;
    const isCached = pass.record !== 0 && (records[e + R_EGRESS] & PATH_VALID) !== 0 && records[e + R_PATH] === path;
    const isCurrent =
      isCached && records[e + R_GENERATION] === context.tables.program.attachments.generation[pass.ingress];
    if (isCurrent && pass.established === 1) {
      records[e + R_LAST_SEEN] = pass.now;
      return path;
    }
    // The packets that follow say which decision let the first one through, and that they ride on it.
    const { provenance } = pass;
    provenance[PROV_ESTABLISHED] |= ESTABLISHED_PATH;
    const hitPath = this.paths.intern(provenance);
    provenance[PROV_ESTABLISHED] &= ~ESTABLISHED_PATH;
    installStage(pass, context, hitPath);
    return pass.fate === FATE.deliver ? path : this.paths.intern(provenance);
  }

  /** Output columns, rewrite, and the connection's end. */
  private finish(batch: Batch, i: number, path: number): void {
    const { context, pass } = this;
    const { attachments } = context.tables.program;
    batch.path[i] = path;
    batch.egress[i] = -1;
    switch (pass.fate) {
      case FATE.drop:
        batch.verdict[i] = pass.provenance[PROV_DROP] | (OUTCOME.dropped << 8);
        return;
      case FATE.consume:
        batch.verdict[i] = OUTCOME.consumed << 8;
        return;
      case FATE.answer:
        answerArp(pass, context.frames);
        batch.egress[i] = pass.ingress;
        batch.verdict[i] = OUTCOME.answered << 8;
        return;
      default:
        break;
    }
    const { egress } = pass;
    const outcome = isExit(attachments.kind[egress]) ? OUTCOME.exited : OUTCOME.delivered;
    batch.egress[i] = egress;
    batch.verdict[i] = outcome << 8;
    const mac = (attachments.macHigh[egress] & 0xffff) * 0x1_0000_0000 + (attachments.macLow[egress] >>> 0);
    rewriteFrame(pass, context.frames, mac);
    if (pass.icmpError === 2) rewriteQuoted(pass, context);
    if (pass.record === 0 || pass.icmpError !== 0 || pass.fragment === LATER_FRAGMENT) return;
    this.count(pass.record);
    if (pass.protocol === PROTOCOL_TCP && (pass.tcpFlags & (TCP_FIN | TCP_RST)) !== 0) {
      context.connections.tcpEnd(pass.record, pass.tcpFlags, pass.now);
    }
  }

  private count(record: number): void {
    const { floats } = this.context.connections.table;
    const e = record * RECORD_WORDS;
    floats[(e + R_PACKETS) >> 1]++;
    floats[(e + R_BYTES) >> 1] += this.pass.length;
  }
}
