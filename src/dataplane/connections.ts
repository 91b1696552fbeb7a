// Connection state and bindings over the flow table: whose clock says what is still alive, how the two records of a
// connection are linked, and how they end. Expiry is decided at lookup; sweeps only reclaim what is dead anyway.

import { FIN_LINGER_MS, MAX_BATCH, RST_LINGER_MS } from '../abi/limits.ts';
import { COLD_WORDS, NOTICE_WORDS, RECORD_WORDS, CONTROL, type Regions } from '../abi/regions.ts';
import { TCP_FIN, TCP_RST } from '../wire/tcp.ts';
import {
  C_DEADLINE,
  C_INBOUND,
  C_NAT,
  C_NEXT,
  C_PEER,
  C_STATE,
  FlowTable,
  PATH_VALID,
  RECORD_CLOSES,
  R_DST,
  R_EGRESS,
  R_KEY,
  R_LAST_SEEN,
  R_PORTS,
  R_SRC,
  STATE_BINDING,
  STATE_CLOSING,
  STATE_FIN,
  STATE_LIVE,
  STATE_PROXIED,
} from './flow-table.ts';
import type { ProxyConnections } from './stages/proxy.ts';
import { HOT_IDLE_MS, HOT_WORDS, swap16, swap32, type Tables } from './tables.ts';

/** Key words of a guest's side of a connection, as little-endian loads of the frame. */
export function portsWord(srcPort: number, dstPort: number): number {
  return swap16(srcPort) | (swap16(dstPort) << 16);
}

/** Everything the stages and the sweep share about connections. */
export class Connections {
  readonly table: FlowTable;
  private readonly hot: Int32Array;
  private readonly proxies: ProxyConnections;
  private readonly control: Int32Array;
  private readonly notices: Int32Array;
  private noticeHead: number;
  /** Read again only when there seems to be no room. */
  private noticeTail: number;
  private sweepAt: number;
  private sweptUntil: number;
  private sweepDue: number;
  private fullSweepAt: number;
  private readonly dead = new Int32Array(RECLAIM_GROUP);
  private touched: number;

  constructor(regions: Regions, hot: Int32Array, proxies: ProxyConnections) {
    this.table = new FlowTable(regions);
    this.hot = hot;
    this.proxies = proxies;
    this.control = regions.control;
    this.notices = regions.notices;
    this.noticeHead = regions.control[CONTROL.noticeHead];
    this.noticeTail = this.noticeHead;
    this.sweepAt = 0;
    this.sweptUntil = 0;
    this.sweepDue = 0;
    this.fullSweepAt = -FULL_SWEEP_MS;
    this.touched = 0;
  }

  /** Forgets every connection without a word to the injector; at most `records` records may be used from here on. */
  restart(records?: number): void {
    this.table.restart(records);
    // As if the ring of notices were full: the first notice reads the injector's cursor, like one of a full ring.
    this.noticeTail = (this.noticeHead - this.notices.length / NOTICE_WORDS) | 0;
    this.sweepAt = 0;
    this.sweptUntil = 0;
    this.sweepDue = 0;
    this.fullSweepAt = -FULL_SWEEP_MS;
  }

  /** The record of `attachment` for a connection seen from there, or 0. Addresses in host order. */
  find(attachment: number, protocol: number, src: number, dst: number, srcPort: number, dstPort: number): number {
    return this.table.find(swap32(src), swap32(dst), portsWord(srcPort, dstPort), (attachment << 8) | protocol);
  }

  /** A new record, or 0 when the table is full. */
  insert(attachment: number, protocol: number, src: number, dst: number, srcPort: number, dstPort: number): number {
    return this.table.insert(swap32(src), swap32(dst), portsWord(srcPort, dstPort), (attachment << 8) | protocol);
  }

  /** True while the connection state of a record admits packets without asking rules (NSG-26, NSG-33). */
  isLive(record: number, now: number): boolean {
    const c = record * COLD_WORDS;
    const state = this.table.cold[c + C_STATE];
    if ((state & STATE_LIVE) === 0) return false;
    if ((state & STATE_CLOSING) !== 0) return now - this.table.cold[c + C_DEADLINE] < 0;
    const attachment = this.table.records[record * RECORD_WORDS + R_KEY] >>> 8;
    return this.usedWithin(record, now, this.hot[attachment * HOT_WORDS + HOT_IDLE_MS]);
  }

  /** True while the binding of a record translates; it has a clock of its own and outlives the state (NSG-36). */
  isBound(record: number, now: number, tables: Tables): boolean {
    const c = record * COLD_WORDS;
    const state = this.table.cold[c + C_STATE];
    if ((state & STATE_BINDING) === 0) return false;
    if ((state & STATE_CLOSING) !== 0) return now - this.table.cold[c + C_DEADLINE] < 0;
    const nat = this.table.cold[c + C_NAT];
    const attachment = this.table.records[record * RECORD_WORDS + R_KEY] >>> 8;
    const ownIdle = this.hot[attachment * HOT_WORDS + HOT_IDLE_MS];
    const { idleMs } = tables.program.natPools;
    const idle = nat >= 0 && nat < idleMs.length ? idleMs[nat] : ownIdle;
    return this.usedWithin(record, now, idle);
  }

  // Packets in either direction keep a record alive: its own, and those of the record whose path leads here.
  private usedWithin(record: number, now: number, idle: number): boolean {
    const { records, cold } = this.table;
    if (now - records[record * RECORD_WORDS + R_LAST_SEEN] < idle) return true;
    const inbound = cold[record * COLD_WORDS + C_INBOUND];
    if (inbound === 0 || cold[inbound * COLD_WORDS + C_PEER] !== record) return false;
    return now - records[inbound * RECORD_WORDS + R_LAST_SEEN] < idle;
  }

  /** FIN and RST end a connection: a RST leaves 5 s, FINs from both sides close it (NSG-35). Paths of a closing
   * connection are not cached, so that its deadline is asked. */
  tcpEnd(record: number, flags: number, now: number): void {
    const { cold } = this.table;
    const c = record * COLD_WORDS;
    const peer = cold[c + C_PEER];
    if ((flags & TCP_RST) !== 0) {
      this.close(record, now + RST_LINGER_MS);
      if (peer !== 0) this.close(peer, now + RST_LINGER_MS);
      return;
    }
    if ((flags & TCP_FIN) === 0) return;
    cold[c + C_STATE] |= STATE_FIN;
    if (peer === 0 || (cold[peer * COLD_WORDS + C_STATE] & STATE_FIN) === 0) return;
    this.close(record, now + FIN_LINGER_MS);
    this.close(peer, now + FIN_LINGER_MS);
  }

  private close(record: number, deadline: number): void {
    const { cold, records } = this.table;
    const c = record * COLD_WORDS;
    if ((cold[c + C_STATE] & STATE_CLOSING) === 0 || deadline - cold[c + C_DEADLINE] < 0) {
      cold[c + C_DEADLINE] = deadline;
    }
    cold[c + C_STATE] |= STATE_CLOSING;
    const e = record * RECORD_WORDS;
    records[e + R_EGRESS] = (records[e + R_EGRESS] & ~PATH_VALID) | RECORD_CLOSES;
  }

  /** Forgets the state of a connection on both sides (flush: NSG-37); bindings stay. */
  forgetState(record: number): void {
    const { cold, records } = this.table;
    const peer = cold[record * COLD_WORDS + C_PEER];
    for (const r of peer === 0 ? [record] : [record, peer]) {
      cold[r * COLD_WORDS + C_STATE] &= ~(STATE_LIVE | STATE_FIN | STATE_CLOSING);
      records[r * RECORD_WORDS + R_EGRESS] &= ~PATH_VALID;
    }
  }

  /** Frees a record and clears the links to it. */
  remove(record: number): void {
    const { cold } = this.table;
    const c = record * COLD_WORDS;
    this.unlink(cold[c + C_PEER], record);
    this.unlink(cold[c + C_INBOUND], record);
    if ((cold[c + C_STATE] & STATE_PROXIED) !== 0) this.proxies.forget(record);
    if ((cold[c + C_NEXT] & DIRECTORY_NOTICE) !== 0) this.notify(record, cold[c + C_NEXT] & 0xff, 0);
    this.table.remove(record);
  }

  private unlink(linked: number, record: number): void {
    if (linked === 0) return;
    const { cold, records } = this.table;
    const c = linked * COLD_WORDS;
    if (cold[c + C_PEER] === record) {
      cold[c + C_PEER] = 0;
      records[linked * RECORD_WORDS + R_EGRESS] &= ~PATH_VALID;
    }
    if (cold[c + C_INBOUND] === record) cold[c + C_INBOUND] = 0;
  }

  /** True when the injector was told this already. */
  isAnnounced(record: number, shard: number): boolean {
    return this.table.cold[record * COLD_WORDS + C_NEXT] === (shard | DIRECTORY_NOTICE);
  }

  /** Tells the injector that packets of this record's attachment and five-tuple belong to `shard`. */
  announce(record: number, shard: number): void {
    this.table.cold[record * COLD_WORDS + C_NEXT] = shard | DIRECTORY_NOTICE;
    this.notify(record, shard, 1);
  }

  private notify(record: number, shard: number, learn: number): void {
    const { notices } = this;
    const head = this.noticeHead;
    const capacity = notices.length / NOTICE_WORDS;
    // Removals leave room for what a batch announces: a stale directory entry only steers a later connection to another
    // shard, but an announcement must not be lost.
    const isRemoval = learn === 0;
    const room = isRemoval ? capacity - ANNOUNCED_PER_BATCH : capacity;
    if (((head - this.noticeTail) | 0) >= room) this.noticeTail = Atomics.load(this.control, CONTROL.noticeTail);
    if (((head - this.noticeTail) | 0) >= room) {
      if (isRemoval) return;
      throw new Error(`steering notices: all ${capacity} places are taken, the injector does not read them`);
    }
    const at = (head & (capacity - 1)) * NOTICE_WORDS;
    const e = record * RECORD_WORDS;
    const { records } = this.table;
    notices[at] = records[e + R_KEY] >>> 8;
    notices[at + 1] = records[e + R_SRC];
    notices[at + 2] = records[e + R_DST];
    notices[at + 3] = records[e + R_PORTS];
    notices[at + 4] = (records[e + R_KEY] & 0xff) | (shard << 8) | (learn << 16);
    this.noticeHead = (head + 1) | 0;
  }

  /** Makes the notices of this batch visible. */
  publishNotices(): void {
    if (this.control[CONTROL.noticeHead] === this.noticeHead) return;
    Atomics.store(this.control, CONTROL.noticeHead, this.noticeHead);
  }

  /** Reclaims dead records: walks on through the table, so far that it has seen every record once in SWEEP_MS. */
  sweep(now: number, tables: Tables): void {
    const elapsed = Math.min(now - this.sweptUntil, SWEEP_MS);
    if (elapsed <= 0) return;
    const due = this.sweepDue + (elapsed * this.table.high) / SWEEP_MS;
    const steps = Math.min(Math.floor(due), this.table.high) | 0;
    this.sweptUntil = now;
    this.sweepDue = due - steps;
    this.reclaim(steps, now, tables);
  }

  /** Reclaims dead records among the next `steps`; returns how many it freed. */
  private reclaim(steps: number, now: number, tables: Tables): number {
    const { hot, table, dead } = this;
    const { records, high } = table;
    let freed = 0;
    let record = this.sweepAt;
    for (let left = steps; left > 0; left = (left - RECLAIM_GROUP) | 0) {
      let found = 0;
      for (let i = left < RECLAIM_GROUP ? left : RECLAIM_GROUP; i > 0; i--) {
        record = record >= high ? 1 : record + 1;
        const e = record * RECORD_WORDS;
        const key = records[e + R_KEY];
        if (key === 0) continue;
        // Most records were used lately: one look at their hot line is enough.
        const isRecent = ((now - records[e + R_LAST_SEEN]) | 0) < hot[(key >>> 8) * HOT_WORDS + HOT_IDLE_MS];
        if (isRecent && (records[e + R_EGRESS] & RECORD_CLOSES) === 0) continue;
        if (this.isLive(record, now) || this.isBound(record, now, tables)) continue;
        dead[found++] = record;
      }
      // Their index entries arrive together instead of one after the other.
      for (let i = 0; i < found; i++) this.touched ^= table.touchIndex(dead[i]);
      for (let i = 0; i < found; i++) this.remove(dead[i]);
      freed += found;
    }
    this.sweepAt = record;
    return freed;
  }

  /** Looks through the whole table for dead records when it is full; at most once in FULL_SWEEP_MS, so that a flood of
   * new connections does not cost a sweep each. True when room was found. */
  makeRoom(now: number, tables: Tables): boolean {
    if (now - this.fullSweepAt < FULL_SWEEP_MS) return false;
    this.fullSweepAt = now;
    return this.reclaim(this.table.high, now, tables) > 1;
  }

  /** Removes every record of an attachment that is gone, and those whose path leads there. */
  removeAttachments(isGone: (attachment: number) => boolean): void {
    const { table } = this;
    for (let record = 1; record <= table.high; record++) {
      const key = table.records[record * RECORD_WORDS + R_KEY];
      if (key !== 0 && isGone(key >>> 8)) this.remove(record);
    }
  }
}

const DIRECTORY_NOTICE = 0x100;
/** A packet announces one record at most; more than a ring of notices between two batches would be a bug. */
const ANNOUNCED_PER_BATCH = 4 * MAX_BATCH;
const FULL_SWEEP_MS = 1000;
/** Records that the sweep looks at before it frees the dead among them. */
const RECLAIM_GROUP = 128;
/** A fraction of the shortest idle time (4 minutes): the dead stay a small part of the table. */
const SWEEP_MS = 60_000;
