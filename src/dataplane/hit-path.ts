// The hit path: packets of known connections, run to completion in groups of 64. Hash all, touch the index, touch the
// records, then act: the first three sweeps only make the memory of the fourth arrive in time. What is not a plain hit
// (a new or stale flow, IP options, fragments, ICMP, a SYN) goes to the slow path, in order.
//
// Form (docs/performance.md): Int32Array words in little-endian order, constants hoisted into locals, one closure per
// isolate. A frame starts 2 bytes into its first word, so the words below are relative to that word:
//   0 .. 3  Ethernet (destination from the high half of word 0, source in words 2-3, EtherType in the high half of 3)
//   4 .. 8  IPv4 (version|IHL|TOS|length, id|flags|offset, TTL|protocol|checksum, source, destination)
//   9 ..    ports, then TCP (sequence, acknowledgement, offset|flags|window, checksum|urgent) or UDP (length|checksum)

import { HIT_GROUP, MTU_LEAST } from '../abi/limits.ts';
import { COUNT, IN_FACT_DUPLICATE, frameOffset, type Regions } from '../abi/regions.ts';
import type { Connections } from './connections.ts';
import { EGRESS_SHIFT, HOT_SHIFT, INGRESS_SHIFT, RECORD_SHIFT, TRAFFIC_SHIFT, fieldsOf } from './fields.ts';
import {
  EGRESS_MASK,
  PATH_EXIT,
  PATH_EXIT_SHIFT,
  PATH_TAP,
  PATH_TRANSLATES,
  PATH_VALID,
  hashKey,
} from './flow-table.ts';
import { createRareCalls } from './rare-calls.ts';
import { NOT_PLAIN, type SlowPath } from './slow-path.ts';
import type { Tap } from './tap.ts';

const ETHERTYPE_IPV4 = 0x0008; // as loaded from the high half of word 3
const VERSION_4_NO_OPTIONS = 0x45;
const FRAGMENT_BITS = 0xff3f0000; // more-fragments, offset and the reserved bit's neighbour; DF (0x40) is allowed
const TCP = 6;
const UDP = 17;
const SYN = 0x02;
const FIN_OR_RST = 0x05;
const ACK = 0x10;

/** Decides `count` descriptors from the ingress cursor `tail` on; outcomes go to the egress ring from `head` on. */
export type HitPath = (count: number, tail: number, head: number) => void;

/** The forwarding function over a batch: every descriptor gets an outcome. */
export function createHitPath(
  regions: Regions,
  hot: Int32Array,
  connections: Connections,
  slowPath: SlowPath,
  tap: Tap,
): HitPath {
  const fields = fieldsOf(regions, hot);
  const { index: index_, counters } = regions;
  const starts_ = new Int32Array(HIT_GROUP);
  const keys_ = new Int32Array(HIT_GROUP);
  const hashes_ = new Int32Array(HIT_GROUP);
  const found_ = new Int32Array(HIT_GROUP);
  const touched = new Int32Array(1);
  const mask = regions.index.length - 1;
  const ringMask = regions.sizes.ring - 1;
  const slotWords = regions.sizes.slotBytes >> 2;
  const firstWord = (frameOffset(regions.sizes, 0) - 2) >> 2;
  const { run, find, tcpEnd, copy } = createRareCalls(slowPath, connections, tap);

  return function forwardBatch(count: number, tail: number, head: number): void {
    // Hoisted: V8 folds a closure constant's data pointer and length only when it is read once into a local.
    const { inSlot, inLength, inAttachment, inNow, inFacts, pairInSlotLength, pairInPacketAttachment } = fields;
    const { pairOutSlotLength, pairOutPacketIngress, outAttachment, outVerdict, outPath } = fields;
    const { word3, word4, word5, word6, word7, word8, word9, word10, word12, word13 } = fields;
    const { pairWord0, pairWord2, pairWord8, pairHotMac, pairHotFabric } = fields;
    const { recordSrc, recordDst, recordPorts, recordKey, recordEgress, recordNewSrc, pairRecordNewDstPorts } = fields;
    const { recordDeltas, recordPath, recordGeneration, recordLastSeen, recordPackets, recordBytes } = fields;
    const { sentPackets, sentBytes, receivedPackets, receivedBytes } = fields;
    const { hotGeneration, hotIdle, hotFrameMax } = fields;
    const index = index_;
    const starts = starts_;
    const keys = keys_;
    const hashes = hashes_;
    const found = found_;
    let touch = 0;
    let forwarded = 0;
    let walked = 0;
    let exits = 0;
    let marks = 0;

    for (let first = 0; first < count; first += HIT_GROUP) {
      const group = Math.min(HIT_GROUP, count - first) | 0;
      const from = (tail + first) | 0;
      const to = (head + first) | 0;

      // Parse and hash: every check of the parse stage that a plain packet passes.
      for (let i = 0; i < group; i++) {
        const d = ((from + i) & ringMask) << INGRESS_SHIFT;
        const p = (Math.imul(inSlot[d], slotWords) + firstWord) | 0;
        const a = inAttachment[d];
        const w4 = word4[p];
        const w5 = word5[p];
        const w6 = word6[p];
        const src = word7[p];
        const dst = word8[p];
        const ports = word9[p];
        const protocol = (w6 >>> 8) & 0xff;
        const key = (a << 8) | protocol;
        marks |= inFacts[d];
        keys[i & GROUP_MASK] = key;
        hashes[i & GROUP_MASK] = hashKey(src, dst, ports, key);
        const total = ((w4 >>> 8) & 0xff00) | (w4 >>> 24);
        const transport = protocol === TCP ? (word12[p] >>> 2) & 0x3c : protocol === UDP ? 8 : 0;
        const odd = ((word3[p] >>> 16) ^ ETHERTYPE_IPV4) | ((w4 & 0xff) ^ VERSION_4_NO_OPTIONS) | (w5 & FRAGMENT_BITS);
        const isPlain =
          odd === 0 &&
          transport >= (protocol === TCP ? 20 : 8) &&
          total >= 20 + transport &&
          total + 14 <= inLength[d] &&
          (total <= MTU_LEAST || total + 14 <= hotFrameMax[a << HOT_SHIFT]) &&
          checksumHolds(w4, w5, w6, src, dst);
        starts[i & GROUP_MASK] = isPlain ? p : ~p;
      }

      for (let i = 0; i < group; i++) touch ^= index[hashes[i & GROUP_MASK] & mask];
      for (let i = 0; i < group; i++) {
        const h = hashes[i & GROUP_MASK];
        let at = h & mask;
        let entry = index[at];
        while (entry !== 0 && ((entry ^ h) & 0xff000000) !== 0) {
          at = (at + 1) & mask;
          entry = index[at];
        }
        found[i & GROUP_MASK] = (entry & 0xffffff) << RECORD_SHIFT;
      }
      for (let i = 0; i < group; i++) touch ^= recordKey[found[i & GROUP_MASK]];

      let walkedAt = -1;
      for (let i = 0; i < group; i++) {
        const d = ((from + i) & ringMask) << INGRESS_SHIFT;
        const o = ((to + i) & ringMask) << EGRESS_SHIFT;
        const p = starts[i & GROUP_MASK];
        if (p < 0) {
          run[i & 1](d, o, ~p, NOT_PLAIN);
          continue;
        }
        const key = keys[i & GROUP_MASK];
        const src = word7[p];
        const dst = word8[p];
        const ports = word9[p];
        let e = found[i & GROUP_MASK];
        if (((recordSrc[e] ^ src) | (recordDst[e] ^ dst) | (recordPorts[e] ^ ports) | (recordKey[e] ^ key)) !== 0) {
          // The tag of another flow was the same, or a slow pass of this batch changed the table. Record 0 is free: its
          // path is never valid.
          e = find[i & 1](src, dst, ports, key) << RECORD_SHIFT;
        }
        const facts = recordEgress[e];
        const isTcp = (key & 0xff) === TCP;
        const flags = isTcp ? (word12[p] >>> 8) & 0x3f : ACK;
        const a = key >>> 8;
        const h = a << HOT_SHIFT;
        const time = inNow[d];
        const isStale =
          (facts & PATH_VALID) === 0 ||
          recordGeneration[e] !== hotGeneration[h] ||
          ((time - recordLastSeen[e]) | 0) >= hotIdle[h] ||
          ((flags & (SYN | ACK)) === SYN && i !== walkedAt);
        if (isStale) {
          if (i === walkedAt) throw new Error(`record ${e >> RECORD_SHIFT} is stale right after its installation`);
          const record = run[i & 1](d, o, p, e >> RECORD_SHIFT);
          if (record === 0) continue;
          // It has a path now, and is forwarded like the packets that follow: once more from the top.
          found[i & GROUP_MASK] = record << RECORD_SHIFT;
          walkedAt = i;
          walked++;
          i--;
          continue;
        }

        const bytes = inLength[d];
        const path = i === walkedAt ? slowPath.path : recordPath[e];
        if ((facts & PATH_TAP) !== 0) copy[i & 1](p, bytes, d, 0, path);

        if ((facts & PATH_TRANSLATES) !== 0) {
          const deltas = recordDeltas[e];
          const w6 = word6[p];
          word6[p] = (w6 & 0xffff) | (applyDelta(w6 >>> 16, deltas & 0xffff) << 16);
          word7[p] = recordNewSrc[e];
          pairWord8[p >> 1] = pairRecordNewDstPorts[e >> 1];
          if (isTcp) {
            const w13 = word13[p];
            word13[p] = (w13 & 0xffff0000) | applyDelta(w13 & 0xffff, deltas >>> 16);
          } else {
            const w10 = word10[p];
            if (w10 >>> 16 !== 0) {
              const checksum = applyDelta(w10 >>> 16, deltas >>> 16);
              word10[p] = (w10 & 0xffff) | ((checksum === 0 ? 0xffff : checksum) << 16); // RFC 768
            }
          }
        }
        const b = facts & EGRESS_MASK;
        const g = b << HOT_SHIFT;
        pairWord0[p >> 1] = pairHotMac[g >> 1];
        pairWord2[p >> 1] = pairHotFabric[g >> 1];

        recordLastSeen[e] = time;
        recordPackets[e >> 1]++;
        recordBytes[e >> 1] += bytes;
        const sent = a << TRAFFIC_SHIFT;
        sentPackets[sent]++;
        sentBytes[sent] += bytes;
        const received = b << TRAFFIC_SHIFT;
        receivedPackets[received]++;
        receivedBytes[received] += bytes;

        const exit = (facts & PATH_EXIT) >>> PATH_EXIT_SHIFT;
        pairOutSlotLength[o >> 1] = pairInSlotLength[d >> 1];
        pairOutPacketIngress[o >> 1] = pairInPacketAttachment[d >> 1];
        outAttachment[o] = b;
        outVerdict[o] = exit << 8; // OUTCOME.delivered or OUTCOME.exited
        outPath[o] = path;
        forwarded++;
        exits += exit;
        if ((flags & FIN_OR_RST) !== 0) tcpEnd[i & 1](e >> RECORD_SHIFT, flags, time);
        if ((facts & PATH_TAP) !== 0) copy[i & 1](p, bytes, d, 1, path);
      }
    }
    touched[0] = touch;
    const duplicates = (marks & IN_FACT_DUPLICATE) === 0 ? 0 : countDuplicates(count, tail);
    counters[COUNT.received] += count - duplicates;
    counters[COUNT.duplicated] += duplicates;
    counters[COUNT.delivered] += forwarded - exits;
    counters[COUNT.exited] += exits;
    counters[COUNT.flowHits] += forwarded - walked;
    counters[COUNT.slowPasses] += count - forwarded + walked;
  };

  function countDuplicates(count: number, tail: number): number {
    let duplicates = 0;
    for (let i = 0; i < count; i++) {
      const facts = fields.inFacts[((tail + i) & ringMask) << INGRESS_SHIFT];
      if ((facts & IN_FACT_DUPLICATE) !== 0) duplicates++;
    }
    return duplicates;
  }
}

const GROUP_MASK = HIT_GROUP - 1;

/** RFC 1071 over a header without options: the sum of its ten halves is all ones. */
const checksumHolds = (w4: number, w5: number, w6: number, w7: number, w8: number): boolean => {
  const high = (w4 >>> 16) + (w5 >>> 16) + (w6 >>> 16) + (w7 >>> 16) + (w8 >>> 16);
  const low = (w4 & 0xffff) + (w5 & 0xffff) + (w6 & 0xffff) + (w7 & 0xffff) + (w8 & 0xffff);
  const sum = high + low;
  return (sum & 0xffff) + (sum >>> 16) === 0xffff;
};

/** RFC 1624, equation 3: the complement of the old checksum plus what changed. */
const applyDelta = (checksum: number, delta: number): number => {
  const sum = (~checksum & 0xffff) + delta;
  return ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
};
