// The hit path: packets of known connections, run to completion in groups of 64. Hash all, touch the index, touch the
// records, then act: the first three sweeps only make the memory of the fourth arrive in time. What is not a plain hit
// (a new or stale flow, IP options, fragments, ICMP, a SYN) goes to the slow path, in order.
//
// Form (docs/performance.md): Int32Array words in little-endian order, constants hoisted into locals, one closure per
// isolate. A frame starts 2 bytes into its first word, so the words below are relative to that word:
//   0 .. 3  Ethernet (destination from the high half of word 0, source in words 2-3, EtherType in the high half of 3)
//   4 .. 8  IPv4 (version|IHL|TOS|length, id|flags|offset, TTL|protocol|checksum, source, destination)
//   9 ..    ports, then TCP (sequence, acknowledgement, offset|flags|window, checksum|urgent) or UDP (length|checksum)

import { HIT_GROUP } from '../abi/limits.ts';
import { COUNT, OUTCOME, RECORD_WORDS, TRAFFIC_WORDS, type Regions } from '../abi/regions.ts';
import type { Batch } from './batch.ts';
import type { Connections } from './connections.ts';
import {
  EGRESS_MASK,
  PATH_EXIT,
  PATH_TAP,
  PATH_TRANSLATES,
  PATH_VALID,
  R_BYTES,
  R_DELTAS,
  R_DST,
  R_EGRESS,
  R_GENERATION,
  R_KEY,
  R_LAST_SEEN,
  R_NEW_DST,
  R_NEW_PORTS,
  R_NEW_SRC,
  R_PACKETS,
  R_PATH,
  R_PORTS,
  R_SRC,
  hashKey,
} from './flow-table.ts';
import type { SlowPath } from './slow-path.ts';
import { HOT_FRAME_MAX, HOT_GENERATION, HOT_IDLE_MS, HOT_MAC_HIGH, HOT_MAC_LOW, HOT_WORDS } from './tables.ts';
import type { Tap } from './tap.ts';

const ETHERTYPE_IPV4 = 0x0008; // as loaded from the high half of word 3
const VERSION_4_NO_OPTIONS = 0x45;
const FRAGMENT_BITS = 0xff3f0000; // more-fragments, offset and the reserved bit's neighbour; DF (0x40) is allowed
const TCP = 6;
const UDP = 17;
const SYN = 0x02;
const FIN_OR_RST = 0x05;
const ACK = 0x10;
const FABRIC_MAC_HIGH = 0x78563412 | 0; // 12:34:56:78 as a little-endian load
const FABRIC_MAC_LOW = 0xbc9a; // 9a:bc

/** The forwarding function over a batch: fills the output columns of every row. */
export function createHitPath(
  regions: Regions,
  hot_: Int32Array,
  batch: Batch,
  connections: Connections,
  slowPath: SlowPath,
  tap: Tap,
): () => void {
  const { frameWords: frames_, index: index_, records: records_, recordFloats: floats_ } = regions;
  const { frame: frame_, length: length_, attachment: attachment_, now: now_ } = batch;
  const { egress: egress_, verdict: verdict_, path: path_ } = batch;
  const { counters, traffic } = regions;
  const hashes_ = new Int32Array(HIT_GROUP);
  const found_ = new Int32Array(HIT_GROUP);
  const touched = new Int32Array(1);
  const mask = regions.index.length - 1;
  const table = connections.table;

  return function forwardBatch(): void {
    // Hoisted: V8 folds a closure constant's data pointer and length only when it is read once into a local.
    const frames = frames_;
    const index = index_;
    const records = records_;
    const floats = floats_;
    const hot = hot_;
    const hashes = hashes_;
    const found = found_;
    const frame = frame_;
    const length = length_;
    const attachment = attachment_;
    const now = now_;
    const egress = egress_;
    const verdict = verdict_;
    const path = path_;
    const { count } = batch;
    let touch = 0;
    let hits = 0;

    for (let first = 0; first < count; first += HIT_GROUP) {
      const last = Math.min(count, first + HIT_GROUP);

      for (let i = first; i < last; i++) {
        const p = frame[i];
        const key = (attachment[i] << 8) | ((frames[p + 6] >>> 8) & 0xff);
        hashes[i - first] = hashKey(frames[p + 7], frames[p + 8], frames[p + 9], key);
      }
      for (let i = first; i < last; i++) touch ^= index[hashes[i - first] & mask];
      for (let i = first; i < last; i++) {
        const h = hashes[i - first];
        let at = h & mask;
        let entry = index[at];
        while (entry !== 0 && ((entry ^ h) & 0xff000000) !== 0) {
          at = (at + 1) & mask;
          entry = index[at];
        }
        const e = (entry & 0xffffff) * RECORD_WORDS;
        found[i - first] = e;
        touch ^= records[e + R_KEY];
      }

      for (let i = first; i < last; i++) {
        const p = frame[i];
        const a = attachment[i];
        const w3 = frames[p + 3];
        const w4 = frames[p + 4];
        const w5 = frames[p + 5];
        const w6 = frames[p + 6];
        const src = frames[p + 7];
        const dst = frames[p + 8];
        const ports = frames[p + 9];
        const protocol = (w6 >>> 8) & 0xff;
        const key = (a << 8) | protocol;
        const total = ((w4 >>> 8) & 0xff00) | (w4 >>> 24);
        const bytes = length[i];
        const isTcp = protocol === TCP;

        // Header checks of the parse stage; whatever fails goes to the slow path, which names the reason.
        const plain =
          w3 >>> 16 === ETHERTYPE_IPV4 &&
          (w4 & 0xff) === VERSION_4_NO_OPTIONS &&
          (w5 & FRAGMENT_BITS) === 0 &&
          (isTcp || protocol === UDP) &&
          total + 14 <= bytes &&
          total >= (isTcp ? 40 : 28) &&
          checksumHolds(w4, w5, w6, src, dst);

        let e = found[i - first];
        if (
          e !== 0 &&
          (records[e + R_SRC] !== src ||
            records[e + R_DST] !== dst ||
            records[e + R_PORTS] !== ports ||
            records[e + R_KEY] !== key)
        ) {
          // The tag of another flow was the same, or a slow pass of this batch changed the table.
          e = table.find(src, dst, ports, key) * RECORD_WORDS;
        }
        const facts = records[e + R_EGRESS];
        const w12 = frames[p + 12];
        const flags = isTcp ? (w12 >>> 8) & 0x3f : ACK;
        const tcpHeader = (w12 >>> 2) & 0x3c;
        const h = a * HOT_WORDS;
        const time = now[i];

        if (
          !plain ||
          e === 0 ||
          (facts & PATH_VALID) === 0 ||
          records[e + R_GENERATION] !== hot[h + HOT_GENERATION] ||
          time - records[e + R_LAST_SEEN] >= hot[h + HOT_IDLE_MS] ||
          (flags & (SYN | ACK)) === SYN ||
          (isTcp && (tcpHeader < 20 || tcpHeader > total - 20)) ||
          total + 14 > hot[h + HOT_FRAME_MAX]
        ) {
          slowPath.run(batch, i);
          continue;
        }

        const to = facts & EGRESS_MASK;
        const g = to * HOT_WORDS;
        let tapped = -1;
        if ((facts & PATH_TAP) !== 0) tapped = tap.copy(batch, i, 0, records[e + R_PATH]);

        if ((facts & PATH_TRANSLATES) !== 0) {
          const deltas = records[e + R_DELTAS];
          frames[p + 6] = (w6 & 0xffff) | (applyDelta(w6 >>> 16, deltas & 0xffff) << 16);
          frames[p + 7] = records[e + R_NEW_SRC];
          frames[p + 8] = records[e + R_NEW_DST];
          frames[p + 9] = records[e + R_NEW_PORTS];
          if (isTcp) {
            const w13 = frames[p + 13];
            frames[p + 13] = (w13 & 0xffff0000) | applyDelta(w13 & 0xffff, deltas >>> 16);
          } else {
            const w10 = frames[p + 10];
            if (w10 >>> 16 !== 0) {
              const checksum = applyDelta(w10 >>> 16, deltas >>> 16);
              frames[p + 10] = (w10 & 0xffff) | ((checksum === 0 ? 0xffff : checksum) << 16); // RFC 768
            }
          }
        }
        frames[p] = (frames[p] & 0xffff) | hot[g + HOT_MAC_HIGH];
        frames[p + 1] = hot[g + HOT_MAC_LOW];
        frames[p + 2] = FABRIC_MAC_HIGH;
        frames[p + 3] = (w3 & 0xffff0000) | FABRIC_MAC_LOW;

        records[e + R_LAST_SEEN] = time;
        floats[(e + R_PACKETS) >> 1]++;
        floats[(e + R_BYTES) >> 1] += bytes;
        egress[i] = to;
        verdict[i] = (facts & PATH_EXIT) === 0 ? DELIVERED : EXITED;
        path[i] = records[e + R_PATH];
        hits++;
        if ((flags & FIN_OR_RST) !== 0) connections.tcpEnd(e / RECORD_WORDS, flags, time);
        if (tapped !== -1) tap.copy(batch, i, 1, path[i]);
      }
    }
    touched[0] = touch;
    counters[COUNT.flowHits] += hits;
    counters[COUNT.slowPasses] += count - hits;
    countTraffic(batch, traffic);
  };
}

const DELIVERED = OUTCOME.delivered << 8;
const EXITED = OUTCOME.exited << 8;

/** RFC 1071 over a header without options: the sum of its ten halves is all ones. */
function checksumHolds(w4: number, w5: number, w6: number, w7: number, w8: number): boolean {
  const high = (w4 >>> 16) + (w5 >>> 16) + (w6 >>> 16) + (w7 >>> 16) + (w8 >>> 16);
  const low = (w4 & 0xffff) + (w5 & 0xffff) + (w6 & 0xffff) + (w7 & 0xffff) + (w8 & 0xffff);
  const sum = high + low;
  return (sum & 0xffff) + (sum >>> 16) === 0xffff;
}

/** RFC 1624, equation 3: the complement of the old checksum plus what changed. */
function applyDelta(checksum: number, delta: number): number {
  const sum = (~checksum & 0xffff) + delta;
  return ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
}

/** Packets and bytes per attachment, once per batch. */
function countTraffic(batch: Batch, traffic: Float64Array): void {
  const { count, attachment, egress, length } = batch;
  for (let i = 0; i < count; i++) {
    const from = attachment[i] * TRAFFIC_WORDS;
    traffic[from]++;
    traffic[from + 1] += length[i];
    if (egress[i] < 0) continue;
    const to = egress[i] * TRAFFIC_WORDS;
    traffic[to + 2]++;
    traffic[to + 3] += length[i];
  }
}
