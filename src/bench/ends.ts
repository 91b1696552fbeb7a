// The two ends of a lane, which run per packet: the generator replays pre-rendered frames, the sink reads outcomes.
//
// Form: everything that a hot closure reads of its surroundings is `const`. V8 does not take a `let` for a constant,
// even one that is set once: 13.3 ns became 8.9 (Node 20), and 6.0 with the build's inlined constants.

import {
  CONTROL,
  EGRESS_WORDS,
  INGRESS_WORDS,
  IN_ATTACHMENT,
  IN_FACTS,
  IN_LENGTH,
  IN_NOW_MS,
  IN_PACKET,
  IN_SLOT,
  OUTCOME,
  OUT_ATTACHMENT,
  OUT_LENGTH,
  OUT_SLOT,
  OUT_VERDICT,
  frameBytesMax,
  frameOffset,
  type Regions,
} from '../abi/regions.ts';

/** Every frame has at least 60 bytes: with its two leading pad bytes eight 64-bit moves. */
const LEAST_BYTES = 60;
const LEAST_MOVES = 8;

export interface TemplateList {
  readonly count: number;
  /** The template with an index from 0 to `count` - 1; asked once. */
  readonly at: (index: number) => Template;
}

/** A frame that waits to be replayed. */
export interface Template {
  /** 60 bytes at least: without the frame check sequence. */
  readonly frame: Uint8Array;
  /** Attachment that sends it. */
  readonly attachment: number;
  /** Shard of its connection, 0 when absent. */
  readonly shard?: number;
}

/** Replays pre-rendered frames into the slots that are next in turn, and publishes their descriptors. */
export function createGenerator(regions: Regions, list: TemplateList): (count: number, nowMs: number) => void {
  const { control, ingress: ingress_, frameWords, sizes } = regions;
  const {
    count: templates,
    moves: moves_,
    senders: senders_,
    lengths: lengths_,
  } = renderTemplates(list, frameBytesMax(regions.sizes));
  const ringMask = sizes.ring - 1;
  const slotMask = sizes.slots - 1;
  const slotMoves = sizes.slotBytes >> 3;
  const firstMove = (frameOffset(sizes, 0) - 2) >> 3;
  const arena_ = new BigInt64Array(frameWords.buffer, frameWords.byteOffset, frameWords.byteLength >> 3);
  const isUniform = lengths_.length === 0;
  let next_ = 0;
  let from_ = 0;

  return (count, nowMs) => {
    // Hoisted: V8 folds a closure constant's data pointer and length only when it is read once into a local.
    const ingress = ingress_;
    const arena = arena_;
    const moves = moves_;
    const senders = senders_;
    const lengths = lengths_;
    let head = control[CONTROL.ingressHead] | 0;
    let next = next_ | 0;
    let from = from_ | 0;
    for (let i = 0; i < count; i++) {
      const slot = head & slotMask;
      const to = slot * slotMoves + firstMove;
      arena[to] = moves[from];
      arena[to + 1] = moves[from + 1];
      arena[to + 2] = moves[from + 2];
      arena[to + 3] = moves[from + 3];
      arena[to + 4] = moves[from + 4];
      arena[to + 5] = moves[from + 5];
      arena[to + 6] = moves[from + 6];
      arena[to + 7] = moves[from + 7];
      let bytes = LEAST_BYTES;
      from += LEAST_MOVES;
      if (!isUniform) {
        bytes = lengths[next];
        const end = to + ((bytes + 9) >> 3);
        for (let m = to + LEAST_MOVES; m < end; m++) arena[m] = moves[from++];
      }
      const sender = senders[next];
      const at = (head & ringMask) * INGRESS_WORDS;
      ingress[at + IN_SLOT] = slot;
      ingress[at + IN_LENGTH] = bytes;
      ingress[at + IN_ATTACHMENT] = sender & 0xffffff;
      ingress[at + IN_PACKET] = next;
      ingress[at + IN_NOW_MS] = nowMs;
      ingress[at + IN_FACTS] = (sender >>> 24) << 8;
      head = (head + 1) | 0;
      next++;
      if (next === templates) next = from = 0;
    }
    next_ = next;
    from_ = from;
    Atomics.store(control, CONTROL.ingressHead, head);
  };
}

/** Reads every egress descriptor and the words of the frame that a receiver looks at first. */
export function createSink(regions: Regions): () => number {
  const { control, egress: egress_, frameWords: frames_, sizes } = regions;
  const ringMask = sizes.ring - 1;
  const slotWords = sizes.slotBytes >> 2;
  const firstWord = (frameOffset(sizes, 0) - 2) >> 2;
  const kept = new Int32Array(1);

  return () => {
    const egress = egress_;
    const frames = frames_;
    const tail = control[CONTROL.egressTail] | 0;
    const count = (Atomics.load(control, CONTROL.egressHead) - tail) | 0;
    let touched = 0;
    let dropped = 0;
    for (let i = 0; i < count; i++) {
      const at = ((tail + i) & ringMask) * EGRESS_WORDS;
      const p = (egress[at + OUT_SLOT] * slotWords + firstWord) | 0;
      touched ^= egress[at + OUT_ATTACHMENT] ^ egress[at + OUT_LENGTH] ^ frames[p] ^ frames[p + 8] ^ frames[p + 9];
      if (egress[at + OUT_VERDICT] >>> 8 === OUTCOME.dropped) dropped++;
    }
    kept[0] = touched;
    control[CONTROL.noticeTail] = control[CONTROL.noticeHead]; // nobody steers here
    Atomics.store(control, CONTROL.egressTail, (tail + count) | 0);
    return dropped;
  };
}

/** Templates as the generator reads them, one after the other. */
interface Rendered {
  readonly count: number;
  /** Frames behind two pad bytes, each from a multiple of eight bytes on. */
  readonly moves: BigInt64Array;
  /** Ingress attachment (24 bits) and shard of each. */
  readonly senders: Int32Array;
  /** Bytes of each frame; empty when all have LEAST_BYTES. */
  readonly lengths: Int32Array;
}

function renderTemplates(list: TemplateList, bytesMax: number): Rendered {
  const { count } = list;
  const senders = new Int32Array(count);
  const lengths = new Int32Array(count);
  let bytes: Uint8Array<ArrayBuffer> = new Uint8Array(count * LEAST_MOVES * 8);
  let end = 0;
  for (let i = 0; i < count; i++) {
    const { frame, attachment, shard } = list.at(i);
    if (frame.length < LEAST_BYTES || frame.length > bytesMax) throw new Error(`a frame of ${frame.length} bytes`);
    const start = end;
    end += movesOf(frame.length) * 8;
    if (end > bytes.length) bytes = enlarged(bytes, end);
    bytes.set(frame, start + 2);
    senders[i] = attachment | ((shard ?? 0) << 24);
    lengths[i] = frame.length;
  }
  const isUniform = lengths.every((length) => length === LEAST_BYTES);
  return { count, moves: new BigInt64Array(bytes.buffer, 0, end >> 3), senders, lengths: isUniform ? NONE : lengths };
}

const NONE = new Int32Array(0);

/** 64-bit moves of a frame with its two leading pad bytes. */
function movesOf(bytes: number): number {
  return (bytes + 9) >> 3;
}

function enlarged(bytes: Uint8Array, atLeast: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(atLeast, bytes.length * 2));
  larger.set(bytes);
  return larger;
}
