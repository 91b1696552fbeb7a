// New connections: a generator of frames that differ from one connection to the next only in the client's port, so that
// millions of connections need one template per pair of client and endpoint. Ports and the TCP checksum are patched
// while the frame is written (RFC 1624).

import {
  CONTROL,
  INGRESS_WORDS,
  IN_ATTACHMENT,
  IN_FACTS,
  IN_LENGTH,
  IN_NOW_MS,
  IN_PACKET,
  IN_SLOT,
  frameOffset,
} from '../abi/regions.ts';
import type { Lane } from './lane.ts';
import { PAIRS, SQL_PORT, connectionFrame, type Traffic } from './traffic.ts';

/** Words of a frame of 60 bytes with its two leading pad bytes, and of the row that follows them in a template. */
const FRAME_WORDS = 16;
const ROW_WORDS = 32;
const ROW_LENGTH = 16;
const ROW_ATTACHMENT = 17;
const ROW_SHARD = 18;
/** Word of the ports (source in the low half), and of the TCP checksum (low half). */
const PORTS = 9;
const CHECKSUM = 13;

/** Writes the frames of `count` connections, numbered from `first` on, and publishes them. At least `count` slots of
 * the lane must be free. */
export type Newcomers = (first: number, count: number, nowMs: number) => void;

/** The generator for one kind of frame: a SYN from the client, the service's SYN/ACK, a RST. */
export function createNewcomers(
  lane: Lane,
  traffic: Traffic,
  direction: 'forward' | 'return',
  flags: number,
  dstPort = SQL_PORT,
): Newcomers {
  const { control, ingress: ingress_, frameWords: frames_, sizes } = lane.regions;
  const templates_ = templatesOf(traffic, direction, flags, dstPort);
  const { portFirst, ports } = traffic;
  const portShift = direction === 'forward' ? 0 : 16;
  const ringMask = sizes.ring - 1;
  const slotMask = sizes.slots - 1;
  const slotWords = sizes.slotBytes >> 2;
  const firstWord = (frameOffset(sizes, 0) - 2) >> 2;

  return (first, count, nowMs) => {
    const ingress = ingress_;
    const frames = frames_;
    const templates = templates_;
    let head = control[CONTROL.ingressHead];
    for (let i = 0; i < count; i++) {
      const connection = first + i;
      const row = (connection % PAIRS) * ROW_WORDS;
      const port = portFirst + (Math.floor(connection / PAIRS) % ports);
      const portWord = ((port & 0xff) << 8) | (port >>> 8);
      const slot = head & slotMask;
      const p = slot * slotWords + firstWord;
      for (let w = 0; w < FRAME_WORDS; w++) frames[p + w] = templates[row + w];
      frames[p + PORTS] = templates[row + PORTS] | (portWord << portShift);
      const checksum = templates[row + CHECKSUM];
      const sum = (~checksum & 0xffff) + portWord;
      frames[p + CHECKSUM] = (checksum & 0xffff0000) | (~((sum & 0xffff) + (sum >>> 16)) & 0xffff);
      const at = (head & ringMask) * INGRESS_WORDS;
      ingress[at + IN_SLOT] = slot;
      ingress[at + IN_LENGTH] = templates[row + ROW_LENGTH];
      ingress[at + IN_ATTACHMENT] = templates[row + ROW_ATTACHMENT];
      ingress[at + IN_PACKET] = connection;
      ingress[at + IN_NOW_MS] = nowMs;
      ingress[at + IN_FACTS] = templates[row + ROW_SHARD] << 8;
      head = (head + 1) | 0;
    }
    Atomics.store(control, CONTROL.ingressHead, head);
  };
}

/** One frame per pair of client and endpoint, with port 0 where the client's port will be. */
function templatesOf(traffic: Traffic, direction: 'forward' | 'return', flags: number, dstPort: number): Int32Array {
  const words = new Int32Array(PAIRS * ROW_WORDS);
  const bytes = new Uint8Array(words.buffer);
  for (let pair = 0; pair < PAIRS; pair++) {
    const connection = { ...traffic.connection(pair), srcPort: 0, dstPort };
    const { frame, attachment, shard } = connectionFrame(connection, direction, flags);
    bytes.set(frame, pair * ROW_WORDS * 4 + 2);
    words.set([frame.length, attachment, shard ?? 0], pair * ROW_WORDS + ROW_LENGTH);
  }
  return words;
}
