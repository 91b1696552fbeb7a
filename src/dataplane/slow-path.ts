// The slow path: the only implementation of the semantics. It walks one packet through the stages in the order of
// PIPE-1 to PIPE-5 and records provenance; the hit path is a cache of what it decides.
//
//   parse -> (fragment) -> state -> outbound rules -> route -> endpoint | balancer | public address | shared exit
//         -> inbound rules and delivery -> installation -> rewrite

import { DROP } from '../abi/drop-reasons.ts';
import { ATTACHMENT } from '../abi/program.ts';
import { PROV_DROP, STAGE } from '../abi/provenance.ts';
import {
  COUNT,
  IN_ATTACHMENT,
  IN_FACTS,
  IN_LENGTH,
  IN_NOW_MS,
  IN_PACKET,
  IN_SLOT,
  OUTCOME,
  OUT_ATTACHMENT,
  OUT_INGRESS,
  OUT_LENGTH,
  OUT_PACKET,
  OUT_PATH,
  OUT_SLOT,
  OUT_VERDICT,
  RECORD_WORDS,
  TRAFFIC_RECEIVED_BYTES,
  TRAFFIC_RECEIVED_PACKETS,
  TRAFFIC_SENT_BYTES,
  TRAFFIC_SENT_PACKETS,
  TRAFFIC_WORDS,
} from '../abi/regions.ts';
import { PROTOCOL_TCP } from '../wire/ipv4.ts';
import { TCP_FIN, TCP_RST } from '../wire/tcp.ts';
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
import { refuse, writeAnswer } from './answers.ts';
import { rewriteFrame } from './rewrite.ts';
import { balanceReplyStage, balanceStage } from './stages/balance.ts';
import { serviceReplyStage } from './stages/private-link-service.ts';
import { proxyStage } from './stages/proxy.ts';
import { deliverStage } from './stages/deliver.ts';
import { endpointReplyStage, endpointStage } from './stages/endpoint.ts';
import { installStage, isTapped } from './stages/install.ts';
import { parsePlain, parseStage } from './stages/parse.ts';
import { inboundAddressStage, outboundAddressStage } from './stages/public-address.ts';
import { relatedStage, rewriteQuoted } from './stages/related.ts';
import { isPlatformAddress, routeStage, toPlatform } from './stages/route.ts';
import { outboundStage, platformStage } from './stages/security.ts';
import { sharedExitReplyStage, sharedExitStage } from './stages/shared-exit.ts';
import { stateStage } from './stages/state.ts';
import {
  HOT_FABRIC_HIGH,
  HOT_FABRIC_LOW,
  HOT_MAC_HIGH,
  HOT_MAC_LOW,
  HOT_WORDS,
  isExit,
  swap16,
  swap32,
} from './tables.ts';
import type { Tap } from './tap.ts';

const FIRST_FRAGMENT = 1;
const LATER_FRAGMENT = 2;
/** The packet was not parsed yet. */
export const NOT_PLAIN = -1;

export class SlowPath {
  private readonly context: Context;
  private readonly paths: PathTable;
  private readonly tap: Tap;
  private readonly pass: Pass;
  private readonly fragments: Fragments;
  /** Path id of the packet that `run` decided last. */
  path: number;

  constructor(context: Context, paths: PathTable, tap: Tap) {
    this.context = context;
    this.paths = paths;
    this.tap = tap;
    this.pass = createPass();
    this.fragments = new Fragments();
    this.path = 0;
  }

  /** A new program is current, or the worker begins anew: what fragments remembered of the old one is gone. */
  forgetFragments(): void {
    this.fragments.clear();
  }

  /** Decides the packet of the ingress descriptor at word `d`, whose frame begins in word `p` of the arena.
   *
   * A plain packet (one the hit path has parsed) that gets a path is not forwarded here: the record of its path comes
   * back, with the packet's own path id in `path`, and the hit path forwards it like the ones that follow. For all
   * others the egress descriptor at word `o` is written, and 0 comes back. `known` is the sender's record of a plain
   * packet (0: it has none), and NOT_PLAIN for others. */
  run(d: number, o: number, p: number, known: number): number {
    const isPlain = known !== NOT_PLAIN;
    const { context, pass } = this;
    const { frames, tables } = context;
    const { ingress, frameWords } = context.regions;
    beginPass(pass, tables.program.epoch, ingress[d + IN_ATTACHMENT]);
    pass.l2 = p * 4 + 2;
    pass.length = ingress[d + IN_LENGTH];
    pass.now = ingress[d + IN_NOW_MS];
    pass.facts = ingress[d + IN_FACTS];
    pass.known = known;
    if (isPlain) parsePlain(pass, frameWords, p, tables);
    else parseStage(pass, frames, tables);
    let path = -1;
    if (pass.fate === FATE.undecided) path = this.decide();
    if (pass.fate === FATE.drop) refuse(pass, context);
    if (path < 0) path = this.paths.intern(pass.provenance);
    if (pass.fate === FATE.deliver && pass.fragment !== LATER_FRAGMENT && pass.icmpError === 0)
      path = this.install(path);
    this.path = path;
    if (isPlain && this.hasPath()) return pass.record;
    const tapped = isTapped(tables, pass);
    if (tapped) this.tap.copy(p, pass.length, d, 0, path);
    const egress = this.finish();
    if (tapped && egress >= 0) this.tap.copy(p, pass.length, d, 1, path);
    this.report(d, o, egress, path);
    return 0;
  }

  /** True when the sender's record now holds the path of the packet that was decided. */
  private hasPath(): boolean {
    const { pass } = this;
    if (pass.fate !== FATE.deliver || pass.record === 0) return false;
    return (this.context.connections.table.records[pass.record * RECORD_WORDS + R_EGRESS] & PATH_VALID) !== 0;
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
    // WIRE-16: a balanced connection carries no fragments.
    if (pass.fragment === FIRST_FRAGMENT && this.paths.isBalanced(records[e + R_PATH])) return -1;
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
        if (pass.frontend >= 0) balanceStage(pass, context);
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
    if (pass.kind === ATTACHMENT.nic && serviceReplyStage(pass, context)) return;
    routeStage(pass, context);
    if (pass.fate === FATE.drop) return;
    if (pass.frontend >= 0) return balanceStage(pass, context);
    if (pass.kind === ATTACHMENT.nic) balanceReplyStage(pass, context);
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
    installStage(pass, context, this.paths.followerOf(path, provenance));
    return pass.fate === FATE.deliver ? path : this.paths.intern(provenance);
  }

  /** Rewrite and the connection's end. Returns the attachment that gets the frame, -1 for none. */
  private finish(): number {
    const { context, pass } = this;
    if (pass.fate === FATE.drop || pass.fate === FATE.consume) return -1;
    if (pass.fate === FATE.answer) {
      pass.length = writeAnswer(pass, context);
      return pass.ingress;
    }
    if (pass.proxied === 1 && !proxyStage(pass, context)) {
      pass.fate = FATE.consume;
      return -1;
    }
    const { egress } = pass;
    this.address(egress);
    rewriteFrame(pass, context.frames);
    if (pass.icmpError === 2) rewriteQuoted(pass, context);
    if (pass.record === 0 || pass.icmpError !== 0 || pass.fragment === LATER_FRAGMENT) return egress;
    this.count(pass.record);
    if (pass.protocol === PROTOCOL_TCP && (pass.tcpFlags & (TCP_FIN | TCP_RST)) !== 0) {
      context.connections.tcpEnd(pass.record, pass.tcpFlags, pass.now);
    }
    return egress;
  }

  /** Addresses the frame to a guest (WIRE-3). */
  private address(egress: number): void {
    const { frameWords } = this.context.regions;
    const { hot } = this.context;
    const p = (this.pass.l2 - 2) >> 2;
    const g = egress * HOT_WORDS;
    frameWords[p] = (frameWords[p] & 0xffff) | hot[g + HOT_MAC_HIGH];
    frameWords[p + 1] = hot[g + HOT_MAC_LOW];
    frameWords[p + 2] = hot[g + HOT_FABRIC_HIGH];
    frameWords[p + 3] = hot[g + HOT_FABRIC_LOW];
  }

  /** The egress descriptor and the totals. */
  private report(d: number, o: number, to: number, path: number): void {
    const { pass } = this;
    const { ingress, egress, counters, traffic } = this.context.regions;
    egress[o + OUT_SLOT] = ingress[d + IN_SLOT];
    egress[o + OUT_LENGTH] = pass.length;
    egress[o + OUT_ATTACHMENT] = to;
    egress[o + OUT_PACKET] = ingress[d + IN_PACKET];
    egress[o + OUT_VERDICT] = this.outcome(counters);
    egress[o + OUT_PATH] = path;
    egress[o + OUT_INGRESS] = pass.ingress;
    const sent = pass.ingress * TRAFFIC_WORDS;
    traffic[sent + TRAFFIC_SENT_PACKETS]++;
    traffic[sent + TRAFFIC_SENT_BYTES] += ingress[d + IN_LENGTH];
    if (to < 0) return;
    const received = to * TRAFFIC_WORDS;
    traffic[received + TRAFFIC_RECEIVED_PACKETS]++;
    traffic[received + TRAFFIC_RECEIVED_BYTES] += pass.length;
  }

  /** OUT_VERDICT of the pass, counted. */
  private outcome(counters: Float64Array): number {
    const { pass } = this;
    switch (pass.fate) {
      case FATE.drop: {
        const reason = pass.provenance[PROV_DROP];
        counters[COUNT.dropped + reason]++;
        return reason | (OUTCOME.dropped << 8);
      }
      case FATE.consume:
        counters[COUNT.consumed]++;
        return OUTCOME.consumed << 8;
      case FATE.answer:
        counters[COUNT.consumed]++;
        counters[COUNT.originated]++;
        counters[COUNT.delivered]++;
        return OUTCOME.answered << 8;
      default: {
        const exits = isExit(this.context.tables.program.attachments.kind[pass.egress]);
        counters[exits ? COUNT.exited : COUNT.delivered]++;
        return (exits ? OUTCOME.exited : OUTCOME.delivered) << 8;
      }
    }
  }

  private count(record: number): void {
    const { floats } = this.context.connections.table;
    const e = record * RECORD_WORDS;
    floats[(e + R_PACKETS) >> 1]++;
    floats[(e + R_BYTES) >> 1] += this.pass.length;
  }
}
