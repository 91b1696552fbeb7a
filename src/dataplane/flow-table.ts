// The flow table: an exact-match index over dense records. A record belongs to one attachment and one five-tuple as the
// guest there sees it (source = the guest's own side) and holds two things with clocks of their own: the state of the
// connection at this attachment (rules are skipped), and the path of what this guest sends. Records never move, so a
// record number may be kept as a link.
//
//   index    Int32 per entry: tag (8 bits of the hash) << 24 | record; 0 is free, VACATED was used; linear probing,
//            load <= 1/4
//   record   16 words, one cache line (layout below); cold part 8 words
//
// Addresses and ports are kept as the little-endian loads of the frame's bytes, so that the hit path compares, hashes
// and rewrites without swapping. Int32Array everywhere: comparing with Uint32Array values misses above 2^31.

import { COLD_WORDS, RECORD_WORDS, type Regions } from '../abi/regions.ts';

// Hot line.
export const R_SRC = 0;
export const R_DST = 1;
export const R_PORTS = 2;
/** attachment << 8 | protocol; 0: record is free. */
export const R_KEY = 3;
/** Egress attachment in bits 0-23, PATH_* in bits 24-31. */
export const R_EGRESS = 4;
/** Header words after translation (equal to the key where nothing changes). */
export const R_NEW_SRC = 5;
export const R_NEW_DST = 6;
export const R_NEW_PORTS = 7;
/** RFC 1624 deltas: IPv4 header in the low half, transport in the high half, in the byte order of the loads. */
export const R_DELTAS = 8;
/** Path id, -1 before the first path. */
export const R_PATH = 9;
/** Generation of the attachment when the path was made. */
export const R_GENERATION = 10;
/** Milliseconds: last packet this guest sent on the connection. */
export const R_LAST_SEEN = 11;
/** Packets and bytes sent (Float64 at words 12 and 14). */
export const R_PACKETS = 12;
export const R_BYTES = 14;

// Cold part.
/** Record at the attachment that the path leads to, 0 for none. */
export const C_PEER = 0;
/** Record whose path last delivered here, 0 for none: its packets keep this state alive too. */
export const C_INBOUND = 1;
/** STATE_* bits. */
export const C_STATE = 2;
/** flushGeneration when the rules were last asked. */
export const C_FLUSH = 3;
/** When a closing connection ends, milliseconds; meaningful with STATE_CLOSING. */
export const C_DEADLINE = 4;
export const C_HASH = 5;
/** NAT pool of a binding, -1 for none: its idle time counts. */
export const C_NAT = 6;
/** Next free record while free; while in use, what was announced to the injector's directory. */
export const C_NEXT = 7;

/** The path may be used by the hit path. */
export const PATH_VALID = 1 << 24;
/** Addresses or ports are rewritten. */
export const PATH_TRANSLATES = 1 << 25;
/** The egress attachment is an exit. */
export const PATH_EXIT_SHIFT = 26;
export const PATH_EXIT = 1 << PATH_EXIT_SHIFT;
/** Ingress or egress is captured. */
export const PATH_TAP = 1 << 27;
/** The connection is closing: it ends at its deadline, however lately it was used. */
export const RECORD_CLOSES = 1 << 28;
export const EGRESS_MASK = 0x00ffffff;

/** Connection state exists: rules are skipped here (NSG-26). */
export const STATE_LIVE = 1;
/** This attachment's guest opened the connection (its packets are the forward direction, NSG-37). */
export const STATE_FORWARD = 2;
/** A FIN was sent by this guest. */
export const STATE_FIN = 4;
/** Ends at C_DEADLINE (RST, or FIN from both sides: NSG-35). */
export const STATE_CLOSING = 8;
/** A binding: R_NEW_* hold the translation of what this guest sends, whatever the state of the connection. */
export const STATE_BINDING = 16;
/** The translation belongs to an Internet exit and applies only when the route leads there. */
export const STATE_PUBLIC = 32;
/** What this guest sends leaves with the source of the binding, by its own route: a backend's answer (LB-3). */
export const STATE_BALANCED = 64;
/** What this guest sends goes back by the binding alone: the backend behind a Private Link service (PLS-8). */
export const STATE_SERVICE = 128;
/** The connection carries a PROXY header (PLS-15). */
export const STATE_PROXIED = 256;

/** Hash of a flow key from little-endian loads; folding each word first keeps structured address plans apart. */
export function hashKey(src: number, dst: number, ports: number, key: number): number {
  let h =
    (Math.imul(src ^ (src >>> 16), 0x9e3779b1) +
      Math.imul(dst ^ (dst >>> 16), 0x85ebca77) +
      Math.imul(ports ^ (ports >>> 16) ^ key, 0xc2b2ae3d)) |
    0;
  h ^= h >>> 15;
  h = Math.imul(h, 0x27d4eb2f);
  return h ^ (h >>> 16);
}

/** An index entry whose record was removed while entries stood behind it: no record, and not the end of a run. */
const VACATED = 0x01000000;

export class FlowTable {
  readonly index: Int32Array;
  readonly records: Int32Array;
  readonly floats: Float64Array;
  readonly cold: Int32Array;
  readonly mask: number;
  /** Records that may be in use. */
  capacity: number;
  count: number;
  private firstFree: number;
  private unused: number;
  /** Vacated places of the index. */
  private vacated: number;

  constructor(regions: Regions) {
    this.index = regions.index;
    this.records = regions.records;
    this.floats = regions.recordFloats;
    this.cold = regions.cold;
    this.mask = regions.index.length - 1;
    this.capacity = regions.sizes.records - 1;
    this.count = 0;
    this.firstFree = 0;
    this.unused = 1;
    this.vacated = 0;
  }

  /** The record of a key, or 0. */
  find(src: number, dst: number, ports: number, key: number): number {
    const { index, records, mask } = this;
    const h = hashKey(src, dst, ports, key);
    let i = h & mask;
    for (let v = index[i]; v !== 0; v = index[i]) {
      if (((v ^ h) & 0xff000000) === 0) {
        const e = (v & 0xffffff) * RECORD_WORDS;
        if (records[e + R_SRC] === src && records[e + R_DST] === dst) {
          if (records[e + R_PORTS] === ports && records[e + R_KEY] === key) return v & 0xffffff;
        }
      }
      i = (i + 1) & mask;
    }
    return 0;
  }

  /** A new record for a key that is not in the table; 0 when the table is full. */
  insert(src: number, dst: number, ports: number, key: number): number {
    let record = this.firstFree;
    if (record !== 0) this.firstFree = this.cold[record * COLD_WORDS + C_NEXT];
    else if (this.unused <= this.capacity) record = this.unused++;
    else return 0;
    const { index, records, floats, cold, mask } = this;
    const h = hashKey(src, dst, ports, key);
    const e = record * RECORD_WORDS;
    // Word by word: a call of fill() costs more than the sixteen stores.
    records[e + R_SRC] = src;
    records[e + R_DST] = dst;
    records[e + R_PORTS] = ports;
    records[e + R_KEY] = key;
    records[e + R_EGRESS] = 0;
    records[e + R_NEW_SRC] = src;
    records[e + R_NEW_DST] = dst;
    records[e + R_NEW_PORTS] = ports;
    records[e + R_DELTAS] = 0;
    records[e + R_PATH] = -1;
    records[e + R_GENERATION] = 0;
    records[e + R_LAST_SEEN] = 0;
    floats[(e + R_PACKETS) >> 1] = 0;
    floats[(e + R_BYTES) >> 1] = 0;
    const c = record * COLD_WORDS;
    cold[c + C_PEER] = 0;
    cold[c + C_INBOUND] = 0;
    cold[c + C_STATE] = 0;
    cold[c + C_FLUSH] = 0;
    cold[c + C_DEADLINE] = 0;
    cold[c + C_HASH] = h;
    cold[c + C_NAT] = -1;
    cold[c + C_NEXT] = 0;
    let i = h & mask;
    while (index[i] !== 0 && index[i] !== VACATED) i = (i + 1) & mask;
    if (index[i] === VACATED) this.vacated--;
    index[i] = (h & 0xff000000) | record;
    this.count++;
    return record;
  }

  /** Reads the index where a record's entry stands, so that `remove` finds it in the cache. */
  touchIndex(record: number): number {
    return this.index[this.cold[record * COLD_WORDS + C_HASH] & this.mask];
  }

  /** Frees a record. Links that point to it are the caller's to clear. */
  remove(record: number): void {
    const { index, cold, mask } = this;
    const h = cold[record * COLD_WORDS + C_HASH];
    let i = h & mask;
    while ((index[i] & 0xffffff) !== record) i = (i + 1) & mask;
    // Entries behind this one may have been pushed past it: searches must go on here. At the end of a run there are
    // none, and the vacated places before it are free again. So nothing but this line of the index is read.
    if (index[(i + 1) & mask] !== 0) {
      index[i] = VACATED;
      this.vacated++;
    } else {
      index[i] = 0;
      for (i = (i - 1) & mask; index[i] === VACATED; i = (i - 1) & mask) {
        index[i] = 0;
        this.vacated--;
      }
    }
    this.records[record * RECORD_WORDS + R_KEY] = 0;
    this.cold[record * COLD_WORDS + C_NEXT] = this.firstFree;
    this.firstFree = record;
    this.count--;
    if (this.vacated > mask >>> 2) this.rebuildIndex();
  }

  // Rare: only traffic that crowds one part of the index leaves so many vacated places.
  private rebuildIndex(): void {
    const { index, records, cold, mask } = this;
    index.fill(0);
    this.vacated = 0;
    for (let record = 1; record < this.unused; record++) {
      if (records[record * RECORD_WORDS + R_KEY] === 0) continue;
      const h = cold[record * COLD_WORDS + C_HASH];
      let i = h & mask;
      while (index[i] !== 0) i = (i + 1) & mask;
      index[i] = (h & 0xff000000) | record;
    }
  }

  /** Empties the table; at most `records` records may be used from here on, by default as many as memory allows. */
  restart(records = this.cold.length / COLD_WORDS - 1): void {
    for (let record = this.high; record > 0; record--) {
      if (this.records[record * RECORD_WORDS + R_KEY] !== 0) this.remove(record);
    }
    this.capacity = records;
    this.firstFree = 0;
    this.unused = 1;
  }

  /** Highest record number ever used: sweeps end there. */
  get high(): number {
    return this.unused - 1;
  }
}
