// Installation: writes what the slow path decided into the flow table, so that the next packets of this direction are
// hits: connection state at both ends, the path of this direction, and the binding of a translated leg.
//
// Reads   everything decided.     Writes  flow records, record.
// Drops   FLOW_TABLE_FULL.

import { DROP } from '../../abi/drop-reasons.ts';
import { MTU_DEFAULT } from '../../abi/limits.ts';
import { ATTACHMENT, NEXT_HOP } from '../../abi/program.ts';
import { NONE, PROV_ROUTE, PROV_TRANSLATION, STAGE, TRANSLATION } from '../../abi/provenance.ts';
import { COLD_WORDS, RECORD_WORDS } from '../../abi/regions.ts';
import { portsWord } from '../connections.ts';
import type { Context } from '../context.ts';
import {
  C_FLUSH,
  C_INBOUND,
  C_NAT,
  C_PEER,
  C_STATE,
  EGRESS_MASK,
  PATH_EXIT,
  PATH_TAP,
  PATH_TRANSLATES,
  PATH_VALID,
  RECORD_CLOSES,
  R_DELTAS,
  R_EGRESS,
  R_GENERATION,
  R_LAST_SEEN,
  R_NEW_DST,
  R_NEW_PORTS,
  R_NEW_SRC,
  R_PATH,
  STATE_BALANCED,
  STATE_BINDING,
  STATE_CLOSING,
  STATE_FIN,
  STATE_FORWARD,
  STATE_LIVE,
  STATE_PROXIED,
  STATE_PUBLIC,
  STATE_SERVICE,
  type FlowTable,
} from '../flow-table.ts';
import { FATE, dropAt, type Pass } from '../pass.ts';
import { HOT_IDLE_MS, HOT_WORDS, isExit, swap32, type Tables } from '../tables.ts';

/** Installs a decided delivery; the pass is dropped when the flow table has no room. */
export function installStage(pass: Pass, context: Context, pathId: number): void {
  const { connections } = context;
  const { protocol } = pass;
  if (pass.record === 0) {
    pass.record = connections.insert(pass.ingress, protocol, pass.src, pass.dst, pass.srcPort, pass.dstPort);
  }
  let peer = pass.peer === NONE || pass.egress === pass.ingress ? findPeer(pass, context) : pass.peer;
  if (peer === 0 && pass.record !== 0) {
    peer = connections.insert(pass.egress, protocol, pass.newDst, pass.newSrc, pass.newDstPort, pass.newSrcPort);
  }
  if ((pass.record === 0 || peer === 0) && connections.makeRoom(pass.now, context.tables)) {
    pass.record = connections.find(pass.ingress, protocol, pass.src, pass.dst, pass.srcPort, pass.dstPort);
    pass.peer = NONE;
    return installStage(pass, context, pathId);
  }
  if (pass.record === 0 || peer === 0) {
    pass.fate = FATE.undecided;
    return dropAt(pass, DROP.FLOW_TABLE_FULL, STAGE.route, pass.ingress);
  }
  writeState(pass, context, peer);
  writePath(pass, context, peer, pathId);
  writeBinding(pass, context, peer);
}

function findPeer(pass: Pass, context: Context): number {
  const { egress, protocol, newSrc, newDst, newSrcPort, newDstPort } = pass;
  return context.connections.find(egress, protocol, newDst, newSrc, newDstPort, newSrcPort);
}

/** State at both ends, created by the first permitted packet for both directions (NSG-26). */
function writeState(pass: Pass, context: Context, peer: number): void {
  const { cold, records } = context.connections.table;
  const { flushGeneration } = context.tables.program.attachments;
  const own = pass.record;
  const c = own * COLD_WORDS;
  const p = peer * COLD_WORDS;
  const isNew = pass.established === 0;
  if (isNew) {
    cold[c + C_STATE] = (cold[c + C_STATE] & ~(STATE_FIN | STATE_CLOSING)) | STATE_LIVE | STATE_FORWARD;
  }
  // Forward packets have asked whatever changed (NSG-37); replies ask nothing and leave the marks alone.
  const hasAsked = isNew || (cold[c + C_STATE] & STATE_FORWARD) !== 0;
  if (hasAsked) cold[c + C_FLUSH] = flushGeneration[pass.ingress];
  const peerIsLive = context.connections.isLive(peer, pass.now) && pass.fresh === 0;
  if (!peerIsLive) {
    cold[p + C_STATE] = (cold[p + C_STATE] & ~(STATE_FIN | STATE_CLOSING | STATE_FORWARD)) | STATE_LIVE;
    records[peer * RECORD_WORDS + R_LAST_SEEN] = pass.now;
  }
  if (!peerIsLive || hasAsked) cold[p + C_FLUSH] = flushGeneration[pass.egress];
  records[own * RECORD_WORDS + R_LAST_SEEN] = pass.now;
  cold[c + C_PEER] = peer;
  cold[p + C_INBOUND] = own;
  // A reply needs a way to its opposite number for FIN and RST before it has a path of its own.
  if (cold[p + C_PEER] === 0 || pass.fresh === 1) cold[p + C_PEER] = own;
}

/** The path of this direction. Closing connections are not cached: their deadline is asked for every packet. */
function writePath(pass: Pass, context: Context, peer: number, pathId: number): void {
  const { tables } = context;
  const { table } = context.connections;
  const { records } = table;
  const e = pass.record * RECORD_WORDS;
  const { attachments } = tables.program;
  const ports = portsWord(pass.newSrcPort, pass.newDstPort);
  records[e + R_NEW_SRC] = swap32(pass.newSrc);
  records[e + R_NEW_DST] = swap32(pass.newDst);
  records[e + R_NEW_PORTS] = ports;
  records[e + R_DELTAS] = deltas(records, e);
  records[e + R_GENERATION] = attachments.generation[pass.ingress];
  records[e + R_PATH] = pathId;
  let flags = 0;
  const isClosing = (table.cold[pass.record * COLD_WORDS + C_STATE] & STATE_CLOSING) !== 0;
  if (isClosing) flags |= RECORD_CLOSES;
  else if (context.cachePaths && mayBeCached(pass, context)) flags |= PATH_VALID;
  if (translates(pass)) flags |= PATH_TRANSLATES;
  if (isExit(attachments.kind[pass.egress])) flags |= PATH_EXIT;
  if (isTapped(tables, pass)) flags |= PATH_TAP;
  records[e + R_EGRESS] = pass.egress | flags;
  // A packet to its own sender's five-tuple is its own reply: nothing to cache.
  if (peer === pass.record) records[e + R_EGRESS] &= ~PATH_VALID;
}

/** Connections with a PROXY header are rewritten packet by packet (PLS-19). */
function mayBeCached(pass: Pass, context: Context): boolean {
  return pass.proxied === 0 && outlastsState(pass, context) && !isNarrow(pass, context.tables);
}

/** WIRE-13: a way that carries less than its sender's link: the size of every packet has to be asked. */
function isNarrow(pass: Pass, tables: Tables): boolean {
  const { attachments, routes } = tables.program;
  if (attachments.mtu[pass.ingress] <= MTU_DEFAULT) return false;
  if (attachments.mtu[pass.egress] < attachments.mtu[pass.ingress]) return true;
  if (pass.provenance[PROV_TRANSLATION] >= TRANSLATION.service) return true;
  const route = pass.provenance[PROV_ROUTE];
  return route >= 0 && routes.nextHop[route] === NEXT_HOP.VNetGlobalPeering;
}

/** A binding that ends before the state of the connection would has to be asked for every packet (LB-5). */
function outlastsState(pass: Pass, context: Context): boolean {
  if (pass.natPool < 0) return true;
  const stateMs = context.hot[pass.ingress * HOT_WORDS + HOT_IDLE_MS];
  return context.tables.program.natPools.idleMs[pass.natPool] >= stateMs;
}

function translates(pass: Pass): boolean {
  return (
    pass.newSrc !== pass.src ||
    pass.newDst !== pass.dst ||
    pass.newSrcPort !== pass.srcPort ||
    pass.newDstPort !== pass.dstPort
  );
}

/** True when ingress, egress or the endpoint crossed is captured. */
export function isTapped(tables: Tables, pass: Pass): boolean {
  if (pass.ingress < tables.attachmentCount && tables.tapped[pass.ingress] === 1) return true;
  if (pass.egress >= 0 && tables.tapped[pass.egress] === 1) return true;
  return pass.endpoint >= 0 && tables.tapped[tables.program.endpoints.provider[pass.endpoint]] === 1;
}

/** RFC 1624: what to add to the complement of the old checksum; IPv4 header low, transport high. Sums of 16-bit halves
 * do not depend on byte order. */
function deltas(records: Int32Array, e: number): number {
  const addresses = change(records[e], records[e + R_NEW_SRC]) + change(records[e + 1], records[e + R_NEW_DST]);
  const ports = change(records[e + 2], records[e + R_NEW_PORTS]);
  return fold(addresses) | (fold(addresses + ports) << 16);
}

function change(from: number, to: number): number {
  return (~from & 0xffff) + (~from >>> 16) + (to & 0xffff) + (to >>> 16);
}

function fold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

/** The binding of a translated leg, on the record that the reply will hit (and on a NIC's own for public addresses). */
function writeBinding(pass: Pass, context: Context, peer: number): void {
  const { cold } = context.connections.table;
  const translation = pass.provenance[PROV_TRANSLATION];
  switch (translation) {
    case TRANSLATION.none:
    case TRANSLATION.exitPort:
      if (pass.fresh === 1) unbind(cold, peer);
      if (pass.replyTo === NONE) return;
      bindReply(pass, context, peer, pass.replyTo);
      break;
    case TRANSLATION.endpoint:
      bindReply(pass, context, peer, pass.replyTo);
      break;
    case TRANSLATION.publicIpOut:
    case TRANSLATION.natOut:
      cold[pass.record * COLD_WORDS + C_STATE] |= STATE_BINDING | STATE_PUBLIC;
      cold[pass.record * COLD_WORDS + C_NAT] = pass.natPool;
      cold[peer * COLD_WORDS + C_NAT] = pass.natPool;
      bindReply(pass, context, peer, pass.ingress);
      break;
    case TRANSLATION.publicIpIn:
      cold[pass.record * COLD_WORDS + C_STATE] |= STATE_BINDING;
      bindReply(pass, context, peer, pass.ingress);
      cold[peer * COLD_WORDS + C_STATE] |= STATE_PUBLIC;
      break;
    case TRANSLATION.balance:
      bindBackend(pass, context, peer, pass.kind === ATTACHMENT.internet ? STATE_PUBLIC : STATE_BALANCED);
      break;
    case TRANSLATION.service:
      bindBackend(pass, context, peer, STATE_SERVICE | (pass.proxied === 1 ? STATE_PROXIED : 0));
      break;
    case TRANSLATION.endpointReply:
    case TRANSLATION.natIn:
    case TRANSLATION.balanceReply:
    case TRANSLATION.serviceReply:
      return;
    default:
      throw new Error(`unknown translation ${translation}`);
  }
  const shard = (pass.facts >>> 8) & 0xff;
  if (!context.connections.isAnnounced(peer, shard)) context.connections.announce(peer, shard);
}

/** Both ends live by the clock of the binding, so that the sender's record still knows the backend when only the
 * binding is left (LB-5, PLS-11). */
function bindBackend(pass: Pass, context: Context, peer: number, kind: number): void {
  const { cold } = context.connections.table;
  const p = peer * COLD_WORDS;
  cold[p + C_STATE] = (cold[p + C_STATE] & ~BACKEND_KINDS) | kind;
  cold[p + C_NAT] = pass.natPool;
  cold[pass.record * COLD_WORDS + C_STATE] |= STATE_BINDING | (kind & STATE_PROXIED);
  cold[pass.record * COLD_WORDS + C_NAT] = pass.natPool;
  bindReply(pass, context, peer, pass.replyTo);
}

const BACKEND_KINDS = STATE_PUBLIC | STATE_BALANCED | STATE_SERVICE | STATE_PROXIED;

/** A new connection without a translation takes the place of a balanced one with the same tuple at the backend. */
function unbind(cold: Int32Array, peer: number): void {
  const p = peer * COLD_WORDS;
  if ((cold[p + C_STATE] & (STATE_BALANCED | STATE_SERVICE)) === 0) return;
  cold[p + C_STATE] &= ~(STATE_BINDING | BACKEND_KINDS);
  cold[p + C_NAT] = -1;
}

/** Stores the reverse translation on the record that replies will hit; its path is found by the first reply. */
function bindReply(pass: Pass, context: Context, peer: number, replyTo: number): void {
  const { table } = context.connections;
  const e = peer * RECORD_WORDS;
  const { kind } = context.tables.program.attachments;
  const choosesRoute =
    kind[pass.egress] === ATTACHMENT.nic && pass.provenance[PROV_TRANSLATION] !== TRANSLATION.service;
  table.cold[peer * COLD_WORDS + C_STATE] |= STATE_BINDING;
  const src = swap32(pass.dst);
  const dst = swap32(pass.src);
  const ports = portsWord(pass.dstPort, pass.srcPort);
  if (sameBinding(table, e, src, dst, ports, choosesRoute ? -1 : replyTo)) return;
  const { records } = table;
  records[e + R_NEW_SRC] = src;
  records[e + R_NEW_DST] = dst;
  records[e + R_NEW_PORTS] = ports;
  records[e + R_EGRESS] = (records[e + R_EGRESS] & RECORD_CLOSES) | replyTo;
}

function sameBinding(table: FlowTable, e: number, src: number, dst: number, ports: number, replyTo: number): boolean {
  const { records } = table;
  return (
    records[e + R_NEW_SRC] === src &&
    records[e + R_NEW_DST] === dst &&
    records[e + R_NEW_PORTS] === ports &&
    (replyTo < 0 || (records[e + R_EGRESS] & EGRESS_MASK) === replyTo)
  );
}
