// Puts the fragments of an IPv4 datagram back together (RFC 791 section 3.2). Only in order: out of order they do not
// reach a virtual machine anyway (WIRE-15). What is unfinished is bounded in number and in time.
import * as wire from '../wire/index.ts';
import type { GuestPort } from './guest.ts';

interface Unfinished {
  readonly first: Uint8Array;
  readonly pieces: Uint8Array[];
  /** Bytes of data so far. */
  length: number;
  readonly expiresAtNs: number;
}

const UNFINISHED_MAX = 64;
/** RFC 1122 section 3.3.2 allows 60 to 120 s; common systems take 30 s. */
const LIFE_NS = 30_000_000_000;

/** Names the datagram that a fragment belongs to (RFC 791 section 2.3). */
export function fragmentKey(frames: DataView, l3: number): string {
  const ends = `${wire.ipv4Src(frames, l3)}-${wire.ipv4Dst(frames, l3)}`;
  return `${ends}-${wire.ipv4Protocol(frames, l3)}-${wire.ipv4Id(frames, l3)}`;
}

export class IpReassembly {
  readonly #port: GuestPort;
  readonly #unfinished = new Map<string, Unfinished>();

  constructor(port: GuestPort) {
    this.#port = port;
  }

  /** Takes a fragment; returns the whole datagram as a frame when it was the last one. */
  add(frame: Uint8Array, frames: DataView, l3: number): Uint8Array | undefined {
    const key = fragmentKey(frames, l3);
    const dataAt = l3 + wire.ipv4HeaderLength(frames, l3);
    const data = frame.subarray(dataAt, l3 + wire.ipv4TotalLength(frames, l3));
    const offset = wire.ipv4FragmentOffset(frames, l3);
    if (offset === 0) {
      this.#start(key, { first: frame.subarray(0, dataAt), data });
      return undefined;
    }
    const datagram = this.#unfinished.get(key);
    if (datagram === undefined || datagram.expiresAtNs <= this.#port.now() || offset !== datagram.length) {
      this.#port.countDrop('fragment out of order');
      return undefined;
    }
    datagram.pieces.push(data);
    datagram.length += data.length;
    if (wire.ipv4MoreFragments(frames, l3)) return undefined;
    this.#unfinished.delete(key);
    return this.#join(datagram, l3);
  }

  #start(key: string, begin: { first: Uint8Array; data: Uint8Array }): void {
    const nowNs = this.#port.now();
    this.#unfinished.delete(key);
    for (const [oldKey, old] of this.#unfinished) {
      // The map is in the order of arrival, so the first that is alive ends the search.
      if (old.expiresAtNs > nowNs && this.#unfinished.size < UNFINISHED_MAX) break;
      this.#unfinished.delete(oldKey);
      this.#port.countDrop('reassembly given up');
    }
    const { first, data } = begin;
    this.#unfinished.set(key, { first, pieces: [data], length: data.length, expiresAtNs: nowNs + LIFE_NS });
  }

  #join(datagram: Unfinished, l3: number): Uint8Array | undefined {
    const headerEnd = datagram.first.length;
    if (headerEnd - l3 + datagram.length > wire.IPV4_TOTAL_LENGTH_MAX) {
      this.#port.countDrop('malformed');
      return undefined;
    }
    const whole = new Uint8Array(headerEnd + datagram.length);
    whole.set(datagram.first);
    let at = headerEnd;
    for (const piece of datagram.pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    const frames = wire.viewOf(whole);
    wire.setIpv4TotalLength(frames, l3, whole.length - l3);
    wire.setIpv4MoreFragments(frames, l3, false);
    wire.setIpv4Checksum(frames, l3, 0);
    wire.setIpv4Checksum(frames, l3, wire.internetChecksum(frames, l3, headerEnd - l3));
    return whole;
  }
}
