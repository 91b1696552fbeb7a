// The shared-memory map of one worker. The only file that creates a SharedArrayBuffer or computes an offset into one.
// A growable buffer is page-aligned (a plain one starts at page + 16 with glibc) and every view has an explicit length
// (length-tracking views are 20 to 50 times slower). One writer per region at any time; ownership of a frame slot
// moves with its descriptor.
//
//   offset 0   control     cursors, doorbell, epoch acknowledged          both, word by word
//              ingress     descriptors of frames entering                 injector
//              egress      descriptors of finished passes                 worker
//              frames      arena of frame slots                           owner of the slot
//              index       flow index                                     worker
//              records     flow records, one cache line each              worker
//              recordsCold the rest of each record                        worker
//              paths       provenance rows by path id                     worker
//              counters    totals and drops                               worker
//              traffic     per attachment counters                        worker
//              taps        captured frames                                worker
//              notices     steering notices for the directory             worker

import { HEADROOM_BYTES, SLOT_BYTES_DEFAULT } from './limits.ts';
import { PROVENANCE_WORDS } from './provenance.ts';
import { DROP_CODES } from './drop-reasons.ts';

const MAGIC = 0x766e656d;
const LAYOUT_VERSION = 1;
const LINE = 64;

/** Words of the control region. Cursors count up for ever (mod 2^32) and stand on cache lines of their own. */
export const CONTROL = {
  magic: 0,
  version: 1,
  /** Descriptors written by the injector. */
  ingressHead: 16,
  /** Descriptors read by the worker. */
  ingressTail: 32,
  /** Descriptors written by the worker. */
  egressHead: 48,
  /** Descriptors read by control. */
  egressTail: 64,
  /** Incremented by control to wake the worker. */
  doorbell: 80,
  /** Commands given by control, and obeyed by the worker. */
  commands: 96,
  obeyed: 112,
  /** Epoch the worker runs. */
  epoch: 128,
  /** 1 once the worker has stopped, 2 when it died. */
  state: 144,
  /** Words written to and read from the tap ring. */
  tapHead: 160,
  tapTail: 176,
  noticeHead: 192,
  noticeTail: 208,
  /** 1 while control sleeps until the worker moves egressHead. */
  controlSleeps: 224,
} as const;
const CONTROL_WORDS = 256;

/** Words of an ingress descriptor. */
export const INGRESS_WORDS = 8;
export const IN_SLOT = 0;
export const IN_LENGTH = 1;
export const IN_PACKET = 2;
export const IN_ATTACHMENT = 3;
/** Milliseconds since the start of the run: what idle times are measured with. */
export const IN_NOW_MS = 4;
export const IN_TIME_LOW = 5;
export const IN_TIME_HIGH = 6;
/** Bits 0-7 hops, 8-15 shard, 16 duplicate, 17-30 network + 1 of a frame of the platform. */
export const IN_FACTS = 7;
export const IN_FACT_DUPLICATE = 1 << 16;

/** Words of an egress descriptor; the first four are those of the ingress descriptor. */
export const EGRESS_WORDS = 8;
export const OUT_SLOT = 0;
export const OUT_LENGTH = 1;
export const OUT_PACKET = 2;
/** Attachment that sent the frame. */
export const OUT_INGRESS = 3;
/** Attachment that gets the frame, -1 for none. */
export const OUT_ATTACHMENT = 4;
/** Drop reason in bits 0-7, OUTCOME in bits 8-15. */
export const OUT_VERDICT = 5;
/** Path id: row of `paths`. */
export const OUT_PATH = 6;

/** How a pass ended; bits 8-15 of OUT_VERDICT. */
export const OUTCOME = { delivered: 0, exited: 1, consumed: 2, answered: 3, dropped: 4 } as const;

/** Words of a flow record's hot line; addresses and ports as little-endian loads of the frame's bytes. */
export const RECORD_WORDS = 16;
/** Words of the cold part. */
export const COLD_WORDS = 8;

/** Words of a steering notice: attachment, source, destination, ports, protocol | shard << 8 | learn << 16. */
export const NOTICE_WORDS = 8;

/** Slots of the counter region (Float64). */
export const COUNT = {
  received: 0,
  originated: 1,
  duplicated: 2,
  delivered: 3,
  exited: 4,
  consumed: 5,
  tapsLost: 6,
  flowHits: 7,
  slowPasses: 8,
  records: 9,
  oldestEpoch: 10,
  pathsUsed: 11,
  dropped: 16,
} as const;

/** Counters per attachment (Float64). */
export const TRAFFIC_WORDS = 4;
export const TRAFFIC_SENT_PACKETS = 0;
export const TRAFFIC_SENT_BYTES = 1;
export const TRAFFIC_RECEIVED_PACKETS = 2;
export const TRAFFIC_RECEIVED_BYTES = 3;

/** Sizes of one worker's regions. Counts that index rings are powers of two. */
export interface RegionSizes {
  readonly slots: number;
  readonly slotBytes: number;
  readonly ring: number;
  /** Flow records; row 0 is never used. */
  readonly records: number;
  readonly paths: number;
  readonly attachments: number;
  /** Words of the tap ring; 0 when nothing can be captured. */
  readonly tapWords: number;
  readonly notices: number;
}

export interface RegionRow {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
  readonly writer: 'control' | 'worker' | 'owner' | 'both';
}

/** Views of one worker's memory. */
export interface Regions {
  readonly buffer: SharedArrayBuffer;
  readonly sizes: RegionSizes;
  readonly control: Int32Array;
  readonly ingress: Int32Array;
  readonly egress: Int32Array;
  readonly frameWords: Int32Array;
  readonly frameBytes: Uint8Array;
  readonly frames: DataView;
  readonly index: Int32Array;
  readonly records: Int32Array;
  /** The same memory as `records`, for the 64-bit counters of a record. */
  readonly recordFloats: Float64Array;
  readonly cold: Int32Array;
  readonly paths: Int32Array;
  readonly counters: Float64Array;
  readonly traffic: Float64Array;
  readonly taps: Int32Array;
  readonly notices: Int32Array;
}

/** Records beyond two per connection: record 0, which is never used, and a few bindings. */
const RECORDS_SPARE = 64;

/** Sizes for a number of connections (two records each, with room for bindings). */
export function regionSizes(options: {
  connections: number;
  slotBytes?: number;
  slots?: number;
  capture?: boolean;
  attachments?: number;
}): RegionSizes {
  const slotBytes = options.slotBytes ?? SLOT_BYTES_DEFAULT;
  if (slotBytes % LINE !== 0) throw new Error(`slot size ${slotBytes} is not a multiple of ${LINE}`);
  const slots = options.slots ?? 1024;
  return {
    slots,
    slotBytes,
    ring: powerOfTwo(Math.max(slots, 64)),
    records: 2 * options.connections + RECORDS_SPARE,
    paths: 16_384,
    attachments: options.attachments ?? 16_384,
    tapWords: options.capture === false ? 1024 : powerOfTwo((2 * slots * (slotBytes + LINE)) / 4),
    notices: powerOfTwo(Math.max(2048, 8 * slots)),
  };
}

/** The table of regions: offsets are aligned to cache lines and do not overlap (tested). */
export function regionTable(sizes: RegionSizes): RegionRow[] {
  const rows: RegionRow[] = [];
  let offset = 0;
  const add = (name: string, bytes: number, writer: RegionRow['writer']): void => {
    rows.push({ name, offset, bytes, writer });
    offset += Math.ceil(bytes / LINE) * LINE;
  };
  add('control', CONTROL_WORDS * 4, 'both');
  add('ingress', sizes.ring * INGRESS_WORDS * 4, 'control');
  add('egress', sizes.ring * EGRESS_WORDS * 4, 'worker');
  add('frames', sizes.slots * sizes.slotBytes + LINE, 'owner');
  add('index', indexEntries(sizes) * 4, 'worker');
  add('records', sizes.records * RECORD_WORDS * 4, 'worker');
  add('recordsCold', sizes.records * COLD_WORDS * 4, 'worker');
  add('paths', sizes.paths * PROVENANCE_WORDS * 4, 'worker');
  add('counters', (COUNT.dropped + DROP_CODES) * 8, 'worker');
  add('traffic', sizes.attachments * TRAFFIC_WORDS * 8, 'worker');
  add('taps', sizes.tapWords * 4, 'worker');
  add('notices', sizes.notices * NOTICE_WORDS * 4, 'worker');
  return rows;
}

/** Entries of the flow index: a power of two with a load of a quarter for the connections it is sized for, so that a
 * probe run stays in one line, and never more than a half. */
export function indexEntries(sizes: RegionSizes): number {
  return powerOfTwo(Math.max((sizes.records - RECORDS_SPARE) * 4, sizes.records * 2));
}

// ES2024 form of the constructor; Node 20 has it, the es2023 library of TypeScript does not declare it.
const Growable = SharedArrayBuffer as unknown as new (
  bytes: number,
  options: { maxByteLength: number },
) => SharedArrayBuffer;

/** Allocates and stamps the memory of one worker. */
export function createRegions(sizes: RegionSizes): Regions {
  const rows = regionTable(sizes);
  const last = rows[rows.length - 1];
  const bytes = Math.ceil((last.offset + last.bytes) / 4096) * 4096;
  const buffer = new Growable(bytes, { maxByteLength: bytes });
  const control = new Int32Array(buffer, 0, CONTROL_WORDS);
  control[CONTROL.magic] = MAGIC;
  control[CONTROL.version] = LAYOUT_VERSION;
  return attachRegions(buffer, sizes);
}

/** Views over existing memory. Throws when magic, version or size do not fit. */
export function attachRegions(buffer: SharedArrayBuffer, sizes: RegionSizes): Regions {
  const rows = new Map(regionTable(sizes).map((row) => [row.name, row]));
  const at = (name: string): RegionRow => rows.get(name) as RegionRow;
  const words = (name: string): Int32Array => new Int32Array(buffer, at(name).offset, at(name).bytes / 4);
  const floats = (name: string): Float64Array => new Float64Array(buffer, at(name).offset, at(name).bytes / 8);
  const end = at('notices').offset + at('notices').bytes;
  if (buffer.byteLength < end) throw new Error(`region of ${buffer.byteLength} bytes, expected at least ${end}`);
  const control = words('control');
  if (control[CONTROL.magic] !== MAGIC) throw new Error(`region magic is ${control[CONTROL.magic]}`);
  if (control[CONTROL.version] !== LAYOUT_VERSION) throw new Error(`region version is ${control[CONTROL.version]}`);
  const frames = at('frames');
  return {
    buffer,
    sizes,
    control,
    ingress: words('ingress'),
    egress: words('egress'),
    frameWords: words('frames'),
    frameBytes: new Uint8Array(buffer, frames.offset, frames.bytes),
    frames: new DataView(buffer, frames.offset, frames.bytes),
    index: words('index'),
    records: words('records'),
    recordFloats: floats('records'),
    cold: words('recordsCold'),
    paths: words('paths'),
    counters: floats('counters'),
    traffic: floats('traffic'),
    taps: words('taps'),
    notices: words('notices'),
  };
}

/** Byte offset of a slot's Ethernet header in the arena: 2 mod 4, so that the IPv4 header is 4-byte aligned. */
export function frameOffset(sizes: RegionSizes, slot: number): number {
  return slot * sizes.slotBytes + HEADROOM_BYTES + 2;
}

/** Bytes of the largest frame that fits a slot. */
export function frameBytesMax(sizes: RegionSizes): number {
  return sizes.slotBytes - HEADROOM_BYTES - 2;
}

function powerOfTwo(atLeast: number): number {
  let value = 64;
  while (value < atLeast) value *= 2;
  return value;
}
