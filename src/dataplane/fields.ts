// Field views: the memory that the hit path works on, one view per field, so that it reads like named fields. Every
// view of a group begins one word after the one before and has the same length: one index serves all fields of a row,
// and V8 checks it once (docs/performance.md).
//
//   in*       ingress descriptor     index (cursor & mask) << INGRESS_SHIFT
//   out*      egress descriptor      index (cursor & mask) << EGRESS_SHIFT
//   word*     frame                  index of the frame's first word
//   record*   hot line of a record   index record << RECORD_SHIFT; floats at half of it
//   hot*      attachment, hot table  index attachment << HOT_SHIFT
//   pair*     two neighbouring words that are moved together; index at half of the others'
//   sent*, received*                 index attachment << TRAFFIC_SHIFT

import {
  EGRESS_WORDS,
  INGRESS_WORDS,
  IN_ATTACHMENT,
  IN_FACTS,
  IN_LENGTH,
  IN_NOW_MS,
  IN_PACKET,
  IN_SLOT,
  OUT_ATTACHMENT,
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
  type Regions,
} from '../abi/regions.ts';
import {
  R_BYTES,
  R_DELTAS,
  R_DST,
  R_EGRESS,
  R_GENERATION,
  R_KEY,
  R_LAST_SEEN,
  R_NEW_DST,
  R_NEW_SRC,
  R_PACKETS,
  R_PATH,
  R_PORTS,
  R_SRC,
} from './flow-table.ts';
import { HOT_FABRIC_HIGH, HOT_FRAME_MAX, HOT_GENERATION, HOT_IDLE_MS, HOT_MAC_HIGH, HOT_WORDS } from './tables.ts';

export const INGRESS_SHIFT = 3;
export const EGRESS_SHIFT = 3;
export const RECORD_SHIFT = 4;
export const HOT_SHIFT = 3;
export const TRAFFIC_SHIFT = 2;

/** Words of a frame that the hit path reads: Ethernet, IPv4 and the fixed part of TCP. */
const FRAME_WORDS = 16;

export type Fields = ReturnType<typeof fieldsOf>;

/** The field views of one worker's memory. */
export function fieldsOf(regions: Regions, hot: Int32Array) {
  const { ingress, egress, frameWords, records, recordFloats, traffic } = regions;
  const inField = (word: number): Int32Array => shifted(ingress, word, INGRESS_WORDS);
  const outField = (word: number): Int32Array => shifted(egress, word, EGRESS_WORDS);
  const word = (at: number): Int32Array => shifted(frameWords, at, FRAME_WORDS);
  const record = (at: number): Int32Array => shifted(records, at, RECORD_WORDS);
  const recordFloat = (at: number): Float64Array => shiftedFloats(recordFloats, at / 2, RECORD_WORDS / 2);
  const hotField = (at: number): Int32Array => shifted(hot, at, HOT_WORDS);
  const traffics = (at: number): Float64Array => shiftedFloats(traffic, at, TRAFFIC_WORDS);
  return {
    inSlot: inField(IN_SLOT),
    inLength: inField(IN_LENGTH),
    inAttachment: inField(IN_ATTACHMENT),
    pairInSlotLength: shiftedPairs(ingress, IN_SLOT, INGRESS_WORDS),
    pairInPacketAttachment: shiftedPairs(ingress, IN_PACKET, INGRESS_WORDS),
    inNow: inField(IN_NOW_MS),
    inFacts: inField(IN_FACTS),
    pairOutSlotLength: shiftedPairs(egress, OUT_SLOT, EGRESS_WORDS),
    pairOutPacketIngress: shiftedPairs(egress, OUT_PACKET, EGRESS_WORDS),
    outAttachment: outField(OUT_ATTACHMENT),
    outVerdict: outField(OUT_VERDICT),
    outPath: outField(OUT_PATH),
    pairWord0: shiftedPairs(frameWords, 0, FRAME_WORDS),
    pairWord2: shiftedPairs(frameWords, 2, FRAME_WORDS),
    pairWord8: shiftedPairs(frameWords, 8, FRAME_WORDS),
    word3: word(3),
    word4: word(4),
    word5: word(5),
    word6: word(6),
    word7: word(7),
    word8: word(8),
    word9: word(9),
    word10: word(10),
    word12: word(12),
    word13: word(13),
    recordSrc: record(R_SRC),
    recordDst: record(R_DST),
    recordPorts: record(R_PORTS),
    recordKey: record(R_KEY),
    recordEgress: record(R_EGRESS),
    recordNewSrc: record(R_NEW_SRC),
    pairRecordNewDstPorts: shiftedPairs(records, R_NEW_DST, RECORD_WORDS),
    recordDeltas: record(R_DELTAS),
    recordPath: record(R_PATH),
    recordGeneration: record(R_GENERATION),
    recordLastSeen: record(R_LAST_SEEN),
    recordPackets: recordFloat(R_PACKETS),
    recordBytes: recordFloat(R_BYTES),
    hotGeneration: hotField(HOT_GENERATION),
    pairHotMac: shiftedPairs(hot, HOT_MAC_HIGH, HOT_WORDS),
    pairHotFabric: shiftedPairs(hot, HOT_FABRIC_HIGH, HOT_WORDS),
    hotIdle: hotField(HOT_IDLE_MS),
    hotFrameMax: hotField(HOT_FRAME_MAX),
    sentPackets: traffics(TRAFFIC_SENT_PACKETS),
    sentBytes: traffics(TRAFFIC_SENT_BYTES),
    receivedPackets: traffics(TRAFFIC_RECEIVED_PACKETS),
    receivedBytes: traffics(TRAFFIC_RECEIVED_BYTES),
  };
}

// A view from `at` on, as long as every other view of rows of `words` words.
function shifted(view: Int32Array, at: number, words: number): Int32Array {
  return new Int32Array(view.buffer, view.byteOffset + 4 * at, view.length - words + 1);
}

function shiftedFloats(view: Float64Array, at: number, words: number): Float64Array {
  return new Float64Array(view.buffer, view.byteOffset + 8 * at, view.length - words + 1);
}

// Moves of 8 bytes: BigInt64 elements stay unboxed when one is stored where the other was loaded.
function shiftedPairs(view: Int32Array, at: number, words: number): BigInt64Array {
  return new BigInt64Array(view.buffer, view.byteOffset + 4 * at, (view.length - words) / 2 + 1);
}
